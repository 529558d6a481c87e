//! Appending: offsets, producer state, indexes and tail change at once, in memory; files follow
//! (see [`super::writer`]).
//!
//! Lives on the core of the log. Never waits: a new segment's file is opened behind the append that
//! began it.

use super::{
    AppendError, Log, Unfinished,
    producers::{AppendContext, Checked, CompletedTransaction, ProducerStates},
    segment::{RollInput, Segment, should_roll},
    txn_index::AbortedTransaction,
};
use bytes::{Bytes, BytesMut};
use protocol::records::{
    Batch, NO_TIMESTAMP, RecordsError, TimestampType, batches,
    validate::{ValidBatch, assign},
};
use rustc_hash::FxBuildHasher;
use std::{hash::BuildHasher, rc::Rc};

/// What became of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendInfo {
    pub base_offset: i64,
    pub last_offset: i64,
    /// The time that the log has given the records; -1 where they keep their creator's. Of a
    /// duplicate, the largest timestamp of the batch that is here.
    pub log_append_time_ms: i64,
    pub log_start_offset: i64,
    /// The records were here already (an idempotent producer has repeated itself): nothing was
    /// appended.
    pub duplicate: bool,
}

impl Log {
    /// Appends one batch that [`protocol::records::validate`] has accepted: gives it offsets, the
    /// leader's epoch and the timestamps that the topic wants, in place. `now_ms` is wall-clock
    /// time. It is readable at once, and safe when [`Log::safe_offset`] passes it.
    pub fn append_as_leader(
        &self,
        mut batch: BytesMut,
        valid: &ValidBatch,
        leader_epoch: i32,
        now_ms: i64,
        context: &AppendContext,
    ) -> Result<AppendInfo, AppendError> {
        assert_eq!(batch.len(), valid.size_bytes, "the bytes validated are those appended");
        self.check_appendable(batch.len())?;
        let config = self.config();
        let base_offset = self.log_end_offset();
        assign(&mut batch, valid, config.message_timestamp_type, base_offset, leader_epoch);
        let batch = batch.freeze();
        let parsed = Batch::parse(&batch)?;
        assert_eq!(parsed.base_offset(), base_offset, "the batch has the offset that it was given");
        let epoch = parsed.partition_leader_epoch();
        assert_eq!(epoch, leader_epoch, "the batch has the epoch that it was given");
        let log_append_time_ms = match config.message_timestamp_type {
            TimestampType::LogAppendTime => valid.max_timestamp,
            TimestampType::CreateTime => NO_TIMESTAMP,
        };
        let info = AppendInfo {
            base_offset,
            last_offset: parsed.last_offset(),
            log_append_time_ms,
            log_start_offset: self.log_start_offset(),
            duplicate: false,
        };
        match self.0.producers.borrow().check(&parsed, context)? {
            Checked::Duplicate { base_offset, last_offset, timestamp } => {
                // The clock that stamped it does not matter, as in Kafka.
                let log_append_time_ms = timestamp;
                return Ok(AppendInfo {
                    base_offset,
                    last_offset,
                    log_append_time_ms,
                    duplicate: true,
                    ..info
                });
            }
            Checked::New => {}
        }
        let last_offset = parsed.last_offset();
        self.roll_if_needed(batch.len(), base_offset, last_offset, parsed.max_timestamp(), now_ms);
        self.take(&[parsed], &batch);
        assert_eq!(info.last_offset + 1, self.log_end_offset(), "the answer tells what was taken");
        Ok(info)
    }

    /// Appends batches as their leader has them, offsets and epochs set. They follow the end of the
    /// log; where compaction has left gaps, with a gap.
    pub fn append_as_follower(&self, records: Bytes) -> Result<AppendInfo, AppendError> {
        self.check_appendable(records.len())?;
        let parsed = batches(&records).collect::<Result<Vec<_>, _>>()?;
        let mut log_end_offset = self.log_end_offset();
        for batch in &parsed {
            if batch.base_offset() < log_end_offset || batch.next_offset() <= batch.base_offset() {
                return Err(AppendError::NotNext {
                    base_offset: batch.base_offset(),
                    log_end_offset,
                });
            }
            log_end_offset = batch.next_offset();
        }
        let (Some(first), Some(last)) = (parsed.first(), parsed.last()) else {
            let end = self.log_end_offset();
            return Ok(self.info_of(end, end - 1));
        };
        let (base_offset, last_offset) = (first.base_offset(), last.last_offset());
        self.take_as_is(&parsed, &records);
        assert_eq!(self.log_end_offset(), log_end_offset, "all that was checked was taken");
        Ok(self.info_of(base_offset, last_offset))
    }

    /// Appends what the commit stream has of this log, up to offset `to`, as far as the log lacks
    /// it.
    pub(super) fn append_replayed(&self, records: &Bytes, to: i64) -> Result<(), AppendError> {
        let (mut at, mut is_cut) = (0, false);
        let before = self.log_end_offset();
        for batch in batches(records) {
            let batch = batch?;
            let (log_end_offset, size_bytes) = (self.log_end_offset(), batch.size_bytes());
            if !batch.crc_is_valid() || batch.next_offset() <= batch.base_offset() {
                return Err(AppendError::Malformed(RecordsError::BadRecord {
                    index: 0,
                    reason: "a batch is damaged",
                }));
            }
            if batch.next_offset() > to {
                is_cut = true;
                break;
            }
            if batch.next_offset() > log_end_offset {
                if batch.base_offset() < log_end_offset {
                    return Err(AppendError::NotNext {
                        base_offset: batch.base_offset(),
                        log_end_offset,
                    });
                }
                self.take_as_is(&[batch], &records.slice(at..at + size_bytes));
            }
            at += size_bytes;
        }
        let end = self.log_end_offset();
        if end < to && !is_cut {
            let reason = "its last records are missing";
            return Err(AppendError::Malformed(RecordsError::BadRecord { index: 0, reason }));
        }
        assert!(end <= before.max(to), "records up to {to} are taken, and the log ends at {end}");
        Ok(())
    }

    /// Takes batches that follow the end of the log, in a new segment where they need one.
    fn take_as_is(&self, parsed: &[Batch<'_>], records: &Bytes) {
        let (base_offset, last_offset) =
            (parsed[0].base_offset(), parsed[parsed.len() - 1].last_offset());
        let max_timestamp =
            parsed.iter().map(|batch| batch.max_timestamp()).max().unwrap_or(NO_TIMESTAMP);
        let now_ms = self.0.ring.wall_clock_ms();
        self.roll_if_needed(records.len(), base_offset, last_offset, max_timestamp, now_ms);
        self.take(parsed, records);
    }

    fn info_of(&self, base_offset: i64, last_offset: i64) -> AppendInfo {
        AppendInfo {
            base_offset,
            last_offset,
            log_append_time_ms: NO_TIMESTAMP,
            log_start_offset: self.log_start_offset(),
            duplicate: false,
        }
    }

    fn check_appendable(&self, size_bytes: usize) -> Result<(), AppendError> {
        if self.0.writer.refusal().is_some() {
            // There may be room on the disk again.
            let _ = self.write_gathered();
            if let Some(why) = self.0.writer.refusal() {
                return Err(AppendError::Storage(why));
            }
        }
        let segment_bytes = self.config().segment_bytes;
        if size_bytes > segment_bytes as usize {
            return Err(AppendError::LargerThanSegment { size_bytes, segment_bytes });
        }
        Ok(())
    }

    /// Takes batches into the active segment, the producer state, the epochs, and the tail.
    fn take(&self, parsed: &[Batch<'_>], records: &Bytes) {
        let segment = self.active();
        let (position, end_before) = (segment.size_bytes.get(), self.log_end_offset());
        let interval = self.config().index_interval_bytes;
        for batch in parsed {
            segment.add_batch(batch, batch.size_bytes() as u32, interval);
            self.take_epoch(batch);
            take_producer(&mut self.0.producers.borrow_mut(), batch, &segment);
        }
        let (first, last) = (&parsed[0], &parsed[parsed.len() - 1]);
        let (base_offset, end_offset) = (first.base_offset(), last.next_offset());
        assert!(
            end_before <= base_offset,
            "the log ends at {end_before}, and {base_offset} is appended"
        );
        assert!(base_offset < end_offset, "{base_offset} to {end_offset} is appended");
        assert_eq!(
            segment.size_bytes.get() as usize,
            position as usize + records.len(),
            "the segment has grown by what was appended"
        );
        assert_eq!(
            self.0.producers.borrow().map_end_offset(),
            end_offset,
            "the producer state is that of the log's end"
        );
        self.0.log_end.set(end_offset);
        self.0.bytes_since_snapshot.set(self.0.bytes_since_snapshot.get() + records.len() as u64);
        let kept = self.0.tail.push(base_offset, end_offset, records.clone());
        self.0.writer.gather(segment, position, kept, end_offset);
    }

    fn take_epoch(&self, batch: &Batch<'_>) {
        let epoch = batch.partition_leader_epoch();
        if epoch < 0 {
            return;
        }
        let (base, end) = (batch.base_offset(), self.log_end_offset());
        if self.0.epochs.borrow_mut().take_batch(epoch, base, end) {
            self.0.epochs_changed.set(true);
        }
    }

    /// A leader's epoch begins at the end of the log. Known to readers at once; on disk once it has
    /// records, so that a start does not write a file for each partition.
    pub fn assign_leader_epoch(&self, epoch: i32) {
        let mut epochs = self.0.epochs.borrow_mut();
        epochs.assign(epoch, self.log_end_offset());
        assert_eq!(epochs.latest(), Some(epoch), "the epoch that is assigned is written from now");
    }

    fn roll_if_needed(
        &self,
        incoming_bytes: usize,
        base_offset: i64,
        last_offset: i64,
        max_timestamp: i64,
        now_ms: i64,
    ) {
        assert!(incoming_bytes <= u32::MAX as usize, "{incoming_bytes} bytes fit in no segment");
        let segment = self.active();
        let config = self.config();
        let waited_ms = match segment.first_timestamp.get() {
            Some(first) if first >= 0 => max_timestamp.saturating_sub(first),
            _ => now_ms.saturating_sub(segment.created_ms),
        };
        let input = RollInput {
            size_bytes: segment.size_bytes.get(),
            incoming_bytes: incoming_bytes as u32,
            segment_bytes: config.segment_bytes,
            waited_ms,
            segment_ms: config.roll_ms()
                - config
                    .roll_jitter_ms(|| FxBuildHasher.hash_one((self.id(), segment.base_offset))),
            indexes_full: segment.indexes_full(&config),
            offsets_fit: segment.holds_offset(last_offset),
        };
        if should_roll(&input) && (base_offset > segment.base_offset || !input.offsets_fit) {
            self.roll(base_offset, now_ms);
        }
    }

    /// Begins a new segment at `base_offset`. What the old one still owes to the disk (index files,
    /// a producer snapshot) is written behind.
    pub(super) fn roll(&self, base_offset: i64, now_ms: i64) -> Rc<Segment> {
        let old = self.active();
        let (old_base, end) = (old.base_offset, self.log_end_offset());
        assert!(old_base < base_offset, "a segment at {base_offset} follows one at {old_base}");
        assert!(end <= base_offset, "a segment at {base_offset} follows a log's end at {end}");
        old.add_time_entry();
        let new = Rc::new(Segment::new(base_offset, now_ms));
        self.0.segments.borrow_mut().push(new.clone());
        let snapshot = self.0.producers.borrow().encode_snapshot();
        let newest = self.0.snapshots.get()[1];
        assert!(newest <= base_offset, "a snapshot at {base_offset} follows one at {newest}");
        self.0.snapshots.set([newest, base_offset]);
        self.0.bytes_since_snapshot.set(0);
        self.owe(Unfinished { segment: old, end_offset: base_offset, snapshot });
        let log = self.clone();
        drop(self.0.ring.spawn_named("segment roll", async move {
            let _guard = log.0.files_lock.lock().await;
            if log.has_ended() {
                // The folder may be another log's by now.
                return;
            }
            // Recovery could rebuild all of it; the next checkpoint tries again before it relies on
            // it.
            if let Err(error) = log.finish_rolled().await {
                if ring::passes(&error) {
                    return drop(log.lacks("indexes of finished segments are not written", &error));
                }
                let dir = log.dir();
                tracing::warn!(dir = %dir.display(), %error, "the indexes of a finished segment \
                    could not be written yet");
            }
        }));
        new
    }
}

/// Takes a batch into the producer state; a transaction that it aborts goes to the segment's index.
pub(super) fn take_producer(producers: &mut ProducerStates, batch: &Batch<'_>, segment: &Segment) {
    if let Some(CompletedTransaction {
        producer_id,
        first_offset,
        last_offset,
        aborted: true,
        last_stable_offset,
    }) = producers.apply(batch)
    {
        let aborted =
            AbortedTransaction { producer_id, first_offset, last_offset, last_stable_offset };
        segment.aborted.borrow_mut().push(aborted);
    }
}
