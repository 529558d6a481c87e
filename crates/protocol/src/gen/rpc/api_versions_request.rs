// Generated from the schemas of Apache Kafka 4.3.1 by `cargo xtask codegen`; do not edit.

//! `ApiVersionsRequest`, versions 0 to 4.

use super::super::prelude::*;

/// `ApiVersionsRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ApiVersionsRequest {
    /// The name of the client. (versions 3+)
    pub client_software_name: String,
    /// The version of the client. (versions 3+)
    pub client_software_version: String,
}

impl Structure for ApiVersionsRequest {
    const MIN_WIRE_BYTES: usize = 0;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        if version >= 3 {
            value.client_software_name = reader.string(flexible)?;
        }
        if version >= 3 {
            value.client_software_version = reader.string(flexible)?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        if version >= 3 {
            put_string(writer, &self.client_software_name, flexible)?;
        }
        if version >= 3 {
            put_string(writer, &self.client_software_version, flexible)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for ApiVersionsRequest {
    const NAME: &'static str = "ApiVersionsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

impl Request for ApiVersionsRequest {
    const API_KEY: i16 = 18;
    type Response = super::ApiVersionsResponse;
}
