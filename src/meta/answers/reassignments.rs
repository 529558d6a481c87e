//! ListPartitionReassignments (key 46): the partitions whose replicas are being moved.

use crate::meta::{image::MetadataImage, topic::Topic};
use protocol::messages::{
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
    list_partition_reassignments_response::{
        OngoingPartitionReassignment, OngoingTopicReassignment,
    },
};

pub fn list_partition_reassignments(
    image: &MetadataImage,
    request: &ListPartitionReassignmentsRequest,
) -> ListPartitionReassignmentsResponse {
    let topics: Vec<OngoingTopicReassignment> = match &request.topics {
        None => image
            .topics
            .iter()
            .map(|topic| ongoing(topic, topic.partitions.keys().copied()))
            .collect(),
        Some(asked) => {
            let known =
                asked.iter().filter_map(|asked| Some((image.topics.by_name(&asked.name)?, asked)));
            known
                .map(|(topic, asked)| ongoing(topic, asked.partition_indexes.iter().copied()))
                .collect()
        }
    };
    ListPartitionReassignmentsResponse {
        error_message: None,
        topics: topics.into_iter().filter(|topic| !topic.partitions.is_empty()).collect(),
        ..Default::default()
    }
}

fn ongoing(topic: &Topic, indexes: impl Iterator<Item = i32>) -> OngoingTopicReassignment {
    let found = indexes.filter_map(|index| Some((index, topic.partition(index)?)));
    let moving = found.filter(|(_, partition)| partition.is_reassigning());
    let partitions = moving.map(|(partition_index, partition)| OngoingPartitionReassignment {
        partition_index,
        replicas: partition.replicas.clone(),
        adding_replicas: partition.adding_replicas.clone(),
        removing_replicas: partition.removing_replicas.clone(),
    });
    OngoingTopicReassignment { name: topic.name.to_string(), partitions: partitions.collect() }
}
