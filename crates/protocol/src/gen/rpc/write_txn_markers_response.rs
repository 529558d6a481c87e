// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `WriteTxnMarkersResponse`, versions 1 to 2.

use super::super::prelude::*;

/// `WriteTxnMarkersResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct WriteTxnMarkersResponse {
    /// The results for writing makers. (versions 0+)
    pub markers: Vec<WritableTxnMarkerResult>,
}

impl Structure for WriteTxnMarkersResponse {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.markers = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_array(writer, &self.markers, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The results for writing makers.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct WritableTxnMarkerResult {
    /// The current producer ID in use by the transactional ID. (versions 0+)
    pub producer_id: i64,
    /// The results by topic. (versions 0+)
    pub topics: Vec<WritableTxnMarkerTopicResult>,
}

impl Structure for WritableTxnMarkerResult {
    const MIN_WIRE_BYTES: usize = 10;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.producer_id = reader.i64()?;
        value.topics = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i64(self.producer_id);
        put_array(writer, &self.topics, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The results by topic.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct WritableTxnMarkerTopicResult {
    /// The topic name. (versions 0+)
    pub name: String,
    /// The results by partition. (versions 0+)
    pub partitions: Vec<WritableTxnMarkerPartitionResult>,
}

impl Structure for WritableTxnMarkerTopicResult {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        value.partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        put_array(writer, &self.partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The results by partition.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct WritableTxnMarkerPartitionResult {
    /// The partition index. (versions 0+)
    pub partition_index: i32,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
}

impl Structure for WritableTxnMarkerPartitionResult {
    const MIN_WIRE_BYTES: usize = 7;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.partition_index = reader.i32()?;
        value.error_code = reader.i16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.partition_index);
        writer.put_i16(self.error_code);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for WriteTxnMarkersResponse {
    const NAME: &'static str = "WriteTxnMarkersResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}

impl Response for WriteTxnMarkersResponse {
    const API_KEY: i16 = 27;
    type Request = super::WriteTxnMarkersRequest;
}
