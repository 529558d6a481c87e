// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `FenceBrokerRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `FenceBrokerRecord`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FenceBrokerRecord {
    /// The broker ID to fence. It will be removed from all ISRs. (versions 0+)
    pub id: i32,
    /// The epoch of the broker to fence. (versions 0+)
    pub epoch: i64,
}

impl Structure for FenceBrokerRecord {
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

impl Message for FenceBrokerRecord {
    const NAME: &'static str = "FenceBrokerRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
