// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `RegisterBrokerRecord`, versions 0 to 4.

use super::super::prelude::*;

/// `RegisterBrokerRecord`.
#[derive(Clone, Debug, PartialEq)]
pub struct RegisterBrokerRecord {
    /// The broker id. (versions 0+)
    pub broker_id: i32,
    /// True if the broker is a ZK broker in migration mode. Otherwise, false (versions 2+)
    pub is_migrating_zk_broker: bool,
    /// The incarnation ID of the broker process (versions 0+)
    pub incarnation_id: Uuid,
    /// The broker epoch assigned by the controller. (versions 0+)
    pub broker_epoch: i64,
    /// The endpoints that can be used to communicate with this broker. (versions 0+)
    pub end_points: Vec<BrokerEndpoint>,
    /// The features on this broker (versions 0+)
    pub features: Vec<BrokerFeature>,
    /// The broker rack. (versions 0+)
    pub rack: Option<String>,
    /// True if the broker is fenced. (versions 0+)
    pub fenced: bool,
    /// True if the broker is in controlled shutdown. (versions 1+)
    pub in_controlled_shutdown: bool,
    /// Log directories configured in this broker which are available. (versions 3+, tag 0)
    pub log_dirs: Vec<Uuid>,
    /// Log directories that are cordoned. This is initially null before the broker starts sending the value via its heartbeats. (versions 4+, tag 1)
    pub cordoned_log_dirs: Option<Vec<Uuid>>,
}

impl Default for RegisterBrokerRecord {
    fn default() -> Self {
        Self {
            broker_id: Default::default(),
            is_migrating_zk_broker: Default::default(),
            incarnation_id: Default::default(),
            broker_epoch: Default::default(),
            end_points: Default::default(),
            features: Default::default(),
            rack: Some(String::new()),
            fenced: true,
            in_controlled_shutdown: Default::default(),
            log_dirs: Default::default(),
            cordoned_log_dirs: Default::default(),
        }
    }
}

impl Structure for RegisterBrokerRecord {
    const MIN_WIRE_BYTES: usize = 33;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.broker_id = reader.i32()?;
        if version >= 2 {
            value.is_migrating_zk_broker = reader.bool()?;
        }
        value.incarnation_id = reader.uuid()?;
        value.broker_epoch = reader.i64()?;
        value.end_points = reader.array(true, version)?;
        value.features = reader.array(true, version)?;
        value.rack = reader.nullable_string(true, true)?;
        value.fenced = reader.bool()?;
        if version >= 1 {
            value.in_controlled_shutdown = reader.bool()?;
        }
        reader.tags(|reader, tag| {
            match tag {
                0 if version >= 3 => value.log_dirs = reader.array(true, version)?,
                1 if version >= 4 => {
                    value.cordoned_log_dirs = reader.nullable_array(true, true, version)?
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.broker_id);
        if version >= 2 {
            put_bool(writer, self.is_migrating_zk_broker);
        } else {
            require(!self.is_migrating_zk_broker, "IsMigratingZkBroker", version)?;
        }
        put_uuid(writer, self.incarnation_id);
        writer.put_i64(self.broker_epoch);
        put_array(writer, &self.end_points, true, version)?;
        put_array(writer, &self.features, true, version)?;
        put_nullable_string(writer, self.rack.as_deref(), true)?;
        put_bool(writer, self.fenced);
        if version >= 1 {
            put_bool(writer, self.in_controlled_shutdown);
        } else {
            require(!self.in_controlled_shutdown, "InControlledShutdown", version)?;
        }
        require(version >= 3 || self.log_dirs.is_empty(), "LogDirs", version)?;
        require(version >= 4 || self.cordoned_log_dirs.is_none(), "CordonedLogDirs", version)?;
        let mut tags = Tags::default();
        if version >= 3 && !self.log_dirs.is_empty() {
            tags.put(0, |writer| {
                put_array(writer, &self.log_dirs, true, version)?;
                Ok(())
            })?;
        }
        if version >= 4 && self.cordoned_log_dirs.is_some() {
            tags.put(1, |writer| {
                put_nullable_array(writer, self.cordoned_log_dirs.as_deref(), true, version)?;
                Ok(())
            })?;
        }
        tags.finish(writer);
        Ok(())
    }
}

/// The endpoints that can be used to communicate with this broker.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct BrokerEndpoint {
    /// The name of the endpoint. (versions 0+)
    pub name: String,
    /// The hostname. (versions 0+)
    pub host: String,
    /// The port. (versions 0+)
    pub port: u16,
    /// The security protocol. (versions 0+)
    pub security_protocol: i16,
}

impl Structure for BrokerEndpoint {
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

/// The features on this broker
#[derive(Clone, Debug, PartialEq, Default)]
pub struct BrokerFeature {
    /// The feature name. (versions 0+)
    pub name: String,
    /// The minimum supported feature level. (versions 0+)
    pub min_supported_version: i16,
    /// The maximum supported feature level. (versions 0+)
    pub max_supported_version: i16,
}

impl Structure for BrokerFeature {
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

impl Message for RegisterBrokerRecord {
    const NAME: &'static str = "RegisterBrokerRecord";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 4;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
