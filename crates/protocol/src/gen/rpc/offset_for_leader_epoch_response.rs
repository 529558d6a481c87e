// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `OffsetForLeaderEpochResponse`, versions 2 to 4.

use super::super::prelude::*;

/// `OffsetForLeaderEpochResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetForLeaderEpochResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 2+)
    pub throttle_time_ms: i32,
    /// Each topic we fetched offsets for. (versions 0+)
    pub topics: Vec<OffsetForLeaderTopicResult>,
}

impl Structure for OffsetForLeaderEpochResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.topics = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        writer.put_i32(self.throttle_time_ms);
        put_array(writer, &self.topics, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each topic we fetched offsets for.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetForLeaderTopicResult {
    /// The topic name. (versions 0+)
    pub topic: String,
    /// Each partition in the topic we fetched offsets for. (versions 0+)
    pub partitions: Vec<EpochEndOffset>,
}

impl Structure for OffsetForLeaderTopicResult {
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

/// Each partition in the topic we fetched offsets for.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochEndOffset {
    /// The error code 0, or if there was no error. (versions 0+)
    pub error_code: i16,
    /// The partition index. (versions 0+)
    pub partition: i32,
    /// The leader epoch of the partition. (versions 1+)
    pub leader_epoch: i32,
    /// The end offset of the epoch. (versions 0+)
    pub end_offset: i64,
}

impl Default for EpochEndOffset {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            partition: Default::default(),
            leader_epoch: -1,
            end_offset: -1,
        }
    }
}

impl Structure for EpochEndOffset {
    const MIN_WIRE_BYTES: usize = 18;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.partition = reader.i32()?;
        value.leader_epoch = reader.i32()?;
        value.end_offset = reader.i64()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        writer.put_i16(self.error_code);
        writer.put_i32(self.partition);
        writer.put_i32(self.leader_epoch);
        writer.put_i64(self.end_offset);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for OffsetForLeaderEpochResponse {
    const NAME: &'static str = "OffsetForLeaderEpochResponse";
    const MIN_VERSION: i16 = 2;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: Option<i16> = Some(4);
}

impl Response for OffsetForLeaderEpochResponse {
    const API_KEY: i16 = 23;
    type Request = super::OffsetForLeaderEpochRequest;
}
