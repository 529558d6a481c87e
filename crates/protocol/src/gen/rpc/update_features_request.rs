// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! `UpdateFeaturesRequest`, versions 0 to 2.

use super::super::prelude::*;

/// `UpdateFeaturesRequest`.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateFeaturesRequest {
    /// How long to wait in milliseconds before timing out the request. (versions 0+)
    pub timeout_ms: i32,
    /// The list of updates to finalized features. (versions 0+)
    pub feature_updates: Vec<FeatureUpdateKey>,
    /// True if we should validate the request, but not perform the upgrade or downgrade. (versions 1+)
    pub validate_only: bool,
}

impl Default for UpdateFeaturesRequest {
    fn default() -> Self {
        Self {
            timeout_ms: 60000,
            feature_updates: Default::default(),
            validate_only: Default::default(),
        }
    }
}

impl Structure for UpdateFeaturesRequest {
    const MIN_WIRE_BYTES: usize = 6;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.timeout_ms = reader.i32()?;
        value.feature_updates = reader.array(true, version)?;
        if version >= 1 {
            value.validate_only = reader.bool()?;
        }
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        writer.put_i32(self.timeout_ms);
        put_array(writer, &self.feature_updates, true, version)?;
        if version >= 1 {
            put_bool(writer, self.validate_only);
        } else {
            require(!self.validate_only, "ValidateOnly", version)?;
        }
        put_no_tags(writer);
        Ok(())
    }
}

/// The list of updates to finalized features.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureUpdateKey {
    /// The name of the finalized feature to be updated. (versions 0+)
    pub feature: String,
    /// The new maximum version level for the finalized feature. A value \>= 1 is valid. A value \< 1, is special, and can be used to request the deletion of the finalized feature. (versions 0+)
    pub max_version_level: i16,
    /// DEPRECATED in version 1 (see DowngradeType). When set to true, the finalized feature version level is allowed to be downgraded/deleted. The downgrade request will fail if the new maximum version level is a value that's not lower than the existing maximum finalized version level. (versions 0 to 0)
    pub allow_downgrade: bool,
    /// Determine which type of upgrade will be performed: 1 will perform an upgrade only (default), 2 is safe downgrades only (lossless), 3 is unsafe downgrades (lossy). (versions 1+)
    pub upgrade_type: i8,
}

impl Default for FeatureUpdateKey {
    fn default() -> Self {
        Self {
            feature: Default::default(),
            max_version_level: Default::default(),
            allow_downgrade: Default::default(),
            upgrade_type: 1,
        }
    }
}

impl Structure for FeatureUpdateKey {
    const MIN_WIRE_BYTES: usize = 5;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        value.feature = reader.string(true)?;
        value.max_version_level = reader.i16()?;
        if version <= 0 {
            value.allow_downgrade = reader.bool()?;
        }
        if version >= 1 {
            value.upgrade_type = reader.i8()?;
        }
        reader.skip_tags()?;
        Ok(value)
    }

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        put_string(writer, &self.feature, true)?;
        writer.put_i16(self.max_version_level);
        if version <= 0 {
            put_bool(writer, self.allow_downgrade);
        } else {
            require(!self.allow_downgrade, "AllowDowngrade", version)?;
        }
        if version >= 1 {
            writer.put_i8(self.upgrade_type);
        } else {
            require(self.upgrade_type == 1, "UpgradeType", version)?;
        }
        put_no_tags(writer);
        Ok(())
    }
}

impl Message for UpdateFeaturesRequest {
    const NAME: &'static str = "UpdateFeaturesRequest";
    const MIN_VERSION: i16 = 0;
    const MAX_VERSION: i16 = 2;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl Request for UpdateFeaturesRequest {
    const API_KEY: i16 = 57;
    type Response = super::UpdateFeaturesResponse;
}
