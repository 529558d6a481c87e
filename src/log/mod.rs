//! The log of one partition: Apache Kafka's files, byte for byte.
//!
//! Owns: the segments of a partition, its offsets, producer state and leader epochs, and the files
//! that hold them. Lives on: the core that leads or follows the partition; nothing here crosses
//! cores but the [`ring::File`]s that a read hands out. Never: knows sockets or requests, takes a
//! lock, or waits in an append.
//!
//! Appends decide and take effect in memory at once; [`Log::write_gathered`] carries everything
//! appended in a turn to the page cache with one system call; [`Log::sync`] to the disk. Records
//! that are in memory only stay readable there.
//!
//! Offsets of a log, from low to high: `recovery_point <= synced <= durable <= written <= log_end`,
//! and `log_start <= high_watermark <= log_end` (`invariants`).

mod append;
mod checkpoint;
pub mod cleaner;
pub mod commit_log;
mod dir;
mod epochs;
mod error;
mod fast_start;
mod files;
/// Public for benches/micro alone.
pub mod index;
mod invariants;
mod lookup;
pub mod mend;
mod producers;
mod read;
mod recovery;
mod reserve;
mod retention;
mod scan;
mod segment;
mod tail;
mod truncate;
mod txn_index;
mod walk;
mod wants;
pub mod whole;
mod writer;

#[cfg(test)]
pub(crate) mod tests;

pub use append::AppendInfo;
pub use checkpoint::{MalformedCheckpoint, MetaProperties, MetadataSeen, OffsetEntry};
pub use commit_log::PartitionId;
pub use dir::{
    Checkpoints, LogDir, LostCheckpoint, PartitionDir, StrayDir, bring_back, read_topic_id,
    set_aside,
};
pub use epochs::LeaderEpochs;
pub use error::{AppendError, Fault, LogError, ReadError, log_dir_of, remedy};
pub use fast_start::LogState;
pub use files::{create_dir_durably, parse_partition_dir, parse_segment, parse_stray_dir};
pub use lookup::TimestampOffsetEpoch;
pub use producers::{
    AppendContext, BatchMetadata, CompletedTransaction, Producer, ProducerError, ProducerStates,
    VerificationGuard,
};
pub use read::{ReadData, ReadPart, ReadParts};
pub use recovery::{LogStart, Opening};
pub use reserve::Reserve;
pub use tail::TailCache;
pub use truncate::Mark;
pub use txn_index::AbortedTransaction;
pub use wants::{Want, Wants};
pub use writer::Uncommitted;

pub use crate::config::topic::{CleanupPolicy, Durability, LogConfig};

use bytes::Bytes;
use commit_log::CommitLog;
use protocol::Uuid;
use ring::{
    Ring,
    sync::{AsyncMutex, Semaphore},
};
use segment::Segment;
use std::{
    cell::{Cell, Ref, RefCell},
    collections::VecDeque,
    path::PathBuf,
    rc::{Rc, Weak},
};
use tail::Tail;
use writer::Writer;

/// The log of one partition. Clones share it.
#[derive(Clone)]
pub struct Log(Rc<Inner>);

struct Inner {
    ring: Ring,
    dir: RefCell<PathBuf>,
    id: PartitionId,
    /// Where small appends are made durable; it has to hear of cuts.
    stream: RefCell<Weak<CommitLog>>,
    config: RefCell<Rc<LogConfig>>,
    /// In the order of their base offsets; the last one is appended to. Never empty.
    segments: RefCell<Vec<Rc<Segment>>>,
    producers: RefCell<ProducerStates>,
    epochs: RefCell<LeaderEpochs>,
    epochs_changed: Cell<bool>,
    tail: Rc<Tail>,
    writer: Writer,
    unfinished: RefCell<VecDeque<Unfinished>>,
    /// The names of a segment that went may come back after a crash.
    removal_unsynced: Cell<bool>,
    /// Held by a task that changes the files other than by appending.
    files_lock: AsyncMutex,
    log_start: Cell<i64>,
    log_end: Cell<i64>,
    high_watermark: Cell<i64>,
    recovery_point: Cell<i64>,
    told_recovery_point: Cell<i64>,
    /// The recovery point that the checkpoint file has, at least.
    kept_recovery_point: Cell<i64>,
    /// What lies below was compacted.
    first_dirty: Cell<i64>,
    /// Below this the tail may have what compaction has taken away.
    replaced_to: Cell<i64>,
    /// Where the two newest producer snapshots stand, the newest last; -1: none.
    snapshots: Cell<[i64; 2]>,
    bytes_since_snapshot: Cell<u64>,
}

/// A segment that has got its last batch, and what is still to be written of it.
struct Unfinished {
    segment: Rc<Segment>,
    end_offset: i64,
    /// The producer state where the segment ends.
    snapshot: Bytes,
}

/// A segment as metrics and DescribeLogDirs show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    pub base_offset: i64,
    pub size_bytes: u64,
    pub max_timestamp_ms: i64,
}

impl Log {
    pub fn dir(&self) -> PathBuf {
        self.0.dir.borrow().clone()
    }
    pub fn topic_id(&self) -> Uuid {
        self.0.id.topic_id
    }
    pub fn id(&self) -> PartitionId {
        self.0.id
    }
    /// From now on its appends may go by this stream.
    pub fn attach(&self, stream: &Rc<CommitLog>) {
        *self.0.stream.borrow_mut() = Rc::downgrade(stream);
    }
    /// From now on its writes do not hold up the core: they are left to the ring, so many of a
    /// directory at a time.
    pub fn write_behind(&self, slots: &Rc<Semaphore>) {
        self.0.writer.write_behind(slots);
    }
    pub fn config(&self) -> Rc<LogConfig> {
        self.0.config.borrow().clone()
    }
    /// Takes effect from the next append, retention or roll on.
    pub fn set_config(&self, config: Rc<LogConfig>) {
        config.check();
        *self.0.config.borrow_mut() = config;
    }

    /// An error of the disk was final: only another start finds out what the disk has.
    pub fn has_failed(&self) -> bool {
        self.0.writer.has_failed()
    }

    pub fn log_start_offset(&self) -> i64 {
        self.0.log_start.get()
    }
    /// The offset that the next record gets.
    pub fn log_end_offset(&self) -> i64 {
        self.0.log_end.get()
    }
    /// Everything below is in the page cache.
    pub fn written_offset(&self) -> i64 {
        self.0.writer.written.get()
    }
    /// Everything below is on the disk, in its own files or in the commit stream.
    pub fn durable_offset(&self) -> i64 {
        self.0.writer.durable.get()
    }
    /// Everything below is on the disk in its own files.
    pub fn synced_offset(&self) -> i64 {
        self.0.writer.synced.get()
    }
    /// Everything below is as safe as the topic asks for: may be acknowledged.
    pub fn safe_offset(&self) -> i64 {
        match self.config().durability {
            Durability::Fsync => self.durable_offset(),
            Durability::Os => self.written_offset(),
        }
    }
    /// Where recovery begins after a crash: everything below is on the disk with all that helps to
    /// read it.
    pub fn recovery_point(&self) -> i64 {
        self.0.recovery_point.get()
    }

    pub fn high_watermark(&self) -> i64 {
        self.0.high_watermark.get()
    }

    /// Raises the high watermark, within the log: the value that it has now.
    pub fn set_high_watermark(&self, offset: i64) -> i64 {
        let offset = offset.clamp(self.0.log_start.get(), self.0.log_end.get());
        let before = self.0.high_watermark.get();
        assert!(before <= offset, "the high watermark falls from {before} to {offset}");
        self.0.high_watermark.set(offset);
        self.0.producers.borrow_mut().on_high_watermark_updated(offset);
        offset
    }

    /// The first offset that a transaction has not decided yet, or the high watermark. Where the
    /// beginning of that transaction was deleted, the log's start.
    pub fn last_stable_offset(&self) -> i64 {
        let high_watermark = self.0.high_watermark.get();
        let start = self.0.log_start.get().min(high_watermark);
        let unstable = self.0.producers.borrow().first_unstable_offset();
        unstable.map_or(high_watermark, |offset| offset.clamp(start, high_watermark))
    }

    pub fn size_bytes(&self) -> u64 {
        self.0.segments.borrow().iter().map(|segment| u64::from(segment.size_bytes.get())).sum()
    }

    pub fn segment_count(&self) -> usize {
        self.0.segments.borrow().len()
    }

    pub fn segment_infos(&self) -> Vec<SegmentInfo> {
        let info = |segment: &Rc<Segment>| SegmentInfo {
            base_offset: segment.base_offset,
            size_bytes: u64::from(segment.size_bytes.get()),
            max_timestamp_ms: segment.max_timestamp.get().timestamp,
        };
        self.0.segments.borrow().iter().map(info).collect()
    }

    /// Producer state as the log has it: for DescribeProducers and transaction verification.
    pub fn producers(&self) -> Ref<'_, ProducerStates> {
        self.0.producers.borrow()
    }

    /// See [`ProducerStates::begin_verification`]: `now_ms` is wall-clock time.
    pub fn begin_verification(
        &self,
        producer_id: i64,
        producer_epoch: i16,
        base_sequence: i32,
        supports_epoch_bump: bool,
        now_ms: i64,
    ) -> Result<Option<VerificationGuard>, ProducerError> {
        self.0.producers.borrow_mut().begin_verification(
            producer_id,
            producer_epoch,
            base_sequence,
            supports_epoch_bump,
            now_ms,
        )
    }

    /// See [`ProducerStates::forget_verification`].
    pub fn forget_verification(&self, producer_id: i64, producer_epoch: i16) {
        self.0.producers.borrow_mut().forget_verification(producer_id, producer_epoch);
    }

    /// Leader epochs as the log has them.
    pub fn epochs(&self) -> Ref<'_, LeaderEpochs> {
        self.0.epochs.borrow()
    }

    /// The largest epoch up to `epoch` and the offset after its last record; -1 and -1 where there
    /// is none.
    pub fn end_of_epoch(&self, epoch: i32) -> (i32, i64) {
        self.epochs().end_offset_for(epoch, self.log_end_offset()).unwrap_or((-1, -1))
    }

    /// Forgets producers that have been silent for too long. `now_ms` is wall-clock time.
    pub fn expire_producers(&self, now_ms: i64) {
        let expiration_ms = self.config().producer_id_expiration_ms;
        self.0.producers.borrow_mut().remove_expired(now_ms, expiration_ms);
    }

    /// Gives back the memory and the descriptors of segments that were not used since the last
    /// call. `keep_active`: but for the file that is appended to, so that an append after a pause
    /// does not wait for it to be opened.
    pub fn release_unused(&self, keep_active: bool) {
        let segments = self.0.segments.borrow();
        for (at, segment) in segments.iter().enumerate().filter(|(_, segment)| !segment.take_used())
        {
            segment.offsets.borrow_mut().release_memory();
            segment.times.borrow_mut().release_memory();
            segment.close_idle_files(keep_active && at + 1 == segments.len());
        }
    }

    /// Gives back every descriptor that nothing needs at this moment. What needs one later opens
    /// the file again.
    pub fn close_idle_files(&self) {
        self.0.segments.borrow().iter().for_each(|segment| segment.close_idle_files(false));
    }

    /// Whether it takes no records for now: it lacks something that may come.
    pub fn is_waiting(&self) -> bool {
        self.0.writer.is_waiting()
    }

    fn segments(&self) -> Vec<Rc<Segment>> {
        self.0.segments.borrow().clone()
    }

    fn active(&self) -> Rc<Segment> {
        self.0.segments.borrow().last().expect("a log has a segment").clone()
    }

    /// The segment that holds `offset`, with the base offset of the next one.
    fn segment_of(&self, offset: i64) -> Option<(Rc<Segment>, Option<i64>)> {
        let segments = self.0.segments.borrow();
        let after = segments.partition_point(|segment| segment.base_offset <= offset);
        let segment = segments.get(after.checked_sub(1)?)?;
        let base = segment.base_offset;
        assert!(base <= offset, "{offset} is looked for in the segment at {base}");
        Some((segment.clone(), segments.get(after).map(|next| next.base_offset)))
    }

    fn next_segment(&self, base_offset: i64) -> Option<Rc<Segment>> {
        let segments = self.0.segments.borrow();
        let next = segments
            .get(segments.partition_point(|segment| segment.base_offset <= base_offset))
            .cloned();
        let base = next.as_ref().map(|next| next.base_offset);
        assert!(
            base.is_none_or(|base| base_offset < base),
            "the segment at {base:?} follows that at {base_offset}"
        );
        next
    }
}
