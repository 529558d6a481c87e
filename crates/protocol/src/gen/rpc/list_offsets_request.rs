// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ListOffsetsRequest`, versions 1 to 11.

use super::super::prelude::*;

/// `ListOffsetsRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListOffsetsRequest {
    /// The broker ID of the requester, or -1 if this request is being made by a normal consumer. (versions 0+)
    pub replica_id: i32,
    /// This setting controls the visibility of transactional records. Using READ_UNCOMMITTED (isolation_level = 0) makes all records visible. With READ_COMMITTED (isolation_level = 1), non-transactional and COMMITTED transactional records are visible. To be more concrete, READ_COMMITTED returns all data from offsets smaller than the current LSO (last stable offset), and enables the inclusion of the list of aborted transactions in the result, which allows consumers to discard ABORTED transactional records. (versions 2+)
    pub isolation_level: i8,
    /// Each topic in the request. (versions 0+)
    pub topics: Vec<ListOffsetsTopic>,
    /// The timeout to await a response in milliseconds for requests that require reading from remote storage for topics enabled with tiered storage. (versions 10+)
    pub timeout_ms: i32,
}

impl Structure for ListOffsetsRequest {
    const MIN_WIRE_BYTES: usize = 7;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        value.replica_id = reader.i32()?;
        if version >= 2 {
            value.isolation_level = reader.i8()?;
        }
        value.topics = reader.array(flexible, version)?;
        if version >= 10 {
            value.timeout_ms = reader.i32()?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 6;
        writer.put_i32(self.replica_id);
        if version >= 2 {
            writer.put_i8(self.isolation_level);
        } else {
            require(self.isolation_level == 0, "IsolationLevel", version)?;
        }
        put_array(writer, &self.topics, flexible, version)?;
        if version >= 10 {
            writer.put_i32(self.timeout_ms);
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each topic in the request.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListOffsetsTopic {
    /// The topic name. (versions 0+)
    pub name: String,
    /// Each partition in the request. (versions 0+)
    pub partitions: Vec<ListOffsetsPartition>,
}

impl Structure for ListOffsetsTopic {
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

/// Each partition in the request.
#[derive(Clone, Debug, PartialEq)]
pub struct ListOffsetsPartition {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The current leader epoch. (versions 4+)
    pub current_leader_epoch: i32,
    /// The current timestamp. (versions 0+)
    pub timestamp: i64,
}

impl Default for ListOffsetsPartition {
    fn default() -> Self {
        Self {
            partition_index: Default::default(),
            current_leader_epoch: -1,
            timestamp: Default::default(),
        }
    }
}

impl Structure for ListOffsetsPartition {
    const MIN_WIRE_BYTES: usize = 12;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        if version >= 4 {
            value.current_leader_epoch = reader.i32()?;
        }
        value.timestamp = reader.i64()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 6;
        writer.put_i32(self.partition_index);
        if version >= 4 {
            writer.put_i32(self.current_leader_epoch);
        }
        writer.put_i64(self.timestamp);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for ListOffsetsRequest {
    const NAME: &'static str = "ListOffsetsRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 11;
    const FLEXIBLE_FROM: Option<i16> = Some(6);
}

impl Request for ListOffsetsRequest {
    const API_KEY: i16 = 2;
    type Response = super::ListOffsetsResponse;
}
