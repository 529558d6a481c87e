//! What producers and consumers report to a run: to its tallies, and to its verifier where the
//! topic is judged.
//!
//! Owns: nothing beside the run. Lives on: the generator's thread. Never: waits.

use super::Run;
use crate::{
    options::Rate,
    schedule::{RateCurve, Schedule},
    tallies::BatchSize,
    tallies::{Tallies, Traffic},
    value::Stamp,
    verify::Verifier,
};
use ring::Instant;
use std::{cell::RefMut, ops::Range, rc::Rc};

impl Run {
    /// A batch is ready to be sent.
    pub fn built(&self, stream: u32, partition: i32, end_sequence: u64, due: &[Instant]) {
        self.tallies.borrow_mut().built(due);
        if self.is_judged(partition) {
            let tallies = self.tallies.borrow();
            self.verifier.borrow_mut().built(
                (stream, partition),
                end_sequence,
                tallies.measured(due),
            );
        }
    }

    pub fn acknowledged(
        &self,
        stream: u32,
        partition: i32,
        sequences: Range<u64>,
        size: BatchSize,
        due: &[Instant],
        sent: Instant,
        answered: Instant,
    ) {
        self.last_produced.set(answered);
        if self.is_judged(partition) {
            self.verifier.borrow_mut().acknowledged((stream, partition), sequences);
        }
        self.tallies.borrow_mut().acknowledged(size, due, sent, answered);
    }

    /// The broker has it; whether it stays is for the end of its transaction to say.
    pub fn acknowledged_for_now(
        &self,
        size: BatchSize,
        due: &[Instant],
        sent: Instant,
        answered: Instant,
    ) {
        self.last_produced.set(answered);
        self.tallies.borrow_mut().acknowledged(size, due, sent, answered);
    }

    /// What became of batches whose transaction has ended; `committed`: `None` if that is unknown.
    pub fn transaction_ended(
        &self,
        stream: u32,
        batches: impl IntoIterator<Item = (i32, Range<u64>)>,
        committed: Option<bool>,
    ) {
        let mut verifier = self.verifier.borrow_mut();
        for (partition, sequences) in batches {
            if !self.is_judged(partition) {
                continue;
            }
            let lane = (stream, partition);
            match committed {
                Some(true) => verifier.acknowledged(lane, sequences),
                Some(false) => verifier.aborted(lane, sequences),
                None => verifier.unacknowledged(lane, sequences),
            }
        }
    }

    /// Sent with acks=0: nothing tells whether it is there, so it may be missing.
    pub fn sent(
        &self,
        stream: u32,
        partition: i32,
        sequences: Range<u64>,
        size: BatchSize,
        due: &[Instant],
        now: Instant,
    ) {
        self.last_produced.set(now);
        self.tallies.borrow_mut().sent(size, due, now);
        self.unacknowledged(stream, partition, sequences);
    }

    pub fn refused(
        &self,
        stream: u32,
        partition: i32,
        sequences: Range<u64>,
        due: &[Instant],
        error: &'static str,
    ) {
        self.last_produced.set(self.ring.precise_now());
        self.tallies.borrow_mut().refused(due, error);
        self.unacknowledged(stream, partition, sequences);
    }

    pub fn unanswered(
        &self,
        stream: u32,
        partition: i32,
        sequences: Range<u64>,
        due: &[Instant],
        sent: Option<Instant>,
        why: &'static str,
    ) {
        self.tallies.borrow_mut().unanswered(due, sent, why);
        self.unacknowledged(stream, partition, sequences);
    }

    fn unacknowledged(&self, stream: u32, partition: i32, sequences: Range<u64>) {
        if self.is_judged(partition) {
            self.verifier.borrow_mut().unacknowledged((stream, partition), sequences);
        }
    }

    /// What is left of a schedule, of records that would have gone to partitions such as this one.
    pub fn not_sent(&self, schedule: &Schedule, partition: i32, is_silent: bool) {
        let (count, portions) = schedule.left_before(self.times().end);
        let arrivals = self.readers_of(partition);
        self.tallies.borrow_mut().not_sent(count, portions, is_silent, arrivals);
    }

    pub fn is_settled_up_to(&self, stream: u32, partition: i32, sequence: u64) -> bool {
        self.verifier.borrow().is_settled_up_to((stream, partition), sequence)
    }

    /// Books a request that was answered, by what it cost the network.
    pub fn crossed(&self, sent: Instant, crossing: Traffic) {
        if !(self.times().measure_from..self.times().end).contains(&sent) {
            return;
        }
        let traffic = &mut self.tallies.borrow_mut().traffic;
        traffic.produces += crossing.produces;
        traffic.fetches += crossing.fetches;
        traffic.sent_bytes += crossing.sent_bytes;
        traffic.received_bytes += crossing.received_bytes;
    }

    /// Until what this gives is dropped, a fetch is on its way.
    pub fn fetch_sent(self: &Rc<Self>, sent: Instant) -> FetchInFlight {
        let number = self.next_fetch.get();
        self.next_fetch.set(number + 1);
        self.fetches.borrow_mut().insert(number, sent);
        FetchInFlight { run: self.clone(), number }
    }

    pub fn fetch_failed(&self, error: &anyhow::Error) {
        self.complain(&format!("consumer: {error:#}"));
        self.tallies.borrow_mut().fetch_errors += 1;
    }

    pub(super) fn book_unanswered_fetches(&self) {
        let mut tallies = self.tallies.borrow_mut();
        for (_, sent) in self.fetches.borrow_mut().drain() {
            tallies.fetch_unanswered(sent, self.options.consume_only);
        }
    }

    pub(super) fn book_never_arrived(&self) {
        let mut tallies = self.tallies.borrow_mut();
        self.verifier.borrow_mut().drain_never_arrived(|partition, due, records| {
            tallies.not_arrived(due, records * self.readers_of(partition));
        });
    }

    /// A second of the measured time has passed; `busy`: the share of it that this thread ran.
    pub fn tick(&self, now: Instant, busy: Option<f64>) {
        let times = self.times();
        let by = |curve: &RateCurve, moment: Instant| {
            curve.records_by(moment.since(times.start).as_secs_f64()).ceil() as u64
        };
        let owed = |curve: &Option<Rc<RateCurve>>| {
            let curve = curve.as_ref()?;
            let before = by(curve, times.measure_from);
            Some(by(curve, now.min(times.end)).saturating_sub(before))
        };
        let has_rates = self.options.rate != Rate::Max && !self.options.consume_only;
        let due = if has_rates { self.curves.iter().map(owed).sum() } else { None };
        self.tallies.borrow_mut().tick(now, due, busy);
    }

    pub(super) fn close(&self) {
        let now = self.ring.precise_now();
        self.tick(now, None);
        self.tallies.borrow_mut().close(now);
    }

    /// The measured time ends with the last acknowledgement: none that came late makes a rate look
    /// better.
    pub(super) fn measured_until(&self, ended: Instant) -> Instant {
        ended.max(self.tallies.borrow().last_acknowledged)
    }

    /// Books one fetch of a run that only consumes.
    pub fn fetched(&self, sent: Instant, answered: Instant) {
        if sent >= self.times().measure_from && answered <= self.times().end {
            self.tallies.borrow_mut().fetched(answered.since(sent));
        }
    }

    pub fn reached_end(&self, partition: i32, is_at_end: bool) {
        self.verifier.borrow_mut().reached_end(partition, is_at_end);
    }

    /// Books the bytes of one batch, and its records if nothing but its header is looked at.
    pub fn batch_fetched(&self, now: Instant, records: i32, size_bytes: usize, skims: bool) {
        if !(self.times().measure_from..self.times().end).contains(&now) {
            return;
        }
        let mut tallies = self.tallies.borrow_mut();
        tallies.fetched_bytes += size_bytes as u64;
        if skims {
            tallies.skimmed(u64::try_from(records).unwrap_or(0), size_bytes);
        }
    }

    pub fn consumed_tally(
        &self,
        partition: i32,
        now: Instant,
        verifies: bool,
    ) -> ConsumedTally<'_> {
        ConsumedTally {
            run: self,
            partition,
            now,
            verifies,
            came_further: false,
            verifier: self.verifier.borrow_mut(),
            tallies: self.tallies.borrow_mut(),
        }
    }
}

/// A fetch that is not answered.
pub struct FetchInFlight {
    run: Rc<Run>,
    number: u64,
}

impl Drop for FetchInFlight {
    fn drop(&mut self) {
        self.run.fetches.borrow_mut().remove(&self.number);
    }
}

/// Books the records of one batch.
pub struct ConsumedTally<'a> {
    run: &'a Run,
    partition: i32,
    now: Instant,
    verifies: bool,
    came_further: bool,
    verifier: RefMut<'a, Verifier>,
    tallies: RefMut<'a, Tallies>,
}

impl Drop for ConsumedTally<'_> {
    fn drop(&mut self) {
        // Only new records are progress; a run that waits for lost records must see that there is
        // none.
        if self.came_further {
            self.run.last_consumed.set(self.now);
            self.run.changed.notify();
        }
    }
}

impl ConsumedTally<'_> {
    pub fn record(&mut self, size_bytes: usize, stamp: Option<Stamp>) {
        if self.run.options.consume_only {
            if (self.run.times().measure_from..self.run.times().end).contains(&self.now) {
                self.tallies.consumed(size_bytes);
            }
            return;
        }
        let Some(stamp) = stamp else { return self.tallies.consumed(size_bytes) };
        if stamp.run == self.run.id {
            if self.verifies {
                self.came_further |=
                    self.verifier.consumed((stamp.stream, self.partition), stamp.sequence);
            }
            if self.run.reading_again.get() {
                return;
            }
            self.tallies.consumed(size_bytes);
            if stamp.due_ns >= self.run.times().measure_from.0 {
                self.tallies.arrived(self.now.since(Instant(stamp.due_ns)));
            }
        }
    }
}
