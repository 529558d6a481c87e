// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `SaslAuthenticateResponse`, versions 0 to 2.

use super::super::prelude::*;

/// `SaslAuthenticateResponse`.
#[derive(Clone, Debug, PartialEq)]
pub struct SaslAuthenticateResponse {
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The error message, or null if there was no error. (versions 0+)
    pub error_message: Option<String>,
    /// The SASL authentication bytes from the server, as defined by the SASL mechanism. (versions 0+)
    pub auth_bytes: Bytes,
    /// Number of milliseconds after which only re-authentication over the existing connection to create a new session can occur. (versions 1+)
    pub session_lifetime_ms: i64,
}

impl Default for SaslAuthenticateResponse {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            error_message: Some(String::new()),
            auth_bytes: Default::default(),
            session_lifetime_ms: Default::default(),
        }
    }
}

impl Structure for SaslAuthenticateResponse {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(flexible, true)?;
        value.auth_bytes = reader.bytes(flexible)?;
        if version >= 1 {
            value.session_lifetime_ms = reader.i64()?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), flexible)?;
        put_bytes(writer, &self.auth_bytes, flexible)?;
        if version >= 1 {
            writer.put_i64(self.session_lifetime_ms);
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for SaslAuthenticateResponse {
    const NAME: &'static str = "SaslAuthenticateResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Response for SaslAuthenticateResponse {
    const API_KEY: i16 = 36;
    type Request = super::SaslAuthenticateRequest;
}
