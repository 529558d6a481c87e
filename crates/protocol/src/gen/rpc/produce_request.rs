// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ProduceRequest`, versions 3 to 13.

use super::super::prelude::*;

/// `ProduceRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ProduceRequest {
    /// The transactional ID, or null if the producer is not transactional. (versions 3+)
    pub transactional_id: Option<String>,
    /// The number of acknowledgments the producer requires the leader to have received before considering a request complete. Allowed values: 0 for no acknowledgments, 1 for only the leader and -1 for the full ISR. (versions 0+)
    pub acks: i16,
    /// The timeout to await a response in milliseconds. (versions 0+)
    pub timeout_ms: i32,
    /// Each topic to produce to. (versions 0+)
    pub topic_data: Vec<TopicProduceData>,
}

impl Structure for ProduceRequest {
    const MIN_WIRE_BYTES: usize = 9;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        value.transactional_id = reader.nullable_string(flexible, true)?;
        value.acks = reader.i16()?;
        value.timeout_ms = reader.i32()?;
        value.topic_data = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 9;
        put_nullable_string(writer, self.transactional_id.as_deref(), flexible)?;
        writer.put_i16(self.acks);
        writer.put_i32(self.timeout_ms);
        put_array(writer, &self.topic_data, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each topic to produce to.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicProduceData {
    /// The topic name. (versions 0 to 12)
    pub name: String,
    /// The unique topic ID (versions 13+)
    pub topic_id: Uuid,
    /// Each partition to produce to. (versions 0+)
    pub partition_data: Vec<PartitionProduceData>,
}

impl Structure for TopicProduceData {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        if version <= 12 {
            value.name = reader.string(flexible)?;
        }
        if version >= 13 {
            value.topic_id = reader.uuid()?;
        }
        value.partition_data = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 9;
        if version <= 12 {
            put_string(writer, &self.name, flexible)?;
        }
        if version >= 13 {
            put_uuid(writer, self.topic_id);
        }
        put_array(writer, &self.partition_data, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each partition to produce to.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionProduceData {
    /// The partition index. (versions 0+)
    pub index: i32,
    /// The record data to be produced. (versions 0+)
    pub records: Option<Bytes>,
}

impl Default for PartitionProduceData {
    fn default() -> Self {
        Self { index: Default::default(), records: Some(Bytes::new()) }
    }
}

impl Structure for PartitionProduceData {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut value = Self::default();
        value.index = reader.i32()?;
        value.records = reader.nullable_bytes(flexible, true)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 9;
        writer.put_i32(self.index);
        put_nullable_bytes(writer, self.records.as_deref(), flexible)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for ProduceRequest {
    const NAME: &'static str = "ProduceRequest";
    const MIN_VERSION: i16 = 3;
    const MAX_VERSION: i16 = 13;
    const FLEXIBLE_FROM: Option<i16> = Some(9);
}

impl Request for ProduceRequest {
    const API_KEY: i16 = 0;
    type Response = super::ProduceResponse;
}
