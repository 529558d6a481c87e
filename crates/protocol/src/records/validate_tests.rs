use super::*;
use crate::compression;
use crate::records::{BATCH_HEADER_BYTES, BatchBuilder, EndTransactionMarker, Header};
use proptest::prelude::*;

const NOW_MS: i64 = 1_700_000_000_000;

fn rules() -> ValidationRules {
    ValidationRules::of_defaults(AppendOrigin::Client { produce_version: 13 }, NOW_MS)
}

fn builder(count: i64) -> BatchBuilder {
    fill(BatchBuilder::new(0), count)
}

fn fill(mut builder: BatchBuilder, count: i64) -> BatchBuilder {
    for index in 0..count {
        let header = Header { key: b"h", value: Some(b"v") };
        builder.append(NOW_MS - index, Some(b"key"), Some(b"some value"), &[header]);
    }
    builder
}

fn check(bytes: &[u8], rules: &ValidationRules) -> Result<ValidBatch, Rejection> {
    validate(bytes, rules, &mut Vec::new())
}

fn error(bytes: &[u8], rules: &ValidationRules) -> ErrorCode {
    check(bytes, rules).unwrap_err().error
}

/// A batch of three records with some bytes overwritten and the CRC made right again.
fn patched(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut batch = builder(3).build().to_vec();
    batch[at..at + bytes.len()].copy_from_slice(bytes);
    let crc = super::super::batch::checksum(&batch);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
    batch
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn built_batches_are_valid(
        count in 1i64..200,
        codec in prop::sample::select(&Compression::ALL),
        producer in prop::option::of((0..i64::MAX, 0..i16::MAX, 0..=i32::MAX)),
    ) {
        let mut builder = BatchBuilder::new(0).compression(codec, None);
        if let Some((id, epoch, base_sequence)) = producer {
            builder = builder.producer(id, epoch, base_sequence);
        }
        let mut bytes = fill(builder, count).build().to_vec();
        let valid = check(&bytes, &rules()).unwrap();
        prop_assert_eq!(valid.size_bytes, bytes.len());
        prop_assert_eq!(i64::from(valid.record_count), count);
        prop_assert_eq!(i64::from(valid.last_offset_delta), count - 1);
        prop_assert_eq!((valid.max_timestamp, valid.max_timestamp_offset_delta), (NOW_MS, 0));
        prop_assert_eq!(valid.compression, codec);
        prop_assert_eq!(valid.recompress_to, None);
        let found = valid.producer.as_ref().map(|p| (p.id, p.epoch, p.base_sequence));
        prop_assert_eq!(found, producer);
        assign(&mut bytes, &valid, TimestampType::CreateTime, 1000, 5);
        let batch = Batch::parse(&bytes).unwrap();
        prop_assert!(batch.crc_is_valid());
        prop_assert_eq!((batch.base_offset(), batch.last_offset()), (1000, 999 + count));
    }

    #[test]
    fn random_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..400),
        attributes in 0u8..8) {
        let _ = check(&bytes, &rules());
        // And again behind a plausible header with a right CRC.
        let mut batch = builder(3).build()[..BATCH_HEADER_BYTES].to_vec();
        batch.append(&mut bytes);
        let length = batch.len() as i32 - 12;
        batch[8..12].copy_from_slice(&length.to_be_bytes());
        batch[22] = attributes;
        let crc = super::super::batch::checksum(&batch);
        batch[17..21].copy_from_slice(&crc.to_be_bytes());
        prop_assert!(check(&batch, &rules()).is_err());
    }

    #[test]
    fn a_changed_byte_is_noticed_or_harmless(at in 0usize..200, by in 1u8..=255) {
        let mut bytes = builder(3).build().to_vec();
        let at = at % bytes.len();
        bytes[at] ^= by;
        // The leader epoch is the only field outside the CRC that a client may set to anything.
        let ignored = (12..16).contains(&at);
        prop_assert_eq!(check(&bytes, &rules()).is_ok(), ignored);
    }
}

#[test]
fn number_of_batches() {
    let one = builder(3).build();
    assert_eq!(error(&[], &rules()), ErrorCode::InvalidRecord);
    assert_eq!(error(&[&one[..], &one[..]].concat(), &rules()), ErrorCode::InvalidRecord);
    for len in 1..one.len() {
        assert_eq!(error(&one[..len], &rules()), ErrorCode::InvalidRecord);
    }
}

/// What stands behind the batch, and what Kafka 4.4 says of it.
#[test]
fn bytes_behind_a_batch_are_left_out_unless_they_are_another_or_none_at_all() {
    let one = builder(3).build();
    let behind = |rest: &[u8]| check(&[&one[..], rest].concat(), &rules());
    let with = |length: i32, magic: u8, size: usize| {
        let mut rest = one[..size].to_vec();
        rest[8..12].copy_from_slice(&length.to_be_bytes());
        rest[16] = magic;
        rest
    };
    let beginnings = (1..one.len()).map(|len| one[..len].to_vec());
    let good = beginnings.chain([
        vec![0; 1],
        vec![0; 11],
        vec![0xff; 11],
        with(14, 2, 25),
        with(i32::MAX, 0, 40),
    ]);
    for rest in good {
        let valid = behind(&rest).unwrap_or_else(|refused| panic!("{rest:?}: {}", refused.message));
        assert_eq!((valid.size_bytes, valid.record_count), (one.len(), 3), "{rest:?}");
    }
    for (rest, expected) in [
        (vec![0; 12], ErrorCode::CorruptMessage),
        (vec![0; 40], ErrorCode::CorruptMessage),
        (with(13, 2, 40), ErrorCode::CorruptMessage),
        (with(-1, 2, 40), ErrorCode::CorruptMessage),
        (with(1000, 3, 40), ErrorCode::CorruptMessage),
        (with(1000, 0xff, 40), ErrorCode::CorruptMessage),
        (with(14, 2, 26), ErrorCode::InvalidRecord),
        (with(14, 0, 26), ErrorCode::InvalidRecord),
        ([&one[..], b"x"].concat(), ErrorCode::InvalidRecord),
    ] {
        let refused = behind(&rest).unwrap_err();
        assert_eq!((refused.error, refused.says_log_start), (expected, false), "{rest:?}");
    }
}

/// As Kafka 4.4 answers: the log's start stands beside what the log refuses, not beside what comes
/// no further than the request.
#[test]
fn a_refusal_says_whether_the_log_start_belongs_to_it() {
    let compacted = ValidationRules { compacted: true, ..rules() };
    let mut no_key = BatchBuilder::new(0);
    no_key.append(NOW_MS, None, None, &[]);
    let mut far = BatchBuilder::new(0);
    far.append(NOW_MS + 4_000_000, None, None, &[]);
    let mut bad_crc = builder(3).build().to_vec();
    bad_crc[20] ^= 1;
    let small = ValidationRules { max_message_bytes: 50, ..rules() };
    for (bytes, rules, expected) in [
        (vec![], rules(), (ErrorCode::InvalidRecord, false)),
        (patched(16, &[1]), rules(), (ErrorCode::InvalidRecord, false)),
        (bad_crc, rules(), (ErrorCode::CorruptMessage, false)),
        (builder(3).build().to_vec(), small, (ErrorCode::MessageTooLarge, false)),
        (patched(22, &[0x10]), rules(), (ErrorCode::TransactionalIdAuthorizationFailed, false)),
        (patched(0, &1i64.to_be_bytes()), rules(), (ErrorCode::InvalidRecord, true)),
        (patched(57, &[0, 0, 0, 2]), rules(), (ErrorCode::InvalidRecord, true)),
        (patched(22, &[0x20]), rules(), (ErrorCode::InvalidRecord, true)),
        (patched(43, &9i64.to_be_bytes()), rules(), (ErrorCode::InvalidRecord, true)),
        (no_key.build().to_vec(), compacted, (ErrorCode::InvalidRecord, true)),
        (far.build().to_vec(), rules(), (ErrorCode::InvalidTimestamp, true)),
    ] {
        let refused = check(&bytes, &rules).unwrap_err();
        assert_eq!((refused.error, refused.says_log_start), expected, "{}", refused.message);
    }
}

#[test]
fn headers_that_lie() {
    let cases: &[(usize, &[u8], ErrorCode)] = &[
        (16, &[0], ErrorCode::InvalidRecord),
        (16, &[1], ErrorCode::InvalidRecord),
        (16, &[3], ErrorCode::CorruptMessage),
        (16, &[255], ErrorCode::CorruptMessage),
        (8, &[0, 0, 0, 20], ErrorCode::CorruptMessage),
        (8, &[255, 255, 255, 255], ErrorCode::CorruptMessage),
        (8, &[127, 0, 0, 0], ErrorCode::InvalidRecord),
        (0, &[0, 0, 0, 0, 0, 0, 0, 1], ErrorCode::InvalidRecord),
        // Last offset delta and record count.
        (23, &[0, 0, 0, 3], ErrorCode::InvalidRecord),
        (23, &[255, 255, 255, 255], ErrorCode::InvalidRecord),
        (57, &[0, 0, 0, 2], ErrorCode::InvalidRecord),
        (57, &[0, 0, 0, 0], ErrorCode::InvalidRecord),
        (57, &[255, 255, 255, 253], ErrorCode::InvalidRecord),
        // Attributes: codec, transactional, control.
        (22, &[5], ErrorCode::UnsupportedCompressionType),
        (22, &[1], ErrorCode::InvalidRecord),
        (22, &[4], ErrorCode::InvalidRecord),
        (22, &[0x10], ErrorCode::TransactionalIdAuthorizationFailed),
        (22, &[0x20], ErrorCode::InvalidRecord),
        // A producer id, the sequence staying −1.
        (43, &[0, 0, 0, 0, 0, 0, 0, 9], ErrorCode::InvalidRecord),
        // The offset delta of the first record: length, attributes and timestamp delta come before
        // it.
        (BATCH_HEADER_BYTES + 3, &[2], ErrorCode::InvalidRecord),
        (BATCH_HEADER_BYTES + 3, &[1], ErrorCode::InvalidRecord),
    ];
    for (at, bytes, expected) in cases {
        assert_eq!(error(&patched(*at, bytes), &rules()), *expected, "{bytes:?} at {at}");
    }
    // Both lies together are consistent with each other, but not with the records.
    let mut both = patched(57, &[0, 0, 0, 4]);
    both[23..27].copy_from_slice(&[0, 0, 0, 3]);
    let crc = super::super::batch::checksum(&both);
    both[17..21].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(error(&both, &rules()), ErrorCode::InvalidRecord);
    let mut bad_crc = builder(3).build().to_vec();
    bad_crc[20] ^= 1;
    assert_eq!(error(&bad_crc, &rules()), ErrorCode::CorruptMessage);
}

#[test]
fn size_codec_and_version() {
    let bytes = builder(3).build();
    let exact = ValidationRules { max_message_bytes: bytes.len(), ..rules() };
    assert!(check(&bytes, &exact).is_ok());
    let less = ValidationRules { max_message_bytes: bytes.len() - 1, ..rules() };
    assert_eq!(error(&bytes, &less), ErrorCode::MessageTooLarge);
    let zstd = fill(BatchBuilder::new(0).compression(Compression::Zstd, None), 3).build();
    let old = ValidationRules { origin: AppendOrigin::Client { produce_version: 6 }, ..rules() };
    assert_eq!(error(&zstd, &old), ErrorCode::UnsupportedCompressionType);
    assert!(check(&zstd, &rules()).is_ok());
}

#[test]
fn a_bomb_is_too_large() {
    let zeros = vec![0; 8 << 20];
    for codec in [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
        let mut builder = BatchBuilder::new(0).compression(codec, None);
        builder.append(NOW_MS, None, Some(&zeros), &[]);
        let bytes = builder.build();
        let tight = ValidationRules { max_decompressed_bytes: 1 << 20, ..rules() };
        assert_eq!(error(&bytes, &tight), ErrorCode::MessageTooLarge, "{codec:?}");
        let mut scratch = Vec::new();
        assert!(validate(&bytes, &rules(), &mut scratch).is_ok(), "{codec:?}");
        assert!(scratch.capacity() <= SCRATCH_KEPT_BYTES);
        let barely = ValidationRules { max_decompressed_bytes: zeros.len(), ..rules() };
        assert!(
            validate(&bytes, &barely, &mut scratch).is_err(),
            "{codec:?}: the record has a header, too"
        );
        assert!(
            scratch.capacity() <= SCRATCH_KEPT_BYTES,
            "{codec:?} kept {} bytes of a refused batch",
            scratch.capacity()
        );
    }
}

/// A batch of one small record, one whose body has `body_bytes`, and a small one.
fn with_record_of(body_bytes: usize, codec: Compression) -> Vec<u8> {
    let mut builder = BatchBuilder::new(0).compression(codec, None);
    builder.append(NOW_MS, None, Some(b"small"), &[]);
    // Attributes, two deltas and no key: a byte each, and so the number of headers; the value's
    // length takes two.
    builder.append(NOW_MS, None, Some(&vec![7; body_bytes - 7]), &[]);
    builder.append(NOW_MS, None, Some(b"small"), &[]);
    builder.build().to_vec()
}

#[test]
fn a_record_of_a_compressed_batch_may_unpack_to_no_more_than_the_limit() {
    let rules = ValidationRules { max_decompressed_message_bytes: 5000, ..rules() };
    let say = "Invalid record size: 5001 exceeds the configured maximum record size of 5000.";
    for codec in Compression::ALL {
        let (at, over) = (with_record_of(5000, codec), with_record_of(5001, codec));
        assert!(check(&at, &rules).is_ok() && in_steps(&at, &rules).1.is_ok(), "{codec:?}");
        let verdicts = [check(&over, &rules), in_steps(&over, &rules).1.map(|(_, valid)| valid)];
        for verdict in verdicts {
            if codec == Compression::None {
                assert!(verdict.is_ok(), "uncompressed ones have max.message.bytes");
                continue;
            }
            let refused = verdict.unwrap_err();
            assert_eq!(
                (refused.error, refused.message.as_str(), refused.record_errors.len()),
                (ErrorCode::InvalidRecord, say, 0),
                "{codec:?}"
            );
        }
        let gzip = ValidationRules { compression: Some(Compression::Gzip), ..rules };
        assert_eq!(check(&over, &gzip).is_ok(), codec == Compression::None, "it goes by the sent");
    }
}

/// As in Kafka, where the walk over the records ends there.
#[test]
fn a_record_over_the_limit_comes_before_faults_of_others() {
    let bytes = with_record_of(5001, Compression::Lz4);
    let rules =
        ValidationRules { compacted: true, max_decompressed_message_bytes: 5000, ..rules() };
    for refused in [check(&bytes, &rules).unwrap_err(), in_steps(&bytes, &rules).1.unwrap_err()] {
        assert!(refused.message.contains("5001") && refused.record_errors.is_empty());
    }
}

/// The length alone is enough, and the work on the batch ends with it.
#[test]
fn a_record_over_the_limit_is_not_unpacked() {
    let mut builder = BatchBuilder::new(0).compression(Compression::Zstd, None);
    builder.append(NOW_MS, None, Some(&vec![0; 20 << 20]), &[]);
    let bytes = builder.build();
    let rules = ValidationRules { max_decompressed_message_bytes: 1 << 20, ..rules() };
    let (steps, verdict) = in_steps(&bytes, &rules);
    assert_eq!(verdict.unwrap_err().error, ErrorCode::InvalidRecord);
    assert!(steps < 5, "{steps} steps");
}

#[test]
fn timestamps() {
    let at = |timestamp| {
        let mut builder = BatchBuilder::new(0);
        builder.append(NOW_MS, None, None, &[]);
        builder.append(timestamp, None, None, &[]);
        builder.build()
    };
    let near =
        ValidationRules { timestamp_before_max_ms: 1000, timestamp_after_max_ms: 500, ..rules() };
    for (timestamp, good) in [
        (NOW_MS - 1000, true),
        (NOW_MS - 1001, false),
        (NOW_MS + 500, true),
        (NOW_MS + 501, false),
        (-1, true),
    ] {
        let result = check(&at(timestamp), &near);
        assert_eq!(result.is_ok(), good, "{timestamp}");
        if let Err(rejection) = result {
            assert_eq!(rejection.error, ErrorCode::InvalidTimestamp);
            assert_eq!(rejection.record_errors.len(), 1);
            assert_eq!(rejection.record_errors[0].batch_index, 1);
        }
    }
    for timestamp in [i64::MAX, i64::MIN] {
        assert_eq!(error(&at(timestamp), &near), ErrorCode::InvalidTimestamp);
    }
    let by_append = ValidationRules { timestamp_type: TimestampType::LogAppendTime, ..near };
    let mut bytes = at(5).to_vec();
    let valid = check(&bytes, &by_append).unwrap();
    assert_eq!(valid.max_timestamp, NOW_MS);
    assign(&mut bytes, &valid, TimestampType::LogAppendTime, 10, 1);
    let batch = Batch::parse(&bytes).unwrap();
    assert!(batch.crc_is_valid());
    assert!(batch.records().unwrap().all(|record| record.unwrap().timestamp == NOW_MS));
    // A client that claims the broker's time itself.
    let mut claimed = BatchBuilder::new(0).log_append_time(NOW_MS);
    claimed.append(NOW_MS, None, None, &[]);
    let claimed = claimed.build();
    assert_eq!(error(&claimed, &by_append), ErrorCode::InvalidTimestamp);
    let mut tolerated = claimed.to_vec();
    let valid = check(&tolerated, &rules()).unwrap();
    assign(&mut tolerated, &valid, TimestampType::CreateTime, 0, 0);
    assert_eq!(Batch::parse(&tolerated).unwrap().timestamp_type(), TimestampType::CreateTime);
}

#[test]
fn a_wrong_max_timestamp_is_put_right() {
    let mut bytes = patched(35, &77i64.to_be_bytes());
    let valid = check(&bytes, &rules()).unwrap();
    assert_eq!(valid.max_timestamp, NOW_MS);
    assign(&mut bytes, &valid, TimestampType::CreateTime, 0, 0);
    let batch = Batch::parse(&bytes).unwrap();
    assert!(batch.crc_is_valid());
    assert_eq!(batch.max_timestamp(), NOW_MS);
}

#[test]
fn compacted_topics_need_keys() {
    let mut builder = BatchBuilder::new(0);
    for index in 0..3000 {
        builder.append(NOW_MS, (index % 2 == 0).then_some(b"k"), None, &[]);
    }
    let bytes = builder.build();
    assert!(check(&bytes, &rules()).is_ok());
    let rejection = check(&bytes, &ValidationRules { compacted: true, ..rules() }).unwrap_err();
    assert_eq!(rejection.error, ErrorCode::InvalidRecord);
    assert_eq!(rejection.record_errors.len(), MAX_RECORD_ERRORS);
    assert_eq!(rejection.record_errors[1].batch_index, 3);
    assert!(rejection.message.contains("1500"));
}

#[test]
fn coordinators_may_write_markers_and_transactions() {
    let marker = EndTransactionMarker { committed: true, coordinator_epoch: 1 };
    let bytes = BatchBuilder::end_transaction_marker(0, NOW_MS, 5, 2, marker).build();
    assert_eq!(error(&bytes, &rules()), ErrorCode::InvalidRecord);
    let gzip = Some(Compression::Gzip);
    let coordinator =
        ValidationRules { origin: AppendOrigin::Coordinator, compression: gzip, ..rules() };
    let valid = check(&bytes, &coordinator).unwrap();
    assert!(valid.is_control && valid.is_transactional);
    assert_eq!(valid.recompress_to, None);

    let transactional = fill(BatchBuilder::new(0).producer(5, 2, 0).transactional(true), 2).build();
    assert_eq!(error(&transactional, &rules()), ErrorCode::TransactionalIdAuthorizationFailed);
    let allowed = ValidationRules { transactional_allowed: true, ..rules() };
    assert!(check(&transactional, &allowed).unwrap().is_transactional);
}

#[test]
fn recompression_keeps_everything_but_the_codec() {
    for from in Compression::ALL {
        for to in Compression::ALL {
            let original =
                BatchBuilder::new(0).compression(from, None).producer(5, 2, 77).transactional(true);
            let original = fill(original, 50).build();
            let wanted =
                ValidationRules { compression: Some(to), transactional_allowed: true, ..rules() };
            let valid = check(&original, &wanted).unwrap();
            assert_eq!(valid.recompress_to, (from != to).then_some(to));
            let batch = Batch::parse(&original).unwrap();
            let rewritten = recompress(&batch, to, None, &wanted).unwrap();
            let again = check(&rewritten, &wanted).unwrap();
            let expected = ValidBatch {
                size_bytes: rewritten.len(),
                compression: to,
                recompress_to: None,
                ..valid
            };
            assert_eq!(again, expected);
            let rewritten = Batch::parse(&rewritten).unwrap();
            let limit = MAX_DECOMPRESSED_BATCH_BYTES;
            assert_eq!(rewritten.decompressed_body(limit), batch.decompressed_body(limit));
        }
    }
    let packed = fill(BatchBuilder::new(0).compression(Compression::Gzip, None), 1000).build();
    let tight = ValidationRules { max_message_bytes: packed.len() + 1, ..rules() };
    let refused = recompress(&Batch::parse(&packed).unwrap(), Compression::None, None, &tight);
    assert_eq!(refused.unwrap_err().error, ErrorCode::MessageTooLarge);
}

#[test]
fn damaged_compressed_bodies_are_invalid() {
    for codec in [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
        let whole = fill(BatchBuilder::new(0).compression(codec, None), 20).build();
        let body = compression::decompress(codec, &whole[BATCH_HEADER_BYTES..], 1 << 20).unwrap();
        for shorter in [body.len() - 1, body.len() / 2, 0] {
            let mut bytes = whole[..BATCH_HEADER_BYTES].to_vec();
            bytes.extend_from_slice(&compression::compress(codec, None, &body[..shorter]));
            let length = bytes.len() as i32 - 12;
            bytes[8..12].copy_from_slice(&length.to_be_bytes());
            let crc = super::super::batch::checksum(&bytes);
            bytes[17..21].copy_from_slice(&crc.to_be_bytes());
            assert_eq!(error(&bytes, &rules()), ErrorCode::InvalidRecord, "{codec:?} {shorter}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever the fast walk accepts, the exact one accepts too, with the same result.
    #[test]
    fn the_fast_walk_accepts_nothing_that_the_exact_one_refuses(
        count in 1i64..8,
        changes in prop::collection::vec((0usize..400, any::<u8>()), 0..4),
        cut_bytes in 0usize..3,
        by_append: bool,
        compacted: bool,
    ) {
        let mut bytes = builder(count).build().to_vec();
        for (at, byte) in changes {
            let at = BATCH_HEADER_BYTES + at % (bytes.len() - BATCH_HEADER_BYTES);
            bytes[at] = byte;
        }
        let timestamp_type =
            if by_append { TimestampType::LogAppendTime } else { TimestampType::CreateTime };
        let rules = ValidationRules { timestamp_type, compacted,
            timestamp_before_max_ms: 3_600_000, ..rules() };
        let batch = Batch::parse(&bytes).unwrap();
        let body = &batch.body()[..batch.body().len() - cut_bytes];
        if let Some(fast) = check_regular(&batch, body, &rules) {
            prop_assert_eq!(Ok(fast), check_records(&batch, body, usize::MAX, &rules));
        }
    }
}

#[test]
fn ordinary_batches_take_the_fast_walk() {
    for count in [1, 3, 200] {
        let bytes = builder(count).build();
        let batch = Batch::parse(&bytes).unwrap();
        assert!(check_regular(&batch, batch.body(), &rules()).is_some());
    }
    let mut without_keys = BatchBuilder::new(0);
    without_keys.append(NOW_MS, None, None, &[]);
    let bytes = without_keys.build();
    let batch = Batch::parse(&bytes).unwrap();
    assert!(check_regular(&batch, batch.body(), &rules()).is_some());
    assert!(
        check_regular(&batch, batch.body(), &ValidationRules { compacted: true, ..rules() })
            .is_none()
    );
}

/// The verdict in steps, how many they were, and the batch to append.
fn in_steps(
    bytes: &[u8],
    rules: &ValidationRules,
) -> (usize, Result<(bytes::BytesMut, ValidBatch), Rejection>) {
    let mut heavy = HeavyBatch::new(bytes.into(), *rules, None);
    let (mut steps, mut piece) = (1, Vec::new());
    loop {
        match heavy.step(&mut piece) {
            Some(verdict) => return (steps, verdict),
            None => steps += 1,
        }
        assert!(piece.len() <= 64 << 10, "a step unpacks {} bytes", piece.len());
    }
}

fn repacked(batch: &mut [u8]) {
    let length = batch.len() as i32 - 12;
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    let crc = super::super::batch::checksum(batch);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Damaged or not, small or large, for any topic: the steps come to what one pass comes to.
    #[test]
    fn steps_come_to_the_same_verdict(
        sizes in prop::collection::vec((0usize..60, prop::option::of(0usize..3000), 0usize..4),
            1..60),
        from in prop::sample::select(&Compression::ALL),
        to in prop::option::of(prop::sample::select(&Compression::ALL)),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        cut_bytes in prop::sample::select(&[0, 0, 0, 1, 40]),
        by_append: bool,
        compacted: bool,
        record_bytes_max in prop::sample::select(&[1 << 20, 1 << 20, 2900, 100]),
    ) {
        let mut builder = BatchBuilder::new(0).producer(7, 1, 5);
        for (index, (key, value, headers)) in sizes.iter().enumerate() {
            let header = Header { key: b"name", value: (*headers % 2 == 0).then_some(b"value") };
            let (key, value) = (vec![1; *key], value.map(|len| vec![index as u8; len]));
            let key = (!key.is_empty()).then_some(&key[..]);
            builder.append(NOW_MS - index as i64, key, value.as_deref(), &vec![header; *headers]);
        }
        let plain = builder.build();
        let mut body = plain[BATCH_HEADER_BYTES..].to_vec();
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        body.truncate(body.len() - cut_bytes.min(body.len()));
        let mut bytes = plain[..BATCH_HEADER_BYTES].to_vec();
        bytes.extend_from_slice(&compression::compress(from, None, &body));
        bytes[22] = from.id();
        repacked(&mut bytes);
        let timestamp_type =
            if by_append { TimestampType::LogAppendTime } else { TimestampType::CreateTime };
        let rules = ValidationRules {
            timestamp_type, compacted, compression: to, timestamp_before_max_ms: 3_600_000,
                max_decompressed_message_bytes: record_bytes_max, ..rules()
        };
        let at_once = check(&bytes, &rules);
        let (_, steps) = in_steps(&bytes, &rules);
        match (at_once, steps) {
            (Ok(valid), Ok((appended, in_steps))) => {
                let codec = valid.recompress_to.unwrap_or(from);
                let unpacked = Batch::parse(&appended).unwrap().decompressed_body(1 << 30).unwrap()
                    .to_vec();
                prop_assert_eq!(unpacked, body);
                prop_assert!(Batch::parse(&appended).unwrap().crc_is_valid());
                prop_assert_eq!(in_steps.compression, codec);
                let size_bytes = appended.len();
                prop_assert_eq!(in_steps, ValidBatch { size_bytes, compression: codec,
                    recompress_to: None, ..valid });
            }
            (Err(at_once), Err(in_steps)) => {
                prop_assert_eq!(at_once.error, in_steps.error, "{} / \
                    {}", at_once.message, in_steps.message);
                prop_assert_eq!(at_once.record_errors, in_steps.record_errors);
            }
            (at_once, in_steps) => prop_assert!(false, "{:?} / {:?}", at_once, in_steps),
        }
    }
}

#[test]
fn a_heavy_batch_is_worked_on_in_many_steps() {
    let zeros = vec![0; 20 << 20];
    let mut builder = BatchBuilder::new(0).compression(Compression::Zstd, None);
    builder.append(NOW_MS, None, Some(&zeros), &[]);
    let bytes = builder.build();
    assert_eq!(validate_at_once(&bytes, &rules(), &mut Vec::new(), || true), Ok(None));
    let (steps, verdict) = in_steps(&bytes, &rules());
    assert!(steps > zeros.len() / (64 << 10), "{steps} steps");
    let (appended, valid) = verdict.unwrap();
    assert_eq!((&appended[..], valid.recompress_to), (&bytes[..], None));
    let wanted = ValidationRules { compression: Some(Compression::Gzip), ..rules() };
    let (steps, verdict) = in_steps(&bytes, &wanted);
    assert!(steps > zeros.len() / (8 << 10), "{steps} steps");
    assert_eq!(verdict.unwrap().1.compression, Compression::Gzip);
    let uncompressed = ValidationRules { compression: Some(Compression::None), ..rules() };
    assert_eq!(in_steps(&bytes, &uncompressed).1.unwrap_err().error, ErrorCode::MessageTooLarge);
    let tight = ValidationRules { max_decompressed_bytes: 1 << 20, ..rules() };
    assert_eq!(in_steps(&bytes, &tight).1.unwrap_err().error, ErrorCode::MessageTooLarge);
}

#[test]
fn small_batches_are_checked_at_once() {
    for codec in Compression::ALL {
        let bytes = fill(BatchBuilder::new(0).compression(codec, None), 400).build();
        let valid = check(&bytes, &rules()).unwrap();
        assert_eq!(
            validate_at_once(&bytes, &rules(), &mut Vec::new(), || true),
            Ok(Some(valid.clone())),
            "{codec:?}"
        );
        let when_busy = (codec == Compression::None).then_some(valid);
        assert_eq!(
            validate_at_once(&bytes, &rules(), &mut Vec::new(), || false),
            Ok(when_busy),
            "{codec:?}"
        );
    }
}
