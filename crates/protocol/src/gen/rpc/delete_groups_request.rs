// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DeleteGroupsRequest`, versions 0 to 3.

use super::super::prelude::*;

/// `DeleteGroupsRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DeleteGroupsRequest {
    /// The group names to delete. (versions 0+)
    pub groups_names: Vec<String>,
}

impl Structure for DeleteGroupsRequest {
    const MIN_WIRE_BYTES: usize = 2;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.groups_names = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        put_array(writer, &self.groups_names, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for DeleteGroupsRequest {
    const NAME: &'static str = "DeleteGroupsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Request for DeleteGroupsRequest {
    const API_KEY: i16 = 42;
    type Response = super::DeleteGroupsResponse;
}
