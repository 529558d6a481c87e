//! The markers' way: from the coordinator of a transaction to the leaders of its partitions, one
//! question per leader, and back with what became of each.
//!
//! Owns: nothing. Lives on: the coordinator's core, and the cores of the partitions. Never: tries
//! again; the coordinator says when. The leaders are cores of this node; with other nodes their
//! share becomes a WriteTxnMarkers request.

use crate::{
    coord::transactions::TopicPartition,
    log::{AppendContext, Durability},
    pace::TurnBudget,
    shard::{
        Ask, CONTROLLER_CORE, Shard,
        apis::{locate, route_of, spread},
        apply, commit,
        coordinators::{self, groups::OFFSETS_TOPIC, transactions::TRANSACTIONS_TOPIC},
        partition::{Partition, PartitionId},
        produce::{Acks, append_records},
        view::topic_log_config,
    },
};
use bytes::BytesMut;
use protocol::{
    ErrorCode,
    records::{
        BatchBuilder, EndTransactionMarker,
        validate::{self, AppendOrigin},
    },
};
use std::rc::Rc;

/// The end of a producer's transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marker {
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub end: EndTransactionMarker,
    /// The generation of the producer: from 2 on the marker has a newer epoch than its transaction.
    pub transaction_version: i16,
}

/// Has the leaders of `partitions` write the marker. Returns what became of each, in their order:
/// no error once it is committed; UNKNOWN_TOPIC_OR_PARTITION where there is no such partition any
/// more.
pub async fn write(shard: &Shard, marker: Marker, partitions: &[TopicPartition]) -> Vec<ErrorCode> {
    let mut planned = plan(shard, partitions);
    if planned.contains(&Err(ErrorCode::UnknownTopicOrPartition)) {
        // It may be so new that this core has not heard of it.
        match shard.ask(CONTROLLER_CORE, NewestMetadata).await.flatten() {
            Some(newest) => {
                apply::reached(shard, newest).await;
                planned = plan(shard, partitions);
            }
            // The broker stops. What it does not know for certain to be gone is tried again.
            None => {
                planned.iter_mut().for_each(|one| *one = one.or_else(|error| Err(later(error))))
            }
        }
    }
    shard.mailbox.room().await;
    let ask = |ids| WriteMarkers { marker, ids };
    let results = spread(shard, planned, ask, || ErrorCode::NotLeaderOrFollower).await;
    let (told, asked) = (results.len(), partitions.len());
    assert_eq!(told, asked, "{asked} markers were wanted, and {told} are told of");
    results
}

/// The core that leads each of the partitions, which stand topic by topic.
fn plan(
    shard: &Shard,
    partitions: &[TopicPartition],
) -> Vec<Result<(usize, PartitionId), ErrorCode>> {
    let mut planned = Vec::with_capacity(partitions.len());
    for of_topic in partitions.chunk_by(|one, next| one.topic == next.topic) {
        let route = route_of(shard, &of_topic[0].topic);
        planned.extend(of_topic.iter().map(|at| locate(route.as_deref(), at.partition)));
    }
    planned
}

/// How far the metadata go; `None` where the controller has gone.
struct NewestMetadata;

impl Ask for NewestMetadata {
    type Answer = Option<i64>;

    async fn execute(self, shard: &Shard, _from: usize) -> Option<i64> {
        shard.control.feeds().map(|feeds| feeds.newest_offset())
    }
}

/// A topic that is gone for one core may not be gone for another one.
fn later(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::UnknownTopicOrPartition => ErrorCode::NotLeaderOrFollower,
        error => error,
    }
}

/// One core's share.
struct WriteMarkers {
    marker: Marker,
    ids: Vec<PartitionId>,
}

impl Ask for WriteMarkers {
    type Answer = Vec<ErrorCode>;

    /// All are appended before the first is waited for.
    async fn execute(self, shard: &Shard, _from: usize) -> Vec<ErrorCode> {
        let mut budget = TurnBudget::of_items(&shard.ring);
        let mut appended = Vec::with_capacity(self.ids.len());
        for id in self.ids {
            appended.push(append(shard, id, self.marker));
            budget.item_done().await;
        }
        let is_os = |(partition, _): &Appended| partition.log.config().durability == Durability::Os;
        let outlasts = appended.iter().flatten().any(is_os) && decisions_outlast_power_cuts(shard);
        let mut committed = Vec::with_capacity(appended.len());
        for appended in appended {
            committed.push(match appended {
                Ok((partition, end)) => {
                    let reached = shard.wait_for_high_watermark(&partition, end).await;
                    if outlasts && reached.is_ok() {
                        commit::want_flush(shard, &partition, end);
                    }
                    reached.map(|()| (partition, end))
                }
                Err(error) => Err(error),
            });
        }
        let mut results = Vec::with_capacity(committed.len());
        for committed in committed {
            let safe = match committed {
                Ok((partition, end)) if outlasts => shard.wait_for_disk(&partition, end).await,
                committed => committed.map(|_| ()),
            };
            results.push(safe.err().unwrap_or(ErrorCode::None));
        }
        results
    }
}

/// Whether a coordinator still knows after a power cut that a transaction is complete, and wants no
/// marker any more: none may be lost by it then, whatever its own topic asks for.
fn decisions_outlast_power_cuts(shard: &Shard) -> bool {
    topic_log_config(&shard.control.view(), TRANSACTIONS_TOPIC).durability == Durability::Fsync
}

/// The partition of a marker in its log, and the offset that follows it.
type Appended = (Rc<Partition>, i64);

fn append(shard: &Shard, id: PartitionId, marker: Marker) -> Result<Appended, ErrorCode> {
    let partition = shard.leader_of(id, -1).map_err(later)?;
    if &*partition.topic == OFFSETS_TOPIC {
        return coordinators::write_marker(shard, id.index, marker);
    }
    let end = append_to(shard, &partition, marker)?;
    Ok((partition, end))
}

/// Appends the marker; returns the offset that follows it.
pub fn append_to(
    shard: &Shard,
    partition: &Rc<Partition>,
    marker: Marker,
) -> Result<i64, ErrorCode> {
    let now_ms = shard.ring.wall_clock_ms();
    let Marker { producer_id, producer_epoch, end, transaction_version } = marker;
    let batch =
        BatchBuilder::end_transaction_marker(0, now_ms, producer_id, producer_epoch, end).build();
    let batch = BytesMut::from(batch);
    let limit_bytes = crate::limits::DECOMPRESSED_BATCH_MAX_BYTES;
    let origin = AppendOrigin::Coordinator;
    let rules = partition.config.borrow().validation_rules(limit_bytes, now_ms, origin);
    let valid = validate::validate(&batch, &rules, &mut shard.data.scratch.borrow_mut());
    let valid = valid.map_err(|refused| {
        tracing::error!(topic = %partition.topic, partition = partition.id.index, producer_id,
            "a marker is refused: {}", refused.message);
        refused.error
    })?;
    assert!(valid.is_control, "a marker of producer {producer_id} is no control batch");
    let context = AppendContext::coordinator(transaction_version);
    let appended = append_records(shard, partition, batch, &valid, &context, Acks::All);
    appended.map(|(_, end)| end).map_err(|refused| refused.code())
}
