// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ConfigRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `ConfigRecord`.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigRecord {
    /// The type of resource this configuration applies to. (versions 0+)
    pub resource_type: i8,
    /// The name of the resource this configuration applies to. (versions 0+)
    pub resource_name: String,
    /// The name of the configuration key. (versions 0+)
    pub name: String,
    /// The value of the configuration, or null if the it should be deleted. (versions 0+)
    pub value: Option<String>,
}

impl Default for ConfigRecord {
    fn default() -> Self {
        Self {
            resource_type: Default::default(),
            resource_name: Default::default(),
            name: Default::default(),
            value: Some(String::new()),
        }
    }
}

impl Structure for ConfigRecord {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.resource_type = reader.i8()?;
        value.resource_name = reader.string(true)?;
        value.name = reader.string(true)?;
        value.value = reader.nullable_string(true, true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i8(self.resource_type);
        put_string(writer, &self.resource_name, true)?;
        put_string(writer, &self.name, true)?;
        put_nullable_string(writer, self.value.as_deref(), true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ConfigRecord {
    const NAME: &'static str = "ConfigRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
