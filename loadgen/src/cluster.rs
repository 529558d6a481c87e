//! What the generator knows of the cluster: which versions it speaks, and who leads which partition.
//!
//! Owns: the leaders of one topic. Lives on: the generator's thread. Never: retries without a bound.

use crate::{
    client::{Client, error_of},
    options::RunOptions,
};
use anyhow::{Context, bail, ensure};
use protocol::{
    ErrorCode,
    messages::{
        ApiVersionsRequest, CreateTopicsRequest, MetadataRequest, MetadataResponse,
        create_topics_request::CreatableTopic, metadata_request::MetadataRequestTopic,
    },
};
use ring::Ring;
use rustc_hash::FxHashMap;
use std::{rc::Rc, time::Duration};

/// Topic names, not ids, so that any broker of the last years is spoken to alike.
pub const PRODUCE_VERSION_MAX: i16 = 12;
pub const FETCH_VERSION_MAX: i16 = 12;
const METADATA_VERSION: i16 = 9;
const CREATE_TOPICS_VERSION: i16 = 5;
const API_VERSIONS_VERSION: i16 = 0;

/// How often, and how far apart, a new topic is asked for until all its partitions have leaders.
const TOPIC_TRIES: u32 = 100;
const TOPIC_PAUSE: Duration = Duration::from_millis(50);

pub struct Cluster {
    pub produce_version: i16,
    pub fetch_version: i16,
    /// HOST:PORT of the leader of each partition that is used.
    pub leaders: Vec<Rc<str>>,
}

impl Cluster {
    /// Asks the bootstrap broker, and makes the topic if it is missing.
    pub async fn discover(ring: &Ring, options: &RunOptions) -> anyhow::Result<Cluster> {
        let client = Client::connect(ring, &options.bootstrap).await?;
        let served = client.call(&ApiVersionsRequest::default(), API_VERSIONS_VERSION).await?;
        let max: FxHashMap<i16, i16> = served.api_keys.iter().map(|api| (api.api_key, api.max_version)).collect();
        let version = |key: i16, ours: i16| Some((*max.get(&key)?).min(ours));
        let produce_version = version(0, PRODUCE_VERSION_MAX).context("the broker does not serve Produce")?;
        let fetch_version = version(1, FETCH_VERSION_MAX).context("the broker does not serve Fetch")?;
        let mut made = false;
        for _ in 0..TOPIC_TRIES {
            let metadata = metadata(&client, &options.topic).await?;
            match leaders(&metadata, options)? {
                Some(leaders) => return Ok(Cluster { produce_version, fetch_version, leaders }),
                None if !made => {
                    create(&client, options).await?;
                    made = true;
                }
                None => ring.sleep(TOPIC_PAUSE).await,
            }
        }
        bail!("topic '{}' has no leaders after {:?}: see the broker's log", options.topic, TOPIC_PAUSE * TOPIC_TRIES)
    }
}

async fn metadata(client: &Client, topic: &str) -> anyhow::Result<MetadataResponse> {
    let topic = MetadataRequestTopic { name: Some(topic.to_owned()), ..Default::default() };
    let request = MetadataRequest { topics: Some(vec![topic]), allow_auto_topic_creation: false, ..Default::default() };
    client.call(&request, METADATA_VERSION).await
}

/// The leaders of the partitions, or `None` while the topic is missing or not ready.
fn leaders(metadata: &MetadataResponse, options: &RunOptions) -> anyhow::Result<Option<Vec<Rc<str>>>> {
    let topic = metadata.topics.first().context("the broker says nothing of the topic")?;
    match error_of(topic.error_code) {
        ErrorCode::None => {}
        ErrorCode::UnknownTopicOrPartition | ErrorCode::LeaderNotAvailable => return Ok(None),
        error => bail!("topic '{}': {}; try another --topic", options.topic, error.name()),
    }
    let available = topic.partitions.len();
    let wanted = options.partitions as usize;
    ensure!(
        available >= wanted,
        "topic '{}' has {available} partitions: give --partitions {available}, or another --topic",
        options.topic
    );
    let brokers: FxHashMap<i32, Rc<str>> = metadata
        .brokers
        .iter()
        .map(|broker| (broker.node_id, format!("{}:{}", broker.host, broker.port).into()))
        .collect();
    let mut leaders = vec![None; wanted];
    for partition in &topic.partitions {
        if let Some(leader) = leaders.get_mut(partition.partition_index as usize) {
            *leader = brokers.get(&partition.leader_id).cloned();
        }
    }
    Ok(leaders.into_iter().collect())
}

async fn create(client: &Client, options: &RunOptions) -> anyhow::Result<()> {
    let topic = CreatableTopic {
        name: options.topic.clone(),
        num_partitions: options.partitions,
        replication_factor: options.replication_factor,
        ..Default::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 15_000, ..Default::default() };
    let response = client.call(&request, CREATE_TOPICS_VERSION).await?;
    let result = response.topics.first().context("the broker says nothing of the new topic")?;
    match error_of(result.error_code) {
        ErrorCode::None | ErrorCode::TopicAlreadyExists => Ok(()),
        error => bail!(
            "cannot make topic '{}': {} {}",
            options.topic,
            error.name(),
            result.error_message.as_deref().unwrap_or_default()
        ),
    }
}
