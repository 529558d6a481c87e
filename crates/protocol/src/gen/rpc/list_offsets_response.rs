// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ListOffsetsResponse`, versions 1 to 11.

use super::super::prelude::*;

/// `ListOffsetsResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListOffsetsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 2+)
    pub throttle_time_ms: i32,
    /// Each topic in the response. (versions 0+)
    pub topics: Vec<ListOffsetsTopicResponse>,
}

impl Structure for ListOffsetsResponse {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        if version >= 2 {
            value.throttle_time_ms = reader.i32()?;
        }
        value.topics = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 6;
        if version >= 2 {
            writer.put_i32(self.throttle_time_ms);
        }
        put_array(writer, &self.topics, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each topic in the response.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListOffsetsTopicResponse {
    /// The topic name. (versions 0+)
    pub name: String,
    /// Each partition in the response. (versions 0+)
    pub partitions: Vec<ListOffsetsPartitionResponse>,
}

impl Structure for ListOffsetsTopicResponse {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        value.name = reader.string(flexible)?;
        value.partitions = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 6;
        put_string(writer, &self.name, flexible)?;
        put_array(writer, &self.partitions, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each partition in the response.
#[derive(Clone, Debug, PartialEq)]
pub struct ListOffsetsPartitionResponse {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The partition error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The timestamp associated with the returned offset. (versions 1+)
    pub timestamp: i64,
    /// The returned offset. (versions 1+)
    pub offset: i64,
    /// The leader epoch associated with the returned offset. (versions 4+)
    pub leader_epoch: i32,
}

impl Default for ListOffsetsPartitionResponse {
    fn default() -> Self {
        Self {
            partition_index: Default::default(),
            error_code: Default::default(),
            timestamp: -1,
            offset: -1,
            leader_epoch: -1,
        }
    }
}

impl Structure for ListOffsetsPartitionResponse {
    const MIN_WIRE_BYTES: usize = 22;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.error_code = reader.i16()?;
        value.timestamp = reader.i64()?;
        value.offset = reader.i64()?;
        if version >= 4 {
            value.leader_epoch = reader.i32()?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 6;
        writer.put_i32(self.partition_index);
        writer.put_i16(self.error_code);
        writer.put_i64(self.timestamp);
        writer.put_i64(self.offset);
        if version >= 4 {
            writer.put_i32(self.leader_epoch);
        } else {
            require(self.leader_epoch == -1, "LeaderEpoch", version)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for ListOffsetsResponse {
    const NAME: &'static str = "ListOffsetsResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 11;
    const FLEXIBLE_FROM: Option<i16> = Some(6);
}

impl Response for ListOffsetsResponse {
    const API_KEY: i16 = 2;
    type Request = super::ListOffsetsRequest;
}
