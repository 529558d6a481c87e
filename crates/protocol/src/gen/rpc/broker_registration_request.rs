// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `BrokerRegistrationRequest`, versions 0 to 4.

use super::super::prelude::*;

/// `BrokerRegistrationRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerRegistrationRequest {
    /// The broker ID. (versions 0+)
    pub broker_id: i32,
    /// The cluster id of the broker process. (versions 0+)
    pub cluster_id: String,
    /// The incarnation id of the broker process. (versions 0+)
    pub incarnation_id: Uuid,
    /// The listeners of this broker. (versions 0+)
    pub listeners: Vec<Listener>,
    /// The features on this broker. Note: in v0-v3, features with MinSupportedVersion = 0 are omitted. (versions 0+)
    pub features: Vec<Feature>,
    /// The rack which this broker is in. (versions 0+)
    pub rack: Option<String>,
    /// If the required configurations for ZK migration are present, this value is set to true. (versions 1+)
    pub is_migrating_zk_broker: bool,
    /// Log directories configured in this broker which are available. (versions 2+)
    pub log_dirs: Vec<Uuid>,
    /// The epoch before a clean shutdown. (versions 3+)
    pub previous_broker_epoch: i64,
}

impl Default for BrokerRegistrationRequest {
    fn default() -> Self {
        Self {
            broker_id: Default::default(),
            cluster_id: Default::default(),
            incarnation_id: Default::default(),
            listeners: Default::default(),
            features: Default::default(),
            rack: Some(String::new()),
            is_migrating_zk_broker: Default::default(),
            log_dirs: Default::default(),
            previous_broker_epoch: -1,
        }
    }
}

impl Structure for BrokerRegistrationRequest {
    const MIN_WIRE_BYTES: usize = 25;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.broker_id = reader.i32()?;
        value.cluster_id = reader.string(true)?;
        value.incarnation_id = reader.uuid()?;
        value.listeners = reader.array(true, version)?;
        value.features = reader.array(true, version)?;
        value.rack = reader.nullable_string(true, true)?;
        if version >= 1 {
            value.is_migrating_zk_broker = reader.bool()?;
        }
        if version >= 2 {
            value.log_dirs = reader.array(true, version)?;
        }
        if version >= 3 {
            value.previous_broker_epoch = reader.i64()?;
        }
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.broker_id);
        put_string(writer, &self.cluster_id, true)?;
        put_uuid(writer, self.incarnation_id);
        put_array(writer, &self.listeners, true, version)?;
        put_array(writer, &self.features, true, version)?;
        put_nullable_string(writer, self.rack.as_deref(), true)?;
        if version >= 1 {
            put_bool(writer, self.is_migrating_zk_broker);
        } else {
            require(!self.is_migrating_zk_broker, "IsMigratingZkBroker", version)?;
        }
        if version >= 2 {
            put_array(writer, &self.log_dirs, true, version)?;
        }
        if version >= 3 {
            writer.put_i64(self.previous_broker_epoch);
        }
        put_no_tags(writer);
        Ok(())
    }
}

/// The listeners of this broker.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Listener {
    /// The name of the endpoint. (versions 0+)
    pub name: String,
    /// The hostname. (versions 0+)
    pub host: String,
    /// The port. (versions 0+)
    pub port: u16,
    /// The security protocol. (versions 0+)
    pub security_protocol: i16,
}

impl Structure for Listener {
    const MIN_WIRE_BYTES: usize = 7;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        value.host = reader.string(true)?;
        value.port = reader.u16()?;
        value.security_protocol = reader.i16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        put_string(writer, &self.host, true)?;
        writer.put_u16(self.port);
        writer.put_i16(self.security_protocol);
        put_no_tags(writer);
        Ok(())
    }
}

/// The features on this broker. Note: in v0-v3, features with MinSupportedVersion = 0 are omitted.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Feature {
    /// The feature name. (versions 0+)
    pub name: String,
    /// The minimum supported feature level. (versions 0+)
    pub min_supported_version: i16,
    /// The maximum supported feature level. (versions 0+)
    pub max_supported_version: i16,
}

impl Structure for Feature {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        value.min_supported_version = reader.i16()?;
        value.max_supported_version = reader.i16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        writer.put_i16(self.min_supported_version);
        writer.put_i16(self.max_supported_version);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for BrokerRegistrationRequest {
    const NAME: &'static str = "BrokerRegistrationRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for BrokerRegistrationRequest {
    const API_KEY: i16 = 62;
    type Response = super::BrokerRegistrationResponse;
}
