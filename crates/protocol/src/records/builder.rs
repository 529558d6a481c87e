//! Building one batch: for coordinators, the metadata log, compaction, re-compression, the load
//! generator and tests.

use bytes::{Bytes, BytesMut};
use zerocopy::IntoBytes;

use super::batch::{
    CHECKSUM_BYTES, CONTROL_MASK, Checksum, DELETE_HORIZON_MASK, TIMESTAMP_TYPE_MASK,
    TRANSACTIONAL_MASK, checksum, set_crc,
};
use super::varint::{put_nullable_bytes, put_varint, put_varlong, varlong_size_bytes, wire_len};
use super::{
    BATCH_HEADER_BYTES, BatchHeader, Header, LOG_OVERHEAD_BYTES, MAGIC_V2,
    NO_PARTITION_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, NO_TIMESTAMP,
    Record,
};
use crate::compression::{self, Compression, pieces::Packing};

/// A batch in the making. Records go in with [`Self::append`]; the header and, if asked for, the
/// compression come with [`Self::build`].
#[derive(Debug, Clone)]
pub struct BatchBuilder {
    base_offset: i64,
    partition_leader_epoch: i32,
    attributes: i16,
    compression: Compression,
    compression_level: Option<i32>,
    producer_id: i64,
    producer_epoch: i16,
    base_sequence: i32,
    log_append_time: Option<i64>,
    delete_horizon_ms: Option<i64>,
    last_offset: Option<i64>,
    base_timestamp: Option<i64>,
    max_timestamp: i64,
    next_offset_delta: i32,
    record_count: i32,
    body: Vec<u8>,
}

impl BatchBuilder {
    /// An empty batch: no compression, no producer, leader epoch −1, timestamps set by the creator.
    pub fn new(base_offset: i64) -> Self {
        Self {
            base_offset,
            partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
            attributes: 0,
            compression: Compression::None,
            compression_level: None,
            producer_id: NO_PRODUCER_ID,
            producer_epoch: NO_PRODUCER_EPOCH,
            base_sequence: NO_SEQUENCE,
            log_append_time: None,
            delete_horizon_ms: None,
            last_offset: None,
            base_timestamp: None,
            max_timestamp: NO_TIMESTAMP,
            next_offset_delta: 0,
            record_count: 0,
            body: Vec::new(),
        }
    }

    /// A batch that takes everything but the records from `header`, for rewriting a batch.
    pub fn like(header: &BatchHeader, compression: Compression, level: Option<i32>) -> Self {
        let builder = Self::new(header.base_offset())
            .partition_leader_epoch(header.partition_leader_epoch())
            .compression(compression, level)
            .producer(header.producer_id(), header.producer_epoch(), header.base_sequence())
            .transactional(header.is_transactional())
            .control(header.is_control());
        match header.timestamp_type() {
            super::TimestampType::CreateTime => builder,
            super::TimestampType::LogAppendTime => builder.log_append_time(header.max_timestamp()),
        }
    }

    pub fn partition_leader_epoch(mut self, epoch: i32) -> Self {
        self.partition_leader_epoch = epoch;
        self
    }

    /// `level` means what it means to the codec; `None` is the codec's default.
    pub fn compression(mut self, compression: Compression, level: Option<i32>) -> Self {
        self.compression = compression;
        self.compression_level = level;
        self
    }

    pub fn producer(mut self, producer_id: i64, producer_epoch: i16, base_sequence: i32) -> Self {
        self.producer_id = producer_id;
        self.producer_epoch = producer_epoch;
        self.base_sequence = base_sequence;
        self
    }

    pub fn transactional(self, on: bool) -> Self {
        self.flag(TRANSACTIONAL_MASK, on)
    }

    pub fn control(self, on: bool) -> Self {
        self.flag(CONTROL_MASK, on)
    }

    /// All records carry this timestamp instead of their creator's.
    pub fn log_append_time(mut self, timestamp: i64) -> Self {
        self.log_append_time = Some(timestamp);
        self.flag(TIMESTAMP_TYPE_MASK, true)
    }

    /// When the cleaner may drop the tombstones and markers in here (KIP-534). Before the first
    /// record.
    pub fn delete_horizon_ms(mut self, delete_horizon_ms: i64) -> Self {
        assert_eq!(self.record_count, 0, "the horizon is the base of the timestamp deltas");
        self.delete_horizon_ms = Some(delete_horizon_ms);
        self.base_timestamp = Some(delete_horizon_ms);
        self.flag(DELETE_HORIZON_MASK, true)
    }

    /// Where the batch ends in the log, when that is after its last record: compaction keeps the
    /// range of a batch whose records it drops.
    pub fn last_offset(mut self, last_offset: i64) -> Self {
        self.last_offset = Some(last_offset);
        self
    }

    fn flag(mut self, mask: i16, on: bool) -> Self {
        self.attributes = if on { self.attributes | mask } else { self.attributes & !mask };
        self
    }

    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL_MASK != 0
    }

    /// Appends a record at the next offset.
    pub fn append(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[Header<'_>],
    ) {
        let offset = self.base_offset + i64::from(self.next_offset_delta);
        self.put_record(offset, timestamp, key, value, headers.len(), headers.iter().copied());
    }

    /// Appends a copy of `record` at its own offset, which must not be before the next one.
    pub fn append_record(&mut self, record: &Record<'_>) {
        let count = record.header_count();
        self.put_record(
            record.offset,
            record.timestamp,
            record.key,
            record.value,
            count,
            record.headers(),
        );
    }

    fn put_record<'h>(
        &mut self,
        offset: i64,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        header_count: usize,
        headers: impl Iterator<Item = Header<'h>> + Clone,
    ) {
        let offset_delta =
            i32::try_from(offset - self.base_offset).expect("a batch spans less than 2^31 offsets");
        assert!(offset_delta >= self.next_offset_delta, "offsets only grow");
        let timestamp_delta = timestamp.wrapping_sub(*self.base_timestamp.get_or_insert(timestamp));
        let nullable_size = |bytes: Option<&[u8]>| match bytes {
            None => 1,
            Some(bytes) => varlong_size_bytes(bytes.len() as i64) + bytes.len(),
        };
        let size_bytes = 1
            + varlong_size_bytes(timestamp_delta)
            + varlong_size_bytes(i64::from(offset_delta))
            + nullable_size(key)
            + nullable_size(value)
            + varlong_size_bytes(header_count as i64)
            + headers
                .clone()
                .map(|header| nullable_size(Some(header.key)) + nullable_size(header.value))
                .sum::<usize>();
        let body = &mut self.body;
        body.reserve(size_bytes + varlong_size_bytes(size_bytes as i64));
        put_varint(body, wire_len(size_bytes));
        let start = body.len();
        body.push(0);
        put_varlong(body, timestamp_delta);
        put_varint(body, offset_delta);
        put_nullable_bytes(body, key);
        put_nullable_bytes(body, value);
        put_varint(body, wire_len(header_count));
        for header in headers {
            put_nullable_bytes(body, Some(header.key));
            put_nullable_bytes(body, header.value);
        }
        assert_eq!(
            body.len() - start,
            size_bytes,
            "the size was counted before the record was written"
        );
        self.max_timestamp = self.max_timestamp.max(timestamp);
        self.next_offset_delta = offset_delta + 1;
        self.record_count += 1;
    }

    pub fn record_count(&self) -> i32 {
        self.record_count
    }

    pub fn is_empty(&self) -> bool {
        self.record_count == 0
    }

    pub fn max_timestamp(&self) -> i64 {
        self.log_append_time.unwrap_or(self.max_timestamp)
    }

    /// The size of the batch if it were built now without compression.
    pub fn uncompressed_size_bytes(&self) -> usize {
        BATCH_HEADER_BYTES + self.body.len()
    }

    /// The finished batch, with its CRC. A batch without records is allowed: compaction leaves them
    /// to remember a producer's last sequence number.
    pub fn build(mut self) -> Bytes {
        let mut body = std::mem::take(&mut self.body);
        if self.compression != Compression::None {
            body = compression::compress(self.compression, self.compression_level, &body);
        }
        // As large as what it holds: a batch is kept long after what it was made of.
        let mut batch = BytesMut::with_capacity(BATCH_HEADER_BYTES + body.len());
        batch.extend_from_slice(self.header(body.len()).as_bytes());
        batch.extend_from_slice(&body);
        let crc = checksum(&batch);
        set_crc(&mut batch, crc);
        batch.freeze()
    }

    /// The same in steps, for a batch that may be large.
    pub fn build_in_steps(mut self) -> Building {
        let body = std::mem::take(&mut self.body);
        let head = self.header(0).as_bytes().to_vec();
        let packing =
            Packing::new(self.compression, self.compression_level, head, Some(body.len()));
        Building { builder: self, body, at: 0, stage: Stage::Packing(Box::new(packing)) }
    }

    /// The header before `body_bytes` bytes of packed records, but for its CRC.
    fn header(&self, body_bytes: usize) -> BatchHeader {
        let last_offset_delta = match self.last_offset {
            None => (self.next_offset_delta - 1).max(0),
            Some(last) => i32::try_from(last - self.base_offset)
                .expect("a batch spans less than 2^31 offsets"),
        };
        assert!(
            last_offset_delta >= self.next_offset_delta - 1,
            "the last record lies inside its batch"
        );
        BatchHeader {
            base_offset: self.base_offset.into(),
            batch_length: wire_len(BATCH_HEADER_BYTES + body_bytes - LOG_OVERHEAD_BYTES).into(),
            partition_leader_epoch: self.partition_leader_epoch.into(),
            magic: MAGIC_V2,
            crc: 0.into(),
            attributes: (self.attributes | i16::from(self.compression.id())).into(),
            last_offset_delta: last_offset_delta.into(),
            base_timestamp: self.base_timestamp.unwrap_or(NO_TIMESTAMP).into(),
            max_timestamp: self.max_timestamp().into(),
            producer_id: self.producer_id.into(),
            producer_epoch: self.producer_epoch.into(),
            base_sequence: self.base_sequence.into(),
            record_count: self.record_count.into(),
        }
    }
}

/// A batch on its way to being built.
pub struct Building {
    builder: BatchBuilder,
    /// The records as they were appended, and how far they are packed.
    body: Vec<u8>,
    at: usize,
    stage: Stage,
}

enum Stage {
    Packing(Box<Packing>),
    Packed { batch: Vec<u8>, checksum: Box<Checksum> },
    Over,
}

impl Building {
    /// Does a fraction of a millisecond's work; the batch, when that was the last of it.
    pub fn step(&mut self) -> Option<Bytes> {
        let BatchBuilder { compression, compression_level, .. } = self.builder;
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Packing(mut packing) if self.at < self.body.len() => {
                let most = Packing::piece_bytes(compression, compression_level);
                let end = self.body.len().min(self.at + most);
                packing.write(&self.body[self.at..end]);
                self.at = end;
                self.stage = Stage::Packing(packing);
                None
            }
            Stage::Packing(packing) => {
                let mut batch = packing.finish();
                self.body = Vec::new();
                let header = self.builder.header(batch.len() - BATCH_HEADER_BYTES);
                batch[..BATCH_HEADER_BYTES].copy_from_slice(header.as_bytes());
                self.stage = Stage::Packed { batch, checksum: Box::default() };
                None
            }
            Stage::Packed { mut batch, mut checksum } => {
                let Some(crc) = checksum.step(&batch, CHECKSUM_BYTES) else {
                    self.stage = Stage::Packed { batch, checksum };
                    return None;
                };
                set_crc(&mut batch, crc);
                Some(batch.into())
            }
            Stage::Over => panic!("a batch is built once"),
        }
    }
}

/// What is left of a batch whose records are gone: its offsets, its producer's last sequence
/// number, and its largest timestamp (`DefaultRecordBatch.writeEmptyHeader`).
pub fn empty_batch(of: &BatchHeader) -> Bytes {
    let mut builder = BatchBuilder::like(of, Compression::None, None).last_offset(of.last_offset());
    builder.max_timestamp = of.max_timestamp();
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::Batch;

    #[test]
    fn steps_build_what_is_built_at_once() {
        for codec in Compression::ALL {
            let mut builder =
                BatchBuilder::new(7).compression(codec, None).producer(1, 2, 3).last_offset(2000);
            for at in 0..1000_i64 {
                builder.append(at, Some(&at.to_be_bytes()), Some(&[at as u8; 300]), &[]);
            }
            let mut building = builder.clone().build_in_steps();
            let mut steps = 1;
            let batch = loop {
                match building.step() {
                    Some(batch) => break batch,
                    None => steps += 1,
                }
            };
            assert!(steps > 5, "{codec:?} was built in {steps} steps");
            let parsed = Batch::parse(&batch).expect("what was built is a batch");
            assert!(parsed.crc_is_valid());
            let (limit, whole) = (1 << 20, builder.build());
            let expected = Batch::parse(&whole).expect("what was built is a batch");
            assert_eq!(
                parsed.decompressed_body(limit).expect("it unpacks"),
                expected.decompressed_body(limit).expect("it unpacks")
            );
            let fields = |one: &Batch<'_>| {
                (one.base_offset(), one.last_offset(), one.record_count(), one.attributes())
            };
            assert_eq!(fields(&parsed), fields(&expected));
        }
    }

    #[test]
    fn what_is_left_of_a_batch_keeps_its_offsets_its_producer_and_its_time() {
        let mut builder =
            BatchBuilder::new(7).compression(Compression::Zstd, None).producer(1, 2, 3);
        builder.append(10, None, Some(b"a"), &[]);
        builder.append(30, None, Some(b"b"), &[]);
        let whole = builder.transactional(true).build();
        let whole = Batch::parse(&whole).expect("it is a batch");
        let left = empty_batch(&whole);
        let left = Batch::parse(&left).expect("it is a batch");
        assert!(left.crc_is_valid() && left.is_transactional());
        assert_eq!((left.size_bytes(), left.record_count()), (BATCH_HEADER_BYTES, 0));
        assert_eq!((left.base_offset(), left.last_offset()), (7, 8));
        assert_eq!((left.producer_id(), left.producer_epoch()), (1, 2));
        assert_eq!((left.base_sequence(), left.last_sequence()), (3, 4));
        assert_eq!(left.max_timestamp(), 30);
        assert_eq!(left.compression(), Ok(Compression::None));
    }

    /// Batches of 2 kB that unpack to 60 MB kept 55 MB each once they were compressed anew.
    #[test]
    fn a_batch_is_as_large_as_what_it_holds() {
        for codec in Compression::ALL {
            let mut builder = BatchBuilder::new(0).compression(codec, None);
            builder.append(0, None, Some(&[0; 1 << 20]), &[]);
            let batch = BytesMut::from(builder.build());
            assert_eq!(batch.capacity(), batch.len(), "{codec:?}");
        }
    }
}
