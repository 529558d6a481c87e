// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `OffsetFetchResponse`, versions 1 to 10.

use super::super::prelude::*;

/// `OffsetFetchResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetFetchResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 3+)
    pub throttle_time_ms: i32,
    /// The responses per topic. (versions 0 to 7)
    pub topics: Vec<OffsetFetchResponseTopic>,
    /// The top-level error code, or 0 if there was no error. (versions 2 to 7)
    pub error_code: i16,
    /// The responses per group id. (versions 8+)
    pub groups: Vec<OffsetFetchResponseGroup>,
}

impl Structure for OffsetFetchResponse {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        if version >= 3 {
            value.throttle_time_ms = reader.i32()?;
        }
        if version <= 7 {
            value.topics = reader.array(flexible, version)?;
        }
        if (2..=7).contains(&version) {
            value.error_code = reader.i16()?;
        }
        if version >= 8 {
            value.groups = reader.array(flexible, version)?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 6;
        if version >= 3 {
            writer.put_i32(self.throttle_time_ms);
        }
        if version <= 7 {
            put_array(writer, &self.topics, flexible, version)?;
        } else {
            require(self.topics.is_empty(), "Topics", version)?;
        }
        if (2..=7).contains(&version) {
            writer.put_i16(self.error_code);
        }
        if version >= 8 {
            put_array(writer, &self.groups, flexible, version)?;
        } else {
            require(self.groups.is_empty(), "Groups", version)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The responses per topic.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetFetchResponseTopic {
    /// The topic name. (versions 0 to 7)
    pub name: String,
    /// The responses per partition. (versions 0 to 7)
    pub partitions: Vec<OffsetFetchResponsePartition>,
}

impl Structure for OffsetFetchResponseTopic {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        value.name = reader.string(flexible)?;
        value.partitions = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 6;
        put_string(writer, &self.name, flexible)?;
        put_array(writer, &self.partitions, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The responses per partition.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponsePartition {
    /// The partition index. (versions 0 to 7)
    pub partition_index: i32,
    /// The committed message offset. (versions 0 to 7)
    pub committed_offset: i64,
    /// The leader epoch. (versions 5 to 7)
    pub committed_leader_epoch: i32,
    /// The partition metadata. (versions 0 to 7)
    pub metadata: Option<String>,
    /// The error code, or 0 if there was no error. (versions 0 to 7)
    pub error_code: i16,
}

impl Default for OffsetFetchResponsePartition {
    fn default() -> Self {
        Self {
            partition_index: Default::default(),
            committed_offset: Default::default(),
            committed_leader_epoch: -1,
            metadata: Some(String::new()),
            error_code: Default::default(),
        }
    }
}

impl Structure for OffsetFetchResponsePartition {
    const MIN_WIRE_BYTES: usize = 16;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.committed_offset = reader.i64()?;
        if version >= 5 {
            value.committed_leader_epoch = reader.i32()?;
        }
        value.metadata = reader.nullable_string(flexible, true)?;
        value.error_code = reader.i16()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 6;
        writer.put_i32(self.partition_index);
        writer.put_i64(self.committed_offset);
        if version >= 5 {
            writer.put_i32(self.committed_leader_epoch);
        }
        put_nullable_string(writer, self.metadata.as_deref(), flexible)?;
        writer.put_i16(self.error_code);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The responses per group id.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetFetchResponseGroup {
    /// The group ID. (versions 8+)
    pub group_id: String,
    /// The responses per topic. (versions 8+)
    pub topics: Vec<OffsetFetchResponseTopics>,
    /// The group-level error code, or 0 if there was no error. (versions 8+)
    pub error_code: i16,
}

impl Structure for OffsetFetchResponseGroup {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.group_id = reader.string(true)?;
        value.topics = reader.array(true, version)?;
        value.error_code = reader.i16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.group_id, true)?;
        put_array(writer, &self.topics, true, version)?;
        writer.put_i16(self.error_code);
        put_no_tags(writer);
        Ok(())
    }
}

/// The responses per topic.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetFetchResponseTopics {
    /// The topic name. (versions 8 to 9)
    pub name: String,
    /// The topic ID. (versions 10+)
    pub topic_id: Uuid,
    /// The responses per partition. (versions 8+)
    pub partitions: Vec<OffsetFetchResponsePartitions>,
}

impl Structure for OffsetFetchResponseTopics {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        if version <= 9 {
            value.name = reader.string(true)?;
        }
        if version >= 10 {
            value.topic_id = reader.uuid()?;
        }
        value.partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        if version <= 9 {
            put_string(writer, &self.name, true)?;
        }
        if version >= 10 {
            put_uuid(writer, self.topic_id);
        }
        put_array(writer, &self.partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The responses per partition.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponsePartitions {
    /// The partition index. (versions 8+)
    pub partition_index: i32,
    /// The committed message offset. (versions 8+)
    pub committed_offset: i64,
    /// The leader epoch. (versions 8+)
    pub committed_leader_epoch: i32,
    /// The partition metadata. (versions 8+)
    pub metadata: Option<String>,
    /// The partition-level error code, or 0 if there was no error. (versions 8+)
    pub error_code: i16,
}

impl Default for OffsetFetchResponsePartitions {
    fn default() -> Self {
        Self {
            partition_index: Default::default(),
            committed_offset: Default::default(),
            committed_leader_epoch: -1,
            metadata: Some(String::new()),
            error_code: Default::default(),
        }
    }
}

impl Structure for OffsetFetchResponsePartitions {
    const MIN_WIRE_BYTES: usize = 20;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.committed_offset = reader.i64()?;
        value.committed_leader_epoch = reader.i32()?;
        value.metadata = reader.nullable_string(true, true)?;
        value.error_code = reader.i16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition_index);
        writer.put_i64(self.committed_offset);
        writer.put_i32(self.committed_leader_epoch);
        put_nullable_string(writer, self.metadata.as_deref(), true)?;
        writer.put_i16(self.error_code);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for OffsetFetchResponse {
    const NAME: &'static str = "OffsetFetchResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 10;
    const FLEXIBLE_FROM: Option<i16> = Some(6);
}

impl Response for OffsetFetchResponse {
    const API_KEY: i16 = 9;
    type Request = super::OffsetFetchRequest;
}
