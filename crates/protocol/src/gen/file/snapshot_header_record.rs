// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `SnapshotHeaderRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `SnapshotHeaderRecord`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SnapshotHeaderRecord {
    /// The version of the snapshot header record. (versions 0+)
    pub version: i16,
    /// The append time of the last record from the log contained in this snapshot. (versions 0+)
    pub last_contained_log_timestamp: i64,
}

impl Structure for SnapshotHeaderRecord {
    const MIN_WIRE_BYTES: usize = 11;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.version = reader.i16()?;
        value.last_contained_log_timestamp = reader.i64()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i16(self.version);
        writer.put_i64(self.last_contained_log_timestamp);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for SnapshotHeaderRecord {
    const NAME: &'static str = "SnapshotHeaderRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
