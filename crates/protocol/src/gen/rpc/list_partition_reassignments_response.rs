// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ListPartitionReassignmentsResponse`, versions 0 to 0.

use super::super::prelude::*;

/// `ListPartitionReassignmentsResponse`.
#[derive(Clone, Debug, PartialEq)]
pub struct ListPartitionReassignmentsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The top-level error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The top-level error message, or null if there was no error. (versions 0+)
    pub error_message: Option<String>,
    /// The ongoing reassignments for each topic. (versions 0+)
    pub topics: Vec<OngoingTopicReassignment>,
}

impl Default for ListPartitionReassignmentsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            error_message: Some(String::new()),
            topics: Default::default(),
        }
    }
}

impl Structure for ListPartitionReassignmentsResponse {
    const MIN_WIRE_BYTES: usize = 9;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        value.topics = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        put_array(writer, &self.topics, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The ongoing reassignments for each topic.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OngoingTopicReassignment {
    /// The topic name. (versions 0+)
    pub name: String,
    /// The ongoing reassignments for each partition. (versions 0+)
    pub partitions: Vec<OngoingPartitionReassignment>,
}

impl Structure for OngoingTopicReassignment {
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

/// The ongoing reassignments for each partition.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OngoingPartitionReassignment {
    /// The index of the partition. (versions 0+)
    pub partition_index: i32,
    /// The current replica set. (versions 0+)
    pub replicas: Vec<i32>,
    /// The set of replicas we are currently adding. (versions 0+)
    pub adding_replicas: Vec<i32>,
    /// The set of replicas we are currently removing. (versions 0+)
    pub removing_replicas: Vec<i32>,
}

impl Structure for OngoingPartitionReassignment {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.replicas = reader.array(true, version)?;
        value.adding_replicas = reader.array(true, version)?;
        value.removing_replicas = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition_index);
        put_array(writer, &self.replicas, true, version)?;
        put_array(writer, &self.adding_replicas, true, version)?;
        put_array(writer, &self.removing_replicas, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ListPartitionReassignmentsResponse {
    const NAME: &'static str = "ListPartitionReassignmentsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for ListPartitionReassignmentsResponse {
    const API_KEY: i16 = 46;
    type Request = super::ListPartitionReassignmentsRequest;
}
