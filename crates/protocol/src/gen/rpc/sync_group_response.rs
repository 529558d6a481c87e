// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `SyncGroupResponse`, versions 0 to 5.

use super::super::prelude::*;

/// `SyncGroupResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SyncGroupResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 1+)
    pub throttle_time_ms: i32,
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The group protocol type. (versions 5+)
    pub protocol_type: Option<String>,
    /// The group protocol name. (versions 5+)
    pub protocol_name: Option<String>,
    /// The member assignment. (versions 0+)
    pub assignment: Bytes,
}

impl Structure for SyncGroupResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut value = Self::default();
        if version >= 1 {
            value.throttle_time_ms = reader.i32()?;
        }
        value.error_code = reader.i16()?;
        if version >= 5 {
            value.protocol_type = reader.nullable_string(flexible, true)?;
        }
        if version >= 5 {
            value.protocol_name = reader.nullable_string(flexible, true)?;
        }
        value.assignment = reader.bytes(flexible)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 4;
        if version >= 1 {
            writer.put_i32(self.throttle_time_ms);
        }
        writer.put_i16(self.error_code);
        if version >= 5 {
            put_nullable_string(writer, self.protocol_type.as_deref(), flexible)?;
        }
        if version >= 5 {
            put_nullable_string(writer, self.protocol_name.as_deref(), flexible)?;
        }
        put_bytes(writer, &self.assignment, flexible)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for SyncGroupResponse {
    const NAME: &'static str = "SyncGroupResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: Option<i16> = Some(4);
}

impl Response for SyncGroupResponse {
    const API_KEY: i16 = 14;
    type Request = super::SyncGroupRequest;
}
