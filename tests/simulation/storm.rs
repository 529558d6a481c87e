//! The first phase of a run: faults, one after the other, some of them at once.

use crate::{dice::Dice, model::Invariant, plan::Fault, run::Run};
use ring::Instant;
use std::rc::Rc;
use std::time::Duration;

/// What ends a fault, and when.
enum Remedy {
    Start,
    Unpause,
    UnpauseClients,
    UnpauseCores,
    Heal,
    ReleaseDisk,
    FreeDisk,
    Supply,
    ReleaseOne,
    FreeOne,
}

/// The directory whose disk fails alone. The metadata is in the first one.
const ONE_DISK: &str = "/data/1";

const UNLIMITED_BYTES: u64 = 1 << 40;

struct Storm<'a> {
    run: &'a Rc<Run>,
    dice: Dice,
    remedies: Vec<(Instant, Remedy)>,
    clock_offset_ms: i64,
}

/// Lets the storm rage, then leaves a calm world with a running broker.
pub fn rage(run: &Rc<Run>) {
    let mut storm = Storm { run, dice: Dice::new(run.plan.seed ^ 0x5707), remedies: Vec::new(), clock_offset_ms: 0 };
    let end = run.world.now() + run.plan.storm;
    let mut next_fault = run.world.now() + storm.dice.millis(0, 1_000);
    while run.world.now() < end && !run.is_over() {
        let due = storm.remedies.iter().map(|(at, _)| *at).min().unwrap_or(end);
        storm.wait_until(next_fault.min(due).min(end));
        storm.remedy_due();
        if run.world.now() >= next_fault {
            storm.strike();
            let (low, high) = run.plan.fault_gap_ms;
            next_fault = run.world.now() + storm.dice.millis(low, high);
        }
    }
    storm.calm_down();
}

impl Storm<'_> {
    fn wait_until(&mut self, until: Instant) {
        let run = self.run;
        run.world.run_until(until.since(run.world.now()), || run.is_over() || run.broker.failure().is_some());
        let Some(why) = run.broker.failure() else { return };
        if !run.plan.may_give_up() {
            run.violate(Invariant::StartsAndStops, format!("the broker has ended by itself: {why}"));
        }
        run.note(|| format!("the broker has given up: {why}"));
        run.end_broker(Fault::Kill);
        self.later(0, 500, Remedy::Start);
    }

    fn later(&mut self, low_ms: u64, high_ms: u64, remedy: Remedy) {
        let at = self.run.world.now() + self.dice.millis(low_ms, high_ms);
        self.remedies.push((at, remedy));
    }

    fn remedy_due(&mut self) {
        let now = self.run.world.now();
        let (due, later) = std::mem::take(&mut self.remedies).into_iter().partition(|(at, _)| *at <= now);
        self.remedies = later;
        for (_, remedy) in due {
            self.apply(&remedy);
        }
    }

    fn apply(&self, remedy: &Remedy) {
        let run = self.run;
        match remedy {
            Remedy::Start if run.broker.is_running() => {}
            Remedy::Start => {
                run.broker.start();
                run.note(|| format!("the broker starts, {} cores", run.broker.cores()));
            }
            Remedy::Unpause => run.world.unpause(run.broker.node),
            Remedy::UnpauseCores => self.unpause_cores(),
            Remedy::UnpauseClients => run.world.unpause(run.clients),
            Remedy::Heal => run.world.heal_all(),
            Remedy::ReleaseDisk => run.world.disk(run.broker.node).hang(false),
            Remedy::Supply => run.world.disk(run.broker.node).heal(),
            Remedy::ReleaseOne => run.world.disk(run.broker.node).hang_below(ONE_DISK, false),
            Remedy::FreeOne => run.world.disk(run.broker.node).fill_below(ONE_DISK, false),
            Remedy::FreeDisk => run.world.disk(run.broker.node).set_capacity_bytes(UNLIMITED_BYTES),
        }
    }

    fn unpause_cores(&self) {
        let run = self.run;
        (0..run.broker.cores()).for_each(|core| run.world.pause_core(run.broker.node, core, false));
    }

    fn strike(&mut self) {
        let run = self.run;
        if run.plan.faults.is_empty() {
            return;
        }
        let fault = *self.dice.pick(&run.plan.faults);
        run.note(|| format!("fault: {fault:?}"));
        match fault {
            Fault::PowerCut | Fault::Kill | Fault::CleanStop => {
                // A paused process would neither stop nor start.
                run.world.unpause(run.broker.node);
                self.unpause_cores();
                if run.broker.is_running() {
                    run.end_broker(fault);
                    self.later(0, 700, Remedy::Start);
                }
            }
            Fault::Pause => {
                run.world.pause(run.broker.node);
                self.later(1, 2_000, Remedy::Unpause);
            }
            Fault::PauseCore => {
                let core = self.dice.below(run.broker.cores() as u64) as usize;
                run.world.pause_core(run.broker.node, core, true);
                self.later(1, 2_000, Remedy::UnpauseCores);
            }
            Fault::PauseClients => {
                run.world.pause(run.clients);
                self.later(1, 2_000, Remedy::UnpauseClients);
            }
            Fault::Partition => {
                run.world.partition(run.broker.node, run.clients);
                self.later(1, 3_000, Remedy::Heal);
            }
            Fault::OneWayPartition if self.dice.one_in(2) => {
                run.world.partition_one_way(run.broker.node, run.clients);
                self.later(1, 3_000, Remedy::Heal);
            }
            Fault::OneWayPartition => {
                run.world.partition_one_way(run.clients, run.broker.node);
                self.later(1, 3_000, Remedy::Heal);
            }
            Fault::JumpClock => {
                let by_ms = self.dice.between(0, 600_000) as i64 - 300_000;
                // Bounded, or batches would be refused for their timestamps for ever.
                if (self.clock_offset_ms + by_ms).abs() < 1_200_000 {
                    self.clock_offset_ms += by_ms;
                    run.world.jump_wall_clock(run.broker.node, by_ms);
                }
            }
            of_disk => self.strike_disk(of_disk),
        }
    }

    fn strike_disk(&mut self, fault: Fault) {
        let disk = self.run.world.disk(self.run.broker.node);
        match fault {
            Fault::HangDisk => {
                disk.hang(true);
                self.later(1, 2_000, Remedy::ReleaseDisk);
            }
            Fault::FailSync => disk.fail_next_fsync(),
            Fault::FullDisk => {
                if self.dice.one_in(2) {
                    disk.fill()
                } else {
                    disk.set_capacity_bytes(0)
                }
                self.later(1, 1_500, Remedy::FreeDisk);
            }
            Fault::PartlyFullDisk => {
                disk.leave_room(self.dice.below(40));
                self.later(1, 1_500, Remedy::FreeDisk);
            }
            Fault::NoFiles => {
                disk.set_open_files_max(*self.dice.pick(&[0, 3, 12, 40]));
                self.later(1, 1_500, Remedy::Supply);
            }
            Fault::NoMemory => {
                disk.take_memory();
                self.later(1, 500, Remedy::Supply);
            }
            Fault::HangOneDisk => {
                disk.hang_below(ONE_DISK, true);
                self.later(1, 2_000, Remedy::ReleaseOne);
            }
            Fault::FullOneDisk => {
                disk.fill_below(ONE_DISK, true);
                self.later(1, 1_500, Remedy::FreeOne);
            }
            Fault::FailOneSync => disk.fail_next_fsync_below(ONE_DISK),
            other => unreachable!("{other:?} is no fault of a disk"),
        }
    }

    fn calm_down(mut self) {
        let run = self.run;
        run.world.calm_down();
        self.unpause_cores();
        run.world.disk(run.broker.node).set_capacity_bytes(UNLIMITED_BYTES);
        run.world.disk(run.broker.node).heal();
        if run.is_over() {
            return;
        }
        // What a broken disk has taken out of service comes back with a restart only; what passes heals without one, but for
        // a start in its midst.
        let was_started_in_vain = run.plan.disk_can_fail() && !run.broker.is_ready();
        if run.broker.is_running() && (run.plan.disk_can_break() || was_started_in_vain || self.dice.one_in(2)) {
            run.end_broker(*self.dice.pick(run.plan.sudden_ends()));
        }
        if !run.broker.is_running() {
            run.broker.start();
        }
        run.world.run_until(Duration::from_secs(30), || {
            run.is_over() || run.broker.is_ready() || run.broker.failure().is_some()
        });
        match run.broker.failure() {
            Some(why) => {
                run.violate(Invariant::StartsAndStops, format!("the broker does not start after the storm: {why}"))
            }
            None if !run.broker.is_ready() => {
                run.violate(Invariant::StartsAndStops, "the broker has not started 30 s after the storm".to_owned());
            }
            None => {}
        }
    }
}
