//! Record batches, format v2 (KIP-98): one format in requests, on disk and in memory.
//!
//! Owns: the view of a batch header ([`BatchHeader`]), walking batches ([`batches`]) and records
//! ([`Records`]), the patches that a leader makes in place, building batches ([`BatchBuilder`]) and
//! control records. Lives on: any core, there is no state. Never: copies a payload while reading,
//! reads outside the slice it was given, or allocates from a number that the bytes have not proven.

mod batch;
mod builder;
mod control;
mod record;
mod regular;
pub mod validate;
mod varint;
mod walk;

pub use batch::{
    Batch, BatchHeader, Batches, CHECKSUM_BYTES, Checksum, TimestampType, batches, set_base_offset,
    set_max_timestamp, set_partition_leader_epoch,
};
pub use builder::{BatchBuilder, Building, empty_batch};
pub use control::{ControlRecordType, EndTransactionMarker};
pub use record::{Header, Headers, Record, Records};
pub use walk::{Outline, PieceWalk};

use crate::compression::CompressionError;

/// Bytes before the part that `batch_length` counts: base offset and the length itself.
pub const LOG_OVERHEAD_BYTES: usize = 12;
/// Bytes of a batch before its first record.
pub const BATCH_HEADER_BYTES: usize = 61;
/// The only format that brokers since Kafka 4.0 accept.
pub const MAGIC_V2: i8 = 2;
pub const NO_TIMESTAMP: i64 = -1;
pub const NO_PRODUCER_ID: i64 = -1;
pub const NO_PRODUCER_EPOCH: i16 = -1;
pub const NO_SEQUENCE: i32 = -1;
pub const NO_PARTITION_LEADER_EPOCH: i32 = -1;

/// What is wrong with a batch. `position` is the byte offset of the batch in the slice that was
/// walked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordsError {
    /// The slice ends inside a batch. Normal at the end of a fetch response and of a log after a
    /// crash.
    #[error(
        "the batch at byte {position} needs {needed_bytes} bytes, only {available_bytes} are there"
    )]
    Truncated { position: usize, needed_bytes: usize, available_bytes: usize },
    #[error(
        "the batch at byte {position} says its length is {batch_length}, less than a batch header \
         needs"
    )]
    BadLength { position: usize, batch_length: i32 },
    #[error("the batch at byte {position} has magic {magic}; only record format 2 is supported")]
    BadMagic { position: usize, magic: i8 },
    #[error("compression codec {0} does not exist")]
    UnknownCodec(u8),
    #[error("the records are compressed; decompress them first")]
    StillCompressed,
    #[error("the batch says it holds {0} records")]
    BadCount(i32),
    #[error("record {index} is malformed: {reason}")]
    BadRecord { index: i32, reason: &'static str },
    /// Of a compressed batch: its writer knows what it holds only by unpacking it.
    #[error(
        "Invalid record size: {size_bytes} exceeds the configured maximum record size of \
         {limit_bytes}."
    )]
    RecordOverLimit { size_bytes: usize, limit_bytes: usize },
    #[error("{0} bytes follow the last record of the batch")]
    TrailingBytes(usize),
    #[error("malformed control record: {0}")]
    BadControlRecord(&'static str),
    #[error("the records do not decompress: {0}")]
    Compression(#[from] CompressionError),
}

/// The sequence number `increment` after `sequence`; after `i32::MAX` comes 0.
pub fn increment_sequence(sequence: i32, increment: i32) -> i32 {
    debug_assert!(sequence >= 0 && increment >= 0);
    ((i64::from(sequence) + i64::from(increment)) % (i64::from(i32::MAX) + 1)) as i32
}

/// The sequence number `decrement` before `sequence`; before 0 comes `i32::MAX`.
pub fn decrement_sequence(sequence: i32, decrement: i32) -> i32 {
    debug_assert!(sequence >= 0 && decrement >= 0);
    (i64::from(sequence) - i64::from(decrement)).rem_euclid(i64::from(i32::MAX) + 1) as i32
}

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod tests;
