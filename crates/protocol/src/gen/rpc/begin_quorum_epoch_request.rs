// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `BeginQuorumEpochRequest`, versions 0 to 1.

use super::super::prelude::*;

/// `BeginQuorumEpochRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct BeginQuorumEpochRequest {
    /// The cluster id. (versions 0+)
    pub cluster_id: Option<String>,
    /// The replica id of the voter receiving the request. (versions 1+)
    pub voter_id: i32,
    /// The topics. (versions 0+)
    pub topics: Vec<TopicData>,
    /// Endpoints for the leader. (versions 1+)
    pub leader_endpoints: Vec<LeaderEndpoint>,
}

impl Default for BeginQuorumEpochRequest {
    fn default() -> Self {
        Self {
            cluster_id: Default::default(),
            voter_id: -1,
            topics: Default::default(),
            leader_endpoints: Default::default(),
        }
    }
}

impl Structure for BeginQuorumEpochRequest {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.cluster_id = reader.nullable_string(flexible, true)?;
        if version >= 1 {
            value.voter_id = reader.i32()?;
        }
        value.topics = reader.array(flexible, version)?;
        if version >= 1 {
            value.leader_endpoints = reader.array(flexible, version)?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        put_nullable_string(writer, self.cluster_id.as_deref(), flexible)?;
        if version >= 1 {
            writer.put_i32(self.voter_id);
        }
        put_array(writer, &self.topics, flexible, version)?;
        if version >= 1 {
            put_array(writer, &self.leader_endpoints, flexible, version)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The topics.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicData {
    /// The topic name. (versions 0+)
    pub topic_name: String,
    /// The partitions. (versions 0+)
    pub partitions: Vec<PartitionData>,
}

impl Structure for TopicData {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.topic_name = reader.string(flexible)?;
        value.partitions = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        put_string(writer, &self.topic_name, flexible)?;
        put_array(writer, &self.partitions, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The partitions.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionData {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The directory id of the receiving replica. (versions 1+)
    pub voter_directory_id: Uuid,
    /// The ID of the newly elected leader. (versions 0+)
    pub leader_id: i32,
    /// The epoch of the newly elected leader. (versions 0+)
    pub leader_epoch: i32,
}

impl Structure for PartitionData {
    const MIN_WIRE_BYTES: usize = 12;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        if version >= 1 {
            value.voter_directory_id = reader.uuid()?;
        }
        value.leader_id = reader.i32()?;
        value.leader_epoch = reader.i32()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        writer.put_i32(self.partition_index);
        if version >= 1 {
            put_uuid(writer, self.voter_directory_id);
        }
        writer.put_i32(self.leader_id);
        writer.put_i32(self.leader_epoch);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Endpoints for the leader.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LeaderEndpoint {
    /// The name of the endpoint. (versions 1+)
    pub name: String,
    /// The node's hostname. (versions 1+)
    pub host: String,
    /// The node's port. (versions 1+)
    pub port: u16,
}

impl Structure for LeaderEndpoint {
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

impl Message for BeginQuorumEpochRequest {
    const NAME: &'static str = "BeginQuorumEpochRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}

impl Request for BeginQuorumEpochRequest {
    const API_KEY: i16 = 53;
    type Response = super::BeginQuorumEpochResponse;
}
