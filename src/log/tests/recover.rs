//! Crashes, torn ends, bit rot, missing and damaged helper files.

use super::*;
use crate::log::{AbortedTransaction, Fault, LogError};
use ring::sim::{SimOptions, World};
use std::{cell::Cell, fs};

/// A closed log of several segments; `count` batches of one record of 100 bytes each.
async fn several_segments(ring: &Ring, dir: &Path, count: i64) -> Vec<i64> {
    let log = open(ring, dir, small_config(), LogStart::default()).await;
    for at in 0..count {
        let sequence = at as i32;
        append_batch(
            &log,
            batch(NOW_MS + at, &[&[at as u8; 100]]).producer(5, 0, sequence).build(),
            at as i32 / 20,
        )
        .unwrap();
    }
    log.close().await.unwrap();
    log.segment_infos().iter().map(|info| info.base_offset).collect()
}

async fn check_whole(ring: &Ring, log: &Log, count: i64) {
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (0, count));
    for max in [1, 1000] {
        let records = read_all(ring, log, 0, max).await;
        let expected: Vec<_> = (0..count).map(|at| (at, vec![at as u8; 100])).collect();
        assert_eq!(records, expected);
    }
    for at in [0, count / 2, count - 1] {
        assert_eq!(log.offset_for_timestamp(NOW_MS + at).await.unwrap().unwrap().offset, at);
    }
    assert_eq!(
        log.epochs().entries(),
        (0..=(count - 1) / 20).map(|at| (at as i32, at * 20)).collect::<Vec<_>>()
    );
    assert_eq!(log.producers().get(5).unwrap().last_sequence(), count as i32 - 1);
}

#[test]
fn a_last_batch_torn_at_any_byte_is_cut() {
    on_epoll(|ring, temp| async move {
        let dir = temp.partition();
        let log = open(&ring, &dir, LogConfig::default(), LogStart::default()).await;
        append(&log, 0, &[b"one"]);
        append(&log, 0, &[b"two"]);
        let good = log.size_bytes();
        append(&log, 0, &[b"three"]);
        log.sync().await.unwrap();
        let files = snapshot_of(&dir);
        let whole = &files[&files::name(0, files::LOG)];
        for length in good as usize..whole.len() {
            for zeros in [0, 10, 5000] {
                let dir = restore(&temp, &files);
                let mut torn = whole[..length].to_vec();
                torn.resize(length + zeros, 0);
                fs::write(files::path(&dir, 0, files::LOG), &torn).unwrap();
                let again =
                    open(&ring, &dir, LogConfig::default(), crashed(i64::from(zeros == 10) * 2))
                        .await;
                // The last byte of a record without headers is a zero anyway.
                let end = if torn.starts_with(whole) { 3 } else { 2 };
                assert_eq!(
                    (again.log_end_offset(), again.durable_offset()),
                    (end, end),
                    "{length} {zeros}"
                );
                assert_eq!(
                    file_size(&dir, 0, files::LOG),
                    if end == 3 { whole.len() as u64 } else { good }
                );
                assert_eq!(append(&again, 1, &[b"new"]).base_offset, end);
                assert_eq!(read_all(&ring, &again, 0, 1).await.len() as i64, end + 1);
            }
        }
    });
}

#[test]
fn a_flipped_byte_above_the_recovery_point_is_found_and_cut() {
    on_epoll(|ring, temp| async move {
        let dir = temp.partition();
        let log = open(&ring, &dir, LogConfig::default(), LogStart::default()).await;
        append(&log, 0, &[b"one"]);
        let good = log.size_bytes() as usize;
        append(&log, 0, &[b"two"]);
        append(&log, 0, &[b"three"]);
        log.sync().await.unwrap();
        let files = snapshot_of(&dir);
        let whole = &files[&files::name(0, files::LOG)];
        let batch_bytes = Batch::parse(&whole[good..]).unwrap().size_bytes();
        // Base offset and leader epoch lie outside the CRC.
        for at in (8..12).chain(16..batch_bytes) {
            let dir = restore(&temp, &files);
            let mut flipped = whole.clone();
            flipped[good + at] ^= 0x41;
            fs::write(files::path(&dir, 0, files::LOG), &flipped).unwrap();
            let again = open(&ring, &dir, LogConfig::default(), crashed(1)).await;
            assert_eq!(again.log_end_offset(), 1, "byte {at}");
        }
    });
}

#[test]
fn damage_below_the_recovery_point_stops_the_partition() {
    on_each_backend(|ring, temp| async move {
        let dir = temp.partition();
        let bases = several_segments(&ring, &dir, 100).await;
        let files = snapshot_of(&dir);
        // In the segment of the recovery point, before it: no start reads it again, unless its
        // index has to be rebuilt.
        let last = *bases.last().unwrap();
        let mut flipped = files[&files::name(last, files::LOG)].clone();
        flipped[30] ^= 1;
        for (from, indexed) in [(last + 2, true), (last + 2, false), (100, false)] {
            let dir = restore(&temp, &files);
            fs::write(files::path(&dir, last, files::LOG), &flipped).unwrap();
            if !indexed {
                fs::remove_file(files::path(&dir, last, files::OFFSET_INDEX)).unwrap();
            }
            let opened = try_open(&ring, &dir, small_config(), crashed(from)).await;
            // Below the recovery point batches are not checked, only walked.
            assert_eq!(opened.unwrap().log_end_offset(), 100);
            let opened = try_open(&ring, &dir, small_config(), crashed(last)).await;
            assert_eq!(opened.unwrap().log_end_offset(), last, "what was not synced is cut");
        }
        // A segment below the recovery point whose index is gone is read and checked.
        let dir = restore(&temp, &files);
        fs::remove_file(files::path(&dir, bases[1], files::TIME_INDEX)).unwrap();
        let mut flipped = files[&files::name(bases[1], files::LOG)].clone();
        flipped[30] ^= 1;
        fs::write(files::path(&dir, bases[1], files::LOG), &flipped).unwrap();
        let Err(error) = try_open(&ring, &dir, small_config(), crashed(100)).await else {
            panic!("it opened")
        };
        assert!(
            matches!(error, LogError::Damaged { fault: Fault::BadBatch { .. }, .. }),
            "{error}"
        );
        // A header that makes no sense, below the recovery point, with good batches behind it.
        let dir = restore(&temp, &files);
        let log_file = files::path(&dir, last, files::LOG);
        fs::remove_file(files::path(&dir, last, files::OFFSET_INDEX)).unwrap();
        let mut broken = files[&files::name(last, files::LOG)].clone();
        broken[8..12].fill(0xff);
        fs::write(&log_file, &broken).unwrap();
        let Err(error) = try_open(&ring, &dir, small_config(), crashed(100)).await else {
            panic!("it opened")
        };
        assert!(error.to_string().contains("good batches follow"), "{error}");
        // The same with nothing good behind it.
        broken.truncate(200);
        fs::write(&log_file, &broken).unwrap();
        let Err(error) = try_open(&ring, &dir, small_config(), crashed(100)).await else {
            panic!("it opened")
        };
        assert!(!error.to_string().contains("good batches follow"), "{error}");
    });
}

/// Without the snapshots behind them nothing tells that the segments had been synced: as after a
/// power cut.
#[test]
fn segments_behind_damage_that_was_not_synced_are_kept_beside_the_log() {
    on_each_backend(|ring, temp| async move {
        let dir = temp.partition();
        let bases = several_segments(&ring, &dir, 100).await;
        let path = files::path(&dir, bases[1], files::LOG);
        let mut flipped = fs::read(&path).unwrap();
        flipped[30] ^= 1;
        fs::write(&path, &flipped).unwrap();
        let before = snapshot_of(&dir);
        for base in &bases[2..] {
            fs::remove_file(files::path(&dir, *base, files::SNAPSHOT)).unwrap();
        }
        let log = open(&ring, &dir, small_config(), crashed(bases[1])).await;
        assert_eq!((log.log_end_offset(), log.recovery_point()), (bases[1], bases[1]));
        assert_eq!(read_all(&ring, &log, 0, 1000).await.len() as i64, bases[1]);
        assert_eq!(log.producers().get(5).unwrap().last_sequence(), bases[1] as i32 - 1);
        assert_eq!(log.epochs().latest(), Some((bases[1] as i32 - 1) / 20));
        let after = snapshot_of(&dir);
        assert_eq!(
            after[&files::name(bases[1], "log.aside-0")],
            flipped,
            "what was cut off has good batches"
        );
        for base in &bases[2..] {
            let name = files::name(*base, files::LOG);
            assert!(!after.contains_key(&name));
            assert_eq!(after[&format!("{name}.aside-0")], before[&name]);
        }
    });
}

/// A file name, and the content found under it instead of the file's; `None`: nothing.
type Damage = (String, Option<Vec<u8>>);

fn damages(files: &Files) -> Vec<Damage> {
    let is_helper = |name: &&String| files::parse(name).is_some_and(|(_, kind)| kind != files::LOG);
    let mut damages: Vec<Damage> = vec![("leader-epoch-checkpoint".into(), None)];
    for name in files.keys().filter(is_helper) {
        let content = &files[name];
        let mut odd = content.clone();
        odd.push(1);
        for damage in [
            None,
            Some(Vec::new()),
            Some(vec![0; content.len() + 7]),
            Some(vec![0xff; 24]),
            Some(odd),
        ] {
            damages.push((name.clone(), damage));
        }
    }
    damages
}

/// Opens the damaged log as `start` says, in a new folder, and looks whether everything is there
/// and as it was.
async fn check_rebuilt(
    ring: &Ring,
    dir: &Path,
    files: &Files,
    (name, damage): &Damage,
    start: LogStart,
) {
    let (is_epochs, is_snapshot) = (name == "leader-epoch-checkpoint", name.ends_with("snapshot"));
    let is_empty_index = damage.as_ref().is_some_and(Vec::is_empty) && !is_snapshot;
    if is_epochs && (start.recovery_point != 0 || start.clean) {
        return; // Epochs below the recovery point are nowhere else.
    }
    let mut broken = files.clone();
    broken.remove(name).expect("a file to damage");
    broken.extend(damage.clone().map(|content| (name.clone(), content)));
    simulated::write_files(ring, dir, broken).await;
    let context = format!("{name} {damage:?} {start:?}");
    let log = try_open(ring, dir, small_config(), start)
        .await
        .unwrap_or_else(|e| panic!("{context}: {e}"));
    if is_empty_index && name.ends_with("timeindex") {
        // An empty time index is what a segment without timestamps has: believed below the recovery
        // point.
        assert_eq!(log.log_end_offset(), 150, "{context}");
        return;
    }
    check_whole(ring, &log, 150).await;
    log.close().await.unwrap();
    if !is_empty_index && !is_snapshot {
        let after = simulated::files_in(ring, dir).await;
        assert_eq!(after.keys().collect::<Vec<_>>(), files.keys().collect::<Vec<_>>(), "{context}");
        for (name, content) in files {
            assert_eq!(&after[name], content, "{name} after {context}");
        }
    }
}

/// Hundreds of recoveries and closes, each with dozens of syncs: on the simulated disk, where a
/// sync takes no time.
#[test]
fn helper_files_are_rebuilt_as_they_were() {
    let world = World::new(1, SimOptions::calm());
    let node = world.node("a");
    let made = Rc::new(Cell::new(None));
    let place = made.clone();
    simulated::run_in(&world, node, |ring| async move {
        let dir = Path::new("/data/whole/topic-0");
        let bases = several_segments(&ring, dir, 150).await;
        place.set(Some((bases, simulated::files_in(&ring, dir).await)));
    });
    let (bases, files) = made.take().unwrap();
    assert!(bases.len() > 5, "{bases:?}");
    let files = Rc::new(files);
    for (number, damage) in damages(&files).into_iter().enumerate() {
        world.kill(node);
        let starts = [clean(), crashed(0), crashed(bases[1]), crashed(bases[2] + 5), crashed(150)];
        let files = files.clone();
        simulated::run_in(&world, node, move |ring| async move {
            for (at, start) in starts.into_iter().enumerate() {
                let dir = PathBuf::from(format!("/data/{number}.{at}/topic-0"));
                check_rebuilt(&ring, &dir, &files, &damage, start).await;
            }
        });
    }
    world.close();
}

#[test]
fn a_crash_without_close_recovers_from_any_point() {
    on_each_backend(|ring, temp| async move {
        let dir = temp.partition();
        let log = open(&ring, &dir, small_config(), LogStart::default()).await;
        for at in 0..150_i64 {
            let one = batch(NOW_MS + at, &[&[at as u8; 100]]).producer(5, 0, at as i32);
            append_batch(&log, one.build(), at as i32 / 20).unwrap();
            if at == 70 {
                log.sync().await.unwrap();
                log.checkpoint().await.unwrap();
            }
        }
        log.sync().await.unwrap();
        assert_eq!(log.recovery_point(), 71);
        let files = snapshot_of(&dir);
        for recovery_point in [0, 1, 30, 70, 71] {
            let again =
                open(&ring, &restore(&temp, &files), small_config(), crashed(recovery_point)).await;
            check_whole(&ring, &again, 150).await;
            assert_eq!(again.durable_offset(), 150);
            again.checkpoint().await.unwrap();
            assert_eq!(again.recovery_point(), 150);
        }
    });
}

#[test]
fn leftovers_of_an_earlier_run_are_cleaned_up() {
    on_each_backend(|ring, temp| async move {
        let dir = temp.partition();
        let bases = several_segments(&ring, &dir, 100).await;
        fs::write(dir.join("00000000000000000000.log.deleted"), b"x").unwrap();
        fs::write(dir.join("00000000000000000007.index"), b"x").unwrap();
        fs::write(dir.join("00000000000000000090.log.cleaned"), b"x").unwrap();
        fs::write(dir.join("00000000000000000090.log.swap"), b"x").unwrap();
        // A finished swap of the first segment.
        let first = files::path(&dir, 0, files::LOG);
        fs::rename(&first, dir.join("00000000000000000000.log.swap")).unwrap();
        let log = open(&ring, &dir, small_config(), clean()).await;
        check_whole(&ring, &log, 100).await;
        let names = snapshot_of(&dir);
        assert!(
            names.keys().all(|name| !name.ends_with("ed") && !name.ends_with("swap")),
            "{:?}",
            names.keys()
        );
        assert!(!names.contains_key("00000000000000000007.index"));
        assert_eq!(log.segment_infos().len(), bases.len());
    });
}

#[test]
fn odd_starts() {
    on_each_backend(|ring, temp| async move {
        let dir = temp.partition();
        several_segments(&ring, &dir, 50).await;
        let other = Uuid::from_u128(2);
        let opened = Log::open(
            &ring,
            dir.clone(),
            other,
            small_config().shared(),
            clean(),
            TailCache::new(0),
        )
        .await;
        assert!(matches!(opened, Err(LogError::WrongTopicId { .. })));
        // The log start lies inside the log, then behind it.
        let log =
            open(&ring, &dir, small_config(), LogStart { log_start_offset: 10, ..clean() }).await;
        assert_eq!((log.log_start_offset(), log.log_end_offset()), (10, 50));
        assert_eq!(log.epochs().entries(), [(0, 10), (1, 20), (2, 40)]);
        // An empty log goes on at its start.
        let empty = temp.another_partition();
        let start = LogStart { log_start_offset: 90, ..clean() };
        std::fs::create_dir_all(&empty).unwrap();
        std::fs::write(files::path(&empty, 90, files::LOG), b"").unwrap();
        let log = open(&ring, &empty, small_config(), start).await;
        assert_eq!((log.log_start_offset(), log.log_end_offset(), log.size_bytes()), (90, 90, 0));
        assert_eq!(append(&log, 0, &[b"x"]).base_offset, 90);
    });
}

#[test]
fn a_recovery_checkpoint_that_does_not_fit_is_ignored() {
    on_epoll(|ring, temp| async move {
        let dir = temp.partition();
        several_segments(&ring, &dir, 100).await;
        let log = open(&ring, &dir, small_config(), clean()).await;
        let state = log.close().await.unwrap();
        let files = snapshot_of(&dir);
        let start = || LogStart { state: Some(state.clone()), ..clean() };
        check_whole(&ring, &open(&ring, &dir, small_config(), start()).await, 100).await;
        for name in files
            .keys()
            .filter(|name| files::parse(name).is_some_and(|(_, kind)| kind != files::SNAPSHOT))
        {
            let dir = restore(&temp, &files);
            fs::remove_file(dir.join(name)).unwrap();
            if name.ends_with(".log") {
                let Err(error) = try_open(&ring, &dir, small_config(), start()).await else {
                    panic!("{name} is gone")
                };
                assert!(error.to_string().contains(name), "{error}");
                continue;
            }
            check_whole(&ring, &open(&ring, &dir, small_config(), start()).await, 100).await;
        }
        let states = crate::log::fast_start::States { broker_epoch: 7, logs: vec![state.clone()] };
        let encoded = crate::log::fast_start::encode(&states);
        assert_eq!(crate::log::fast_start::decode(&encoded).unwrap(), states);
        assert!(crate::log::fast_start::decode(&encoded[..encoded.len() - 3]).is_err());
        assert!(crate::log::fast_start::decode(&[]).is_err());
    });
}

#[test]
fn entries_of_the_transaction_index_survive_in_any_version() {
    let one = AbortedTransaction {
        producer_id: 1,
        first_offset: 2,
        last_offset: 3,
        last_stable_offset: 4,
    };
    let bytes = one.encode();
    assert_eq!(bytes[..2], [0, 0]);
    assert_eq!(AbortedTransaction::decode(&bytes), Some(one));
}
