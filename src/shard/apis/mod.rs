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
pub mod loggers;
pub mod metadata;
pub mod offset_for_leader_epoch;
pub mod offsets;
pub mod scram;
pub mod table;
pub mod telemetry;
pub mod transactions;

pub use table::serve;

use super::{
    Shard,
    ask::Ask,
    partition::PartitionId,
    view::{PartitionRoute, TopicRoute},
};
use crate::pace::TurnBudget;
use protocol::ErrorCode;
use std::rc::Rc;

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
    let mut budget = TurnBudget::of_items(&shard.ring);
    for (position, planned) in planned.into_iter().enumerate() {
        budget.item_done().await;
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
    for (position, result) in positions.into_iter().zip(answered) {
        let before = results[position].replace(result);
        assert!(before.is_none(), "query {position} is answered once");
    }
}

/// The route of a topic that a request names: looked up once, however many of its partitions are
/// named with it.
pub fn route_of(shard: &Shard, topic: &str) -> Option<Rc<TopicRoute>> {
    shard.data.routes.borrow().by_name(topic).cloned()
}

/// The core that leads a partition of this topic.
pub fn locate(topic: Option<&TopicRoute>, index: i32) -> Result<(usize, PartitionId), ErrorCode> {
    let (topic, route) = partition_of(topic, index)?;
    Ok((route.leading_core()?, PartitionId { topic_id: topic.id, index }))
}

pub fn partition_of(
    topic: Option<&TopicRoute>,
    index: i32,
) -> Result<(&TopicRoute, &PartitionRoute), ErrorCode> {
    let topic = topic.ok_or(ErrorCode::UnknownTopicOrPartition)?;
    let partition = usize::try_from(index).ok().and_then(|index| topic.partitions.get(index));
    Ok((topic, partition.ok_or(ErrorCode::UnknownTopicOrPartition)?))
}
