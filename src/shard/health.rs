//! What of this core's is not served as it should be, for the operators of the broker.
//!
//! Owns: nothing. Lives on: every core, on request; the core that has the controller also tells of
//! the metadata log and of the log directories. Never: keeps a turn of the loop longer than the
//! budget of background work.

use super::{Shard, apply::Offline};
use crate::{pace::TurnBudget, stats::HealthSnapshot};

pub async fn take(shard: &Shard) -> HealthSnapshot {
    let mut health = HealthSnapshot { core: shard.index, ..HealthSnapshot::default() };
    for (_, offline) in shard.data.all_offline() {
        match offline {
            Offline::UntilStart => health.offline_until_start += 1,
            Offline::ForNow => health.offline_for_now += 1,
        }
    }
    health.coordinators_damaged = super::coordinators::damaged(shard);
    let mut budget = TurnBudget::new(&shard.ring);
    let all: Vec<_> = shard.data.all();
    for partition in all {
        health.failed += u64::from(partition.has_failed());
        health.refusing += u64::from(!partition.has_failed() && partition.log.is_waiting());
        budget.item_done().await;
    }
    let controller = shard.control.controller();
    if let Some(controller) = controller {
        health.metadata_refuses = controller.refuses();
        health.offline_dirs = shard
            .data
            .storage
            .offline_dirs()
            .map(|(path, why)| (path.to_owned(), why.to_owned()))
            .collect();
    }
    health
}
