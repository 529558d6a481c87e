//! DeleteRecords v0-2: moves the start of a log; the records before it are gone for every reader at
//! once. Internal topics keep theirs.

use super::{partition_of, route_of, spread};
use crate::{
    pace::TurnBudget,
    shard::{Ask, Shard, commit, partition::PartitionId},
};
use protocol::{
    error::ErrorCode,
    generated::rpc::delete_records_response::{
        DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
    },
    messages::{DeleteRecordsRequest, DeleteRecordsResponse},
};

/// Stands for the high watermark in a request.
const UP_TO_HIGH_WATERMARK: i64 = -1;

#[derive(Clone, Debug)]
pub struct DeleteRecordsQuery {
    id: PartitionId,
    offset: i64,
}

/// The new start of the log, or -1 with an error.
#[derive(Clone, Copy, Debug)]
pub struct DeleteRecordsResult {
    pub error: ErrorCode,
    pub low_watermark: i64,
}

impl DeleteRecordsResult {
    fn none(error: ErrorCode) -> DeleteRecordsResult {
        DeleteRecordsResult { error, low_watermark: -1 }
    }
}

pub async fn handle(shard: &Shard, request: DeleteRecordsRequest) -> DeleteRecordsResponse {
    let mut planned = Vec::new();
    let mut budget = TurnBudget::of_items(&shard.ring);
    for topic in &request.topics {
        let route = route_of(shard, &topic.name);
        budget.item_done().await;
        for partition in &topic.partitions {
            let found = partition_of(route.as_deref(), partition.partition_index);
            let planned_one = found.and_then(|(topic, route)| {
                if topic.is_internal {
                    return Err(ErrorCode::InvalidTopicException);
                }
                // A compacted topic without the policy `delete` keeps its records (Kafka:
                // POLICY_VIOLATION).
                let deletable = topic
                    .config
                    .cleanup_policy
                    .delete
                    .then_some(())
                    .ok_or(ErrorCode::PolicyViolation);
                deletable?;
                let id = PartitionId { topic_id: topic.id, index: partition.partition_index };
                Ok((route.leading_core()?, DeleteRecordsQuery { id, offset: partition.offset }))
            });
            planned.push(planned_one.map_err(DeleteRecordsResult::none));
            budget.item_done().await;
        }
    }
    let lost = || DeleteRecordsResult::none(ErrorCode::NotLeaderOrFollower);
    let mut results = spread(shard, planned, DeleteRecords, lost).await.into_iter();
    let mut response = DeleteRecordsResponse::default();
    for topic in request.topics {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for (asked, result) in topic.partitions.iter().zip(results.by_ref()) {
            partitions.push(DeleteRecordsPartitionResult {
                partition_index: asked.partition_index,
                low_watermark: result.low_watermark,
                error_code: result.error.code(),
                ..Default::default()
            });
            budget.item_done().await;
        }
        response.topics.push(DeleteRecordsTopicResult {
            name: topic.name,
            partitions,
            ..Default::default()
        });
    }
    assert!(results.next().is_none(), "each result is of a partition that the request names");
    response
}

/// What to delete in the partitions of one core.
pub struct DeleteRecords(Vec<DeleteRecordsQuery>);

impl Ask for DeleteRecords {
    type Answer = Vec<DeleteRecordsResult>;

    async fn execute(self, shard: &Shard, _from: usize) -> Vec<DeleteRecordsResult> {
        answer(shard, self.0).await
    }
}

async fn answer(shard: &Shard, queries: Vec<DeleteRecordsQuery>) -> Vec<DeleteRecordsResult> {
    let mut results = Vec::with_capacity(queries.len());
    let mut budget = TurnBudget::of_items(&shard.ring);
    for query in queries {
        budget.item_done().await;
        results.push(delete(shard, &query).await.unwrap_or_else(DeleteRecordsResult::none));
    }
    results
}

async fn delete(
    shard: &Shard,
    query: &DeleteRecordsQuery,
) -> Result<DeleteRecordsResult, ErrorCode> {
    let partition = shard.leader_of(query.id, -1)?;
    let log = &partition.log;
    let offset =
        if query.offset == UP_TO_HIGH_WATERMARK { log.high_watermark() } else { query.offset };
    if offset < log.log_start_offset() && query.offset != UP_TO_HIGH_WATERMARK && offset < 0
        || offset > log.high_watermark()
    {
        return Err(ErrorCode::OffsetOutOfRange);
    }
    let low_watermark = log.delete_records_before(offset).await.map_err(|error| {
        if partition.is_gone() {
            return shard.absence(query.id, false);
        }
        tracing::error!(topic = %partition.topic, partition = partition.id.index, %error, "cannot \
            delete records");
        ErrorCode::KafkaStorageError
    })?;
    let committed = log.high_watermark();
    assert!(offset <= low_watermark, "up to {offset} goes, and {low_watermark} is the start");
    assert!(low_watermark <= committed, "{low_watermark} is the start, and {committed} committed");
    commit::notify_fetch_waiters(shard, &partition);
    Ok(DeleteRecordsResult { error: ErrorCode::None, low_watermark })
}
