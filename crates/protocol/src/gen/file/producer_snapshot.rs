// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ProducerSnapshot`, versions 1 to 1.

use super::super::prelude::*;

/// `ProducerSnapshot`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ProducerSnapshot {
    /// CRC of the snapshot data (versions 1 to 1)
    pub crc: u32,
    /// The entries in the producer table (versions 1 to 1)
    pub producer_entries: Vec<ProducerEntry>,
}

impl Structure for ProducerSnapshot {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.crc = reader.u32()?;
        value.producer_entries = reader.array(false, version)?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_u32(self.crc);
        put_array(writer, &self.producer_entries, false, version)?;
        Ok(())
    }
}

/// The entries in the producer table
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ProducerEntry {
    /// The producer ID (versions 1 to 1)
    pub producer_id: i64,
    /// Current epoch of the producer (versions 1 to 1)
    pub epoch: i16,
    /// Last written sequence of the producer (versions 1 to 1)
    pub last_sequence: i32,
    /// Last written offset of the producer (versions 1 to 1)
    pub last_offset: i64,
    /// The difference of the last sequence and first sequence in the last written batch (versions 1 to 1)
    pub offset_delta: i32,
    /// Max timestamp from the last written entry (versions 1 to 1)
    pub timestamp: i64,
    /// The epoch of the last transaction coordinator to send an end transaction marker (versions 1 to 1)
    pub coordinator_epoch: i32,
    /// The first offset of the on-going transaction (-1 if there is none) (versions 1 to 1)
    pub current_txn_first_offset: i64,
}

impl Structure for ProducerEntry {
    const MIN_WIRE_BYTES: usize = 46;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.producer_id = reader.i64()?;
        value.epoch = reader.i16()?;
        value.last_sequence = reader.i32()?;
        value.last_offset = reader.i64()?;
        value.offset_delta = reader.i32()?;
        value.timestamp = reader.i64()?;
        value.coordinator_epoch = reader.i32()?;
        value.current_txn_first_offset = reader.i64()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i64(self.producer_id);
        writer.put_i16(self.epoch);
        writer.put_i32(self.last_sequence);
        writer.put_i64(self.last_offset);
        writer.put_i32(self.offset_delta);
        writer.put_i64(self.timestamp);
        writer.put_i32(self.coordinator_epoch);
        writer.put_i64(self.current_txn_first_offset);
        Ok(())
    }
}

impl Message for ProducerSnapshot {
    const NAME: &'static str = "ProducerSnapshot";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = None;
}
