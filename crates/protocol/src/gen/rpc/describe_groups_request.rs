// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeGroupsRequest`, versions 0 to 6.

use super::super::prelude::*;

/// `DescribeGroupsRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeGroupsRequest {
    /// The names of the groups to describe. (versions 0+)
    pub groups: Vec<String>,
    /// Whether to include authorized operations. (versions 3+)
    pub include_authorized_operations: bool,
}

impl Structure for DescribeGroupsRequest {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut value = Self::default();
        value.groups = reader.array(flexible, version)?;
        if version >= 3 {
            value.include_authorized_operations = reader.bool()?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 5;
        put_array(writer, &self.groups, flexible, version)?;
        if version >= 3 {
            put_bool(writer, self.include_authorized_operations);
        } else {
            require(!self.include_authorized_operations, "IncludeAuthorizedOperations", version)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for DescribeGroupsRequest {
    const NAME: &'static str = "DescribeGroupsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 6;
    const FLEXIBLE_FROM: Option<i16> = Some(5);
}

impl Request for DescribeGroupsRequest {
    const API_KEY: i16 = 15;
    type Response = super::DescribeGroupsResponse;
}
