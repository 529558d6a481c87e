// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `CreateTopicsRequest`, versions 2 to 7.

use super::super::prelude::*;

/// `CreateTopicsRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTopicsRequest {
    /// The topics to create. (versions 0+)
    pub topics: Vec<CreatableTopic>,
    /// How long to wait in milliseconds before timing out the request. (versions 0+)
    pub timeout_ms: i32,
    /// If true, check that the topics can be created as specified, but don't create anything. (versions 1+)
    pub validate_only: bool,
}

impl Default for CreateTopicsRequest {
    fn default() -> Self {
        Self { topics: Default::default(), timeout_ms: 60000, validate_only: Default::default() }
    }
}

impl Structure for CreateTopicsRequest {
    const MIN_WIRE_BYTES: usize = 7;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut value = Self::default();
        value.topics = reader.array(flexible, version)?;
        value.timeout_ms = reader.i32()?;
        value.validate_only = reader.bool()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 5;
        put_array(writer, &self.topics, flexible, version)?;
        writer.put_i32(self.timeout_ms);
        put_bool(writer, self.validate_only);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The topics to create.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CreatableTopic {
    /// The topic name. (versions 0+)
    pub name: String,
    /// The number of partitions to create in the topic, or -1 if we are either specifying a manual partition assignment or using the default partitions. (versions 0+)
    pub num_partitions: i32,
    /// The number of replicas to create for each partition in the topic, or -1 if we are either specifying a manual partition assignment or using the default replication factor. (versions 0+)
    pub replication_factor: i16,
    /// The manual partition assignment, or the empty array if we are using automatic assignment. (versions 0+)
    pub assignments: Vec<CreatableReplicaAssignment>,
    /// The custom topic configurations to set. (versions 0+)
    pub configs: Vec<CreatableTopicConfig>,
}

impl Structure for CreatableTopic {
    const MIN_WIRE_BYTES: usize = 10;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut value = Self::default();
        value.name = reader.string(flexible)?;
        value.num_partitions = reader.i32()?;
        value.replication_factor = reader.i16()?;
        value.assignments = reader.array(flexible, version)?;
        value.configs = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 5;
        put_string(writer, &self.name, flexible)?;
        writer.put_i32(self.num_partitions);
        writer.put_i16(self.replication_factor);
        put_array(writer, &self.assignments, flexible, version)?;
        put_array(writer, &self.configs, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The manual partition assignment, or the empty array if we are using automatic assignment.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CreatableReplicaAssignment {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The brokers to place the partition on. (versions 0+)
    pub broker_ids: Vec<i32>,
}

impl Structure for CreatableReplicaAssignment {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.broker_ids = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 5;
        writer.put_i32(self.partition_index);
        put_array(writer, &self.broker_ids, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The custom topic configurations to set.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicConfig {
    /// The configuration name. (versions 0+)
    pub name: String,
    /// The configuration value. (versions 0+)
    pub value: Option<String>,
}

impl Default for CreatableTopicConfig {
    fn default() -> Self {
        Self { name: Default::default(), value: Some(String::new()) }
    }
}

impl Structure for CreatableTopicConfig {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut value = Self::default();
        value.name = reader.string(flexible)?;
        value.value = reader.nullable_string(flexible, true)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 5;
        put_string(writer, &self.name, flexible)?;
        put_nullable_string(writer, self.value.as_deref(), flexible)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for CreateTopicsRequest {
    const NAME: &'static str = "CreateTopicsRequest";
    const MIN_VERSION: i16 = 2;
    const MAX_VERSION: i16 = 7;
    const FLEXIBLE_FROM: Option<i16> = Some(5);
}

impl Request for CreateTopicsRequest {
    const API_KEY: i16 = 19;
    type Response = super::CreateTopicsResponse;
}
