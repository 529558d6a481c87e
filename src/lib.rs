//! Millstream: a message broker that speaks Apache Kafka's wire protocol, one thread per core.
//!
//! A produce request walks `net` → `protocol` → `shard` → `log` → `ring`, top to bottom. `coord`
//! and `meta` decide about groups and about the cluster's metadata; `config` and `admin` serve the
//! operator; `boot` puts it all together.

pub mod admin;
pub mod boot;
pub mod check;
pub mod cli;
pub mod config;
pub mod control;
pub mod coord;
pub mod descriptors;
pub mod limits;
pub mod log;
pub mod memory;
pub mod meta;
pub mod net;
pub mod pace;
pub mod quota;
pub mod request;
pub mod shard;
pub mod stats;
pub mod storage;
