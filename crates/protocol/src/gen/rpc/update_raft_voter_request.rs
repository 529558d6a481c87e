// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `UpdateRaftVoterRequest`, versions 0 to 0.

use super::super::prelude::*;

/// `UpdateRaftVoterRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateRaftVoterRequest {
    /// The cluster id. (versions 0+)
    pub cluster_id: Option<String>,
    /// The current leader epoch of the partition, -1 for unknown leader epoch. (versions 0+)
    pub current_leader_epoch: i32,
    /// The replica id of the voter getting updated in the topic partition. (versions 0+)
    pub voter_id: i32,
    /// The directory id of the voter getting updated in the topic partition. (versions 0+)
    pub voter_directory_id: Uuid,
    /// The endpoint that can be used to communicate with the leader. (versions 0+)
    pub listeners: Vec<Listener>,
    /// The range of versions of the protocol that the replica supports. (versions 0+)
    pub kraft_version_feature: KRaftVersionFeature,
}

impl Default for UpdateRaftVoterRequest {
    fn default() -> Self {
        Self {
            cluster_id: Some(String::new()),
            current_leader_epoch: Default::default(),
            voter_id: Default::default(),
            voter_directory_id: Default::default(),
            listeners: Default::default(),
            kraft_version_feature: Default::default(),
        }
    }
}

impl Structure for UpdateRaftVoterRequest {
    const MIN_WIRE_BYTES: usize = 32;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.cluster_id = reader.nullable_string(true, true)?;
        value.current_leader_epoch = reader.i32()?;
        value.voter_id = reader.i32()?;
        value.voter_directory_id = reader.uuid()?;
        value.listeners = reader.array(true, version)?;
        value.kraft_version_feature = KRaftVersionFeature::read(reader, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_nullable_string(writer, self.cluster_id.as_deref(), true)?;
        writer.put_i32(self.current_leader_epoch);
        writer.put_i32(self.voter_id);
        put_uuid(writer, self.voter_directory_id);
        put_array(writer, &self.listeners, true, version)?;
        self.kraft_version_feature.write(writer, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The endpoint that can be used to communicate with the leader.
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

/// The range of versions of the protocol that the replica supports.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct KRaftVersionFeature {
    /// The minimum supported KRaft protocol version. (versions 0+)
    pub min_supported_version: i16,
    /// The maximum supported KRaft protocol version. (versions 0+)
    pub max_supported_version: i16,
}

impl Structure for KRaftVersionFeature {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.min_supported_version = reader.i16()?;
        value.max_supported_version = reader.i16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i16(self.min_supported_version);
        writer.put_i16(self.max_supported_version);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for UpdateRaftVoterRequest {
    const NAME: &'static str = "UpdateRaftVoterRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for UpdateRaftVoterRequest {
    const API_KEY: i16 = 82;
    type Response = super::UpdateRaftVoterResponse;
}
