//! The promise between a core that goes to sleep and those that want to wake it, over one atomic.
//!
//! The sleeper publishes that it sleeps and then looks at its inbox once more; a caller fills the inbox and then looks
//! whether the core sleeps. The fences between make it impossible that both miss (Dekker). Checked under loom.

#[cfg(loom)]
use loom::sync::atomic::{AtomicBool, Ordering, fence};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicBool, Ordering, fence};

/// Whether a core sleeps, so that waking costs a system call only then.
pub(crate) struct SleepFlag {
    sleeping: AtomicBool,
}

impl SleepFlag {
    pub(crate) fn new() -> Self {
        Self { sleeping: AtomicBool::new(false) }
    }

    /// The core's promise. It has to look at its inbox after this and before it sleeps.
    pub(crate) fn promise_sleep(&self) {
        self.sleeping.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    pub(crate) fn wake_up(&self) {
        self.sleeping.store(false, Ordering::Relaxed);
    }

    /// Whether the caller, who has filled the inbox before, is the one who has to wake the core.
    pub(crate) fn must_wake(&self) -> bool {
        fence(Ordering::SeqCst);
        self.sleeping.load(Ordering::Relaxed) && self.sleeping.swap(false, Ordering::AcqRel)
    }
}
