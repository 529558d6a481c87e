//! What this core tells the admin page.
//!
//! Owns: nothing. Lives on: every core, on request. Never: keeps a turn of the loop longer than the
//! budget of background work; so the numbers of one snapshot are not all of one moment.

use super::{Shard, coordinators::groups, health, relief};
use crate::{
    pace::TurnBudget,
    stats::{CoreMetric, PartitionSnapshot, RequestSnapshot, ShardSnapshot, TopicTraffic},
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
    ShardSnapshot {
        core: shard.index,
        cpu: shard.cpu,
        backend: match shard.ring.backend() {
            BackendKind::IoUring => "io_uring",
            BackendKind::Epoll => "epoll",
            BackendKind::Simulated => "simulated",
        },
        health: health::take(shard).await,
        metrics: metrics(shard),
        memory: relief::accounts(shard)
            .into_iter()
            .map(|(of, used, limit)| (of, used as u64, limit as u64))
            .collect(),
        requests: requests
            .map(|(api, counters)| RequestSnapshot { api, latency: counters.time.borrow().clone() })
            .collect(),
        traffic: traffic.into_values().collect(),
        partitions,
        errors: shard.counters.errors(),
        loop_stalls: shard.ring.stalls(),
        groups,
        flushes: shard.data.commit.flush_time.borrow().clone(),
    }
}

/// The numbers of this core that need no label but its own. One more takes a line here and a row in
/// `docs/metrics.md`.
fn metrics(shard: &Shard) -> Vec<CoreMetric> {
    let (counter, gauge) = (CoreMetric::counter, CoreMetric::gauge);
    let (turns, memory) = (shard.ring.turns(), &shard.clients.memory);
    let (connections, files) = (shard.clients.connected.open(), shard.ring.open_files());
    let (throttled, throttle_time) = shard.quotas.throttled();
    let mut all = vec![
        gauge("millstream_connections", "Open connections", connections as f64),
        gauge("millstream_log_files", "Descriptors that files of logs hold", files as f64),
        gauge(
            "millstream_log_files_max",
            "How many of them the core should have: above, idle ones are closed",
            shard.files.logs_per_core as f64,
        ),
        gauge(
            "millstream_memory_waiting_connections",
            "Connections that wait for memory to receive into",
            memory.waiting() as f64,
        ),
        counter(
            "millstream_memory_ended_connections",
            "Connections ended while others waited for their memory",
            memory.ended() as f64,
        ),
        counter("millstream_loop_turns", "Turns of the event loop", turns.turns as f64),
        gauge(
            "millstream_loop_longest_turn_seconds",
            "The longest turn of the event loop since the start",
            turns.longest.as_secs_f64(),
        ),
        counter(
            "millstream_loop_busy_seconds",
            "Time in which the event loop did not wait; its rate is how busy the core is",
            turns.busy.as_secs_f64(),
        ),
        counter(
            "millstream_mailbox_messages",
            "Messages sent to other cores",
            shard.mailbox.messages_sent() as f64,
        ),
        counter(
            "millstream_mailbox_wake_ups",
            "Messages sent to other cores that were asleep",
            shard.mailbox.wake_ups() as f64,
        ),
        gauge(
            "millstream_quota_accounts",
            "Accounts of clients that have a quota",
            shard.quotas.kept() as f64,
        ),
        counter(
            "millstream_quota_throttled_requests",
            "Requests whose client had to wait because it was over its quota",
            throttled as f64,
        ),
        counter(
            "millstream_quota_throttle_seconds",
            "How long these clients had to wait together",
            throttle_time.as_secs_f64(),
        ),
        counter(
            "millstream_quota_refused_connections",
            "Connections closed because their address opened more than its quota",
            shard.quotas.refused_connections.get() as f64,
        ),
    ];
    all.extend(of_cleaner(shard));
    all
}

fn of_cleaner(shard: &Shard) -> [CoreMetric; 5] {
    let (counter, gauge) = (CoreMetric::counter, CoreMetric::gauge);
    let cleaner = &shard.data.cleaner;
    [
        gauge(
            "millstream_cleaner_uncleanable_partitions",
            "Compacted partitions that are not cleaned until the next start",
            cleaner.uncleanable() as f64,
        ),
        gauge(
            "millstream_cleaner_max_dirty_ratio",
            "The dirty share of the dirtiest compacted partition",
            cleaner.dirtiest.get(),
        ),
        counter("millstream_cleaner_passes", "Passes over a log", cleaner.passes.get() as f64),
        counter(
            "millstream_cleaner_read_bytes",
            "Bytes that passes have read",
            cleaner.read_bytes.get() as f64,
        ),
        counter(
            "millstream_cleaner_written_bytes",
            "Bytes that passes have written",
            cleaner.written_bytes.get() as f64,
        ),
    ]
}
