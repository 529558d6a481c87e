// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `CreatePartitionsRequest`, versions 0 to 3.

use super::super::prelude::*;

/// `CreatePartitionsRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CreatePartitionsRequest {
    /// Each topic that we want to create new partitions inside. (versions 0+)
    pub topics: Vec<CreatePartitionsTopic>,
    /// The time in ms to wait for the partitions to be created. (versions 0+)
    pub timeout_ms: i32,
    /// If true, then validate the request, but don't actually increase the number of partitions. (versions 0+)
    pub validate_only: bool,
}

impl Structure for CreatePartitionsRequest {
    const MIN_WIRE_BYTES: usize = 7;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
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
        let flexible = version >= 2;
        put_array(writer, &self.topics, flexible, version)?;
        writer.put_i32(self.timeout_ms);
        put_bool(writer, self.validate_only);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each topic that we want to create new partitions inside.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatePartitionsTopic {
    /// The topic name. (versions 0+)
    pub name: String,
    /// The new partition count. (versions 0+)
    pub count: i32,
    /// The new partition assignments. (versions 0+)
    pub assignments: Option<Vec<CreatePartitionsAssignment>>,
}

impl Default for CreatePartitionsTopic {
    fn default() -> Self {
        Self { name: Default::default(), count: Default::default(), assignments: Some(Vec::new()) }
    }
}

impl Structure for CreatePartitionsTopic {
    const MIN_WIRE_BYTES: usize = 7;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.name = reader.string(flexible)?;
        value.count = reader.i32()?;
        value.assignments = reader.nullable_array(flexible, true, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        put_string(writer, &self.name, flexible)?;
        writer.put_i32(self.count);
        put_nullable_array(writer, self.assignments.as_deref(), flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The new partition assignments.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CreatePartitionsAssignment {
    /// The assigned broker IDs. (versions 0+)
    pub broker_ids: Vec<i32>,
}

impl Structure for CreatePartitionsAssignment {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.broker_ids = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        put_array(writer, &self.broker_ids, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for CreatePartitionsRequest {
    const NAME: &'static str = "CreatePartitionsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Request for CreatePartitionsRequest {
    const API_KEY: i16 = 37;
    type Response = super::CreatePartitionsResponse;
}
