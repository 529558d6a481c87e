// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DeleteRecordsRequest`, versions 0 to 2.

use super::super::prelude::*;

/// `DeleteRecordsRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteRecordsRequest {
    /// Each topic that we want to delete records from. (versions 0+)
    pub topics: Vec<DeleteRecordsTopic>,
    /// How long to wait for the deletion to complete, in milliseconds. (versions 0+)
    pub timeout_ms: i32,
}

impl Structure for DeleteRecordsRequest {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.topics = reader.array(flexible, version)?;
        value.timeout_ms = reader.i32()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        put_array(writer, &self.topics, flexible, version)?;
        writer.put_i32(self.timeout_ms);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each topic that we want to delete records from.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteRecordsTopic {
    /// The topic name. (versions 0+)
    pub name: String,
    /// Each partition that we want to delete records from. (versions 0+)
    pub partitions: Vec<DeleteRecordsPartition>,
}

impl Structure for DeleteRecordsTopic {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.name = reader.string(flexible)?;
        value.partitions = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        put_string(writer, &self.name, flexible)?;
        put_array(writer, &self.partitions, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each partition that we want to delete records from.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteRecordsPartition {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The deletion offset. -1 means that records should be truncated to the high watermark. (versions 0+)
    pub offset: i64,
}

impl Structure for DeleteRecordsPartition {
    const MIN_WIRE_BYTES: usize = 12;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.offset = reader.i64()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i32(self.partition_index);
        writer.put_i64(self.offset);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for DeleteRecordsRequest {
    const NAME: &'static str = "DeleteRecordsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Request for DeleteRecordsRequest {
    const API_KEY: i16 = 21;
    type Response = super::DeleteRecordsResponse;
}
