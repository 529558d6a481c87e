//! Requests over several groups and topics.

use protocol::Uuid;
use protocol::messages::list_groups_response::ListedGroup;
use protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use protocol::messages::offset_fetch_response::OffsetFetchResponseGroup;
use protocol::messages::txn_offset_commit_response::TxnOffsetCommitResponseTopic;
use protocol::messages::{
    ListGroupsResponse, OffsetCommitResponse, OffsetDeleteRequest, OffsetFetchRequest,
    TxnOffsetCommitResponse,
};

use super::*;
use crate::coord::fanout::{self, Topics};

/// `t` (id 1, 2 partitions) and `secret` (id 2, 1 partition), which the client may not touch.
struct Cluster;

impl Topics for Cluster {
    fn name(&self, topic_id: Uuid) -> Option<String> {
        ["t", "secret"].into_iter().find(|name| self.id(name) == Some(topic_id)).map(str::to_owned)
    }

    fn id(&self, name: &str) -> Option<Uuid> {
        match name {
            "t" => Some(Uuid::from_u128(1)),
            "secret" => Some(Uuid::from_u128(2)),
            _ => None,
        }
    }

    fn has_partition(&self, name: &str, partition: i32) -> bool {
        match name {
            "t" => (0..2).contains(&partition),
            _ => name == "secret" && partition == 0,
        }
    }

    fn is_authorized(&self, name: &str) -> bool {
        name != "secret"
    }
}

fn commit_topic(name: &str, id: u128, partitions: &[i32]) -> OffsetCommitRequestTopic {
    let partitions = partitions.iter().map(|partition| OffsetCommitRequestPartition {
        partition_index: *partition,
        ..Default::default()
    });
    OffsetCommitRequestTopic {
        name: name.into(),
        topic_id: Uuid::from_u128(id),
        partitions: partitions.collect(),
    }
}

fn errors(response: &OffsetCommitResponse) -> Vec<(String, u128, i32, ErrorCode)> {
    let mut errors: Vec<_> = response
        .topics
        .iter()
        .flat_map(|topic| {
            topic.partitions.iter().map(|partition| {
                (
                    topic.name.clone(),
                    topic.topic_id.as_u128(),
                    partition.partition_index,
                    error(partition.error_code),
                )
            })
        })
        .collect();
    errors.sort();
    errors
}

#[test]
fn commits_by_name() {
    let topics = vec![
        commit_topic("t", 0, &[0, 1, 2]),
        commit_topic("secret", 0, &[0]),
        commit_topic("none", 0, &[0]),
    ];
    let request = OffsetCommitRequest {
        topics,
        group_id: "simple".into(),
        ..Commit::offset(0).into_request()
    };
    let (rest, known) = fanout::split_offset_commit(request, 9, &Cluster);
    let rest = rest.unwrap();
    assert_eq!(
        rest.topics,
        [commit_topic("t", 1, &[0, 1])],
        "the coordinator learns the topic's id"
    );
    let Response::OffsetCommit(answered) =
        Host::new().call(Request::OffsetCommit { request: rest, api_version: 9 })
    else {
        panic!()
    };
    let merged = fanout::merge_offset_commit(known, answered);
    let expected = [
        ("none", 0, 0, ErrorCode::UnknownTopicOrPartition),
        ("secret", 0, 0, ErrorCode::TopicAuthorizationFailed),
        ("t", 1, 0, ErrorCode::None),
        ("t", 1, 1, ErrorCode::None),
        ("t", 1, 2, ErrorCode::UnknownTopicOrPartition),
    ];
    assert_eq!(
        errors(&merged),
        expected.map(|(name, id, partition, error)| (name.to_owned(), id, partition, error))
    );
    assert_eq!(merged.topics.len(), 3, "each topic appears once");
}

#[test]
fn commits_by_id() {
    let topics =
        vec![commit_topic("", 1, &[0]), commit_topic("", 2, &[0]), commit_topic("", 9, &[0])];
    let request = OffsetCommitRequest { topics, ..Commit::offset(0).into_request() };
    let (rest, known) = fanout::split_offset_commit(request, 10, &Cluster);
    assert_eq!(rest.unwrap().topics, [commit_topic("t", 1, &[0])]);
    let expected = [
        (String::new(), 9, 0, ErrorCode::UnknownTopicId),
        ("secret".to_owned(), 2, 0, ErrorCode::TopicAuthorizationFailed),
    ];
    assert_eq!(errors(&known), expected);
    let nothing_left =
        OffsetCommitRequest { topics: vec![commit_topic("", 9, &[0])], ..Default::default() };
    assert_eq!(fanout::split_offset_commit(nothing_left, 10, &Cluster).0, None);
}

fn fetch(
    host: &mut Host,
    request: OffsetFetchRequest,
    api_version: i16,
) -> protocol::messages::OffsetFetchResponse {
    let requested = fanout::offset_fetch_groups(request, api_version);
    let answers = requested.iter().cloned().map(|group| {
        let (group, known) = fanout::split_offset_fetch(group, api_version, &Cluster);
        let Response::OffsetFetch(answer) =
            host.call(Request::OffsetFetch { group, require_stable: false })
        else {
            panic!()
        };
        fanout::merge_offset_fetch(answer, known, api_version, &Cluster)
    });
    let answers: Vec<_> = answers.collect();
    let response = fanout::offset_fetch_response(answers, &requested, api_version);
    // Every answer must be one that its version can carry.
    let mut bytes = bytes::BytesMut::new();
    protocol::Message::encode(&response, &mut bytes, api_version).unwrap();
    response
}

#[test]
fn old_versions_fetch_one_group() {
    let mut host = Host::new();
    host.commit_offset(Commit::offset(5));
    host.commit_offset(Commit { topic: "secret", ..Commit::offset(6) });
    for api_version in 1..8 {
        let topic =
            |name: &str| OffsetFetchRequestTopic { name: name.into(), partition_indexes: vec![0] };
        let request = OffsetFetchRequest {
            group_id: GROUP.into(),
            topics: Some(vec![topic("t"), topic("secret"), topic("gone")]),
            ..Default::default()
        };
        let response = fetch(&mut host, request, api_version);
        let found: Vec<_> = response
            .topics
            .iter()
            .map(|topic| {
                (
                    &*topic.name,
                    topic.partitions[0].committed_offset,
                    error(topic.partitions[0].error_code),
                )
            })
            .collect();
        let expected = [
            ("t", 5, ErrorCode::None),
            ("gone", -1, ErrorCode::None),
            ("secret", -1, ErrorCode::TopicAuthorizationFailed),
        ];
        assert_eq!(found, expected);
    }
    let everything =
        OffsetFetchRequest { group_id: GROUP.into(), topics: None, ..Default::default() };
    let response = fetch(&mut host, everything, 7);
    assert_eq!(response.topics.iter().map(|topic| &*topic.name).collect::<Vec<_>>(), ["t"]);
}

#[test]
fn a_groups_error_in_version_1_is_one_of_each_partition() {
    let mut host = Host::new();
    let waiting = host.coordinator.unload();
    assert!(waiting.is_empty());
    let topic = OffsetFetchRequestTopic { name: "t".into(), partition_indexes: vec![0, 1] };
    let request = OffsetFetchRequest {
        group_id: GROUP.into(),
        topics: Some(vec![topic]),
        ..Default::default()
    };
    let response = fetch(&mut host, request.clone(), 1);
    let codes: Vec<ErrorCode> =
        response.topics[0].partitions.iter().map(|p| error(p.error_code)).collect();
    assert_eq!(codes, [ErrorCode::NotCoordinator; 2]);
    assert_eq!(error(fetch(&mut host, request, 2).error_code), ErrorCode::NotCoordinator);
}

/// A commit that came beside the deletion of its topic was found for the next one of that name.
#[test]
fn offsets_of_a_topic_that_is_gone_are_not_those_of_the_next_one_of_its_name() {
    let mut host = Host::new();
    let mut request = Commit::offset(5).into_request();
    request.topics[0].topic_id = Uuid::from_u128(7);
    host.call(Request::OffsetCommit { request, api_version: 9 });
    for (api_version, asks) in [(5, true), (5, false), (9, true), (9, false), (10, false)] {
        let named = OffsetFetchRequestTopics {
            name: "t".into(),
            partition_indexes: vec![0],
            ..Default::default()
        };
        let old = OffsetFetchRequestTopic { name: "t".into(), partition_indexes: vec![0] };
        let group = OffsetFetchRequestGroup {
            group_id: GROUP.into(),
            topics: asks.then(|| vec![named]),
            ..Default::default()
        };
        let request = match api_version {
            5 => OffsetFetchRequest {
                group_id: GROUP.into(),
                topics: asks.then(|| vec![old]),
                ..Default::default()
            },
            _ => OffsetFetchRequest { groups: vec![group], ..Default::default() },
        };
        let response = fetch(&mut host, request, api_version);
        let of_groups = response.groups.iter().flat_map(|group| &group.topics);
        let of_groups = of_groups.flat_map(|topic| &topic.partitions);
        let alone = response.topics.iter().flat_map(|topic| &topic.partitions);
        let found: Vec<i64> = of_groups
            .map(|partition| partition.committed_offset)
            .chain(alone.map(|partition| partition.committed_offset))
            .collect();
        assert_eq!(found, if asks { vec![-1] } else { vec![] }, "version {api_version}, {asks}");
    }
}

#[test]
fn new_versions_fetch_several_groups_and_topics_by_id() {
    let mut host = Host::new();
    for (group_id, topic) in [("a", "t"), ("a", "secret"), ("a", "gone"), ("b", "t")] {
        host.commit_offset(Commit { group_id, topic, ..Commit::offset(5) });
    }
    let group = |group_id: &str, topics: Option<Vec<OffsetFetchRequestTopics>>| {
        OffsetFetchRequestGroup { group_id: group_id.into(), topics, ..Default::default() }
    };
    let topic = |id: u128| OffsetFetchRequestTopics {
        topic_id: Uuid::from_u128(id),
        partition_indexes: vec![0],
        ..Default::default()
    };
    let groups = vec![group("a", None), group("b", Some(vec![topic(1), topic(2), topic(9)]))];
    let response = fetch(&mut host, OffsetFetchRequest { groups, ..Default::default() }, 10);
    let everything: Vec<_> = response.groups[0]
        .topics
        .iter()
        .map(|topic| (&*topic.name, topic.topic_id.as_u128()))
        .collect();
    assert_eq!(everything, [("t", 1)], "without an id a topic cannot be named");
    let asked: Vec<_> = response.groups[1]
        .topics
        .iter()
        .map(|topic| (topic.topic_id.as_u128(), error(topic.partitions[0].error_code)))
        .collect();
    let expected = [
        (1, ErrorCode::None),
        (2, ErrorCode::TopicAuthorizationFailed),
        (9, ErrorCode::UnknownTopicId),
    ];
    assert_eq!(asked, expected);
}

#[test]
fn offsets_are_deleted_of_what_exists() {
    let mut host = Host::new();
    host.commit_offset(Commit::offset(5));
    let topic = |name: &str, partitions: &[i32]| OffsetDeleteRequestTopic {
        name: name.into(),
        partitions: partitions
            .iter()
            .map(|n| OffsetDeleteRequestPartition { partition_index: *n })
            .collect(),
    };
    let topics = vec![topic("t", &[0, 7]), topic("secret", &[0]), topic("none", &[0])];
    let request = OffsetDeleteRequest { group_id: GROUP.into(), topics };
    let (rest, known) = fanout::split_offset_delete(request.clone(), &Cluster);
    let Response::OffsetDelete(answered) = host.call(Request::OffsetDelete(rest)) else { panic!() };
    let merged = fanout::merge_offset_delete(answered, known);
    let found: Vec<_> = merged
        .topics
        .iter()
        .flat_map(|t| {
            t.partitions.iter().map(|p| (&*t.name, p.partition_index, error(p.error_code)))
        })
        .collect();
    let unknown = ErrorCode::UnknownTopicOrPartition;
    let expected = [
        ("t", 0, ErrorCode::None),
        ("t", 7, unknown),
        ("secret", 0, ErrorCode::TopicAuthorizationFailed),
        ("none", 0, unknown),
    ];
    assert_eq!(found, expected);
    let (rest, known) = fanout::split_offset_delete(
        OffsetDeleteRequest { group_id: "nobody".into(), ..request },
        &Cluster,
    );
    let Response::OffsetDelete(answered) = host.call(Request::OffsetDelete(rest)) else { panic!() };
    let merged = fanout::merge_offset_delete(answered, known);
    assert_eq!((error(merged.error_code), merged.topics.len()), (ErrorCode::GroupIdNotFound, 0));
}

#[test]
fn what_a_fetch_names_again_is_asked_for_once() {
    let topic = |name: &str, partitions: &[i32]| OffsetFetchRequestTopics {
        name: name.into(),
        partition_indexes: partitions.to_vec(),
        ..Default::default()
    };
    let group = |id: &str, topics: Option<Vec<OffsetFetchRequestTopics>>| OffsetFetchRequestGroup {
        group_id: id.into(),
        topics,
        ..Default::default()
    };
    let request = OffsetFetchRequest {
        groups: vec![
            group("g", Some(vec![topic("t", &[0, 1, 0]), topic("u", &[0]), topic("t", &[2, 1])])),
            group("all", Some(vec![topic("t", &[0])])),
            group("g", Some(vec![topic("u", &[0, 3])])),
            group("all", None),
            group("all", Some(vec![topic("u", &[0])])),
        ],
        ..Default::default()
    };
    let expected =
        [group("g", Some(vec![topic("t", &[0, 1, 2]), topic("u", &[0, 3])])), group("all", None)];
    assert_eq!(fanout::offset_fetch_groups(request, 9), expected);
    let topics = vec![
        OffsetFetchRequestTopic { name: "t".into(), partition_indexes: vec![1, 1] },
        OffsetFetchRequestTopic { name: "t".into(), partition_indexes: vec![0, 1] },
    ];
    let request =
        OffsetFetchRequest { group_id: "g".into(), topics: Some(topics), ..Default::default() };
    let expected = [group("g", Some(vec![topic("t", &[1, 0])]))];
    assert_eq!(fanout::offset_fetch_groups(request, 7), expected);
}

/// As many partitions as there may be in one request kept a core for one turn.
#[test]
fn many_offsets_are_fetched_in_pieces_and_answered_as_one() {
    let mut host = Host::new();
    host.commit_offset(Commit::offset(5));
    let topic = |name: &str, partitions: std::ops::Range<i32>| OffsetFetchRequestTopics {
        name: name.into(),
        partition_indexes: partitions.collect(),
        ..Default::default()
    };
    let group =
        |topics| OffsetFetchRequestGroup { group_id: GROUP.into(), topics, ..Default::default() };
    let mut fetch = |group, partitions_max| {
        let pieces = fanout::in_pieces(group, partitions_max);
        let count = pieces.len();
        let answers = pieces.into_iter().map(|group| {
            let topics = group.topics.iter().flatten();
            let partitions = topics.map(|topic| topic.partition_indexes.len()).sum::<usize>();
            assert!(partitions <= partitions_max, "{partitions} at once");
            match host.call(Request::OffsetFetch { group, require_stable: true }) {
                Response::OffsetFetch(answer) => answer,
                other => panic!("{other:?}"),
            }
        });
        (answers.fold(None, |before, piece| Some(fanout::join_pieces(before, piece))), count)
    };
    let topics = vec![topic("t", 0..3), topic("u", 0..0), topic("v", 0..9), topic("w", 0..1)];
    let whole = fetch(group(Some(topics.clone())), 100);
    assert_eq!(whole.1, 1);
    for (partitions_max, pieces) in [(14, 1), (13, 2), (4, 4), (3, 5), (1, 14)] {
        let (answer, count) = fetch(group(Some(topics.clone())), partitions_max);
        assert_eq!((&answer, count), (&whole.0, pieces), "{partitions_max} at once");
    }
    assert_eq!(fetch(group(None), 1).1, 1);
    let error = OffsetFetchResponseGroup { error_code: 16, ..Default::default() };
    assert_eq!(fanout::join_pieces(whole.0.clone(), error.clone()), error);
    assert_eq!(fanout::join_pieces(Some(error.clone()), whole.0.unwrap()), error);
}

#[test]
fn lists_of_several_coordinators_become_one() {
    let list = |names: &[&str], error: ErrorCode| ListGroupsResponse {
        groups: names
            .iter()
            .map(|name| ListedGroup { group_id: (*name).into(), ..Default::default() })
            .collect(),
        error_code: error.code(),
        ..Default::default()
    };
    let (fine, moved, loading) =
        (ErrorCode::None, ErrorCode::NotCoordinator, ErrorCode::CoordinatorLoadInProgress);
    let merged = fanout::merge_list_groups(
        [list(&["a", "b"], fine), list(&[], moved), list(&["c"], fine)],
        |id| id != "b",
    );
    assert_eq!(merged.groups.iter().map(|group| &*group.group_id).collect::<Vec<_>>(), ["a", "c"]);
    let merged = fanout::merge_list_groups([list(&["a"], fine), list(&[], loading)], |_| true);
    assert_eq!((error(merged.error_code), merged.groups.len()), (loading, 0));
}

fn txn_errors(response: &TxnOffsetCommitResponse) -> Vec<(String, u128, i32, ErrorCode)> {
    let of_topic = |topic: &TxnOffsetCommitResponseTopic| {
        let (name, id) = (topic.name.clone(), topic.topic_id.as_u128());
        let partitions = topic.partitions.iter();
        partitions
            .map(|p| (name.clone(), id, p.partition_index, error(p.error_code)))
            .collect::<Vec<_>>()
    };
    response.topics.iter().flat_map(of_topic).collect()
}

#[test]
fn offsets_in_a_transaction_go_to_the_coordinator_where_their_partitions_exist() {
    let topic = |name: &str, id: u128, partitions: &[i32]| TxnOffsetCommitRequestTopic {
        name: name.into(),
        topic_id: Uuid::from_u128(id),
        partitions: partitions
            .iter()
            .map(|partition| TxnOffsetCommitRequestPartition {
                partition_index: *partition,
                ..Default::default()
            })
            .collect(),
    };
    let request = |group_id: &str, topics| TxnOffsetCommitRequest {
        group_id: group_id.into(),
        topics,
        ..Default::default()
    };
    let none = ErrorCode::None;
    let by_name =
        || vec![topic("t", 0, &[0, 5, 1]), topic("secret", 0, &[0]), topic("gone", 0, &[0])];
    let (asked, known) = fanout::split_txn_offset_commit(request(GROUP, by_name()), 5, &Cluster);
    let asked = asked.expect("t exists");
    let answered = fanout::txn_commit_error(&asked, none);
    assert_eq!(txn_errors(&answered), [("t".into(), 1, 0, none), ("t".into(), 1, 1, none)]);
    assert_eq!(
        txn_errors(&fanout::merge_txn_offset_commit(known, answered)),
        [
            ("t".into(), 1, 5, ErrorCode::UnknownTopicOrPartition),
            ("t".into(), 1, 0, none),
            ("t".into(), 1, 1, none),
            ("secret".into(), 0, 0, ErrorCode::TopicAuthorizationFailed),
            ("gone".into(), 0, 0, ErrorCode::UnknownTopicOrPartition),
        ]
    );
    let by_id = request(GROUP, vec![topic("", 1, &[0]), topic("", 9, &[0])]);
    let (asked, known) = fanout::split_txn_offset_commit(by_id, 6, &Cluster);
    assert_eq!(asked.expect("1 is t").topics[0].name, "t");
    assert_eq!(txn_errors(&known), [("".into(), 9, 0, ErrorCode::UnknownTopicId)]);
    // There is no group without a name, in transactions.
    let (asked, known) = fanout::split_txn_offset_commit(request("", by_name()), 5, &Cluster);
    assert_eq!(asked, None);
    let invalid = ErrorCode::InvalidGroupId;
    let told: Vec<_> =
        txn_errors(&known).into_iter().map(|(_, _, at, error)| (at, error)).collect();
    assert_eq!(told[..3], [(5, ErrorCode::UnknownTopicOrPartition), (0, invalid), (1, invalid)]);
}
