// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `InitializeShareGroupStateRequest`, versions 0 to 0.

use super::super::prelude::*;

/// `InitializeShareGroupStateRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct InitializeShareGroupStateRequest {
    /// The group identifier. (versions 0+)
    pub group_id: String,
    /// The data for the topics. (versions 0+)
    pub topics: Vec<InitializeStateData>,
}

impl Structure for InitializeShareGroupStateRequest {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.group_id = reader.string(true)?;
        value.topics = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.group_id, true)?;
        put_array(writer, &self.topics, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The data for the topics.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct InitializeStateData {
    /// The topic identifier. (versions 0+)
    pub topic_id: Uuid,
    /// The data for the partitions. (versions 0+)
    pub partitions: Vec<PartitionData>,
}

impl Structure for InitializeStateData {
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

/// The data for the partitions.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionData {
    /// The partition index. (versions 0+)
    pub partition: i32,
    /// The state epoch for this share-partition. (versions 0+)
    pub state_epoch: i32,
    /// The share-partition start offset, or -1 if the start offset is not being initialized. (versions 0+)
    pub start_offset: i64,
}

impl Structure for PartitionData {
    const MIN_WIRE_BYTES: usize = 17;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition = reader.i32()?;
        value.state_epoch = reader.i32()?;
        value.start_offset = reader.i64()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition);
        writer.put_i32(self.state_epoch);
        writer.put_i64(self.start_offset);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for InitializeShareGroupStateRequest {
    const NAME: &'static str = "InitializeShareGroupStateRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for InitializeShareGroupStateRequest {
    const API_KEY: i16 = 83;
    type Response = super::InitializeShareGroupStateResponse;
}
