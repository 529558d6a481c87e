//! Groups and fetch sessions asked for the impossible.

use super::with_neighbour;
use crate::support::{
    self, Client,
    client::{self, FETCH_VERSION},
    unique,
};
use bytes::Bytes;
use protocol::{
    ErrorCode,
    messages::{
        DescribeGroupsRequest, FetchRequest, FindCoordinatorRequest, HeartbeatRequest,
        JoinGroupRequest, LeaveGroupRequest, OffsetCommitRequest,
        fetch_request::{FetchPartition, FetchTopic},
        join_group_request::JoinGroupRequestProtocol,
        leave_group_request::MemberIdentity,
        offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
    },
};

const JOIN_VERSION: i16 = 7;
const COMMIT_VERSION: i16 = 8;

/// Waits until the group's coordinator is there, which may make the offsets topic first.
fn find_coordinator(client: &mut Client, group: &str) {
    support::eventually("a coordinator", || {
        let request = FindCoordinatorRequest { key: group.to_owned(), ..Default::default() };
        let heartbeat = HeartbeatRequest {
            group_id: group.to_owned(),
            member_id: "nobody".to_owned(),
            ..Default::default()
        };
        let found = client.call(&request, 3).error_code == ErrorCode::None.code();
        let error = client::error(client.call(&heartbeat, 4).error_code);
        found && matches!(error, ErrorCode::UnknownMemberId | ErrorCode::GroupIdNotFound)
    });
}

fn join(
    group: &str,
    member_id: &str,
    session_timeout_ms: i32,
    metadata: Bytes,
) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: group.to_owned(),
        session_timeout_ms,
        rebalance_timeout_ms: 10_000,
        member_id: member_id.to_owned(),
        protocol_type: "consumer".to_owned(),
        protocols: vec![JoinGroupRequestProtocol { name: "range".to_owned(), metadata }],
        ..Default::default()
    }
}

#[test]
fn members_with_impossible_wishes_are_refused() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let group = unique("group");
        find_coordinator(&mut client, &group);
        let mut join_error = |request: &JoinGroupRequest| {
            client::error(client.call(request, JOIN_VERSION).error_code)
        };
        for timeout in [-1, 0, 1, 5_999, 1_800_001, i32::MAX] {
            let error = join_error(&join(&group, "", timeout, Bytes::new()));
            assert_eq!(
                error,
                ErrorCode::InvalidSessionTimeout,
                "a session timeout of {timeout} ms"
            );
        }
        assert_eq!(join_error(&join("", "", 10_000, Bytes::new())), ErrorCode::InvalidGroupId);
        assert_eq!(
            join_error(&join(&group, "stranger", 10_000, Bytes::new())),
            ErrorCode::UnknownMemberId
        );
        let no_protocols =
            JoinGroupRequest { protocols: vec![], ..join(&group, "", 10_000, Bytes::new()) };
        assert_eq!(join_error(&no_protocols), ErrorCode::InconsistentGroupProtocol);
        let no_type = JoinGroupRequest {
            protocol_type: String::new(),
            ..join(&group, "", 10_000, Bytes::new())
        };
        assert_eq!(join_error(&no_type), ErrorCode::InconsistentGroupProtocol);
    });
}

#[test]
fn a_group_has_a_largest_size() {
    support::on_each_backend_with(
        &[("group.max.size", "2"), ("group.initial.rebalance.delay.ms", "0")],
        |broker| {
            let mut client = Client::connect(broker.address);
            let group = unique("group");
            find_coordinator(&mut client, &group);
            // No member may be taken for dead before the end, on however slow a machine.
            let join = |member_id: &str| JoinGroupRequest {
                rebalance_timeout_ms: 600_000,
                ..join(&group, member_id, 1_800_000, Bytes::new())
            };
            let given_id = |member: &mut Client| {
                let first = member.call(&join(""), JOIN_VERSION);
                (client::error(first.error_code), first.member_id)
            };
            let (error, first_id) = given_id(&mut client);
            assert_eq!(error, ErrorCode::MemberIdRequired);
            assert_eq!(
                client::error(client.call(&join(&first_id), JOIN_VERSION).error_code),
                ErrorCode::None
            );
            // The others wait for the first to join again; a refusal may come with either answer.
            let mut waiting = Vec::new();
            let mut refused = 0;
            for mut member in (0..7).map(|_| Client::connect(broker.address)) {
                let (error, id) = given_id(&mut member);
                if error == ErrorCode::MemberIdRequired {
                    let correlation_id = member.send(&join(&id), JOIN_VERSION).unwrap();
                    waiting.push((member, correlation_id));
                } else {
                    assert_eq!(error, ErrorCode::GroupMaxSizeReached);
                    refused += 1;
                }
            }
            let describe =
                DescribeGroupsRequest { groups: vec![group.clone()], ..Default::default() };
            support::eventually("there are as many as fit", || {
                client.call(&describe, 5).groups[0].members.len() == 3
            });
            let leave = LeaveGroupRequest {
                group_id: group.clone(),
                members: vec![MemberIdentity { member_id: first_id, ..Default::default() }],
                ..Default::default()
            };
            // Now the others are the whole group, and their wait is over.
            assert_eq!(client::error(client.call(&leave, 4).error_code), ErrorCode::None);
            for (mut member, correlation_id) in waiting {
                let response =
                    member.receive::<JoinGroupRequest>(correlation_id, JOIN_VERSION).unwrap();
                match client::error(response.error_code) {
                    ErrorCode::None => {}
                    error => {
                        assert_eq!(error, ErrorCode::GroupMaxSizeReached);
                        refused += 1;
                    }
                }
            }
            // Two may wait for a rebalance, beside the member of the generation before it.
            assert!(refused >= 5, "{refused} of 7 were refused");
            client.create_topic(&unique("still-served"), 1, &[]);
        },
    );
}

/// Each gets a member id and never comes back with it.
#[test]
fn a_hundred_thousand_members_that_never_join_are_bounded() {
    const MEMBERS: i32 = 100_000;
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let group = unique("group");
        find_coordinator(&mut client, &group);
        let request = join(&group, "", 10_000, Bytes::from(vec![b'm'; 100]));
        let mut writer = client.stream().try_clone().unwrap();
        let writing = std::thread::spawn(move || {
            for i in 0..MEMBERS {
                let frame = client::framed(&client::frame(&request, JOIN_VERSION, i));
                std::io::Write::write_all(&mut writer, &frame).unwrap();
            }
        });
        let mut refused = 0;
        for i in 0..MEMBERS {
            let response = client.receive::<JoinGroupRequest>(i, JOIN_VERSION).unwrap();
            match client::error(response.error_code) {
                ErrorCode::MemberIdRequired => {}
                error => {
                    assert_eq!(error, ErrorCode::GroupMaxSizeReached);
                    refused += 1;
                }
            }
        }
        writing.join().unwrap();
        // Apache Kafka keeps them all until their sessions run out.
        assert!(broker.is_peer() || refused > 0, "all were kept in memory");
        let lines =
            if broker.is_peer() { 0 } else { broker.log().matches("the group is full").count() };
        assert!(lines < 100, "{lines} lines in the log for {refused} refusals");
    });
}

#[test]
fn metadata_of_many_megabytes_is_taken_or_refused_within_bounds() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let group = unique("group");
        find_coordinator(&mut client, &group);
        let request = join(&group, "", 10_000, Bytes::from(vec![b'm'; 90 << 20]));
        // Its first answer is a member id, whatever the metadata; it is not kept.
        if let Some(response) = client.try_call(&request, JOIN_VERSION) {
            assert_ne!(client::error(response.error_code), ErrorCode::None);
        }
    });
}

#[test]
fn committed_offsets_have_small_metadata() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let (group, topic) = (unique("group"), unique("committed"));
        client.create_topic(&topic, 1, &[]);
        find_coordinator(&mut client, &group);
        let mut commit = |partition_index: i32, metadata: String| {
            let partition = OffsetCommitRequestPartition {
                partition_index,
                committed_offset: 1,
                committed_leader_epoch: -1,
                committed_metadata: Some(metadata),
            };
            let topic = OffsetCommitRequestTopic {
                name: topic.clone(),
                partitions: vec![partition],
                ..Default::default()
            };
            let request = OffsetCommitRequest {
                group_id: group.clone(),
                generation_id_or_member_epoch: -1,
                topics: vec![topic],
                ..Default::default()
            };
            client::error(client.call(&request, COMMIT_VERSION).topics[0].partitions[0].error_code)
        };
        assert_eq!(commit(0, "m".repeat(4096)), ErrorCode::None);
        assert_eq!(commit(0, "m".repeat(4097)), ErrorCode::OffsetMetadataTooLarge);
        assert_eq!(commit(7, String::new()), ErrorCode::UnknownTopicOrPartition);
    });
}

#[test]
fn fetch_sessions_belong_to_those_who_opened_them() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("fetched");
        client.create_topic(&topic, 1, &[]);
        let mut fetch = |session_id: i32, session_epoch: i32| {
            let request = FetchRequest {
                session_id,
                session_epoch,
                ..client::fetch_request(&topic, 0, 0, 0)
            };
            let response = client.call(&request, FETCH_VERSION);
            (client::error(response.error_code), response.session_id)
        };
        assert_eq!(fetch(12_345, 1).0, ErrorCode::FetchSessionIdNotFound);
        let (error, session) = fetch(0, 0);
        assert_eq!(error, ErrorCode::None);
        assert_ne!(session, 0, "a session was asked for");
        assert_eq!(fetch(session, 7).0, ErrorCode::InvalidFetchSessionEpoch);
        assert_eq!(fetch(session, 1), (ErrorCode::None, session));
    });
}

#[test]
fn offsets_outside_of_the_log_are_out_of_range() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("fetched");
        client.create_topic(&topic, 1, &[]);
        client.produce_value(&topic, 0, b"the only one");
        for offset in [-1, 2, i64::MAX, i64::MIN] {
            let data = client.fetch(&topic, 0, offset);
            assert_eq!(
                client::error(data.error_code),
                ErrorCode::OffsetOutOfRange,
                "offset {offset}"
            );
        }
        assert_eq!(client.fetch(&topic, 0, 1).error_code, 0, "the end is where a consumer waits");
    });
}

#[test]
fn a_fetch_of_a_million_partitions_is_bounded() {
    with_neighbour(|broker| {
        let mut client = Client::connect(broker.address);
        let topic = unique("fetched");
        client.create_topic(&topic, 1, &[]);
        client.produce_value(&topic, 0, &[b'v'; 100_000]);
        // The same partition again and again: each could be answered with everything that it holds.
        for (count, index) in [(1_000_000, 5), (50_000, 0)] {
            let partition = FetchPartition {
                partition: index,
                partition_max_bytes: i32::MAX,
                ..Default::default()
            };
            let partitions = vec![partition; count];
            let request = FetchRequest {
                replica_id: -1,
                max_bytes: i32::MAX,
                session_epoch: -1,
                topics: vec![FetchTopic { topic: topic.clone(), partitions, ..Default::default() }],
                ..Default::default()
            };
            let mut client = Client::connect(broker.address);
            if client.send(&request, FETCH_VERSION).is_ok()
                && let Some(frame) = client.receive_frame()
            {
                assert!(frame.len() < 200 << 20, "an answer of {} MiB", frame.len() >> 20);
            }
        }
    });
}
