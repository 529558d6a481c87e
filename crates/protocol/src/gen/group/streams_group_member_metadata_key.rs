// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `StreamsGroupMemberMetadataKey`, versions 0 to 0.

use super::super::prelude::*;

/// `StreamsGroupMemberMetadataKey`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StreamsGroupMemberMetadataKey {
    /// The group ID. (versions 0 to 0)
    pub group_id: String,
    /// The member ID. (versions 0 to 0)
    pub member_id: String,
}

impl Structure for StreamsGroupMemberMetadataKey {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.group_id = reader.string(false)?;
        value.member_id = reader.string(false)?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.group_id, false)?;
        put_string(writer, &self.member_id, false)?;
        Ok(())
    }
}

impl Message for StreamsGroupMemberMetadataKey {
    const NAME: &'static str = "StreamsGroupMemberMetadataKey";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = None;
}
