//! OffsetForLeaderEpoch v2-4: where a leader epoch ended (KIP-101, KIP-320).

use super::{locate, route_of, spread};
use crate::{
    pace::TurnBudget,
    shard::{Ask, Shard, partition::PartitionId},
};
use protocol::{
    error::ErrorCode,
    generated::rpc::offset_for_leader_epoch_response::{
        EpochEndOffset, OffsetForLeaderTopicResult,
    },
    messages::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse},
};

#[derive(Clone, Debug)]
pub struct EpochQuery {
    id: PartitionId,
    current_leader_epoch: i32,
    leader_epoch: i32,
}

/// The largest epoch up to the one asked for, and the first offset after it; -1 where there is
/// none.
#[derive(Clone, Copy, Debug)]
pub struct EpochResult {
    pub error: ErrorCode,
    pub leader_epoch: i32,
    pub end_offset: i64,
}

impl EpochResult {
    fn none(error: ErrorCode) -> EpochResult {
        EpochResult { error, leader_epoch: -1, end_offset: -1 }
    }
}

pub async fn handle(
    shard: &Shard,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let mut planned = Vec::new();
    let mut budget = TurnBudget::of_items(&shard.ring);
    for topic in &request.topics {
        let route = route_of(shard, &topic.topic);
        budget.item_done().await;
        for partition in &topic.partitions {
            let located = locate(route.as_deref(), partition.partition);
            planned.push(located.map_err(EpochResult::none).map(|(owner, id)| {
                let (current_leader_epoch, leader_epoch) =
                    (partition.current_leader_epoch, partition.leader_epoch);
                (owner, EpochQuery { id, current_leader_epoch, leader_epoch })
            }));
            budget.item_done().await;
        }
    }
    let lost = || EpochResult::none(ErrorCode::NotLeaderOrFollower);
    let mut results = spread(shard, planned, OffsetsForEpochs, lost).await.into_iter();
    let mut response = OffsetForLeaderEpochResponse::default();
    for topic in request.topics {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for (asked, result) in topic.partitions.iter().zip(results.by_ref()) {
            partitions.push(EpochEndOffset {
                error_code: result.error.code(),
                partition: asked.partition,
                leader_epoch: result.leader_epoch,
                end_offset: result.end_offset,
                ..Default::default()
            });
            budget.item_done().await;
        }
        response.topics.push(OffsetForLeaderTopicResult {
            topic: topic.topic,
            partitions,
            ..Default::default()
        });
    }
    assert!(results.next().is_none(), "each result is of a partition that the request names");
    response
}

/// The queries about the partitions of one core.
pub struct OffsetsForEpochs(Vec<EpochQuery>);

impl Ask for OffsetsForEpochs {
    type Answer = Vec<EpochResult>;

    async fn execute(self, shard: &Shard, _from: usize) -> Vec<EpochResult> {
        answer(shard, &self.0).await
    }
}

async fn answer(shard: &Shard, queries: &[EpochQuery]) -> Vec<EpochResult> {
    let find = |query: &EpochQuery| {
        let partition = shard.leader_of(query.id, query.current_leader_epoch)?;
        let (leader_epoch, end_offset) = partition.log.end_of_epoch(query.leader_epoch);
        Ok(EpochResult { error: ErrorCode::None, leader_epoch, end_offset })
    };
    let mut results = Vec::with_capacity(queries.len());
    let mut budget = TurnBudget::of_items(&shard.ring);
    for query in queries {
        results.push(find(query).unwrap_or_else(EpochResult::none));
        budget.item_done().await;
    }
    results
}
