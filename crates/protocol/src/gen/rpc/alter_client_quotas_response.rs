// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `AlterClientQuotasResponse`, versions 0 to 1.

use super::super::prelude::*;

/// `AlterClientQuotasResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AlterClientQuotasResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The quota configuration entries to alter. (versions 0+)
    pub entries: Vec<EntryData>,
}

impl Structure for AlterClientQuotasResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.entries = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        writer.put_i32(self.throttle_time_ms);
        put_array(writer, &self.entries, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The quota configuration entries to alter.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryData {
    /// The error code, or `0` if the quota alteration succeeded. (versions 0+)
    pub error_code: i16,
    /// The error message, or `null` if the quota alteration succeeded. (versions 0+)
    pub error_message: Option<String>,
    /// The quota entity to alter. (versions 0+)
    pub entity: Vec<EntityData>,
}

impl Default for EntryData {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            error_message: Some(String::new()),
            entity: Default::default(),
        }
    }
}

impl Structure for EntryData {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(flexible, true)?;
        value.entity = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), flexible)?;
        put_array(writer, &self.entity, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The quota entity to alter.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityData {
    /// The entity type. (versions 0+)
    pub entity_type: String,
    /// The name of the entity, or null if the default. (versions 0+)
    pub entity_name: Option<String>,
}

impl Default for EntityData {
    fn default() -> Self {
        Self { entity_type: Default::default(), entity_name: Some(String::new()) }
    }
}

impl Structure for EntityData {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.entity_type = reader.string(flexible)?;
        value.entity_name = reader.nullable_string(flexible, true)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        put_string(writer, &self.entity_type, flexible)?;
        put_nullable_string(writer, self.entity_name.as_deref(), flexible)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for AlterClientQuotasResponse {
    const NAME: &'static str = "AlterClientQuotasResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}

impl Response for AlterClientQuotasResponse {
    const API_KEY: i16 = 49;
    type Request = super::AlterClientQuotasRequest;
}
