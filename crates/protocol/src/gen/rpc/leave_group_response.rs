// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `LeaveGroupResponse`, versions 0 to 5.

use super::super::prelude::*;

/// `LeaveGroupResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LeaveGroupResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 1+)
    pub throttle_time_ms: i32,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// List of leaving member responses. (versions 3+)
    pub members: Vec<MemberResponse>,
}

impl Structure for LeaveGroupResponse {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        if version >= 1 {
            value.throttle_time_ms = reader.i32()?;
        }
        value.error_code = reader.i16()?;
        if version >= 3 {
            value.members = reader.array(flexible, version)?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        if version >= 1 {
            writer.put_i32(self.throttle_time_ms);
        }
        writer.put_i16(self.error_code);
        if version >= 3 {
            put_array(writer, &self.members, flexible, version)?;
        } else {
            require(self.members.is_empty(), "Members", version)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// List of leaving member responses.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberResponse {
    /// The member ID to remove from the group. (versions 3+)
    pub member_id: String,
    /// The group instance ID to remove from the group. (versions 3+)
    pub group_instance_id: Option<String>,
    /// The error code, or 0 if there was no error. (versions 3+)
    pub error_code: i16,
}

impl Default for MemberResponse {
    fn default() -> Self {
        Self {
            member_id: Default::default(),
            group_instance_id: Some(String::new()),
            error_code: Default::default(),
        }
    }
}

impl Structure for MemberResponse {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.member_id = reader.string(flexible)?;
        value.group_instance_id = reader.nullable_string(flexible, true)?;
        value.error_code = reader.i16()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        put_string(writer, &self.member_id, flexible)?;
        put_nullable_string(writer, self.group_instance_id.as_deref(), flexible)?;
        writer.put_i16(self.error_code);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for LeaveGroupResponse {
    const NAME: &'static str = "LeaveGroupResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: Option<i16> = Some(4);
}

impl Response for LeaveGroupResponse {
    const API_KEY: i16 = 13;
    type Request = super::LeaveGroupRequest;
}
