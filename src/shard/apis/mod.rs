//! Every API that is neither Produce nor Fetch: one file each, with its versions and what is not
//! done on top.
//!
//! Owns: nothing. Lives on: the core of the connection; what concerns a partition, a group or the
//! controller is a call to the core that owns it. Never: knows the connection; a handler sees the
//! shard, its request and the request's context.

pub mod api_versions;
pub mod cluster;
pub mod controller;
pub mod delete_records;
pub mod groups;
pub mod init_producer_id;
pub mod list_offsets;
pub mod log_dirs;
pub mod metadata;
pub mod offset_for_leader_epoch;
pub mod offsets;
pub mod table;

use super::{
    Shard,
    ask::Ask,
    partition::PartitionId,
    view::{PartitionRoute, TopicRoute},
};
use crate::request::{CloseReason, RequestContext, RequestIds, reply::Reply, response};
use protocol::{ApiKey, ErrorCode, Message, Reader};
use std::{future::Future, rc::Rc};

/// Bytes behind the end of the request are left unread, as Apache Kafka leaves them: librdkafka
/// sends some.
fn decode<M: Message>(ids: RequestIds, body: &[u8]) -> Result<M, CloseReason> {
    M::decode(&mut Reader::new(body), ids.api_version).map_err(|error| CloseReason::Decode {
        key: ids.api_key,
        version: ids.api_version,
        error,
    })
}

/// Answers one request of any API but Produce and Fetch.
pub async fn serve(
    shard: &Shard,
    key: ApiKey,
    context: &RequestContext<'_>,
    body: &[u8],
) -> Result<Reply, CloseReason> {
    /// Decodes, hands over, encodes.
    async fn with<Request: Message, Response: Message, F: Future<Output = Response>>(
        shard: &Shard,
        ids: RequestIds,
        body: &[u8],
        handler: impl FnOnce(Request) -> F,
    ) -> Result<Reply, CloseReason> {
        let response = handler(decode(ids, body)?).await;
        response::encode(&shard.clients.reply_blocks, ids, &response)
    }
    let ids = context.ids;
    match key {
        ApiKey::ListOffsets => {
            with(shard, ids, body, |r| list_offsets::handle(shard, context, r)).await
        }
        ApiKey::Metadata => with(shard, ids, body, |r| metadata::handle(shard, context, r)).await,
        ApiKey::OffsetCommit => {
            with(shard, ids, body, |r| offsets::commit(shard, context, r)).await
        }
        ApiKey::OffsetFetch => with(shard, ids, body, |r| offsets::fetch(shard, context, r)).await,
        ApiKey::OffsetDelete => with(shard, ids, body, |r| offsets::delete(shard, r)).await,
        ApiKey::FindCoordinator => {
            with(shard, ids, body, |r| groups::find_coordinator(shard, context, r)).await
        }
        ApiKey::JoinGroup => with(shard, ids, body, |r| groups::join(shard, context, r)).await,
        ApiKey::Heartbeat => with(shard, ids, body, |r| groups::heartbeat(shard, r)).await,
        ApiKey::LeaveGroup => with(shard, ids, body, |r| groups::leave(shard, context, r)).await,
        ApiKey::SyncGroup => with(shard, ids, body, |r| groups::sync(shard, context, r)).await,
        ApiKey::DescribeGroups => {
            with(shard, ids, body, |r| groups::describe(shard, context, r)).await
        }
        ApiKey::ListGroups => with(shard, ids, body, |r| groups::list(shard, r)).await,
        ApiKey::DeleteGroups => with(shard, ids, body, |r| groups::delete(shard, r)).await,
        ApiKey::ApiVersions => {
            with(shard, ids, body, |r| api_versions::handle(shard, context, r)).await
        }
        ApiKey::CreateTopics => {
            with(shard, ids, body, |r| controller::create_topics(shard, r)).await
        }
        ApiKey::DeleteTopics => {
            with(shard, ids, body, |r| controller::delete_topics(shard, context, r)).await
        }
        ApiKey::CreatePartitions => {
            with(shard, ids, body, |r| controller::create_partitions(shard, r)).await
        }
        ApiKey::AlterConfigs => {
            with(shard, ids, body, |r| controller::alter_configs(shard, r)).await
        }
        ApiKey::IncrementalAlterConfigs => {
            with(shard, ids, body, |r| controller::incremental_alter_configs(shard, r)).await
        }
        ApiKey::UpdateFeatures => {
            with(shard, ids, body, |r| controller::update_features(shard, context, r)).await
        }
        ApiKey::ListPartitionReassignments => {
            with(shard, ids, body, |r| controller::list_partition_reassignments(shard, r)).await
        }
        ApiKey::DescribeConfigs => {
            with(shard, ids, body, |r| cluster::describe_configs(shard, r)).await
        }
        ApiKey::DeleteRecords => with(shard, ids, body, |r| delete_records::handle(shard, r)).await,
        ApiKey::InitProducerId => {
            with(shard, ids, body, |r| init_producer_id::handle(shard, context, r)).await
        }
        ApiKey::OffsetForLeaderEpoch => {
            with(shard, ids, body, |r| offset_for_leader_epoch::handle(shard, r)).await
        }
        ApiKey::DescribeLogDirs => with(shard, ids, body, |r| log_dirs::handle(shard, r)).await,
        ApiKey::DescribeQuorum => {
            with(shard, ids, body, |r| cluster::describe_quorum(shard, context, r)).await
        }
        ApiKey::ListConfigResources => {
            with(shard, ids, body, |r| cluster::list_config_resources(shard, context, r)).await
        }
        ApiKey::AlterPartitionReassignments => {
            with(shard, ids, body, |r| controller::alter_partition_reassignments(shard, r)).await
        }
        ApiKey::ElectLeaders => {
            with(shard, ids, body, |r| controller::elect_leaders(shard, r)).await
        }
        ApiKey::DescribeCluster => {
            with(shard, ids, body, |r| cluster::describe(shard, context, r)).await
        }
        ApiKey::DescribeTopicPartitions => {
            with(shard, ids, body, |r| metadata::describe_topic_partitions(shard, context, r)).await
        }
        _ => Err(CloseReason::Unserved { key: ids.api_key, version: ids.api_version }),
    }
}

/// Sends each query to the core that owns its partition, all cores at once, and puts the results
/// back in order. A query that has its result already (an error, as a rule) goes nowhere; `lost`
/// stands for the answer of a core that stops.
pub async fn spread<Query, R, A: Ask<Answer = Vec<R>>>(
    shard: &Shard,
    planned: Vec<Result<(usize, Query), R>>,
    ask: impl Fn(Vec<Query>) -> A,
    lost: impl Fn() -> R,
) -> Vec<R> {
    let mut results: Vec<Option<R>> = Vec::with_capacity(planned.len());
    let mut groups: Vec<(usize, Vec<usize>, Vec<Query>)> = Vec::new();
    for (position, planned) in planned.into_iter().enumerate() {
        let (owner, query) = match planned {
            Ok(planned) => planned,
            Err(result) => {
                results.push(Some(result));
                continue;
            }
        };
        results.push(None);
        match groups.iter_mut().find(|(other, ..)| *other == owner) {
            Some((_, positions, queries)) => {
                positions.push(position);
                queries.push(query);
            }
            None => groups.push((owner, vec![position], vec![query])),
        }
    }
    // The questions to other cores are sent before this core does its own share.
    groups.sort_by_key(|(owner, ..)| *owner == shard.index);
    let mut under_way = Vec::with_capacity(groups.len());
    for (owner, positions, queries) in groups {
        let ask = ask(queries);
        if owner == shard.index {
            fill(&mut results, positions, ask.execute(shard, owner).await);
        } else {
            under_way.push((positions, shard.mailbox.ask(owner, ask)));
        }
    }
    for (positions, answer) in under_way {
        if let Some(answer) = answer.await {
            fill(&mut results, positions, answer);
        }
    }
    results.into_iter().map(|result| result.unwrap_or_else(&lost)).collect()
}

fn fill<R>(results: &mut [Option<R>], positions: Vec<usize>, answered: Vec<R>) {
    assert_eq!(positions.len(), answered.len(), "one result for each query");
    positions
        .into_iter()
        .zip(answered)
        .for_each(|(position, result)| results[position] = Some(result));
}

/// The core that leads a partition, by its topic's name.
pub fn locate(shard: &Shard, topic: &str, index: i32) -> Result<(usize, PartitionId), ErrorCode> {
    let (topic, route) = route(shard, topic, index)?;
    Ok((route.leading_core()?, PartitionId { topic_id: topic.id, index }))
}

pub fn route(
    shard: &Shard,
    topic: &str,
    index: i32,
) -> Result<(Rc<TopicRoute>, PartitionRoute), ErrorCode> {
    let routes = shard.data.routes.borrow();
    let topic = routes.by_name(topic).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    let partition = usize::try_from(index).ok().and_then(|index| topic.partitions.get(index));
    Ok((topic.clone(), partition.ok_or(ErrorCode::UnknownTopicOrPartition)?.clone()))
}
