// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ShareGroupCurrentMemberAssignmentKey`, versions 0 to 0.

use super::super::prelude::*;

/// `ShareGroupCurrentMemberAssignmentKey`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupCurrentMemberAssignmentKey {
    /// The group id. (versions 0 to 0)
    pub group_id: String,
    /// The member id. (versions 0 to 0)
    pub member_id: String,
}

impl Structure for ShareGroupCurrentMemberAssignmentKey {
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

impl Message for ShareGroupCurrentMemberAssignmentKey {
    const NAME: &'static str = "ShareGroupCurrentMemberAssignmentKey";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = None;
}
