// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `ApiVersionsResponse`, versions 0 to 5.

use super::super::prelude::*;

/// `ApiVersionsResponse`.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiVersionsResponse {
    /// The top-level error code. (versions 0+)
    pub error_code: i16,
    /// The APIs supported by the broker. (versions 0+)
    pub api_keys: Vec<ApiVersion>,
    /// The duration in milliseconds for which the request was throttled due to a quota violation, or zero if the request did not violate any quota. (versions 1+)
    pub throttle_time_ms: i32,
    /// Features supported by the broker. Note: in v0-v3, features with MinSupportedVersion = 0 are omitted. (versions 3+, tag 0)
    pub supported_features: Vec<SupportedFeatureKey>,
    /// The monotonically increasing epoch for the finalized features information. Valid values are \>= 0. A value of -1 is special and represents unknown epoch. (versions 3+, tag 1)
    pub finalized_features_epoch: i64,
    /// List of cluster-wide finalized features. The information is valid only if FinalizedFeaturesEpoch \>= 0. (versions 3+, tag 2)
    pub finalized_features: Vec<FinalizedFeatureKey>,
    /// Set by a KRaft controller if the required configurations for ZK migration are present. (versions 3+, tag 3)
    pub zk_migration_ready: bool,
}

impl Default for ApiVersionsResponse {
    fn default() -> Self {
        Self {
            error_code: Default::default(),
            api_keys: Default::default(),
            throttle_time_ms: Default::default(),
            supported_features: Default::default(),
            finalized_features_epoch: -1,
            finalized_features: Default::default(),
            zk_migration_ready: Default::default(),
        }
    }
}

impl Structure for ApiVersionsResponse {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        value.error_code = reader.i16()?;
        value.api_keys = reader.array(flexible, version)?;
        if version >= 1 {
            value.throttle_time_ms = reader.i32()?;
        }
        if flexible {
            reader.tags(|reader, tag| {
                match tag {
                    0 if version >= 3 => {
                        value.supported_features = reader.array(flexible, version)?
                    }
                    1 if version >= 3 => value.finalized_features_epoch = reader.i64()?,
                    2 if version >= 3 => {
                        value.finalized_features = reader.array(flexible, version)?
                    }
                    3 if version >= 3 => value.zk_migration_ready = reader.bool()?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        writer.put_i16(self.error_code);
        put_array(writer, &self.api_keys, flexible, version)?;
        if version >= 1 {
            writer.put_i32(self.throttle_time_ms);
        }
        if flexible {
            let mut tags = Tags::default();
            if !self.supported_features.is_empty() {
                tags.put(0, |writer| {
                    put_array(writer, &self.supported_features, flexible, version)?;
                    Ok(())
                })?;
            }
            if self.finalized_features_epoch != -1 {
                tags.put(1, |writer| {
                    writer.put_i64(self.finalized_features_epoch);
                    Ok(())
                })?;
            }
            if !self.finalized_features.is_empty() {
                tags.put(2, |writer| {
                    put_array(writer, &self.finalized_features, flexible, version)?;
                    Ok(())
                })?;
            }
            if self.zk_migration_ready {
                tags.put(3, |writer| {
                    put_bool(writer, self.zk_migration_ready);
                    Ok(())
                })?;
            }
            tags.finish(writer);
        }
        Ok(())
    }
}

/// The APIs supported by the broker.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ApiVersion {
    /// The API index. (versions 0+)
    pub api_key: i16,
    /// The minimum supported version, inclusive. (versions 0+)
    pub min_version: i16,
    /// The maximum supported version, inclusive. (versions 0+)
    pub max_version: i16,
}

impl Structure for ApiVersion {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut value = Self::default();
        value.api_key = reader.i16()?;
        value.min_version = reader.i16()?;
        value.max_version = reader.i16()?;
        if flexible {
            reader.skip_tags()?;
        }
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        let flexible = version >= 3;
        writer.put_i16(self.api_key);
        writer.put_i16(self.min_version);
        writer.put_i16(self.max_version);
        if flexible {
            put_no_tags(writer);
        }
        Ok(())
    }
}

/// Features supported by the broker. Note: in v0-v3, features with MinSupportedVersion = 0 are omitted.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SupportedFeatureKey {
    /// The name of the feature. (versions 3+)
    pub name: String,
    /// The minimum supported version for the feature. (versions 3+)
    pub min_version: i16,
    /// The maximum supported version for the feature. (versions 3+)
    pub max_version: i16,
}

impl Structure for SupportedFeatureKey {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        value.min_version = reader.i16()?;
        value.max_version = reader.i16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        writer.put_i16(self.min_version);
        writer.put_i16(self.max_version);
        put_no_tags(writer);
        Ok(())
    }
}

/// List of cluster-wide finalized features. The information is valid only if FinalizedFeaturesEpoch \>= 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FinalizedFeatureKey {
    /// The name of the feature. (versions 3+)
    pub name: String,
    /// The cluster-wide finalized max version level for the feature. (versions 3+)
    pub max_version_level: i16,
    /// The cluster-wide finalized min version level for the feature. (versions 3+)
    pub min_version_level: i16,
}

impl Structure for FinalizedFeatureKey {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.name = reader.string(true)?;
        value.max_version_level = reader.i16()?;
        value.min_version_level = reader.i16()?;
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.name, true)?;
        writer.put_i16(self.max_version_level);
        writer.put_i16(self.min_version_level);
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for ApiVersionsResponse {
    const NAME: &'static str = "ApiVersionsResponse";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 5;
    const FLEXIBLE_FROM: Option<i16> = Some(3);
}

impl Response for ApiVersionsResponse {
    const API_KEY: i16 = 18;
    type Request = super::ApiVersionsRequest;
}
