//! The first phase of a run: faults, one after the other, some of them at once. Each befalls one
//! node, and names it.

use crate::{broker::Broker, dice::Dice, model::Invariant, plan::Fault, run::Run};
use ring::{Instant, sim::DiskControl};
use std::rc::Rc;
use std::time::Duration;

/// What ends a fault, and when.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Remedy {
    Start,
    Unpause,
    UnpauseClients,
    UnpauseCores,
    Heal,
    /// The way to another node, by its place.
    HealNodes(usize),
    ReleaseDisk,
    FreeDisk,
    Supply,
    ReleaseOne,
    FreeOne,
}

impl Remedy {
    fn is_of_disk(self) -> bool {
        use Remedy::{FreeDisk, FreeOne, ReleaseDisk, ReleaseOne, Supply};
        matches!(self, ReleaseDisk | FreeDisk | Supply | ReleaseOne | FreeOne)
    }
}

/// A remedy for the node at this place among the nodes.
struct Due {
    at: Instant,
    node: usize,
    remedy: Remedy,
}

/// The directory whose disk fails alone. The metadata is in the first one.
const ONE_DISK: &str = "/data/1";

const UNLIMITED_BYTES: u64 = 1 << 40;

/// What the storm knows of one node.
#[derive(Clone, Default)]
struct Struck {
    clock_offset_ms: i64,
    /// A sync fails at some time, maybe after a start.
    sync_fails: bool,
}

struct Storm<'a> {
    run: &'a Rc<Run>,
    dice: Dice,
    remedies: Vec<Due>,
    /// By the place of the node.
    struck: Vec<Struck>,
}

/// Lets the storm rage, then leaves a calm world with running brokers.
pub fn rage(run: &Rc<Run>) {
    let dice = Dice::new(run.plan.seed ^ 0x5707);
    let mut storm =
        Storm { run, dice, remedies: Vec::new(), struck: vec![Struck::default(); run.nodes.len()] };
    let end = run.world.now() + run.plan.storm;
    let mut next_fault = run.world.now() + storm.dice.millis(0, 1_000);
    while run.world.now() < end && !run.is_over() {
        let due = storm.remedies.iter().map(|due| due.at).min().unwrap_or(end);
        storm.wait_until(next_fault.min(due).min(end));
        storm.remedy_due();
        storm.settle();
        if run.world.now() >= next_fault {
            storm.strike();
            let (low, high) = run.plan.fault_gap_ms;
            next_fault = run.world.now() + storm.dice.millis(low, high);
        }
    }
    storm.calm_down();
}

impl Storm<'_> {
    fn node(&self, at: usize) -> &Broker {
        &self.run.nodes[at]
    }

    fn disk(&self, at: usize) -> DiskControl {
        self.run.world.disk(self.node(at).node)
    }

    fn wait_until(&mut self, until: Instant) {
        let run = self.run;
        let failed = || run.nodes.iter().position(|node| node.failure().is_some());
        run.world.run_until(until.since(run.world.now()), || run.is_over() || failed().is_some());
        while let Some(at) = failed() {
            let node = &run.nodes[at];
            let why = node.failure().unwrap_or_default();
            if !run.plan.may_give_up() {
                run.violate(
                    Invariant::StartsAndStops,
                    format!("node {} has ended by itself: {why}", node.id),
                );
            }
            run.note(|| format!("node {} has given up: {why}", node.id));
            run.end_node(node, Fault::Kill);
            self.later(at, 0, 500, Remedy::Start);
        }
    }

    fn later(&mut self, node: usize, low_ms: u64, high_ms: u64, remedy: Remedy) {
        let at = self.run.world.now() + self.dice.millis(low_ms, high_ms);
        self.remedies.push(Due { at, node, remedy });
    }

    fn remedy_due(&mut self) {
        let now = self.run.world.now();
        let (due, later) =
            std::mem::take(&mut self.remedies).into_iter().partition(|due| due.at <= now);
        self.remedies = later;
        for Due { node, remedy, .. } in due {
            self.apply(node, remedy);
        }
    }

    /// Nodes that serve, with no fault left, are left alone from now on.
    fn settle(&self) {
        for (at, node) in self.run.nodes.iter().enumerate() {
            let mut remedies = self.remedies.iter().filter(|due| due.node == at);
            let is_struck = remedies.any(|due| !matches!(due.remedy, Remedy::HealNodes(_)));
            if !is_struck && node.is_ready() {
                node.quiet.settle(self.run.world.now());
            }
        }
    }

    fn apply(&self, at: usize, remedy: Remedy) {
        let (run, node) = (self.run, self.node(at));
        match remedy {
            Remedy::Start if node.is_running() => {}
            Remedy::Start => {
                node.start();
                let mut others = self.remedies.iter().filter(|due| due.node == at);
                if !self.struck[at].sync_fails && !others.any(|due| due.remedy.is_of_disk()) {
                    node.quiet.started_well();
                }
                run.note(|| format!("node {} starts, {} cores", node.id, node.cores()));
            }
            Remedy::Unpause => run.world.unpause(node.node),
            Remedy::UnpauseCores => self.unpause_cores(at),
            Remedy::UnpauseClients => run.world.unpause(run.clients[node.cluster.0]),
            Remedy::Heal => run.world.heal(node.node, run.clients[node.cluster.0]),
            Remedy::HealNodes(other) => run.world.heal(node.node, self.node(other).node),
            Remedy::ReleaseDisk => self.disk(at).hang(false),
            Remedy::Supply => self.disk(at).heal(),
            Remedy::ReleaseOne => self.disk(at).hang_below(ONE_DISK, false),
            Remedy::FreeOne => self.disk(at).fill_below(ONE_DISK, false),
            Remedy::FreeDisk => self.disk(at).set_capacity_bytes(UNLIMITED_BYTES),
        }
    }

    fn unpause_cores(&self, at: usize) {
        let node = self.node(at);
        (0..node.cores()).for_each(|core| self.run.world.pause_core(node.node, core, false));
    }

    fn strike(&mut self) {
        let run = self.run;
        if run.plan.faults.is_empty() {
            return;
        }
        let fault = *self.dice.pick(&run.plan.faults);
        // One node alone costs no draw.
        let at =
            if run.nodes.len() > 1 { self.dice.below(run.nodes.len() as u64) as usize } else { 0 };
        let node = &run.nodes[at];
        let clients = run.clients[node.cluster.0];
        run.note(|| format!("fault: {fault:?} of node {}", node.id));
        if fault != Fault::CutNodes {
            node.quiet.disturb();
        }
        match fault {
            Fault::PowerCut | Fault::Kill | Fault::CleanStop => {
                // A paused process would neither stop nor start.
                run.world.unpause(node.node);
                self.unpause_cores(at);
                if node.is_running() {
                    run.end_node(node, fault);
                    self.later(at, 0, 700, Remedy::Start);
                }
            }
            Fault::Pause => {
                run.world.pause(node.node);
                self.later(at, 1, 2_000, Remedy::Unpause);
            }
            Fault::PauseCore => {
                let core = self.dice.below(node.cores() as u64) as usize;
                run.world.pause_core(node.node, core, true);
                self.later(at, 1, 2_000, Remedy::UnpauseCores);
            }
            Fault::PauseClients => {
                run.world.pause(clients);
                self.later(at, 1, 2_000, Remedy::UnpauseClients);
            }
            Fault::Partition => {
                run.world.partition(node.node, clients);
                self.later(at, 1, 3_000, Remedy::Heal);
            }
            Fault::OneWayPartition if self.dice.one_in(2) => {
                run.world.partition_one_way(node.node, clients);
                self.later(at, 1, 3_000, Remedy::Heal);
            }
            Fault::OneWayPartition => {
                run.world.partition_one_way(clients, node.node);
                self.later(at, 1, 3_000, Remedy::Heal);
            }
            Fault::CutNodes => self.cut_nodes(at),
            Fault::JumpClock => {
                let by_ms = self.dice.between(0, 600_000) as i64 - 300_000;
                let offset_ms = &mut self.struck[at].clock_offset_ms;
                // Bounded, or batches would be refused for their timestamps for ever.
                if (*offset_ms + by_ms).abs() < 1_200_000 {
                    *offset_ms += by_ms;
                    run.world.jump_wall_clock(node.node, by_ms);
                }
            }
            of_disk => self.strike_disk(at, of_disk),
        }
    }

    /// Cuts the way to another node, or both ways. Nodes that do not know each other never notice.
    fn cut_nodes(&mut self, at: usize) {
        let run = self.run;
        let others: Vec<usize> = (0..run.nodes.len()).filter(|other| *other != at).collect();
        if others.is_empty() {
            return;
        }
        let other = *self.dice.pick(&others);
        let (from, to) = (self.node(at).node, self.node(other).node);
        match self.dice.one_in(2) {
            true => run.world.partition(from, to),
            false => run.world.partition_one_way(from, to),
        }
        self.later(at, 1, 3_000, Remedy::HealNodes(other));
    }

    fn strike_disk(&mut self, at: usize, fault: Fault) {
        let disk = self.disk(at);
        if !matches!(fault, Fault::HangDisk | Fault::HangOneDisk) {
            self.node(at).quiet.disturb_until_start();
        }
        self.struck[at].sync_fails |= matches!(fault, Fault::FailSync | Fault::FailOneSync);
        match fault {
            Fault::HangDisk => {
                disk.hang(true);
                self.later(at, 1, 2_000, Remedy::ReleaseDisk);
            }
            Fault::FailSync => disk.fail_next_fsync(),
            Fault::FullDisk => {
                if self.dice.one_in(2) {
                    disk.fill()
                } else {
                    disk.set_capacity_bytes(0)
                }
                self.later(at, 1, 1_500, Remedy::FreeDisk);
            }
            Fault::PartlyFullDisk => {
                disk.leave_room(self.dice.below(40));
                self.later(at, 1, 1_500, Remedy::FreeDisk);
            }
            Fault::NoFiles => {
                disk.set_open_files_max(*self.dice.pick(&[0, 3, 12, 40]));
                self.later(at, 1, 1_500, Remedy::Supply);
            }
            Fault::NoMemory => {
                disk.take_memory();
                self.later(at, 1, 500, Remedy::Supply);
            }
            Fault::HangOneDisk => {
                disk.hang_below(ONE_DISK, true);
                self.later(at, 1, 2_000, Remedy::ReleaseOne);
            }
            Fault::FullOneDisk => {
                disk.fill_below(ONE_DISK, true);
                self.later(at, 1, 1_500, Remedy::FreeOne);
            }
            Fault::FailOneSync => disk.fail_next_fsync_below(ONE_DISK),
            other => unreachable!("{other:?} is no fault of a disk"),
        }
    }

    fn calm_down(mut self) {
        let run = self.run;
        run.world.calm_down();
        for at in 0..run.nodes.len() {
            self.unpause_cores(at);
            self.disk(at).set_capacity_bytes(UNLIMITED_BYTES);
            self.disk(at).heal();
        }
        if run.is_over() {
            return;
        }
        run.nodes.iter().for_each(|node| self.start_anew(node));
        let has_failed = || run.nodes.iter().any(|node| node.failure().is_some());
        run.world.run_until(Duration::from_secs(30), || {
            run.is_over() || run.nodes.iter().all(Broker::is_ready) || has_failed()
        });
        for node in &run.nodes {
            match node.failure() {
                Some(why) => {
                    let detail = format!("node {} does not start after the storm: {why}", node.id);
                    run.violate(Invariant::StartsAndStops, detail);
                }
                None if !node.is_ready() => {
                    let detail = format!("node {} has not started 30 s after the storm", node.id);
                    run.violate(Invariant::StartsAndStops, detail);
                }
                None => node.quiet.settle(run.world.now()),
            }
        }
    }

    /// What a broken disk has taken out of service comes back with a restart only; what passes
    /// heals without one, but for a start in its midst.
    fn start_anew(&mut self, node: &Broker) {
        let run = self.run;
        let was_started_in_vain = run.plan.disk_can_fail() && !node.is_ready();
        if node.is_running()
            && (run.plan.disk_can_break() || was_started_in_vain || self.dice.one_in(2))
        {
            run.end_node(node, *self.dice.pick(run.plan.sudden_ends()));
        }
        if !node.is_running() {
            node.start();
            node.quiet.started_well();
        }
    }
}
