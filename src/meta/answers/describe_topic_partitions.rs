//! DescribeTopicPartitions (key 75): partitions with their eligible leader replicas, a page at a
//! time (KIP-966).

use super::{Brokers, TOPIC_OPERATIONS};
use crate::meta::{
    ApiError,
    image::MetadataImage,
    topic::{NO_LEADER, Topic},
    topic_name,
};
use protocol::messages::{
    DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
    describe_topic_partitions_request::Cursor as RequestCursor,
    describe_topic_partitions_response::{
        Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
    },
};
use protocol::{ErrorCode, Uuid};
use std::collections::BTreeSet;

/// Topics come in the order of their names, from the cursor on, until `limit` partitions (no more
/// than `max.request.partition.size.limit`) are told; then the response has the cursor to go on
/// from. Err: an impossible cursor.
pub fn describe_topic_partitions(
    image: &MetadataImage,
    listener: &str,
    request: &DescribeTopicPartitionsRequest,
    limit: i32,
) -> Result<DescribeTopicPartitionsResponse, ApiError> {
    let brokers = Brokers { image, listener };
    let (first_topic, first_partition) = check_cursor(request)?;
    let mut left = limit.min(request.response_partition_limit).max(1) as usize;
    let mut response = DescribeTopicPartitionsResponse::default();
    let mut visit = |name: &str, topic: Option<&Topic>| {
        if left == 0 {
            response.next_cursor = Some(Cursor { topic_name: name.to_owned(), partition_index: 0 });
            return false;
        }
        let Some(topic) = topic else {
            response.topics.push(unknown(name));
            return true;
        };
        let start = if name == first_topic { first_partition } else { 0 };
        let partitions = topic.partitions.range(start..);
        let page: Vec<_> =
            partitions.take(left).map(|(&index, _)| describe(brokers, topic, index)).collect();
        left -= page.len();
        let next = start as usize + page.len();
        if left == 0 && next < topic.partitions.len() {
            response.next_cursor =
                Some(Cursor { topic_name: name.to_owned(), partition_index: next as i32 });
        }
        response.topics.push(DescribeTopicPartitionsResponseTopic {
            error_code: ErrorCode::None.code(),
            name: Some(name.to_owned()),
            topic_id: topic.id,
            is_internal: topic_name::is_internal(name),
            partitions: page,
            topic_authorized_operations: TOPIC_OPERATIONS,
        });
        response.next_cursor.is_none()
    };
    if request.topics.is_empty() {
        image.topics.from_name(first_topic).all(|topic| visit(&topic.name, Some(topic)));
    } else {
        let names: BTreeSet<&str> = request.topics.iter().map(|topic| &*topic.name).collect();
        names
            .range(first_topic..)
            .all(|name| visit(name, image.topics.by_name(name).map(|topic| &**topic)));
    }
    Ok(response)
}

/// The answer to a request that is refused as a whole.
pub fn refuse_describe_topic_partitions(
    request: &DescribeTopicPartitionsRequest,
    error: &ApiError,
) -> DescribeTopicPartitionsResponse {
    let topics = request.topics.iter().map(|topic| DescribeTopicPartitionsResponseTopic {
        error_code: error.code.code(),
        name: Some(topic.name.clone()),
        ..Default::default()
    });
    DescribeTopicPartitionsResponse { topics: topics.collect(), ..Default::default() }
}

fn check_cursor(request: &DescribeTopicPartitionsRequest) -> Result<(&str, i32), ApiError> {
    let Some(RequestCursor { topic_name, partition_index }) = &request.cursor else {
        return Ok(("", 0));
    };
    if !request.topics.is_empty() && !request.topics.iter().any(|topic| topic.name == *topic_name) {
        return Err(ApiError::invalid_request(format!(
            "DescribeTopicPartitionsRequest topic list should contain the cursor topic: \
             {topic_name}"
        )));
    }
    if *partition_index < 0 {
        return Err(ApiError::invalid_request(format!(
            "DescribeTopicPartitionsRequest cursor partition must be valid: {partition_index}"
        )));
    }
    Ok((topic_name, *partition_index))
}

fn describe(
    brokers: Brokers<'_>,
    topic: &Topic,
    index: i32,
) -> DescribeTopicPartitionsResponsePartition {
    let partition = &topic.partitions[&index];
    let leader_id =
        if brokers.has_endpoint(partition.leader) { partition.leader } else { NO_LEADER };
    DescribeTopicPartitionsResponsePartition {
        error_code: ErrorCode::None.code(),
        partition_index: index,
        leader_id,
        leader_epoch: partition.leader_epoch,
        replica_nodes: partition.replicas.clone(),
        isr_nodes: partition.isr.clone(),
        eligible_leader_replicas: Some(partition.elr.clone()),
        last_known_elr: Some(partition.last_known_elr.clone()),
        offline_replicas: brokers.offline_replicas(partition),
    }
}

fn unknown(name: &str) -> DescribeTopicPartitionsResponseTopic {
    let error = topic_name::validate(name)
        .map_or(ErrorCode::InvalidTopicException, |()| ErrorCode::UnknownTopicOrPartition);
    DescribeTopicPartitionsResponseTopic {
        error_code: error.code(),
        name: Some(name.to_owned()),
        topic_id: Uuid::ZERO,
        is_internal: topic_name::is_internal(name),
        partitions: Vec::new(),
        topic_authorized_operations: TOPIC_OPERATIONS,
    }
}
