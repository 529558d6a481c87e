//! What a core has the control thread do: what waits for a library, a name server or a slow
//! computation, and what no core may wait for.
//!
//! Owns: the jobs of this core that are not answered, and their callers. Lives on: every core, one
//! each; the control thread's end is `crate::control`. Never: waits but as a future of its core,
//! takes a lock, or has more than [`limits::CONTROL_JOBS_MAX`] jobs under way: one more is refused.
//!
//! A job is data, not a closure as an errand between cores is: the control thread carries it out
//! with what it has (tokio, threads that may block), the simulated world with something else, and
//! neither of them stands below a shard. [`Job`] and [`JobAnswer`] are closed lists, so that the
//! compiler names each place where a new job has to be carried out.
//!
//! The way there is a queue of this core's own (`mailbox.rs`), and a byte into a pipe where the
//! control thread has looked since the last one (`ring::ThreadBell`). What tokio has to wake a
//! task from another thread (`Notify`, `mpsc`) takes a lock of the channel, and one of the run
//! queue; the control thread may be off its processor while it holds them, and a core would wait.
//! The way back is a queue with a place for each job under way, and the doorbell of this core.

use super::{
    Shard,
    mailbox::{JobDone, JobQueue, PostedJob},
};
use crate::{
    config::loggers::{LevelChange, Levels},
    limits,
    stats::ClientPush,
};
use client::{Resolver, Resolving};
use ring::{Doorbell, sync::oneshot};
use rustc_hash::FxHashMap;
use std::{
    cell::{Cell, RefCell},
    io,
    net::SocketAddr,
    rc::Rc,
};

/// Something to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Job {
    /// Find the addresses behind HOST:PORT.
    Resolve { host_port: String },
    /// Tell the levels of log lines.
    LogLevels,
    /// Change them, and tell them.
    SetLogLevels { changes: Vec<LevelChange> },
    /// Show on the admin page what a client has pushed of its metrics.
    ShowMetrics(Box<ClientPush>),
}

/// What has come of it.
#[derive(Debug)]
pub enum JobAnswer {
    Resolved(io::Result<Vec<SocketAddr>>),
    LogLevels(Result<Levels, String>),
    /// Err: why it cannot be read.
    Shown(Result<(), String>),
}

/// Why a job was not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobRefused {
    #[error("{max} jobs of this core wait for the control thread already")]
    Full { max: usize },
    #[error("the broker stops")]
    Stopping,
    #[error("there is no control thread")]
    NoControlThread,
}

/// One core's jobs.
pub struct Jobs {
    /// The way to the control thread and what wakes it. `None`: there is none.
    control: Option<(RefCell<JobQueue>, Doorbell)>,
    /// Wakes this core.
    own: Doorbell,
    awaited: RefCell<FxHashMap<u64, oneshot::Sender<JobAnswer>>>,
    next_number: Cell<u64>,
    /// Jobs that were sent and are not answered, whether or not their callers still wait.
    under_way: Cell<usize>,
    is_stopping: Cell<bool>,
}

impl Jobs {
    pub fn new(control: Option<(JobQueue, Doorbell)>, own: Doorbell) -> Jobs {
        Jobs {
            control: control.map(|(queue, bell)| (RefCell::new(queue), bell)),
            own,
            awaited: RefCell::default(),
            next_number: Cell::new(0),
            under_way: Cell::new(0),
            is_stopping: Cell::new(false),
        }
    }

    pub fn under_way(&self) -> usize {
        self.under_way.get()
    }

    /// Sends a job. The future is its answer: `None` when the broker stops before it comes.
    pub fn ask(&self, job: Job) -> Result<oneshot::Receiver<JobAnswer>, JobRefused> {
        let (queue, bell) = self.control.as_ref().ok_or(JobRefused::NoControlThread)?;
        if self.is_stopping.get() {
            return Err(JobRefused::Stopping);
        }
        let (under_way, max) = (self.under_way.get(), limits::CONTROL_JOBS_MAX);
        assert!(under_way <= max, "{under_way} jobs under way, at most {max} may be");
        if under_way == max {
            return Err(JobRefused::Full { max });
        }
        let number = self.next_number.get();
        self.next_number.set(number + 1);
        let (giver, taker) = oneshot::channel();
        let before = self.awaited.borrow_mut().insert(number, giver);
        assert!(before.is_none(), "job {number} is sent once");
        self.under_way.set(under_way + 1);
        let awaited = self.awaited.borrow().len();
        assert!(awaited <= under_way + 1, "{awaited} jobs are awaited, {under_way} and this sent");
        queue.borrow_mut().push(PostedJob { number, job, bell: self.own.clone() });
        bell.ring();
        Ok(taker)
    }

    /// The control thread is done with a job.
    pub fn done(&self, done: JobDone) {
        let JobDone { number, answer } = done;
        let (under_way, sent) = (self.under_way.get(), self.next_number.get());
        assert!(under_way > 0, "job {number} is done, and none is under way");
        assert!(number < sent, "job {number} is done, and {sent} were sent");
        self.under_way.set(under_way - 1);
        // After a stop its caller is told already. Without an answer the caller hears of that when
        // the sender goes.
        let caller = self.awaited.borrow_mut().remove(&number);
        assert!(caller.is_some() || self.is_stopping.get(), "job {number} is done once");
        if let (Some(caller), Some(answer)) = (caller, answer) {
            caller.send(answer);
        }
    }

    /// The broker stops: callers that wait get no answer, and no more jobs are taken.
    pub fn stop(&self) {
        self.is_stopping.set(true);
        drop(self.awaited.take());
    }

    async fn resolve(&self, host_port: String) -> io::Result<Vec<SocketAddr>> {
        let answer = self.ask(Job::Resolve { host_port }).map_err(io::Error::other)?;
        match answer.await {
            Some(JobAnswer::Resolved(found)) => found,
            Some(other) => panic!("addresses were asked for, and not {other:?}"),
            None => Err(io::Error::other(JobRefused::Stopping)),
        }
    }

    /// Names for connections of this core to other nodes, looked up by the control thread.
    pub fn resolver(self: &Rc<Self>) -> Resolver {
        let jobs = self.clone();
        Resolver::new(move |host_port| -> Resolving {
            let (jobs, host_port) = (jobs.clone(), host_port.to_owned());
            Box::pin(async move { jobs.resolve(host_port).await })
        })
    }
}

impl Shard {
    /// Finds the addresses of other nodes for `client::Node`.
    pub fn resolver(&self) -> Resolver {
        self.mailbox.jobs.resolver()
    }
}
