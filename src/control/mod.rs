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
    stats::ClientPush,
};
use ring::ThreadBell;
use std::{io, net::SocketAddr, os::fd::OwnedFd, sync::Arc};
use tokio::net::unix::pipe;

/// Where pushed metrics go; it may take long. Err: why they cannot be read.
pub type Show = Arc<dyn Fn(ClientPush) -> Result<(), String> + Send + Sync>;

/// Takes jobs as they come, for as long as the control thread runs. The cores ring `bell`, and
/// `rings` is the pipe that shows it.
pub async fn serve(
    bell: ThreadBell,
    rings: OwnedFd,
    mut jobs: JobsEnd,
    loggers: Loggers,
    show: Show,
) -> io::Result<()> {
    let rings = pipe::Receiver::from_owned_fd(rings)?;
    loop {
        // Before the look: what comes after it rings again.
        bell.arm();
        while let Some((job, ticket)) = jobs.take() {
            // Their number is bounded by what the cores may have under way.
            match job {
                Job::LogLevels => ticket.answer(JobAnswer::LogLevels(Ok(loggers.levels()))),
                Job::SetLogLevels { changes } => {
                    ticket.answer(JobAnswer::LogLevels(loggers.change(&changes)));
                }
                job => {
                    let show = show.clone();
                    tokio::spawn(async move { ticket.answer(perform(job, show).await) });
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

async fn perform(job: Job, show: Show) -> JobAnswer {
    match job {
        Job::Resolve { host_port } => JobAnswer::Resolved(resolve(&host_port).await),
        Job::ShowMetrics(push) => {
            // Unpacking one takes milliseconds, which signals and the admin page need not wait for.
            let shown = tokio::task::spawn_blocking(move || show(*push)).await;
            JobAnswer::Shown(shown.unwrap_or_else(|error| Err(error.to_string())))
        }
        Job::LogLevels | Job::SetLogLevels { .. } => unreachable!("{job:?} is done at once"),
    }
}

/// In the order of the system's resolver, which has the best first.
async fn resolve(host_port: &str) -> io::Result<Vec<SocketAddr>> {
    let found = tokio::net::lookup_host(host_port).await?;
    Ok(found.take(limits::RESOLVED_ADDRESSES_MAX).collect())
}
