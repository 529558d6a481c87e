// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `EnvelopeRequest`, versions 0 to 0.

use super::super::prelude::*;

/// `EnvelopeRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvelopeRequest {
    /// The embedded request header and data. (versions 0+)
    pub request_data: Bytes,
    /// Value of the initial client principal when the request is redirected by a broker. (versions 0+)
    pub request_principal: Option<Bytes>,
    /// The original client's address in bytes. (versions 0+)
    pub client_host_address: Bytes,
}

impl Default for EnvelopeRequest {
    fn default() -> Self {
        Self {
            request_data: Default::default(),
            request_principal: Some(Bytes::new()),
            client_host_address: Default::default(),
        }
    }
}

impl Structure for EnvelopeRequest {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.request_data = reader.bytes(true)?;
        value.request_principal = reader.nullable_bytes(true, true)?;
        value.client_host_address = reader.bytes(true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_bytes(writer, &self.request_data, true)?;
        put_nullable_bytes(writer, self.request_principal.as_deref(), true)?;
        put_bytes(writer, &self.client_host_address, true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for EnvelopeRequest {
    const NAME: &'static str = "EnvelopeRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for EnvelopeRequest {
    const API_KEY: i16 = 58;
    type Response = super::EnvelopeResponse;
}
