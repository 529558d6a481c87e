// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ReadShareGroupStateSummaryRequest`, versions 0 to 1.

use super::super::prelude::*;

/// `ReadShareGroupStateSummaryRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ReadShareGroupStateSummaryRequest {
    /// The group identifier. (versions 0+)
    pub group_id: String,
    /// The data for the topics. (versions 0+)
    pub topics: Vec<ReadStateSummaryData>,
}

impl Structure for ReadShareGroupStateSummaryRequest {
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
pub struct ReadStateSummaryData {
    /// The topic identifier. (versions 0+)
    pub topic_id: Uuid,
    /// The data for the partitions. (versions 0+)
    pub partitions: Vec<PartitionData>,
}

impl Structure for ReadStateSummaryData {
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
    /// The leader epoch of the share-partition. (versions 0+)
    pub leader_epoch: i32,
}

impl Structure for PartitionData {
    const MIN_WIRE_BYTES: usize = 9;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition = reader.i32()?;
        value.leader_epoch = reader.i32()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition);
        writer.put_i32(self.leader_epoch);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ReadShareGroupStateSummaryRequest {
    const NAME: &'static str = "ReadShareGroupStateSummaryRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for ReadShareGroupStateSummaryRequest {
    const API_KEY: i16 = 87;
    type Response = super::ReadShareGroupStateSummaryResponse;
}
