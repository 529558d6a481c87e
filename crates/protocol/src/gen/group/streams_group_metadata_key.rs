// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `StreamsGroupMetadataKey`, versions 0 to 0.

use super::super::prelude::*;

/// `StreamsGroupMetadataKey`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StreamsGroupMetadataKey {
    /// The group ID. (versions 0 to 0)
    pub group_id: String,
}

impl Structure for StreamsGroupMetadataKey {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.group_id = reader.string(false)?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.group_id, false)?;
        Ok(())
    }
}

impl Message for StreamsGroupMetadataKey {
    const NAME: &'static str = "StreamsGroupMetadataKey";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = None;
}
