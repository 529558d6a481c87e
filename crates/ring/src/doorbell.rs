//! The promise between a core that goes to sleep and those that want to wake it, over one atomic.
//!
//! The sleeper publishes that it sleeps and then looks at its inbox once more; a caller fills the
//! inbox and then looks whether the core sleeps. The fences between make it impossible that both
//! miss (Dekker). Checked under loom.

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

    /// A look that decides nothing.
    pub(crate) fn is_set(&self) -> bool {
        self.sleeping.load(Ordering::Relaxed)
    }

    /// Whether the caller, who has filled the inbox before, is the one who has to wake the core.
    pub(crate) fn must_wake(&self) -> bool {
        fence(Ordering::SeqCst);
        self.sleeping.load(Ordering::Relaxed) && self.sleeping.swap(false, Ordering::AcqRel)
    }
}

#[cfg(all(test, loom))]
mod tests {
    use super::*;
    use loom::{sync::Arc, thread};

    /// What a caller does: fills the inbox, then wakes the core if it has to. Says whether it woke
    /// it.
    fn call(flag: &SleepFlag, inbox: &AtomicBool) -> bool {
        inbox.store(true, Ordering::Relaxed);
        flag.must_wake()
    }

    #[test]
    fn either_the_core_sees_the_inbox_or_it_is_woken_once() {
        loom::model(|| {
            let shared =
                Arc::new((SleepFlag::new(), AtomicBool::new(false), AtomicBool::new(false)));
            let callers = [1, 2].map(|which| {
                let shared = shared.clone();
                thread::spawn(move || {
                    call(&shared.0, if which == 1 { &shared.1 } else { &shared.2 })
                })
            });
            shared.0.promise_sleep();
            let seen = [shared.1.load(Ordering::Relaxed), shared.2.load(Ordering::Relaxed)];
            let woke = callers.map(|caller| caller.join().unwrap());
            assert!(seen == [true, true] || woke.contains(&true), "seen {seen:?}, woken {woke:?}");
            assert!(woke != [true, true], "one system call is enough");
        });
    }

    #[test]
    fn a_core_that_woke_by_itself_misses_nothing_when_it_sleeps_again() {
        loom::model(|| {
            let shared = Arc::new((SleepFlag::new(), AtomicBool::new(false)));
            let caller = {
                let shared = shared.clone();
                thread::spawn(move || call(&shared.0, &shared.1))
            };
            let mut seen = false;
            for _ in 0..2 {
                shared.0.promise_sleep();
                seen |= shared.1.load(Ordering::Relaxed);
                if seen {
                    break;
                }
                shared.0.wake_up();
                seen |= shared.1.load(Ordering::Relaxed);
            }
            let last_promise = !seen && {
                shared.0.promise_sleep();
                seen |= shared.1.load(Ordering::Relaxed);
                true
            };
            let woken = caller.join().unwrap();
            assert!(seen || (last_promise && woken), "the core sleeps and no caller wakes it");
        });
    }
}
