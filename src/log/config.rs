//! What a log is told about itself: the topic's effective configuration, as numbers.

use protocol::{compression::Compression, records::TimestampType};
use std::rc::Rc;

/// When an append counts as safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// On the disk (`fdatasync` has returned).
    Fsync,
    /// In the page cache: survives the process, not the machine.
    Os,
}

/// `cleanup.policy`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanupPolicy {
    pub delete: bool,
    pub compact: bool,
}

/// Named as the topic configurations are (`LogConfig`). Immutable; [`super::Log::set_config`] swaps
/// it as a whole.
#[derive(Clone, Debug)]
pub struct LogConfig {
    pub segment_bytes: u32,
    pub segment_ms: i64,
    pub segment_jitter_ms: i64,
    pub index_interval_bytes: u32,
    pub segment_index_bytes: u32,
    /// `None`: no limit.
    pub retention_ms: Option<i64>,
    /// `None`: no limit.
    pub retention_bytes: Option<u64>,
    pub max_message_bytes: u32,
    pub max_decompressed_message_bytes: u32,
    pub file_delete_delay_ms: u64,
    pub message_timestamp_type: TimestampType,
    pub timestamp_before_max_ms: i64,
    pub timestamp_after_max_ms: i64,
    pub cleanup_policy: CleanupPolicy,
    /// `compression.type`; `None`: what the producer chose.
    pub compression_type: Option<Compression>,
    /// `min.insync.replicas`: how many replicas must have what acks=all acknowledges.
    pub min_insync_replicas: usize,
    pub preallocate: bool,
    pub producer_id_expiration_ms: i64,
    pub durability: Durability,
    /// Each append is on the disk before the next one begins (the metadata log): a crash can harm
    /// the last batch only, and damage in front of a good one is never a torn write.
    pub synced_in_order: bool,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            segment_bytes: 1 << 30,
            segment_ms: 7 * 24 * 3_600_000,
            segment_jitter_ms: 0,
            index_interval_bytes: 4096,
            segment_index_bytes: 10 << 20,
            retention_ms: Some(7 * 24 * 3_600_000),
            retention_bytes: None,
            max_message_bytes: 1_048_588,
            max_decompressed_message_bytes: i32::MAX as u32 - 8,
            file_delete_delay_ms: 60_000,
            message_timestamp_type: TimestampType::CreateTime,
            timestamp_before_max_ms: i64::MAX,
            timestamp_after_max_ms: 3_600_000,
            cleanup_policy: CleanupPolicy { delete: true, compact: false },
            compression_type: None,
            min_insync_replicas: 1,
            preallocate: false,
            producer_id_expiration_ms: 86_400_000,
            durability: Durability::Fsync,
            synced_in_order: false,
        }
    }
}

impl LogConfig {
    pub fn shared(self) -> Rc<Self> {
        Rc::new(self)
    }
}
