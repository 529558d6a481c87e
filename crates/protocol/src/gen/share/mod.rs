// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! Records of `__share_group_state`.

pub mod share_snapshot_key;
pub mod share_snapshot_value;
pub mod share_update_key;
pub mod share_update_value;

pub use share_snapshot_key::ShareSnapshotKey;
pub use share_snapshot_value::ShareSnapshotValue;
pub use share_update_key::ShareUpdateKey;
pub use share_update_value::ShareUpdateValue;

use super::prelude::*;
use crate::frame::{self, RecordSet};

/// The share coordinator keys, by record type.
#[derive(Clone, Debug, PartialEq)]
pub enum Key {
    ShareSnapshot(ShareSnapshotKey),
    ShareUpdate(ShareUpdateKey),
}

impl Key {
    /// The schema's `apiKey`.
    pub fn record_type(&self) -> i16 {
        match self {
            Self::ShareSnapshot(_) => 0,
            Self::ShareUpdate(_) => 1,
        }
    }

    /// The latest version of this record.
    pub fn max_version(&self) -> i16 {
        match self {
            Self::ShareSnapshot(_) => ShareSnapshotKey::MAX_VERSION,
            Self::ShareUpdate(_) => ShareUpdateKey::MAX_VERSION,
        }
    }
}

impl RecordSet for Key {
    const NAME: &'static str = "share coordinator keys";

    fn record_type(&self) -> i16 {
        self.record_type()
    }

    fn read_body(
        record_type: i16,
        reader: &mut Reader<'_>,
        version: i16,
    ) -> Result<Option<Self>, DecodeError> {
        Ok(Some(match record_type {
            0 => Self::ShareSnapshot(ShareSnapshotKey::decode(reader, version)?),
            1 => Self::ShareUpdate(ShareUpdateKey::decode(reader, version)?),
            _ => return Ok(None),
        }))
    }

    fn write_body(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        match self {
            Self::ShareSnapshot(body) => body.encode(writer, version),
            Self::ShareUpdate(body) => body.encode(writer, version),
        }
    }
}

impl From<ShareSnapshotKey> for Key {
    fn from(body: ShareSnapshotKey) -> Self {
        Self::ShareSnapshot(body)
    }
}

impl From<ShareUpdateKey> for Key {
    fn from(body: ShareUpdateKey) -> Self {
        Self::ShareUpdate(body)
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

/// The share coordinator values, by record type.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    ShareSnapshot(ShareSnapshotValue),
    ShareUpdate(ShareUpdateValue),
}

impl Value {
    /// The schema's `apiKey`.
    pub fn record_type(&self) -> i16 {
        match self {
            Self::ShareSnapshot(_) => 0,
            Self::ShareUpdate(_) => 1,
        }
    }

    /// The latest version of this record.
    pub fn max_version(&self) -> i16 {
        match self {
            Self::ShareSnapshot(_) => ShareSnapshotValue::MAX_VERSION,
            Self::ShareUpdate(_) => ShareUpdateValue::MAX_VERSION,
        }
    }
}

impl RecordSet for Value {
    const NAME: &'static str = "share coordinator values";

    fn record_type(&self) -> i16 {
        self.record_type()
    }

    fn read_body(
        record_type: i16,
        reader: &mut Reader<'_>,
        version: i16,
    ) -> Result<Option<Self>, DecodeError> {
        Ok(Some(match record_type {
            0 => Self::ShareSnapshot(ShareSnapshotValue::decode(reader, version)?),
            1 => Self::ShareUpdate(ShareUpdateValue::decode(reader, version)?),
            _ => return Ok(None),
        }))
    }

    fn write_body(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        match self {
            Self::ShareSnapshot(body) => body.encode(writer, version),
            Self::ShareUpdate(body) => body.encode(writer, version),
        }
    }
}

impl From<ShareSnapshotValue> for Value {
    fn from(body: ShareSnapshotValue) -> Self {
        Self::ShareSnapshot(body)
    }
}

impl From<ShareUpdateValue> for Value {
    fn from(body: ShareUpdateValue) -> Self {
        Self::ShareUpdate(body)
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
