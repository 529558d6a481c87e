// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeShareGroupOffsetsRequest`, versions 0 to 1.

use super::super::prelude::*;

/// `DescribeShareGroupOffsetsRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeShareGroupOffsetsRequest {
    /// The groups to describe offsets for. (versions 0+)
    pub groups: Vec<DescribeShareGroupOffsetsRequestGroup>,
}

impl Structure for DescribeShareGroupOffsetsRequest {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.groups = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_array(writer, &self.groups, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The groups to describe offsets for.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeShareGroupOffsetsRequestGroup {
    /// The group identifier. (versions 0+)
    pub group_id: String,
    /// The topics to describe offsets for, or null for all topic-partitions. (versions 0+)
    pub topics: Option<Vec<DescribeShareGroupOffsetsRequestTopic>>,
}

impl Default for DescribeShareGroupOffsetsRequestGroup {
    fn default() -> Self {
        Self { group_id: Default::default(), topics: Some(Vec::new()) }
    }
}

impl Structure for DescribeShareGroupOffsetsRequestGroup {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.group_id = reader.string(true)?;
        value.topics = reader.nullable_array(true, true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.group_id, true)?;
        put_nullable_array(writer, self.topics.as_deref(), true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The topics to describe offsets for, or null for all topic-partitions.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeShareGroupOffsetsRequestTopic {
    /// The topic name. (versions 0+)
    pub topic_name: String,
    /// The partitions. (versions 0+)
    pub partitions: Vec<i32>,
}

impl Structure for DescribeShareGroupOffsetsRequestTopic {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic_name = reader.string(true)?;
        value.partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.topic_name, true)?;
        put_array(writer, &self.partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for DescribeShareGroupOffsetsRequest {
    const NAME: &'static str = "DescribeShareGroupOffsetsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for DescribeShareGroupOffsetsRequest {
    const API_KEY: i16 = 90;
    type Response = super::DescribeShareGroupOffsetsResponse;
}
