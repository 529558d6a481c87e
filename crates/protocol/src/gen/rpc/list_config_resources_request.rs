// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ListConfigResourcesRequest`, versions 0 to 1.

use super::super::prelude::*;

/// `ListConfigResourcesRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListConfigResourcesRequest {
    /// The list of resource type. If the list is empty, it uses default supported config resource types. (versions 1+)
    pub resource_types: Vec<i8>,
}

impl Structure for ListConfigResourcesRequest {
    const MIN_WIRE_BYTES: usize = 1;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        if version >= 1 {
            value.resource_types = reader.array(true, version)?;
        }
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        if version >= 1 {
            put_array(writer, &self.resource_types, true, version)?;
        } else {
            require(self.resource_types.is_empty(), "ResourceTypes", version)?;
        }
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ListConfigResourcesRequest {
    const NAME: &'static str = "ListConfigResourcesRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for ListConfigResourcesRequest {
    const API_KEY: i16 = 74;
    type Response = super::ListConfigResourcesResponse;
}
