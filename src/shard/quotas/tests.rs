//! A whole broker of two cores in simulated time, over the wire: what is let through, what clients
//! are told, and for how long nothing more is read from them.

use crate::{
    log::tests::batch,
    shard::transactions::tests::wire::{Client, TOPIC, tell},
};
use bytes::Bytes;
use protocol::{
    ErrorCode,
    messages::{
        AlterClientQuotasRequest, ApiVersionsRequest, CreateTopicsRequest, FetchRequest,
        FetchResponse, ProduceRequest,
        alter_client_quotas_request::{EntityData, EntryData, OpData},
        create_topics_request::CreatableTopic,
        fetch_request::{FetchPartition, FetchTopic},
        produce_request::{PartitionProduceData, TopicProduceData},
    },
};
use ring::Instant;
use std::{cell::Cell, rc::Rc, time::Duration};

const PRODUCE_VERSION: i16 = 12;
const FETCH_VERSION: i16 = 12;
const ID: &str = "measured";

/// Sets a quota of the client ids that these tests have, or removes it.
async fn set(client: &Client, entity: (&str, Option<&str>), key: &str, value: Option<f64>) {
    let entity_type = entity.0.to_owned();
    let entity = vec![EntityData { entity_type, entity_name: entity.1.map(str::to_owned) }];
    let value_or_zero = value.unwrap_or_default();
    let op = OpData { key: key.to_owned(), value: value_or_zero, remove: value.is_none() };
    let entries = vec![EntryData { entity, ops: vec![op] }];
    let request = AlterClientQuotasRequest { entries, validate_only: false };
    let response = client.call(&request, 1).await;
    assert_eq!(response.entries[0].error_message, None);
    // The core of this connection has it; the other one has it soon.
    client.ring.sleep(Duration::from_millis(200)).await;
}

async fn another(client: &Client, client_id: &'static str) -> Client {
    let another = client.another().await;
    another.client_id.set(Some(client_id));
    another
}

/// One record of about so many bytes.
fn request(partition: i32, bytes: usize) -> ProduceRequest {
    let records: Bytes = batch(1_000, &[&vec![7_u8; bytes][..]]).build();
    let data = PartitionProduceData { index: partition, records: Some(records) };
    let topic = TopicProduceData {
        name: TOPIC.to_owned(),
        partition_data: vec![data],
        ..Default::default()
    };
    ProduceRequest { acks: 1, timeout_ms: 30_000, topic_data: vec![topic], ..Default::default() }
}

/// Sends one, and what the response says of a wait.
async fn produce(client: &Client, bytes: usize) -> Duration {
    let response = client.call(&request(0, bytes), PRODUCE_VERSION).await;
    assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
    Duration::from_millis(response.throttle_time_ms as u64)
}

/// Clients on both cores that send as fast as they are let, and do not heed what they are told,
/// come to their quota together.
#[test]
fn clients_of_both_cores_come_to_one_quota() {
    const QUOTA: f64 = 200_000.0;
    const RECORD: usize = 1_500;
    // Two windows: with Kafka's eleven, a burst of ten seconds' worth comes again and again.
    tell(&[("quota.window.num", "2")], |client, _| async move {
        client.create_topic(2).await;
        set(&client, ("client-id", Some(ID)), "producer_byte_rate", Some(QUOTA)).await;
        let began = client.ring.now();
        let (from, to) = (began + Duration::from_secs(10), began + Duration::from_secs(70));
        let (sent, told): (Rc<Cell<usize>>, Rc<Cell<u32>>) = Default::default();
        let done: Rc<Cell<u32>> = Rc::default();
        for number in 0..4 {
            let producer = another(&client, ID).await;
            let (sent, told, done) = (sent.clone(), told.clone(), done.clone());
            drop(client.ring.clone().spawn(async move {
                send_until(&producer, number % 2, (from, to), RECORD, &sent, &told).await;
                done.set(done.get() + 1);
            }));
        }
        while done.get() < 4 {
            client.ring.sleep(Duration::from_secs(1)).await;
        }
        let rate = sent.get() as f64 / 60.0;
        let off = (rate - QUOTA).abs() / QUOTA;
        assert!(off <= 0.05, "{rate} bytes per second, the quota is {QUOTA}");
        assert!(told.get() > 0, "no client was told to wait");
        // A client of another name has no quota.
        let other = another(&client, "other").await;
        for _ in 0..20 {
            assert_eq!(produce(&other, 1 << 19).await, Duration::ZERO);
        }
    });
}

async fn send_until(
    producer: &Client,
    partition: i32,
    (from, to): (Instant, Instant),
    record_bytes: usize,
    sent: &Cell<usize>,
    told: &Cell<u32>,
) {
    let request = request(partition, record_bytes);
    let mut frame = bytes::BytesMut::new();
    protocol::Message::encode(&request, &mut frame, PRODUCE_VERSION).expect("it encodes");
    // The header: key, version, correlation id, client id, no tags.
    let bytes = frame.len() + 2 + 2 + 4 + 2 + ID.len() + 1;
    loop {
        let response = producer.call(&request, PRODUCE_VERSION).await;
        assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
        told.set(told.get() + u32::from(response.throttle_time_ms > 0));
        let now = producer.ring.now();
        if now >= to {
            return;
        }
        if now >= from {
            sent.set(sent.get() + bytes);
        }
    }
}

/// KIP-219.
#[test]
fn the_response_leaves_at_once_and_the_next_request_is_read_when_the_time_is_over() {
    tell(&[], |client, _| async move {
        client.create_topic(1).await;
        set(&client, ("client-id", Some(ID)), "producer_byte_rate", Some(10_000.0)).await;
        let producer = another(&client, ID).await;
        let began = producer.ring.now();
        // Of ten windows 100,000 bytes are free.
        let first = producer.send(&request(0, 200_000), PRODUCE_VERSION).await;
        let second = producer.send(&request(0, 10), PRODUCE_VERSION).await;
        let response = producer.receive::<ProduceRequest>(first, PRODUCE_VERSION).await;
        let answered = producer.ring.now();
        assert!(answered.since(began) < Duration::from_secs(1), "it does not wait");
        let told = Duration::from_millis(response.throttle_time_ms as u64);
        let range = Duration::from_secs(9)..Duration::from_secs(11);
        assert!(range.contains(&told), "{told:?}");
        producer.receive::<ProduceRequest>(second, PRODUCE_VERSION).await;
        let waited = producer.ring.now().since(answered);
        // The two answers may have taken different times on their way.
        let least = told - Duration::from_millis(100);
        assert!(waited >= least, "{told:?} were told, the next was read after {waited:?}");
        assert!(waited < told + Duration::from_secs(1), "and then it was read: {waited:?}");
        // Without a quota nothing is muted any more.
        set(&client, ("client-id", Some(ID)), "producer_byte_rate", None).await;
        let free = another(&client, ID).await;
        assert_eq!(produce(&free, 200_000).await, Duration::ZERO);
    });
}

#[test]
fn what_wants_no_reply_mutes_its_connection_too() {
    tell(&[], |client, _| async move {
        client.create_topic(1).await;
        set(&client, ("client-id", None), "producer_byte_rate", Some(10_000.0)).await;
        let producer = another(&client, ID).await;
        let began = producer.ring.now();
        let silent = ProduceRequest { acks: 0, ..request(0, 200_000) };
        producer.send(&silent, PRODUCE_VERSION).await;
        producer.call(&ApiVersionsRequest::default(), 3).await;
        let waited = producer.ring.now().since(began);
        assert!(waited >= Duration::from_secs(9), "{waited:?}");
    });
}

fn fetch_of(
    offset: i64,
    partition_max_bytes: i32,
    (session_id, session_epoch): (i32, i32),
) -> FetchRequest {
    let partition = FetchPartition {
        partition: 0,
        fetch_offset: offset,
        partition_max_bytes,
        ..Default::default()
    };
    let topic =
        FetchTopic { topic: TOPIC.to_owned(), partitions: vec![partition], ..Default::default() };
    FetchRequest {
        replica_id: -1,
        max_wait_ms: 100,
        min_bytes: 1,
        max_bytes: 1 << 20,
        session_id,
        session_epoch,
        topics: vec![topic],
        ..Default::default()
    }
}

fn records_bytes(response: &FetchResponse) -> usize {
    let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
    partitions.filter_map(|partition| Some(partition.records.as_ref()?.len())).sum()
}

#[test]
fn a_fetch_above_the_quota_is_put_off_and_its_session_goes_on() {
    // The records are of 1970.
    tell(&[("log.retention.ms", "-1")], |client, _| async move {
        client.create_topic(1).await;
        for _ in 0..150 {
            produce(&client, 1_000).await;
        }
        let batch_bytes = batch(1_000, &[&[7; 1_000][..]]).build().len();
        set(&client, ("client-id", None), "consumer_byte_rate", Some(4_000.0)).await;
        // Ten windows are 40,000 bytes: no fetch asks for more.
        let greedy = another(&client, "greedy").await;
        let large = greedy.call(&fetch_of(0, 1 << 20, (0, -1)), FETCH_VERSION).await;
        assert!((30_000..40_000).contains(&records_bytes(&large)), "{}", records_bytes(&large));
        // The next would begin a session: it has none. Both cores know of the first by then.
        client.ring.sleep(Duration::from_millis(200)).await;
        let fresh = another(&client, "greedy").await;
        let response = fresh.call(&fetch_of(0, 4_000, (0, 0)), FETCH_VERSION).await;
        assert!(response.throttle_time_ms > 0, "{response:?}");
        assert_eq!((response.session_id, response.responses.len()), (0, 0));
        let consumer = another(&client, ID).await;
        let first = consumer.call(&fetch_of(0, 4_000, (0, 0)), FETCH_VERSION).await;
        assert_eq!(first.throttle_time_ms, 0);
        assert_ne!(first.session_id, 0);
        let began = consumer.ring.now();
        let (mut epoch, mut put_off) = (1, 0);
        let mut offset = records_bytes(&first) / batch_bytes;
        while offset < 120 {
            let asked = fetch_of(offset as i64, 4_000, (first.session_id, epoch));
            let response = consumer.call(&asked, FETCH_VERSION).await;
            assert_eq!(response.error_code, 0, "epoch {epoch}");
            assert_eq!(response.session_id, first.session_id);
            epoch += 1;
            if response.throttle_time_ms > 0 {
                assert!(response.responses.is_empty(), "nothing is sent that does not count");
                put_off += 1;
            } else {
                offset += records_bytes(&response) / batch_bytes;
            }
        }
        assert!(put_off > 0);
        let took = consumer.ring.now().since(began).as_secs();
        assert!((15..40).contains(&took), "some 90,000 bytes at 4,000 per second, in {took} s");
    });
}

async fn create(client: &Client, name: &str, partitions: i32, version: i16) -> (ErrorCode, i32) {
    let topic = CreatableTopic {
        name: name.to_owned(),
        num_partitions: partitions,
        replication_factor: 1,
        ..Default::default()
    };
    let request =
        CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, ..Default::default() };
    let response = client.call(&request, version).await;
    let error = ErrorCode::from_code(response.topics[0].error_code).expect("a code");
    (error, response.throttle_time_ms)
}

#[test]
fn who_makes_too_many_partitions_is_refused_or_in_old_versions_made_to_wait() {
    tell(&[], |client, _| async move {
        // A bucket of eleven windows.
        set(&client, ("user", None), "controller_mutation_rate", Some(1.0)).await;
        assert_eq!(create(&client, "a", 15, 6).await, (ErrorCode::None, 0), "some were left");
        let (error, told_ms) = create(&client, "b", 1, 6).await;
        assert_eq!(error, ErrorCode::ThrottlingQuotaExceeded);
        assert!((3_000..=4_000).contains(&told_ms), "{told_ms}");
        let answered = client.ring.now();
        client.call(&ApiVersionsRequest::default(), 3).await;
        let waited = client.ring.now().since(answered);
        assert!(waited >= Duration::from_millis(told_ms as u64 - 100), "{waited:?}");
        let old = client.another().await;
        let (error, told_ms) = create(&old, "c", 4, 5).await;
        assert_eq!(error, ErrorCode::None, "this version knows no such error");
        assert!((2_000..=4_000).contains(&told_ms), "{told_ms}");
    });
}

#[test]
fn an_address_that_connects_too_fast_is_held_off() {
    tell(&[], |client, _| async move {
        set(&client, ("ip", None), "connection_creation_rate", Some(1.0)).await;
        let mut served = Vec::new();
        for _ in 0..10 {
            let another = client.another().await;
            another.call(&ApiVersionsRequest::default(), 3).await;
            served.push(another);
        }
        let began = client.ring.now();
        let held_off = client.another().await;
        assert!(held_off.is_closed_by_broker().await);
        let held = client.ring.now().since(began);
        assert!(held >= Duration::from_millis(500), "it is closed later: {held:?}");
        assert!(held <= Duration::from_secs(2), "and after a window at most: {held:?}");
        set(&client, ("ip", None), "connection_creation_rate", None).await;
        for _ in 0..20 {
            let another = client.another().await;
            another.call(&ApiVersionsRequest::default(), 3).await;
        }
    });
}
