// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `AddOffsetsToTxnRequest`, versions 0 to 4.

use super::super::prelude::*;

/// `AddOffsetsToTxnRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AddOffsetsToTxnRequest {
    /// The transactional id corresponding to the transaction. (versions 0+)
    pub transactional_id: String,
    /// Current producer id in use by the transactional id. (versions 0+)
    pub producer_id: i64,
    /// Current epoch associated with the producer id. (versions 0+)
    pub producer_epoch: i16,
    /// The unique group identifier. (versions 0+)
    pub group_id: String,
}

impl Structure for AddOffsetsToTxnRequest {
    const MIN_WIRE_BYTES: usize = 13;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        value.transactional_id = reader.string(flexible)?;
        value.producer_id = reader.i64()?;
        value.producer_epoch = reader.i16()?;
        value.group_id = reader.string(flexible)?;
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
        put_string(writer, &self.group_id, flexible)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for AddOffsetsToTxnRequest {
    const NAME: &'static str = "AddOffsetsToTxnRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

impl Request for AddOffsetsToTxnRequest {
    const API_KEY: i16 = 25;
    type Response = super::AddOffsetsToTxnResponse;
}
