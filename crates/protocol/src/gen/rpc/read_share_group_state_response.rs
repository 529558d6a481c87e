// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ReadShareGroupStateResponse`, versions 0 to 0.

use super::super::prelude::*;

/// `ReadShareGroupStateResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ReadShareGroupStateResponse {
    /// The read results. (versions 0+)
    pub results: Vec<ReadStateResult>,
}

impl Structure for ReadShareGroupStateResponse {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.results = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_array(writer, &self.results, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The read results.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ReadStateResult {
    /// The topic identifier. (versions 0+)
    pub topic_id: Uuid,
    /// The results for the partitions. (versions 0+)
    pub partitions: Vec<PartitionResult>,
}

impl Structure for ReadStateResult {
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

/// The results for the partitions.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionResult {
    /// The partition index. (versions 0+)
    pub partition: i32,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The error message, or null if there was no error. (versions 0+)
    pub error_message: Option<String>,
    /// The state epoch of the share-partition. (versions 0+)
    pub state_epoch: i32,
    /// The share-partition start offset, which can be -1 if it is not yet initialized. (versions 0+)
    pub start_offset: i64,
    /// The state batches for this share-partition. (versions 0+)
    pub state_batches: Vec<StateBatch>,
}

impl Structure for PartitionResult {
    const MIN_WIRE_BYTES: usize = 21;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition = reader.i32()?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        value.state_epoch = reader.i32()?;
        value.start_offset = reader.i64()?;
        value.state_batches = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition);
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        writer.put_i32(self.state_epoch);
        writer.put_i64(self.start_offset);
        put_array(writer, &self.state_batches, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The state batches for this share-partition.
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

impl Message for ReadShareGroupStateResponse {
    const NAME: &'static str = "ReadShareGroupStateResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for ReadShareGroupStateResponse {
    const API_KEY: i16 = 84;
    type Request = super::ReadShareGroupStateRequest;
}
