// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `StreamsGroupDescribeRequest`, versions 0 to 1.

use super::super::prelude::*;

/// `StreamsGroupDescribeRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StreamsGroupDescribeRequest {
    /// The ids of the groups to describe (versions 0+)
    pub group_ids: Vec<String>,
    /// Whether to include authorized operations. (versions 0+)
    pub include_authorized_operations: bool,
    /// Whether to include the full topology description from the topology description plugin in the response. (versions 1+)
    pub include_topology_description: bool,
}

impl Structure for StreamsGroupDescribeRequest {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.group_ids = reader.array(true, version)?;
        value.include_authorized_operations = reader.bool()?;
        if version >= 1 {
            value.include_topology_description = reader.bool()?;
        }
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_array(writer, &self.group_ids, true, version)?;
        put_bool(writer, self.include_authorized_operations);
        if version >= 1 {
            put_bool(writer, self.include_topology_description);
        } else {
            require(!self.include_topology_description, "IncludeTopologyDescription", version)?;
        }
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for StreamsGroupDescribeRequest {
    const NAME: &'static str = "StreamsGroupDescribeRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for StreamsGroupDescribeRequest {
    const API_KEY: i16 = 89;
    type Response = super::StreamsGroupDescribeResponse;
}
