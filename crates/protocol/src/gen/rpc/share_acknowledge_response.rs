// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ShareAcknowledgeResponse`, versions 1 to 2.

use super::super::prelude::*;

/// `ShareAcknowledgeResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareAcknowledgeResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The top level response error code. (versions 0+)
    pub error_code: i16,
    /// The top-level error message, or null if there was no error. (versions 0+)
    pub error_message: Option<String>,
    /// The time in milliseconds for which the acquired records are locked. (versions 2+)
    pub acquisition_lock_timeout_ms: i32,
    /// The response topics. (versions 0+)
    pub responses: Vec<ShareAcknowledgeTopicResponse>,
    /// Endpoints for all current leaders enumerated in PartitionData with error NOT_LEADER_OR_FOLLOWER. (versions 0+)
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Structure for ShareAcknowledgeResponse {
    const MIN_WIRE_BYTES: usize = 10;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        if version >= 2 {
            value.acquisition_lock_timeout_ms = reader.i32()?;
        }
        value.responses = reader.array(true, version)?;
        value.node_endpoints = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        if version >= 2 {
            writer.put_i32(self.acquisition_lock_timeout_ms);
        }
        put_array(writer, &self.responses, true, version)?;
        put_array(writer, &self.node_endpoints, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The response topics.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareAcknowledgeTopicResponse {
    /// The unique topic ID. (versions 0+)
    pub topic_id: Uuid,
    /// The topic partitions. (versions 0+)
    pub partitions: Vec<PartitionData>,
}

impl Structure for ShareAcknowledgeTopicResponse {
    const MIN_WIRE_BYTES: usize = 18;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic_id = reader.uuid()?;
        value.partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_uuid(writer, self.topic_id);
        put_array(writer, &self.partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The topic partitions.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionData {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The error message, or null if there was no error. (versions 0+)
    pub error_message: Option<String>,
    /// The current leader of the partition. (versions 0+)
    pub current_leader: LeaderIdAndEpoch,
}

impl Structure for PartitionData {
    const MIN_WIRE_BYTES: usize = 17;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        value.current_leader = LeaderIdAndEpoch::read(reader, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition_index);
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        self.current_leader.write(writer, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The current leader of the partition.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LeaderIdAndEpoch {
    /// The ID of the current leader or -1 if the leader is unknown. (versions 0+)
    pub leader_id: i32,
    /// The latest known leader epoch. (versions 0+)
    pub leader_epoch: i32,
}

impl Structure for LeaderIdAndEpoch {
    const MIN_WIRE_BYTES: usize = 9;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.leader_id = reader.i32()?;
        value.leader_epoch = reader.i32()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.leader_id);
        writer.put_i32(self.leader_epoch);
        put_no_tags(writer);
        Ok(())
    }
}

/// Endpoints for all current leaders enumerated in PartitionData with error NOT_LEADER_OR_FOLLOWER.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct NodeEndpoint {
    /// The ID of the associated node. (versions 0+)
    pub node_id: i32,
    /// The node's hostname. (versions 0+)
    pub host: String,
    /// The node's port. (versions 0+)
    pub port: i32,
    /// The rack of the node, or null if it has not been assigned to a rack. (versions 0+)
    pub rack: Option<String>,
}

impl Structure for NodeEndpoint {
    const MIN_WIRE_BYTES: usize = 11;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.node_id = reader.i32()?;
        value.host = reader.string(true)?;
        value.port = reader.i32()?;
        value.rack = reader.nullable_string(true, true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.node_id);
        put_string(writer, &self.host, true)?;
        writer.put_i32(self.port);
        put_nullable_string(writer, self.rack.as_deref(), true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ShareAcknowledgeResponse {
    const NAME: &'static str = "ShareAcknowledgeResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}

impl Response for ShareAcknowledgeResponse {
    const API_KEY: i16 = 79;
    type Request = super::ShareAcknowledgeRequest;
}
