//! The control thread of the simulated world: a core of its own that answers jobs as it was told
//! to, in virtual time.
//!
//! Owns: the names that there are, and levels of log lines that filter nothing. Lives on: one
//! simulated core. Never: asks the system.

use crate::{
    config::loggers::Levels,
    shard::{
        jobs::{Job, JobAnswer},
        mailbox::JobsEnd,
    },
};
use ring::Ring;
use std::{cell::RefCell, collections::BTreeMap, io, net::SocketAddr, rc::Rc, time::Duration};

pub struct StandIn {
    /// By HOST:PORT.
    pub names: BTreeMap<String, Vec<SocketAddr>>,
    /// How long each job takes.
    pub delay: Duration,
    levels: RefCell<Levels>,
}

impl StandIn {
    pub fn new(names: BTreeMap<String, Vec<SocketAddr>>, delay: Duration) -> StandIn {
        StandIn { names, delay, levels: RefCell::new(Levels::from_directives("info")) }
    }

    /// Answers the jobs that come to this core from now on; its doorbell is what the others ring.
    pub fn serve(self, ring: &Ring, mut jobs: JobsEnd) {
        let (this, of_inbox) = (Rc::new(self), ring.clone());
        ring.set_inbox(Box::new(move || {
            let mut any = false;
            while let Some((job, ticket)) = jobs.take() {
                any = true;
                let (this, ring) = (this.clone(), of_inbox.clone());
                drop(of_inbox.spawn_named("job", async move {
                    ring.sleep(this.delay).await;
                    ticket.answer(this.perform(&job));
                }));
            }
            any
        }));
    }

    fn perform(&self, job: &Job) -> JobAnswer {
        match job {
            Job::Resolve { host_port } => {
                let found = self.names.get(host_port).cloned();
                JobAnswer::Resolved(found.ok_or_else(|| io::ErrorKind::NotFound.into()))
            }
            Job::LogLevels => JobAnswer::LogLevels(Ok(self.levels.borrow().clone())),
            Job::SetLogLevels { changes } => {
                self.levels.borrow_mut().change(changes);
                JobAnswer::LogLevels(Ok(self.levels.borrow().clone()))
            }
            // There is no page to show them on.
            Job::ShowMetrics(_) => JobAnswer::Shown(Ok(())),
        }
    }
}
