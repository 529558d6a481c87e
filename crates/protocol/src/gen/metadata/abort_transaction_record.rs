// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `AbortTransactionRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `AbortTransactionRecord`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AbortTransactionRecord {
    /// An optional textual description of why the transaction was aborted. (versions 0+, tag 0)
    pub reason: Option<String>,
}

impl Structure for AbortTransactionRecord {
    const MIN_WIRE_BYTES: usize = 1;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        reader.tags(|reader, tag| {
            match tag {
                0 => value.reason = reader.nullable_string(true, true)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let mut tags = Tags::default();
        if self.reason.is_some() {
            tags.put(0, |writer| {
                put_nullable_string(writer, self.reason.as_deref(), true)?;
                Ok(())
            })?;
        }
        tags.finish(writer);
        Ok(())
    }
}

impl Message for AbortTransactionRecord {
    const NAME: &'static str = "AbortTransactionRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
