// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `UnregisterBrokerRequest`, versions 0 to 0.

use super::super::prelude::*;

/// `UnregisterBrokerRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct UnregisterBrokerRequest {
    /// The broker ID to unregister. (versions 0+)
    pub broker_id: i32,
}

impl Structure for UnregisterBrokerRequest {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.broker_id = reader.i32()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.broker_id);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for UnregisterBrokerRequest {
    const NAME: &'static str = "UnregisterBrokerRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for UnregisterBrokerRequest {
    const API_KEY: i16 = 64;
    type Response = super::UnregisterBrokerResponse;
}
