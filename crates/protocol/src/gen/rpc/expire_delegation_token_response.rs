// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ExpireDelegationTokenResponse`, versions 1 to 2.

use super::super::prelude::*;

/// `ExpireDelegationTokenResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ExpireDelegationTokenResponse {
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The timestamp in milliseconds at which this token expires. (versions 0+)
    pub expiry_timestamp_ms: i64,
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
}

impl Structure for ExpireDelegationTokenResponse {
    const MIN_WIRE_BYTES: usize = 14;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.expiry_timestamp_ms = reader.i64()?;
        value.throttle_time_ms = reader.i32()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i16(self.error_code);
        writer.put_i64(self.expiry_timestamp_ms);
        writer.put_i32(self.throttle_time_ms);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for ExpireDelegationTokenResponse {
    const NAME: &'static str = "ExpireDelegationTokenResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Response for ExpireDelegationTokenResponse {
    const API_KEY: i16 = 40;
    type Request = super::ExpireDelegationTokenRequest;
}
