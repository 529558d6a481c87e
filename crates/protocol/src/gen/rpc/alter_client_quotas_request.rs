// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `AlterClientQuotasRequest`, versions 0 to 1.

use super::super::prelude::*;

/// `AlterClientQuotasRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AlterClientQuotasRequest {
    /// The quota configuration entries to alter. (versions 0+)
    pub entries: Vec<EntryData>,
    /// Whether the alteration should be validated, but not performed. (versions 0+)
    pub validate_only: bool,
}

impl Structure for AlterClientQuotasRequest {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.entries = reader.array(flexible, version)?;
        value.validate_only = reader.bool()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        put_array(writer, &self.entries, flexible, version)?;
        put_bool(writer, self.validate_only);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The quota configuration entries to alter.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct EntryData {
    /// The quota entity to alter. (versions 0+)
    pub entity: Vec<EntityData>,
    /// An individual quota configuration entry to alter. (versions 0+)
    pub ops: Vec<OpData>,
}

impl Structure for EntryData {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.entity = reader.array(flexible, version)?;
        value.ops = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        put_array(writer, &self.entity, flexible, version)?;
        put_array(writer, &self.ops, flexible, version)?;
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

/// An individual quota configuration entry to alter.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OpData {
    /// The quota configuration key. (versions 0+)
    pub key: String,
    /// The value to set, otherwise ignored if the value is to be removed. (versions 0+)
    pub value: f64,
    /// Whether the quota configuration value should be removed, otherwise set. (versions 0+)
    pub remove: bool,
}

impl Structure for OpData {
    const MIN_WIRE_BYTES: usize = 11;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.key = reader.string(flexible)?;
        value.value = reader.f64()?;
        value.remove = reader.bool()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        put_string(writer, &self.key, flexible)?;
        writer.put_f64(self.value);
        put_bool(writer, self.remove);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for AlterClientQuotasRequest {
    const NAME: &'static str = "AlterClientQuotasRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}

impl Request for AlterClientQuotasRequest {
    const API_KEY: i16 = 49;
    type Response = super::AlterClientQuotasResponse;
}
