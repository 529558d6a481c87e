// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeConfigsResponse`, versions 1 to 4.

use super::super::prelude::*;

/// `DescribeConfigsResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeConfigsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The results for each resource. (versions 0+)
    pub results: Vec<DescribeConfigsResult>,
}

impl Structure for DescribeConfigsResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.results = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        writer.put_i32(self.throttle_time_ms);
        put_array(writer, &self.results, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The results for each resource.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsResult {
    /// The error code, or 0 if we were able to successfully describe the configurations. (versions 0+)
    pub error_code: i16,
    /// The error message, or null if we were able to successfully describe the configurations. (versions 0+)
    pub error_message: Option<String>,
    /// The resource type. (versions 0+)
    pub resource_type: i8,
    /// The resource name. (versions 0+)
    pub resource_name: String,
    /// Each listed configuration. (versions 0+)
    pub configs: Vec<DescribeConfigsResourceResult>,
}

impl Default for DescribeConfigsResult {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            error_message: Some(String::new()),
            resource_type: Default::default(),
            resource_name: Default::default(),
            configs: Default::default(),
        }
    }
}

impl Structure for DescribeConfigsResult {
    const MIN_WIRE_BYTES: usize = 7;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(flexible, true)?;
        value.resource_type = reader.i8()?;
        value.resource_name = reader.string(flexible)?;
        value.configs = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), flexible)?;
        writer.put_i8(self.resource_type);
        put_string(writer, &self.resource_name, flexible)?;
        put_array(writer, &self.configs, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each listed configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsResourceResult {
    /// The configuration name. (versions 0+)
    pub name: String,
    /// The configuration value. (versions 0+)
    pub value: Option<String>,
    /// True if the configuration is read-only. (versions 0+)
    pub read_only: bool,
    /// The configuration source. (versions 1+)
    pub config_source: i8,
    /// True if this configuration is sensitive. (versions 0+)
    pub is_sensitive: bool,
    /// The synonyms for this configuration key. (versions 1+)
    pub synonyms: Vec<DescribeConfigsSynonym>,
    /// The configuration data type. Type can be one of the following values - BOOLEAN, STRING, INT, SHORT, LONG, DOUBLE, LIST, CLASS, PASSWORD. (versions 3+)
    pub config_type: i8,
    /// The configuration documentation. (versions 3+)
    pub documentation: Option<String>,
}

impl Default for DescribeConfigsResourceResult {
    fn default() -> Self {
        Self {
            name: Default::default(),
            value: Some(String::new()),
            read_only: Default::default(),
            config_source: -1,
            is_sensitive: Default::default(),
            synonyms: Default::default(),
            config_type: Default::default(),
            documentation: Some(String::new()),
        }
    }
}

impl Structure for DescribeConfigsResourceResult {
    const MIN_WIRE_BYTES: usize = 9;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.name = reader.string(flexible)?;
        value.value = reader.nullable_string(flexible, true)?;
        value.read_only = reader.bool()?;
        value.config_source = reader.i8()?;
        value.is_sensitive = reader.bool()?;
        value.synonyms = reader.array(flexible, version)?;
        if version >= 3 {
            value.config_type = reader.i8()?;
        }
        if version >= 3 {
            value.documentation = reader.nullable_string(flexible, true)?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        put_string(writer, &self.name, flexible)?;
        put_nullable_string(writer, self.value.as_deref(), flexible)?;
        put_bool(writer, self.read_only);
        writer.put_i8(self.config_source);
        put_bool(writer, self.is_sensitive);
        put_array(writer, &self.synonyms, flexible, version)?;
        if version >= 3 {
            writer.put_i8(self.config_type);
        }
        if version >= 3 {
            put_nullable_string(writer, self.documentation.as_deref(), flexible)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The synonyms for this configuration key.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsSynonym {
    /// The synonym name. (versions 1+)
    pub name: String,
    /// The synonym value. (versions 1+)
    pub value: Option<String>,
    /// The synonym source. (versions 1+)
    pub source: i8,
}

impl Default for DescribeConfigsSynonym {
    fn default() -> Self {
        Self { name: Default::default(), value: Some(String::new()), source: Default::default() }
    }
}

impl Structure for DescribeConfigsSynonym {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.name = reader.string(flexible)?;
        value.value = reader.nullable_string(flexible, true)?;
        value.source = reader.i8()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        put_string(writer, &self.name, flexible)?;
        put_nullable_string(writer, self.value.as_deref(), flexible)?;
        writer.put_i8(self.source);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for DescribeConfigsResponse {
    const NAME: &'static str = "DescribeConfigsResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: Option<i16> = Some(4);
}

impl Response for DescribeConfigsResponse {
    const API_KEY: i16 = 32;
    type Request = super::DescribeConfigsRequest;
}
