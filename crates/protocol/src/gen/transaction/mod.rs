// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! Records of `__transaction_state`.

pub mod transaction_log_key;
pub mod transaction_log_value;

pub use transaction_log_key::TransactionLogKey;
pub use transaction_log_value::TransactionLogValue;

use super::prelude::*;
use crate::frame::{self, RecordSet};

/// The transaction coordinator keys, by record type.
#[derive(Clone, Debug, PartialEq)]
pub enum Key {
    TransactionLog(TransactionLogKey),
}

impl Key {
    /// The schema's `apiKey`.
    pub fn record_type(&self) -> i16 {
        match self {
            Self::TransactionLog(_) => 0,
        }
    }

    /// The latest version of this record.
    pub fn max_version(&self) -> i16 {
        match self {
            Self::TransactionLog(_) => TransactionLogKey::MAX_VERSION,
        }
    }
}

impl RecordSet for Key {
    const NAME: &'static str = "transaction coordinator keys";

    fn record_type(&self) -> i16 {
        self.record_type()
    }

    fn read_body(
        record_type: i16,
        reader: &mut Reader<'_>,
        version: i16,
    ) -> Result<Option<Self>, DecodeError> {
        Ok(Some(match record_type {
            0 => Self::TransactionLog(TransactionLogKey::decode(reader, version)?),
            _ => return Ok(None),
        }))
    }

    fn write_body(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        match self {
            Self::TransactionLog(body) => body.encode(writer, version),
        }
    }
}

impl From<TransactionLogKey> for Key {
    fn from(body: TransactionLogKey) -> Self {
        Self::TransactionLog(body)
    }
}

impl Key {
    /// Decodes a record's key: `i16` record type, body.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        frame::decode_key(bytes)
    }

    /// The inverse of [`Self::decode`].
    pub fn encode(&self) -> Result<Bytes, EncodeError> {
        frame::encode_key(self)
    }
}

/// The transaction coordinator values, by record type.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    TransactionLog(TransactionLogValue),
}

impl Value {
    /// The schema's `apiKey`.
    pub fn record_type(&self) -> i16 {
        match self {
            Self::TransactionLog(_) => 0,
        }
    }

    /// The latest version of this record.
    pub fn max_version(&self) -> i16 {
        match self {
            Self::TransactionLog(_) => TransactionLogValue::MAX_VERSION,
        }
    }
}

impl RecordSet for Value {
    const NAME: &'static str = "transaction coordinator values";

    fn record_type(&self) -> i16 {
        self.record_type()
    }

    fn read_body(
        record_type: i16,
        reader: &mut Reader<'_>,
        version: i16,
    ) -> Result<Option<Self>, DecodeError> {
        Ok(Some(match record_type {
            0 => Self::TransactionLog(TransactionLogValue::decode(reader, version)?),
            _ => return Ok(None),
        }))
    }

    fn write_body(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        match self {
            Self::TransactionLog(body) => body.encode(writer, version),
        }
    }
}

impl From<TransactionLogValue> for Value {
    fn from(body: TransactionLogValue) -> Self {
        Self::TransactionLog(body)
    }
}

impl Value {
    /// Decodes a record's value, of the type its key names: `i16` version, body.
    pub fn decode(record_type: i16, bytes: &[u8]) -> Result<Self, DecodeError> {
        frame::decode_value(record_type, bytes)
    }

    /// The inverse of [`Self::decode`].
    pub fn encode(&self, version: i16) -> Result<Bytes, EncodeError> {
        frame::encode_value(self, version)
    }
}
