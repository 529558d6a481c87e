//! Tasks of one core, and how they are made ready.
//!
//! Owns: the futures that were spawned and the queue of those that are ready. Waking a task from
//! its own core pushes to a queue that no other thread touches; other threads (the control thread's
//! channels) push to a second one and ring the bell.

use crate::{backend::Doorbell, slots::Slots};
use std::{
    cell::{Cell, UnsafeCell},
    collections::VecDeque,
    future::Future,
    mem,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Wake, Waker},
};

pub(crate) type TaskFuture = Pin<Box<dyn Future<Output = ()>>>;

/// A number per thread that is never used again, cheaper to read than
/// `std::thread::current().id()`.
fn thread_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static NUMBER: Cell<u64> = const { Cell::new(0) });
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        number.get()
    })
}

/// The ready tasks of one core, by key.
pub(crate) struct ReadyQueue {
    owner: u64,
    local: UnsafeCell<VecDeque<u64>>,
    remote: Mutex<Vec<u64>>,
    remote_pending: AtomicBool,
    doorbell: Doorbell,
}

// SAFETY: `local` is only reached through `with_local`, which runs on the owner's thread alone;
// everything else is Sync.
unsafe impl Sync for ReadyQueue {}
// SAFETY: the queue holds plain numbers; where the last reference dies does not matter.
unsafe impl Send for ReadyQueue {}

impl ReadyQueue {
    pub(crate) fn new(doorbell: Doorbell) -> Self {
        let (local, remote) = (UnsafeCell::new(VecDeque::new()), Mutex::new(Vec::new()));
        Self {
            owner: thread_number(),
            local,
            remote,
            remote_pending: AtomicBool::new(false),
            doorbell,
        }
    }

    fn with_local<R>(&self, work: impl FnOnce(&mut VecDeque<u64>) -> R) -> R {
        assert_eq!(self.owner, thread_number(), "a core never leaves its thread");
        // SAFETY: this is the owner's thread, whose number no other thread ever has, and the
        // closures in this file call nothing that could come back here, so the reference is the
        // only one.
        work(unsafe { &mut *self.local.get() })
    }

    fn push(&self, key: u64) {
        if self.owner == thread_number() {
            return self.with_local(|queue| queue.push_back(key));
        }
        self.remote.lock().unwrap_or_else(PoisonError::into_inner).push(key);
        self.remote_pending.store(true, Ordering::Release);
        self.doorbell.ring();
    }

    /// Whether another thread has woken a task that [`ReadyQueue::take_remote`] has not seen.
    pub(crate) fn remote_pending(&self) -> bool {
        self.remote_pending.load(Ordering::Acquire)
    }

    /// Moves what other threads have woken to the core's own queue.
    pub(crate) fn take_remote(&self) {
        if !self.remote_pending() {
            return;
        }
        self.remote_pending.store(false, Ordering::Relaxed);
        let keys = mem::take(&mut *self.remote.lock().unwrap_or_else(PoisonError::into_inner));
        self.with_local(|queue| queue.extend(keys));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.with_local(|queue| queue.is_empty())
    }

    pub(crate) fn len(&self) -> usize {
        self.with_local(|queue| queue.len())
    }

    pub(crate) fn pop(&self) -> Option<u64> {
        self.with_local(VecDeque::pop_front)
    }

    pub(crate) fn pop_at(&self, index: usize) -> Option<u64> {
        self.with_local(|queue| {
            assert!(index < queue.len(), "task {index} is next of {} ready ones", queue.len());
            queue.swap_remove_front(index)
        })
    }
}

/// Wakes one task. The flag keeps a task from standing in the queue twice.
struct TaskWaker {
    key: u64,
    queued: AtomicBool,
    ready: Arc<ReadyQueue>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.ready.push(self.key);
        }
    }
}

/// A spawned task. Its future is out while it runs.
pub(crate) struct Task {
    name: &'static str,
    future: Option<TaskFuture>,
    handle: Arc<TaskWaker>,
    waker: Waker,
}

pub(crate) type Tasks = Slots<Task>;

/// Adds a task and makes it ready.
pub(crate) fn spawn(
    tasks: &mut Tasks,
    ready: &Arc<ReadyQueue>,
    name: &'static str,
    future: TaskFuture,
) {
    let key = tasks.insert_with(|key| {
        let handle =
            Arc::new(TaskWaker { key, queued: AtomicBool::new(true), ready: ready.clone() });
        Task { name, future: Some(future), waker: handle.clone().into(), handle }
    });
    ready.push(key);
}

/// Runs the task once. The cell is free while the task runs, which may spawn others. A key of a
/// task that has ended is ignored: wakers outlive their tasks. `runs` hears the task's name before
/// it runs.
pub(crate) fn run(tasks: &std::cell::RefCell<Tasks>, key: u64, runs: impl FnOnce(&'static str)) {
    let (mut future, waker) = {
        let mut tasks = tasks.borrow_mut();
        let Some(task) = tasks.get_mut(key) else { return };
        // Read-modify-write, so that whatever the last waker wrote is seen by the poll below.
        let was_queued = task.handle.queued.swap(false, Ordering::AcqRel);
        assert!(was_queued, "a task runs that nothing has woken: {}", task.name);
        let future = task.future.take();
        assert!(future.is_some(), "{} runs within itself", task.name);
        let Some(future) = future else { return };
        runs(task.name);
        (future, task.waker.clone())
    };
    if future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        if let Some(task) = tasks.borrow_mut().get_mut(key) {
            let before = task.future.replace(future);
            assert!(before.is_none(), "{} has a second future", task.name);
        }
        return;
    }
    let ended = tasks.borrow_mut().remove(key);
    assert!(
        ended.as_ref().is_some_and(|task| task.future.is_none()),
        "task {key:#x} ends, and has gone or got another future while it ran"
    );
    drop(ended);
}

/// Drops every task, and those that their destructors spawn.
pub(crate) fn drop_all(tasks: &std::cell::RefCell<Tasks>) {
    loop {
        let keys = tasks.borrow().keys();
        if keys.is_empty() {
            return;
        }
        for key in keys {
            let task = tasks.borrow_mut().remove(key);
            drop(task);
        }
    }
}
