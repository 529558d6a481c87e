// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `AddRaftVoterRequest`, versions 0 to 1.

use super::super::prelude::*;

/// `AddRaftVoterRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct AddRaftVoterRequest {
    /// The cluster id. (versions 0+)
    pub cluster_id: Option<String>,
    /// The maximum time to wait for the request to complete before returning. (versions 0+)
    pub timeout_ms: i32,
    /// The replica id of the voter getting added to the topic partition. (versions 0+)
    pub voter_id: i32,
    /// The directory id of the voter getting added to the topic partition. (versions 0+)
    pub voter_directory_id: Uuid,
    /// The endpoints that can be used to communicate with the voter. (versions 0+)
    pub listeners: Vec<Listener>,
    /// When true, return a response after the new voter set is committed. Otherwise, return after the leader writes the changes locally. (versions 1+)
    pub ack_when_committed: bool,
}

impl Default for AddRaftVoterRequest {
    fn default() -> Self {
        Self {
            cluster_id: Some(String::new()),
            timeout_ms: Default::default(),
            voter_id: Default::default(),
            voter_directory_id: Default::default(),
            listeners: Default::default(),
            ack_when_committed: true,
        }
    }
}

impl Structure for AddRaftVoterRequest {
    const MIN_WIRE_BYTES: usize = 27;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.cluster_id = reader.nullable_string(true, true)?;
        value.timeout_ms = reader.i32()?;
        value.voter_id = reader.i32()?;
        value.voter_directory_id = reader.uuid()?;
        value.listeners = reader.array(true, version)?;
        if version >= 1 {
            value.ack_when_committed = reader.bool()?;
        }
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_nullable_string(writer, self.cluster_id.as_deref(), true)?;
        writer.put_i32(self.timeout_ms);
        writer.put_i32(self.voter_id);
        put_uuid(writer, self.voter_directory_id);
        put_array(writer, &self.listeners, true, version)?;
        if version >= 1 {
            put_bool(writer, self.ack_when_committed);
        } else {
            require(self.ack_when_committed, "AckWhenCommitted", version)?;
        }
        put_no_tags(writer);
        Ok(())
    }
}

/// The endpoints that can be used to communicate with the voter.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Listener {
    /// The name of the endpoint. (versions 0+)
    pub name: String,
    /// The hostname. (versions 0+)
    pub host: String,
    /// The port. (versions 0+)
    pub port: u16,
}

impl Structure for Listener {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        value.host = reader.string(true)?;
        value.port = reader.u16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        put_string(writer, &self.host, true)?;
        writer.put_u16(self.port);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for AddRaftVoterRequest {
    const NAME: &'static str = "AddRaftVoterRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for AddRaftVoterRequest {
    const API_KEY: i16 = 80;
    type Response = super::AddRaftVoterResponse;
}
