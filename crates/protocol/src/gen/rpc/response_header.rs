// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ResponseHeader`, versions 0 to 1.

use super::super::prelude::*;

/// `ResponseHeader`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ResponseHeader {
    /// The correlation ID of this response. (versions 0+)
    pub correlation_id: i32,
}

impl Structure for ResponseHeader {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.correlation_id = reader.i32()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        writer.put_i32(self.correlation_id);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for ResponseHeader {
    const NAME: &'static str = "ResponseHeader";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}
