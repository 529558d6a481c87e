//! One partition as the core that leads it sees it: its log, who waits for its high watermark, who
//! watches it.
//!
//! Owns: the log and the waiters. Lives on: the core that owns the partition. Never: is touched by
//! another core.

use super::{
    commit::Waiter,
    flushes::{Flush, Lane},
};
use crate::log::{Log, LogConfig};
use protocol::error::ErrorCode;
use ring::Instant;
use rustc_hash::FxHashMap;
use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

/// Names a partition on every core.
pub use crate::log::PartitionId;

/// A fetch that wants to hear when a partition moves: the connection `watch` on core `core`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FetchWaiter {
    pub core: usize,
    pub watch: u64,
}

/// What the admin page counts per partition; sums per topic are made there.
#[derive(Default)]
pub struct PartitionCounters {
    pub produce_requests: Cell<u64>,
    pub produce_records: Cell<u64>,
    pub produce_bytes: Cell<u64>,
    pub fetch_requests: Cell<u64>,
    pub fetch_bytes: Cell<u64>,
}

/// Those who watch a partition, each until the time when its fetch is over at the latest: a fetch
/// that ends does not tell the partitions that gave it nothing.
#[derive(Default)]
struct FetchWaiters {
    until: FxHashMap<FetchWaiter, Instant>,
    /// With so many, those whose time is over are removed.
    look_at: usize,
}

/// Fewer watchers than this are kept without a look at their time.
const WATCHERS_UNLOOKED: usize = 16;

impl FetchWaiters {
    fn add(&mut self, watcher: FetchWaiter, until: Instant, now: Instant) {
        if self.until.len() >= self.look_at.max(WATCHERS_UNLOOKED) {
            self.until.retain(|_, until| *until > now);
            // So the looks cost no more than the additions between them.
            self.look_at = 2 * self.until.len();
        }
        self.until.insert(watcher, until);
    }
}

pub struct Partition {
    pub id: PartitionId,
    pub topic: Rc<str>,
    pub log: Log,
    /// The flushes of its log directory.
    pub lane: OnceCell<Rc<Lane>>,
    pub flush: Cell<Flush>,
    /// A task waits until the appends held back are written.
    pub follows_writes: Cell<bool>,
    pub config: RefCell<Rc<LogConfig>>,
    pub leader_epoch: Cell<i32>,
    /// Records were appended that are not yet written.
    pub is_dirty: Cell<bool>,
    /// What could not be written for now is tried again soon.
    pub is_retrying: Cell<bool>,
    /// Set once, with the first error of its log; from then on it refuses to serve (a failed flush
    /// is final).
    pub failed: Cell<bool>,
    /// Its topic is gone: requests that still hold it answer as if it were not here.
    pub deleted: Cell<bool>,
    /// Those who wait for the high watermark, by rising offset.
    pub waiters: RefCell<VecDeque<Waiter>>,
    fetch_waiters: RefCell<FetchWaiters>,
    pub counters: PartitionCounters,
}

impl Partition {
    pub fn new(
        id: PartitionId,
        topic: Rc<str>,
        log: Log,
        config: Rc<LogConfig>,
        leader_epoch: i32,
    ) -> Partition {
        Partition {
            id,
            topic,
            log,
            lane: OnceCell::new(),
            flush: Cell::default(),
            follows_writes: Cell::new(false),
            config: RefCell::new(config),
            leader_epoch: Cell::new(leader_epoch),
            is_dirty: Cell::new(false),
            is_retrying: Cell::new(false),
            failed: Cell::new(false),
            deleted: Cell::new(false),
            waiters: RefCell::default(),
            fetch_waiters: RefCell::default(),
            counters: PartitionCounters::default(),
        }
    }

    /// Whether it refuses to serve. Its log may have failed where no request waits for it, in a
    /// roll or a removal of records: what a failed sync leaves in the page cache need not be what
    /// was written.
    pub fn has_failed(&self) -> bool {
        self.failed.get() || self.log.has_failed()
    }

    /// Checks the leader epoch that a client believes in (KIP-320); -1 checks nothing.
    pub fn check_leader_epoch(&self, client_epoch: i32) -> Result<(), ErrorCode> {
        match client_epoch {
            -1 => Ok(()),
            epoch if epoch < self.leader_epoch.get() => Err(ErrorCode::FencedLeaderEpoch),
            epoch if epoch > self.leader_epoch.get() => Err(ErrorCode::UnknownLeaderEpoch),
            _ => Ok(()),
        }
    }

    /// Adds a watcher whose fetch is over at `until`. The same one again moves its end, so a
    /// consumer that polls an idle partition has one entry; of consumers that are gone no more are
    /// kept than of those that wait.
    pub fn watch(&self, watcher: FetchWaiter, until: Instant, now: Instant) {
        self.fetch_waiters.borrow_mut().add(watcher, until, now);
    }

    /// Every watcher is told once; a fetch that still waits then leaves its watch again.
    pub fn tell_fetch_waiters(&self, mut tell: impl FnMut(FetchWaiter)) {
        self.fetch_waiters.borrow_mut().until.drain().for_each(|(watcher, _)| tell(watcher));
    }

    /// Takes the first waiter whose offset the high watermark has reached.
    pub fn take_reached(&self, high_watermark: i64) -> Option<Waiter> {
        self.waiters.borrow_mut().pop_front_if(|waiter| waiter.offset <= high_watermark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{
        LogStart,
        tests::{append, open, simulated::run_in, small_config},
    };
    use ring::sim::{SimOptions, World};
    use std::{path::Path, time::Duration};

    /// A consumer that goes leaves its watch in partitions that never move: a thousand of them left
    /// a thousand.
    #[test]
    fn watchers_whose_fetch_is_over_do_not_pile_up() {
        let mut fetch_waiters = FetchWaiters::default();
        let poll = Duration::from_millis(500);
        for number in 0..10_000u64 {
            // Ten of them at a time.
            let now = Instant(0) + Duration::from_millis(50 * number);
            fetch_waiters.add(FetchWaiter { core: 0, watch: number }, now + poll, now);
            assert!(
                fetch_waiters.until.len() <= 21,
                "{} watchers after {number}",
                fetch_waiters.until.len()
            );
        }
        let now = Instant(0) + Duration::from_secs(1000);
        for _ in 0..1000 {
            fetch_waiters.add(FetchWaiter { core: 1, watch: 7 }, now + poll, now);
        }
        assert!(fetch_waiters.until.len() <= 22, "the same one is one");
        let alive = |watch| FetchWaiter { core: 2, watch };
        (0..500).for_each(|watch| fetch_waiters.add(alive(watch), now + poll, now));
        assert!(
            (0..500).all(|watch| fetch_waiters.until.contains_key(&alive(watch))),
            "none that waits is forgotten"
        );
    }

    /// A sync failed under a removal of records, which told its caller alone: readers got zeros
    /// from the page cache.
    #[test]
    fn a_partition_fails_with_its_log() {
        let world = World::new(1, SimOptions::calm());
        let node = world.node("a");
        let disk = world.disk(node);
        run_in(&world, node, move |ring| async move {
            let log =
                open(&ring, Path::new("/data/topic-0"), small_config(), LogStart::default()).await;
            let config = log.config();
            let partition = Partition::new(log.id(), "topic".into(), log.clone(), config, 0);
            append(&log, 0, &[b"written"]);
            log.wait_written().await.unwrap();
            log.set_high_watermark(1);
            assert!(!partition.has_failed());
            disk.fail_next_fsync();
            assert!(log.delete_records_before(1).await.is_err());
            assert!(partition.has_failed());
        });
        world.close();
    }
}
