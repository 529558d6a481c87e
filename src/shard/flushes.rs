//! Which flush each partition of a log directory waits for, on one core: the commit stream's next
//! round, or one of its own.
//!
//! Owns: the queues of one directory, and where the flush of each partition in them stands. Lives
//! on: every core, for the partitions it leads. Never: does I/O, or has a partition in two flushes
//! at a time. What belongs to one directory waits for nothing of another one.

use super::partition::Partition;
use crate::{limits, log::commit_log::CommitLog};
use ring::sync::{Notify, Semaphore};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    path::{Path, PathBuf},
    rc::Rc,
};

/// Groups up to this size go by the stream where few partitions are dirty at once.
const STREAM_GROUP_BYTES_OF_FEW: usize = 32 * 1024;
/// From so many on,
const MANY_PARTITIONS: usize = 8;
/// groups up to this size do.
const STREAM_GROUP_BYTES_OF_MANY: usize = 64 * 1024;

const _: () = assert!(STREAM_GROUP_BYTES_OF_MANY < limits::STREAM_FRAME_MAX_BYTES);

/// Where the flush of a partition stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Flush {
    /// Nothing is to be flushed.
    #[default]
    Done,
    Waits,
    Runs,
    /// More was written since the one began that runs.
    RunsAndWaits,
}

/// The flushes of one log directory.
pub struct Lane {
    root: PathBuf,
    /// Once nothing of an earlier run is left; none where streams are switched off.
    stream: RefCell<Option<Rc<CommitLog>>>,
    /// Have no way yet.
    wanted: RefCell<Vec<Rc<Partition>>>,
    /// Wait for the next round of the stream.
    small: RefCell<Vec<Rc<Partition>>>,
    /// Wait for a flush of their own.
    large: RefCell<VecDeque<Rc<Partition>>>,
    /// Partitions whose flush waits or runs.
    dirty: Cell<usize>,
    /// There is something in `small`.
    pub small_work: Notify,
    /// There is something in `large`.
    pub large_work: Notify,
    /// Tasks that flush large groups, and those of them that wait for work.
    pub flushers: Cell<usize>,
    pub idle_flushers: Cell<usize>,
    /// Writes that are left to the ring, where the core serves other directories, too.
    pub writes: Rc<Semaphore>,
}

impl Lane {
    pub fn new(root: PathBuf) -> Rc<Lane> {
        Rc::new(Lane {
            root,
            stream: RefCell::default(),
            wanted: RefCell::default(),
            small: RefCell::default(),
            large: RefCell::default(),
            dirty: Cell::new(0),
            small_work: Notify::default(),
            large_work: Notify::default(),
            flushers: Cell::new(0),
            idle_flushers: Cell::new(0),
            writes: Rc::new(Semaphore::new(limits::DIR_WRITES_IN_FLIGHT)),
        })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn stream(&self) -> Option<Rc<CommitLog>> {
        self.stream.borrow().clone()
    }

    pub fn set_stream(&self, stream: Rc<CommitLog>) {
        let before = self.stream.replace(Some(stream));
        assert!(before.is_none(), "{} has one commit log at a time", self.root.display());
    }

    pub fn take_stream(&self) -> Option<Rc<CommitLog>> {
        self.stream.take()
    }

    /// At the end of the core.
    pub fn forget(&self) {
        drop((self.wanted.take(), self.small.take(), self.large.take(), self.stream.take()));
    }

    pub fn is_idle(&self) -> bool {
        let is_idle = self.dirty.get() == 0;
        let waiting = self.waiting();
        assert!(!is_idle || waiting == 0, "{waiting} flushes wait where no partition is dirty");
        is_idle
    }

    /// Partitions in a queue; those whose flush runs are in none.
    fn waiting(&self) -> usize {
        self.wanted.borrow().len() + self.small.borrow().len() + self.large_count()
    }

    /// Takes note that a partition has something written that is not durable. It gets its way with
    /// [`Lane::sort`].
    pub fn want(&self, partition: &Rc<Partition>) {
        match partition.flush.get() {
            Flush::Done => {
                partition.flush.set(Flush::Waits);
                self.dirty.set(self.dirty.get() + 1);
                self.wanted.borrow_mut().push(partition.clone());
            }
            Flush::Runs => partition.flush.set(Flush::RunsAndWaits),
            Flush::Waits | Flush::RunsAndWaits => {}
        }
    }

    /// Gives every partition its way, once all that leave together have said so: their number
    /// decides, too.
    pub fn sort(&self) {
        let mut wanted = self.wanted.borrow_mut();
        for partition in wanted.drain(..) {
            assert_eq!(partition.flush.get(), Flush::Waits, "what is queued waits");
            if self.goes_by_stream(&partition) {
                self.small.borrow_mut().push(partition);
            } else {
                self.large.borrow_mut().push_back(partition);
            }
        }
        drop(wanted);
        let (waiting, dirty) = (self.waiting(), self.dirty.get());
        assert!(waiting <= dirty, "{waiting} flushes wait, and {dirty} partitions are dirty");
        if self.has_small() {
            self.small_work.notify();
        }
        if self.large_count() > 0 {
            self.large_work.notify();
        }
    }

    fn goes_by_stream(&self, partition: &Partition) -> bool {
        let bytes = partition.log.uncommitted_bytes().unwrap_or(0);
        self.stream.borrow().as_ref().is_some_and(|stream| stream.is_working())
            && goes_by_stream(self.dirty.get(), bytes)
    }

    pub fn has_small(&self) -> bool {
        !self.small.borrow().is_empty()
    }

    pub fn large_count(&self) -> usize {
        self.large.borrow().len()
    }

    /// Begins a round of the stream: its partitions. Groups that have grown too large meanwhile go
    /// straight.
    pub fn take_small(&self, round: &mut Vec<Rc<Partition>>) {
        assert!(round.is_empty(), "one round at a time");
        std::mem::swap(round, &mut *self.small.borrow_mut());
        round.retain(|partition| {
            let goes = self.goes_by_stream(partition);
            if goes {
                let before = partition.flush.replace(Flush::Runs);
                assert_eq!(before, Flush::Waits, "a round takes what waits");
            } else {
                self.large.borrow_mut().push_back(partition.clone());
            }
            goes
        });
        let (begun, waiting, dirty) = (round.len(), self.waiting(), self.dirty.get());
        assert!(begun + waiting <= dirty, "{begun} flushes begin, {waiting} wait, of {dirty}");
    }

    /// Begins the flush of one partition's own files.
    pub fn take_large(&self) -> Option<Rc<Partition>> {
        let partition = self.large.borrow_mut().pop_front()?;
        let before = partition.flush.replace(Flush::Runs);
        assert_eq!(before, Flush::Waits, "a flush begins that waits");
        let (waiting, dirty) = (self.waiting(), self.dirty.get());
        assert!(waiting < dirty, "a flush begins, and {waiting} wait, of {dirty}");
        Some(partition)
    }

    /// The stream has not taken it.
    pub fn go_straight(&self, partition: Rc<Partition>) {
        let before = partition.flush.replace(Flush::Waits);
        assert!(
            matches!(before, Flush::Runs | Flush::RunsAndWaits),
            "the round had it, and it was {before:?}"
        );
        self.large.borrow_mut().push_back(partition);
    }

    /// A flush has ended, well or not. What was written meanwhile wants another one.
    pub fn ended(&self, partition: &Rc<Partition>) {
        let known = partition.lane.get();
        assert!(
            known.is_some_and(|lane| std::ptr::eq(&**lane, self)),
            "a flush of {} ends in another log directory",
            partition.topic
        );
        let before = partition.flush.replace(Flush::Done);
        assert!(
            matches!(before, Flush::Runs | Flush::RunsAndWaits),
            "a flush ends that has begun, not {before:?}"
        );
        assert!(self.dirty.get() > 0, "a partition whose flush runs is dirty");
        self.dirty.set(self.dirty.get() - 1);
        let log = &partition.log;
        let (durable, written) = (log.durable_offset(), log.written_offset());
        assert!(durable <= written, "durable to {durable}, and written to {written}");
        if before == Flush::RunsAndWaits && !partition.has_failed() && durable < written {
            self.want(partition);
        }
    }
}

/// Whether a partition's group goes by the stream. The stream writes twice, but in one piece, into
/// blocks that were written before; a file of its own pays for its journal commit. The figures are
/// in docs/benchmarks/commit-log.md.
fn goes_by_stream(dirty_partitions: usize, group_bytes: usize) -> bool {
    let is_few = dirty_partitions < MANY_PARTITIONS;
    let limit = if is_few { STREAM_GROUP_BYTES_OF_FEW } else { STREAM_GROUP_BYTES_OF_MANY };
    (1..=limit).contains(&group_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{
        LogStart,
        commit_log::CommitLogOptions,
        tests::{append, open, simulated::run_in, small_config},
    };
    use crate::shard::partition::role::Role;
    use ring::{
        Ring,
        sim::{SimOptions, World},
    };

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

    async fn partition(ring: &Ring, number: usize) -> Rc<Partition> {
        let config = crate::log::LogConfig { segment_bytes: 1 << 20, ..small_config() };
        let log =
            open(ring, Path::new(&format!("/data/topic-{number}")), config, LogStart::default())
                .await;
        let config = log.config();
        Rc::new(Partition::new(log.id(), "topic".into(), log, config, Role::alone()))
    }

    async fn write(lane: &Rc<Lane>, partition: &Rc<Partition>, bytes: usize) {
        partition.lane.get_or_init(|| lane.clone());
        append(&partition.log, 0, &[&vec![7; bytes]]);
        partition.log.wait_written().await.unwrap();
        lane.want(partition);
        lane.sort();
    }

    /// Names and order as the queues give them out; each one has begun then.
    fn begun(lane: &Lane) -> (Vec<i32>, Vec<i32>) {
        let mut round = Vec::new();
        lane.take_small(&mut round);
        let numbers =
            |partitions: Vec<Rc<Partition>>| partitions.iter().map(|one| one.id.index).collect();
        (numbers(round), numbers(std::iter::from_fn(|| lane.take_large()).collect()))
    }

    /// Small beside large groups, a group that grows while it waits, and writes while a flush runs.
    #[test]
    fn a_partition_is_in_one_flush_at_a_time_and_waits_for_none_but_its_own() {
        let world = World::new(1, SimOptions::calm());
        let node = world.node("a");
        run_in(&world, node, |ring| async move {
            let lane = Lane::new("/data".into());
            let options = CommitLogOptions::with_files_of(1 << 20);
            lane.set_stream(CommitLog::new(&ring, "/data".into(), 0, options, Box::new(|_, _| {})));
            let [small, bulk, grows] =
                [partition(&ring, 0).await, partition(&ring, 1).await, partition(&ring, 2).await];
            write(&lane, &small, 100).await;
            write(&lane, &bulk, 100_000).await;
            write(&lane, &grows, 100).await;
            write(&lane, &grows, 100_000).await;
            assert_eq!(begun(&lane), (vec![0], vec![1, 2]), "what has grown goes straight");
            // All three run: more of each waits for the end of its own flush.
            for partition in [&small, &bulk, &grows] {
                write(&lane, partition, 10).await;
                assert_eq!(partition.flush.get(), Flush::RunsAndWaits);
            }
            assert_eq!(begun(&lane), (vec![], vec![]));
            lane.ended(&small);
            lane.sort();
            assert_eq!(begun(&lane), (vec![0], vec![]), "it waits for no large one");
            // The stream has not taken it.
            lane.go_straight(small.clone());
            assert_eq!(begun(&lane), (vec![], vec![0]));
            bulk.log.sync().await.unwrap();
            lane.ended(&bulk);
            assert_eq!(bulk.flush.get(), Flush::Done, "all of it is durable");
            lane.ended(&small);
            lane.ended(&grows);
            lane.sort();
            assert_eq!(begun(&lane), (vec![], vec![2]), "its whole group is still as large");
            assert!(!lane.is_idle());
            lane.ended(&grows);
            assert!(lane.is_idle());
        });
        world.close();
    }
}
