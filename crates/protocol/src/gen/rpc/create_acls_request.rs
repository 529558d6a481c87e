// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `CreateAclsRequest`, versions 1 to 3.

use super::super::prelude::*;

/// `CreateAclsRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CreateAclsRequest {
    /// The ACLs that we want to create. (versions 0+)
    pub creations: Vec<AclCreation>,
}

impl Structure for CreateAclsRequest {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.creations = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        put_array(writer, &self.creations, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The ACLs that we want to create.
#[derive(Clone, Debug, PartialEq)]
pub struct AclCreation {
    /// The type of the resource. (versions 0+)
    pub resource_type: i8,
    /// The resource name for the ACL. (versions 0+)
    pub resource_name: String,
    /// The pattern type for the ACL. (versions 1+)
    pub resource_pattern_type: i8,
    /// The principal for the ACL. (versions 0+)
    pub principal: String,
    /// The host for the ACL. (versions 0+)
    pub host: String,
    /// The operation type for the ACL (read, write, etc.). (versions 0+)
    pub operation: i8,
    /// The permission type for the ACL (allow, deny, etc.). (versions 0+)
    pub permission_type: i8,
}

impl Default for AclCreation {
    fn default() -> Self {
        Self {
            resource_type: Default::default(),
            resource_name: Default::default(),
            resource_pattern_type: 3,
            principal: Default::default(),
            host: Default::default(),
            operation: Default::default(),
            permission_type: Default::default(),
        }
    }
}

impl Structure for AclCreation {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.resource_type = reader.i8()?;
        value.resource_name = reader.string(flexible)?;
        value.resource_pattern_type = reader.i8()?;
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
        writer.put_i8(self.resource_type);
        put_string(writer, &self.resource_name, flexible)?;
        writer.put_i8(self.resource_pattern_type);
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

impl Message for CreateAclsRequest {
    const NAME: &'static str = "CreateAclsRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Request for CreateAclsRequest {
    const API_KEY: i16 = 30;
    type Response = super::CreateAclsResponse;
}
