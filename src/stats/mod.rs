//! What the parts of a broker count, as the admin page shows it: histograms, and the snapshots that
//! each core gives.
//!
//! Owns: the types. Lives on: the core that counts; a snapshot is copied out and sent to the
//! control thread. Never: asks for a number itself, or knows how it is printed (`admin` does).

mod client_push;
mod histogram;
mod snapshot;

pub use client_push::ClientPush;
pub use histogram::Histogram;
pub use snapshot::{
    CoreMetric, GroupOffsetSnapshot, GroupSnapshot, HealthSnapshot, MetricKind, PartitionSnapshot,
    RequestSnapshot, ShardSnapshot, Snapshot, TopicTraffic,
};
