// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `LeaveGroupRequest`, versions 0 to 5.

use super::super::prelude::*;

/// `LeaveGroupRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LeaveGroupRequest {
    /// The ID of the group to leave. (versions 0+)
    pub group_id: String,
    /// The member ID to remove from the group. (versions 0 to 2)
    pub member_id: String,
    /// List of leaving member identities. (versions 3+)
    pub members: Vec<MemberIdentity>,
}

impl Structure for LeaveGroupRequest {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.group_id = reader.string(flexible)?;
        if version <= 2 {
            value.member_id = reader.string(flexible)?;
        }
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
        put_string(writer, &self.group_id, flexible)?;
        if version <= 2 {
            put_string(writer, &self.member_id, flexible)?;
        } else {
            require(self.member_id.is_empty(), "MemberId", version)?;
        }
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

/// List of leaving member identities.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct MemberIdentity {
    /// The member ID to remove from the group. (versions 3+)
    pub member_id: String,
    /// The group instance ID to remove from the group. (versions 3+)
    pub group_instance_id: Option<String>,
    /// The reason why the member left the group. (versions 5+)
    pub reason: Option<String>,
}

impl Structure for MemberIdentity {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.member_id = reader.string(flexible)?;
        value.group_instance_id = reader.nullable_string(flexible, true)?;
        if version >= 5 {
            value.reason = reader.nullable_string(flexible, true)?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        put_string(writer, &self.member_id, flexible)?;
        put_nullable_string(writer, self.group_instance_id.as_deref(), flexible)?;
        if version >= 5 {
            put_nullable_string(writer, self.reason.as_deref(), flexible)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for LeaveGroupRequest {
    const NAME: &'static str = "LeaveGroupRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: Option<i16> = Some(4);
}

impl Request for LeaveGroupRequest {
    const API_KEY: i16 = 13;
    type Response = super::LeaveGroupResponse;
}
