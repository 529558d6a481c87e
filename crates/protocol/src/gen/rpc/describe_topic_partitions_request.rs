// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeTopicPartitionsRequest`, versions 0 to 0.

use super::super::prelude::*;

/// `DescribeTopicPartitionsRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTopicPartitionsRequest {
    /// The topics to fetch details for. (versions 0+)
    pub topics: Vec<TopicRequest>,
    /// The maximum number of partitions included in the response. (versions 0+)
    pub response_partition_limit: i32,
    /// The first topic and partition index to fetch details for. (versions 0+)
    pub cursor: Option<Cursor>,
}

impl Default for DescribeTopicPartitionsRequest {
    fn default() -> Self {
        Self {
            topics: Default::default(),
            response_partition_limit: 2000,
            cursor: Default::default(),
        }
    }
}

impl Structure for DescribeTopicPartitionsRequest {
    const MIN_WIRE_BYTES: usize = 7;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topics = reader.array(true, version)?;
        value.response_partition_limit = reader.i32()?;
        value.cursor = reader.nullable_struct(version, true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_array(writer, &self.topics, true, version)?;
        writer.put_i32(self.response_partition_limit);
        put_nullable_struct(writer, self.cursor.as_ref(), version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The topics to fetch details for.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicRequest {
    /// The topic name. (versions 0+)
    pub name: String,
}

impl Structure for TopicRequest {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The first topic and partition index to fetch details for.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Cursor {
    /// The name for the first topic to process. (versions 0+)
    pub topic_name: String,
    /// The partition index to start with. (versions 0+)
    pub partition_index: i32,
}

impl Structure for Cursor {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic_name = reader.string(true)?;
        value.partition_index = reader.i32()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.topic_name, true)?;
        writer.put_i32(self.partition_index);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for DescribeTopicPartitionsRequest {
    const NAME: &'static str = "DescribeTopicPartitionsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for DescribeTopicPartitionsRequest {
    const API_KEY: i16 = 75;
    type Response = super::DescribeTopicPartitionsResponse;
}
