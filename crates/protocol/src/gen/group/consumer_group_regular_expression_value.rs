// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ConsumerGroupRegularExpressionValue`, versions 0 to 0.

use super::super::prelude::*;

/// `ConsumerGroupRegularExpressionValue`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConsumerGroupRegularExpressionValue {
    ///  (versions 0+)
    pub topics: Vec<String>,
    ///  (versions 0+)
    pub version: i64,
    ///  (versions 0+)
    pub timestamp: i64,
}

impl Structure for ConsumerGroupRegularExpressionValue {
    const MIN_WIRE_BYTES: usize = 18;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topics = reader.array(true, version)?;
        value.version = reader.i64()?;
        value.timestamp = reader.i64()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_array(writer, &self.topics, true, version)?;
        writer.put_i64(self.version);
        writer.put_i64(self.timestamp);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ConsumerGroupRegularExpressionValue {
    const NAME: &'static str = "ConsumerGroupRegularExpressionValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
