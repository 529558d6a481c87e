// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeDelegationTokenResponse`, versions 1 to 3.

use super::super::prelude::*;

/// `DescribeDelegationTokenResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeDelegationTokenResponse {
    /// The error code, or 0 if there was no error. (versions 0+)
    pub error_code: i16,
    /// The tokens. (versions 0+)
    pub tokens: Vec<DescribedDelegationToken>,
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
}

impl Structure for DescribeDelegationTokenResponse {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.tokens = reader.array(flexible, version)?;
        value.throttle_time_ms = reader.i32()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        writer.put_i16(self.error_code);
        put_array(writer, &self.tokens, flexible, version)?;
        writer.put_i32(self.throttle_time_ms);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// The tokens.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribedDelegationToken {
    /// The token principal type. (versions 0+)
    pub principal_type: String,
    /// The token principal name. (versions 0+)
    pub principal_name: String,
    /// The principal type of the requester of the token. (versions 3+)
    pub token_requester_principal_type: String,
    /// The principal type of the requester of the token. (versions 3+)
    pub token_requester_principal_name: String,
    /// The token issue timestamp in milliseconds. (versions 0+)
    pub issue_timestamp: i64,
    /// The token expiry timestamp in milliseconds. (versions 0+)
    pub expiry_timestamp: i64,
    /// The token maximum timestamp length in milliseconds. (versions 0+)
    pub max_timestamp: i64,
    /// The token ID. (versions 0+)
    pub token_id: String,
    /// The token HMAC. (versions 0+)
    pub hmac: Bytes,
    /// Those who are able to renew this token before it expires. (versions 0+)
    pub renewers: Vec<DescribedDelegationTokenRenewer>,
}

impl Structure for DescribedDelegationToken {
    const MIN_WIRE_BYTES: usize = 30;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.principal_type = reader.string(flexible)?;
        value.principal_name = reader.string(flexible)?;
        if version >= 3 {
            value.token_requester_principal_type = reader.string(flexible)?;
        }
        if version >= 3 {
            value.token_requester_principal_name = reader.string(flexible)?;
        }
        value.issue_timestamp = reader.i64()?;
        value.expiry_timestamp = reader.i64()?;
        value.max_timestamp = reader.i64()?;
        value.token_id = reader.string(flexible)?;
        value.hmac = reader.bytes(flexible)?;
        value.renewers = reader.array(flexible, version)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
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
        writer.put_i64(self.issue_timestamp);
        writer.put_i64(self.expiry_timestamp);
        writer.put_i64(self.max_timestamp);
        put_string(writer, &self.token_id, flexible)?;
        put_bytes(writer, &self.hmac, flexible)?;
        put_array(writer, &self.renewers, flexible, version)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Those who are able to renew this token before it expires.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribedDelegationTokenRenewer {
    /// The renewer principal type. (versions 0+)
    pub principal_type: String,
    /// The renewer principal name. (versions 0+)
    pub principal_name: String,
}

impl Structure for DescribedDelegationTokenRenewer {
    const MIN_WIRE_BYTES: usize = 3;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut value = Self::default();
        value.principal_type = reader.string(flexible)?;
        value.principal_name = reader.string(flexible)?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 2;
        put_string(writer, &self.principal_type, flexible)?;
        put_string(writer, &self.principal_name, flexible)?;
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

impl Message for DescribeDelegationTokenResponse {
    const NAME: &'static str = "DescribeDelegationTokenResponse";
    const MIN_VERSION: i16 = 1;
    const MAX_VERSION: i16 = 3;
    const FLEXIBLE_FROM: Option<i16> = Some(2);
}

impl Response for DescribeDelegationTokenResponse {
    const API_KEY: i16 = 41;
    type Request = super::DescribeDelegationTokenRequest;
}
