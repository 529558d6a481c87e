//! The configs of one topic, typed: what its partitions' logs, leaders and producers' requests go
//! by. A topic's own values lie over the broker's; a change of either makes a new `TopicConfig`.

use super::definitions::{self, Value};
use super::layers::{Layers, Values};
use super::settings::{FromValue, Reader, settings};

settings! {
    /// All topic configs that Millstream acts on, under Kafka's names.
    pub struct TopicConfig {
        cleanup_policy: CleanupPolicy = "cleanup.policy",
        compression_type: String = "compression.type",
        compression_gzip_level: i32 = "compression.gzip.level",
        compression_lz4_level: i32 = "compression.lz4.level",
        compression_zstd_level: i32 = "compression.zstd.level",
        delete_retention_ms: i64 = "delete.retention.ms",
        durability: Durability = "durability",
        file_delete_delay_ms: i64 = "file.delete.delay.ms",
        flush_messages: i64 = "flush.messages",
        flush_ms: i64 = "flush.ms",
        index_interval_bytes: i32 = "index.interval.bytes",
        /// For tests: replaces `segment.bytes`, and may be smaller than that one's minimum.
        internal_segment_bytes: Option<i32> = "internal.segment.bytes",
        max_compaction_lag_ms: i64 = "max.compaction.lag.ms",
        /// Of a single record of a compressed batch.
        max_decompressed_message_bytes: i32 = "max.decompressed.message.bytes",
        max_message_bytes: i32 = "max.message.bytes",
        message_timestamp_after_max_ms: i64 = "message.timestamp.after.max.ms",
        message_timestamp_before_max_ms: i64 = "message.timestamp.before.max.ms",
        message_timestamp_type: TimestampType = "message.timestamp.type",
        min_cleanable_dirty_ratio: f64 = "min.cleanable.dirty.ratio",
        min_compaction_lag_ms: i64 = "min.compaction.lag.ms",
        min_insync_replicas: i32 = "min.insync.replicas",
        preallocate: bool = "preallocate",
        /// Negative: no limit.
        retention_bytes: i64 = "retention.bytes",
        /// -1: forever.
        retention_ms: i64 = "retention.ms",
        segment_bytes: i32 = "segment.bytes",
        segment_index_bytes: i32 = "segment.index.bytes",
        segment_jitter_ms: i64 = "segment.jitter.ms",
        segment_ms: i64 = "segment.ms",
        unclean_leader_election_enable: bool = "unclean.leader.election.enable",
    }
}

/// Both may be off: then the topic keeps everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CleanupPolicy {
    pub compact: bool,
    pub delete: bool,
}

/// What an acknowledged record has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    Fsync,
    Os,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampType {
    CreateTime,
    LogAppendTime,
}

impl TopicConfig {
    /// The configs of a topic that has set `overrides`. A value that is unknown or not allowed
    /// counts as not set: the metadata log may hold values of another release.
    pub fn effective(overrides: &Values, layers: &Layers) -> TopicConfig {
        let mut values = Values::new();
        for (name, default) in layers.topic_defaults() {
            let definition = definitions::find(definitions::topic(), name)
                .expect("defaults are of topic configs");
            let own = overrides.get(name).filter(|value| definition.validate(value).is_ok());
            if let Some(value) = own.cloned().or(default) {
                values.insert(name.to_owned(), value);
            }
        }
        TopicConfig::read(&mut Reader::new(definitions::topic(), &values))
    }

    /// The size at which a new segment is begun.
    pub fn segment_size_bytes(&self) -> i32 {
        self.internal_segment_bytes.unwrap_or(self.segment_bytes)
    }
}

impl FromValue for CleanupPolicy {
    fn from_value(value: Option<Value>) -> Option<CleanupPolicy> {
        let policies = Vec::<String>::from_value(value)?;
        let has = |policy: &str| policies.iter().any(|one| one == policy);
        Some(CleanupPolicy { compact: has("compact"), delete: has("delete") })
    }
}

impl FromValue for Durability {
    fn from_value(value: Option<Value>) -> Option<Durability> {
        match String::from_value(value)?.as_str() {
            "fsync" => Some(Durability::Fsync),
            "os" => Some(Durability::Os),
            _ => None,
        }
    }
}

impl FromValue for TimestampType {
    fn from_value(value: Option<Value>) -> Option<TimestampType> {
        match String::from_value(value)?.as_str() {
            "CreateTime" => Some(TimestampType::CreateTime),
            "LogAppendTime" => Some(TimestampType::LogAppendTime),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topics_own_values_lie_over_the_brokers() {
        let value = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let layers = Layers {
            static_values: Values::from([
                value("log.retention.hours", "1"),
                value("log.segment.bytes", "2000000"),
            ]),
            ..Layers::default()
        };
        let plain = TopicConfig::effective(&Values::new(), &layers);
        assert_eq!((plain.retention_ms, plain.segment_size_bytes()), (3_600_000, 2_000_000));
        assert_eq!(plain.cleanup_policy, CleanupPolicy { compact: false, delete: true });
        assert_eq!((plain.durability, plain.max_message_bytes), (Durability::Fsync, 1_048_588));

        let overrides = Values::from([
            value("cleanup.policy", "compact, delete"),
            value("retention.ms", "-1"),
            value("durability", "os"),
            value("internal.segment.bytes", "100"),
            value("message.timestamp.type", "LogAppendTime"),
        ]);
        let own = TopicConfig::effective(&overrides, &layers);
        assert_eq!(own.cleanup_policy, CleanupPolicy { compact: true, delete: true });
        assert_eq!(
            (own.retention_ms, own.segment_size_bytes(), own.durability),
            (-1, 100, Durability::Os)
        );
        assert_eq!(own.message_timestamp_type, TimestampType::LogAppendTime);

        let strange = Values::from([value("retention.ms", "soon"), value("no.such.config", "1")]);
        assert_eq!(TopicConfig::effective(&strange, &layers), plain);
    }
}
