// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeClientQuotasResponse`, versions 0 to 1.

use super::super::prelude::*;

/// `DescribeClientQuotasResponse`.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClientQuotasResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The error code, or `0` if the quota description succeeded. (versions 0+)
    pub error_code: i16,
    /// The error message, or `null` if the quota description succeeded. (versions 0+)
    pub error_message: Option<String>,
    /// A result entry. (versions 0+)
    pub entries: Option<Vec<EntryData>>,
}

impl Default for DescribeClientQuotasResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            error_message: Some(String::new()),
            entries: Some(Vec::new()),
        }
    }
}

impl Structure for DescribeClientQuotasResponse {
    const MIN_WIRE_BYTES: usize = 9;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(flexible, true)?;
        value.entries = reader.nullable_array(flexible, true, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        writer.put_i32(self.throttle_time_ms);
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), flexible)?;
        put_nullable_array(writer, self.entries.as_deref(), flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// A result entry.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct EntryData {
    /// The quota entity description. (versions 0+)
    pub entity: Vec<EntityData>,
    /// The quota values for the entity. (versions 0+)
    pub values: Vec<ValueData>,
}

impl Structure for EntryData {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.entity = reader.array(flexible, version)?;
        value.values = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        put_array(writer, &self.entity, flexible, version)?;
        put_array(writer, &self.values, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The quota entity description.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityData {
    /// The entity type. (versions 0+)
    pub entity_type: String,
    /// The entity name, or null if the default. (versions 0+)
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

/// The quota values for the entity.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ValueData {
    /// The quota configuration key. (versions 0+)
    pub key: String,
    /// The quota configuration value. (versions 0+)
    pub value: f64,
}

impl Structure for ValueData {
    const MIN_WIRE_BYTES: usize = 10;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.key = reader.string(flexible)?;
        value.value = reader.f64()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        put_string(writer, &self.key, flexible)?;
        writer.put_f64(self.value);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for DescribeClientQuotasResponse {
    const NAME: &'static str = "DescribeClientQuotasResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}

impl Response for DescribeClientQuotasResponse {
    const API_KEY: i16 = 48;
    type Request = super::DescribeClientQuotasRequest;
}
