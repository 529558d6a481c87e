// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `InitProducerIdResponse`, versions 0 to 6.

use super::super::prelude::*;

/// `InitProducerIdResponse`.
#[derive(Clone, Debug, PartialEq)]
pub struct InitProducerIdResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The current producer id. (versions 0+)
    pub producer_id: i64,
    /// The current epoch associated with the producer id. (versions 0+)
    pub producer_epoch: i16,
    /// The producer id for ongoing transaction when KeepPreparedTxn is used, -1 if there is no transaction ongoing. (versions 6+)
    pub ongoing_txn_producer_id: i64,
    /// The epoch associated with the producer id for ongoing transaction when KeepPreparedTxn is used, -1 if there is no transaction ongoing. (versions 6+)
    pub ongoing_txn_producer_epoch: i16,
}

impl Default for InitProducerIdResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            producer_id: -1,
            producer_epoch: Default::default(),
            ongoing_txn_producer_id: -1,
            ongoing_txn_producer_epoch: -1,
        }
    }
}

impl Structure for InitProducerIdResponse {
    const MIN_WIRE_BYTES: usize = 16;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        value.producer_id = reader.i64()?;
        value.producer_epoch = reader.i16()?;
        if version >= 6 {
            value.ongoing_txn_producer_id = reader.i64()?;
        }
        if version >= 6 {
            value.ongoing_txn_producer_epoch = reader.i16()?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i32(self.throttle_time_ms);
        writer.put_i16(self.error_code);
        writer.put_i64(self.producer_id);
        writer.put_i16(self.producer_epoch);
        if version >= 6 {
            writer.put_i64(self.ongoing_txn_producer_id);
        } else {
            require(self.ongoing_txn_producer_id == -1, "OngoingTxnProducerId", version)?;
        }
        if version >= 6 {
            writer.put_i16(self.ongoing_txn_producer_epoch);
        } else {
            require(self.ongoing_txn_producer_epoch == -1, "OngoingTxnProducerEpoch", version)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for InitProducerIdResponse {
    const NAME: &'static str = "InitProducerIdResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 6;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Response for InitProducerIdResponse {
    const API_KEY: i16 = 22;
    type Request = super::InitProducerIdRequest;
}
