// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeAclsRequest`, versions 1 to 3.

use super::super::prelude::*;

/// `DescribeAclsRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeAclsRequest {
    /// The resource type. (versions 0+)
    pub resource_type_filter: i8,
    /// The resource name, or null to match any resource name. (versions 0+)
    pub resource_name_filter: Option<String>,
    /// The resource pattern to match. (versions 1+)
    pub pattern_type_filter: i8,
    /// The principal to match, or null to match any principal. (versions 0+)
    pub principal_filter: Option<String>,
    /// The host to match, or null to match any host. (versions 0+)
    pub host_filter: Option<String>,
    /// The operation to match. (versions 0+)
    pub operation: i8,
    /// The permission type to match. (versions 0+)
    pub permission_type: i8,
}

impl Default for DescribeAclsRequest {
    fn default() -> Self {
        Self {
            resource_type_filter: Default::default(),
            resource_name_filter: Some(String::new()),
            pattern_type_filter: 3,
            principal_filter: Some(String::new()),
            host_filter: Some(String::new()),
            operation: Default::default(),
            permission_type: Default::default(),
        }
    }
}

impl Structure for DescribeAclsRequest {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.resource_type_filter = reader.i8()?;
        value.resource_name_filter = reader.nullable_string(flexible, true)?;
        value.pattern_type_filter = reader.i8()?;
        value.principal_filter = reader.nullable_string(flexible, true)?;
        value.host_filter = reader.nullable_string(flexible, true)?;
        value.operation = reader.i8()?;
        value.permission_type = reader.i8()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i8(self.resource_type_filter);
        put_nullable_string(writer, self.resource_name_filter.as_deref(), flexible)?;
        writer.put_i8(self.pattern_type_filter);
        put_nullable_string(writer, self.principal_filter.as_deref(), flexible)?;
        put_nullable_string(writer, self.host_filter.as_deref(), flexible)?;
        writer.put_i8(self.operation);
        writer.put_i8(self.permission_type);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for DescribeAclsRequest {
    const NAME: &'static str = "DescribeAclsRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Request for DescribeAclsRequest {
    const API_KEY: i16 = 29;
    type Response = super::DescribeAclsResponse;
}
