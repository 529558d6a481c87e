// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ControlRecordTypeSchema`, versions 0 to 0.

use super::super::prelude::*;

/// `ControlRecordTypeSchema`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ControlRecordTypeSchema {
    /// The type of the control record, such as commit or abort (versions 0+)
    pub type_: i16,
}

impl Structure for ControlRecordTypeSchema {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.type_ = reader.i16()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i16(self.type_);
        Ok(())
    }
}

impl Message for ControlRecordTypeSchema {
    const NAME: &'static str = "ControlRecordTypeSchema";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = None;
}
