// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeQuorumResponse`, versions 0 to 2.

use super::super::prelude::*;

/// `DescribeQuorumResponse`.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeQuorumResponse {
    /// The top level error code. (versions 0+)
    pub error_code: i16,
    /// The error message, or null if there was no error. (versions 2+)
    pub error_message: Option<String>,
    /// The response from the describe quorum API. (versions 0+)
    pub topics: Vec<TopicData>,
    /// The nodes in the quorum. (versions 2+)
    pub nodes: Vec<Node>,
}

impl Default for DescribeQuorumResponse {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            error_message: Some(String::new()),
            topics: Default::default(),
            nodes: Default::default(),
        }
    }
}

impl Structure for DescribeQuorumResponse {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        if version >= 2 {
            value.error_message = reader.nullable_string(true, true)?;
        }
        value.topics = reader.array(true, version)?;
        if version >= 2 {
            value.nodes = reader.array(true, version)?;
        }
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i16(self.error_code);
        if version >= 2 {
            put_nullable_string(writer, self.error_message.as_deref(), true)?;
        }
        put_array(writer, &self.topics, true, version)?;
        if version >= 2 {
            put_array(writer, &self.nodes, true, version)?;
        } else {
            require(self.nodes.is_empty(), "Nodes", version)?;
        }
        put_no_tags(writer);
        Ok(())
    }
}

/// The response from the describe quorum API.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicData {
    /// The topic name. (versions 0+)
    pub topic_name: String,
    /// The partition data. (versions 0+)
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

/// The partition data.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionData {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The partition error code. (versions 0+)
    pub error_code: i16,
    /// The error message, or null if there was no error. (versions 2+)
    pub error_message: Option<String>,
    /// The ID of the current leader or -1 if the leader is unknown. (versions 0+)
    pub leader_id: i32,
    /// The latest known leader epoch. (versions 0+)
    pub leader_epoch: i32,
    /// The high water mark. (versions 0+)
    pub high_watermark: i64,
    /// The current voters of the partition. (versions 0+)
    pub current_voters: Vec<ReplicaState>,
    /// The observers of the partition. (versions 0+)
    pub observers: Vec<ReplicaState>,
}

impl Default for PartitionData {
    fn default() -> Self {
        Self {
            partition_index: Default::default(),
            error_code: Default::default(),
            error_message: Some(String::new()),
            leader_id: Default::default(),
            leader_epoch: Default::default(),
            high_watermark: Default::default(),
            current_voters: Default::default(),
            observers: Default::default(),
        }
    }
}

impl Structure for PartitionData {
    const MIN_WIRE_BYTES: usize = 25;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.error_code = reader.i16()?;
        if version >= 2 {
            value.error_message = reader.nullable_string(true, true)?;
        }
        value.leader_id = reader.i32()?;
        value.leader_epoch = reader.i32()?;
        value.high_watermark = reader.i64()?;
        value.current_voters = reader.array(true, version)?;
        value.observers = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition_index);
        writer.put_i16(self.error_code);
        if version >= 2 {
            put_nullable_string(writer, self.error_message.as_deref(), true)?;
        }
        writer.put_i32(self.leader_id);
        writer.put_i32(self.leader_epoch);
        writer.put_i64(self.high_watermark);
        put_array(writer, &self.current_voters, true, version)?;
        put_array(writer, &self.observers, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The nodes in the quorum.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Node {
    /// The ID of the associated node. (versions 2+)
    pub node_id: i32,
    /// The listeners of this controller. (versions 2+)
    pub listeners: Vec<Listener>,
}

impl Structure for Node {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.node_id = reader.i32()?;
        value.listeners = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.node_id);
        put_array(writer, &self.listeners, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The listeners of this controller.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Listener {
    /// The name of the endpoint. (versions 2+)
    pub name: String,
    /// The hostname. (versions 2+)
    pub host: String,
    /// The port. (versions 2+)
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

/// `ReplicaState`.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaState {
    /// The ID of the replica. (versions 0+)
    pub replica_id: i32,
    /// The replica directory ID of the replica. (versions 2+)
    pub replica_directory_id: Uuid,
    /// The last known log end offset of the follower or -1 if it is unknown. (versions 0+)
    pub log_end_offset: i64,
    /// The last known leader wall clock time time when a follower fetched from the leader. This is reported as -1 both for the current leader or if it is unknown for a voter. (versions 1+)
    pub last_fetch_timestamp: i64,
    /// The leader wall clock append time of the offset for which the follower made the most recent fetch request. This is reported as the current time for the leader and -1 if unknown for a voter. (versions 1+)
    pub last_caught_up_timestamp: i64,
}

impl Default for ReplicaState {
    fn default() -> Self {
        Self {
            replica_id: Default::default(),
            replica_directory_id: Default::default(),
            log_end_offset: Default::default(),
            last_fetch_timestamp: -1,
            last_caught_up_timestamp: -1,
        }
    }
}

impl Structure for ReplicaState {
    const MIN_WIRE_BYTES: usize = 13;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.replica_id = reader.i32()?;
        if version >= 2 {
            value.replica_directory_id = reader.uuid()?;
        }
        value.log_end_offset = reader.i64()?;
        if version >= 1 {
            value.last_fetch_timestamp = reader.i64()?;
        }
        if version >= 1 {
            value.last_caught_up_timestamp = reader.i64()?;
        }
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.replica_id);
        if version >= 2 {
            put_uuid(writer, self.replica_directory_id);
        } else {
            require(self.replica_directory_id.is_zero(), "ReplicaDirectoryId", version)?;
        }
        writer.put_i64(self.log_end_offset);
        if version >= 1 {
            writer.put_i64(self.last_fetch_timestamp);
        }
        if version >= 1 {
            writer.put_i64(self.last_caught_up_timestamp);
        }
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for DescribeQuorumResponse {
    const NAME: &'static str = "DescribeQuorumResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for DescribeQuorumResponse {
    const API_KEY: i16 = 55;
    type Request = super::DescribeQuorumRequest;
}
