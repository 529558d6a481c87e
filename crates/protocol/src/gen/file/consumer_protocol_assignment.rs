// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ConsumerProtocolAssignment`, versions 0 to 3.

use super::super::prelude::*;

/// `ConsumerProtocolAssignment`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConsumerProtocolAssignment {
    /// The list of topics and partitions assigned to this consumer. (versions 0+)
    pub assigned_partitions: Vec<TopicPartition>,
    /// User data. (versions 0+)
    pub user_data: Option<Bytes>,
}

impl Structure for ConsumerProtocolAssignment {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.assigned_partitions = reader.array(false, version)?;
        value.user_data = reader.nullable_bytes(false, true)?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_array(writer, &self.assigned_partitions, false, version)?;
        put_nullable_bytes(writer, self.user_data.as_deref(), false)?;
        Ok(())
    }
}

/// The list of topics and partitions assigned to this consumer.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicPartition {
    /// The topic name. (versions 0+)
    pub topic: String,
    /// The list of partitions assigned to this consumer. (versions 0+)
    pub partitions: Vec<i32>,
}

impl Structure for TopicPartition {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic = reader.string(false)?;
        value.partitions = reader.array(false, version)?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.topic, false)?;
        put_array(writer, &self.partitions, false, version)?;
        Ok(())
    }
}

impl Message for ConsumerProtocolAssignment {
    const NAME: &'static str = "ConsumerProtocolAssignment";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: Option<i16> = None;
}
