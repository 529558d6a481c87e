//! Requests and what comes of them, one after the other.

use super::*;
use crate::meta::testing::*;
use crate::meta::topic::NO_LEADER;
use create_topics_request::{CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig};

fn assigned(name: &str, assignments: &[(i32, &[i32])]) -> CreatableTopic {
    let assignment = |(partition_index, brokers): &(i32, &[i32])| CreatableReplicaAssignment {
        partition_index: *partition_index,
        broker_ids: brokers.to_vec(),
    };
    CreatableTopic {
        assignments: assignments.iter().map(assignment).collect(),
        ..topic(name, -1, -1)
    }
}

fn configured(name: &str, configs: &[(&str, Option<&str>)]) -> CreatableTopic {
    let config = |(name, value): &(&str, Option<&str>)| CreatableTopicConfig {
        name: (*name).to_owned(),
        value: value.map(str::to_owned),
    };
    CreatableTopic { configs: configs.iter().map(config).collect(), ..topic(name, 1, 1) }
}

/// The code and the message for each topic, in the order of the response.
fn outcomes(response: &CreateTopicsResponse) -> Vec<(ErrorCode, String)> {
    let outcome = |topic: &create_topics_response::CreatableTopicResult| {
        (
            ErrorCode::from_code(topic.error_code).unwrap(),
            topic.error_message.clone().unwrap_or_default(),
        )
    };
    response.topics.iter().map(outcome).collect()
}

#[test]
fn a_topic_is_created_with_its_configs_and_partitions() {
    let mut world = World::new();
    world.settings.num_partitions = 3;
    let created = world.create(vec![CreatableTopic {
        configs: configured("", &[("retention.ms", Some("5"))]).configs,
        ..topic("a", -1, -1)
    }]);
    let result = &created.topics[0];
    assert_eq!(outcomes(&created), [(ErrorCode::None, String::new())]);
    assert_eq!((result.num_partitions, result.replication_factor), (3, 1));
    let configs = result.configs.as_ref().unwrap();
    assert!(configs.is_sorted_by(|a, b| a.name < b.name) && configs.len() > 20);
    let retention = configs.iter().find(|config| config.name == "retention.ms").unwrap();
    assert_eq!((retention.value.as_deref(), retention.config_source), (Some("5"), 1));
    let segment = configs.iter().find(|config| config.name == "segment.bytes").unwrap();
    assert_eq!((segment.value.as_deref(), segment.config_source), (Some("1073741824"), 5));

    let image = world.image();
    let topic = image.topics.by_name("a").unwrap();
    assert_eq!(topic.id, result.topic_id);
    assert_eq!(topic.partitions.len(), 3);
    let partition = topic.partition(2).unwrap();
    assert_eq!(
        (&partition.replicas[..], &partition.isr[..], partition.leader),
        (&[1][..], &[1][..], 1)
    );
    assert_eq!((partition.leader_epoch, partition.partition_epoch), (0, 0));
    assert_eq!(partition.directories, [directory(1)]);
    assert_eq!(
        image.configs_of(crate::meta::image::ConfigResourceType::Topic, "a")["retention.ms"],
        "5"
    );
}

type Refusal = (CreatableTopic, ErrorCode, &'static str);

/// Topics that cannot be, beside "taken" and "a.b".
fn refused_topics() -> Vec<Refusal> {
    vec![
        (topic("taken", 1, 1), ErrorCode::TopicAlreadyExists, "Topic 'taken' already exists."),
        (
            topic("a_b", 1, 1),
            ErrorCode::InvalidTopicException,
            "Topic 'a_b' collides with existing topic: a.b",
        ),
        (
            topic(".", 1, 1),
            ErrorCode::InvalidTopicException,
            "Topic name is invalid: '.' is not allowed",
        ),
        (
            topic("x1", 0, 1),
            ErrorCode::InvalidPartitions,
            "Number of partitions was set to an invalid non-positive value.",
        ),
        (
            topic("x2", 1, 0),
            ErrorCode::InvalidReplicationFactor,
            "Replication factor must be larger than 0, or -1 to use the default value.",
        ),
        (
            topic("x3", 1, 2),
            ErrorCode::InvalidReplicationFactor,
            "Unable to replicate the partition 2 time(s): The target replication factor of 2 \
             cannot be reached because only \
             1 broker(s) are registered or some brokers have all their log directories cordoned.",
        ),
        (
            configured("x4", &[("a", None), ("b", None)]),
            ErrorCode::InvalidConfig,
            "Null value not supported for topic configs: a,b",
        ),
        (
            configured("x5", &[("bad", Some("1"))]),
            ErrorCode::InvalidConfig,
            "Unknown topic config name: bad",
        ),
    ]
}

/// Assignments that cannot be, with broker 1 alone.
fn refused_assignments() -> Vec<Refusal> {
    vec![
        (
            CreatableTopic { num_partitions: 1, ..assigned("x6", &[(0, &[1])]) },
            ErrorCode::InvalidRequest,
            "A manual partition assignment was specified, but numPartitions was not set to -1.",
        ),
        (
            CreatableTopic { replication_factor: 1, ..assigned("x7", &[(0, &[1])]) },
            ErrorCode::InvalidRequest,
            "A manual partition assignment was specified, but replication factor was not set to \
             -1.",
        ),
        (
            assigned("x8", &[(0, &[1]), (0, &[1])]),
            ErrorCode::InvalidReplicaAssignment,
            "Found multiple manual partition assignments for partition 0",
        ),
        (
            assigned("x9", &[(0, &[1]), (2, &[1])]),
            ErrorCode::InvalidReplicaAssignment,
            "partitions should be a consecutive 0-based integer sequence",
        ),
        (
            assigned("x10", &[(0, &[7])]),
            ErrorCode::InvalidReplicaAssignment,
            "The manual partition assignment includes broker 7, but no such broker is registered.",
        ),
        (
            assigned("x11", &[(0, &[1, 1])]),
            ErrorCode::InvalidReplicaAssignment,
            "The manual partition assignment includes the broker 1 more than once.",
        ),
        (
            assigned("x12", &[(0, &[])]),
            ErrorCode::InvalidReplicaAssignment,
            "The manual partition assignment includes an empty replica list.",
        ),
    ]
}

#[test]
fn topics_are_refused_one_by_one() {
    let mut world = World::new();
    world.topic("taken", 1);
    world.topic("a.b", 1);
    let broken = [refused_topics(), refused_assignments()].concat();
    let good = topic("good", 1, 1);
    let request = broken.iter().map(|(topic, ..)| topic.clone()).chain([good]).collect();
    let response = world.create(request);
    let expected = broken.iter().map(|(_, code, message)| (*code, (*message).to_owned()));
    assert_eq!(
        outcomes(&response),
        expected.chain([(ErrorCode::None, String::new())]).collect::<Vec<_>>()
    );
    assert_eq!(world.image().topics.len(), 3);
}

#[test]
fn duplicates_internal_topics_and_too_many_partitions_are_refused() {
    let mut world = World::new();
    let topics = vec![
        topic("twice", 1, 1),
        topic("__cluster_metadata", 1, 1),
        topic("twice", 2, 1),
        topic("once", 1, 1),
    ];
    let response = world.create(topics);
    let names: Vec<&str> = response.topics.iter().map(|topic| &*topic.name).collect();
    assert_eq!(names, ["once", "twice", "__cluster_metadata"]);
    let codes: Vec<ErrorCode> = outcomes(&response).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, [ErrorCode::None, ErrorCode::InvalidRequest, ErrorCode::InvalidRequest]);

    let response = world.create(vec![topic("many", 10_000, 1), topic("one", 1, 1)]);
    assert!(outcomes(&response).iter().all(|(code, _)| *code == ErrorCode::PolicyViolation));
    let response = world.create(vec![topic("huge", i32::MAX, 1), topic("huger", i32::MAX, 1)]);
    assert!(outcomes(&response).iter().all(|(code, _)| *code == ErrorCode::PolicyViolation));
    // The topic's own record makes one too many.
    let response = world.create(vec![topic("many", 10_000, 1)]);
    assert_eq!(outcomes(&response)[0].1, "Unable to perform excessively large batch operation.");
    assert_eq!(world.image().topics.len(), 1);
}

#[test]
fn validation_alone_changes_nothing() {
    let mut world = World::new();
    let request = CreateTopicsRequest {
        topics: vec![topic("a", 2, 1)],
        validate_only: true,
        ..Default::default()
    };
    let outcome = world.decide(&ControllerRequest::CreateTopics(request));
    let ControllerResponse::CreateTopics(response) = outcome.response else { panic!() };
    assert!(outcome.records.is_empty());
    assert_eq!((response.topics[0].error_code, response.topics[0].num_partitions), (0, 2));
}

#[test]
fn replicas_spread_over_racks_and_brokers() {
    let mut world = World::without_brokers();
    for (id, rack) in [(1, "a"), (2, "a"), (3, "b"), (4, "b"), (5, "c"), (6, "c")] {
        world.add_broker(id, Some(rack));
    }
    let response = world.create(vec![topic("t", 12, 3)]);
    assert_eq!(outcomes(&response)[0].0, ErrorCode::None);
    let mut replicas_of = [0; 7];
    let mut leaders_of = [0; 7];
    for partition in world.image().topics.by_name("t").unwrap().partitions.values() {
        let racks: std::collections::BTreeSet<i32> =
            partition.replicas.iter().map(|id| (id + 1) / 2).collect();
        assert_eq!(racks.len(), 3, "one replica per rack: {:?}", partition.replicas);
        leaders_of[partition.leader as usize] += 1;
        partition.replicas.iter().for_each(|id| replicas_of[*id as usize] += 1);
    }
    assert_eq!(leaders_of[1..], [2; 6]);
    assert_eq!(replicas_of[1..], [6; 6]);
}

fn delete(
    world: &mut World,
    request: DeleteTopicsRequest,
    version: i16,
) -> Vec<(Option<String>, Uuid, ErrorCode)> {
    let ControllerResponse::DeleteTopics(response) =
        world.ask(ControllerRequest::DeleteTopics { request, version })
    else {
        panic!()
    };
    let answers = response.responses.into_iter();
    answers
        .map(|answer| {
            (answer.name, answer.topic_id, ErrorCode::from_code(answer.error_code).unwrap())
        })
        .collect()
}

fn by_name(names: &[&str]) -> DeleteTopicsRequest {
    DeleteTopicsRequest {
        topic_names: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Default::default()
    }
}

fn by_either(topics: &[(Option<&str>, Uuid)]) -> DeleteTopicsRequest {
    let state = |(name, topic_id): &(Option<&str>, Uuid)| delete_topics_request::DeleteTopicState {
        name: name.map(str::to_owned),
        topic_id: *topic_id,
    };
    DeleteTopicsRequest { topics: topics.iter().map(state).collect(), ..Default::default() }
}

#[test]
fn topics_are_deleted_by_name_and_by_id() {
    let mut world = World::new();
    let (a, b, c) = (world.topic("a", 1), world.topic("b.x", 2), world.topic("c", 1));
    let some = |name: &str| Some(name.to_owned());
    let answers = delete(&mut world, by_name(&["a", "a", "nope"]), 5);
    assert_eq!(
        answers,
        [
            (some("a"), Uuid::ZERO, ErrorCode::InvalidRequest),
            (some("nope"), Uuid::ZERO, ErrorCode::UnknownTopicOrPartition)
        ]
    );
    let unknown = Uuid::from_u128(77);
    let request = by_either(&[
        (None, b),
        (None, unknown),
        (None, Uuid::ZERO),
        (Some("c"), c),
        (Some("a"), Uuid::ZERO),
    ]);
    let answers = delete(&mut world, request, 6);
    assert_eq!(
        answers,
        [
            (None, Uuid::ZERO, ErrorCode::InvalidRequest),
            (some("c"), c, ErrorCode::InvalidRequest),
            (some("b.x"), b, ErrorCode::None),
            (None, unknown, ErrorCode::UnknownTopicId),
            (some("a"), a, ErrorCode::None),
        ]
    );
    assert_eq!(world.image().topics.iter().map(|topic| &*topic.name).collect::<Vec<_>>(), ["c"]);
    // The name that collided is free again, and an id with the name that leads to it deletes
    // nothing.
    world.topic("b_x", 1);
    let answers = delete(&mut world, by_either(&[(Some("c"), Uuid::ZERO), (None, c)]), 6);
    assert_eq!(answers, [(some("c"), c, ErrorCode::InvalidRequest)]);
    world.settings.delete_topic_enable = false;
    assert_eq!(delete(&mut world, by_name(&["c"]), 3)[0].2, ErrorCode::TopicDeletionDisabled);
    assert_eq!(delete(&mut world, by_name(&["c"]), 2)[0].2, ErrorCode::InvalidRequest);
    assert_eq!(world.image().topics.len(), 2);
}

/// What one clash takes back has other answers and records on both sides.
#[test]
fn topics_named_both_ways_stay_and_the_others_go() {
    let mut world = World::new();
    let ids: Vec<Uuid> = ["a", "b", "c", "d", "e"].map(|name| world.topic(name, 1)).to_vec();
    let topics: Vec<_> = ids.iter().map(|id| (None, *id)).collect();
    let names = [(Some("b"), Uuid::ZERO), (Some("d"), Uuid::ZERO)];
    let answers = delete(&mut world, by_either(&[&topics[..], &names[..]].concat()), 6);
    let of =
        |place: usize, error| (Some(["a", "b", "c", "d", "e"][place].into()), ids[place], error);
    assert_eq!(
        answers,
        [
            of(0, ErrorCode::None),
            of(2, ErrorCode::None),
            of(4, ErrorCode::None),
            of(1, ErrorCode::InvalidRequest),
            of(3, ErrorCode::InvalidRequest),
        ]
    );
    let left: Vec<_> = world.image().topics.iter().map(|topic| &*topic.name).collect();
    assert_eq!(left, ["b", "d"]);
}

/// Each compared with each other one, this would not end in any test's time.
#[test]
fn each_of_many_resources_is_looked_up_once() {
    let mut world = World::new();
    let resource = |name: String| incremental_alter_configs_request::AlterConfigsResource {
        resource_type: 2,
        resource_name: name,
        configs: vec![],
    };
    let legacy = |name: String| alter_configs_request::AlterConfigsResource {
        resource_type: 2,
        resource_name: name,
        configs: vec![],
    };
    let names = || (0..200_000).map(|number| format!("/{}", number / 2 * 2 % 199_998));
    let resources = names().map(resource).collect();
    let incremental = IncrementalAlterConfigsRequest { resources, ..Default::default() };
    let resources = names().map(legacy).collect();
    let request = AlterConfigsRequest { resources, ..Default::default() };
    let twice = ErrorCode::InvalidRequest.code();
    let ControllerResponse::IncrementalAlterConfigs(response) =
        world.ask(ControllerRequest::IncrementalAlterConfigs(incremental))
    else {
        panic!()
    };
    assert!(response.responses.iter().all(|response| response.error_code == twice));
    let ControllerResponse::AlterConfigs(response) =
        world.ask(ControllerRequest::AlterConfigs(request))
    else {
        panic!()
    };
    assert!(response.responses.iter().all(|response| response.error_code == twice));
}

/// One name and many partitions: their answers would have gigabytes.
#[test]
fn a_long_name_is_not_told_for_each_of_many_partitions() {
    let mut world = World::new();
    let name = "x".repeat(32_000);
    let mut elect = |partitions| {
        let topic = elect_leaders_request::TopicPartitions { topic: name.clone(), partitions };
        let topic_partitions = Some(vec![topic]);
        let request = ElectLeadersRequest { topic_partitions, ..Default::default() };
        match world.ask(ControllerRequest::ElectLeaders(request)) {
            ControllerResponse::ElectLeaders(response) => response,
            other => panic!("{other:?}"),
        }
    };
    let message = format!("No such topic as {}", "x".repeat(249));
    let few = elect(vec![0]).replica_election_results.remove(0).partition_result.remove(0);
    assert_eq!(few.error_message.as_deref(), Some(&*message));
    let many = limits::RESPONSE_MAX_BYTES / message.len() + 1;
    let refused = elect((0..many as i32).collect());
    assert_eq!(refused.error_code, ErrorCode::PolicyViolation.code());
    assert!(refused.replica_election_results.is_empty());

    let mut reassign = |partitions: std::ops::Range<i32>| {
        let partition =
            |partition_index| alter_partition_reassignments_request::ReassignablePartition {
                partition_index,
                replicas: None,
            };
        let partitions = partitions.map(partition).collect();
        let topic = alter_partition_reassignments_request::ReassignableTopic {
            name: name.clone(),
            partitions,
        };
        let request =
            AlterPartitionReassignmentsRequest { topics: vec![topic], ..Default::default() };
        match world.ask(ControllerRequest::AlterPartitionReassignments(request)) {
            ControllerResponse::AlterPartitionReassignments(response) => response,
            other => panic!("{other:?}"),
        }
    };
    let message = format!("Unable to find a topic named {}.", "x".repeat(249));
    let few = reassign(0..1).responses.remove(0).partitions.remove(0);
    assert_eq!(few.error_message.as_deref(), Some(&*message));
    let refused = reassign(0..(limits::RESPONSE_MAX_BYTES / message.len() + 1) as i32);
    assert_eq!(refused.error_code, ErrorCode::PolicyViolation.code());
    assert!(refused.responses.is_empty());
}

#[test]
fn an_error_message_is_no_longer_than_a_string_of_the_wire() {
    let mut world = World::new();
    let long = topic(&"ä".repeat(16_383), 1, 1);
    let created = world.create(vec![long, topic("good", 1, 1)]);
    let [long, good] = &created.topics[..] else { panic!("{} answers", created.topics.len()) };
    assert_eq!((long.error_code, good.error_code), (ErrorCode::InvalidTopicException.code(), 0));
    let message = long.error_message.as_deref().unwrap();
    assert!(message.starts_with("Topic name is invalid: the length of 'ää"), "{message:.60}");
    assert!(message.ends_with('ä') && message.len() > limits::ERROR_MESSAGE_MAX_BYTES - 2);
    assert!(message.len() <= limits::ERROR_MESSAGE_MAX_BYTES, "{} bytes", message.len());
}

#[test]
fn deleting_a_topic_takes_its_configs_along() {
    let mut world = World::new();
    world.create(vec![configured("a", &[("retention.ms", Some("5"))])]);
    delete(&mut world, by_name(&["a"]), 5);
    world.topic("a", 1);
    assert!(world.image().configs.is_empty());
}

/// Whose coordinator is where follows from their number: groups moved to partitions that knew
/// nothing of them.
#[test]
fn internal_topics_keep_their_number_of_partitions() {
    let mut world = World::new();
    world.topic("__consumer_offsets", 2);
    let topic = create_partitions_request::CreatePartitionsTopic {
        name: "__consumer_offsets".to_owned(),
        count: 4,
        ..Default::default()
    };
    let request = CreatePartitionsRequest { topics: vec![topic], ..Default::default() };
    let ControllerResponse::CreatePartitions(response) =
        world.ask(ControllerRequest::CreatePartitions(request))
    else {
        panic!("another answer")
    };
    assert_eq!(response.results[0].error_code, ErrorCode::InvalidRequest.code());
}

#[test]
fn partitions_are_added() {
    let mut world = World::new();
    world.topic("a", 2);
    let mut add = |count: i32, assignments: Option<&[&[i32]]>| {
        let assignment = |brokers: &&[i32]| create_partitions_request::CreatePartitionsAssignment {
            broker_ids: brokers.to_vec(),
        };
        let topic = create_partitions_request::CreatePartitionsTopic {
            name: "a".to_owned(),
            count,
            assignments: assignments.map(|list| list.iter().map(assignment).collect()),
        };
        let request = CreatePartitionsRequest { topics: vec![topic], ..Default::default() };
        match world.ask(ControllerRequest::CreatePartitions(request)) {
            ControllerResponse::CreatePartitions(response) => {
                let result = &response.results[0];
                (
                    ErrorCode::from_code(result.error_code).unwrap(),
                    result.error_message.clone().unwrap_or_default(),
                )
            }
            other => panic!("{other:?}"),
        }
    };
    let none = (ErrorCode::None, String::new());
    let refused = |code: ErrorCode, message: &str| (code, message.to_owned());
    assert_eq!(
        add(2, None),
        refused(ErrorCode::InvalidPartitions, "Topic already has 2 partition(s).")
    );
    assert_eq!(
        add(1, None),
        refused(
            ErrorCode::InvalidPartitions,
            "The topic a currently has 2 partition(s); 1 would not be an increase."
        )
    );
    assert_eq!(add(4, None), none);
    assert_eq!(
        add(6, Some(&[&[1]])),
        refused(
            ErrorCode::InvalidReplicaAssignment,
            "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified."
        )
    );
    assert_eq!(add(6, Some(&[&[1], &[1]])), none);
    assert_eq!(add(7, Some(&[&[1, 2]])).0, ErrorCode::InvalidReplicaAssignment);
    assert_eq!(add(i32::MAX, None).0, ErrorCode::PolicyViolation);
    assert_eq!(
        world.image().topics.by_name("a").unwrap().partitions.keys().copied().collect::<Vec<_>>(),
        [0, 1, 2, 3, 4, 5]
    );
}

#[test]
fn producer_ids_are_given_once() {
    let mut world = World::new();
    let broker_epoch = world.image().broker(1).unwrap().0.broker_epoch;
    let mut allocate = |broker_epoch| {
        let request = AllocateProducerIdsRequest { broker_id: 1, broker_epoch };
        match world.ask(ControllerRequest::AllocateProducerIds(request)) {
            ControllerResponse::AllocateProducerIds(response) => {
                (response.error_code, response.producer_id_start, response.producer_id_len)
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(allocate(broker_epoch), (0, 0, 1000));
    assert_eq!(allocate(broker_epoch), (0, 1000, 1000));
    assert_eq!(allocate(broker_epoch + 1).0, ErrorCode::StaleBrokerEpoch.code());
    assert_eq!(world.image().next_producer_id, 2000);
}

#[test]
fn features_are_updated_together_or_not_at_all() {
    let mut world = World::new();
    let mut update = |updates: &[(&str, i16, i8)], version: i16| {
        let key =
            |(feature, level, kind): &(&str, i16, i8)| update_features_request::FeatureUpdateKey {
                feature: (*feature).to_owned(),
                max_version_level: *level,
                upgrade_type: *kind,
                ..Default::default()
            };
        let request = UpdateFeaturesRequest {
            feature_updates: updates.iter().map(key).collect(),
            ..Default::default()
        };
        match world.ask(ControllerRequest::UpdateFeatures { request, version }) {
            ControllerResponse::UpdateFeatures(response) => {
                assert_eq!(
                    response.results.len(),
                    if response.error_code == 0 && version < 2 { updates.len() } else { 0 }
                );
                (response.error_code, response.error_message.unwrap_or_default())
            }
            other => panic!("{other:?}"),
        }
    };
    let refused = |reason: &str| {
        let prefix =
            "The update failed for all features since the following feature had an error: ";
        (ErrorCode::InvalidUpdateVersion.code(), format!("{prefix}{reason}"))
    };
    assert_eq!(update(&[("metadata.version", 33, 1)], 2), (0, String::new()));
    assert_eq!(update(&[("metadata.version", 33, 1)], 1), (0, String::new()));
    assert_eq!(
        update(&[("metadata.version", 34, 1)], 2),
        refused(
            "Invalid update version 34 for feature metadata.version. Local controller 1 only \
             supports versions 17-33"
        )
    );
    assert_eq!(
        update(&[("group.version", 1, 1)], 2),
        refused(
            "Invalid update version 1 for feature group.version. Local controller 1 does not \
             support this feature."
        )
    );
    assert_eq!(
        update(&[("metadata.version", 33, 1), ("metadata.version", 32, 1)], 2).0,
        ErrorCode::InvalidUpdateVersion.code()
    );
    assert_eq!(
        update(&[("metadata.version", 32, 2)], 2),
        refused(
            "Unsupported metadata.version downgrade from 33 to 32. Refusing to perform the \
             requested downgrade because it \
             might delete metadata information."
        )
    );
    assert_eq!(
        update(&[("kraft.version", 0, 2)], 2),
        refused(
            "Invalid update version 0 for feature kraft.version. Can't downgrade the version of \
             this feature."
        )
    );
    assert_eq!(world.image().metadata_version(), 33);
}

#[test]
fn reassignments_run_from_start_to_end() {
    let mut world = World::without_brokers();
    (1..=3).for_each(|id| world.add_broker(id, None));
    world.create(vec![assigned("t", &[(0, &[1, 2])])]);
    let mut alter = |topic: &str, partition_index: i32, replicas: Option<&[i32]>| {
        let partition = alter_partition_reassignments_request::ReassignablePartition {
            partition_index,
            replicas: replicas.map(<[i32]>::to_vec),
        };
        let topic = alter_partition_reassignments_request::ReassignableTopic {
            name: topic.to_owned(),
            partitions: vec![partition],
        };
        let request =
            AlterPartitionReassignmentsRequest { topics: vec![topic], ..Default::default() };
        let response = world.ask(ControllerRequest::AlterPartitionReassignments(request));
        let ControllerResponse::AlterPartitionReassignments(response) = response else { panic!() };
        let code = response.responses[0].partitions[0].error_code;
        let topic = world.image().topics.by_name("t").unwrap();
        (ErrorCode::from_code(code).unwrap(), topic.partition(0).unwrap().as_ref().clone())
    };
    assert_eq!(alter("t", 0, None).0, ErrorCode::NoReassignmentInProgress);
    assert_eq!(alter("u", 0, None).0, ErrorCode::UnknownTopicOrPartition);
    assert_eq!(alter("t", 1, None).0, ErrorCode::UnknownTopicOrPartition);
    assert_eq!(alter("t", 0, Some(&[])).0, ErrorCode::InvalidReplicaAssignment);
    assert_eq!(alter("t", 0, Some(&[9])).0, ErrorCode::InvalidReplicaAssignment);
    let (code, unchanged) = alter("t", 0, Some(&[1, 2]));
    assert_eq!((code, unchanged.partition_epoch), (ErrorCode::None, 0));
    // Another order needs no data to move.
    let (code, reordered) = alter("t", 0, Some(&[2, 1]));
    assert_eq!(
        (code, &reordered.replicas[..], reordered.leader),
        (ErrorCode::None, &[2, 1][..], 1)
    );
    // A new replica has to catch up; until then the move may be taken back.
    let (code, moving) = alter("t", 0, Some(&[2, 3]));
    assert_eq!((code, &moving.replicas[..]), (ErrorCode::None, &[2, 3, 1][..]));
    assert_eq!((&moving.adding_replicas[..], &moving.removing_replicas[..]), (&[3][..], &[1][..]));
    assert_eq!(moving.directories, [directory(2), directory(3), directory(1)]);
    let (code, reverted) = alter("t", 0, None);
    assert_eq!(
        (code, &reverted.replicas[..], &reverted.isr[..]),
        (ErrorCode::None, &[2, 1][..], &[1, 2][..])
    );
    assert!(!reverted.is_reassigning() && reverted.leader_epoch > moving.leader_epoch);
    // Fewer replicas, all of them in sync: done at once.
    let request_factor_change = alter("t", 0, Some(&[2]));
    assert_eq!(
        (request_factor_change.0, &request_factor_change.1.replicas[..]),
        (ErrorCode::None, &[2][..])
    );
    assert_eq!(request_factor_change.1.leader, 2);
}

#[test]
fn leaders_are_elected_where_needed() {
    let mut world = World::without_brokers();
    (1..=2).for_each(|id| world.add_broker(id, None));
    world.create(vec![assigned("t", &[(0, &[2, 1])])]);
    let reorder = protocol::metadata_records::PartitionChangeRecord {
        partition_id: 0,
        topic_id: world.image().topics.id("t").unwrap(),
        leader: 1,
        ..Default::default()
    };
    world.append_records(&[reorder.into()]);
    let mut elect = |election_type: i8, partitions: Option<&[i32]>| {
        let topic = |partitions: &[i32]| elect_leaders_request::TopicPartitions {
            topic: "t".to_owned(),
            partitions: partitions.to_vec(),
        };
        let topic_partitions = partitions.map(|partitions| vec![topic(partitions)]);
        let request = ElectLeadersRequest { election_type, topic_partitions, timeout_ms: 0 };
        let ControllerResponse::ElectLeaders(response) =
            world.ask(ControllerRequest::ElectLeaders(request))
        else {
            panic!()
        };
        let results =
            response.replica_election_results.first().map(|topic| &topic.partition_result[..]);
        let codes = results
            .unwrap_or_default()
            .iter()
            .map(|result| ErrorCode::from_code(result.error_code).unwrap());
        (response.error_code, codes.collect::<Vec<_>>())
    };
    assert_eq!(elect(2, None).0, ErrorCode::InvalidRequest.code());
    assert_eq!(
        elect(1, Some(&[0, 1])),
        (0, vec![ErrorCode::ElectionNotNeeded, ErrorCode::UnknownTopicOrPartition])
    );
    assert_eq!(elect(0, Some(&[0])), (0, vec![ErrorCode::None]));
    assert_eq!(elect(0, Some(&[0])), (0, vec![ErrorCode::ElectionNotNeeded]));
    assert_eq!(elect(0, None), (0, vec![]));
    assert_eq!(world.image().topics.by_name("t").unwrap().partition(0).unwrap().leader, 2);
}

#[test]
fn a_restarted_broker_leads_again_in_a_new_epoch() {
    let mut world = World::new();
    world.topic("a", 2);
    let before = world.image().broker(1).unwrap().0.broker_epoch;
    world.add_broker(1, None);
    let image = world.image();
    assert!(image.broker(1).unwrap().0.broker_epoch > before);
    for partition in image.topics.by_name("a").unwrap().partitions.values() {
        assert_eq!(
            (partition.leader, partition.leader_epoch, partition.partition_epoch),
            (1, 1, 1)
        );
        assert_ne!(partition.leader, NO_LEADER);
    }
}

#[test]
fn registrations_are_checked() {
    let mut world = World::new();
    let good = BrokerRegistration {
        broker_id: 2,
        incarnation_id: Uuid::from_u128(9),
        cluster_id: CLUSTER_ID.to_owned(),
        endpoints: Vec::new(),
        rack: None,
        log_dirs: vec![directory(2)],
    };
    let cases = [
        (
            BrokerRegistration { cluster_id: "x".to_owned(), ..good.clone() },
            ErrorCode::InconsistentClusterId,
        ),
        (BrokerRegistration { log_dirs: vec![], ..good.clone() }, ErrorCode::InvalidRegistration),
        (
            BrokerRegistration { log_dirs: vec![Uuid::from_u128(99)], ..good.clone() },
            ErrorCode::InvalidRegistration,
        ),
        (
            BrokerRegistration { log_dirs: vec![directory(1)], ..good.clone() },
            ErrorCode::InvalidRegistration,
        ),
        (
            BrokerRegistration { log_dirs: vec![directory(2); 2], ..good.clone() },
            ErrorCode::InvalidRegistration,
        ),
    ];
    for (registration, code) in cases {
        match world.ask(ControllerRequest::RegisterBroker(registration)) {
            ControllerResponse::RegisterBroker(Err(error)) => assert_eq!(error.code, code),
            other => panic!("{other:?}"),
        }
    }
    let unfence = BrokerUnfence { broker_id: 2, broker_epoch: 0, renew_leader_epochs: true };
    let refused = world.ask(ControllerRequest::UnfenceBroker(unfence));
    assert!(matches!(refused, ControllerResponse::UnfenceBroker(Err(_))));
}

#[test]
fn topic_ids_are_random_and_start_no_option() {
    // The first two numbers make a text that begins with '-'.
    let mut numbers = [0xf800_0000_0000_0000, 0, 1, 2].into_iter();
    let id = random_uuid(&mut || numbers.next().unwrap());
    assert_eq!(id.as_u128(), 0x0000_0000_0000_4001_8000_0000_0000_0002);
}
