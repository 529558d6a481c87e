//! One partition as the core that owns it sees it: its log, what this node is to it, and those that
//! wait for it.
//!
//! Owns: the log, the role ([`role`]), those that wait for an offset to be safe ([`waiters`]) and
//! those that wait for records ([`fetch_waiters`]). [`high_watermark`] decides how far records are
//! committed. Lives on: the core that owns the partition. Never: is touched by another core.

mod fetch_waiters;
pub mod high_watermark;
pub mod role;
pub mod waiters;

use super::{
    flushes::{Flush, Lane},
    produce::Unverified,
};
use crate::{
    log::{Log, LogConfig},
    meta::topic::PartitionRegistration as Registration,
};
pub use fetch_waiters::FetchWaiter;
use fetch_waiters::FetchWaiters;
use protocol::error::ErrorCode;
use ring::Instant;
use role::{Cause, Role};
use std::{
    cell::{Cell, OnceCell, Ref, RefCell},
    rc::Rc,
};
use waiters::{Until, Waiter, Waiters};

/// Names a partition on every core.
pub use crate::log::PartitionId;

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
    role: RefCell<Role>,
    /// The flushes of its log directory.
    pub lane: OnceCell<Rc<Lane>>,
    pub flush: Cell<Flush>,
    /// A task waits until the appends held back are written.
    pub follows_writes: Cell<bool>,
    pub config: RefCell<Rc<LogConfig>>,
    /// Records were appended that are not yet written.
    pub is_dirty: Cell<bool>,
    /// What could not be written for now is tried again soon.
    pub is_retrying: Cell<bool>,
    pub waiters: Waiters,
    /// Appends whose transactions are not verified yet.
    pub unverified: Unverified,
    /// Those that wait for less than this to be safe in this log have heard of it.
    announced_safe: Cell<i64>,
    /// Its waiters' deadlines are looked at.
    pub is_timed: Cell<bool>,
    /// It is flushed when `flush.ms` are over.
    pub has_flush_timer: Cell<bool>,
    fetch_waiters: RefCell<FetchWaiters>,
    pub counters: PartitionCounters,
}

impl Partition {
    pub fn new(
        id: PartitionId,
        topic: Rc<str>,
        log: Log,
        config: Rc<LogConfig>,
        role: Role,
    ) -> Partition {
        assert!(!role.is_offline(), "{topic}-{} is opened to be served", id.index);
        assert_eq!(log.id(), id, "a partition of {topic} has its own log");
        Partition {
            id,
            topic,
            role: RefCell::new(role),
            lane: OnceCell::new(),
            flush: Cell::default(),
            follows_writes: Cell::new(false),
            config: RefCell::new(config),
            is_dirty: Cell::new(false),
            is_retrying: Cell::new(false),
            waiters: Waiters::default(),
            unverified: Unverified::default(),
            announced_safe: Cell::new(log.safe_offset()),
            is_timed: Cell::new(false),
            has_flush_timer: Cell::new(false),
            fetch_waiters: RefCell::default(),
            counters: PartitionCounters::default(),
            log,
        }
    }

    pub fn role(&self) -> Ref<'_, Role> {
        self.role.borrow()
    }

    /// The metadata have changed: takes the role that they give to `node_id`. Says whether it is
    /// another one, or of another epoch. What is offline stays so.
    pub fn follow_metadata(&self, registration: &Registration, node_id: i32) -> bool {
        if self.is_offline() {
            return false;
        }
        let next = self.role.borrow().next(registration, node_id);
        let is_other = next.leader_epoch() != self.role.borrow().leader_epoch()
            || self.is_led_here() != matches!(next, Role::Leader(_));
        self.role.replace(next);
        // A follower's log may have been cut.
        self.announced_safe.set(self.announced_safe.get().min(self.log.safe_offset()));
        is_other
    }

    /// Serves nothing from now on. Says whether it did before. A partition that is gone stays so:
    /// what its log, which is closed, fails with afterwards tells of no disk.
    pub fn take_offline(&self, cause: Cause) -> bool {
        if self.is_gone() {
            return false;
        }
        let before = self.role.replace(Role::Offline(cause));
        !before.is_offline()
    }

    /// `flush.messages` and `flush.ms`.
    pub fn flush_bounds(&self) -> (i64, i64) {
        let config = self.config.borrow();
        (config.flush_messages, config.flush_ms)
    }

    pub fn is_offline(&self) -> bool {
        self.role.borrow().is_offline()
    }

    /// It is not this node's any more, though a request still holds it.
    pub fn is_gone(&self) -> bool {
        *self.role.borrow() == Role::Offline(Cause::Gone)
    }

    pub fn is_led_here(&self) -> bool {
        matches!(*self.role.borrow(), Role::Leader(_))
    }

    /// Whether it refuses to serve. Its log may have failed where no request waits for it, in a
    /// roll or a removal of records: what a failed sync leaves in the page cache need not be what
    /// was written.
    pub fn has_failed(&self) -> bool {
        self.is_offline() || self.log.has_failed()
    }

    /// The epoch in which this node leads it. The errors are Apache Kafka's, in its order: the
    /// epoch that the client believes in (KIP-320; -1 checks nothing) comes before the question
    /// which node leads.
    pub fn check_leader(&self, client_epoch: i32) -> Result<i32, ErrorCode> {
        let role = self.role.borrow();
        let Some(leader_epoch) = role.leader_epoch() else {
            return Err(ErrorCode::KafkaStorageError);
        };
        match client_epoch {
            -1 => {}
            epoch if epoch < leader_epoch => return Err(ErrorCode::FencedLeaderEpoch),
            epoch if epoch > leader_epoch => return Err(ErrorCode::UnknownLeaderEpoch),
            _ => {}
        }
        match *role {
            Role::Leader(_) => Ok(leader_epoch),
            _ => Err(ErrorCode::NotLeaderOrFollower),
        }
    }

    /// Whether a waiter for `offset` need not wait.
    pub fn has_reached(&self, until: Until, offset: i64) -> bool {
        match until {
            Until::Safe => self.announced_safe.get() >= offset,
            Until::Committed => self.log.high_watermark() >= offset,
            Until::Durable => self.log.durable_offset() >= offset,
        }
    }

    /// Tells all that wait for offsets, or to be appended, that it does not come.
    pub fn refuse_waiters(&self, error: ErrorCode) {
        assert!(!self.is_led_here(), "{}-{} serves those that wait", self.topic, self.id.index);
        self.waiters.refuse_all(error);
        self.unverified.refuse_all(error);
    }

    /// Everything below is safe in this log: takes the next one of those that waited for no more.
    pub fn take_safe(&self, safe_offset: i64) -> Option<Waiter> {
        self.announced_safe.set(self.announced_safe.get().max(safe_offset));
        self.waiters.take_reached(Until::Safe, safe_offset)
    }

    /// How many replicas are in sync, and how many must be before acks=all is acknowledged; `None`
    /// where this node does not lead.
    pub fn in_sync(&self) -> Option<(usize, usize)> {
        let Role::Leader(leadership) = &*self.role.borrow() else { return None };
        let wanted = leadership.effective_min_in_sync(self.config.borrow().min_insync_replicas);
        Some((leadership.in_sync_count(), wanted))
    }

    /// The high watermark that the progress of the replicas allows.
    pub fn next_high_watermark(&self) -> i64 {
        let (current, safe) = (self.log.high_watermark(), self.log.safe_offset());
        match &*self.role.borrow() {
            Role::Leader(leadership) => {
                let min_insync_replicas = self.config.borrow().min_insync_replicas;
                let progress = leadership.progress(safe, min_insync_replicas);
                high_watermark::high_watermark(current, &progress)
            }
            // The leader says how far a follower's records are committed.
            Role::Follower { .. } | Role::Offline(_) => current,
        }
    }

    /// Adds a fetch that is over at `until`. The same one again moves its end, so a consumer that
    /// polls an idle partition has one entry; of consumers that are gone no more are kept than of
    /// those that wait.
    pub fn watch(&self, waiter: FetchWaiter, until: Instant, now: Instant) {
        self.fetch_waiters.borrow_mut().add(waiter, until, now);
    }

    /// Every fetch is told once; one that still waits then leaves its watch again.
    pub fn tell_fetch_waiters(&self, tell: impl FnMut(FetchWaiter)) {
        self.fetch_waiters.borrow_mut().take().for_each(tell);
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

    fn registration(leader: i32, leader_epoch: i32) -> Registration {
        let (replicas, isr) = (vec![1, 2], vec![1, 2]);
        Registration { replicas, isr, leader, leader_epoch, ..Registration::default() }
    }

    #[test]
    fn only_the_leader_serves_and_only_in_its_epoch() {
        let world = World::new(1, SimOptions::calm());
        let node = world.node("a");
        run_in(&world, node, move |ring| async move {
            let log =
                open(&ring, Path::new("/data/topic-0"), small_config(), LogStart::default()).await;
            let config = log.config();
            let role = Role::of(&registration(1, 4), 1);
            let partition = Partition::new(log.id(), "topic".into(), log, config, role);
            assert_eq!(partition.check_leader(-1), Ok(4));
            assert_eq!(partition.check_leader(3), Err(ErrorCode::FencedLeaderEpoch));
            assert_eq!(partition.check_leader(5), Err(ErrorCode::UnknownLeaderEpoch));
            assert!(!partition.follow_metadata(&registration(1, 4), 1), "nothing has changed");
            assert!(partition.follow_metadata(&registration(2, 5), 1));
            assert_eq!(partition.check_leader(4), Err(ErrorCode::FencedLeaderEpoch));
            assert_eq!(partition.check_leader(5), Err(ErrorCode::NotLeaderOrFollower));
            assert!(partition.take_offline(Cause::Failed));
            assert!(!partition.take_offline(Cause::Gone), "it was offline");
            assert!(!partition.take_offline(Cause::Failed));
            assert!(partition.is_gone(), "a failure that comes later is not why it is offline");
            assert!(!partition.follow_metadata(&registration(1, 6), 1), "it stays offline");
            assert_eq!(partition.check_leader(-1), Err(ErrorCode::KafkaStorageError));
        });
        world.close();
    }

    /// A follower that has not fetched yet holds the high watermark back.
    #[test]
    fn the_high_watermark_waits_for_every_replica_in_sync() {
        let world = World::new(1, SimOptions::calm());
        let node = world.node("a");
        run_in(&world, node, move |ring| async move {
            let log =
                open(&ring, Path::new("/data/topic-0"), small_config(), LogStart::default()).await;
            let config = log.config();
            let role = Role::of(&registration(1, 4), 1);
            let partition = Partition::new(log.id(), "topic".into(), log.clone(), config, role);
            append(&log, 0, &[b"one"]);
            log.sync().await.unwrap();
            assert_eq!((log.safe_offset(), partition.next_high_watermark()), (1, 0));
            let alone = Registration { isr: vec![1], ..registration(1, 4) };
            partition.follow_metadata(&alone, 1);
            assert_eq!(partition.next_high_watermark(), 1);
        });
        world.close();
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
            let partition =
                Partition::new(log.id(), "topic".into(), log.clone(), config, Role::alone());
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
