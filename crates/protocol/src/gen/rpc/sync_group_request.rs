// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `SyncGroupRequest`, versions 0 to 5.

use super::super::prelude::*;

/// `SyncGroupRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SyncGroupRequest {
    /// The unique group identifier. (versions 0+)
    pub group_id: String,
    /// The generation of the group. (versions 0+)
    pub generation_id: i32,
    /// The member ID assigned by the group. (versions 0+)
    pub member_id: String,
    /// The unique identifier of the consumer instance provided by end user. (versions 3+)
    pub group_instance_id: Option<String>,
    /// The group protocol type. (versions 5+)
    pub protocol_type: Option<String>,
    /// The group protocol name. (versions 5+)
    pub protocol_name: Option<String>,
    /// Each assignment. (versions 0+)
    pub assignments: Vec<SyncGroupRequestAssignment>,
}

impl Structure for SyncGroupRequest {
    const MIN_WIRE_BYTES: usize = 9;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.group_id = reader.string(flexible)?;
        value.generation_id = reader.i32()?;
        value.member_id = reader.string(flexible)?;
        if version >= 3 {
            value.group_instance_id = reader.nullable_string(flexible, true)?;
        }
        if version >= 5 {
            value.protocol_type = reader.nullable_string(flexible, true)?;
        }
        if version >= 5 {
            value.protocol_name = reader.nullable_string(flexible, true)?;
        }
        value.assignments = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        put_string(writer, &self.group_id, flexible)?;
        writer.put_i32(self.generation_id);
        put_string(writer, &self.member_id, flexible)?;
        if version >= 3 {
            put_nullable_string(writer, self.group_instance_id.as_deref(), flexible)?;
        } else {
            require(self.group_instance_id.is_none(), "GroupInstanceId", version)?;
        }
        if version >= 5 {
            put_nullable_string(writer, self.protocol_type.as_deref(), flexible)?;
        }
        if version >= 5 {
            put_nullable_string(writer, self.protocol_name.as_deref(), flexible)?;
        }
        put_array(writer, &self.assignments, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each assignment.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SyncGroupRequestAssignment {
    /// The ID of the member to assign. (versions 0+)
    pub member_id: String,
    /// The member assignment. (versions 0+)
    pub assignment: Bytes,
}

impl Structure for SyncGroupRequestAssignment {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.member_id = reader.string(flexible)?;
        value.assignment = reader.bytes(flexible)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        put_string(writer, &self.member_id, flexible)?;
        put_bytes(writer, &self.assignment, flexible)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for SyncGroupRequest {
    const NAME: &'static str = "SyncGroupRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: Option<i16> = Some(4);
}

impl Request for SyncGroupRequest {
    const API_KEY: i16 = 14;
    type Response = super::SyncGroupResponse;
}
