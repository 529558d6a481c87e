// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeClusterResponse`, versions 0 to 2.

use super::super::prelude::*;

/// `DescribeClusterResponse`.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClusterResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The top-level error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The top-level error message, or null if there was no error. (versions 0+)
    pub error_message: Option<String>,
    /// The endpoint type that was described. 1=brokers, 2=controllers. (versions 1+)
    pub endpoint_type: i8,
    /// The cluster ID that responding broker belongs to. (versions 0+)
    pub cluster_id: String,
    /// The ID of the controller. When handled by a controller, returns the current voter leader ID. When handled by a broker, returns a random alive broker ID as a fallback. (versions 0+)
    pub controller_id: i32,
    /// Each broker in the response. (versions 0+)
    pub brokers: Vec<DescribeClusterBroker>,
    /// 32-bit bitfield to represent authorized operations for this cluster. (versions 0+)
    pub cluster_authorized_operations: i32,
}

impl Default for DescribeClusterResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            error_message: Default::default(),
            endpoint_type: 1,
            cluster_id: Default::default(),
            controller_id: -1,
            brokers: Default::default(),
            cluster_authorized_operations: i32::MIN,
        }
    }
}

impl Structure for DescribeClusterResponse {
    const MIN_WIRE_BYTES: usize = 18;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        if version >= 1 {
            value.endpoint_type = reader.i8()?;
        }
        value.cluster_id = reader.string(true)?;
        value.controller_id = reader.i32()?;
        value.brokers = reader.array(true, version)?;
        value.cluster_authorized_operations = reader.i32()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        if version >= 1 {
            writer.put_i8(self.endpoint_type);
        } else {
            require(self.endpoint_type == 1, "EndpointType", version)?;
        }
        put_string(writer, &self.cluster_id, true)?;
        writer.put_i32(self.controller_id);
        put_array(writer, &self.brokers, true, version)?;
        writer.put_i32(self.cluster_authorized_operations);
        put_no_tags(writer);
        Ok(())
    }
}

/// Each broker in the response.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeClusterBroker {
    /// The broker ID. (versions 0+)
    pub broker_id: i32,
    /// The broker hostname. (versions 0+)
    pub host: String,
    /// The broker port. (versions 0+)
    pub port: i32,
    /// The rack of the broker, or null if it has not been assigned to a rack. (versions 0+)
    pub rack: Option<String>,
    /// Whether the broker is fenced (versions 2+)
    pub is_fenced: bool,
}

impl Structure for DescribeClusterBroker {
    const MIN_WIRE_BYTES: usize = 11;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.broker_id = reader.i32()?;
        value.host = reader.string(true)?;
        value.port = reader.i32()?;
        value.rack = reader.nullable_string(true, true)?;
        if version >= 2 {
            value.is_fenced = reader.bool()?;
        }
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.broker_id);
        put_string(writer, &self.host, true)?;
        writer.put_i32(self.port);
        put_nullable_string(writer, self.rack.as_deref(), true)?;
        if version >= 2 {
            put_bool(writer, self.is_fenced);
        } else {
            require(!self.is_fenced, "IsFenced", version)?;
        }
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for DescribeClusterResponse {
    const NAME: &'static str = "DescribeClusterResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for DescribeClusterResponse {
    const API_KEY: i16 = 60;
    type Request = super::DescribeClusterRequest;
}
