//! The features of a cluster (KIP-584): which levels this software supports, and what a new cluster
//! starts with.
//!
//! One table, [`FEATURES`]: ApiVersions advertises from it, formatting finalizes from it,
//! UpdateFeatures validates with it. A feature whose protocol is not served here has no row, so
//! that no client or peer relies on it.

use std::ops::RangeInclusive;

pub const METADATA_VERSION: &str = "metadata.version";
pub const KRAFT_VERSION: &str = "kraft.version";
pub const TRANSACTION_VERSION: &str = "transaction.version";
pub const ELIGIBLE_LEADER_REPLICAS_VERSION: &str = "eligible.leader.replicas.version";

/// The level of `metadata.version` that this software writes a new cluster with: 4.4-IV2.
pub const LATEST_METADATA_VERSION: i16 = 33;

/// The least level that is supported, 3.7-IV2: from it on replicas have log directories (KIP-858),
/// controllers register (KIP-919) and records are held together in transactions (KIP-868), so that
/// nothing here needs to do without.
const LEAST_METADATA_VERSION: i16 = 17;

pub struct Feature {
    pub name: &'static str,
    pub supported: RangeInclusive<i16>,
    /// The level that formatting a new cluster finalizes.
    pub initial_level: i16,
}

impl Feature {
    /// The least and the greatest supported level.
    pub fn range(&self) -> (i16, i16) {
        (*self.supported.start(), *self.supported.end())
    }
}

/// Sorted by name.
pub const FEATURES: &[Feature] = &[
    Feature { name: KRAFT_VERSION, supported: 0..=1, initial_level: 1 },
    Feature {
        name: METADATA_VERSION,
        supported: LEAST_METADATA_VERSION..=LATEST_METADATA_VERSION,
        initial_level: LATEST_METADATA_VERSION,
    },
    // 1: tagged fields in `__transaction_state`; 2: an epoch for each transaction (KIP-890).
    Feature { name: TRANSACTION_VERSION, supported: 0..=2, initial_level: 2 },
];

/// The levels that have brought new metadata: a downgrade across one would lose what the older
/// level cannot hold (`MetadataVersion`, `didMetadataChange`).
const LEVELS_WITH_NEW_METADATA: &[i16] = &[17, 23, 30, 32, 33];

pub fn feature(name: &str) -> Option<&'static Feature> {
    FEATURES.iter().find(|feature| feature.name == name)
}

/// Whether records of `metadata.version` level `from` may say what level `to` cannot.
pub fn downgrade_loses_metadata(from: i16, to: i16) -> bool {
    LEVELS_WITH_NEW_METADATA.iter().any(|level| (to + 1..=from).contains(level))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn downgrades_across_new_metadata_lose_it() {
        assert!(downgrade_loses_metadata(33, 32) && downgrade_loses_metadata(32, 31));
        assert!(!downgrade_loses_metadata(31, 30));
        assert!(downgrade_loses_metadata(30, 29));
        assert!(!downgrade_loses_metadata(29, 23));
        assert!(downgrade_loses_metadata(29, 22));
        assert!(downgrade_loses_metadata(17, 16));
        assert!(FEATURES.iter().all(|feature| feature.supported.contains(&feature.initial_level)));
        assert!(FEATURES.is_sorted_by_key(|feature| feature.name));
    }
}
