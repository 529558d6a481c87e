//! One run: the tasks, the clock they share, and what they find out.
//!
//! Owns: the tallies and the verdict. Lives on: the generator's thread. Never: touches a socket;
//! waits without a bound once the load is over.

use crate::{
    cluster::{Cluster, From},
    commands,
    consume::{self, CatchUp, Consumer},
    machine::Machine,
    options::{self, RunCommand, RunOptions},
    payload,
    produce::Producer,
    progress::{self, ThreadClock},
    random::Random,
    report::{self, CommandOutcome, Details, Environment, Report, ReportFile, Wire, html},
    say,
    schedule::{RateCurve, Schedule},
    signals::{Interrupt, Signals},
    tallies::Tallies,
    verify::{Findings, Verification, Verifier},
    workload::{Producers, Reading, Workload},
};
use anyhow::{Context, bail, ensure};
use ring::{BackendChoice, BackendKind, CoreOptions, Instant, Ring, sync::Notify};
use rustc_hash::FxHashMap;
use std::{
    cell::{Cell, RefCell},
    future::{self, Future},
    path::PathBuf,
    pin::pin,
    rc::Rc,
    task::Poll,
    time::Duration,
};

mod books;

/// Complaints that are printed; the rest is counted.
const COMPLAINTS_MAX: usize = 10;
/// How long consumers may take to read the rest, beyond as long again as the load took.
const CATCH_UP_MAX: Duration = Duration::from_secs(30);
/// Streams of chance that are none of a producer's connection: those have their numbers.
const POOLS_FROM: u64 = 1 << 40;
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
    fn from(start: Instant, workload: &Workload) -> Times {
        let measure_from = start + workload.warm_up();
        Times { start, measure_from, end: measure_from + workload.duration() }
    }
}

/// What all tasks of a run share.
pub struct Run {
    pub ring: Ring,
    /// What is of the run and not of its load, and the load in short.
    pub options: RunOptions,
    pub workload: Workload,
    /// By topic: those of the workload's consumers that judge what they read.
    judges: Vec<Option<usize>>,
    /// By topic: consumers that see each record as it comes.
    readers: Vec<u64>,
    /// What is due by when, of each of the workload's producers that have a rate.
    curves: Vec<Option<Rc<RateCurve>>>,
    /// From the start on, when nothing is sent.
    pauses: Vec<(Duration, Duration)>,
    pub commands: RefCell<Vec<CommandOutcome>>,
    catch_ups: RefCell<Vec<Rc<CatchUp>>>,
    pub rebalances: Cell<u64>,
    /// Members of groups that have no partitions given yet, for the first time.
    pub members_waiting: Cell<usize>,
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
pub fn run(command: RunCommand) -> anyhow::Result<bool> {
    command.check()?;
    let given = command.load;
    let workload = match &command.workload {
        Some(file) => Workload::read(file)?,
        None => Workload::of_options(&given),
    };
    if command.print_workload {
        say::result(workload.toml().trim_end());
        return Ok(true);
    }
    workload.words.iter().for_each(|word| say::note(&format!("loadgen: {word}")));
    measure(given, workload, command.omb_result)
}

/// Runs a workload to its end on this thread, prints, and says whether all went well. `given` has
/// what is of the run and not of its load.
///
/// # Errors
///
/// Where a report cannot be written, or no load could be sent.
pub fn measure(
    given: RunOptions,
    workload: Workload,
    omb_result: Option<PathBuf>,
) -> anyhow::Result<bool> {
    let options = workload.summary(&given);
    let core = core_for(&options)?;
    let create = |option, path| ReportFile::create(option, path);
    let json = options.json.clone().map(|path| create("--json", path)).transpose()?;
    let page = options.report.clone().map(|path| create("--report", path)).transpose()?;
    let omb = omb_result.map(|path| create("--omb-result", path)).transpose()?;
    let environment = Environment { machine: Machine::look(), began_ms: None };
    let load = workload.clone();
    match on_core(core, move |ring, interrupt| run_workload(ring, given, load, interrupt)) {
        Ok(report) => {
            say::result(&report.table());
            let report = Report {
                environment: Environment { machine: environment.machine, ..report.environment },
                ..report
            };
            json.map_or(Ok(()), |file| file.write_json(&report.json()))?;
            page.map_or(Ok(()), |file| file.write(&report.html()))?;
            omb.map_or(Ok(()), |file| file.write_json(&report.omb_result(&workload)))?;
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
    core_of(options.core, options.backend)
}

/// The processor and the back-end that were asked for, if they are to be had.
///
/// # Errors
///
/// Says what to type where they are not.
pub fn core_of(core: Option<usize>, backend: options::Backend) -> anyhow::Result<CoreOptions> {
    check_core(core)?;
    let choice = match backend {
        options::Backend::Auto => BackendChoice::Auto,
        options::Backend::IoUring => BackendChoice::IoUring,
        options::Backend::Epoll => BackendChoice::Epoll,
    };
    let selection = ring::select(choice).context("try --backend epoll")?;
    Ok(CoreOptions {
        name: "loadgen".to_owned(),
        index: 0,
        cpu: core,
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

/// The load that options stand for.
pub async fn run_on(
    ring: Ring,
    options: RunOptions,
    interrupt: Rc<Interrupt>,
) -> anyhow::Result<Report> {
    let workload = Workload::of_options(&options);
    run_workload(ring, options, workload, interrupt).await
}

/// One load, from its connections to its verdict.
async fn run_workload(
    ring: Ring,
    given: RunOptions,
    workload: Workload,
    interrupt: Rc<Interrupt>,
) -> anyhow::Result<Report> {
    let preparing = prepare(&ring, given, workload, interrupt.clone());
    let (run, consumers, producers) = first(preparing, interrupt.wait())
        .await
        .context("ended by a signal before the load began")??;
    // The time that many connections take to be made is none of the load's.
    let (start, began_ms) = (ring.precise_now(), ring.wall_clock_ms());
    run.set_times(Times::from(start, &run.workload));
    let clock = ThreadClock::start();
    end_early_when_interrupted(&run);
    if !run.options.quiet {
        ring.spawn(progress::print_each_second(run.clone()));
    }
    ring.spawn(progress::tick_each_second(run.clone()));
    consumers.into_iter().for_each(|consumer| run.spawn_consumer(consumer));
    commands::spawn_all(&run);
    consume::spawn_catch_ups(&run);
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
            leaders: run.cluster.leaders(),
        }),
        environment: Environment { began_ms: Some(began_ms), ..Environment::default() },
        details: run.details(),
        tallies: run.tallies.replace(Tallies::default()),
        options: run.options.clone(),
    })
}

fn end_early_when_interrupted(run: &Rc<Run>) {
    // A run that is over must not stay in memory until a signal comes: others may follow it.
    let (interrupt, weak) = (run.interrupt.clone(), Rc::downgrade(run));
    run.ring.spawn(async move {
        interrupt.wait().await;
        if let Some(run) = weak.upgrade() {
            run.end_early();
        }
    });
}

/// Everything that comes before the clock starts: the topic, its leaders, the connections.
async fn prepare(
    ring: &Ring,
    given: RunOptions,
    workload: Workload,
    interrupt: Rc<Interrupt>,
) -> anyhow::Result<(Rc<Run>, Vec<Consumer>, Vec<Producer>)> {
    let options = workload.summary(&given);
    let cluster = Cluster::discover(ring, &options, &workload).await?;
    let now = ring.precise_now();
    let topics = 0..workload.topics.len();
    let curve = |producers: &Producers| workload.curve(producers).map(Rc::new);
    let run = Rc::new(Run {
        id: ring.random_u64() as u32,
        times: Cell::new(Times::from(now, &workload)),
        judges: topics.clone().map(|topic| workload.judge_of(topic)).collect(),
        readers: topics.map(|topic| workload.readers_of(topic)).collect(),
        curves: workload.producers.iter().map(curve).collect(),
        pauses: workload.pauses(),
        commands: RefCell::default(),
        catch_ups: RefCell::default(),
        rebalances: Cell::new(0),
        members_waiting: Cell::new(0),
        changed: Rc::default(),
        tallies: RefCell::new(Tallies::default()),
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
        workload,
        ring: ring.clone(),
    });
    let from = if run.options.consume_only { From::Earliest } else { From::Latest };
    let consumers = all_consumers(&run, from).await?;
    consume::form_groups(&run).await?;
    let producers = all_producers(&run).await?;
    Ok((run, consumers, producers))
}

async fn all_producers(run: &Rc<Run>) -> anyhow::Result<Vec<Producer>> {
    let mut producers = Vec::new();
    for (place, load) in run.workload.producers.iter().enumerate() {
        let load = Rc::new(load.clone());
        let pool = load.entropy.map(|entropy| {
            payload::pool(entropy, load.batch_size, run.random(POOLS_FROM + place as u64))
        });
        for index in 0..load.connections {
            let stream = producers.len() as u32;
            let mut producer =
                Producer::new(run.clone(), load.clone(), place, index, stream, pool.clone());
            producer.prepare().await?;
            producers.push(producer);
        }
    }
    Ok(producers)
}

/// Those without a group.
async fn all_consumers(run: &Rc<Run>, from: From) -> anyhow::Result<Vec<Consumer>> {
    let mut consumers = Vec::new();
    for (place, set) in run.workload.consumers.iter().enumerate() {
        if matches!(set.reading, Reading::Shared | Reading::Every) {
            for index in 0..set.count {
                consumers.extend(consume::consumers(run, place, index, from).await?);
            }
        }
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
    let longest = run.workload.duration() + run.workload.warm_up() + CATCH_UP_MAX;
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
        // Groups that gathered before it.
        self.rebalances.set(0);
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
        self.spawn_reader(consumer.read_all());
    }

    /// A task that the end of the run waits for, as it does for consumers.
    pub fn spawn_reader(self: &Rc<Self>, reader: impl Future<Output = ()> + 'static) {
        self.consumers.set(self.consumers.get() + 1);
        let run = self.clone();
        self.ring.spawn(async move {
            reader.await;
            run.consumers.set(run.consumers.get() - 1);
            run.changed.notify();
        });
    }

    /// Numbers by chance, always the same ones for the workload's seed.
    pub fn random(&self, stream: u64) -> Random {
        Random::new(self.workload.seed, stream)
    }

    /// When the records of a connection are due; `None`: as fast as they can be sent.
    pub fn schedule(
        &self,
        load: &Producers,
        place: usize,
        index: usize,
        random: Random,
    ) -> Option<Schedule> {
        let curve = self.curves[place].clone()?;
        Some(Schedule::new(self.times().start, curve, load.connections, index, random))
    }

    /// The end of the pause that now is.
    pub fn pause_end(&self, now: Instant) -> Option<Instant> {
        let start = self.times().start;
        let since = now.since(start);
        let pause = self.pauses.iter().find(|(from, until)| (*from..*until).contains(&since))?;
        Some(start + pause.1)
    }

    fn is_judged(&self, partition: i32) -> bool {
        self.judge_of(self.cluster.topic_of(partition)).is_some()
    }

    pub fn judge_of(&self, topic: usize) -> Option<usize> {
        self.judges[topic]
    }

    pub fn readers_of(&self, partition: i32) -> u64 {
        let topic = self.cluster.topic_of(partition);
        if self.judges[topic].is_some() { self.readers[topic] } else { 0 }
    }

    pub fn add_catch_up(&self, catch_up: Rc<CatchUp>) {
        self.catch_ups.borrow_mut().push(catch_up);
    }

    fn details(&self) -> Details {
        let measure_from = self.times().measure_from;
        let catch_ups = self.catch_ups.borrow();
        Details {
            workload: Some(self.workload.clone()),
            commands: self.commands.take(),
            catch_ups: catch_ups.iter().map(|one| one.outcome(measure_from)).collect(),
            rebalances: self.rebalances.get(),
        }
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
}

/// The output of `future`, or `None` when `other` is first.
pub async fn first<T>(
    future: impl Future<Output = T>,
    other: impl Future<Output = ()>,
) -> Option<T> {
    let (mut future, mut other) = (pin!(future), pin!(other));
    future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => other.as_mut().poll(context).map(|()| None),
    })
    .await
}
