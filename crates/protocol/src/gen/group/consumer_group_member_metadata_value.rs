// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ConsumerGroupMemberMetadataValue`, versions 0 to 0.

use super::super::prelude::*;

/// `ConsumerGroupMemberMetadataValue`.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerGroupMemberMetadataValue {
    /// The (optional) instance id. (versions 0+)
    pub instance_id: Option<String>,
    /// The (optional) rack id. (versions 0+)
    pub rack_id: Option<String>,
    /// The client id. (versions 0+)
    pub client_id: String,
    /// The client host. (versions 0+)
    pub client_host: String,
    /// The list of subscribed topic names. (versions 0+)
    pub subscribed_topic_names: Vec<String>,
    /// The subscribed topic regular expression. (versions 0+)
    pub subscribed_topic_regex: Option<String>,
    /// The rebalance timeout. (versions 0+)
    pub rebalance_timeout_ms: i32,
    /// The server assignor to use; or null if not used. (versions 0+)
    pub server_assignor: Option<String>,
    /// The classic member metadata which includes the supported protocols of the consumer if it uses the classic protocol. The metadata is null if the consumer uses the consumer protocol. (versions 0+, tag 0)
    pub classic_member_metadata: Option<ClassicMemberMetadata>,
}

impl Default for ConsumerGroupMemberMetadataValue {
    fn default() -> Self {
        Self {
            instance_id: Some(String::new()),
            rack_id: Some(String::new()),
            client_id: Default::default(),
            client_host: Default::default(),
            subscribed_topic_names: Default::default(),
            subscribed_topic_regex: Some(String::new()),
            rebalance_timeout_ms: -1,
            server_assignor: Some(String::new()),
            classic_member_metadata: Some(ClassicMemberMetadata::default()),
        }
    }
}

impl Structure for ConsumerGroupMemberMetadataValue {
    const MIN_WIRE_BYTES: usize = 12;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.instance_id = reader.nullable_string(true, true)?;
        value.rack_id = reader.nullable_string(true, true)?;
        value.client_id = reader.string(true)?;
        value.client_host = reader.string(true)?;
        value.subscribed_topic_names = reader.array(true, version)?;
        value.subscribed_topic_regex = reader.nullable_string(true, true)?;
        value.rebalance_timeout_ms = reader.i32()?;
        value.server_assignor = reader.nullable_string(true, true)?;
        reader.tags(|reader, tag| {
            match tag {
                0 => value.classic_member_metadata = reader.tagged_nullable_struct(version)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_nullable_string(writer, self.instance_id.as_deref(), true)?;
        put_nullable_string(writer, self.rack_id.as_deref(), true)?;
        put_string(writer, &self.client_id, true)?;
        put_string(writer, &self.client_host, true)?;
        put_array(writer, &self.subscribed_topic_names, true, version)?;
        put_nullable_string(writer, self.subscribed_topic_regex.as_deref(), true)?;
        writer.put_i32(self.rebalance_timeout_ms);
        put_nullable_string(writer, self.server_assignor.as_deref(), true)?;
        let mut tags = Tags::default();
        if self.classic_member_metadata != Some(ClassicMemberMetadata::default()) {
            tags.put(0, |writer| {
                put_tagged_nullable_struct(writer, self.classic_member_metadata.as_ref(), version)?;
                Ok(())
            })?;
        }
        tags.finish(writer);
        Ok(())
    }
}

/// The classic member metadata which includes the supported protocols of the consumer if it uses the classic protocol. The metadata is null if the consumer uses the consumer protocol.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ClassicMemberMetadata {
    /// The session timeout if the consumer uses the classic protocol. (versions 0+)
    pub session_timeout_ms: i32,
    /// The list of protocols that the member supports if the consumer uses the classic protocol. (versions 0+)
    pub supported_protocols: Vec<ClassicProtocol>,
}

impl Structure for ClassicMemberMetadata {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.session_timeout_ms = reader.i32()?;
        value.supported_protocols = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.session_timeout_ms);
        put_array(writer, &self.supported_protocols, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The list of protocols that the member supports if the consumer uses the classic protocol.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ClassicProtocol {
    /// The protocol name. (versions 0+)
    pub name: String,
    /// The protocol metadata. (versions 0+)
    pub metadata: Bytes,
}

impl Structure for ClassicProtocol {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        value.metadata = reader.bytes(true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        put_bytes(writer, &self.metadata, true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ConsumerGroupMemberMetadataValue {
    const NAME: &'static str = "ConsumerGroupMemberMetadataValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
