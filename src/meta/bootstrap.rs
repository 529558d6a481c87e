//! The beginning of a metadata log: what formatting a directory writes, and what the first
//! controller appends.
//!
//! Formatting writes a snapshot `00000000000000000000-0000000000.checkpoint` into
//! `__cluster_metadata-0`: the voters; and, beside the partitions, `bootstrap.checkpoint`: the
//! records that the first controller is to append. So does `kafka-storage format` up to 4.3; from
//! 4.4.0 on it writes no second file, and the records are in the snapshot, behind the voters
//! (KIP-1170). Both are read. What is written here is of the older form, which Kafka 4.4.0 reads
//! too. Each new leader then begins its epoch with a LeaderChange; the first of all repeats
//! `kraft.version` and the voters behind it, so that they are in the log itself, and appends the
//! bootstrap records as one transaction.

use super::{
    features::FEATURES,
    image::{MetadataImage, Voter},
    metalog::{self, BatchContent, ControlRecord, MetalogError},
    snapshot_file,
};
use bytes::Bytes;
use protocol::metadata_records::{
    AbortTransactionRecord, BeginTransactionRecord, EndTransactionRecord, FeatureLevelRecord,
    MetadataRecord,
};

pub const BOOTSTRAP_FILE_NAME: &str = "bootstrap.checkpoint";

/// The most bytes that a bootstrap file may have: room for thousands of SCRAM credentials.
pub const MAX_BOOTSTRAP_FILE_BYTES: usize = 16 << 20;

/// The level that new clusters begin with.
fn initial_metadata_version() -> i16 {
    super::features::LATEST_METADATA_VERSION
}

/// The records that a new cluster begins with: the features' initial levels, `metadata.version`
/// first.
pub fn bootstrap_records() -> Vec<MetadataRecord> {
    let level = |name: &str, feature_level| {
        FeatureLevelRecord { name: name.to_owned(), feature_level }.into()
    };
    let others = FEATURES.iter().filter(|feature| {
        // kraft.version is set by control records.
        feature.initial_level > 0
            && ![super::features::METADATA_VERSION, super::features::KRAFT_VERSION]
                .contains(&feature.name)
    });
    let first = level(super::features::METADATA_VERSION, initial_metadata_version());
    std::iter::once(first)
        .chain(others.map(|feature| level(feature.name, feature.initial_level)))
        .collect()
}

/// The content of `bootstrap.checkpoint`.
pub fn bootstrap_file(records: &[MetadataRecord], now_ms: i64) -> Bytes {
    let header = [ControlRecord::SnapshotHeader { last_contained_log_timestamp_ms: 0 }];
    snapshot_file::assemble(&header, records, initial_metadata_version(), 0, now_ms)
        .expect("bootstrap records fit the latest version")
}

/// The records in a `bootstrap.checkpoint`, this software's or Kafka's.
pub fn read_bootstrap_file(bytes: &[u8]) -> Result<Vec<MetadataRecord>, MetalogError> {
    let mut records = Vec::new();
    for batch in metalog::decode(bytes) {
        if let BatchContent::Records(batch) = batch?.content {
            records.extend(batch);
        }
    }
    Ok(records)
}

/// The content of the snapshot of nothing but the voters, [`snapshot_file::SnapshotId`] 0-0.
pub fn initial_snapshot(voters: &[Voter], now_ms: i64) -> Bytes {
    let header = [
        ControlRecord::SnapshotHeader { last_contained_log_timestamp_ms: now_ms },
        ControlRecord::KraftVersion(1),
        ControlRecord::Voters(voters.to_vec()),
    ];
    snapshot_file::assemble(&header, &[], initial_metadata_version(), 0, now_ms)
        .expect("it has no metadata records")
}

/// What a leader appends first in its epoch, as one control batch.
pub fn start_of_epoch(
    image: &MetadataImage,
    leader_id: i32,
    voters: Vec<i32>,
) -> Vec<ControlRecord> {
    let mut records =
        vec![ControlRecord::LeaderChange { leader_id, granting_voters: vec![leader_id], voters }];
    let quorum = &image.quorum;
    let is_empty = image.provenance.offset < 0;
    if is_empty && quorum.kraft_version > 0 {
        records.push(ControlRecord::KraftVersion(quorum.kraft_version));
        records.push(ControlRecord::Voters(quorum.voters.clone()));
    }
    records
}

/// What a controller appends when it takes office: an end to a transaction that its predecessor
/// left open, and the bootstrap records where there is no metadata yet.
pub fn activation(
    image: &MetadataImage,
    in_transaction: bool,
    bootstrap: &[MetadataRecord],
) -> Vec<MetadataRecord> {
    let mut records = Vec::new();
    if in_transaction {
        records
            .push(AbortTransactionRecord { reason: Some("Controller failover".to_owned()) }.into());
    }
    if image.metadata_version() == 0 {
        records.push(BeginTransactionRecord { name: Some("Bootstrap records".to_owned()) }.into());
        records.extend_from_slice(bootstrap);
        records.push(EndTransactionRecord::default().into());
    }
    records
}
