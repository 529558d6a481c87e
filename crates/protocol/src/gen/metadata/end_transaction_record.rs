// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `EndTransactionRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `EndTransactionRecord`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct EndTransactionRecord {}

impl Structure for EndTransactionRecord {
    const MIN_WIRE_BYTES: usize = 1;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let value = Self::default();
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for EndTransactionRecord {
    const NAME: &'static str = "EndTransactionRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
