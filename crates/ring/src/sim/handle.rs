//! Handles of the simulated world, and what they and doorbells say to it from anywhere, even while
//! it is at work.

use crate::backend::DoorbellInner;
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum HandleKind {
    File,
    Stream,
    Listener,
}

/// A file or socket of the simulated world. Dropping it closes what it names.
pub(crate) struct SimHandle {
    pub(super) kind: HandleKind,
    pub(super) node: u32,
    /// Unique among the handles of its kind and node; never used again.
    pub(super) id: u64,
    pub(super) signals: Arc<Signals>,
}

impl fmt::Debug for SimHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} of node {}", self.kind, self.id, self.node)
    }
}

impl Drop for SimHandle {
    fn drop(&mut self) {
        self.signals.push(Notify::Closed { kind: self.kind, node: self.node, id: self.id });
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Notify {
    Closed { kind: HandleKind, node: u32, id: u64 },
    Rung { core: u32 },
}

/// What handles and doorbells have said since the world last listened. The lock is never contended:
/// a world is a single thread, but files and doorbells have to be `Send`.
#[derive(Default)]
pub(crate) struct Signals(Mutex<Vec<Notify>>);

impl Signals {
    pub(super) fn push(&self, signal: Notify) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(signal);
    }

    pub(super) fn take(&self) -> Vec<Notify> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The doorbell of a simulated core.
pub(super) struct SimDoorbell {
    pub(super) core: u32,
    pub(super) signals: Arc<Signals>,
}

impl DoorbellInner for SimDoorbell {
    fn ring(&self) -> bool {
        self.signals.push(Notify::Rung { core: self.core });
        // Only the world knows whether it sleeps.
        false
    }

    fn is_asleep(&self) -> bool {
        false
    }
}
