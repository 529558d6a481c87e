// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeAclsResponse`, versions 1 to 3.

use super::super::prelude::*;

/// `DescribeAclsResponse`.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeAclsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The error message, or null if there was no error. (versions 0+)
    pub error_message: Option<String>,
    /// Each Resource that is referenced in an ACL. (versions 0+)
    pub resources: Vec<DescribeAclsResource>,
}

impl Default for DescribeAclsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            error_message: Some(String::new()),
            resources: Default::default(),
        }
    }
}

impl Structure for DescribeAclsResponse {
    const MIN_WIRE_BYTES: usize = 9;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(flexible, true)?;
        value.resources = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i32(self.throttle_time_ms);
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), flexible)?;
        put_array(writer, &self.resources, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each Resource that is referenced in an ACL.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeAclsResource {
    /// The resource type. (versions 0+)
    pub resource_type: i8,
    /// The resource name. (versions 0+)
    pub resource_name: String,
    /// The resource pattern type. (versions 1+)
    pub pattern_type: i8,
    /// The ACLs. (versions 0+)
    pub acls: Vec<AclDescription>,
}

impl Default for DescribeAclsResource {
    fn default() -> Self {
        Self {
            resource_type: Default::default(),
            resource_name: Default::default(),
            pattern_type: 3,
            acls: Default::default(),
        }
    }
}

impl Structure for DescribeAclsResource {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.resource_type = reader.i8()?;
        value.resource_name = reader.string(flexible)?;
        value.pattern_type = reader.i8()?;
        value.acls = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i8(self.resource_type);
        put_string(writer, &self.resource_name, flexible)?;
        writer.put_i8(self.pattern_type);
        put_array(writer, &self.acls, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The ACLs.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AclDescription {
    /// The ACL principal. (versions 0+)
    pub principal: String,
    /// The ACL host. (versions 0+)
    pub host: String,
    /// The ACL operation. (versions 0+)
    pub operation: i8,
    /// The ACL permission type. (versions 0+)
    pub permission_type: i8,
}

impl Structure for AclDescription {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
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

impl Message for DescribeAclsResponse {
    const NAME: &'static str = "DescribeAclsResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Response for DescribeAclsResponse {
    const API_KEY: i16 = 29;
    type Request = super::DescribeAclsRequest;
}
