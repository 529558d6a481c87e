//! Whole responses, made once; only the correlation id is filled in.
//!
//! A produce answer names every partition of the topic, so that it answers any request. A fetch
//! answer is a prefix, one block of record batches that lies elsewhere, and a suffix.

use crate::{frames::Request, options::Options};
use anyhow::{Context, bail};
use bytes::{BufMut, Bytes, BytesMut};
use protocol::{
    ApiKey, ErrorCode, Message,
    messages::{
        ApiVersionsResponse, FetchResponse, ListOffsetsResponse, MetadataResponse, ProduceResponse,
        api_versions_response::ApiVersion,
        fetch_response::{FetchableTopicResponse, PartitionData},
        list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse},
        metadata_response::{
            MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
        },
        produce_response::{PartitionProduceResponse, TopicProduceResponse},
    },
};

const PRODUCE_VERSION: i16 = 12;
const FETCH_VERSION: i16 = 12;
const LIST_OFFSETS_VERSION: i16 = 4;
const METADATA_VERSION: i16 = 9;
const LENGTH_BYTES: usize = 4;
/// Record batches in one fetch answer.
pub const BLOCK_BYTES: usize = 1 << 20;
/// The log never ends for a consumer of the sink.
const HIGH_WATERMARK: i64 = i64::MAX;

/// The answer to one request.
pub enum Answer<'a> {
    /// These bytes, with the correlation id in its place.
    Whole(&'a [u8]),
    /// The prefix with the correlation id, a block, the suffix.
    Fetched,
}

pub struct Answers {
    produce: Vec<u8>,
    metadata: Vec<u8>,
    api_versions: Vec<u8>,
    /// To a version that the sink does not speak; its own layout is always that of version 0.
    api_versions_refused: Vec<u8>,
    list_offsets: Vec<u8>,
    fetch_prefix: Vec<u8>,
    pub fetch_suffix: Vec<u8>,
}

impl Answers {
    pub fn new(options: &Options) -> anyhow::Result<Answers> {
        let topic = &options.topic;
        let partitions = 0..options.partitions;
        let partition_responses = partitions.clone().map(|index| PartitionProduceResponse {
            index,
            base_offset: 0,
            ..Default::default()
        });
        let produced = TopicProduceResponse {
            name: topic.clone(),
            partition_responses: partition_responses.collect(),
            ..Default::default()
        };
        let offset = |partition_index| ListOffsetsPartitionResponse {
            partition_index,
            offset: 0,
            ..Default::default()
        };
        let listed = ListOffsetsTopicResponse {
            name: topic.clone(),
            partitions: partitions.map(offset).collect(),
        };
        let (fetch_prefix, fetch_suffix) = fetch(topic)?;
        Ok(Answers {
            produce: answer(
                ApiKey::Produce,
                PRODUCE_VERSION,
                &ProduceResponse { responses: vec![produced], ..Default::default() },
            )?,
            metadata: answer(ApiKey::Metadata, METADATA_VERSION, &metadata(options))?,
            api_versions: answer(ApiKey::ApiVersions, 0, &api_versions())?,
            api_versions_refused: answer(
                ApiKey::ApiVersions,
                0,
                &ApiVersionsResponse {
                    error_code: ErrorCode::UnsupportedVersion.code(),
                    ..api_versions()
                },
            )?,
            list_offsets: answer(
                ApiKey::ListOffsets,
                LIST_OFFSETS_VERSION,
                &ListOffsetsResponse { topics: vec![listed], ..Default::default() },
            )?,
            fetch_prefix,
            fetch_suffix,
        })
    }

    pub fn to(&self, request: &Request) -> anyhow::Result<Answer<'_>> {
        match ApiKey::from_i16(request.api_key) {
            Some(ApiKey::Produce) => Ok(Answer::Whole(&self.produce)),
            Some(ApiKey::Metadata) => Ok(Answer::Whole(&self.metadata)),
            Some(ApiKey::ApiVersions) if request.api_version == 0 => {
                Ok(Answer::Whole(&self.api_versions))
            }
            Some(ApiKey::ApiVersions) => Ok(Answer::Whole(&self.api_versions_refused)),
            Some(ApiKey::ListOffsets) => Ok(Answer::Whole(&self.list_offsets)),
            Some(ApiKey::Fetch) => Ok(Answer::Fetched),
            _ => bail!("API {} is not for a sink", request.api_key),
        }
    }

    pub fn fetch_prefix(&self, correlation_id: i32) -> Vec<u8> {
        let mut prefix = Vec::with_capacity(self.fetch_prefix.len());
        append(&mut prefix, &self.fetch_prefix, correlation_id);
        prefix
    }
}

/// Adds an answer to `replies`, with its correlation id.
pub fn append(replies: &mut Vec<u8>, answer: &[u8], correlation_id: i32) {
    let start = replies.len();
    replies.extend_from_slice(answer);
    replies[start + LENGTH_BYTES..start + LENGTH_BYTES + 4]
        .copy_from_slice(&correlation_id.to_be_bytes());
}

fn answer<M: Message>(key: ApiKey, version: i16, response: &M) -> anyhow::Result<Vec<u8>> {
    let mut body = BytesMut::new();
    response.encode(&mut body, version)?;
    let tags = usize::from(key.response_header_version(version) >= 1);
    let mut frame = Vec::new();
    frame.put_i32(i32::try_from(4 + tags + body.len())?);
    frame.put_i32(0);
    frame.put_bytes(0, tags);
    frame.put_slice(&body);
    Ok(frame)
}

fn fetch(topic: &str) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    const MARK: u8 = 0xa5;
    let partition = PartitionData {
        high_watermark: HIGH_WATERMARK,
        last_stable_offset: HIGH_WATERMARK,
        records: Some(Bytes::from(vec![MARK; BLOCK_BYTES])),
        ..Default::default()
    };
    let fetched = FetchableTopicResponse {
        topic: topic.to_owned(),
        partitions: vec![partition],
        ..Default::default()
    };
    let response = FetchResponse { responses: vec![fetched], ..Default::default() };
    let whole = answer(ApiKey::Fetch, FETCH_VERSION, &response)?;
    // Nothing but empty tagged fields follows the records.
    let end = whole.iter().rposition(|byte| *byte == MARK).context("records in the answer")? + 1;
    let start = end - BLOCK_BYTES;
    Ok((whole[..start].to_vec(), whole[end..].to_vec()))
}

fn metadata(options: &Options) -> MetadataResponse {
    let partition = |partition_index| MetadataResponsePartition {
        partition_index,
        leader_id: 1,
        replica_nodes: vec![1],
        isr_nodes: vec![1],
        ..Default::default()
    };
    let topic = MetadataResponseTopic {
        name: Some(options.topic.clone()),
        partitions: (0..options.partitions).map(partition).collect(),
        ..Default::default()
    };
    let broker = MetadataResponseBroker {
        node_id: 1,
        host: "127.0.0.1".to_owned(),
        port: options.port.into(),
        ..Default::default()
    };
    MetadataResponse { brokers: vec![broker], topics: vec![topic], ..Default::default() }
}

fn api_versions() -> ApiVersionsResponse {
    let serves = |key: ApiKey, max_version| ApiVersion {
        api_key: key.code(),
        max_version,
        ..Default::default()
    };
    let api_keys = vec![
        serves(ApiKey::Produce, PRODUCE_VERSION),
        serves(ApiKey::Fetch, FETCH_VERSION),
        serves(ApiKey::ListOffsets, LIST_OFFSETS_VERSION),
        serves(ApiKey::Metadata, METADATA_VERSION),
    ];
    ApiVersionsResponse { api_keys, ..Default::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    /// A client asks in the newest version that it knows, and again in version 0 (KIP-511).
    #[test]
    fn a_newer_api_versions_is_refused_in_version_0() {
        let options = Options::parse_from(["sink", "--port", "1", "--mode", "page-cache"]);
        let answers = Answers::new(&options).unwrap();
        let error_of = |api_version| {
            let api_key = ApiKey::ApiVersions.code();
            let answer = answers.to(&Request { api_key, api_version, correlation_id: 7 }).unwrap();
            let Answer::Whole(frame) = answer else { panic!("not a fetch") };
            let body = Bytes::copy_from_slice(&frame[LENGTH_BYTES + 4..]);
            let response: ApiVersionsResponse = protocol::decode_exact(&body, 0).unwrap();
            assert_eq!(response.api_keys.len(), 4);
            ErrorCode::from_code(response.error_code)
        };
        assert_eq!(error_of(0), Some(ErrorCode::None));
        assert_eq!(error_of(5), Some(ErrorCode::UnsupportedVersion));
    }
}
