//! One core's executor: tasks, operations in flight, timers and the turn that drives them.
//!
//! Owns: the tasks and the back-end. Lives on: the thread that made it, and never leaves it. Never: waits anywhere but in
//! [`Core::poll_backend`]. A real core loops over its own thread (see `run.rs`); the simulator steps many cores in one.

use crate::{
    api::Ring,
    backend::{Backend, Wait},
    time::Instant,
};
use std::time::Duration;

/// How the executor of one core behaves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ExecutorOptions {
    /// How long an idle core looks for work before it sleeps. Zero: it sleeps at once.
    pub spin: Duration,
    /// Picks the next ready task by [`Backend::random_u64`] instead of first come, first served (the simulator).
    pub shuffle: bool,
}

/// One core. Dropping it drops its tasks, then its back-end.
pub(crate) struct Core {}

#[allow(unused_variables)]
impl Core {
    pub(crate) fn new(backend: Box<dyn Backend>, options: ExecutorOptions) -> Core {
        unimplemented!("contract only")
    }

    pub(crate) fn ring(&self) -> Ring {
        unimplemented!("contract only")
    }

    /// One turn without the back-end's poll: reads the clock, takes the inbox, fires the timers that are due, runs the
    /// tasks that are ready (a bounded number), then those that wait for the end of the turn. Says whether anything ran.
    pub(crate) fn run_ready(&self) -> bool {
        unimplemented!("contract only")
    }

    /// Whether a task is ready to run now.
    pub(crate) fn has_ready(&self) -> bool {
        unimplemented!("contract only")
    }

    /// Lets the back-end work and hands its completions to the waiting tasks (which are then ready). Does not wait when
    /// the inbox or another thread had something for this core.
    pub(crate) fn poll_backend(&self, wait: Wait) {
        unimplemented!("contract only")
    }

    /// When the earliest timer may be due; a lower bound for timers that are more than 64 ms away.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        unimplemented!("contract only")
    }

    /// Drops all tasks and what they own, then the back-end.
    pub(crate) fn shutdown(self) {}
}
