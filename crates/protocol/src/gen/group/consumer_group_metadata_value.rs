// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ConsumerGroupMetadataValue`, versions 0 to 0.

use super::super::prelude::*;

/// `ConsumerGroupMetadataValue`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConsumerGroupMetadataValue {
    /// The group epoch. (versions 0+)
    pub epoch: i32,
    /// The hash of all topics in the group. (versions 0+, tag 0)
    pub metadata_hash: i64,
}

impl Structure for ConsumerGroupMetadataValue {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.epoch = reader.i32()?;
        reader.tags(|reader, tag| {
            match tag {
                0 => value.metadata_hash = reader.i64()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.epoch);
        let mut tags = Tags::default();
        if self.metadata_hash != 0 {
            tags.put(0, |writer| {
                writer.put_i64(self.metadata_hash);
                Ok(())
            })?;
        }
        tags.finish(writer);
        Ok(())
    }
}

impl Message for ConsumerGroupMetadataValue {
    const NAME: &'static str = "ConsumerGroupMetadataValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
