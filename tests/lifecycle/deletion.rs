//! Deleted topics leave the disk, and do not come back.

use crate::support::{self, Broker, Client, client, unique};
use protocol::{
    ErrorCode,
    messages::{
        DeleteRecordsRequest, DeleteTopicsRequest,
        delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic},
        delete_topics_request::DeleteTopicState,
    },
};
use std::{fs, thread, time::Duration};

fn delete(client: &mut Client, topic: &str) -> ErrorCode {
    let topic = DeleteTopicState { name: Some(topic.to_owned()), ..Default::default() };
    let request =
        DeleteTopicsRequest { topics: vec![topic], timeout_ms: 30_000, ..Default::default() };
    client::error(client.call(&request, 6).responses[0].error_code)
}

/// Folders of the topic's partitions, those that wait for their removal included.
fn folders(broker: &Broker, topic: &str) -> Vec<String> {
    let entries = fs::read_dir(broker.data()).expect("the log directory").flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(topic))
        .collect()
}

#[test]
fn deleted_topics_leave_the_disk_and_stay_away() {
    // How long Kafka keeps a deleted file for readers that still have it.
    support::on_each_backend_with(&[("log.segment.delete.delay.ms", "100")], |broker| {
        let mut client = Client::connect(broker.address);
        let (gone, kept) = (unique("gone"), unique("kept"));
        for topic in [&gone, &kept] {
            client.create_topic(topic, 4, &[]);
            (0..4).for_each(|partition| {
                client.produce_value(topic, partition, b"value");
            });
        }
        assert_eq!(folders(broker, &gone).len(), 4);
        assert_eq!(delete(&mut client, &gone), ErrorCode::None);
        support::eventually("the topic is unknown", || {
            client::error(client.fetch(&gone, 0, 0).error_code)
                == ErrorCode::UnknownTopicOrPartition
        });
        support::eventually("its folders are gone", || folders(broker, &gone).is_empty());
        assert_eq!(delete(&mut client, &gone), ErrorCode::UnknownTopicOrPartition);
        for killed in [false, true] {
            if killed {
                broker.kill();
            } else {
                assert!(broker.stop().success());
            }
            broker.start_again(&broker.setup.clone());
            let mut client = Client::connect(broker.address);
            let error = client::error(client.fetch(&gone, 0, 0).error_code);
            assert_eq!(error, ErrorCode::UnknownTopicOrPartition);
            assert!(folders(broker, &gone).is_empty());
            assert_eq!(client.read_all_values(&kept, 3), [b"value"]);
        }
    });
}

#[test]
fn a_new_topic_of_a_deleted_name_begins_empty() {
    support::on_each_backend(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("again");
        for round in 0..5 {
            client.create_topic(&topic, 2, &[]);
            assert_eq!(client.read_all_values(&topic, 0), Vec::<Vec<u8>>::new(), "round {round}");
            assert_eq!(client.produce_value(&topic, 0, b"value"), 0);
            assert_eq!(delete(&mut client, &topic), ErrorCode::None);
        }
        client.create_topic(&topic, 2, &[]);
        client.produce_value(&topic, 0, b"the last");
        broker.kill();
        broker.start_again(&broker.setup.clone());
        assert_eq!(Client::connect(broker.address).read_all_values(&topic, 0), [b"the last"]);
    });
}

#[test]
fn topics_deleted_just_before_a_kill_do_not_come_back() {
    support::on_each_backend(|broker| {
        let mut client = Client::connect(broker.address);
        let topics: Vec<String> = (0..10).map(|_| unique("gone")).collect();
        for topic in &topics {
            client.create_topic(topic, 2, &[]);
            client.produce_value(topic, 0, b"value");
        }
        for topic in &topics {
            assert_eq!(delete(&mut client, topic), ErrorCode::None);
        }
        broker.kill();
        broker.start_again(&broker.setup.clone());
        let mut client = Client::connect(broker.address);
        for topic in &topics {
            let error = client::error(client.fetch(topic, 0, 0).error_code);
            assert_eq!(error, ErrorCode::UnknownTopicOrPartition);
            support::eventually("what was left on the disk goes", || {
                folders(broker, topic)
                    .iter()
                    .all(|name| name.ends_with("-delete") || name.ends_with("-stray"))
            });
        }
    });
}

/// `log.flush.start.offset.checkpoint.interval.ms` is kept to: what DeleteRecords has removed stays
/// away behind a kill.
#[test]
fn deleted_records_stay_deleted_once_the_log_starts_were_written() {
    let configs = [("log.flush.start.offset.checkpoint.interval.ms", "200")];
    support::on_each_backend_with(&configs, |broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("deleted-records");
        client.create_topic(&topic, 1, &[]);
        for _ in 0..6 {
            client.produce_value(&topic, 0, b"value");
        }
        let partition = DeleteRecordsPartition { partition_index: 0, offset: 4 };
        let wanted = DeleteRecordsTopic { name: topic.clone(), partitions: vec![partition] };
        let deleted =
            client.call(&DeleteRecordsRequest { topics: vec![wanted], timeout_ms: 10_000 }, 2);
        assert_eq!(deleted.topics[0].partitions[0].low_watermark, 4);
        let line = format!("{topic} 0 4");
        let checkpoint = broker.data().join("log-start-offset-checkpoint");
        support::eventually("the log's start is written", || {
            thread::sleep(Duration::from_millis(20));
            fs::read_to_string(&checkpoint).is_ok_and(|text| text.lines().any(|one| one == line))
        });
        broker.kill();
        broker.start_again(&broker.setup.clone());
        let mut client = Client::connect(broker.address);
        let below = client::error(client.fetch(&topic, 0, 3).error_code);
        assert_eq!(below, ErrorCode::OffsetOutOfRange);
        assert_eq!(client::error(client.fetch(&topic, 0, 4).error_code), ErrorCode::None);
    });
}
