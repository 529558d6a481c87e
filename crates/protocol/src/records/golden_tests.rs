//! Batches that kafka-clients 4.3.1 built (MemoryRecords.builder; base offset 42, leader epoch 7),
//! read and rebuilt.

use super::*;
use crate::compression::Compression;

const BASE_TIMESTAMP: i64 = 1_700_000_000_000;
const LOG_APPEND_TIME: i64 = 1_700_000_009_999;
const LIMIT: usize = 1 << 20;

macro_rules! golden {
    ($name:literal) => {
        &include_bytes!(concat!("golden/", $name, ".batch"))[..]
    };
}

/// The five records in every file; the last value is long in the compressed ones.
fn fill(mut builder: BatchBuilder, long: usize) -> BatchBuilder {
    let headers = [
        Header { key: b"h1", value: Some(b"v1") },
        Header { key: b"h2", value: None },
        Header { key: b"h1", value: Some(b"") },
    ];
    builder.append(BASE_TIMESTAMP, Some(b"key-0"), Some(b"value-0"), &[]);
    builder.append(BASE_TIMESTAMP + 5, None, Some(b"no key"), &[]);
    builder.append(BASE_TIMESTAMP - 7, Some(b"no value"), None, &[]);
    builder.append(BASE_TIMESTAMP + 1000, None, None, &headers);
    builder.append(BASE_TIMESTAMP + 300_000, Some(b""), Some("x".repeat(long).as_bytes()), &[]);
    builder
}

fn like_java() -> BatchBuilder {
    BatchBuilder::new(42).partition_leader_epoch(7)
}

#[test]
fn uncompressed_batches_are_rebuilt_byte_for_byte() {
    let cases = [
        (golden!("none"), like_java()),
        (golden!("idempotent"), like_java().producer(12345, 3, 2_147_483_645)),
        (golden!("transactional"), like_java().producer(12345, 3, 0).transactional(true)),
        (golden!("log-append-time"), like_java().log_append_time(LOG_APPEND_TIME)),
    ];
    for (java, builder) in cases {
        assert_eq!(fill(builder, 200).build(), java);
        assert!(Batch::parse(java).unwrap().crc_is_valid());
    }
}

#[test]
fn sequences_of_the_idempotent_batch_wrap() {
    let batch = Batch::parse(golden!("idempotent")).unwrap();
    assert_eq!((batch.base_sequence(), batch.last_sequence()), (2_147_483_645, 1));
}

#[test]
fn compressed_batches_hold_the_same_records() {
    let plain = fill(like_java(), 100_000).build();
    let plain = Batch::parse(&plain).unwrap();
    for (java, codec) in [
        (golden!("gzip"), Compression::Gzip),
        (golden!("snappy"), Compression::Snappy),
        (golden!("lz4"), Compression::Lz4),
        (golden!("lz4-17"), Compression::Lz4),
        (golden!("zstd"), Compression::Zstd),
        (golden!("zstd-22"), Compression::Zstd),
    ] {
        let batch = Batch::parse(java).unwrap();
        assert!(batch.crc_is_valid());
        assert_eq!(batch.compression(), Ok(codec));
        assert_eq!(batch.decompressed_body(LIMIT).unwrap(), plain.body());
        assert_eq!(
            (batch.record_count(), batch.last_offset(), batch.max_timestamp()),
            (5, 46, BASE_TIMESTAMP + 300_000)
        );
    }
}

#[test]
fn end_markers_are_rebuilt_byte_for_byte() {
    for (java, committed) in [(golden!("commit"), true), (golden!("abort"), false)] {
        let marker = EndTransactionMarker { committed, coordinator_epoch: 21 };
        let ours = BatchBuilder::end_transaction_marker(99, BASE_TIMESTAMP, 12345, 3, marker)
            .partition_leader_epoch(7);
        assert_eq!(ours.build(), java);
        let record = Batch::parse(java).unwrap().records().unwrap().next().unwrap().unwrap();
        assert_eq!(EndTransactionMarker::parse(&record), Ok(Some(marker)));
    }
}

#[test]
fn log_append_time_is_the_time_of_every_record() {
    let batch = Batch::parse(golden!("log-append-time")).unwrap();
    assert_eq!(batch.timestamp_type(), TimestampType::LogAppendTime);
    assert!(batch.records().unwrap().all(|record| record.unwrap().timestamp == LOG_APPEND_TIME));
}
