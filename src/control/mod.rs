//! What the control thread does for the cores: their jobs. One that waits has a task of its own.
//!
//! Owns: the control thread's end of the jobs, and the levels of log lines. Lives on: the control
//! thread (tokio); what blocks runs on at most [`limits::CONTROL_THREADS_MAX`] threads of its
//! runtime. Never: sends a core what it has not asked for, or keeps one waiting that rings: see
//! `shard/jobs.rs`.

mod loggers;
mod stand_in;
#[cfg(test)]
mod tests;

pub use loggers::Loggers;
pub use stand_in::StandIn;

use crate::{
    limits,
    shard::{
        jobs::{Job, JobAnswer},
        mailbox::JobsEnd,
    },
};
use ring::ThreadBell;
use std::{io, net::SocketAddr, os::fd::OwnedFd};
use tokio::net::unix::pipe;

/// Takes jobs as they come, for as long as the control thread runs. The cores ring `bell`, and
/// `rings` is the pipe that shows it.
pub async fn serve(
    bell: ThreadBell,
    rings: OwnedFd,
    mut jobs: JobsEnd,
    loggers: Loggers,
) -> io::Result<()> {
    let rings = pipe::Receiver::from_owned_fd(rings)?;
    loop {
        // Before the look: what comes after it rings again.
        bell.arm();
        while let Some((job, ticket)) = jobs.take() {
            // Their number is bounded by what the cores may have under way.
            match job {
                Job::Resolve { host_port } => {
                    tokio::spawn(async move {
                        ticket.answer(JobAnswer::Resolved(resolve(&host_port).await));
                    });
                }
                Job::LogLevels => ticket.answer(JobAnswer::LogLevels(Ok(loggers.levels()))),
                Job::SetLogLevels { changes } => {
                    ticket.answer(JobAnswer::LogLevels(loggers.change(&changes)));
                }
            }
        }
        rings.readable().await?;
        match rings.try_read(&mut [0; 16]) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
    }
}

/// In the order of the system's resolver, which has the best first.
async fn resolve(host_port: &str) -> io::Result<Vec<SocketAddr>> {
    let found = tokio::net::lookup_host(host_port).await?;
    Ok(found.take(limits::RESOLVED_ADDRESSES_MAX).collect())
}
