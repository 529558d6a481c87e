// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeTransactionsResponse`, versions 0 to 0.

use super::super::prelude::*;

/// `DescribeTransactionsResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeTransactionsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The current state of the transaction. (versions 0+)
    pub transaction_states: Vec<TransactionState>,
}

impl Structure for DescribeTransactionsResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.transaction_states = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        put_array(writer, &self.transaction_states, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The current state of the transaction.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TransactionState {
    /// The error code. (versions 0+)
    pub error_code: i16,
    /// The transactional id. (versions 0+)
    pub transactional_id: String,
    /// The current transaction state of the producer. (versions 0+)
    pub transaction_state: String,
    /// The timeout in milliseconds for the transaction. (versions 0+)
    pub transaction_timeout_ms: i32,
    /// The start time of the transaction in milliseconds. (versions 0+)
    pub transaction_start_time_ms: i64,
    /// The current producer id associated with the transaction. (versions 0+)
    pub producer_id: i64,
    /// The current epoch associated with the producer id. (versions 0+)
    pub producer_epoch: i16,
    /// The set of partitions included in the current transaction (if active). When a transaction is preparing to commit or abort, this will include only partitions which do not have markers. (versions 0+)
    pub topics: Vec<TopicData>,
}

impl Structure for TransactionState {
    const MIN_WIRE_BYTES: usize = 28;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.transactional_id = reader.string(true)?;
        value.transaction_state = reader.string(true)?;
        value.transaction_timeout_ms = reader.i32()?;
        value.transaction_start_time_ms = reader.i64()?;
        value.producer_id = reader.i64()?;
        value.producer_epoch = reader.i16()?;
        value.topics = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i16(self.error_code);
        put_string(writer, &self.transactional_id, true)?;
        put_string(writer, &self.transaction_state, true)?;
        writer.put_i32(self.transaction_timeout_ms);
        writer.put_i64(self.transaction_start_time_ms);
        writer.put_i64(self.producer_id);
        writer.put_i16(self.producer_epoch);
        put_array(writer, &self.topics, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The set of partitions included in the current transaction (if active). When a transaction is preparing to commit or abort, this will include only partitions which do not have markers.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicData {
    /// The topic name. (versions 0+)
    pub topic: String,
    /// The partition ids included in the current transaction. (versions 0+)
    pub partitions: Vec<i32>,
}

impl Structure for TopicData {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic = reader.string(true)?;
        value.partitions = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.topic, true)?;
        put_array(writer, &self.partitions, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for DescribeTransactionsResponse {
    const NAME: &'static str = "DescribeTransactionsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for DescribeTransactionsResponse {
    const API_KEY: i16 = 65;
    type Request = super::DescribeTransactionsRequest;
}
