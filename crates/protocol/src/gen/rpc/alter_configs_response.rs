// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `AlterConfigsResponse`, versions 0 to 2.

use super::super::prelude::*;

/// `AlterConfigsResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AlterConfigsResponse {
    /// Duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The responses for each resource. (versions 0+)
    pub responses: Vec<AlterConfigsResourceResponse>,
}

impl Structure for AlterConfigsResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.responses = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i32(self.throttle_time_ms);
        put_array(writer, &self.responses, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The responses for each resource.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterConfigsResourceResponse {
    /// The resource error code. (versions 0+)
    pub error_code: i16,
    /// The resource error message, or null if there was no error. (versions 0+)
    pub error_message: Option<String>,
    /// The resource type. (versions 0+)
    pub resource_type: i8,
    /// The resource name. (versions 0+)
    pub resource_name: String,
}

impl Default for AlterConfigsResourceResponse {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            error_message: Some(String::new()),
            resource_type: Default::default(),
            resource_name: Default::default(),
        }
    }
}

impl Structure for AlterConfigsResourceResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(flexible, true)?;
        value.resource_type = reader.i8()?;
        value.resource_name = reader.string(flexible)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), flexible)?;
        writer.put_i8(self.resource_type);
        put_string(writer, &self.resource_name, flexible)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for AlterConfigsResponse {
    const NAME: &'static str = "AlterConfigsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Response for AlterConfigsResponse {
    const API_KEY: i16 = 33;
    type Request = super::AlterConfigsRequest;
}
