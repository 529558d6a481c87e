//! A semaphore: a bounded number of tasks work at a time.
//!
//! Owns: the number of free permits. Lives on: one core. Never: gives out more permits than it has.

use super::Notify;
use std::cell::Cell;

pub struct Semaphore {
    permits: usize,
    free: Cell<usize>,
    freed: Notify,
}

/// The right to be one of the tasks, until it is dropped.
pub struct SemaphorePermit<'a>(&'a Semaphore);

impl Semaphore {
    pub fn new(permits: usize) -> Self {
        assert!(permits > 0, "a semaphore without permits lets no task work");
        Self { permits, free: Cell::new(permits), freed: Notify::default() }
    }

    pub async fn acquire(&self) -> SemaphorePermit<'_> {
        self.freed.wait_until(|| self.free.get() > 0).await;
        assert!(self.free.get() > 0, "a permit is given out, and none is free");
        self.free.set(self.free.get() - 1);
        SemaphorePermit(self)
    }
}

impl Drop for SemaphorePermit<'_> {
    fn drop(&mut self) {
        let free = self.0.free.get() + 1;
        assert!(free <= self.0.permits, "a permit comes back once");
        self.0.free.set(free);
        self.0.freed.notify();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        future::Future,
        pin::pin,
        task::{Context, Poll, Waker},
    };

    #[test]
    fn no_more_tasks_work_than_there_are_permits() {
        let semaphore = Semaphore::new(1);
        let mut context = Context::from_waker(Waker::noop());
        let (mut first, mut second) = (pin!(semaphore.acquire()), pin!(semaphore.acquire()));
        let Poll::Ready(permit) = first.as_mut().poll(&mut context) else { panic!("it is free") };
        assert!(second.as_mut().poll(&mut context).is_pending());
        drop(permit);
        assert!(second.as_mut().poll(&mut context).is_ready());
    }
}
