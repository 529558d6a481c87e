// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DeleteGroupsResponse`, versions 0 to 3.

use super::super::prelude::*;

/// `DeleteGroupsResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteGroupsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The deletion results. (versions 0+)
    pub results: Vec<DeletableGroupResult>,
}

impl Structure for DeleteGroupsResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.results = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i32(self.throttle_time_ms);
        put_array(writer, &self.results, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The deletion results.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeletableGroupResult {
    /// The group id. (versions 0+)
    pub group_id: String,
    /// The deletion error, or 0 if the deletion succeeded. (versions 0+)
    pub error_code: i16,
    /// The error message, or null if there was no error. (versions 3+)
    pub error_message: Option<String>,
}

impl Structure for DeletableGroupResult {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.group_id = reader.string(flexible)?;
        value.error_code = reader.i16()?;
        if version >= 3 {
            value.error_message = reader.nullable_string(flexible, true)?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        put_string(writer, &self.group_id, flexible)?;
        writer.put_i16(self.error_code);
        if version >= 3 {
            put_nullable_string(writer, self.error_message.as_deref(), flexible)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for DeleteGroupsResponse {
    const NAME: &'static str = "DeleteGroupsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Response for DeleteGroupsResponse {
    const API_KEY: i16 = 42;
    type Request = super::DeleteGroupsRequest;
}
