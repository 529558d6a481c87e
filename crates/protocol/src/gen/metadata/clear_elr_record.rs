// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ClearElrRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `ClearElrRecord`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ClearElrRecord {
    /// The name of the topic to clear ELRs for, or empty if all ELRs should be cleared. (versions 0+)
    pub topic_name: String,
}

impl Structure for ClearElrRecord {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic_name = reader.string(true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.topic_name, true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ClearElrRecord {
    const NAME: &'static str = "ClearElrRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
