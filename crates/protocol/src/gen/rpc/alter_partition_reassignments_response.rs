// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `AlterPartitionReassignmentsResponse`, versions 0 to 1.

use super::super::prelude::*;

/// `AlterPartitionReassignmentsResponse`.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterPartitionReassignmentsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The option indicating whether changing the replication factor of any given partition as part of the request was allowed. (versions 1+)
    pub allow_replication_factor_change: bool,
    /// The top-level error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The top-level error message, or null if there was no error. (versions 0+)
    pub error_message: Option<String>,
    /// The responses to topics to reassign. (versions 0+)
    pub responses: Vec<ReassignableTopicResponse>,
}

impl Default for AlterPartitionReassignmentsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            allow_replication_factor_change: true,
            error_code: Default::default(),
            error_message: Some(String::new()),
            responses: Default::default(),
        }
    }
}

impl Structure for AlterPartitionReassignmentsResponse {
    const MIN_WIRE_BYTES: usize = 9;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        if version >= 1 {
            value.allow_replication_factor_change = reader.bool()?;
        }
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        value.responses = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        if version >= 1 {
            put_bool(writer, self.allow_replication_factor_change);
        }
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        put_array(writer, &self.responses, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The responses to topics to reassign.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ReassignableTopicResponse {
    /// The topic name. (versions 0+)
    pub name: String,
    /// The responses to partitions to reassign. (versions 0+)
    pub partitions: Vec<ReassignablePartitionResponse>,
}

impl Structure for ReassignableTopicResponse {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        value.partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        put_array(writer, &self.partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The responses to partitions to reassign.
#[derive(Clone, Debug, PartialEq)]
pub struct ReassignablePartitionResponse {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The error code for this partition, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The error message for this partition, or null if there was no error. (versions 0+)
    pub error_message: Option<String>,
}

impl Default for ReassignablePartitionResponse {
    fn default() -> Self {
        Self {
            partition_index: Default::default(),
            error_code: Default::default(),
            error_message: Some(String::new()),
        }
    }
}

impl Structure for ReassignablePartitionResponse {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition_index);
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for AlterPartitionReassignmentsResponse {
    const NAME: &'static str = "AlterPartitionReassignmentsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for AlterPartitionReassignmentsResponse {
    const API_KEY: i16 = 45;
    type Request = super::AlterPartitionReassignmentsRequest;
}
