//! The only way between cores: one bounded single-producer single-consumer queue per ordered pair
//! of cores, and on top of it calls with answers. And the way to the control thread and back, see
//! `jobs.rs`.
//!
//! Owns: this core's ends of the mesh, and the calls that await their answers. Lives on: every
//! core, one each. Never: copies a payload (buffers cross by reference), waits for a peer, or takes
//! a lock.
//!
//! A sender rings the receiver's doorbell after it has pushed: that is a fence and a load while the
//! receiver is awake. A full queue is no error: the message waits in the sender's own overflow
//! queue, in order, until the receiver has made room. While many wait, no request sends further
//! calls ([`Mailbox::room`]); what may come besides is bounded, and `limits.rs` sums it up.

use super::{
    Shard,
    ask::{Ask, Question},
    jobs::{Job, JobAnswer, Jobs},
};
use crate::limits;
use ring::{
    Doorbell,
    sync::{Notify, oneshot},
};
use rtrb::{Consumer, Producer, PushError, RingBuffer};
use rustc_hash::{FxHashMap, FxHashSet};
use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    sync::{Arc, Mutex},
};

/// What a core sends another one to do, beyond the few short messages: a question, an answer, a
/// connection. The mailbox does not know which. Dropped on the way, it is gone for good.
pub trait Errand: Send {
    /// On the core that it is for. Takes no time: what takes some becomes a task.
    fn arrive(self: Box<Self>, shard: &Shard, from: usize);
}

/// What crosses from core to core.
pub enum Message {
    Errand(Box<dyn Errand>),
    /// Partitions that the receiver watches have moved: its fetch `watch` may have what it waits
    /// for.
    Moved {
        watch: u64,
    },
    /// The sender is short of memory, and what the receiver's tail and stalled readers have may be
    /// of it.
    ShortOfMemory,
    /// From the control thread: a job of this core is done.
    JobDone(Box<JobDone>),
    /// From the control thread to core 0: stop cleanly.
    Stop,
    /// From core 0, when the logs are closed: the core has nothing left to do.
    End,
    /// From the control thread: report what the admin page shows.
    Snapshot(tokio::sync::oneshot::Sender<crate::stats::ShardSnapshot>),
    /// From the control thread: tell what is not served.
    Health(tokio::sync::oneshot::Sender<crate::stats::HealthSnapshot>),
}

// A queue has room for many of them, and there is one per pair of cores.
const _: () = assert!(size_of::<Message>() <= 24);

struct Outgoing {
    queue: Producer<Message>,
    overflow: VecDeque<Message>,
    /// Of messages that overflowed: the watches whose partitions have moved. Once is enough, and
    /// their place in the order is of no account.
    moved: FxHashSet<u64>,
}

/// The ends of all queues that begin at one core, and of those that end there.
pub struct MeshEnd {
    index: usize,
    outgoing: Vec<Option<Producer<Message>>>,
    incoming: Vec<Option<Consumer<Message>>>,
    /// A core's way to the control thread and back, where the mesh has one.
    to_control: Option<(JobQueue, Consumer<Message>)>,
    /// The control thread's end of it.
    of_control: Option<JobsEnd>,
}

impl MeshEnd {
    /// The jobs of all cores: for the control thread, once.
    pub fn take_jobs(&mut self) -> JobsEnd {
        self.of_control.take().expect("the end of the control thread, for the first time")
    }

    pub fn index(&self) -> usize {
        self.index
    }
}

/// A mesh between `members`, with no queue from a member to itself.
pub fn mesh(members: usize) -> Vec<MeshEnd> {
    assert!(members <= limits::MAX_SHARDS + 1, "{members} members in a mesh");
    let row = || (0..members).map(|_| None).collect();
    let mut ends: Vec<MeshEnd> = (0..members)
        .map(|index| MeshEnd {
            index,
            outgoing: row(),
            incoming: (0..members).map(|_| None).collect(),
            to_control: None,
            of_control: None,
        })
        .collect();
    for from in 0..members {
        for to in (0..members).filter(|to| *to != from) {
            let (producer, consumer) = RingBuffer::new(limits::MAILBOX_SLOTS);
            ends[from].outgoing[to] = Some(producer);
            ends[to].incoming[from] = Some(consumer);
        }
    }
    ends
}

/// A mesh of `cores` and the control thread, which is its last member, and to which each core has a
/// queue for jobs.
pub fn mesh_with_control(cores: usize) -> Vec<MeshEnd> {
    let mut ends = mesh(cores + 1);
    let (mut jobs, mut answers) = (Vec::new(), Vec::new());
    for end in &mut ends[..cores] {
        // As many answers as there may be jobs: an answer never finds its queue full.
        let (to_control, of_core) = RingBuffer::new(limits::CONTROL_JOBS_MAX);
        let (answer, answered) = RingBuffer::new(limits::CONTROL_JOBS_MAX);
        end.to_control = Some((JobQueue(to_control), answered));
        jobs.push(of_core);
        answers.push(answer);
    }
    let answers = Arc::new(AnswerQueues(Mutex::new(answers)));
    ends[cores].of_control = Some(JobsEnd { jobs, answers });
    ends
}

/// A job on its way to the control thread.
pub struct PostedJob {
    pub number: u64,
    pub job: Job,
    /// Wakes the core that asks.
    pub bell: Doorbell,
}

/// A core's queue to the control thread.
pub struct JobQueue(Producer<PostedJob>);

impl JobQueue {
    /// The caller has counted: there is room.
    pub fn push(&mut self, job: PostedJob) {
        assert!(
            self.0.push(job).is_ok(),
            "a queue of {} jobs is full: more are under way than were counted",
            limits::CONTROL_JOBS_MAX
        );
    }
}

/// The answer to a job, back on its core. `None`: there is none.
pub struct JobDone {
    pub number: u64,
    pub answer: Option<JobAnswer>,
}

/// The control thread's end of the jobs of all cores.
pub struct JobsEnd {
    jobs: Vec<Consumer<PostedJob>>,
    answers: Arc<AnswerQueues>,
}

/// Only the control thread, and threads that work for it, lock them: a core never does.
struct AnswerQueues(Mutex<Vec<Producer<Message>>>);

/// The duty to answer one job. Dropped, its core hears that there is no answer.
pub struct JobTicket {
    core: usize,
    number: u64,
    bell: Doorbell,
    answers: Arc<AnswerQueues>,
    is_answered: bool,
}

impl JobsEnd {
    /// One job, if any core has sent one that was not taken yet.
    pub fn take(&mut self) -> Option<(Job, JobTicket)> {
        let posted = |(core, jobs): (usize, &mut Consumer<PostedJob>)| {
            jobs.pop().ok().map(|posted| (core, posted))
        };
        let (core, PostedJob { number, job, bell }) =
            self.jobs.iter_mut().enumerate().find_map(posted)?;
        let answers = self.answers.clone();
        Some((job, JobTicket { core, number, bell, answers, is_answered: false }))
    }
}

impl JobTicket {
    pub fn answer(mut self, answer: JobAnswer) {
        self.send(Some(answer));
    }

    fn send(&mut self, answer: Option<JobAnswer>) {
        assert!(!self.is_answered, "job {} of core {} answered twice", self.number, self.core);
        self.is_answered = true;
        let done = Message::JobDone(Box::new(JobDone { number: self.number, answer }));
        let mut queues = self.answers.0.lock().expect("no thread panics while it answers");
        let sent = queues[self.core].push(done);
        assert!(sent.is_ok(), "there is room for answer {} to core {}", self.number, self.core);
        drop(queues);
        self.bell.ring();
    }
}

impl Drop for JobTicket {
    fn drop(&mut self) {
        if !self.is_answered {
            self.send(None);
        }
    }
}

/// The control thread's end: it only sends. It may wait for a lock; a core never does.
pub struct ControlEnd {
    outgoing: Mutex<Vec<Option<Producer<Message>>>>,
    doorbells: Vec<Doorbell>,
}

impl ControlEnd {
    pub fn new(end: MeshEnd, doorbells: Vec<Doorbell>) -> ControlEnd {
        let (members, cores) = (end.outgoing.len(), doorbells.len());
        assert!(members <= cores + 1, "{cores} cores of {members} members can be woken");
        ControlEnd { outgoing: Mutex::new(end.outgoing), doorbells }
    }

    /// Whether the message is on its way; `false` when that core has not taken the earlier ones
    /// yet.
    pub fn send(&self, to: usize, message: Message) -> bool {
        let mut outgoing = self.outgoing.lock().expect("no sender panics");
        let queue = outgoing[to].as_mut().expect("a queue to every core");
        let sent = queue.push(message).is_ok();
        self.doorbells[to].ring();
        sent
    }
}

/// One core's mailbox.
pub struct Mailbox {
    index: usize,
    outgoing: Vec<Option<RefCell<Outgoing>>>,
    incoming: RefCell<Vec<(usize, Consumer<Message>)>>,
    doorbells: Vec<Doorbell>,
    awaited: RefCell<FxHashMap<u64, Box<dyn Any>>>,
    next_number: Cell<u64>,
    overflowing: Cell<usize>,
    /// Fewer messages overflow than before.
    drained: Notify,
    messages_sent: Cell<u64>,
    wake_ups: Cell<u64>,
    /// What this core has the control thread do.
    pub jobs: Rc<Jobs>,
}

impl Mailbox {
    /// `doorbells[i]` wakes member `i`. The control thread has one only where it takes jobs.
    pub fn new(end: MeshEnd, doorbells: Vec<Doorbell>) -> Mailbox {
        let (members, awake) = (end.outgoing.len(), doorbells.len());
        assert!(awake == members || awake + 1 == members, "{awake} doorbells of {members} members");
        let control = members - 1;
        let (queue, answers) = end.to_control.unzip();
        let bells = queue.zip(doorbells.get(control).cloned());
        let jobs = Jobs::new(bells, doorbells[end.index].clone());
        let outgoing = end.outgoing.into_iter();
        let incoming = end.incoming.into_iter().enumerate().chain([(control, answers)]);
        Mailbox {
            index: end.index,
            outgoing: outgoing
                .map(|p| {
                    p.map(|queue| {
                        RefCell::new(Outgoing {
                            queue,
                            overflow: VecDeque::new(),
                            moved: FxHashSet::default(),
                        })
                    })
                })
                .collect(),
            incoming: RefCell::new(
                incoming.filter_map(|(from, queue)| Some((from, queue?))).collect(),
            ),
            doorbells,
            awaited: RefCell::default(),
            next_number: Cell::new(0),
            overflowing: Cell::new(0),
            drained: Notify::default(),
            messages_sent: Cell::new(0),
            wake_ups: Cell::new(0),
            jobs: Rc::new(jobs),
        }
    }

    pub fn messages_sent(&self) -> u64 {
        self.messages_sent.get()
    }

    /// Cores that slept when this one sent them something.
    pub fn wake_ups(&self) -> u64 {
        self.wake_ups.get()
    }

    /// Whether a message to this core would have to wake it now.
    pub fn is_asleep(&self, member: usize) -> bool {
        self.doorbells[member].is_asleep()
    }

    fn ring(&self, member: usize) {
        let woke = self.doorbells[member].ring();
        self.wake_ups.set(self.wake_ups.get() + u64::from(woke));
    }

    pub fn send(&self, to: usize, message: Message) {
        assert_ne!(to, self.index, "a core does not write to itself");
        let mut outgoing =
            self.outgoing[to].as_ref().expect("a queue to every other member").borrow_mut();
        self.messages_sent.set(self.messages_sent.get() + 1);
        if outgoing.overflow.is_empty() && outgoing.moved.is_empty() {
            match outgoing.queue.push(message) {
                Ok(()) => {}
                Err(PushError::Full(message)) => self.overflow(&mut outgoing, message),
            }
        } else {
            self.overflow(&mut outgoing, message);
        }
        self.ring(to);
    }

    fn overflow(&self, outgoing: &mut Outgoing, message: Message) {
        let is_new = match message {
            Message::Moved { watch } => outgoing.moved.insert(watch),
            message => {
                outgoing.overflow.push_back(message);
                true
            }
        };
        self.overflowing.set(self.overflowing.get() + usize::from(is_new));
        let waiting = outgoing.overflow.len() + outgoing.moved.len();
        assert!(
            waiting <= limits::MAILBOX_OVERFLOW_MAX,
            "{waiting} messages wait for one core: a bound is not kept"
        );
        let all = self.overflowing.get();
        assert!(waiting <= all, "{waiting} messages wait for one core, and {all} for all");
    }

    /// Whether requests may send calls.
    pub fn has_room(&self) -> bool {
        self.overflowing.get() < limits::MAILBOX_OVERFLOW_STOP
    }

    /// Resolves once requests may send calls: to be awaited right before, so that no more than one
    /// of them sends its calls beyond the bound.
    pub async fn room(&self) {
        self.drained.wait_until(|| self.has_room()).await;
    }

    pub fn send_errand(&self, to: usize, errand: Box<dyn Errand>) {
        self.send(to, Message::Errand(errand));
    }

    /// Sends a question and resolves to its answer; to `None` when this core stops before it comes.
    /// A core that has stopped never answers.
    pub fn ask<A: Ask>(&self, to: usize, ask: A) -> oneshot::Receiver<A::Answer> {
        let (giver, taker) = oneshot::channel::<A::Answer>();
        let number = self.next_number.get();
        self.next_number.set(number + 1);
        let before = self.awaited.borrow_mut().insert(number, Box::new(giver));
        assert!(before.is_none(), "question {number} is asked once");
        self.send_errand(to, Box::new(Question { number, ask }));
        taker
    }

    /// Hands an answer to the caller that awaits it.
    pub fn answered<T: 'static>(&self, number: u64, answer: T) {
        let awaited = self.awaited.borrow_mut().remove(&number);
        let giver =
            awaited.expect("an answer to a question of this core").downcast::<oneshot::Sender<T>>();
        giver.expect("the number was given with the type of the answer").send(answer);
    }

    /// At the end of the core: callers that still await an answer get none.
    pub fn forget(&self) {
        drop(self.awaited.take());
        self.jobs.stop();
    }

    /// Takes at most `max` of what has arrived into `messages`, and moves on what overflowed. Says
    /// whether there was anything to do.
    pub fn take(&self, messages: &mut Vec<(usize, Message)>, max: usize) -> bool {
        let before = messages.len();
        for (from, queue) in self.incoming.borrow_mut().iter_mut() {
            // A core looks several times for each message that comes: most looks find nothing, and
            // a chunk of nothing costs as many instructions as one of some.
            let available = queue.slots().min(max);
            if available == 0 {
                continue;
            }
            if let Ok(chunk) = queue.read_chunk(available) {
                messages.extend(chunk.into_iter().map(|message| (*from, message)));
            }
        }
        // While something overflows this core stays awake: no core rings when a receiver has made
        // room.
        let overflowing = self.overflowing.get() > 0;
        if overflowing {
            self.move_overflow();
        }
        messages.len() > before || overflowing
    }

    fn move_overflow(&self) {
        for (to, outgoing) in self.outgoing.iter().enumerate() {
            let Some(outgoing) = outgoing else { continue };
            let mut outgoing = outgoing.borrow_mut();
            let Outgoing { queue, overflow, moved } = &mut *outgoing;
            let mut slots = queue.slots();
            let watches = moved.extract_if(|_| true).map(|watch| Message::Moved { watch });
            let mut passed = 0;
            let mut messages = std::iter::from_fn(|| overflow.pop_front()).chain(watches);
            while slots > 0
                && let Some(message) = messages.next()
            {
                assert!(queue.push(message).is_ok(), "no other core takes a slot that was free");
                (slots, passed) = (slots - 1, passed + 1);
            }
            drop(messages);
            let left = overflow.len() + moved.len();
            if passed > 0 {
                let all = self.overflowing.get();
                assert!(passed + left <= all, "{all} messages overflow, not {passed} and {left}");
                self.overflowing.set(all - passed);
                self.ring(to);
                self.drained.notify();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::tests::simulated::run_in;
    use ring::sim::{SimOptions, World};
    use std::{
        future::Future,
        pin::pin,
        task::{Context, Waker},
    };

    struct Nothing;

    impl Errand for Nothing {
        fn arrive(self: Box<Self>, _shard: &Shard, _from: usize) {}
    }

    /// Two cores; the second takes its messages when the test says so.
    fn with_two(test: impl FnOnce(Mailbox, Mailbox) + 'static) {
        let world = World::new(1, SimOptions::calm());
        let node = world.node("a");
        run_in(&world, node, move |ring| async move {
            let mut ends = mesh(2)
                .into_iter()
                .map(|end| Mailbox::new(end, vec![ring.doorbell(), ring.doorbell()]));
            test(ends.next().expect("two"), ends.next().expect("two"));
        });
        world.close();
    }

    #[test]
    fn a_core_that_stands_still_stops_the_calls_and_not_the_node() {
        with_two(|near, far| {
            let mut sent = 0;
            while near.has_room() {
                near.send_errand(1, Box::new(Nothing));
                sent += 1;
            }
            assert_eq!(sent, limits::MAILBOX_SLOTS + limits::MAILBOX_OVERFLOW_STOP);
            for watch in 0..100_000 {
                near.send(1, Message::Moved { watch: watch % 1000 });
            }
            assert_eq!(
                near.overflowing.get(),
                limits::MAILBOX_OVERFLOW_STOP + 1000,
                "each watch is told once"
            );
            let mut context = Context::from_waker(Waker::noop());
            let mut room = pin!(near.room());
            assert!(room.as_mut().poll(&mut context).is_pending());
            let (mut calls, mut moved) = (0, Vec::new());
            while calls < sent || moved.len() < 1000 {
                let mut messages = Vec::new();
                far.take(&mut messages, usize::MAX);
                assert!(!messages.is_empty());
                for (_, message) in messages {
                    match message {
                        Message::Errand(_) => calls += 1,
                        Message::Moved { watch } => moved.push(watch),
                        _ => panic!("something else was sent"),
                    }
                }
                near.take(&mut Vec::new(), usize::MAX);
            }
            assert!(room.as_mut().poll(&mut context).is_ready());
            moved.sort_unstable();
            assert_eq!(moved, (0..1000).collect::<Vec<_>>());
            assert_eq!(near.overflowing.get(), 0);
        });
    }
}
