// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `IncrementalAlterConfigsRequest`, versions 0 to 1.

use super::super::prelude::*;

/// `IncrementalAlterConfigsRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct IncrementalAlterConfigsRequest {
    /// The incremental updates for each resource. (versions 0+)
    pub resources: Vec<AlterConfigsResource>,
    /// True if we should validate the request, but not change the configurations. (versions 0+)
    pub validate_only: bool,
}

impl Structure for IncrementalAlterConfigsRequest {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.resources = reader.array(flexible, version)?;
        value.validate_only = reader.bool()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        put_array(writer, &self.resources, flexible, version)?;
        put_bool(writer, self.validate_only);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The incremental updates for each resource.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AlterConfigsResource {
    /// The resource type. (versions 0+)
    pub resource_type: i8,
    /// The resource name. (versions 0+)
    pub resource_name: String,
    /// The configurations. (versions 0+)
    pub configs: Vec<AlterableConfig>,
}

impl Structure for AlterConfigsResource {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.resource_type = reader.i8()?;
        value.resource_name = reader.string(flexible)?;
        value.configs = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        writer.put_i8(self.resource_type);
        put_string(writer, &self.resource_name, flexible)?;
        put_array(writer, &self.configs, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The configurations.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterableConfig {
    /// The configuration key name. (versions 0+)
    pub name: String,
    /// The type (Set, Delete, Append, Subtract) of operation. (versions 0+)
    pub config_operation: i8,
    /// The value to set for the configuration key. (versions 0+)
    pub value: Option<String>,
}

impl Default for AlterableConfig {
    fn default() -> Self {
        Self {
            name: Default::default(),
            config_operation: Default::default(),
            value: Some(String::new()),
        }
    }
}

impl Structure for AlterableConfig {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut value = Self::default();
        value.name = reader.string(flexible)?;
        value.config_operation = reader.i8()?;
        value.value = reader.nullable_string(flexible, true)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 1;
        put_string(writer, &self.name, flexible)?;
        writer.put_i8(self.config_operation);
        put_nullable_string(writer, self.value.as_deref(), flexible)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for IncrementalAlterConfigsRequest {
    const NAME: &'static str = "IncrementalAlterConfigsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}

impl Request for IncrementalAlterConfigsRequest {
    const API_KEY: i16 = 44;
    type Response = super::IncrementalAlterConfigsResponse;
}
