//! A mutex for steps that wait: it is held over awaits.
//!
//! Owns: the queue of the tasks that wait for it. Lives on: one core. Never: blocks the core, or is
//! held by two tasks.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    task::{Poll, Waker},
};

#[derive(Default)]
pub struct AsyncMutex {
    is_locked: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

/// The lock, until it is dropped.
pub struct AsyncMutexGuard<'a>(&'a AsyncMutex);

impl AsyncMutex {
    pub async fn lock(&self) -> AsyncMutexGuard<'_> {
        poll_fn(|context| {
            if self.is_locked.replace(true) {
                self.waiting.borrow_mut().push(context.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
        AsyncMutexGuard(self)
    }

    /// Whether a task holds it. For a callee whose caller must.
    pub fn is_locked(&self) -> bool {
        self.is_locked.get()
    }
}

impl Drop for AsyncMutexGuard<'_> {
    fn drop(&mut self) {
        assert!(self.0.is_locked.replace(false), "a guard holds the lock until it is dropped");
        // All of them: the first one may have been dropped in the meantime.
        for waker in self.0.waiting.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        future::Future,
        pin::pin,
        task::{Context, Waker},
    };

    #[test]
    fn one_task_at_a_time_holds_the_lock() {
        let mutex = AsyncMutex::default();
        let mut context = Context::from_waker(Waker::noop());
        let (mut first, mut second) = (pin!(mutex.lock()), pin!(mutex.lock()));
        let Poll::Ready(guard) = first.as_mut().poll(&mut context) else { panic!("it is free") };
        assert!(second.as_mut().poll(&mut context).is_pending());
        drop(guard);
        assert!(second.as_mut().poll(&mut context).is_ready());
    }
}
