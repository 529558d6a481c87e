// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeShareGroupOffsetsResponse`, versions 0 to 1.

use super::super::prelude::*;

/// `DescribeShareGroupOffsetsResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeShareGroupOffsetsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The results for each group. (versions 0+)
    pub groups: Vec<DescribeShareGroupOffsetsResponseGroup>,
}

impl Structure for DescribeShareGroupOffsetsResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.groups = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        put_array(writer, &self.groups, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The results for each group.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeShareGroupOffsetsResponseGroup {
    /// The group identifier. (versions 0+)
    pub group_id: String,
    /// The results for each topic. (versions 0+)
    pub topics: Vec<DescribeShareGroupOffsetsResponseTopic>,
    /// The group-level error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The group-level error message, or null if there was no error. (versions 0+)
    pub error_message: Option<String>,
}

impl Structure for DescribeShareGroupOffsetsResponseGroup {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.group_id = reader.string(true)?;
        value.topics = reader.array(true, version)?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.group_id, true)?;
        put_array(writer, &self.topics, true, version)?;
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The results for each topic.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeShareGroupOffsetsResponseTopic {
    /// The topic name. (versions 0+)
    pub topic_name: String,
    /// The unique topic ID. (versions 0+)
    pub topic_id: Uuid,
    ///  (versions 0+)
    pub partitions: Vec<DescribeShareGroupOffsetsResponsePartition>,
}

impl Structure for DescribeShareGroupOffsetsResponseTopic {
    const MIN_WIRE_BYTES: usize = 19;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic_name = reader.string(true)?;
        value.topic_id = reader.uuid()?;
        value.partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.topic_name, true)?;
        put_uuid(writer, self.topic_id);
        put_array(writer, &self.partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `DescribeShareGroupOffsetsResponsePartition`.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeShareGroupOffsetsResponsePartition {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The share-partition start offset. (versions 0+)
    pub start_offset: i64,
    /// The leader epoch of the partition. (versions 0+)
    pub leader_epoch: i32,
    /// The share-partition lag. (versions 1+)
    pub lag: i64,
    /// The partition-level error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The partition-level error message, or null if there was no error. (versions 0+)
    pub error_message: Option<String>,
}

impl Default for DescribeShareGroupOffsetsResponsePartition {
    fn default() -> Self {
        Self {
            partition_index: Default::default(),
            start_offset: Default::default(),
            leader_epoch: Default::default(),
            lag: -1,
            error_code: Default::default(),
            error_message: Default::default(),
        }
    }
}

impl Structure for DescribeShareGroupOffsetsResponsePartition {
    const MIN_WIRE_BYTES: usize = 20;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.start_offset = reader.i64()?;
        value.leader_epoch = reader.i32()?;
        if version >= 1 {
            value.lag = reader.i64()?;
        }
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition_index);
        writer.put_i64(self.start_offset);
        writer.put_i32(self.leader_epoch);
        if version >= 1 {
            writer.put_i64(self.lag);
        }
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for DescribeShareGroupOffsetsResponse {
    const NAME: &'static str = "DescribeShareGroupOffsetsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for DescribeShareGroupOffsetsResponse {
    const API_KEY: i16 = 90;
    type Request = super::DescribeShareGroupOffsetsRequest;
}
