// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `InitProducerIdRequest`, versions 0 to 6.

use super::super::prelude::*;

/// `InitProducerIdRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct InitProducerIdRequest {
    /// The transactional id, or null if the producer is not transactional. (versions 0+)
    pub transactional_id: Option<String>,
    /// The time in ms to wait before aborting idle transactions sent by this producer. This is only relevant if a TransactionalId has been defined. (versions 0+)
    pub transaction_timeout_ms: i32,
    /// The producer id. This is used to disambiguate requests if a transactional id is reused following its expiration. (versions 3+)
    pub producer_id: i64,
    /// The producer's current epoch. This will be checked against the producer epoch on the broker, and the request will return an error if they do not match. (versions 3+)
    pub producer_epoch: i16,
    /// True if the client wants to enable two-phase commit (2PC) protocol for transactions. (versions 6+)
    pub enable2_pc: bool,
    /// True if the client wants to keep the currently ongoing transaction instead of aborting it. (versions 6+)
    pub keep_prepared_txn: bool,
}

impl Default for InitProducerIdRequest {
    fn default() -> Self {
        Self {
            transactional_id: Some(String::new()),
            transaction_timeout_ms: Default::default(),
            producer_id: -1,
            producer_epoch: -1,
            enable2_pc: Default::default(),
            keep_prepared_txn: Default::default(),
        }
    }
}

impl Structure for InitProducerIdRequest {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.transactional_id = reader.nullable_string(flexible, true)?;
        value.transaction_timeout_ms = reader.i32()?;
        if version >= 3 {
            value.producer_id = reader.i64()?;
        }
        if version >= 3 {
            value.producer_epoch = reader.i16()?;
        }
        if version >= 6 {
            value.enable2_pc = reader.bool()?;
        }
        if version >= 6 {
            value.keep_prepared_txn = reader.bool()?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        put_nullable_string(writer, self.transactional_id.as_deref(), flexible)?;
        writer.put_i32(self.transaction_timeout_ms);
        if version >= 3 {
            writer.put_i64(self.producer_id);
        } else {
            require(self.producer_id == -1, "ProducerId", version)?;
        }
        if version >= 3 {
            writer.put_i16(self.producer_epoch);
        } else {
            require(self.producer_epoch == -1, "ProducerEpoch", version)?;
        }
        if version >= 6 {
            put_bool(writer, self.enable2_pc);
        } else {
            require(!self.enable2_pc, "Enable2Pc", version)?;
        }
        if version >= 6 {
            put_bool(writer, self.keep_prepared_txn);
        } else {
            require(!self.keep_prepared_txn, "KeepPreparedTxn", version)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for InitProducerIdRequest {
    const NAME: &'static str = "InitProducerIdRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 6;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Request for InitProducerIdRequest {
    const API_KEY: i16 = 22;
    type Response = super::InitProducerIdResponse;
}
