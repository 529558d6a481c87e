// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `RemoveAccessControlEntryRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `RemoveAccessControlEntryRecord`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct RemoveAccessControlEntryRecord {
    /// The ID of the AccessControlEntry to remove. (versions 0+)
    pub id: Uuid,
}

impl Structure for RemoveAccessControlEntryRecord {
    const MIN_WIRE_BYTES: usize = 17;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.id = reader.uuid()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_uuid(writer, self.id);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for RemoveAccessControlEntryRecord {
    const NAME: &'static str = "RemoveAccessControlEntryRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
