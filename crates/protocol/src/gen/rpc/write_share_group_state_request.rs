// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `WriteShareGroupStateRequest`, versions 0 to 1.

use super::super::prelude::*;

/// `WriteShareGroupStateRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct WriteShareGroupStateRequest {
    /// The group identifier. (versions 0+)
    pub group_id: String,
    /// The data for the topics. (versions 0+)
    pub topics: Vec<WriteStateData>,
}

impl Structure for WriteShareGroupStateRequest {
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
pub struct WriteStateData {
    /// The topic identifier. (versions 0+)
    pub topic_id: Uuid,
    /// The data for the partitions. (versions 0+)
    pub partitions: Vec<PartitionData>,
}

impl Structure for WriteStateData {
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
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionData {
    /// The partition index. (versions 0+)
    pub partition: i32,
    /// The state epoch of the share-partition. (versions 0+)
    pub state_epoch: i32,
    /// The leader epoch of the share-partition. (versions 0+)
    pub leader_epoch: i32,
    /// The share-partition start offset, or -1 if the start offset is not being written. (versions 0+)
    pub start_offset: i64,
    /// The number of offsets greater than or equal to share-partition start offset for which delivery has been completed. (versions 1+)
    pub delivery_complete_count: i32,
    /// The state batches for the share-partition. (versions 0+)
    pub state_batches: Vec<StateBatch>,
}

impl Default for PartitionData {
    fn default() -> Self {
        Self {
            partition: Default::default(),
            state_epoch: Default::default(),
            leader_epoch: Default::default(),
            start_offset: Default::default(),
            delivery_complete_count: -1,
            state_batches: Default::default(),
        }
    }
}

impl Structure for PartitionData {
    const MIN_WIRE_BYTES: usize = 22;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition = reader.i32()?;
        value.state_epoch = reader.i32()?;
        value.leader_epoch = reader.i32()?;
        value.start_offset = reader.i64()?;
        if version >= 1 {
            value.delivery_complete_count = reader.i32()?;
        }
        value.state_batches = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition);
        writer.put_i32(self.state_epoch);
        writer.put_i32(self.leader_epoch);
        writer.put_i64(self.start_offset);
        if version >= 1 {
            writer.put_i32(self.delivery_complete_count);
        }
        put_array(writer, &self.state_batches, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The state batches for the share-partition.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StateBatch {
    /// The first offset of this state batch. (versions 0+)
    pub first_offset: i64,
    /// The last offset of this state batch. (versions 0+)
    pub last_offset: i64,
    /// The delivery state - 0:Available,2:Acked,4:Archived. (versions 0+)
    pub delivery_state: i8,
    /// The delivery count. (versions 0+)
    pub delivery_count: i16,
}

impl Structure for StateBatch {
    const MIN_WIRE_BYTES: usize = 20;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.first_offset = reader.i64()?;
        value.last_offset = reader.i64()?;
        value.delivery_state = reader.i8()?;
        value.delivery_count = reader.i16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i64(self.first_offset);
        writer.put_i64(self.last_offset);
        writer.put_i8(self.delivery_state);
        writer.put_i16(self.delivery_count);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for WriteShareGroupStateRequest {
    const NAME: &'static str = "WriteShareGroupStateRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for WriteShareGroupStateRequest {
    const API_KEY: i16 = 85;
    type Response = super::WriteShareGroupStateResponse;
}
