// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `RequestHeader`, versions 1 to 2.

use super::super::prelude::*;

/// `RequestHeader`.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestHeader {
    /// The API key of this request. (versions 0+)
    pub request_api_key: i16,
    /// The API version of this request. (versions 0+)
    pub request_api_version: i16,
    /// The correlation ID of this request. (versions 0+)
    pub correlation_id: i32,
    /// The client ID string. (versions 1+)
    pub client_id: Option<String>,
}

impl Default for RequestHeader {
    fn default() -> Self {
        Self {
            request_api_key: Default::default(),
            request_api_version: Default::default(),
            correlation_id: Default::default(),
            client_id: Some(String::new()),
        }
    }
}

impl Structure for RequestHeader {
    const MIN_WIRE_BYTES: usize = 10;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.request_api_key = reader.i16()?;
        value.request_api_version = reader.i16()?;
        value.correlation_id = reader.i32()?;
        value.client_id = reader.nullable_string(false, true)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i16(self.request_api_key);
        writer.put_i16(self.request_api_version);
        writer.put_i32(self.correlation_id);
        put_nullable_string(writer, self.client_id.as_deref(), false)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for RequestHeader {
    const NAME: &'static str = "RequestHeader";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}
