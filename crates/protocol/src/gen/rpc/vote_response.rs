// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `VoteResponse`, versions 0 to 2.

use super::super::prelude::*;

/// `VoteResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct VoteResponse {
    /// The top level error code. (versions 0+)
    pub error_code: i16,
    /// The results for each topic. (versions 0+)
    pub topics: Vec<TopicData>,
    /// Endpoints for all current-leaders enumerated in PartitionData. (versions 1+, tag 0)
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Structure for VoteResponse {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.topics = reader.array(true, version)?;
        reader.tags(|reader, tag| {
            match tag {
                0 if version >= 1 => value.node_endpoints = reader.array(true, version)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i16(self.error_code);
        put_array(writer, &self.topics, true, version)?;
        require(version >= 1 || self.node_endpoints.is_empty(), "NodeEndpoints", version)?;
        let mut tags = Tags::default();
        if version >= 1 && !self.node_endpoints.is_empty() {
            tags.put(0, |writer| {
                put_array(writer, &self.node_endpoints, true, version)?;
                Ok(())
            })?;
        }
        tags.finish(writer);
        Ok(())
    }
}

/// The results for each topic.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicData {
    /// The topic name. (versions 0+)
    pub topic_name: String,
    /// The results for each partition. (versions 0+)
    pub partitions: Vec<PartitionData>,
}

impl Structure for TopicData {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic_name = reader.string(true)?;
        value.partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.topic_name, true)?;
        put_array(writer, &self.partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The results for each partition.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionData {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The partition level error code. (versions 0+)
    pub error_code: i16,
    /// The ID of the current leader or -1 if the leader is unknown. (versions 0+)
    pub leader_id: i32,
    /// The latest known leader epoch. (versions 0+)
    pub leader_epoch: i32,
    /// True if the vote was granted and false otherwise. (versions 0+)
    pub vote_granted: bool,
}

impl Structure for PartitionData {
    const MIN_WIRE_BYTES: usize = 16;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.error_code = reader.i16()?;
        value.leader_id = reader.i32()?;
        value.leader_epoch = reader.i32()?;
        value.vote_granted = reader.bool()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition_index);
        writer.put_i16(self.error_code);
        writer.put_i32(self.leader_id);
        writer.put_i32(self.leader_epoch);
        put_bool(writer, self.vote_granted);
        put_no_tags(writer);
        Ok(())
    }
}

/// Endpoints for all current-leaders enumerated in PartitionData.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct NodeEndpoint {
    /// The ID of the associated node. (versions 1+)
    pub node_id: i32,
    /// The node's hostname. (versions 1+)
    pub host: String,
    /// The node's port. (versions 1+)
    pub port: u16,
}

impl Structure for NodeEndpoint {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.node_id = reader.i32()?;
        value.host = reader.string(true)?;
        value.port = reader.u16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.node_id);
        put_string(writer, &self.host, true)?;
        writer.put_u16(self.port);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for VoteResponse {
    const NAME: &'static str = "VoteResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for VoteResponse {
    const API_KEY: i16 = 52;
    type Request = super::VoteRequest;
}
