//! Background work of one core, in small steps on a budget per turn: retention, producers that have
//! expired, idle memory.
//!
//! Owns: the rounds over the partitions, one per log directory: one that hangs holds up no other.
//! Lives on: every core. Never: keeps a turn of the loop longer than its budget and one step.

use super::{Shard, commit, partition::PartitionId};
use crate::{limits, log::Log, pace::TurnBudget};
use std::{
    cell::Cell,
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

/// Ticks between two looks at memory that is not in use.
const RELEASE_TICKS: u64 = 10;

/// Between two sweeps that close files: where everything is in use, looking again at once finds no
/// more.
const SWEEP_PAUSE: Duration = Duration::from_millis(20);

pub async fn run(shard: Shard) {
    let tick = Duration::from_millis(limits::HOUSEKEEPING_INTERVAL_MS);
    let mut ticks = 0u64;
    let mut next_round = shard.ring.now();
    let dirs: Vec<(PathBuf, Rc<Cell<bool>>)> =
        shard.data.storage.dirs().map(|dir| (dir.to_owned(), Rc::default())).collect();
    while !shard.is_stopping() {
        shard.ring.sleep(tick).await;
        ticks += 1;
        if ticks.is_multiple_of(RELEASE_TICKS) {
            shard.clients.release_idle();
            shard.data.tail.release_idle();
            shard.ring.release_idle();
            shard.quotas.expire(shard.ring.now().as_millis());
        }
        if shard.ring.now() >= next_round {
            next_round = shard.ring.now()
                + Duration::from_millis(shard.config.log.retention_check_interval_ms.max(1) as u64);
            for (dir, is_busy) in dirs.iter().filter(|(_, is_busy)| !is_busy.get()) {
                is_busy.set(true);
                let (shard, dir, is_busy) = (shard.clone(), dir.clone(), is_busy.clone());
                drop(shard.ring.clone().spawn_named("retention", async move {
                    retain_all(&shard, &dir).await;
                    assert!(is_busy.replace(false), "one round of a directory at a time");
                }));
            }
        }
    }
}

/// Closes files of logs that no request uses: now and then, and at once where more are open than
/// this core should have, or another cannot be opened.
pub async fn close_files(shard: Shard) {
    shard.ring.set_open_files_max(shard.files.logs_per_core);
    let interval = Duration::from_millis(limits::FILES_RELEASE_INTERVAL_MS);
    // Where the last sweep has ended.
    let mut hand = None;
    while !shard.is_stopping() {
        match shard.ring.timeout(interval, shard.ring.too_many_files()).await {
            Some(()) => {
                let wanted = shard.ring.open_files().min(shard.files.logs_per_core) / 4 * 3;
                hand = sweep(&shard, hand, |log| {
                    log.close_idle_files();
                    shard.ring.open_files() > wanted
                })
                .await;
                shard.ring.sleep(SWEEP_PAUSE).await;
            }
            None => {
                let keep_active = shard.ring.open_files() <= shard.files.logs_per_core / 2;
                sweep(&shard, None, |log| {
                    log.release_unused(keep_active);
                    true
                })
                .await;
            }
        }
    }
}

/// Shows every log of this core once, from behind `hand` on, until that is enough; where it has
/// ended.
async fn sweep(
    shard: &Shard,
    hand: Option<PartitionId>,
    mut goes_on: impl FnMut(&Log) -> bool,
) -> Option<PartitionId> {
    let mut all: Vec<PartitionId> = shard.data.partitions().keys().copied().collect();
    all.sort_unstable();
    let behind = all.partition_point(|id| Some(*id) <= hand);
    all.rotate_left(behind);
    let mut budget = TurnBudget::new(&shard.ring);
    for id in all {
        let Some(partition) = shard.data.partition(id) else { continue };
        if !goes_on(&partition.log) {
            return Some(id);
        }
        budget.step_done().await;
    }
    None
}

async fn retain_all(shard: &Shard, dir: &Path) {
    let mut due: Vec<PartitionId> = {
        let partitions = shard.data.partitions();
        let here =
            partitions.values().filter(|partition| partition.log.dir().parent() == Some(dir));
        here.map(|partition| partition.id).collect()
    };
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
    let Some(partition) = shard.data.partition(id) else { return };
    if partition.is_offline() {
        return;
    }
    let start = partition.log.log_start_offset();
    partition.log.expire_producers(shard.ring.wall_clock_ms());
    if let Err(error) = partition.log.apply_retention(shard.ring.wall_clock_ms()).await {
        if partition.log.has_failed() {
            return commit::fail(
                shard,
                &partition,
                &format!("cannot delete old segments: {error}"),
            );
        }
        tracing::error!(topic = %partition.topic, partition = id.index, %error, "cannot delete \
            old segments");
    }
    let now = partition.log.log_start_offset();
    assert!(start <= now, "a log that began at {start} begins at {now}");
    if now > start {
        commit::notify_fetch_waiters(shard, &partition);
    }
}
