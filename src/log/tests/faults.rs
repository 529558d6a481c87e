//! What the simulated disk does to a log: power cuts at any moment, a full disk, no descriptors, a
//! failed sync, writes that fail.

use super::{simulated::run_in, *};
use protocol::ErrorCode;
use ring::sim::{DiskControl, SimOptions, World};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
};

fn partition() -> PathBuf {
    PathBuf::from("/data/topic-0")
}

/// What the world outside knows about the log: it outlives every power cut.
#[derive(Default)]
struct Witness {
    /// The content of the log, as far as no cut has removed it.
    content: BTreeMap<i64, Vec<u8>>,
    /// Everything that was ever appended at an offset.
    ever: BTreeMap<i64, BTreeSet<Vec<u8>>>,
    /// Below this the log has promised to keep everything.
    promised: i64,
    recovery_points: Vec<i64>,
    appended: u32,
}

/// Appends, syncs, checkpoints and cuts until the power goes.
async fn work(ring: Ring, log: Log, witness: Rc<RefCell<Witness>>) {
    loop {
        match ring.random_u64() % 100 {
            0..50 => {
                let mut witness = witness.borrow_mut();
                witness.appended += 1;
                let mut value = vec![witness.appended as u8; (ring.random_u64() % 700) as usize];
                value.extend_from_slice(&witness.appended.to_be_bytes());
                let offset = append(&log, witness.appended as i32 / 10, &[&value]).base_offset;
                witness.content.insert(offset, value.clone());
                witness.ever.entry(offset).or_default().insert(value);
            }
            50..70 => log.write_gathered().unwrap(),
            70..85 => {
                let durable = log.sync().await.unwrap();
                assert_eq!(durable, log.durable_offset());
                witness.borrow_mut().promised = durable;
            }
            85..92 => {
                let recovery_point = log.checkpoint().await.unwrap();
                witness.borrow_mut().recovery_points.push(recovery_point);
            }
            92..95 => {
                let end = log.log_end_offset();
                let offset = end - (ring.random_u64() % 12) as i64;
                if offset >= 0 {
                    {
                        let mut witness = witness.borrow_mut();
                        witness.promised = witness.promised.min(offset);
                        witness.content.retain(|at, _| *at < offset);
                        // The caller that cuts a log writes its recovery point down before.
                        witness.recovery_points.retain(|point| *point <= offset);
                    }
                    log.truncate_to(offset).await.unwrap();
                }
            }
            _ => ring.sleep(Duration::from_micros(ring.random_u64() % 3000)).await,
        }
        ring.end_of_turn().await;
    }
}

/// Opens the log after a power cut, compares, and takes the records that are there for the truth
/// from now on.
async fn recover(ring: &Ring, witness: &Rc<RefCell<Witness>>) -> Log {
    // What was written down of the recovery points may be any of them.
    let recovery_point = {
        let points = &witness.borrow().recovery_points;
        let at = ring.random_u64() as usize % (points.len() + 1);
        points.get(at).copied().unwrap_or(0)
    };
    let log = open(ring, &partition(), small_config(), crashed(recovery_point)).await;
    let found: BTreeMap<i64, Vec<u8>> = read_all(ring, &log, 0, 5000).await.into_iter().collect();
    let mut witness = witness.borrow_mut();
    let promised = witness.promised;
    assert!(
        log.log_end_offset() >= promised,
        "{} records were promised, {} kept",
        promised,
        log.log_end_offset()
    );
    assert_eq!(log.durable_offset(), log.log_end_offset());
    for (offset, value) in witness.content.range(..promised) {
        assert_eq!(found.get(offset), Some(value), "offset {offset}");
    }
    for (offset, value) in &found {
        assert!(
            witness.ever[offset].contains(value),
            "offset {offset} holds a value that was never appended there"
        );
    }
    witness.promised = log.log_end_offset();
    witness.content = found;
    log
}

#[test]
fn what_was_promised_survives_power_cuts_at_any_moment() {
    for seed in 0..40 {
        let world = World::new(seed, SimOptions::calm());
        let node = world.node("a");
        let witness = Rc::new(RefCell::new(Witness::default()));
        for round in 0..6_u64 {
            let known = witness.clone();
            world.start_core(node, 0, |ring| async move {
                let log = recover(&ring, &known).await;
                work(ring, log, known).await;
            });
            world.run_for(Duration::from_micros(20_000 + (seed * 7919 + round * 104_729) % 60_000));
            if round % 3 == 2 { world.kill(node) } else { world.crash(node) }
        }
        run_in(&world, node, move |ring| async move {
            recover(&ring, &witness).await;
        });
        world.close();
    }
}

#[test]
fn a_full_disk_refuses_appends_and_nothing_else() {
    let world = World::new(1, SimOptions::calm());
    let node = world.node("a");
    let disk = world.disk(node);
    run_in(&world, node, move |ring| async move {
        let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
        append(&log, 0, &[&[1; 500]]);
        assert_eq!(log.sync().await.unwrap(), 1);
        disk.set_capacity_bytes(64 * 1024);
        let mut accepted = 1;
        let refused = loop {
            match append_batch(&log, batch(NOW_MS, &[&[2; 500]]).build(), 0) {
                Ok(_) => accepted += 1,
                Err(refused) => break refused,
            }
            let _ = log.write_gathered();
            ring.sleep(Duration::from_millis(1)).await;
            assert!(accepted < 1000);
        };
        assert_eq!(refused.code(), ErrorCode::KafkaStorageError);
        assert!(log.sync().await.is_err());
        assert!(log.written_offset() < log.log_end_offset());
        assert_eq!(read_all(&ring, &log, 0, 2000).await.len(), accepted, "reads go on");
        disk.set_capacity_bytes(1 << 30);
        assert_eq!(log.sync().await.unwrap(), accepted as i64, "what was accepted is kept");
        append(&log, 0, &[b"more"]);
        assert_eq!(log.sync().await.unwrap(), accepted as i64 + 1);
        log.close().await.unwrap();
        let log = open(&ring, &partition(), small_config(), clean()).await;
        assert_eq!(read_all(&ring, &log, 0, 2000).await.len(), accepted + 1);
    });
}

#[test]
fn a_failed_sync_is_final() {
    let world = World::new(2, SimOptions::calm());
    let node = world.node("a");
    let disk = world.disk(node);
    run_in(&world, node, move |ring| async move {
        let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
        append(&log, 0, &[b"kept"]);
        assert_eq!(log.sync().await.unwrap(), 1);
        append(&log, 0, &[b"lost"]);
        disk.fail_next_fsync();
        assert!(log.sync().await.is_err());
        assert!(log.sync().await.is_err(), "a second sync would succeed, and prove nothing");
        let refused = append_batch(&log, batch(NOW_MS, &[b"more"]).build(), 0).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::KafkaStorageError);
        assert_eq!(log.durable_offset(), 1);
        assert!(log.checkpoint().await.is_err());
        assert_eq!(read_all(&ring, &log, 0, 1000).await.len(), 2, "reads go on");
        assert!(log.close().await.is_err());
    });
}

/// A process is killed before it hears that its sync has failed. The next one may find the records
/// in the page cache, and what it makes of them it has to keep.
#[test]
fn what_is_found_after_a_failed_sync_that_nobody_heard_of_survives_a_power_cut() {
    let mut found = 0;
    for seed in 0..50 {
        let world = World::new(seed, SimOptions::calm());
        let node = world.node("a");
        let world_of_task = world.clone();
        world.start_core(node, 0, move |ring| async move {
            let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
            append(&log, 0, &[b"kept"]);
            assert_eq!(log.sync().await.unwrap(), 1);
            append(&log, 0, &[b"doubtful"]);
            world_of_task.disk(node).fail_next_fsync();
            // In the turn in which the sync begins: it is the last one.
            ring.spawn(async move { world_of_task.pause(node) });
            let synced = log.sync().await;
            panic!("the process is paused, and never hears of {synced:?}");
        });
        world.run_for(Duration::from_secs(1));
        world.kill(node);
        let end = Rc::new(Cell::new(0));
        for _ in 0..2 {
            let known = end.clone();
            run_in(&world, node, move |ring| async move {
                let log = open(&ring, &partition(), small_config(), crashed(1)).await;
                assert_eq!(log.log_end_offset(), log.durable_offset());
                assert!(
                    log.durable_offset() >= known.get(),
                    "seed {seed}: {} were promised",
                    known.get()
                );
                known.set(log.durable_offset());
            });
            world.crash(node);
        }
        found += u32::from(end.get() == 2);
        world.close();
    }
    assert!(found > 10, "only {found} of 50 seeds found the records in the page cache");
}

/// A segment that was preallocated is trimmed and synced when it is full, in the background.
#[test]
fn a_sync_beside_another_that_fails_promises_nothing() {
    let mut failed = 0;
    for seed in 0..1500 {
        let world = World::new(seed, SimOptions::calm());
        let node = world.node("a");
        let promised = Rc::new(Cell::new(0));
        let (disk, promise, refused) =
            (world.disk(node), promised.clone(), Rc::new(Cell::new(false)));
        let was_refused = refused.clone();
        run_in(&world, node, move |ring| async move {
            let config = LogConfig { preallocate: true, ..small_config() };
            let log = open(&ring, &partition(), config, LogStart::default()).await;
            while log.segment_infos().len() < 3 {
                append(&log, 0, &[&[7; 500]]);
                log.write_gathered().unwrap();
                ring.sleep(Duration::from_micros(100)).await;
            }
            // At any moment of what the roll does, or of the sync below.
            let task_ring = ring.clone();
            ring.spawn(async move {
                task_ring.sleep(Duration::from_micros(task_ring.random_u64() % 8000)).await;
                disk.fail_next_fsync();
            });
            ring.sleep(Duration::from_micros(ring.random_u64() % 6000)).await;
            promise.set(log.sync().await.unwrap_or_default());
            ring.sleep(Duration::from_millis(20)).await;
            was_refused.set(append_batch(&log, batch(NOW_MS, &[b"more"]).build(), 0).is_err());
        });
        world.crash(node);
        world.disk(node).heal();
        failed += u32::from(refused.get());
        run_in(&world, node, move |ring| async move {
            let log = open(&ring, &partition(), small_config(), crashed(0)).await;
            let kept = log.log_end_offset();
            assert!(
                kept >= promised.get(),
                "seed {seed}: {} records were promised, {kept} are there",
                promised.get()
            );
        });
        world.close();
    }
    assert!(failed > 10, "only {failed} of 1500 seeds failed a sync of the log");
}

/// The sync between two removals failed, and the second segment kept its name; later ones went all
/// the same, and the next start found a hole in the log.
#[test]
fn segments_go_in_their_order_or_not_at_all() {
    for seed in 0..20 {
        let world = World::new(seed, SimOptions::calm());
        let node = world.node("a");
        let disk = world.disk(node);
        let end = Rc::new(Cell::new(0));
        let known = end.clone();
        run_in(&world, node, move |ring| async move {
            let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
            while log.segment_infos().len() < 8 {
                append(&log, 0, &[&[7; 500]]);
                log.sync().await.unwrap();
            }
            log.set_high_watermark(log.log_end_offset());
            known.set(log.durable_offset());
            let base = |at: usize| log.segment_infos()[at].base_offset;
            log.delete_records_before(base(4)).await.unwrap();
            let later = base(6);
            // The sync that rolling makes in the background is not the one to fail.
            ring.sleep(Duration::from_millis(200)).await;
            disk.fail_next_fsync();
            assert!(log.apply_retention(NOW_MS).await.is_err());
            assert!(log.has_failed());
            // Not even when the disk is well again.
            drop(log.delete_records_before(later).await);
            assert!(log.apply_retention(NOW_MS).await.is_err());
        });
        if seed % 2 == 0 {
            world.kill(node)
        } else {
            world.crash(node)
        }
        run_in(&world, node, move |ring| async move {
            let log = open(&ring, &partition(), small_config(), crashed(end.get())).await;
            let records = read_all(&ring, &log, log.log_start_offset(), 1 << 20).await;
            let offsets: Vec<i64> = records.iter().map(|(at, _)| *at).collect();
            let expected: Vec<i64> = (log.log_start_offset()..log.log_end_offset()).collect();
            assert_eq!(offsets, expected, "seed {seed}");
        });
        world.close();
    }
}

#[test]
fn a_failed_write_is_final() {
    let world = World::new(3, SimOptions::calm());
    let node = world.node("a");
    let disk = world.disk(node);
    run_in(&world, node, move |ring| async move {
        let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
        append(&log, 0, &[b"kept"]);
        assert_eq!(log.sync().await.unwrap(), 1);
        disk.fail_writes(".log");
        append(&log, 0, &[b"lost"]);
        assert!(log.write_gathered().is_err());
        disk.heal();
        assert!(log.sync().await.is_err());
        assert!(append_batch(&log, batch(NOW_MS, &[b"more"]).build(), 0).is_err());
        let again = open(&ring, &partition(), small_config(), crashed(1)).await;
        assert_eq!(read_all(&ring, &again, 0, 1000).await, [(0, b"kept".to_vec())]);
    });
}

// ---- what passes
// -------------------------------------------------------------------------------------------------

const SHORTAGES: [fn(&DiskControl); 3] =
    [DiskControl::fill, |disk| disk.set_open_files_max(0), DiskControl::take_memory];

fn end_shortage(disk: &DiskControl) {
    disk.heal();
    disk.set_capacity_bytes(1 << 30);
}

/// Without descriptors, or memory for a call, a partition was gone until the broker was restarted.
#[test]
fn what_is_missing_refuses_appends_until_it_is_there_again() {
    for (at, take) in SHORTAGES.into_iter().enumerate() {
        let world = World::new(at as u64, SimOptions::calm());
        let node = world.node("a");
        let disk = world.disk(node);
        run_in(&world, node, move |ring| async move {
            let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
            append(&log, 0, &[b"first"]);
            assert_eq!(log.sync().await.unwrap(), 1);
            log.close_idle_files();
            take(&disk);
            // More than the rest of a page, and of the segment.
            append(&log, 0, &[&[2; 4000]]);
            let error = log.sync().await.unwrap_err();
            assert!(ring::passes(&error), "shortage {at}: {error}");
            let refused = append_batch(&log, batch(NOW_MS, &[b"refused"]).build(), 0).unwrap_err();
            assert_eq!(refused.code(), ErrorCode::KafkaStorageError);
            assert!(!log.has_failed() && log.refusal().is_some());
            end_shortage(&disk);
            assert_eq!(log.sync().await.unwrap(), 2, "what was gathered is kept");
            append(&log, 0, &[b"third"]);
            assert_eq!(log.sync().await.unwrap(), 3);
            assert_eq!(read_all(&ring, &log, 0, 1 << 20).await.len(), 3);
        });
        world.close();
    }
}

#[test]
fn a_folder_without_a_descriptor_for_its_sync_is_synced_later() {
    let world = World::new(1, SimOptions::calm());
    let node = world.node("a");
    let disk = world.disk(node);
    run_in(&world, node, move |ring| async move {
        let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
        while log.segment_infos().len() < 2 {
            append(&log, 0, &[&[1; 1000]]);
        }
        log.wait_written().await.unwrap();
        disk.set_open_files_max(0);
        assert!(ring::passes(&log.sync().await.unwrap_err()));
        assert_eq!(log.durable_offset(), 0, "the new file may have no name yet");
        disk.heal();
        assert_eq!(log.sync().await.unwrap(), log.log_end_offset());
    });
    world.crash(node);
    run_in(&world, node, |ring| async move {
        let log = open(&ring, &partition(), small_config(), crashed(0)).await;
        assert_eq!(log.segment_infos().len(), 2);
    });
    world.close();
}

#[test]
fn what_was_taken_back_never_was() {
    for seed in 0..60 {
        let world = World::new(seed, SimOptions::calm());
        let node = world.node("a");
        let disk = world.disk(node);
        let take = SHORTAGES[seed as usize % SHORTAGES.len()];
        run_in(&world, node, move |ring| async move {
            let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
            // Up to the edge of a segment and beyond, so that some are rolled by records that are
            // taken back.
            for _ in 0..1 + seed / 3 {
                append(&log, 0, &[&[1; 300]]);
                log.sync().await.unwrap();
            }
            let (end, mark) = (log.log_end_offset(), log.mark());
            if seed % 2 == 0 {
                log.close_idle_files();
            }
            take(&disk);
            for _ in 0..3 {
                append(&log, 0, &[&[2; 1500]]);
            }
            assert!(ring::passes(&log.sync().await.unwrap_err()), "seed {seed}");
            if seed % 3 == 2 {
                // A cut needs memory: it waits for that.
                let (ring, disk) = (ring.clone(), disk.clone());
                ring.clone().spawn(async move {
                    ring.sleep(Duration::from_secs(2)).await;
                    end_shortage(&disk);
                });
            }
            log.take_back(&mark).await.unwrap();
            assert_eq!((log.log_end_offset(), log.written_offset()), (end, end), "seed {seed}");
            if seed % 4 < 2 {
                end_shortage(&disk);
                append(&log, 0, &[b"after"]);
                assert_eq!(log.sync().await.unwrap(), end + 1, "seed {seed}");
            }
        });
        if seed % 8 < 4 {
            world.kill(node)
        } else {
            world.crash(node)
        }
        end_shortage(&world.disk(node));
        run_in(&world, node, move |ring| async move {
            let log = open(&ring, &partition(), small_config(), crashed(0)).await;
            let end = 1 + seed as i64 / 3;
            let records = read_all(&ring, &log, 0, 1 << 20).await;
            let (kept, after) = records.split_at(end as usize);
            assert!(kept.iter().all(|(_, value)| value[..] == [1; 300]), "seed {seed}");
            let expected: &[(i64, Vec<u8>)] =
                if seed % 4 < 2 { &[(end, b"after".to_vec())] } else { &[] };
            assert_eq!(after, expected, "seed {seed}");
        });
        world.close();
    }
}

/// A checkpoint closed the file of a segment that had been rolled meanwhile, and what was taken
/// back stayed in it: the next start found more than the log had.
#[test]
fn what_is_taken_back_leaves_a_file_that_a_checkpoint_has_closed() {
    let world = World::new(1, SimOptions::calm());
    let node = world.node("a");
    run_in(&world, node, move |ring| async move {
        let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
        append(&log, 0, &[&[1; 300]]);
        log.sync().await.unwrap();
        let file = partition().join("00000000000000000000.log");
        let before = ring.read_file(&file, 1 << 20).await.unwrap();
        let mark = log.mark();
        for _ in 0..4 {
            append(&log, 0, &[&[2; 1500]]);
        }
        log.sync().await.unwrap();
        log.checkpoint().await.unwrap();
        assert!(ring.read_file(&file, 1 << 20).await.unwrap().len() > before.len());
        log.take_back(&mark).await.unwrap();
        assert_eq!(ring.read_file(&file, 1 << 20).await.unwrap(), before);
        append(&log, 0, &[b"after"]);
        assert_eq!(log.sync().await.unwrap(), 2);
        let state = log.close().await.unwrap();
        let start = LogStart { clean: true, state: Some(state), ..crashed(2) };
        let log = open(&ring, &partition(), small_config(), start).await;
        assert_eq!(read_all(&ring, &log, 0, 1 << 20).await.len(), 2);
    });
    world.close();
}

/// Removing segments makes room: a full disk must not keep them, nor a want of descriptors break
/// the log.
#[test]
fn segments_are_removed_when_what_was_missing_is_there_again() {
    for (at, take) in SHORTAGES.into_iter().enumerate() {
        let world = World::new(at as u64, SimOptions::calm());
        let node = world.node("a");
        let disk = world.disk(node);
        run_in(&world, node, move |ring| async move {
            let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
            while log.segment_infos().len() < 8 {
                append(&log, 0, &[&[7; 500]]);
                log.sync().await.unwrap();
            }
            log.set_high_watermark(log.log_end_offset());
            let start = log.segment_infos()[5].base_offset;
            log.delete_records_before(start).await.unwrap();
            ring.sleep(Duration::from_millis(200)).await;
            take(&disk);
            let is_full = at == 0;
            if !is_full {
                let (ring, disk) = (ring.clone(), disk.clone());
                ring.clone().spawn(async move {
                    ring.sleep(Duration::from_secs(2)).await;
                    end_shortage(&disk);
                });
            }
            assert_eq!(log.apply_retention(NOW_MS).await.unwrap(), 5, "shortage {at}");
            assert!(!log.has_failed());
            ring.sleep(Duration::from_secs(1)).await;
            assert_eq!(log.segment_infos().len(), 3);
            let names = disk.file_names();
            assert_eq!(names.iter().filter(|name| name.ends_with(".log")).count(), 3, "{names:?}");
        });
        world.close();
    }
}

/// 340 segments of one topic took 1,024 descriptors, and the node did not start.
#[test]
fn a_log_of_many_segments_gets_by_with_few_descriptors() {
    let world = World::new(1, SimOptions::calm());
    let node = world.node("a");
    let disk = world.disk(node);
    let files = disk.clone();
    run_in(&world, node, move |ring| async move {
        files.set_open_files_max(12);
        let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
        while log.segment_infos().len() < 40 {
            append(&log, 0, &[&[7; 1500]]);
            log.sync().await.unwrap();
            // As the broker does when too many are open.
            log.close_idle_files();
        }
    });
    world.kill(node);
    let files = disk.clone();
    run_in(&world, node, move |ring| async move {
        // After a crash everything is read, written once more, and synced.
        files.set_open_files_max(12);
        let log = open(&ring, &partition(), small_config(), crashed(0)).await;
        assert_eq!((log.segment_infos().len(), ring.open_files()), (40, 0));
        log.checkpoint().await.unwrap();
        log.close().await.unwrap();
        assert_eq!(ring.open_files(), 0);
        let log = open(&ring, &partition(), small_config(), clean()).await;
        assert_eq!(ring.open_files(), 0);
        append(&log, 0, &[b"more"]);
        log.sync().await.unwrap();
        log.release_unused(true);
        log.release_unused(true);
        assert_eq!(ring.open_files(), 1, "the file that is appended to stays");
        log.release_unused(false);
        assert_eq!(ring.open_files(), 0);
    });
    world.close();
}

/// The folder of a deleted log has its new name, and no descriptor is left to sync that: it stayed,
/// with all that it takes, until the next start.
#[test]
fn a_deleted_log_goes_when_what_its_sync_lacked_is_there_again() {
    let world = World::new(1, SimOptions::calm());
    let node = world.node("a");
    let disk = world.disk(node);
    run_in(&world, node, move |ring| async move {
        let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
        append(&log, 0, &[b"gone"]);
        log.sync().await.unwrap();
        disk.set_open_files_max(0);
        log.delete().await.unwrap();
        ring.sleep(Duration::from_secs(1)).await;
        let is_there = || disk.file_names().iter().any(|name| name.contains("topic-0"));
        assert!(is_there(), "a power cut could bring back a part of it");
        disk.heal();
        ring.sleep(Duration::from_secs(1)).await;
        assert!(!is_there(), "{:?}", disk.file_names());
    });
    world.close();
}

/// Memory had begun anew, and the files had not: what was appended then was not what a start finds.
#[test]
fn a_log_that_could_not_begin_anew_takes_no_appends() {
    let world = World::new(1, SimOptions::calm());
    let node = world.node("a");
    let disk = world.disk(node);
    run_in(&world, node, move |ring| async move {
        let log = open(&ring, &partition(), small_config(), LogStart::default()).await;
        append(&log, 0, &[b"old"]);
        log.close().await.unwrap();
        let log = open(&ring, &partition(), small_config(), clean()).await;
        disk.fail_removals(".snapshot");
        log.truncate_fully_and_start_at(50).await.unwrap_err();
        assert!(log.has_failed());
        assert!(append_batch(&log, batch(NOW_MS, &[b"new"]).build(), 0).is_err());
    });
    world.close();
}
