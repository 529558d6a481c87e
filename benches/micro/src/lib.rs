//! Single steps of a request, ready to be run over and over: what the times and the counts have in
//! common.
//!
//! Owns: the inputs of each step. Never: waits, does I/O within a step, or uses an item that is not
//! public.

use bytes::BytesMut;
use millstream::{
    limits,
    log::index::{Entry, Found, Index, Key, OFFSET_ENTRY_BYTES},
    shard::mailbox::{self, Mailbox, Message},
};
use protocol::{
    ErrorCode, Message as _, Reader, Uuid,
    fetch::{FetchRequest, FetchResponseHeader, FetchResponseWriter, PartitionFetchResponse},
    messages::{
        FetchRequest as FetchMessage, MetadataResponse, ProduceRequest as ProduceMessage,
        fetch_request::{FetchPartition, FetchTopic},
        metadata_response::{MetadataResponsePartition, MetadataResponseTopic},
        produce_request::{PartitionProduceData, TopicProduceData},
    },
    produce::{PartitionProduceResponse, ProduceRequest, ProduceResponseWriter},
    records::{
        BatchBuilder,
        validate::{AppendOrigin, ValidationRules, validate},
    },
};
use ring::{BackendKind, CoreOptions, Doorbell};
use std::{hint::black_box, time::Duration};

const PRODUCE_VERSION: i16 = 12;
const FETCH_VERSION: i16 = 12;
const METADATA_VERSION: i16 = 12;
const NOW_MS: i64 = 1_700_000_000_000;
const VALUE: [u8; 100] = [b'v'; 100];
/// Records of 100 bytes in 64 KiB.
const LARGE_RECORDS: usize = 600;
const MANY_PARTITIONS: usize = 100;

/// A step of a request.
pub struct Step {
    pub name: &'static str,
    /// How often it runs when its instructions are counted, so that all else is below a hundredth
    /// of them.
    pub rounds: usize,
    pub run: Box<dyn FnMut()>,
}

fn step(name: &'static str, rounds: usize, run: impl FnMut() + 'static) -> Step {
    Step { name, rounds, run: Box::new(run) }
}

/// All steps, with their inputs made.
pub fn steps() -> Vec<Step> {
    let mut steps = codecs();
    steps.extend(batches());
    steps.push(index_lookup());
    steps.push(mailbox_hop());
    steps
}

fn codecs() -> Vec<Step> {
    let produce = |partitions| encoded(&produce_request(partitions), PRODUCE_VERSION);
    let fetch = |partitions| encoded(&fetch_request(partitions), FETCH_VERSION);
    let metadata = metadata_response();
    let metadata_bytes = encoded(&metadata, METADATA_VERSION);
    let mut out = BytesMut::with_capacity(1 << 16);
    let mut produce_out = BytesMut::with_capacity(1 << 16);
    let mut fetch_out = BytesMut::with_capacity(1 << 16);
    vec![
        step("produce-parse-1", 10_000, parse_produce(produce(1))),
        step("produce-parse-100", 1_000, parse_produce(produce(MANY_PARTITIONS))),
        step("produce-response-100", 1_000, move || write_produce_response(&mut produce_out)),
        step("fetch-parse-1", 10_000, parse_fetch(fetch(1))),
        step("fetch-parse-100", 1_000, parse_fetch(fetch(MANY_PARTITIONS))),
        step("fetch-response-100", 1_000, move || write_fetch_response(&mut fetch_out)),
        step("metadata-decode-100", 300, move || {
            let mut reader = Reader::new(&metadata_bytes);
            black_box(
                MetadataResponse::decode(&mut reader, METADATA_VERSION)
                    .expect("bytes that were encoded"),
            );
        }),
        step("metadata-encode-100", 300, move || {
            out.clear();
            metadata
                .encode(&mut out, METADATA_VERSION)
                .expect("a response that its version can carry");
            black_box(&out);
        }),
    ]
}

fn encoded(message: &impl protocol::Message, version: i16) -> BytesMut {
    let mut out = BytesMut::new();
    message.encode(&mut out, version).expect("a message that its version can carry");
    out
}

fn batch(records: usize) -> bytes::Bytes {
    let mut builder = BatchBuilder::new(0);
    (0..records).for_each(|_| builder.append(NOW_MS, None, Some(&VALUE), &[]));
    builder.build()
}

fn produce_request(partitions: usize) -> ProduceMessage {
    let records = batch(1);
    let data = |index| PartitionProduceData { index, records: Some(records.clone()) };
    let partition_data = (0..partitions as i32).map(data).collect();
    let topic =
        TopicProduceData { name: "a-topic".to_owned(), partition_data, ..Default::default() };
    ProduceMessage { transactional_id: None, acks: -1, timeout_ms: 30_000, topic_data: vec![topic] }
}

fn fetch_request(partitions: usize) -> FetchMessage {
    let partition = |partition| FetchPartition {
        partition,
        partition_max_bytes: 1 << 20,
        ..Default::default()
    };
    let partitions = (0..partitions as i32).map(partition).collect();
    let topic = FetchTopic { topic: "a-topic".to_owned(), partitions, ..Default::default() };
    FetchMessage {
        replica_id: -1,
        max_wait_ms: 500,
        min_bytes: 1,
        max_bytes: 1 << 20,
        topics: vec![topic],
        ..Default::default()
    }
}

fn metadata_response() -> MetadataResponse {
    let partition = |partition_index| MetadataResponsePartition {
        partition_index,
        leader_id: 1,
        replica_nodes: vec![1],
        isr_nodes: vec![1],
        ..Default::default()
    };
    let topic = |index: i32| MetadataResponseTopic {
        name: Some(format!("topic-{index}")),
        topic_id: Uuid::from_u128(index as u128 + 1),
        partitions: (0..10).map(partition).collect(),
        ..Default::default()
    };
    MetadataResponse { topics: (0..10).map(topic).collect(), ..Default::default() }
}

fn parse_produce(body: BytesMut) -> impl FnMut() {
    move || {
        let request =
            ProduceRequest::parse(black_box(&body), 0, PRODUCE_VERSION).expect("a whole request");
        request.partitions().for_each(|partition| {
            black_box(partition);
        });
    }
}

fn parse_fetch(body: BytesMut) -> impl FnMut() {
    move || {
        let request =
            FetchRequest::parse(black_box(&body), 0, FETCH_VERSION).expect("a whole request");
        request.partitions().for_each(|partition| {
            black_box(partition);
        });
    }
}

fn write_produce_response(out: &mut BytesMut) {
    out.clear();
    out.extend_from_slice(&[0; 8]);
    let mut writer = ProduceResponseWriter::new(out, PRODUCE_VERSION, 1);
    writer.begin_topic("a-topic", Uuid::ZERO, MANY_PARTITIONS);
    for index in 0..MANY_PARTITIONS as i32 {
        writer.partition(&PartitionProduceResponse {
            index,
            error: ErrorCode::None,
            base_offset: i64::from(index),
            log_append_time_ms: -1,
            log_start_offset: 0,
            record_errors: &[],
            error_message: None,
            current_leader: None,
        });
    }
    writer.finish(0, &[]);
    black_box(out);
}

fn write_fetch_response(out: &mut BytesMut) {
    out.clear();
    out.extend_from_slice(&[0; 9]);
    let header = FetchResponseHeader { throttle_time_ms: 0, error: ErrorCode::None, session_id: 0 };
    let mut writer = FetchResponseWriter::new(out, FETCH_VERSION, header, 1);
    writer.begin_topic("a-topic", Uuid::ZERO, MANY_PARTITIONS);
    for index in 0..MANY_PARTITIONS as i32 {
        black_box(writer.partition(&PartitionFetchResponse::refused(index, ErrorCode::None), 1000));
    }
    black_box(writer.finish(&[]));
    black_box(out);
}

fn batches() -> Vec<Step> {
    let origin = AppendOrigin::Client { produce_version: PRODUCE_VERSION };
    let rules = ValidationRules::of_defaults(origin, NOW_MS);
    let check = |records| {
        let (batch, mut scratch) = (batch(records), Vec::new());
        move || {
            black_box(validate(black_box(&batch), &rules, &mut scratch).expect("a valid batch"));
        }
    };
    vec![
        step("validate-one-record", 10_000, check(1)),
        step("validate-64-kib", 100, check(LARGE_RECORDS)),
    ]
}

/// In what an index keeps in memory.
fn index_lookup() -> Step {
    let mut index = Index::new(OFFSET_ENTRY_BYTES);
    (1..=512_u32).for_each(|at| index.push(Entry::for_offset(at * 40, at * 4096)));
    let mut target = 0;
    step("index-lookup", 10_000, move || {
        target = (target + 7_919) % (512 * 40);
        let found = index.search_memory(Key::Offset, black_box(target));
        assert!(found != Found::OnDisk, "all of it is in memory");
        black_box(found);
    })
}

/// Doorbells of two cores that are awake.
pub fn doorbells() -> Vec<Doorbell> {
    let options = |index| CoreOptions {
        name: format!("core-{index}"),
        index,
        cpu: None,
        backend: BackendKind::Epoll,
        spin: Duration::ZERO,
    };
    (0..2)
        .map(|index| {
            ring::run(options(index), |ring| async move { ring.doorbell() }).expect("a core")
        })
        .collect()
}

/// One message from a core to another, both awake: into the queue, the doorbell, out of the queue.
fn mailbox_hop() -> Step {
    let bells = doorbells();
    let mut ends = mailbox::mesh(2).into_iter();
    let mut end = || Mailbox::new(ends.next().expect("two ends"), bells.clone());
    let (from, to) = (end(), end());
    let mut arrived = Vec::new();
    step("mailbox-hop", 10_000, move || {
        from.send(1, Message::Moved { watch: 7 });
        assert!(to.take(&mut arrived, limits::MAILBOX_SLOTS), "a message");
        black_box(&arrived);
        arrived.clear();
    })
}
