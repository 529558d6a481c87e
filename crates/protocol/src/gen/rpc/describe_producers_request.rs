// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeProducersRequest`, versions 0 to 0.

use super::super::prelude::*;

/// `DescribeProducersRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeProducersRequest {
    /// The topics to list producers for. (versions 0+)
    pub topics: Vec<TopicRequest>,
}

impl Structure for DescribeProducersRequest {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topics = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_array(writer, &self.topics, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The topics to list producers for.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicRequest {
    /// The topic name. (versions 0+)
    pub name: String,
    /// The indexes of the partitions to list producers for. (versions 0+)
    pub partition_indexes: Vec<i32>,
}

impl Structure for TopicRequest {
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

impl Message for DescribeProducersRequest {
    const NAME: &'static str = "DescribeProducersRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for DescribeProducersRequest {
    const API_KEY: i16 = 61;
    type Response = super::DescribeProducersResponse;
}
