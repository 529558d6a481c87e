// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ControllerRegistrationRequest`, versions 0 to 0.

use super::super::prelude::*;

/// `ControllerRegistrationRequest`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ControllerRegistrationRequest {
    /// The ID of the controller to register. (versions 0+)
    pub controller_id: i32,
    /// The controller incarnation ID, which is unique to each process run. (versions 0+)
    pub incarnation_id: Uuid,
    /// Set if the required configurations for ZK migration are present. (versions 0+)
    pub zk_migration_ready: bool,
    /// The listeners of this controller. (versions 0+)
    pub listeners: Vec<Listener>,
    /// The features on this controller. (versions 0+)
    pub features: Vec<Feature>,
}

impl Structure for ControllerRegistrationRequest {
    const MIN_WIRE_BYTES: usize = 24;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.controller_id = reader.i32()?;
        value.incarnation_id = reader.uuid()?;
        value.zk_migration_ready = reader.bool()?;
        value.listeners = reader.array(true, version)?;
        value.features = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.controller_id);
        put_uuid(writer, self.incarnation_id);
        put_bool(writer, self.zk_migration_ready);
        put_array(writer, &self.listeners, true, version)?;
        put_array(writer, &self.features, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The listeners of this controller.
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

/// The features on this controller.
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

impl Message for ControllerRegistrationRequest {
    const NAME: &'static str = "ControllerRegistrationRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for ControllerRegistrationRequest {
    const API_KEY: i16 = 70;
    type Response = super::ControllerRegistrationResponse;
}
