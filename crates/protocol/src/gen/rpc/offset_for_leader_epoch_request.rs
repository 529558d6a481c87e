// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `OffsetForLeaderEpochRequest`, versions 2 to 4.

use super::super::prelude::*;

/// `OffsetForLeaderEpochRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetForLeaderEpochRequest {
    /// The broker ID of the follower, of -1 if this request is from a consumer. (versions 3+)
    pub replica_id: i32,
    /// Each topic to get offsets for. (versions 0+)
    pub topics: Vec<OffsetForLeaderTopic>,
}

impl Default for OffsetForLeaderEpochRequest {
    fn default() -> Self {
        Self { replica_id: -2, topics: Default::default() }
    }
}

impl Structure for OffsetForLeaderEpochRequest {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        if version >= 3 {
            value.replica_id = reader.i32()?;
        }
        value.topics = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        if version >= 3 {
            writer.put_i32(self.replica_id);
        }
        put_array(writer, &self.topics, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each topic to get offsets for.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetForLeaderTopic {
    /// The topic name. (versions 0+)
    pub topic: String,
    /// Each partition to get offsets for. (versions 0+)
    pub partitions: Vec<OffsetForLeaderPartition>,
}

impl Structure for OffsetForLeaderTopic {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.topic = reader.string(flexible)?;
        value.partitions = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        put_string(writer, &self.topic, flexible)?;
        put_array(writer, &self.partitions, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each partition to get offsets for.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetForLeaderPartition {
    /// The partition index. (versions 0+)
    pub partition: i32,
    /// An epoch used to fence consumers/replicas with old metadata. If the epoch provided by the client is larger than the current epoch known to the broker, then the UNKNOWN_LEADER_EPOCH error code will be returned. If the provided epoch is smaller, then the FENCED_LEADER_EPOCH error code will be returned. (versions 2+)
    pub current_leader_epoch: i32,
    /// The epoch to look up an offset for. (versions 0+)
    pub leader_epoch: i32,
}

impl Default for OffsetForLeaderPartition {
    fn default() -> Self {
        Self {
            partition: Default::default(),
            current_leader_epoch: -1,
            leader_epoch: Default::default(),
        }
    }
}

impl Structure for OffsetForLeaderPartition {
    const MIN_WIRE_BYTES: usize = 12;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.partition = reader.i32()?;
        value.current_leader_epoch = reader.i32()?;
        value.leader_epoch = reader.i32()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        writer.put_i32(self.partition);
        writer.put_i32(self.current_leader_epoch);
        writer.put_i32(self.leader_epoch);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for OffsetForLeaderEpochRequest {
    const NAME: &'static str = "OffsetForLeaderEpochRequest";
    const MIN_VERSION: i16 = 2;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: Option<i16> = Some(4);
}

impl Request for OffsetForLeaderEpochRequest {
    const API_KEY: i16 = 23;
    type Response = super::OffsetForLeaderEpochResponse;
}
