use super::*;
use crate::compression::Compression;
use bytes::Bytes;
use proptest::prelude::*;

#[derive(Debug, Clone, PartialEq)]
struct Plain {
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

fn plain() -> impl Strategy<Value = Plain> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    let headers = prop::collection::vec((bytes(), prop::option::of(bytes())), 0..3);
    (0..i64::MAX / 4, prop::option::of(bytes()), prop::option::of(bytes()), headers)
        .prop_map(|(timestamp, key, value, headers)| Plain { timestamp, key, value, headers })
}

fn build(builder: BatchBuilder, records: &[Plain]) -> Bytes {
    let mut builder = builder;
    for record in records {
        let headers: Vec<_> = record
            .headers
            .iter()
            .map(|(key, value)| Header { key, value: value.as_deref() })
            .collect();
        builder.append(record.timestamp, record.key.as_deref(), record.value.as_deref(), &headers);
    }
    builder.build()
}

fn read(batch: &Batch<'_>) -> Vec<Plain> {
    let mut records = Vec::new();
    batch
        .for_each_record(1 << 24, |record| {
            assert_eq!(record.offset, batch.base_offset() + records.len() as i64);
            assert_eq!(record.headers().count(), record.header_count());
            records.push(Plain {
                timestamp: record.timestamp,
                key: record.key.map(<[u8]>::to_vec),
                value: record.value.map(<[u8]>::to_vec),
                headers: record
                    .headers()
                    .map(|h| (h.key.to_vec(), h.value.map(<[u8]>::to_vec)))
                    .collect(),
            });
            Ok::<_, RecordsError>(())
        })
        .unwrap();
    records
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn built_batches_read_back(
        records in prop::collection::vec(plain(), 1..20),
        codec in prop::sample::select(&Compression::ALL),
        base_offset in 0..i64::MAX / 2,
    ) {
        let builder = BatchBuilder::new(base_offset).compression(codec, None).producer(7, 3, 11);
        let mut bytes = build(builder, &records).to_vec();
        let batch = Batch::parse(&bytes).unwrap();
        prop_assert!(batch.crc_is_valid());
        prop_assert_eq!(batch.size_bytes(), bytes.len());
        prop_assert_eq!(batch.record_count() as usize, records.len());
        prop_assert_eq!(batch.last_offset(), base_offset + records.len() as i64 - 1);
        prop_assert_eq!(batch.max_timestamp(), records.iter().map(|r| r.timestamp).max().unwrap());
        prop_assert_eq!((batch.producer_id(), batch.producer_epoch(), batch.base_sequence()),
            (7, 3, 11));
        prop_assert_eq!(batch.compression(), Ok(codec));
        prop_assert_eq!(read(&batch), records.clone());

        set_base_offset(&mut bytes, 5);
        set_partition_leader_epoch(&mut bytes, 9);
        let batch = Batch::parse(&bytes).unwrap();
        prop_assert!(batch.crc_is_valid());
        prop_assert_eq!((batch.base_offset(), batch.partition_leader_epoch()), (5, 9));

        set_max_timestamp(&mut bytes, TimestampType::LogAppendTime, 1234);
        let batch = Batch::parse(&bytes).unwrap();
        prop_assert!(batch.crc_is_valid());
        prop_assert_eq!(batch.timestamp_type(), TimestampType::LogAppendTime);
        prop_assert!(read(&batch).iter().all(|record| record.timestamp == 1234));

        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        prop_assert!(!Batch::parse(&bytes).unwrap().crc_is_valid());
    }

    #[test]
    fn every_prefix_of_a_batch_is_truncated(records in prop::collection::vec(plain(), 1..4)) {
        let bytes = build(BatchBuilder::new(0), &records);
        for len in 0..bytes.len() {
            let is_truncated = matches!(Batch::parse(&bytes[..len]),
                Err(RecordsError::Truncated { .. }));
            prop_assert!(is_truncated);
        }
        let two = [&bytes[..], &bytes[..bytes.len() - 1]].concat();
        let mut walk = batches(&two);
        prop_assert!(walk.next().unwrap().is_ok());
        prop_assert!(walk.next().unwrap().is_err());
        prop_assert!(walk.next().is_none());
        prop_assert_eq!(walk.position(), bytes.len());
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), length: i32,
        count in -2i32..50) {
        for batch in batches(&bytes).flatten() {
            let _ = batch.for_each_record(1 << 16, |_| Ok::<_, RecordsError>(()));
        }
        // The same with a header that leads to the records.
        let mut framed = build(BatchBuilder::new(0), &[]).to_vec();
        framed.extend_from_slice(&bytes);
        let len = framed.len() as i32 - LOG_OVERHEAD_BYTES as i32;
        framed[8..12].copy_from_slice(&len.to_be_bytes());
        framed[57..61].copy_from_slice(&count.to_be_bytes());
        if let Ok(records) = Batch::parse(&framed).unwrap().records() {
            prop_assert!(records.take(1000).count() < 1000);
        }
        framed[8..12].copy_from_slice(&length.to_be_bytes());
        let _ = batches(&framed).count();
    }

    #[test]
    fn sequences_wrap(sequence in 0..=i32::MAX, by in 0..=i32::MAX) {
        prop_assert_eq!(decrement_sequence(increment_sequence(sequence, by), by), sequence);
    }
}

#[test]
fn sequence_after_the_last_is_zero() {
    assert_eq!(increment_sequence(i32::MAX, 1), 0);
    assert_eq!(increment_sequence(i32::MAX - 1, 5), 3);
    assert_eq!(decrement_sequence(0, 1), i32::MAX);
}

#[test]
fn impossible_headers_are_told_apart() {
    let good = build(BatchBuilder::new(0), &[]).to_vec();
    let with = |at: usize, bytes: &[u8]| {
        let mut batch = good.clone();
        batch[at..at + bytes.len()].copy_from_slice(bytes);
        Batch::parse(&batch).map(|_| ()).unwrap_err()
    };
    for magic in [0u8, 1, 3, 255] {
        assert_eq!(with(16, &[magic]), RecordsError::BadMagic { position: 0, magic: magic as i8 });
    }
    for batch_length in [-1, 0, 13, 48, i32::MIN] {
        assert_eq!(
            with(8, &batch_length.to_be_bytes()),
            RecordsError::BadLength { position: 0, batch_length }
        );
    }
    assert!(matches!(with(8, &i32::MAX.to_be_bytes()), RecordsError::Truncated { .. }));
    let mut batch = good.clone();
    batch[22] = 5;
    assert_eq!(Batch::parse(&batch).unwrap().compression(), Err(RecordsError::UnknownCodec(5)));
}

#[test]
fn control_records_round_trip() {
    for committed in [false, true] {
        let marker = EndTransactionMarker { committed, coordinator_epoch: 77 };
        let bytes = BatchBuilder::end_transaction_marker(42, 1000, 5, 2, marker)
            .partition_leader_epoch(3)
            .build();
        let batch = Batch::parse(&bytes).unwrap();
        assert!(batch.is_control() && batch.is_transactional() && batch.crc_is_valid());
        let record = batch.records().unwrap().next().unwrap().unwrap();
        assert_eq!(EndTransactionMarker::parse(&record), Ok(Some(marker)));
    }
    let other = ControlRecordType::LeaderChange.key();
    assert_eq!(ControlRecordType::parse(Some(&other)), Ok(Some(ControlRecordType::LeaderChange)));
    assert_eq!(ControlRecordType::parse(Some(&[0, 0, 0, 99])), Ok(None));
    assert!(ControlRecordType::parse(Some(&[0, 0, 0])).is_err());
    assert!(ControlRecordType::parse(None).is_err());
}
