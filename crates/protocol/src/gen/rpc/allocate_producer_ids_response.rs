// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `AllocateProducerIdsResponse`, versions 0 to 0.

use super::super::prelude::*;

/// `AllocateProducerIdsResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AllocateProducerIdsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The top level response error code. (versions 0+)
    pub error_code: i16,
    /// The first producer ID in this range, inclusive. (versions 0+)
    pub producer_id_start: i64,
    /// The number of producer IDs in this range. (versions 0+)
    pub producer_id_len: i32,
}

impl Structure for AllocateProducerIdsResponse {
    const MIN_WIRE_BYTES: usize = 19;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        value.producer_id_start = reader.i64()?;
        value.producer_id_len = reader.i32()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        writer.put_i16(self.error_code);
        writer.put_i64(self.producer_id_start);
        writer.put_i32(self.producer_id_len);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for AllocateProducerIdsResponse {
    const NAME: &'static str = "AllocateProducerIdsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for AllocateProducerIdsResponse {
    const API_KEY: i16 = 67;
    type Request = super::AllocateProducerIdsRequest;
}
