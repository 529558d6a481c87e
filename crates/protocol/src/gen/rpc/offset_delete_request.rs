// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `OffsetDeleteRequest`, versions 0 to 0.

use super::super::prelude::*;

/// `OffsetDeleteRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetDeleteRequest {
    /// The unique group identifier. (versions 0+)
    pub group_id: String,
    /// The topics to delete offsets for. (versions 0+)
    pub topics: Vec<OffsetDeleteRequestTopic>,
}

impl Structure for OffsetDeleteRequest {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.group_id = reader.string(false)?;
        value.topics = reader.array(false, version)?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.group_id, false)?;
        put_array(writer, &self.topics, false, version)?;
        Ok(())
    }
}

/// The topics to delete offsets for.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetDeleteRequestTopic {
    /// The topic name. (versions 0+)
    pub name: String,
    /// Each partition to delete offsets for. (versions 0+)
    pub partitions: Vec<OffsetDeleteRequestPartition>,
}

impl Structure for OffsetDeleteRequestTopic {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(false)?;
        value.partitions = reader.array(false, version)?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, false)?;
        put_array(writer, &self.partitions, false, version)?;
        Ok(())
    }
}

/// Each partition to delete offsets for.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetDeleteRequestPartition {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
}

impl Structure for OffsetDeleteRequestPartition {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition_index);
        Ok(())
    }
}

impl Message for OffsetDeleteRequest {
    const NAME: &'static str = "OffsetDeleteRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl Request for OffsetDeleteRequest {
    const API_KEY: i16 = 47;
    type Response = super::OffsetDeleteResponse;
}
