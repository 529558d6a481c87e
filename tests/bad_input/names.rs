//! Names that must not become paths, or anything else.

use super::with_neighbour;
use crate::support::{
    self, Client,
    client::{self, PRODUCE_VERSION},
    unique,
};
use protocol::{
    ApiKey, ErrorCode,
    messages::{
        CreateTopicsRequest, DeleteGroupsRequest, DescribeGroupsRequest, FindCoordinatorRequest,
        InitProducerIdRequest, MetadataRequest, create_topics_request::CreatableTopic,
        metadata_request::MetadataRequestTopic,
    },
};
use std::{fs, path::Path};

fn bad_names() -> Vec<String> {
    let mut names: Vec<String> =
        ["", ".", "..", "/", "a/b", "../escaped", "a b", "a\0b", "täglich", "a\nb", "%2e%2e", "~"]
            .map(str::to_owned)
            .to_vec();
    names.push("x".repeat(250));
    names.push("x".repeat(30_000));
    names
}

/// Every path below `folder`, but for those that the broker writes in its own time: its
/// checkpoints, and what they leave in the folder of the metadata log.
fn paths_below(folder: &Path) -> Vec<String> {
    let is_its_own = |path: &Path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_of_directory = ["-offset-checkpoint", "commit-stream-", "millstream-metadata-seen"];
        is_of_directory.iter().any(|part| name.contains(part))
            || path.ends_with("__cluster_metadata-0")
    };
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            if is_its_own(&entry.path()) {
                continue;
            }
            found.push(entry.path().display().to_string());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_bad_topic_name_is_refused_and_never_a_path() {
    with_neighbour(|broker| {
        let folder = (!broker.is_peer()).then(|| broker.data().parent().unwrap().to_owned());
        let before = folder.as_deref().map(paths_below);
        let mut client = Client::connect(broker.address);
        for name in bad_names() {
            assert_eq!(
                client.try_create_topic(&name, 1, &[]),
                ErrorCode::InvalidTopicException,
                "{name:.40?}"
            );
        }
        if let (Some(folder), Some(before)) = (folder, before) {
            assert_eq!(paths_below(&folder), before, "nothing appeared on the disk");
        }
        let longest = format!("{:x<249}", unique("longest"));
        assert_eq!(
            client.try_create_topic(&longest, 1, &[]),
            ErrorCode::None,
            "249 characters are allowed"
        );
    });
}

/// A string of an API's older versions: a length of two bytes, then bytes that need not be text.
fn string(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as i16).to_be_bytes()[..], bytes].concat()
}

/// Bytes that are no UTF-8 are replaced, and the result refused by the rules for names.
#[test]
fn a_name_that_is_no_text_is_refused_and_never_a_path() {
    with_neighbour(|broker| {
        let folder = (!broker.is_peer()).then(|| broker.data().parent().unwrap().to_owned());
        let before = folder.as_deref().map(paths_below);
        for name in [
            &b"\xff\xfe"[..],
            b"\xc0\x80",
            b"\xed\xa0\x80",
            b"cut \xe2\x82",
            b"../\x80",
            b"ok\0\xff",
        ] {
            let requests = [
                // Topics, and that they may be created.
                (ApiKey::Metadata, 4, [&1i32.to_be_bytes()[..], &string(name), &[1]].concat()),
                // Groups.
                (ApiKey::DescribeGroups, 0, [&1i32.to_be_bytes()[..], &string(name)].concat()),
                // A transactional id, and a timeout.
                (ApiKey::InitProducerId, 0, [&string(name)[..], &1_000i32.to_be_bytes()].concat()),
            ];
            for (key, version, body) in requests {
                let mut client = Client::connect(broker.address);
                let frame = [&client::header(key.code(), version, 1)[..], &body].concat();
                client.send_frame(&frame).unwrap();
                let answer =
                    client.receive_frame().unwrap_or_else(|| panic!("{key}: {name:x?}: no answer"));
                assert!(broker.is_peer() || answer.len() < 200, "{key}: {name:x?}");
            }
        }
        if let (Some(folder), Some(before)) = (folder, before) {
            assert_eq!(paths_below(&folder), before, "nothing appeared on the disk");
        }
    });
}

#[test]
fn a_transactional_id_is_a_key_and_never_a_path() {
    with_neighbour(|broker| {
        if broker.is_peer() {
            return; // Apache Kafka has transactions, and makes their topic.
        }
        let folder = broker.data().parent().unwrap().to_owned();
        let before = paths_below(&folder);
        let mut client = Client::connect(broker.address);
        for name in bad_names().into_iter().filter(|name| !name.is_empty()) {
            let request =
                InitProducerIdRequest { transactional_id: Some(name), ..Default::default() };
            assert_eq!(
                client::error(client.call(&request, 4).error_code),
                ErrorCode::NotCoordinator,
                "there is none before one was asked for"
            );
        }
        assert_eq!(paths_below(&folder), before, "nothing appeared on the disk");
    });
}

#[test]
fn nothing_is_auto_created_under_a_bad_name() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        for name in bad_names() {
            let topic = MetadataRequestTopic { name: Some(name.clone()), ..Default::default() };
            let request = MetadataRequest {
                topics: Some(vec![topic]),
                allow_auto_topic_creation: true,
                ..Default::default()
            };
            let response = client.call(&request, 9);
            assert_eq!(
                client::error(response.topics[0].error_code),
                ErrorCode::InvalidTopicException,
                "{name:.40?}"
            );
        }
    });
}

#[test]
fn produce_and_fetch_of_what_is_not_there_say_so() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("one-partition");
        client.create_topic(&topic, 1, &[]);
        let batch = crate::support::batch::of(&[b"value"]);
        for (topic, partition) in
            [(unique("absent"), 0), (topic.clone(), 1), (topic.clone(), -1), (topic, i32::MAX)]
        {
            let request = client::produce_request(&topic, partition, batch.clone(), -1);
            let produced = client.call(&request, PRODUCE_VERSION);
            let error = client::error(produced.responses[0].partition_responses[0].error_code);
            assert_eq!(error, ErrorCode::UnknownTopicOrPartition, "produce to {topic}-{partition}");
            let fetched = client.fetch(&topic, partition, 0);
            assert_eq!(client::error(fetched.error_code), ErrorCode::UnknownTopicOrPartition);
        }
    });
}

#[test]
fn group_names_are_checked() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        // A group may be called anything but nothing: its name is a key, never a path.
        for name in ["../../etc/passwd", "a/b", "täglich", " "] {
            let response = client.call(
                &DescribeGroupsRequest { groups: vec![name.to_owned()], ..Default::default() },
                5,
            );
            assert_eq!(response.groups[0].group_id, name);
        }
        let request =
            FindCoordinatorRequest { key: "x".repeat(30_000), key_type: 0, ..Default::default() };
        client.call(&request, 3);
        let unknown_kind =
            FindCoordinatorRequest { key: "x".to_owned(), key_type: 99, ..Default::default() };
        let answer =
            client.try_call(&unknown_kind, 3).map(|response| client::error(response.error_code));
        assert!(matches!(answer, None | Some(ErrorCode::InvalidRequest)), "{answer:?}");
    });
}

/// A message that told of such a name was longer than a string may be: the good topic was made, and
/// the connection closed instead of an answer.
#[test]
fn a_name_as_long_as_a_string_may_be_is_answered_beside_others() {
    with_neighbour(|broker| {
        if broker.is_peer() {
            return; // Apache Kafka cannot write such a message.
        }
        let mut client = Client::connect(broker.address);
        let good = unique("good");
        let topic = |name: &str| CreatableTopic {
            name: name.to_owned(),
            num_partitions: 1,
            replication_factor: 1,
            ..Default::default()
        };
        let request = CreateTopicsRequest {
            topics: vec![topic(&"x".repeat(32_750)), topic(&good)],
            timeout_ms: 30_000,
            ..Default::default()
        };
        let answers = client.call(&request, 7).topics;
        let answers = answers.iter().map(|topic| client::error(topic.error_code));
        let expected = [ErrorCode::InvalidTopicException, ErrorCode::None];
        assert_eq!(answers.collect::<Vec<_>>(), expected);
        let long = "g".repeat(32_760);
        support::eventually("a coordinator", || {
            let request = FindCoordinatorRequest { key: long.clone(), ..Default::default() };
            let groups = vec![long.clone(), "g".to_owned(), long.clone()];
            let describe = DescribeGroupsRequest { groups, ..Default::default() };
            let found = client.call(&request, 3).error_code == 0;
            let groups = client.call(&describe, 6).groups;
            assert_eq!(groups.len(), 2, "a group that is named again is answered once");
            assert_eq!(groups[0].group_id, long);
            found && client::error(groups[0].error_code) == ErrorCode::GroupIdNotFound
        });
        let names = vec!["g".to_owned(), long.clone(), "g".to_owned()];
        let deleted = client.call(&DeleteGroupsRequest { groups_names: names }, 2).results;
        assert_eq!(deleted.len(), 2);
    });
}

/// Each key made a request to the controller, and a line in the log.
#[test]
fn a_topic_that_cannot_be_made_is_tried_once_for_all_keys() {
    let configs = [("offsets.topic.replication.factor", "3")];
    support::on_each_backend_with(&configs, |broker| {
        if broker.is_peer() {
            return;
        }
        let mut client = Client::connect(broker.address);
        let lines = |broker: &support::Broker| {
            broker.log().lines().filter(|line| line.contains("cannot create topic")).count()
        };
        let before = lines(broker);
        let coordinator_keys = (0..2_000).map(|number| number.to_string()).collect();
        let request = FindCoordinatorRequest { coordinator_keys, ..Default::default() };
        let answers = client.call(&request, 4).coordinators;
        assert_eq!(answers.len(), 2_000);
        let unavailable = ErrorCode::CoordinatorNotAvailable.code();
        assert!(answers.iter().all(|answer| answer.error_code == unavailable));
        support::eventually("the line about it", || lines(broker) > before);
        assert_eq!(lines(broker), before + 1);
    });
}
