// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `AlterPartitionRequest`, versions 2 to 3.

use super::super::prelude::*;

/// `AlterPartitionRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterPartitionRequest {
    /// The ID of the requesting broker. (versions 0+)
    pub broker_id: i32,
    /// The epoch of the requesting broker. (versions 0+)
    pub broker_epoch: i64,
    /// The topics to alter ISRs for. (versions 0+)
    pub topics: Vec<TopicData>,
}

impl Default for AlterPartitionRequest {
    fn default() -> Self {
        Self { broker_id: Default::default(), broker_epoch: -1, topics: Default::default() }
    }
}

impl Structure for AlterPartitionRequest {
    const MIN_WIRE_BYTES: usize = 14;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.broker_id = reader.i32()?;
        value.broker_epoch = reader.i64()?;
        value.topics = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.broker_id);
        writer.put_i64(self.broker_epoch);
        put_array(writer, &self.topics, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The topics to alter ISRs for.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicData {
    /// The ID of the topic to alter ISRs for. (versions 2+)
    pub topic_id: Uuid,
    /// The partitions to alter ISRs for. (versions 0+)
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

/// The partitions to alter ISRs for.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionData {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The leader epoch of this partition. (versions 0+)
    pub leader_epoch: i32,
    /// The ISR for this partition. Deprecated since version 3. (versions 0 to 2)
    pub new_isr: Vec<i32>,
    /// The ISR for this partition. (versions 3+)
    pub new_isr_with_epochs: Vec<BrokerState>,
    /// 1 if the partition is recovering from an unclean leader election; 0 otherwise. (versions 1+)
    pub leader_recovery_state: i8,
    /// The expected epoch of the partition which is being updated. (versions 0+)
    pub partition_epoch: i32,
}

impl Structure for PartitionData {
    const MIN_WIRE_BYTES: usize = 15;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.leader_epoch = reader.i32()?;
        if version <= 2 {
            value.new_isr = reader.array(true, version)?;
        }
        if version >= 3 {
            value.new_isr_with_epochs = reader.array(true, version)?;
        }
        value.leader_recovery_state = reader.i8()?;
        value.partition_epoch = reader.i32()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition_index);
        writer.put_i32(self.leader_epoch);
        if version <= 2 {
            put_array(writer, &self.new_isr, true, version)?;
        } else {
            require(self.new_isr.is_empty(), "NewIsr", version)?;
        }
        if version >= 3 {
            put_array(writer, &self.new_isr_with_epochs, true, version)?;
        } else {
            require(self.new_isr_with_epochs.is_empty(), "NewIsrWithEpochs", version)?;
        }
        writer.put_i8(self.leader_recovery_state);
        writer.put_i32(self.partition_epoch);
        put_no_tags(writer);
        Ok(())
    }
}

/// The ISR for this partition.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerState {
    /// The ID of the broker. (versions 3+)
    pub broker_id: i32,
    /// The epoch of the broker. It will be -1 if the epoch check is not supported. (versions 3+)
    pub broker_epoch: i64,
}

impl Default for BrokerState {
    fn default() -> Self {
        Self { broker_id: Default::default(), broker_epoch: -1 }
    }
}

impl Structure for BrokerState {
    const MIN_WIRE_BYTES: usize = 13;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.broker_id = reader.i32()?;
        value.broker_epoch = reader.i64()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.broker_id);
        writer.put_i64(self.broker_epoch);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for AlterPartitionRequest {
    const NAME: &'static str = "AlterPartitionRequest";
    const MIN_VERSION: i16 = 2;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Request for AlterPartitionRequest {
    const API_KEY: i16 = 56;
    type Response = super::AlterPartitionResponse;
}
