// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DeleteTopicsRequest`, versions 1 to 6.

use super::super::prelude::*;

/// `DeleteTopicsRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteTopicsRequest {
    /// The name or topic ID of the topic. (versions 6+)
    pub topics: Vec<DeleteTopicState>,
    /// The names of the topics to delete. (versions 0 to 5)
    pub topic_names: Vec<String>,
    /// The length of time in milliseconds to wait for the deletions to complete. (versions 0+)
    pub timeout_ms: i32,
}

impl Structure for DeleteTopicsRequest {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        if version >= 6 {
            value.topics = reader.array(flexible, version)?;
        }
        if version <= 5 {
            value.topic_names = reader.array(flexible, version)?;
        }
        value.timeout_ms = reader.i32()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        if version >= 6 {
            put_array(writer, &self.topics, flexible, version)?;
        } else {
            require(self.topics.is_empty(), "Topics", version)?;
        }
        if version <= 5 {
            put_array(writer, &self.topic_names, flexible, version)?;
        }
        writer.put_i32(self.timeout_ms);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The name or topic ID of the topic.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteTopicState {
    /// The topic name. (versions 6+)
    pub name: Option<String>,
    /// The unique topic ID. (versions 6+)
    pub topic_id: Uuid,
}

impl Structure for DeleteTopicState {
    const MIN_WIRE_BYTES: usize = 18;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.nullable_string(true, true)?;
        value.topic_id = reader.uuid()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_nullable_string(writer, self.name.as_deref(), true)?;
        put_uuid(writer, self.topic_id);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for DeleteTopicsRequest {
    const NAME: &'static str = "DeleteTopicsRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 6;
    const FLEXIBLE_FROM: Option<i16> = Some(4);
}

impl Request for DeleteTopicsRequest {
    const API_KEY: i16 = 20;
    type Response = super::DeleteTopicsResponse;
}
