// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `SaslHandshakeRequest`, versions 0 to 1.

use super::super::prelude::*;

/// `SaslHandshakeRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SaslHandshakeRequest {
    /// The SASL mechanism chosen by the client. (versions 0+)
    pub mechanism: String,
}

impl Structure for SaslHandshakeRequest {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.mechanism = reader.string(false)?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.mechanism, false)?;
        Ok(())
    }
}

impl Message for SaslHandshakeRequest {
    const NAME: &'static str = "SaslHandshakeRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl Request for SaslHandshakeRequest {
    const API_KEY: i16 = 17;
    type Response = super::SaslHandshakeResponse;
}
