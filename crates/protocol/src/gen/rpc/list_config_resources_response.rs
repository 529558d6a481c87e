// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ListConfigResourcesResponse`, versions 0 to 1.

use super::super::prelude::*;

/// `ListConfigResourcesResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListConfigResourcesResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// Each config resource in the response. (versions 0+)
    pub config_resources: Vec<ConfigResource>,
}

impl Structure for ListConfigResourcesResponse {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        value.config_resources = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        writer.put_i16(self.error_code);
        put_array(writer, &self.config_resources, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// Each config resource in the response.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigResource {
    /// The resource name. (versions 0+)
    pub resource_name: String,
    /// The resource type. (versions 1+)
    pub resource_type: i8,
}

impl Default for ConfigResource {
    fn default() -> Self {
        Self { resource_name: Default::default(), resource_type: 16 }
    }
}

impl Structure for ConfigResource {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.resource_name = reader.string(true)?;
        if version >= 1 {
            value.resource_type = reader.i8()?;
        }
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.resource_name, true)?;
        if version >= 1 {
            writer.put_i8(self.resource_type);
        }
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ListConfigResourcesResponse {
    const NAME: &'static str = "ListConfigResourcesResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for ListConfigResourcesResponse {
    const API_KEY: i16 = 74;
    type Request = super::ListConfigResourcesRequest;
}
