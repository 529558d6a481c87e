// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `BrokerHeartbeatResponse`, versions 0 to 2.

use super::super::prelude::*;

/// `BrokerHeartbeatResponse`.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerHeartbeatResponse {
    /// Duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// True if the broker has approximately caught up with the latest metadata. (versions 0+)
    pub is_caught_up: bool,
    /// True if the broker is fenced. (versions 0+)
    pub is_fenced: bool,
    /// True if the broker should proceed with its shutdown. (versions 0+)
    pub should_shut_down: bool,
}

impl Default for BrokerHeartbeatResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            is_caught_up: Default::default(),
            is_fenced: true,
            should_shut_down: Default::default(),
        }
    }
}

impl Structure for BrokerHeartbeatResponse {
    const MIN_WIRE_BYTES: usize = 10;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        value.is_caught_up = reader.bool()?;
        value.is_fenced = reader.bool()?;
        value.should_shut_down = reader.bool()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        writer.put_i16(self.error_code);
        put_bool(writer, self.is_caught_up);
        put_bool(writer, self.is_fenced);
        put_bool(writer, self.should_shut_down);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for BrokerHeartbeatResponse {
    const NAME: &'static str = "BrokerHeartbeatResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for BrokerHeartbeatResponse {
    const API_KEY: i16 = 63;
    type Request = super::BrokerHeartbeatRequest;
}
