//! The APIs that are served, in one table: the dispatcher looks requests up in it and ApiVersions prints it, so that
//! what is said and what is served cannot differ.
//!
//! Owns: the table. Lives on: every core (it is constant). Never: names an API without a handler in `dispatch.rs`.

use protocol::api::ApiKey;

/// An API and the versions of it that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    pub key: ApiKey,
    pub min_version: i16,
    pub max_version: i16,
}

/// All versions that Kafka 4.3 calls stable.
const fn all(key: ApiKey) -> Served {
    let (min_version, max_version) = key.stable_versions();
    Served { key, min_version, max_version }
}

/// By API key.
pub const TABLE: &[Served] = &[
    all(ApiKey::Produce),
    all(ApiKey::Fetch),
    all(ApiKey::ListOffsets),
    all(ApiKey::Metadata),
    all(ApiKey::OffsetCommit),
    all(ApiKey::OffsetFetch),
    all(ApiKey::FindCoordinator),
    all(ApiKey::JoinGroup),
    all(ApiKey::Heartbeat),
    all(ApiKey::LeaveGroup),
    all(ApiKey::SyncGroup),
    all(ApiKey::DescribeGroups),
    all(ApiKey::ListGroups),
    all(ApiKey::ApiVersions),
    all(ApiKey::CreateTopics),
    all(ApiKey::DeleteTopics),
    all(ApiKey::DeleteRecords),
    all(ApiKey::InitProducerId),
    all(ApiKey::OffsetForLeaderEpoch),
    all(ApiKey::DescribeConfigs),
    all(ApiKey::AlterConfigs),
    all(ApiKey::DescribeLogDirs),
    all(ApiKey::CreatePartitions),
    all(ApiKey::DeleteGroups),
    all(ApiKey::IncrementalAlterConfigs),
    all(ApiKey::ListPartitionReassignments),
    all(ApiKey::OffsetDelete),
    all(ApiKey::DescribeQuorum),
    all(ApiKey::UpdateFeatures),
    all(ApiKey::DescribeCluster),
    all(ApiKey::DescribeTopicPartitions),
];

pub fn find(key: i16) -> Option<&'static Served> {
    TABLE.iter().find(|served| served.key as i16 == key)
}

impl Served {
    pub fn serves(&self, version: i16) -> bool {
        (self.min_version..=self.max_version).contains(&version)
    }

    /// The least version that ApiVersions names. Produce says 0 although 3 is the least that is served: older librdkafka
    /// takes that as the sign that compression is understood. Apache Kafka does the same (KAFKA-18659).
    pub fn advertised_min_version(&self) -> i16 {
        if self.key as i16 == ApiKey::Produce as i16 { 0 } else { self.min_version }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_names_each_api_once() {
        assert!(TABLE.windows(2).all(|pair| (pair[0].key as i16) < pair[1].key as i16));
        assert!(TABLE.iter().all(|served| served.min_version <= served.max_version));
    }
}
