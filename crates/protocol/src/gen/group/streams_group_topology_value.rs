// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `StreamsGroupTopologyValue`, versions 0 to 0.

use super::super::prelude::*;

/// `StreamsGroupTopologyValue`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StreamsGroupTopologyValue {
    /// The epoch of the topology. (versions 0+)
    pub epoch: i32,
    /// The sub-topologies of the streams application. (versions 0+)
    pub subtopologies: Vec<Subtopology>,
}

impl Structure for StreamsGroupTopologyValue {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.epoch = reader.i32()?;
        value.subtopologies = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.epoch);
        put_array(writer, &self.subtopologies, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The sub-topologies of the streams application.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Subtopology {
    /// String to uniquely identify the subtopology. (versions 0+)
    pub subtopology_id: String,
    /// The topics the topology reads from. (versions 0+)
    pub source_topics: Vec<String>,
    /// Regular expressions identifying topics the subtopology reads from. (versions 0+)
    pub source_topic_regex: Vec<String>,
    /// The set of state changelog topics associated with this subtopology. (versions 0+)
    pub state_changelog_topics: Vec<TopicInfo>,
    /// The repartition topics the subtopology writes to. (versions 0+)
    pub repartition_sink_topics: Vec<String>,
    /// The set of source topics that are internally created repartition topics. (versions 0+)
    pub repartition_source_topics: Vec<TopicInfo>,
    /// A subset of source topics that must be copartitioned. (versions 0+)
    pub copartition_groups: Vec<CopartitionGroup>,
}

impl Structure for Subtopology {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.subtopology_id = reader.string(true)?;
        value.source_topics = reader.array(true, version)?;
        value.source_topic_regex = reader.array(true, version)?;
        value.state_changelog_topics = reader.array(true, version)?;
        value.repartition_sink_topics = reader.array(true, version)?;
        value.repartition_source_topics = reader.array(true, version)?;
        value.copartition_groups = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.subtopology_id, true)?;
        put_array(writer, &self.source_topics, true, version)?;
        put_array(writer, &self.source_topic_regex, true, version)?;
        put_array(writer, &self.state_changelog_topics, true, version)?;
        put_array(writer, &self.repartition_sink_topics, true, version)?;
        put_array(writer, &self.repartition_source_topics, true, version)?;
        put_array(writer, &self.copartition_groups, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// A subset of source topics that must be copartitioned.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CopartitionGroup {
    /// The topics the topology reads from. Index into the array on the subtopology level. (versions 0+)
    pub source_topics: Vec<i16>,
    /// Regular expressions identifying topics the subtopology reads from. Index into the array on the subtopology level. (versions 0+)
    pub source_topic_regex: Vec<i16>,
    /// The set of source topics that are internally created repartition topics. Index into the array on the subtopology level. (versions 0+)
    pub repartition_source_topics: Vec<i16>,
}

impl Structure for CopartitionGroup {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.source_topics = reader.array(true, version)?;
        value.source_topic_regex = reader.array(true, version)?;
        value.repartition_source_topics = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_array(writer, &self.source_topics, true, version)?;
        put_array(writer, &self.source_topic_regex, true, version)?;
        put_array(writer, &self.repartition_source_topics, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `TopicConfig`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicConfig {
    /// The key of the topic-level configuration. (versions 0+)
    pub key: String,
    /// The value of the topic-level configuration. (versions 0+)
    pub value: String,
}

impl Structure for TopicConfig {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.key = reader.string(true)?;
        value.value = reader.string(true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.key, true)?;
        put_string(writer, &self.value, true)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `TopicInfo`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicInfo {
    /// The name of the topic. (versions 0+)
    pub name: String,
    /// The number of partitions in the topic. Can be 0 if no specific number of partitions is enforced. Always 0 for changelog topics. (versions 0+)
    pub partitions: i32,
    /// The replication factor of the topic. Can be 0 if the default replication factor should be used. (versions 0+)
    pub replication_factor: i16,
    /// Topic-level configurations as key-value pairs. (versions 0+)
    pub topic_configs: Vec<TopicConfig>,
}

impl Structure for TopicInfo {
    const MIN_WIRE_BYTES: usize = 9;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        value.partitions = reader.i32()?;
        value.replication_factor = reader.i16()?;
        value.topic_configs = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        writer.put_i32(self.partitions);
        writer.put_i16(self.replication_factor);
        put_array(writer, &self.topic_configs, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for StreamsGroupTopologyValue {
    const NAME: &'static str = "StreamsGroupTopologyValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
