// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `UpdateFeaturesResponse`, versions 0 to 2.

use super::super::prelude::*;

/// `UpdateFeaturesResponse`.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateFeaturesResponse {
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 0+)
    pub throttle_time_ms: i32,
    /// The top-level error code, or `0` if there was no top-level error. (versions 0+)
    pub error_code: i16,
    /// The top-level error message, or `null` if there was no top-level error. (versions 0+)
    pub error_message: Option<String>,
    /// Results for each feature update. (versions 0 to 1)
    pub results: Vec<UpdatableFeatureResult>,
}

impl Default for UpdateFeaturesResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            error_message: Some(String::new()),
            results: Default::default(),
        }
    }
}

impl Structure for UpdateFeaturesResponse {
    const MIN_WIRE_BYTES: usize = 8;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.throttle_time_ms = reader.i32()?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        if version <= 1 {
            value.results = reader.array(true, version)?;
        }
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.throttle_time_ms);
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        if version <= 1 {
            put_array(writer, &self.results, true, version)?;
        }
        put_no_tags(writer);
        Ok(())
    }
}

/// Results for each feature update.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdatableFeatureResult {
    /// The name of the finalized feature. (versions 0+)
    pub feature: String,
    /// The feature update error code or `0` if the feature update succeeded. (versions 0+)
    pub error_code: i16,
    /// The feature update error, or `null` if the feature update succeeded. (versions 0+)
    pub error_message: Option<String>,
}

impl Default for UpdatableFeatureResult {
    fn default() -> Self {
        Self {
            feature: Default::default(),
            error_code: Default::default(),
            error_message: Some(String::new()),
        }
    }
}

impl Structure for UpdatableFeatureResult {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.feature = reader.string(true)?;
        value.error_code = reader.i16()?;
        value.error_message = reader.nullable_string(true, true)?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.feature, true)?;
        writer.put_i16(self.error_code);
        put_nullable_string(writer, self.error_message.as_deref(), true)?;
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for UpdateFeaturesResponse {
    const NAME: &'static str = "UpdateFeaturesResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Response for UpdateFeaturesResponse {
    const API_KEY: i16 = 57;
    type Request = super::UpdateFeaturesRequest;
}
