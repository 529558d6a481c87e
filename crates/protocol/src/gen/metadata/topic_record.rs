// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `TopicRecord`, versions 0 to 0.

use super::super::prelude::*;

/// `TopicRecord`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicRecord {
    /// The topic name. (versions 0+)
    pub name: String,
    /// The unique ID of this topic. (versions 0+)
    pub topic_id: Uuid,
}

impl Structure for TopicRecord {
    const MIN_WIRE_BYTES: usize = 18;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        value.topic_id = reader.uuid()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        put_uuid(writer, self.topic_id);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for TopicRecord {
    const NAME: &'static str = "TopicRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
