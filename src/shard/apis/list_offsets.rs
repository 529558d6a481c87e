//! ListOffsets v1-11: the offset of a time, or of one of the marks below.
//!
//! v4 adds leader epochs; v7 the maximum timestamp (-3); v8 the earliest local offset (-4), which here is the earliest;
//! v9 and v11 the latest tiered (-5) and the earliest pending upload (-6), of which there are none: offset -1.

use super::{locate, spread};
use crate::{
    log::TimestampOffsetEpoch,
    net::dispatch::Context,
    shard::{Answer, Call, Shard, partition::PartitionId},
};
use protocol::{
    error::ErrorCode,
    generated::rpc::list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse},
    messages::{ListOffsetsRequest, ListOffsetsResponse},
};

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

pub async fn handle(context: &Context<'_>, request: ListOffsetsRequest) -> ListOffsetsResponse {
    let shard = &context.connection.shard;
    let says_epochs = context.api_version >= LEADER_EPOCHS_FROM;
    let read_committed = request.isolation_level == 1;
    let mut planned = Vec::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            let located = locate(shard, &topic.name, partition.partition_index);
            planned.push(located.map_err(OffsetResult::none).map(|(owner, id)| {
                let (timestamp, current_leader_epoch) = (partition.timestamp, partition.current_leader_epoch);
                (owner, OffsetQuery { id, timestamp, current_leader_epoch, read_committed })
            }));
        }
    }
    let take = |answer| if let Answer::ListOffsets(results) = answer { results } else { vec![] };
    let lost = || OffsetResult::none(ErrorCode::NotLeaderOrFollower);
    let mut results = spread(shard, planned, Call::ListOffsets, take, lost).await.into_iter();
    let topic = |topic: protocol::generated::rpc::list_offsets_request::ListOffsetsTopic| {
        let partition = |(asked, result): (&_, OffsetResult)| {
            let asked: &protocol::generated::rpc::list_offsets_request::ListOffsetsPartition = asked;
            ListOffsetsPartitionResponse {
                partition_index: asked.partition_index,
                error_code: result.error.code(),
                timestamp: result.timestamp,
                offset: result.offset,
                leader_epoch: if says_epochs { result.leader_epoch } else { -1 },
                ..Default::default()
            }
        };
        let partitions = topic.partitions.iter().zip(results.by_ref()).map(partition).collect();
        ListOffsetsTopicResponse { name: topic.name, partitions }
    };
    ListOffsetsResponse { throttle_time_ms: 0, topics: request.topics.into_iter().map(topic).collect() }
}

/// Answers for the partitions of this core.
pub async fn answer(shard: &Shard, queries: Vec<OffsetQuery>) -> Vec<OffsetResult> {
    let mut results = Vec::with_capacity(queries.len());
    for query in queries {
        results.push(find(shard, query).await.unwrap_or_else(OffsetResult::none));
    }
    results
}

async fn find(shard: &Shard, query: OffsetQuery) -> Result<OffsetResult, ErrorCode> {
    let partition = shard.partition(query.id).ok_or_else(|| shard.absence())?;
    partition.check_leader_epoch(query.current_leader_epoch)?;
    let log = &partition.log;
    let up_to = if query.read_committed { log.last_stable_offset() } else { log.high_watermark() };
    let storage_error = |error| {
        tracing::error!(topic = %partition.topic, partition = partition.id.index, %error, "cannot look up a timestamp");
        ErrorCode::KafkaStorageError
    };
    let stamped = |found: TimestampOffsetEpoch| (found.timestamp, found.offset);
    let found = match query.timestamp {
        LATEST => Some((-1, up_to)),
        EARLIEST | EARLIEST_LOCAL => Some((-1, log.log_start_offset())),
        LATEST_TIERED | EARLIEST_PENDING_UPLOAD => None,
        MAX_TIMESTAMP => log.max_timestamp().await.map_err(storage_error)?.map(stamped),
        timestamp if timestamp < 0 => return Err(ErrorCode::UnsupportedVersion),
        timestamp => log.offset_for_timestamp(timestamp).await.map_err(storage_error)?.map(stamped),
    };
    // What lies above the high watermark, or the last stable offset, is not there yet for a consumer.
    let found = found.filter(|(_, offset)| *offset <= up_to && (query.timestamp < 0 || *offset < up_to));
    let epoch = |offset| match query.timestamp {
        LATEST => partition.leader_epoch.get(),
        _ => log.epochs().epoch_for_offset(offset).unwrap_or(-1),
    };
    Ok(found.map_or(OffsetResult::none(ErrorCode::None), |(timestamp, offset)| OffsetResult {
        error: ErrorCode::None,
        timestamp,
        offset,
        leader_epoch: epoch(offset),
    }))
}
