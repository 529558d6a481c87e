// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ConsumerProtocolSubscription`, versions 0 to 3.

use super::super::prelude::*;

/// `ConsumerProtocolSubscription`.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerProtocolSubscription {
    /// The topics that the member wants to consume. (versions 0+)
    pub topics: Vec<String>,
    /// User data that will be passed back to the consumer. (versions 0+)
    pub user_data: Option<Bytes>,
    /// The partitions that the member owns. (versions 1+)
    pub owned_partitions: Vec<TopicPartition>,
    /// The generation id of the member. (versions 2+)
    pub generation_id: i32,
    /// The rack id of the member. (versions 3+)
    pub rack_id: Option<String>,
}

impl Default for ConsumerProtocolSubscription {
    fn default() -> Self {
        Self {
            topics: Default::default(),
            user_data: Default::default(),
            owned_partitions: Default::default(),
            generation_id: -1,
            rack_id: Default::default(),
        }
    }
}

impl Structure for ConsumerProtocolSubscription {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topics = reader.array(false, version)?;
        value.user_data = reader.nullable_bytes(false, true)?;
        if version >= 1 {
            value.owned_partitions = reader.array(false, version)?;
        }
        if version >= 2 {
            value.generation_id = reader.i32()?;
        }
        if version >= 3 {
            value.rack_id = reader.nullable_string(false, true)?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_array(writer, &self.topics, false, version)?;
        put_nullable_bytes(writer, self.user_data.as_deref(), false)?;
        if version >= 1 {
            put_array(writer, &self.owned_partitions, false, version)?;
        }
        if version >= 2 {
            writer.put_i32(self.generation_id);
        }
        if version >= 3 {
            put_nullable_string(writer, self.rack_id.as_deref(), false)?;
        }
        Ok(())
    }
}

/// The partitions that the member owns.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicPartition {
    /// The topic name. (versions 1+)
    pub topic: String,
    /// The partition ids. (versions 1+)
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

impl Message for ConsumerProtocolSubscription {
    const NAME: &'static str = "ConsumerProtocolSubscription";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: Option<i16> = None;
}
