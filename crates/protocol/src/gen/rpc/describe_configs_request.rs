// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeConfigsRequest`, versions 1 to 4.

use super::super::prelude::*;

/// `DescribeConfigsRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeConfigsRequest {
    /// The resources whose configurations we want to describe. (versions 0+)
    pub resources: Vec<DescribeConfigsResource>,
    /// True if we should include all synonyms. (versions 1+)
    pub include_synonyms: bool,
    /// True if we should include configuration documentation. (versions 3+)
    pub include_documentation: bool,
}

impl Structure for DescribeConfigsRequest {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.resources = reader.array(flexible, version)?;
        value.include_synonyms = reader.bool()?;
        if version >= 3 {
            value.include_documentation = reader.bool()?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        put_array(writer, &self.resources, flexible, version)?;
        put_bool(writer, self.include_synonyms);
        if version >= 3 {
            put_bool(writer, self.include_documentation);
        } else {
            require(!self.include_documentation, "IncludeDocumentation", version)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The resources whose configurations we want to describe.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsResource {
    /// The resource type. (versions 0+)
    pub resource_type: i8,
    /// The resource name. (versions 0+)
    pub resource_name: String,
    /// The configuration keys to list, or null to list all configuration keys. (versions 0+)
    pub configuration_keys: Option<Vec<String>>,
}

impl Default for DescribeConfigsResource {
    fn default() -> Self {
        Self {
            resource_type: Default::default(),
            resource_name: Default::default(),
            configuration_keys: Some(Vec::new()),
        }
    }
}

impl Structure for DescribeConfigsResource {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.resource_type = reader.i8()?;
        value.resource_name = reader.string(flexible)?;
        value.configuration_keys = reader.nullable_array(flexible, true, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        writer.put_i8(self.resource_type);
        put_string(writer, &self.resource_name, flexible)?;
        put_nullable_array(writer, self.configuration_keys.as_deref(), flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for DescribeConfigsRequest {
    const NAME: &'static str = "DescribeConfigsRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: Option<i16> = Some(4);
}

impl Request for DescribeConfigsRequest {
    const API_KEY: i16 = 32;
    type Response = super::DescribeConfigsResponse;
}
