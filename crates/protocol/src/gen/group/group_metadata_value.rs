// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `GroupMetadataValue`, versions 0 to 4.

use super::super::prelude::*;

/// `GroupMetadataValue`.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupMetadataValue {
    /// The protocol type. (versions 0+)
    pub protocol_type: String,
    /// The generation id. (versions 0+)
    pub generation: i32,
    /// The protocol name. (versions 0+)
    pub protocol: Option<String>,
    /// The leader id. (versions 0+)
    pub leader: Option<String>,
    /// The timestamp of the last state change. (versions 2+)
    pub current_state_timestamp: i64,
    /// The group members. (versions 0+)
    pub members: Vec<MemberMetadata>,
}

impl Default for GroupMetadataValue {
    fn default() -> Self {
        Self {
            protocol_type: Default::default(),
            generation: Default::default(),
            protocol: Some(String::new()),
            leader: Some(String::new()),
            current_state_timestamp: -1,
            members: Default::default(),
        }
    }
}

impl Structure for GroupMetadataValue {
    const MIN_WIRE_BYTES: usize = 14;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.protocol_type = reader.string(flexible)?;
        value.generation = reader.i32()?;
        value.protocol = reader.nullable_string(flexible, true)?;
        value.leader = reader.nullable_string(flexible, true)?;
        if version >= 2 {
            value.current_state_timestamp = reader.i64()?;
        }
        value.members = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        put_string(writer, &self.protocol_type, flexible)?;
        writer.put_i32(self.generation);
        put_nullable_string(writer, self.protocol.as_deref(), flexible)?;
        put_nullable_string(writer, self.leader.as_deref(), flexible)?;
        if version >= 2 {
            writer.put_i64(self.current_state_timestamp);
        }
        put_array(writer, &self.members, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// `MemberMetadata`.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberMetadata {
    /// The member id. (versions 0+)
    pub member_id: String,
    /// The group instance id. (versions 3+)
    pub group_instance_id: Option<String>,
    /// The client id. (versions 0+)
    pub client_id: String,
    /// The client host. (versions 0+)
    pub client_host: String,
    /// The rebalance timeout. (versions 1+)
    pub rebalance_timeout: i32,
    /// The session timeout. (versions 0+)
    pub session_timeout: i32,
    /// The subscription. (versions 0+)
    pub subscription: Bytes,
    /// The assignment. (versions 0+)
    pub assignment: Bytes,
}

impl Default for MemberMetadata {
    fn default() -> Self {
        Self {
            member_id: Default::default(),
            group_instance_id: Default::default(),
            client_id: Default::default(),
            client_host: Default::default(),
            rebalance_timeout: -1,
            session_timeout: Default::default(),
            subscription: Default::default(),
            assignment: Default::default(),
        }
    }
}

impl Structure for MemberMetadata {
    const MIN_WIRE_BYTES: usize = 15;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.member_id = reader.string(flexible)?;
        if version >= 3 {
            value.group_instance_id = reader.nullable_string(flexible, true)?;
        }
        value.client_id = reader.string(flexible)?;
        value.client_host = reader.string(flexible)?;
        if version >= 1 {
            value.rebalance_timeout = reader.i32()?;
        }
        value.session_timeout = reader.i32()?;
        value.subscription = reader.bytes(flexible)?;
        value.assignment = reader.bytes(flexible)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        put_string(writer, &self.member_id, flexible)?;
        if version >= 3 {
            put_nullable_string(writer, self.group_instance_id.as_deref(), flexible)?;
        }
        put_string(writer, &self.client_id, flexible)?;
        put_string(writer, &self.client_host, flexible)?;
        if version >= 1 {
            writer.put_i32(self.rebalance_timeout);
        }
        writer.put_i32(self.session_timeout);
        put_bytes(writer, &self.subscription, flexible)?;
        put_bytes(writer, &self.assignment, flexible)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for GroupMetadataValue {
    const NAME: &'static str = "GroupMetadataValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: Option<i16> = Some(4);
}
