//! The group commit: everything appended in one turn is written together, everything written while a flush ran is
//! flushed together, and whoever waited for it is answered.
//!
//! Owns: which partitions have something to write or to flush. Lives on: every core, for the partitions it leads.
//! Never: has more than one flush in flight, acknowledges what is not durable (unless `durability=os` says so), or
//! retries a flush that failed: the kernel may have dropped the pages, so that partition stops serving.

use super::{
    Shard,
    partition::{Partition, Watcher},
    produce::PendingAppends,
};
use crate::log::Durability;
use protocol::ErrorCode;
use ring::signal::{Giver, Signal};
use std::{
    cell::{Cell, RefCell},
    io, mem,
    rc::Rc,
    time::Duration,
};

/// How often a partition that met a full disk looks whether there is room again.
const FULL_DISK_INTERVAL: Duration = Duration::from_millis(500);

/// Somebody who waits until the high watermark of a partition reaches `offset`.
pub struct Waiter {
    pub offset: i64,
    pub done: Done,
}

/// How a waiter is told.
pub enum Done {
    /// One of the appends of a produce request.
    Append { pending: Rc<PendingAppends>, index: usize },
    /// A task of this core.
    Task(Giver<Result<(), ErrorCode>>),
}

impl Done {
    pub fn tell(self, result: Result<(), ErrorCode>) {
        match self {
            Done::Append { pending, index } => pending.complete(index, result),
            Done::Task(giver) => giver.give(result),
        }
    }
}

#[derive(Default)]
pub struct Commit {
    to_write: RefCell<Vec<Rc<Partition>>>,
    to_flush: RefCell<Vec<Rc<Partition>>>,
    work: Signal,
    flush_work: Signal,
    pub flushes: Cell<u64>,
    pub flush_time: RefCell<crate::admin::Histogram>,
}

impl Commit {
    /// Takes note that records were appended to this partition.
    pub fn appended(&self, partition: &Rc<Partition>) {
        if !partition.is_dirty.replace(true) {
            self.to_write.borrow_mut().push(partition.clone());
            self.work.notify();
        }
    }

    /// At the end of the core.
    pub fn forget(&self) {
        drop(self.to_write.take());
        drop(self.to_flush.take());
    }

    pub fn is_idle(&self) -> bool {
        self.to_write.borrow().is_empty() && self.to_flush.borrow().is_empty()
    }
}

/// Writes what was gathered, once per turn.
pub async fn write_loop(shard: Shard) {
    let commit = &shard.commit;
    // Lends its room to the round after.
    let mut round = Vec::new();
    loop {
        commit.work.wait_until(|| !commit.to_write.borrow().is_empty()).await;
        shard.ring.end_of_turn().await;
        mem::swap(&mut round, &mut *commit.to_write.borrow_mut());
        for partition in round.drain(..) {
            partition.is_dirty.set(false);
            match partition.log.write_gathered() {
                Ok(()) if partition.config.borrow().durability == Durability::Os => {
                    advance(&shard, &partition, partition.log.log_end_offset());
                }
                Ok(()) => commit.to_flush.borrow_mut().push(partition),
                Err(error) => refuse_or_fail(&shard, &partition, "cannot write", &error),
            }
        }
        if !commit.to_flush.borrow().is_empty() {
            commit.flush_work.notify();
        }
    }
}

/// Flushes what was written, one round at a time, all files of a round at once.
pub async fn flush_loop(shard: Shard) {
    let commit = &shard.commit;
    loop {
        commit.flush_work.wait_until(|| !commit.to_flush.borrow().is_empty()).await;
        let mut round = commit.to_flush.take();
        round.sort_unstable_by_key(|partition| partition.id);
        round.dedup_by_key(|partition| partition.id);
        let start = shard.ring.precise_now();
        let others = round.split_off(1);
        let others: Vec<_> = others.into_iter().map(|partition| shard.ring.spawn_named("flush", flush(shard.clone(), partition))).collect();
        flush(shard.clone(), round.remove(0)).await;
        for other in others {
            other.await;
        }
        commit.flushes.set(commit.flushes.get() + 1);
        commit.flush_time.borrow_mut().record_ns(shard.ring.precise_now().since(start).as_nanos() as u64);
    }
}

async fn flush(shard: Shard, partition: Rc<Partition>) {
    match partition.log.sync().await {
        Ok(durable_offset) => advance(&shard, &partition, durable_offset),
        Err(error) => refuse_or_fail(&shard, &partition, "cannot flush", &error),
    }
}

/// Moves the high watermark, answers those who waited for it, and tells those who watch the partition.
pub fn advance(shard: &Shard, partition: &Rc<Partition>, high_watermark: i64) {
    if partition.failed.get() || high_watermark <= partition.log.high_watermark() {
        return;
    }
    partition.log.set_high_watermark(high_watermark);
    while let Some(waiter) = partition.take_reached(high_watermark) {
        waiter.done.tell(Ok(()));
    }
    notify_watchers(shard, partition);
}

pub fn notify_watchers(shard: &Shard, partition: &Partition) {
    for Watcher { core, watch } in partition.take_watchers() {
        shard.tell_moved(core, watch);
    }
}

/// A full disk passes: who waits is refused, and what was gathered is written when there is room. Anything else is final.
pub fn refuse_or_fail(shard: &Shard, partition: &Rc<Partition>, what: &str, error: &io::Error) {
    if !matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        return fail(shard, partition, &format!("{what}: {error}"));
    }
    for waiter in partition.waiters.take() {
        waiter.done.tell(Err(ErrorCode::KafkaStorageError));
    }
    let (task, partition) = (shard.clone(), partition.clone());
    shard.ring.spawn(async move {
        task.ring.sleep(FULL_DISK_INTERVAL).await;
        if !partition.failed.get() && !task.is_stopping() {
            task.commit.appended(&partition);
        }
    });
}

/// Stops serving a partition whose log has failed.
pub fn fail(shard: &Shard, partition: &Rc<Partition>, why: &str) {
    if partition.failed.replace(true) {
        return;
    }
    tracing::error!(
        topic = %partition.topic, partition = partition.id.index,
        "{why}. This partition serves no more; mend the disk, then restart the broker: it recovers from what is on disk"
    );
    for waiter in partition.waiters.take() {
        waiter.done.tell(Err(ErrorCode::KafkaStorageError));
    }
    notify_watchers(shard, partition);
}
