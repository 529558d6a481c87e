//! Views of small clusters.

use super::*;
use crate::meta::{
    ControllerRequest, image::ConfigResourceType, snapshot::config_record, testing::*,
};
use protocol::messages::*;
use protocol::{ErrorCode, Uuid};

fn ask(topics: Option<Vec<(Option<&str>, Uuid)>>) -> MetadataRequest {
    let topic = |(name, topic_id): (Option<&str>, Uuid)| metadata_request::MetadataRequestTopic {
        topic_id,
        name: name.map(str::to_owned),
    };
    MetadataRequest {
        topics: topics.map(|topics| topics.into_iter().map(topic).collect()),
        allow_auto_topic_creation: true,
        ..Default::default()
    }
}

fn named(names: &[&'static str]) -> MetadataRequest {
    ask(Some(names.iter().map(|name| (Some(*name), Uuid::ZERO)).collect()))
}

fn topics(response: &MetadataResponse) -> Vec<(Option<&str>, ErrorCode)> {
    let code = |code| ErrorCode::from_code(code).unwrap();
    response.topics.iter().map(|topic| (topic.name.as_deref(), code(topic.error_code))).collect()
}

#[test]
fn metadata_of_all_of_some_and_of_none() {
    let mut world = World::new();
    let a = world.topic("a", 2);
    world.topic("__consumer_offsets", 1);
    let see = |request: &MetadataRequest, version| {
        metadata(world.image(), LISTENER, request, version, true)
            .map(|answer| (answer.response, answer.to_create))
    };
    let (all, to_create) = see(&ask(None), 12).unwrap();
    assert_eq!(
        topics(&all),
        [(Some("__consumer_offsets"), ErrorCode::None), (Some("a"), ErrorCode::None)]
    );
    assert!(all.topics[0].is_internal && !all.topics[1].is_internal && to_create.is_empty());
    assert_eq!(
        (all.controller_id, all.cluster_id.as_deref(), all.brokers.len()),
        (1, Some(CLUSTER_ID), 1)
    );
    assert_eq!((&*all.brokers[0].host, all.brokers[0].port), ("localhost", 9092));
    let partition = &all.topics[1].partitions[1];
    assert_eq!((partition.error_code, partition.partition_index, partition.leader_id), (0, 1, 1));
    assert_eq!(
        (&partition.replica_nodes[..], &partition.offline_replicas[..]),
        (&[1][..], &[][..])
    );

    // An empty list asks for all in version 0, for none later.
    assert_eq!(see(&ask(Some(vec![])), 0).unwrap().0.topics.len(), 2);
    assert_eq!(see(&ask(Some(vec![])), 1).unwrap().0.topics.len(), 0);

    let (some, to_create) = see(&named(&["b", "a", "b", "b b"]), 9).unwrap();
    assert_eq!(
        topics(&some),
        [
            (Some("b"), ErrorCode::UnknownTopicOrPartition),
            (Some("a"), ErrorCode::None),
            (Some("b b"), ErrorCode::InvalidTopicException)
        ]
    );
    assert_eq!(to_create, ["b"]);
    assert_eq!(auto_create_request(to_create).topics[0].num_partitions, -1);
    let unwilling = MetadataRequest { allow_auto_topic_creation: false, ..named(&["b"]) };
    assert!(see(&unwilling, 9).unwrap().1.is_empty());

    let unknown = Uuid::from_u128(5);
    let (by_id, _) = see(&ask(Some(vec![(None, unknown), (None, a)])), 12).unwrap();
    assert_eq!(topics(&by_id), [(None, ErrorCode::UnknownTopicId), (Some("a"), ErrorCode::None)]);
    assert_eq!(see(&ask(Some(vec![(None, a)])), 11).unwrap_err().code, ErrorCode::InvalidRequest);
    assert_eq!(
        see(&ask(Some(vec![(Some("a"), a)])), 10).unwrap_err().code,
        ErrorCode::InvalidRequest
    );

    // Each topic that was asked for is refused, and nothing else is said.
    let request = ask(Some(vec![(Some("a"), Uuid::ZERO), (None, unknown)]));
    let refused = refuse_metadata(&request, &see(&request, 11).unwrap_err());
    assert_eq!(
        topics(&refused),
        [(Some("a"), ErrorCode::InvalidRequest), (Some(""), ErrorCode::InvalidRequest)]
    );
    assert_eq!(
        (refused.topics[1].topic_id, refused.brokers.len(), refused.cluster_id),
        (unknown, 0, None)
    );
}

#[test]
fn operations_are_told_to_those_who_ask() {
    let mut world = World::new();
    world.topic("a", 1);
    let see = |request: &MetadataRequest, version| {
        let response = metadata(world.image(), LISTENER, request, version, false).unwrap().response;
        (response.cluster_authorized_operations, response.topics[0].topic_authorized_operations)
    };
    let curious = MetadataRequest {
        include_cluster_authorized_operations: true,
        include_topic_authorized_operations: true,
        ..named(&["a"])
    };
    assert_eq!(see(&curious, 8), (8096, 3576));
    assert_eq!(see(&curious, 11), (OPERATIONS_NOT_ASKED, 3576));
    assert_eq!(see(&named(&["a"]), 8), (OPERATIONS_NOT_ASKED, OPERATIONS_NOT_ASKED));
}

#[test]
fn a_leader_that_cannot_be_reached_is_none() {
    let mut world = World::new();
    world.topic("a", 1);
    let see = |image: &MetadataImage, listener: &str, version| {
        let response = metadata(image, listener, &named(&["a"]), version, false).unwrap().response;
        let partition = response.topics[0].partitions[0].clone();
        (
            ErrorCode::from_code(partition.error_code).unwrap(),
            partition.leader_id,
            partition.offline_replicas,
        )
    };
    assert_eq!(see(world.image(), LISTENER, 9), (ErrorCode::None, 1, vec![]));
    assert_eq!(see(world.image(), "OTHER", 9), (ErrorCode::ListenerNotFound, -1, vec![1]));
    assert_eq!(see(world.image(), "OTHER", 5), (ErrorCode::LeaderNotAvailable, -1, vec![1]));

    let broker_epoch = world.image().broker(1).unwrap().0.broker_epoch;
    let fence = protocol::metadata_records::FenceBrokerRecord { id: 1, epoch: broker_epoch };
    world.append_records(&[fence.into()]);
    // Fenced: still the leader as far as the log says, but no broker to see.
    assert_eq!(see(world.image(), LISTENER, 9), (ErrorCode::None, 1, vec![1]));
    assert_eq!(see(world.image(), LISTENER, 0), (ErrorCode::ReplicaNotAvailable, 1, vec![1]));
    let response = metadata(world.image(), LISTENER, &ask(None), 9, false).unwrap().response;
    assert_eq!((response.brokers.len(), response.controller_id), (0, -1));
    let request = DescribeClusterRequest {
        endpoint_type: 1,
        include_fenced_brokers: true,
        ..Default::default()
    };
    let response = describe_cluster(world.image(), LISTENER, &request, 2);
    assert_eq!(
        (response.controller_id, response.brokers.len(), response.brokers[0].is_fenced),
        (-1, 1, true)
    );
}

#[test]
fn clusters_are_described_through_brokers() {
    let world = World::new();
    let request = |endpoint_type| DescribeClusterRequest { endpoint_type, ..Default::default() };
    let code = |endpoint_type, version| {
        let response = describe_cluster(world.image(), LISTENER, &request(endpoint_type), version);
        ErrorCode::from_code(response.error_code).unwrap()
    };
    assert_eq!(code(1, 0), ErrorCode::None);
    assert_eq!(code(2, 1), ErrorCode::MismatchedEndpointType);
    assert_eq!(code(3, 1), ErrorCode::UnsupportedEndpointType);
    assert_eq!(code(2, 0), ErrorCode::InvalidRequest);
    let response = describe_cluster(world.image(), LISTENER, &request(1), 1);
    assert_eq!((response.controller_id, &*response.cluster_id), (1, CLUSTER_ID));
    assert_eq!(response.cluster_authorized_operations, OPERATIONS_NOT_ASKED);
}

/// Topic names with the partitions told of each, and the cursor.
fn page(
    image: &MetadataImage,
    names: &[&str],
    limit: i32,
    cursor: Option<(&str, i32)>,
) -> Result<(Vec<(String, Vec<i32>)>, Option<(String, i32)>), ErrorCode> {
    let request = DescribeTopicPartitionsRequest {
        topics: names
            .iter()
            .map(|name| describe_topic_partitions_request::TopicRequest {
                name: (*name).to_owned(),
            })
            .collect(),
        response_partition_limit: limit,
        cursor: cursor.map(|(name, partition_index)| describe_topic_partitions_request::Cursor {
            topic_name: name.to_owned(),
            partition_index,
        }),
    };
    let response =
        describe_topic_partitions(image, LISTENER, &request, 2000).map_err(|error| error.code)?;
    let told = response.topics.into_iter().map(|topic| {
        let indexes = topic.partitions.iter().map(|partition| partition.partition_index).collect();
        (topic.name.unwrap(), indexes)
    });
    Ok((
        told.collect(),
        response.next_cursor.map(|cursor| (cursor.topic_name, cursor.partition_index)),
    ))
}

#[test]
fn partitions_are_described_page_by_page() {
    let mut world = World::new();
    world.topic("b", 3);
    world.topic("a", 2);
    let image = world.image();
    let told = |list: &[(&str, &[i32])]| {
        list.iter().map(|(name, indexes)| ((*name).to_owned(), indexes.to_vec())).collect()
    };
    let at = |name: &str, index| Some((name.to_owned(), index));
    assert_eq!(page(image, &[], 100, None), Ok((told(&[("a", &[0, 1]), ("b", &[0, 1, 2])]), None)));
    assert_eq!(page(image, &[], 3, None), Ok((told(&[("a", &[0, 1]), ("b", &[0])]), at("b", 1))));
    assert_eq!(page(image, &[], 3, Some(("b", 1))), Ok((told(&[("b", &[1, 2])]), None)));
    assert_eq!(page(image, &[], 2, None), Ok((told(&[("a", &[0, 1])]), at("b", 0))));
    assert_eq!(page(image, &[], 0, None), Ok((told(&[("a", &[0])]), at("a", 1))));
    assert_eq!(
        page(image, &["b", "nope", "b"], 100, None),
        Ok((told(&[("b", &[0, 1, 2]), ("nope", &[])]), None))
    );
    // A cursor beyond what there is, as when a topic was made anew with fewer partitions.
    assert_eq!(page(image, &[], 9, Some(("b", 7))), Ok((told(&[("b", &[])]), None)));
    assert_eq!(page(image, &["a"], 9, Some(("b", 0))), Err(ErrorCode::InvalidRequest));
    assert_eq!(page(image, &[], 9, Some(("b", -1))), Err(ErrorCode::InvalidRequest));
}

#[test]
fn features_are_told_as_old_clients_bear_it() {
    let world = World::new();
    let names = |version| {
        supported_features(version).into_iter().map(|feature| feature.name).collect::<Vec<_>>()
    };
    assert_eq!(names(4), ["kraft.version", "metadata.version", "transaction.version"]);
    assert_eq!(names(3), ["metadata.version"]);
    let finalized = finalized_features(world.image());
    assert_eq!(finalized.epoch, world.image().provenance.offset);
    let levels: Vec<(&str, i16)> = finalized
        .features
        .iter()
        .map(|feature| (&*feature.name, feature.max_version_level))
        .collect();
    let all = [("metadata.version", 33), ("transaction.version", 2), ("kraft.version", 1)];
    assert_eq!(levels, all);
}

fn alter(
    world: &mut World,
    kind: i8,
    name: &str,
    configs: &[(&str, i8, Option<&str>)],
) -> (ErrorCode, String) {
    let configs = configs.iter().map(|(name, config_operation, value)| {
        incremental_alter_configs_request::AlterableConfig {
            name: (*name).to_owned(),
            config_operation: *config_operation,
            value: value.map(str::to_owned),
        }
    });
    let resource = incremental_alter_configs_request::AlterConfigsResource {
        resource_type: kind,
        resource_name: name.to_owned(),
        configs: configs.collect(),
    };
    let request =
        IncrementalAlterConfigsRequest { resources: vec![resource], ..Default::default() };
    let crate::meta::ControllerResponse::IncrementalAlterConfigs(response) =
        world.ask(ControllerRequest::IncrementalAlterConfigs(request))
    else {
        panic!()
    };
    let result = &response.responses[0];
    (
        ErrorCode::from_code(result.error_code).unwrap(),
        result.error_message.clone().unwrap_or_default(),
    )
}

fn describe(
    world: &World,
    kind: i8,
    name: &str,
    keys: &[&str],
) -> describe_configs_response::DescribeConfigsResult {
    let resource = describe_configs_request::DescribeConfigsResource {
        resource_type: kind,
        resource_name: name.to_owned(),
        configuration_keys: (!keys.is_empty())
            .then(|| keys.iter().map(|key| (*key).to_owned()).collect()),
    };
    let request = DescribeConfigsRequest {
        resources: vec![resource],
        include_synonyms: true,
        ..Default::default()
    };
    describe_configs(world.image(), &world.settings, &request).results.remove(0)
}

/// A cluster with configs of every kind.
fn configured() -> World {
    let mut world = World::new();
    world.topic("a", 1);
    let none = (ErrorCode::None, String::new());
    assert_eq!(alter(&mut world, 2, "a", &[("cleanup.policy", 2, Some("compact"))]), none);
    assert_eq!(alter(&mut world, 4, "", &[("log.cleaner.threads", 0, Some("2"))]), none);
    assert_eq!(alter(&mut world, 4, "1", &[("log.cleaner.threads", 0, Some("3"))]), none);
    assert_eq!(alter(&mut world, 16, "sub", &[("interval.ms", 0, Some("1000"))]), none);
    assert_eq!(
        alter(&mut world, 32, "group", &[("consumer.session.timeout.ms", 0, Some("50000"))]),
        none
    );
    world
}

/// The error of each answer, and how many configs it has.
fn described(world: &World, resources: &[(i8, String)]) -> Vec<(i16, usize)> {
    let resource =
        |(kind, name): &(i8, String)| describe_configs_request::DescribeConfigsResource {
            resource_type: *kind,
            resource_name: name.clone(),
            configuration_keys: None,
        };
    let request = DescribeConfigsRequest {
        resources: resources.iter().map(resource).collect(),
        include_synonyms: true,
        include_documentation: true,
    };
    let results = describe_configs(world.image(), &world.settings, &request).results;
    results.iter().map(|result| (result.error_code, result.configs.len())).collect()
}

#[test]
fn a_resource_that_is_named_again_is_described_once() {
    let world = configured();
    let named = [(2, "a"), (4, "1"), (2, "a"), (32, "a"), (4, "1")];
    let answers = described(&world, &named.map(|(kind, name)| (kind, name.to_owned())));
    assert_eq!(answers.len(), 3);
    assert!(answers.iter().all(|(error, configs)| *error == 0 && *configs > 0), "{answers:?}");
}

#[test]
fn configs_beyond_what_a_response_may_take_are_refused() {
    let world = configured();
    let (many, mut few) = (100_000, 0);
    let groups: Vec<_> = (0..many).map(|number| (32, number.to_string())).collect();
    for answer in described(&world, &groups) {
        let refused = (ErrorCode::PolicyViolation.code(), 0);
        assert!(few == 0 || answer == refused, "{answer:?}");
        few += usize::from(answer == refused);
    }
    assert!((1..many - 1000).contains(&few), "{few} of {many} are refused");
}

#[test]
fn configs_are_altered_or_refused() {
    let mut world = configured();
    let refused = |code: ErrorCode, message: &str| (code, message.to_owned());
    for (kind, name, change, expected) in [
        (
            2,
            "a",
            ("retention.ms", 2, Some("1")),
            refused(
                ErrorCode::InvalidConfig,
                "Can't APPEND to key retention.ms because its type is not LIST.",
            ),
        ),
        (
            2,
            "a",
            ("retention.ms", 0, None),
            refused(ErrorCode::InvalidRequest, "Null value not supported for : retention.ms"),
        ),
        (
            2,
            "nope",
            ("retention.ms", 0, Some("1")),
            refused(ErrorCode::UnknownTopicOrPartition, "The topic 'nope' does not exist."),
        ),
        (
            2,
            "",
            ("retention.ms", 0, Some("1")),
            refused(ErrorCode::InvalidRequest, "Default topic resources are not allowed."),
        ),
    ] {
        assert_eq!(alter(&mut world, kind, name, &[change]), expected);
    }
}

#[test]
fn configs_of_brokers_and_of_nothing_that_is_are_altered_or_refused() {
    let mut world = configured();
    let refused = |code: ErrorCode, message: &str| (code, message.to_owned());
    for (kind, name, change, expected) in [
        (
            4,
            "7",
            ("log.cleaner.threads", 0, Some("1")),
            refused(ErrorCode::InvalidRequest, "Unexpected broker id, expected 1, but received 7"),
        ),
        (
            4,
            "x",
            ("log.cleaner.threads", 0, Some("1")),
            refused(ErrorCode::InvalidRequest, "Node id must be an integer, but it is: x"),
        ),
        (
            4,
            "1",
            ("log.roll.ms", 0, Some("0")),
            refused(ErrorCode::InvalidRequest, "log.roll.ms=0: segment.ms: '0' is less than 1"),
        ),
        (
            4,
            "",
            ("cordoned.log.dirs", 0, Some("*")),
            refused(
                ErrorCode::InvalidRequest,
                "Cannot update these configs at default cluster level, broker id must be \
                 specified: [cordoned.log.dirs]",
            ),
        ),
        (
            4,
            "1",
            ("ssl.keystore.type", 0, Some("PEM")),
            refused(
                ErrorCode::InvalidRequest,
                "These security configs can be dynamically updated only per-listener using the \
                 listener prefix: [ssl.keystore.type]",
            ),
        ),
        (
            8,
            "1",
            ("log", 0, Some("INFO")),
            refused(ErrorCode::InvalidRequest, "Unknown resource type 8"),
        ),
        (
            99,
            "1",
            ("log", 0, Some("INFO")),
            refused(ErrorCode::InvalidRequest, "Unknown resource type 99"),
        ),
        (
            32,
            "",
            ("consumer.session.timeout.ms", 0, Some("1")),
            refused(ErrorCode::InvalidRequest, "Default group resources are not allowed."),
        ),
    ] {
        assert_eq!(alter(&mut world, kind, name, &[change]), expected);
    }
}

/// The metadata may have what another release could use.
#[test]
fn a_stored_config_that_cannot_be_used_stands_in_the_way_of_no_other() {
    let mut world = World::new();
    let record = |name: &str, value: &str| {
        config_record(ConfigResourceType::Broker, "1", name, Some(value.to_owned()))
    };
    world.append_records(&[record("num.partitions", "3"), record("log.segment.bytes", "x")]);
    let changed = alter(&mut world, 4, "1", &[("log.retention.ms", 0, Some("5"))]);
    assert_eq!(changed, (ErrorCode::None, String::new()));
    let again = alter(&mut world, 4, "1", &[("log.segment.bytes", 0, Some("y"))]);
    assert_eq!(again.0, ErrorCode::InvalidRequest);
    let shown = describe(&world, 4, "1", &["log.retention.ms", "log.segment.bytes"]);
    let values: Vec<Option<&str>> =
        shown.configs.iter().map(|config| config.value.as_deref()).collect();
    assert_eq!(values, [Some("5"), Some("1073741824")]);
}

#[test]
fn configs_are_described_and_listed() {
    let world = configured();
    let topic = describe(&world, 2, "a", &["cleanup.policy"]);
    assert_eq!((topic.error_code, topic.configs.len()), (0, 1));
    let policy = &topic.configs[0];
    assert_eq!(
        (policy.value.as_deref(), policy.config_source, policy.config_type),
        (Some("delete,compact"), 1, 7)
    );
    let synonyms: Vec<(&str, i8)> =
        policy.synonyms.iter().map(|synonym| (&*synonym.name, synonym.source)).collect();
    assert_eq!(synonyms, [("cleanup.policy", 1), ("log.cleanup.policy", 5)]);
    assert!(policy.documentation.is_none());
    let threads =
        |name: &str| describe(&world, 4, name, &["log.cleaner.threads"]).configs[0].clone();
    assert_eq!((threads("1").value.as_deref(), threads("1").config_source), (Some("3"), 2));
    assert_eq!((threads("").value.as_deref(), threads("").config_source), (Some("2"), 3));
    let interval = describe(&world, 16, "sub", &["interval.ms"]).configs[0].clone();
    assert_eq!((interval.value.as_deref(), interval.config_source), (Some("1000"), 7));
    assert_eq!(
        describe(&world, 32, "group", &["consumer.session.timeout.ms"]).configs[0].config_source,
        8
    );
    assert_eq!(
        describe(&world, 2, "nope", &[]).error_code,
        ErrorCode::UnknownTopicOrPartition.code()
    );
    assert_eq!(describe(&world, 2, "a b", &[]).error_code, ErrorCode::InvalidTopicException.code());
    assert_eq!(describe(&world, 4, "2", &[]).error_code, ErrorCode::InvalidRequest.code());
    assert_eq!(describe(&world, 8, "1", &[]).configs.len(), 0);

    let list = |types: &[i8], version| {
        let request = ListConfigResourcesRequest { resource_types: types.to_vec() };
        list_config_resources(world.image(), LISTENER, &request, version)
    };
    let resources = list(&[], 1).config_resources;
    let kinds: Vec<(&str, i8)> =
        resources.iter().map(|one| (&*one.resource_name, one.resource_type)).collect();
    assert_eq!(kinds, [("group", 32), ("sub", 16), ("1", 8), ("1", 4), ("a", 2)]);
    assert_eq!(list(&[], 0).config_resources.len(), 1);
    assert_eq!(list(&[2], 0).error_code, ErrorCode::UnsupportedVersion.code());
}

#[test]
fn legacy_alterations_replace_what_is_set() {
    let mut world = World::new();
    world.topic("a", 1);
    alter(&mut world, 2, "a", &[("retention.ms", 0, Some("1")), ("segment.ms", 0, Some("2"))]);
    let config = alter_configs_request::AlterableConfig {
        name: "segment.ms".to_owned(),
        value: Some("3".to_owned()),
    };
    let resource = alter_configs_request::AlterConfigsResource {
        resource_type: 2,
        resource_name: "a".to_owned(),
        configs: vec![config],
    };
    let mut request =
        AlterConfigsRequest { resources: vec![resource.clone()], validate_only: true };
    world.ask(ControllerRequest::AlterConfigs(request.clone()));
    let kind = crate::meta::image::ConfigResourceType::Topic;
    assert_eq!(world.image().configs_of(kind, "a")["segment.ms"], "2");
    request.validate_only = false;
    world.ask(ControllerRequest::AlterConfigs(request.clone()));
    let configs: Vec<_> = world.image().configs_of(kind, "a").iter().collect();
    assert_eq!(configs, [(&"segment.ms".to_owned(), &"3".to_owned())]);
    request.resources.push(resource);
    let crate::meta::ControllerResponse::AlterConfigs(response) =
        world.ask(ControllerRequest::AlterConfigs(request))
    else {
        panic!()
    };
    assert!(
        response.responses.iter().all(|one| one.error_code == ErrorCode::InvalidRequest.code())
    );
}

#[test]
fn the_quorum_is_described_to_those_who_ask_for_it() {
    let world = World::new();
    let request = |topic: &str| DescribeQuorumRequest {
        topics: vec![describe_quorum_request::TopicData {
            topic_name: topic.to_owned(),
            partitions: vec![describe_quorum_request::PartitionData { partition_index: 0 }],
        }],
    };
    let progress = ReplicaProgress {
        replica_id: 1,
        directory_id: directory(1),
        log_end_offset: 12,
        last_fetch_timestamp_ms: 5,
        last_caught_up_timestamp_ms: 5,
    };
    let see = |topic: &str, version| {
        describe_quorum(world.image(), &request(topic), version, 12, &[progress], &[])
    };
    let response = see("__cluster_metadata", 2);
    let partition = &response.topics[0].partitions[0];
    assert_eq!((partition.leader_id, partition.leader_epoch, partition.high_watermark), (1, 1, 12));
    assert_eq!(partition.current_voters[0].replica_directory_id, directory(1));
    assert_eq!((response.nodes.len(), response.nodes[0].node_id), (1, 1));
    assert!(see("__cluster_metadata", 1).nodes.is_empty());
    let refused = see("other", 2);
    assert_eq!(
        refused.topics[0].partitions[0].error_code,
        ErrorCode::UnknownTopicOrPartition.code()
    );
}

#[test]
fn nothing_is_being_reassigned_until_it_is() {
    let mut world = World::without_brokers();
    (1..=2).for_each(|id| world.add_broker(id, None));
    world.topic("a", 1);
    let all = ListPartitionReassignmentsRequest::default();
    assert!(
        list_partition_reassignments(
            world.image(),
            &ListPartitionReassignmentsRequest { topics: None, ..all.clone() }
        )
        .topics
        .is_empty()
    );
    let leader = world.image().topics.by_name("a").unwrap().partition(0).unwrap().leader;
    let partition = alter_partition_reassignments_request::ReassignablePartition {
        partition_index: 0,
        replicas: Some(vec![3 - leader]),
    };
    let topic = alter_partition_reassignments_request::ReassignableTopic {
        name: "a".to_owned(),
        partitions: vec![partition],
    };
    let request = AlterPartitionReassignmentsRequest { topics: vec![topic], ..Default::default() };
    world.ask(ControllerRequest::AlterPartitionReassignments(request));
    let ongoing = list_partition_reassignments(
        world.image(),
        &ListPartitionReassignmentsRequest { topics: None, ..all },
    );
    let partition = &ongoing.topics[0].partitions[0];
    assert_eq!(
        (&partition.adding_replicas[..], &partition.removing_replicas[..]),
        (&[3 - leader][..], &[leader][..])
    );
}
