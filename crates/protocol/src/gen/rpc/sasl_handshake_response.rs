// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `SaslHandshakeResponse`, versions 0 to 1.

use super::super::prelude::*;

/// `SaslHandshakeResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SaslHandshakeResponse {
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The mechanisms enabled in the server. (versions 0+)
    pub mechanisms: Vec<String>,
}

impl Structure for SaslHandshakeResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.mechanisms = reader.array(false, version)?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i16(self.error_code);
        put_array(writer, &self.mechanisms, false, version)?;
        Ok(())
    }
}

impl Message for SaslHandshakeResponse {
    const NAME: &'static str = "SaslHandshakeResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl Response for SaslHandshakeResponse {
    const API_KEY: i16 = 17;
    type Request = super::SaslHandshakeRequest;
}
