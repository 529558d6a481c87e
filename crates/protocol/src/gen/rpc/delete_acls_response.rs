// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DeleteAclsResponse`, versions 1 to 3.

use super::super::prelude::*;

/// `DeleteAclsResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteAclsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The results for each filter. (versions 0+)
    pub filter_results: Vec<DeleteAclsFilterResult>,
}

impl Structure for DeleteAclsResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.filter_results = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i32(self.throttle_time_ms);
        put_array(writer, &self.filter_results, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The results for each filter.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteAclsFilterResult {
    /// The error code, or 0 if the filter succeeded. (versions 0+)
    pub error_code: i16,
    /// The error message, or null if the filter succeeded. (versions 0+)
    pub error_message: Option<String>,
    /// The ACLs which matched this filter. (versions 0+)
    pub matching_acls: Vec<DeleteAclsMatchingAcl>,
}

impl Default for DeleteAclsFilterResult {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            error_message: Some(String::new()),
            matching_acls: Default::default(),
        }
    }
}

impl Structure for DeleteAclsFilterResult {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(flexible, true)?;
        value.matching_acls = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), flexible)?;
        put_array(writer, &self.matching_acls, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The ACLs which matched this filter.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteAclsMatchingAcl {
    /// The deletion error code, or 0 if the deletion succeeded. (versions 0+)
    pub error_code: i16,
    /// The deletion error message, or null if the deletion succeeded. (versions 0+)
    pub error_message: Option<String>,
    /// The ACL resource type. (versions 0+)
    pub resource_type: i8,
    /// The ACL resource name. (versions 0+)
    pub resource_name: String,
    /// The ACL resource pattern type. (versions 1+)
    pub pattern_type: i8,
    /// The ACL principal. (versions 0+)
    pub principal: String,
    /// The ACL host. (versions 0+)
    pub host: String,
    /// The ACL operation. (versions 0+)
    pub operation: i8,
    /// The ACL permission type. (versions 0+)
    pub permission_type: i8,
}

impl Default for DeleteAclsMatchingAcl {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            error_message: Some(String::new()),
            resource_type: Default::default(),
            resource_name: Default::default(),
            pattern_type: 3,
            principal: Default::default(),
            host: Default::default(),
            operation: Default::default(),
            permission_type: Default::default(),
        }
    }
}

impl Structure for DeleteAclsMatchingAcl {
    const MIN_WIRE_BYTES: usize = 11;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(flexible, true)?;
        value.resource_type = reader.i8()?;
        value.resource_name = reader.string(flexible)?;
        value.pattern_type = reader.i8()?;
        value.principal = reader.string(flexible)?;
        value.host = reader.string(flexible)?;
        value.operation = reader.i8()?;
        value.permission_type = reader.i8()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), flexible)?;
        writer.put_i8(self.resource_type);
        put_string(writer, &self.resource_name, flexible)?;
        writer.put_i8(self.pattern_type);
        put_string(writer, &self.principal, flexible)?;
        put_string(writer, &self.host, flexible)?;
        writer.put_i8(self.operation);
        writer.put_i8(self.permission_type);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for DeleteAclsResponse {
    const NAME: &'static str = "DeleteAclsResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Response for DeleteAclsResponse {
    const API_KEY: i16 = 31;
    type Request = super::DeleteAclsRequest;
}
