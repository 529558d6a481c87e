//! Batches that take long to check: their work in steps, all of them in turns, on a budget per turn
//! of the loop.
//!
//! Owns: the batches of this core's connections that are being worked on, and those that wait for
//! it. Lives on: every core. Never: lets a batch keep a turn to itself, or appends anything: the
//! task that brought the batch does, in its place.

use super::Shard;
use crate::{limits, pace::TurnBudget};
use bytes::BytesMut;
use protocol::records::validate::{HeavyBatch, Rejection, ValidBatch};
use ring::sync::{Notify, oneshot};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
};

type Verdict = Result<(BytesMut, ValidBatch), Rejection>;

/// Bounded by the connections: each waits for one batch at a time.
pub struct HeavyBatches {
    /// What those that take little memory may take together, and the others.
    memory_bytes_max: usize,
    /// Those that take little memory do not wait behind those that take much.
    lighter: RefCell<VecDeque<Job>>,
    heavier: RefCell<VecDeque<Job>>,
    work: Notify,
    /// What the work takes that is under way.
    taken_bytes: Cell<usize>,
}

struct Job {
    batch: Box<HeavyBatch>,
    memory_bytes: usize,
    verdict: oneshot::Sender<Verdict>,
}

impl Job {
    fn is_lighter(&self) -> bool {
        self.memory_bytes <= limits::LIGHTER_BATCH_BYTES
    }
}

impl HeavyBatches {
    pub fn new(memory_bytes_max: usize) -> Self {
        Self {
            memory_bytes_max,
            lighter: RefCell::default(),
            heavier: RefCell::default(),
            work: Notify::default(),
            taken_bytes: Cell::new(0),
        }
    }

    /// What the work takes that is under way, and what it may take, in bytes.
    pub fn account(&self) -> (usize, usize) {
        (self.taken_bytes.get(), 2 * self.memory_bytes_max)
    }

    /// What one batch may take: more would not leave this core enough.
    fn batch_bytes_max(&self) -> usize {
        (self.memory_bytes_max * limits::HEAVY_BATCH_FACTOR).max(limits::HEAVY_BATCH_BYTES_LEAST)
    }

    /// The verdict on a batch, as soon as the work on it is done; `None` when the core ends before.
    pub async fn check(&self, batch: Box<HeavyBatch>) -> Option<Verdict> {
        if let Err(refused) = batch.takes_at_most(self.batch_bytes_max()) {
            return Some(Err(refused));
        }
        let (giver, taker) = oneshot::channel();
        let job = Job { memory_bytes: batch.memory_bytes(), batch, verdict: giver };
        let queue = if job.is_lighter() { &self.lighter } else { &self.heavier };
        queue.borrow_mut().push_back(job);
        self.work.notify();
        taker.await
    }

    fn is_empty(&self) -> bool {
        self.lighter.borrow().is_empty() && self.heavier.borrow().is_empty()
    }

    /// At the end of the core.
    pub fn forget(&self) {
        drop((self.lighter.take(), self.heavier.take()));
    }
}

/// The batches that are being worked on, each for a step in turn.
#[derive(Default)]
struct AtWork {
    jobs: VecDeque<Job>,
    lighter: usize,
    lighter_bytes: usize,
    heavier_bytes: usize,
}

impl AtWork {
    /// Begins what there is room for.
    fn begin(&mut self, heavy: &HeavyBatches) {
        while self.lighter < limits::LIGHTER_BATCHES_AT_ONCE
            && let Some(job) =
                Self::next(&heavy.lighter, self.lighter_bytes, heavy.memory_bytes_max)
        {
            assert!(job.is_lighter(), "{} bytes are not light", job.memory_bytes);
            self.lighter += 1;
            self.lighter_bytes += job.memory_bytes;
            self.jobs.push_back(job);
        }
        if let Some(job) = Self::next(&heavy.heavier, self.heavier_bytes, heavy.memory_bytes_max) {
            assert!(!job.is_lighter(), "{} bytes are light", job.memory_bytes);
            self.heavier_bytes += job.memory_bytes;
            self.jobs.push_back(job);
        }
        let (lighter, all) = (self.lighter, self.jobs.len());
        assert!(lighter <= all, "{lighter} light batches of {all} are worked on");
        let bytes = self.heavier_bytes;
        assert!(bytes == 0 || lighter < all, "{bytes} bytes are taken for no heavy batch");
    }

    /// The first of a queue where there is room for it; one alone may always begin.
    fn next(queue: &RefCell<VecDeque<Job>>, taken_bytes: usize, bytes_max: usize) -> Option<Job> {
        let room = bytes_max.saturating_sub(taken_bytes);
        queue.borrow_mut().pop_front_if(|job| taken_bytes == 0 || job.memory_bytes <= room)
    }

    /// A step for the first; it goes behind the others unless that was the last of it.
    fn step(&mut self, piece: &mut Vec<u8>) {
        let Some(mut job) = self.jobs.pop_front() else { return };
        match job.batch.step(piece) {
            None => self.jobs.push_back(job),
            Some(verdict) => {
                match job.is_lighter() {
                    true => {
                        assert!(self.lighter > 0, "a job that ends was counted");
                        self.lighter -= 1;
                        self.lighter_bytes -= job.memory_bytes;
                    }
                    false => self.heavier_bytes -= job.memory_bytes,
                }
                let left = (self.lighter, self.lighter_bytes, self.heavier_bytes);
                assert!(!self.jobs.is_empty() || left == (0, 0, 0), "without work: {left:?}");
                job.verdict.send(verdict);
            }
        }
    }
}

/// Works on the heavy batches of this core.
pub async fn run(shard: Shard) {
    let heavy = &shard.data.heavy;
    loop {
        heavy.work.wait_until(|| !heavy.is_empty()).await;
        let mut at_work = AtWork::default();
        // Kept between steps for its room, and given back with the last batch.
        let mut piece = Vec::new();
        let mut budget = TurnBudget::of_steps(&shard.ring, limits::HEAVY_STEPS_PER_TURN);
        loop {
            at_work.begin(heavy);
            if at_work.jobs.is_empty() {
                break;
            }
            at_work.step(&mut piece);
            heavy.taken_bytes.set(at_work.lighter_bytes + at_work.heavier_bytes);
            budget.step_done().await;
        }
        assert_eq!(heavy.taken_bytes.get(), 0, "what the batches took is given back");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{
        compression::Compression,
        records::{
            BatchBuilder,
            validate::{AppendOrigin, ValidationRules},
        },
    };
    use std::future::Future;

    const MEMORY_BYTES: usize = 64 << 20;

    fn batch(codec: Compression, value_bytes: usize) -> Box<HeavyBatch> {
        batch_for(codec, value_bytes, None, 1 << 20)
    }

    fn batch_for(
        codec: Compression,
        value_bytes: usize,
        compression: Option<Compression>,
        max_message_bytes: usize,
    ) -> Box<HeavyBatch> {
        let mut builder = BatchBuilder::new(0).compression(codec, None);
        builder.append(1, None, Some(&vec![1; value_bytes]), &[]);
        let origin = AppendOrigin::Client { produce_version: 12 };
        let rules = ValidationRules {
            max_message_bytes,
            compression,
            ..ValidationRules::of_defaults(origin, 1)
        };
        Box::new(HeavyBatch::new(BytesMut::from(&builder.build()[..]), rules, None))
    }

    /// Steps until each of the batches, in the order in which they came, has its verdict.
    fn steps_until_done<const N: usize>(batches: [Box<HeavyBatch>; N]) -> Vec<usize> {
        let heavy = HeavyBatches::new(MEMORY_BYTES);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let mut checks: Vec<_> =
            batches.into_iter().map(|batch| Box::pin(heavy.check(batch))).collect();
        let mut done = vec![0; checks.len()];
        let (mut at_work, mut piece) = (AtWork::default(), Vec::new());
        let mut steps = 0;
        while done.contains(&0) {
            for (check, done) in checks.iter_mut().zip(&mut done).filter(|(_, done)| **done == 0) {
                if let std::task::Poll::Ready(verdict) = check.as_mut().poll(&mut context) {
                    assert!(verdict.unwrap().is_ok());
                    *done = steps;
                }
            }
            at_work.begin(&heavy);
            at_work.step(&mut piece);
            let heavier = at_work.jobs.iter().filter(|job| !job.is_lighter()).count();
            assert!(at_work.heavier_bytes <= MEMORY_BYTES || heavier == 1);
            assert!(at_work.lighter_bytes <= MEMORY_BYTES);
            steps += 1;
        }
        assert_eq!((at_work.lighter, at_work.lighter_bytes, at_work.heavier_bytes), (0, 0, 0));
        done
    }

    #[test]
    fn a_batch_whose_check_takes_too_much_memory_is_refused() {
        let heavy = HeavyBatches::new(1);
        let huge = batch_for(Compression::Lz4, 1 << 20, Some(Compression::Gzip), 100 << 20);
        let refused = std::pin::pin!(heavy.check(huge));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let std::task::Poll::Ready(Some(Err(refused))) = refused.poll(&mut context) else {
            panic!("it begins")
        };
        assert_eq!(refused.error, protocol::ErrorCode::MessageTooLarge);
        assert!(refused.message.contains("memory.limit.bytes"), "{}", refused.message);
        assert!(heavy.is_empty());
    }

    #[test]
    fn a_smaller_batch_is_not_behind_all_of_a_larger_one() {
        let large = || batch(Compression::Gzip, 20 << 20);
        let done =
            steps_until_done([large(), large(), large(), batch(Compression::Gzip, 200 << 10)]);
        assert!(done[3] < 40, "{done:?}");
        assert!(done[0] > 900, "{done:?}");
    }

    #[test]
    fn what_takes_much_memory_takes_turns_and_holds_up_nothing_else() {
        let huge = || batch_for(Compression::Lz4, 20 << 20, Some(Compression::Gzip), 100 << 20);
        let done = steps_until_done([huge(), huge(), batch(Compression::Lz4, 200 << 10)]);
        assert!(done[2] < 40 && done[0] > 2500 && done[1] > done[0] + 2500, "{done:?}");
    }
}
