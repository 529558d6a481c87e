//! Writer and replay together: on real files, and in the simulated world, where the power goes at
//! any moment.

use super::*;
use crate::log::{
    Durability, Log, LogConfig, LogStart, TailCache,
    tests::{
        NOW_MS, append_batch, batch, on_each_backend, read_all, simulated::run_in, small_config,
    },
};
use protocol::Uuid;
use ring::{
    Ring,
    sim::{NodeId, SimOptions, World},
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

const DATA: &str = "/data";

/// Files of a few frames, so that they are used again soon.
fn small() -> CommitLogOptions {
    CommitLogOptions {
        file_bytes: 64 * 1024,
        files: 3,
        frame_bytes: 16 * 1024,
        fill_bytes: 16 * 1024,
        syncs: 2,
        idle: Duration::from_millis(50),
    }
}

pub(super) fn id(number: i32) -> PartitionId {
    PartitionId { topic_id: Uuid::from_u128(0xabc), index: number }
}

pub(super) async fn open_log(
    ring: &Ring,
    dir: &Path,
    number: i32,
    config: LogConfig,
    start: LogStart,
) -> Log {
    let dir = dir.join(format!("topic-{number}"));
    Log::open(ring, dir, id(number).topic_id, config.shared(), start, TailCache::new(1 << 20))
        .await
        .unwrap()
}

pub(super) fn stream_in(ring: &Ring, dir: &Path, core: usize) -> Rc<CommitLog> {
    CommitLog::new(ring, dir.to_owned(), core, small(), Box::new(|_, _| {}))
}

pub(super) fn append_one(log: &Log, value: &[u8]) -> i64 {
    append_batch(log, batch(NOW_MS, &[value]).build(), 0).unwrap().base_offset
}

/// Appends one record and has it on the disk by the stream.
pub(super) async fn commit_one(stream: &Rc<CommitLog>, log: &Log, value: &[u8]) {
    append_one(log, value);
    log.wait_written().await.unwrap();
    stream.commit(std::slice::from_ref(log)).await.unwrap();
}

pub(super) async fn values(ring: &Ring, log: &Log) -> BTreeMap<i64, Vec<u8>> {
    read_all(ring, log, log.log_start_offset(), 4000).await.into_iter().collect()
}

pub(super) fn replay_of(found: &Found, number: i32) -> LogStart {
    LogStart {
        replay: found.parts.get(&id(number)).cloned().unwrap_or_default(),
        ..LogStart::default()
    }
}

#[test]
fn a_thousand_partitions_cost_a_handful_of_flushes_and_come_back() {
    on_each_backend(|ring, dir| async move {
        // However long a busy disk takes for what follows, the stream does not find itself idle
        // meanwhile.
        let options = CommitLogOptions {
            idle: Duration::from_secs(3600),
            ..CommitLogOptions::with_files_of(16 << 20)
        };
        let stream = CommitLog::new(&ring, dir.path().to_owned(), 0, options, Box::new(|_, _| {}));
        let mut logs = Vec::new();
        for number in 0..1000 {
            let log =
                open_log(&ring, dir.path(), number, LogConfig::default(), LogStart::default())
                    .await;
            append_one(&log, format!("value {number}").as_bytes());
            log.wait_written().await.unwrap();
            logs.push(log);
        }
        stream.commit(&logs).await.unwrap();
        assert!(stream.frames() <= 2, "{} frames", stream.frames());
        for log in &logs {
            assert_eq!((log.durable_offset(), log.synced_offset()), (1, 0));
            assert_eq!(
                log.checkpoint().await.unwrap(),
                0,
                "the recovery point is about the log's own files"
            );
        }
        // As after a power cut that took everything but the stream.
        drop(logs);
        let found = find(&ring, dir.path(), false).await.unwrap();
        assert_eq!((found.parts.len(), found.missing_frames), (1000, 0));
        for number in [0, 1, 500, 999] {
            let name = format!("topic-{number}");
            std::fs::remove_file(dir.path().join(name).join("00000000000000000000.log")).unwrap();
            let log = open_log(
                &ring,
                dir.path(),
                number,
                LogConfig::default(),
                replay_of(&found, number),
            )
            .await;
            assert_eq!(
                values(&ring, &log).await,
                BTreeMap::from([(0, format!("value {number}").into_bytes())])
            );
            assert_eq!(log.synced_offset(), 1);
        }
        remove(&ring, dir.path(), &found).await.unwrap();
        assert!(!file_path(dir.path(), 0, 0).exists());
    });
}

#[test]
fn a_clean_shutdown_leaves_no_file_and_an_idle_stream_leaves_nothing_to_replay() {
    on_each_backend(|ring, dir| async move {
        let stream = stream_in(&ring, dir.path(), 0);
        let log = open_log(&ring, dir.path(), 0, small_config(), LogStart::default()).await;
        commit_one(&stream, &log, b"one").await;
        crate::log::tests::eventually(&ring, || log.synced_offset() == 1).await;
        commit_one(&stream, &log, b"two").await;
        assert!(stream.close().await.is_err(), "the log is not closed yet");
        let stream = stream_in(&ring, dir.path(), 0);
        commit_one(&stream, &log, b"three").await;
        log.close().await.unwrap();
        stream.close().await.unwrap();
        let names: Vec<_> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["topic-0"]);
    });
}

/// An emptied or removed file is told from one that was never used.
#[test]
fn frames_that_are_gone_are_told() {
    on_each_backend(|ring, dir| async move {
        let stream = stream_in(&ring, dir.path(), 0);
        let log = open_log(&ring, dir.path(), 0, small_config(), LogStart::default()).await;
        assert_eq!(find(&ring, dir.path(), false).await.unwrap().lost_ends, 0, "it was never used");
        commit_one(&stream, &log, b"one").await;
        let note = note_path(dir.path(), 0);
        crate::log::tests::eventually(&ring, || note.exists()).await;
        assert_eq!(find(&ring, dir.path(), false).await.unwrap().lost_ends, 0);
        std::fs::write(file_path(dir.path(), 0, 0), b"").unwrap();
        assert_eq!(find(&ring, dir.path(), false).await.unwrap().lost_ends, 1);
        std::fs::remove_file(file_path(dir.path(), 0, 0)).unwrap();
        let found = find(&ring, dir.path(), false).await.unwrap();
        assert_eq!(found.lost_ends, 1);
        remove(&ring, dir.path(), &found).await.unwrap();
        assert!(!note.exists(), "it is said once");
        // A note that a clean shutdown has left is not believed.
        std::fs::write(&note, Note { incarnation: 1, sequence: 1 }.format()).unwrap();
        assert_eq!(find(&ring, dir.path(), true).await.unwrap().lost_ends, 0);
        assert!(!note.exists());
        let text = Note { incarnation: u64::MAX, sequence: 7 }.format();
        assert_eq!(Note::parse(&text), Some(Note { incarnation: u64::MAX, sequence: 7 }));
        assert_eq!(Note::parse("garbage"), None);
    });
}

#[test]
fn a_gap_stops_one_partition_and_damage_is_told() {
    on_each_backend(|ring, dir| async move {
        let stream = stream_in(&ring, dir.path(), 0);
        let logs = [
            open_log(&ring, dir.path(), 0, small_config(), LogStart::default()).await,
            open_log(&ring, dir.path(), 1, small_config(), LogStart::default()).await,
        ];
        for round in 0..3 {
            for log in logs.iter().take(if round == 2 { 1 } else { 2 }) {
                append_one(log, &[round; 10]);
                log.wait_written().await.unwrap();
            }
            stream.commit(&logs).await.unwrap();
        }
        for number in 0..2 {
            std::fs::remove_file(
                dir.path().join(format!("topic-{number}/00000000000000000000.log")),
            )
            .unwrap();
        }
        // The second frame.
        let path = file_path(dir.path(), 0, 0);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[4096 + 60] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let found = find(&ring, dir.path(), false).await.unwrap();
        assert_eq!(found.missing_frames, 1);
        let opened = Log::open(
            &ring,
            dir.path().join("topic-0"),
            id(0).topic_id,
            small_config().shared(),
            replay_of(&found, 0),
            TailCache::new(1 << 20),
        );
        let error = opened.await.map(drop).unwrap_err().to_string();
        assert!(error.contains("from offset 2 on do not follow its end at 1"), "{error}");
        let other = open_log(&ring, dir.path(), 1, small_config(), replay_of(&found, 1)).await;
        assert_eq!(other.log_end_offset(), 1);
        // The files kept for the one partition are found again by the next start, whatever happened
        // since.
        set_aside(&ring, dir.path(), &found, &[id(0)], &|_, _| {}).await.unwrap();
        let again = find(&ring, dir.path(), true).await.unwrap();
        assert_eq!(again.parts.keys().copied().collect::<Vec<_>>(), [id(0)]);
        assert_eq!(again.parts[&id(0)].len(), 2);
        remove(&ring, dir.path(), &again).await.unwrap();
        assert!(find(&ring, dir.path(), false).await.unwrap().parts.is_empty());
    });
}

#[test]
fn a_stream_older_than_a_clean_shutdown_is_not_replayed() {
    on_each_backend(|ring, dir| async move {
        let stream = stream_in(&ring, dir.path(), 0);
        let log = open_log(&ring, dir.path(), 0, small_config(), LogStart::default()).await;
        append_one(&log, b"one");
        log.wait_written().await.unwrap();
        stream.commit(&[log]).await.unwrap();
        assert!(find(&ring, dir.path(), true).await.unwrap().parts.is_empty());
        assert!(!file_path(dir.path(), 0, 0).exists());
    });
}

#[test]
fn a_cut_voids_what_was_committed_before_it() {
    on_each_backend(|ring, dir| async move {
        let stream = stream_in(&ring, dir.path(), 0);
        let log = open_log(&ring, dir.path(), 0, small_config(), LogStart::default()).await;
        log.attach(&stream);
        let commit = async |value: &[u8]| {
            commit_one(&stream, &log, value).await;
        };
        for value in [b"a", b"b", b"c", b"d"] {
            commit(value).await;
        }
        log.truncate_to(2).await.unwrap();
        commit(b"C").await;
        let found = find(&ring, dir.path(), false).await.unwrap();
        let kept = || log.dir().join("00000000000000000000.log");
        let expected = BTreeMap::from([(0, b"a".to_vec()), (1, b"b".to_vec()), (2, b"C".to_vec())]);
        // With everything in the file, and with what the cut had left there.
        let whole = std::fs::read(kept()).unwrap();
        for length in [whole.len(), whole.len() / 3 * 2] {
            std::fs::write(kept(), &whole[..length]).unwrap();
            let again = open_log(&ring, dir.path(), 0, small_config(), replay_of(&found, 0)).await;
            assert_eq!(values(&ring, &again).await, expected);
        }
        log.truncate_fully_and_start_at(1).await.unwrap();
        commit(b"B").await;
        let found = find(&ring, dir.path(), false).await.unwrap();
        let again = open_log(&ring, dir.path(), 0, small_config(), replay_of(&found, 0)).await;
        assert_eq!(values(&ring, &again).await, BTreeMap::from([(1, b"B".to_vec())]));
    });
}

#[test]
fn what_was_written_for_the_page_cache_alone_does_not_go_by_the_stream() {
    on_each_backend(|ring, dir| async move {
        let log = open_log(&ring, dir.path(), 0, small_config(), LogStart::default()).await;
        let write = async |durability| {
            log.set_config(LogConfig { durability, ..small_config() }.shared());
            append_one(&log, b"value");
            log.wait_written().await.unwrap();
            log.uncommitted().map(|range| (range.from, range.to, range.batches.len()))
        };
        assert_eq!(write(Durability::Fsync).await, Some((0, 1, 1)));
        assert_eq!(write(Durability::Os).await, None);
        assert_eq!(write(Durability::Fsync).await, None, "the one in between is missing");
        log.sync().await.unwrap();
        assert_eq!(write(Durability::Fsync).await, Some((3, 4, 1)));
        log.committed_by_stream(4);
        assert_eq!(write(Durability::Fsync).await, Some((4, 5, 1)));
    });
}

// ---- in the simulated world
// -----------------------------------------------------------------------------------------

/// What the world outside knows: it outlives every power cut.
#[derive(Default)]
struct Witness {
    /// By partition: what was appended where since the last start, or is known to be there.
    content: BTreeMap<i32, BTreeMap<i64, Vec<u8>>>,
    /// By partition: below this everything was promised.
    promised: BTreeMap<i32, i64>,
    rounds: u64,
    frames: u64,
}

const PARTITIONS: i32 = 6;

/// Appends to some partitions of this core, and makes them durable one way or the other, until the
/// power goes.
async fn work(ring: Ring, core: usize, logs: Vec<(i32, Log)>, witness: Rc<RefCell<Witness>>) {
    let stream = stream_in(&ring, Path::new(DATA), core);
    for (_, log) in &logs {
        log.attach(&stream);
    }
    let mut frames = 0;
    loop {
        let chance = ring.random_u64();
        let dirty: Vec<_> = logs.iter().filter(|(number, _)| chance >> number & 1 == 1).collect();
        for (number, log) in &dirty {
            for _ in 0..1 + ring.random_u64() % 3 {
                let value =
                    ring.random_u64().to_be_bytes().repeat(1 + (ring.random_u64() % 90) as usize);
                let offset = append_one(log, &value);
                let mut witness = witness.borrow_mut();
                witness.content.entry(*number).or_default().insert(offset, value);
            }
            log.wait_written().await.unwrap();
        }
        let ends: Vec<_> =
            dirty.iter().map(|(number, log)| (*number, log.log_end_offset())).collect();
        let these: Vec<Log> = dirty.iter().map(|(_, log)| log.clone()).collect();
        match chance >> 32 & 15 {
            0 => {
                for log in &these {
                    log.sync().await.unwrap();
                }
            }
            1 if !dirty.is_empty() => {
                let (number, log) = dirty[0];
                log.sync().await.unwrap();
                let offset = log.log_end_offset() - (ring.random_u64() % 4) as i64;
                if offset >= 0 {
                    {
                        let mut witness = witness.borrow_mut();
                        let promised = witness.promised.entry(*number).or_default();
                        *promised = offset.min(*promised);
                        witness.content.entry(*number).or_default().retain(|at, _| *at < offset);
                    }
                    log.truncate_to(offset).await.unwrap();
                }
                continue;
            }
            2 => ring.sleep(Duration::from_millis(60)).await,
            3 => {
                for log in &these {
                    log.checkpoint().await.unwrap();
                }
            }
            _ => stream.commit(&these).await.unwrap(),
        }
        {
            let mut witness = witness.borrow_mut();
            for ((number, end), log) in ends.into_iter().zip(&these) {
                if log.durable_offset() >= end {
                    witness.promised.insert(number, end);
                }
            }
            witness.rounds += 1;
            witness.frames += stream.frames() - frames;
            frames = stream.frames();
        }
        ring.end_of_turn().await;
    }
}

/// Opens everything after a power cut, compares, and takes the records that are there for the truth
/// from now on.
async fn recover(ring: &Ring, witness: &Rc<RefCell<Witness>>) -> Vec<(i32, Log)> {
    crate::log::create_dir_durably(ring, Path::new(DATA)).await.unwrap();
    let found = find(ring, Path::new(DATA), false).await.unwrap();
    assert_eq!(found.missing_frames, 0);
    let mut logs = Vec::new();
    for number in 0..PARTITIONS {
        let log =
            open_log(ring, Path::new(DATA), number, small_config(), replay_of(&found, number))
                .await;
        let there = values(ring, &log).await;
        let mut witness = witness.borrow_mut();
        let promised = witness.promised.get(&number).copied().unwrap_or(0);
        assert!(
            log.log_end_offset() >= promised,
            "partition {number}: {promised} promised, {}",
            log.log_end_offset()
        );
        let content = witness.content.entry(number).or_default();
        for (offset, value) in content.range(..promised) {
            assert_eq!(there.get(offset), Some(value), "partition {number}, offset {offset}");
        }
        for (offset, value) in &there {
            // A cut that the power interrupted may have left what was there.
            assert!(
                content.get(offset).is_none_or(|appended| appended == value),
                "partition {number}, {offset}"
            );
        }
        *content = there;
        witness.promised.insert(number, log.log_end_offset());
        logs.push((number, log));
    }
    remove(ring, Path::new(DATA), &found).await.unwrap();
    logs
}

/// One core opens everything and gives some of it to the others, as a broker that has other cores
/// each time.
fn start(world: &World, node: NodeId, cores: usize, witness: &Rc<RefCell<Witness>>) {
    let witness = witness.clone();
    world.start_core(node, 0, move |ring| async move {
        let logs = recover(&ring, &witness).await;
        let mut shares = vec![Vec::new(); cores];
        for (number, log) in logs {
            shares[number as usize % cores].push((number, log));
        }
        for (core, share) in shares.into_iter().enumerate() {
            drop(ring.spawn(work(ring.clone(), core, share, witness.clone())));
        }
    });
}

#[test]
fn what_was_promised_survives_power_cuts_at_any_moment() {
    let (mut rounds, mut frames) = (0, 0);
    for seed in 0..60_u64 {
        let world = World::new(seed, SimOptions::calm());
        let node = world.node("a");
        let witness = Rc::new(RefCell::new(Witness::default()));
        for round in 0..6_u64 {
            start(&world, node, 1 + (seed + round) as usize % 3, &witness);
            world.run_for(Duration::from_micros(30_000 + (seed * 7919 + round * 104_729) % 90_000));
            if round % 3 == 2 { world.kill(node) } else { world.crash(node) }
        }
        let known = witness.clone();
        run_in(&world, node, move |ring| async move {
            recover(&ring, &known).await;
        });
        rounds += witness.borrow().rounds;
        frames += witness.borrow().frames;
        world.close();
    }
    assert!(frames > 1000 && rounds > 1000, "{rounds} rounds, {frames} frames");
}

#[test]
fn files_are_used_again_and_never_before_their_partitions_are_synced() {
    let world = World::new(7, SimOptions::calm());
    let node = world.node("a");
    run_in(&world, node, |ring| async move {
        crate::log::create_dir_durably(&ring, Path::new(DATA)).await.unwrap();
        let stream = stream_in(&ring, Path::new(DATA), 0);
        let quiet = open_log(&ring, Path::new(DATA), 0, small_config(), LogStart::default()).await;
        let busy = open_log(&ring, Path::new(DATA), 1, small_config(), LogStart::default()).await;
        commit_one(&stream, &quiet, b"once").await;
        for _ in 0..200 {
            append_one(&busy, &[7; 3000]);
            busy.wait_written().await.unwrap();
            stream.commit(std::slice::from_ref(&busy)).await.unwrap();
        }
        assert_eq!(quiet.synced_offset(), 1, "its file was used again");
        assert_eq!(
            ring.read_dir(DATA)
                .await
                .unwrap()
                .iter()
                .filter(|entry| is_file_name(&entry.name))
                .count(),
            3
        );
        let found = find(&ring, Path::new(DATA), false).await.unwrap();
        assert_eq!(found.missing_frames, 0);
        assert!(!found.has(id(0)));
    });
}

#[test]
fn a_failed_write_stops_the_stream_and_loses_nothing() {
    for seed in 0..30 {
        let world = World::new(seed, SimOptions::calm());
        let node = world.node("a");
        let disk = world.disk(node);
        run_in(&world, node, move |ring| async move {
            crate::log::create_dir_durably(&ring, Path::new(DATA)).await.unwrap();
            let stream = stream_in(&ring, Path::new(DATA), 0);
            let log =
                open_log(&ring, Path::new(DATA), 0, small_config(), LogStart::default()).await;
            commit_one(&stream, &log, b"one").await;
            append_one(&log, b"two");
            log.wait_written().await.unwrap();
            // Until the blocks written ahead are on the disk.
            ring.sleep(Duration::from_millis(20)).await;
            disk.fail_next_fsync();
            stream.commit(std::slice::from_ref(&log)).await.unwrap_err();
            assert_eq!((log.durable_offset(), stream.is_working()), (1, false));
            assert!(stream.commit(std::slice::from_ref(&log)).await.is_err(), "it stays stopped");
            assert_eq!(log.sync().await.unwrap(), 2, "the log's own files are whole");
        });
        world.crash(node);
        run_in(&world, node, |ring| async move {
            let found = find(&ring, Path::new(DATA), false).await.unwrap();
            let log =
                open_log(&ring, Path::new(DATA), 0, small_config(), replay_of(&found, 0)).await;
            assert_eq!(log.log_end_offset(), 2);
        });
    }
}

#[test]
fn a_full_disk_refuses_and_passes() {
    let world = World::new(3, SimOptions::calm());
    let node = world.node("a");
    let disk = world.disk(node);
    run_in(&world, node, move |ring| async move {
        crate::log::create_dir_durably(&ring, Path::new(DATA)).await.unwrap();
        let stream = stream_in(&ring, Path::new(DATA), 0);
        let log = open_log(&ring, Path::new(DATA), 0, small_config(), LogStart::default()).await;
        append_one(&log, b"one");
        log.wait_written().await.unwrap();
        disk.set_capacity_bytes(32 * 1024);
        let refused = stream.commit(std::slice::from_ref(&log)).await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::StorageFull);
        assert_eq!((log.durable_offset(), stream.is_working()), (0, true));
        disk.set_capacity_bytes(1 << 30);
        stream.commit(std::slice::from_ref(&log)).await.unwrap();
        assert_eq!(log.durable_offset(), 1);
    });
}

/// A call that found no memory, or no descriptor, ended the stream until the broker was restarted.
#[test]
fn want_of_memory_or_descriptors_refuses_and_passes() {
    let shortages: [fn(&ring::sim::DiskControl); 2] =
        [|disk| disk.take_memory(), |disk| disk.set_open_files_max(0)];
    for (at, take) in shortages.into_iter().enumerate() {
        let world = World::new(at as u64, SimOptions::calm());
        let node = world.node("a");
        let disk = world.disk(node);
        run_in(&world, node, move |ring| async move {
            crate::log::create_dir_durably(&ring, Path::new(DATA)).await.unwrap();
            let stream = stream_in(&ring, Path::new(DATA), 0);
            let log =
                open_log(&ring, Path::new(DATA), 0, small_config(), LogStart::default()).await;
            for round in 0..40 {
                append_one(&log, b"one");
                log.wait_written().await.unwrap();
                take(&disk);
                let refused = stream.commit(std::slice::from_ref(&log)).await;
                assert!(refused.is_ok() || !refused.is_err_and(|error| !ring::passes(&error)));
                assert!(stream.is_working());
                disk.heal();
                stream.commit(std::slice::from_ref(&log)).await.unwrap();
                assert_eq!(log.durable_offset(), round + 1);
            }
        });
        world.crash(node);
        run_in(&world, node, |ring| async move {
            let found = find(&ring, Path::new(DATA), false).await.unwrap();
            assert!(!found.parts.is_empty());
        });
        world.close();
    }
}

#[test]
fn a_failed_lazy_sync_keeps_the_stream_for_the_next_start() {
    let world = World::new(4, SimOptions::calm());
    let node = world.node("a");
    let disk = world.disk(node);
    run_in(&world, node, move |ring| async move {
        crate::log::create_dir_durably(&ring, Path::new(DATA)).await.unwrap();
        let told = Rc::new(Cell::new(None));
        let tell = told.clone();
        let hears = Box::new(move |id, _: &std::io::Error| tell.set(Some(id)));
        let stream = CommitLog::new(&ring, PathBuf::from(DATA), 0, small(), hears);
        let log = open_log(&ring, Path::new(DATA), 0, small_config(), LogStart::default()).await;
        commit_one(&stream, &log, b"one").await;
        ring.sleep(Duration::from_millis(20)).await;
        disk.fail_next_fsync();
        ring.sleep(Duration::from_millis(100)).await;
        assert_eq!((told.get(), stream.is_working()), (Some(id(0)), false));
        assert!(stream.close().await.is_err());
    });
    world.crash(node);
    run_in(&world, node, |ring| async move {
        let found = find(&ring, Path::new(DATA), false).await.unwrap();
        let log = open_log(&ring, Path::new(DATA), 0, small_config(), replay_of(&found, 0)).await;
        assert_eq!(values(&ring, &log).await, BTreeMap::from([(0, b"one".to_vec())]));
    });
}

#[test]
fn what_a_failed_sync_left_in_the_page_cache_is_written_again() {
    for seed in 0..40 {
        let world = World::new(seed, SimOptions::calm());
        let node = world.node("a");
        let disk = world.disk(node);
        run_in(&world, node, move |ring| async move {
            crate::log::create_dir_durably(&ring, Path::new(DATA)).await.unwrap();
            let stream = stream_in(&ring, Path::new(DATA), 0);
            let log =
                open_log(&ring, Path::new(DATA), 0, small_config(), LogStart::default()).await;
            append_one(&log, &[1; 2000]);
            log.wait_written().await.unwrap();
            stream.commit(std::slice::from_ref(&log)).await.unwrap();
            ring.sleep(Duration::from_millis(20)).await;
            disk.fail_next_fsync();
            log.sync().await.unwrap_err();
        });
        world.kill(node);
        run_in(&world, node, |ring| async move {
            let found = find(&ring, Path::new(DATA), false).await.unwrap();
            let log =
                open_log(&ring, Path::new(DATA), 0, small_config(), replay_of(&found, 0)).await;
            assert_eq!(log.synced_offset(), 1);
            remove(&ring, Path::new(DATA), &found).await.unwrap();
        });
        world.crash(node);
        run_in(&world, node, move |ring| async move {
            let log =
                open_log(&ring, Path::new(DATA), 0, small_config(), LogStart::default()).await;
            assert_eq!(log.log_end_offset(), 1, "seed {seed}");
        });
    }
}
