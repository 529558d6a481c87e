//! Background work of one core, in small steps on a budget per turn: retention, producers that have expired, idle memory.
//!
//! Owns: the round over the partitions. Lives on: every core. Never: keeps a turn of the loop longer than its budget and
//! one step.

use super::{Shard, commit, partition::PartitionId};
use crate::limits;
use ring::{Instant, Ring};
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
            shard.memory.sweep();
            shard.ring.release_idle();
        }
        if shard.ring.now() >= next_round {
            next_round =
                shard.ring.now() + Duration::from_millis(shard.config.log.retention_check_interval_ms.max(1) as u64);
            retain_all(&shard).await;
        }
    }
}

/// What background work may take of a turn of the loop: requests wait for so much of it, never for all.
pub struct TurnBudget<'a> {
    ring: &'a Ring,
    began: Instant,
}

impl TurnBudget<'_> {
    pub fn new(ring: &Ring) -> TurnBudget<'_> {
        TurnBudget { ring, began: ring.precise_now() }
    }

    /// To be called between two steps: once the budget is spent, the turn ends before the next one.
    pub async fn step_done(&mut self) {
        if self.ring.precise_now().since(self.began) >= Duration::from_micros(limits::BACKGROUND_TURN_US) {
            self.ring.end_of_turn().await;
            self.began = self.ring.precise_now();
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

#[cfg(test)]
mod tests {
    use super::*;
    use ring::{BackendKind, CoreOptions};
    use std::{cell::Cell, rc::Rc};

    #[test]
    fn a_spent_budget_lets_the_other_tasks_run() {
        let options = CoreOptions {
            name: "test".to_owned(),
            index: 0,
            cpu: None,
            backend: BackendKind::Epoll,
            spin: Duration::ZERO,
        };
        let main = |ring: Ring| async move {
            let ran = Rc::new(Cell::new(false));
            let other = ran.clone();
            drop(ring.spawn(async move { other.set(true) }));
            let mut budget = TurnBudget::new(&ring);
            let spent = budget.began + Duration::from_micros(limits::BACKGROUND_TURN_US);
            while ring.precise_now() < spent {
                assert!(!ran.get(), "nobody else runs within a step");
            }
            budget.step_done().await;
            assert!(ran.get());
            assert!(budget.began >= spent, "the next steps have a budget of their own");
        };
        ring::run(options, main).unwrap();
    }
}
