// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ConsumerGroupPartitionMetadataValue`, versions 0 to 0.

use super::super::prelude::*;

/// `ConsumerGroupPartitionMetadataValue`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConsumerGroupPartitionMetadataValue {
    /// The list of topic metadata. (versions 0+)
    pub topics: Vec<TopicMetadata>,
}

impl Structure for ConsumerGroupPartitionMetadataValue {
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

/// The list of topic metadata.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicMetadata {
    /// The topic id. (versions 0+)
    pub topic_id: Uuid,
    /// The topic name. (versions 0+)
    pub topic_name: String,
    /// The number of partitions of the topic. (versions 0+)
    pub num_partitions: i32,
    /// Deprecated: this field is not used after 4.0. Partitions mapped to a set of racks. If the rack information is unavailable for all the partitions, an empty list is stored. (versions 0+)
    pub partition_metadata: Vec<PartitionMetadata>,
}

impl Structure for TopicMetadata {
    const MIN_WIRE_BYTES: usize = 23;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic_id = reader.uuid()?;
        value.topic_name = reader.string(true)?;
        value.num_partitions = reader.i32()?;
        value.partition_metadata = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_uuid(writer, self.topic_id);
        put_string(writer, &self.topic_name, true)?;
        writer.put_i32(self.num_partitions);
        put_array(writer, &self.partition_metadata, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// Deprecated: this field is not used after 4.0. Partitions mapped to a set of racks. If the rack information is unavailable for all the partitions, an empty list is stored.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionMetadata {
    /// The partition number. (versions 0+)
    pub partition: i32,
    /// The set of racks that the partition is mapped to. (versions 0+)
    pub racks: Vec<String>,
}

impl Structure for PartitionMetadata {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition = reader.i32()?;
        value.racks = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition);
        put_array(writer, &self.racks, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ConsumerGroupPartitionMetadataValue {
    const NAME: &'static str = "ConsumerGroupPartitionMetadataValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
