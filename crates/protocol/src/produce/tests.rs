use super::*;
use crate::generated::rpc::{produce_request, produce_response};
use crate::message::{Message, decode_exact};
use bytes::Bytes;
use proptest::prelude::*;

const BODY_START: usize = 11;

fn request() -> impl Strategy<Value = produce_request::ProduceRequest> {
    let records =
        prop::option::of(prop::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from));
    let partition = (any::<i32>(), records)
        .prop_map(|(index, records)| produce_request::PartitionProduceData { index, records });
    let topic = ("[a-zé.]{0,200}", any::<[u8; 16]>(), prop::collection::vec(partition, 0..4))
        .prop_map(|(name, id, partition_data)| produce_request::TopicProduceData {
            name,
            topic_id: Uuid(id),
            partition_data,
        });
    (
        prop::option::of("[a-z]{0,20}"),
        any::<i16>(),
        any::<i32>(),
        prop::collection::vec(topic, 0..4),
    )
        .prop_map(|(transactional_id, acks, timeout_ms, topic_data)| {
            produce_request::ProduceRequest { transactional_id, acks, timeout_ms, topic_data }
        })
}

/// The request as this version carries it, behind some bytes of request header.
fn framed(
    mut request: produce_request::ProduceRequest,
    version: i16,
) -> (produce_request::ProduceRequest, Vec<u8>) {
    for topic in &mut request.topic_data {
        if version >= TOPIC_ID_FROM { topic.name.clear() } else { topic.topic_id = Uuid::ZERO }
    }
    let mut frame = BytesMut::from(&[0xee; BODY_START][..]);
    request.encode(&mut frame, version).unwrap();
    (request, frame.to_vec())
}

/// A response with topics of so many partitions, all answered alike.
fn written(
    version: i16,
    topics: &[(String, [u8; 16], usize)],
    answer: &PartitionProduceResponse<'_>,
    throttle_time_ms: i32,
    endpoints: &[NodeEndpoint<'_>],
) -> BytesMut {
    let mut out = BytesMut::new();
    let mut writer = ProduceResponseWriter::new(&mut out, version, topics.len());
    for (name, id, partitions) in topics {
        writer.begin_topic(name, Uuid(*id), *partitions);
        for index in 0..*partitions {
            writer.partition(&PartitionProduceResponse { index: index as i32, ..answer.clone() });
        }
    }
    writer.finish(throttle_time_ms, endpoints);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_view_sees_what_the_schema_wrote(request in request()) {
        for version in MIN_VERSION..=MAX_VERSION {
            let (request, frame) = framed(request.clone(), version);
            let view = ProduceRequest::parse(&frame, BODY_START, version).unwrap();
            prop_assert_eq!(view.transactional_id, request.transactional_id.as_deref()
                .map(Text::from));
            prop_assert_eq!((view.acks, view.timeout_ms), (request.acks, request.timeout_ms));
            let seen: Vec<_> = view
                .partitions()
                .map(|p| (p.topic.name.decode().into_owned(), p.topic.id, p.index,
                    p.records.map(|range| frame[range].to_vec())))
                .collect();
            let mut expected = Vec::new();
            for topic in &request.topic_data {
                for p in &topic.partition_data {
                    let records = p.records.as_ref().map(|records| records.to_vec());
                    expected.push((topic.name.clone(), topic.topic_id, p.index, records));
                }
            }
            prop_assert_eq!(seen, expected);
            for len in 0..frame.len() {
                prop_assert!(ProduceRequest::parse(&frame[..len], BODY_START, version).is_err());
            }
            let longer = [&frame[..], &[0]].concat();
            prop_assert!(ProduceRequest::parse(&longer, BODY_START, version).is_err());
        }
    }

    #[test]
    fn view_and_schema_refuse_the_same_bytes(request in request(),
        at in any::<prop::sample::Index>(), by in 1u8..) {
        for version in MIN_VERSION..=MAX_VERSION {
            let (_, mut frame) = framed(request.clone(), version);
            let at = BODY_START + at.index(frame.len() - BODY_START);
            frame[at] ^= by;
            let view = ProduceRequest::parse(&frame, BODY_START, version);
            let schema = decode_exact::<produce_request::ProduceRequest>(&frame[BODY_START..],
                version);
            prop_assert_eq!(view.is_ok(), schema.is_ok(), "{:?} {:?}", view, schema);
            if let Ok(view) = view {
                prop_assert!(view.partitions().count() <= frame.len());
            }
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>, version in MIN_VERSION..=MAX_VERSION) {
        let view = ProduceRequest::parse(&bytes, 0, version).map(|view| view.partitions().count());
        prop_assert!(view.unwrap_or(0) <= bytes.len());
    }

    #[test]
    fn the_writer_writes_the_schema(
        topics in prop::collection::vec(("[a-z]{1,9}", any::<[u8; 16]>(), 0usize..4), 0..4),
        offset: i64,
        texts in prop::collection::vec(prop::option::of("[a-zé]{0,200}"), 0..3),
        leader in prop::option::of((0i32..9, 0i32..9)),
        throttle_time_ms: i32,
        endpoints in prop::collection::vec(("[a-z]{0,9}", any::<i32>(),
            prop::option::of("[a-z]{0,9}")), 0..3),
    ) {
        for version in MIN_VERSION..=MAX_VERSION {
            let errors: Vec<_> = texts
                .iter()
                .enumerate()
                .map(|(i, message)| RecordError { batch_index: i as i32, message: message.clone() })
                .collect();
            let leader = leader.map(|(leader_id, leader_epoch)| LeaderIdAndEpoch { leader_id,
                leader_epoch });
            let error_message = texts.first().cloned().flatten();
            let written_endpoints: Vec<_> = endpoints
                .iter()
                .map(|(host, port, rack)| NodeEndpoint { node_id: *port, host, port: *port,
                    rack: rack.as_deref() })
                .collect();

            let answer = PartitionProduceResponse {
                base_offset: offset,
                log_append_time_ms: offset ^ 1,
                log_start_offset: offset ^ 2,
                record_errors: &errors,
                error_message: error_message.as_deref(),
                current_leader: leader,
                ..PartitionProduceResponse::refused(0, ErrorCode::NotLeaderOrFollower)
            };
            let out = written(version, &topics, &answer, throttle_time_ms, &written_endpoints);

            let partition = |index: usize| produce_response::PartitionProduceResponse {
                index: index as i32,
                error_code: ErrorCode::NotLeaderOrFollower.code(),
                base_offset: offset,
                log_append_time_ms: offset ^ 1,
                log_start_offset: if version >= 5 { offset ^ 2 } else { -1 },
                record_errors: if version < 8 { vec![] } else {
                    errors.iter().map(|e| produce_response::BatchIndexAndErrorMessage {
                        batch_index: e.batch_index,
                        batch_index_error_message: e.message.clone(),
                    }).collect()
                },
                error_message: error_message.clone().filter(|_| version >= 8),
                current_leader: leader.filter(|_| version >= 10)
                    .map_or_else(Default::default, |leader| {
                    produce_response::LeaderIdAndEpoch { leader_id: leader.leader_id,
                        leader_epoch: leader.leader_epoch }
                }),
            };
            let expected = produce_response::ProduceResponse {
                responses: topics.iter().map(|(name, id,
                    partitions)| produce_response::TopicProduceResponse {
                    name: if version < 13 { name.clone() } else { String::new() },
                    topic_id: if version >= 13 { Uuid(*id) } else { Uuid::ZERO },
                    partition_responses: (0..*partitions).map(partition).collect(),
                }).collect(),
                throttle_time_ms,
                node_endpoints: endpoints.iter().filter(|_| version >= 10)
                    .map(|(host, port, rack)| {
                    produce_response::NodeEndpoint { node_id: *port, host: host.clone(),
                        port: *port, rack: rack.clone() }
                }).collect(),
            };
            let mut encoded = BytesMut::new();
            expected.encode(&mut encoded, version).unwrap();
            prop_assert_eq!(&out, &encoded, "version {}", version);
        }
    }
}

#[test]
fn other_versions_are_refused() {
    for version in [i16::MIN, -1, 2, 14, i16::MAX] {
        let refused = ProduceRequest::parse(&[0; 40], 0, version).unwrap_err();
        assert!(matches!(refused.kind, DecodeErrorKind::UnsupportedVersion { .. }));
    }
    assert!(ProduceRequest::parse(&[0; 4], 5, 9).is_err());
}

#[test]
fn false_counts_end_at_the_end_of_the_frame() {
    // No transactional id, acks, timeout, then 2^31 − 1 topics.
    let mut frame = vec![0xff, 0xff, 0, 1, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff];
    assert!(ProduceRequest::parse(&frame, 0, 8).is_err());
    frame[8..].copy_from_slice(&(-2i32).to_be_bytes());
    let refused = ProduceRequest::parse(&frame, 0, 8).unwrap_err();
    // Every negative length is null, which the topics of a produce request may not be.
    assert_eq!(refused.kind, DecodeErrorKind::UnexpectedNull);
}

/// Kafka reads bytes that are no UTF-8 as replacement characters, and any negative length as null.
#[test]
fn text_is_read_as_java_reads_it() {
    let frame = |name: &[u8]| {
        let mut frame = vec![0xff, 0xfe, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1];
        frame.extend_from_slice(&(name.len() as i16).to_be_bytes());
        frame.extend_from_slice(name);
        frame.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 7, 0xff, 0xff, 0xff, 0xfd]);
        frame
    };
    let bytes = frame(b"caf\xe9");
    let request = ProduceRequest::parse(&bytes, 0, 8).unwrap();
    assert_eq!(request.transactional_id, None);
    let partition = request.partitions().next().unwrap();
    assert_eq!(
        (&*partition.topic.name.decode(), partition.index, partition.records),
        ("caf\u{fffd}", 7, None)
    );
    // What would be too long for the answer after the replacement is refused here.
    let refused = ProduceRequest::parse(&frame(&[0xe9; 20_000]), 0, 8).unwrap_err();
    assert_eq!(refused.kind, DecodeErrorKind::InvalidLength(20_000));
    assert!(ProduceRequest::parse(&frame(&[b'a'; 20_000]), 0, 8).is_ok());
}

/// Kafka's limit of 4.4.0, for topics and for the partitions of each.
#[test]
fn a_million_topics_or_partitions_are_viewed_and_no_more() {
    // No transactional id, acks, timeout; then topics without a name and without partitions.
    let topics = |count: i32| {
        let mut frame = vec![0xff, 0xff, 0, 1, 0, 0, 0, 0];
        frame.extend_from_slice(&count.to_be_bytes());
        frame.resize(frame.len() + count as usize * 6, 0);
        frame
    };
    assert_eq!(ProduceRequest::parse(&topics(1_000_000), 0, 8).unwrap().partitions().count(), 0);
    let refused = ProduceRequest::parse(&topics(1_000_001), 0, 8).unwrap_err();
    assert_eq!(refused.kind, DecodeErrorKind::ArrayTooLong(1_000_001));
    let mut frame = topics(1);
    frame[14..].copy_from_slice(&1_000_001i32.to_be_bytes());
    frame.resize(frame.len() + 8 * 1_000_001, 0);
    let refused = ProduceRequest::parse(&frame, 0, 8).unwrap_err();
    assert_eq!(refused.kind, DecodeErrorKind::ArrayTooLong(1_000_001));
}
