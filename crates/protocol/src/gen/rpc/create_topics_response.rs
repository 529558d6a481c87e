// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `CreateTopicsResponse`, versions 2 to 7.

use super::super::prelude::*;

/// `CreateTopicsResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CreateTopicsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 2+)
    pub throttle_time_ms: i32,
    /// Results for each topic we tried to create. (versions 0+)
    pub topics: Vec<CreatableTopicResult>,
}

impl Structure for CreateTopicsResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.topics = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 5;
        writer.put_i32(self.throttle_time_ms);
        put_array(writer, &self.topics, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Results for each topic we tried to create.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicResult {
    /// The topic name. (versions 0+)
    pub name: String,
    /// The unique topic ID. (versions 7+)
    pub topic_id: Uuid,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The error message, or null if there was no error. (versions 1+)
    pub error_message: Option<String>,
    /// Optional topic config error returned if configs are not returned in the response. (versions 5+, tag 0)
    pub topic_config_error_code: i16,
    /// Number of partitions of the topic. (versions 5+)
    pub num_partitions: i32,
    /// Replication factor of the topic. (versions 5+)
    pub replication_factor: i16,
    /// Configuration of the topic. (versions 5+)
    pub configs: Option<Vec<CreatableTopicConfigs>>,
}

impl Default for CreatableTopicResult {
    fn default() -> Self {
        Self {
            name: Default::default(),
            topic_id: Default::default(),
            error_code: Default::default(),
            error_message: Some(String::new()),
            topic_config_error_code: Default::default(),
            num_partitions: -1,
            replication_factor: -1,
            configs: Some(Vec::new()),
        }
    }
}

impl Structure for CreatableTopicResult {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut value = Self::default();
        value.name = reader.string(flexible)?;
        if version >= 7 {
            value.topic_id = reader.uuid()?;
        }
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(flexible, true)?;
        if version >= 5 {
            value.num_partitions = reader.i32()?;
        }
        if version >= 5 {
            value.replication_factor = reader.i16()?;
        }
        if version >= 5 {
            value.configs = reader.nullable_array(flexible, true, version)?;
        }
        if flexible {
            reader.tags(|reader, tag| {
                match tag {
                    0 if version >= 5 => value.topic_config_error_code = reader.i16()?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 5;
        put_string(writer, &self.name, flexible)?;
        if version >= 7 {
            put_uuid(writer, self.topic_id);
        }
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), flexible)?;
        if version >= 5 {
            writer.put_i32(self.num_partitions);
        }
        if version >= 5 {
            writer.put_i16(self.replication_factor);
        }
        if version >= 5 {
            put_nullable_array(writer, self.configs.as_deref(), flexible, version)?;
        }
        if flexible {
            let mut tags = Tags::default();
            if self.topic_config_error_code != 0 {
                tags.put(0, |writer| {
                    writer.put_i16(self.topic_config_error_code);
                    Ok(())
                })?;
            }
            tags.finish(writer);
        }
        Ok(())
    }
}

/// Configuration of the topic.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicConfigs {
    /// The configuration name. (versions 5+)
    pub name: String,
    /// The configuration value. (versions 5+)
    pub value: Option<String>,
    /// True if the configuration is read-only. (versions 5+)
    pub read_only: bool,
    /// The configuration source. (versions 5+)
    pub config_source: i8,
    /// True if this configuration is sensitive. (versions 5+)
    pub is_sensitive: bool,
}

impl Default for CreatableTopicConfigs {
    fn default() -> Self {
        Self {
            name: Default::default(),
            value: Some(String::new()),
            read_only: Default::default(),
            config_source: -1,
            is_sensitive: Default::default(),
        }
    }
}

impl Structure for CreatableTopicConfigs {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        value.value = reader.nullable_string(true, true)?;
        value.read_only = reader.bool()?;
        value.config_source = reader.i8()?;
        value.is_sensitive = reader.bool()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        put_nullable_string(writer, self.value.as_deref(), true)?;
        put_bool(writer, self.read_only);
        writer.put_i8(self.config_source);
        put_bool(writer, self.is_sensitive);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for CreateTopicsResponse {
    const NAME: &'static str = "CreateTopicsResponse";
    const MIN_VERSION: i16 = 2;
    const MAX_VERSION: i16 = 7;
    const FLEXIBLE_FROM: Option<i16> = Some(5);
}

impl Response for CreateTopicsResponse {
    const API_KEY: i16 = 19;
    type Request = super::CreateTopicsRequest;
}
