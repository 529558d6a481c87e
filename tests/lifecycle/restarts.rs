//! Records that are there before a restart are there after it: clean or killed, with more cores or
//! fewer, on the other back-end.

use crate::support::{
    self, Broker, Client, Setup, batch,
    client::{self},
    unique,
};
use protocol::{
    ErrorCode,
    messages::{
        DescribeClusterRequest, DescribeConfigsRequest, FindCoordinatorRequest,
        InitProducerIdRequest, MetadataRequest, OffsetCommitRequest, OffsetFetchRequest,
        describe_configs_request::DescribeConfigsResource,
        metadata_request::MetadataRequestTopic,
        offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
        offset_fetch_request::OffsetFetchRequestTopic,
    },
    records::BatchBuilder,
};
use std::fs;

const TOPIC_RESOURCE: i8 = 2;
const PARTITIONS: i32 = 3;

/// What a broker knows, as far as clients can ask.
#[derive(Debug, PartialEq)]
struct Known {
    cluster_id: String,
    topic_id: protocol::Uuid,
    retention_ms: String,
    values: Vec<Vec<Vec<u8>>>,
    committed: Vec<i64>,
}

struct Names {
    topic: String,
    group: String,
}

fn commit(client: &mut Client, names: &Names) {
    let partition = |index: i32| OffsetCommitRequestPartition {
        partition_index: index,
        committed_offset: 10 + i64::from(index),
        committed_leader_epoch: -1,
        committed_metadata: Some("note".to_owned()),
    };
    let topic = OffsetCommitRequestTopic {
        name: names.topic.clone(),
        partitions: (0..PARTITIONS).map(partition).collect(),
        ..Default::default()
    };
    let request = OffsetCommitRequest {
        group_id: names.group.clone(),
        generation_id_or_member_epoch: -1,
        topics: vec![topic],
        ..Default::default()
    };
    find_coordinator(client, &names.group);
    support::eventually("the commit is taken", || {
        let response = client.call(&request, 8);
        response.topics[0].partitions.iter().all(|partition| partition.error_code == 0)
    });
}

/// The first time, this makes the offsets topic.
fn find_coordinator(client: &mut Client, group: &str) {
    let request = FindCoordinatorRequest { key: group.to_owned(), ..Default::default() };
    support::eventually("a coordinator", || client.call(&request, 3).error_code == 0);
}

fn committed(client: &mut Client, names: &Names) -> Vec<i64> {
    find_coordinator(client, &names.group);
    let topic = OffsetFetchRequestTopic {
        name: names.topic.clone(),
        partition_indexes: (0..PARTITIONS).collect(),
    };
    let request = OffsetFetchRequest {
        group_id: names.group.clone(),
        topics: Some(vec![topic]),
        ..Default::default()
    };
    let mut offsets = Vec::new();
    support::eventually("the coordinator has loaded its offsets", || {
        let response = client.call(&request, 7);
        if response.error_code != 0 {
            return false;
        }
        let mut partitions = response.topics[0].partitions.clone();
        partitions.sort_by_key(|partition| partition.partition_index);
        assert!(partitions.iter().all(|partition| partition.metadata.as_deref() == Some("note")));
        offsets = partitions.iter().map(|partition| partition.committed_offset).collect();
        true
    });
    offsets
}

fn known(broker: &Broker, names: &Names) -> Known {
    let mut client = Client::connect(broker.address);
    let resource = DescribeConfigsResource {
        resource_type: TOPIC_RESOURCE,
        resource_name: names.topic.clone(),
        configuration_keys: Some(vec!["retention.ms".to_owned()]),
    };
    let request = DescribeConfigsRequest { resources: vec![resource], ..Default::default() };
    let configs = client.call(&request, 4).results.remove(0).configs;
    let topic = MetadataRequestTopic { name: Some(names.topic.clone()), ..Default::default() };
    let request = MetadataRequest { topics: Some(vec![topic]), ..Default::default() };
    let metadata = client.call(&request, 12);
    assert_eq!(metadata.topics[0].partitions.len(), PARTITIONS as usize);
    Known {
        cluster_id: client.call(&DescribeClusterRequest::default(), 1).cluster_id,
        topic_id: metadata.topics[0].topic_id,
        retention_ms: configs[0].value.clone().expect("a value"),
        values: (0..PARTITIONS)
            .map(|partition| client.read_all_values(&names.topic, partition))
            .collect(),
        committed: committed(&mut client, names),
    }
}

/// A topic with a config of its own, records, and a group with offsets.
fn fill(broker: &Broker) -> Names {
    let names = Names { topic: unique("kept"), group: unique("group") };
    let mut client = Client::connect(broker.address);
    client.create_topic(&names.topic, PARTITIONS, &[("retention.ms", "123456789")]);
    for i in 0..60 {
        client.produce_value(&names.topic, i % PARTITIONS, format!("value {i}").as_bytes());
    }
    commit(&mut client, &names);
    names
}

#[test]
fn a_clean_restart_keeps_everything() {
    support::on_each_backend(|broker| {
        let names = fill(broker);
        let before = known(broker, &names);
        assert_eq!(before.retention_ms, "123456789");
        assert_eq!(before.committed, [10, 11, 12]);
        for _ in 0..3 {
            assert!(broker.stop().success(), "exit code 0");
            assert!(broker.data().join(".kafka_cleanshutdown").exists());
            broker.start_again(&broker.setup.clone());
            assert_eq!(known(broker, &names), before);
        }
        let mut client = Client::connect(broker.address);
        assert_eq!(
            client.produce_value(&names.topic, 0, b"one more"),
            20,
            "offsets go on where they were"
        );
    });
}

#[test]
fn a_kill_keeps_everything_that_was_acknowledged() {
    support::on_each_backend(|broker| {
        let names = fill(broker);
        let before = known(broker, &names);
        for _ in 0..3 {
            broker.kill();
            broker.start_again(&broker.setup.clone());
            assert_eq!(known(broker, &names), before);
        }
    });
}

#[test]
fn the_number_of_cores_may_change_between_runs() {
    if std::thread::available_parallelism().is_ok_and(|processors| processors.get() < 2) {
        eprintln!("one processor only: nothing to change");
        return;
    }
    for backend in Setup::backends().iter().map(|setup| setup.backend) {
        let mut broker = Broker::start(&Setup::new(backend, 2));
        let names = fill(&broker);
        let before = known(&broker, &names);
        for (shards, killed) in [(1, false), (2, false), (1, true), (2, true)] {
            if killed {
                broker.kill();
            } else {
                assert!(broker.stop().success());
            }
            broker.start_again(&Setup::new(backend, shards));
            assert_eq!(known(&broker, &names), before, "{shards} shards");
        }
    }
}

#[test]
fn the_back_end_may_change_between_runs() {
    let backends = Setup::backends();
    let mut broker = Broker::start(&backends[0]);
    let names = fill(&broker);
    let before = known(&broker, &names);
    for setup in backends.iter().cycle().skip(1).take(2 * backends.len()) {
        assert!(broker.stop().success());
        broker.start_again(setup);
        assert_eq!(known(&broker, &names), before, "{setup:?}");
    }
}

/// The bytes on the disk are the client's, but for the offset and the leader epoch: no back-end or
/// core has a say.
#[test]
fn every_back_end_and_core_writes_the_same_segment() {
    let mut segments = Vec::new();
    let setups = Setup::backends()
        .into_iter()
        .flat_map(|setup| [Setup::new(setup.backend, 1), Setup::new(setup.backend, 2)]);
    for setup in setups {
        let mut broker = Broker::start(&setup);
        let mut client = Client::connect(broker.address);
        // The records are from 2023 in every run; retention must not come upon them.
        client.create_topic("same", 1, &[("retention.ms", "-1")]);
        for i in 0..20i64 {
            let mut builder = BatchBuilder::new(0);
            (0..5).for_each(|n| {
                builder.append(1_700_000_000_000 + i * 5 + n, Some(b"key"), Some(b"value"), &[])
            });
            assert_eq!(client.produce("same", 0, builder.build()).error_code, 0);
        }
        assert!(broker.stop().success());
        let segment = fs::read(broker.data().join("same-0/00000000000000000000.log"))
            .expect("the first segment");
        segments.push((setup, segment));
    }
    let (_, first) = &segments[0];
    let (values, next) = batch::values(first, 0);
    assert_eq!((values.len(), next), (100, 100));
    for (setup, segment) in &segments {
        assert!(segment == first, "{setup:?} wrote other bytes");
    }
}

#[test]
fn an_idempotent_producer_is_remembered_over_clean_and_hard_stops() {
    support::on_each_backend(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("remembered");
        client.create_topic(&topic, 1, &[]);
        let request = InitProducerIdRequest {
            transactional_id: None,
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        };
        let id = client.call(&request, 4).producer_id;
        let batch = |sequence: i32| batch::of_producer(id, 0, sequence, &[b"once"]);
        assert_eq!(client.produce(&topic, 0, batch(0)).base_offset, 0);
        for (sequence, killed) in [(1, false), (2, true), (3, true), (4, false)] {
            if killed {
                broker.kill();
            } else {
                assert!(broker.stop().success());
            }
            broker.start_again(&broker.setup.clone());
            let mut client = Client::connect(broker.address);
            let again = client.produce(&topic, 0, batch(sequence - 1));
            let what = format!("{:?} after killed={killed}", client::error(again.error_code));
            assert_eq!(
                (again.error_code, again.base_offset),
                (0, i64::from(sequence) - 1),
                "a repeat: {what}"
            );
            let gap = client.produce(&topic, 0, batch(sequence + 1));
            assert_eq!(client::error(gap.error_code), ErrorCode::OutOfOrderSequenceNumber);
            assert_eq!(client.produce(&topic, 0, batch(sequence)).base_offset, i64::from(sequence));
            // Ids are given out once, whatever happened in between.
            let another = client.call(&request, 4).producer_id;
            assert_ne!(another, id);
        }
    });
}

/// A log that lost its end to the disk forgets the producers' batches in it, too: what follows is a
/// gap, and said. (With a commit stream it would get its end back from there.)
#[test]
fn a_log_that_lost_its_end_refuses_what_would_leave_a_gap() {
    support::on_each_backend_with(&[("commit.stream.file.bytes", "0")], |broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("cut");
        client.create_topic(&topic, 1, &[]);
        let request = InitProducerIdRequest {
            transactional_id: None,
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        };
        let id = client.call(&request, 4).producer_id;
        let batch = |sequence: i32| batch::of_producer(id, 0, sequence, &[&[b'v'; 100]]);
        for sequence in 0..50 {
            assert_eq!(client.produce(&topic, 0, batch(sequence)).base_offset, i64::from(sequence));
        }
        broker.kill();
        let segment = broker.data().join(format!("{topic}-0/00000000000000000000.log"));
        let size_bytes = batch(0).len() as u64;
        let file = fs::OpenOptions::new().write(true).open(segment).expect("the segment");
        file.set_len(size_bytes * 10 + size_bytes / 2).expect("it can be cut");
        broker.start_again(&broker.setup.clone());
        let mut client = Client::connect(broker.address);
        assert_eq!(client.read_all_values(&topic, 0).len(), 10, "the whole batches are there");
        let gap = client.produce(&topic, 0, batch(50));
        assert_eq!(client::error(gap.error_code), ErrorCode::OutOfOrderSequenceNumber);
        assert_eq!(client.produce(&topic, 0, batch(10)).base_offset, 10);
    });
}

/// It was scanned again, and said to be offline again, at each change of the metadata.
#[test]
fn a_partition_that_cannot_be_opened_is_tried_once() {
    for setup in Setup::backends() {
        let mut broker = Broker::start(&setup);
        let topic = unique("broken");
        let mut client = Client::connect(broker.address);
        client.create_topic(&topic, 1, &[]);
        client.produce_value(&topic, 0, b"kept");
        broker.kill();
        let path = broker.data().join(format!("{topic}-0/partition.metadata"));
        fs::write(path, "not what it was").expect("the file can be written");
        broker.start_again(&setup);
        let mut client = Client::connect(broker.address);
        (0..3).for_each(|_| client.create_topic(&unique("whole"), 1, &[]));
        let log = broker.log();
        let said =
            log.lines().filter(|line| line.contains("is offline") && line.contains(&topic)).count();
        assert_eq!(said, 1, "{log}");
    }
}
