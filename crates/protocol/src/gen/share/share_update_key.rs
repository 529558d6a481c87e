// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ShareUpdateKey`, versions 0 to 0.

use super::super::prelude::*;

/// `ShareUpdateKey`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareUpdateKey {
    /// The group id. (versions 0 to 0)
    pub group_id: String,
    /// The topic id. (versions 0 to 0)
    pub topic_id: Uuid,
    /// The partition index. (versions 0 to 0)
    pub partition: i32,
}

impl Structure for ShareUpdateKey {
    const MIN_WIRE_BYTES: usize = 22;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.group_id = reader.string(false)?;
        value.topic_id = reader.uuid()?;
        value.partition = reader.i32()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.group_id, false)?;
        put_uuid(writer, self.topic_id);
        writer.put_i32(self.partition);
        Ok(())
    }
}

impl Message for ShareUpdateKey {
    const NAME: &'static str = "ShareUpdateKey";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = None;
}
