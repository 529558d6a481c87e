// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `AlterPartitionReassignmentsRequest`, versions 0 to 1.

use super::super::prelude::*;

/// `AlterPartitionReassignmentsRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterPartitionReassignmentsRequest {
    /// The time in ms to wait for the request to complete. (versions 0+)
    pub timeout_ms: i32,
    /// The option indicating whether changing the replication factor of any given partition as part of this request is a valid move. (versions 1+)
    pub allow_replication_factor_change: bool,
    /// The topics to reassign. (versions 0+)
    pub topics: Vec<ReassignableTopic>,
}

impl Default for AlterPartitionReassignmentsRequest {
    fn default() -> Self {
        Self {
            timeout_ms: 60000,
            allow_replication_factor_change: true,
            topics: Default::default(),
        }
    }
}

impl Structure for AlterPartitionReassignmentsRequest {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.timeout_ms = reader.i32()?;
        if version >= 1 {
            value.allow_replication_factor_change = reader.bool()?;
        }
        value.topics = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.timeout_ms);
        if version >= 1 {
            put_bool(writer, self.allow_replication_factor_change);
        } else {
            require(self.allow_replication_factor_change, "AllowReplicationFactorChange", version)?;
        }
        put_array(writer, &self.topics, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The topics to reassign.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ReassignableTopic {
    /// The topic name. (versions 0+)
    pub name: String,
    /// The partitions to reassign. (versions 0+)
    pub partitions: Vec<ReassignablePartition>,
}

impl Structure for ReassignableTopic {
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

/// The partitions to reassign.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ReassignablePartition {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The replicas to place the partitions on, or null to cancel a pending reassignment for this partition. (versions 0+)
    pub replicas: Option<Vec<i32>>,
}

impl Structure for ReassignablePartition {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.replicas = reader.nullable_array(true, true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition_index);
        put_nullable_array(writer, self.replicas.as_deref(), true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for AlterPartitionReassignmentsRequest {
    const NAME: &'static str = "AlterPartitionReassignmentsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for AlterPartitionReassignmentsRequest {
    const API_KEY: i16 = 45;
    type Response = super::AlterPartitionReassignmentsResponse;
}
