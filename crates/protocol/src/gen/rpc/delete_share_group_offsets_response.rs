// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DeleteShareGroupOffsetsResponse`, versions 0 to 0.

use super::super::prelude::*;

/// `DeleteShareGroupOffsetsResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteShareGroupOffsetsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The top-level error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The top-level error message, or null if there was no error. (versions 0+)
    pub error_message: Option<String>,
    /// The results for each topic. (versions 0+)
    pub responses: Vec<DeleteShareGroupOffsetsResponseTopic>,
}

impl Structure for DeleteShareGroupOffsetsResponse {
    const MIN_WIRE_BYTES: usize = 9;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        value.responses = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        put_array(writer, &self.responses, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The results for each topic.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteShareGroupOffsetsResponseTopic {
    /// The topic name. (versions 0+)
    pub topic_name: String,
    /// The unique topic ID. (versions 0+)
    pub topic_id: Uuid,
    /// The topic-level error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The topic-level error message, or null if there was no error. (versions 0+)
    pub error_message: Option<String>,
}

impl Structure for DeleteShareGroupOffsetsResponseTopic {
    const MIN_WIRE_BYTES: usize = 21;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic_name = reader.string(true)?;
        value.topic_id = reader.uuid()?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.topic_name, true)?;
        put_uuid(writer, self.topic_id);
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for DeleteShareGroupOffsetsResponse {
    const NAME: &'static str = "DeleteShareGroupOffsetsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for DeleteShareGroupOffsetsResponse {
    const API_KEY: i16 = 92;
    type Request = super::DeleteShareGroupOffsetsRequest;
}
