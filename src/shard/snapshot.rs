//! What this core tells the admin page.
//!
//! Owns: nothing. Lives on: every core, on request. Never: waits.

use super::{Shard, groups, relief};
use crate::admin::{PartitionSnapshot, RequestSnapshot, ShardSnapshot, TopicTraffic};
use ring::BackendKind;
use rustc_hash::FxHashMap;

pub fn take(shard: &Shard) -> ShardSnapshot {
    let mut traffic: FxHashMap<String, TopicTraffic> = FxHashMap::default();
    let mut partitions = Vec::new();
    for partition in shard.partitions.borrow().values() {
        let topic = partition.topic.to_string();
        let counters = &partition.counters;
        let of_topic =
            traffic.entry(topic.clone()).or_insert_with(|| TopicTraffic { topic: topic.clone(), ..Default::default() });
        of_topic.produce_bytes += counters.produce_bytes.get();
        of_topic.produce_records += counters.produce_records.get();
        of_topic.fetch_bytes += counters.fetch_bytes.get();
        partitions.push(PartitionSnapshot {
            topic,
            partition: partition.id.index,
            log_start_offset: partition.log.log_start_offset(),
            log_end_offset: partition.log.log_end_offset(),
            high_watermark: partition.log.high_watermark(),
            size_bytes: partition.log.size_bytes(),
            segments: partition.log.segment_infos().len() as u64,
        });
    }
    let requests = shard.counters.used();
    let turns = shard.ring.turns();
    ShardSnapshot {
        core: shard.index,
        cpu: shard.cpu,
        backend: match shard.ring.backend() {
            BackendKind::IoUring => "io_uring",
            BackendKind::Epoll => "epoll",
            BackendKind::Simulated => "simulated",
        },
        connections: shard.connections.open() as u64,
        memory: relief::accounts(shard).into_iter().map(|(of, used, limit)| (of, used as u64, limit as u64)).collect(),
        memory_waiting: shard.memory.waiting() as u64,
        memory_ended: shard.memory.ended(),
        requests: requests
            .map(|(api, counters)| RequestSnapshot { api, latency: counters.time.borrow().clone() })
            .collect(),
        traffic: traffic.into_values().collect(),
        mailbox_messages: shard.mailbox.messages_sent(),
        partitions,
        errors: shard.counters.errors(),
        loop_turns: turns.turns,
        loop_stalls: shard.ring.stalls(),
        loop_longest_turn_ns: turns.longest.as_nanos() as u64,
        loop_busy_ns: turns.busy.as_nanos() as u64,
        groups: groups::summaries(shard),
        flushes: shard.commit.flush_time.borrow().clone(),
    }
}
