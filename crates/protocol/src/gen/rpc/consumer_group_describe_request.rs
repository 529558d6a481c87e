// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ConsumerGroupDescribeRequest`, versions 0 to 1.

use super::super::prelude::*;

/// `ConsumerGroupDescribeRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConsumerGroupDescribeRequest {
    /// The ids of the groups to describe. (versions 0+)
    pub group_ids: Vec<String>,
    /// Whether to include authorized operations. (versions 0+)
    pub include_authorized_operations: bool,
}

impl Structure for ConsumerGroupDescribeRequest {
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

impl Message for ConsumerGroupDescribeRequest {
    const NAME: &'static str = "ConsumerGroupDescribeRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for ConsumerGroupDescribeRequest {
    const API_KEY: i16 = 69;
    type Response = super::ConsumerGroupDescribeResponse;
}
