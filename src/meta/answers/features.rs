//! What ApiVersions (key 18) says of features: supported ranges, finalized levels and their age
//! (KIP-584).

use crate::meta::{
    features::{FEATURES, KRAFT_VERSION, feature},
    image::MetadataImage,
};
use protocol::messages::api_versions_response::{FinalizedFeatureKey, SupportedFeatureKey};

pub struct FinalizedFeatures {
    /// The offset of the metadata log that the levels are as of.
    pub epoch: i64,
    pub features: Vec<FinalizedFeatureKey>,
}

/// Clients before version 4 of ApiVersions reject a range that begins at 0: they are not told of
/// such features (KAFKA-17011).
pub fn supported_features(version: i16) -> Vec<SupportedFeatureKey> {
    let shown = FEATURES.iter().filter(|feature| version >= 4 || *feature.supported.start() > 0);
    let keys = shown.map(|feature| SupportedFeatureKey {
        name: feature.name.to_owned(),
        min_version: *feature.supported.start(),
        max_version: *feature.supported.end(),
    });
    keys.collect()
}

pub fn finalized_features(image: &MetadataImage) -> FinalizedFeatures {
    let levels = image.features.iter().map(|(name, &level)| (&**name, level));
    let all = levels.chain([(KRAFT_VERSION, image.quorum.kraft_version)]);
    // A cluster of Apache Kafka's may have more than is done here: clients must not rely on it.
    let served =
        all.filter_map(|(name, level)| Some((name, level.min(*feature(name)?.supported.end()))));
    let features =
        served.filter(|(_, level)| *level > 0).map(|(name, level)| FinalizedFeatureKey {
            name: name.to_owned(),
            max_version_level: level,
            min_version_level: level,
        });
    FinalizedFeatures { epoch: image.provenance.offset, features: features.collect() }
}
