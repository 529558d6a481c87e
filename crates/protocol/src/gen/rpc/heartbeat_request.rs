// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `HeartbeatRequest`, versions 0 to 4.

use super::super::prelude::*;

/// `HeartbeatRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct HeartbeatRequest {
    /// The group id. (versions 0+)
    pub group_id: String,
    /// The generation of the group. (versions 0+)
    pub generation_id: i32,
    /// The member ID. (versions 0+)
    pub member_id: String,
    /// The unique identifier of the consumer instance provided by end user. (versions 3+)
    pub group_instance_id: Option<String>,
}

impl Structure for HeartbeatRequest {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.group_id = reader.string(flexible)?;
        value.generation_id = reader.i32()?;
        value.member_id = reader.string(flexible)?;
        if version >= 3 {
            value.group_instance_id = reader.nullable_string(flexible, true)?;
        }
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
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for HeartbeatRequest {
    const NAME: &'static str = "HeartbeatRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: Option<i16> = Some(4);
}

impl Request for HeartbeatRequest {
    const API_KEY: i16 = 12;
    type Response = super::HeartbeatResponse;
}
