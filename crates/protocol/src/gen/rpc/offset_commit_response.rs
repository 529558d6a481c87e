// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `OffsetCommitResponse`, versions 2 to 10.

use super::super::prelude::*;

/// `OffsetCommitResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetCommitResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 3+)
    pub throttle_time_ms: i32,
    /// The responses for each topic. (versions 0+)
    pub topics: Vec<OffsetCommitResponseTopic>,
}

impl Structure for OffsetCommitResponse {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 8;
        let mut value = Self::default();
        if version >= 3 {
            value.throttle_time_ms = reader.i32()?;
        }
        value.topics = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 8;
        if version >= 3 {
            writer.put_i32(self.throttle_time_ms);
        }
        put_array(writer, &self.topics, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The responses for each topic.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetCommitResponseTopic {
    /// The topic name. (versions 0 to 9)
    pub name: String,
    /// The topic ID. (versions 10+)
    pub topic_id: Uuid,
    /// The responses for each partition in the topic. (versions 0+)
    pub partitions: Vec<OffsetCommitResponsePartition>,
}

impl Structure for OffsetCommitResponseTopic {
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

/// The responses for each partition in the topic.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetCommitResponsePartition {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
}

impl Structure for OffsetCommitResponsePartition {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 8;
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.error_code = reader.i16()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 8;
        writer.put_i32(self.partition_index);
        writer.put_i16(self.error_code);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for OffsetCommitResponse {
    const NAME: &'static str = "OffsetCommitResponse";
    const MIN_VERSION: i16 = 2;
    const MAX_VERSION: i16 = 10;
    const FLEXIBLE_FROM: Option<i16> = Some(8);
}

impl Response for OffsetCommitResponse {
    const API_KEY: i16 = 8;
    type Request = super::OffsetCommitRequest;
}
