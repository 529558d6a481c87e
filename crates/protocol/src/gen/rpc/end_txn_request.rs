// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `EndTxnRequest`, versions 0 to 5.

use super::super::prelude::*;

/// `EndTxnRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct EndTxnRequest {
    /// The ID of the transaction to end. (versions 0+)
    pub transactional_id: String,
    /// The producer ID. (versions 0+)
    pub producer_id: i64,
    /// The current epoch associated with the producer. (versions 0+)
    pub producer_epoch: i16,
    /// True if the transaction was committed, false if it was aborted. (versions 0+)
    pub committed: bool,
}

impl Structure for EndTxnRequest {
    const MIN_WIRE_BYTES: usize = 13;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        value.transactional_id = reader.string(flexible)?;
        value.producer_id = reader.i64()?;
        value.producer_epoch = reader.i16()?;
        value.committed = reader.bool()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        put_string(writer, &self.transactional_id, flexible)?;
        writer.put_i64(self.producer_id);
        writer.put_i16(self.producer_epoch);
        put_bool(writer, self.committed);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for EndTxnRequest {
    const NAME: &'static str = "EndTxnRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

impl Request for EndTxnRequest {
    const API_KEY: i16 = 26;
    type Response = super::EndTxnResponse;
}
