// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ExpireDelegationTokenRequest`, versions 1 to 2.

use super::super::prelude::*;

/// `ExpireDelegationTokenRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ExpireDelegationTokenRequest {
    /// The HMAC of the delegation token to be expired. (versions 0+)
    pub hmac: Bytes,
    /// The expiry time period in milliseconds. (versions 0+)
    pub expiry_time_period_ms: i64,
}

impl Structure for ExpireDelegationTokenRequest {
    const MIN_WIRE_BYTES: usize = 10;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.hmac = reader.bytes(flexible)?;
        value.expiry_time_period_ms = reader.i64()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        put_bytes(writer, &self.hmac, flexible)?;
        writer.put_i64(self.expiry_time_period_ms);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for ExpireDelegationTokenRequest {
    const NAME: &'static str = "ExpireDelegationTokenRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Request for ExpireDelegationTokenRequest {
    const API_KEY: i16 = 40;
    type Response = super::ExpireDelegationTokenResponse;
}
