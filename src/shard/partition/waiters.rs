//! Those that wait for an offset of a partition to be safe, in three queues: safe in the leader's
//! own log (acks=1, acks=0), committed, which is below the high watermark (acks=all, coordinators),
//! and on the disk, whatever `durability` the topic has (markers).
//!
//! Owns: the queues. Lives on: the core that owns the partition. Never: drops a waiter untold.

use crate::shard::produce::PendingAppends;
use protocol::ErrorCode;
use ring::{Instant, sync::oneshot};
use std::{cell::RefCell, collections::VecDeque, mem, rc::Rc};

/// A request or a task that waits until everything below `offset` is safe.
pub struct Waiter {
    pub offset: i64,
    /// When it waits no longer; `None`: it waits until it hears.
    pub deadline: Option<Instant>,
    pub done: Done,
}

/// How a waiter is told.
pub enum Done {
    /// One of the appends of a produce request.
    Append { pending: Rc<PendingAppends>, index: usize },
    /// A task of this core.
    Task(oneshot::Sender<Result<(), ErrorCode>>),
}

impl Done {
    pub fn tell(self, result: Result<(), ErrorCode>) {
        match self {
            Done::Append { pending, index } => pending.complete(index, result),
            Done::Task(sender) => sender.send(result),
        }
    }
}

/// What a waiter waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// As safe in the leader's own log as the topic asks for.
    Safe,
    /// Below the high watermark.
    Committed,
    /// On the disk of the leader.
    Durable,
}

/// Waiters by rising offset.
#[derive(Default)]
struct Queue(RefCell<VecDeque<Waiter>>);

impl Queue {
    /// A duplicate waits for an earlier offset than the last append: it goes in its place.
    fn add(&self, waiter: Waiter) {
        assert!(waiter.offset > 0, "nothing is waited for below offset {}", waiter.offset);
        let mut waiters = self.0.borrow_mut();
        let place = waiters
            .iter()
            .rposition(|other| other.offset <= waiter.offset)
            .map_or(0, |before| before + 1);
        waiters.insert(place, waiter);
    }

    fn take_reached(&self, offset: i64) -> Option<Waiter> {
        let mut waiters = self.0.borrow_mut();
        let taken = waiters.pop_front_if(|waiter| waiter.offset <= offset)?;
        assert!(
            waiters.front().is_none_or(|next| taken.offset <= next.offset),
            "waiters are told by rising offset, and not {} first",
            taken.offset
        );
        Some(taken)
    }

    /// Takes those whose time is over.
    fn take_expired(&self, now: Instant, expired: &mut Vec<Waiter>) {
        let is_over = |waiter: &Waiter| waiter.deadline.is_some_and(|deadline| deadline <= now);
        let mut waiters = self.0.borrow_mut();
        if waiters.iter().any(is_over) {
            let (over, left) = mem::take(&mut *waiters).into_iter().partition(is_over);
            *waiters = left;
            let over: VecDeque<Waiter> = over;
            expired.extend(over);
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.0.borrow().iter().filter_map(|waiter| waiter.deadline).min()
    }
}

#[derive(Default)]
pub struct Waiters {
    safe: Queue,
    committed: Queue,
    durable: Queue,
}

impl Waiters {
    fn queue(&self, until: Until) -> &Queue {
        match until {
            Until::Safe => &self.safe,
            Until::Committed => &self.committed,
            Until::Durable => &self.durable,
        }
    }

    fn all(&self) -> [&Queue; 3] {
        [&self.safe, &self.committed, &self.durable]
    }

    pub fn add(&self, until: Until, waiter: Waiter) {
        self.queue(until).add(waiter);
    }

    /// The first one whose offset is reached.
    pub fn take_reached(&self, until: Until, offset: i64) -> Option<Waiter> {
        self.queue(until).take_reached(offset)
    }

    /// Those that have waited long enough.
    pub fn take_expired(&self, now: Instant) -> Vec<Waiter> {
        let mut expired = Vec::new();
        self.all().iter().for_each(|queue| queue.take_expired(now, &mut expired));
        expired
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        self.all().iter().filter_map(|queue| queue.next_deadline()).min()
    }

    /// Tells all of them that what they wait for does not come.
    pub fn refuse_all(&self, error: ErrorCode) {
        for queue in self.all() {
            // Taken before the first is told: one that is told may cause another to be added.
            let waiters = queue.0.take();
            for waiter in waiters {
                waiter.done.tell(Err(error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiter(offset: i64, deadline: Option<u64>) -> (Waiter, oneshot::Receiver<Heard>) {
        let (sender, receiver) = oneshot::channel();
        (Waiter { offset, deadline: deadline.map(Instant), done: Done::Task(sender) }, receiver)
    }

    type Heard = Result<(), ErrorCode>;

    fn offsets(waiters: &Waiters, until: Until, reached: i64) -> Vec<i64> {
        std::iter::from_fn(|| waiters.take_reached(until, reached)).map(|one| one.offset).collect()
    }

    #[test]
    fn each_queue_is_told_by_rising_offset_what_it_waits_for() {
        let waiters = Waiters::default();
        for (until, offset) in [
            (Until::Safe, 3),
            (Until::Committed, 2),
            (Until::Safe, 1),
            (Until::Safe, 5),
            (Until::Durable, 4),
        ] {
            waiters.add(until, waiter(offset, None).0);
        }
        assert_eq!(offsets(&waiters, Until::Safe, 3), [1, 3]);
        assert_eq!(offsets(&waiters, Until::Durable, 4), [4]);
        assert_eq!(offsets(&waiters, Until::Committed, 1), [0; 0]);
        assert_eq!(offsets(&waiters, Until::Committed, 9), [2]);
        assert_eq!(offsets(&waiters, Until::Safe, 9), [5]);
    }

    #[test]
    fn those_whose_time_is_over_leave_either_queue() {
        let waiters = Waiters::default();
        waiters.add(Until::Safe, waiter(3, Some(50)).0);
        waiters.add(Until::Safe, waiter(4, None).0);
        waiters.add(Until::Committed, waiter(1, Some(40)).0);
        waiters.add(Until::Committed, waiter(2, Some(90)).0);
        assert_eq!(waiters.next_deadline(), Some(Instant(40)));
        let expired = |now| {
            let expired = waiters.take_expired(Instant(now));
            expired.iter().map(|one| one.offset).collect::<Vec<_>>()
        };
        assert_eq!((expired(39), expired(50)), (vec![], vec![3, 1]));
        assert_eq!(waiters.next_deadline(), Some(Instant(90)));
        assert_eq!(expired(90), [2]);
        assert_eq!(waiters.next_deadline(), None);
    }

    #[test]
    fn a_refusal_tells_all() {
        let waiters = Waiters::default();
        let (safe, mut of_safe) = waiter(3, None);
        let (committed, mut of_committed) = waiter(3, None);
        waiters.add(Until::Safe, safe);
        waiters.add(Until::Committed, committed);
        waiters.refuse_all(ErrorCode::KafkaStorageError);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        for receiver in [&mut of_safe, &mut of_committed] {
            let heard = std::future::Future::poll(std::pin::Pin::new(receiver), &mut context);
            assert_eq!(heard, std::task::Poll::Ready(Some(Err(ErrorCode::KafkaStorageError))));
        }
    }
}
