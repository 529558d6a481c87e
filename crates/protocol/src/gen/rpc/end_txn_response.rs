// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `EndTxnResponse`, versions 0 to 5.

use super::super::prelude::*;

/// `EndTxnResponse`.
#[derive(Clone, Debug, PartialEq)]
pub struct EndTxnResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The producer ID. (versions 5+)
    pub producer_id: i64,
    /// The current epoch associated with the producer. (versions 5+)
    pub producer_epoch: i16,
}

impl Default for EndTxnResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            producer_id: -1,
            producer_epoch: -1,
        }
    }
}

impl Structure for EndTxnResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        if version >= 5 {
            value.producer_id = reader.i64()?;
        }
        if version >= 5 {
            value.producer_epoch = reader.i16()?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        writer.put_i32(self.throttle_time_ms);
        writer.put_i16(self.error_code);
        if version >= 5 {
            writer.put_i64(self.producer_id);
        }
        if version >= 5 {
            writer.put_i16(self.producer_epoch);
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for EndTxnResponse {
    const NAME: &'static str = "EndTxnResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

impl Response for EndTxnResponse {
    const API_KEY: i16 = 26;
    type Request = super::EndTxnRequest;
}
