//! Logs in the simulated world: power cuts and processes that end at awkward moments, as the
//! broker's simulation found them.

use super::*;
use crate::log::LogState;
use ring::{
    OpenOptions,
    sim::{NodeId, SimOptions, World},
};
use std::cell::{Cell, RefCell};

/// Runs `main` on a core of its own and waits until it is done.
pub fn run_in<F: Future<Output = ()> + 'static>(
    world: &World,
    node: NodeId,
    main: impl FnOnce(Ring) -> F + 'static,
) {
    let done = Rc::new(Cell::new(false));
    let flag = done.clone();
    world.start_core(node, 0, |ring| async move {
        main(ring).await;
        flag.set(true);
    });
    assert!(world.run_until(Duration::from_secs(10), || done.get()));
}

pub async fn files_in(ring: &Ring, dir: &Path) -> Files {
    let mut files = Files::new();
    for entry in ring.read_dir(dir).await.unwrap() {
        let content = ring.read_file(dir.join(&entry.name), 1 << 20).await.unwrap();
        files.insert(entry.name, content);
    }
    files
}

/// Writes `files` to a new folder.
pub async fn write_files(ring: &Ring, dir: &Path, files: Files) {
    ring.create_dir_all(dir).await.unwrap();
    for (name, content) in files {
        let file = ring.open(dir.join(name), OpenOptions::write()).await.unwrap();
        ring.write_at(&file, vec![content.into()], 0).await.unwrap();
    }
}

fn partition() -> PathBuf {
    PathBuf::from("/data/topic-0")
}

#[test]
fn a_core_ends_while_files_of_new_segments_are_being_opened() {
    let world = World::new(1, SimOptions::calm());
    let node = world.node("a");
    run_in(&world, node, |ring| async move {
        let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
        for _ in 0..100 {
            append(&log, 0, &[&[7; 100]]);
        }
        log.write_gathered().unwrap();
        assert!(
            log.written_offset() < log.log_end_offset(),
            "the second segment's file is not open yet"
        );
    });
    world.kill(node);
}

#[test]
fn a_folder_whose_creator_was_killed_is_durable_before_its_records_are() {
    for seed in 0..50 {
        let world = World::new(seed, SimOptions::calm());
        let node = world.node("a");
        for micros in [10, 100, 200, 500, 1000, 2000] {
            world.start_core(node, 0, |ring| async move {
                drop(open(&ring, &partition(), small_config(), LogStart::default()).await);
            });
            world.run_for(Duration::from_micros(micros));
            world.kill(node);
        }
        run_in(&world, node, |ring| async move {
            let log_dir =
                crate::log::LogDir::open(&ring, Path::new("/data"), "cluster", 1).await.unwrap();
            log_dir.begin_run().await.unwrap();
            let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
            append(&log, 0, &[b"kept"]);
            assert_eq!(log.sync().await.unwrap(), 1);
        });
        world.crash(node);
        run_in(&world, node, move |ring| async move {
            let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
            assert_eq!(log.log_end_offset(), 1, "seed {seed}");
        });
        world.close();
    }
}

/// A segment of zeros was emptied by a recovery and never synced: a power cut brought the zeros
/// back, below the recovery point by then, where a start believes in sizes. The coordinator of that
/// partition was never loaded again.
#[test]
fn what_a_recovery_cuts_stays_cut() {
    for seed in 0..20 {
        let world = World::new(seed, SimOptions::calm());
        let node = world.node("a");
        let compacted = || LogConfig {
            cleanup_policy: crate::log::CleanupPolicy { delete: false, compact: true },
            ..small_config()
        };
        run_in(&world, node, move |ring| async move {
            let log = open(&ring, &partition(), compacted(), LogStart::default()).await;
            append(&log, 0, &[b"first"]);
            log.sync().await.unwrap();
            // What a power cut leaves of segments that were about to be written.
            for (base, bytes) in [(1, &[0; 386][..]), (2, b"torn")] {
                let contents =
                    [(files::LOG, bytes), (files::OFFSET_INDEX, b""), (files::TIME_INDEX, b"")];
                for (extension, content) in contents {
                    let path = files::path(&partition(), base, extension);
                    let file = ring.open(path, OpenOptions::write()).await.unwrap();
                    ring.write_at(&file, vec![Bytes::copy_from_slice(content)], 0).await.unwrap();
                    ring.sync_data(&file).await.unwrap();
                }
            }
            ring.sync_dir(partition()).await.unwrap();
        });
        world.crash(node);
        run_in(&world, node, move |ring| async move {
            let log = open(&ring, &partition(), compacted(), crashed(1)).await;
            append(&log, 0, &[b"second"]);
            assert_eq!(log.sync().await.unwrap(), 3);
        });
        world.crash(node);
        run_in(&world, node, move |ring| async move {
            let log = open(&ring, &partition(), compacted(), crashed(3)).await;
            let records = read_all(&ring, &log, 0, 1 << 20).await;
            assert_eq!(records, [(0, b"first".to_vec()), (2, b"second".to_vec())], "seed {seed}");
        });
        world.close();
    }
}

/// Seed 20066619: retention removed a segment and its producer snapshot, and a power cut brought
/// the segment alone back. What it knew of producers whose records had gone before was forgotten,
/// and a batch that was sent again was taken twice.
#[test]
fn producers_outlast_retention_and_a_power_cut() {
    for seed in 0..200 {
        let world = World::new(seed, SimOptions::calm());
        let node = world.node("a");
        run_in(&world, node, |ring| async move {
            let config = LogConfig { retention_bytes: Some(4096), ..small_config() };
            let log = open(&ring, &partition(), config, LogStart::default()).await;
            append_batch(&log, batch(NOW_MS, &[b"once"]).producer(9, 0, 0).build(), 0).unwrap();
            for _ in 0..3 {
                for _ in 0..12 {
                    append(&log, 0, &[&[1; 1000]]);
                }
                log.set_high_watermark(log.sync().await.unwrap());
                assert!(log.apply_retention(NOW_MS).await.unwrap() > 0);
            }
            ring.sleep(Duration::from_micros(ring.random_u64() % 5_000)).await;
        });
        world.crash(node);
        run_in(&world, node, move |ring| async move {
            let log = open(&ring, &partition(), small_config(), crashed(0)).await;
            assert_eq!(
                log.producers().get(9).map(|known| known.last_sequence()),
                Some(0),
                "seed {seed}"
            );
        });
        world.close();
    }
}

/// The disk was full when a recovery wrote producer snapshots; retention then removed what they
/// were to be made from.
#[test]
fn a_snapshot_that_a_recovery_could_not_write_is_written_before_retention() {
    for seed in 0..20 {
        let world = World::new(seed, SimOptions::calm());
        let node = world.node("a");
        run_in(&world, node, |ring| async move {
            let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
            append_batch(&log, batch(NOW_MS, &[b"once"]).producer(9, 0, 0).build(), 0).unwrap();
            for _ in 0..12 {
                append(&log, 0, &[&[1; 1000]]);
            }
            log.sync().await.unwrap();
        });
        world.kill(node);
        let disk = world.disk(node);
        let snapshots: Vec<String> =
            disk.file_names().into_iter().filter(|name| name.ends_with(".snapshot")).collect();
        snapshots.iter().for_each(|name| disk.remove_raw(name).unwrap());
        run_in(&world, node, move |ring| async move {
            disk.fill_below("/data", true);
            let config = LogConfig { retention_bytes: Some(4096), ..small_config() };
            let log = open(&ring, &partition(), config, crashed(0)).await;
            disk.fill_below("/data", false);
            log.set_high_watermark(log.log_end_offset());
            assert!(log.apply_retention(NOW_MS).await.unwrap() > 0);
            ring.sleep(Duration::from_millis(100)).await;
        });
        world.crash(node);
        run_in(&world, node, move |ring| async move {
            let log = open(&ring, &partition(), small_config(), crashed(0)).await;
            assert!(log.log_start_offset() > 0);
            assert_eq!(
                log.producers().get(9).map(|known| known.last_sequence()),
                Some(0),
                "seed {seed}"
            );
        });
        world.close();
    }
}

/// Seed 100082232: a full disk had no room for the file of the segment that retention rolled to. A
/// stop cleanly made it, and noted that it is there; a power cut took it away, and the partition
/// was offline.
#[test]
fn a_file_that_a_close_has_made_outlasts_a_power_cut() {
    for seed in 0..20 {
        let world = World::new(seed, SimOptions::calm());
        let node = world.node("a");
        let disk = world.disk(node);
        let closed: Rc<RefCell<Option<LogState>>> = Rc::default();
        let state = closed.clone();
        run_in(&world, node, move |ring| async move {
            let config = LogConfig { retention_ms: Some(1000), ..small_config() };
            let log = open(&ring, &partition(), config.clone(), LogStart::default()).await;
            append(&log, 0, &[b"old"]);
            let start = LogStart {
                clean: true,
                recovery_point: 1,
                state: Some(log.close().await.unwrap()),
                ..crashed(1)
            };
            let log = open(&ring, &partition(), config, start).await;
            log.set_high_watermark(1);
            disk.fill_below("/data", true);
            assert!(
                log.apply_retention(NOW_MS + 100_000).await.is_err(),
                "there is no room for the next segment"
            );
            disk.fill_below("/data", false);
            state.replace(Some(log.close().await.unwrap()));
        });
        world.crash(node);
        let state = closed.take();
        run_in(&world, node, move |ring| async move {
            let start = LogStart { clean: true, recovery_point: 1, state, ..LogStart::default() };
            assert_eq!(
                open(&ring, &partition(), small_config(), start).await.log_end_offset(),
                1,
                "seed {seed}"
            );
        });
        world.close();
    }
}

/// Seed 1300006878: the sync of a time index failed, the broker was killed, and the next start took
/// its entries from the page cache. A power cut left zeroes, and retention took the segment for one
/// of 1970.
#[test]
fn index_entries_that_a_start_keeps_are_written_once_more() {
    for seed in 0..40 {
        let world = World::new(seed, SimOptions::calm());
        let node = world.node("a");
        let disk = world.disk(node);
        run_in(&world, node, |ring| async move {
            let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
            for _ in 0..10 {
                append(&log, 0, &[&[1; 1000]]);
            }
            log.sync().await.unwrap();
            disk.fail_next_fsync_below("/data/topic-0/00000000000000000000.timeindex");
            log.checkpoint().await.unwrap_err();
        });
        world.kill(node);
        run_in(&world, node, |ring| async move {
            let log = open(&ring, &partition(), small_config(), crashed(3)).await;
            log.sync().await.unwrap();
            assert_eq!(log.checkpoint().await.unwrap(), 10);
        });
        world.crash(node);
        run_in(&world, node, move |ring| async move {
            let config = LogConfig { retention_ms: Some(604_800_000), ..small_config() };
            let log = open(&ring, &partition(), config, crashed(10)).await;
            log.set_high_watermark(log.log_end_offset());
            assert_eq!(log.apply_retention(NOW_MS + 1000).await.unwrap(), 0, "seed {seed}");
        });
        world.close();
    }
}

/// Whether an aborted transaction below the recovery point outlasts a power cut behind a
/// checkpoint. `append_more`: after its records and ten others are synced.
fn an_aborted_transaction_outlasts(segment_bytes: u32, append_more: fn(&Log)) {
    for seed in 0..40 {
        let world = World::new(seed, SimOptions::calm());
        let node = world.node("a");
        let config = move || LogConfig { segment_bytes, ..small_config() };
        run_in(&world, node, move |ring| async move {
            let log = open(&ring, &partition(), config(), LogStart::default()).await;
            basics::append_aborted(&log, NOW_MS, 7, 0);
            for _ in 0..10 {
                append(&log, 0, &[&[1; 1000]]);
            }
            log.sync().await.unwrap();
            append_more(&log);
            assert_eq!(log.checkpoint().await.unwrap(), 12);
        });
        world.crash(node);
        run_in(&world, node, move |ring| async move {
            let log = open(&ring, &partition(), config(), crashed(12)).await;
            assert_eq!(log.aborted_transactions(0, 12).await.unwrap().len(), 1, "seed {seed}");
        });
        world.close();
    }
}

/// A checkpoint moved the recovery point over an abort marker, and a power cut took the index of
/// aborted transactions, which no recovery reads from the batches below that point.
#[test]
fn an_aborted_transaction_below_the_recovery_point_outlasts_a_power_cut() {
    an_aborted_transaction_outlasts(1 << 20, |_| {});
}

/// The same where the segment was rolled while what was appended before was synced: the checkpoint
/// looked at the one that followed.
#[test]
fn an_aborted_transaction_of_a_segment_that_a_checkpoint_finds_rolled_outlasts_a_power_cut() {
    an_aborted_transaction_outlasts(12_000, |log| {
        append(log, 0, &[b"not synced"]);
        append(log, 0, &[&[1; 4000]]);
        assert_eq!(log.segment_count(), 2);
    });
}

/// Seed 2200008633: a start made the index of aborted transactions of a closed segment anew, a
/// checkpoint synced it without its name, and a power cut took the file from below the recovery
/// point.
#[test]
fn an_index_of_aborted_transactions_that_a_start_has_made_anew_is_synced_with_its_name() {
    for seed in 0..40 {
        let world = World::new(seed, SimOptions::calm());
        let node = world.node("a");
        let path = files::path(&partition(), 0, files::TXN_INDEX);
        run_in(&world, node, |ring| async move {
            let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
            basics::append_aborted(&log, NOW_MS, 7, 0);
            for _ in 0..10 {
                append(&log, 0, &[&[1; 1000]]);
            }
            assert!(log.segment_count() > 1);
            log.close().await.unwrap();
        });
        world.kill(node);
        let lost = path.clone();
        run_in(&world, node, move |ring| async move {
            ring.unlink(&lost).await.unwrap();
            ring.sync_dir(&partition()).await.unwrap();
            let log = open(&ring, &partition(), small_config(), crashed(0)).await;
            log.sync().await.unwrap();
            assert_eq!(log.checkpoint().await.unwrap(), 12);
        });
        world.crash(node);
        run_in(&world, node, move |ring| async move {
            let log = open(&ring, &partition(), small_config(), crashed(12)).await;
            assert!(ring.read_file(&path, 1 << 10).await.is_ok(), "seed {seed}");
            assert_eq!(log.aborted_transactions(0, 12).await.unwrap().len(), 1, "seed {seed}");
        });
        world.close();
    }
}

/// A power cut brought back a segment that was taken back, with the snapshot where it begins, and
/// the metadata log refused to start for the hole before it.
#[test]
fn a_segment_that_was_taken_back_does_not_come_back() {
    for seed in 0..60 {
        let world = World::new(seed, SimOptions::calm());
        let node = world.node("a");
        let config = || LogConfig { synced_in_order: true, ..small_config() };
        run_in(&world, node, move |ring| async move {
            let log = open(&ring, &partition(), config(), LogStart::default()).await;
            append(&log, 0, &[&[1; 300]]);
            log.sync().await.unwrap();
            let mark = log.mark();
            for _ in 0..4 {
                append(&log, 0, &[&[2; 1500]]);
            }
            log.sync().await.unwrap();
            // The snapshots where the new segments begin are written behind.
            ring.sleep(Duration::from_millis(100)).await;
            assert!(log.segment_count() > 1);
            log.take_back(&mark).await.unwrap();
            append(&log, 0, &[b"after"]);
            assert_eq!(log.sync().await.unwrap(), 2);
        });
        world.crash(node);
        run_in(&world, node, move |ring| async move {
            let opened = try_open(&ring, &partition(), config(), crashed(0)).await;
            let log = opened.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            let records = read_all(&ring, &log, 0, 1 << 20).await;
            assert_eq!(records, [(0, vec![1; 300]), (1, b"after".to_vec())], "seed {seed}");
        });
        world.close();
    }
}
