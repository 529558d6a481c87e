//! What a shard tells about itself: plain owned numbers, copied out on its core when asked.
//! Counters count from the process's start and never go down.

use protocol::api::ApiKey;
use protocol::error::ErrorCode;
use std::path::PathBuf;

use super::Histogram;

/// All shards' answers at about the same time.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    pub shards: Vec<ShardSnapshot>,
}

/// What of a core's is not served as it should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthSnapshot {
    pub core: usize,
    /// Partitions that could not be opened, and are looked at again at the next start.
    pub offline_until_start: u64,
    /// Partitions that lack something which may come.
    pub offline_for_now: u64,
    /// Partitions whose log has failed.
    pub failed: u64,
    /// Partitions that are read, and whose log takes no records for now.
    pub refusing: u64,
    /// Partitions of `__consumer_offsets` whose groups are not served: their coordinators cannot
    /// believe their logs.
    pub coordinators_damaged: u64,
    /// Why the metadata log takes no records, where this core has it and it does not.
    pub metadata_refuses: Option<String>,
    /// Log directories that cannot be used, and why, where this core knows of them.
    pub offline_dirs: Vec<(PathBuf, String)>,
}

impl HealthSnapshot {
    /// Partitions that are not served.
    pub fn offline(&self) -> u64 {
        self.offline_until_start + self.offline_for_now + self.failed
    }
}

/// One number of a core, as `/metrics` shows it: its name, its meaning, and how much it is.
#[derive(Debug, Clone)]
pub struct CoreMetric {
    /// Without `_total`, which the text has behind the name of a counter.
    pub name: &'static str,
    pub help: &'static str,
    pub kind: MetricKind,
    pub value: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Only rises.
    Counter,
    Gauge,
}

impl CoreMetric {
    pub fn counter(name: &'static str, help: &'static str, value: f64) -> CoreMetric {
        CoreMetric { name, help, kind: MetricKind::Counter, value }
    }

    pub fn gauge(name: &'static str, help: &'static str, value: f64) -> CoreMetric {
        CoreMetric { name, help, kind: MetricKind::Gauge, value }
    }
}

#[derive(Debug, Clone, Default)]
pub struct ShardSnapshot {
    /// The shard's number, from 0.
    pub core: usize,
    /// The processor it is pinned to.
    pub cpu: usize,
    /// "io_uring" or "epoll".
    pub backend: &'static str,
    pub health: HealthSnapshot,
    /// The numbers that need no label but the core's.
    pub metrics: Vec<CoreMetric>,
    /// What memory is held for, how many bytes, and how many there are for it.
    pub memory: Vec<(&'static str, u64, u64)>,
    pub requests: Vec<RequestSnapshot>,
    /// How many partitions or requests were answered with each error.
    pub errors: Vec<(ErrorCode, u64)>,
    pub traffic: Vec<TopicTraffic>,
    /// Turns of more than 5 ms, by what took the time.
    pub loop_stalls: Vec<ring::Stalls>,
    pub partitions: Vec<PartitionSnapshot>,
    pub groups: Vec<GroupSnapshot>,
    /// One per flush of the commit stream or of a log.
    pub flushes: Histogram,
}

#[derive(Debug, Clone)]
pub struct RequestSnapshot {
    pub api: ApiKey,
    /// From the request's last byte in to the response's first byte out.
    pub latency: Histogram,
}

/// What clients wrote to and read from a topic through this shard.
#[derive(Debug, Clone, Default)]
pub struct TopicTraffic {
    pub topic: String,
    pub produce_bytes: u64,
    pub produce_records: u64,
    pub fetch_bytes: u64,
}

#[derive(Debug, Clone, Default)]
pub struct PartitionSnapshot {
    pub topic: String,
    pub partition: i32,
    pub log_start_offset: i64,
    pub log_end_offset: i64,
    pub high_watermark: i64,
    pub size_bytes: u64,
    pub segments: u64,
}

#[derive(Debug, Clone, Default)]
pub struct GroupSnapshot {
    pub group: String,
    /// Kafka's name: "Stable", "Empty", ...
    pub state: &'static str,
    pub members: u64,
    pub offsets: Vec<GroupOffsetSnapshot>,
}

/// The lag is reckoned by the admin service, because another shard may own the partition.
#[derive(Debug, Clone, Default)]
pub struct GroupOffsetSnapshot {
    pub topic: String,
    pub partition: i32,
    pub committed_offset: i64,
}
