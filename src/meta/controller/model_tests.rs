//! Any sequence of requests keeps what must hold of an image, and the log alone gives the image
//! again.

use super::*;
use crate::meta::{
    image::{ConfigResourceType, Quorum},
    metalog, snapshot_file,
    testing::*,
    topic::NO_LEADER,
};
use proptest::prelude::*;
use protocol::metadata_records::{
    ClientQuotaRecord, PartitionChangeRecord, client_quota_record::EntityData,
};
use std::sync::Arc;

const TOPICS: [&str; 6] = ["a", "b", "c.d", "c_d", "e", ""];
const CONFIGS: [(&str, &str); 4] = [
    ("retention.ms", "100"),
    ("cleanup.policy", "compact,delete"),
    ("retention.ms", "nonsense"),
    ("min.insync.replicas", "2"),
];

#[derive(Clone, Debug)]
enum Step {
    Create { topics: Vec<(usize, i32, i16)>, validate_only: bool },
    Delete(Vec<usize>),
    Grow { topic: usize, count: i32 },
    Alter { kind: i8, name: usize, config: usize, operation: i8 },
    Replace { topic: usize, configs: Vec<usize> },
    Reassign { topic: usize, replicas: Option<Vec<i32>> },
    Elect { election_type: i8 },
    Restart(i32),
    ShrinkIsr { topic: usize },
    ProducerIds,
    Quota { name: usize, remove: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let topic = 0..TOPICS.len();
    prop_oneof![
        (
            prop::collection::vec((topic.clone(), -1..4i32, -1..4i16), 1..4),
            prop::bool::weighted(0.1)
        )
            .prop_map(|(topics, validate_only)| Step::Create { topics, validate_only }),
        prop::collection::vec(topic.clone(), 1..3).prop_map(Step::Delete),
        (topic.clone(), 0..6i32).prop_map(|(topic, count)| Step::Grow { topic, count }),
        (
            prop::sample::select(vec![2i8, 2, 4, 8, 16, 32, 9]),
            topic.clone(),
            0..CONFIGS.len(),
            0..5i8
        )
            .prop_map(|(kind, name, config, operation)| Step::Alter {
                kind,
                name,
                config,
                operation
            }),
        (topic.clone(), prop::collection::vec(0..CONFIGS.len(), 0..3))
            .prop_map(|(topic, configs)| Step::Replace { topic, configs }),
        (topic.clone(), prop::option::of(prop::collection::vec(0..5i32, 0..4)))
            .prop_map(|(topic, replicas)| Step::Reassign { topic, replicas }),
        (0..3i8).prop_map(|election_type| Step::Elect { election_type }),
        (1..4i32).prop_map(Step::Restart),
        topic.clone().prop_map(|topic| Step::ShrinkIsr { topic }),
        Just(Step::ProducerIds),
        (topic, any::<bool>()).prop_map(|(name, remove)| Step::Quota { name, remove }),
    ]
}

fn name(index: usize) -> String {
    TOPICS[index].to_owned()
}

impl Step {
    fn take(self, world: &mut World) {
        let request = match self {
            Step::Restart(broker) => return world.add_broker(broker, None),
            Step::ShrinkIsr { topic } => return shrink_isr(world, TOPICS[topic]),
            Step::Quota { name: user, remove } => {
                let entity = vec![EntityData {
                    entity_type: "user".to_owned(),
                    entity_name: Some(name(user)),
                }];
                let record = ClientQuotaRecord {
                    entity,
                    key: "request_percentage".to_owned(),
                    value: 1.5,
                    remove,
                };
                return world.append_records(&[record.into()]);
            }
            Step::ProducerIds => {
                let broker_epoch = world.image().broker(1).unwrap().0.broker_epoch;
                ControllerRequest::AllocateProducerIds(AllocateProducerIdsRequest {
                    broker_id: 1,
                    broker_epoch,
                })
            }
            step => step.request(),
        };
        world.ask(request);
    }

    /// What a client would send.
    fn request(self) -> ControllerRequest {
        match self {
            Step::Create { topics, validate_only } => {
                let topics = topics
                    .into_iter()
                    .map(|(name, count, factor)| topic(TOPICS[name], count, factor));
                let request = CreateTopicsRequest {
                    topics: topics.collect(),
                    validate_only,
                    ..Default::default()
                };
                ControllerRequest::CreateTopics(request)
            }
            Step::Delete(topics) => {
                let topic_names = topics.into_iter().map(name).collect();
                let request = DeleteTopicsRequest { topic_names, ..Default::default() };
                ControllerRequest::DeleteTopics { request, version: 5 }
            }
            Step::Grow { topic, count } => {
                let topic = create_partitions_request::CreatePartitionsTopic {
                    name: name(topic),
                    count,
                    assignments: None,
                };
                ControllerRequest::CreatePartitions(CreatePartitionsRequest {
                    topics: vec![topic],
                    ..Default::default()
                })
            }
            Step::Alter { kind, name: resource, config, operation } => {
                let config = incremental_alter_configs_request::AlterableConfig {
                    name: CONFIGS[config].0.to_owned(),
                    config_operation: operation,
                    value: Some(CONFIGS[config].1.to_owned()),
                };
                let resource = incremental_alter_configs_request::AlterConfigsResource {
                    resource_type: kind,
                    resource_name: name(resource),
                    configs: vec![config],
                };
                let request = IncrementalAlterConfigsRequest {
                    resources: vec![resource],
                    ..Default::default()
                };
                ControllerRequest::IncrementalAlterConfigs(request)
            }
            Step::Replace { topic, configs } => {
                let config = |index: usize| alter_configs_request::AlterableConfig {
                    name: CONFIGS[index].0.to_owned(),
                    value: Some(CONFIGS[index].1.to_owned()),
                };
                let resource = alter_configs_request::AlterConfigsResource {
                    resource_type: ConfigResourceType::Topic.code(),
                    resource_name: name(topic),
                    configs: configs.into_iter().map(config).collect(),
                };
                ControllerRequest::AlterConfigs(AlterConfigsRequest {
                    resources: vec![resource],
                    ..Default::default()
                })
            }
            Step::Reassign { topic, replicas } => {
                let partition = alter_partition_reassignments_request::ReassignablePartition {
                    partition_index: 0,
                    replicas,
                };
                let topic = alter_partition_reassignments_request::ReassignableTopic {
                    name: name(topic),
                    partitions: vec![partition],
                };
                let request = AlterPartitionReassignmentsRequest {
                    topics: vec![topic],
                    ..Default::default()
                };
                ControllerRequest::AlterPartitionReassignments(request)
            }
            Step::Elect { election_type } => {
                let request =
                    ElectLeadersRequest { election_type, topic_partitions: None, timeout_ms: 0 };
                ControllerRequest::ElectLeaders(request)
            }
            step => unreachable!("{step:?} is no client's"),
        }
    }
}

/// What a leader asks for when its followers lag.
fn shrink_isr(world: &mut World, name: &str) {
    let Some(topic) = world.image().topics.by_name(name).cloned() else { return };
    let isr = topic.partition(0).map(|partition| vec![partition.leader]);
    let change =
        PartitionChangeRecord { partition_id: 0, topic_id: topic.id, isr, ..Default::default() };
    world.append_records(&[change.into()]);
}

fn check(before: &MetadataImage, after: &MetadataImage) -> Result<(), TestCaseError> {
    for topic in after.topics.iter() {
        prop_assert_eq!(after.topics.id(&topic.name), Some(topic.id));
        prop_assert!(topic.partitions.keys().copied().eq(0..topic.partitions.len() as i32));
        prop_assert!(!topic.partitions.is_empty());
        for (index, partition) in &topic.partitions {
            prop_assert!(!partition.replicas.is_empty() && !partition.isr.is_empty());
            prop_assert_eq!(partition.replicas.len(), partition.directories.len());
            prop_assert!(partition.isr.iter().all(|replica| partition.replicas.contains(replica)));
            prop_assert!(
                partition.leader == NO_LEADER || partition.isr.contains(&partition.leader)
            );
            let unique: std::collections::BTreeSet<&i32> = partition.replicas.iter().collect();
            prop_assert_eq!(unique.len(), partition.replicas.len());
            let Some(earlier) = before.partition(topic.id, *index) else { continue };
            if earlier == partition {
                continue;
            }
            prop_assert!(
                partition.partition_epoch > earlier.partition_epoch,
                "{partition:?} after {earlier:?}"
            );
            let steps = partition.leader_epoch - earlier.leader_epoch;
            prop_assert!(steps >= 0 && (steps > 0 || partition.leader == earlier.leader));
        }
    }
    let configured =
        after.configs.keys().filter(|resource| resource.kind == ConfigResourceType::Topic);
    for resource in configured {
        prop_assert!(
            after.topics.id(&resource.name).is_some(),
            "configs of no topic: {resource:?}"
        );
    }
    prop_assert!(after.next_producer_id >= before.next_producer_id);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn images_stay_whole_and_follow_from_the_log(steps in prop::collection::vec(step(), 1..40)) {
        let mut world = World::without_brokers();
        (1..=3).for_each(|id| world.add_broker(id, None));
        for step in steps {
            let before = world.image().clone();
            step.take(&mut world);
            check(&before, world.image())?;
        }
        let image = world.image().clone();
        let mut replayed = world.replayed();
        prop_assert_eq!(&replayed, &image);

        // A snapshot does not tell which broker led.
        let file = snapshot_file::encode(&image, 7).unwrap();
        let mut restored = snapshot_file::decode(&file, snapshot_file::id_of(&image), CLUSTER_ID)
            .unwrap();
        let quorum = |image: &MetadataImage| Quorum { leader_id: -1, leader_epoch: 0,
            ..Quorum::clone(&image.quorum) };
        restored.quorum = Arc::new(quorum(&restored));
        replayed.quorum = Arc::new(quorum(&replayed));
        prop_assert_eq!(&restored, &replayed);
    }

    #[test]
    fn long_lists_of_records_become_batches_that_follow_each_other(count in 1..200usize,
        max_batch_bytes in 100..2000usize) {
        let record = |index: usize| protocol::metadata_records::TopicRecord {
            name: format!("topic-{index}"),
            topic_id: Uuid::from_u128(index as u128),
        };
        let records: Vec<MetadataRecord> = (0..count).map(|index| record(index).into()).collect();
        let batches = metalog::encode_records(&records, 30, 5, 2, 9, max_batch_bytes).unwrap();
        let mut decoded = Vec::new();
        for batch in batches {
            prop_assert!(batch.len() <= max_batch_bytes.max(200));
            for batch in metalog::decode(&batch) {
                let batch = batch.unwrap();
                prop_assert_eq!((batch.base_offset, batch.epoch), (5 + decoded.len() as i64, 2));
                match batch.content {
                    metalog::BatchContent::Records(records) => decoded.extend(records),
                    other => prop_assert!(false, "{other:?}"),
                }
            }
        }
        prop_assert_eq!(decoded, records);
    }
}
