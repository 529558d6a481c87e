// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `AssignReplicasToDirsResponse`, versions 0 to 0.

use super::super::prelude::*;

/// `AssignReplicasToDirsResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AssignReplicasToDirsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The top level response error code. (versions 0+)
    pub error_code: i16,
    /// The list of directories and their assigned partitions. (versions 0+)
    pub directories: Vec<DirectoryData>,
}

impl Structure for AssignReplicasToDirsResponse {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        value.directories = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        writer.put_i16(self.error_code);
        put_array(writer, &self.directories, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The list of directories and their assigned partitions.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DirectoryData {
    /// The ID of the directory. (versions 0+)
    pub id: Uuid,
    /// The list of topics and their assigned partitions. (versions 0+)
    pub topics: Vec<TopicData>,
}

impl Structure for DirectoryData {
    const MIN_WIRE_BYTES: usize = 18;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.id = reader.uuid()?;
        value.topics = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_uuid(writer, self.id);
        put_array(writer, &self.topics, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The list of topics and their assigned partitions.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicData {
    /// The ID of the assigned topic. (versions 0+)
    pub topic_id: Uuid,
    /// The list of assigned partitions. (versions 0+)
    pub partitions: Vec<PartitionData>,
}

impl Structure for TopicData {
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

/// The list of assigned partitions.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionData {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The partition level error code. (versions 0+)
    pub error_code: i16,
}

impl Structure for PartitionData {
    const MIN_WIRE_BYTES: usize = 7;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.error_code = reader.i16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition_index);
        writer.put_i16(self.error_code);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for AssignReplicasToDirsResponse {
    const NAME: &'static str = "AssignReplicasToDirsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for AssignReplicasToDirsResponse {
    const API_KEY: i16 = 73;
    type Request = super::AssignReplicasToDirsRequest;
}
