// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `EndTxnMarker`, versions 0 to 0.

use super::super::prelude::*;

/// `EndTxnMarker`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct EndTxnMarker {
    /// The coordinator epoch when appending the record (versions 0+)
    pub coordinator_epoch: i32,
}

impl Structure for EndTxnMarker {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.coordinator_epoch = reader.i32()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.coordinator_epoch);
        Ok(())
    }
}

impl Message for EndTxnMarker {
    const NAME: &'static str = "EndTxnMarker";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = None;
}
