//! Consumers that read what is there, from the beginning to where the end was when they began,
//! while others read what is new.
//!
//! Owns: what was read, and how long it took. Lives on: the generator's thread. Never: judges; what
//! it reads may be of any age.

use super::{Consumer, RECONNECT_PAUSE, Set};
use crate::{cluster::From, run::Run, workload::Reading};
use ring::Instant;
use rustc_hash::FxHashMap;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

pub struct CatchUp {
    began: Cell<Instant>,
    ended: Cell<Option<Instant>>,
    /// Where the partitions ended when it began.
    ends: RefCell<FxHashMap<i32, i64>>,
    records: Cell<u64>,
    bytes: Cell<u64>,
    readers: Cell<usize>,
    was_cut_short: Cell<bool>,
}

/// One reader's way, for reports.
#[derive(Clone, Debug, PartialEq)]
pub struct CatchUpOutcome {
    /// Since the measured time began; negative in the warm-up.
    pub at_s: f64,
    /// `None`: the run was over first.
    pub seconds: Option<f64>,
    pub records: u64,
    pub bytes: u64,
}

impl CatchUp {
    fn new(now: Instant) -> Rc<CatchUp> {
        Rc::new(CatchUp {
            began: Cell::new(now),
            ended: Cell::new(None),
            ends: RefCell::default(),
            records: Cell::new(0),
            bytes: Cell::new(0),
            readers: Cell::new(0),
            was_cut_short: Cell::new(false),
        })
    }

    pub fn begin(&self) {
        self.readers.set(self.readers.get() + 1);
    }

    /// One of its connections has nothing more to read, or may not.
    pub fn end(&self, now: Instant, is_whole: bool) {
        self.readers.set(self.readers.get() - 1);
        self.was_cut_short.set(self.was_cut_short.get() || !is_whole);
        if self.readers.get() == 0 {
            self.ended.set(Some(now));
        }
    }

    pub fn end_of(&self, partition: i32) -> i64 {
        self.ends.borrow().get(&partition).copied().unwrap_or(0)
    }

    pub fn read(&self, records: i32, size_bytes: usize) {
        self.records.set(self.records.get() + u64::try_from(records).unwrap_or(0));
        self.bytes.set(self.bytes.get() + size_bytes as u64);
    }

    pub fn outcome(&self, measure_from: Instant) -> CatchUpOutcome {
        let began = self.began.get();
        let is_whole = !self.was_cut_short.get();
        let at_s =
            began.since(measure_from).as_secs_f64() - measure_from.since(began).as_secs_f64();
        CatchUpOutcome {
            at_s,
            seconds: self.ended.get().filter(|_| is_whole).map(|at| at.since(began).as_secs_f64()),
            records: self.records.get(),
            bytes: self.bytes.get(),
        }
    }
}

/// Has the workload's readers begin when they should.
pub fn spawn_catch_ups(run: &Rc<Run>) {
    for (place, consumers) in run.workload.consumers.iter().enumerate() {
        if let Reading::CatchUp { at } = consumers.reading {
            for _ in 0..consumers.count {
                let set = Set::new(consumers, place);
                run.spawn_reader(catch_up(run.clone(), set, at));
            }
        }
    }
}

async fn catch_up(run: Rc<Run>, set: Rc<Set>, at: Duration) {
    let begin = run.times().start + at;
    if run.unless_over(run.ring.sleep_until(begin)).await.is_none() {
        return;
    }
    let catch_up = CatchUp::new(run.ring.precise_now());
    run.add_catch_up(catch_up.clone());
    catch_up.begin();
    let begun = run.unless_over(begin_everywhere(&run, &set, &catch_up)).await;
    for consumer in begun.into_iter().flatten() {
        run.spawn_consumer(consumer);
    }
    // Its consumers have their own turns, after this one.
    run.ring.end_of_turn().await;
    let was_begun = !catch_up.ends.borrow().is_empty();
    catch_up.end(run.ring.precise_now(), was_begun);
}

/// As often as it takes.
async fn begin_everywhere(run: &Rc<Run>, set: &Rc<Set>, catch_up: &Rc<CatchUp>) -> Vec<Consumer> {
    loop {
        match try_to_begin(run, set, catch_up).await {
            Ok(consumers) => return consumers,
            Err(error) => run.fetch_failed(&error),
        }
        run.cluster.refresh(&run.ring);
        run.ring.sleep(RECONNECT_PAUSE).await;
    }
}

async fn try_to_begin(
    run: &Rc<Run>,
    set: &Rc<Set>,
    catch_up: &Rc<CatchUp>,
) -> anyhow::Result<Vec<Consumer>> {
    let partitions = run.cluster.partitions_of(&set.topics);
    let ends = run.cluster.offsets_of_all(&partitions, From::Latest).await?;
    let begins = run.cluster.offsets_of_all(&partitions, From::Earliest).await?;
    let is_behind = |partition: &i32| begins[partition] < ends[partition];
    let behind = partitions.into_iter().filter(is_behind);
    let mut consumers = Vec::new();
    for (leader, partitions) in run.cluster.partitions_by_leader(behind) {
        let positions = partitions.into_iter().map(|one| (one, begins[&one])).collect();
        let consumer = Consumer::at(run, set, leader, positions);
        consumers.push(Consumer { catch_up: Some(catch_up.clone()), ..consumer });
    }
    *catch_up.ends.borrow_mut() = ends;
    Ok(consumers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_time_ends_with_its_last_connection() {
        let at = |ms: u64| Instant(ms * 1_000_000);
        let catch_up = CatchUp::new(at(500));
        catch_up.begin();
        catch_up.begin();
        catch_up.read(10, 1_000);
        catch_up.end(at(700), true);
        assert_eq!(catch_up.outcome(at(1_000)).seconds, None);
        catch_up.read(5, 500);
        catch_up.end(at(900), true);
        let outcome = catch_up.outcome(at(1_000));
        assert_eq!((outcome.at_s, outcome.seconds), (-0.5, Some(0.4)));
        assert_eq!((outcome.records, outcome.bytes), (15, 1_500));
        let cut_short = CatchUp::new(at(0));
        cut_short.begin();
        cut_short.end(at(5), false);
        assert_eq!(cut_short.outcome(at(0)).seconds, None);
    }
}
