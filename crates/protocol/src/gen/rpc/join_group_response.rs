// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `JoinGroupResponse`, versions 0 to 9.

use super::super::prelude::*;

/// `JoinGroupResponse`.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroupResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 2+)
    pub throttle_time_ms: i32,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The generation ID of the group. (versions 0+)
    pub generation_id: i32,
    /// The group protocol name. (versions 7+)
    pub protocol_type: Option<String>,
    /// The group protocol selected by the coordinator. (versions 0+)
    pub protocol_name: Option<String>,
    /// The leader of the group. (versions 0+)
    pub leader: String,
    /// True if the leader must skip running the assignment. (versions 9+)
    pub skip_assignment: bool,
    /// The member ID assigned by the group coordinator. (versions 0+)
    pub member_id: String,
    /// The group members. (versions 0+)
    pub members: Vec<JoinGroupResponseMember>,
}

impl Default for JoinGroupResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            generation_id: -1,
            protocol_type: Default::default(),
            protocol_name: Some(String::new()),
            leader: Default::default(),
            skip_assignment: Default::default(),
            member_id: Default::default(),
            members: Default::default(),
        }
    }
}

impl Structure for JoinGroupResponse {
    const MIN_WIRE_BYTES: usize = 15;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        if version >= 2 {
            value.throttle_time_ms = reader.i32()?;
        }
        value.error_code = reader.i16()?;
        value.generation_id = reader.i32()?;
        if version >= 7 {
            value.protocol_type = reader.nullable_string(flexible, true)?;
        }
        value.protocol_name = reader.nullable_string(flexible, version >= 7)?;
        value.leader = reader.string(flexible)?;
        if version >= 9 {
            value.skip_assignment = reader.bool()?;
        }
        value.member_id = reader.string(flexible)?;
        value.members = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 6;
        if version >= 2 {
            writer.put_i32(self.throttle_time_ms);
        }
        writer.put_i16(self.error_code);
        writer.put_i32(self.generation_id);
        if version >= 7 {
            put_nullable_string(writer, self.protocol_type.as_deref(), flexible)?;
        }
        require(self.protocol_name.is_some() || version >= 7, "ProtocolName", version)?;
        put_nullable_string(writer, self.protocol_name.as_deref(), flexible)?;
        put_string(writer, &self.leader, flexible)?;
        if version >= 9 {
            put_bool(writer, self.skip_assignment);
        } else {
            require(!self.skip_assignment, "SkipAssignment", version)?;
        }
        put_string(writer, &self.member_id, flexible)?;
        put_array(writer, &self.members, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The group members.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct JoinGroupResponseMember {
    /// The group member ID. (versions 0+)
    pub member_id: String,
    /// The unique identifier of the consumer instance provided by end user. (versions 5+)
    pub group_instance_id: Option<String>,
    /// The group member metadata. (versions 0+)
    pub metadata: Bytes,
}

impl Structure for JoinGroupResponseMember {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        value.member_id = reader.string(flexible)?;
        if version >= 5 {
            value.group_instance_id = reader.nullable_string(flexible, true)?;
        }
        value.metadata = reader.bytes(flexible)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 6;
        put_string(writer, &self.member_id, flexible)?;
        if version >= 5 {
            put_nullable_string(writer, self.group_instance_id.as_deref(), flexible)?;
        }
        put_bytes(writer, &self.metadata, flexible)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for JoinGroupResponse {
    const NAME: &'static str = "JoinGroupResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 9;
    const FLEXIBLE_FROM: Option<i16> = Some(6);
}

impl Response for JoinGroupResponse {
    const API_KEY: i16 = 11;
    type Request = super::JoinGroupRequest;
}
