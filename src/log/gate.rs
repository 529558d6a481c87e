//! A lock for steps that wait: one task at a time changes the files of a log.
//!
//! Owns nothing but the queue. Lives on one core. Never guards appends or reads: those never wait for it.

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
