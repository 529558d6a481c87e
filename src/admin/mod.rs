//! The admin HTTP service: `/metrics` for Prometheus, `/health` and `/ready` for the supervisor of
//! the process.
//!
//! Lives on the control thread (tokio, current_thread), never on a shard. It asks the shards for a
//! `Snapshot` through `Source::collect` and owns nothing of theirs; it changes nothing. Names of
//! metrics are in `docs/metrics.md`.

mod client_metrics;
mod health;
pub mod machine;
mod metrics;
mod otlp;
mod server;
mod system;

pub use client_metrics::ClientMetrics;
pub use server::{AdminError, Bound, bind, serve};

use crate::stats::{HealthSnapshot, Snapshot};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// An answer of all shards that is on its way.
pub type Asked<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Where the numbers come from.
pub struct Source {
    /// Asks all shards and waits for their answers. Called once at a time.
    pub collect: Box<dyn Fn() -> Asked<Snapshot> + Send + Sync>,
    /// The same for what is not served, one answer for each shard.
    pub health: Box<dyn Fn() -> Asked<Vec<HealthSnapshot>> + Send + Sync>,
    /// True from when clients are served until shutdown begins: what `/ready` says.
    pub ready: Arc<AtomicBool>,
    /// What clients have pushed.
    pub client_metrics: Arc<ClientMetrics>,
    /// Whose disks' free space is shown.
    pub log_dirs: Vec<PathBuf>,
}

#[cfg(test)]
mod tests;
