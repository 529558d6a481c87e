// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `AssignReplicasToDirsRequest`, versions 0 to 0.

use super::super::prelude::*;

/// `AssignReplicasToDirsRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct AssignReplicasToDirsRequest {
    /// The ID of the requesting broker. (versions 0+)
    pub broker_id: i32,
    /// The epoch of the requesting broker. (versions 0+)
    pub broker_epoch: i64,
    /// The directories to which replicas should be assigned. (versions 0+)
    pub directories: Vec<DirectoryData>,
}

impl Default for AssignReplicasToDirsRequest {
    fn default() -> Self {
        Self { broker_id: Default::default(), broker_epoch: -1, directories: Default::default() }
    }
}

impl Structure for AssignReplicasToDirsRequest {
    const MIN_WIRE_BYTES: usize = 14;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.broker_id = reader.i32()?;
        value.broker_epoch = reader.i64()?;
        value.directories = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.broker_id);
        writer.put_i64(self.broker_epoch);
        put_array(writer, &self.directories, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The directories to which replicas should be assigned.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DirectoryData {
    /// The ID of the directory. (versions 0+)
    pub id: Uuid,
    /// The topics assigned to the directory. (versions 0+)
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

/// The topics assigned to the directory.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicData {
    /// The ID of the assigned topic. (versions 0+)
    pub topic_id: Uuid,
    /// The partitions assigned to the directory. (versions 0+)
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

/// The partitions assigned to the directory.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionData {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
}

impl Structure for PartitionData {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition_index);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for AssignReplicasToDirsRequest {
    const NAME: &'static str = "AssignReplicasToDirsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for AssignReplicasToDirsRequest {
    const API_KEY: i16 = 73;
    type Response = super::AssignReplicasToDirsResponse;
}
