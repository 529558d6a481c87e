// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ListPartitionReassignmentsRequest`, versions 0 to 0.

use super::super::prelude::*;

/// `ListPartitionReassignmentsRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct ListPartitionReassignmentsRequest {
    /// The time in ms to wait for the request to complete. (versions 0+)
    pub timeout_ms: i32,
    /// The topics to list partition reassignments for, or null to list everything. (versions 0+)
    pub topics: Option<Vec<ListPartitionReassignmentsTopics>>,
}

impl Default for ListPartitionReassignmentsRequest {
    fn default() -> Self {
        Self { timeout_ms: 60000, topics: Default::default() }
    }
}

impl Structure for ListPartitionReassignmentsRequest {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.timeout_ms = reader.i32()?;
        value.topics = reader.nullable_array(true, true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.timeout_ms);
        put_nullable_array(writer, self.topics.as_deref(), true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The topics to list partition reassignments for, or null to list everything.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListPartitionReassignmentsTopics {
    /// The topic name. (versions 0+)
    pub name: String,
    /// The partitions to list partition reassignments for. (versions 0+)
    pub partition_indexes: Vec<i32>,
}

impl Structure for ListPartitionReassignmentsTopics {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        value.partition_indexes = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        put_array(writer, &self.partition_indexes, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ListPartitionReassignmentsRequest {
    const NAME: &'static str = "ListPartitionReassignmentsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for ListPartitionReassignmentsRequest {
    const API_KEY: i16 = 46;
    type Response = super::ListPartitionReassignmentsResponse;
}
