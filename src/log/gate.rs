//! Locks for steps that wait: one task at a time changes the files of a log, so many at a time work
//! in a directory.
//!
//! Owns nothing but the queue. Lives on one core. Never guards appends or reads: those never wait
//! for it.

use ring::signal::Signal;
use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    task::{Poll, Waker},
};

#[derive(Default)]
pub struct Gate {
    taken: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

/// The right to change files, until dropped.
pub struct Pass<'a>(&'a Gate);

impl Gate {
    pub async fn enter(&self) -> Pass<'_> {
        poll_fn(|context| {
            if self.taken.replace(true) {
                self.waiting.borrow_mut().push(context.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
        Pass(self)
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.0.taken.set(false);
        // All of them: the first one may have been dropped in the meantime.
        for waker in self.0.waiting.take() {
            waker.wake();
        }
    }
}

/// So many may work at a time.
pub struct Slots {
    free: Cell<usize>,
    freed: Signal,
}

/// The right to be one of them, until dropped.
pub(super) struct Slot<'a>(&'a Slots);

impl Slots {
    pub fn new(count: usize) -> Self {
        Self { free: Cell::new(count), freed: Signal::default() }
    }

    pub(super) async fn enter(&self) -> Slot<'_> {
        self.freed.wait_until(|| self.free.get() > 0).await;
        self.free.set(self.free.get() - 1);
        Slot(self)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.free.set(self.0.free.get() + 1);
        self.0.freed.notify();
    }
}
