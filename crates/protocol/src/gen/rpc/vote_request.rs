// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `VoteRequest`, versions 0 to 2.

use super::super::prelude::*;

/// `VoteRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct VoteRequest {
    /// The cluster id. (versions 0+)
    pub cluster_id: Option<String>,
    /// The replica id of the voter receiving the request. (versions 1+)
    pub voter_id: i32,
    /// The topic data. (versions 0+)
    pub topics: Vec<TopicData>,
}

impl Default for VoteRequest {
    fn default() -> Self {
        Self { cluster_id: Default::default(), voter_id: -1, topics: Default::default() }
    }
}

impl Structure for VoteRequest {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.cluster_id = reader.nullable_string(true, true)?;
        if version >= 1 {
            value.voter_id = reader.i32()?;
        }
        value.topics = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_nullable_string(writer, self.cluster_id.as_deref(), true)?;
        if version >= 1 {
            writer.put_i32(self.voter_id);
        }
        put_array(writer, &self.topics, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The topic data.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicData {
    /// The topic name. (versions 0+)
    pub topic_name: String,
    /// The partition data. (versions 0+)
    pub partitions: Vec<PartitionData>,
}

impl Structure for TopicData {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic_name = reader.string(true)?;
        value.partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.topic_name, true)?;
        put_array(writer, &self.partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The partition data.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionData {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The epoch of the voter sending the request (versions 0+)
    pub replica_epoch: i32,
    /// The replica id of the voter sending the request (versions 0+)
    pub replica_id: i32,
    /// The directory id of the voter sending the request (versions 1+)
    pub replica_directory_id: Uuid,
    /// The directory id of the voter receiving the request (versions 1+)
    pub voter_directory_id: Uuid,
    /// The epoch of the last record written to the metadata log. (versions 0+)
    pub last_offset_epoch: i32,
    /// The log end offset of the metadata log of the voter sending the request. (versions 0+)
    pub last_offset: i64,
    /// Whether the request is a PreVote request (not persisted) or not. (versions 2+)
    pub pre_vote: bool,
}

impl Structure for PartitionData {
    const MIN_WIRE_BYTES: usize = 25;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.replica_epoch = reader.i32()?;
        value.replica_id = reader.i32()?;
        if version >= 1 {
            value.replica_directory_id = reader.uuid()?;
        }
        if version >= 1 {
            value.voter_directory_id = reader.uuid()?;
        }
        value.last_offset_epoch = reader.i32()?;
        value.last_offset = reader.i64()?;
        if version >= 2 {
            value.pre_vote = reader.bool()?;
        }
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition_index);
        writer.put_i32(self.replica_epoch);
        writer.put_i32(self.replica_id);
        if version >= 1 {
            put_uuid(writer, self.replica_directory_id);
        }
        if version >= 1 {
            put_uuid(writer, self.voter_directory_id);
        }
        writer.put_i32(self.last_offset_epoch);
        writer.put_i64(self.last_offset);
        if version >= 2 {
            put_bool(writer, self.pre_vote);
        } else {
            require(!self.pre_vote, "PreVote", version)?;
        }
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for VoteRequest {
    const NAME: &'static str = "VoteRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for VoteRequest {
    const API_KEY: i16 = 52;
    type Response = super::VoteResponse;
}
