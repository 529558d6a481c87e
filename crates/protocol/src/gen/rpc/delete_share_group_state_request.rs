// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DeleteShareGroupStateRequest`, versions 0 to 0.

use super::super::prelude::*;

/// `DeleteShareGroupStateRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteShareGroupStateRequest {
    /// The group identifier. (versions 0+)
    pub group_id: String,
    /// The data for the topics. (versions 0+)
    pub topics: Vec<DeleteStateData>,
}

impl Structure for DeleteShareGroupStateRequest {
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
pub struct DeleteStateData {
    /// The topic identifier. (versions 0+)
    pub topic_id: Uuid,
    /// The data for the partitions. (versions 0+)
    pub partitions: Vec<PartitionData>,
}

impl Structure for DeleteStateData {
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
}

impl Structure for PartitionData {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition = reader.i32()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for DeleteShareGroupStateRequest {
    const NAME: &'static str = "DeleteShareGroupStateRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for DeleteShareGroupStateRequest {
    const API_KEY: i16 = 86;
    type Response = super::DeleteShareGroupStateResponse;
}
