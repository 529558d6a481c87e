// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `OffsetCommitKey`, versions 0 to 0.

use super::super::prelude::*;

/// `OffsetCommitKey`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetCommitKey {
    /// The consumer group id. (versions 0 to 0)
    pub group: String,
    /// The topic name. (versions 0 to 0)
    pub topic: String,
    /// The topic partition index. (versions 0 to 0)
    pub partition: i32,
}

impl Structure for OffsetCommitKey {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.group = reader.string(false)?;
        value.topic = reader.string(false)?;
        value.partition = reader.i32()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.group, false)?;
        put_string(writer, &self.topic, false)?;
        writer.put_i32(self.partition);
        Ok(())
    }
}

impl Message for OffsetCommitKey {
    const NAME: &'static str = "OffsetCommitKey";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = None;
}
