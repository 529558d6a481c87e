//! Which versions of which APIs both sides speak.
//!
//! Owns: what the other side said once, after the connect. Lives on: the core of the connection.
//! Never: allocates by a number off the wire, offers a version that is still subject to change.

use protocol::{
    ApiKey,
    messages::{
        ApiVersionsResponse,
        api_versions_response::{FinalizedFeatureKey, SupportedFeatureKey},
    },
};

/// The versions that the other side serves of one API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionRange {
    pub min: i16,
    pub max: i16,
}

/// Why there is no version to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    #[error("the broker does not serve {api}")]
    NotServed { api: ApiKey },
    /// The other side is newer or older than `min` to `max`, which are wanted.
    #[error(
        "the broker speaks {api} in versions {} to {}, and one of {min} to {max} is needed",
        .theirs.min, .theirs.max
    )]
    NoCommonVersion { api: ApiKey, theirs: VersionRange, min: i16, max: i16 },
}

/// What one node has said of itself.
#[derive(Clone, Debug)]
pub struct NodeApiVersions {
    /// By key, for the APIs of this release.
    ranges: Vec<Option<VersionRange>>,
    supported_features: Vec<SupportedFeatureKey>,
    finalized_features: Vec<FinalizedFeatureKey>,
    finalized_features_epoch: i64,
}

impl NodeApiVersions {
    pub fn new(response: ApiVersionsResponse) -> NodeApiVersions {
        let keys = ApiKey::all().map(|key| key.code() as usize + 1).max().unwrap_or(0);
        let mut ranges = vec![None; keys];
        for api in &response.api_keys {
            let range = VersionRange { min: api.min_version, max: api.max_version };
            if let Some(key) = ApiKey::from_i16(api.api_key)
                && range.min <= range.max
            {
                ranges[key.code() as usize] = Some(range);
            }
        }
        NodeApiVersions {
            ranges,
            supported_features: response.supported_features,
            finalized_features: response.finalized_features,
            finalized_features_epoch: response.finalized_features_epoch,
        }
    }

    /// The highest version that both sides know.
    pub fn version_of(&self, api: ApiKey) -> Result<i16, VersionError> {
        self.version_at_most(api, i16::MAX)
    }

    /// The highest version up to `most` that both sides know: where something else says how far to
    /// go, as the cluster's metadata.version does.
    pub fn version_at_most(&self, api: ApiKey, most: i16) -> Result<i16, VersionError> {
        let (min, max) = (api.min_version(), api.max_stable_version().min(most));
        let theirs = self.served(api)?;
        let version = theirs.max.min(max);
        if version < theirs.min.max(min) {
            return Err(VersionError::NoCommonVersion { api, theirs, min, max });
        }
        Ok(version)
    }

    /// Whether the other side serves this very version.
    pub fn check(&self, api: ApiKey, version: i16) -> Result<(), VersionError> {
        let theirs = self.served(api)?;
        if (theirs.min..=theirs.max).contains(&version) {
            return Ok(());
        }
        Err(VersionError::NoCommonVersion { api, theirs, min: version, max: version })
    }

    pub fn served(&self, api: ApiKey) -> Result<VersionRange, VersionError> {
        self.ranges[api.code() as usize].ok_or(VersionError::NotServed { api })
    }

    pub fn supported_features(&self) -> &[SupportedFeatureKey] {
        &self.supported_features
    }

    /// The cluster's finalized features and their epoch; -1 where the node knows none.
    pub fn finalized_features(&self) -> (&[FinalizedFeatureKey], i64) {
        (&self.finalized_features, self.finalized_features_epoch)
    }
}
