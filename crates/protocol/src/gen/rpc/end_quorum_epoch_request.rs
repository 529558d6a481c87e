// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `EndQuorumEpochRequest`, versions 0 to 1.

use super::super::prelude::*;

/// `EndQuorumEpochRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct EndQuorumEpochRequest {
    /// The cluster id. (versions 0+)
    pub cluster_id: Option<String>,
    /// The topics. (versions 0+)
    pub topics: Vec<TopicData>,
    /// Endpoints for the leader. (versions 1+)
    pub leader_endpoints: Vec<LeaderEndpoint>,
}

impl Structure for EndQuorumEpochRequest {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.cluster_id = reader.nullable_string(flexible, true)?;
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
    /// The current leader ID that is resigning. (versions 0+)
    pub leader_id: i32,
    /// The current epoch. (versions 0+)
    pub leader_epoch: i32,
    /// A sorted list of preferred successors to start the election. (versions 0 to 0)
    pub preferred_successors: Vec<i32>,
    /// A sorted list of preferred candidates to start the election. (versions 1+)
    pub preferred_candidates: Vec<ReplicaInfo>,
}

impl Structure for PartitionData {
    const MIN_WIRE_BYTES: usize = 14;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.leader_id = reader.i32()?;
        value.leader_epoch = reader.i32()?;
        if version <= 0 {
            value.preferred_successors = reader.array(flexible, version)?;
        }
        if version >= 1 {
            value.preferred_candidates = reader.array(flexible, version)?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        writer.put_i32(self.partition_index);
        writer.put_i32(self.leader_id);
        writer.put_i32(self.leader_epoch);
        if version <= 0 {
            put_array(writer, &self.preferred_successors, flexible, version)?;
        }
        if version >= 1 {
            put_array(writer, &self.preferred_candidates, flexible, version)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// A sorted list of preferred candidates to start the election.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ReplicaInfo {
    /// The ID of the candidate replica. (versions 1+)
    pub candidate_id: i32,
    /// The directory ID of the candidate replica. (versions 1+)
    pub candidate_directory_id: Uuid,
}

impl Structure for ReplicaInfo {
    const MIN_WIRE_BYTES: usize = 21;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.candidate_id = reader.i32()?;
        value.candidate_directory_id = reader.uuid()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.candidate_id);
        put_uuid(writer, self.candidate_directory_id);
        put_no_tags(writer);
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

impl Message for EndQuorumEpochRequest {
    const NAME: &'static str = "EndQuorumEpochRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}

impl Request for EndQuorumEpochRequest {
    const API_KEY: i16 = 54;
    type Response = super::EndQuorumEpochResponse;
}
