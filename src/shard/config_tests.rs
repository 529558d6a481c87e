//! Dynamic configs over the wire: when they act, and what is refused.

use super::transactions::tests::wire::{Client, TOPIC, directory_of, heard, tell};
use crate::log::tests::batch;
use protocol::{
    ErrorCode,
    messages::{
        CreatePartitionsRequest, DescribeLogDirsRequest, IncrementalAlterConfigsRequest,
        ProduceRequest,
        create_partitions_request::CreatePartitionsTopic,
        incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig},
        produce_request::{PartitionProduceData, TopicProduceData},
    },
};
use std::time::Duration;

const NONE: ErrorCode = ErrorCode::None;
const OF_TOPIC: i8 = 2;
const OF_BROKER: i8 = 4;

/// Sets configs; `None` takes one away.
async fn alter(
    client: &Client,
    resource_type: i8,
    name: &str,
    configs: &[(&str, Option<&str>)],
) -> ErrorCode {
    let config = |(name, value): &(&str, Option<&str>)| AlterableConfig {
        name: (*name).to_owned(),
        config_operation: i8::from(value.is_none()),
        value: value.map(str::to_owned),
    };
    let resource = AlterConfigsResource {
        resource_type,
        resource_name: name.to_owned(),
        configs: configs.iter().map(config).collect(),
    };
    let request =
        IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
    let response = client.call(&request, 1).await;
    ErrorCode::from_code(response.responses[0].error_code).expect("a code of this release")
}

/// Appends one record of so many bytes to the first partition.
async fn produce(client: &Client, bytes: usize) -> ErrorCode {
    let records = batch(client.ring.wall_clock_ms(), &[&vec![7; bytes]]).build();
    let topic = TopicProduceData {
        name: TOPIC.to_owned(),
        partition_data: vec![PartitionProduceData { index: 0, records: Some(records) }],
        ..Default::default()
    };
    let request = ProduceRequest {
        transactional_id: None,
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![topic],
    };
    heard(&client.call(&request, 9).await)[0].0
}

async fn pause(client: &Client, ms: u64) {
    client.ring.sleep(Duration::from_millis(ms)).await;
}

#[test]
fn a_default_of_the_broker_that_changes_acts_on_topics_at_once() {
    tell(&[], |client, _| async move {
        client.create_topic(1).await;
        assert_eq!(produce(&client, 5_000).await, NONE);
        for (resource, value, expected) in [
            ("", Some("1000"), ErrorCode::MessageTooLarge),
            ("1", Some("9000"), NONE),
            ("1", None, ErrorCode::MessageTooLarge),
            ("", None, NONE),
        ] {
            let set = [("message.max.bytes", value)];
            assert_eq!(alter(&client, OF_BROKER, resource, &set).await, NONE);
            assert_eq!(produce(&client, 5_000).await, expected, "{resource:?} {value:?}");
        }
    });
}

/// Each core would have ended: no topic can have a `segment.ms` of 0.
#[test]
fn a_default_that_no_topic_may_have_is_refused() {
    tell(&[], |client, _| async move {
        client.create_topic(1).await;
        let refused = alter(&client, OF_BROKER, "", &[("log.roll.ms", Some("0"))]).await;
        assert_eq!(refused, ErrorCode::InvalidRequest);
        assert_eq!(produce(&client, 1).await, NONE);
    });
}

/// A flush that fails tells that there was one.
#[test]
fn what_only_the_page_cache_has_is_bounded_by_flush_messages() {
    tell(&[("durability", "os")], |client, disk| async move {
        client.create_topic(1).await;
        let every = [("flush.messages", Some("3"))];
        assert_eq!(alter(&client, OF_TOPIC, TOPIC, &every).await, NONE);
        assert_eq!(produce(&client, 1).await, NONE);
        disk.fail_next_fsync_below(&format!("{}/{TOPIC}-0", directory_of(&disk, TOPIC, 0)));
        assert_eq!(produce(&client, 1).await, NONE);
        pause(&client, 200).await;
        assert_eq!(produce(&client, 1).await, NONE, "two records asked for no flush");
        pause(&client, 200).await;
        assert_ne!(produce(&client, 1).await, NONE, "three did, and it has failed");
    });
}

#[test]
fn what_only_the_page_cache_has_is_flushed_after_flush_ms() {
    tell(&[("durability", "os")], |client, disk| async move {
        client.create_topic(1).await;
        assert_eq!(alter(&client, OF_TOPIC, TOPIC, &[("flush.ms", Some("500"))]).await, NONE);
        assert_eq!(produce(&client, 1).await, NONE);
        disk.fail_next_fsync_below(&format!("{}/{TOPIC}-0", directory_of(&disk, TOPIC, 0)));
        pause(&client, 300).await;
        assert_eq!(produce(&client, 1).await, NONE, "it is not time yet");
        pause(&client, 400).await;
        assert_ne!(produce(&client, 1).await, NONE, "the flush has come, and failed");
    });
}

#[test]
fn a_log_directory_takes_no_new_partitions_while_it_is_cordoned() {
    tell(&[], |client, disk| async move {
        client.create_topic(2).await;
        let cordon = |value| [("cordoned.log.dirs", value)];
        let away = cordon(Some("/elsewhere"));
        assert_eq!(alter(&client, OF_BROKER, "1", &away).await, ErrorCode::InvalidRequest);
        let first = cordon(Some("/data/0"));
        assert_eq!(alter(&client, OF_BROKER, "1", &first).await, NONE);
        pause(&client, 500).await;
        let described = client.call(&DescribeLogDirsRequest { topics: None }, 5).await;
        let is_cordoned = described.results.iter().map(|dir| (&*dir.log_dir, dir.is_cordoned));
        let is_cordoned: Vec<(&str, bool)> = is_cordoned.collect();
        assert_eq!(is_cordoned, [("/data/0", true), ("/data/1", false)]);
        let topic = CreatePartitionsTopic { name: TOPIC.to_owned(), count: 8, assignments: None };
        let request = CreatePartitionsRequest {
            topics: vec![topic],
            timeout_ms: 30_000,
            validate_only: false,
        };
        assert_eq!(client.call(&request, 3).await.results[0].error_code, 0);
        pause(&client, 500).await;
        for partition in 2..8 {
            assert_eq!(directory_of(&disk, TOPIC, partition), "/data/1", "of {partition}");
        }
    });
}
