// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ClientQuotaRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `ClientQuotaRecord`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ClientQuotaRecord {
    /// The quota entity to alter. (versions 0+)
    pub entity: Vec<EntityData>,
    /// The quota configuration key. (versions 0+)
    pub key: String,
    /// The value to set, otherwise ignored if the value is to be removed. (versions 0+)
    pub value: f64,
    /// Whether the quota configuration value should be removed, otherwise set. (versions 0+)
    pub remove: bool,
}

impl Structure for ClientQuotaRecord {
    const MIN_WIRE_BYTES: usize = 12;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.entity = reader.array(true, version)?;
        value.key = reader.string(true)?;
        value.value = reader.f64()?;
        value.remove = reader.bool()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_array(writer, &self.entity, true, version)?;
        put_string(writer, &self.key, true)?;
        writer.put_f64(self.value);
        put_bool(writer, self.remove);
        put_no_tags(writer);
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
        let mut value = Self::default();
        value.entity_type = reader.string(true)?;
        value.entity_name = reader.nullable_string(true, true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.entity_type, true)?;
        put_nullable_string(writer, self.entity_name.as_deref(), true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ClientQuotaRecord {
    const NAME: &'static str = "ClientQuotaRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
