// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DeleteTopicsResponse`, versions 1 to 6.

use super::super::prelude::*;

/// `DeleteTopicsResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteTopicsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 1+)
    pub throttle_time_ms: i32,
    /// The results for each topic we tried to delete. (versions 0+)
    pub responses: Vec<DeletableTopicResult>,
}

impl Structure for DeleteTopicsResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.responses = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        writer.put_i32(self.throttle_time_ms);
        put_array(writer, &self.responses, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The results for each topic we tried to delete.
#[derive(Clone, Debug, PartialEq)]
pub struct DeletableTopicResult {
    /// The topic name. (versions 0+)
    pub name: Option<String>,
    /// The unique topic ID. (versions 6+)
    pub topic_id: Uuid,
    /// The deletion error, or 0 if the deletion succeeded. (versions 0+)
    pub error_code: i16,
    /// The error message, or null if there was no error. (versions 5+)
    pub error_message: Option<String>,
}

impl Default for DeletableTopicResult {
    fn default() -> Self {
        Self {
            name: Some(String::new()),
            topic_id: Default::default(),
            error_code: Default::default(),
            error_message: Default::default(),
        }
    }
}

impl Structure for DeletableTopicResult {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.name = reader.nullable_string(flexible, version >= 6)?;
        if version >= 6 {
            value.topic_id = reader.uuid()?;
        }
        value.error_code = reader.i16()?;
        if version >= 5 {
            value.error_message = reader.nullable_string(flexible, true)?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        require(self.name.is_some() || version >= 6, "Name", version)?;
        put_nullable_string(writer, self.name.as_deref(), flexible)?;
        if version >= 6 {
            put_uuid(writer, self.topic_id);
        }
        writer.put_i16(self.error_code);
        if version >= 5 {
            put_nullable_string(writer, self.error_message.as_deref(), flexible)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for DeleteTopicsResponse {
    const NAME: &'static str = "DeleteTopicsResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 6;
    const FLEXIBLE_FROM: Option<i16> = Some(4);
}

impl Response for DeleteTopicsResponse {
    const API_KEY: i16 = 20;
    type Request = super::DeleteTopicsRequest;
}
