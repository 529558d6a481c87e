// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `SnapshotFooterRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `SnapshotFooterRecord`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SnapshotFooterRecord {
    /// The version of the snapshot footer record. (versions 0+)
    pub version: i16,
}

impl Structure for SnapshotFooterRecord {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.version = reader.i16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i16(self.version);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for SnapshotFooterRecord {
    const NAME: &'static str = "SnapshotFooterRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
