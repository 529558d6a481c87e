// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ShareGroupStatePartitionMetadataValue`, versions 0 to 0.

use super::super::prelude::*;

/// `ShareGroupStatePartitionMetadataValue`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupStatePartitionMetadataValue {
    /// The topic-partitions whose share-group state is being initialized. (versions 0+)
    pub initializing_topics: Vec<TopicPartitionsInfo>,
    /// The topics with initialized share-group state. (versions 0+)
    pub initialized_topics: Vec<TopicPartitionsInfo>,
    /// The topics whose share-group state is being deleted. (versions 0+)
    pub deleting_topics: Vec<TopicInfo>,
}

impl Structure for ShareGroupStatePartitionMetadataValue {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.initializing_topics = reader.array(true, version)?;
        value.initialized_topics = reader.array(true, version)?;
        value.deleting_topics = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_array(writer, &self.initializing_topics, true, version)?;
        put_array(writer, &self.initialized_topics, true, version)?;
        put_array(writer, &self.deleting_topics, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `TopicPartitionsInfo`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicPartitionsInfo {
    /// The topic identifier. (versions 0+)
    pub topic_id: Uuid,
    /// The topic name. (versions 0+)
    pub topic_name: String,
    /// The partitions. (versions 0+)
    pub partitions: Vec<i32>,
}

impl Structure for TopicPartitionsInfo {
    const MIN_WIRE_BYTES: usize = 19;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic_id = reader.uuid()?;
        value.topic_name = reader.string(true)?;
        value.partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_uuid(writer, self.topic_id);
        put_string(writer, &self.topic_name, true)?;
        put_array(writer, &self.partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `TopicInfo`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicInfo {
    /// The topic identifier. (versions 0+)
    pub topic_id: Uuid,
    /// The topic name. (versions 0+)
    pub topic_name: String,
}

impl Structure for TopicInfo {
    const MIN_WIRE_BYTES: usize = 18;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic_id = reader.uuid()?;
        value.topic_name = reader.string(true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_uuid(writer, self.topic_id);
        put_string(writer, &self.topic_name, true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ShareGroupStatePartitionMetadataValue {
    const NAME: &'static str = "ShareGroupStatePartitionMetadataValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
