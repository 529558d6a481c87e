//! One value from one task of a core to another.
//!
//! Owns: the value until it is received. Lives on: one core. Never: crosses cores.

use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

enum State<T> {
    Empty(Option<Waker>),
    Full(T),
    Taken,
}

/// The sending end. Where it is dropped without a value, the receiver gets `None`.
pub struct Sender<T>(Rc<RefCell<State<T>>>);

/// The receiving end: a future of the value.
pub struct Receiver<T>(Rc<RefCell<State<T>>>);

/// A channel for one value between two tasks of one core.
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let state = Rc::new(RefCell::new(State::Empty(None)));
    (Sender(state.clone()), Receiver(state))
}

impl<T> Sender<T> {
    pub fn send(self, value: T) {
        let before = std::mem::replace(&mut *self.0.borrow_mut(), State::Full(value));
        assert!(matches!(before, State::Empty(_)), "a value is sent over a value");
        if let State::Empty(Some(waker)) = before {
            waker.wake();
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.0.borrow_mut();
        if let State::Empty(waker) = &mut *state {
            let waker = waker.take();
            *state = State::Taken;
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl<T> Future for Receiver<T> {
    type Output = Option<T>;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut state = self.0.borrow_mut();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Full(value) => Poll::Ready(Some(value)),
            State::Taken => Poll::Ready(None),
            State::Empty(_) => {
                *state = State::Empty(Some(context.waker().clone()));
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
    fn a_receiver_is_woken_once_and_hears_of_a_dropped_sender() {
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = count.clone().into();
        let mut context = Context::from_waker(&waker);
        let (sender, mut receiver) = channel::<u32>();
        assert!(Pin::new(&mut receiver).poll(&mut context).is_pending());
        sender.send(7);
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert_eq!(Pin::new(&mut receiver).poll(&mut context), Poll::Ready(Some(7)));
        let (sender, mut receiver) = channel::<u32>();
        assert!(Pin::new(&mut receiver).poll(&mut context).is_pending());
        drop(sender);
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
        assert_eq!(Pin::new(&mut receiver).poll(&mut context), Poll::Ready(None));
    }
}
