// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `UnfenceBrokerRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `UnfenceBrokerRecord`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct UnfenceBrokerRecord {
    /// The broker ID to unfence. (versions 0+)
    pub id: i32,
    /// The epoch of the broker to unfence. (versions 0+)
    pub epoch: i64,
}

impl Structure for UnfenceBrokerRecord {
    const MIN_WIRE_BYTES: usize = 13;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.id = reader.i32()?;
        value.epoch = reader.i64()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.id);
        writer.put_i64(self.epoch);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for UnfenceBrokerRecord {
    const NAME: &'static str = "UnfenceBrokerRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
