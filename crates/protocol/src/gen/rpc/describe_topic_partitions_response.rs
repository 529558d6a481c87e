// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeTopicPartitionsResponse`, versions 0 to 0.

use super::super::prelude::*;

/// `DescribeTopicPartitionsResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeTopicPartitionsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// Each topic in the response. (versions 0+)
    pub topics: Vec<DescribeTopicPartitionsResponseTopic>,
    /// The next topic and partition index to fetch details for. (versions 0+)
    pub next_cursor: Option<Cursor>,
}

impl Structure for DescribeTopicPartitionsResponse {
    const MIN_WIRE_BYTES: usize = 7;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.topics = reader.array(true, version)?;
        value.next_cursor = reader.nullable_struct(version, true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        put_array(writer, &self.topics, true, version)?;
        put_nullable_struct(writer, self.next_cursor.as_ref(), version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// Each topic in the response.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTopicPartitionsResponseTopic {
    /// The topic error, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The topic name. (versions 0+)
    pub name: Option<String>,
    /// The topic id. (versions 0+)
    pub topic_id: Uuid,
    /// True if the topic is internal. (versions 0+)
    pub is_internal: bool,
    /// Each partition in the topic. (versions 0+)
    pub partitions: Vec<DescribeTopicPartitionsResponsePartition>,
    /// 32-bit bitfield to represent authorized operations for this topic. (versions 0+)
    pub topic_authorized_operations: i32,
}

impl Default for DescribeTopicPartitionsResponseTopic {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            name: Some(String::new()),
            topic_id: Default::default(),
            is_internal: Default::default(),
            partitions: Default::default(),
            topic_authorized_operations: i32::MIN,
        }
    }
}

impl Structure for DescribeTopicPartitionsResponseTopic {
    const MIN_WIRE_BYTES: usize = 26;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.name = reader.nullable_string(true, true)?;
        value.topic_id = reader.uuid()?;
        value.is_internal = reader.bool()?;
        value.partitions = reader.array(true, version)?;
        value.topic_authorized_operations = reader.i32()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.name.as_deref(), true)?;
        put_uuid(writer, self.topic_id);
        put_bool(writer, self.is_internal);
        put_array(writer, &self.partitions, true, version)?;
        writer.put_i32(self.topic_authorized_operations);
        put_no_tags(writer);
        Ok(())
    }
}

/// Each partition in the topic.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTopicPartitionsResponsePartition {
    /// The partition error, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The ID of the leader broker. (versions 0+)
    pub leader_id: i32,
    /// The leader epoch of this partition. (versions 0+)
    pub leader_epoch: i32,
    /// The set of all nodes that host this partition. (versions 0+)
    pub replica_nodes: Vec<i32>,
    /// The set of nodes that are in sync with the leader for this partition. (versions 0+)
    pub isr_nodes: Vec<i32>,
    /// The new eligible leader replicas otherwise. (versions 0+)
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// The last known ELR. (versions 0+)
    pub last_known_elr: Option<Vec<i32>>,
    /// The set of offline replicas of this partition. (versions 0+)
    pub offline_replicas: Vec<i32>,
}

impl Default for DescribeTopicPartitionsResponsePartition {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            partition_index: Default::default(),
            leader_id: Default::default(),
            leader_epoch: -1,
            replica_nodes: Default::default(),
            isr_nodes: Default::default(),
            eligible_leader_replicas: Default::default(),
            last_known_elr: Default::default(),
            offline_replicas: Default::default(),
        }
    }
}

impl Structure for DescribeTopicPartitionsResponsePartition {
    const MIN_WIRE_BYTES: usize = 20;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.partition_index = reader.i32()?;
        value.leader_id = reader.i32()?;
        value.leader_epoch = reader.i32()?;
        value.replica_nodes = reader.array(true, version)?;
        value.isr_nodes = reader.array(true, version)?;
        value.eligible_leader_replicas = reader.nullable_array(true, true, version)?;
        value.last_known_elr = reader.nullable_array(true, true, version)?;
        value.offline_replicas = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i16(self.error_code);
        writer.put_i32(self.partition_index);
        writer.put_i32(self.leader_id);
        writer.put_i32(self.leader_epoch);
        put_array(writer, &self.replica_nodes, true, version)?;
        put_array(writer, &self.isr_nodes, true, version)?;
        put_nullable_array(writer, self.eligible_leader_replicas.as_deref(), true, version)?;
        put_nullable_array(writer, self.last_known_elr.as_deref(), true, version)?;
        put_array(writer, &self.offline_replicas, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The next topic and partition index to fetch details for.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Cursor {
    /// The name for the first topic to process. (versions 0+)
    pub topic_name: String,
    /// The partition index to start with. (versions 0+)
    pub partition_index: i32,
}

impl Structure for Cursor {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic_name = reader.string(true)?;
        value.partition_index = reader.i32()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.topic_name, true)?;
        writer.put_i32(self.partition_index);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for DescribeTopicPartitionsResponse {
    const NAME: &'static str = "DescribeTopicPartitionsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for DescribeTopicPartitionsResponse {
    const API_KEY: i16 = 75;
    type Request = super::DescribeTopicPartitionsRequest;
}
