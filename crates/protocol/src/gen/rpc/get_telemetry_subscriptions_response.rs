// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `GetTelemetrySubscriptionsResponse`, versions 0 to 0.

use super::super::prelude::*;

/// `GetTelemetrySubscriptionsResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct GetTelemetrySubscriptionsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// Assigned client instance id if ClientInstanceId was 0 in the request, else 0. (versions 0+)
    pub client_instance_id: Uuid,
    /// Unique identifier for the current subscription set for this client instance. (versions 0+)
    pub subscription_id: i32,
    /// Compression types that broker accepts for the PushTelemetryRequest. (versions 0+)
    pub accepted_compression_types: Vec<i8>,
    /// Configured push interval, which is the lowest configured interval in the current subscription set. (versions 0+)
    pub push_interval_ms: i32,
    /// The maximum bytes of binary data the broker accepts in PushTelemetryRequest. (versions 0+)
    pub telemetry_max_bytes: i32,
    /// Flag to indicate monotonic/counter metrics are to be emitted as deltas or cumulative values. (versions 0+)
    pub delta_temporality: bool,
    /// Requested metrics prefix string match. Empty array: No metrics subscribed, Array\[0\] empty string: All metrics subscribed. (versions 0+)
    pub requested_metrics: Vec<String>,
}

impl Structure for GetTelemetrySubscriptionsResponse {
    const MIN_WIRE_BYTES: usize = 38;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        value.client_instance_id = reader.uuid()?;
        value.subscription_id = reader.i32()?;
        value.accepted_compression_types = reader.array(true, version)?;
        value.push_interval_ms = reader.i32()?;
        value.telemetry_max_bytes = reader.i32()?;
        value.delta_temporality = reader.bool()?;
        value.requested_metrics = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        writer.put_i16(self.error_code);
        put_uuid(writer, self.client_instance_id);
        writer.put_i32(self.subscription_id);
        put_array(writer, &self.accepted_compression_types, true, version)?;
        writer.put_i32(self.push_interval_ms);
        writer.put_i32(self.telemetry_max_bytes);
        put_bool(writer, self.delta_temporality);
        put_array(writer, &self.requested_metrics, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for GetTelemetrySubscriptionsResponse {
    const NAME: &'static str = "GetTelemetrySubscriptionsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for GetTelemetrySubscriptionsResponse {
    const API_KEY: i16 = 71;
    type Request = super::GetTelemetrySubscriptionsRequest;
}
