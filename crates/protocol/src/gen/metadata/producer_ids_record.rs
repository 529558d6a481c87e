// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ProducerIdsRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `ProducerIdsRecord`.
#[derive(Clone, Debug, PartialEq)]
pub struct ProducerIdsRecord {
    /// The ID of the requesting broker (versions 0+)
    pub broker_id: i32,
    /// The epoch of the requesting broker (versions 0+)
    pub broker_epoch: i64,
    /// The next producerId that will be assigned (i.e. the first producerId in the next assigned block) (versions 0+)
    pub next_producer_id: i64,
}

impl Default for ProducerIdsRecord {
    fn default() -> Self {
        Self {
            broker_id: Default::default(),
            broker_epoch: -1,
            next_producer_id: Default::default(),
        }
    }
}

impl Structure for ProducerIdsRecord {
    const MIN_WIRE_BYTES: usize = 21;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.broker_id = reader.i32()?;
        value.broker_epoch = reader.i64()?;
        value.next_producer_id = reader.i64()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.broker_id);
        writer.put_i64(self.broker_epoch);
        writer.put_i64(self.next_producer_id);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ProducerIdsRecord {
    const NAME: &'static str = "ProducerIdsRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
