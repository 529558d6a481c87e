// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `FindCoordinatorRequest`, versions 0 to 6.

use super::super::prelude::*;

/// `FindCoordinatorRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FindCoordinatorRequest {
    /// The coordinator key. (versions 0 to 3)
    pub key: String,
    /// The coordinator key type. (group, transaction, share). (versions 1+)
    pub key_type: i8,
    /// The coordinator keys. (versions 4+)
    pub coordinator_keys: Vec<String>,
}

impl Structure for FindCoordinatorRequest {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        if version <= 3 {
            value.key = reader.string(flexible)?;
        }
        if version >= 1 {
            value.key_type = reader.i8()?;
        }
        if version >= 4 {
            value.coordinator_keys = reader.array(flexible, version)?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        if version <= 3 {
            put_string(writer, &self.key, flexible)?;
        } else {
            require(self.key.is_empty(), "Key", version)?;
        }
        if version >= 1 {
            writer.put_i8(self.key_type);
        } else {
            require(self.key_type == 0, "KeyType", version)?;
        }
        if version >= 4 {
            put_array(writer, &self.coordinator_keys, flexible, version)?;
        } else {
            require(self.coordinator_keys.is_empty(), "CoordinatorKeys", version)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for FindCoordinatorRequest {
    const NAME: &'static str = "FindCoordinatorRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 6;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

impl Request for FindCoordinatorRequest {
    const API_KEY: i16 = 10;
    type Response = super::FindCoordinatorResponse;
}
