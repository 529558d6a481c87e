// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeClientQuotasRequest`, versions 0 to 1.

use super::super::prelude::*;

/// `DescribeClientQuotasRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeClientQuotasRequest {
    /// Filter components to apply to quota entities. (versions 0+)
    pub components: Vec<ComponentData>,
    /// Whether the match is strict, i.e. should exclude entities with unspecified entity types. (versions 0+)
    pub strict: bool,
}

impl Structure for DescribeClientQuotasRequest {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.components = reader.array(flexible, version)?;
        value.strict = reader.bool()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        put_array(writer, &self.components, flexible, version)?;
        put_bool(writer, self.strict);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Filter components to apply to quota entities.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentData {
    /// The entity type that the filter component applies to. (versions 0+)
    pub entity_type: String,
    /// How to match the entity {0 = exact name, 1 = default name, 2 = any specified name}. (versions 0+)
    pub match_type: i8,
    /// The string to match against, or null if unused for the match type. (versions 0+)
    pub match_: Option<String>,
}

impl Default for ComponentData {
    fn default() -> Self {
        Self {
            entity_type: Default::default(),
            match_type: Default::default(),
            match_: Some(String::new()),
        }
    }
}

impl Structure for ComponentData {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.entity_type = reader.string(flexible)?;
        value.match_type = reader.i8()?;
        value.match_ = reader.nullable_string(flexible, true)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        put_string(writer, &self.entity_type, flexible)?;
        writer.put_i8(self.match_type);
        put_nullable_string(writer, self.match_.as_deref(), flexible)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for DescribeClientQuotasRequest {
    const NAME: &'static str = "DescribeClientQuotasRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}

impl Request for DescribeClientQuotasRequest {
    const API_KEY: i16 = 48;
    type Response = super::DescribeClientQuotasResponse;
}
