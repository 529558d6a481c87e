//! One run: the tasks, the clock they share, and what they find out.
//!
//! Owns: the tallies and the verdict. Lives on: the generator's thread. Never: touches a socket.

use crate::{
    cluster::Cluster,
    consume::{self, From},
    options,
    options::RunOptions,
    produce::Producer,
    report::{self, Outcome, Tallies},
    value::Stamp,
    verify::{Findings, Verifier},
};
use ring::{BackendChoice, CoreOptions, Instant, Ring, signal::Signal};
use std::{
    cell::{Cell, RefCell, RefMut},
    ops::Range,
    rc::Rc,
    time::Duration,
};

/// How long answers and consumers may take after the last record was sent.
pub const SETTLE_TIMEOUT: Duration = Duration::from_secs(15);
/// Complaints that are printed; the rest is counted.
const COMPLAINTS_MAX: usize = 10;

/// The clock of a run.
#[derive(Clone, Copy)]
pub struct Times {
    pub start: Instant,
    /// Before this, records are sent but not measured.
    pub measure_from: Instant,
    pub end: Instant,
}

impl Times {
    fn from(start: Instant, options: &RunOptions) -> Times {
        let measure_from = start + options.warm_up;
        Times { start, measure_from, end: measure_from + options.duration }
    }
}

/// What all tasks of a run share.
pub struct Run {
    pub ring: Ring,
    pub options: RunOptions,
    pub cluster: Cluster,
    /// Tells this run's records from older ones in the topic.
    pub id: u32,
    times: Cell<Times>,
    /// A request was answered, or records were consumed.
    pub changed: Rc<Signal>,
    pub tallies: RefCell<Tallies>,
    verifier: RefCell<Verifier>,
    complaints: Cell<usize>,
    producers_done: Cell<bool>,
    gave_up_waiting: Cell<bool>,
    /// What is read now was read before: it is judged, not measured.
    reading_again: Cell<bool>,
}

/// Runs to the end on this thread, prints, and says how it went.
pub fn run(options: RunOptions) -> anyhow::Result<Outcome> {
    options.check()?;
    let choice = match options.backend {
        options::Backend::Auto => BackendChoice::Auto,
        options::Backend::IoUring => BackendChoice::IoUring,
        options::Backend::Epoll => BackendChoice::Epoll,
    };
    let selection = ring::select(choice)?;
    let core = CoreOptions {
        name: "loadgen".to_owned(),
        index: 0,
        cpu: options.core,
        backend: selection.kind,
        spin: Duration::ZERO,
    };
    ring::run(core, move |ring| run_on(ring, options))?
}

async fn run_on(ring: Ring, options: RunOptions) -> anyhow::Result<Outcome> {
    let cluster = Cluster::discover(&ring, &options).await?;
    let run = Rc::new(Run {
        id: ring.random_u64() as u32,
        times: Cell::new(Times::from(ring.precise_now(), &options)),
        changed: Rc::default(),
        tallies: RefCell::new(Tallies::new()),
        verifier: RefCell::default(),
        complaints: Cell::new(0),
        producers_done: Cell::new(false),
        gave_up_waiting: Cell::new(false),
        reading_again: Cell::new(false),
        cluster,
        options,
        ring: ring.clone(),
    });
    let from = if run.options.consume_only { From::Earliest } else { From::Latest };
    let mut consuming = consume_all(&run, from).await?;
    let mut producers = Vec::new();
    let streams = if run.options.consume_only { 0 } else { run.options.connections };
    for stream in 0..streams {
        let mut producer = Producer::new(run.clone(), stream as u32);
        producer.prepare().await?;
        producers.push(producer);
    }
    // The time that many connections take to be made is none of the load's.
    let start = ring.precise_now();
    run.times.set(Times::from(start, &run.options));
    let busy = report::ThreadClock::start();
    if !run.options.quiet {
        ring.spawn(report::progress(run.clone()));
    }
    let producing: Vec<_> = producers.into_iter().map(|producer| ring.spawn(producer.send_all())).collect();
    for producer in producing {
        producer.await;
    }
    if run.options.once {
        let all_read = async {
            for consumer in std::mem::take(&mut consuming) {
                consumer.await;
            }
        };
        if ring.timeout(run.times().end.since(ring.precise_now()), all_read).await.is_none() {
            run.complain("the topic was not read to its end: give more --duration");
        }
    } else if run.options.consume_only {
        ring.sleep_until(run.times().end).await;
    }
    let sent = ring.precise_now();
    let busy = busy.busy_ratio(sent.since(start));
    run.producers_done.set(true);
    wait_for_consumers(&run).await;
    for consumer in consuming {
        consumer.await;
    }
    let mut findings = run.verifier.borrow().findings();
    if run.options.through_restarts {
        let again = read_again(&run).await?;
        findings.lost += again.lost;
        findings.duplicated_or_out_of_order += again.duplicated_or_out_of_order;
    }
    let outcome = Outcome::new(&run, sent, busy, findings, run.verified(findings));
    outcome.print(&run);
    if let Some(path) = &run.options.json {
        outcome.write_json(&run, path)?;
    }
    Ok(outcome)
}

async fn consume_all(run: &Rc<Run>, from: From) -> anyhow::Result<Vec<ring::JoinHandle<()>>> {
    let mut consuming = Vec::new();
    for index in 0..run.options.consumers {
        for consumer in consume::consumers(run, index, from).await? {
            consuming.push(run.ring.spawn(consumer.read_all()));
        }
    }
    Ok(consuming)
}

/// Reads the topic from its beginning: what consumers saw while it was new may be gone from the disk.
async fn read_again(run: &Rc<Run>) -> anyhow::Result<Findings> {
    run.verifier.borrow_mut().start_over();
    run.reading_again.set(true);
    run.gave_up_waiting.set(false);
    let consuming = consume_all(run, From::Earliest).await?;
    wait_for_consumers(run).await;
    for consumer in consuming {
        consumer.await;
    }
    Ok(run.verifier.borrow().findings())
}

/// Waits until the consumers have passed everything acknowledged, as long as they make progress.
async fn wait_for_consumers(run: &Run) {
    if !run.options.can_verify() {
        run.gave_up_waiting.set(true);
        return;
    }
    while !run.verifier.borrow().has_caught_up() {
        let changed = run.changed.clone().past(run.changed.generation());
        if run.ring.timeout(SETTLE_TIMEOUT, changed).await.is_none() {
            run.complain("the consumers make no more progress");
            break;
        }
    }
    run.gave_up_waiting.set(true);
}

impl Run {
    pub fn times(&self) -> Times {
        self.times.get()
    }

    pub fn consumers_may_stop(&self) -> bool {
        self.producers_done.get() && self.gave_up_waiting.get()
    }

    /// `None` where nothing was consumed, or the values are too small to tell.
    fn verified(&self, findings: Findings) -> Option<bool> {
        self.options.can_verify().then(|| findings.is_clean())
    }

    pub fn complain(&self, what: &str) {
        let said = self.complaints.get();
        self.complaints.set(said + 1);
        match said {
            0..COMPLAINTS_MAX => eprintln!("loadgen: {what}"),
            COMPLAINTS_MAX => eprintln!("loadgen: more errors follow; they are counted only"),
            _ => {}
        }
    }

    pub fn acknowledged(
        &self,
        stream: u32,
        partition: i32,
        sequences: Range<u64>,
        size_bytes: usize,
        due: &[Instant],
        sent: Instant,
        answered: Instant,
    ) {
        self.verifier.borrow_mut().acknowledged((stream, partition), sequences);
        self.tallies.borrow_mut().acknowledged(
            self.times().measure_from,
            self.options.record_size,
            size_bytes,
            due,
            sent,
            answered,
        );
    }

    /// Sent with acks=0: nobody knows whether it is there, so it may be missing.
    pub fn sent_unacknowledged(&self, stream: u32, partition: i32, sequences: Range<u64>) {
        self.tallies.borrow_mut().sent(sequences.end - sequences.start, self.options.record_size);
        self.verifier.borrow_mut().unacknowledged((stream, partition), sequences);
    }

    pub fn failed(&self, stream: u32, partition: i32, sequences: Range<u64>) {
        self.tallies.borrow_mut().errors += sequences.end - sequences.start;
        self.verifier.borrow_mut().unacknowledged((stream, partition), sequences);
    }

    pub fn is_settled_up_to(&self, stream: u32, partition: i32, sequence: u64) -> bool {
        self.verifier.borrow().is_settled_up_to((stream, partition), sequence)
    }

    /// Books one fetch of a run that only consumes.
    pub fn fetched(&self, sent: Instant, answered: Instant) {
        if sent >= self.times().measure_from && answered <= self.times().end {
            self.tallies.borrow_mut().fetched(answered.since(sent));
        }
    }

    /// Books the bytes of one batch, and its records if nothing but its header is looked at.
    pub fn batch_fetched(&self, now: Instant, records: i32, size_bytes: usize) {
        if !(self.times().measure_from..self.times().end).contains(&now) {
            return;
        }
        let mut tallies = self.tallies.borrow_mut();
        tallies.fetched_bytes += size_bytes as u64;
        if self.options.skim {
            tallies.skimmed(u64::try_from(records).unwrap_or(0), size_bytes);
        }
    }

    pub fn consumed_tally(&self, partition: i32, now: Instant, verifies: bool) -> ConsumedTally<'_> {
        ConsumedTally {
            run: self,
            partition,
            now,
            verifies,
            verifier: self.verifier.borrow_mut(),
            tallies: self.tallies.borrow_mut(),
        }
    }
}

/// Books the records of one batch.
pub struct ConsumedTally<'a> {
    run: &'a Run,
    partition: i32,
    now: Instant,
    verifies: bool,
    verifier: RefMut<'a, Verifier>,
    tallies: RefMut<'a, Tallies>,
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
                self.verifier.consumed((stamp.stream, self.partition), stamp.sequence);
            }
            if self.run.reading_again.get() {
                return;
            }
            self.tallies.consumed(size_bytes);
            if stamp.due_ns >= self.run.times().measure_from.0 {
                self.tallies.end_to_end(self.now.since(Instant(stamp.due_ns)));
            }
        }
    }
}
