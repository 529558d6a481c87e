// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `CreateDelegationTokenResponse`, versions 1 to 3.

use super::super::prelude::*;

/// `CreateDelegationTokenResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CreateDelegationTokenResponse {
    /// The top-level error, or zero if there was no error. (versions 0+)
    pub error_code: i16,
    /// The principal type of the token owner. (versions 0+)
    pub principal_type: String,
    /// The name of the token owner. (versions 0+)
    pub principal_name: String,
    /// The principal type of the requester of the token. (versions 3+)
    pub token_requester_principal_type: String,
    /// The principal type of the requester of the token. (versions 3+)
    pub token_requester_principal_name: String,
    /// When this token was generated. (versions 0+)
    pub issue_timestamp_ms: i64,
    /// When this token expires. (versions 0+)
    pub expiry_timestamp_ms: i64,
    /// The maximum lifetime of this token. (versions 0+)
    pub max_timestamp_ms: i64,
    /// The token UUID. (versions 0+)
    pub token_id: String,
    /// HMAC of the delegation token. (versions 0+)
    pub hmac: Bytes,
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
}

impl Structure for CreateDelegationTokenResponse {
    const MIN_WIRE_BYTES: usize = 35;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.principal_type = reader.string(flexible)?;
        value.principal_name = reader.string(flexible)?;
        if version >= 3 {
            value.token_requester_principal_type = reader.string(flexible)?;
        }
        if version >= 3 {
            value.token_requester_principal_name = reader.string(flexible)?;
        }
        value.issue_timestamp_ms = reader.i64()?;
        value.expiry_timestamp_ms = reader.i64()?;
        value.max_timestamp_ms = reader.i64()?;
        value.token_id = reader.string(flexible)?;
        value.hmac = reader.bytes(flexible)?;
        value.throttle_time_ms = reader.i32()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i16(self.error_code);
        put_string(writer, &self.principal_type, flexible)?;
        put_string(writer, &self.principal_name, flexible)?;
        if version >= 3 {
            put_string(writer, &self.token_requester_principal_type, flexible)?;
        } else {
            require(
                self.token_requester_principal_type.is_empty(),
                "TokenRequesterPrincipalType",
                version,
            )?;
        }
        if version >= 3 {
            put_string(writer, &self.token_requester_principal_name, flexible)?;
        } else {
            require(
                self.token_requester_principal_name.is_empty(),
                "TokenRequesterPrincipalName",
                version,
            )?;
        }
        writer.put_i64(self.issue_timestamp_ms);
        writer.put_i64(self.expiry_timestamp_ms);
        writer.put_i64(self.max_timestamp_ms);
        put_string(writer, &self.token_id, flexible)?;
        put_bytes(writer, &self.hmac, flexible)?;
        writer.put_i32(self.throttle_time_ms);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for CreateDelegationTokenResponse {
    const NAME: &'static str = "CreateDelegationTokenResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Response for CreateDelegationTokenResponse {
    const API_KEY: i16 = 38;
    type Request = super::CreateDelegationTokenRequest;
}
