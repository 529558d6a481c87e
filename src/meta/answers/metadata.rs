//! Metadata (key 3), versions 0 to 13: brokers, and topics with their partitions: all, by name, or
//! (from 12 on) by id.

use super::{Brokers, CLUSTER_OPERATIONS, OPERATIONS_NOT_ASKED, TOPIC_OPERATIONS};
use crate::meta::{
    ApiError,
    image::MetadataImage,
    topic::{NO_LEADER, PartitionRegistration, Topic},
    topic_name,
};
use protocol::messages::{
    CreateTopicsRequest, MetadataRequest, MetadataResponse,
    create_topics_request::CreatableTopic,
    metadata_request::MetadataRequestTopic,
    metadata_response::{MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic},
};
use protocol::{ErrorCode, Uuid};
use rustc_hash::FxHashSet;
use std::sync::Arc;

pub struct MetadataAnswer {
    pub response: MetadataResponse,
    /// Topics of legal names that do not exist and may be created: once they are, ask again. The
    /// response says UNKNOWN_TOPIC_OR_PARTITION of them, which makes a client ask again too.
    pub to_create: Vec<String>,
}

/// `auto_create`: whether this broker creates topics that clients ask for
/// (`auto.create.topics.enable`). Err: the request asks what its version cannot.
pub fn metadata(
    image: &MetadataImage,
    listener: &str,
    request: &MetadataRequest,
    version: i16,
    auto_create: bool,
) -> Result<MetadataAnswer, ApiError> {
    check_version(request, version)?;
    let answerer = Answerer { brokers: Brokers { image, listener }, version };
    let mut to_create = Vec::new();
    let mut topics = match request.topics.as_deref() {
        None => answerer.existing(image.topics.iter()),
        Some([]) if version == 0 => answerer.existing(image.topics.iter()),
        Some(asked) if asked.iter().any(|topic| !topic.topic_id.is_zero()) => {
            answerer.by_id(asked.iter().map(|topic| topic.topic_id))
        }
        Some(asked) => {
            let names = asked.iter().filter_map(|topic| topic.name.as_deref());
            let (topics, missing) = answerer.by_name(names);
            if auto_create && request.allow_auto_topic_creation {
                to_create = missing;
            }
            topics
        }
    };
    if request.include_topic_authorized_operations && version >= 8 {
        for topic in
            topics.iter_mut().filter(|topic| topic.error_code != ErrorCode::UnknownTopicId.code())
        {
            topic.topic_authorized_operations = TOPIC_OPERATIONS;
        }
    }
    let asks_for_cluster =
        request.include_cluster_authorized_operations && (8..=10).contains(&version);
    let response = MetadataResponse {
        throttle_time_ms: 0,
        brokers: answerer.alive_brokers(),
        cluster_id: Some(image.cluster_id.to_string()),
        controller_id: answerer.brokers.any_alive(),
        topics,
        cluster_authorized_operations: if asks_for_cluster {
            CLUSTER_OPERATIONS
        } else {
            OPERATIONS_NOT_ASKED
        },
        error_code: ErrorCode::None.code(),
    };
    Ok(MetadataAnswer { response, to_create })
}

/// The request that creates what [`metadata`] found missing, with the broker's defaults.
pub fn auto_create_request(names: Vec<String>) -> CreateTopicsRequest {
    let topic = |name| CreatableTopic {
        name,
        num_partitions: -1,
        replication_factor: -1,
        ..Default::default()
    };
    CreateTopicsRequest { topics: names.into_iter().map(topic).collect(), ..Default::default() }
}

/// The answer to a request that [`metadata`] refuses: versions below 13 have an error for each
/// topic alone.
pub fn refuse_metadata(request: &MetadataRequest, error: &ApiError) -> MetadataResponse {
    let refused = |topic: &MetadataRequestTopic| {
        // These versions have no null for a name.
        let name = topic.name.as_deref().unwrap_or_default();
        MetadataResponseTopic {
            is_internal: false,
            ..missing(error.code, Some(name), topic.topic_id)
        }
    };
    let topics = request.topics.iter().flatten().map(refused).collect();
    MetadataResponse { topics, ..Default::default() }
}

fn check_version(request: &MetadataRequest, version: i16) -> Result<(), ApiError> {
    for topic in request.topics.iter().flatten().filter(|_| version < 12) {
        if topic.name.is_none() {
            return Err(ApiError::invalid_request(format!(
                "Topic name can not be null for version {version}"
            )));
        }
        if !topic.topic_id.is_zero() {
            let message = format!("Topic IDs are not supported in requests for version {version}");
            return Err(ApiError::invalid_request(message));
        }
    }
    Ok(())
}

struct Answerer<'a> {
    brokers: Brokers<'a>,
    version: i16,
}

impl Answerer<'_> {
    fn existing<'t>(
        &self,
        topics: impl Iterator<Item = &'t Arc<Topic>>,
    ) -> Vec<MetadataResponseTopic> {
        topics.map(|topic| self.topic(topic)).collect()
    }

    fn by_id(&self, ids: impl Iterator<Item = Uuid>) -> Vec<MetadataResponseTopic> {
        let mut seen = FxHashSet::default();
        let ids = ids.filter(|id| !id.is_zero() && seen.insert(*id));
        let unknown = |id| missing(ErrorCode::UnknownTopicId, None, id);
        ids.map(|id| {
            self.brokers
                .image
                .topics
                .by_id(id)
                .map_or_else(|| unknown(id), |topic| self.topic(topic))
        })
        .collect()
    }

    /// The topics, and the legal names without one.
    fn by_name<'n>(
        &self,
        names: impl Iterator<Item = &'n str>,
    ) -> (Vec<MetadataResponseTopic>, Vec<String>) {
        let mut seen = FxHashSet::default();
        let (mut topics, mut legal) = (Vec::new(), Vec::new());
        for name in names.filter(|name| seen.insert(*name)) {
            topics.push(if let Some(topic) = self.brokers.image.topics.by_name(name) {
                self.topic(topic)
            } else if topic_name::validate(name).is_err() {
                missing(ErrorCode::InvalidTopicException, Some(name), Uuid::ZERO)
            } else {
                legal.push(name.to_owned());
                missing(ErrorCode::UnknownTopicOrPartition, Some(name), Uuid::ZERO)
            });
        }
        (topics, legal)
    }

    fn topic(&self, topic: &Topic) -> MetadataResponseTopic {
        MetadataResponseTopic {
            error_code: ErrorCode::None.code(),
            name: Some(topic.name.to_string()),
            topic_id: topic.id,
            is_internal: topic_name::is_internal(&topic.name),
            partitions: topic
                .partitions
                .iter()
                .map(|(&index, partition)| self.partition(index, partition))
                .collect(),
            topic_authorized_operations: OPERATIONS_NOT_ASKED,
        }
    }

    fn partition(
        &self,
        index: i32,
        partition: &PartitionRegistration,
    ) -> MetadataResponsePartition {
        // Version 0 leaves out replicas that are not alive, and says so by an error.
        let shown = |replicas: &[i32]| -> Vec<i32> {
            let is_shown = |&replica: &i32| self.version > 0 || self.brokers.is_alive(replica);
            replicas.iter().copied().filter(is_shown).collect()
        };
        let (replica_nodes, isr_nodes) = (shown(&partition.replicas), shown(&partition.isr));
        let all_shown = replica_nodes.len() == partition.replicas.len()
            && isr_nodes.len() == partition.isr.len();
        let leader_is_known = self.brokers.image.broker(partition.leader).is_some();
        let (error, leader_id) = match self.brokers.has_endpoint(partition.leader) {
            true if all_shown => (ErrorCode::None, partition.leader),
            true => (ErrorCode::ReplicaNotAvailable, partition.leader),
            // The leader lacks this listener, which early clients have no word for.
            false if leader_is_known && self.version >= 6 => {
                (ErrorCode::ListenerNotFound, NO_LEADER)
            }
            false => (ErrorCode::LeaderNotAvailable, NO_LEADER),
        };
        MetadataResponsePartition {
            error_code: error.code(),
            partition_index: index,
            leader_id,
            leader_epoch: partition.leader_epoch,
            replica_nodes,
            isr_nodes,
            offline_replicas: self.brokers.offline_replicas(partition),
        }
    }

    fn alive_brokers(&self) -> Vec<MetadataResponseBroker> {
        let alive = self.brokers.reachable().filter(|(broker, ..)| !broker.0.fenced);
        let shown = alive.map(|(broker, host, port)| MetadataResponseBroker {
            node_id: broker.0.broker_id,
            host: host.to_owned(),
            port,
            rack: broker.0.rack.clone(),
        });
        shown.collect()
    }
}

fn missing(error: ErrorCode, name: Option<&str>, topic_id: Uuid) -> MetadataResponseTopic {
    MetadataResponseTopic {
        error_code: error.code(),
        name: name.map(str::to_owned),
        topic_id,
        is_internal: name.is_some_and(topic_name::is_internal),
        partitions: Vec::new(),
        topic_authorized_operations: OPERATIONS_NOT_ASKED,
    }
}
