// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `GetTelemetrySubscriptionsRequest`, versions 0 to 0.

use super::super::prelude::*;

/// `GetTelemetrySubscriptionsRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct GetTelemetrySubscriptionsRequest {
    /// Unique id for this client instance, must be set to 0 on the first request. (versions 0+)
    pub client_instance_id: Uuid,
}

impl Structure for GetTelemetrySubscriptionsRequest {
    const MIN_WIRE_BYTES: usize = 17;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.client_instance_id = reader.uuid()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_uuid(writer, self.client_instance_id);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for GetTelemetrySubscriptionsRequest {
    const NAME: &'static str = "GetTelemetrySubscriptionsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for GetTelemetrySubscriptionsRequest {
    const API_KEY: i16 = 71;
    type Response = super::GetTelemetrySubscriptionsResponse;
}
