// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ShareGroupMetadataValue`, versions 0 to 0.

use super::super::prelude::*;

/// `ShareGroupMetadataValue`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupMetadataValue {
    /// The group epoch. (versions 0+)
    pub epoch: i32,
    /// The hash of all topics in the group. (versions 0+)
    pub metadata_hash: i64,
}

impl Structure for ShareGroupMetadataValue {
    const MIN_WIRE_BYTES: usize = 13;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.epoch = reader.i32()?;
        value.metadata_hash = reader.i64()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.epoch);
        writer.put_i64(self.metadata_hash);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ShareGroupMetadataValue {
    const NAME: &'static str = "ShareGroupMetadataValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
