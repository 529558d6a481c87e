// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeGroupsResponse`, versions 0 to 6.

use super::super::prelude::*;

/// `DescribeGroupsResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeGroupsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 1+)
    pub throttle_time_ms: i32,
    /// Each described group. (versions 0+)
    pub groups: Vec<DescribedGroup>,
}

impl Structure for DescribeGroupsResponse {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut value = Self::default();
        if version >= 1 {
            value.throttle_time_ms = reader.i32()?;
        }
        value.groups = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 5;
        if version >= 1 {
            writer.put_i32(self.throttle_time_ms);
        }
        put_array(writer, &self.groups, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each described group.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribedGroup {
    /// The describe error, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The describe error message, or null if there was no error. (versions 6+)
    pub error_message: Option<String>,
    /// The group ID string. (versions 0+)
    pub group_id: String,
    /// The group state string, or the empty string. (versions 0+)
    pub group_state: String,
    /// The group protocol type, or the empty string. (versions 0+)
    pub protocol_type: String,
    /// The group protocol data, or the empty string. (versions 0+)
    pub protocol_data: String,
    /// The group members. (versions 0+)
    pub members: Vec<DescribedGroupMember>,
    /// 32-bit bitfield to represent authorized operations for this group. (versions 3+)
    pub authorized_operations: i32,
}

impl Default for DescribedGroup {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            error_message: Default::default(),
            group_id: Default::default(),
            group_state: Default::default(),
            protocol_type: Default::default(),
            protocol_data: Default::default(),
            members: Default::default(),
            authorized_operations: i32::MIN,
        }
    }
}

impl Structure for DescribedGroup {
    const MIN_WIRE_BYTES: usize = 12;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        if version >= 6 {
            value.error_message = reader.nullable_string(flexible, true)?;
        }
        value.group_id = reader.string(flexible)?;
        value.group_state = reader.string(flexible)?;
        value.protocol_type = reader.string(flexible)?;
        value.protocol_data = reader.string(flexible)?;
        value.members = reader.array(flexible, version)?;
        if version >= 3 {
            value.authorized_operations = reader.i32()?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 5;
        writer.put_i16(self.error_code);
        if version >= 6 {
            put_nullable_string(writer, self.error_message.as_deref(), flexible)?;
        } else {
            require(self.error_message.is_none(), "ErrorMessage", version)?;
        }
        put_string(writer, &self.group_id, flexible)?;
        put_string(writer, &self.group_state, flexible)?;
        put_string(writer, &self.protocol_type, flexible)?;
        put_string(writer, &self.protocol_data, flexible)?;
        put_array(writer, &self.members, flexible, version)?;
        if version >= 3 {
            writer.put_i32(self.authorized_operations);
        } else {
            require(self.authorized_operations == i32::MIN, "AuthorizedOperations", version)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The group members.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribedGroupMember {
    /// The member id. (versions 0+)
    pub member_id: String,
    /// The unique identifier of the consumer instance provided by end user. (versions 4+)
    pub group_instance_id: Option<String>,
    /// The client ID used in the member's latest join group request. (versions 0+)
    pub client_id: String,
    /// The client host. (versions 0+)
    pub client_host: String,
    /// The metadata corresponding to the current group protocol in use. (versions 0+)
    pub member_metadata: Bytes,
    /// The current assignment provided by the group leader. (versions 0+)
    pub member_assignment: Bytes,
}

impl Structure for DescribedGroupMember {
    const MIN_WIRE_BYTES: usize = 7;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut value = Self::default();
        value.member_id = reader.string(flexible)?;
        if version >= 4 {
            value.group_instance_id = reader.nullable_string(flexible, true)?;
        }
        value.client_id = reader.string(flexible)?;
        value.client_host = reader.string(flexible)?;
        value.member_metadata = reader.bytes(flexible)?;
        value.member_assignment = reader.bytes(flexible)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 5;
        put_string(writer, &self.member_id, flexible)?;
        if version >= 4 {
            put_nullable_string(writer, self.group_instance_id.as_deref(), flexible)?;
        }
        put_string(writer, &self.client_id, flexible)?;
        put_string(writer, &self.client_host, flexible)?;
        put_bytes(writer, &self.member_metadata, flexible)?;
        put_bytes(writer, &self.member_assignment, flexible)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for DescribeGroupsResponse {
    const NAME: &'static str = "DescribeGroupsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 6;
    const FLEXIBLE_FROM: Option<i16> = Some(5);
}

impl Response for DescribeGroupsResponse {
    const API_KEY: i16 = 15;
    type Request = super::DescribeGroupsRequest;
}
