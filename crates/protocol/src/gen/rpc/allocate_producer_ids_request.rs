// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `AllocateProducerIdsRequest`, versions 0 to 0.

use super::super::prelude::*;

/// `AllocateProducerIdsRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct AllocateProducerIdsRequest {
    /// The ID of the requesting broker. (versions 0+)
    pub broker_id: i32,
    /// The epoch of the requesting broker. (versions 0+)
    pub broker_epoch: i64,
}

impl Default for AllocateProducerIdsRequest {
    fn default() -> Self {
        Self { broker_id: Default::default(), broker_epoch: -1 }
    }
}

impl Structure for AllocateProducerIdsRequest {
    const MIN_WIRE_BYTES: usize = 13;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.broker_id = reader.i32()?;
        value.broker_epoch = reader.i64()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.broker_id);
        writer.put_i64(self.broker_epoch);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for AllocateProducerIdsRequest {
    const NAME: &'static str = "AllocateProducerIdsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for AllocateProducerIdsRequest {
    const API_KEY: i16 = 67;
    type Response = super::AllocateProducerIdsResponse;
}
