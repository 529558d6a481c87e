// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `OffsetCommitValue`, versions 0 to 4.

use super::super::prelude::*;

/// `OffsetCommitValue`.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitValue {
    /// The offset that the consumer wants to store (for this partition). (versions 0+)
    pub offset: i64,
    /// The leader epoch of the last consumed record. (versions 3+)
    pub leader_epoch: i32,
    /// Any metadata the client wants to keep. (versions 0+)
    pub metadata: String,
    /// The time at which the commit was added to the log. (versions 0+)
    pub commit_timestamp: i64,
    /// The time at which the offset will expire. (versions 1 to 1)
    pub expire_timestamp: i64,
    /// The topic id of the committed offset. (versions 4+, tag 0)
    pub topic_id: Uuid,
}

impl Default for OffsetCommitValue {
    fn default() -> Self {
        Self {
            offset: Default::default(),
            leader_epoch: -1,
            metadata: Default::default(),
            commit_timestamp: Default::default(),
            expire_timestamp: -1,
            topic_id: Default::default(),
        }
    }
}

impl Structure for OffsetCommitValue {
    const MIN_WIRE_BYTES: usize = 18;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        value.offset = reader.i64()?;
        if version >= 3 {
            value.leader_epoch = reader.i32()?;
        }
        value.metadata = reader.string(flexible)?;
        value.commit_timestamp = reader.i64()?;
        if version == 1 {
            value.expire_timestamp = reader.i64()?;
        }
        if flexible {
            reader.tags(|reader, tag| {
                match tag {
                    0 if version >= 4 => value.topic_id = reader.uuid()?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        writer.put_i64(self.offset);
        if version >= 3 {
            writer.put_i32(self.leader_epoch);
        }
        put_string(writer, &self.metadata, flexible)?;
        writer.put_i64(self.commit_timestamp);
        if version == 1 {
            writer.put_i64(self.expire_timestamp);
        }
        if flexible {
            let mut tags = Tags::default();
            if !self.topic_id.is_zero() {
                tags.put(0, |writer| {
                    put_uuid(writer, self.topic_id);
                    Ok(())
                })?;
            }
            tags.finish(writer);
        }
        Ok(())
    }
}

impl Message for OffsetCommitValue {
    const NAME: &'static str = "OffsetCommitValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: Option<i16> = Some(4);
}
