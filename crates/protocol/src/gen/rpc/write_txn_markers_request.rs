// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `WriteTxnMarkersRequest`, versions 1 to 2.

use super::super::prelude::*;

/// `WriteTxnMarkersRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct WriteTxnMarkersRequest {
    /// The transaction markers to be written. (versions 0+)
    pub markers: Vec<WritableTxnMarker>,
}

impl Structure for WriteTxnMarkersRequest {
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

/// The transaction markers to be written.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct WritableTxnMarker {
    /// The current producer ID. (versions 0+)
    pub producer_id: i64,
    /// The current epoch associated with the producer ID. (versions 0+)
    pub producer_epoch: i16,
    /// The result of the transaction to write to the partitions (false = ABORT, true = COMMIT). (versions 0+)
    pub transaction_result: bool,
    /// Each topic that we want to write transaction marker(s) for. (versions 0+)
    pub topics: Vec<WritableTxnMarkerTopic>,
    /// Epoch associated with the transaction state partition hosted by this transaction coordinator. (versions 0+)
    pub coordinator_epoch: i32,
    /// Transaction version of the marker. Ex: 0/1 = legacy (TV0/TV1), 2 = TV2 etc. (versions 2+)
    pub transaction_version: i8,
}

impl Structure for WritableTxnMarker {
    const MIN_WIRE_BYTES: usize = 17;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.producer_id = reader.i64()?;
        value.producer_epoch = reader.i16()?;
        value.transaction_result = reader.bool()?;
        value.topics = reader.array(true, version)?;
        value.coordinator_epoch = reader.i32()?;
        if version >= 2 {
            value.transaction_version = reader.i8()?;
        }
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i64(self.producer_id);
        writer.put_i16(self.producer_epoch);
        put_bool(writer, self.transaction_result);
        put_array(writer, &self.topics, true, version)?;
        writer.put_i32(self.coordinator_epoch);
        if version >= 2 {
            writer.put_i8(self.transaction_version);
        }
        put_no_tags(writer);
        Ok(())
    }
}

/// Each topic that we want to write transaction marker(s) for.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct WritableTxnMarkerTopic {
    /// The topic name. (versions 0+)
    pub name: String,
    /// The indexes of the partitions to write transaction markers for. (versions 0+)
    pub partition_indexes: Vec<i32>,
}

impl Structure for WritableTxnMarkerTopic {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        value.partition_indexes = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        put_array(writer, &self.partition_indexes, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for WriteTxnMarkersRequest {
    const NAME: &'static str = "WriteTxnMarkersRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}

impl Request for WriteTxnMarkersRequest {
    const API_KEY: i16 = 27;
    type Response = super::WriteTxnMarkersResponse;
}
