// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeProducersResponse`, versions 0 to 0.

use super::super::prelude::*;

/// `DescribeProducersResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeProducersResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// Each topic in the response. (versions 0+)
    pub topics: Vec<TopicResponse>,
}

impl Structure for DescribeProducersResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.topics = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        put_array(writer, &self.topics, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// Each topic in the response.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicResponse {
    /// The topic name. (versions 0+)
    pub name: String,
    /// Each partition in the response. (versions 0+)
    pub partitions: Vec<PartitionResponse>,
}

impl Structure for TopicResponse {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        value.partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        put_array(writer, &self.partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// Each partition in the response.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionResponse {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The partition error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The partition error message, which may be null if no additional details are available. (versions 0+)
    pub error_message: Option<String>,
    /// The active producers for the partition. (versions 0+)
    pub active_producers: Vec<ProducerState>,
}

impl Structure for PartitionResponse {
    const MIN_WIRE_BYTES: usize = 9;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        value.active_producers = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition_index);
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        put_array(writer, &self.active_producers, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The active producers for the partition.
#[derive(Clone, Debug, PartialEq)]
pub struct ProducerState {
    /// The producer id. (versions 0+)
    pub producer_id: i64,
    /// The producer epoch. (versions 0+)
    pub producer_epoch: i32,
    /// The last sequence number sent by the producer. (versions 0+)
    pub last_sequence: i32,
    /// The last timestamp sent by the producer. (versions 0+)
    pub last_timestamp: i64,
    /// The current epoch of the producer group. (versions 0+)
    pub coordinator_epoch: i32,
    /// The current transaction start offset of the producer. (versions 0+)
    pub current_txn_start_offset: i64,
}

impl Default for ProducerState {
    fn default() -> Self {
        Self {
            producer_id: Default::default(),
            producer_epoch: Default::default(),
            last_sequence: -1,
            last_timestamp: -1,
            coordinator_epoch: Default::default(),
            current_txn_start_offset: -1,
        }
    }
}

impl Structure for ProducerState {
    const MIN_WIRE_BYTES: usize = 37;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.producer_id = reader.i64()?;
        value.producer_epoch = reader.i32()?;
        value.last_sequence = reader.i32()?;
        value.last_timestamp = reader.i64()?;
        value.coordinator_epoch = reader.i32()?;
        value.current_txn_start_offset = reader.i64()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i64(self.producer_id);
        writer.put_i32(self.producer_epoch);
        writer.put_i32(self.last_sequence);
        writer.put_i64(self.last_timestamp);
        writer.put_i32(self.coordinator_epoch);
        writer.put_i64(self.current_txn_start_offset);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for DescribeProducersResponse {
    const NAME: &'static str = "DescribeProducersResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for DescribeProducersResponse {
    const API_KEY: i16 = 61;
    type Request = super::DescribeProducersRequest;
}
