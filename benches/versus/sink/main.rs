//! The floor of every comparison: reads produce requests, looks at nothing in them, and answers that all went well.
//! What it costs is what the kernel takes to bring the bytes here.
//!
//!   sink PORT TOPIC    serves one topic of one partition on the loopback address

use bytes::{BufMut, BytesMut};
use protocol::{
    ApiKey, Message,
    messages::{
        ApiVersionsResponse, MetadataResponse, ProduceResponse,
        api_versions_response::ApiVersion,
        metadata_response::{MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic},
        produce_response::{PartitionProduceResponse, TopicProduceResponse},
    },
};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
};

const RECEIVE_BYTES: usize = 256 * 1024;
const PRODUCE_VERSION: i16 = 12;
const METADATA_VERSION: i16 = 9;
const LENGTH_BYTES: usize = 4;
/// Length, API key, API version, correlation id.
const HEAD_BYTES: usize = LENGTH_BYTES + 8;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, port, topic] = arguments.as_slice() else { anyhow::bail!("usage: sink PORT TOPIC") };
    let port: u16 = port.parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    println!("ready");
    for stream in listener.incoming() {
        let (stream, answers) = (stream?, Answers::new(port, topic));
        std::thread::spawn(move || drop(serve(stream, &answers)));
    }
    Ok(())
}

/// Whole responses; the correlation id at [`LENGTH_BYTES`] is still to be filled in.
struct Answers {
    produce: Vec<u8>,
    metadata: Vec<u8>,
    api_versions: Vec<u8>,
}

fn answer<M: Message>(key: ApiKey, version: i16, response: &M) -> Vec<u8> {
    let mut body = BytesMut::new();
    response.encode(&mut body, version).expect("a response that its version can carry");
    let tags = usize::from(key.response_header_version(version) >= 1);
    let mut frame = Vec::new();
    frame.put_i32((4 + tags + body.len()) as i32);
    frame.put_i32(0);
    frame.put_bytes(0, tags);
    frame.put_slice(&body);
    frame
}

impl Answers {
    fn new(port: u16, topic: &str) -> Answers {
        let partition = PartitionProduceResponse { index: 0, base_offset: 0, ..Default::default() };
        let produced =
            TopicProduceResponse { name: topic.to_owned(), partition_responses: vec![partition], ..Default::default() };
        let produce = ProduceResponse { responses: vec![produced], ..Default::default() };
        let partition = MetadataResponsePartition {
            leader_id: 1,
            replica_nodes: vec![1],
            isr_nodes: vec![1],
            ..Default::default()
        };
        let broker = MetadataResponseBroker {
            node_id: 1,
            host: "127.0.0.1".to_owned(),
            port: port.into(),
            ..Default::default()
        };
        let metadata = MetadataResponse {
            brokers: vec![broker],
            topics: vec![MetadataResponseTopic {
                name: Some(topic.to_owned()),
                partitions: vec![partition],
                ..Default::default()
            }],
            ..Default::default()
        };
        let serves = |key: ApiKey, max_version| ApiVersion { api_key: key.code(), max_version, ..Default::default() };
        let api_keys = vec![
            serves(ApiKey::Produce, PRODUCE_VERSION),
            serves(ApiKey::Fetch, 12),
            serves(ApiKey::Metadata, METADATA_VERSION),
        ];
        let api_versions = ApiVersionsResponse { api_keys, ..Default::default() };
        Answers {
            produce: answer(ApiKey::Produce, PRODUCE_VERSION, &produce),
            metadata: answer(ApiKey::Metadata, METADATA_VERSION, &metadata),
            api_versions: answer(ApiKey::ApiVersions, 0, &api_versions),
        }
    }

    fn to(&self, api_key: i16) -> anyhow::Result<&[u8]> {
        match ApiKey::from_i16(api_key) {
            Some(ApiKey::Produce) => Ok(&self.produce),
            Some(ApiKey::Metadata) => Ok(&self.metadata),
            Some(ApiKey::ApiVersions) => Ok(&self.api_versions),
            _ => anyhow::bail!("API {api_key} is not for a sink"),
        }
    }
}

fn serve(mut stream: TcpStream, answers: &Answers) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; RECEIVE_BYTES];
    // The head of the frame that is on its way, and how much of its rest is still to come.
    let (mut head, mut head_length, mut rest) = ([0u8; HEAD_BYTES], 0, 0);
    let mut replies = Vec::new();
    loop {
        let received = stream.read(&mut buffer)?;
        if received == 0 {
            return Ok(());
        }
        let mut bytes = &buffer[..received];
        while !bytes.is_empty() {
            let skipped = rest.min(bytes.len());
            (bytes, rest) = (&bytes[skipped..], rest - skipped);
            if rest == 0 && head_length == HEAD_BYTES {
                let start = replies.len();
                replies.extend_from_slice(answers.to(i16::from_be_bytes([head[4], head[5]]))?);
                replies[start + LENGTH_BYTES..start + LENGTH_BYTES + 4].copy_from_slice(&head[8..]);
                head_length = 0;
            }
            let taken = bytes.len().min(HEAD_BYTES - head_length);
            if taken > 0 && rest == 0 {
                head[head_length..head_length + taken].copy_from_slice(&bytes[..taken]);
                (bytes, head_length) = (&bytes[taken..], head_length + taken);
                if head_length == HEAD_BYTES {
                    let length = i32::from_be_bytes([head[0], head[1], head[2], head[3]]);
                    rest = usize::try_from(length)? + LENGTH_BYTES - HEAD_BYTES;
                }
            }
        }
        stream.write_all(&replies)?;
        replies.clear();
    }
}
