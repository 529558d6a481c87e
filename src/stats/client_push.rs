//! What a client has pushed of its own metrics (KIP-714), on its way to the admin page.

use protocol::Uuid;
use std::time::Duration;

/// One push, as it came.
#[derive(Debug, PartialEq, Eq)]
pub struct ClientPush {
    pub instance_id: Uuid,
    pub client_id: String,
    pub software_name: String,
    pub software_version: String,
    pub source_address: String,
    /// How long it may be shown, if no other follows.
    pub shown_for: Duration,
    /// A codec's id, as batches have it.
    pub compression_type: u8,
    /// OTLP's `MetricsData`, packed.
    pub metrics: Vec<u8>,
}
