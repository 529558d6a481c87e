//! What a shard tells about itself: plain owned numbers, copied out on its core when asked. Counters count from the
//! process's start and never go down.

use protocol::api::ApiKey;
use protocol::error::ErrorCode;

use super::Histogram;

/// All shards' answers at about the same time.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    pub shards: Vec<ShardSnapshot>,
}

#[derive(Debug, Clone, Default)]
pub struct ShardSnapshot {
    /// The shard's number, from 0.
    pub core: usize,
    /// The processor it is pinned to.
    pub cpu: usize,
    /// "io_uring" or "epoll".
    pub backend: &'static str,
    /// Open now.
    pub connections: u64,
    /// Descriptors of files of logs.
    pub log_files: u64,
    /// How many of them it should have at most.
    pub log_files_max: u64,
    /// What memory is held for, how many bytes, and how many there are for it.
    pub memory: Vec<(&'static str, u64, u64)>,
    /// Connections that wait for memory to receive into.
    pub memory_waiting: u64,
    /// Connections that were ended because others waited for what they held.
    pub memory_ended: u64,
    pub requests: Vec<RequestSnapshot>,
    /// How many partitions or requests were answered with each error.
    pub errors: Vec<(ErrorCode, u64)>,
    pub traffic: Vec<TopicTraffic>,
    /// Turns of the event loop.
    pub loop_turns: u64,
    /// Turns of more than 5 ms, by what took the time.
    pub loop_stalls: Vec<ring::Stalls>,
    pub loop_longest_turn_ns: u64,
    /// Time not spent waiting for events.
    pub loop_busy_ns: u64,
    /// Messages sent to other cores.
    pub mailbox_messages: u64,
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
