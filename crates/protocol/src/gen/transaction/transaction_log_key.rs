// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `TransactionLogKey`, versions 0 to 0.

use super::super::prelude::*;

/// `TransactionLogKey`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TransactionLogKey {
    /// The transactional id of the transaction. (versions 0 to 0)
    pub transactional_id: String,
}

impl Structure for TransactionLogKey {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.transactional_id = reader.string(false)?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.transactional_id, false)?;
        Ok(())
    }
}

impl Message for TransactionLogKey {
    const NAME: &'static str = "TransactionLogKey";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = None;
}
