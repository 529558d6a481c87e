//! The configs of one topic: Millstream's own are defined here, and all that it acts on have their
//! typed form here. A topic's own values lie over the broker's; a change of either makes a new
//! [`LogConfig`].
//!
//! Owns: nothing. Lives on: every core; each has a copy of what its topics go by. Never: acts on a
//! config.

use std::rc::Rc;

use protocol::compression::Compression;
use protocol::records::TimestampType;
use protocol::records::validate::{AppendOrigin, ValidationRules};

use super::definitions::{self, ConfigType, Definition, Importance, Synonym, Unit, Value};
use super::layers::{Layers, Values};
use super::own;
use super::settings::{FromValue, Reader, settings};

/// The topic configs that Millstream has beyond Apache Kafka's; `docs/configuration.md` has a row
/// for each. One that the code acts on has a field in [`LogConfig`], too.
pub const OWN: &[Definition] = &[Definition {
    importance: Importance::High,
    broker_synonyms: &[Synonym { name: "durability", unit: Unit::Same }],
    ..own::of_topic(
        "durability",
        ConfigType::String,
        "fsync",
        own::DURABILITY,
        "What an acknowledged record of this topic has reached. fsync: the disk. os: the \
         operating system's page cache, \
         as in Apache Kafka; a power cut may lose it on this broker.",
    )
}];

settings! {
    /// What a topic's partitions, their logs and its producers' requests go by: all topic configs
    /// that Millstream acts on, under Kafka's names. The default is that of a topic that sets
    /// nothing, on a broker that sets nothing. Immutable; a change swaps it as a whole.
    pub struct LogConfig {
        cleanup_policy: CleanupPolicy = "cleanup.policy",
        /// `None`: what the producer chose.
        compression_type: Option<Compression> = "compression.type",
        compression_gzip_level: i32 = "compression.gzip.level",
        compression_lz4_level: i32 = "compression.lz4.level",
        compression_zstd_level: i32 = "compression.zstd.level",
        delete_retention_ms: i64 = "delete.retention.ms",
        durability: Durability = "durability",
        file_delete_delay_ms: u64 = "file.delete.delay.ms",
        flush_messages: i64 = "flush.messages",
        flush_ms: i64 = "flush.ms",
        index_interval_bytes: u32 = "index.interval.bytes",
        /// For tests: has replaced `segment_bytes`, and may be smaller than that one's minimum.
        internal_segment_bytes: Option<i32> = "internal.segment.bytes",
        max_compaction_lag_ms: i64 = "max.compaction.lag.ms",
        /// Of a single record of a compressed batch.
        max_decompressed_message_bytes: u32 = "max.decompressed.message.bytes",
        max_message_bytes: u32 = "max.message.bytes",
        message_timestamp_after_max_ms: i64 = "message.timestamp.after.max.ms",
        message_timestamp_before_max_ms: i64 = "message.timestamp.before.max.ms",
        message_timestamp_type: TimestampType = "message.timestamp.type",
        min_cleanable_dirty_ratio: f64 = "min.cleanable.dirty.ratio",
        min_compaction_lag_ms: i64 = "min.compaction.lag.ms",
        /// How many replicas must have what acks=all acknowledges.
        min_insync_replicas: usize = "min.insync.replicas",
        preallocate: bool = "preallocate",
        retention_bytes: Option<u64> = "retention.bytes",
        retention_ms: Option<i64> = "retention.ms",
        segment_bytes: u32 = "segment.bytes",
        segment_index_bytes: u32 = "segment.index.bytes",
        segment_jitter_ms: i64 = "segment.jitter.ms",
        segment_ms: i64 = "segment.ms",
        unclean_leader_election_enable: bool = "unclean.leader.election.enable",
        ..
        producer_id_expiration_ms: i64 = 86_400_000,
        /// Each append is on the disk before the next one begins (the metadata log): a crash can
        /// harm the last batch only, and damage in front of a good one is never a torn write.
        synced_in_order: bool = false,
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
    /// The disk (`fdatasync` has returned).
    Fsync,
    /// The page cache: survives the process, not the machine.
    Os,
}

impl Default for LogConfig {
    fn default() -> LogConfig {
        LogConfig::effective(&Values::new(), &Layers::default())
    }
}

impl LogConfig {
    /// The configs of a topic that has set `overrides`. A value that is unknown or not allowed
    /// counts as not set: the metadata log may hold values of another release.
    pub fn effective(overrides: &Values, layers: &Layers) -> LogConfig {
        let mut values = Values::new();
        for (name, default) in layers.topic_defaults() {
            let definition = definitions::find(definitions::topic(), name)
                .expect("defaults are of topic configs");
            let own = overrides.get(name).filter(|value| definition.validate(value).is_ok());
            if let Some(value) = own.cloned().or(default) {
                values.insert(name.to_owned(), value);
            }
        }
        let mut config = LogConfig::read(&mut Reader::new(definitions::topic(), &values));
        if let Some(bytes) = config.internal_segment_bytes {
            config.segment_bytes = u32::try_from(bytes).unwrap_or(0);
        }
        config
    }

    pub fn shared(self) -> Rc<LogConfig> {
        Rc::new(self)
    }

    /// How old a segment may get that is appended to. What has to be compacted by some time is in a
    /// closed segment by then.
    pub fn roll_ms(&self) -> i64 {
        match self.cleanup_policy.compact && self.max_compaction_lag_ms > 0 {
            true => self.segment_ms.min(self.max_compaction_lag_ms),
            false => self.segment_ms,
        }
    }

    /// What `segment.jitter.ms` takes from `segment.ms` for one segment: less than the lesser of
    /// both, by `draw`, so that segments that began together do not end together
    /// (`LogConfig.randomSegmentJitter`). `draw` is the same whenever that segment asks.
    pub fn roll_jitter_ms(&self, draw: impl FnOnce() -> u64) -> i64 {
        let most = self.segment_jitter_ms.min(self.roll_ms());
        if most > 0 { (draw() % most as u64) as i64 } else { 0 }
    }

    /// Positions in a segment are a Java `int`.
    pub fn check(&self) {
        let most = self.segment_bytes;
        assert!(most <= i32::MAX as u32, "no index leads to the end of a segment of {most} bytes");
    }

    /// The effort that the topic asks of a codec that has levels (KIP-390).
    pub fn compression_level(&self, codec: Compression) -> Option<i32> {
        match codec {
            Compression::Gzip => Some(self.compression_gzip_level),
            Compression::Lz4 => Some(self.compression_lz4_level),
            Compression::Zstd => Some(self.compression_zstd_level),
            Compression::None | Compression::Snappy => None,
        }
    }

    /// What a batch for the topic must be like. `max_decompressed_bytes` is for the whole batch.
    pub fn validation_rules(
        &self,
        max_decompressed_bytes: usize,
        now_ms: i64,
        origin: AppendOrigin,
    ) -> ValidationRules {
        ValidationRules {
            origin,
            transactional_allowed: false,
            max_message_bytes: self.max_message_bytes as usize,
            timestamp_type: self.message_timestamp_type,
            timestamp_before_max_ms: self.message_timestamp_before_max_ms,
            timestamp_after_max_ms: self.message_timestamp_after_max_ms,
            now_ms,
            compacted: self.cleanup_policy.compact,
            compression: self.compression_type,
            max_decompressed_bytes,
            max_decompressed_message_bytes: self.max_decompressed_message_bytes as usize,
        }
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

impl FromValue for Option<Compression> {
    fn from_value(value: Option<Value>) -> Option<Option<Compression>> {
        match String::from_value(value)?.as_str() {
            "producer" => Some(None),
            "uncompressed" => Some(Some(Compression::None)),
            "gzip" => Some(Some(Compression::Gzip)),
            "snappy" => Some(Some(Compression::Snappy)),
            "lz4" => Some(Some(Compression::Lz4)),
            "zstd" => Some(Some(Compression::Zstd)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::definitions::Valid;

    fn value(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_topics_own_values_lie_over_the_brokers() {
        let layers = Layers {
            static_values: Values::from([
                value("log.retention.hours", "1"),
                value("log.segment.bytes", "2000000"),
            ]),
            ..Layers::default()
        };
        let plain = LogConfig::effective(&Values::new(), &layers);
        assert_eq!((plain.retention_ms, plain.segment_bytes), (Some(3_600_000), 2_000_000));
        assert_eq!(plain.cleanup_policy, CleanupPolicy { compact: false, delete: true });
        assert_eq!((plain.durability, plain.max_message_bytes), (Durability::Fsync, 1_048_588));
        assert_eq!((plain.retention_bytes, plain.compression_type), (None, None));

        let overrides = Values::from([
            value("cleanup.policy", "compact, delete"),
            value("compression.type", "zstd"),
            value("compression.zstd.level", "7"),
            value("retention.bytes", "5"),
            value("retention.ms", "-1"),
            value("durability", "os"),
            value("internal.segment.bytes", "100"),
            value("message.timestamp.type", "LogAppendTime"),
        ]);
        let own = LogConfig::effective(&overrides, &layers);
        assert_eq!(own.cleanup_policy, CleanupPolicy { compact: true, delete: true });
        assert_eq!(
            (own.retention_bytes, own.retention_ms, own.segment_bytes, own.durability),
            (Some(5), None, 100, Durability::Os)
        );
        assert_eq!(own.message_timestamp_type, TimestampType::LogAppendTime);
        let codec = own.compression_type.expect("it is set");
        assert_eq!((codec, own.compression_level(codec)), (Compression::Zstd, Some(7)));

        let strange = Values::from([value("retention.ms", "soon"), value("no.such.config", "1")]);
        assert_eq!(LogConfig::effective(&strange, &layers), plain);
    }

    /// Reading a value that its field has no room for would end the broker.
    #[test]
    fn each_allowed_value_fits_its_field() {
        for definition in definitions::topic() {
            let bounds = match definition.config_type {
                ConfigType::Int => [i64::from(i32::MIN), i64::from(i32::MAX)],
                ConfigType::Long => [i64::MIN, i64::MAX],
                _ => [0, 1],
            };
            let range = match definition.valid {
                Valid::Range { min, max } => [min, max].map(|bound| bound.map(|at| at as i64)),
                _ => [None, None],
            };
            let named = match definition.valid {
                Valid::OneOf(allowed) => allowed,
                _ => &[],
            };
            let numbers = bounds.into_iter().chain(range.into_iter().flatten());
            let all = numbers.map(|number| number.to_string());
            for text in all.chain(named.iter().map(|one| (*one).to_owned())) {
                LogConfig::effective(
                    &Values::from([value(definition.name, &text)]),
                    &Layers::default(),
                );
            }
        }
    }

    #[test]
    fn jitter_takes_less_than_the_lesser_of_both() {
        let jitter = |segment_ms, segment_jitter_ms, draw| {
            let config = LogConfig { segment_ms, segment_jitter_ms, ..LogConfig::default() };
            config.roll_jitter_ms(|| draw)
        };
        assert_eq!((jitter(100, 0, 7), jitter(100, 10, 27), jitter(5, 10, 9)), (0, 7, 4));
        assert_eq!(jitter(i64::MAX, i64::MAX, u64::MAX), 1);
    }

    /// `ValidationRules` is below configs, and says their defaults once more.
    #[test]
    fn the_rules_of_a_topic_that_sets_nothing() {
        let origin = AppendOrigin::Coordinator;
        let rules = ValidationRules::of_defaults(origin, 5);
        let of_topic =
            LogConfig::default().validation_rules(rules.max_decompressed_bytes, 5, origin);
        assert_eq!(format!("{of_topic:?}"), format!("{rules:?}"));
    }
}
