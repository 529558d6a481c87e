//! One run: the tasks, the clock they share, and what they find out.
//!
//! Owns: the tallies and the verdict. Lives on: the generator's thread. Never: touches a socket;
//! waits without a bound once the load is over.

use crate::{
    cluster::{Cluster, From},
    consume::{self, Consumer},
    machine::Machine,
    options::{self, Rate, RunOptions},
    produce::Producer,
    progress::{self, ThreadClock},
    report::{self, Environment, Report, ReportFile, Wire, html},
    say,
    schedule::Schedule,
    signals::{Interrupt, Signals},
    tallies::Tallies,
    value::Stamp,
    verify::{Findings, Verification, Verifier},
};
use anyhow::{Context, bail, ensure};
use ring::{BackendChoice, BackendKind, CoreOptions, Instant, Ring, sync::Notify};
use rustc_hash::FxHashMap;
use std::{
    cell::{Cell, RefCell, RefMut},
    future::{self, Future},
    ops::Range,
    pin::pin,
    rc::Rc,
    task::Poll,
    time::Duration,
};

/// Complaints that are printed; the rest is counted.
const COMPLAINTS_MAX: usize = 10;
/// How long consumers may take to read the rest, beyond as long again as the load took.
const CATCH_UP_MAX: Duration = Duration::from_secs(30);
/// With --through-restarts: how long a broker that answered at the end may take until it can be
/// read once more.
const READ_AGAIN_PATIENCE: Duration = Duration::from_secs(30);

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
    pub cluster: Rc<Cluster>,
    /// Tells this run's records from older ones in the topic.
    pub id: u32,
    times: Cell<Times>,
    /// A request was answered, or records were consumed, or the end has come nearer.
    pub changed: Rc<Notify>,
    pub tallies: RefCell<Tallies>,
    verifier: RefCell<Verifier>,
    interrupt: Rc<Interrupt>,
    /// The end, or the patience after it, is another one now.
    end_moved: Notify,
    patience: Cell<Duration>,
    last_produced: Cell<Instant>,
    last_consumed: Cell<Instant>,
    complaints: Cell<usize>,
    producers_done: Cell<bool>,
    consumers_may_stop: Cell<bool>,
    consumers: Cell<usize>,
    /// When each fetch that is not answered was sent.
    fetches: RefCell<FxHashMap<u64, Instant>>,
    next_fetch: Cell<u64>,
    /// The records read now were read before: they are judged, not measured.
    reading_again: Cell<bool>,
    not_read_again: RefCell<Option<String>>,
}

/// Runs to the end on this thread, prints, and says whether all went well.
pub fn run(options: RunOptions) -> anyhow::Result<bool> {
    options.check()?;
    let core = core_for(&options)?;
    let create = |option, path| ReportFile::create(option, path);
    let json = options.json.clone().map(|path| create("--json", path)).transpose()?;
    let page = options.report.clone().map(|path| create("--report", path)).transpose()?;
    let environment = Environment { machine: Machine::look(), began_ms: None };
    let load = options.clone();
    match on_core(core, move |ring, interrupt| run_on(ring, load, interrupt)) {
        Ok(report) => {
            say::result(&report.table());
            let report = Report {
                environment: Environment { machine: environment.machine, ..report.environment },
                ..report
            };
            json.map_or(Ok(()), |file| file.write_json(&report.json()))?;
            page.map_or(Ok(()), |file| file.write(&report.html()))?;
            Ok(report.is_good())
        }
        Err(error) => {
            let failed = report::failed(&options, &environment, &error);
            json.map_or(Ok(()), |file| file.write_json(&failed))?;
            page.map_or(Ok(()), |file| file.write(&html::failed(&options, &error)))?;
            Err(error)
        }
    }
}

/// The core that the options ask for, if this machine and this process can have it.
pub fn core_for(options: &RunOptions) -> anyhow::Result<CoreOptions> {
    check_core(options.core)?;
    let choice = match options.backend {
        options::Backend::Auto => BackendChoice::Auto,
        options::Backend::IoUring => BackendChoice::IoUring,
        options::Backend::Epoll => BackendChoice::Epoll,
    };
    let selection = ring::select(choice).context("try --backend epoll")?;
    Ok(CoreOptions {
        name: "loadgen".to_owned(),
        index: 0,
        cpu: options.core,
        backend: selection.kind,
        spin: Duration::ZERO,
    })
}

/// Does `work` on this thread, which is told of signals.
pub fn on_core<T: 'static, F: Future<Output = anyhow::Result<T>> + 'static>(
    core: CoreOptions,
    work: impl FnOnce(Ring, Rc<Interrupt>) -> F,
) -> anyhow::Result<T> {
    let signals = Signals::watch().context("cannot watch for signals")?;
    let outcome = ring::run(core, move |ring| {
        let interrupt = signals.deliver_to(&ring);
        work(ring, interrupt)
    });
    outcome.context("the core cannot start").and_then(|outcome| outcome)
}

fn check_core(core: Option<usize>) -> anyhow::Result<()> {
    let allowed = ring::allowed_cpus();
    if let Some(core) = core.filter(|core| !allowed.contains(core)) {
        let numbers = allowed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        bail!("there is no processor {core} for this process: give --core one of {numbers}");
    }
    Ok(())
}

/// One load, from its connections to its verdict.
pub async fn run_on(
    ring: Ring,
    options: RunOptions,
    interrupt: Rc<Interrupt>,
) -> anyhow::Result<Report> {
    let prepared = first(prepare(&ring, options, interrupt.clone()), interrupt.wait()).await;
    let (run, consumers, producers) =
        prepared.context("ended by a signal before the load began")??;
    // The time that many connections take to be made is none of the load's.
    let (start, began_ms) = (ring.precise_now(), ring.wall_clock_ms());
    run.set_times(Times::from(start, &run.options));
    let clock = ThreadClock::start();
    ring.spawn({
        // A run that is over must not stay in memory until a signal comes: others may follow it.
        let (interrupt, run) = (run.interrupt.clone(), Rc::downgrade(&run));
        async move {
            interrupt.wait().await;
            if let Some(run) = run.upgrade() {
                run.end_early();
            }
        }
    });
    if !run.options.quiet {
        ring.spawn(progress::print_each_second(run.clone()));
    }
    ring.spawn(progress::tick_each_second(run.clone()));
    consumers.into_iter().for_each(|consumer| run.spawn_consumer(consumer));
    let producing: Vec<_> =
        producers.into_iter().map(|producer| ring.spawn(producer.send_all())).collect();
    let all_read = async {
        if !run.options.once {
            future::pending::<()>().await;
        }
        run.changed.wait_until(|| run.consumers.get() == 0).await;
    };
    run.unless_over(all_read).await;
    let cut_short = run.options.once && run.consumers.get() > 0;
    let ended = ring.precise_now();
    let generator = clock.read(ended.since(start));
    for producer in producing {
        producer.await;
    }
    run.producers_done.set(true);
    let findings = read_to_end(&run).await;
    run.close();
    Ok(Report {
        backend: match ring.backend() {
            BackendKind::IoUring => "io_uring",
            BackendKind::Epoll => "epoll",
            BackendKind::Simulated => "simulated",
        },
        seconds: run.measured_until(ended).since(run.times().measure_from).as_secs_f64(),
        verification: Verification::judge(&run.options, findings),
        generator,
        leader_moves: run.cluster.leader_moves(),
        interrupted: run.interrupt.came(),
        cut_short,
        not_read_again: run.not_read_again.take(),
        wire: Some(Wire {
            produce_version: run.cluster.produce_version,
            fetch_version: run.cluster.fetch_version,
        }),
        environment: Environment { began_ms: Some(began_ms), ..Environment::default() },
        tallies: run.tallies.replace(Tallies::new(run.options.record_size)),
        options: run.options.clone(),
    })
}

/// Everything that comes before the clock starts: the topic, its leaders, the connections.
async fn prepare(
    ring: &Ring,
    options: RunOptions,
    interrupt: Rc<Interrupt>,
) -> anyhow::Result<(Rc<Run>, Vec<Consumer>, Vec<Producer>)> {
    let cluster = Cluster::discover(ring, &options).await?;
    let now = ring.precise_now();
    let run = Rc::new(Run {
        id: ring.random_u64() as u32,
        times: Cell::new(Times::from(now, &options)),
        changed: Rc::default(),
        tallies: RefCell::new(Tallies::new(options.record_size)),
        verifier: RefCell::default(),
        interrupt,
        end_moved: Notify::default(),
        patience: Cell::new(options.patience()),
        last_produced: Cell::new(now),
        last_consumed: Cell::new(now),
        complaints: Cell::new(0),
        producers_done: Cell::new(false),
        consumers_may_stop: Cell::new(false),
        consumers: Cell::new(0),
        fetches: RefCell::default(),
        next_fetch: Cell::new(0),
        reading_again: Cell::new(false),
        not_read_again: RefCell::default(),
        cluster,
        options,
        ring: ring.clone(),
    });
    let from = if run.options.consume_only { From::Earliest } else { From::Latest };
    let consumers = all_consumers(&run, from).await?;
    let mut producers = Vec::new();
    let streams = if run.options.consume_only { 0 } else { run.options.connections };
    for stream in 0..streams {
        let mut producer = Producer::new(run.clone(), stream as u32);
        producer.prepare().await?;
        producers.push(producer);
    }
    Ok((run, consumers, producers))
}

async fn all_consumers(run: &Rc<Run>, from: From) -> anyhow::Result<Vec<Consumer>> {
    let mut consumers = Vec::new();
    for index in 0..run.options.consumers {
        consumers.extend(consume::consumers(run, index, from).await?);
    }
    Ok(consumers)
}

/// Lets the consumers read what was acknowledged, as long as they come further, and once more with
/// --through-restarts.
async fn read_to_end(run: &Rc<Run>) -> Findings {
    stop_consumers(run).await;
    run.book_never_arrived();
    let findings = run.verifier.borrow().findings();
    if !run.options.through_restarts {
        return findings;
    }
    let again = match read_again(run).await {
        Ok(again) => again,
        Err(error) => {
            *run.not_read_again.borrow_mut() = Some(format!("{error:#}"));
            // The records on the disk now were not seen.
            Findings { unread: findings.acknowledged, ..findings }
        }
    };
    findings.with_second_reading(again)
}

/// Reads the topic from its beginning: what consumers saw while it was new may be gone from the
/// disk.
async fn read_again(run: &Rc<Run>) -> anyhow::Result<Findings> {
    ensure!(!run.is_silent(), "the broker has not come back");
    run.verifier.borrow_mut().start_over();
    run.reading_again.set(true);
    run.consumers_may_stop.set(false);
    run.last_consumed.set(run.ring.precise_now());
    let patience = READ_AGAIN_PATIENCE.min(run.patience.get());
    let consumers = run.within(patience, all_consumers(run, From::Earliest)).await;
    let consumers = consumers.context("its offsets could not be had")??;
    consumers.into_iter().for_each(|consumer| run.spawn_consumer(consumer));
    stop_consumers(run).await;
    Ok(run.verifier.borrow().findings())
}

/// Waits until the consumers have passed everything acknowledged, as long as they make progress,
/// and has them stop. Those that wait for an answer then get as long as one may take.
async fn stop_consumers(run: &Run) {
    let longest = run.options.duration + run.options.warm_up + CATCH_UP_MAX;
    while run.options.can_verify() && !run.verifier.borrow().has_caught_up() {
        let changed = run.changed.clone().past(run.changed.generation());
        let progress = run.last_consumed.get().max(run.last_produced.get());
        let Some(patience) = run.patience_left(progress, longest) else {
            run.complain("the consumers make no more progress");
            break;
        };
        run.within(patience, changed).await;
    }
    run.consumers_may_stop.set(true);
    let told = run.ring.precise_now();
    loop {
        let changed = run.changed.clone().past(run.changed.generation());
        let oldest = run.fetches.borrow().values().min().copied();
        let patience =
            run.patience_left(oldest.unwrap_or(told), longest).filter(|_| run.consumers.get() > 0);
        let Some(patience) = patience else { break };
        run.within(patience, changed).await;
    }
    run.book_unanswered_fetches();
}

impl Run {
    pub fn times(&self) -> Times {
        self.times.get()
    }

    fn set_times(&self, times: Times) {
        self.times.set(times);
        self.tallies.borrow_mut().measure_from = times.measure_from;
        self.last_produced.set(times.start);
        self.last_consumed.set(times.start);
    }

    /// The user wants to see what there is: the load ends now, or the waiting after it.
    fn end_early(&self) {
        let (now, times) = (self.ring.precise_now(), self.times());
        if now < times.end {
            self.times.set(Times { end: now, ..times });
            self.patience.set(self.patience.get().min(options::SETTLE_DEFAULT));
        } else {
            self.patience.set(Duration::ZERO);
        }
        self.end_moved.notify();
        self.changed.notify();
    }

    /// The output of `future`, or `None` when the end of the load comes first.
    pub async fn unless_over<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let over = async {
            loop {
                let moved = self.end_moved.notified();
                let (now, end) = (self.ring.precise_now(), self.times().end);
                if now >= end {
                    return;
                }
                self.ring.timeout(end.since(now), moved).await;
            }
        };
        first(future, over).await
    }

    /// The output of `future`, or `None` when the time has passed, or the user has lost patience.
    pub async fn within<T>(
        &self,
        patience: Duration,
        future: impl Future<Output = T>,
    ) -> Option<T> {
        self.ring.timeout(patience, first(future, self.end_moved.notified())).await.flatten()
    }

    /// How long nothing may come from now on, after the end and what came last; `None`: no longer.
    /// `longest` after the end it is over in any case.
    pub fn patience_left(&self, progress: Instant, longest: Duration) -> Option<Duration> {
        let (now, end) = (self.ring.precise_now(), self.times().end);
        let patience = self.patience.get();
        let idle = now.since(progress.max(end));
        let left = patience.saturating_sub(idle).min((end + longest).since(now));
        (!left.is_zero()).then_some(left)
    }

    pub fn last_produced(&self) -> Instant {
        self.last_produced.get()
    }

    /// Whether something was sent and the broker has answered nothing of it to the end.
    fn is_silent(&self) -> bool {
        let tallies = self.tallies.borrow();
        tallies.unanswered > 0
            && self.patience_left(self.last_produced.get(), Duration::MAX).is_none()
    }

    pub fn producers_are_done(&self) -> bool {
        self.producers_done.get()
    }

    /// Consumers that measure stop at the end; those that verify, when there is nothing left to
    /// see.
    pub fn consumers_may_stop(&self) -> bool {
        let is_over = self.options.consume_only && self.ring.precise_now() >= self.times().end;
        is_over || self.consumers_may_stop.get()
    }

    pub fn spawn_consumer(self: &Rc<Self>, consumer: Consumer) {
        self.consumers.set(self.consumers.get() + 1);
        let run = self.clone();
        self.ring.spawn(async move {
            consumer.read_all().await;
            run.consumers.set(run.consumers.get() - 1);
            run.changed.notify();
        });
    }

    pub fn complain(&self, what: &str) {
        let said = self.complaints.get();
        self.complaints.set(said + 1);
        match said {
            0..COMPLAINTS_MAX => say::note(&format!("loadgen: {what}")),
            COMPLAINTS_MAX => say::note("loadgen: more errors follow; they are counted only"),
            _ => {}
        }
    }

    /// A batch is ready to be sent.
    pub fn built(&self, stream: u32, partition: i32, end_sequence: u64, due: &[Instant]) {
        self.tallies.borrow_mut().built(due);
        if self.options.can_verify() {
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
        size_bytes: usize,
        due: &[Instant],
        sent: Instant,
        answered: Instant,
    ) {
        self.last_produced.set(answered);
        self.verifier.borrow_mut().acknowledged((stream, partition), sequences);
        self.tallies.borrow_mut().acknowledged(size_bytes, due, sent, answered);
    }

    /// Sent with acks=0: nothing tells whether it is there, so it may be missing.
    pub fn sent(
        &self,
        stream: u32,
        partition: i32,
        sequences: Range<u64>,
        size_bytes: usize,
        due: &[Instant],
        now: Instant,
    ) {
        self.last_produced.set(now);
        self.tallies.borrow_mut().sent(size_bytes, due, now);
        self.verifier.borrow_mut().unacknowledged((stream, partition), sequences);
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
        self.verifier.borrow_mut().unacknowledged((stream, partition), sequences);
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
        self.verifier.borrow_mut().unacknowledged((stream, partition), sequences);
    }

    pub fn not_sent(&self, schedule: &Schedule, records: Range<u64>, is_silent: bool) {
        let arrivals = if self.options.can_verify() { self.readers_of_a_record() } else { 0 };
        self.tallies.borrow_mut().not_sent(schedule, records, is_silent, arrivals);
    }

    fn readers_of_a_record(&self) -> u64 {
        if self.options.fan_out { self.options.consumers as u64 } else { 1 }
    }

    pub fn is_settled_up_to(&self, stream: u32, partition: i32, sequence: u64) -> bool {
        self.verifier.borrow().is_settled_up_to((stream, partition), sequence)
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

    fn book_unanswered_fetches(&self) {
        let mut tallies = self.tallies.borrow_mut();
        for (_, sent) in self.fetches.borrow_mut().drain() {
            tallies.fetch_unanswered(sent, self.options.consume_only);
        }
    }

    fn book_never_arrived(&self) {
        let (mut tallies, readers) = (self.tallies.borrow_mut(), self.readers_of_a_record());
        self.verifier
            .borrow_mut()
            .drain_never_arrived(|due, records| tallies.not_arrived(due, records * readers));
    }

    /// A second of the measured time has passed; `busy`: the share of it that this thread ran.
    pub fn tick(&self, now: Instant, busy: Option<f64>) {
        let times = self.times();
        let due = match self.options.rate {
            Rate::PerSecond(rate) if !self.options.consume_only => {
                let all = Schedule { start: times.start, rate, streams: 1, stream: 0 };
                let before = all.count_before(times.measure_from);
                Some(all.count_before(now.min(times.end)).saturating_sub(before))
            }
            _ => None,
        };
        self.tallies.borrow_mut().tick(now, due, busy);
    }

    fn close(&self) {
        let now = self.ring.precise_now();
        self.tick(now, None);
        self.tallies.borrow_mut().close(now);
    }

    /// The measured time ends with the last acknowledgement: none that came late makes a rate look
    /// better.
    fn measured_until(&self, ended: Instant) -> Instant {
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

/// The output of `future`, or `None` when `other` is first.
async fn first<T>(future: impl Future<Output = T>, other: impl Future<Output = ()>) -> Option<T> {
    let (mut future, mut other) = (pin!(future), pin!(other));
    future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => other.as_mut().poll(context).map(|()| None),
    })
    .await
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
