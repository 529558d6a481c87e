//! Cluster metadata as Kafka keeps it: KRaft records in `__cluster_metadata-0`, replayed into an
//! image (KIP-500, KIP-631).
//!
//! [`controller`] turns requests into records, [`replay`] records into an [`image::MetadataImage`],
//! [`answers`] images into answers: all three pure. [`metalog`] and [`snapshot_file`] are the bytes
//! on disk, [`node`] the one part that does I/O: it lives on the core that leads
//! `__cluster_metadata-0`, and shows each new image to the cores. A quorum of one today; nothing
//! takes effect but through the log, so that a quorum of several replaces one part of [`node`]
//! alone.
//!
//! NoOp records every `metadata.max.idle.interval.ms` are not written: they keep the high watermark
//! of an idle cluster moving for observers that measure their lag by it (KIP-835), and a quorum of
//! one has no observers.

pub mod answers;
pub mod bootstrap;
pub mod changes;
pub mod client_metrics;
#[cfg(test)]
mod client_quota_tests;
pub mod controller;
pub mod features;
#[cfg(test)]
mod golden_tests;
pub mod image;
pub mod metalog;
pub mod node;
pub mod quorum_state;
pub mod replay;
pub mod snapshot;
pub mod snapshot_file;
#[cfg(test)]
pub mod testing;
pub mod topic;
pub mod topic_name;

pub use changes::Changes;
pub use controller::{ApiError, ControllerRequest, ControllerResponse};
pub use image::{MetadataImage, Topics};
pub use topic::{PartitionRegistration, Topic};
pub use topic_name::CLUSTER_METADATA as METADATA_TOPIC;
