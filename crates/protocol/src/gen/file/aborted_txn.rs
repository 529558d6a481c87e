// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `AbortedTxn`, versions 0 to 0.

use super::super::prelude::*;

/// `AbortedTxn`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AbortedTxn {
    /// The producer id associated with the aborted transaction (versions 0+)
    pub producer_id: i64,
    /// The first offset in the aborted transaction (versions 0+)
    pub first_offset: i64,
    /// The last offset in the aborted transaction (versions 0+)
    pub last_offset: i64,
    /// The last stable offset at the time the transaction was aborted (versions 0+)
    pub last_stable_offset: i64,
}

impl Structure for AbortedTxn {
    const MIN_WIRE_BYTES: usize = 32;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.producer_id = reader.i64()?;
        value.first_offset = reader.i64()?;
        value.last_offset = reader.i64()?;
        value.last_stable_offset = reader.i64()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i64(self.producer_id);
        writer.put_i64(self.first_offset);
        writer.put_i64(self.last_offset);
        writer.put_i64(self.last_stable_offset);
        Ok(())
    }
}

impl Message for AbortedTxn {
    const NAME: &'static str = "AbortedTxn";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = None;
}
