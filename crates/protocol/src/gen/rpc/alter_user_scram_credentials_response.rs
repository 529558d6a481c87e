// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `AlterUserScramCredentialsResponse`, versions 0 to 0.

use super::super::prelude::*;

/// `AlterUserScramCredentialsResponse`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AlterUserScramCredentialsResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The results for deletions and alterations, one per affected user. (versions 0+)
    pub results: Vec<AlterUserScramCredentialsResult>,
}

impl Structure for AlterUserScramCredentialsResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.results = reader.array(true, version)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        put_array(writer, &self.results, true, version)?;
        put_no_tags(writer);
        Ok(())
    }
}

/// The results for deletions and alterations, one per affected user.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterUserScramCredentialsResult {
    /// The user name. (versions 0+)
    pub user: String,
    /// The error code. (versions 0+)
    pub error_code: i16,
    /// The error message, if any. (versions 0+)
    pub error_message: Option<String>,
}

impl Default for AlterUserScramCredentialsResult {
    fn default() -> Self {
        Self {
            user: Default::default(),
            error_code: Default::default(),
            error_message: Some(String::new()),
        }
    }
}

impl Structure for AlterUserScramCredentialsResult {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.user = reader.string(true)?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.user, true)?;
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for AlterUserScramCredentialsResponse {
    const NAME: &'static str = "AlterUserScramCredentialsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for AlterUserScramCredentialsResponse {
    const API_KEY: i16 = 51;
    type Request = super::AlterUserScramCredentialsRequest;
}
