// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `StreamsGroupMemberMetadataValue`, versions 0 to 0.

use super::super::prelude::*;

/// `StreamsGroupMemberMetadataValue`.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamsGroupMemberMetadataValue {
    /// The (optional) instance ID for static membership. (versions 0+)
    pub instance_id: Option<String>,
    /// The (optional) rack ID. (versions 0+)
    pub rack_id: Option<String>,
    /// The client ID. (versions 0+)
    pub client_id: String,
    /// The client host. (versions 0+)
    pub client_host: String,
    /// The rebalance timeout. (versions 0+)
    pub rebalance_timeout_ms: i32,
    /// The epoch of the topology. (versions 0+)
    pub topology_epoch: i32,
    /// Identity of the streams instance that may have multiple consumers. (versions 0+)
    pub process_id: String,
    /// User-defined endpoint for running interactive queries on this instance. (versions 0+)
    pub user_endpoint: Option<Endpoint>,
    /// Used for rack-aware assignment algorithm. (versions 0+)
    pub client_tags: Vec<KeyValue>,
}

impl Default for StreamsGroupMemberMetadataValue {
    fn default() -> Self {
        Self {
            instance_id: Some(String::new()),
            rack_id: Some(String::new()),
            client_id: Default::default(),
            client_host: Default::default(),
            rebalance_timeout_ms: -1,
            topology_epoch: Default::default(),
            process_id: Default::default(),
            user_endpoint: Default::default(),
            client_tags: Default::default(),
        }
    }
}

impl Structure for StreamsGroupMemberMetadataValue {
    const MIN_WIRE_BYTES: usize = 16;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.instance_id = reader.nullable_string(true, true)?;
        value.rack_id = reader.nullable_string(true, true)?;
        value.client_id = reader.string(true)?;
        value.client_host = reader.string(true)?;
        value.rebalance_timeout_ms = reader.i32()?;
        value.topology_epoch = reader.i32()?;
        value.process_id = reader.string(true)?;
        value.user_endpoint = reader.nullable_struct(version, true)?;
        value.client_tags = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_nullable_string(writer, self.instance_id.as_deref(), true)?;
        put_nullable_string(writer, self.rack_id.as_deref(), true)?;
        put_string(writer, &self.client_id, true)?;
        put_string(writer, &self.client_host, true)?;
        writer.put_i32(self.rebalance_timeout_ms);
        writer.put_i32(self.topology_epoch);
        put_string(writer, &self.process_id, true)?;
        put_nullable_struct(writer, self.user_endpoint.as_ref(), version)?;
        put_array(writer, &self.client_tags, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// `Endpoint`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Endpoint {
    /// The host of the endpoint. (versions 0+)
    pub host: String,
    /// The port of the endpoint. (versions 0+)
    pub port: u16,
}

impl Structure for Endpoint {
    const MIN_WIRE_BYTES: usize = 4;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.host = reader.string(true)?;
        value.port = reader.u16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.host, true)?;
        writer.put_u16(self.port);
        put_no_tags(writer);
        Ok(())
    }
}

/// `KeyValue`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct KeyValue {
    /// The key of the config. (versions 0+)
    pub key: String,
    /// the value of the config. (versions 0+)
    pub value: String,
}

impl Structure for KeyValue {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.key = reader.string(true)?;
        value.value = reader.string(true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.key, true)?;
        put_string(writer, &self.value, true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for StreamsGroupMemberMetadataValue {
    const NAME: &'static str = "StreamsGroupMemberMetadataValue";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
