//! Background work of one core, in small steps on a budget per tick: retention, producers that have expired, idle memory.
//!
//! Owns: the cursor over the partitions. Lives on: every core. Never: walks over all partitions in one turn.

use super::{Shard, commit, partition::PartitionId};
use crate::limits;
use std::time::Duration;

/// Partitions that retention looks at in one tick.
const RETENTION_PER_TICK: usize = 64;

/// Ticks between two looks at memory that nobody uses.
const RELEASE_TICKS: u64 = 10;

pub async fn run(shard: Shard) {
    let tick = Duration::from_millis(limits::HOUSEKEEPING_INTERVAL_MS);
    let mut ticks = 0u64;
    let mut due: Vec<PartitionId> = Vec::new();
    let mut next_round = shard.ring.now();
    while !shard.is_stopping() {
        shard.ring.sleep(tick).await;
        ticks += 1;
        if ticks.is_multiple_of(RELEASE_TICKS) {
            shard.receive_blocks.release_idle();
            shard.reply_blocks.release_idle();
            shard.tail.release_idle();
        }
        if due.is_empty() && shard.ring.now() >= next_round {
            due = shard.partitions.borrow().keys().copied().collect();
            due.sort_unstable();
            next_round =
                shard.ring.now() + Duration::from_millis(shard.config.log.retention_check_interval_ms.max(1) as u64);
        }
        for _ in 0..RETENTION_PER_TICK.min(due.len()) {
            let id = due.pop().expect("as many as were counted");
            retain(&shard, id).await;
        }
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
        tracing::error!(topic = %partition.topic, partition = id.index, %error, "cannot delete old segments");
    }
    if partition.log.log_start_offset() > start {
        commit::notify_watchers(shard, &partition);
    }
}
