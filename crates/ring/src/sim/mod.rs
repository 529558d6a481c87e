//! The simulated world: nodes, cores, disks, a network and clocks in one thread, all decided by one
//! seed.
//!
//! Owns: virtual time, the queue of everything that will happen, and what survives a node (its
//! disk). Lives on: the thread of a test, which steps every simulated core's executor. Never: looks
//! at a real clock, a real file or a real socket.
//!
//! Time passes only between turns (each turn costs its core some microseconds) and by 20 ns per
//! look at the clock. The disk is worse than a disk: whatever was not synced survives a power cut
//! in any subset, torn at 512 bytes; sizes and names need syncs of their own. The network keeps
//! bytes in order within a connection and promises nothing else.
//!
//! ```
//! use ring::sim::{SimOptions, World};
//! use std::{cell::Cell, rc::Rc, time::Duration};
//!
//! let world = World::new(7, SimOptions::calm());
//! let node = world.node("a");
//! let done = Rc::new(Cell::new(false));
//! let flag = done.clone();
//! world.start_core(node, 0, |ring| async move {
//!     ring.sleep(Duration::from_secs(3600)).await;
//!     flag.set(true);
//! });
//! assert!(world.run_until(Duration::from_secs(3601), || done.get()));
//! ```

mod backend;
mod control;
mod disk;
mod handle;
mod image;
mod network;
mod options;
mod random;
mod state;
#[cfg(test)]
mod tests;
mod traffic;
mod tree;

pub use control::DiskControl;
pub(crate) use handle::SimHandle;
pub use options::{ClockOptions, CoreOptions, DiskOptions, NetworkOptions, SimOptions, Span};

use crate::{
    api::Ring,
    executor::{Core, ExecutorOptions},
    time::Instant,
};
use backend::SimBackend;
use state::{Event, State};
use std::{
    cell::{Cell, RefCell},
    future::Future,
    net::IpAddr,
    rc::Rc,
    time::Duration,
};

/// A machine of the world, by its number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(pub(crate) u32);

/// A simulated world. Clones are the same world; tasks may hold one and act on other nodes (or
/// their own).
#[derive(Clone)]
pub struct World {
    inner: Rc<Inner>,
}

struct Inner {
    state: Rc<RefCell<State>>,
    /// By the number of the core; empty while it runs, and after its end.
    executors: RefCell<Vec<Option<Core>>>,
    running: Cell<bool>,
}

/// Says which seed it was when a task or an assertion panics.
struct SayOnPanic<'a>(&'a World);

impl Drop for SayOnPanic<'_> {
    fn drop(&mut self) {
        self.0.inner.running.set(false);
        if std::thread::panicking()
            && let Ok(state) = self.0.inner.state.try_borrow()
        {
            eprintln!("simulated world: seed {}, {} ns of virtual time", state.seed, state.now);
        }
    }
}

impl World {
    pub fn new(seed: u64, options: SimOptions) -> World {
        let state = Rc::new(RefCell::new(State::new(seed, options)));
        World {
            inner: Rc::new(Inner {
                state,
                executors: RefCell::default(),
                running: Cell::new(false),
            }),
        }
    }

    pub fn seed(&self) -> u64 {
        self.inner.state.borrow().seed
    }

    /// The node of this name, made when it is new: a disk, an address, a wall clock, and power.
    pub fn node(&self, name: &str) -> NodeId {
        let mut state = self.inner.state.borrow_mut();
        let existing = state.nodes.iter().position(|node| node.name == name);
        NodeId(existing.map_or_else(|| state.add_node(name), |number| number as u32))
    }

    /// 10.0.0.1 for the first node, and so on.
    pub fn address(&self, node: NodeId) -> IpAddr {
        network::address_of(node.0)
    }

    /// Starts one core of a node's process with `main` as its first task. Panics when that core
    /// runs already.
    pub fn start_core<F: Future<Output = ()> + 'static>(
        &self,
        node: NodeId,
        core_index: usize,
        main: impl FnOnce(Ring) -> F + 'static,
    ) {
        let core = self.inner.state.borrow_mut().add_core(node.0, core_index);
        let backend = SimBackend { state: Rc::clone(&self.inner.state), core };
        let executor = Core::new(Box::new(backend), ExecutorOptions { shuffle: true });
        let ring = executor.ring();
        // The task makes the future itself, so that `main` runs in a turn, with the executor in its
        // place.
        let first = ring.clone();
        drop(ring.spawn_named("main", async move { main(first).await }));
        let mut executors = self.inner.executors.borrow_mut();
        assert_eq!(executors.len(), core as usize, "cores are numbered as they start");
        executors.push(Some(executor));
    }

    // ---- time
    // ---------------------------------------------------------------------------------------------

    pub fn now(&self) -> Instant {
        Instant(self.inner.state.borrow().now)
    }

    /// Lets virtual time pass.
    pub fn run_for(&self, duration: Duration) {
        self.run_until(duration, || false);
    }

    /// Lets virtual time pass until `done`, which is asked after every turn, or up to `limit`; says
    /// whether it is done.
    pub fn run_until(&self, limit: Duration, done: impl Fn() -> bool) -> bool {
        assert!(!self.inner.running.replace(true), "a task cannot run the world that it lives in");
        let _say = SayOnPanic(self);
        let end = (self.now() + limit).0;
        self.wake_ready();
        let mut finished = done();
        while !finished {
            let event = {
                let mut state = self.inner.state.borrow_mut();
                state.take_signals();
                state.next_event(end)
            };
            match event {
                None => return done(),
                Some(Event::Turn { core }) => finished = self.turn(core) && done(),
                Some(event) => self.inner.state.borrow_mut().handle(event),
            }
        }
        true
    }

    fn turn(&self, core: u32) -> bool {
        if !self.inner.state.borrow_mut().begin_turn(core) {
            return false;
        }
        let executor = self.inner.executors.borrow_mut()[core as usize]
            .take()
            .expect("a core with turns has an executor");
        executor.poll_backend(crate::backend::Wait::No);
        executor.run_ready();
        if !self.inner.state.borrow().cores[core as usize].alive {
            // It has ended its own node.
            executor.shutdown();
            return true;
        }
        let (ready, deadline) = (executor.has_ready(), executor.next_deadline());
        let before = self.inner.executors.borrow_mut()[core as usize].replace(executor);
        assert!(before.is_none(), "core {core} has an executor while it is in a turn");
        self.inner.state.borrow_mut().end_turn(core, ready, deadline.map(|deadline| deadline.0));
        self.wake_ready();
        true
    }

    /// A task may have been woken by another core, or by the test itself. On real cores its waker
    /// rings the doorbell; here they all share one thread, so the wakers see no difference.
    fn wake_ready(&self) {
        let executors = self.inner.executors.borrow();
        for (core, executor) in executors.iter().enumerate() {
            if executor.as_ref().is_some_and(Core::has_ready) {
                self.inner.state.borrow_mut().wake_if_parked(core as u32);
            }
        }
    }

    // ---- faults
    // ---------------------------------------------------------------------------------------------

    /// Cuts a node's power: its tasks are dropped, its peers are reset (or not even that), its disk
    /// keeps what was synced and a random part of the rest. [`World::start_core`] starts it again.
    pub fn crash(&self, node: NodeId) {
        self.stop(node, true);
    }

    /// Ends a node's process as `kill -9` does: the page cache stays, and the kernel closes its
    /// connections.
    pub fn kill(&self, node: NodeId) {
        self.stop(node, false);
    }

    fn stop(&self, node: NodeId, power_cut: bool) {
        let cores = self.inner.state.borrow_mut().stop_cores(node.0, power_cut);
        for core in cores {
            let executor = self.inner.executors.borrow_mut()[core as usize].take();
            // None: this very core is in a turn, and ends with it.
            if let Some(executor) = executor {
                executor.shutdown();
            }
        }
        self.inner.state.borrow_mut().end_node(node.0, power_cut);
    }

    /// Whether a core of the node runs.
    pub fn is_running(&self, node: NodeId) -> bool {
        !self.inner.state.borrow().cores_of(node.0).is_empty()
    }

    /// Stops a node's process without ending it; its kernel goes on.
    pub fn pause(&self, node: NodeId) {
        self.inner.state.borrow_mut().nodes[node.0 as usize].paused = true;
    }

    pub fn unpause(&self, node: NodeId) {
        self.inner.state.borrow_mut().unpause(node.0);
    }

    /// Takes one core of a node's process off its processor, or puts it back; the others go on.
    pub fn pause_core(&self, node: NodeId, core_index: usize, paused: bool) {
        self.inner.state.borrow_mut().pause_core(node.0, core_index, paused);
    }

    /// Nothing gets through between the two, either way.
    pub fn partition(&self, a: NodeId, b: NodeId) {
        self.partition_one_way(a, b);
        self.partition_one_way(b, a);
    }

    /// Nothing gets through in this direction, acknowledgements included.
    pub fn partition_one_way(&self, from: NodeId, to: NodeId) {
        self.inner.state.borrow_mut().network.block(from.0, to.0);
    }

    /// Ends partitions between the two; what was lost meanwhile is sent again.
    pub fn heal(&self, a: NodeId, b: NodeId) {
        let mut state = self.inner.state.borrow_mut();
        state.network.unblock(a.0, b.0);
        state.network.unblock(b.0, a.0);
        state.retransmit();
    }

    pub fn heal_all(&self) {
        let mut state = self.inner.state.borrow_mut();
        state.network.unblock_all();
        state.retransmit();
    }

    /// Makes a node's wall clock jump.
    pub fn jump_wall_clock(&self, node: NodeId, by_ms: i64) {
        self.inner.state.borrow_mut().jump_wall_clock(node.0, by_ms);
    }

    pub fn disk(&self, node: NodeId) -> DiskControl {
        DiskControl { state: Rc::clone(&self.inner.state), node: node.0 }
    }

    /// From now on the world behaves differently (disks keep their capacity, clocks their drift).
    pub fn set_options(&self, options: SimOptions) {
        let mut state = self.inner.state.borrow_mut();
        state.options = options;
        for node in &mut state.nodes {
            node.disk.options = options.disk;
        }
    }

    /// The second phase of a run: no more faults, partitions healed, disks released, paused nodes
    /// awake. Nodes that are down stay down.
    pub fn calm_down(&self) {
        self.set_options(SimOptions::calm());
        self.heal_all();
        let mut state = self.inner.state.borrow_mut();
        for node in 0..state.nodes.len() as u32 {
            state.nodes[node as usize].disk.faults = Default::default();
            state.hang_disk(node, false);
            if state.nodes[node as usize].paused {
                state.unpause(node);
            }
        }
    }

    /// Drops all tasks. Needed to free a world whose tasks hold it.
    pub fn close(&self) {
        let nodes = self.inner.state.borrow().nodes.len() as u32;
        (0..nodes).for_each(|node| self.kill(NodeId(node)));
        let runs = (0..nodes).find(|node| self.is_running(NodeId(*node)));
        assert_eq!(runs, None, "a node runs in a world that is closed");
    }

    /// A running hash of everything that has happened: operation, outcome, time. Two runs of one
    /// seed agree.
    pub fn trace_hash(&self) -> u64 {
        self.inner.state.borrow().trace()
    }
}
