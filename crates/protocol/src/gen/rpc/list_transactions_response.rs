// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ListTransactionsResponse`, versions 0 to 2.

use super::super::prelude::*;

/// `ListTransactionsResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListTransactionsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// Set of state filters provided in the request which were unknown to the transaction coordinator. (versions 0+)
    pub unknown_state_filters: Vec<String>,
    /// The current state of the transaction for the transactional id. (versions 0+)
    pub transaction_states: Vec<TransactionState>,
}

impl Structure for ListTransactionsResponse {
    const MIN_WIRE_BYTES: usize = 9;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        value.unknown_state_filters = reader.array(true, version)?;
        value.transaction_states = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        writer.put_i16(self.error_code);
        put_array(writer, &self.unknown_state_filters, true, version)?;
        put_array(writer, &self.transaction_states, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The current state of the transaction for the transactional id.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TransactionState {
    /// The transactional id. (versions 0+)
    pub transactional_id: String,
    /// The producer id. (versions 0+)
    pub producer_id: i64,
    /// The current transaction state of the producer. (versions 0+)
    pub transaction_state: String,
}

impl Structure for TransactionState {
    const MIN_WIRE_BYTES: usize = 11;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.transactional_id = reader.string(true)?;
        value.producer_id = reader.i64()?;
        value.transaction_state = reader.string(true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.transactional_id, true)?;
        writer.put_i64(self.producer_id);
        put_string(writer, &self.transaction_state, true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ListTransactionsResponse {
    const NAME: &'static str = "ListTransactionsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for ListTransactionsResponse {
    const API_KEY: i16 = 66;
    type Request = super::ListTransactionsRequest;
}
