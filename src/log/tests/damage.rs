//! Files of a log that have less than was synced: flipped, cut, emptied, gone, at the beginning, in
//! the middle and at the end. A log that falls short of its known extent is refused, each time, and
//! every file stays as it was.

use super::{
    simulated::{files_in, run_in, write_files},
    *,
};
use crate::log::{Fault, LogError, LogState};
use ring::sim::{SimOptions, World};
use std::cell::Cell;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    /// A bit of the records of the middle batch.
    Flip,
    /// To a half, within a batch.
    Truncation,
    /// To its first batches.
    CutBetweenBatches,
    Empty,
    Delete,
}

const HARMS: [Harm; 5] =
    [Harm::Flip, Harm::Truncation, Harm::CutBetweenBatches, Harm::Empty, Harm::Delete];

impl Harm {
    fn apply(self, files: &mut Files, name: &str) {
        let content = files.get_mut(name).expect("a file to harm");
        let ends: Vec<usize> = protocol::records::batches(content)
            .scan(0, |end, batch| {
                *end += batch.unwrap().size_bytes();
                Some(*end)
            })
            .collect();
        let middle = ends[ends.len() / 2 - 1];
        match self {
            Harm::Flip => content[middle + 80] ^= 1,
            Harm::Truncation => content.truncate(middle + 70),
            Harm::CutBetweenBatches => content.truncate(middle),
            Harm::Empty => content.clear(),
            Harm::Delete => drop(files.remove(name)),
        }
    }
}

#[derive(Clone)]
struct Whole {
    files: Files,
    state: LogState,
    bases: Vec<i64>,
    end: i64,
}

const COUNT: i64 = 150;

async fn make_whole(ring: &Ring) -> Whole {
    make_whole_in(ring, Path::new("/data/whole/topic-0")).await
}

async fn make_whole_in(ring: &Ring, dir: &Path) -> Whole {
    let log = open(ring, dir, small_config(), LogStart::default()).await;
    for at in 0..COUNT {
        append_batch(
            &log,
            batch(NOW_MS + at, &[&[at as u8; 100]]).producer(5, 0, at as i32).build(),
            0,
        )
        .unwrap();
        log.sync().await.unwrap();
    }
    let state = log.close().await.unwrap();
    let bases = log.segment_infos().iter().map(|info| info.base_offset).collect();
    Whole { files: files_in(ring, dir).await, state, bases, end: COUNT }
}

/// How much is known of a log when it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// It was closed cleanly by this broker.
    State,
    /// It was closed cleanly, by Apache Kafka.
    Closed,
    /// A crash, and the recovery point is the end.
    Checkpoint,
    /// A crash, before the first checkpoint.
    Nothing,
}

const KNOWN: [Known; 4] = [Known::State, Known::Closed, Known::Checkpoint, Known::Nothing];

impl Known {
    fn start(self, whole: &Whole) -> LogStart {
        let at_end = LogStart { recovery_point: whole.end, is_known: true, ..LogStart::default() };
        match self {
            Known::State => LogStart { state: Some(whole.state.clone()), clean: true, ..at_end },
            Known::Closed => LogStart { clean: true, ..at_end },
            Known::Checkpoint => at_end,
            Known::Nothing => LogStart::default(),
        }
    }

    /// Whether a log is refused with this harm in its first, a middle, or its last segment (0, 1,
    /// 2).
    fn refuses(self, harm: Harm, place: usize) -> bool {
        match (self, harm, place) {
            // A start does not read bytes that are known to be on the disk.
            (Known::State | Known::Closed | Known::Checkpoint, Harm::Flip, _) => false,
            (Known::State, _, _) => true,
            // Retention may have taken it: said in a warning.
            (_, Harm::Delete, 0) => false,
            // Compaction may have, when Kafka had the topic: said in a warning.
            (Known::Closed, Harm::CutBetweenBatches | Harm::Empty | Harm::Delete, 0 | 1) => false,
            // Beyond the known extent a torn end is cut.
            (Known::Nothing, _, 2) => false,
            _ => true,
        }
    }
}

async fn check(ring: &Ring, dir: &Path, whole: &Whole, known: Known, harm: Harm, place: usize) {
    let base =
        [whole.bases[0], whole.bases[whole.bases.len() / 2], *whole.bases.last().unwrap()][place];
    let mut harmed = whole.files.clone();
    harm.apply(&mut harmed, &files::name(base, files::LOG));
    write_files(ring, dir, harmed.clone()).await;
    let context = format!("{known:?}, {harm:?} of the segment at {base}");
    let opened = try_open(ring, dir, small_config(), known.start(whole)).await;
    if !known.refuses(harm, place) {
        let log = opened.unwrap_or_else(|error| panic!("{context}: {error}"));
        assert!(log.log_end_offset() <= COUNT, "{context}");
        return;
    }
    for attempt in 1..=2 {
        let Err(error) = try_open(ring, dir, small_config(), known.start(whole)).await else {
            panic!("{context}: it is opened, attempt {attempt}")
        };
        let LogError::Damaged { path, fault, synced_offset } = &error else {
            panic!("{context}: {error}")
        };
        assert!(path.starts_with(dir), "{context}: {error}");
        assert!(*synced_offset > 0, "{context}: {error}");
        assert!(*fault != Fault::NoSegment, "{context}: {error}");
        assert_eq!(
            files_in(ring, dir).await,
            harmed,
            "{context}: files have changed, attempt {attempt}"
        );
    }
}

#[test]
fn a_log_that_falls_short_is_refused_each_time_and_every_file_stays() {
    let world = World::new(1, SimOptions::calm());
    let node = world.node("a");
    let made = Rc::new(Cell::new(None));
    let place = made.clone();
    run_in(&world, node, |ring| async move { place.set(Some(make_whole(&ring).await)) });
    let whole = Rc::new(made.take().unwrap());
    assert!(whole.bases.len() > 5, "{:?}", whole.bases);
    for (number, known) in KNOWN.into_iter().enumerate() {
        world.kill(node);
        let whole = whole.clone();
        run_in(&world, node, move |ring| async move {
            for harm in HARMS {
                for place in 0..3 {
                    let dir = PathBuf::from(format!("/data/{number}-{harm:?}-{place}/topic-0"));
                    check(&ring, &dir, &whole, known, harm, place).await;
                }
            }
        });
    }
    world.close();
}

/// Without a checkpoint the snapshots where segments begin tell that what lies before them was
/// synced.
#[test]
fn a_flipped_byte_before_the_first_checkpoint_stops_the_log_and_keeps_its_segments() {
    on_each_backend(|ring, temp| async move {
        let dir = temp.partition();
        let log = open(&ring, &dir, small_config(), LogStart::default()).await;
        while log.segment_infos().len() < 5 {
            append(&log, 0, &[&[7; 500]]);
            log.sync().await.unwrap();
        }
        let last = log.segment_infos().last().unwrap().base_offset;
        let snapshot = files::path(&dir, last, files::SNAPSHOT);
        eventually(&ring, || snapshot.exists()).await;
        let mut files = snapshot_of(&dir);
        files.get_mut(&files::name(0, files::LOG)).unwrap()[100] ^= 1;
        let dir = restore(&temp, &files);
        for _ in 0..2 {
            let Err(error) = try_open(&ring, &dir, small_config(), crashed(0)).await else {
                panic!("it opened")
            };
            assert!(
                matches!(&error, LogError::Damaged { synced_offset, .. } if *synced_offset == last),
                "{error}"
            );
            assert_eq!(snapshot_of(&dir), files);
        }
    });
}

#[test]
fn a_folder_that_is_gone_is_refused_and_nothing_is_made_in_its_place() {
    on_epoll(|ring, temp| async move {
        let dir = temp.partition();
        for start in [
            crashed(1),
            LogStart { clean: true, ..crashed(1) },
            LogStart { log_start_offset: 1, ..clean() },
        ] {
            let Err(error) = try_open(&ring, &dir, small_config(), start).await else {
                panic!("it opened")
            };
            assert!(matches!(error, LogError::Damaged { fault: Fault::Missing, .. }), "{error}");
            assert!(!dir.exists());
        }
        open(&ring, &dir, small_config(), crashed(0)).await;
    });
}

/// A log whose appends are each on the disk before the next one begins: damage in front of a good
/// batch is no torn write.
#[test]
fn a_log_that_is_synced_in_order_is_cut_at_its_last_batch_only() {
    on_each_backend(|ring, temp| async move {
        let config = || LogConfig { synced_in_order: true, ..LogConfig::default() };
        let dir = temp.partition();
        let log = open(&ring, &dir, config(), LogStart::default()).await;
        let mut begins = Vec::new();
        for at in 0..5 {
            begins.push(log.size_bytes() as usize);
            append(&log, 0, &[&[at; 100]]);
            log.sync().await.unwrap();
        }
        let files = snapshot_of(&dir);
        let name = files::name(0, files::LOG);
        for (at, begin) in begins.into_iter().enumerate() {
            let mut harmed = files.clone();
            harmed.get_mut(&name).unwrap()[begin + 90] ^= 1;
            let dir = restore(&temp, &harmed);
            let opened = try_open(&ring, &dir, config(), crashed(0)).await;
            if at == 4 {
                assert_eq!(opened.unwrap().log_end_offset(), 4);
                continue;
            }
            let Err(LogError::Damaged { fault, .. }) = opened else { panic!("batch {at}") };
            let Fault::BadBatch { position, offset, good_behind, .. } = fault else {
                panic!("{fault}")
            };
            assert_eq!((position, offset, good_behind), (begin as u64, at as i64, true));
            assert_eq!(snapshot_of(&dir), harmed);
        }
    });
}

/// What compaction has left in a topic that is no longer compacted.
#[test]
fn holes_of_compaction_are_told_from_segments_that_are_gone() {
    on_epoll(|ring, temp| async move {
        let dir = temp.partition();
        let log = open(&ring, &dir, small_config(), LogStart::default()).await;
        let with_gap = |base_offset: i64| {
            let mut builder = BatchBuilder::new(base_offset);
            builder.append(NOW_MS, None, Some(&[3; 700]), &[]);
            builder.build()
        };
        for at in 0..20 {
            log.append_as_follower(with_gap(at * 3)).unwrap();
        }
        log.sync().await.unwrap();
        log.close().await.unwrap();
        let bases: Vec<i64> = log.segment_infos().iter().map(|info| info.base_offset).collect();
        assert!(bases.len() > 3);
        let again = open(&ring, &dir, small_config(), crashed(58)).await;
        assert_eq!(read_all(&ring, &again, 0, 1 << 20).await.len(), 20);
    });
}

/// No CRC covers the base offset of a batch: with a bit of it flipped, the last batch would move
/// the end of the log.
#[test]
fn a_last_batch_that_claims_later_offsets_is_not_the_end() {
    on_epoll(|ring, temp| async move {
        let whole = make_whole_in(&ring, &temp.partition()).await;
        let last = files::name(*whole.bases.last().unwrap(), files::LOG);
        let mut harmed = whole.files.clone();
        let content = harmed.get_mut(&last).unwrap();
        let sizes = protocol::records::batches(content).map(|batch| batch.unwrap().size_bytes());
        let position = content.len() - sizes.last().unwrap();
        content[position + 6] ^= 1;
        // A crash behind the last checkpoint: the batch is cut off, and kept.
        let dir = restore(&temp, &harmed);
        let start = LogStart { is_known: true, ..crashed(COUNT - 10) };
        let log = try_open(&ring, &dir, small_config(), start).await.unwrap();
        assert_eq!(log.log_end_offset(), COUNT - 1);
        let aside =
            snapshot_of(&dir).into_iter().find(|(name, _)| name.contains(files::ASIDE_INFIX));
        assert_eq!(aside.unwrap().1, harmed[&last][position..]);
        // A clean shutdown: it is below the known end, and is refused where the start reads it.
        let look = crate::log::whole::look(&ring, &restore(&temp, &harmed), whole.end, &|_| {})
            .await
            .unwrap();
        assert!(look.segments.last().unwrap().damage.is_some());
        harmed.remove(&files::name(*whole.bases.last().unwrap(), files::TIME_INDEX));
        let dir = restore(&temp, &harmed);
        let opened = try_open(&ring, &dir, small_config(), Known::State.start(&whole)).await;
        let Err(LogError::Damaged { fault: Fault::BadBatch { offset, .. }, .. }) = opened else {
            panic!("opened")
        };
        assert_eq!(offset, COUNT - 1);
    });
}

/// A compacted log may have holes, and a log that no checkpoint knows. With a bit of its base
/// offset flipped a batch lies behind a hole that the next batch, or the commit stream, fills:
/// acknowledged batches behind it were cut for good.
#[test]
fn a_hole_that_something_fills_is_none() {
    on_epoll(|ring, temp| async move {
        let dir = temp.partition();
        let config = || LogConfig {
            cleanup_policy: crate::log::CleanupPolicy { delete: false, compact: true },
            ..LogConfig::default()
        };
        let log = open(&ring, &dir, config(), LogStart::default()).await;
        let mut begins = Vec::new();
        for at in 0..6 {
            begins.push(log.size_bytes() as usize);
            append(&log, 0, &[&[at; 100], &[at; 100]]);
        }
        log.sync().await.unwrap();
        let (files, name) = (snapshot_of(&dir), files::name(0, files::LOG));
        // Bits 0 to 30: beyond, the offsets are outside of the segment.
        for (batch, bit) in (0..6).flat_map(|batch| (0..30).map(move |bit| (batch, bit))) {
            let mut harmed = files.clone();
            let content = harmed.get_mut(&name).unwrap();
            content[begins[batch] + 7 - bit / 8] ^= 1 << (bit % 8);
            let dir = restore(&temp, &harmed);
            // The stream has the batches from the fourth on, as another file has them.
            let stream = temp.path().join("stream");
            std::fs::write(&stream, &files[&name][begins[3]..]).unwrap();
            let (from, to) = (6, 12);
            let length = (files[&name].len() - begins[3]) as u32;
            let part = crate::log::commit_log::ReplayPart {
                path: stream.as_path().into(),
                position: 0,
                length,
                from,
                to,
                frame: None,
            };
            let start = LogStart { replay: vec![part], ..crashed(0) };
            let opened = try_open(&ring, &dir, config(), start).await;
            if batch < 3 {
                // The stream does not follow what is left: nothing is cut.
                assert!(
                    matches!(opened, Err(LogError::Damaged { .. })),
                    "batch {batch}, bit {bit}"
                );
                assert_eq!(snapshot_of(&dir), harmed);
                continue;
            }
            let log = opened.unwrap_or_else(|error| panic!("batch {batch}, bit {bit}: {error}"));
            let offsets: Vec<i64> =
                read_all(&ring, &log, 0, 1 << 20).await.iter().map(|one| one.0).collect();
            assert_eq!(offsets, (0..12).collect::<Vec<_>>(), "batch {batch}, bit {bit}");
        }
    });
}

/// Seed 60001041: a roll was taken back, and a power cut undid the removal of the empty file. It
/// begins below the end of the segment before, and the partition was offline for it. One that has
/// lost its records begins just there.
#[test]
fn an_empty_segment_of_a_roll_that_was_taken_back_is_removed() {
    on_epoll(|ring, temp| async move {
        let whole = make_whole_in(&ring, &temp.partition()).await;
        let (second, last) = (whole.bases[1], *whole.bases.last().unwrap());
        for known in [Known::Closed, Known::Checkpoint, Known::Nothing] {
            for leftover in [second - 1, last - 1, last + 1] {
                let mut files = whole.files.clone();
                files.insert(files::name(leftover, files::LOG), Vec::new());
                let dir = restore(&temp, &files);
                let log = try_open(&ring, &dir, small_config(), known.start(&whole)).await.unwrap();
                assert_eq!(log.log_end_offset(), whole.end, "{known:?}, {leftover}");
                assert!(
                    !dir.join(files::name(leftover, files::LOG)).exists(),
                    "{known:?}, {leftover}"
                );
            }
        }
        let mut emptied = whole.files.clone();
        emptied.get_mut(&files::name(second, files::LOG)).unwrap().clear();
        let dir = restore(&temp, &emptied);
        assert!(
            try_open(&ring, &dir, small_config(), Known::Checkpoint.start(&whole)).await.is_err()
        );
        assert_eq!(snapshot_of(&dir), emptied);
    });
}

/// Seed 60000372: a log was opened again while the broker stopped, with what was known of it at the
/// start of that run, and what it had got since was cut off.
#[test]
fn what_lies_beyond_the_end_of_a_log_that_was_closed_is_not_cut_off() {
    on_epoll(|ring, temp| async move {
        let dir = temp.partition();
        let whole = make_whole_in(&ring, &dir).await;
        let log = open(&ring, &dir, small_config(), Known::State.start(&whole)).await;
        append(&log, 0, &[b"later"]);
        log.close().await.unwrap();
        let before = snapshot_of(&dir);
        let opened = try_open(&ring, &dir, small_config(), Known::State.start(&whole)).await;
        assert!(matches!(opened, Err(LogError::Damaged { fault: Fault::BadBatch { .. }, .. })));
        assert_eq!(snapshot_of(&dir), before);
    });
}

/// Two transactions seemed to begin at one offset, and the marker of the first ended the broker, at
/// each start.
#[test]
fn a_flipped_base_offset_below_the_recovery_point_ends_no_broker() {
    on_epoll(|ring, temp| async move {
        let dir = temp.partition();
        let log = open(&ring, &dir, small_config(), LogStart::default()).await;
        let mut begins = Vec::new();
        for producer in [7, 8] {
            begins.push(log.size_bytes() as usize);
            let data = batch(NOW_MS, &[b"data"]).producer(producer, 0, 0).transactional(true);
            append_batch(&log, data.build(), 0).unwrap();
        }
        for producer in [7, 8] {
            begins.push(log.size_bytes() as usize);
            basics::append_marker(&log, NOW_MS, producer);
        }
        for _ in 0..8 {
            append(&log, 0, &[&[1; 200]]);
        }
        log.close().await.unwrap();
        let (files, name) = (snapshot_of(&dir), files::name(0, files::LOG));
        for (batch, bit) in (0..4).flat_map(|batch| (0..64).map(move |bit| (batch, bit))) {
            let mut harmed = files.clone();
            harmed.get_mut(&name).unwrap()[begins[batch] + 7 - bit / 8] ^= 1 << (bit % 8);
            let dir = restore(&temp, &harmed);
            let opened = try_open(&ring, &dir, small_config(), crashed(12)).await;
            let error = opened.map(drop).expect_err("it is out of its order").to_string();
            assert!(error.contains("is damaged: the batch at byte"), "{error}");
        }
    });
}
