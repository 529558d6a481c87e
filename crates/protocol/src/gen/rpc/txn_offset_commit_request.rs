// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `TxnOffsetCommitRequest`, versions 0 to 6.

use super::super::prelude::*;

/// `TxnOffsetCommitRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitRequest {
    /// The ID of the transaction. (versions 0+)
    pub transactional_id: String,
    /// The ID of the group. (versions 0+)
    pub group_id: String,
    /// The current producer ID in use by the transactional ID. (versions 0+)
    pub producer_id: i64,
    /// The current epoch associated with the producer ID. (versions 0+)
    pub producer_epoch: i16,
    /// The generation of the group if using the classic group protocol or the member epoch if using the consumer protocol. (versions 3+)
    pub generation_id_or_member_epoch: i32,
    /// The member ID assigned by the group coordinator. (versions 3+)
    pub member_id: String,
    /// The unique identifier of the consumer instance provided by end user. (versions 3+)
    pub group_instance_id: Option<String>,
    /// Each topic that we want to commit offsets for. (versions 0+)
    pub topics: Vec<TxnOffsetCommitRequestTopic>,
}

impl Default for TxnOffsetCommitRequest {
    fn default() -> Self {
        Self {
            transactional_id: Default::default(),
            group_id: Default::default(),
            producer_id: Default::default(),
            producer_epoch: Default::default(),
            generation_id_or_member_epoch: -1,
            member_id: Default::default(),
            group_instance_id: Default::default(),
            topics: Default::default(),
        }
    }
}

impl Structure for TxnOffsetCommitRequest {
    const MIN_WIRE_BYTES: usize = 18;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        value.transactional_id = reader.string(flexible)?;
        value.group_id = reader.string(flexible)?;
        value.producer_id = reader.i64()?;
        value.producer_epoch = reader.i16()?;
        if version >= 3 {
            value.generation_id_or_member_epoch = reader.i32()?;
        }
        if version >= 3 {
            value.member_id = reader.string(flexible)?;
        }
        if version >= 3 {
            value.group_instance_id = reader.nullable_string(flexible, true)?;
        }
        value.topics = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        put_string(writer, &self.transactional_id, flexible)?;
        put_string(writer, &self.group_id, flexible)?;
        writer.put_i64(self.producer_id);
        writer.put_i16(self.producer_epoch);
        if version >= 3 {
            writer.put_i32(self.generation_id_or_member_epoch);
        } else {
            require(
                self.generation_id_or_member_epoch == -1,
                "GenerationIdOrMemberEpoch",
                version,
            )?;
        }
        if version >= 3 {
            put_string(writer, &self.member_id, flexible)?;
        } else {
            require(self.member_id.is_empty(), "MemberId", version)?;
        }
        if version >= 3 {
            put_nullable_string(writer, self.group_instance_id.as_deref(), flexible)?;
        } else {
            require(self.group_instance_id.is_none(), "GroupInstanceId", version)?;
        }
        put_array(writer, &self.topics, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each topic that we want to commit offsets for.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TxnOffsetCommitRequestTopic {
    /// The topic name. (versions 0 to 5)
    pub name: String,
    /// The topic ID. (versions 6+)
    pub topic_id: Uuid,
    /// The partitions inside the topic that we want to commit offsets for. (versions 0+)
    pub partitions: Vec<TxnOffsetCommitRequestPartition>,
}

impl Structure for TxnOffsetCommitRequestTopic {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        if version <= 5 {
            value.name = reader.string(flexible)?;
        }
        if version >= 6 {
            value.topic_id = reader.uuid()?;
        }
        value.partitions = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        if version <= 5 {
            put_string(writer, &self.name, flexible)?;
        }
        if version >= 6 {
            put_uuid(writer, self.topic_id);
        }
        put_array(writer, &self.partitions, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The partitions inside the topic that we want to commit offsets for.
#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitRequestPartition {
    /// The index of the partition within the topic. (versions 0+)
    pub partition_index: i32,
    /// The message offset to be committed. (versions 0+)
    pub committed_offset: i64,
    /// The leader epoch of the last consumed record. (versions 2+)
    pub committed_leader_epoch: i32,
    /// Any associated metadata the client wants to keep. (versions 0+)
    pub committed_metadata: Option<String>,
}

impl Default for TxnOffsetCommitRequestPartition {
    fn default() -> Self {
        Self {
            partition_index: Default::default(),
            committed_offset: Default::default(),
            committed_leader_epoch: -1,
            committed_metadata: Some(String::new()),
        }
    }
}

impl Structure for TxnOffsetCommitRequestPartition {
    const MIN_WIRE_BYTES: usize = 14;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.committed_offset = reader.i64()?;
        if version >= 2 {
            value.committed_leader_epoch = reader.i32()?;
        }
        value.committed_metadata = reader.nullable_string(flexible, true)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        writer.put_i32(self.partition_index);
        writer.put_i64(self.committed_offset);
        if version >= 2 {
            writer.put_i32(self.committed_leader_epoch);
        }
        put_nullable_string(writer, self.committed_metadata.as_deref(), flexible)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for TxnOffsetCommitRequest {
    const NAME: &'static str = "TxnOffsetCommitRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 6;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

impl Request for TxnOffsetCommitRequest {
    const API_KEY: i16 = 28;
    type Response = super::TxnOffsetCommitResponse;
}
