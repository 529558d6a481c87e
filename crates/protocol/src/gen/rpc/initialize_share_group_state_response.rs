// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `InitializeShareGroupStateResponse`, versions 0 to 0.

use super::super::prelude::*;

/// `InitializeShareGroupStateResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct InitializeShareGroupStateResponse {
    /// The initialization results. (versions 0+)
    pub results: Vec<InitializeStateResult>,
}

impl Structure for InitializeShareGroupStateResponse {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.results = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_array(writer, &self.results, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The initialization results.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct InitializeStateResult {
    /// The topic identifier. (versions 0+)
    pub topic_id: Uuid,
    /// The results for the partitions. (versions 0+)
    pub partitions: Vec<PartitionResult>,
}

impl Structure for InitializeStateResult {
    const MIN_WIRE_BYTES: usize = 18;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic_id = reader.uuid()?;
        value.partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_uuid(writer, self.topic_id);
        put_array(writer, &self.partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The results for the partitions.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionResult {
    /// The partition index. (versions 0+)
    pub partition: i32,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The error message, or null if there was no error. (versions 0+)
    pub error_message: Option<String>,
}

impl Structure for PartitionResult {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition = reader.i32()?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition);
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for InitializeShareGroupStateResponse {
    const NAME: &'static str = "InitializeShareGroupStateResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for InitializeShareGroupStateResponse {
    const API_KEY: i16 = 83;
    type Request = super::InitializeShareGroupStateRequest;
}
