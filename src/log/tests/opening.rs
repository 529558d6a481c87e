//! Files of new segments: opened once, also when another task wants them beside an append.

use super::{simulated::run_in, *};
use crate::log::ReadError;
use ring::sim::{SimOptions, Span, World};
use std::cell::Cell;

fn partition() -> PathBuf {
    PathBuf::from("/data/topic-0")
}

/// Opens take long: there is time for a second one.
fn slow_names() -> SimOptions {
    let mut options = SimOptions::calm();
    options.disk.metadata = Span::micros(300, 2_000);
    options.disk.sync = Span::micros(5, 20);
    options
}

/// The log that a kill leaves: the page cache stays.
fn records_after_a_kill(world: &World, node: ring::sim::NodeId, last: &'static [u8], offset: i64) {
    let seed = world.seed();
    world.kill(node);
    run_in(world, node, move |ring| async move {
        let log = open(&ring, &partition(), small_config(), crashed(0)).await;
        let records = read_all(&ring, &log, log.log_start_offset(), 1 << 20).await;
        assert_eq!(records.last(), Some(&(offset, last.to_vec())), "seed {seed}");
    });
}

/// Retention rolled a whole log and opened the new file; so did an append. The second open emptied
/// what the first had been used for, after it was synced.
#[test]
fn retention_that_rolls_a_whole_log_does_not_empty_what_is_appended_meanwhile() {
    for seed in 0..300 {
        let world = World::new(seed, slow_names());
        let node = world.node("a");
        run_in(&world, node, |ring| async move {
            let config = LogConfig { retention_bytes: Some(0), ..small_config() };
            let log = open(&ring, &partition(), config, LogStart::default()).await;
            append(&log, 0, &[b"old"]);
            log.sync().await.unwrap();
            log.set_high_watermark(1);
            let other = log.clone();
            let retention = ring.spawn(async move { other.apply_retention(NOW_MS).await.unwrap() });
            ring.sleep(Duration::from_micros(ring.random_u64() % 25_000)).await;
            append(&log, 0, &[b"new"]);
            assert_eq!(log.sync().await.unwrap(), 2);
            retention.await;
        });
        records_after_a_kill(&world, node, b"new", 1);
        world.close();
    }
}

/// The decision is about what there was when it was made: retention waits for a sync behind it.
#[test]
fn what_is_appended_while_retention_waits_for_a_sync_stays() {
    for seed in 0..100 {
        let world = World::new(seed, SimOptions::calm());
        let node = world.node("a");
        run_in(&world, node, move |ring| async move {
            let config = LogConfig { retention_bytes: Some(0), ..small_config() };
            let log = open(&ring, &partition(), config, LogStart::default()).await;
            append(&log, 0, &[b"old"]);
            log.wait_written().await.unwrap();
            log.set_high_watermark(1);
            let other = log.clone();
            let retention = ring.spawn(async move { other.apply_retention(NOW_MS).await.unwrap() });
            ring.sleep(Duration::from_micros(ring.random_u64() % 2_000)).await;
            append(&log, 0, &[b"new"]);
            retention.await;
            let records = read_all(&ring, &log, log.log_start_offset(), 1 << 20).await;
            assert_eq!(records.last(), Some(&(1, b"new".to_vec())), "seed {seed}");
        });
        world.close();
    }
}

#[test]
fn a_search_by_time_does_not_empty_what_is_appended_meanwhile() {
    for seed in 0..300 {
        let world = World::new(seed, slow_names());
        let node = world.node("a");
        run_in(&world, node, |ring| async move {
            let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
            append(&log, 0, &[&[1; 3000]]);
            log.sync().await.unwrap();
            let other = log.clone();
            let search_ring = ring.clone();
            let search = ring.spawn(async move {
                search_ring.sleep(Duration::from_micros(search_ring.random_u64() % 5_000)).await;
                other.offset_for_timestamp(NOW_MS + 1).await.unwrap();
                other.max_timestamp().await.unwrap();
            });
            ring.sleep(Duration::from_micros(ring.random_u64() % 5_000)).await;
            // In a segment of its own.
            append(&log, 0, &[&[2; 2000]]);
            log.write_gathered().unwrap();
            assert_eq!(log.sync().await.unwrap(), 2);
            append(&log, 0, &[b"last"]);
            assert_eq!(log.sync().await.unwrap(), 3);
            search.await;
        });
        records_after_a_kill(&world, node, b"last", 2);
        world.close();
    }
}

/// Writes that are left to the ring: in order, one at a time, also over a roll, and none while the
/// log is cut.
#[test]
fn writes_behind_keep_their_order_and_a_cut_waits_for_them() {
    for seed in 0..50 {
        let world = World::new(seed, SimOptions::calm());
        let node = world.node("a");
        let slots = Rc::new(crate::log::Semaphore::new(1));
        run_in(&world, node, move |ring| async move {
            let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
            log.write_behind(&slots);
            for number in 0..60u8 {
                append(&log, 0, &[&[number; 300]]);
                log.write_gathered().unwrap();
                ring.sleep(Duration::from_micros(ring.random_u64() % 60)).await;
            }
            let before = log.written_offset();
            assert_eq!(log.sync().await.unwrap(), 60, "{before} were written before");
            append(&log, 0, &[&[60; 300]]);
            log.write_gathered().unwrap();
            log.truncate_to(50).await.unwrap();
            append(&log, 0, &[b"after the cut"]);
            assert_eq!(log.sync().await.unwrap(), 51);
        });
        world.crash(node);
        run_in(&world, node, move |ring| async move {
            let log = open(&ring, &partition(), small_config(), crashed(0)).await;
            let records = read_all(&ring, &log, 0, 1 << 20).await;
            let mut expected: Vec<_> =
                (0..50).map(|at| (i64::from(at), vec![at as u8; 300])).collect();
            expected.push((50, b"after the cut".to_vec()));
            assert_eq!(records, expected, "seed {seed}");
        });
        world.close();
    }
}

/// Looks for something in the first segments of a log while retention takes them. `look` says which
/// offset it found, if any. Fails where no seed has it find what retention has left.
fn beside_retention<F: Future<Output = Option<i64>> + 'static>(look: fn(Log, u64) -> F) {
    let met = Rc::new(Cell::new(false));
    for seed in 0..300 {
        let world = World::new(seed, slow_names());
        let node = world.node("a");
        let met = met.clone();
        run_in(&world, node, move |ring| async move {
            let kept = LogConfig { file_delete_delay_ms: 0, ..small_config() };
            let log = open(&ring, &partition(), kept.clone(), LogStart::default()).await;
            for _ in 0..36 {
                append(&log, 0, &[&[1; 1000]]);
            }
            log.set_high_watermark(log.sync().await.unwrap());
            // What is left of the rolls would keep the retention waiting.
            log.checkpoint().await.unwrap();
            log.close_idle_files();
            log.set_config(Rc::new(LogConfig { retention_bytes: Some(4096), ..kept }));
            let looked = ring.spawn(look(log.clone(), seed));
            ring.sleep(Duration::from_micros(ring.random_u64() % 2_000)).await;
            assert!(log.apply_retention(NOW_MS).await.unwrap() > 0);
            let found = looked.await;
            met.set(met.get() || found.is_none_or(|offset| offset >= log.log_start_offset()));
        });
        world.close();
    }
    assert!(met.get(), "nothing met the retention");
}

/// Retention took a segment while a read opened its file, and the reader got an error of the disk.
#[test]
fn a_read_of_a_segment_that_retention_takes_is_out_of_range() {
    beside_retention(|log, seed| async move {
        match log.read_files(2, 1 << 20, true, 36).await {
            Ok(_) => Some(2),
            Err(ReadError::OffsetOutOfRange { .. }) => None,
            Err(error) => panic!("seed {seed}: {error}"),
        }
    });
}

/// The same for a look-up by time.
#[test]
fn a_look_up_by_time_begins_anew_where_retention_takes_its_segment() {
    beside_retention(|log, seed| async move {
        let found = match seed % 2 {
            0 => log.max_timestamp().await,
            _ => log.offset_for_timestamp(0).await,
        };
        let found = found.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        Some(found.expect("the log has records").offset)
    });
}

/// A start after a kill makes this node the leader of every partition: one without new records is
/// not worth a write.
#[test]
fn an_epoch_is_on_disk_with_its_first_record_and_not_before() {
    let world = World::new(5, SimOptions::calm());
    let node = world.node("a");
    run_in(&world, node, |ring| async move {
        let file = partition().join("leader-epoch-checkpoint");
        let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
        log.assign_leader_epoch(4);
        log.checkpoint().await.unwrap();
        assert!(ring.read_file(&file, 1000).await.is_err(), "nothing was appended");
        append(&log, 4, &[b"first", b"second"]);
        log.sync().await.unwrap();
        log.assign_leader_epoch(6);
        log.checkpoint().await.unwrap();
        assert_eq!(ring.read_file(&file, 1000).await.unwrap(), b"0\n1\n4 0\n".as_slice());
        let state = log.close().await.unwrap();
        let start = LogStart { clean: true, state: Some(state), ..crashed(2) };
        let log = open(&ring, &partition(), small_config(), start).await;
        assert_eq!(log.epochs().entries(), [(4, 0)]);
        log.assign_leader_epoch(7);
        append(&log, 7, &[b"third"]);
        log.sync().await.unwrap();
        log.checkpoint().await.unwrap();
        assert_eq!(ring.read_file(&file, 1000).await.unwrap(), b"0\n2\n4 0\n7 2\n".as_slice());
    });
    world.close();
}

/// A crash with nothing written since the last checkpoint: nothing is read again, and nothing
/// synced.
#[test]
fn a_log_that_ends_at_its_recovery_point_is_opened_without_a_sync() {
    let world = World::new(5, SimOptions::calm());
    let node = world.node("a");
    run_in(&world, node, |ring| async move {
        let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
        for _ in 0..30 {
            append(&log, 0, &[&[7; 300]]);
        }
        log.sync().await.unwrap();
        assert_eq!(log.checkpoint().await.unwrap(), 30);
    });
    world.crash(node);
    let disk = world.disk(node);
    run_in(&world, node, move |ring| async move {
        disk.fail_next_fsync();
        let log = open(&ring, &partition(), small_config(), crashed(30)).await;
        assert_eq!(
            (log.log_end_offset(), log.durable_offset(), log.recovery_point()),
            (30, 30, 30)
        );
        assert_eq!(read_all(&ring, &log, 0, 1 << 20).await.len(), 30);
        append(&log, 0, &[b"next"]);
        log.sync().await.unwrap_err();
        disk.heal();
        // One more record than the checkpoint knows: it is written again, and synced.
        disk.fail_next_fsync();
        assert!(try_open(&ring, &partition(), small_config(), crashed(29)).await.is_err());
    });
    world.close();
}

/// The open made or emptied a file by its name in a folder that was another topic's by then.
#[test]
fn a_deletion_waits_for_an_open_that_is_under_way() {
    let world = World::new(1, slow_names());
    let node = world.node("a");
    run_in(&world, node, |ring| async move {
        let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
        append(&log, 0, &[&[1; 3000]]);
        log.sync().await.unwrap();
        // In a segment of its own.
        append(&log, 0, &[&[2; 2000]]);
        let segment = log.active();
        let opening = segment.opening.lock().await;
        log.write_gathered().unwrap();
        ring.sleep(Duration::from_millis(10)).await;
        let deletion = ring.spawn(log.clone().delete());
        ring.sleep(Duration::from_millis(100)).await;
        assert!(ring.read_dir(partition()).await.is_ok(), "the open has its name");
        drop(opening);
        deletion.await.unwrap();
        ring.sleep(Duration::from_millis(100)).await;
        assert!(ring.read_dir(partition()).await.is_err());
        let late = segment.file(&ring, &partition(), crate::log::segment::SegmentFile::Log).await;
        assert!(late.is_err(), "nothing is opened by the old name any more");
    });
    world.close();
}
