//! What one partition remembers of its producers: enough to recognise a repeated batch, refuse a
//! gap or a fenced producer, and know which transactions are open (KIP-98, KIP-447, KIP-890).
//!
//! Owns: the state in memory and the bytes of its `.snapshot` file. Lives on the core of its log.
//! Never: does I/O, reads the clock, or decides which snapshot to load. Semantics:
//! `ProducerStateManager` and `ProducerAppendInfo`.

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};
use crc_fast::CrcAlgorithm;
use protocol::generated::file::producer_snapshot;
use protocol::message::Message;
use protocol::records::validate::AppendOrigin;
use protocol::records::{
    Batch, EndTransactionMarker, NO_PRODUCER_EPOCH, NO_SEQUENCE, NO_TIMESTAMP, decrement_sequence,
};
use protocol::{DecodeError, ErrorCode, Reader};
use rustc_hash::FxHashMap;

use crate::limits;

/// Batches of a producer that are recognised when they come again: as many as a client may have in
/// flight.
const RECENT_BATCHES: usize = 5;
/// A transaction is late when it is open for this long after its timeout.
const LATE_TRANSACTION_BUFFER_MS: i64 = 5 * 60 * 1000;
/// Snapshot file: version i16, CRC-32C u32 of what follows, then the entries (schema
/// ProducerSnapshot).
const SNAPSHOT_VERSION: i16 = 1;
const SNAPSHOT_CRC_OFFSET: usize = 2;
const SNAPSHOT_ENTRIES_OFFSET: usize = 6;

/// A batch that the producer state refuses, with the code for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ProducerError {
    pub error: ErrorCode,
    pub message: String,
}

fn refuse<T>(error: ErrorCode, message: String) -> Result<T, ProducerError> {
    Err(ProducerError { error, message })
}

/// A `.snapshot` file that cannot be used. The state can be rebuilt from an older one, or from the
/// log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    #[error("the snapshot has version {0}, which is unknown")]
    Version(i16),
    #[error("the snapshot's CRC does not match its bytes")]
    Crc,
    #[error("the snapshot names producer {producer_id}, or the transaction at its offset, twice")]
    Contradiction { producer_id: i64 },
    #[error("the snapshot is malformed: {0}")]
    Malformed(#[from] DecodeError),
}

/// Proof that a coordinator was asked about exactly this transaction in this partition (KIP-890).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerificationGuard(u64);

/// What surrounds an append to a leader.
#[derive(Debug, Clone, Copy)]
pub struct AppendContext {
    pub origin: AppendOrigin,
    /// `transaction.partition.verification.enable`: the first batch of a transaction needs the
    /// guard that [`ProducerStates::begin_verification`] gave out.
    pub verification_required: bool,
    pub guard: Option<VerificationGuard>,
    /// Of the coordinator that sent a marker: from 2 on, a marker carries a newer epoch than its
    /// transaction.
    pub transaction_version: i16,
}

impl AppendContext {
    /// Of what a coordinator writes itself, or has written: nothing is verified.
    pub fn coordinator(transaction_version: i16) -> AppendContext {
        AppendContext {
            origin: AppendOrigin::Coordinator,
            verification_required: false,
            guard: None,
            transaction_version,
        }
    }
}

/// What [`ProducerStates::check`] says about a batch that is not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    New,
    /// The batch is in the log already; the client gets the answer that it missed.
    Duplicate {
        base_offset: i64,
        last_offset: i64,
        timestamp: i64,
    },
}

/// A transaction that a marker has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompletedTransaction {
    pub producer_id: i64,
    pub first_offset: i64,
    /// Of the marker.
    pub last_offset: i64,
    pub aborted: bool,
    /// The first offset of the oldest transaction that is still open, else the one after the
    /// marker.
    pub last_stable_offset: i64,
}

/// One batch that a producer wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchMetadata {
    pub last_sequence: i32,
    pub last_offset: i64,
    pub offset_delta: i32,
    pub timestamp: i64,
}

impl BatchMetadata {
    pub fn base_sequence(&self) -> i32 {
        if self.last_sequence < 0 || self.offset_delta < 0 {
            NO_SEQUENCE
        } else {
            decrement_sequence(self.last_sequence, self.offset_delta)
        }
    }

    pub fn base_offset(&self) -> i64 {
        self.last_offset - i64::from(self.offset_delta)
    }
}

/// What is known of one producer id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Producer {
    pub epoch: i16,
    pub coordinator_epoch: i32,
    pub last_timestamp: i64,
    pub transaction_first_offset: Option<i64>,
    recent: [BatchMetadata; RECENT_BATCHES],
    recent_count: u8,
}

impl Producer {
    const UNKNOWN: Self = Self {
        epoch: NO_PRODUCER_EPOCH,
        coordinator_epoch: -1,
        last_timestamp: NO_TIMESTAMP,
        transaction_first_offset: None,
        recent: [BatchMetadata { last_sequence: 0, last_offset: 0, offset_delta: 0, timestamp: 0 };
            RECENT_BATCHES],
        recent_count: 0,
    };

    /// The last batches of the current epoch, oldest first.
    pub fn recent(&self) -> &[BatchMetadata] {
        &self.recent[..usize::from(self.recent_count)]
    }

    pub fn last_sequence(&self) -> i32 {
        self.recent().last().map_or(NO_SEQUENCE, |batch| batch.last_sequence)
    }

    fn set_epoch(&mut self, epoch: i16) {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.recent_count = 0;
        }
    }

    fn add_batch(&mut self, epoch: i16, batch: BatchMetadata) {
        self.set_epoch(epoch);
        if self.recent().len() == RECENT_BATCHES {
            self.recent.rotate_left(1);
            self.recent_count -= 1;
        }
        assert!(
            usize::from(self.recent_count) < RECENT_BATCHES,
            "{} batches of a producer are remembered",
            self.recent_count
        );
        self.recent[usize::from(self.recent_count)] = batch;
        self.recent_count += 1;
        self.last_timestamp = batch.timestamp;
    }

    fn is_expired(&self, now_ms: i64, expiration_ms: i64) -> bool {
        self.transaction_first_offset.is_none()
            && now_ms.saturating_sub(self.last_timestamp) >= expiration_ms
    }
}

/// A transaction whose first batch waits for the coordinator's word.
#[derive(Debug, Clone, Copy)]
struct Verification {
    guard: VerificationGuard,
    begun_ms: i64,
    lowest_sequence: i32,
    epoch: i16,
    supports_epoch_bump: bool,
}

/// The producers of one partition.
#[derive(Debug, Clone, Default)]
pub struct ProducerStates {
    producers: FxHashMap<i64, Producer>,
    /// Open transactions: first offset to producer id.
    ongoing: BTreeMap<i64, i64>,
    /// Ended transactions whose marker is not below the high watermark: first offset to the
    /// marker's offset.
    unreplicated: BTreeMap<i64, i64>,
    verifications: FxHashMap<i64, Verification>,
    guards_given: u64,
    map_end_offset: i64,
}

impl ProducerStates {
    /// No producers, for a log (or the replay of one) that begins at `offset`.
    pub fn new(offset: i64) -> Self {
        Self { map_end_offset: offset, ..Self::default() }
    }

    /// The same for a log that goes on after `before` had been its state: no guard of that is good
    /// any more.
    pub fn following(mut self, before: &ProducerStates) -> Self {
        assert!(self.verifications.is_empty(), "what was read from a file is being verified");
        self.guards_given = before.guards_given;
        self
    }

    /// The offset after the last batch that was applied.
    pub fn map_end_offset(&self) -> i64 {
        self.map_end_offset
    }

    pub fn get(&self, producer_id: i64) -> Option<&Producer> {
        self.producers.get(&producer_id)
    }

    /// In no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &Producer)> {
        self.producers.iter().map(|(id, producer)| (*id, producer))
    }

    pub fn len(&self) -> usize {
        self.producers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.producers.is_empty() && self.unreplicated.is_empty()
    }

    /// Whether the leader may append this batch. Changes nothing; [`Self::apply`] follows when it
    /// has been appended.
    pub fn check(
        &self,
        batch: &Batch<'_>,
        context: &AppendContext,
    ) -> Result<Checked, ProducerError> {
        if !batch.has_producer_id() {
            return Ok(Checked::New);
        }
        let from_client = matches!(context.origin, AppendOrigin::Client { .. });
        let producer = self.producers.get(&batch.producer_id()).unwrap_or(&Producer::UNKNOWN);
        if from_client && let Some(duplicate) = find_duplicate(producer, batch) {
            return Ok(Checked::Duplicate {
                base_offset: duplicate.base_offset(),
                last_offset: duplicate.last_offset,
                timestamp: duplicate.timestamp,
            });
        }
        if batch.is_control() {
            check_marker(producer, batch, context)?;
            return Ok(Checked::New);
        }
        if batch.is_transactional() {
            self.check_transaction(batch.producer_id(), batch.producer_epoch(), context)?;
        } else if batch.producer_epoch() < producer.epoch {
            return refuse_epoch(batch, producer.epoch, "older than");
        }
        if from_client {
            self.check_sequence(producer, batch)?;
        }
        if producer.transaction_first_offset.is_some() && !batch.is_transactional() {
            let message = format!(
                "producer {} has a transaction open here and sent a batch outside",
                batch.producer_id()
            );
            return refuse(ErrorCode::InvalidTxnState, message);
        }
        Ok(Checked::New)
    }

    /// Whether the leader may append a batch of this producer's transaction, whatever is in it. All
    /// that is asked of one that a coordinator writes.
    pub fn check_transaction(
        &self,
        producer_id: i64,
        producer_epoch: i16,
        context: &AppendContext,
    ) -> Result<(), ProducerError> {
        let producer = self.producers.get(&producer_id).unwrap_or(&Producer::UNKNOWN);
        if producer_epoch < producer.epoch {
            return refuse(
                ErrorCode::InvalidProducerEpoch,
                format!(
                    "epoch {producer_epoch} of producer {producer_id} is older than its last, {}",
                    producer.epoch
                ),
            );
        }
        let is_open = self.has_ongoing_transaction(producer_id, producer_epoch);
        let expected = self.verifications.get(&producer_id).map(|verification| verification.guard);
        let is_verified = context.guard.is_some() && context.guard == expected;
        if is_open || is_verified || !context.verification_required {
            return Ok(());
        }
        let message = format!(
            "the batch of producer {producer_id} belongs to no transaction that is open here"
        );
        refuse(ErrorCode::InvalidTxnState, message)
    }

    /// A client's batch has to follow the one before it. A producer that is unknown (its records
    /// may be gone) begins wherever it wants, unless its transactions are of version 2.
    fn check_sequence(&self, producer: &Producer, batch: &Batch<'_>) -> Result<(), ProducerError> {
        let (id, sequence) = (batch.producer_id(), batch.base_sequence());
        let out_of_order = |expected: &str| {
            let message =
                format!("producer {id} sent sequence number {sequence}; expected was {expected}");
            refuse(ErrorCode::OutOfOrderSequenceNumber, message)
        };
        if let Some(verification) = self.verifications.get(&id) {
            if verification.supports_epoch_bump && sequence != 0 && producer.recent_count == 0 {
                return out_of_order("0, the producer being unknown here");
            }
            if sequence > verification.lowest_sequence {
                return out_of_order(&format!(
                    "{}, which is being verified",
                    verification.lowest_sequence
                ));
            }
        }
        let is_known = producer.epoch != NO_PRODUCER_EPOCH;
        if batch.producer_epoch() != producer.epoch {
            return if is_known && sequence != 0 {
                out_of_order("0, the epoch being new")
            } else {
                Ok(())
            };
        }
        let last = producer.last_sequence();
        let follows =
            i64::from(sequence) == i64::from(last) + 1 || (sequence == 0 && last == i32::MAX);
        if is_known && !follows { out_of_order(&format!("the one after {last}")) } else { Ok(()) }
    }

    /// Takes in a batch that is in the log: as its leader after [`Self::check`], as a follower, or
    /// while recovering.
    pub fn apply(&mut self, batch: &Batch<'_>) -> Option<CompletedTransaction> {
        self.map_end_offset = batch.next_offset();
        if !batch.has_producer_id() {
            return None;
        }
        let completed =
            if batch.is_control() { self.apply_marker(batch) } else { self.apply_data(batch) };
        if batch.is_transactional() {
            self.end_verification(batch);
        }
        completed
    }

    fn apply_data(&mut self, batch: &Batch<'_>) -> Option<CompletedTransaction> {
        let id = batch.producer_id();
        let producer = self.producers.entry(id).or_insert(Producer::UNKNOWN);
        let metadata = BatchMetadata {
            last_sequence: batch.last_sequence(),
            last_offset: batch.last_offset(),
            offset_delta: batch.last_offset_delta(),
            timestamp: batch.max_timestamp(),
        };
        producer.add_batch(batch.producer_epoch(), metadata);
        if batch.is_transactional() && producer.transaction_first_offset.is_none() {
            producer.transaction_first_offset = Some(batch.base_offset());
            self.ongoing.insert(batch.base_offset(), id);
            self.check_transactions();
        }
        None
    }

    /// Each open transaction is that of a producer that is known.
    fn check_transactions(&self) {
        assert!(
            self.ongoing.len() <= self.producers.len(),
            "{} transactions are open, of {} producers",
            self.ongoing.len(),
            self.producers.len()
        );
        let is_known = |(first, id): (&i64, &i64)| {
            self.producers.get(id).and_then(|known| known.transaction_first_offset) == Some(*first)
        };
        assert!(
            self.ongoing.first_key_value().is_none_or(is_known),
            "the oldest open transaction is not that of its producer"
        );
    }

    fn apply_marker(&mut self, batch: &Batch<'_>) -> Option<CompletedTransaction> {
        // Compaction leaves the batch and takes the marker when all of its transaction is gone.
        let (marker, timestamp) = marker_of(batch)?;
        let id = batch.producer_id();
        let producer = self.producers.entry(id).or_insert(Producer::UNKNOWN);
        producer.set_epoch(batch.producer_epoch());
        producer.coordinator_epoch = marker.coordinator_epoch;
        producer.last_timestamp = timestamp;
        let first_offset = producer.transaction_first_offset.take()?;
        let last_offset = batch.base_offset();
        assert_eq!(
            self.ongoing.remove(&first_offset),
            Some(id),
            "an open transaction is in the list of those"
        );
        self.unreplicated.insert(first_offset, last_offset);
        let last_stable_offset = self.first_undecided_offset().unwrap_or(last_offset + 1);
        Some(CompletedTransaction {
            producer_id: id,
            first_offset,
            last_offset,
            aborted: !marker.committed,
            last_stable_offset,
        })
    }

    /// The transaction has a first offset now, or has ended: the guard has done its work. Only a
    /// version 2 marker in the epoch that is being verified leaves it, because the next transaction
    /// has begun to ask already.
    fn end_verification(&mut self, batch: &Batch<'_>) {
        let next_has_begun =
            self.verifications.get(&batch.producer_id()).is_some_and(|verification| {
                verification.supports_epoch_bump
                    && batch.is_control()
                    && batch.producer_epoch() == verification.epoch
            });
        if !next_has_begun {
            self.verifications.remove(&batch.producer_id());
        }
    }

    pub fn has_ongoing_transaction(&self, producer_id: i64, producer_epoch: i16) -> bool {
        self.producers.get(&producer_id).is_some_and(|known| {
            known.transaction_first_offset.is_some() && known.epoch == producer_epoch
        })
    }

    /// Before the coordinator is asked whether the partition belongs to the producer's transaction:
    /// the guard to append with afterwards, or none when the transaction is open here already.
    pub fn begin_verification(
        &mut self,
        producer_id: i64,
        producer_epoch: i16,
        base_sequence: i32,
        supports_epoch_bump: bool,
        now_ms: i64,
    ) -> Result<Option<VerificationGuard>, ProducerError> {
        if let Some(known) = self.producers.get(&producer_id)
            && producer_epoch < known.epoch
        {
            let message = format!(
                "epoch {producer_epoch} of producer {producer_id} is older than its last, {}",
                known.epoch
            );
            return refuse(ErrorCode::InvalidProducerEpoch, message);
        }
        if self.has_ongoing_transaction(producer_id, producer_epoch) {
            return Ok(None);
        }
        if self.verifications.len() >= limits::VERIFICATIONS_PER_PARTITION_MAX
            && !self.verifications.contains_key(&producer_id)
        {
            let oldest = self.verifications.iter().min_by_key(|(_, begun)| begun.guard.0);
            let oldest = *oldest.expect("there are many").0;
            self.verifications.remove(&oldest);
        }
        let verification = self.verifications.entry(producer_id).or_insert_with(|| {
            self.guards_given += 1;
            Verification {
                guard: VerificationGuard(self.guards_given),
                begun_ms: now_ms,
                lowest_sequence: base_sequence,
                epoch: producer_epoch,
                supports_epoch_bump,
            }
        });
        // While the answer is awaited, later batches must not overtake an earlier one that has to
        // be sent again.
        if producer_epoch > verification.epoch {
            verification.epoch = producer_epoch;
            verification.lowest_sequence = base_sequence;
        } else if producer_epoch == verification.epoch {
            verification.lowest_sequence = verification.lowest_sequence.min(base_sequence);
        }
        Ok(Some(verification.guard))
    }

    /// The coordinator knows of no such producer: nothing of it is awaited here, unless a newer
    /// epoch of it asks, too.
    pub fn forget_verification(&mut self, producer_id: i64, producer_epoch: i16) {
        let begun = self.verifications.get(&producer_id);
        if begun.is_some_and(|begun| begun.epoch == producer_epoch) {
            self.verifications.remove(&producer_id);
        }
    }

    /// Transactions that wait for their coordinator's word, or for their first batch.
    pub fn verification_count(&self) -> usize {
        self.verifications.len()
    }

    /// The first offset that a read_committed consumer may not see yet: of the oldest transaction
    /// that is open, or whose marker is not replicated. `None`: it sees all up to the high
    /// watermark.
    pub fn first_unstable_offset(&self) -> Option<i64> {
        let unreplicated = self.unreplicated.keys().next().copied();
        [unreplicated, self.first_undecided_offset()].into_iter().flatten().min()
    }

    /// The first offset of the oldest open transaction.
    pub fn first_undecided_offset(&self) -> Option<i64> {
        self.ongoing.keys().next().copied()
    }

    /// Whether the oldest transaction is open although its coordinator must have given it up: it
    /// may hang.
    pub fn has_late_transaction(&self, now_ms: i64, max_transaction_timeout_ms: i64) -> bool {
        let oldest = self.ongoing.values().next().and_then(|id| self.producers.get(id));
        let limit_ms = max_transaction_timeout_ms.saturating_add(LATE_TRANSACTION_BUFFER_MS);
        oldest.is_some_and(|known| {
            known.last_timestamp > 0 && now_ms.saturating_sub(known.last_timestamp) > limit_ms
        })
    }

    /// Markers below the high watermark are replicated: their transactions hold no reader up any
    /// more.
    pub fn on_high_watermark_updated(&mut self, high_watermark: i64) {
        self.unreplicated.retain(|_, last_offset| *last_offset >= high_watermark);
    }

    /// Records before `log_start_offset` are gone.
    pub fn on_log_start_offset_updated(&mut self, log_start_offset: i64) {
        self.on_high_watermark_updated(log_start_offset);
        self.map_end_offset = self.map_end_offset.max(log_start_offset);
    }

    /// Forgets producers that wrote nothing for `expiration_ms` (`producer.id.expiration.ms`) and
    /// have no transaction open, and verifications that were begun as long ago.
    pub fn remove_expired(&mut self, now_ms: i64, expiration_ms: i64) {
        self.producers.retain(|_, producer| !producer.is_expired(now_ms, expiration_ms));
        self.verifications.retain(|_, begun| now_ms.saturating_sub(begun.begun_ms) < expiration_ms);
        self.check_transactions();
    }

    /// The content of a `.snapshot` file named after [`Self::map_end_offset`]. Of each producer it
    /// keeps the last batch only, as Kafka's does.
    pub fn encode_snapshot(&self) -> Bytes {
        self.check_transactions();
        let mut ids: Vec<i64> = self.producers.keys().copied().collect();
        ids.sort_unstable();
        let entry = |id: i64| {
            let producer = &self.producers[&id];
            let last = producer.recent().last();
            producer_snapshot::ProducerEntry {
                producer_id: id,
                epoch: producer.epoch,
                last_sequence: producer.last_sequence(),
                last_offset: last.map_or(-1, |batch| batch.last_offset),
                offset_delta: last.map_or(0, |batch| batch.offset_delta),
                timestamp: producer.last_timestamp,
                coordinator_epoch: producer.coordinator_epoch,
                current_txn_first_offset: producer.transaction_first_offset.unwrap_or(-1),
            }
        };
        let snapshot = producer_snapshot::ProducerSnapshot {
            crc: 0,
            producer_entries: ids.into_iter().map(entry).collect(),
        };
        let mut bytes = BytesMut::new();
        bytes.put_i16(SNAPSHOT_VERSION);
        snapshot.encode(&mut bytes, SNAPSHOT_VERSION).expect("fewer producers than an i32 counts");
        let crc = snapshot_crc(&bytes);
        bytes[SNAPSHOT_CRC_OFFSET..SNAPSHOT_ENTRIES_OFFSET].copy_from_slice(&crc.to_be_bytes());
        bytes.freeze()
    }

    /// The state as of `offset`, which the file's name says, without the producers that have
    /// expired meanwhile.
    pub fn decode_snapshot(
        bytes: &[u8],
        offset: i64,
        now_ms: i64,
        expiration_ms: i64,
    ) -> Result<Self, SnapshotError> {
        let mut reader = Reader::new(bytes);
        let version = reader.i16()?;
        if version != SNAPSHOT_VERSION {
            return Err(SnapshotError::Version(version));
        }
        let snapshot = producer_snapshot::ProducerSnapshot::decode(&mut reader, version)?;
        if snapshot.crc != snapshot_crc(bytes) {
            return Err(SnapshotError::Crc);
        }
        let mut states = Self::new(offset);
        for entry in snapshot.producer_entries {
            let mut producer = Producer {
                epoch: entry.epoch,
                coordinator_epoch: entry.coordinator_epoch,
                last_timestamp: entry.timestamp,
                transaction_first_offset: Some(entry.current_txn_first_offset)
                    .filter(|first| *first >= 0),
                ..Producer::UNKNOWN
            };
            if producer.is_expired(now_ms, expiration_ms) {
                continue;
            }
            if entry.last_offset >= 0 {
                let batch = BatchMetadata {
                    last_sequence: entry.last_sequence,
                    last_offset: entry.last_offset,
                    offset_delta: entry.offset_delta,
                    timestamp: entry.timestamp,
                };
                producer.add_batch(entry.epoch, batch);
            }
            let id = entry.producer_id;
            let first = producer.transaction_first_offset;
            let is_open_already =
                first.and_then(|first| states.ongoing.insert(first, id)).is_some();
            if is_open_already || states.producers.insert(id, producer).is_some() {
                return Err(SnapshotError::Contradiction { producer_id: id });
            }
        }
        Ok(states)
    }
}

fn snapshot_crc(bytes: &[u8]) -> u32 {
    crc_fast::checksum(
        CrcAlgorithm::Crc32Iscsi,
        bytes.get(SNAPSHOT_ENTRIES_OFFSET..).unwrap_or_default(),
    ) as u32
}

fn find_duplicate(producer: &Producer, batch: &Batch<'_>) -> Option<BatchMetadata> {
    let range = (batch.base_sequence(), batch.last_sequence());
    let is_same = |known: &&BatchMetadata| (known.base_sequence(), known.last_sequence) == range;
    if batch.producer_epoch() == producer.epoch {
        producer.recent().iter().find(is_same).copied()
    } else {
        None
    }
}

fn refuse_epoch<T>(batch: &Batch<'_>, last: i16, relation: &str) -> Result<T, ProducerError> {
    let (id, epoch) = (batch.producer_id(), batch.producer_epoch());
    refuse(
        ErrorCode::InvalidProducerEpoch,
        format!("epoch {epoch} of producer {id} is {relation} its last, {last}"),
    )
}

fn check_marker(
    producer: &Producer,
    batch: &Batch<'_>,
    context: &AppendContext,
) -> Result<(), ProducerError> {
    let Some((marker, _)) = marker_of(batch) else { return Ok(()) };
    let (epoch, last) = (batch.producer_epoch(), producer.epoch);
    // From transactions version 2 on the coordinator raises the epoch before it sends the marker. A
    // marker with the last epoch is then one that was sent again after it had been written
    // (KAFKA-19999); at the end of the epochs' range it cannot be raised.
    let needs_newer = context.transaction_version >= 2;
    let is_repeated =
        epoch == last && (producer.transaction_first_offset.is_none() || epoch == i16::MAX);
    if epoch < last || (needs_newer && epoch == last && !is_repeated) {
        return refuse_epoch(
            batch,
            last,
            if needs_newer { "not newer than" } else { "older than" },
        );
    }
    if producer.coordinator_epoch > marker.coordinator_epoch {
        let message = format!(
            "the marker for producer {} comes from coordinator epoch {}; epoch {} has written \
             here already",
            batch.producer_id(),
            marker.coordinator_epoch,
            producer.coordinator_epoch
        );
        return refuse(ErrorCode::TransactionCoordinatorFenced, message);
    }
    Ok(())
}

/// The end marker in a control batch, and its timestamp.
fn marker_of(batch: &Batch<'_>) -> Option<(EndTransactionMarker, i64)> {
    let record = batch.records().ok()?.next()?.ok()?;
    Some((EndTransactionMarker::parse(&record).ok()??, record.timestamp))
}

#[cfg(test)]
#[path = "producers_tests.rs"]
mod tests;
