//! A batch seen in place: header fields, walking a slice of batches, and the patches that do not
//! move a byte.

use std::borrow::Cow;
use std::ops::Deref;

use crc_fast::CrcAlgorithm;
use zerocopy::byteorder::big_endian::{I16, I32, I64, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{
    BATCH_HEADER_BYTES, LOG_OVERHEAD_BYTES, MAGIC_V2, NO_PRODUCER_ID, NO_SEQUENCE, Record, Records,
    RecordsError, increment_sequence, varint::wire_len,
};
use crate::compression::{self, Compression};

const ATTRIBUTES_OFFSET: usize = 21;
const CODEC_MASK: i16 = 0x07;
pub(super) const TIMESTAMP_TYPE_MASK: i16 = 0x08;
pub(super) const TRANSACTIONAL_MASK: i16 = 0x10;
pub(super) const CONTROL_MASK: i16 = 0x20;
pub(super) const DELETE_HORIZON_MASK: i16 = 0x40;

/// Who set the timestamps of a batch (bit 3 of its attributes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimestampType {
    #[default]
    CreateTime,
    LogAppendTime,
}

/// The 61 bytes before the records of a batch, big-endian, in wire order. The CRC-32C covers
/// everything from `attributes` to the end of the batch, so that base offset and leader epoch can
/// be patched without it.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone, Debug)]
#[repr(C)]
pub struct BatchHeader {
    pub(super) base_offset: I64,
    pub(super) batch_length: I32,
    pub(super) partition_leader_epoch: I32,
    pub(super) magic: i8,
    pub(super) crc: U32,
    pub(super) attributes: I16,
    pub(super) last_offset_delta: I32,
    pub(super) base_timestamp: I64,
    pub(super) max_timestamp: I64,
    pub(super) producer_id: I64,
    pub(super) producer_epoch: I16,
    pub(super) base_sequence: I32,
    pub(super) record_count: I32,
}

const _: () = assert!(size_of::<BatchHeader>() == BATCH_HEADER_BYTES);

impl BatchHeader {
    /// The header at the start of `bytes`, or none when `bytes` is too short. Nothing else is
    /// checked.
    pub fn view(bytes: &[u8]) -> Option<&Self> {
        Self::ref_from_prefix(bytes).ok().map(|(header, _)| header)
    }

    fn view_mut(batch: &mut [u8]) -> &mut Self {
        let (header, _) =
            Self::mut_from_prefix(batch).expect("a batch is at least as long as its header");
        header
    }

    pub fn base_offset(&self) -> i64 {
        self.base_offset.get()
    }

    /// Bytes of the batch after this field, as its writer claims.
    pub fn batch_length(&self) -> i32 {
        self.batch_length.get()
    }

    pub fn partition_leader_epoch(&self) -> i32 {
        self.partition_leader_epoch.get()
    }

    pub fn magic(&self) -> i8 {
        self.magic
    }

    pub fn crc(&self) -> u32 {
        self.crc.get()
    }

    pub fn attributes(&self) -> i16 {
        self.attributes.get()
    }

    pub fn last_offset_delta(&self) -> i32 {
        self.last_offset_delta.get()
    }

    /// The timestamp that the records' deltas count from, or the delete horizon when
    /// [`Self::has_delete_horizon`].
    pub fn base_timestamp(&self) -> i64 {
        self.base_timestamp.get()
    }

    pub fn max_timestamp(&self) -> i64 {
        self.max_timestamp.get()
    }

    pub fn producer_id(&self) -> i64 {
        self.producer_id.get()
    }

    pub fn has_producer_id(&self) -> bool {
        self.producer_id() > NO_PRODUCER_ID
    }

    pub fn producer_epoch(&self) -> i16 {
        self.producer_epoch.get()
    }

    pub fn base_sequence(&self) -> i32 {
        self.base_sequence.get()
    }

    /// The sequence number of the last record, or [`NO_SEQUENCE`].
    pub fn last_sequence(&self) -> i32 {
        let (base, delta) = (self.base_sequence(), self.last_offset_delta());
        if base < 0 || delta < 0 { NO_SEQUENCE } else { increment_sequence(base, delta) }
    }

    pub fn record_count(&self) -> i32 {
        self.record_count.get()
    }

    pub fn compression(&self) -> Result<Compression, RecordsError> {
        let id = (self.attributes() & CODEC_MASK) as u8;
        Compression::from_id(id).ok_or(RecordsError::UnknownCodec(id))
    }

    pub fn timestamp_type(&self) -> TimestampType {
        match self.attributes() & TIMESTAMP_TYPE_MASK {
            0 => TimestampType::CreateTime,
            _ => TimestampType::LogAppendTime,
        }
    }

    pub fn is_transactional(&self) -> bool {
        self.attributes() & TRANSACTIONAL_MASK != 0
    }

    pub fn is_control(&self) -> bool {
        self.attributes() & CONTROL_MASK != 0
    }

    pub fn has_delete_horizon(&self) -> bool {
        self.attributes() & DELETE_HORIZON_MASK != 0
    }

    /// When tombstones and markers of this batch may go (KIP-534), in milliseconds since the epoch.
    pub fn delete_horizon_ms(&self) -> Option<i64> {
        self.has_delete_horizon().then(|| self.base_timestamp())
    }

    /// The offset of the last record, as the header claims it.
    pub fn last_offset(&self) -> i64 {
        self.base_offset().wrapping_add(i64::from(self.last_offset_delta()))
    }

    /// Where the next batch of the log starts, as the header claims it.
    pub fn next_offset(&self) -> i64 {
        self.last_offset().wrapping_add(1)
    }

    /// The whole batch in bytes, as its writer claims; `None` when the claim is impossible.
    pub fn claimed_size_bytes(&self) -> Option<usize> {
        claimed_size_bytes(self.batch_length())
    }
}

fn claimed_size_bytes(batch_length: i32) -> Option<usize> {
    let size_bytes = usize::try_from(batch_length).ok()? + LOG_OVERHEAD_BYTES;
    (size_bytes >= BATCH_HEADER_BYTES).then_some(size_bytes)
}

/// One batch in place: a slice that holds exactly the bytes that its header claims, with magic 2.
/// CRC and records are unchecked until asked for. Dereferences to its [`BatchHeader`].
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    bytes: &'a [u8],
    header: &'a BatchHeader,
}

impl Deref for Batch<'_> {
    type Target = BatchHeader;

    fn deref(&self) -> &BatchHeader {
        self.header
    }
}

impl<'a> Batch<'a> {
    /// The first batch of `bytes`; what follows it is not looked at.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RecordsError> {
        Self::parse_at(bytes, 0)
    }

    fn parse_at(all: &'a [u8], position: usize) -> Result<Self, RecordsError> {
        let bytes = &all[position..];
        let truncated = |needed_bytes| RecordsError::Truncated {
            position,
            needed_bytes,
            available_bytes: bytes.len(),
        };
        // Length and magic lie at the same place in all formats: say what is wrong as soon as they
        // are there.
        let length =
            bytes.get(8..LOG_OVERHEAD_BYTES).ok_or_else(|| truncated(BATCH_HEADER_BYTES))?;
        let batch_length = i32::from_be_bytes(length.try_into().expect("four bytes"));
        let magic = *bytes.get(16).ok_or_else(|| truncated(BATCH_HEADER_BYTES))? as i8;
        if magic != MAGIC_V2 {
            return Err(RecordsError::BadMagic { position, magic });
        }
        let size_bytes = claimed_size_bytes(batch_length)
            .ok_or(RecordsError::BadLength { position, batch_length })?;
        let bytes = bytes.get(..size_bytes).ok_or_else(|| truncated(size_bytes))?;
        let header = BatchHeader::view(bytes).expect("at least a header long");
        Ok(Self { bytes, header })
    }

    pub fn header(&self) -> &'a BatchHeader {
        self.header
    }

    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The records as they lie in the batch: compressed when the batch is.
    pub fn body(&self) -> &'a [u8] {
        &self.bytes[BATCH_HEADER_BYTES..]
    }

    pub fn crc_is_valid(&self) -> bool {
        self.crc() == checksum(self.bytes)
    }

    /// The records of an uncompressed batch.
    pub fn records(&self) -> Result<Records<'a>, RecordsError> {
        match self.compression()? {
            Compression::None => Records::new(self.header, self.body()),
            _ => Err(RecordsError::StillCompressed),
        }
    }

    /// The records' bytes without compression, for [`Records::new`]; borrowed when they already are
    /// so. A body that unpacks to more than `limit_bytes` is an error, and no more memory than that
    /// is used.
    pub fn decompressed_body(&self, limit_bytes: usize) -> Result<Cow<'a, [u8]>, RecordsError> {
        Ok(match self.compression()? {
            Compression::None => Cow::Borrowed(self.body()),
            codec => Cow::Owned(compression::decompress(codec, self.body(), limit_bytes)?),
        })
    }

    /// Calls `visit` with every record, compressed or not.
    pub fn for_each_record<E: From<RecordsError>>(
        &self,
        limit_bytes: usize,
        mut visit: impl FnMut(Record<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let body = self.decompressed_body(limit_bytes)?;
        for record in Records::new(self.header, &body)? {
            visit(record?)?;
        }
        Ok(())
    }
}

/// Walks the batches of a slice; see [`batches`].
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    bytes: &'a [u8],
    position: usize,
    failed: bool,
}

/// The batches of `bytes`, one after the other. The first error ends the walk.
pub fn batches(bytes: &[u8]) -> Batches<'_> {
    Batches { bytes, position: 0, failed: false }
}

impl Batches<'_> {
    /// Where the next batch starts: everything before it was whole batches.
    pub fn position(&self) -> usize {
        self.position
    }
}

impl<'a> Iterator for Batches<'a> {
    type Item = Result<Batch<'a>, RecordsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.position == self.bytes.len() {
            return None;
        }
        let batch = Batch::parse_at(self.bytes, self.position);
        match &batch {
            Ok(batch) => self.position += batch.size_bytes(),
            Err(_) => self.failed = true,
        }
        Some(batch)
    }
}

/// How much of a batch goes into its checksum at once: some ten microseconds' work.
pub const CHECKSUM_BYTES: usize = 256 * 1024;

/// CRC-32C of a batch in pieces.
#[derive(Clone)]
pub struct Checksum {
    digest: crc_fast::Digest,
    at: usize,
}

impl Default for Checksum {
    fn default() -> Self {
        Self::new()
    }
}

impl Checksum {
    pub fn new() -> Self {
        Self { digest: crc_fast::Digest::new(CrcAlgorithm::Crc32Iscsi), at: ATTRIBUTES_OFFSET }
    }

    /// Takes `most_bytes` more of the batch; its checksum when that was all.
    pub fn step(&mut self, batch: &[u8], most_bytes: usize) -> Option<u32> {
        let end = batch.len().min(self.at + most_bytes);
        self.digest.update(&batch[self.at..end]);
        self.at = end;
        (end == batch.len()).then(|| self.digest.finalize() as u32)
    }
}

/// The header of a batch whose body was packed anew, in `codec`. Its CRC is still that of the old
/// one.
pub(super) fn set_codec_and_length(batch: &mut [u8], codec: Compression) {
    let batch_length = wire_len(batch.len() - LOG_OVERHEAD_BYTES);
    let header = BatchHeader::view_mut(batch);
    header.batch_length.set(batch_length);
    // A leader's clients know nothing of delete horizons: only its cleaner sets them.
    let others = header.attributes() & !(CODEC_MASK | DELETE_HORIZON_MASK);
    header.attributes.set(others | i16::from(codec.id()));
}

pub(super) fn set_crc(batch: &mut [u8], crc: u32) {
    BatchHeader::view_mut(batch).crc.set(crc);
}

/// CRC-32C of a whole batch, from its attributes on.
pub(super) fn checksum(batch: &[u8]) -> u32 {
    crc_fast::checksum(CrcAlgorithm::Crc32Iscsi, &batch[ATTRIBUTES_OFFSET..]) as u32
}

/// Gives the batch its place in the log. Outside the CRC.
pub fn set_base_offset(batch: &mut [u8], base_offset: i64) {
    BatchHeader::view_mut(batch).base_offset.set(base_offset);
}

/// Stamps the batch with the epoch of the leader that appended it. Outside the CRC.
pub fn set_partition_leader_epoch(batch: &mut [u8], epoch: i32) {
    BatchHeader::view_mut(batch).partition_leader_epoch.set(epoch);
}

/// Sets the kind of timestamps of the batch and its largest timestamp, and renews the CRC if that
/// changed anything. `batch` must be exactly one batch. With [`TimestampType::LogAppendTime`]
/// `max_timestamp` becomes the timestamp of all its records.
pub fn set_max_timestamp(batch: &mut [u8], timestamp_type: TimestampType, max_timestamp: i64) {
    let size_bytes = BatchHeader::view_mut(batch).claimed_size_bytes();
    assert_eq!(size_bytes, Some(batch.len()), "the slice is exactly one batch");
    let header = BatchHeader::view_mut(batch);
    if header.timestamp_type() == timestamp_type && header.max_timestamp() == max_timestamp {
        return;
    }
    let others = header.attributes() & !TIMESTAMP_TYPE_MASK;
    header.attributes.set(match timestamp_type {
        TimestampType::CreateTime => others,
        TimestampType::LogAppendTime => others | TIMESTAMP_TYPE_MASK,
    });
    header.max_timestamp.set(max_timestamp);
    let crc = checksum(batch);
    BatchHeader::view_mut(batch).crc.set(crc);
}
