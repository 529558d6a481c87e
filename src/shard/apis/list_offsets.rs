//! ListOffsets v1-11: the offset of a time, or of one of the marks below.
//!
//! v4 adds leader epochs; v7 the maximum timestamp (-3); v8 the earliest local offset (-4), which
//! here is the earliest; v9 and v11 the latest tiered (-5) and the earliest pending upload (-6), of
//! which there are none: offset -1. A mark that the version lacks is UNSUPPORTED_VERSION. A
//! partition that is named twice is answered once, with INVALID_REQUEST.

use super::{locate, route_of, spread};
use crate::{
    log::TimestampOffsetEpoch,
    pace::TurnBudget,
    request::RequestContext,
    shard::{Ask, Shard, partition::PartitionId},
};
use protocol::{
    error::ErrorCode,
    generated::rpc::{
        list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
        list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse},
    },
    messages::{ListOffsetsRequest, ListOffsetsResponse},
};
use rustc_hash::{FxHashMap, FxHashSet};

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;
const EARLIEST_PENDING_UPLOAD: i64 = -6;

#[derive(Clone, Debug)]
pub struct OffsetQuery {
    id: PartitionId,
    timestamp: i64,
    current_leader_epoch: i32,
    read_committed: bool,
}

/// Offset and timestamp are -1 where there is none.
#[derive(Clone, Copy, Debug)]
pub struct OffsetResult {
    pub error: ErrorCode,
    pub timestamp: i64,
    pub offset: i64,
    pub leader_epoch: i32,
}

impl OffsetResult {
    fn none(error: ErrorCode) -> OffsetResult {
        OffsetResult { error, timestamp: -1, offset: -1, leader_epoch: -1 }
    }
}

/// The first version whose response has a place for leader epochs.
const LEADER_EPOCHS_FROM: i16 = 4;

/// Whether the version knows what the timestamp asks for.
fn is_in_version(timestamp: i64, version: i16) -> bool {
    match timestamp {
        MAX_TIMESTAMP => version >= 7,
        EARLIEST_LOCAL => version >= 8,
        LATEST_TIERED => version >= 9,
        EARLIEST_PENDING_UPLOAD => version >= 11,
        timestamp => timestamp >= EARLIEST,
    }
}

/// Leaves each partition once. Returns for each topic that is left the number of its name, the same
/// wherever that is named, and by these numbers the partitions that were named more than once.
fn take_repeated(topics: &mut Vec<ListOffsetsTopic>) -> (Vec<usize>, FxHashSet<(usize, i32)>) {
    let mut by_name = FxHashMap::<&str, usize>::default();
    let mut numbers = Vec::with_capacity(topics.len());
    for topic in topics.iter() {
        let next = by_name.len();
        numbers.push(*by_name.entry(&topic.name).or_insert(next));
    }
    let (mut seen, mut repeated) = (FxHashSet::default(), FxHashSet::default());
    for (topic, number) in topics.iter_mut().zip(&numbers) {
        topic.partitions.retain(|partition| {
            let named = (*number, partition.partition_index);
            let is_first = seen.insert(named);
            if !is_first {
                repeated.insert(named);
            }
            is_first
        });
    }
    let mut is_left = topics.iter().map(|topic| !topic.partitions.is_empty());
    numbers.retain(|_| is_left.next() == Some(true));
    topics.retain(|topic| !topic.partitions.is_empty());
    (numbers, repeated)
}

pub async fn handle(
    shard: &Shard,
    context: &RequestContext<'_>,
    mut request: ListOffsetsRequest,
) -> ListOffsetsResponse {
    let version = context.ids.api_version;
    let says_epochs = version >= LEADER_EPOCHS_FROM;
    let read_committed = request.isolation_level == 1;
    let (numbers, repeated) = take_repeated(&mut request.topics);
    let mut planned = Vec::new();
    let mut budget = TurnBudget::of_items(&shard.ring);
    for (topic, number) in request.topics.iter().zip(numbers) {
        let route = route_of(shard, &topic.name);
        budget.item_done().await;
        let plan = |partition: &ListOffsetsPartition| {
            let (index, timestamp) = (partition.partition_index, partition.timestamp);
            if repeated.contains(&(number, index)) {
                return Err(ErrorCode::InvalidRequest);
            }
            if !is_in_version(timestamp, version) {
                return Err(ErrorCode::UnsupportedVersion);
            }
            let (owner, id) = locate(route.as_deref(), index)?;
            let current_leader_epoch = partition.current_leader_epoch;
            Ok((owner, OffsetQuery { id, timestamp, current_leader_epoch, read_committed }))
        };
        for partition in &topic.partitions {
            planned.push(plan(partition).map_err(OffsetResult::none));
            budget.item_done().await;
        }
    }
    let lost = || OffsetResult::none(ErrorCode::NotLeaderOrFollower);
    let mut results = spread(shard, planned, ListOffsets, lost).await.into_iter();
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for (asked, result) in topic.partitions.iter().zip(results.by_ref()) {
            partitions.push(ListOffsetsPartitionResponse {
                partition_index: asked.partition_index,
                error_code: result.error.code(),
                timestamp: result.timestamp,
                offset: result.offset,
                leader_epoch: if says_epochs { result.leader_epoch } else { -1 },
                ..Default::default()
            });
            budget.item_done().await;
        }
        topics.push(ListOffsetsTopicResponse { name: topic.name, partitions });
    }
    assert!(results.next().is_none(), "each result is of a partition that the request names");
    ListOffsetsResponse { throttle_time_ms: 0, topics }
}

/// The queries about the partitions of one core.
pub struct ListOffsets(Vec<OffsetQuery>);

impl Ask for ListOffsets {
    type Answer = Vec<OffsetResult>;

    async fn execute(self, shard: &Shard, _from: usize) -> Vec<OffsetResult> {
        answer(shard, self.0).await
    }
}

async fn answer(shard: &Shard, queries: Vec<OffsetQuery>) -> Vec<OffsetResult> {
    let mut results = Vec::with_capacity(queries.len());
    let mut budget = TurnBudget::of_items(&shard.ring);
    for query in queries {
        budget.item_done().await;
        results.push(find(shard, query).await.unwrap_or_else(OffsetResult::none));
    }
    results
}

async fn find(shard: &Shard, query: OffsetQuery) -> Result<OffsetResult, ErrorCode> {
    let partition = shard.leader_of(query.id, query.current_leader_epoch)?;
    let log = &partition.log;
    let up_to = if query.read_committed { log.last_stable_offset() } else { log.high_watermark() };
    let storage_error = |error| {
        if partition.is_gone() {
            return shard.absence(query.id, false);
        }
        tracing::error!(topic = %partition.topic, partition = partition.id.index, %error, "cannot \
            look up a timestamp");
        ErrorCode::KafkaStorageError
    };
    let mark =
        |offset, leader_epoch| Some(TimestampOffsetEpoch { timestamp: -1, offset, leader_epoch });
    let found = match query.timestamp {
        LATEST => mark(up_to, partition.role().leader_epoch().unwrap_or(-1)),
        EARLIEST | EARLIEST_LOCAL => {
            let start = log.log_start_offset();
            mark(start, log.epochs().epoch_for_offset(start).unwrap_or(-1))
        }
        LATEST_TIERED | EARLIEST_PENDING_UPLOAD => None,
        // The record may lie below the log start, in a segment that is still here: the epoch is its
        // batch's. What lies above the high watermark, or the last stable offset, is not there yet
        // for a consumer.
        // Both look-ups in a box: what they need on their way would make each connection larger.
        MAX_TIMESTAMP => Box::pin(log.max_timestamp())
            .await
            .map_err(storage_error)?
            .filter(|found| found.offset < up_to),
        timestamp if timestamp < 0 => return Err(ErrorCode::UnsupportedVersion),
        timestamp => {
            let found =
                Box::pin(log.offset_for_timestamp(timestamp)).await.map_err(storage_error)?;
            found.filter(|found| found.offset < up_to)
        }
    };
    Ok(found.map_or(OffsetResult::none(ErrorCode::None), |found| OffsetResult {
        error: ErrorCode::None,
        timestamp: found.timestamp,
        offset: found.offset,
        leader_epoch: found.leader_epoch,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_have_the_versions_that_brought_them() {
        for (mark, from) in
            [(-1, 1), (-2, 1), (0, 1), (i64::MAX, 1), (-3, 7), (-4, 8), (-5, 9), (-6, 11), (-7, 12)]
        {
            for version in 1..=11 {
                assert_eq!(
                    is_in_version(mark, version),
                    version >= from,
                    "mark {mark} in version {version}"
                );
            }
        }
    }

    #[test]
    fn a_partition_named_twice_is_left_once() {
        let topic = |name: &str, partitions: &[i32]| ListOffsetsTopic {
            name: name.to_owned(),
            partitions: partitions
                .iter()
                .map(|index| ListOffsetsPartition { partition_index: *index, ..Default::default() })
                .collect(),
        };
        let mut topics =
            vec![topic("a", &[0, 1, 0]), topic("c", &[]), topic("b", &[0]), topic("a", &[1, 2])];
        let (numbers, repeated) = take_repeated(&mut topics);
        assert_eq!(topics, [topic("a", &[0, 1]), topic("b", &[0]), topic("a", &[2])]);
        assert_eq!(numbers, [0, 2, 0], "a name has one number");
        assert_eq!(repeated, FxHashSet::from_iter([(0, 0), (0, 1)]));
    }
}
