// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `BrokerRegistrationResponse`, versions 0 to 4.

use super::super::prelude::*;

/// `BrokerRegistrationResponse`.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerRegistrationResponse {
    /// Duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The broker's assigned epoch, or -1 if none was assigned. (versions 0+)
    pub broker_epoch: i64,
}

impl Default for BrokerRegistrationResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            broker_epoch: -1,
        }
    }
}

impl Structure for BrokerRegistrationResponse {
    const MIN_WIRE_BYTES: usize = 15;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        value.broker_epoch = reader.i64()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        writer.put_i16(self.error_code);
        writer.put_i64(self.broker_epoch);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for BrokerRegistrationResponse {
    const NAME: &'static str = "BrokerRegistrationResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for BrokerRegistrationResponse {
    const API_KEY: i16 = 62;
    type Request = super::BrokerRegistrationRequest;
}
