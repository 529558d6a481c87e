//! Waiting within one core: a signal that many tasks may await, and a slot for one value.
//!
//! Owns: the wakers of the tasks that wait. Lives on: one core. Never: crosses cores, never loses a
//! wake-up (a task that checks its condition after `Signal::notified` was made sees every later
//! `notify`).

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

/// Wakes all who wait for it.
#[derive(Default)]
pub struct Signal {
    generation: Cell<u64>,
    waiting: RefCell<Vec<Waker>>,
}

impl Signal {
    pub fn notify(&self) {
        self.generation.set(self.generation.get().wrapping_add(1));
        for waker in self.waiting.borrow_mut().drain(..) {
            waker.wake();
        }
    }

    /// Resolves at the first `notify` after this call.
    pub fn notified(&self) -> Notified<'_> {
        Notified { signal: self, generation: self.generation.get() }
    }

    /// Counts the calls of `notify`; see [`Signal::past`].
    pub fn generation(&self) -> u64 {
        self.generation.get()
    }

    /// Resolves at the first `notify` after the one that `generation` counted.
    pub async fn past(self: Rc<Self>, generation: u64) {
        Notified { signal: &self, generation }.await;
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
    signal: &'a Signal,
    generation: u64,
}

impl Future for Notified<'_> {
    type Output = ();
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.signal.generation.get() != self.generation {
            return Poll::Ready(());
        }
        let mut waiting = self.signal.waiting.borrow_mut();
        if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            waiting.push(context.waker().clone());
        }
        Poll::Pending
    }
}

enum SlotState<T> {
    Empty(Option<Waker>),
    Full(T),
    Taken,
}

/// The giving end of a slot. Dropped without a value, the awaiting end gets `None`.
pub struct Giver<T>(Rc<RefCell<SlotState<T>>>);

/// The awaiting end of a slot.
pub struct Taker<T>(Rc<RefCell<SlotState<T>>>);

/// A slot for one value between two tasks of one core.
pub fn slot<T>() -> (Giver<T>, Taker<T>) {
    let state = Rc::new(RefCell::new(SlotState::Empty(None)));
    (Giver(state.clone()), Taker(state))
}

impl<T> Giver<T> {
    pub fn give(self, value: T) {
        let before = std::mem::replace(&mut *self.0.borrow_mut(), SlotState::Full(value));
        if let SlotState::Empty(Some(waker)) = before {
            waker.wake();
        }
    }
}

impl<T> Drop for Giver<T> {
    fn drop(&mut self) {
        let mut state = self.0.borrow_mut();
        if let SlotState::Empty(waker) = &mut *state {
            let waker = waker.take();
            *state = SlotState::Taken;
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl<T> Future for Taker<T> {
    type Output = Option<T>;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut state = self.0.borrow_mut();
        match std::mem::replace(&mut *state, SlotState::Taken) {
            SlotState::Full(value) => Poll::Ready(Some(value)),
            SlotState::Taken => Poll::Ready(None),
            SlotState::Empty(_) => {
                *state = SlotState::Empty(Some(context.waker().clone()));
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    struct Count(AtomicUsize);
    impl std::task::Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_notify_between_making_and_polling_is_not_lost() {
        let signal = Signal::default();
        let mut notified = Box::pin(signal.notified());
        signal.notify();
        let waker = Arc::new(Count(AtomicUsize::new(0))).into();
        assert!(notified.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
    }

    #[test]
    fn a_slot_wakes_its_taker_once_and_tells_a_dropped_giver() {
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = count.clone().into();
        let mut context = Context::from_waker(&waker);
        let (giver, mut taker) = slot::<u32>();
        assert!(Pin::new(&mut taker).poll(&mut context).is_pending());
        giver.give(7);
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert_eq!(Pin::new(&mut taker).poll(&mut context), Poll::Ready(Some(7)));
        let (giver, mut taker) = slot::<u32>();
        assert!(Pin::new(&mut taker).poll(&mut context).is_pending());
        drop(giver);
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
        assert_eq!(Pin::new(&mut taker).poll(&mut context), Poll::Ready(None));
    }
}
