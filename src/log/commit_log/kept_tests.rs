//! Streams that are kept for partitions which could not be opened: taken out of the way, also in
//! two tries, and read late.

use super::{
    frame::{Entry, FrameId, encode},
    tests::{append_one, commit_one, id, open_log, replay_of, stream_in, values},
    *,
};
use crate::log::{
    Fault, Log, LogError, LogStart, TailCache,
    tests::{on_each_backend, small_config},
};
use ring::{AlignedBuf, Ring};
use std::{cell::RefCell, collections::BTreeMap};

/// Opens partition 0 again, whose own file is lost.
async fn open_late(ring: &Ring, dir: &Path, start: LogStart) -> Result<Log, LogError> {
    let folder = dir.join("topic-0");
    std::fs::remove_file(folder.join("00000000000000000000.log")).unwrap();
    let config = small_config().shared();
    Log::open(ring, folder, id(0).topic_id, config, start, TailCache::new(1 << 20)).await
}

/// The files were renamed meanwhile, and a new stream had begun under the old name: the partition
/// opened without its records, or with another one's.
#[test]
fn a_partition_opened_after_its_stream_was_set_aside_gets_its_own_records() {
    on_each_backend(|ring, dir| async move {
        let stream = stream_in(&ring, dir.path(), 0);
        let log = open_log(&ring, dir.path(), 0, small_config(), LogStart::default()).await;
        commit_one(&stream, &log, b"P").await;
        drop((stream, log));
        let found = find(&ring, dir.path(), false).await.unwrap();
        let mut late = replay_of(&found, 0);
        let names = RefCell::new(BTreeMap::new());
        let moved = |from: &Path, to: PathBuf| drop(names.borrow_mut().insert(from.to_owned(), to));
        set_aside(&ring, dir.path(), &found, &[id(0)], &moved).await.unwrap();
        let error = open_late(&ring, dir.path(), late.clone()).await.map(drop).unwrap_err();
        assert!(error.passes(), "its file has another name: {error}");
        // Of the same length, at the same place.
        let next = stream_in(&ring, dir.path(), 0);
        let other = open_log(&ring, dir.path(), 1, small_config(), LogStart::default()).await;
        commit_one(&next, &other, b"Q").await;
        let error = open_late(&ring, dir.path(), late.clone()).await.map(drop).unwrap_err();
        assert!(error.passes(), "its file's name is another one's: {error}");
        for part in &mut late.replay {
            part.path = names.borrow()[&*part.path].as_path().into();
        }
        let log = open_late(&ring, dir.path(), late).await.unwrap();
        assert_eq!(values(&ring, &log).await, BTreeMap::from([(0, b"P".to_vec())]));
    });
}

#[test]
fn a_part_without_its_last_records_is_refused() {
    on_each_backend(|ring, dir| async move {
        let stream = stream_in(&ring, dir.path(), 0);
        let log = open_log(&ring, dir.path(), 0, small_config(), LogStart::default()).await;
        append_one(&log, b"one");
        append_one(&log, b"two");
        log.wait_written().await.unwrap();
        stream.commit(std::slice::from_ref(&log)).await.unwrap();
        drop((stream, log));
        let found = find(&ring, dir.path(), false).await.unwrap();
        let mut start = replay_of(&found, 0);
        assert_eq!(start.replay.len(), 1);
        start.replay[0].length /= 2;
        let error = open_late(&ring, dir.path(), start).await.map(drop).unwrap_err();
        let is_refused =
            matches!(&error, LogError::Damaged { fault: Fault::StreamRecords { .. }, .. });
        assert!(is_refused, "{error}");
    });
}

/// Two files of one incarnation, of which the first was used again: it has the later frame.
fn write_two_files(dir: &Path) {
    for (number, sequence, from) in [(0, 2, 1), (1, 1, 0)] {
        let mut frame = AlignedBuf::default();
        let frame_id = FrameId { incarnation: 7, sequence, live_from: 1 };
        let entries =
            [0, 1].map(|of| Entry::Records { id: id(of), from, to: from + 1, length: 10 });
        encode(&mut frame, frame_id, &entries, [[1; 10], [2; 10]].iter().map(|bytes| &bytes[..]));
        std::fs::write(file_path(dir, 0, number), &frame[..]).unwrap();
    }
}

fn offsets(found: &Found, number: i32) -> Vec<i64> {
    found.parts.get(&id(number)).into_iter().flatten().map(|part| part.from).collect()
}

/// What was kept was taken first, and what was not yet kept behind it: there seemed to be a gap.
#[test]
fn a_stream_that_was_set_aside_half_way_is_one_stream() {
    on_each_backend(|ring, dir| async move {
        write_two_files(dir.path());
        let found = find(&ring, dir.path(), false).await.unwrap();
        assert_eq!((offsets(&found, 0), offsets(&found, 1)), (vec![0, 1], vec![0, 1]));
        set_aside(&ring, dir.path(), &found, &[id(0)], &|_, _| {}).await.unwrap();
        let whole = find(&ring, dir.path(), true).await.unwrap();
        assert_eq!((offsets(&whole, 0), whole.missing_frames), (vec![0, 1], 0));
        // As a kill leaves it before the second one has its name.
        let second = whole.files().find(|path| path.to_string_lossy().contains("-1.")).unwrap();
        std::fs::rename(second, file_path(dir.path(), 0, 1)).unwrap();
        let half = find(&ring, dir.path(), false).await.unwrap();
        assert_eq!((offsets(&half, 0), half.missing_frames), (vec![0, 1], 0));
        assert_eq!(offsets(&half, 1), [0; 0], "it was open when the list was written");
        // The next start ends it.
        set_aside(&ring, dir.path(), &half, &[id(0)], &|_, _| {}).await.unwrap();
        let ended = find(&ring, dir.path(), true).await.unwrap();
        assert_eq!((offsets(&ended, 0), ended.missing_frames), (vec![0, 1], 0));
    });
}

/// Where there was no room for the second one's name: the directory had no stream for the run.
#[test]
fn setting_a_stream_aside_may_be_tried_again() {
    on_each_backend(|ring, dir| async move {
        write_two_files(dir.path());
        let found = find(&ring, dir.path(), false).await.unwrap();
        let told = RefCell::new(Vec::new());
        let moved = |from: &Path, to: PathBuf| told.borrow_mut().push((from.to_owned(), to));
        set_aside(&ring, dir.path(), &found, &[id(0)], &moved).await.unwrap();
        let first = told.take();
        let (from, to) = &first[1];
        std::fs::rename(to, from).unwrap();
        set_aside(&ring, dir.path(), &found, &[id(0)], &moved).await.unwrap();
        assert_eq!(told.take(), first);
        let kept = find(&ring, dir.path(), true).await.unwrap();
        assert_eq!((offsets(&kept, 0), kept.files().count()), (vec![0, 1], 2));
    });
}
