//! One core's executor: tasks, operations in flight, timers and the turn that drives them.
//!
//! Owns: the tasks and the back-end. Lives on: the thread that made it, and never leaves it. Never:
//! waits anywhere but in [`Core::poll_backend`]. A real core loops over its own thread (see
//! `run.rs`); the simulator steps many cores in one.

use crate::{
    api::Ring,
    backend::{Backend, BackendKind, Doorbell, Wait},
    cold::Cold,
    op::{Completion, Op, Outcome, Token},
    slots::Slots,
    stalls::{INBOX, Report, Turns},
    sync::Notify,
    tasks::{self, ReadyQueue, TaskFuture, Tasks},
    time::Instant,
    timers::TimerWheel,
};
use std::{
    cell::{Cell, RefCell},
    future::Future,
    io, mem,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

/// Tasks that run in one turn before the back-end is asked again, so that a busy core still hears
/// its sockets.
const TASKS_PER_TURN: usize = 256;

/// How the executor of one core behaves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ExecutorOptions {
    /// Picks the next ready task by [`Backend::random_u64`] instead of first come, first served
    /// (the simulator).
    pub shuffle: bool,
}

/// One core. Dropping it drops its tasks, then its back-end.
pub(crate) struct Core {
    shared: Rc<Shared>,
}

type Inbox = Box<dyn FnMut() -> bool>;

/// What a core's [`Ring`] handles share. Every cell is free while foreign code runs: tasks, wakers,
/// destructors, the inbox.
pub(crate) struct Shared {
    pub(crate) kind: BackendKind,
    pub(crate) doorbell: Doorbell,
    options: ExecutorOptions,
    /// `None` after the core has ended; operations then stay pending.
    backend: RefCell<Option<Box<dyn Backend>>>,
    now: Cell<Instant>,
    wall_clock_ms: Cell<i64>,
    turns: Turns,
    /// When the last turn ended, if the back-end did not wait since.
    working_since: Cell<Option<Instant>>,
    tasks: RefCell<Tasks>,
    ready: Arc<ReadyQueue>,
    operations: RefCell<Slots<Operation>>,
    timers: RefCell<TimerWheel>,
    turn_end: RefCell<TurnEnd>,
    inbox: RefCell<Option<Inbox>>,
    pub(crate) cold: Cold,
    /// Descriptors of the files that this core has opened; files may end on other cores.
    pub(crate) open_files: Arc<AtomicUsize>,
    pub(crate) open_files_max: Cell<usize>,
    pub(crate) too_many_files: Notify,
    /// Kept for its room.
    completions: RefCell<Vec<Completion>>,
    /// Kept for its room.
    due: RefCell<Vec<Waker>>,
}

/// Who waits for the end of the turn, and how many ends there have been.
#[derive(Default)]
struct TurnEnd {
    ended: u64,
    waiting: Vec<Waker>,
    /// Kept for its room.
    spare: Vec<Waker>,
}

impl TurnEnd {
    /// Who has waited; the turn has ended for them.
    fn take_waiting(&mut self) -> Vec<Waker> {
        self.ended += u64::from(!self.waiting.is_empty());
        assert!(self.spare.is_empty(), "{} wakers of an earlier turn are left", self.spare.len());
        mem::replace(&mut self.waiting, mem::take(&mut self.spare))
    }
}

/// An operation that the back-end has, or whose result its future has not taken yet.
enum Operation {
    Waiting(Option<Waker>),
    Completed(Completion),
    /// The future is gone; the result is thrown away when it comes.
    Orphaned,
}

impl Core {
    pub(crate) fn new(mut backend: Box<dyn Backend>, options: ExecutorOptions) -> Core {
        let (now, doorbell) = (backend.now(), backend.doorbell());
        backend.set_sleeping(false);
        let shared = Shared {
            kind: backend.kind(),
            options,
            now: Cell::new(now),
            wall_clock_ms: Cell::new(backend.wall_clock_ms()),
            turns: Turns::default(),
            working_since: Cell::default(),
            tasks: RefCell::new(Tasks::new()),
            ready: Arc::new(ReadyQueue::new(doorbell.clone())),
            doorbell,
            backend: RefCell::new(Some(backend)),
            operations: RefCell::new(Slots::new()),
            timers: RefCell::new(TimerWheel::new(now)),
            turn_end: RefCell::default(),
            inbox: RefCell::new(None),
            cold: Cold::default(),
            open_files: Arc::default(),
            open_files_max: Cell::new(usize::MAX),
            too_many_files: Notify::default(),
            completions: RefCell::default(),
            due: RefCell::default(),
        };
        Core { shared: Rc::new(shared) }
    }

    pub(crate) fn ring(&self) -> Ring {
        Ring { core: self.shared.clone() }
    }

    /// One turn without the back-end's poll: reads the clock, takes the inbox, fires the timers
    /// that are due, runs the tasks that are ready (a bounded number), takes the inbox once more,
    /// then runs those that wait for the end of the turn. Says whether anything ran.
    pub(crate) fn run_ready(&self) -> bool {
        let shared = &*self.shared;
        shared.read_clock();
        shared.count_backend();
        shared.turns.begin(shared.coarse_now());
        let arrived = shared.take_inbox();
        shared.ready.take_remote();
        shared.fire_timers();
        shared.turns.ran(shared.coarse_now());
        let ran = shared.run_tasks(TASKS_PER_TURN);
        // What came while they ran shares the end of this turn; else it would wait for all of the
        // next one.
        shared.turns.runs(INBOX);
        if shared.take_inbox() {
            shared.turns.ran(shared.coarse_now());
            shared.run_tasks(shared.ready.len());
        }
        let mut ended = shared.turn_end.borrow_mut().take_waiting();
        let gathered = ended.len();
        ended.drain(..).for_each(Waker::wake);
        shared.turn_end.borrow_mut().spare = ended;
        if gathered > 0 {
            // They may stand behind tasks that were too many for this turn, and wake others in
            // their turn.
            shared.run_tasks(shared.ready.len());
        }
        shared.count_turn();
        arrived || ran > 0 || gathered > 0
    }

    /// Whether a task is ready to run now.
    pub(crate) fn has_ready(&self) -> bool {
        !self.shared.ready.is_empty()
            || self.shared.ready.remote_pending()
            || !self.shared.turn_end.borrow().waiting.is_empty()
    }

    /// Lets the back-end work and hands its completions to the waiting tasks (which are then
    /// ready). Does not wait when the inbox or another thread had something for this core.
    pub(crate) fn poll_backend(&self, wait: Wait) {
        let mut completions = self.shared.completions.take();
        assert!(completions.is_empty(), "{} completions were not handed over", completions.len());
        // The simulated back-end never waits and never works; other cores have their turns
        // meanwhile.
        if wait != Wait::No || self.shared.kind == BackendKind::Simulated {
            self.shared.working_since.set(None);
        }
        if wait == Wait::No {
            self.shared.with_backend(|backend| backend.poll(Wait::No, &mut completions));
        } else {
            self.shared.with_backend(|backend| backend.set_sleeping(true));
            let awake = self.shared.take_inbox() || self.has_ready();
            self.shared.with_backend(|backend| {
                backend.poll(if awake { Wait::No } else { wait }, &mut completions);
                backend.set_sleeping(false);
            });
        }
        completions.drain(..).for_each(|completion| self.shared.complete(completion));
        self.shared.completions.replace(completions);
    }

    /// When the earliest timer may be due; a lower bound for timers that are more than 64 ms away.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.shared.timers.borrow().next_deadline()
    }

    /// Drops all tasks and what they own, then the back-end.
    pub(crate) fn shutdown(self) {}
}

impl Drop for Core {
    fn drop(&mut self) {
        tasks::drop_all(&self.shared.tasks);
        let inbox = self.shared.inbox.borrow_mut().take();
        drop(inbox);
        let waiting = mem::take(&mut self.shared.turn_end.borrow_mut().waiting);
        drop(waiting);
        // Reads under way hold on to what owns them.
        self.shared.cold.forget_all();
        let backend = self.shared.backend.borrow_mut().take();
        drop(backend);
    }
}

impl Shared {
    pub(crate) fn check_open_files(&self) {
        if self.open_files.load(Ordering::Relaxed) > self.open_files_max.get() {
            self.too_many_files.notify();
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.now.get()
    }

    pub(crate) fn turns(&self) -> &Turns {
        &self.turns
    }

    fn coarse_now(&self) -> Instant {
        self.with_backend(|backend| backend.coarse_now()).unwrap_or_default()
    }

    /// A turn has ended that began when the clock was read.
    fn count_turn(&self) {
        let Some(end) = self.with_backend(|backend| backend.now()) else { return };
        self.working_since.set(Some(end));
        if let Some(report) = self.turns.end(self.now.get(), end) {
            report.say();
        }
    }

    /// A turn begins, and the clock was read.
    fn count_backend(&self) {
        let worked = self
            .working_since
            .take()
            .and_then(|since| self.turns.backend_worked(since, self.now.get()));
        worked.as_ref().map(Report::say);
    }

    pub(crate) fn wall_clock_ms(&self) -> i64 {
        self.wall_clock_ms.get()
    }

    /// Runs `work` on the back-end; `None` after the core has ended.
    pub(crate) fn with_backend<R>(
        &self,
        work: impl FnOnce(&mut (dyn Backend + 'static)) -> R,
    ) -> Option<R> {
        self.backend.borrow_mut().as_deref_mut().map(work)
    }

    /// The same for an operation that the back-end makes before it returns; it may be what a stall
    /// is blamed on.
    pub(crate) fn with_backend_at_once<R>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut (dyn Backend + 'static)) -> R,
    ) -> Option<R> {
        self.with_backend(|backend| {
            let start = backend.coarse_now();
            let result = work(backend);
            self.turns.operated(operation, backend.coarse_now().since(start));
            result
        })
    }

    pub(crate) fn spawn(&self, name: &'static str, future: TaskFuture) {
        tasks::spawn(&mut self.tasks.borrow_mut(), &self.ready, name, future);
    }

    pub(crate) fn set_inbox(&self, inbox: Inbox) {
        let previous = self.inbox.borrow_mut().replace(inbox);
        drop(previous);
    }

    /// Hands the operation to the back-end.
    pub(crate) fn submit(self: &Rc<Self>, op: Op) -> OpFuture {
        let key = self.operations.borrow_mut().insert(Operation::Waiting(None));
        if let Some(file) = op.cuts() {
            file.count_cut();
        }
        if self.kind == BackendKind::Epoll {
            // It tries at once, and writes to the page cache before it returns.
            self.with_backend_at_once(op.name(), |backend| backend.submit(Token(key), op));
        } else {
            self.with_backend(|backend| backend.submit(Token(key), op));
        }
        OpFuture { core: self.clone(), key, taken: false }
    }

    fn read_clock(&self) {
        if let Some((now, wall_clock_ms)) =
            self.with_backend(|backend| (backend.now(), backend.wall_clock_ms()))
        {
            self.now.set(now.max(self.now.get()));
            self.wall_clock_ms.set(wall_clock_ms);
        }
    }

    fn take_inbox(&self) -> bool {
        let Some(mut inbox) = self.inbox.borrow_mut().take() else { return false };
        let arrived = inbox();
        self.inbox.borrow_mut().get_or_insert(inbox);
        arrived
    }

    fn fire_timers(&self) {
        let mut due = self.due.take();
        assert!(due.is_empty(), "{} timers that fired woke no task", due.len());
        self.timers.borrow_mut().advance(self.now.get(), &mut due);
        due.drain(..).for_each(Waker::wake);
        self.due.replace(due);
    }

    fn run_tasks(&self, most: usize) -> usize {
        for ran in 0..most {
            let next = if self.options.shuffle { self.pop_any() } else { self.ready.pop() };
            let Some(key) = next else { return ran };
            tasks::run(&self.tasks, key, |name| self.turns.runs(name));
            self.turns.ran(self.coarse_now());
        }
        most
    }

    fn pop_any(&self) -> Option<u64> {
        match self.ready.len() as u64 {
            0 => None,
            1 => self.ready.pop(),
            len => self
                .ready
                .pop_at((self.with_backend(|backend| backend.random_u64())? % len) as usize),
        }
    }

    fn complete(&self, completion: Completion) {
        let key = completion.token.0;
        if let Some(file) = completion.op.cuts() {
            file.count_cut();
        }
        let mut operations = self.operations.borrow_mut();
        let operation =
            operations.get_mut(key).expect("a back-end completes what it was given, once");
        match mem::replace(operation, Operation::Orphaned) {
            Operation::Waiting(waker) => {
                *operation = Operation::Completed(completion);
                drop(operations);
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            Operation::Orphaned => {
                operations.remove(key);
                drop(operations);
                drop(completion);
            }
            Operation::Completed(_) => panic!("operation {key:#x} was completed twice"),
        }
    }
}

/// An operation under way. Dropping it orphans the operation, which keeps its buffers until it
/// completes.
pub(crate) struct OpFuture {
    core: Rc<Shared>,
    key: u64,
    taken: bool,
}

impl Future for OpFuture {
    type Output = (Op, io::Result<Outcome>);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(!self.taken, "a finished operation was polled");
        let mut operations = self.core.operations.borrow_mut();
        let operation = operations
            .get_mut(self.key)
            .expect("an operation stays until its future takes the result");
        if let Operation::Waiting(waker) = operation {
            let replaced = match waker {
                Some(waker) if waker.will_wake(context.waker()) => None,
                _ => waker.replace(context.waker().clone()),
            };
            drop(operations);
            drop(replaced);
            return Poll::Pending;
        }
        let Some(Operation::Completed(Completion { op, result, .. })) = operations.remove(self.key)
        else {
            panic!("an operation with a future is not orphaned");
        };
        drop(operations);
        self.taken = true;
        Poll::Ready((op, result))
    }
}

impl Drop for OpFuture {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        let mut operations = self.core.operations.borrow_mut();
        let operation = operations
            .get_mut(self.key)
            .expect("an operation stays until its future takes the result");
        if matches!(operation, Operation::Completed(_)) {
            let completed = operations.remove(self.key);
            drop(operations);
            drop(completed);
            return;
        }
        let waiting = mem::replace(operation, Operation::Orphaned);
        assert!(
            matches!(waiting, Operation::Waiting(_)),
            "operation {:#x} is orphaned a second time",
            self.key
        );
        drop(operations);
        drop(waiting);
        self.core.with_backend(|backend| backend.cancel(Token(self.key)));
    }
}

/// Waits for a point in time.
pub(crate) struct Sleep {
    pub(crate) core: Rc<Shared>,
    pub(crate) deadline: Instant,
    pub(crate) timer: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.core.now() >= self.deadline {
            return Poll::Ready(());
        }
        let mut timers = self.core.timers.borrow_mut();
        if let Some(waker) = self.timer.and_then(|timer| timers.waker_mut(timer)) {
            let replaced = (!waker.will_wake(context.waker()))
                .then(|| mem::replace(waker, context.waker().clone()));
            drop(timers);
            drop(replaced);
            return Poll::Pending;
        }
        assert!(self.timer.is_none(), "a timer has fired before {:?}", self.deadline);
        let timer = timers.insert(self.deadline, context.waker().clone());
        drop(timers);
        self.timer = Some(timer);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let cancelled = self.timer.and_then(|timer| self.core.timers.borrow_mut().cancel(timer));
        drop(cancelled);
    }
}

/// Waits until the tasks that are ready in this turn have run.
pub(crate) struct EndOfTurn {
    pub(crate) core: Rc<Shared>,
    /// How many ends there had been when the wait began.
    pub(crate) since: Option<u64>,
}

impl Future for EndOfTurn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut turn_end = self.core.turn_end.borrow_mut();
        let ended = turn_end.ended;
        assert!(self.since.is_none_or(|since| since <= ended), "an end of turn is counted down");
        if self.since.is_some_and(|since| since < ended) {
            return Poll::Ready(());
        }
        turn_end.waiting.push(context.waker().clone());
        drop(turn_end);
        self.since = Some(ended);
        Poll::Pending
    }
}
