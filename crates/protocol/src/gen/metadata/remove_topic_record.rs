// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `RemoveTopicRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `RemoveTopicRecord`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct RemoveTopicRecord {
    /// The topic to remove. All associated partitions will be removed as well. (versions 0+)
    pub topic_id: Uuid,
}

impl Structure for RemoveTopicRecord {
    const MIN_WIRE_BYTES: usize = 17;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.topic_id = reader.uuid()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_uuid(writer, self.topic_id);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for RemoveTopicRecord {
    const NAME: &'static str = "RemoveTopicRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
