//! Files that Apache Kafka 4.3.1 has written: a log of topics, configs, quotas, SCRAM credentials
//! and access control entries, and Kafka's own snapshot of it.

use super::{
    controller::{BrokerUnfence, ControllerRequest, ControllerResponse},
    image::{ConfigResourceType, MetadataImage, Quorum},
    metalog,
    replay::Replay,
    snapshot_file::{self, SnapshotId},
    testing::World,
};
use std::sync::Arc;

const LOG: &[u8] = include_bytes!("golden/kafka-4.3.1.log");
const SNAPSHOT: &[u8] = include_bytes!("golden/00000000000000000046-0000000001.checkpoint");
const SNAPSHOT_ID: SnapshotId = SnapshotId { end_offset: 46, epoch: 1 };

fn replayed(end_offset: i64) -> MetadataImage {
    let mut replay = Replay::new(MetadataImage::empty("cluster"));
    for batch in metalog::decode(LOG) {
        let batch = batch.unwrap();
        if batch.base_offset < end_offset {
            replay.apply(&batch).unwrap();
        }
    }
    replay.image().as_ref().clone()
}

#[test]
fn kafkas_log_replays_to_what_was_asked_of_kafka() {
    let image = replayed(i64::MAX);
    let names: Vec<&str> = image.topics.iter().map(|topic| &*topic.name).collect();
    assert_eq!(names, ["alpha", "beta.x"]);
    let alpha = image.topics.by_name("alpha").unwrap();
    assert_eq!(alpha.partitions.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    let configs = image.configs_of(ConfigResourceType::Topic, "alpha");
    assert_eq!(configs.get("cleanup.policy").map(String::as_str), Some("compact"));
    assert_eq!(configs.get("retention.ms"), None);
    assert_eq!(image.configs_of(ConfigResourceType::Broker, "1")["log.cleaner.threads"], "3");
    assert_eq!(image.configs_of(ConfigResourceType::ClientMetrics, "cm")["interval.ms"], "1000");
    assert_eq!(
        (image.scram_credentials.size(), image.client_quotas.size(), image.acls.size()),
        (1, 1, 1)
    );
    assert_eq!(image.feature_level("transaction.version"), 2);
    assert_eq!((image.quorum.kraft_version, image.quorum.voters[0].id), (1, 1));
    assert_eq!(&*image.quorum.voters[0].endpoints[0].listener, "CONTROLLER");
}

#[test]
fn kafkas_snapshot_is_the_image_of_its_log() {
    let mut replayed = replayed(SNAPSHOT_ID.end_offset);
    let restored = snapshot_file::decode(SNAPSHOT, SNAPSHOT_ID, "cluster").unwrap();
    // A snapshot does not tell which broker led.
    replayed.quorum =
        Arc::new(Quorum { leader_id: -1, leader_epoch: 0, ..Quorum::clone(&replayed.quorum) });
    assert_eq!(restored, replayed);
}

/// Kafka's broker was shut down cleanly: its partitions have no leader, and their only replica is
/// eligible.
#[test]
fn a_broker_takes_over_what_kafkas_broker_has_left() {
    let mut world = World::new();
    world.replay = Replay::new(replayed(i64::MAX));
    world.next_offset = world.image().provenance.offset + 1;
    let partitions = |world: &World| {
        let all = world.image().topics.iter().flat_map(|topic| topic.partitions.values().cloned());
        all.map(|partition| (partition.leader, partition.isr.clone(), partition.elr.clone()))
            .collect::<Vec<_>>()
    };
    assert!(partitions(&world).iter().all(|partition| *partition == (-1, vec![], vec![1])));
    let broker_epoch = world.image().broker(1).unwrap().0.broker_epoch;
    let unfence = BrokerUnfence { broker_id: 1, broker_epoch, renew_leader_epochs: false };
    let response = world.ask(ControllerRequest::UnfenceBroker(unfence));
    assert_eq!(response, ControllerResponse::UnfenceBroker(Ok(())));
    assert!(partitions(&world).iter().all(|partition| *partition == (1, vec![1], vec![])));
}
