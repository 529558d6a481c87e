//! Errors that clients act on, and what stands beside them: as Apache Kafka 4.4 answers.

use super::with_neighbour;
use crate::support::{
    self, Client, batch,
    client::{self, PRODUCE_VERSION},
    unique,
};
use bytes::{BufMut, Bytes};
use protocol::{
    ApiKey, ErrorCode, Uuid,
    messages::{
        DeleteRecordsRequest, DeleteTopicsRequest, FetchRequest, FindCoordinatorRequest,
        ListOffsetsRequest, MetadataRequest, ProduceRequest,
        delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic},
        delete_topics_request::DeleteTopicState,
        list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
        metadata_request::MetadataRequestTopic,
    },
    records::BatchBuilder,
};
use std::time::{SystemTime, UNIX_EPOCH};

const HOUR_MS: i64 = 3_600_000;

fn metadata_of(client: &mut Client, name: &str, create: bool) -> (ErrorCode, Uuid) {
    let topic = MetadataRequestTopic { name: Some(name.to_owned()), ..Default::default() };
    let request = MetadataRequest {
        topics: Some(vec![topic]),
        allow_auto_topic_creation: create,
        ..Default::default()
    };
    let topic = client.call(&request, 12).topics.remove(0);
    (client::error(topic.error_code), topic.topic_id)
}

fn by_id(request: ProduceRequest, topic_id: Uuid) -> ProduceRequest {
    let mut request = request;
    request.topic_data[0].topic_id = topic_id;
    request.topic_data[0].name.clear();
    request
}

fn delete(client: &mut Client, topic: &str) {
    let topic = DeleteTopicState { name: Some(topic.to_owned()), ..Default::default() };
    let request =
        DeleteTopicsRequest { topics: vec![topic], timeout_ms: 30_000, ..Default::default() };
    assert_eq!(client::error(client.call(&request, 6).responses[0].error_code), ErrorCode::None);
}

/// Fetches that wait and a produce that comes late name a topic that goes: it is unknown, by name
/// or by id. That a disk had failed would be another matter.
#[test]
fn a_topic_that_goes_is_unknown_to_those_who_wait_for_it() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        for round in 0..4 {
            let topic = unique("goes");
            client.create_topic(&topic, 3, &[]);
            client.produce_value(&topic, 0, b"value");
            let (_, topic_id) = metadata_of(&mut client, &topic, false);
            let by_name = client::fetch_request(&topic, 0, 1, 60_000);
            let mut by_id_request = by_name.clone();
            by_id_request.topics[0].topic_id = topic_id;
            by_id_request.topics[0].topic.clear();
            let (mut first, mut second) =
                (Client::connect(broker.address), Client::connect(broker.address));
            let (named, numbered) =
                (first.send(&by_name, 12).unwrap(), second.send(&by_id_request, 13).unwrap());
            let busy = std::thread::spawn({
                let (address, topic) = (broker.address, topic.clone());
                move || {
                    let mut client = Client::connect(address);
                    loop {
                        let request = client::produce_request(&topic, 1, batch::of(&[b"x"]), -1);
                        let response = client.call(&request, PRODUCE_VERSION);
                        match client::error(response.responses[0].partition_responses[0].error_code)
                        {
                            ErrorCode::None => {}
                            error => return error,
                        }
                    }
                }
            });
            delete(&mut client, &topic);
            let error = |response: protocol::messages::FetchResponse| {
                client::error(response.responses[0].partitions[0].error_code)
            };
            let unknown = ErrorCode::UnknownTopicOrPartition;
            assert_eq!(
                error(first.receive::<FetchRequest>(named, 12).unwrap()),
                unknown,
                "round {round}"
            );
            let numbered = error(second.receive::<FetchRequest>(numbered, 13).unwrap());
            // Apache Kafka 4.4 forgets the id a moment after the partition.
            assert!(
                numbered == ErrorCode::UnknownTopicId || broker.is_peer(),
                "round {round}: {numbered}"
            );
            let produced = busy.join().unwrap();
            assert!(
                produced == unknown || produced == ErrorCode::NotLeaderOrFollower,
                "round {round}: {produced}"
            );
            let late = by_id(client::produce_request("", 1, batch::of(&[b"x"]), -1), topic_id);
            let late = client.call(&late, 13).responses[0].partition_responses[0].error_code;
            assert_eq!(client::error(late), ErrorCode::UnknownTopicId, "round {round}");
        }
    });
}

#[test]
fn metadata_of_a_missing_topic_does_not_wait_until_it_is_made() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("asked-for");
        let (first, _) = metadata_of(&mut client, &topic, true);
        let passing = [ErrorCode::UnknownTopicOrPartition, ErrorCode::LeaderNotAvailable];
        assert!(passing.contains(&first), "{first}");
        support::eventually("the topic is there", || {
            metadata_of(&mut client, &topic, false).0 == ErrorCode::None
        });
        // By a version that knows no ids.
        let topic = MetadataRequestTopic { name: None, topic_id: Uuid::from_u128(9) };
        let request = MetadataRequest { topics: Some(vec![topic]), ..Default::default() };
        let response = client.call(&request, 10);
        assert_eq!(client::error(response.topics[0].error_code), ErrorCode::InvalidRequest);
        assert_eq!((response.topics.len(), response.topics[0].name.as_deref()), (1, Some("")));
    });
}

#[test]
fn internal_topics_are_the_coordinators_alone() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let offsets = "__consumer_offsets";
        support::eventually("the topic of the offsets", || {
            let request = FindCoordinatorRequest {
                coordinator_keys: vec!["group".to_owned()],
                ..Default::default()
            };
            let coordinators = client.call(&request, 4).coordinators;
            coordinators[0].error_code == 0
                && metadata_of(&mut client, offsets, false).0 == ErrorCode::None
        });
        let (_, topic_id) = metadata_of(&mut client, offsets, false);
        let mut forged = BatchBuilder::new(0);
        forged.append(0, Some(b"\0\x01"), Some(b"forged"), &[]);
        let request = client::produce_request(offsets, 0, forged.build(), -1);
        for (request, version) in
            [(request.clone(), PRODUCE_VERSION), (by_id(request, topic_id), 13)]
        {
            let refused =
                client.call(&request, version).responses[0].partition_responses[0].clone();
            assert_eq!(
                client::error(refused.error_code),
                ErrorCode::InvalidTopicException,
                "version {version}"
            );
            assert_eq!(refused.log_start_offset, -1);
        }
        let partitions = vec![DeleteRecordsPartition { partition_index: 0, offset: 0 }];
        let topics = vec![DeleteRecordsTopic { name: offsets.to_owned(), partitions }];
        let request = DeleteRecordsRequest { topics, timeout_ms: 30_000 };
        let refused = client.call(&request, 2).topics[0].partitions[0].error_code;
        assert_eq!(client::error(refused), ErrorCode::InvalidTopicException);
    });
}

fn list_offsets(
    client: &mut Client,
    topic: &str,
    timestamps: &[i64],
    version: i16,
) -> Vec<(ErrorCode, i64, i32)> {
    let partition = |timestamp: &i64| ListOffsetsPartition {
        partition_index: 0,
        timestamp: *timestamp,
        current_leader_epoch: -1,
    };
    let partitions = timestamps.iter().map(partition).collect();
    let topics = vec![ListOffsetsTopic { name: topic.to_owned(), partitions }];
    let request = ListOffsetsRequest { replica_id: -1, topics, ..Default::default() };
    let found = client.call(&request, version).topics.remove(0).partitions;
    found
        .iter()
        .map(|found| (client::error(found.error_code), found.offset, found.leader_epoch))
        .collect()
}

#[test]
fn offsets_are_listed_by_the_marks_of_the_version() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("marks");
        client.create_topic(&topic, 1, &[]);
        for stamp in [1_000, 3_000, 2_000] {
            let mut one = BatchBuilder::new(0);
            one.append(stamp, None, Some(b"x"), &[]);
            client.produce(&topic, 0, one.build());
        }
        for (mark, from) in [(-3, 7), (-4, 8), (-5, 9), (-6, 11)] {
            for version in 1..=11 {
                let error = list_offsets(&mut client, &topic, &[mark], version)[0].0;
                let expected =
                    if version < from { ErrorCode::UnsupportedVersion } else { ErrorCode::None };
                assert_eq!(error, expected, "mark {mark} in version {version}");
            }
        }
        assert_eq!(
            list_offsets(&mut client, &topic, &[-1, -2], 7),
            [(ErrorCode::InvalidRequest, -1, -1)]
        );
        assert_eq!(list_offsets(&mut client, &topic, &[-3], 7), [(ErrorCode::None, 1, 0)]);
        // The record with the largest timestamp lies below the log's start now, and keeps the epoch
        // of its batch.
        let partitions = vec![DeleteRecordsPartition { partition_index: 0, offset: 2 }];
        let topics = vec![DeleteRecordsTopic { name: topic.clone(), partitions }];
        client.call(&DeleteRecordsRequest { topics, timeout_ms: 30_000 }, 2);
        assert_eq!(list_offsets(&mut client, &topic, &[-3], 7), [(ErrorCode::None, 1, 0)]);
        assert_eq!(list_offsets(&mut client, &topic, &[-2], 7), [(ErrorCode::None, 2, 0)]);
    });
}

/// The log's start stands beside what the log refuses; beside what comes no further than the
/// request, -1.
#[test]
fn errors_of_produce_carry_the_log_start() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("starts");
        client.create_topic(&topic, 4, &[]);
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
        // Partitions of every core.
        for partition in 0..4 {
            let mut produce = |records: Bytes| {
                let answer = client.produce(&topic, partition, records);
                let error = client::error(answer.error_code);
                (error, answer.base_offset, answer.log_append_time_ms, answer.log_start_offset)
            };
            let stamped = |stamp: i64, epoch: i16, sequence: i32| {
                let mut builder = BatchBuilder::new(0).producer(7, epoch, sequence);
                builder.append(stamp, None, Some(b"x"), &[]);
                builder.build()
            };
            assert_eq!(produce(stamped(5_000, 3, 0)), (ErrorCode::None, 0, -1, 0));
            assert_eq!(produce(stamped(5_000, 3, 0)), (ErrorCode::None, 0, 5_000, 0), "a repeat");
            assert_eq!(
                produce(stamped(5_000, 3, 9)),
                (ErrorCode::OutOfOrderSequenceNumber, -1, -1, 0)
            );
            assert_eq!(produce(stamped(5_000, 2, 0)), (ErrorCode::InvalidProducerEpoch, -1, -1, 0));
            let future = stamped(now_ms + 48 * HOUR_MS, 3, 1);
            assert_eq!(produce(future), (ErrorCode::InvalidTimestamp, -1, -1, 0));
            assert_eq!(produce(Bytes::new()), (ErrorCode::InvalidRecord, -1, -1, -1));
            let mut damaged = batch::of(&[b"x"]).to_vec();
            *damaged.last_mut().unwrap() ^= 1;
            assert_eq!(produce(damaged.into()), (ErrorCode::CorruptMessage, -1, -1, -1));
        }
    });
}

#[test]
fn a_fetch_says_what_is_wrong_with_what_it_names() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("epochs");
        client.create_topic(&topic, 1, &[]);
        client.produce_value(&topic, 0, b"x");
        let mut error = |request: &FetchRequest| {
            let data = client.call(request, 12).responses[0].partitions[0].clone();
            (client::error(data.error_code), data.high_watermark)
        };
        let mut above = client::fetch_request(&topic, 0, 0, 0);
        above.topics[0].partitions[0].last_fetched_epoch = 7;
        assert_eq!(
            error(&above),
            (ErrorCode::OffsetOutOfRange, -1),
            "an epoch that the log never had"
        );
        above.topics[0].partitions[0].last_fetched_epoch = 0;
        assert_eq!(error(&above), (ErrorCode::None, 1));
        assert_eq!(
            error(&client::fetch_request("", 0, 0, 0)),
            (ErrorCode::UnknownTopicOrPartition, -1)
        );
    });
}

/// Names and ids that are no UTF-8, and lengths below -1: as Java reads them.
#[test]
fn text_may_be_any_bytes_and_every_negative_length_is_null() {
    with_neighbour(|broker| {
        let answered = |key: ApiKey, version: i16, body: &[u8]| {
            let mut client = Client::connect(broker.address);
            let frame = [&client::header(key.code(), version, 1)[..], body].concat();
            client.send_frame(&frame).unwrap();
            client.receive_frame().unwrap_or_else(|| panic!("{key} v{version}: no answer"))
        };
        let text = |bytes: &[u8]| [&(bytes.len() as i16).to_be_bytes()[..], bytes].concat();
        answered(ApiKey::Metadata, 1, &(-2i32).to_be_bytes());
        answered(ApiKey::FindCoordinator, 0, &text(b"caf\xe9"));
        // A produce request with a transactional id of length -7, and a topic in Latin-1.
        let records = batch::of(&[b"x"]);
        let mut body = (-7i16).to_be_bytes().to_vec();
        body.put_i16(-1);
        body.put_i32(1_000);
        body.put_i32(1);
        body.extend(text(b"caf\xe9"));
        body.put_i32(1);
        body.put_i32(0);
        body.put_i32(records.len() as i32);
        body.extend_from_slice(&records);
        let answer = answered(ApiKey::Produce, 8, &body);
        let name = text("caf\u{fffd}".as_bytes());
        assert_eq!(answer[8..8 + name.len()], name, "the name as it was read");
        let error = &answer[8 + name.len() + 8..][..2];
        assert_eq!(error, ErrorCode::UnknownTopicOrPartition.code().to_be_bytes());
    });
}
