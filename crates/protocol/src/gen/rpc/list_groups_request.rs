// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ListGroupsRequest`, versions 0 to 5.

use super::super::prelude::*;

/// `ListGroupsRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListGroupsRequest {
    /// The states of the groups we want to list. If empty, all groups are returned with their state. (versions 4+)
    pub states_filter: Vec<String>,
    /// The types of the groups we want to list. If empty, all groups are returned with their type. (versions 5+)
    pub types_filter: Vec<String>,
}

impl Structure for ListGroupsRequest {
    const MIN_WIRE_BYTES: usize = 0;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        if version >= 4 {
            value.states_filter = reader.array(flexible, version)?;
        }
        if version >= 5 {
            value.types_filter = reader.array(flexible, version)?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        if version >= 4 {
            put_array(writer, &self.states_filter, flexible, version)?;
        } else {
            require(self.states_filter.is_empty(), "StatesFilter", version)?;
        }
        if version >= 5 {
            put_array(writer, &self.types_filter, flexible, version)?;
        } else {
            require(self.types_filter.is_empty(), "TypesFilter", version)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for ListGroupsRequest {
    const NAME: &'static str = "ListGroupsRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

impl Request for ListGroupsRequest {
    const API_KEY: i16 = 16;
    type Response = super::ListGroupsResponse;
}
