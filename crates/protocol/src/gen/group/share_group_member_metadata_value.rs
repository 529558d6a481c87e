// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ShareGroupMemberMetadataValue`, versions 0 to 0.

use super::super::prelude::*;

/// `ShareGroupMemberMetadataValue`.
#[derive(Clone, Debug, PartialEq)]
pub struct ShareGroupMemberMetadataValue {
    /// The (optional) rack id. (versions 0+)
    pub rack_id: Option<String>,
    /// The client id. (versions 0+)
    pub client_id: String,
    /// The client host. (versions 0+)
    pub client_host: String,
    /// The list of subscribed topic names. (versions 0+)
    pub subscribed_topic_names: Vec<String>,
}

impl Default for ShareGroupMemberMetadataValue {
    fn default() -> Self {
        Self {
            rack_id: Some(String::new()),
            client_id: Default::default(),
            client_host: Default::default(),
            subscribed_topic_names: Default::default(),
        }
    }
}

impl Structure for ShareGroupMemberMetadataValue {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.rack_id = reader.nullable_string(true, true)?;
        value.client_id = reader.string(true)?;
        value.client_host = reader.string(true)?;
        value.subscribed_topic_names = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_nullable_string(writer, self.rack_id.as_deref(), true)?;
        put_string(writer, &self.client_id, true)?;
        put_string(writer, &self.client_host, true)?;
        put_array(writer, &self.subscribed_topic_names, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ShareGroupMemberMetadataValue {
    const NAME: &'static str = "ShareGroupMemberMetadataValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
