//! The group commit: everything appended in one turn is written together, everything that is
//! written while a flush runs is flushed together, and every request that waited for it is
//! answered.
//!
//! A flush goes one of two ways: small groups of a log directory by its commit stream, all of them
//! with one flush, one round at a time ([`crate::log::commit_log`]); a large one straight to the
//! disk in its partition's own files. Each waits for its own kind alone ([`super::flushes`]): order
//! is needed in each stream and in each log, nowhere else.
//!
//! Owns: which partitions have something to write. Lives on: every core, for the partitions it
//! leads. Never: acknowledges what is not durable (or, where `durability=os` says so, not written),
//! or retries a flush that failed: the kernel may have dropped the pages, so that partition stops
//! serving.

use super::{
    Shard,
    flushes::Lane,
    partition::{FetchWaiter, Partition, role::Cause, waiters::Until},
};
use crate::{
    limits,
    log::commit_log::{CommitLog, CommitLogOptions},
};
use protocol::ErrorCode;
use ring::{Instant, sync::Notify};
use std::{
    cell::{Cell, RefCell},
    io, mem,
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

/// How often a partition that met an error that passes looks whether it has.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

pub struct Commit {
    to_write: RefCell<Vec<Rc<Partition>>>,
    work: Notify,
    /// By log directory.
    lanes: Vec<Rc<Lane>>,
    /// Partitions whose writes are followed.
    followed: Cell<usize>,
    pub flush_time: RefCell<crate::stats::Histogram>,
}

impl Commit {
    pub fn new<'a>(log_dirs: impl Iterator<Item = &'a Path>) -> Commit {
        Commit {
            to_write: RefCell::default(),
            work: Notify::default(),
            lanes: log_dirs.map(|dir| Lane::new(dir.to_owned())).collect(),
            followed: Cell::new(0),
            flush_time: RefCell::default(),
        }
    }

    /// Takes note that records were appended to this partition.
    pub fn appended(&self, partition: &Rc<Partition>) {
        assert!(!partition.is_offline(), "{} takes no records any more", partition.topic);
        if !partition.is_dirty.replace(true) {
            self.to_write.borrow_mut().push(partition.clone());
            self.work.notify();
        }
    }

    /// At the end of the core.
    pub fn forget(&self) {
        drop(self.to_write.take());
        self.lanes.iter().for_each(|lane| lane.forget());
    }

    /// Lets a partition's appends go by the flushes of its log directory, small ones by its stream.
    pub fn adopt(&self, partition: &Partition) {
        let dir = partition.log.dir();
        let lane = self.lanes.iter().find(|lane| dir.parent() == Some(lane.root()));
        let lane = lane.expect("a partition lies in one of the log directories");
        if let Some(stream) = lane.stream() {
            partition.log.attach(&stream);
        }
        if self.lanes.len() > 1 {
            partition.log.write_behind(&lane.writes);
        }
        let known = partition.lane.get_or_init(|| lane.clone());
        assert!(Rc::ptr_eq(known, lane), "a partition stays in its log directory");
    }

    pub fn is_idle(&self) -> bool {
        let flushed = self.lanes.iter().all(|lane| lane.is_idle());
        flushed && self.to_write.borrow().is_empty() && self.followed.get() == 0
    }

    fn flushed_since(&self, shard: &Shard, start: Instant) {
        let time = shard.ring.precise_now().since(start);
        self.flush_time.borrow_mut().record_ns(time.as_nanos() as u64);
    }
}

/// Starts the tasks of a core.
pub fn start(shard: &Shard) {
    shard.ring.spawn_named("commit write", write_loop(shard.clone()));
    for lane in &shard.data.commit.lanes {
        shard.ring.spawn_named("commit flush", stream_loop(shard.clone(), lane.clone()));
    }
}

/// Writes what was gathered, once per turn.
async fn write_loop(shard: Shard) {
    let commit = &shard.data.commit;
    // Lends its room to the round after.
    let mut round = Vec::new();
    loop {
        commit.work.wait_until(|| !commit.to_write.borrow().is_empty()).await;
        shard.ring.end_of_turn().await;
        mem::swap(&mut round, &mut *commit.to_write.borrow_mut());
        for partition in round.drain(..) {
            assert!(partition.is_dirty.replace(false), "a partition is gathered once per round");
            match partition.log.write_gathered() {
                Ok(()) => wrote(&shard, &partition),
                Err(error) => refuse_or_fail(&shard, &partition, "cannot write", &error),
            }
        }
        commit.lanes.iter().for_each(|lane| begin_flushes(&shard, lane));
    }
}

/// Goes on with the written appends of a partition. [`begin_flushes`] follows.
fn wrote(shard: &Shard, partition: &Rc<Partition>) {
    let log = &partition.log;
    let (written, end) = (log.written_offset(), log.log_end_offset());
    assert!(written <= end, "written to {written}, and the log ends at {end}");
    if written < end {
        follow_writes(shard, partition);
    }
    let safe = log.safe_offset();
    assert!(safe <= written, "safe to {safe}, and written to {written}");
    if safe < written {
        lane_of(partition).want(partition)
    } else {
        flush_unasked(shard, partition);
        advance(shard, partition, safe)
    }
}

/// A longer `flush.ms` counts for none.
const FLUSH_TIMER_MAX_MS: i64 = 24 * 60 * 60 * 1000;

/// With `durability=os` no request waits for a flush: `flush.messages` and `flush.ms` bound how
/// much, and for how long, only the page cache has.
fn flush_unasked(shard: &Shard, partition: &Rc<Partition>) {
    let owed = partition.log.written_offset() - partition.log.durable_offset();
    assert!(owed >= 0, "more of {} is durable than written", partition.topic);
    if owed == 0 {
        return;
    }
    let (messages, ms) = partition.flush_bounds();
    if owed >= messages {
        return lane_of(partition).want(partition);
    }
    if ms > FLUSH_TIMER_MAX_MS || partition.has_flush_timer.replace(true) {
        return;
    }
    let (shard, partition) = (shard.clone(), partition.clone());
    drop(shard.ring.clone().spawn_named("flush.ms", async move {
        shard.ring.sleep(Duration::from_millis(ms as u64)).await;
        assert!(partition.has_flush_timer.replace(false), "a partition has one timer at a time");
        let is_owed = partition.log.durable_offset() < partition.log.written_offset();
        if is_owed && !partition.has_failed() && !shard.is_stopping() {
            lane_of(&partition).want(&partition);
            begin_flushes(&shard, lane_of(&partition));
        }
    }));
}

/// Some of what was appended is held back: a file is being opened, or the disk takes its time. Goes
/// on once it is written.
fn follow_writes(shard: &Shard, partition: &Rc<Partition>) {
    if partition.follows_writes.replace(true) {
        return;
    }
    shard.data.commit.followed.set(shard.data.commit.followed.get() + 1);
    let (shard, partition) = (shard.clone(), partition.clone());
    drop(shard.ring.clone().spawn_named("commit held", async move {
        let written = partition.log.wait_written().await;
        assert!(partition.follows_writes.replace(false), "one task follows a partition's writes");
        let followed = shard.data.commit.followed.get();
        assert!(followed > 0, "this one is counted");
        shard.data.commit.followed.set(followed - 1);
        match written {
            Ok(()) => {
                wrote(&shard, &partition);
                begin_flushes(&shard, lane_of(&partition));
            }
            Err(error) => refuse_or_fail(&shard, &partition, "cannot write", &error),
        }
    }));
}

fn lane_of(partition: &Partition) -> &Rc<Lane> {
    partition.lane.get().expect("a partition is adopted before it is served")
}

/// Lets what wants a flush go its way.
fn begin_flushes(shard: &Shard, lane: &Rc<Lane>) {
    lane.sort();
    let (flushers, idle) = (lane.flushers.get(), lane.idle_flushers.get());
    assert!(idle <= flushers, "{idle} tasks of {flushers} wait for a flush");
    while lane.large_count() > lane.idle_flushers.get()
        && lane.flushers.get() < limits::DIR_FLUSHES_IN_FLIGHT
    {
        lane.flushers.set(lane.flushers.get() + 1);
        lane.idle_flushers.set(lane.idle_flushers.get() + 1);
        drop(shard.ring.spawn_named("commit flush", flush_loop(shard.clone(), lane.clone())));
    }
}

/// Has what a partition has below `offset` on the disk soon, whatever its topic asks for.
pub fn want_flush(shard: &Shard, partition: &Rc<Partition>, offset: i64) {
    let log = &partition.log;
    let written = log.written_offset();
    assert!(offset <= written, "{offset} is to be flushed, and {written} is written");
    if log.durable_offset() < offset && !partition.is_offline() {
        let lane = lane_of(partition);
        lane.want(partition);
        begin_flushes(shard, lane);
    }
}

/// Flushes small groups of a log directory by its stream, one round at a time.
async fn stream_loop(shard: Shard, lane: Rc<Lane>) {
    let (mut round, mut logs, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        lane.small_work.wait_until(|| lane.has_small()).await;
        lane.take_small(&mut round);
        // Of what outgrew the stream, nothing waits for this round.
        begin_flushes(&shard, &lane);
        if let Some(stream) = lane.stream().filter(|_| !round.is_empty()) {
            let start = shard.ring.precise_now();
            logs.extend(round.iter().map(|partition| partition.log.clone()));
            ends.extend(logs.iter().map(|log| log.written_offset()));
            if let Err(error) = stream.commit(&logs).await {
                tracing::debug!(%error, "the commit stream does not take this round: it goes to \
                    the partitions' own files");
            }
            logs.clear();
            shard.data.commit.flushed_since(&shard, start);
        }
        assert_eq!(round.len(), ends.len(), "of each partition it is known what the round has");
        for (partition, end) in round.drain(..).zip(ends.drain(..)) {
            let durable = partition.log.durable_offset();
            if durable >= end {
                advance(&shard, &partition, durable);
                lane.ended(&partition);
            } else {
                lane.go_straight(partition);
            }
        }
        begin_flushes(&shard, &lane);
    }
}

/// Flushes large groups of a log directory in their own files, one of several such tasks.
async fn flush_loop(shard: Shard, lane: Rc<Lane>) {
    let (flushers, max) = (lane.flushers.get(), limits::DIR_FLUSHES_IN_FLIGHT);
    assert!(flushers <= max, "{flushers} tasks flush logs of a directory, at most {max} may");
    loop {
        lane.large_work.wait_until(|| lane.large_count() > 0).await;
        let partition = lane.take_large().expect("there is one");
        assert!(lane.idle_flushers.get() > 0, "this task was counted as idle");
        lane.idle_flushers.set(lane.idle_flushers.get() - 1);
        let start = shard.ring.precise_now();
        match partition.log.sync_written().await {
            Ok(durable_offset) => advance(&shard, &partition, durable_offset),
            Err(error) => refuse_or_fail(&shard, &partition, "cannot flush", &error),
        }
        shard.data.commit.flushed_since(&shard, start);
        lane.idle_flushers.set(lane.idle_flushers.get() + 1);
        lane.ended(&partition);
        begin_flushes(&shard, &lane);
    }
}

/// Makes the streams of this core. Nothing of an earlier run's may be left: where it could not be
/// removed, there is none.
pub fn open_streams(shard: &Shard) {
    let file_bytes = shard.config.log.commit_stream_file_bytes as u64;
    if file_bytes == 0 {
        return;
    }
    let may_have_one = |lane: &&Rc<Lane>| {
        lane.stream().is_none() && !shard.data.storage.has_old_stream(lane.root())
    };
    for lane in shard.data.commit.lanes.iter().filter(may_have_one) {
        let weak = shard.downgrade();
        let sync_failed = Box::new(move |id, error: &io::Error| {
            let shard = weak.upgrade();
            if let Some((shard, partition)) =
                shard.and_then(|shard| Some((shard.clone(), shard.data.partition(id)?)))
            {
                fail(&shard, &partition, &format!("cannot flush: {error}"));
            }
        });
        let options = CommitLogOptions::with_files_of(file_bytes);
        lane.set_stream(CommitLog::new(
            &shard.ring,
            lane.root().to_owned(),
            shard.index,
            options,
            sync_failed,
        ));
    }
    for partition in shard.data.partitions().values() {
        shard.data.commit.adopt(partition);
    }
}

/// Removes the streams' files, behind the last log that was closed; the log directories where that
/// failed.
pub async fn close_streams(shard: &Shard) -> Vec<PathBuf> {
    let open = shard.data.partitions().len();
    assert_eq!(open, 0, "logs are open whose records the streams may have");
    let mut failed = Vec::new();
    for lane in &shard.data.commit.lanes {
        let Some(stream) = lane.take_stream() else { continue };
        if let Err(error) = stream.close().await {
            tracing::error!(dir = %lane.root().display(), %error, "the next start replays the \
                commit stream");
            failed.push(lane.root().to_owned());
        }
    }
    failed
}

/// What is below `safe_offset` is safe in this node's log: answers those that waited for no more,
/// and moves the high watermark as far as the replicas allow.
pub fn advance(shard: &Shard, partition: &Rc<Partition>, safe_offset: i64) {
    if partition.is_offline() {
        return;
    }
    let safe = partition.log.safe_offset();
    assert!(safe_offset <= safe, "{safe_offset} is acknowledged, and {safe} is safe");
    while let Some(waiter) = partition.take_safe(safe_offset) {
        waiter.done.tell(Ok(()));
    }
    let durable = partition.log.durable_offset();
    while let Some(waiter) = partition.waiters.take_reached(Until::Durable, durable) {
        waiter.done.tell(Ok(()));
    }
    move_high_watermark(shard, partition);
}

/// Moves the high watermark, answers those that waited for it, and tells those that watch the
/// partition. The answer is an error where meanwhile too few replicas are in sync.
pub fn move_high_watermark(shard: &Shard, partition: &Rc<Partition>) {
    let (before, next) = (partition.log.high_watermark(), partition.next_high_watermark());
    assert!(before <= next, "the high watermark was {before}, and would be {next}");
    if next == before {
        return;
    }
    let end = partition.log.log_end_offset();
    assert!(next <= end, "the high watermark would be {next}, and the log ends at {end}");
    assert!(partition.is_led_here(), "a leader alone says how far records are committed");
    let now = partition.log.set_high_watermark(next);
    assert_eq!(now, next, "the high watermark lies within the log");
    let is_enough = partition.in_sync().is_some_and(|(in_sync, wanted)| in_sync >= wanted);
    let committed = is_enough.then_some(()).ok_or(ErrorCode::NotEnoughReplicasAfterAppend);
    while let Some(waiter) = partition.waiters.take_reached(Until::Committed, next) {
        waiter.done.tell(committed);
    }
    notify_fetch_waiters(shard, partition);
}

pub fn notify_fetch_waiters(shard: &Shard, partition: &Partition) {
    partition.tell_fetch_waiters(|FetchWaiter { core, watch }| shard.tell_moved(core, watch));
}

/// What passes (a full disk, no descriptors, no memory: [`ring::passes`]) refuses the waiters; what
/// was gathered is written when it has passed. Anything else is final.
pub fn refuse_or_fail(shard: &Shard, partition: &Rc<Partition>, what: &str, error: &io::Error) {
    if !ring::passes(error) {
        return fail(shard, partition, &format!("{what}: {error}"));
    }
    partition.waiters.refuse_all(ErrorCode::KafkaStorageError);
    if partition.is_retrying.replace(true) {
        return;
    }
    let (task, partition) = (shard.clone(), partition.clone());
    shard.ring.spawn(async move {
        task.ring.sleep(RETRY_INTERVAL).await;
        assert!(partition.is_retrying.replace(false), "one task of a partition tries again");
        if !partition.is_offline() && !task.is_stopping() {
            task.data.commit.appended(&partition);
        }
    });
}

/// Stops serving a partition whose log has failed.
pub fn fail(shard: &Shard, partition: &Rc<Partition>, why: &str) {
    if !partition.take_offline(Cause::Failed) {
        return;
    }
    tracing::error!(
        topic = %partition.topic, partition = partition.id.index,
        "{why}. This partition serves no more; mend the disk, then restart the broker: it \
         recovers from what is on disk"
    );
    partition.refuse_waiters(ErrorCode::KafkaStorageError);
    notify_fetch_waiters(shard, partition);
}
