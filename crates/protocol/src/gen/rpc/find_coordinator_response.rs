// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `FindCoordinatorResponse`, versions 0 to 6.

use super::super::prelude::*;

/// `FindCoordinatorResponse`.
#[derive(Clone, Debug, PartialEq)]
pub struct FindCoordinatorResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 1+)
    pub throttle_time_ms: i32,
    /// The error code, or 0 if there was no error. (versions 0 to 3)
    pub error_code: i16,
    /// The error message, or null if there was no error. (versions 1 to 3)
    pub error_message: Option<String>,
    /// The node id. (versions 0 to 3)
    pub node_id: i32,
    /// The host name. (versions 0 to 3)
    pub host: String,
    /// The port. (versions 0 to 3)
    pub port: i32,
    /// Each coordinator result in the response. (versions 4+)
    pub coordinators: Vec<Coordinator>,
}

impl Default for FindCoordinatorResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            error_message: Some(String::new()),
            node_id: Default::default(),
            host: Default::default(),
            port: Default::default(),
            coordinators: Default::default(),
        }
    }
}

impl Structure for FindCoordinatorResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        if version >= 1 {
            value.throttle_time_ms = reader.i32()?;
        }
        if version <= 3 {
            value.error_code = reader.i16()?;
        }
        if (1..=3).contains(&version) {
            value.error_message = reader.nullable_string(flexible, true)?;
        }
        if version <= 3 {
            value.node_id = reader.i32()?;
        }
        if version <= 3 {
            value.host = reader.string(flexible)?;
        }
        if version <= 3 {
            value.port = reader.i32()?;
        }
        if version >= 4 {
            value.coordinators = reader.array(flexible, version)?;
        }
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        if version >= 1 {
            writer.put_i32(self.throttle_time_ms);
        }
        if version <= 3 {
            writer.put_i16(self.error_code);
        } else {
            require(self.error_code == 0, "ErrorCode", version)?;
        }
        if (1..=3).contains(&version) {
            put_nullable_string(writer, self.error_message.as_deref(), flexible)?;
        }
        if version <= 3 {
            writer.put_i32(self.node_id);
        } else {
            require(self.node_id == 0, "NodeId", version)?;
        }
        if version <= 3 {
            put_string(writer, &self.host, flexible)?;
        } else {
            require(self.host.is_empty(), "Host", version)?;
        }
        if version <= 3 {
            writer.put_i32(self.port);
        } else {
            require(self.port == 0, "Port", version)?;
        }
        if version >= 4 {
            put_array(writer, &self.coordinators, flexible, version)?;
        } else {
            require(self.coordinators.is_empty(), "Coordinators", version)?;
        }
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Each coordinator result in the response.
#[derive(Clone, Debug, PartialEq)]
pub struct Coordinator {
    /// The coordinator key. (versions 4+)
    pub key: String,
    /// The node id. (versions 4+)
    pub node_id: i32,
    /// The host name. (versions 4+)
    pub host: String,
    /// The port. (versions 4+)
    pub port: i32,
    /// The error code, or 0 if there was no error. (versions 4+)
    pub error_code: i16,
    /// The error message, or null if there was no error. (versions 4+)
    pub error_message: Option<String>,
}

impl Default for Coordinator {
    fn default() -> Self {
        Self {
            key: Default::default(),
            node_id: Default::default(),
            host: Default::default(),
            port: Default::default(),
            error_code: Default::default(),
            error_message: Some(String::new()),
        }
    }
}

impl Structure for Coordinator {
    const MIN_WIRE_BYTES: usize = 14;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.key = reader.string(true)?;
        value.node_id = reader.i32()?;
        value.host = reader.string(true)?;
        value.port = reader.i32()?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.key, true)?;
        writer.put_i32(self.node_id);
        put_string(writer, &self.host, true)?;
        writer.put_i32(self.port);
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for FindCoordinatorResponse {
    const NAME: &'static str = "FindCoordinatorResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 6;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

impl Response for FindCoordinatorResponse {
    const API_KEY: i16 = 10;
    type Request = super::FindCoordinatorRequest;
}
