//! Background work of one core, in small steps on a budget per turn: retention, producers that have expired, idle memory.
//!
//! Owns: the round over the partitions. Lives on: every core. Never: keeps a turn of the loop longer than its budget and
//! one step.

use super::{Shard, commit, partition::PartitionId};
use crate::{limits, pace::TurnBudget};
use std::time::Duration;

/// Ticks between two looks at memory that nobody uses.
const RELEASE_TICKS: u64 = 10;

pub async fn run(shard: Shard) {
    let tick = Duration::from_millis(limits::HOUSEKEEPING_INTERVAL_MS);
    let mut ticks = 0u64;
    let mut next_round = shard.ring.now();
    while !shard.is_stopping() {
        shard.ring.sleep(tick).await;
        ticks += 1;
        if ticks.is_multiple_of(RELEASE_TICKS) {
            shard.receive_blocks.release_idle();
            shard.reply_blocks.release_idle();
            shard.tail.release_idle();
            shard.ring.release_idle();
        }
        if shard.ring.now() >= next_round {
            next_round =
                shard.ring.now() + Duration::from_millis(shard.config.log.retention_check_interval_ms.max(1) as u64);
            retain_all(&shard).await;
        }
    }
}

async fn retain_all(shard: &Shard) {
    let mut due: Vec<PartitionId> = shard.partitions.borrow().keys().copied().collect();
    // The same order in every run: the simulator's seeds depend on it.
    due.sort_unstable();
    let mut budget = TurnBudget::new(&shard.ring);
    for id in due {
        if shard.is_stopping() {
            return;
        }
        retain(shard, id).await;
        budget.step_done().await;
    }
}

/// Deletes the segments of a partition that are past `retention.ms` or `retention.bytes`.
async fn retain(shard: &Shard, id: PartitionId) {
    let Some(partition) = shard.partition(id) else { return };
    if partition.failed.get() {
        return;
    }
    let start = partition.log.log_start_offset();
    partition.log.expire_producers(shard.ring.wall_clock_ms());
    if let Err(error) = partition.log.apply_retention(shard.ring.wall_clock_ms()).await {
        if partition.log.has_failed() {
            return commit::fail(shard, &partition, &format!("cannot delete old segments: {error}"));
        }
        tracing::error!(topic = %partition.topic, partition = id.index, %error, "cannot delete old segments");
    }
    if partition.log.log_start_offset() > start {
        commit::notify_watchers(shard, &partition);
    }
}
