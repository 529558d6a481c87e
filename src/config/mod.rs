//! Configs: which exist (Apache Kafka's, and a few of our own), how they are loaded at start, how
//! dynamic ones lie over static ones, and how DescribeConfigs and IncrementalAlterConfigs see them.
//!
//! Everything here is pure except `load::load`, which reads one file before any core is started.
//! The result is immutable and reaches the shards as a view; a change makes a new one. Nothing here
//! ever waits or does I/O on a shard.

pub mod alter;
pub mod broker;
pub mod changes;
mod conflicts;
pub mod definitions;
pub mod describe;
pub mod effects;
pub mod environment;
#[path = "gen/mod.rs"]
#[rustfmt::skip] // one line per field reads better than wrapped documentation
pub mod generated;
pub mod layers;
pub mod listeners;
pub mod load;
pub mod loggers;
pub mod own;
pub mod properties;
pub mod runtime;
pub mod settings;
pub mod topic;
mod valid;

pub use broker::BrokerConfig;
pub use layers::Layers;
pub use load::{ConfigError, Loaded, load};
pub use runtime::RuntimeConfig;
pub use topic::LogConfig;
