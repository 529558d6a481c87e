// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `NoOpRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `NoOpRecord`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct NoOpRecord {}

impl Structure for NoOpRecord {
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

impl Message for NoOpRecord {
    const NAME: &'static str = "NoOpRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
