//! The group commit: everything appended in one turn is written together, everything written while a flush ran is
//! flushed together, and whoever waited for it is answered.
//!
//! A round of flushes goes two ways at once: small groups by the commit stream of their log directory, all of them with one
//! flush ([`crate::log::stream`]); large ones straight to the disk in their own files, a flush each.
//!
//! Owns: which partitions have something to write or to flush. Lives on: every core, for the partitions it leads.
//! Never: has more than one round in flight, acknowledges what is not durable (unless `durability=os` says so), or
//! retries a flush that failed: the kernel may have dropped the pages, so that partition stops serving.

use super::{
    Shard,
    partition::{Partition, Watcher},
    produce::PendingAppends,
};
use crate::{
    limits,
    log::{
        Durability,
        stream::{Stream, StreamOptions},
    },
};
use protocol::ErrorCode;
use ring::signal::{Giver, Signal};
use std::{
    cell::{Cell, RefCell},
    io, mem,
    path::PathBuf,
    rc::Rc,
    time::Duration,
};

/// How often a partition that met an error that passes looks whether it has.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// Groups up to this size go by the stream where few partitions are dirty at once.
const STREAM_GROUP_BYTES_OF_FEW: usize = 32 * 1024;
/// From so many on,
const MANY_PARTITIONS: usize = 8;
/// groups up to this size do.
const STREAM_GROUP_BYTES_OF_MANY: usize = 64 * 1024;

const _: () = assert!(STREAM_GROUP_BYTES_OF_MANY < limits::STREAM_FRAME_MAX_BYTES);

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
    /// By log directory, once nothing of an earlier run is left; none where they are switched off.
    streams: RefCell<Vec<(PathBuf, Rc<Stream>)>>,
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
        drop(self.streams.take());
    }

    /// Lets a partition's small appends go by the stream of its log directory.
    pub fn adopt(&self, partition: &Partition) {
        let dir = partition.log.dir();
        let streams = self.streams.borrow();
        if let Some((_, stream)) = streams.iter().find(|(root, _)| dir.parent() == Some(root.as_path())) {
            partition.log.attach(stream);
            // Adopted before, it keeps what it has: it is the same.
            let _ = partition.stream.set(stream.clone());
        }
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
        let mut ways = split(round);
        let others = ways.split_off(1);
        let others: Vec<_> =
            others.into_iter().map(|way| shard.ring.spawn_named("flush", way.go(shard.clone()))).collect();
        ways.remove(0).go(shard.clone()).await;
        for other in others {
            other.await;
        }
        commit.flushes.set(commit.flushes.get() + 1);
        commit.flush_time.borrow_mut().record_ns(shard.ring.precise_now().since(start).as_nanos() as u64);
    }
}

/// How a part of a round gets to the disk.
enum Way {
    Stream(Rc<Stream>, Vec<Rc<Partition>>),
    Straight(Rc<Partition>),
}

impl Way {
    async fn go(self, shard: Shard) {
        match self {
            Way::Stream(stream, partitions) => flush_by_stream(shard, stream, partitions).await,
            Way::Straight(partition) => flush(shard, partition).await,
        }
    }
}

/// Whether a partition's group goes by the stream. The stream writes twice, but in one piece, into blocks that were written
/// before; a file of its own pays for its journal commit. The figures are in docs/adr/0009-commit-stream.md.
fn goes_by_stream(dirty_partitions: usize, group_bytes: usize) -> bool {
    let is_few = dirty_partitions < MANY_PARTITIONS;
    let limit = if is_few { STREAM_GROUP_BYTES_OF_FEW } else { STREAM_GROUP_BYTES_OF_MANY };
    (1..=limit).contains(&group_bytes)
}

fn split(round: Vec<Rc<Partition>>) -> Vec<Way> {
    let dirty = round.len();
    let mut ways: Vec<Way> = Vec::new();
    for partition in round {
        let bytes = partition.log.uncommitted().map_or(0, |range| range.size_bytes());
        let stream = partition.stream.get().filter(|stream| stream.is_working() && goes_by_stream(dirty, bytes));
        let Some(stream) = stream.cloned() else {
            ways.push(Way::Straight(partition));
            continue;
        };
        let known = ways.iter_mut().find_map(|way| match way {
            Way::Stream(known, partitions) if Rc::ptr_eq(known, &stream) => Some(partitions),
            _ => None,
        });
        match known {
            Some(partitions) => partitions.push(partition),
            None => ways.insert(0, Way::Stream(stream, vec![partition])),
        }
    }
    ways
}

async fn flush_by_stream(shard: Shard, stream: Rc<Stream>, partitions: Vec<Rc<Partition>>) {
    let mut written = Vec::with_capacity(partitions.len());
    for partition in partitions {
        match partition.log.wait_written().await {
            Ok(()) => written.push((partition.log.written_offset(), partition)),
            Err(error) => refuse_or_fail(&shard, &partition, "cannot write", &error),
        }
    }
    let logs: Vec<_> = written.iter().map(|(_, partition)| partition.log.clone()).collect();
    if let Err(error) = stream.commit(&logs).await {
        tracing::debug!(%error, "the commit stream does not take this round: it goes to the partitions' own files");
    }
    let (done, left): (Vec<_>, Vec<_>) = written.into_iter().partition(|(to, one)| one.log.durable_offset() >= *to);
    let left: Vec<_> = left.into_iter().map(|(_, one)| shard.ring.spawn(flush(shard.clone(), one))).collect();
    for (_, partition) in done {
        advance(&shard, &partition, partition.log.durable_offset());
    }
    for one in left {
        one.await;
    }
}

/// Makes the streams of this core. Nothing of an earlier run's may be left.
pub fn open_streams(shard: &Shard) {
    let file_bytes = shard.config.log.commit_stream_file_bytes as u64;
    if file_bytes == 0 || !shard.commit.streams.borrow().is_empty() {
        return;
    }
    for dir in shard.storage.dirs().map(std::path::Path::to_owned) {
        let weak = shard.downgrade();
        let sync_failed = Box::new(move |id, error: &io::Error| {
            let shard = weak.upgrade();
            if let Some((shard, partition)) = shard.and_then(|shard| Some((shard.clone(), shard.partition(id)?))) {
                fail(&shard, &partition, &format!("cannot flush: {error}"));
            }
        });
        let options = StreamOptions::with_files_of(file_bytes);
        let stream = Stream::new(&shard.ring, dir.clone(), shard.index, options, sync_failed);
        shard.commit.streams.borrow_mut().push((dir.clone(), stream));
    }
    for partition in shard.partitions.borrow().values() {
        shard.commit.adopt(partition);
    }
}

/// Removes the streams' files, behind the last log that was closed; the log directories where that failed.
pub async fn close_streams(shard: &Shard) -> Vec<std::path::PathBuf> {
    let mut failed = Vec::new();
    for (dir, stream) in shard.commit.streams.take() {
        if let Err(error) = stream.close().await {
            tracing::error!(dir = %dir.display(), %error, "the next start replays the commit stream");
            failed.push(dir);
        }
    }
    failed
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
    partition.tell_watchers(|Watcher { core, watch }| shard.tell_moved(core, watch));
}

/// What passes (a full disk, no descriptors, no memory: [`ring::passes`]) refuses who waits; what was gathered is written
/// when it has passed. Anything else is final.
pub fn refuse_or_fail(shard: &Shard, partition: &Rc<Partition>, what: &str, error: &io::Error) {
    if !ring::passes(error) {
        return fail(shard, partition, &format!("{what}: {error}"));
    }
    for waiter in partition.waiters.take() {
        waiter.done.tell(Err(ErrorCode::KafkaStorageError));
    }
    if partition.is_retrying.replace(true) {
        return;
    }
    let (task, partition) = (shard.clone(), partition.clone());
    shard.ring.spawn(async move {
        task.ring.sleep(RETRY_INTERVAL).await;
        partition.is_retrying.set(false);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_groups_go_by_the_stream_and_large_ones_straight() {
        for (dirty, bytes, by_stream) in [
            (1, 0, false),
            (1, 1, true),
            (1, STREAM_GROUP_BYTES_OF_FEW, true),
            (1, STREAM_GROUP_BYTES_OF_FEW + 1, false),
            (MANY_PARTITIONS, STREAM_GROUP_BYTES_OF_FEW + 1, true),
            (1000, STREAM_GROUP_BYTES_OF_MANY, true),
            (1000, STREAM_GROUP_BYTES_OF_MANY + 1, false),
        ] {
            assert_eq!(goes_by_stream(dirty, bytes), by_stream, "{dirty} {bytes}");
        }
    }
}
