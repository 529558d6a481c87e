//! The end of waits whose time is over: a produce request waits for its `timeout_ms` at most.
//!
//! Owns: the list of partitions whose waiters have a deadline, and the time of the next look at
//! them. Lives on: the core of the partitions. Never: takes records back: they stay in the log, and
//! a producer that sends them again finds them there.
//!
//! An append costs a comparison: with the timeouts that clients use, deadlines come in the order of
//! the appends, and the list is looked at once in such a time.

use crate::{
    limits,
    pace::TurnBudget,
    shard::{
        Shard,
        partition::{
            Partition,
            waiters::{Until, Waiter},
        },
    },
};
use protocol::ErrorCode;
use ring::{Instant, sync::Notify};
use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    time::Duration,
};

#[derive(Default)]
pub struct Expiry {
    /// Each once: those that are timed. One that is deleted goes, and its files with it.
    partitions: RefCell<Vec<Weak<Partition>>>,
    next: Cell<Option<Instant>>,
    /// The next look has come nearer.
    sooner: Notify,
}

impl Expiry {
    fn note(&self, partition: &Rc<Partition>, deadline: Instant, now: Instant) {
        if !partition.is_timed.replace(true) {
            self.partitions.borrow_mut().push(Rc::downgrade(partition));
        }
        // However late the deadline is, what is gone leaves the list soon.
        let deadline =
            deadline.min(now + Duration::from_millis(limits::PRODUCE_EXPIRY_INTERVAL_MS));
        if self.next.get().is_none_or(|next| deadline < next) {
            self.next.set(Some(deadline));
            self.sooner.notify();
        }
    }

    /// At the end of the core.
    pub fn forget(&self) {
        drop(self.partitions.take());
    }
}

/// Leaves a waiter with the partition until what it waits for has come, or its time is over.
pub fn wait(shard: &Shard, partition: &Rc<Partition>, until: Until, waiter: Waiter) {
    let (deadline, offset) = (waiter.deadline, waiter.offset);
    assert!(!partition.has_reached(until, offset), "{offset} is reached: its waiter hears no more");
    let end = partition.log.log_end_offset();
    assert!(offset <= end, "{offset} is waited for in a log that ends at {end}");
    partition.waiters.add(until, waiter);
    if let Some(deadline) = deadline {
        note(shard, partition, deadline);
    }
}

/// Something waits with the partition, until `deadline` at most.
pub fn note(shard: &Shard, partition: &Rc<Partition>, deadline: Instant) {
    shard.data.produce_expiry.note(partition, deadline, shard.ring.now());
}

/// Ends waits when their time is over, as long as the core lives.
pub async fn run(shard: Shard) {
    let expiry = &shard.data.produce_expiry;
    loop {
        let sooner = expiry.sooner.notified();
        let now = shard.ring.now();
        match expiry.next.get() {
            None => sooner.await,
            Some(next) if next > now => {
                shard.ring.timeout(next.since(now), sooner).await;
            }
            Some(_) => expire(&shard, now).await,
        }
    }
}

async fn expire(shard: &Shard, now: Instant) {
    let expiry = &shard.data.produce_expiry;
    let mut budget = TurnBudget::of_items(&shard.ring);
    // Waits that begin from here on note their own deadlines.
    expiry.next.set(None);
    let timed = expiry.partitions.take();
    for partition in timed.iter().filter_map(Weak::upgrade) {
        assert!(partition.is_timed.replace(false), "a listed partition is timed");
        let waiters = partition.waiters.take_expired(now).into_iter().map(|waiter| waiter.done);
        for done in waiters.chain(partition.unverified.take_expired(now)) {
            done.tell(Err(ErrorCode::RequestTimedOut));
            budget.item_done().await;
        }
        let deadlines = [partition.waiters.next_deadline(), partition.unverified.next_deadline()];
        if let Some(deadline) = deadlines.into_iter().flatten().min() {
            expiry.note(&partition, deadline, now);
        }
        budget.item_done().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        log::{
            LogStart,
            tests::{open, simulated::run_in, small_config},
        },
        shard::partition::{role::Role, waiters::Done},
    };
    use ring::{
        sim::{SimOptions, World},
        sync::oneshot,
    };
    use std::path::Path;

    #[test]
    fn the_next_look_is_at_the_nearest_deadline_and_a_partition_is_listed_once() {
        let world = World::new(1, SimOptions::calm());
        let node = world.node("a");
        run_in(&world, node, move |ring| async move {
            let log =
                open(&ring, Path::new("/data/topic-0"), small_config(), LogStart::default()).await;
            let (id, config) = (log.id(), log.config());
            let partition = Rc::new(Partition::new(id, "topic".into(), log, config, Role::alone()));
            let expiry = Expiry::default();
            let mut receivers = Vec::new();
            for deadline in [50, 70, 40] {
                let (sender, receiver) = oneshot::channel();
                let deadline = Instant(deadline);
                let waiter =
                    Waiter { offset: 1, deadline: Some(deadline), done: Done::Task(sender) };
                partition.waiters.add(Until::Safe, waiter);
                expiry.note(&partition, deadline, Instant(0));
                receivers.push(receiver);
            }
            let listed = || expiry.partitions.borrow().len();
            assert_eq!((listed(), expiry.next.get()), (1, Some(Instant(40))));
            // A deadline that never comes does not keep a deleted partition, nor its place.
            let later = Expiry::default();
            partition.is_timed.set(false);
            later.note(&partition, Instant(u64::MAX), Instant(0));
            let interval = Duration::from_millis(limits::PRODUCE_EXPIRY_INTERVAL_MS);
            assert_eq!(later.next.get(), Some(Instant(0) + interval));
            drop(partition);
            assert!(later.partitions.borrow()[0].upgrade().is_none());
        });
        world.close();
    }
}
