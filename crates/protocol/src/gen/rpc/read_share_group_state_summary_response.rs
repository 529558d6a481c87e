// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ReadShareGroupStateSummaryResponse`, versions 0 to 1.

use super::super::prelude::*;

/// `ReadShareGroupStateSummaryResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ReadShareGroupStateSummaryResponse {
    /// The read results. (versions 0+)
    pub results: Vec<ReadStateSummaryResult>,
}

impl Structure for ReadShareGroupStateSummaryResponse {
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
pub struct ReadStateSummaryResult {
    /// The topic identifier. (versions 0+)
    pub topic_id: Uuid,
    /// The results for the partitions. (versions 0+)
    pub partitions: Vec<PartitionResult>,
}

impl Structure for ReadStateSummaryResult {
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
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionResult {
    /// The partition index. (versions 0+)
    pub partition: i32,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The error message, or null if there was no error. (versions 0+)
    pub error_message: Option<String>,
    /// The state epoch of the share-partition. (versions 0+)
    pub state_epoch: i32,
    /// The leader epoch of the share-partition. (versions 0+)
    pub leader_epoch: i32,
    /// The share-partition start offset. (versions 0+)
    pub start_offset: i64,
    /// The number of offsets greater than or equal to share-partition start offset for which delivery has been completed. (versions 1+)
    pub delivery_complete_count: i32,
}

impl Default for PartitionResult {
    fn default() -> Self {
        Self {
            partition: Default::default(),
            error_code: Default::default(),
            error_message: Default::default(),
            state_epoch: Default::default(),
            leader_epoch: Default::default(),
            start_offset: Default::default(),
            delivery_complete_count: -1,
        }
    }
}

impl Structure for PartitionResult {
    const MIN_WIRE_BYTES: usize = 24;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition = reader.i32()?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        value.state_epoch = reader.i32()?;
        value.leader_epoch = reader.i32()?;
        value.start_offset = reader.i64()?;
        if version >= 1 {
            value.delivery_complete_count = reader.i32()?;
        }
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition);
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        writer.put_i32(self.state_epoch);
        writer.put_i32(self.leader_epoch);
        writer.put_i64(self.start_offset);
        if version >= 1 {
            writer.put_i32(self.delivery_complete_count);
        }
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ReadShareGroupStateSummaryResponse {
    const NAME: &'static str = "ReadShareGroupStateSummaryResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for ReadShareGroupStateSummaryResponse {
    const API_KEY: i16 = 87;
    type Request = super::ReadShareGroupStateSummaryRequest;
}
