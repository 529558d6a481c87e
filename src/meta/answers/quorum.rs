//! DescribeQuorum (key 55), versions 0 to 2: the metadata log's leader and how far its voters and
//! observers are.

use crate::meta::{image::MetadataImage, topic_name};
use protocol::messages::{
    DescribeQuorumRequest, DescribeQuorumResponse,
    describe_quorum_response::{Listener, Node, PartitionData, ReplicaState, TopicData},
};
use protocol::{ErrorCode, Uuid};

/// How far a replica of the metadata log is, as its leader knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaProgress {
    pub replica_id: i32,
    pub directory_id: Uuid,
    /// -1: unknown.
    pub log_end_offset: i64,
    /// -1: unknown.
    pub last_fetch_timestamp_ms: i64,
    /// -1: unknown.
    pub last_caught_up_timestamp_ms: i64,
}

/// Answered by the leader alone.
pub fn describe_quorum(
    image: &MetadataImage,
    request: &DescribeQuorumRequest,
    version: i16,
    high_watermark: i64,
    voters: &[ReplicaProgress],
    observers: &[ReplicaProgress],
) -> DescribeQuorumResponse {
    let is_the_log = matches!(&request.topics[..], [topic]
        if topic.topic_name == topic_name::CLUSTER_METADATA
            && matches!(topic.partitions[..], [ref only] if only.partition_index == 0));
    if !is_the_log {
        return refuse(request, ErrorCode::UnknownTopicOrPartition);
    }
    let states = |replicas: &[ReplicaProgress]| {
        replicas.iter().map(|replica| state(replica, version)).collect()
    };
    let partition = PartitionData {
        partition_index: 0,
        error_code: ErrorCode::None.code(),
        error_message: None,
        leader_id: image.quorum.leader_id,
        leader_epoch: image.quorum.leader_epoch,
        high_watermark,
        current_voters: states(voters),
        observers: states(observers),
    };
    let topic = TopicData {
        topic_name: topic_name::CLUSTER_METADATA.to_owned(),
        partitions: vec![partition],
    };
    let nodes = image.quorum.voters.iter().filter(|_| version >= 2).map(|voter| Node {
        node_id: voter.id,
        listeners: voter
            .endpoints
            .iter()
            .map(|endpoint| Listener {
                name: endpoint.listener.clone(),
                host: endpoint.host.clone(),
                port: endpoint.port,
            })
            .collect(),
    });
    DescribeQuorumResponse {
        error_code: 0,
        error_message: None,
        topics: vec![topic],
        nodes: nodes.collect(),
    }
}

fn state(replica: &ReplicaProgress, version: i16) -> ReplicaState {
    ReplicaState {
        replica_id: replica.replica_id,
        replica_directory_id: if version >= 2 { replica.directory_id } else { Uuid::ZERO },
        log_end_offset: replica.log_end_offset,
        last_fetch_timestamp: replica.last_fetch_timestamp_ms,
        last_caught_up_timestamp: replica.last_caught_up_timestamp_ms,
    }
}

fn refuse(request: &DescribeQuorumRequest, error: ErrorCode) -> DescribeQuorumResponse {
    let topics = request.topics.iter().map(|topic| TopicData {
        topic_name: topic.topic_name.clone(),
        partitions: topic
            .partitions
            .iter()
            .map(|partition| PartitionData {
                partition_index: partition.partition_index,
                error_code: error.code(),
                error_message: Some(error.message().to_owned()),
                ..PartitionData::default()
            })
            .collect(),
    });
    DescribeQuorumResponse {
        error_code: 0,
        error_message: None,
        topics: topics.collect(),
        nodes: Vec::new(),
    }
}
