//! The start after a clean shutdown: what each log said about itself when it was closed.
//!
//! One file per shard in the log directory, `millstream-recovery-checkpoint.SHARD`: rkyv, validated
//! on access, believed only after the clean shutdown that it belongs to. Where the sizes of a log's
//! files are still the same, it is opened with one listing of its folder; without it, or when in
//! doubt, by reading the ends of its files. A log that has less than it had is refused.

use super::{
    Fault, Log,
    checkpoint::{self, MalformedCheckpoint},
    epochs::LeaderEpochs,
    files,
    index::{Entry, Index, OFFSET_ENTRY_BYTES, TIME_ENTRY_BYTES},
    producers::ProducerStates,
    recovery::{Loaded, MAX_SNAPSHOT_BYTES},
    segment::{Segment, SegmentFile, TimestampOffset},
    txn_index::{ENTRY_BYTES as TXN_ENTRY_BYTES, TxnIndex},
};
use bytes::Bytes;
use protocol::{Uuid, records::NO_TIMESTAMP};
use ring::{DirEntry, Ring};
use std::{collections::BTreeMap, path::Path, rc::Rc};

pub(super) const FILE_PREFIX: &str = "millstream-recovery-checkpoint";

/// A closed log.
#[derive(Clone, Debug, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct LogState {
    /// Name of the folder.
    pub dir: String,
    topic_id: [u8; 16],
    log_start_offset: i64,
    log_end_offset: i64,
    snapshot_offset: i64,
    has_producers: bool,
    epochs: Vec<(i32, i64)>,
    segments: Vec<SegmentState>,
}

#[derive(Clone, Debug, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
struct SegmentState {
    base_offset: i64,
    size_bytes: u32,
    offset_entries: u32,
    last_offset_entry: (u32, u32),
    time_entries: u32,
    last_time_entry: (i64, u32),
    aborted_entries: u32,
    max_timestamp: (i64, i64),
    first_timestamp: Option<i64>,
    bytes_since_entry: u32,
}

impl SegmentState {
    fn of(segment: &Segment) -> Self {
        segment.check_synced();
        let (offsets, times) = (segment.offsets.borrow(), segment.times.borrow());
        let (size, entry) = (segment.size_bytes.get(), offsets.last().map(|last| last.position()));
        assert!(
            entry < Some(size),
            "an index entry leads to byte {entry:?} of {segment}, of {size}"
        );
        let max = segment.max_timestamp.get();
        let last = times.last().map_or(NO_TIMESTAMP, |last| last.timestamp());
        assert!(
            last <= max.timestamp,
            "an index entry of {segment} has time {last}, and its batches {} at most",
            max.timestamp
        );
        assert!(
            segment.base_offset <= max.offset,
            "the latest record of {segment} has offset {}",
            max.offset
        );
        let since_entry = segment.bytes_since_entry();
        assert!(since_entry <= size, "{since_entry} bytes of {segment}, of {size}, have no entry");
        Self {
            base_offset: segment.base_offset,
            size_bytes: segment.size_bytes.get(),
            offset_entries: offsets.count(),
            last_offset_entry: offsets
                .last()
                .map_or((0, 0), |last| (last.relative_offset(), last.position())),
            time_entries: times.count(),
            last_time_entry: times
                .last()
                .map_or((0, 0), |last| (last.timestamp(), last.timestamp_relative_offset())),
            aborted_entries: segment.aborted.borrow().count(),
            max_timestamp: (max.timestamp, max.offset),
            first_timestamp: segment.first_timestamp.get(),
            bytes_since_entry: segment.bytes_since_entry(),
        }
    }

    /// Sizes of the files, by [`SegmentFile`].
    fn sizes(&self) -> [u64; 4] {
        [
            u64::from(self.size_bytes),
            u64::from(self.offset_entries) * OFFSET_ENTRY_BYTES as u64,
            u64::from(self.time_entries) * TIME_ENTRY_BYTES as u64,
            u64::from(self.aborted_entries) * TXN_ENTRY_BYTES as u64,
        ]
    }

    fn restore(&self, now_ms: i64) -> Segment {
        let segment = Segment::new(self.base_offset, now_ms);
        for part in [SegmentFile::Log, SegmentFile::Offsets, SegmentFile::Times] {
            segment.set_exists(part, true);
        }
        segment.set_exists(SegmentFile::Aborted, self.aborted_entries > 0);
        let (relative, position) = self.last_offset_entry;
        let last = (self.offset_entries > 0).then(|| Entry::for_offset(relative, position));
        *segment.offsets.borrow_mut() =
            Index::stored(OFFSET_ENTRY_BYTES, self.offset_entries, last);
        let (timestamp, relative) = self.last_time_entry;
        let last = (self.time_entries > 0).then(|| Entry::for_time(timestamp, relative));
        *segment.times.borrow_mut() = Index::stored(TIME_ENTRY_BYTES, self.time_entries, last);
        *segment.aborted.borrow_mut() = TxnIndex::stored(self.aborted_entries);
        segment.size_bytes.set(self.size_bytes);
        segment.written_bytes.set(self.size_bytes);
        segment.synced_bytes.set(self.size_bytes);
        segment.set_indexes_synced();
        let (timestamp, offset) = self.max_timestamp;
        segment.max_timestamp.set(TimestampOffset { timestamp, offset });
        segment.first_timestamp.set(self.first_timestamp);
        segment.set_bytes_since_entry(self.bytes_since_entry);
        segment
    }
}

impl LogState {
    pub(super) fn of(log: &Log) -> Self {
        let (recovery_point, end) = (log.recovery_point(), log.log_end_offset());
        assert_eq!(recovery_point, end, "a log tells of itself when the disk has all of it");
        let snapshot = log.0.snapshots.get()[1];
        assert!(snapshot <= end, "a snapshot at {snapshot} of a log that ends at {end}");
        let latest = log.epochs().entries().last().map(|(_, start)| *start);
        assert!(
            latest.is_none_or(|start| start <= end),
            "an epoch begins at {latest:?} of a log that ends at {end}"
        );
        Self {
            dir: log
                .dir()
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            topic_id: log.topic_id().0,
            log_start_offset: log.log_start_offset(),
            log_end_offset: log.log_end_offset(),
            snapshot_offset: log.0.snapshots.get()[1],
            has_producers: !log.producers().is_empty(),
            epochs: log.epochs().entries_with_records(log.log_end_offset()),
            segments: log.segments().iter().map(|segment| SegmentState::of(segment)).collect(),
        }
    }

    pub(super) fn log_end_offset(&self) -> i64 {
        self.log_end_offset
    }

    /// How many aborted transactions the index of a segment had.
    pub(super) fn aborted_entries(&self, base_offset: i64) -> Option<u32> {
        let mut of = self.segments.iter().filter(|segment| segment.base_offset == base_offset);
        let found = of.next().map(|segment| segment.aborted_entries);
        assert!(of.next().is_none(), "two segments at {base_offset}");
        found
    }

    /// The first segment's file that is not there, or shorter than it was, by the sizes of the
    /// files of the folder.
    pub(super) fn shortfall(&self, sizes: &BTreeMap<String, u64>) -> Option<(String, Fault)> {
        self.segments.iter().find_map(|segment| {
            let name = files::name(segment.base_offset, files::LOG);
            let expected_bytes = u64::from(segment.size_bytes);
            match sizes.get(&name) {
                None => Some((name, Fault::Missing)),
                Some(size_bytes) if *size_bytes < expected_bytes => {
                    Some((name, Fault::Shorter { size_bytes: *size_bytes, expected_bytes }))
                }
                Some(_) => None,
            }
        })
    }

    /// The last segment's index files that are not there, or shorter than they were. A log that is
    /// read makes them anew.
    pub(super) fn short_indexes(&self, sizes: &BTreeMap<String, u64>) -> Vec<String> {
        let parts = |segment: &SegmentState| {
            SegmentFile::ALL.into_iter().zip(segment.sizes()).skip(1).collect::<Vec<_>>()
        };
        let short = |base: i64, (part, expected): (SegmentFile, u64)| {
            let name = files::name(base, part.extension());
            (sizes.get(&name).copied().unwrap_or(0) < expected).then_some(name)
        };
        let last = self.segments.last();
        last.map_or_else(Vec::new, |last| {
            parts(last).into_iter().filter_map(|one| short(last.base_offset, one)).collect()
        })
    }

    /// Whether the folder holds exactly the files that the log had, with the sizes that they had.
    fn matches(&self, topic_id: Uuid, entries: &[DirEntry]) -> bool {
        let size_of = |name: &str| {
            entries.iter().find(|entry| entry.name == name).map(|entry| entry.size_bytes)
        };
        let logs = entries
            .iter()
            .filter_map(|entry| files::parse(&entry.name))
            .filter(|(_, kind)| *kind == files::LOG);
        self.topic_id == topic_id.0
            && !self.segments.is_empty()
            && logs.count() == self.segments.len()
            && !entries.iter().any(|entry| {
                [files::SWAP_SUFFIX, files::CLEANED_SUFFIX]
                    .iter()
                    .any(|suffix| entry.name.ends_with(suffix))
            })
            && self.segments.iter().all(|segment| {
                SegmentFile::ALL.into_iter().zip(segment.sizes()).all(|(part, size)| {
                    let found = size_of(&files::name(segment.base_offset, part.extension()));
                    found == Some(size)
                        || (part == SegmentFile::Aborted && size == 0 && found.is_none())
                })
            })
    }
}

/// The log as it was closed, read without changing anything; `None` where its files are not what it
/// says.
pub(super) async fn restore(
    ring: &Ring,
    dir: &Path,
    topic_id: Uuid,
    state: &LogState,
    entries: &[DirEntry],
    expiration_ms: i64,
) -> Option<Loaded> {
    if !state.matches(topic_id, entries) {
        tracing::debug!(dir = %dir.display(), "the recovery checkpoint does not fit the files: \
            they are read instead");
        return None;
    }
    let producers = if state.has_producers {
        let path = files::path(dir, state.snapshot_offset, files::SNAPSHOT);
        let bytes = ring.read_file(&path, MAX_SNAPSHOT_BYTES).await.ok()?;
        let decoded = ProducerStates::decode_snapshot(
            &bytes,
            state.snapshot_offset,
            ring.wall_clock_ms(),
            expiration_ms,
        );
        if let Err(error) = &decoded {
            tracing::warn!(path = %path.display(), %error, "a producer snapshot is damaged: an \
                older one is used");
        }
        decoded.ok()?
    } else {
        ProducerStates::new(state.log_end_offset)
    };
    let now_ms = ring.wall_clock_ms();
    let epochs_changed = !has_epochs(state, entries);
    if epochs_changed {
        tracing::warn!(
            path = %dir.join(files::LEADER_EPOCHS).display(),
            "it is missing, or has another size than when the log was closed: it is written anew"
        );
    }
    Some(Loaded {
        segments: state.segments.iter().map(|segment| Rc::new(segment.restore(now_ms))).collect(),
        producers,
        epochs: LeaderEpochs::from_entries(state.epochs.clone()),
        epochs_changed,
        snapshot_offset: state.snapshot_offset,
        log_start: state.log_start_offset,
        log_end: state.log_end_offset,
        recovery_point: state.log_end_offset,
    })
}

/// Whether the leader epochs have the size that they were written with.
fn has_epochs(state: &LogState, entries: &[DirEntry]) -> bool {
    let found = entries
        .iter()
        .find(|entry| entry.name == files::LEADER_EPOCHS)
        .map(|entry| entry.size_bytes);
    let expected = checkpoint::format_epochs(&state.epochs).len() as u64;
    found == Some(expected) || (found.is_none() && state.epochs.is_empty())
}

/// The closed logs of one shard, in any order.
#[derive(Clone, Debug, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub(super) struct States {
    /// Of the run that closed them, as `.kafka_cleanshutdown` has it: Apache Kafka may have had the
    /// logs since.
    pub broker_epoch: i64,
    pub logs: Vec<LogState>,
}

/// The CRC-32C of the rest comes last: what rkyv finds in order may still have other numbers than
/// were written.
const CHECKSUM_BYTES: usize = 4;

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    (crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes) as u32).to_be_bytes()
}

pub(super) fn encode(states: &States) -> Bytes {
    let bytes = rkyv::to_bytes::<rkyv::rancor::Error>(states).expect("plain data serialises");
    let encoded = Bytes::from([&bytes[..], &checksum(&bytes)[..]].concat());
    assert!(decode(&encoded).as_ref() == Ok(states), "what logs say of themselves reads back");
    encoded
}

/// Everything is checked before it is used.
pub(super) fn decode(bytes: &[u8]) -> Result<States, MalformedCheckpoint> {
    let malformed = |reason: String| MalformedCheckpoint { line: 0, reason };
    let (bytes, found) = bytes
        .split_last_chunk::<CHECKSUM_BYTES>()
        .ok_or_else(|| malformed("it is empty".to_owned()))?;
    if checksum(bytes) != *found {
        return Err(malformed("its checksum does not match".to_owned()));
    }
    let mut aligned = rkyv::util::AlignedVec::<16>::with_capacity(bytes.len());
    aligned.extend_from_slice(bytes);
    rkyv::from_bytes::<States, rkyv::rancor::Error>(&aligned)
        .map_err(|error| malformed(error.to_string()))
}
