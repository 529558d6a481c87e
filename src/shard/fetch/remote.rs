//! The reads of one fetch on their way to another core, and what they came to on the way back.
//!
//! Owns: the box that carries both, and the tasks that read for other cores. Lives on: the core of
//! the connection, which keeps the box for its next fetch; on the owner's core while that reads.
//! Never: is allocated in steady state, or freed by another core than the one that made it.

use super::read::{FetchOptions, FetchRead, FetchedPartition, Share};
use crate::{
    limits,
    pace::TurnBudget,
    shard::{Shard, mailbox::Errand},
};
use ring::sync::Notify;
use rustc_hash::FxHashMap;
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::poll_fn,
    pin::pin,
    rc::Rc,
    task::{Poll, Waker},
};

/// Goes out with reads and comes back with what they found, in the same order.
#[derive(Default)]
pub struct Remote {
    /// The fetch on the core that asks.
    number: u64,
    is_answered: bool,
    options: FetchOptions,
    /// The places of the reads in the fetch.
    places: Vec<usize>,
    reads: Vec<FetchRead>,
    fetched: Vec<FetchedPartition>,
}

/// Boxes of one fetch, each for another core.
#[derive(Default)]
pub struct Others(Vec<(usize, Box<Remote>)>);

/// What one fetch still has on other cores, and what has come back of it.
#[derive(Default)]
pub struct Answers {
    missing: Cell<usize>,
    #[expect(clippy::vec_box, reason = "a box crosses to the other core as it is, and comes back")]
    back: RefCell<Vec<Box<Remote>>>,
    changed: Notify,
}

/// What one core has on its way to others, and boxes for more.
#[derive(Default)]
pub struct UnderWay {
    fetches: RefCell<FxHashMap<u64, Rc<Answers>>>,
    next_number: Cell<u64>,
    #[expect(clippy::vec_box, reason = "a box crosses to the other core as it is, and comes back")]
    spares: RefCell<Vec<Box<Remote>>>,
}

impl UnderWay {
    fn keep(&self, remote: Box<Remote>) {
        assert!(remote.reads.is_empty(), "what comes back was read");
        let mut spares = self.spares.borrow_mut();
        let is_usual = remote.reads.capacity().max(remote.fetched.capacity())
            <= limits::FETCH_SPARE_PARTITIONS_MAX;
        if is_usual && spares.len() < limits::FETCH_SPARES_MAX {
            spares.push(remote);
        }
    }

    /// At the end of the core: what is under way is not heard of any more.
    pub fn forget(&self) {
        drop(self.fetches.take());
    }
}

impl Others {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn push(&mut self, shard: &Shard, owner: usize, place: usize, read: FetchRead) {
        let remote = match self.0.iter_mut().find(|(other, _)| *other == owner) {
            Some((_, remote)) => remote,
            None => {
                let spare = shard.data.fetch_under_way.spares.borrow_mut().pop();
                self.0.push((owner, spare.unwrap_or_default()));
                &mut self.0.last_mut().expect("just pushed").1
            }
        };
        remote.places.push(place);
        remote.reads.push(read);
    }

    /// Sends each box to its core; `answers` hears of them.
    pub fn send(&mut self, shard: &Shard, answers: &Rc<Answers>, options: FetchOptions) {
        assert_eq!(answers.missing.get(), 0, "a fetch reads again when all answers are in");
        assert!(answers.back.borrow().is_empty(), "answers to an earlier read are in their places");
        answers.missing.set(self.0.len());
        let under_way = &shard.data.fetch_under_way;
        for (owner, mut remote) in self.0.drain(..) {
            let number = under_way.next_number.get();
            under_way.next_number.set(number + 1);
            let before = under_way.fetches.borrow_mut().insert(number, answers.clone());
            assert!(before.is_none(), "box {number} is under way once");
            (remote.number, remote.options) = (number, options);
            // So that all of the box is of this core's memory.
            remote.fetched.reserve(remote.reads.len());
            shard.mailbox.send_errand(owner, remote);
        }
    }
}

impl Answers {
    /// Puts what other cores have read in its places, once all have answered.
    pub async fn put_into(&self, shard: &Shard, fetched: &mut [FetchedPartition]) {
        self.changed.wait_until(|| self.missing.get() == 0).await;
        for mut remote in self.back.borrow_mut().drain(..) {
            let Remote { places, fetched: found, .. } = &mut *remote;
            assert_eq!(places.len(), found.len(), "one answer for each read");
            places.drain(..).zip(found.drain(..)).for_each(|(place, found)| fetched[place] = found);
            shard.data.fetch_under_way.keep(remote);
        }
    }
}

impl Remote {
    /// On the owner's core.
    async fn read(&mut self, shard: &Shard, asker: usize) {
        assert_eq!(self.places.len(), self.reads.len(), "one place for each read");
        let mut share = Share::new(asker, self.options);
        let mut budget = TurnBudget::of_items(&shard.ring);
        for read in self.reads.drain(..) {
            self.fetched.push(share.read(shard, &read).await);
            budget.item_done().await;
        }
    }

    /// On the core that asked.
    fn take_back(mut self: Box<Self>, shard: &Shard) {
        let answers = shard.data.fetch_under_way.fetches.borrow_mut().remove(&self.number);
        let answers = answers.expect("answers to a fetch of this core, once");
        self.is_answered = false;
        assert!(answers.missing.get() > 0, "a fetch hears as many answers as it has asked for");
        answers.back.borrow_mut().push(self);
        answers.missing.set(answers.missing.get() - 1);
        answers.changed.notify();
    }
}

impl Errand for Remote {
    fn arrive(self: Box<Self>, shard: &Shard, from: usize) {
        if self.is_answered {
            return self.take_back(shard);
        }
        shard.data.fetch_readers.asked.borrow_mut().push_back((from, self));
        shard.rouse_reader();
    }
}

/// The tasks of one core that read for other cores. One works at a time; while its read waits for
/// the disk, the next takes over.
#[derive(Default)]
pub struct Readers {
    asked: RefCell<VecDeque<(usize, Box<Remote>)>>,
    count: Cell<usize>,
    /// Their reads wait.
    waiting: Cell<usize>,
    /// Readers without work.
    idle: RefCell<Vec<Waker>>,
}

impl Readers {
    /// At the end of the core.
    pub fn forget(&self) {
        drop((self.asked.take(), self.idle.take()));
    }

    /// Makes sure that a reader looks at what is asked; says whether it has to be a new one.
    #[must_use]
    fn rouse(&self) -> bool {
        let without_work = self.waiting.get() + self.idle.borrow().len();
        if self.count.get() > without_work {
            // It looks again when it has done.
            return false;
        }
        let idle = self.idle.borrow_mut().pop();
        match idle {
            Some(idle) => {
                idle.wake();
                false
            }
            None => {
                self.count.set(self.count.get() + 1);
                true
            }
        }
    }

    /// The next box, once there is one.
    async fn next(&self) -> (usize, Box<Remote>) {
        poll_fn(|context| match self.asked.borrow_mut().pop_front() {
            Some(next) => Poll::Ready(next),
            None => {
                self.idle.borrow_mut().push(context.waker().clone());
                Poll::Pending
            }
        })
        .await
    }

    /// Reads; calls `blocked` when that has to wait while more is asked.
    async fn reading(&self, read: impl Future<Output = ()>, blocked: impl Fn()) {
        let mut read = pin!(read);
        let mut waits = false;
        poll_fn(|context| {
            let polled = read.as_mut().poll(context);
            if polled.is_pending() && !waits {
                waits = true;
                self.waiting.set(self.waiting.get() + 1);
                if !self.asked.borrow().is_empty() {
                    blocked();
                }
            }
            polled
        })
        .await;
        let waiting = self.waiting.get();
        assert!(waiting <= self.count.get(), "{waiting} readers wait, more than there are");
        self.waiting.set(waiting - usize::from(waits));
    }

    /// Whether a reader that has done is one too many.
    fn may_end(&self) -> bool {
        assert!(self.count.get() > 0, "a reader that has done is counted");
        let ends = self.idle.borrow().len() >= limits::FETCH_READERS_IDLE_MAX
            && self.asked.borrow().is_empty();
        self.count.set(self.count.get() - usize::from(ends));
        ends
    }
}

impl Shard {
    fn rouse_reader(&self) {
        if self.data.fetch_readers.rouse() {
            let task = self.clone();
            self.ring.spawn_named("reads for other cores", async move {
                task.read_for_others().await;
            });
        }
    }

    async fn read_for_others(&self) {
        let readers = &self.data.fetch_readers;
        let mut budget = TurnBudget::of_items(&self.ring);
        loop {
            let (from, mut remote) = readers.next().await;
            readers.reading(remote.read(self, from), || self.rouse_reader()).await;
            remote.is_answered = true;
            self.mailbox.send_errand(from, remote);
            if readers.may_end() {
                return;
            }
            budget.step_done().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        future::{pending, ready},
        task::Context,
    };

    fn ask(readers: &Readers) -> bool {
        readers.asked.borrow_mut().push_back((1, Box::default()));
        readers.rouse()
    }

    fn is_ready(future: &mut std::pin::Pin<&mut impl Future>) -> bool {
        future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn one_reader_is_enough_while_no_read_waits() {
        let readers = Readers::default();
        assert!(ask(&readers), "the first is started");
        assert!(!ask(&readers), "it will look");
        for _ in 0..2 {
            assert!(is_ready(&mut pin!(readers.next())));
            let others = Cell::new(false);
            assert!(is_ready(&mut pin!(readers.reading(ready(()), || others.set(true)))));
            assert!(!others.get());
        }
        assert!(!readers.may_end());
        let mut next = pin!(readers.next());
        assert!(!is_ready(&mut next));
        assert!(!ask(&readers), "it was idle, and is woken");
        assert!(readers.idle.borrow().is_empty());
        assert!(is_ready(&mut next));
    }

    /// What is asked behind a read that waits for the disk is read by another reader.
    #[test]
    fn a_read_that_waits_holds_up_no_other() {
        let readers = Readers::default();
        assert!(ask(&readers) && !ask(&readers));
        assert!(is_ready(&mut pin!(readers.next())));
        let started = Cell::new(false);
        let mut read = pin!(readers.reading(pending(), || started.set(readers.rouse())));
        assert!(!is_ready(&mut read));
        assert!(started.get(), "a second one takes over");
        started.set(false);
        assert!(!is_ready(&mut read) && !started.get(), "once for a read");
        assert!(is_ready(&mut pin!(readers.next())));
        let mut second = pin!(readers.reading(pending(), || panic!("nothing more is asked")));
        assert!(!is_ready(&mut second));
        assert!(ask(&readers), "both wait");
        assert_eq!((readers.count.get(), readers.waiting.get()), (3, 2));
    }

    #[test]
    fn readers_that_are_too_many_end() {
        let readers = Readers::default();
        readers.count.set(limits::FETCH_READERS_IDLE_MAX + 1);
        readers.idle.borrow_mut().resize(limits::FETCH_READERS_IDLE_MAX, Waker::noop().clone());
        readers.asked.borrow_mut().push_back((1, Box::default()));
        assert!(!readers.may_end(), "something is asked");
        readers.asked.borrow_mut().clear();
        assert!(readers.may_end());
        assert_eq!(readers.count.get(), limits::FETCH_READERS_IDLE_MAX);
    }
}
