// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `OffsetCommitRequest`, versions 2 to 10.

use super::super::prelude::*;

/// `OffsetCommitRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequest {
    /// The unique group identifier. (versions 0+)
    pub group_id: String,
    /// The generation of the group if using the classic group protocol or the member epoch if using the consumer protocol. (versions 1+)
    pub generation_id_or_member_epoch: i32,
    /// The member ID assigned by the group coordinator. (versions 1+)
    pub member_id: String,
    /// The unique identifier of the consumer instance provided by end user. (versions 7+)
    pub group_instance_id: Option<String>,
    /// The time period in ms to retain the offset. (versions 2 to 4)
    pub retention_time_ms: i64,
    /// The topics to commit offsets for. (versions 0+)
    pub topics: Vec<OffsetCommitRequestTopic>,
}

impl Default for OffsetCommitRequest {
    fn default() -> Self {
        Self {
            group_id: Default::default(),
            generation_id_or_member_epoch: -1,
            member_id: Default::default(),
            group_instance_id: Default::default(),
            retention_time_ms: -1,
            topics: Default::default(),
        }
    }
}

impl Structure for OffsetCommitRequest {
    const MIN_WIRE_BYTES: usize = 9;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 8;
        let mut value = Self::default();
        value.group_id = reader.string(flexible)?;
        value.generation_id_or_member_epoch = reader.i32()?;
        value.member_id = reader.string(flexible)?;
        if version >= 7 {
            value.group_instance_id = reader.nullable_string(flexible, true)?;
        }
        if version <= 4 {
            value.retention_time_ms = reader.i64()?;
        }
        value.topics = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 8;
        put_string(writer, &self.group_id, flexible)?;
        writer.put_i32(self.generation_id_or_member_epoch);
        put_string(writer, &self.member_id, flexible)?;
        if version >= 7 {
            put_nullable_string(writer, self.group_instance_id.as_deref(), flexible)?;
        } else {
            require(self.group_instance_id.is_none(), "GroupInstanceId", version)?;
        }
        if version <= 4 {
            writer.put_i64(self.retention_time_ms);
        }
        put_array(writer, &self.topics, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The topics to commit offsets for.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetCommitRequestTopic {
    /// The topic name. (versions 0 to 9)
    pub name: String,
    /// The topic ID. (versions 10+)
    pub topic_id: Uuid,
    /// Each partition to commit offsets for. (versions 0+)
    pub partitions: Vec<OffsetCommitRequestPartition>,
}

impl Structure for OffsetCommitRequestTopic {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 8;
        let mut value = Self::default();
        if version <= 9 {
            value.name = reader.string(flexible)?;
        }
        if version >= 10 {
            value.topic_id = reader.uuid()?;
        }
        value.partitions = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 8;
        if version <= 9 {
            put_string(writer, &self.name, flexible)?;
        }
        if version >= 10 {
            put_uuid(writer, self.topic_id);
        }
        put_array(writer, &self.partitions, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each partition to commit offsets for.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequestPartition {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The message offset to be committed. (versions 0+)
    pub committed_offset: i64,
    /// The leader epoch of this partition. (versions 6+)
    pub committed_leader_epoch: i32,
    /// Any associated metadata the client wants to keep. (versions 0+)
    pub committed_metadata: Option<String>,
}

impl Default for OffsetCommitRequestPartition {
    fn default() -> Self {
        Self {
            partition_index: Default::default(),
            committed_offset: Default::default(),
            committed_leader_epoch: -1,
            committed_metadata: Some(String::new()),
        }
    }
}

impl Structure for OffsetCommitRequestPartition {
    const MIN_WIRE_BYTES: usize = 14;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 8;
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.committed_offset = reader.i64()?;
        if version >= 6 {
            value.committed_leader_epoch = reader.i32()?;
        }
        value.committed_metadata = reader.nullable_string(flexible, true)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 8;
        writer.put_i32(self.partition_index);
        writer.put_i64(self.committed_offset);
        if version >= 6 {
            writer.put_i32(self.committed_leader_epoch);
        }
        put_nullable_string(writer, self.committed_metadata.as_deref(), flexible)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for OffsetCommitRequest {
    const NAME: &'static str = "OffsetCommitRequest";
    const MIN_VERSION: i16 = 2;
    const MAX_VERSION: i16 = 10;
    const FLEXIBLE_FROM: Option<i16> = Some(8);
}

impl Request for OffsetCommitRequest {
    const API_KEY: i16 = 8;
    type Response = super::OffsetCommitResponse;
}
