use super::*;
use crate::generated::rpc::{fetch_request, fetch_response};
use crate::message::{Message, decode_exact};
use bytes::Bytes;
use proptest::prelude::*;

const BODY_START: usize = 7;

prop_compose! {
    fn partition()(
        partition: i32, current_leader_epoch: i32, fetch_offset: i64, last_fetched_epoch: i32,
            log_start_offset: i64,
        partition_max_bytes: i32, directory: [u8; 16], high_watermark: i64,
    ) -> fetch_request::FetchPartition {
        fetch_request::FetchPartition {
            partition, current_leader_epoch, fetch_offset, last_fetched_epoch, log_start_offset,
                partition_max_bytes,
            replica_directory_id: Uuid(directory), high_watermark,
        }
    }
}

prop_compose! {
    fn request()(
        cluster_id in prop::option::of("[a-z]{0,30}"),
        replica in (any::<i32>(), any::<i64>()),
        limits in any::<(i32, i32, i32, i8)>(),
        session in any::<(i32, i32)>(),
        topics in prop::collection::vec(
            ("[a-z]{0,200}", any::<[u8; 16]>(), prop::collection::vec(partition(), 0..4)), 0..4),
        forgotten in prop::collection::vec(
            ("[a-z]{0,9}", any::<[u8; 16]>(), prop::collection::vec(any::<i32>(), 0..4)), 0..3),
        rack_id in "[a-z]{0,9}",
    ) -> fetch_request::FetchRequest {
        fetch_request::FetchRequest {
            cluster_id,
            replica_id: replica.0,
            replica_state: fetch_request::ReplicaState { replica_id: replica.0,
                replica_epoch: replica.1 },
            max_wait_ms: limits.0,
            min_bytes: limits.1,
            max_bytes: limits.2,
            isolation_level: limits.3,
            session_id: session.0,
            session_epoch: session.1,
            topics: topics
                .into_iter()
                .map(|(topic, id, partitions)| fetch_request::FetchTopic { topic,
                    topic_id: Uuid(id), partitions })
                .collect(),
            forgotten_topics_data: forgotten
                .into_iter()
                .map(|(topic, id, partitions)| fetch_request::ForgottenTopic { topic,
                    topic_id: Uuid(id), partitions })
                .collect(),
            rack_id,
        }
    }
}

/// The request as this version carries it: what it lacks has its default.
fn in_version(
    mut request: fetch_request::FetchRequest,
    version: i16,
) -> fetch_request::FetchRequest {
    if version < 15 {
        request.replica_state = Default::default()
    } else {
        request.replica_id = -1
    }
    if version < 12 {
        request.cluster_id = None;
    }
    if version < 11 {
        request.rack_id.clear();
    }
    if version < 7 {
        (request.session_id, request.session_epoch) = (0, -1);
        request.forgotten_topics_data.clear();
    }
    let by_id = version >= TOPIC_ID_FROM;
    for topic in &mut request.topics {
        if by_id {
            topic.topic.clear()
        } else {
            topic.topic_id = Uuid::ZERO
        }
        for p in &mut topic.partitions {
            if version < 5 {
                p.log_start_offset = -1
            }
            if version < 9 {
                p.current_leader_epoch = -1
            }
            if version < 12 {
                p.last_fetched_epoch = -1
            }
            if version < 17 {
                p.replica_directory_id = Uuid::ZERO
            }
            if version < 18 {
                p.high_watermark = i64::MAX
            }
        }
    }
    for topic in &mut request.forgotten_topics_data {
        if by_id { topic.topic.clear() } else { topic.topic_id = Uuid::ZERO }
    }
    request
}

fn framed(request: &fetch_request::FetchRequest, version: i16) -> Vec<u8> {
    let mut frame = BytesMut::from(&[0xee; BODY_START][..]);
    request.encode(&mut frame, version).unwrap();
    frame.to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_view_sees_what_the_schema_wrote(request in request()) {
        for version in MIN_VERSION..=MAX_VERSION {
            let request = in_version(request.clone(), version);
            let frame = framed(&request, version);
            let view = FetchRequest::parse(&frame, BODY_START, version).unwrap();
            prop_assert_eq!(view.cluster_id, request.cluster_id.as_deref().map(Text::from));
            let replica = if version < 15 { (request.replica_id, -1) } else {
                (request.replica_state.replica_id, request.replica_state.replica_epoch)
            };
            prop_assert_eq!((view.replica_id, view.replica_epoch), replica);
            let limits = (request.max_wait_ms, request.min_bytes, request.max_bytes,
                request.isolation_level);
            prop_assert_eq!((view.max_wait_ms, view.min_bytes, view.max_bytes,
                view.isolation_level), limits);
            prop_assert_eq!((view.session_id, view.session_epoch),
                (request.session_id, request.session_epoch));
            prop_assert_eq!(view.rack_id, Text::from(&*request.rack_id));
            let mut expected = Vec::new();
            for topic in &request.topics {
                expected.extend(topic.partitions.iter().map(|p| FetchPartition {
                    topic: TopicRef { name: Text::from(&*topic.topic), id: topic.topic_id },
                    index: p.partition,
                    current_leader_epoch: p.current_leader_epoch,
                    fetch_offset: p.fetch_offset,
                    last_fetched_epoch: p.last_fetched_epoch,
                    log_start_offset: p.log_start_offset,
                    partition_max_bytes: p.partition_max_bytes,
                    replica_directory_id: p.replica_directory_id,
                    high_watermark: p.high_watermark,
                }));
            }
            prop_assert_eq!(view.partitions().collect::<Vec<_>>(), expected);
            let mut expected = Vec::new();
            for topic in &request.forgotten_topics_data {
                let topic_ref = TopicRef { name: Text::from(&*topic.topic), id: topic.topic_id };
                expected.extend(topic.partitions.iter()
                    .map(|&index| ForgottenPartition { topic: topic_ref, index }));
            }
            prop_assert_eq!(view.forgotten_partitions().collect::<Vec<_>>(), expected);
            for len in 0..frame.len() {
                prop_assert!(FetchRequest::parse(&frame[..len], BODY_START, version).is_err());
            }
        }
    }

    #[test]
    fn view_and_schema_refuse_the_same_bytes(request in request(),
        at in any::<prop::sample::Index>(), by in 1u8..) {
        for version in MIN_VERSION..=MAX_VERSION {
            let mut frame = framed(&in_version(request.clone(), version), version);
            let at = BODY_START + at.index(frame.len() - BODY_START);
            frame[at] ^= by;
            let view = FetchRequest::parse(&frame, BODY_START, version);
            let schema = decode_exact::<fetch_request::FetchRequest>(&frame[BODY_START..], version);
            prop_assert_eq!(view.is_ok(), schema.is_ok(), "{:?} {:?}", view, schema);
            if let Ok(view) = view {
                prop_assert!(view.partitions().count() + view.forgotten_partitions()
                    .count() <= frame.len());
            }
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>, version in MIN_VERSION..=MAX_VERSION) {
        if let Ok(view) = FetchRequest::parse(&bytes, 0, version) {
            prop_assert!(view.partitions().count() + view.forgotten_partitions()
                .count() <= bytes.len());
        }
    }
}

#[derive(Debug, Clone)]
struct Answer {
    numbers: (i64, i64, i64, i32),
    aborted: Option<Vec<(i64, i64)>>,
    tags: (Option<(i32, i64)>, Option<(i32, i32)>, Option<(i32, i64)>),
    records: Vec<u8>,
}

prop_compose! {
    fn answer()(
        numbers in any::<(i64, i64, i64, i32)>(),
        aborted in prop::option::of(prop::collection::vec(any::<(i64, i64)>(), 0..3)),
        tags in prop::option::of((0i32..9, 0i64..9)).prop_flat_map(|t| (
            Just(t),
            prop::option::of((0i32..9, 0i32..9)),
            prop::option::of((0i32..9, 0i64..9)),
        )),
        records in prop::collection::vec(any::<u8>(), 0..300),
    ) -> Answer {
        Answer { numbers, aborted, tags, records }
    }
}

fn pair((epoch, end_offset): (i32, i64)) -> EpochAndOffset {
    EpochAndOffset { epoch, end_offset }
}

fn written(
    version: i16,
    topics: &[(String, [u8; 16], Vec<Answer>)],
    endpoints: &[NodeEndpoint<'_>],
) -> Vec<u8> {
    let header = FetchResponseHeader {
        throttle_time_ms: 5,
        error: ErrorCode::FetchSessionIdNotFound,
        session_id: 6,
    };
    let mut out = BytesMut::from(&[0xee; BODY_START][..]);
    let mut writer = FetchResponseWriter::new(&mut out, version, header, topics.len());
    let mut all_records = Vec::new();
    for (name, id, answers) in topics {
        writer.begin_topic(name, Uuid(*id), answers.len());
        for (index, answer) in answers.iter().enumerate() {
            let aborted: Option<Vec<_>> = answer.aborted.as_ref().map(|list| {
                list.iter()
                    .map(|&(producer_id, first_offset)| AbortedTransaction {
                        producer_id,
                        first_offset,
                    })
                    .collect()
            });
            let partition = PartitionFetchResponse {
                index: index as i32,
                error: ErrorCode::OffsetOutOfRange,
                high_watermark: answer.numbers.0,
                last_stable_offset: answer.numbers.1,
                log_start_offset: answer.numbers.2,
                aborted_transactions: aborted.as_deref(),
                preferred_read_replica: answer.numbers.3,
                diverging_epoch: answer.tags.0.map(pair),
                current_leader: answer
                    .tags
                    .1
                    .map(|(leader_id, leader_epoch)| LeaderIdAndEpoch { leader_id, leader_epoch }),
                snapshot_id: answer.tags.2.map(pair),
            };
            let records_at = writer.partition(&partition, answer.records.len());
            all_records.push((records_at, &answer.records));
        }
    }
    let records_bytes = writer.finish(endpoints);
    let mut body = Vec::new();
    let mut written_to = BODY_START;
    for (records_at, records) in all_records {
        body.extend_from_slice(&out[written_to..records_at]);
        body.extend_from_slice(records);
        written_to = records_at;
    }
    body.extend_from_slice(&out[written_to..]);
    assert_eq!(BODY_START + body.len(), out.len() + records_bytes);
    body
}

fn expected(
    version: i16,
    topics: &[(String, [u8; 16], Vec<Answer>)],
    endpoints: &[NodeEndpoint<'_>],
) -> fetch_response::FetchResponse {
    let partition = |(index, answer): (usize, &Answer)| {
        let tags = if version >= 12 { answer.tags } else { (None, None, None) };
        let aborted = answer.aborted.as_ref().map(|list| {
            let entry = |&(producer_id, first_offset)| fetch_response::AbortedTransaction {
                producer_id,
                first_offset,
            };
            list.iter().map(entry).collect()
        });
        let mut data = fetch_response::PartitionData {
            partition_index: index as i32,
            error_code: ErrorCode::OffsetOutOfRange.code(),
            high_watermark: answer.numbers.0,
            last_stable_offset: answer.numbers.1,
            log_start_offset: if version >= 5 { answer.numbers.2 } else { -1 },
            aborted_transactions: aborted,
            preferred_read_replica: if version >= 11 { answer.numbers.3 } else { -1 },
            records: Some(Bytes::from(answer.records.clone())),
            ..Default::default()
        };
        if let Some((epoch, end_offset)) = tags.0 {
            data.diverging_epoch = fetch_response::EpochEndOffset { epoch, end_offset };
        }
        if let Some((leader_id, leader_epoch)) = tags.1 {
            data.current_leader = fetch_response::LeaderIdAndEpoch { leader_id, leader_epoch };
        }
        if let Some((epoch, end_offset)) = tags.2 {
            data.snapshot_id = fetch_response::SnapshotId { end_offset, epoch };
        }
        data
    };
    let topic = |(name, id, answers): &(String, [u8; 16], Vec<Answer>)| {
        fetch_response::FetchableTopicResponse {
            topic: if version < 13 { name.clone() } else { String::new() },
            topic_id: if version >= 13 { Uuid(*id) } else { Uuid::ZERO },
            partitions: answers.iter().enumerate().map(partition).collect(),
        }
    };
    let endpoint = |e: &NodeEndpoint<'_>| fetch_response::NodeEndpoint {
        node_id: e.node_id,
        host: e.host.to_owned(),
        port: e.port,
        rack: e.rack.map(str::to_owned),
    };
    fetch_response::FetchResponse {
        throttle_time_ms: 5,
        error_code: if version >= 7 { ErrorCode::FetchSessionIdNotFound.code() } else { 0 },
        session_id: if version >= 7 { 6 } else { 0 },
        responses: topics.iter().map(topic).collect(),
        node_endpoints: if version >= 16 {
            endpoints.iter().map(endpoint).collect()
        } else {
            vec![]
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn body_and_records_make_the_schema(
        topics in prop::collection::vec(("[a-z]{1,9}", any::<[u8; 16]>(),
            prop::collection::vec(answer(), 0..4)), 0..4),
        hosts in prop::collection::vec(("[a-z]{0,9}", any::<i32>(),
            prop::option::of("[a-z]{0,9}")), 0..3),
    ) {
        let endpoints: Vec<_> = hosts
            .iter()
            .map(|(host, port, rack)| NodeEndpoint { node_id: *port, host, port: *port,
                rack: rack.as_deref() })
            .collect();
        for version in MIN_VERSION..=MAX_VERSION {
            let mut encoded = BytesMut::new();
            expected(version, &topics, &endpoints).encode(&mut encoded, version).unwrap();
            prop_assert_eq!(&written(version, &topics, &endpoints)[..], &encoded[..], "version \
                {}", version);
        }
    }
}

#[test]
fn other_versions_are_refused() {
    for version in [i16::MIN, -1, 3, 19, i16::MAX] {
        let refused = FetchRequest::parse(&[0; 60], 0, version).unwrap_err();
        assert!(matches!(refused.kind, DecodeErrorKind::UnsupportedVersion { .. }));
    }
}
