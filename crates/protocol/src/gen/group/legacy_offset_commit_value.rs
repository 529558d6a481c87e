// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `LegacyOffsetCommitValue`, versions 0 to 0.

use super::super::prelude::*;

/// `LegacyOffsetCommitValue`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LegacyOffsetCommitValue {
    /// The offset that the consumer wants to store (for this partition). (versions 0 to 0)
    pub offset: i64,
    /// Any metadata the client wants to keep. (versions 0 to 0)
    pub metadata: String,
    /// The time at which the commit was added to the log. (versions 0 to 0)
    pub commit_timestamp: i64,
}

impl Structure for LegacyOffsetCommitValue {
    const MIN_WIRE_BYTES: usize = 18;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.offset = reader.i64()?;
        value.metadata = reader.string(false)?;
        value.commit_timestamp = reader.i64()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i64(self.offset);
        put_string(writer, &self.metadata, false)?;
        writer.put_i64(self.commit_timestamp);
        Ok(())
    }
}

impl Message for LegacyOffsetCommitValue {
    const NAME: &'static str = "LegacyOffsetCommitValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = None;
}
