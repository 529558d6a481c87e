//! What this core tells the admin page.
//!
//! Owns: nothing. Lives on: every core, on request. Never: keeps a turn of the loop longer than the
//! budget of background work; so the numbers of one snapshot are not all of one moment.

use super::{Shard, coordinators::groups, health, relief};
use crate::{
    pace::TurnBudget,
    stats::{PartitionSnapshot, RequestSnapshot, ShardSnapshot, TopicTraffic},
};
use ring::BackendKind;
use rustc_hash::FxHashMap;
use std::rc::Rc;

pub async fn take(shard: &Shard) -> ShardSnapshot {
    let mut traffic: FxHashMap<Rc<str>, TopicTraffic> = FxHashMap::default();
    let mut partitions = Vec::new();
    let mut budget = TurnBudget::new(&shard.ring);
    let all: Vec<_> = shard.data.all();
    for partition in all {
        let topic = partition.topic.to_string();
        let counters = &partition.counters;
        let of_topic = traffic
            .entry(partition.topic.clone())
            .or_insert_with(|| TopicTraffic { topic: topic.clone(), ..Default::default() });
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
            segments: partition.log.segment_count() as u64,
        });
        budget.item_done().await;
    }
    let groups = groups::summaries(shard, &mut budget).await;
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
        health: health::take(shard).await,
        connections: shard.clients.connected.open() as u64,
        log_files: shard.ring.open_files() as u64,
        log_files_max: shard.files.logs_per_core as u64,
        memory: relief::accounts(shard)
            .into_iter()
            .map(|(of, used, limit)| (of, used as u64, limit as u64))
            .collect(),
        memory_waiting: shard.clients.memory.waiting() as u64,
        memory_ended: shard.clients.memory.ended(),
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
        groups,
        flushes: shard.data.commit.flush_time.borrow().clone(),
    }
}
