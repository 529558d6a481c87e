// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `DescribeUserScramCredentialsResponse`, versions 0 to 0.

use super::super::prelude::*;

/// `DescribeUserScramCredentialsResponse`.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeUserScramCredentialsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The message-level error code, 0 except for user authorization or infrastructure issues. (versions 0+)
    pub error_code: i16,
    /// The message-level error message, if any. (versions 0+)
    pub error_message: Option<String>,
    /// The results for descriptions, one per user. (versions 0+)
    pub results: Vec<DescribeUserScramCredentialsResult>,
}

impl Default for DescribeUserScramCredentialsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            error_message: Some(String::new()),
            results: Default::default(),
        }
    }
}

impl Structure for DescribeUserScramCredentialsResponse {
    const MIN_WIRE_BYTES: usize = 9;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        value.results = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        put_array(writer, &self.results, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The results for descriptions, one per user.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeUserScramCredentialsResult {
    /// The user name. (versions 0+)
    pub user: String,
    /// The user-level error code. (versions 0+)
    pub error_code: i16,
    /// The user-level error message, if any. (versions 0+)
    pub error_message: Option<String>,
    /// The mechanism and related information associated with the user's SCRAM credentials. (versions 0+)
    pub credential_infos: Vec<CredentialInfo>,
}

impl Default for DescribeUserScramCredentialsResult {
    fn default() -> Self {
        Self {
            user: Default::default(),
            error_code: Default::default(),
            error_message: Some(String::new()),
            credential_infos: Default::default(),
        }
    }
}

impl Structure for DescribeUserScramCredentialsResult {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.user = reader.string(true)?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        value.credential_infos = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.user, true)?;
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        put_array(writer, &self.credential_infos, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The mechanism and related information associated with the user's SCRAM credentials.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CredentialInfo {
    /// The SCRAM mechanism. (versions 0+)
    pub mechanism: i8,
    /// The number of iterations used in the SCRAM credential. (versions 0+)
    pub iterations: i32,
}

impl Structure for CredentialInfo {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.mechanism = reader.i8()?;
        value.iterations = reader.i32()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i8(self.mechanism);
        writer.put_i32(self.iterations);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for DescribeUserScramCredentialsResponse {
    const NAME: &'static str = "DescribeUserScramCredentialsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for DescribeUserScramCredentialsResponse {
    const API_KEY: i16 = 50;
    type Request = super::DescribeUserScramCredentialsRequest;
}
