//! One seed from its plan to its verdict: storm, calm, and everything read once more.

use crate::{
    admin, audit,
    broker::Broker,
    cluster::ClusterId,
    commits::{self, Commits},
    committed, damage, journal, members,
    members::Generations,
    model::{Checked, Invariant, Model, PartitionKey, Violation},
    plan::{Fault, Plan, Variation},
    producer, reader, silent, storm,
    transactions::Transactions,
    transactor,
};
use ring::{
    Instant, Ring,
    sim::{NodeId, World},
};
use std::{
    cell::{Cell, RefCell},
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    time::Duration,
};

/// Virtual time in which everything must be done once the weather is calm.
const CALM_LIMIT: Duration = Duration::from_secs(90);
/// The same for a start, and for a stop.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How long an answer from the storm may be on its way: clients wait no longer.
const LATE_ANSWERS: Duration = Duration::from_secs(5);
/// In a storm a stop may hang with the disk, and is given up.
const STORM_STOP_LIMIT: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Phase {
    Storm,
    /// Clients finish what they have begun.
    Calm,
}

/// Everything that the tasks of one run share.
pub struct Run {
    pub plan: Plan,
    pub world: World,
    /// In the order of their ids, from 1.
    pub nodes: Vec<Broker>,
    /// Where the clients of each cluster are.
    pub clients: Vec<NodeId>,
    pub model: RefCell<Model>,
    pub commits: RefCell<Commits>,
    pub generations: RefCell<Generations>,
    pub transactions: RefCell<Transactions>,
    pub phase: Cell<Phase>,
    calm_since: Cell<Option<Instant>>,
    /// The partition whose files were damaged on purpose.
    pub victim: Cell<Option<PartitionKey>>,
    pub requests: Cell<u64>,
    /// Answers in time of a node that nothing was done to, while another one was disturbed.
    pub served_beside_faults: Cell<u64>,
    violation: RefCell<Option<Violation>>,
    workers: RefCell<Vec<(String, Rc<Cell<bool>>)>>,
    next_core: Cell<usize>,
}

impl Run {
    pub fn note(&self, text: impl FnOnce() -> String) {
        journal::note(self.world.now(), text());
    }

    pub fn violate(&self, invariant: Invariant, detail: String) {
        self.check(Err(Violation { invariant, detail }));
    }

    pub fn check(&self, checked: Checked) {
        if let Err(violation) = checked {
            self.note(|| format!("VIOLATION {violation}"));
            self.violation.borrow_mut().get_or_insert(violation);
        }
    }

    /// Whether the run is decided: tasks end then.
    pub fn is_over(&self) -> bool {
        self.violation.borrow().is_some()
    }

    /// What the run was decided by.
    pub fn violated(&self) -> Option<Invariant> {
        self.violation.borrow().as_ref().map(|violation| violation.invariant)
    }

    /// Whether partitions may refuse to serve. In calm weather none may: the broker was started
    /// anew on a good disk. Answers from before may still be on their way.
    pub fn disk_may_fail(&self) -> bool {
        let late =
            self.calm_since.get().is_none_or(|since| self.world.now().since(since) < LATE_ANSWERS);
        self.plan.disk_can_fail() && late
    }

    /// The same for one partition: where disks fail apart, those of the first directory are none
    /// the worse.
    pub fn storage_may_fail(&self, key: PartitionKey) -> bool {
        let is_in_order = || {
            let folder = format!("/data/0/{}/", self.model.borrow().folder(key));
            let is_there = |node: &Broker| {
                self.world.disk(node.node).file_names().iter().any(|name| name.starts_with(&folder))
            };
            self.nodes_of(key.topic.cluster).any(is_there)
        };
        self.disk_may_fail() && !(self.plan.apart && is_in_order())
    }

    pub fn nodes_of(&self, cluster: ClusterId) -> impl Iterator<Item = &Broker> {
        self.nodes.iter().filter(move |node| node.cluster == cluster)
    }

    pub fn clusters(&self) -> impl Iterator<Item = ClusterId> + use<> {
        (0..self.clients.len()).map(ClusterId)
    }

    pub fn is_calm(&self) -> bool {
        self.phase.get() == Phase::Calm
    }

    pub fn spawn<F: Future<Output = ()> + 'static>(
        self: &Rc<Self>,
        cluster: ClusterId,
        name: String,
        work: impl FnOnce(Rc<Run>, Ring) -> F + 'static,
    ) {
        let done = Rc::new(Cell::new(false));
        self.workers.borrow_mut().push((name, done.clone()));
        let core = self.next_core.replace(self.next_core.get() + 1);
        let run = self.clone();
        self.world.start_core(self.clients[cluster.0], core, move |ring| async move {
            work(run, ring).await;
            done.set(true);
        });
    }

    /// A world as planned, in which nothing runs yet.
    pub fn of(seed: u64, plan: Plan) -> Rc<Run> {
        let world = World::new(seed, plan.options);
        let nodes = plan.nodes.iter().map(|own| Broker::new(&world, &plan, own)).collect();
        let clients: Vec<NodeId> =
            (0..plan.clusters()).map(|number| world.node(&format!("clients {number}"))).collect();
        let model = Model::new(clients.len(), plan.retention);
        Rc::new(Run {
            nodes,
            clients,
            world,
            model: RefCell::new(model),
            commits: RefCell::default(),
            generations: RefCell::default(),
            transactions: RefCell::default(),
            phase: Cell::new(Phase::Storm),
            calm_since: Cell::default(),
            victim: Cell::default(),
            requests: Cell::new(0),
            served_beside_faults: Cell::new(0),
            violation: RefCell::default(),
            workers: RefCell::default(),
            next_core: Cell::new(0),
            plan,
        })
    }

    fn all_done(&self) -> bool {
        self.is_over() || self.workers.borrow().iter().all(|(_, done)| done.get())
    }

    pub fn wait_for_workers(&self) {
        if !self.world.run_until(CALM_LIMIT, || self.all_done()) {
            let workers = self.workers.borrow();
            let late: Vec<_> = workers
                .iter()
                .filter(|(_, done)| !done.get())
                .map(|(name, _)| name.as_str())
                .collect();
            self.violate(
                Invariant::Liveness,
                format!("not done {CALM_LIMIT:?} after the storm: {}", late.join(", ")),
            );
        }
        self.workers.borrow_mut().clear();
    }

    /// Starts a node in calm weather, where nothing may keep it from serving.
    pub fn start_calmly(&self, node: &Broker) {
        node.start();
        let decided = || node.is_ready() || node.failure().is_some();
        let in_time = self.world.run_until(START_LIMIT, decided);
        if let Some(why) = node.failure() {
            self.violate(
                Invariant::StartsAndStops,
                format!("node {} does not start: {why}", node.id),
            );
        } else if !in_time {
            self.violate(
                Invariant::StartsAndStops,
                format!("node {} has not started within {START_LIMIT:?}", node.id),
            );
        }
        node.quiet.started_well();
        node.quiet.settle(self.world.now());
        self.note(|| format!("node {} serves, {} cores", node.id, node.cores()));
    }

    pub fn end_node(&self, node: &Broker, how: Fault) {
        self.note(|| format!("node {} ends: {how:?}", node.id));
        node.quiet.disturb();
        let mut in_order = false;
        match how {
            Fault::PowerCut => node.crash(),
            Fault::CleanStop => {
                let asked = node.begin_stop();
                let limit = if self.is_calm() { START_LIMIT } else { STORM_STOP_LIMIT };
                let stopped = asked && self.world.run_until(limit, || node.has_stopped());
                // It ends in order, too, where a disk failed before: the next start recovers, and
                // what it has is audited.
                let is_failure = |why: &String| {
                    !why.starts_with("stopped, but these log directories were not closed cleanly")
                };
                let failure = node.failure().filter(is_failure);
                if self.is_calm() && (!stopped || failure.is_some()) {
                    let why =
                        failure.unwrap_or_else(|| format!("asked: {asked}, stopped: {stopped}"));
                    self.violate(
                        Invariant::StartsAndStops,
                        format!("node {} does not stop: {why}", node.id),
                    );
                }
                in_order = stopped && node.failure().is_none();
                node.kill();
            }
            _ => node.kill(),
        }
        let loses = self.plan.loses(how);
        self.model.borrow_mut().broker_ended(node.cluster, in_order, loses);
        self.commits.borrow_mut().broker_ended(node.cluster, self.world.now(), loses);
        self.transactions.borrow_mut().broker_ended(node.cluster, loses);
    }

    fn go(self: &Rc<Self>) {
        self.nodes.iter().for_each(Broker::start);
        self.clusters().for_each(|cluster| self.spawn_clients(cluster));
        storm::rage(self);
        if self.is_over() {
            return;
        }
        self.phase.set(Phase::Calm);
        self.calm_since.set(Some(self.world.now()));
        self.note(|| "the storm is over".to_owned());
        self.wait_for_workers();
        for how in self.plan.last_ends.clone() {
            if self.is_over() {
                return;
            }
            for node in &self.nodes {
                self.end_node(node, how);
                self.start_calmly(node);
            }
            for cluster in self.clusters() {
                self.spawn(cluster, "audit".to_owned(), move |run, ring| {
                    audit::work(run, ring, cluster)
                });
            }
            self.wait_for_workers();
        }
        if self.plan.damage && !self.is_over() {
            damage::inflict(self, &self.nodes[0]);
        }
    }

    fn spawn_clients(self: &Rc<Self>, cluster: ClusterId) {
        let plan = &self.plan;
        self.spawn(cluster, "admin".to_owned(), move |run, ring| admin::work(run, ring, cluster));
        for index in 0..plan.producers {
            let work = move |run, ring| producer::work(run, ring, cluster, index);
            self.spawn(cluster, format!("producer {index}"), work);
        }
        for index in 0..plan.silent {
            let work = move |run, ring| silent::work(run, ring, cluster, index);
            self.spawn(cluster, format!("silent {index}"), work);
        }
        for index in 0..plan.readers {
            let work = move |run, ring| reader::work(run, ring, cluster, index);
            self.spawn(cluster, format!("reader {index}"), work);
        }
        self.spawn(cluster, "committer".to_owned(), move |run, ring| {
            commits::work(run, ring, cluster)
        });
        for index in 0..plan.members {
            let work = move |run, ring| members::work(run, ring, cluster, index);
            self.spawn(cluster, format!("member {index}"), work);
        }
        for index in 0..plan.transactors {
            let work = move |run, ring| transactor::work(run, ring, cluster, index);
            self.spawn(cluster, format!("transactor {index}"), work);
        }
        if plan.transactors > 0 {
            self.spawn(cluster, "committed reader".to_owned(), move |run, ring| {
                committed::work(run, ring, cluster)
            });
        }
    }
}

/// What became of a seed, or of several.
#[derive(Default)]
pub struct Outcome {
    pub violation: Option<Violation>,
    pub trace_hash: u64,
    pub requests: u64,
    pub served_beside_faults: u64,
    pub acked_records: u64,
    pub read_records: u64,
    pub commits: u64,
    /// Committed, and aborted.
    pub transactions: (u64, u64),
    pub virtual_time: Duration,
    pub tail: Vec<String>,
}

fn print_files(world: &World, node: &Broker) {
    let disk = world.disk(node.node);
    eprintln!("files of node {}:", node.id);
    for name in disk.file_names() {
        let size_bytes = disk.read_raw(&name).map_or(0, |content| content.len());
        eprintln!("{size_bytes:>10} {name}");
    }
}

/// Runs one seed.
pub fn run_seed(seed: u64, variation: Variation, verbose: bool) -> Outcome {
    journal::begin(verbose);
    let run = Run::of(seed, Plan::new(seed, variation));
    let world = run.world.clone();
    run.note(|| format!("{:?} storm of {:?}", run.plan.storm, run.plan.faults));
    for node in &run.plan.nodes {
        run.note(|| format!("node {}: {} cores, {:?}", node.id, node.cores, node.properties));
    }
    run.note(|| format!("all nodes: {:?}", run.plan.properties));
    let caught = catch_unwind(AssertUnwindSafe(|| run.go()));
    if let Err(panic) = caught {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        // The world is in the middle of something: it stays as it is, unfreed.
        std::mem::forget(run.clone());
        run.violate(Invariant::NoPanic, text.unwrap_or_else(|| "a panic without words".to_owned()));
    } else {
        world.close();
    }
    if verbose && run.is_over() {
        run.nodes.iter().for_each(|node| print_files(&world, node));
    }
    let model = run.model.borrow();
    Outcome {
        violation: run.violation.borrow().clone(),
        trace_hash: world.trace_hash(),
        requests: run.requests.get(),
        served_beside_faults: run.served_beside_faults.get(),
        acked_records: model.acked_records,
        read_records: model.read_records,
        commits: run.commits.borrow().acknowledged,
        transactions: {
            let transactions = run.transactions.borrow();
            (transactions.committed, transactions.aborted)
        },
        virtual_time: world.now().since(ring::Instant(0)),
        tail: journal::tail(),
    }
}
