//! What the world consists of, and its one queue of events: who does what next, at which virtual
//! time.
//!
//! Cores' executors are not in here (see [`super::World`]): a running task may call back into this
//! state at any time.

use super::{
    disk::Disk,
    handle::{HandleKind, Notify, Signals},
    network::Network,
    options::{SimOptions, Span},
    random::Random,
};
use crate::op::{Completion, Op, Outcome, Token};
use rustc_hash::FxHashMap;
use std::{cmp::Reverse, collections::BinaryHeap, io, sync::Arc};

/// Where virtual time begins: late enough that a program may subtract from it.
const ORIGIN_NS: u64 = 1_000_000_000;
/// The wall clock at the origin: 2026-01-01T00:00:00Z.
const EPOCH_MS: i64 = 1_767_225_600_000;
/// What a look at the clock costs, so that a loop that waits for time to pass ends.
const CLOCK_READ_NS: u64 = 20;
/// So many looks at the clock within one turn are an endless loop.
const MAX_CLOCK_READS: u32 = 5_000_000;
/// A ready task may wait this much longer for a turn that is coming anyway.
const MAX_READY_WAIT_NS: u64 = 20_000;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Event {
    Turn {
        core: u32,
    },
    /// An operation on a disk ends.
    Finish {
        core: u32,
        token: u64,
    },
    /// Bytes reach one end of a connection.
    Arrive {
        end: u64,
    },
    /// An end of a connection is told that it is broken.
    Reset {
        end: u64,
    },
    /// The bytes towards `end` have been unacknowledged for too long, if they were so since
    /// `since`.
    Unacknowledged {
        end: u64,
        since: u64,
    },
    /// A connect's first packet reaches its node.
    Syn {
        core: u32,
        token: u64,
        attempt: u32,
    },
    /// A connect's answer reaches the client.
    Established {
        core: u32,
        token: u64,
        end: u64,
    },
    Refused {
        core: u32,
        token: u64,
        code: i32,
    },
}

pub(super) struct Node {
    pub(super) name: String,
    pub(super) disk: Disk,
    /// Has power: its kernel answers even where no process runs.
    pub(super) up: bool,
    pub(super) paused: bool,
    pub(super) next_port: u16,
    wall_offset_ms: i64,
    drift_per_million: i64,
    /// Operations that ended while the disk hung.
    hung: Vec<(u32, u64)>,
}

pub(super) struct CoreState {
    pub(super) node: u32,
    pub(super) index: usize,
    pub(super) alive: bool,
    pub(super) paused: bool,
    pub(super) completions: Vec<Completion>,
    pub(super) random: Random,
    /// When its valid [`Event::Turn`] happens.
    turn_at: Option<u64>,
    busy_until: u64,
    /// Something from outside has happened to it since its last turn.
    woken: bool,
    idle_turns: u32,
    clock_reads: u32,
}

pub(super) struct Pending {
    pub(super) op: Op,
    ticket: u64,
}

pub(super) struct State {
    pub(super) seed: u64,
    pub(super) options: SimOptions,
    pub(super) now: u64,
    pub(super) nodes: Vec<Node>,
    pub(super) cores: Vec<CoreState>,
    pub(super) ops: FxHashMap<(u32, u64), Pending>,
    pub(super) network: Network,
    pub(super) signals: Arc<Signals>,
    random: Random,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    event_count: u64,
    trace: u64,
}

impl State {
    pub(super) fn new(seed: u64, options: SimOptions) -> Self {
        let mut random = Random::new(seed);
        Self {
            seed,
            options,
            now: ORIGIN_NS,
            nodes: Vec::new(),
            cores: Vec::new(),
            ops: FxHashMap::default(),
            network: Network::new(random.fork()),
            signals: Arc::default(),
            random,
            events: BinaryHeap::new(),
            event_count: 0,
            trace: seed,
        }
    }

    pub(super) fn add_node(&mut self, name: &str) -> u32 {
        let number = self.nodes.len() as u32;
        assert!(number < 65_000, "a world has at most 65,000 nodes");
        assert!(self.nodes.iter().all(|node| node.name != name), "node {name} is made twice");
        let clocks = self.options.clocks;
        let random = &mut self.random;
        let mut either_way =
            |limit: u32| random.below(2 * u64::from(limit) + 1) as i64 - i64::from(limit);
        let (wall_offset_ms, drift_per_million) =
            (either_way(clocks.offset_ms), either_way(clocks.drift_per_million));
        self.nodes.push(Node {
            name: name.to_owned(),
            disk: Disk::new(
                number,
                self.options.disk,
                self.random.fork(),
                Arc::clone(&self.signals),
            ),
            up: true,
            paused: false,
            next_port: 0,
            wall_offset_ms,
            drift_per_million,
            hung: Vec::new(),
        });
        number
    }

    pub(super) fn add_core(&mut self, node: u32, index: usize) -> u32 {
        let taken =
            self.cores.iter().any(|core| core.alive && core.node == node && core.index == index);
        assert!(!taken, "core {index} of node {} runs already", self.nodes[node as usize].name);
        if !std::mem::replace(&mut self.nodes[node as usize].up, true) {
            self.retransmit();
        }
        let random = self.random.fork();
        self.cores.push(CoreState {
            node,
            index,
            alive: true,
            paused: false,
            completions: Vec::new(),
            random,
            turn_at: None,
            busy_until: self.now,
            woken: false,
            idle_turns: 0,
            clock_reads: 0,
        });
        let core = self.cores.len() as u32 - 1;
        self.wake(core, self.options.cores.wake);
        core
    }

    // ---- time
    // ---------------------------------------------------------------------------------------------

    pub(super) fn read_clock(&mut self, core: u32) -> u64 {
        self.now += CLOCK_READ_NS;
        let reads = &mut self.cores[core as usize].clock_reads;
        *reads += 1;
        assert!(
            *reads < MAX_CLOCK_READS,
            "{}: an endless loop within one turn",
            self.describe(core)
        );
        self.now
    }

    pub(super) fn wall_clock_ms(&self, node: u32) -> i64 {
        assert!(self.now >= ORIGIN_NS, "it is {}, before the world began", self.now);
        let node = &self.nodes[node as usize];
        let passed_ms = ((self.now - ORIGIN_NS) / 1_000_000) as i64;
        EPOCH_MS + passed_ms + passed_ms * node.drift_per_million / 1_000_000 + node.wall_offset_ms
    }

    pub(super) fn jump_wall_clock(&mut self, node: u32, by_ms: i64) {
        self.nodes[node as usize].wall_offset_ms += by_ms;
    }

    // ---- events
    // ---------------------------------------------------------------------------------------------

    pub(super) fn trace(&self) -> u64 {
        self.trace
    }

    /// Adds to the running hash of everything that happens.
    pub(super) fn note(&mut self, what: u64, detail: u64) {
        let word =
            (self.trace ^ self.now.rotate_left(32) ^ what).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.trace =
            (word.rotate_left(29) ^ detail).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(31);
    }

    pub(super) fn schedule(&mut self, at: u64, event: Event) {
        assert!(self.now <= at, "{event:?} is planned for {at}, and it is {}", self.now);
        self.event_count += 1;
        self.events.push(Reverse((at, self.event_count, event)));
    }

    /// The next event that happens by `end`, with the time moved to it; without one, the time moved
    /// to `end`.
    pub(super) fn next_event(&mut self, end: u64) -> Option<Event> {
        match self.events.peek() {
            Some(&Reverse((at, _, event))) if at <= end => {
                self.events.pop();
                self.now = self.now.max(at);
                Some(event)
            }
            _ => {
                self.now = self.now.max(end);
                None
            }
        }
    }

    /// Everything but turns, which need the executors.
    pub(super) fn handle(&mut self, event: Event) {
        match event {
            Event::Turn { .. } => unreachable!("the world takes turns itself"),
            Event::Finish { core, token } => self.finish(core, token),
            Event::Arrive { end } => self.arrive(end),
            Event::Reset { end } => self.reset(end),
            Event::Unacknowledged { end, since } => self.give_up(end, since),
            Event::Syn { core, token, attempt } => self.syn(core, token, attempt),
            Event::Established { core, token, end } => self.established(core, token, end),
            Event::Refused { core, token, code } => {
                self.complete(core, token, Err(io::Error::from_raw_os_error(code)))
            }
        }
    }

    pub(super) fn take_signals(&mut self) {
        for signal in self.signals.take() {
            match signal {
                Notify::Rung { core } => {
                    self.note(1, u64::from(core));
                    self.wake(core, self.options.cores.doorbell);
                }
                Notify::Closed { kind: HandleKind::File, node, id } => {
                    self.nodes[node as usize].disk.close(id)
                }
                Notify::Closed { kind: HandleKind::Stream, id, .. } => self.close_end(id),
                Notify::Closed { kind: HandleKind::Listener, id, .. } => self.close_listener(id),
            }
        }
    }

    // ---- turns
    // ---------------------------------------------------------------------------------------------

    fn describe(&self, core: u32) -> String {
        let state = &self.cores[core as usize];
        let node = &self.nodes[state.node as usize].name;
        format!("seed {}, core {} of node {node} at {} ns", self.seed, state.index, self.now)
    }

    /// Gives a core a turn, `delay` from now or when it is done with the one before.
    pub(super) fn wake(&mut self, core: u32, delay: Span) {
        let at = self.now + delay.draw_ns(&mut self.random);
        self.cores[core as usize].woken = true;
        self.turn_by(core, at);
    }

    /// For a core with ready tasks that has no turn coming (or a late one, for a timer).
    pub(super) fn wake_if_parked(&mut self, core: u32) {
        let state = &self.cores[core as usize];
        if state.turn_at.is_none_or(|at| at > self.now.max(state.busy_until) + MAX_READY_WAIT_NS) {
            self.wake(core, self.options.cores.doorbell);
        }
    }

    fn turn_by(&mut self, core: u32, at: u64) {
        let state = &mut self.cores[core as usize];
        let at = at.max(state.busy_until);
        if state.alive && state.turn_at.is_none_or(|planned| at < planned) {
            state.turn_at = Some(at);
            self.schedule(at, Event::Turn { core });
        }
    }

    /// Whether this turn takes place: it may have been moved, its node may be paused or gone.
    pub(super) fn begin_turn(&mut self, core: u32) -> bool {
        let state = &mut self.cores[core as usize];
        if !state.alive || state.turn_at.is_none_or(|planned| planned > self.now) {
            return false;
        }
        state.turn_at = None;
        if state.paused || self.nodes[state.node as usize].paused {
            return false;
        }
        if self.now < state.busy_until {
            let until = state.busy_until;
            self.turn_by(core, until);
            return false;
        }
        state.clock_reads = 0;
        assert!(self.nodes[state.node as usize].up, "core {core} has a turn without power");
        self.note(2, u64::from(core));
        true
    }

    /// `deadline` is when the core wants its next turn: now when it has `ready` tasks.
    pub(super) fn end_turn(&mut self, core: u32, ready: bool, deadline: Option<u64>) {
        let options = self.options.cores;
        let mut busy = options.turn.draw_ns(&mut self.random);
        if self.random.chance(options.preemption_per_million) {
            busy += options.preemption.draw_ns(&mut self.random);
        }
        let until = self.now + busy;
        let state = &mut self.cores[core as usize];
        assert!(state.alive, "core {core} has ended, and its turn goes on");
        let before = state.busy_until;
        assert!(before <= until, "core {core} is busy until {before}, and takes a turn to {until}");
        state.busy_until = until;
        state.idle_turns = if std::mem::take(&mut state.woken) { 0 } else { state.idle_turns + 1 };
        let next = if ready || !state.completions.is_empty() { Some(until) } else { deadline };
        if next.is_none_or(|next| next > until) {
            state.idle_turns = 0;
        }
        let endless = state.idle_turns > options.endless_turns;
        assert!(
            !endless,
            "{}: {} turns in a row that nothing asked for",
            self.describe(core),
            options.endless_turns
        );
        if let Some(next) = next {
            self.turn_by(core, next);
        }
    }

    pub(super) fn unpause(&mut self, node: u32) {
        self.nodes[node as usize].paused = false;
        for core in self.cores_of(node) {
            self.wake(core, self.options.cores.wake);
        }
    }

    pub(super) fn pause_core(&mut self, node: u32, index: usize, paused: bool) {
        let mut cores = self.cores_of(node).into_iter();
        let Some(core) = cores.find(|core| self.cores[*core as usize].index == index) else {
            return;
        };
        self.cores[core as usize].paused = paused;
        if !paused {
            self.wake(core, self.options.cores.wake);
        }
    }

    pub(super) fn cores_of(&self, node: u32) -> Vec<u32> {
        let alive = |core: &u32| {
            self.cores[*core as usize].alive && self.cores[*core as usize].node == node
        };
        (0..self.cores.len() as u32).filter(alive).collect()
    }

    // ---- operations
    // ---------------------------------------------------------------------------------------------

    pub(super) fn submit(&mut self, core: u32, token: Token, op: Op) {
        let state = &self.cores[core as usize];
        if !state.alive {
            return;
        }
        let node = state.node;
        match op {
            Op::Accept { .. }
            | Op::Connect { .. }
            | Op::Recv { .. }
            | Op::Send { .. }
            | Op::SendFile { .. } => {
                self.begin_op(core, token.0, Pending { op, ticket: 0 });
                self.submit_network(core, token.0);
            }
            _ => {
                let disk = &mut self.nodes[node as usize].disk;
                let at = self.now + disk.latency_ns(&op);
                let ticket = disk.begin(&op);
                self.begin_op(core, token.0, Pending { op, ticket });
                self.schedule(at, Event::Finish { core, token: token.0 });
            }
        }
    }

    fn begin_op(&mut self, core: u32, token: u64, pending: Pending) {
        let before = self.ops.insert((core, token), pending);
        assert!(before.is_none(), "token {token:#x} of core {core} is in use");
    }

    fn finish(&mut self, core: u32, token: u64) {
        let node = &mut self.nodes[self.cores[core as usize].node as usize];
        if self.ops.get(&(core, token)).is_some_and(|pending| node.disk.hangs(&pending.op)) {
            assert!(!node.hung.contains(&(core, token)), "{token:#x} of core {core} hangs twice");
            node.hung.push((core, token));
            return;
        }
        let Some(mut pending) = self.ops.remove(&(core, token)) else { return };
        let result = node.disk.execute(&mut pending.op, pending.ticket);
        self.deliver(core, token, pending.op, result);
    }

    pub(super) fn hang_disk(&mut self, node: u32, hung: bool) {
        self.nodes[node as usize].disk.hung = hung;
        if !hung {
            self.release_hung(node);
        }
    }

    pub(super) fn hang_below(&mut self, node: u32, folder: &str, hung: bool) {
        let folders = &mut self.nodes[node as usize].disk.hung_below;
        folders.retain(|one| one != folder);
        if hung {
            folders.push(folder.to_owned());
        } else {
            self.release_hung(node);
        }
    }

    /// What still hangs comes back to where it waits.
    fn release_hung(&mut self, node: u32) {
        for (core, token) in std::mem::take(&mut self.nodes[node as usize].hung) {
            let is_under_way = self.ops.contains_key(&(core, token));
            assert!(is_under_way, "{token:#x} of core {core} hung, and has ended meanwhile");
            self.schedule(self.now, Event::Finish { core, token });
        }
    }

    /// Ends an operation that has no more to do. One that is gone (its core died) needs no end.
    pub(super) fn complete(&mut self, core: u32, token: u64, result: io::Result<Outcome>) {
        if let Some(pending) = self.ops.remove(&(core, token)) {
            self.deliver(core, token, pending.op, result);
        }
    }

    fn deliver(&mut self, core: u32, token: u64, op: Op, result: io::Result<Outcome>) {
        let detail = match &result {
            Ok(Outcome::Size(size)) => 16 + size,
            Ok(Outcome::Entries(entries)) => 16 + entries.len() as u64,
            Ok(Outcome::Space { free_bytes, .. }) => 16 + free_bytes,
            Ok(Outcome::Accepted(stream) | Outcome::Connected(stream)) => {
                16 + u64::from(stream.peer.port())
            }
            Ok(Outcome::Done | Outcome::Opened(_)) => 1,
            Err(error) => (1 << 63) + error.raw_os_error().unwrap_or(0) as u64,
        };
        assert!(self.cores[core as usize].alive, "core {core} has ended, and {token:#x} completes");
        let is_under_way = self.ops.contains_key(&(core, token));
        assert!(!is_under_way, "{token:#x} of core {core} completes, and is under way");
        self.note(u64::from(core) << 40 ^ token << 8 ^ 3, detail);
        self.cores[core as usize].completions.push(Completion { token: Token(token), op, result });
        self.wake(core, self.options.cores.wake);
    }

    // ---- ends of processes
    // -------------------------------------------------------------------------------------------

    /// Stops the cores of a node and settles what was under way; what is left of them is for the
    /// world to drop.
    pub(super) fn stop_cores(&mut self, node: u32, power_cut: bool) -> Vec<u32> {
        self.take_signals();
        self.close_node(node, power_cut);
        let cores = self.cores_of(node);
        let mut keys: Vec<_> =
            self.ops.keys().copied().filter(|(core, _)| cores.contains(core)).collect();
        keys.sort_unstable();
        let state = &mut self.nodes[node as usize];
        for key in keys {
            let mut pending = self.ops.remove(&key).expect("listed above");
            state.disk.interrupt(&mut pending.op);
        }
        state.hung.clear();
        (state.paused, state.up) = (false, !power_cut);
        for &core in &cores {
            let core = &mut self.cores[core as usize];
            (core.alive, core.turn_at) = (false, None);
            core.completions.clear();
        }
        assert!(
            !self.ops.keys().any(|(core, _)| cores.contains(core)),
            "an operation of node {node} is under way, and its cores have ended"
        );
        self.note(4, u64::from(node));
        cores
    }

    pub(super) fn end_node(&mut self, node: u32, power_cut: bool) {
        self.take_signals();
        assert!(self.cores_of(node).is_empty(), "node {node} ends before its cores");
        let state = &mut self.nodes[node as usize];
        let hung = state.hung.len();
        assert_eq!(hung, 0, "{hung} operations hang on a node that has ended");
        if power_cut {
            state.disk.crash()
        } else {
            state.disk.kill()
        }
        self.note(5, u64::from(power_cut));
    }
}
