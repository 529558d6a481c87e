// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `EnvelopeResponse`, versions 0 to 0.

use super::super::prelude::*;

/// `EnvelopeResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct EnvelopeResponse {
    /// The embedded response header and data. (versions 0+)
    pub response_data: Option<Bytes>,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
}

impl Structure for EnvelopeResponse {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.response_data = reader.nullable_bytes(true, true)?;
        value.error_code = reader.i16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_nullable_bytes(writer, self.response_data.as_deref(), true)?;
        writer.put_i16(self.error_code);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for EnvelopeResponse {
    const NAME: &'static str = "EnvelopeResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for EnvelopeResponse {
    const API_KEY: i16 = 58;
    type Request = super::EnvelopeRequest;
}
