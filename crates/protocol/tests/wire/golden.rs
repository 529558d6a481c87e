//! Bytes written by the Java classes of Apache Kafka 4.3.1 (`MetadataRecordSerde`,
//! `GroupCoordinatorRecordSerde`, `MessageUtil` and the generated messages), read and written
//! again.

use bytes::BytesMut;
use protocol::group_records::{
    self, consumer_group_member_metadata_value::ConsumerGroupMemberMetadataValue,
};
use protocol::group_records::{ConsumerGroupMemberMetadataKey, OffsetCommitKey, OffsetCommitValue};
use protocol::messages::fetch_request::{FetchPartition, FetchRequest, FetchTopic, ReplicaState};
use protocol::messages::{RequestHeader, api_versions_request::ApiVersionsRequest};
use protocol::metadata_records::register_broker_record::{BrokerEndpoint, RegisterBrokerRecord};
use protocol::metadata_records::{
    FeatureLevelRecord, MetadataRecord, NoOpRecord, PartitionChangeRecord, PartitionRecord,
    TopicRecord,
};
use protocol::transaction_records::transaction_log_value::{PartitionsSchema, TransactionLogValue};
use protocol::transaction_records::{self, TransactionLogKey};
use protocol::{ApiKey, DecodeErrorKind, Message, Uuid, decode_exact};

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
        .collect()
}

fn id(low: u64) -> Uuid {
    Uuid::from_u128(0x0102_0304_0506_0708 << 64 | u128::from(low))
}

fn metadata(record: impl Into<MetadataRecord>, version: i16, java: &str) {
    let (record, java) = (record.into(), hex(java));
    assert_eq!(record.encode_frame(version).unwrap(), java);
    assert_eq!(MetadataRecord::decode_frame(&java), Ok(record));
}

#[test]
fn identifiers_print_as_in_java() {
    assert_eq!(id(9).to_string(), "AQIDBAUGBwgAAAAAAAAACQ");
}

#[test]
fn topic_and_partition_records() {
    metadata(
        TopicRecord { name: "orders".into(), topic_id: id(9) },
        0,
        "010200076f72646572730102030405060708000000000000000900",
    );
    let partition = PartitionRecord {
        partition_id: 3,
        topic_id: id(9),
        replicas: vec![1, 2],
        isr: vec![1],
        leader: 1,
        leader_epoch: 5,
        partition_epoch: 7,
        directories: vec![id(1), id(2)],
        eligible_leader_replicas: Some(vec![2]),
        ..Default::default()
    };
    metadata(
        partition,
        2,
        "0103020000000301020304050607080000000000000009030000000100000002020000000101010000000100000005000000070301020304050\
         607080000000000000001010203040506070800000000000000020101050200000002",
    );
    let change = PartitionChangeRecord {
        partition_id: 3,
        topic_id: id(9),
        isr: Some(vec![2]),
        leader: 2,
        ..Default::default()
    };
    metadata(
        change,
        2,
        "01050200000003010203040506070800000000000000090200050200000002010400000002",
    );
}

#[test]
fn other_metadata_records() {
    let feature = FeatureLevelRecord { name: "metadata.version".into(), feature_level: 30 };
    metadata(feature, 0, "010c00116d657461646174612e76657273696f6e001e00");
    metadata(NoOpRecord {}, 0, "01140000");
    let endpoint = BrokerEndpoint {
        name: "PLAINTEXT".into(),
        host: "h".into(),
        port: 9092,
        security_protocol: 0,
    };
    let broker = RegisterBrokerRecord {
        broker_id: 4,
        incarnation_id: id(8),
        broker_epoch: 160,
        end_points: vec![endpoint],
        rack: Some("r1".into()),
        fenced: true,
        log_dirs: vec![id(5)],
        ..Default::default()
    };
    metadata(
        broker,
        3,
        "01000300000004000102030405060708000000000000000800000000000000a0020a504c41494e544558540268\
         23840000000103723101000100110201020304050607080000000000000005",
    );
}

#[test]
fn metadata_frames_that_are_refused() {
    let kind = |bytes: &[u8]| MetadataRecord::decode_frame(bytes).unwrap_err().kind;
    assert_eq!(kind(&[2, 20, 0, 0]), DecodeErrorKind::UnknownFrameVersion(2));
    assert_eq!(
        kind(&[1, 6, 0, 0]),
        DecodeErrorKind::UnknownRecordType { set: "metadata records", record_type: 6 }
    );
    assert_eq!(
        kind(&[1, 20, 1, 0]),
        DecodeErrorKind::UnsupportedVersion { message: "NoOpRecord", version: 1 }
    );
    assert_eq!(kind(&[1, 20, 0, 0, 0]), DecodeErrorKind::TrailingBytes(1));
}

fn group(
    key: group_records::Key,
    java_key: &str,
    value: group_records::Value,
    version: i16,
    java_value: &str,
) {
    let (java_key, java_value) = (hex(java_key), hex(java_value));
    assert_eq!(key.encode().unwrap(), java_key);
    assert_eq!(value.encode(version).unwrap(), java_value);
    assert_eq!(group_records::Value::decode(key.record_type(), &java_value), Ok(value));
    assert_eq!(group_records::Key::decode(&java_key), Ok(key));
}

#[test]
fn committed_offsets() {
    let key = OffsetCommitKey { group: "g".into(), topic: "orders".into(), partition: 3 };
    let mut value = OffsetCommitValue {
        offset: 42,
        leader_epoch: 5,
        metadata: "m".into(),
        commit_timestamp: 1_700_000_000_000,
        ..Default::default()
    };
    let java_key = "000100016700066f726465727300000003";
    let java_value = "0003000000000000002a0000000500016d0000018bcfe56800";
    group(key.clone().into(), java_key, value.clone().into(), 3, java_value);
    value.topic_id = id(9);
    let java_value =
        "0004000000000000002a00000005026d0000018bcfe5680001001001020304050607080000000000000009";
    group(key.into(), java_key, value.into(), 4, java_value);
}

#[test]
fn a_tagged_structure_that_is_null() {
    let key = ConsumerGroupMemberMetadataKey { group_id: "g".into(), member_id: "m1".into() };
    let value = ConsumerGroupMemberMetadataValue {
        instance_id: None,
        rack_id: None,
        client_id: "c".into(),
        client_host: "/1.2.3.4".into(),
        subscribed_topic_names: vec!["orders".into()],
        subscribed_topic_regex: None,
        rebalance_timeout_ms: 1000,
        server_assignor: Some("uniform".into()),
        classic_member_metadata: None,
    };
    let java = "000000000263\
                092f312e322e332e3402076f726465727300000003e808756e69666f726d01000100";
    group(key.into(), "000500016700026d31", value.into(), 0, java);
}

#[test]
fn transaction_log() {
    let key = transaction_records::Key::from(TransactionLogKey { transactional_id: "t1".into() });
    let value = transaction_records::Value::from(TransactionLogValue {
        producer_id: 1000,
        previous_producer_id: 7,
        producer_epoch: 2,
        transaction_timeout_ms: 60000,
        transaction_status: 1,
        transaction_partitions: Some(vec![PartitionsSchema {
            topic: "orders".into(),
            partition_ids: vec![0, 3],
        }]),
        transaction_last_update_timestamp_ms: 5,
        transaction_start_timestamp_ms: 4,
        client_transaction_version: 2,
        ..Default::default()
    });
    let java = hex(
        "000100000000000003e800020000ea600102076f72646572730300000000000000030000000000000000050000000000000004\
                    020008000000000000000702020002",
    );
    assert_eq!(key.encode().unwrap(), hex("000000027431"));
    assert_eq!(value.encode(1).unwrap(), java);
    assert_eq!(transaction_records::Value::decode(0, &java), Ok(value));
    assert!(transaction_records::Value::decode(1, &java).is_err());
}

#[test]
fn a_replica_fetch_and_its_header() {
    let partition = FetchPartition {
        partition: 0,
        current_leader_epoch: 3,
        fetch_offset: 10,
        last_fetched_epoch: 2,
        log_start_offset: 0,
        partition_max_bytes: 1 << 20,
        replica_directory_id: id(6),
        ..Default::default()
    };
    let request = FetchRequest {
        cluster_id: Some("abc".into()),
        replica_state: ReplicaState { replica_id: 99, replica_epoch: 160 },
        max_wait_ms: 500,
        min_bytes: 1,
        topics: vec![FetchTopic {
            topic_id: id(1),
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    };
    let java = hex(
        "000001f4000000017fffffff0000000000ffffffff02010203040506070800000000000000010200000000000000030000\
                    00000000000a0000000200000000000000000010000001001001020304050607080000000000000006000101020004046162\
                    63010d0000006300000000000000a000",
    );
    let mut writer = BytesMut::new();
    request.encode(&mut writer, 17).unwrap();
    assert_eq!(writer, java);
    assert_eq!(decode_exact::<FetchRequest>(&java, 17), Ok(request));

    let header = RequestHeader {
        request_api_key: ApiKey::Fetch.code(),
        request_api_version: 17,
        correlation_id: 77,
        client_id: Some("cli".into()),
    };
    assert_eq!(decode_exact::<RequestHeader>(&hex("000100110000004d0003636c6900"), 2), Ok(header));
}

#[test]
fn the_api_table() {
    assert_eq!(ApiKey::from_i16(1), Some(ApiKey::Fetch));
    assert_eq!(
        (ApiKey::from_i16(4), ApiKey::from_i16(-1), ApiKey::from_i16(i16::MAX)),
        (None, None, None)
    );
    assert_eq!((ApiKey::Produce.min_version(), ApiKey::Fetch.max_version()), (3, 18));
    assert_eq!(
        (ApiKey::InitProducerId.max_version(), ApiKey::InitProducerId.max_stable_version()),
        (6, 5)
    );
    assert_eq!(
        [ApiKey::Fetch.request_header_version(11), ApiKey::Fetch.request_header_version(12)],
        [1, 2]
    );
    assert_eq!(
        [ApiKey::Fetch.response_header_version(11), ApiKey::Fetch.response_header_version(12)],
        [0, 1]
    );
    assert_eq!(ApiKey::ApiVersions.response_header_version(4), 0);
    assert_eq!(ApiKey::ApiVersions.request_header_version(4), 2);
    assert!(ApiKey::Fetch.info().on_controller && !ApiKey::Produce.info().on_controller);
    assert!(!ApiKey::Vote.info().on_broker);
    assert!(ApiKey::all().all(|key| ApiKey::from_i16(key.code()) == Some(key)));
    assert_eq!(ApiVersionsRequest::FLEXIBLE_FROM, Some(3));
}
