//! Random histories that are compacted, with power cuts in between, against all that was ever
//! appended.

use super::*;
use crate::log::{
    AppendContext, CleanupPolicy, LogConfig, LogStart,
    tests::{
        self, NOW_MS, append_batch, open, simulated::run_in, small_config, valid_coordinators,
    },
};
use bytes::{Bytes, BytesMut};
use protocol::{
    compression::Compression,
    records::{BatchBuilder, EndTransactionMarker, Records, batches},
};
use ring::{
    Ring,
    sim::{NodeId, SimOptions, World},
};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    rc::Rc,
    time::Duration,
};

const UNPACKED_BYTES_MAX: usize = 1 << 20;
const KEYS: u64 = 9;
const FOREVER_MS: i64 = i64::MAX / 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Committed,
    Aborted,
    Open,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Content {
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
}

#[derive(Debug)]
struct Written {
    content: Content,
    producer_id: i64,
    fate: Fate,
}

/// All that was ever appended, by offset, and what the checkpoint files have.
#[derive(Default)]
struct History {
    records: BTreeMap<i64, Written>,
    sequences: BTreeMap<i64, i32>,
    start: RefCell<LogStart>,
    now_ms: Cell<i64>,
    is_read: bool,
}

type Shared = Rc<RefCell<History>>;

fn dir() -> PathBuf {
    PathBuf::from("/data/topic-0")
}

fn config(delete_retention_ms: i64) -> LogConfig {
    LogConfig {
        cleanup_policy: CleanupPolicy { compact: true, delete: false },
        delete_retention_ms,
        min_cleanable_dirty_ratio: 0.0,
        segment_bytes: 1500,
        ..small_config()
    }
}

fn one_of(ring: &Ring, count: u64) -> u64 {
    ring.random_u64() % count
}

impl History {
    /// Appends a batch of records, or the end of a transaction.
    fn append(&mut self, ring: &Ring, log: &Log) {
        let open = self.records.values().find(|one| one.fate == Fate::Open);
        match (one_of(ring, 4), open.map(|one| one.producer_id)) {
            (0, Some(producer_id)) => self.end(ring, log, producer_id),
            _ => self.append_records(ring, log),
        }
    }

    fn end(&mut self, ring: &Ring, log: &Log, producer_id: i64) {
        let committed = one_of(ring, 2) == 0;
        let marker = EndTransactionMarker { committed, coordinator_epoch: 0 };
        let now_ms = self.now_ms.get();
        let batch = BatchBuilder::end_transaction_marker(0, now_ms, producer_id, 0, marker).build();
        let context = AppendContext::coordinator(0);
        let valid = valid_coordinators(&batch);
        log.append_as_leader(BytesMut::from(&batch[..]), &valid, 0, now_ms, &context).unwrap();
        for one in self.records.values_mut().filter(|one| one.producer_id == producer_id) {
            if one.fate == Fate::Open {
                one.fate = if committed { Fate::Committed } else { Fate::Aborted };
            }
        }
    }

    fn append_records(&mut self, ring: &Ring, log: &Log) {
        let codec = Compression::ALL[one_of(ring, 8).min(4) as usize];
        let mut builder = BatchBuilder::new(0).compression(codec, None);
        let (kind, base) = (one_of(ring, 4) as i64, log.log_end_offset());
        // Producers 1 and 2 have transactions, 3 is idempotent, and 0 is none.
        let producer_id = if kind == 0 { -1 } else { kind };
        let mut contents = Vec::new();
        for at in 0..=one_of(ring, 4) {
            let key = vec![b'k', one_of(ring, KEYS) as u8];
            let value = (one_of(ring, 4) > 0).then(|| vec![at as u8; one_of(ring, 200) as usize]);
            let timestamp = self.now_ms.get() - one_of(ring, 50) as i64;
            builder.append(timestamp, Some(&key), value.as_deref(), &[]);
            contents.push(Content { timestamp, key: Some(key), value });
        }
        if producer_id > 0 {
            let sequence = self.sequences.entry(producer_id).or_default();
            builder = builder.producer(producer_id, 0, *sequence).transactional(producer_id < 3);
            *sequence += contents.len() as i32;
        }
        append_batch(log, builder.build(), 0).unwrap();
        let fate = if matches!(producer_id, 1 | 2) { Fate::Open } else { Fate::Committed };
        for (at, content) in contents.into_iter().enumerate() {
            self.records.insert(base + at as i64, Written { content, producer_id, fate });
        }
    }

    /// What a consumer of committed records knows in the end, below an offset.
    fn latest(&self, below: i64) -> BTreeMap<Vec<u8>, (i64, Option<Vec<u8>>)> {
        let committed = self.records.range(..below).filter(|(_, one)| one.fate == Fate::Committed);
        let latest = committed.filter_map(|(at, one)| {
            Some((one.content.key.clone()?, (*at, one.content.value.clone())))
        });
        latest.collect()
    }
}

/// Brings everything to the disk, and the checkpoint with it.
async fn settle(log: &Log, history: &Shared) {
    log.sync().await.unwrap();
    log.set_high_watermark(log.log_end_offset());
    log.checkpoint().await.unwrap();
    log.tell_recovery_point();
    let start = LogStart {
        is_known: true,
        recovery_point: log.recovery_point(),
        cleaned_to: log.first_dirty_offset(),
        ..LogStart::default()
    };
    *history.borrow().start.borrow_mut() = start;
    log.keep_recovery_point();
}

async fn open_again(ring: &Ring, history: &Shared, config: LogConfig) -> Log {
    let start = history.borrow().start.borrow().clone();
    let log = open(ring, &dir(), config, start).await;
    log.set_high_watermark(log.log_end_offset());
    log
}

/// Passes until nothing is due; what they did.
async fn clean_all(ring: &Ring, log: &Log, history: &Shared, load_factor: f64) -> Vec<Cleaned> {
    let mut all = Vec::new();
    let now_ms = history.borrow().now_ms.get();
    while let Some(due) = log.due_for_cleaning(now_ms).await.unwrap() {
        let cleaning = Cleaning {
            log,
            due,
            throttle: &Throttle::new(ring),
            memory_bytes_max: 1 << 20,
            load_factor,
            chunk_bytes: 700,
            unpacked_bytes_max: UNPACKED_BYTES_MAX,
            now_ms,
            is_cancelled: &|| false,
        };
        all.push(cleaning.run().await.unwrap());
    }
    all
}

/// Reads as a consumer does, with the aborted transactions or without.
async fn read(log: &Log) -> Vec<(i64, i64, Content)> {
    let (stable, mut all) = (log.last_stable_offset(), Vec::new());
    let mut ends = BTreeSet::new();
    let mut aborted = log.aborted_transactions(0, stable).await.unwrap();
    aborted.sort_unstable_by_key(|one| one.first_offset);
    let (mut ahead, mut skipped) = (aborted.into_iter().peekable(), BTreeMap::new());
    let mut offset = log.log_start_offset();
    while offset < stable {
        let bytes: Bytes = log.read_bytes(offset, 1000, stable).await.unwrap();
        if bytes.is_empty() {
            break;
        }
        for batch in batches(&bytes) {
            let batch = batch.unwrap();
            assert!(batch.crc_is_valid() && batch.next_offset() > offset);
            offset = batch.next_offset();
            ends.insert(offset);
            while let Some(one) = ahead.next_if(|one| one.first_offset <= batch.last_offset()) {
                skipped.insert(one.producer_id, ());
            }
            let body = batch.decompressed_body(UNPACKED_BYTES_MAX).unwrap();
            let records = Records::new(&batch, &body).unwrap().map(|record| record.unwrap());
            if batch.is_control() {
                for record in records {
                    let marker = EndTransactionMarker::parse(&record).unwrap().unwrap();
                    if !marker.committed {
                        skipped.remove(&batch.producer_id());
                    }
                }
                continue;
            }
            if batch.is_transactional() && skipped.contains_key(&batch.producer_id()) {
                continue;
            }
            all.extend(records.map(|record| {
                let content = Content {
                    timestamp: record.timestamp,
                    key: record.key.map(<[u8]>::to_vec),
                    value: record.value.map(<[u8]>::to_vec),
                };
                (record.offset, batch.producer_id(), content)
            }));
        }
    }
    for next in log.segment_infos().iter().map(|one| one.base_offset).filter(|at| *at <= offset) {
        let is_reached = next == log.log_start_offset() || ends.contains(&next);
        assert!(is_reached, "no batch ends where the segment at {next} begins: {ends:?}");
    }
    all
}

/// What is there was written so, what must be there is, and nothing else. `is_exact`: the log knows
/// how far it was cleaned.
async fn check(log: &Log, history: &Shared, keeps_tombstones: bool, is_exact: bool) {
    let found = read(log).await;
    let history = history.borrow();
    let (stable, clean) = (log.last_stable_offset(), log.first_dirty_offset());
    for (offset, producer_id, content) in &found {
        let written = history.records.get(offset).expect("a record has an offset of its own");
        assert_eq!((&written.content, written.producer_id), (content, *producer_id));
        assert_eq!(written.fate, Fate::Committed, "the record at {offset}");
    }
    let offsets: Vec<i64> = found.iter().map(|(offset, ..)| *offset).collect();
    assert!(offsets.is_sorted_by(|a, b| a < b), "offsets rise: {offsets:?}");
    let dirty = history.records.range(clean..stable).filter(|_| is_exact);
    for (offset, _) in dirty.filter(|(_, one)| one.fate == Fate::Committed) {
        assert!(offsets.contains(offset), "{offset} was not cleaned, and is gone");
    }
    let mut seen = BTreeMap::new();
    for (offset, _, content) in found.iter().filter(|(offset, ..)| *offset < clean) {
        let before = seen.insert(content.key.clone(), offset);
        assert_eq!(before, None, "a key is there twice below {clean}: {offset}");
    }
    let mut latest = BTreeMap::new();
    for (offset, _, content) in found {
        latest.insert(content.key.unwrap(), (offset, content.value));
    }
    let mut expected = history.latest(stable);
    if !keeps_tombstones {
        for all in [&mut latest, &mut expected] {
            all.retain(|_, (_, value)| value.is_some());
        }
    }
    assert_eq!(latest, expected);
    let producers = log.producers();
    for (producer_id, next) in &history.sequences {
        let known = producers.get(*producer_id).map(|one| one.last_sequence());
        assert_eq!(known, Some(next - 1), "the last sequence of producer {producer_id}");
    }
}

/// Some rounds of appends and passes on one log, each of which a power cut may end.
fn run_history(seed: u64, delete_retention_ms: i64, load_factor: f64) {
    let world = World::new(seed, SimOptions::calm());
    let node = world.node("a");
    let history: Shared = Rc::default();
    history.borrow().now_ms.set(NOW_MS);
    let keeps_tombstones = delete_retention_ms == FOREVER_MS;
    for round in 0..6 {
        let shared = history.clone();
        run_in(&world, node, move |ring| async move {
            let log = open_again(&ring, &shared, config(delete_retention_ms)).await;
            check(&log, &shared, keeps_tombstones, true).await;
            for _ in 0..10 + one_of(&ring, 40) {
                shared.borrow_mut().append(&ring, &log);
            }
            settle(&log, &shared).await;
            check(&log, &shared, keeps_tombstones, true).await;
        });
        world.crash(node);
        let passed = history.borrow().now_ms.get() + (seed % 5000) as i64;
        history.borrow().now_ms.set(passed);
        cut_within_passes(&world, node, &history, (delete_retention_ms, load_factor, round));
        let shared = history.clone();
        run_in(&world, node, move |ring| async move {
            let log = open_again(&ring, &shared, config(delete_retention_ms)).await;
            check(&log, &shared, keeps_tombstones, false).await;
            clean_all(&ring, &log, &shared, load_factor).await;
            check(&log, &shared, keeps_tombstones, true).await;
            settle(&log, &shared).await;
            let clean = log.first_dirty_offset();
            let active = log.segment_infos().last().unwrap().base_offset;
            assert!(clean == active || log.last_stable_offset() < active, "all is clean");
            if round == 5 {
                let state = log.close().await.unwrap();
                let start = LogStart {
                    clean: true,
                    cleaned_to: clean,
                    state: Some(state),
                    ..LogStart::default()
                };
                *shared.borrow().start.borrow_mut() = start;
                let log = open_again(&ring, &shared, config(delete_retention_ms)).await;
                check(&log, &shared, keeps_tombstones, true).await;
                shared.borrow_mut().is_read = true;
            }
        });
        if round % 2 == 0 { world.crash(node) } else { world.kill(node) }
    }
    assert!(history.borrow().is_read, "the history was read to its end");
    world.close();
}

async fn remove_snapshots(ring: &Ring) {
    for entry in ring.read_dir(dir()).await.unwrap() {
        if entry.name.ends_with(".snapshot") {
            ring.unlink(dir().join(entry.name)).await.unwrap();
        }
    }
}

/// Power cuts at any moment of passes, and of the starts behind them.
fn cut_within_passes(
    world: &World,
    node: NodeId,
    history: &Shared,
    (delete_retention_ms, load_factor, round): (i64, f64, u64),
) {
    for cut in 0..3 {
        let shared = history.clone();
        world.start_core(node, 0, move |ring| async move {
            if cut == 2 {
                // What the batches tell of their producers must do.
                remove_snapshots(&ring).await;
            }
            let log = open_again(&ring, &shared, config(delete_retention_ms)).await;
            check(&log, &shared, delete_retention_ms == FOREVER_MS, false).await;
            clean_all(&ring, &log, &shared, load_factor).await;
        });
        let micros = 100 + (round * 7919 + cut * 104_729 + 31) % 9_000;
        world.run_for(Duration::from_micros(micros));
        if cut == 1 { world.kill(node) } else { world.crash(node) }
    }
}

#[test]
fn what_is_left_of_random_histories_is_what_was_written_last() {
    for seed in 0..40 {
        run_history(seed, FOREVER_MS, 0.9);
    }
}

#[test]
fn tombstones_go_when_their_time_has_come() {
    for seed in 1000..1030 {
        run_history(seed, 2000, 0.9);
    }
}

/// Some five keys fit: a pass ends within the dirty part, and the next one goes on there.
#[test]
fn a_small_map_takes_several_passes() {
    for seed in 2000..2030 {
        run_history(seed, FOREVER_MS, 0.0022);
    }
}

/// One segment's way, step by step, as Kafka counts it.
#[test]
fn segments_become_one_and_old_files_go() {
    tests::on_each_backend(|ring, temp| async move {
        let log = open(&ring, &temp.partition(), config(0), LogStart::default()).await;
        for round in 0..40_u8 {
            let mut builder = BatchBuilder::new(0);
            builder.append(NOW_MS, Some(&[round % 4]), Some(&[round; 200]), &[]);
            append_batch(&log, builder.build(), 0).unwrap();
        }
        let history: Shared = Rc::default();
        settle(&log, &history).await;
        let before = log.segment_count();
        assert!(before > 5);
        log.set_config(LogConfig { segment_bytes: 1 << 20, ..config(0) }.shared());
        let passes = clean_all(&ring, &log, &history, 0.9).await;
        let [cleaned] = passes[..] else { panic!("{} passes", passes.len()) };
        assert_eq!((cleaned.keys, cleaned.segments_before), (4, before - 1));
        assert!(log.segment_count() < before && cleaned.segments_after < before - 1);
        let active = log.segment_infos().last().unwrap().base_offset;
        assert_eq!((cleaned.end, log.first_dirty_offset()), (active, active));
        // Each key once in the clean part, and the active segment as it was.
        assert_eq!(read(&log).await.len() as i64, 4 + 40 - active);
        let names = || tests::names_in(&temp.partition());
        tests::eventually(&ring, || !names().iter().any(|name| name.ends_with(".deleted"))).await;
        assert!(!names().iter().any(|name| name.ends_with("cleaned") || name.ends_with("swap")));
        assert_eq!(log.due_for_cleaning(NOW_MS).await.unwrap(), None);
    });
}

#[test]
fn a_damaged_batch_ends_the_pass_and_nothing_has_changed() {
    tests::on_epoll(|ring, temp| async move {
        let log = open(&ring, &temp.partition(), config(0), LogStart::default()).await;
        for round in 0..40_u8 {
            let mut builder = BatchBuilder::new(0);
            builder.append(NOW_MS, Some(&[round % 4]), Some(&[round; 200]), &[]);
            append_batch(&log, builder.build(), 0).unwrap();
        }
        settle(&log, &Rc::default()).await;
        let first = temp.partition().join("00000000000000000000.log");
        let mut bytes = std::fs::read(&first).unwrap();
        bytes[400] ^= 1;
        std::fs::write(&first, &bytes).unwrap();
        let before = tests::names_in(&temp.partition());
        let due = log.due_for_cleaning(NOW_MS).await.unwrap().expect("it is dirty");
        let cleaning = Cleaning {
            log: &log,
            due,
            throttle: &Throttle::new(&ring),
            memory_bytes_max: 1 << 20,
            load_factor: 0.9,
            chunk_bytes: 700,
            unpacked_bytes_max: UNPACKED_BYTES_MAX,
            now_ms: NOW_MS,
            is_cancelled: &|| false,
        };
        let error = cleaning.run().await.expect_err("a batch is damaged");
        assert!(!error.passes());
        let text = error.to_string();
        assert!(text.contains("00000000000000000000.log") && text.contains("CRC"), "{text}");
        assert_eq!(tests::names_in(&temp.partition()), before);
        assert_eq!(log.first_dirty_offset(), 0);
    });
}

/// Batches of the closed segments, by what they are: records, tombstones, markers.
async fn counts(log: &Log) -> (usize, usize, usize) {
    let bytes = log.read_bytes(0, 1 << 20, log.log_end_offset()).await.unwrap();
    let (mut records, mut tombstones, mut markers) = (0, 0, 0);
    let active = log.segment_infos().last().unwrap().base_offset;
    for batch in batches(&bytes) {
        let batch = batch.unwrap();
        let count = batch.record_count() as usize;
        if batch.base_offset() >= active {
            break;
        } else if batch.is_control() {
            markers += count;
        } else {
            let all = batch.records().unwrap().map(|record| record.unwrap());
            let gone = all.filter(|record| record.value.is_none()).count();
            (records, tombstones) = (records + count - gone, tombstones + gone);
        }
    }
    (records, tombstones, markers)
}

/// Passes at this time as long as there is something to be done, over the whole log.
async fn clean_again(ring: &Ring, log: &Log, history: &Shared, now_ms: i64) {
    history.borrow().now_ms.set(now_ms);
    log.0.first_dirty.set(0);
    clean_all(ring, log, history, 0.9).await;
}

/// As Kafka's: the first pass sets when a tombstone may go; a marker has one pass more while it
/// still has records.
#[test]
fn tombstones_and_markers_stay_for_their_time_and_no_longer() {
    tests::on_epoll(|ring, temp| async move {
        let config = LogConfig { segment_bytes: 1 << 20, ..config(1000) };
        let log = open(&ring, &temp.partition(), config.clone(), LogStart::default()).await;
        let mut tombstone = BatchBuilder::new(0);
        tombstone.append(NOW_MS, Some(b"a"), None, &[]);
        append_batch(&log, tombstone.build(), 0).unwrap();
        for (at, committed) in [(0, false), (1, true)] {
            let key = [b't', at];
            let mut records =
                BatchBuilder::new(0).producer(7, 0, i32::from(at)).transactional(true);
            records.append(NOW_MS, Some(&key), Some(b"1"), &[]);
            append_batch(&log, records.build(), 0).unwrap();
            let marker = EndTransactionMarker { committed, coordinator_epoch: 0 };
            let batch = BatchBuilder::end_transaction_marker(0, NOW_MS, 7, 0, marker).build();
            let (valid, bytes) = (valid_coordinators(&batch), BytesMut::from(&batch[..]));
            let context = AppendContext::coordinator(0);
            log.append_as_leader(bytes, &valid, 0, NOW_MS, &context).unwrap();
        }
        let mut last = BatchBuilder::new(0);
        last.append(NOW_MS, Some(b"z"), Some(b"1"), &[]);
        append_batch(&log, last.build(), 0).unwrap();
        // The next record begins a segment.
        log.set_config(LogConfig { segment_bytes: 200, ..config.clone() }.shared());
        let mut active = BatchBuilder::new(0);
        active.append(NOW_MS, Some(b"y"), Some(b"1"), &[]);
        append_batch(&log, active.build(), 0).unwrap();
        log.set_config(config.shared());
        let history: Shared = Rc::default();
        settle(&log, &history).await;
        assert_eq!(counts(&log).await, (3, 1, 2));
        clean_again(&ring, &log, &history, NOW_MS).await;
        assert_eq!(counts(&log).await, (2, 1, 2), "the aborted record is gone at once");
        clean_again(&ring, &log, &history, NOW_MS + 999).await;
        assert_eq!(counts(&log).await, (2, 1, 2), "its time is not yet over");
        clean_again(&ring, &log, &history, NOW_MS + 1000).await;
        assert_eq!(counts(&log).await, (2, 0, 2), "the second pass has set the marker's time");
        clean_again(&ring, &log, &history, NOW_MS + 1999).await;
        assert_eq!(counts(&log).await, (2, 0, 1), "the marker of a committed record stays");
        assert_eq!(log.aborted_transactions(0, 100).await.unwrap(), []);
    });
}

#[test]
fn a_pass_keeps_to_its_rate() {
    let world = World::new(1, SimOptions::calm());
    let node = world.node("a");
    run_in(&world, node, |ring| async move {
        let throttle = Throttle::new(&ring);
        throttle.limit(1000.0);
        let began = ring.now();
        for _ in 0..20 {
            throttle.moved(100);
            while let Some(wait) = throttle.wait() {
                ring.sleep(wait).await;
            }
        }
        let took = ring.now().since(began);
        assert!((1900..2100).contains(&took.as_millis()), "2000 bytes took {took:?}");
    });
    world.close();
}
