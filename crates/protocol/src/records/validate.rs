//! What a leader checks before it appends: the pure part of Kafka's LogValidator, and of the checks
//! around it.
//!
//! Owns: the decision, with the error that the client sees, and the patches and rewriting that an
//! accepted batch needs. Lives on: the core that leads the partition. Never: knows producers'
//! sequences (the log does), topics, or the clock.

mod heavy;

pub use heavy::HeavyBatch;

use super::{
    BATCH_HEADER_BYTES, Batch, LOG_OVERHEAD_BYTES, MAGIC_V2, NO_TIMESTAMP, Record, Records,
    RecordsError, TimestampType, batch, regular, set_base_offset, set_max_timestamp,
    set_partition_leader_epoch,
};
use crate::compression::{Compression, CompressionError, compress, decompress_readable_into};
use crate::error::ErrorCode;
use crate::produce::RecordError;

/// The most that one batch may unpack to. Kafka has no limit, because it walks the unpacked stream;
/// we unpack into memory, which a few hostile bytes could otherwise fill.
pub const MAX_DECOMPRESSED_BATCH_BYTES: usize = 64 << 20;
/// The most records that a refusal names. Kafka names all; a hostile batch can have millions.
const MAX_RECORD_ERRORS: usize = 1000;
/// What a batch of any format says of its own length, at the least
/// (`LegacyRecord.RECORD_OVERHEAD_V0`).
const BATCH_LENGTH_MIN: i32 = 14;
/// The first Produce version in which clients may use zstd (KIP-110).
const ZSTD_FROM_PRODUCE_VERSION: i16 = 7;
/// A batch is checked at once when its records are no more than this: some ten or hundred
/// microseconds' work. Uncompressed ones are so up to Kafka's default `max.message.bytes`.
const PLAIN_BYTES_AT_ONCE: usize = (1 << 20) + (64 << 10);
const UNPACKED_BYTES_AT_ONCE: usize = 128 << 10;
/// The same for records that are to be packed anew, by far the slowest.
const PACKED_BYTES_AT_ONCE: usize = 16 << 10;
/// A scratch buffer larger than this is given back after its batch.
const SCRATCH_KEPT_BYTES: usize = 4 << 20;

/// Who appends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppendOrigin {
    /// A Produce request, of this version.
    Client { produce_version: i16 },
    /// A coordinator of this broker: markers, and records of the internal topics.
    Coordinator,
}

/// The topic's settings and the moment.
#[derive(Debug, Clone, Copy)]
pub struct ValidationRules {
    pub origin: AppendOrigin,
    /// Whether the request may carry transactional batches: it named a transactional id that it may
    /// write with.
    pub transactional_allowed: bool,
    pub max_message_bytes: usize,
    pub timestamp_type: TimestampType,
    pub timestamp_before_max_ms: i64,
    pub timestamp_after_max_ms: i64,
    pub now_ms: i64,
    /// Cleanup policy compact: every record needs a key.
    pub compacted: bool,
    /// The topic's `compression.type`; none for `producer`.
    pub compression: Option<Compression>,
    /// What a compressed batch may unpack to.
    pub max_decompressed_bytes: usize,
    /// What a single record of a compressed batch may unpack to.
    pub max_decompressed_message_bytes: usize,
}

impl ValidationRules {
    /// Those of a topic that sets nothing, on a broker that sets nothing.
    pub fn of_defaults(origin: AppendOrigin, now_ms: i64) -> Self {
        Self {
            origin,
            transactional_allowed: false,
            max_message_bytes: 1_048_588,
            timestamp_type: TimestampType::CreateTime,
            timestamp_before_max_ms: i64::MAX,
            timestamp_after_max_ms: 3_600_000,
            now_ms,
            compacted: false,
            compression: None,
            max_decompressed_bytes: MAX_DECOMPRESSED_BATCH_BYTES,
            max_decompressed_message_bytes: i32::MAX as usize - 8,
        }
    }

    /// Kafka does not hold uncompressed records to a limit of their own: `max_message_bytes` is
    /// one.
    fn record_bytes_max(&self, compression: Compression) -> usize {
        match compression {
            Compression::None => usize::MAX,
            _ => self.max_decompressed_message_bytes,
        }
    }
}

/// The producer fields of a batch that has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchProducer {
    pub id: i64,
    pub epoch: i16,
    pub base_sequence: i32,
    pub last_sequence: i32,
}

/// What an accepted batch holds. The batch is the first `size_bytes` of what was validated; what
/// follows is none, and is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidBatch {
    pub size_bytes: usize,
    pub record_count: i32,
    pub last_offset_delta: i32,
    /// The largest timestamp as the log will hold it: `now_ms` for a topic with LogAppendTime.
    pub max_timestamp: i64,
    /// The first record with that timestamp, counted from the first of the batch.
    pub max_timestamp_offset_delta: i32,
    pub producer: Option<BatchProducer>,
    pub is_transactional: bool,
    pub is_control: bool,
    pub compression: Compression,
    /// The codec that the topic wants instead: pass the batch through [`recompress`] before it is
    /// appended.
    pub recompress_to: Option<Compression>,
}

/// Why a batch is refused: what goes into the partition's part of the response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    pub error: ErrorCode,
    pub message: String,
    pub record_errors: Vec<RecordError>,
    /// The answer says where the log begins. Kafka knows it of what the log refuses, not of what
    /// comes no further than the request (`ReplicaManager.appendRecordsToLeader`).
    pub says_log_start: bool,
}

impl Rejection {
    fn new(error: ErrorCode, message: impl ToString) -> Self {
        let known_without_log = [
            ErrorCode::CorruptMessage,
            ErrorCode::MessageTooLarge,
            ErrorCode::RecordListTooLarge,
            ErrorCode::TransactionalIdAuthorizationFailed,
        ];
        let says_log_start = !known_without_log.contains(&error);
        Self { error, message: message.to_string(), record_errors: Vec::new(), says_log_start }
    }

    fn of_request(self) -> Self {
        Self { says_log_start: false, ..self }
    }

    fn invalid(message: impl ToString) -> Self {
        Self::new(ErrorCode::InvalidRecord, message)
    }
}

impl From<RecordsError> for Rejection {
    fn from(error: RecordsError) -> Self {
        let code = match &error {
            // Formats 0 and 1 existed; others are noise.
            RecordsError::BadMagic { magic: 0 | 1, .. } => ErrorCode::InvalidRecord,
            RecordsError::BadMagic { .. } | RecordsError::BadLength { .. } => {
                ErrorCode::CorruptMessage
            }
            RecordsError::UnknownCodec(_) => ErrorCode::UnsupportedCompressionType,
            // A Java producer answers this one by splitting the batch.
            RecordsError::Compression(CompressionError::OverLimit { .. }) => {
                ErrorCode::MessageTooLarge
            }
            _ => ErrorCode::InvalidRecord,
        };
        Self::new(code, error)
    }
}

/// Checks what a request wants appended to one partition: exactly one batch. `scratch` holds
/// unpacked records meanwhile; keep it between calls. What it needed beyond the usual is given back
/// at once, also when the batch is refused.
pub fn validate(
    bytes: &[u8],
    rules: &ValidationRules,
    scratch: &mut Vec<u8>,
) -> Result<ValidBatch, Rejection> {
    let checked = check(bytes, rules, scratch, |_| usize::MAX);
    give_back(scratch);
    checked.map(|valid| valid.expect("everything is checked at once"))
}

/// The same as long as it takes next to no time; `None` for a [`HeavyBatch`]. So is every batch
/// that must be unpacked or packed while `may_unpack` says no.
pub fn validate_at_once(
    bytes: &[u8],
    rules: &ValidationRules,
    scratch: &mut Vec<u8>,
    may_unpack: impl FnOnce() -> bool,
) -> Result<Option<ValidBatch>, Rejection> {
    let most_bytes = |compression| {
        if wanted_codec(compression, rules).is_some() {
            if may_unpack() { PACKED_BYTES_AT_ONCE } else { 0 }
        } else if compression == Compression::None {
            PLAIN_BYTES_AT_ONCE
        } else if may_unpack() {
            UNPACKED_BYTES_AT_ONCE
        } else {
            0
        }
    };
    let checked = check(bytes, rules, scratch, most_bytes);
    give_back(scratch);
    checked
}

#[inline]
fn give_back(scratch: &mut Vec<u8>) {
    if scratch.capacity() > SCRATCH_KEPT_BYTES {
        *scratch = Vec::new();
    }
}

/// The codec that a batch is to be packed in instead. Control batches stay as they are: every
/// reader looks into them, and clients may not write them.
fn wanted_codec(compression: Compression, rules: &ValidationRules) -> Option<Compression> {
    rules.compression.filter(|wanted| *wanted != compression)
}

/// `None` for a batch with more records than `most_bytes` says for its codec.
#[inline(always)]
fn check(
    bytes: &[u8],
    rules: &ValidationRules,
    scratch: &mut Vec<u8>,
    most_bytes: impl FnOnce(Compression) -> usize,
) -> Result<Option<ValidBatch>, Rejection> {
    let batch = only_batch(bytes).map_err(Rejection::of_request)?;
    let compression = check_codec(&batch, rules)?;
    check_header(&batch, rules)?;
    let most_bytes = most_bytes(compression);
    if batch.body().len() > most_bytes {
        return Ok(None);
    }
    if !batch.crc_is_valid() {
        return Err(Rejection::new(
            ErrorCode::CorruptMessage,
            "the batch's CRC does not match its bytes",
        ));
    }
    let body = match compression {
        Compression::None => batch.body(),
        codec => {
            match decompress_readable_into(
                codec,
                batch.body(),
                scratch,
                rules.max_decompressed_bytes.min(most_bytes),
            ) {
                Ok(()) => scratch.as_slice(),
                Err(CompressionError::OverLimit { .. })
                    if most_bytes < rules.max_decompressed_bytes =>
                {
                    return Ok(None);
                }
                Err(error) => return Err(Rejection::from(RecordsError::from(error))),
            }
        }
    };
    let record_bytes_max = rules.record_bytes_max(compression);
    // No record is larger than all of them, so the fast walk need not look at that.
    let may_hold_larger = body.len() > record_bytes_max;
    let regular = if may_hold_larger { None } else { check_regular(&batch, body, rules) };
    let largest = match regular {
        Some(largest) => largest,
        None => check_records(&batch, body, record_bytes_max, rules)?,
    };
    Ok(Some(accepted(&batch, compression, largest, rules)))
}

/// The verdict on a batch in which nothing is wrong.
#[inline(always)]
fn accepted(
    batch: &Batch<'_>,
    compression: Compression,
    largest: Largest,
    rules: &ValidationRules,
) -> ValidBatch {
    let producer = batch.has_producer_id().then(|| BatchProducer {
        id: batch.producer_id(),
        epoch: batch.producer_epoch(),
        base_sequence: batch.base_sequence(),
        last_sequence: batch.last_sequence(),
    });
    let by_append = rules.timestamp_type == TimestampType::LogAppendTime;
    ValidBatch {
        size_bytes: batch.size_bytes(),
        record_count: batch.record_count(),
        last_offset_delta: batch.last_offset_delta(),
        max_timestamp: if by_append { rules.now_ms } else { largest.timestamp },
        max_timestamp_offset_delta: if by_append { 0 } else { largest.offset_delta },
        producer,
        is_transactional: batch.is_transactional(),
        is_control: batch.is_control(),
        compression,
        recompress_to: wanted_codec(compression, rules).filter(|_| !batch.is_control()),
    }
}

fn only_batch(bytes: &[u8]) -> Result<Batch<'_>, Rejection> {
    let one = "a partition's records must be exactly one whole batch";
    if !holds_batch(bytes)? {
        return Err(match Batch::parse(bytes) {
            Err(error) if !bytes.is_empty() => Rejection::invalid(format!("{one}: {error}")),
            _ => Rejection::invalid(format!("{one}; there is none")),
        });
    }
    let batch = Batch::parse(bytes)?;
    match holds_batch(&bytes[batch.size_bytes()..])? {
        false => Ok(batch),
        true => Err(Rejection::invalid(format!("{one}; another follows it"))),
    }
}

/// Whether a whole batch stands first, as Kafka's walk sees it (`ByteBufferLogInputStream`): fewer
/// bytes than the batch that they begin are none; what can begin no batch is an error.
fn holds_batch(bytes: &[u8]) -> Result<bool, Rejection> {
    let Some(length) = bytes.get(8..LOG_OVERHEAD_BYTES) else { return Ok(false) };
    let length = i32::from_be_bytes(length.try_into().expect("four bytes"));
    if length < BATCH_LENGTH_MIN {
        let message = format!("a batch says its length is {length}, less than any batch needs");
        return Err(Rejection::new(ErrorCode::CorruptMessage, message));
    }
    let Some(&magic) = bytes.get(16) else { return Ok(false) };
    if !(0..=MAGIC_V2).contains(&(magic as i8)) {
        let message = format!("a batch has magic {}, which does not exist", magic as i8);
        return Err(Rejection::new(ErrorCode::CorruptMessage, message));
    }
    Ok(bytes.len() - LOG_OVERHEAD_BYTES >= length as usize)
}

fn check_codec(batch: &Batch<'_>, rules: &ValidationRules) -> Result<Compression, Rejection> {
    let compression = batch.compression()?;
    match rules.origin {
        AppendOrigin::Client { produce_version }
            if compression == Compression::Zstd && produce_version < ZSTD_FROM_PRODUCE_VERSION =>
        {
            let message = format!("Produce version {produce_version} does not allow zstd");
            Err(Rejection::new(ErrorCode::UnsupportedCompressionType, message).of_request())
        }
        _ => Ok(compression),
    }
}

fn check_header(batch: &Batch<'_>, rules: &ValidationRules) -> Result<(), Rejection> {
    let from_client = matches!(rules.origin, AppendOrigin::Client { .. });
    if from_client && batch.base_offset() != 0 {
        return Err(Rejection::invalid(format!(
            "the base offset must be 0, but it is {}",
            batch.base_offset()
        )));
    }
    if batch.size_bytes() > rules.max_message_bytes {
        return Err(too_large(batch.size_bytes(), rules));
    }
    let (count, last_delta) = (batch.record_count(), batch.last_offset_delta());
    if last_delta < 0 || count < 0 || i64::from(count) != i64::from(last_delta) + 1 {
        let message =
            format!("the batch says {count} records, and that its last one is number {last_delta}");
        return Err(Rejection::invalid(message));
    }
    if !from_client {
        return Ok(());
    }
    if batch.is_control() {
        return Err(Rejection::invalid("clients may not write control records"));
    }
    if batch.has_producer_id() && batch.base_sequence() < 0 {
        let message = format!(
            "producer {} sent the invalid sequence number {}",
            batch.producer_id(),
            batch.base_sequence()
        );
        return Err(Rejection::invalid(message));
    }
    if batch.is_transactional() && !rules.transactional_allowed {
        let message = "transactional records need a transactional id that the client may use";
        return Err(Rejection::new(ErrorCode::TransactionalIdAuthorizationFailed, message));
    }
    Ok(())
}

fn too_large(size_bytes: usize, rules: &ValidationRules) -> Rejection {
    let limit = rules.max_message_bytes;
    let message =
        format!("the batch has {size_bytes} bytes; max.message.bytes of the topic allows {limit}");
    Rejection::new(ErrorCode::MessageTooLarge, message)
}

/// The record with the largest timestamp, the first of those.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Largest {
    timestamp: i64,
    offset_delta: i32,
}

/// The verdict on a batch with nothing remarkable in it; `None` leaves it to [`check_records`],
/// which says the same of such a batch at several times the cost.
fn check_regular(batch: &Batch<'_>, body: &[u8], rules: &ValidationRules) -> Option<Largest> {
    if batch.timestamp_type() != TimestampType::CreateTime {
        return None;
    }
    let found = regular::walk(batch, body, rules.compacted)?;
    // No timestamp at all has rules of its own.
    if found.smallest_timestamp <= NO_TIMESTAMP {
        return None;
    }
    if rules.timestamp_type == TimestampType::CreateTime {
        let oldest = rules.now_ms.saturating_sub(rules.timestamp_before_max_ms);
        let newest = rules.now_ms.saturating_add(rules.timestamp_after_max_ms);
        if found.smallest_timestamp < oldest || found.largest_timestamp > newest {
            return None;
        }
    }
    Some(Largest { timestamp: found.largest_timestamp, offset_delta: found.largest_at })
}

fn check_records(
    batch: &Batch<'_>,
    body: &[u8],
    record_bytes_max: usize,
    rules: &ValidationRules,
) -> Result<Largest, Rejection> {
    let mut largest = Largest { timestamp: NO_TIMESTAMP, offset_delta: 0 };
    let mut faults = Faults::default();
    let batch_type = batch.timestamp_type();
    let records = Records::new(batch, body)?.with_record_bytes_max(record_bytes_max);
    for (index, record) in (0..).zip(records) {
        let record = record?;
        if record.offset_delta != index {
            let message = format!("record {index} says that it is number {}", record.offset_delta);
            return Err(Rejection::invalid(message));
        }
        if let Some(fault) = record_fault(&record, batch_type, rules) {
            faults.add(index, fault, &record, rules);
        } else if record.timestamp > largest.timestamp {
            largest = Largest { timestamp: record.timestamp, offset_delta: index };
        }
    }
    faults.into_result().map(|()| largest)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RecordFault {
    NoKey,
    TimestampOutOfRange,
    TimestampType,
}

#[inline]
fn record_fault(
    record: &Record<'_>,
    batch_type: TimestampType,
    rules: &ValidationRules,
) -> Option<RecordFault> {
    if rules.compacted && record.key.is_none() {
        return Some(RecordFault::NoKey);
    }
    if rules.timestamp_type == TimestampType::CreateTime && record.timestamp != NO_TIMESTAMP {
        // Wraps as Kafka's arithmetic does, so that the far ends of the range are refused alike.
        let age_ms = rules.now_ms.wrapping_sub(record.timestamp);
        let is_far = age_ms > rules.timestamp_before_max_ms
            || age_ms.wrapping_neg() > rules.timestamp_after_max_ms;
        return is_far.then_some(RecordFault::TimestampOutOfRange);
    }
    (batch_type == TimestampType::LogAppendTime).then_some(RecordFault::TimestampType)
}

#[derive(Default)]
struct Faults {
    count: usize,
    any_timestamp: bool,
    errors: Vec<RecordError>,
}

impl Faults {
    #[cold]
    fn add(
        &mut self,
        index: i32,
        fault: RecordFault,
        record: &Record<'_>,
        rules: &ValidationRules,
    ) {
        self.count += 1;
        self.any_timestamp |= fault != RecordFault::NoKey;
        if self.errors.len() == MAX_RECORD_ERRORS {
            return;
        }
        let message = match fault {
            RecordFault::NoKey => "Compacted topic cannot accept message without key.".to_owned(),
            RecordFault::TimestampOutOfRange => format!(
                "Timestamp {} of message with offset {} is out of range. The timestamp should be \
                 within [{}, {}]",
                record.timestamp,
                record.offset,
                rules.now_ms.saturating_sub(rules.timestamp_before_max_ms),
                rules.now_ms.saturating_add(rules.timestamp_after_max_ms),
            ),
            RecordFault::TimestampType => {
                "Producer should not set timestamp type to LogAppendTime.".to_owned()
            }
        };
        self.errors.push(RecordError { batch_index: index, message: Some(message) });
    }

    fn into_result(self) -> Result<(), Rejection> {
        if self.count == 0 {
            return Ok(());
        }
        let (error, message) = if self.any_timestamp {
            (
                ErrorCode::InvalidTimestamp,
                "One or more records have been rejected due to invalid timestamp".to_owned(),
            )
        } else {
            let message = format!(
                "One or more records have been rejected due to {} record errors in total",
                self.count
            );
            (ErrorCode::InvalidRecord, message)
        };
        Err(Rejection { record_errors: self.errors, ..Rejection::new(error, message) })
    }
}

/// Gives an accepted batch its place in the log, in place: base offset, leader epoch, and the
/// timestamps that the topic wants. The CRC is renewed only if the timestamps in the header change.
pub fn assign(
    batch: &mut [u8],
    valid: &ValidBatch,
    timestamp_type: TimestampType,
    base_offset: i64,
    partition_leader_epoch: i32,
) {
    set_base_offset(batch, base_offset);
    set_partition_leader_epoch(batch, partition_leader_epoch);
    set_max_timestamp(batch, timestamp_type, valid.max_timestamp);
}

/// The same batch in another codec, for a topic whose `compression.type` is not the producer's.
/// `level` is the topic's level for that codec. The records stay as they are, and so do offsets,
/// producer and flags; [`assign`] the result as any other. Refused when the result is larger than
/// the topic allows.
pub fn recompress(
    batch: &Batch<'_>,
    codec: Compression,
    level: Option<i32>,
    rules: &ValidationRules,
) -> Result<Vec<u8>, Rejection> {
    let body = batch.decompressed_body(rules.max_decompressed_bytes)?;
    let mut rewritten = batch.bytes()[..BATCH_HEADER_BYTES].to_vec();
    rewritten.extend_from_slice(&compress(codec, level, &body));
    if rewritten.len() > rules.max_message_bytes {
        return Err(too_large(rewritten.len(), rules));
    }
    batch::set_codec_and_length(&mut rewritten, codec);
    let crc = batch::checksum(&rewritten);
    batch::set_crc(&mut rewritten, crc);
    Ok(rewritten)
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
