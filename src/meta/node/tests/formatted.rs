//! Directories that `kafka-storage format` has made, and what the first start makes of them.

use super::*;
use crate::meta::metalog::ControlRecord;
use protocol::metadata_records::{FeatureLevelRecord, UserScramCredentialRecord};

const BOOTSTRAP: &str = "/data/bootstrap.checkpoint";
const FORMATTED: &str = "/data/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint";

/// The snapshot of a directory that Apache Kafka 4.4.0 has formatted: `kafka-storage format
/// --standalone --add-scram`.
const KAFKA_4_4: &[u8] = include_bytes!("../../golden/kafka-4.4.0-formatted.checkpoint");

/// The level of `metadata.version`, another feature, and a user.
fn records(level: i16) -> Vec<MetadataRecord> {
    let feature =
        |name: &str, feature_level| FeatureLevelRecord { name: name.to_owned(), feature_level };
    let user = UserScramCredentialRecord {
        name: "alice".to_owned(),
        mechanism: 1,
        iterations: 4096,
        ..UserScramCredentialRecord::default()
    };
    vec![feature("metadata.version", level).into(), feature("group.version", 1).into(), user.into()]
}

/// As Kafka writes it from 4.4.0 on, with records behind the control records.
fn snapshot(control: &[ControlRecord], records: &[MetadataRecord]) -> Bytes {
    let header = ControlRecord::SnapshotHeader { last_contained_log_timestamp_ms: 7 };
    let header: Vec<_> = std::iter::once(header).chain(control.iter().cloned()).collect();
    snapshot_file::assemble(&header, records, 33, 0, 7).unwrap()
}

/// The control records of a quorum of this node.
fn standalone() -> Vec<ControlRecord> {
    let voter =
        Voter { id: 1, directory_id: directory(1), kraft_versions: (0, 1), ..Voter::default() };
    vec![ControlRecord::KraftVersion(1), ControlRecord::Voters(vec![voter])]
}

/// A machine whose directory holds these files.
fn machine(seed: u64, files: &[(&'static str, Bytes)]) -> Machine {
    let machine = Machine::new(seed);
    let files = files.to_vec();
    machine.run(move |ring| async move {
        ring.create_dir_all("/data/__cluster_metadata-0").await.unwrap();
        for (path, content) in files {
            ring.write_file_atomically(path, content).await.unwrap();
        }
    });
    machine.world.kill(machine.node);
    machine
}

/// The image after a start.
fn started(machine: &Machine) -> Arc<MetadataImage> {
    machine.run(|ring| async move {
        let (node, _) = start(&ring, options(-1)).await.unwrap();
        let image = node.image();
        node.close().await.unwrap();
        image
    })
}

/// What [`records`] say is there, and once more when nothing but the log can say it.
#[track_caller]
fn begins_with_the_records(machine: &Machine, level: i16) {
    let told = |image: &MetadataImage| {
        let user = image.scram_credentials.contains_key(&("alice".to_owned(), 1));
        (image.metadata_version(), image.feature_level("group.version"), user)
    };
    let image = started(machine);
    assert_eq!(told(&image), (level, 1, true));
    assert!(image.broker(1).unwrap().is_active());
    machine.world.kill(machine.node);
    machine.run(|ring| async move {
        for path in [BOOTSTRAP, FORMATTED] {
            let _ = ring.unlink(path).await;
        }
    });
    machine.world.kill(machine.node);
    assert_eq!(told(&started(machine)), (level, 1, true));
}

#[test]
fn the_records_of_a_bootstrap_file_begin_the_log() {
    let file = bootstrap::bootstrap_file(&records(30), 7);
    begins_with_the_records(&machine(70, &[(BOOTSTRAP, file.clone())]), 30);
    let voters = bootstrap::initial_snapshot(&[], 7);
    begins_with_the_records(&machine(71, &[(BOOTSTRAP, file), (FORMATTED, voters)]), 30);
}

#[test]
fn the_records_of_the_formatted_snapshot_begin_the_log() {
    let formatted = snapshot(&standalone(), &records(32));
    begins_with_the_records(&machine(72, &[(FORMATTED, formatted.clone())]), 32);
    // It is stronger than a file that an older release has left.
    let file = bootstrap::bootstrap_file(&bootstrap::bootstrap_records(), 7);
    begins_with_the_records(&machine(73, &[(BOOTSTRAP, file), (FORMATTED, formatted)]), 32);
}

/// With `kraft.version` 0 the configuration names the voters.
#[test]
fn a_formatted_snapshot_may_have_no_voters() {
    begins_with_the_records(&machine(74, &[(FORMATTED, snapshot(&[], &records(33)))]), 33);
}

#[test]
fn a_directory_that_kafka_has_formatted_is_begun() {
    let machine = machine(75, &[(FORMATTED, Bytes::from_static(KAFKA_4_4))]);
    let image = started(&machine);
    assert_eq!((image.metadata_version(), image.quorum.kraft_version), (33, 1));
    assert_eq!(image.feature_level("share.version"), 2);
    assert_eq!(image.quorum.voters[0].endpoints[0].listener, "CONTROLLER");
    assert!(image.scram_credentials.contains_key(&("alice".to_owned(), 1)));
}

/// A release that is newer than this one has formatted it.
#[test]
fn records_that_are_not_supported_refuse_the_start_before_anything_is_written() {
    for path in [BOOTSTRAP, FORMATTED] {
        let content = match path {
            BOOTSTRAP => bootstrap::bootstrap_file(&records(34), 7),
            _ => snapshot(&standalone(), &records(34)),
        };
        let machine = machine(76, &[(path, content)]);
        let before = disk_of(&machine);
        let error = machine
            .run(|ring| async move { start(&ring, options(-1)).await.map(drop).unwrap_err() });
        assert!(error.to_string().contains("metadata.version 34 is not supported"), "{error}");
        assert!(error.to_string().contains(path), "{error}");
        assert_eq!(disk_of(&machine), before);
    }
}
