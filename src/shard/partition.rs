//! One partition as the core that leads it sees it: its log, who waits for its high watermark, who watches it.
//!
//! Owns: the log and the waiters. Lives on: the core that owns the partition. Never: is touched by another core.

use super::commit::Waiter;
use crate::log::{Log, LogConfig, stream::Stream};
use protocol::error::ErrorCode;
use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

/// Names a partition on every core.
pub use crate::log::PartitionId;

/// A fetch that wants to hear when a partition moves: the connection `watch` on core `core`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Watcher {
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

pub struct Partition {
    pub id: PartitionId,
    pub topic: Rc<str>,
    pub log: Log,
    /// Where small appends are made durable.
    pub stream: OnceCell<Rc<Stream>>,
    pub config: RefCell<Rc<LogConfig>>,
    pub leader_epoch: Cell<i32>,
    /// Records were appended that are not yet written, or not yet flushed.
    pub is_dirty: Cell<bool>,
    /// What could not be written for now is tried again soon.
    pub is_retrying: Cell<bool>,
    /// Set once, with the first error of its log; from then on it refuses to serve (a failed flush is final).
    pub failed: Cell<bool>,
    /// Those who wait for the high watermark, by rising offset.
    pub waiters: RefCell<VecDeque<Waiter>>,
    watchers: RefCell<Vec<Watcher>>,
    pub counters: PartitionCounters,
}

impl Partition {
    pub fn new(id: PartitionId, topic: Rc<str>, log: Log, config: Rc<LogConfig>, leader_epoch: i32) -> Partition {
        Partition {
            id,
            topic,
            log,
            stream: OnceCell::new(),
            config: RefCell::new(config),
            leader_epoch: Cell::new(leader_epoch),
            is_dirty: Cell::new(false),
            is_retrying: Cell::new(false),
            failed: Cell::new(false),
            waiters: RefCell::default(),
            watchers: RefCell::default(),
            counters: PartitionCounters::default(),
        }
    }

    /// Whether it refuses to serve. Its log may have failed where nobody waits for it, in a roll or a removal of records: what
    /// a failed sync leaves in the page cache need not be what was written.
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

    /// Adds a watcher; the same one again changes nothing, so a consumer that polls an idle partition leaves one entry.
    pub fn watch(&self, watcher: Watcher) {
        let mut watchers = self.watchers.borrow_mut();
        if !watchers.contains(&watcher) {
            watchers.push(watcher);
        }
    }

    /// Every watcher is told once; whoever still waits then leaves its watch again.
    pub fn tell_watchers(&self, tell: impl FnMut(Watcher)) {
        self.watchers.borrow_mut().drain(..).for_each(tell);
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
    use std::path::Path;

    /// A sync failed under a removal of records, which told its caller alone: readers got zeros from the page cache.
    #[test]
    fn a_partition_fails_with_its_log() {
        let world = World::new(1, SimOptions::calm());
        let node = world.node("a");
        let disk = world.disk(node);
        run_in(&world, node, move |ring| async move {
            let log = open(&ring, Path::new("/data/topic-0"), small_config(), LogStart::default()).await;
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
