//! The admin HTTP service: `/metrics` for Prometheus, `/health` and `/ready` for whoever supervises the process.
//!
//! Lives on the control thread (tokio, current_thread), never on a shard. It asks the shards for a `Snapshot` through
//! `Source::collect` and owns nothing of theirs; it changes nothing. Names of metrics are in `docs/metrics.md`.

mod histogram;
pub mod machine;
mod metrics;
mod server;
mod snapshot;
mod system;

pub use histogram::Histogram;
pub use server::{AdminError, Bound, bind, serve};
pub use snapshot::{
    GroupOffsetSnapshot, GroupSnapshot, PartitionSnapshot, RequestSnapshot, ShardSnapshot, Snapshot, TopicTraffic,
};

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Where the numbers come from.
pub struct Source {
    /// Asks all shards and waits for their answers. Called once at a time.
    pub collect: Box<dyn Fn() -> Pin<Box<dyn Future<Output = Snapshot> + Send>> + Send + Sync>,
    /// True from when clients are served until shutdown begins: what `/ready` says.
    pub ready: Arc<AtomicBool>,
    /// Whose disks' free space is shown.
    pub log_dirs: Vec<PathBuf>,
}

#[cfg(test)]
mod tests;
