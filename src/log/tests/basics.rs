//! Append, read, roll, sync, lookups, truncation, retention, closing.

use super::*;
use crate::log::{Checkpoints, Durability, LogDir, OffsetEntry, ReadError, SegmentInfo};
use protocol::records::NO_TIMESTAMP;

#[test]
fn what_is_appended_is_read_before_and_after_it_is_written() {
    on_each_backend(|ring, temp| async move {
        let log = open(&ring, &temp.partition(), LogConfig::default(), LogStart::default()).await;
        let info = append(&log, 3, &[b"a", b"b"]);
        assert_eq!(
            (info.base_offset, info.last_offset, info.log_append_time_ms),
            (0, 1, NO_TIMESTAMP)
        );
        assert_eq!(append(&log, 3, &[b"c"]).base_offset, 2);
        let expected = vec![(0, b"a".to_vec()), (1, b"b".to_vec()), (2, b"c".to_vec())];
        assert_eq!((log.written_offset(), log.durable_offset(), log.log_end_offset()), (0, 0, 3));
        assert_eq!(read_all(&ring, &log, 0, 1 << 20).await, expected);
        log.write_gathered().unwrap();
        log.wait_written().await.unwrap();
        assert_eq!((log.written_offset(), log.safe_offset()), (3, 0));
        assert_eq!(log.sync().await.unwrap(), 3);
        assert_eq!((log.durable_offset(), log.safe_offset()), (3, 3));
        assert_eq!(read_all(&ring, &log, 0, 1).await, expected);
        let stored = std::fs::read(files::path(&temp.partition(), 0, files::LOG)).unwrap();
        assert_eq!(records_of(&stored), expected);
        assert_eq!(Batch::parse(&stored).unwrap().partition_leader_epoch(), 3);
        assert_eq!(log.epochs().entries(), [(3, 0)]);
    });
}

#[test]
fn reads_stop_at_their_bounds() {
    on_each_backend(|ring, temp| async move {
        let config = LogConfig { durability: Durability::Os, ..small_config() };
        let log = Log::open(
            &ring,
            temp.partition(),
            TOPIC,
            config.shared(),
            LogStart::default(),
            // No tail: everything written is read from files.
            TailCache::new(0),
        )
        .await
        .unwrap();
        for at in 0..200_u32 {
            append(&log, 0, &[&at.to_be_bytes(), &at.to_le_bytes()]);
            if at % 7 == 0 {
                log.wait_written().await.unwrap();
            }
        }
        log.wait_written().await.unwrap();
        assert_eq!(log.safe_offset(), 400);
        assert!(log.segment_infos().len() > 3);
        for offset in [0, 1, 57, 100, 211, 398, 399] {
            for up_to in [offset, offset + 1, offset + 2, offset + 9, 400] {
                let up_to = up_to.min(400);
                for max in [0, 1, 100, 1000, 100_000] {
                    let data = log.read(offset, max, true, up_to).await.unwrap();
                    let found = records_of(&bytes_of(&ring, &data).await);
                    let whole = (offset & !1) + 2;
                    if up_to < whole {
                        assert!(found.is_empty(), "{offset} {up_to} {max}");
                        continue;
                    }
                    assert_eq!(found[0].0, offset & !1);
                    assert!(found.last().unwrap().0 < up_to);
                    assert!(data.size_bytes <= max || found.len() == 2);
                    assert!(found.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1));
                    let without = log.read(offset, max, false, up_to).await.unwrap();
                    assert!(without.size_bytes <= max);
                }
            }
        }
        assert!(log.read(400, 100, true, 400).await.unwrap().parts.is_empty());
        assert!(matches!(
            log.read(401, 1, true, 400).await,
            Err(ReadError::OffsetOutOfRange { .. })
        ));
        assert!(matches!(
            log.read(-1, 1, true, 400).await,
            Err(ReadError::OffsetOutOfRange { .. })
        ));
        assert_eq!(read_all(&ring, &log, 13, 500).await.len(), 387);
    });
}

#[test]
fn segments_roll_and_leave_kafkas_files() {
    on_each_backend(|ring, temp| async move {
        let dir = temp.partition();
        let log = open(&ring, &dir, small_config(), LogStart::default()).await;
        let value = [7_u8; 100];
        for _ in 0..100 {
            append(&log, 1, &[&value]);
        }
        log.sync().await.unwrap();
        log.checkpoint().await.unwrap();
        assert_eq!(log.recovery_point(), 100);
        let infos = log.segment_infos();
        assert!(infos.len() >= 4 && infos.iter().all(|info| info.size_bytes <= 4096));
        let closed = log.close().await.unwrap();
        for (at, info) in infos.iter().enumerate() {
            assert_eq!(file_size(&dir, info.base_offset, files::LOG), info.size_bytes);
            assert!(file_size(&dir, info.base_offset, files::TIME_INDEX) > 0);
            assert!(
                file_size(&dir, info.base_offset, files::OFFSET_INDEX) > 0 || at + 1 == infos.len()
            );
            assert_eq!(at > 0, files::path(&dir, info.base_offset, files::SNAPSHOT).exists());
        }
        assert!(files::path(&dir, 100, files::SNAPSHOT).exists());
        assert_eq!(
            std::fs::read_to_string(dir.join("leader-epoch-checkpoint")).unwrap(),
            "0\n1\n1 0\n"
        );
        let metadata = std::fs::read_to_string(dir.join("partition.metadata")).unwrap();
        assert!(
            metadata.starts_with(&format!("version: 0\ntopic_id: {TOPIC}\ncrc32c: ")),
            "{metadata}"
        );
        for state in [None, Some(closed)] {
            let start = LogStart { clean: true, state, ..LogStart::default() };
            let again = open(&ring, &dir, small_config(), start).await;
            assert_eq!((again.log_start_offset(), again.log_end_offset()), (0, 100));
            assert_eq!((again.durable_offset(), again.recovery_point()), (100, 100));
            assert_eq!(again.segment_infos(), infos);
            assert_eq!(again.epochs().entries(), [(1, 0)]);
            assert_eq!(read_all(&ring, &again, 0, 700).await.len(), 100);
            assert_eq!(again.max_timestamp().await.unwrap().unwrap().offset, 99);
        }
    });
}

#[test]
fn timestamps_are_found() {
    on_each_backend(|ring, temp| async move {
        let log = open(&ring, &temp.partition(), small_config(), LogStart::default()).await;
        assert_eq!(log.max_timestamp().await.unwrap(), None);
        // Timestamps rise, with a dip in each third batch.
        let stamp = |at: i64| NOW_MS + at * 10 - if at % 3 == 2 { 500 } else { 0 };
        for at in 0..300 {
            append_batch(
                &log,
                batch(stamp(at), &[b"x", b"yyyyyyyyyyyyyyyyyyyyyyyyyyyyy"]).build(),
                at as i32 / 100,
            )
            .unwrap();
        }
        let all: Vec<i64> = (0..300).flat_map(|at| [stamp(at), stamp(at) + 1]).collect();
        for wanted in (NOW_MS - 600..NOW_MS + 3010).step_by(7) {
            let expected = all.iter().position(|at| *at >= wanted);
            let found = log.offset_for_timestamp(wanted).await.unwrap();
            assert_eq!(
                found.map(|found| found.offset),
                expected.map(|at| at as i64),
                "{}",
                wanted - NOW_MS
            );
            if let Some(found) = found {
                assert_eq!(found.timestamp, all[found.offset as usize]);
                assert_eq!(found.leader_epoch, found.offset as i32 / 200);
            }
        }
        let max = log.max_timestamp().await.unwrap().unwrap();
        let largest = *all.iter().max().unwrap();
        assert_eq!(
            (max.timestamp, max.offset),
            (largest, all.iter().position(|at| *at == largest).unwrap() as i64)
        );
        assert_eq!(log.delete_records_before(0).await.unwrap(), 0);
        log.sync().await.unwrap();
        log.set_high_watermark(600);
        assert_eq!(log.delete_records_before(41).await.unwrap(), 41);
        assert_eq!(
            log.offset_for_timestamp(NOW_MS).await.unwrap().unwrap().offset,
            42,
            "offset 41 has an older time"
        );
    });
}

#[test]
fn a_follower_takes_batches_as_they_are() {
    on_each_backend(|ring, temp| async move {
        let leader =
            open(&ring, &temp.path().join("leader-0"), LogConfig::default(), LogStart::default())
                .await;
        for (epoch, value) in [(1, b"a"), (1, b"b"), (4, b"c")] {
            append(&leader, epoch, &[value]);
        }
        let data = leader.read(0, 1 << 20, true, 3).await.unwrap();
        let records = Bytes::from(bytes_of(&ring, &data).await);
        let log = open(&ring, &temp.partition(), LogConfig::default(), LogStart::default()).await;
        let info = log.append_as_follower(records.clone()).unwrap();
        assert_eq!((info.base_offset, info.last_offset), (0, 2));
        assert_eq!(log.epochs().entries(), [(1, 0), (4, 2)]);
        assert!(matches!(
            log.append_as_follower(records.clone()),
            Err(AppendError::NotNext { .. })
        ));
        assert!(matches!(
            log.append_as_follower(records.slice(..records.len() - 1)),
            Err(AppendError::Malformed(_))
        ));
        assert_eq!(log.log_end_offset(), 3);
        log.truncate_to(2).await.unwrap();
        assert_eq!(log.epochs().entries(), [(1, 0)]);
        log.truncate_fully_and_start_at(70).await.unwrap();
        assert_eq!(
            (log.log_start_offset(), log.log_end_offset(), log.high_watermark()),
            (70, 70, 70)
        );
        assert_eq!(append(&log, 5, &[b"d"]).base_offset, 70);
        assert_eq!(log.sync().await.unwrap(), 71);
        assert_eq!(read_all(&ring, &log, 70, 1000).await, [(70, b"d".to_vec())]);
    });
}

#[test]
fn producers_are_remembered() {
    on_each_backend(|ring, temp| async move {
        let dir = temp.partition();
        let log = open(&ring, &dir, small_config(), LogStart::default()).await;
        let of = |sequence| batch(NOW_MS, &[b"v", b"w"]).producer(9, 0, sequence).build();
        assert_eq!(append_batch(&log, of(0), 0).unwrap().base_offset, 0);
        assert_eq!(append_batch(&log, of(2), 0).unwrap().base_offset, 2);
        let again = append_batch(&log, of(0), 0).unwrap();
        assert!(again.duplicate && (again.base_offset, again.last_offset) == (0, 1));
        let gap = append_batch(&log, of(7), 0).unwrap_err();
        assert_eq!(gap.code(), protocol::ErrorCode::OutOfOrderSequenceNumber);
        assert_eq!(log.log_end_offset(), 4);
        let state = log.close().await.unwrap();
        for start in [clean(), LogStart { state: Some(state), ..clean() }, crashed(0), crashed(2)] {
            let log = open(&ring, &dir, small_config(), start).await;
            assert_eq!(log.log_end_offset(), 4);
            assert!(append_batch(&log, of(2), 0).unwrap().duplicate);
            assert_eq!(log.producers().get(9).unwrap().last_sequence(), 3);
        }
    });
}

pub fn append_marker(log: &Log, timestamp: i64, producer: i64) {
    let end = protocol::records::EndTransactionMarker { committed: false, coordinator_epoch: 0 };
    let marker = BatchBuilder::end_transaction_marker(0, timestamp, producer, 0, end).build();
    let valid = valid_coordinators(&marker);
    let context =
        AppendContext { origin: AppendOrigin::Coordinator, transaction_version: 1, ..CONTEXT };
    log.append_as_leader(BytesMut::from(&marker[..]), &valid, 0, NOW_MS, &context).unwrap();
}

pub fn append_aborted(log: &Log, timestamp: i64, producer: i64, sequence: i32) {
    let data = batch(timestamp, &[b"never"]).producer(producer, 0, sequence).transactional(true);
    append_batch(log, data.build(), 0).unwrap();
    append_marker(log, timestamp, producer);
}

/// A consumer that began at the end of what is stable was told that this is out of range.
#[test]
fn what_is_stable_does_not_end_below_the_start_of_the_log() {
    on_each_backend(|ring, temp| async move {
        let dir = temp.partition();
        let log = open(&ring, &dir, small_config(), LogStart::default()).await;
        let data = batch(NOW_MS, &[b"open"]).producer(7, 0, 0).transactional(true);
        append_batch(&log, data.build(), 0).unwrap();
        append_batch(&log, batch(NOW_MS, &[b"outside"]).build(), 0).unwrap();
        log.sync().await.unwrap();
        log.set_high_watermark(2);
        assert_eq!(log.last_stable_offset(), 0);
        assert_eq!(log.delete_records_before(1).await.unwrap(), 1);
        assert_eq!(log.last_stable_offset(), 1);
    });
}

#[test]
fn aborted_transactions_are_found_after_a_restart_and_a_crash() {
    on_each_backend(|ring, temp| async move {
        let dir = temp.partition();
        let log = open(&ring, &dir, small_config(), LogStart::default()).await;
        for round in 0..60_i64 {
            let producer = 100 + round % 3;
            let data = batch(NOW_MS + round, &[&[1_u8; 50]])
                .producer(producer, 0, (round / 3) as i32 * 2)
                .transactional(true);
            append_batch(&log, data.build(), 0).unwrap();
            let more = batch(NOW_MS + round, &[&[1_u8; 50]])
                .producer(producer, 0, (round / 3) as i32 * 2 + 1)
                .transactional(true);
            append_batch(&log, more.build(), 0).unwrap();
            log.set_high_watermark(log.log_end_offset());
            assert_eq!(log.last_stable_offset(), round * 3);
            append_marker(&log, NOW_MS, producer);
        }
        let check = |log: Log| async move {
            for from in [0, 5, 90, 179] {
                let found = log.aborted_transactions(from, 180).await.unwrap();
                let expected: Vec<i64> =
                    (0..60).map(|round| round * 3).filter(|first| first + 2 >= from).collect();
                assert_eq!(found.iter().map(|one| one.first_offset).collect::<Vec<_>>(), expected);
            }
            assert_eq!(log.aborted_transactions(0, 3).await.unwrap().len(), 1);
        };
        check(log.clone()).await;
        log.sync().await.unwrap();
        assert_eq!(log.set_high_watermark(180), 180);
        assert_eq!(log.last_stable_offset(), 180);
        let state = log.close().await.unwrap();
        let (files, last) = (snapshot_of(&dir), log.segment_infos().last().unwrap().base_offset);
        let closed = || LogStart { state: Some(state.clone()), ..clean() };
        check(open(&ring, &dir, small_config(), closed()).await).await;
        check(open(&ring, &dir, small_config(), clean()).await).await;
        check(open(&ring, &dir, small_config(), crashed(100)).await).await;
        let without = |base, kind| {
            let mut files = files.clone();
            files.remove(&files::name(base, kind)).unwrap();
            restore(&temp, &files)
        };
        for start in [closed(), clean(), crashed(100), crashed(180)] {
            // Their rebuilding left nothing of the third index.
            let dir = without(0, files::TIME_INDEX);
            check(open(&ring, &dir, small_config(), start.clone()).await).await;
            let more = LogConfig { index_interval_bytes: 100, ..small_config() };
            check(open(&ring, &restore(&temp, &files), more, start.clone()).await).await;
            // That it was not there was taken for the word that nothing was aborted.
            let dir = without(0, files::TXN_INDEX);
            let log = open(&ring, &dir, small_config(), start).await;
            check(log.clone()).await;
            log.close().await.unwrap();
            assert_eq!(
                snapshot_of(&dir)[&files::name(0, files::TXN_INDEX)],
                files[&files::name(0, files::TXN_INDEX)]
            );
        }
        check(open(&ring, &without(last, files::TXN_INDEX), small_config(), closed()).await).await;
        let log = open(&ring, &dir, small_config(), crashed(0)).await;
        check(log.clone()).await;
        log.set_high_watermark(180);
        log.truncate_to(100).await.unwrap();
        assert_eq!(log.aborted_transactions(0, 180).await.unwrap().len(), 33);
        assert_eq!(log.producers().first_unstable_offset(), Some(99));
    });
}

#[test]
fn retention_gives_up_whole_segments() {
    on_each_backend(|ring, temp| async move {
        let dir = temp.partition();
        let config =
            LogConfig { retention_ms: None, retention_bytes: Some(8192), ..small_config() };
        let log = open(&ring, &dir, config.clone(), LogStart::default()).await;
        for _ in 0..200 {
            append(&log, 0, &[&[1_u8; 100]]);
        }
        log.sync().await.unwrap();
        assert_eq!(
            log.apply_retention(NOW_MS).await.unwrap(),
            0,
            "nothing above the high watermark goes"
        );
        log.set_high_watermark(200);
        let gone = log.apply_retention(NOW_MS).await.unwrap();
        assert!(gone > 0 && log.size_bytes() >= 8192 && log.size_bytes() < 8192 + 4096);
        let start = log.log_start_offset();
        assert_eq!(start, log.segment_infos()[0].base_offset);
        assert!(matches!(
            log.read(start - 1, 1, true, 200).await,
            Err(ReadError::OffsetOutOfRange { .. })
        ));
        assert_eq!(read_all(&ring, &log, start, 1000).await.len() as i64, 200 - start);
        let stale = |name: &String| files::parse(name).is_some_and(|(at, _)| at < start);
        eventually(&ring, || !names_in(&dir).iter().any(stale)).await;
        log.set_config(
            LogConfig { retention_bytes: None, retention_ms: Some(1000), ..config }.shared(),
        );
        log.apply_retention(NOW_MS + 1_000_000).await.unwrap();
        assert_eq!((log.log_start_offset(), log.log_end_offset(), log.size_bytes()), (200, 200, 0));
        assert_eq!(append(&log, 0, &[b"next"]).base_offset, 200);
        assert_eq!(log.sync().await.unwrap(), 201);
        // A round of retention that had begun to wait when the log was deleted.
        let late = log.clone();
        log.delete().await.unwrap();
        assert_eq!(
            late.apply_retention(NOW_MS + 2_000_000).await.unwrap(),
            0,
            "the log is gone, which is no fault"
        );
        eventually(&ring, || std::fs::read_dir(temp.path()).unwrap().count() == 0).await;
    });
}

#[test]
fn preallocated_segments_are_trimmed_and_recovered() {
    on_each_backend(|ring, temp| async move {
        let dir = temp.partition();
        let config = LogConfig { preallocate: true, ..small_config() };
        let log = open(&ring, &dir, config.clone(), LogStart::default()).await;
        for _ in 0..50 {
            append(&log, 0, &[&[1_u8; 100]]);
        }
        log.sync().await.unwrap();
        let last = log.segment_infos().last().unwrap().base_offset;
        assert_eq!(file_size(&dir, last, files::LOG), 4096);
        // The trimming of finished segments goes on behind.
        let infos = log.segment_infos();
        let trimmed = |info: &SegmentInfo| file_size(&dir, info.base_offset, files::LOG) < 4096;
        eventually(&ring, || infos[..infos.len() - 1].iter().all(trimmed)).await;
        let again = open(&ring, &dir, config.clone(), crashed(0)).await;
        assert_eq!(read_all(&ring, &again, 0, 1000).await.len(), 50);
        drop(again);
        log.close().await.unwrap();
        for info in log.segment_infos() {
            assert_eq!(file_size(&dir, info.base_offset, files::LOG), info.size_bytes);
        }
    });
}

#[test]
fn a_log_directory_remembers() {
    on_each_backend(|ring, temp| async move {
        let path = temp.path().join("data");
        let mut dir = LogDir::open(&ring, &path, "cluster", 1).await.unwrap();
        assert!(!dir.was_clean() && dir.partitions().is_empty() && !dir.directory_id().is_zero());
        assert!(matches!(
            LogDir::open(&ring, &path, "cluster", 1).await,
            Err(crate::log::LogError::Locked { .. })
        ));
        dir.begin_run().await.unwrap();
        let mut states = Vec::new();
        for partition in 0..3 {
            let start = dir.log_start("topic", partition);
            let log =
                open(&ring, &dir.partition_path("topic", partition), small_config(), start).await;
            append(&log, 0, &[b"x", b"y"]);
            states.push(log.close().await.unwrap());
        }
        let entry = |offset| OffsetEntry { topic: "topic".into(), partition: 0, offset };
        let checkpoints = Checkpoints {
            recovery_points: vec![entry(2)],
            log_starts: vec![entry(1)],
            high_watermarks: vec![entry(2)],
            cleaned: vec![entry(1)],
        };
        dir.write_checkpoints(checkpoints, |_, _| false).await.unwrap();
        dir.write_states(0, 77, states.clone()).await.unwrap();
        dir.end_run(77).await.unwrap();
        let id = dir.directory_id();
        drop(dir);
        std::fs::create_dir(path.join("gone-0.abc-delete")).unwrap();
        assert!(LogDir::open(&ring, &path, "other", 1).await.is_err());
        assert!(LogDir::open(&ring, &path, "cluster", 2).await.is_err());
        let mut dir = LogDir::open(&ring, &path, "cluster", 1).await.unwrap();
        assert!(dir.was_clean() && dir.directory_id() == id && dir.previous_broker_epoch() == 77);
        assert_eq!(dir.partitions().len(), 3);
        assert_eq!(dir.high_watermark("topic", 0), Some(2));
        let start = dir.log_start("topic", 0);
        assert_eq!((start.clean, start.recovery_point, start.log_start_offset), (true, 2, 1));
        assert_eq!(start.state.as_ref(), Some(&states[0]));
        dir.begin_run().await.unwrap();
        drop(dir);
        let mut dir = LogDir::open(&ring, &path, "cluster", 1).await.unwrap();
        assert!(!dir.was_clean() && dir.log_start("topic", 0).state.is_none());
        eventually(&ring, || !path.join("gone-0.abc-delete").exists()).await;
    });
}

/// For `kafka dump-log`: leaves a log with every kind of file in the folder named by
/// `MILLSTREAM_DUMP_DIR`. Run by `scripts/dump-log.sh`.
#[test]
#[ignore = "writes files for Apache Kafka's dump-log to read"]
fn writes_a_log_for_kafkas_dump_tool() {
    let dir = PathBuf::from(
        std::env::var("MILLSTREAM_DUMP_DIR").expect("MILLSTREAM_DUMP_DIR names a folder"),
    );
    on_epoll(|ring, _| {
        let dir = dir.clone();
        async move {
            let log = open(&ring, &dir.join("topic-0"), small_config(), LogStart::default()).await;
            let now_ms = ring.wall_clock_ms();
            for at in 0..120_i64 {
                let one = batch(now_ms + at, &[&[b'v'; 60], b"w"]).producer(7, 0, at as i32 * 2);
                append_batch(&log, one.build(), at as i32 / 50).unwrap();
                if at % 40 == 0 {
                    append_aborted(&log, now_ms + at, 8, at as i32 / 40);
                }
            }
            log.close().await.unwrap();
        }
    });
}

/// One emptied file kept the whole node from starting.
#[test]
fn an_emptied_checkpoint_is_begun_anew() {
    on_each_backend(|ring, temp| async move {
        let path = temp.path().join("data");
        let dir = LogDir::open(&ring, &path, "cluster", 1).await.unwrap();
        assert!(dir.has_lost_checkpoints(), "a new directory has none yet");
        let entry = |offset| vec![OffsetEntry { topic: "topic".into(), partition: 0, offset }];
        let told = || Checkpoints {
            recovery_points: entry(3),
            log_starts: entry(2),
            high_watermarks: entry(4),
            cleaned: entry(3),
        };
        dir.write_checkpoints(told(), |_, _| false).await.unwrap();
        drop(dir);
        for (name, start) in [
            ("recovery-point-offset-checkpoint", (0, 2)),
            ("log-start-offset-checkpoint", (3, 0)),
            ("replication-offset-checkpoint", (3, 2)),
        ] {
            for content in ["", "0\n7\ntopic 0 3\n"] {
                std::fs::write(path.join(name), content).unwrap();
                let mut dir = LogDir::open(&ring, &path, "cluster", 1).await.unwrap();
                let known = dir.log_start("topic", 0);
                assert_eq!(
                    (known.recovery_point, known.log_start_offset),
                    start,
                    "{name} {content:?}"
                );
                assert!(dir.has_lost_checkpoints());
                dir.write_checkpoints(told(), |_, _| false).await.unwrap();
            }
            std::fs::remove_file(path.join(name)).unwrap();
            let dir = LogDir::open(&ring, &path, "cluster", 1).await.unwrap();
            assert!(dir.has_lost_checkpoints());
            dir.write_checkpoints(told(), |_, _| false).await.unwrap();
        }
        assert!(!LogDir::open(&ring, &path, "cluster", 1).await.unwrap().has_lost_checkpoints());
    });
}

/// Seed 20013637: a disk that was full had no checkpoints written, which was taken for a loss of
/// the whole directory.
#[test]
fn a_directory_without_checkpoints_has_lost_them_only_if_they_were_written() {
    on_each_backend(|ring, temp| async move {
        let path = temp.path().join("data");
        let open = || async { LogDir::open(&ring, &path, "cluster", 1).await.unwrap() };
        let says_unused =
            || std::fs::read_to_string(path.join("meta.properties")).unwrap().contains("unused");
        let id = open().await.directory_id();
        let dir = open().await;
        assert!(
            dir.is_unused() && dir.has_checkpoints() && says_unused(),
            "the second start, and none were written"
        );
        dir.write_checkpoints(Checkpoints::default(), |_, _| false).await.unwrap();
        assert!(!dir.is_unused() && !says_unused());
        drop(dir);
        let dir = open().await;
        assert!(dir.has_checkpoints() && !dir.is_unused() && dir.directory_id() == id);
        drop(dir);
        for name in ["recovery-point", "log-start", "replication"] {
            std::fs::remove_file(path.join(format!("{name}-offset-checkpoint"))).unwrap();
        }
        assert!(!open().await.has_checkpoints(), "they are lost");
    });
}

/// A partition that failed, or could not be opened, fell out of the checkpoints: at the next start
/// its deleted records were back.
#[test]
fn checkpoints_keep_what_a_silent_partition_said_before() {
    on_each_backend(|ring, temp| async move {
        let path = temp.path().join("data");
        let dir = LogDir::open(&ring, &path, "cluster", 1).await.unwrap();
        let entry = |partition, offset| OffsetEntry { topic: "topic".into(), partition, offset };
        let told = |log_starts: &[OffsetEntry]| Checkpoints {
            log_starts: log_starts.to_vec(),
            ..Checkpoints::default()
        };
        dir.write_checkpoints(told(&[entry(0, 5), entry(1, 6), entry(2, 7)]), |_, _| true)
            .await
            .unwrap();
        dir.write_checkpoints(told(&[entry(0, 8)]), |topic, partition| {
            topic == "topic" && partition != 2
        })
        .await
        .unwrap();
        drop(dir);
        let mut dir = LogDir::open(&ring, &path, "cluster", 1).await.unwrap();
        let starts: Vec<i64> =
            (0..3).map(|partition| dir.log_start("topic", partition).log_start_offset).collect();
        assert_eq!(starts, [8, 6, 0]);
        assert_eq!(dir.known_offset("topic", 1), 6);
    });
}

#[test]
fn a_directory_knows_how_far_the_metadata_had_got() {
    on_each_backend(|ring, temp| async move {
        let path = temp.path().join("data");
        let open = || async { LogDir::open(&ring, &path, "cluster", 1).await.unwrap() };
        let seen = |dir: &LogDir| (dir.metadata_seen().offset, dir.metadata_seen().went_back);
        let dir = open().await;
        assert_eq!(seen(&dir), (-1, false));
        dir.note_metadata(10, false).await.unwrap();
        dir.note_metadata(7, false).await.unwrap();
        drop(dir);
        let dir = open().await;
        assert_eq!(seen(&dir), (10, false));
        dir.note_metadata(-1, true).await.unwrap();
        dir.note_metadata(20, false).await.unwrap();
        dir.end_run(30).await.unwrap();
        drop(dir);
        // A broker epoch is an offset, too.
        assert_eq!(seen(&open().await), (30, true));
        std::fs::write(path.join("millstream-metadata-seen"), "").unwrap();
        assert_eq!(seen(&open().await), (30, true), "emptied: nothing is proven");
    });
}
