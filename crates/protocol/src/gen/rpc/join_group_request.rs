// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `JoinGroupRequest`, versions 0 to 9.

use super::super::prelude::*;

/// `JoinGroupRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroupRequest {
    /// The group identifier. (versions 0+)
    pub group_id: String,
    /// The coordinator considers the consumer dead if it receives no heartbeat after this timeout in milliseconds. (versions 0+)
    pub session_timeout_ms: i32,
    /// The maximum time in milliseconds that the coordinator will wait for each member to rejoin when rebalancing the group. (versions 1+)
    pub rebalance_timeout_ms: i32,
    /// The member id assigned by the group coordinator. (versions 0+)
    pub member_id: String,
    /// The unique identifier of the consumer instance provided by end user. (versions 5+)
    pub group_instance_id: Option<String>,
    /// The unique name the for class of protocols implemented by the group we want to join. (versions 0+)
    pub protocol_type: String,
    /// The list of protocols that the member supports. (versions 0+)
    pub protocols: Vec<JoinGroupRequestProtocol>,
    /// The reason why the member (re-)joins the group. (versions 8+)
    pub reason: Option<String>,
}

impl Default for JoinGroupRequest {
    fn default() -> Self {
        Self {
            group_id: Default::default(),
            session_timeout_ms: Default::default(),
            rebalance_timeout_ms: -1,
            member_id: Default::default(),
            group_instance_id: Default::default(),
            protocol_type: Default::default(),
            protocols: Default::default(),
            reason: Default::default(),
        }
    }
}

impl Structure for JoinGroupRequest {
    const MIN_WIRE_BYTES: usize = 14;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        value.group_id = reader.string(flexible)?;
        value.session_timeout_ms = reader.i32()?;
        if version >= 1 {
            value.rebalance_timeout_ms = reader.i32()?;
        }
        value.member_id = reader.string(flexible)?;
        if version >= 5 {
            value.group_instance_id = reader.nullable_string(flexible, true)?;
        }
        value.protocol_type = reader.string(flexible)?;
        value.protocols = reader.array(flexible, version)?;
        if version >= 8 {
            value.reason = reader.nullable_string(flexible, true)?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 6;
        put_string(writer, &self.group_id, flexible)?;
        writer.put_i32(self.session_timeout_ms);
        if version >= 1 {
            writer.put_i32(self.rebalance_timeout_ms);
        }
        put_string(writer, &self.member_id, flexible)?;
        if version >= 5 {
            put_nullable_string(writer, self.group_instance_id.as_deref(), flexible)?;
        } else {
            require(self.group_instance_id.is_none(), "GroupInstanceId", version)?;
        }
        put_string(writer, &self.protocol_type, flexible)?;
        put_array(writer, &self.protocols, flexible, version)?;
        if version >= 8 {
            put_nullable_string(writer, self.reason.as_deref(), flexible)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The list of protocols that the member supports.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct JoinGroupRequestProtocol {
    /// The protocol name. (versions 0+)
    pub name: String,
    /// The protocol metadata. (versions 0+)
    pub metadata: Bytes,
}

impl Structure for JoinGroupRequestProtocol {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        value.name = reader.string(flexible)?;
        value.metadata = reader.bytes(flexible)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 6;
        put_string(writer, &self.name, flexible)?;
        put_bytes(writer, &self.metadata, flexible)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for JoinGroupRequest {
    const NAME: &'static str = "JoinGroupRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 9;
    const FLEXIBLE_FROM: Option<i16> = Some(6);
}

impl Request for JoinGroupRequest {
    const API_KEY: i16 = 11;
    type Response = super::JoinGroupResponse;
}
