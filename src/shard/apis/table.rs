//! The APIs that are served, in one table: the dispatcher looks requests up in it and ApiVersions
//! prints it, so that what is said and what is served cannot differ.
//!
//! Owns: the table. Lives on: every core (it is constant). Never: names an API without a handler in
//! `apis/mod.rs`.

use protocol::api::ApiKey;

/// By API key.
pub const TABLE: &[ApiKey] = &[
    ApiKey::Produce,
    ApiKey::Fetch,
    ApiKey::ListOffsets,
    ApiKey::Metadata,
    ApiKey::OffsetCommit,
    ApiKey::OffsetFetch,
    ApiKey::FindCoordinator,
    ApiKey::JoinGroup,
    ApiKey::Heartbeat,
    ApiKey::LeaveGroup,
    ApiKey::SyncGroup,
    ApiKey::DescribeGroups,
    ApiKey::ListGroups,
    ApiKey::ApiVersions,
    ApiKey::CreateTopics,
    ApiKey::DeleteTopics,
    ApiKey::DeleteRecords,
    ApiKey::InitProducerId,
    ApiKey::OffsetForLeaderEpoch,
    ApiKey::DescribeConfigs,
    ApiKey::AlterConfigs,
    ApiKey::DescribeLogDirs,
    ApiKey::CreatePartitions,
    ApiKey::DeleteGroups,
    ApiKey::ElectLeaders,
    ApiKey::IncrementalAlterConfigs,
    ApiKey::AlterPartitionReassignments,
    ApiKey::ListPartitionReassignments,
    ApiKey::OffsetDelete,
    ApiKey::DescribeQuorum,
    ApiKey::UpdateFeatures,
    ApiKey::DescribeCluster,
    ApiKey::ListConfigResources,
    ApiKey::DescribeTopicPartitions,
];

pub fn find(key: i16) -> Option<ApiKey> {
    TABLE.iter().copied().find(|served| *served as i16 == key)
}

/// All versions that Kafka 4.4 calls stable.
pub fn serves(key: ApiKey, version: i16) -> bool {
    (key.min_version()..=key.max_stable_version()).contains(&version)
}

/// The least version that ApiVersions names. Produce says 0 although 3 is the least that is served:
/// older librdkafka takes that as the sign that compression is understood. Apache Kafka does the
/// same (KAFKA-18659).
pub fn advertised_min_version(key: ApiKey) -> i16 {
    if key == ApiKey::Produce { 0 } else { key.min_version() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_api_in_it_is_a_brokers() {
        assert!(TABLE.windows(2).all(|pair| (pair[0] as i16) < pair[1] as i16));
        assert!(
            TABLE
                .iter()
                .all(|key| key.info().on_broker && key.min_version() <= key.max_stable_version())
        );
    }
}
