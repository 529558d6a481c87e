//! Record batches, whole and broken on purpose.

use bytes::Bytes;
use protocol::records::{self, BatchBuilder};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the fields of a batch header begin (KIP-98).
pub mod at {
    pub const BASE_OFFSET: usize = 0;
    pub const BATCH_LENGTH: usize = 8;
    pub const MAGIC: usize = 16;
    pub const CRC: usize = 17;
    pub const ATTRIBUTES: usize = 21;
    pub const LAST_OFFSET_DELTA: usize = 23;
    pub const BASE_TIMESTAMP: usize = 27;
    pub const MAX_TIMESTAMP: usize = 35;
    pub const PRODUCER_ID: usize = 43;
    pub const BASE_SEQUENCE: usize = 53;
    pub const RECORD_COUNT: usize = 57;
    pub const RECORDS: usize = 61;
}

pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64
}

/// A valid batch with these values.
pub fn of(values: &[&[u8]]) -> Bytes {
    fill(BatchBuilder::new(0), values)
}

/// A valid batch of an idempotent producer.
pub fn of_producer(producer_id: i64, epoch: i16, base_sequence: i32, values: &[&[u8]]) -> Bytes {
    fill(BatchBuilder::new(0).producer(producer_id, epoch, base_sequence), values)
}

pub fn fill(mut builder: BatchBuilder, values: &[&[u8]]) -> Bytes {
    values.iter().for_each(|value| builder.append(now_ms(), None, Some(value), &[]));
    builder.build()
}

/// `batch` with other bytes at `position`; the CRC does not know of them yet.
pub fn patched(batch: &[u8], position: usize, bytes: &[u8]) -> Vec<u8> {
    let mut patched = batch.to_vec();
    patched[position..position + bytes.len()].copy_from_slice(bytes);
    patched
}

/// `batch` with a CRC that fits its bytes.
pub fn with_crc(mut batch: Vec<u8>) -> Vec<u8> {
    set_crc(&mut batch);
    batch
}

fn set_crc(batch: &mut [u8]) {
    let crc =
        crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &batch[at::ATTRIBUTES..]) as u32;
    batch[at::CRC..at::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
}

/// Gives a batch of a producer another sequence number, in its place.
pub fn set_sequence(batch: &mut [u8], sequence: i32) {
    batch[at::BASE_SEQUENCE..at::RECORD_COUNT].copy_from_slice(&sequence.to_be_bytes());
    set_crc(batch);
}

/// A batch of `codec` whose records, as packed, are `body`. Header and CRC are right; the body may
/// be anything.
pub fn with_packed_body(codec: u8, record_count: i32, body: &[u8]) -> Vec<u8> {
    let mut batch = of(&[b"x"])[..at::RECORDS].to_vec();
    batch.extend_from_slice(body);
    let length = (batch.len() - records::LOG_OVERHEAD_BYTES) as i32;
    batch = patched(&batch, at::BATCH_LENGTH, &length.to_be_bytes());
    batch = patched(&batch, at::ATTRIBUTES, &i16::from(codec).to_be_bytes());
    batch = patched(&batch, at::LAST_OFFSET_DELTA, &(record_count - 1).to_be_bytes());
    with_crc(patched(&batch, at::RECORD_COUNT, &record_count.to_be_bytes()))
}

/// The values in `bytes` from `offset` on, and the offset behind the last whole batch.
pub fn values(bytes: &[u8], offset: i64) -> (Vec<Vec<u8>>, i64) {
    let (mut values, mut next) = (Vec::new(), offset);
    for batch in records::batches(bytes) {
        // A response may end in the middle of a batch.
        let Ok(batch) = batch else { break };
        assert!(
            batch.crc_is_valid(),
            "the batch at {} has a wrong CRC",
            batch.header().base_offset()
        );
        batch
            .for_each_record(1 << 30, |record| {
                if record.offset >= offset {
                    values.push(record.value.unwrap_or_default().to_vec());
                }
                Ok::<_, records::RecordsError>(())
            })
            .expect("records that can be read");
        next = batch.header().next_offset();
    }
    (values, next)
}
