// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `PushTelemetryRequest`, versions 0 to 0.

use super::super::prelude::*;

/// `PushTelemetryRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PushTelemetryRequest {
    /// Unique id for this client instance. (versions 0+)
    pub client_instance_id: Uuid,
    /// Unique identifier for the current subscription. (versions 0+)
    pub subscription_id: i32,
    /// Client is terminating the connection. (versions 0+)
    pub terminating: bool,
    /// Compression codec used to compress the metrics. (versions 0+)
    pub compression_type: i8,
    /// Metrics encoded in OpenTelemetry MetricsData v1 protobuf format. (versions 0+)
    pub metrics: Bytes,
}

impl Structure for PushTelemetryRequest {
    const MIN_WIRE_BYTES: usize = 24;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.client_instance_id = reader.uuid()?;
        value.subscription_id = reader.i32()?;
        value.terminating = reader.bool()?;
        value.compression_type = reader.i8()?;
        value.metrics = reader.bytes(true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_uuid(writer, self.client_instance_id);
        writer.put_i32(self.subscription_id);
        put_bool(writer, self.terminating);
        writer.put_i8(self.compression_type);
        put_bytes(writer, &self.metrics, true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for PushTelemetryRequest {
    const NAME: &'static str = "PushTelemetryRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for PushTelemetryRequest {
    const API_KEY: i16 = 72;
    type Response = super::PushTelemetryResponse;
}
