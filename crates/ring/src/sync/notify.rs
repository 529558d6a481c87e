//! A notification that many tasks may await.
//!
//! Owns: the wakers of the tasks that wait. Lives on: one core. Never: loses a wake-up (a task that
//! checks its condition after `Notify::notified` was made sees every later `notify`).

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

/// Wakes all tasks that wait for it.
#[derive(Default)]
pub struct Notify {
    generation: Cell<u64>,
    waiting: RefCell<Vec<Waker>>,
}

impl Notify {
    pub fn notify(&self) {
        self.generation.set(self.generation.get().wrapping_add(1));
        for waker in self.waiting.borrow_mut().drain(..) {
            waker.wake();
        }
    }

    /// Resolves at the first `notify` after this call.
    pub fn notified(&self) -> Notified<'_> {
        Notified { notify: self, generation: self.generation.get() }
    }

    /// Counts the calls of `notify`; see [`Notify::past`].
    pub fn generation(&self) -> u64 {
        self.generation.get()
    }

    /// Resolves at the first `notify` after the one that `generation` counted.
    pub async fn past(self: Rc<Self>, generation: u64) {
        let now = self.generation.get();
        assert!(generation <= now, "notification {generation} is still to come after {now}");
        Notified { notify: &self, generation }.await;
    }

    /// Resolves as soon as `condition` holds; it is looked at now and after each `notify`.
    pub async fn wait_until(&self, condition: impl Fn() -> bool) {
        loop {
            let notified = self.notified();
            if condition() {
                return;
            }
            notified.await;
        }
    }
}

pub struct Notified<'a> {
    notify: &'a Notify,
    generation: u64,
}

impl Future for Notified<'_> {
    type Output = ();
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.notify.generation.get() != self.generation {
            return Poll::Ready(());
        }
        let mut waiting = self.notify.waiting.borrow_mut();
        if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            waiting.push(context.waker().clone());
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notify_between_making_and_polling_is_not_lost() {
        let notify = Notify::default();
        let mut notified = Box::pin(notify.notified());
        notify.notify();
        let waker = Waker::noop();
        assert!(notified.as_mut().poll(&mut Context::from_waker(waker)).is_ready());
    }
}
