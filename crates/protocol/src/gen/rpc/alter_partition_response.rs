// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `AlterPartitionResponse`, versions 2 to 3.

use super::super::prelude::*;

/// `AlterPartitionResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AlterPartitionResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The top level response error code. (versions 0+)
    pub error_code: i16,
    /// The responses for each topic. (versions 0+)
    pub topics: Vec<TopicData>,
}

impl Structure for AlterPartitionResponse {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        value.topics = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        writer.put_i16(self.error_code);
        put_array(writer, &self.topics, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The responses for each topic.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicData {
    /// The ID of the topic. (versions 2+)
    pub topic_id: Uuid,
    /// The responses for each partition. (versions 0+)
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

/// The responses for each partition.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionData {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The partition level error code. (versions 0+)
    pub error_code: i16,
    /// The broker ID of the leader. (versions 0+)
    pub leader_id: i32,
    /// The leader epoch. (versions 0+)
    pub leader_epoch: i32,
    /// The in-sync replica IDs. (versions 0+)
    pub isr: Vec<i32>,
    /// 1 if the partition is recovering from an unclean leader election; 0 otherwise. (versions 1+)
    pub leader_recovery_state: i8,
    /// The current epoch for the partition for KRaft controllers. (versions 0+)
    pub partition_epoch: i32,
}

impl Structure for PartitionData {
    const MIN_WIRE_BYTES: usize = 21;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.error_code = reader.i16()?;
        value.leader_id = reader.i32()?;
        value.leader_epoch = reader.i32()?;
        value.isr = reader.array(true, version)?;
        value.leader_recovery_state = reader.i8()?;
        value.partition_epoch = reader.i32()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition_index);
        writer.put_i16(self.error_code);
        writer.put_i32(self.leader_id);
        writer.put_i32(self.leader_epoch);
        put_array(writer, &self.isr, true, version)?;
        writer.put_i8(self.leader_recovery_state);
        writer.put_i32(self.partition_epoch);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for AlterPartitionResponse {
    const NAME: &'static str = "AlterPartitionResponse";
    const MIN_VERSION: i16 = 2;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Response for AlterPartitionResponse {
    const API_KEY: i16 = 56;
    type Request = super::AlterPartitionRequest;
}
