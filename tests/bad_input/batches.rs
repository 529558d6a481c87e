//! Record batches that are wrong: damaged, lying about themselves, packed to burst.

use super::with_neighbour;
use crate::support::{
    Client,
    batch::{self, at, patched, with_crc},
    client::{self, PRODUCE_VERSION},
    unique,
};
use bytes::Bytes;
use protocol::{
    ErrorCode,
    compression::{Compression, compress},
    messages::{
        ProduceRequest,
        produce_request::{PartitionProduceData, TopicProduceData},
    },
    records::BatchBuilder,
};

const HOUR_MS: i64 = 3_600_000;

/// Produces each batch to a topic of its own; the errors must be these, and the topic must stay
/// empty.
#[track_caller]
fn refused(client: &mut Client, cases: &[(&str, Vec<u8>, &[ErrorCode])]) {
    let topic = unique("refused");
    client.create_topic(&topic, 1, &[]);
    for (what, batch, expected) in cases {
        let response = client.produce(&topic, 0, batch.clone());
        let error = client::error(response.error_code);
        eprintln!("{what}: {error} ({:?})", response.error_message);
        let is_expected =
            expected.contains(&error) || (expected.is_empty() && error != ErrorCode::None);
        assert!(is_expected, "{what}: {error}, not {expected:?}; {:?}", response.error_message);
    }
    assert_eq!(
        client.read_all_values(&topic, 0),
        Vec::<Vec<u8>>::new(),
        "nothing of it was stored"
    );
    client.produce_value(&topic, 0, b"a good one");
}

#[test]
fn damaged_batches_are_told_apart() {
    use ErrorCode::{CorruptMessage, InvalidRecord, UnknownServerError};
    let good = batch::of(&[b"one", b"two"]);
    let magic = |magic: u8| patched(&good, at::MAGIC, &[magic]);
    let length = |length: i32| patched(&good, at::BATCH_LENGTH, &length.to_be_bytes());
    let real_length = (good.len() - 12) as i32;
    let mut flipped = good.to_vec();
    *flipped.last_mut().unwrap() ^= 1;
    let cases: &[(&str, Vec<u8>, &[ErrorCode])] = &[
        ("a flipped bit", flipped, &[CorruptMessage]),
        ("a wrong CRC", patched(&good, at::CRC, &[1, 2, 3, 4]), &[CorruptMessage]),
        ("magic 0", magic(0), &[InvalidRecord, CorruptMessage]),
        ("magic 1", magic(1), &[InvalidRecord, CorruptMessage]),
        ("magic 3", magic(3), &[CorruptMessage]),
        ("magic 255", magic(255), &[CorruptMessage]),
        ("batchLength 0", length(0), &[CorruptMessage]),
        ("batchLength -1", length(-1), &[CorruptMessage]),
        ("batchLength -2^31", length(i32::MIN), &[CorruptMessage]),
        ("batchLength 48, a byte under the header", length(48), &[CorruptMessage]),
        ("batchLength one too large", length(real_length + 1), &[InvalidRecord]),
        (
            "batchLength 2^31-1",
            length(i32::MAX),
            &[InvalidRecord, CorruptMessage, UnknownServerError],
        ),
        ("batchLength one too small", length(real_length - 1), &[CorruptMessage, InvalidRecord]),
        ("a batch without its end", good[..good.len() - 3].to_vec(), &[InvalidRecord]),
        ("half a header", good[..30].to_vec(), &[InvalidRecord, CorruptMessage]),
        ("nothing", Vec::new(), &[InvalidRecord]),
        ("noise", vec![0xa5; 300], &[CorruptMessage, InvalidRecord]),
    ];
    with_neighbour(|broker| refused(&mut Client::connect(broker.address), cases));
}

#[test]
fn batches_that_lie_about_their_records_are_invalid() {
    use ErrorCode::{InvalidRecord, TransactionalIdAuthorizationFailed};
    let good = batch::of(&[b"one", b"two"]);
    let field = |position: usize, bytes: &[u8]| with_crc(patched(&good, position, bytes));
    let count = |count: i32| field(at::RECORD_COUNT, &count.to_be_bytes());
    let both = |count: i32| {
        let delta = patched(&good, at::LAST_OFFSET_DELTA, &(count - 1).to_be_bytes());
        with_crc(patched(&delta, at::RECORD_COUNT, &count.to_be_bytes()))
    };
    // A record: length, attributes, timestamp delta, offset delta, …
    let record_at = |offset: usize, byte: u8| field(at::RECORDS + offset, &[byte]);
    // One record of these bytes behind its length; the batch is not packed.
    let record =
        |body: &[u8]| batch::with_packed_body(0, 1, &[&[(body.len() * 2) as u8], body].concat());
    let control = BatchBuilder::new(0).control(true);
    let transactional = BatchBuilder::new(0).producer(1, 0, 0).transactional(true);
    let cases: &[(&str, Vec<u8>, &[ErrorCode])] = &[
        ("a record more than there is", both(3), &[InvalidRecord]),
        ("a record less than there is", both(1), &[InvalidRecord]),
        ("2^31-1 records", both(i32::MAX), &[InvalidRecord]),
        ("a count that does not fit the last offset", count(1), &[InvalidRecord]),
        ("a negative count", count(-1), &[InvalidRecord]),
        (
            "a last offset delta that does not fit",
            field(at::LAST_OFFSET_DELTA, &5i32.to_be_bytes()),
            &[InvalidRecord],
        ),
        (
            "a negative last offset delta",
            field(at::LAST_OFFSET_DELTA, &(-1i32).to_be_bytes()),
            &[InvalidRecord],
        ),
        (
            "a base offset other than 0",
            field(at::BASE_OFFSET, &7i64.to_be_bytes()),
            &[InvalidRecord],
        ),
        ("a record of negative length", record_at(0, 1), &[InvalidRecord]),
        ("a record longer than the batch", record_at(0, 0x7e), &[InvalidRecord]),
        (
            "a length of six bytes",
            batch::with_packed_body(0, 1, &[&[0x80; 5][..], &[1; 20]].concat()),
            &[InvalidRecord],
        ),
        (
            "a timestamp of eleven bytes",
            record(&[&[0][..], &[0x80; 10], &[1, 0, 1, 1, 0]].concat()),
            &[InvalidRecord],
        ),
        ("a key longer than its record", record(&[0, 0, 0, 0x7e, b'k', 1, 0]), &[InvalidRecord]),
        (
            "2^31-1 headers",
            record(&[0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f]),
            &[InvalidRecord],
        ),
        ("a header whose name is null", record(&[0, 0, 0, 1, 1, 2, 1, 1]), &[InvalidRecord]),
        ("two batches", [good.as_ref(), &good].concat(), &[InvalidRecord]),
        ("a control batch", batch::fill(control, &[b"x"]).to_vec(), &[InvalidRecord]),
        (
            "a transactional batch without a transactional id",
            batch::fill(transactional, &[b"x"]).to_vec(),
            &[TransactionalIdAuthorizationFailed, InvalidRecord],
        ),
    ];
    let malformed: &[(&str, Vec<u8>, &[ErrorCode])] = &[
        ("a negative offset delta", record_at(3, 1), &[InvalidRecord]),
        (
            "a length of six bytes",
            batch::with_packed_body(0, 1, &[&[0x80; 5][..], &[1; 20]].concat()),
            &[InvalidRecord],
        ),
        (
            "a timestamp of eleven bytes",
            record(&[&[0][..], &[0x80; 10], &[1, 0, 1, 1, 0]].concat()),
            &[InvalidRecord],
        ),
        ("a key longer than its record", record(&[0, 0, 0, 0x7e, b'k', 1, 0]), &[InvalidRecord]),
        (
            "2^31-1 headers",
            record(&[0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f]),
            &[InvalidRecord],
        ),
        ("a header whose name is null", record(&[0, 0, 0, 1, 1, 2, 1, 1]), &[InvalidRecord]),
    ];
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        refused(&mut client, cases);
        if !broker.is_peer() {
            // Apache Kafka does not look at the offset deltas of records that are not packed, and
            // stores them; what it cannot read of a record it may answer with UNKNOWN_SERVER_ERROR.
            refused(&mut client, malformed);
        }
    });
}

/// Bytes that no codec makes smaller; the same each time.
fn noise(size_bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..size_bytes).map(|_| next()).collect()
}

#[test]
fn records_that_are_too_large_or_of_another_time_are_refused() {
    use ErrorCode::{InvalidTimestamp, MessageTooLarge};
    let at_time = |timestamp: i64| {
        let mut builder = BatchBuilder::new(0);
        builder.append(timestamp, None, Some(b"x"), &[]);
        builder.build().to_vec()
    };
    // Two MiB that do not compress: the default of max.message.bytes is one.
    let large = noise(2 << 20);
    let packed = batch::fill(BatchBuilder::new(0).compression(Compression::Lz4, None), &[&large]);
    with_neighbour(|broker| {
        let cases: &[(&str, Vec<u8>, &[ErrorCode])] = &[
            ("2 MiB", batch::of(&[&large]).to_vec(), &[MessageTooLarge]),
            ("2 MiB, packed", packed.to_vec(), &[MessageTooLarge]),
            ("from tomorrow", at_time(batch::now_ms() + 24 * HOUR_MS), &[InvalidTimestamp]),
            ("from the end of time", at_time(i64::MAX), &[InvalidTimestamp]),
        ];
        refused(&mut Client::connect(broker.address), cases);
    });
}

#[test]
fn a_record_just_under_the_limit_is_taken_and_one_above_is_not() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("limit");
        client.create_topic(&topic, 1, &[("max.message.bytes", "2000")]);
        let of_size = |size: usize| {
            let overhead = batch::of(&[&[7; 1500]]).len() - 1500;
            batch::of(&[&vec![7; size - overhead]])
        };
        assert_eq!(of_size(2000).len(), 2000);
        assert_eq!(
            client::error(client.produce(&topic, 0, of_size(2000)).error_code),
            ErrorCode::None
        );
        assert_eq!(
            client::error(client.produce(&topic, 0, of_size(2001)).error_code),
            ErrorCode::MessageTooLarge
        );
    });
}

/// A record of `size_bytes` zeros, as the body of a batch, packed.
fn bomb(codec: Compression, size_bytes: usize) -> Vec<u8> {
    let mut builder = BatchBuilder::new(0).compression(codec, None);
    builder.append(batch::now_ms(), None, Some(&vec![0; size_bytes]), &[]);
    builder.build().to_vec()
}

#[test]
fn packed_batches_that_burst_cost_bounded_memory() {
    // Each is well under a MiB on the wire, and far more than a broker wants in memory when
    // unpacked. Snappy packs 21:1 at best, so what fits under max.message.bytes is no bomb.
    let bombs = [
        (Compression::Zstd, 512 << 20),
        (Compression::Gzip, 512 << 20),
        (Compression::Lz4, 200 << 20),
    ];
    let bombs = bombs.map(|(codec, size)| (codec, bomb(codec, size)));
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("bombs");
        client.create_topic(&topic, 1, &[]);
        for (codec, batch) in bombs.iter().cycle().take(4 * bombs.len()) {
            eprintln!("{}: {} bytes on the wire", codec.name(), batch.len());
            let error = client::error(client.produce(&topic, 0, batch.clone()).error_code);
            eprintln!("answered {error}");
            // Apache Kafka walks the unpacked stream without keeping it, and may take such a batch.
            assert!(broker.is_peer() || error != ErrorCode::None, "{}", codec.name());
        }
    });
}

#[test]
fn packed_batches_that_do_not_unpack_are_refused() {
    let body = &batch::of(&[&[b'v'; 2000]])[at::RECORDS..];
    let packed = |codec: Compression| compress(codec, None, body);
    let mut cases: Vec<(String, Vec<u8>)> = Vec::new();
    for codec in [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
        let (name, whole) = (codec.name(), packed(codec));
        let id = codec.id();
        cases.push((
            format!("{name}: cut off"),
            batch::with_packed_body(id, 1, &whole[..whole.len() / 2]),
        ));
        cases.push((format!("{name}: nothing"), batch::with_packed_body(id, 1, &[])));
        cases.push((format!("{name}: noise"), batch::with_packed_body(id, 1, &[0x5a; 100])));
        cases.push((format!("{name}: of another codec"), batch::with_packed_body(id, 1, body)));
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle..].iter_mut().for_each(|byte| *byte ^= 0xff);
        cases.push((format!("{name}: damaged"), batch::with_packed_body(id, 1, &damaged)));
    }
    // Xerial's frame: magic, version, compatible version, then chunks with their lengths.
    for chunk_length in [i32::MAX, -1, i32::MIN] {
        let mut stream = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec();
        stream.extend_from_slice(&chunk_length.to_be_bytes());
        stream.extend_from_slice(&[0; 20]);
        cases.push((
            format!("snappy: a chunk of {chunk_length}"),
            batch::with_packed_body(2, 1, &stream),
        ));
    }
    // Snappy's own length says 4 GiB.
    cases.push((
        "snappy: 4 GiB".to_owned(),
        batch::with_packed_body(2, 1, &[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]),
    ));
    // A zstd frame with a window of 2 GiB and one block of a repeated byte.
    let window = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x03, 0x00, 0x10, 0x00];
    cases.push(("zstd: a window of 2 GiB".to_owned(), batch::with_packed_body(4, 1, &window)));
    for codec in 5..=7 {
        cases.push((format!("codec {codec}"), batch::with_packed_body(codec, 1, body)));
    }
    let cases: Vec<(&str, Vec<u8>, &[ErrorCode])> =
        cases.iter().map(|(what, batch)| (what.as_str(), batch.clone(), &[][..])).collect();
    with_neighbour(|broker| refused(&mut Client::connect(broker.address), &cases));
}

/// One request with a batch for each partition from 0 on; the errors by partition.
fn produce_to_each<const N: usize>(
    client: &mut Client,
    topic: &str,
    batches: [&Bytes; N],
) -> Vec<(i32, ErrorCode)> {
    let data = |(index, records): (i32, &Bytes)| PartitionProduceData {
        index,
        records: Some(records.clone()),
    };
    let partition_data = (0..).zip(batches).map(data).collect();
    let data = TopicProduceData { name: topic.to_owned(), partition_data, ..Default::default() };
    let request = ProduceRequest {
        transactional_id: None,
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![data],
    };
    let response = client.call(&request, PRODUCE_VERSION);
    let answers = response.responses[0].partition_responses.iter();
    answers.map(|answer| (answer.index, client::error(answer.error_code))).collect()
}

/// Kafka 4.4's `max.decompressed.message.bytes`: of a record without its length, in a batch that
/// came compressed.
#[test]
fn a_compressed_record_over_its_topics_limit_is_refused_alone() {
    const LIMIT_BYTES: usize = 5000;
    // Attributes, two deltas, no key, the number of headers: a byte each; the value's length: two.
    const BESIDE_VALUE_BYTES: usize = 7;
    let batch = |codec, body_bytes: usize| {
        let value = vec![7; body_bytes - BESIDE_VALUE_BYTES];
        batch::fill(BatchBuilder::new(0).compression(codec, None), &[b"small", &value, b"small"])
    };
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let configs = [("max.decompressed.message.bytes", "5000")];
        for (at, codec) in Compression::ALL.into_iter().enumerate() {
            let topic = unique("unpacked");
            // Packed anew or not, it goes by what was sent.
            let configs = [configs[0], ("compression.type", ["producer", "lz4"][at % 2])];
            client.create_topic(&topic, 4, &configs);
            let (exact, over) = (batch(codec, LIMIT_BYTES), batch(codec, LIMIT_BYTES + 1));
            // Long enough to be checked in steps.
            let far_over = batch(codec, 300_000);
            let errors = produce_to_each(&mut client, &topic, [&exact, &over, &far_over, &exact]);
            let of_large = match codec {
                Compression::None => ErrorCode::None,
                _ => ErrorCode::InvalidRecord,
            };
            for expected in
                [(0, ErrorCode::None), (1, of_large), (2, of_large), (3, ErrorCode::None)]
            {
                assert!(errors.contains(&expected), "{codec:?}: {errors:?}");
            }
            if codec != Compression::None {
                let answer = client.produce(&topic, 1, over.clone());
                let said = "Invalid record size: 5001 exceeds the configured maximum record size \
                            of 5000.";
                // Apache Kafka says it in its own log alone.
                let message = answer.error_message.as_deref();
                assert!(message == Some(said) || broker.is_peer(), "{message:?}");
                assert_eq!((answer.base_offset, answer.log_start_offset), (-1, 0));
                assert_eq!(answer.record_errors, []);
            }
            let stored = if codec == Compression::None { 3 } else { 0 };
            for (partition, count) in [(0, 3), (1, stored), (2, stored), (3, 3)] {
                let values = client.read_all_values(&topic, partition);
                assert_eq!(values.len(), count, "{codec:?}, partition {partition}");
            }
        }
    });
}

#[test]
fn one_bad_partition_of_a_request_leaves_the_others_alone() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("mixed");
        client.create_topic(&topic, 3, &[]);
        let good = batch::of(&[b"good"]);
        let bad = Bytes::from(patched(&good, at::CRC, &[0; 4]));
        let errors = produce_to_each(&mut client, &topic, [&good, &bad, &good, &good]);
        let none = ErrorCode::None;
        for expected in [
            (0, none),
            (1, ErrorCode::CorruptMessage),
            (2, none),
            (3, ErrorCode::UnknownTopicOrPartition),
        ] {
            assert!(errors.contains(&expected), "{errors:?}");
        }
        for (partition, count) in [(0, 1), (1, 0), (2, 1)] {
            assert_eq!(client.read_all_values(&topic, partition).len(), count);
        }
    });
}

#[test]
fn acknowledgements_that_do_not_exist_are_refused() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("acks");
        client.create_topic(&topic, 1, &[]);
        for acks in [2, -2, i16::MAX] {
            let request = client::produce_request(&topic, 0, batch::of(&[b"x"]), acks);
            let response = client.call(&request, PRODUCE_VERSION);
            let error = client::error(response.responses[0].partition_responses[0].error_code);
            assert_eq!(error, ErrorCode::InvalidRequiredAcks, "acks={acks}");
        }
        assert_eq!(client.read_all_values(&topic, 0), Vec::<Vec<u8>>::new());
    });
}
