// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeLogDirsResponse`, versions 1 to 5.

use super::super::prelude::*;

/// `DescribeLogDirsResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeLogDirsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The error code, or 0 if there was no error. (versions 3+)
    pub error_code: i16,
    /// The log directories. (versions 0+)
    pub results: Vec<DescribeLogDirsResult>,
}

impl Structure for DescribeLogDirsResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        if version >= 3 {
            value.error_code = reader.i16()?;
        }
        value.results = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i32(self.throttle_time_ms);
        if version >= 3 {
            writer.put_i16(self.error_code);
        }
        put_array(writer, &self.results, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The log directories.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeLogDirsResult {
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The absolute log directory path. (versions 0+)
    pub log_dir: String,
    /// The topics. (versions 0+)
    pub topics: Vec<DescribeLogDirsTopic>,
    /// The total size in bytes of the volume the log directory is in. This value does not include the size of data stored in remote storage. (versions 4+)
    pub total_bytes: i64,
    /// The usable size in bytes of the volume the log directory is in. This value does not include the size of data stored in remote storage. (versions 4+)
    pub usable_bytes: i64,
    /// True if this log directory is cordoned. (versions 5+)
    pub is_cordoned: bool,
}

impl Default for DescribeLogDirsResult {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            log_dir: Default::default(),
            topics: Default::default(),
            total_bytes: -1,
            usable_bytes: -1,
            is_cordoned: Default::default(),
        }
    }
}

impl Structure for DescribeLogDirsResult {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.log_dir = reader.string(flexible)?;
        value.topics = reader.array(flexible, version)?;
        if version >= 4 {
            value.total_bytes = reader.i64()?;
        }
        if version >= 4 {
            value.usable_bytes = reader.i64()?;
        }
        if version >= 5 {
            value.is_cordoned = reader.bool()?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i16(self.error_code);
        put_string(writer, &self.log_dir, flexible)?;
        put_array(writer, &self.topics, flexible, version)?;
        if version >= 4 {
            writer.put_i64(self.total_bytes);
        }
        if version >= 4 {
            writer.put_i64(self.usable_bytes);
        }
        if version >= 5 {
            put_bool(writer, self.is_cordoned);
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The topics.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeLogDirsTopic {
    /// The topic name. (versions 0+)
    pub name: String,
    /// The partitions. (versions 0+)
    pub partitions: Vec<DescribeLogDirsPartition>,
}

impl Structure for DescribeLogDirsTopic {
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

/// The partitions.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeLogDirsPartition {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The size of the log segments in this partition in bytes. (versions 0+)
    pub partition_size: i64,
    /// The lag of the log's LEO w.r.t. partition's HW (if it is the current log for the partition) or current replica's LEO (if it is the future log for the partition). (versions 0+)
    pub offset_lag: i64,
    /// True if this log is created by AlterReplicaLogDirsRequest and will replace the current log of the replica in the future. (versions 0+)
    pub is_future_key: bool,
}

impl Structure for DescribeLogDirsPartition {
    const MIN_WIRE_BYTES: usize = 21;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.partition_size = reader.i64()?;
        value.offset_lag = reader.i64()?;
        value.is_future_key = reader.bool()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i32(self.partition_index);
        writer.put_i64(self.partition_size);
        writer.put_i64(self.offset_lag);
        put_bool(writer, self.is_future_key);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for DescribeLogDirsResponse {
    const NAME: &'static str = "DescribeLogDirsResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Response for DescribeLogDirsResponse {
    const API_KEY: i16 = 35;
    type Request = super::DescribeLogDirsRequest;
}
