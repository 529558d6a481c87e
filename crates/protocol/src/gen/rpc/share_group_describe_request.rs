// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ShareGroupDescribeRequest`, versions 1 to 1.

use super::super::prelude::*;

/// `ShareGroupDescribeRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupDescribeRequest {
    /// The ids of the groups to describe. (versions 0+)
    pub group_ids: Vec<String>,
    /// Whether to include authorized operations. (versions 0+)
    pub include_authorized_operations: bool,
}

impl Structure for ShareGroupDescribeRequest {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.group_ids = reader.array(true, version)?;
        value.include_authorized_operations = reader.bool()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_array(writer, &self.group_ids, true, version)?;
        put_bool(writer, self.include_authorized_operations);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ShareGroupDescribeRequest {
    const NAME: &'static str = "ShareGroupDescribeRequest";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}

impl Request for ShareGroupDescribeRequest {
    const API_KEY: i16 = 77;
    type Response = super::ShareGroupDescribeResponse;
}
