//! The appends of one request on their way to another core, and their results on the way back.
//!
//! Owns: the box that carries both. Lives on: the core of the connection, which keeps it for its
//! next request; on the owner's core while that works on it. Never: is allocated in steady state,
//! or freed by another core than the one that made it.

use super::{
    append::{Append, AppendResult, append_local},
    is_by_id,
    pending::{Finish, PendingAppends},
    trace::{Step, Trace},
};
use crate::{
    limits,
    shard::{Shard, mailbox::Errand},
};
use rustc_hash::FxHashMap;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// Goes out with appends and comes back with results, one for each, in the same order.
#[derive(Default)]
pub struct Remote {
    /// The request on the core that asks.
    number: u64,
    is_answered: bool,
    /// The places of the appends in the request.
    places: Vec<usize>,
    appends: Vec<Append>,
    pub results: Vec<AppendResult>,
    trace: Option<Box<Trace>>,
}

/// What one core has on its way to others, and boxes for more.
#[derive(Default)]
pub struct UnderWay {
    requests: RefCell<FxHashMap<u64, Rc<PendingAppends>>>,
    next_number: Cell<u64>,
    #[expect(clippy::vec_box, reason = "a box crosses to the other core as it is, and comes back")]
    spares: RefCell<Vec<Box<Remote>>>,
}

impl UnderWay {
    pub fn take_box(&self) -> Box<Remote> {
        let spare = self.spares.borrow_mut().pop().unwrap_or_default();
        assert!(
            spare.places.is_empty() && !spare.is_answered,
            "a box is empty before it is used again"
        );
        spare
    }

    /// At the end of the core: what is under way is not heard of any more.
    pub fn forget(&self) {
        drop(self.requests.take());
    }
}

impl Remote {
    pub fn push(&mut self, place: usize, append: Append) {
        self.places.push(place);
        self.appends.push(append);
    }

    /// Sends the appends to their owner; `pending` is held until their results are back.
    pub fn send(mut self: Box<Self>, shard: &Shard, owner: usize, pending: &Rc<PendingAppends>) {
        let under_way = &shard.data.produce_under_way;
        self.number = under_way.next_number.get();
        under_way.next_number.set(self.number + 1);
        pending.hold();
        let before = under_way.requests.borrow_mut().insert(self.number, pending.clone());
        assert!(before.is_none(), "box {} is under way once", self.number);
        let every = shard.config.network.hop_trace_every as u64;
        if every > 0 && self.number.is_multiple_of(every) {
            let size_bytes = self.appends.iter().map(|append| append.records.len()).sum();
            self.trace = Some(Trace::begin(shard, owner, size_bytes));
        }
        self.step(Step::Sent, shard);
        shard.mailbox.send_errand(owner, self);
    }

    fn step(&mut self, step: Step, shard: &Shard) {
        if let Some(trace) = &mut self.trace {
            trace.step(step, shard);
        }
    }

    pub fn go_back(mut self: Box<Self>, shard: &Shard, asker: usize) {
        assert!(!self.is_answered, "box {} goes back once", self.number);
        self.is_answered = true;
        self.step(Step::Written, shard);
        shard.mailbox.send_errand(asker, self);
    }

    /// On the owner's core. Appends take their place now, in the order of arrival, so that a
    /// connection's requests keep theirs.
    fn append(mut self: Box<Self>, shard: &Shard, asker: usize) {
        self.step(Step::Taken, shard);
        assert_eq!(self.places.len(), self.appends.len(), "one place for each append");
        let pending = PendingAppends::new(shard);
        pending.begin(
            self.appends.len(),
            self.appends.first().is_some_and(|append| is_by_id(append.terms.origin)),
        );
        for (index, append) in self.appends.drain(..).enumerate() {
            let partition = shard.data.partition(append.id);
            append_local(shard, partition.as_ref(), append, &pending, index);
        }
        self.step(Step::Appended, shard);
        pending.end(Finish::Answer { shard: shard.clone(), core: asker, remote: self });
    }

    /// On the core that asked.
    fn take_back(mut self: Box<Self>, shard: &Shard) {
        self.step(Step::Back, shard);
        let trace = self.trace.take();
        let under_way = &shard.data.produce_under_way;
        let pending = under_way.requests.borrow_mut().remove(&self.number);
        let pending = pending.expect("results of a request of this core, once");
        assert_eq!(self.places.len(), self.results.len(), "one result for each append");
        assert!(self.appends.is_empty(), "what comes back was appended or refused");
        self.places
            .drain(..)
            .zip(self.results.drain(..))
            .for_each(|(place, result)| pending.set(place, result));
        self.is_answered = false;
        let mut spares = under_way.spares.borrow_mut();
        let is_usual = self.places.capacity() <= limits::PRODUCE_SPARE_PARTITIONS_MAX;
        if is_usual && spares.len() < limits::PRODUCE_SPARES_MAX {
            spares.push(self);
        }
        drop(spares);
        let was_last = pending.lacks_one();
        pending.release();
        if let Some(mut trace) = trace {
            trace.was_last = was_last;
            trace.end(shard);
        }
    }
}

impl Errand for Remote {
    fn arrive(self: Box<Self>, shard: &Shard, from: usize) {
        if self.is_answered { self.take_back(shard) } else { self.append(shard, from) }
    }
}
