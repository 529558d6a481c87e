// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ListGroupsResponse`, versions 0 to 5.

use super::super::prelude::*;

/// `ListGroupsResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListGroupsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 1+)
    pub throttle_time_ms: i32,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// Each group in the response. (versions 0+)
    pub groups: Vec<ListedGroup>,
}

impl Structure for ListGroupsResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        if version >= 1 {
            value.throttle_time_ms = reader.i32()?;
        }
        value.error_code = reader.i16()?;
        value.groups = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        if version >= 1 {
            writer.put_i32(self.throttle_time_ms);
        }
        writer.put_i16(self.error_code);
        put_array(writer, &self.groups, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each group in the response.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListedGroup {
    /// The group ID. (versions 0+)
    pub group_id: String,
    /// The group protocol type. (versions 0+)
    pub protocol_type: String,
    /// The group state name. (versions 4+)
    pub group_state: String,
    /// The group type name. (versions 5+)
    pub group_type: String,
}

impl Structure for ListedGroup {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        value.group_id = reader.string(flexible)?;
        value.protocol_type = reader.string(flexible)?;
        if version >= 4 {
            value.group_state = reader.string(flexible)?;
        }
        if version >= 5 {
            value.group_type = reader.string(flexible)?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        put_string(writer, &self.group_id, flexible)?;
        put_string(writer, &self.protocol_type, flexible)?;
        if version >= 4 {
            put_string(writer, &self.group_state, flexible)?;
        }
        if version >= 5 {
            put_string(writer, &self.group_type, flexible)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for ListGroupsResponse {
    const NAME: &'static str = "ListGroupsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

impl Response for ListGroupsResponse {
    const API_KEY: i16 = 16;
    type Request = super::ListGroupsRequest;
}
