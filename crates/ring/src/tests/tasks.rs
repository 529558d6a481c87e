//! Tasks, timers and the turn.

use super::*;
use std::{
    cell::{Cell, RefCell},
    future,
    rc::Rc,
    sync::{Arc, Mutex, mpsc},
    task::{Poll, Waker},
};

#[test]
fn timers_fire_in_order_and_not_early() {
    on_each(|ring| async move {
        let order = Rc::new(RefCell::new(Vec::new()));
        let start = ring.now();
        let sleepers: Vec<_> = [30u64, 10, 20, 0, 10, 90]
            .into_iter()
            .enumerate()
            .map(|(nth, delay_ms)| {
                let (ring, order) = (ring.clone(), order.clone());
                ring.clone().spawn(async move {
                    ring.sleep_until(start + Duration::from_millis(delay_ms)).await;
                    assert!(ring.precise_now().since(start) >= Duration::from_millis(delay_ms));
                    order.borrow_mut().push(nth);
                })
            })
            .collect();
        for sleeper in sleepers {
            sleeper.await;
        }
        assert_eq!(*order.borrow(), [3, 1, 4, 2, 0, 5]);
    });
}

#[test]
fn timeout_takes_what_is_ready_and_drops_what_is_late() {
    on_each(|ring| async move {
        assert_eq!(ring.timeout(Duration::ZERO, async { 1 }).await, Some(1));
        let alive = Rc::new(());
        let held = alive.clone();
        let late = async move {
            future::pending::<()>().await;
            drop(held);
        };
        assert_eq!(ring.timeout(Duration::from_millis(5), late).await, None);
        assert_eq!(Rc::strong_count(&alive), 1);
        let soon = ring.sleep(Duration::from_millis(1));
        assert_eq!(ring.timeout(Duration::from_secs(3600), soon).await, Some(()));
    });
}

#[test]
fn the_turn_ends_after_everything_that_was_ready() {
    on_each(|ring| async move {
        let log = Rc::new(RefCell::new(Vec::new()));
        let gatherer = {
            let (ring, log) = (ring.clone(), log.clone());
            ring.clone().spawn(async move {
                ring.end_of_turn().await;
                log.borrow_mut().push("end");
                ring.end_of_turn().await;
                log.borrow_mut().push("second end");
            })
        };
        for _ in 0..3 {
            let (ring, log) = (ring.clone(), log.clone());
            ring.clone().spawn(async move {
                log.borrow_mut().push("task");
                let log = log.clone();
                ring.spawn(async move { log.borrow_mut().push("its task") });
            });
        }
        gatherer.await;
        let expected =
            ["task", "task", "task", "its task", "its task", "its task", "end", "second end"];
        assert_eq!(*log.borrow(), expected);
    });
}

#[test]
fn what_comes_while_tasks_run_shares_the_end_of_their_turn() {
    on_each(|ring| async move {
        let log = Rc::new(RefCell::new(Vec::new()));
        let comes = Rc::new(Cell::new(false));
        let (inbox, noted, taken) = (ring.clone(), log.clone(), comes.clone());
        ring.set_inbox(Box::new(move || {
            let any = taken.take();
            if any {
                let noted = noted.clone();
                inbox.spawn(async move { noted.borrow_mut().push("its task") });
            }
            any
        }));
        // As another core may while this task runs.
        comes.set(true);
        ring.end_of_turn().await;
        log.borrow_mut().push("end");
        ring.end_of_turn().await;
        assert_eq!(*log.borrow(), ["its task", "end"]);
    });
}

#[test]
fn a_busy_core_still_hears_its_timers() {
    on_each(|ring| async move {
        let stop = Rc::new(Cell::new(false));
        let busy: Vec<_> = (0..4)
            .map(|_| {
                let stop = stop.clone();
                ring.spawn(future::poll_fn(move |context| {
                    context.waker().wake_by_ref();
                    if stop.get() { Poll::Ready(()) } else { Poll::Pending }
                }))
            })
            .collect();
        ring.sleep(Duration::from_millis(10)).await;
        ring.end_of_turn().await;
        stop.set(true);
        for task in busy {
            task.await;
        }
    });
}

#[test]
fn tasks_that_are_left_are_dropped_with_the_core() {
    let (dropped, cores) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    struct Counts(Arc<Mutex<i32>>, Option<Ring>);
    impl Drop for Counts {
        fn drop(&mut self) {
            *self.0.lock().expect("unpoisoned") += 1;
            // A destructor may spawn: that task is dropped as well.
            if let Some(ring) = self.1.take() {
                let inner = Counts(self.0.clone(), None);
                ring.spawn(async move {
                    future::pending::<()>().await;
                    drop(inner);
                });
            }
        }
    }
    on_each(|ring| {
        let counter = dropped.clone();
        *cores.lock().expect("unpoisoned") += 1;
        async move {
            let (held, inner) = (Counts(counter, Some(ring.clone())), ring.clone());
            ring.spawn(async move {
                inner.sleep(Duration::from_secs(3600)).await;
                drop(held);
            });
            ring.end_of_turn().await;
        }
    });
    assert_eq!(*dropped.lock().expect("unpoisoned"), 2 * *cores.lock().expect("unpoisoned"));
}

#[test]
fn other_threads_wake_tasks() {
    on_each(|ring| async move {
        let (to_thread, wakers) = mpsc::channel::<(Waker, Arc<Mutex<bool>>)>();
        let thread = std::thread::spawn(move || {
            for (waker, flag) in wakers {
                *flag.lock().expect("unpoisoned") = true;
                waker.wake();
            }
        });
        for _ in 0..1000 {
            let flag = Arc::new(Mutex::new(false));
            let mut sent = false;
            future::poll_fn(|context| {
                if *flag.lock().expect("unpoisoned") {
                    return Poll::Ready(());
                }
                if !std::mem::replace(&mut sent, true) {
                    to_thread.send((context.waker().clone(), flag.clone())).expect("it lives");
                }
                Poll::Pending
            })
            .await;
        }
        drop(to_thread);
        thread.join().expect("it ends");
        drop(ring);
    });
}
