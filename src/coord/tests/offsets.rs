//! OffsetCommit, OffsetFetch, OffsetDelete, expiry, deleted topics.

use protocol::Uuid;
use protocol::group_records::OffsetCommitValue;
use protocol::messages::OffsetDeleteRequest;
use protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};

use super::*;
use crate::coord::runtime::TopicChange;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

fn offset_value(record: &CoordinatorRecord) -> Option<OffsetCommitValue> {
    let key = Key::decode(&record.key).unwrap();
    assert_eq!(key.record_type(), 1, "{key:?}");
    match Value::decode(1, record.value.as_ref()?).unwrap() {
        Value::OffsetCommit(value) => Some(value),
        other => panic!("{other:?}"),
    }
}

fn version_of(record: &CoordinatorRecord) -> i16 {
    i16::from_be_bytes(record.value.as_ref().unwrap()[..2].try_into().unwrap())
}

fn delete_offsets(
    host: &mut Host,
    group_id: &str,
    topic: &str,
    partitions: &[i32],
) -> Result<Vec<ErrorCode>, ErrorCode> {
    let partitions = partitions
        .iter()
        .map(|partition| OffsetDeleteRequestPartition { partition_index: *partition });
    let topic = OffsetDeleteRequestTopic { name: topic.into(), partitions: partitions.collect() };
    let request = OffsetDeleteRequest { group_id: group_id.into(), topics: vec![topic] };
    match host.call(Request::OffsetDelete(request)) {
        Response::OffsetDelete(response) if response.error_code == 0 => Ok(response.topics[0]
            .partitions
            .iter()
            .map(|partition| error(partition.error_code))
            .collect()),
        Response::OffsetDelete(response) => Err(error(response.error_code)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_consumer_without_a_group_commits_and_fetches() {
    let mut host = Host::new();
    let nothing = host.fetch_offset(GROUP, "t", 0);
    assert_eq!(
        (nothing.committed_offset, nothing.committed_leader_epoch, nothing.error_code),
        (-1, -1, 0)
    );
    assert_eq!(nothing.metadata.as_deref(), Some(""));
    assert_eq!(host.commit_offset(Commit::offset(42)), ErrorCode::None);
    let records = host.take_records();
    assert_eq!((records.len(), version_of(&records[0])), (1, 4));
    let value = offset_value(&records[0]).unwrap();
    assert_eq!((value.offset, value.leader_epoch, value.metadata.as_str()), (42, 5, "m"));
    assert_eq!(
        (value.commit_timestamp, value.expire_timestamp, value.topic_id),
        (START_MS, -1, Uuid::ZERO)
    );
    let fetched = host.fetch_offset(GROUP, "t", 0);
    assert_eq!((fetched.committed_offset, fetched.committed_leader_epoch), (42, 5));
    assert_eq!(fetched.metadata.as_deref(), Some("m"));
    assert_eq!(host.fetch_offset(GROUP, "t", 1).committed_offset, -1);
    assert_eq!(host.fetch_offset(GROUP, "u", 0).committed_offset, -1);
    assert_eq!(host.fetch_offset("other", "t", 0).committed_offset, -1);
    assert_eq!(host.state_name(), "Empty");
    // Without metadata, and further back: a consumer may rewind.
    assert_eq!(host.commit_offset(Commit { metadata: None, ..Commit::offset(7) }), ErrorCode::None);
    assert_eq!(host.fetch_offset(GROUP, "t", 0).committed_offset, 7);
    // The empty group name is as good as any here, for clients of long ago.
    assert_eq!(host.commit_offset(Commit { group_id: "", ..Commit::offset(1) }), ErrorCode::None);
    assert_eq!(host.fetch_offset("", "t", 0).committed_offset, 1);
}

#[test]
fn a_commit_with_its_own_expiry_is_written_in_version_1() {
    let mut host = Host::new();
    let commit = Commit { retention_time_ms: MINUTE_MS, api_version: 4, ..Commit::offset(1) };
    assert_eq!(host.commit_offset(commit), ErrorCode::None);
    let records = host.take_records();
    assert_eq!(version_of(&records[0]), 1);
    assert_eq!(offset_value(&records[0]).unwrap().expire_timestamp, START_MS + MINUTE_MS);
    host.advance(10 * MINUTE_MS);
    assert_eq!(host.fetch_offset(GROUP, "t", 0).committed_offset, -1);
}

#[test]
fn commits_of_members_name_their_generation() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(2);
    let member = members[0].as_str();
    for (commit, expected) in [
        (Commit::by(member, generation, 1), ErrorCode::None),
        (Commit::by(member, generation - 1, 1), ErrorCode::IllegalGeneration),
        (Commit::by(member, generation + 1, 1), ErrorCode::IllegalGeneration),
        (Commit::by(member, -1, 1), ErrorCode::IllegalGeneration),
        (Commit::by("stranger", generation, 1), ErrorCode::UnknownMemberId),
        (Commit::by("", generation, 1), ErrorCode::UnknownMemberId),
        (
            Commit { instance_id: Some("i"), ..Commit::by(member, generation, 1) },
            ErrorCode::UnknownMemberId,
        ),
        (Commit::offset(1), ErrorCode::UnknownMemberId),
    ] {
        assert_eq!(host.commit_offset(commit), expected);
    }
}

#[test]
fn an_unknown_group_and_a_generation() {
    let mut host = Host::new();
    let commit = Commit::by("m", 1, 1);
    assert_eq!(
        host.commit_offset(Commit { api_version: 8, ..commit.clone() }),
        ErrorCode::IllegalGeneration
    );
    assert_eq!(host.commit_offset(commit), ErrorCode::GroupIdNotFound);
    assert_eq!(host.state_name(), "Dead");
}

#[test]
fn commits_through_a_rebalance() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(1);
    let newcomer = host.send_join(Join { api_version: 3, ..Join::client("new") });
    // Members hand over what they have read before they rejoin.
    assert_eq!(host.commit_offset(Commit::by(&members[0], generation, 5)), ErrorCode::None);
    host.send_join(Join::member(&members[0]));
    host.joined(newcomer);
    assert_eq!(
        host.commit_offset(Commit::by(&members[0], generation, 6)),
        ErrorCode::IllegalGeneration
    );
    assert_eq!(
        host.commit_offset(Commit::by(&members[0], generation + 1, 6)),
        ErrorCode::RebalanceInProgress
    );
    assert_eq!(host.fetch_offset(GROUP, "t", 0).committed_offset, 5);
}

#[test]
fn commits_keep_a_session_alive() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(1);
    for _ in 0..3 {
        host.advance(i64::from(SESSION_TIMEOUT_MS) - 1);
        assert_eq!(host.commit_offset(Commit::by(&members[0], generation, 1)), ErrorCode::None);
    }
    assert_eq!(host.heartbeat(&members[0], generation), ErrorCode::None);
}

#[test]
fn metadata_has_a_limit_in_utf_16_units() {
    let mut host = Host::new();
    let with = |metadata: String| Commit { metadata: Some(metadata), ..Commit::offset(1) };
    assert_eq!(host.commit_offset(with("x".repeat(4_096))), ErrorCode::None);
    assert_eq!(host.commit_offset(with("x".repeat(4_097))), ErrorCode::OffsetMetadataTooLarge);
    assert_eq!(host.commit_offset(with("ä".repeat(4_096))), ErrorCode::None);
    assert_eq!(host.commit_offset(with("😀".repeat(2_049))), ErrorCode::OffsetMetadataTooLarge);
    assert_eq!(host.take_records().len(), 2);
}

#[test]
fn a_commit_that_fits_no_batch_changes_nothing() {
    let mut host = Host::new();
    let mut request =
        Commit { metadata: Some("x".repeat(4_000)), ..Commit::offset(1) }.into_request();
    let partition = request.topics[0].partitions[0].clone();
    request.topics[0].partitions = (0..300)
        .map(|n| OffsetCommitRequestPartition { partition_index: n, ..partition.clone() })
        .collect();
    match host.call(Request::OffsetCommit { request, api_version: 9 }) {
        Response::OffsetCommit(response) => {
            assert_eq!(response.topics[0].partitions.len(), 300);
            assert!(
                response.topics[0].partitions.iter().all(|partition| partition.error_code == 28)
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(host.fetch_offset(GROUP, "t", 0).committed_offset, -1);
    assert!(host.take_records().is_empty());
}

#[test]
fn fetching_everything() {
    let mut host = Host::new();
    for (topic, partition) in [("t", 0), ("t", 3), ("u", 1)] {
        host.commit_offset(Commit {
            topic,
            partition,
            ..Commit::offset(i64::from(partition) + 10)
        });
    }
    let group =
        OffsetFetchRequestGroup { group_id: GROUP.into(), topics: None, ..Default::default() };
    let Response::OffsetFetch(all) =
        host.call(Request::OffsetFetch { group, require_stable: false })
    else {
        panic!()
    };
    let found: Vec<(String, i32, i64)> = all
        .topics
        .iter()
        .flat_map(|topic| {
            topic
                .partitions
                .iter()
                .map(|p| (topic.name.clone(), p.partition_index, p.committed_offset))
        })
        .collect();
    assert_eq!(found, [("t".into(), 0, 10), ("t".into(), 3, 13), ("u".into(), 1, 11)]);
}

#[test]
fn offsets_of_another_topic_with_the_same_name_are_not_shown() {
    let mut host = Host::new();
    let id = Uuid::from_u128(7);
    let mut request = Commit::offset(3).into_request();
    request.topics[0].topic_id = id;
    host.call(Request::OffsetCommit { request, api_version: 10 });
    assert_eq!(offset_value(&host.take_records()[0]).unwrap().topic_id, id);
    for (topic_id, expected) in [(id, 3), (Uuid::ZERO, 3), (Uuid::from_u128(8), -1)] {
        let topics = vec![OffsetFetchRequestTopics {
            name: "t".into(),
            topic_id,
            partition_indexes: vec![0],
        }];
        let group = OffsetFetchRequestGroup {
            group_id: GROUP.into(),
            topics: Some(topics),
            ..Default::default()
        };
        let Response::OffsetFetch(found) =
            host.call(Request::OffsetFetch { group, require_stable: false })
        else {
            panic!()
        };
        assert_eq!(found.topics[0].partitions[0].committed_offset, expected);
        assert_eq!(found.topics[0].topic_id, topic_id);
    }
}

#[test]
fn offsets_are_deleted_on_request() {
    let mut host = Host::new();
    assert_eq!(delete_offsets(&mut host, "", "t", &[0]), Err(ErrorCode::InvalidGroupId));
    assert_eq!(delete_offsets(&mut host, GROUP, "t", &[0]), Err(ErrorCode::GroupIdNotFound));
    let (members, generation) = host.stable_group(1);
    for topic in ["t", "u"] {
        host.commit_offset(Commit { topic, ..Commit::by(&members[0], generation, 1) });
    }
    host.take_records();
    // The group reads t; no member reads u any more. Partition 1 never had an offset, which is no
    // error.
    assert_eq!(
        delete_offsets(&mut host, GROUP, "t", &[0]),
        Ok(vec![ErrorCode::GroupSubscribedToTopic])
    );
    assert_eq!(delete_offsets(&mut host, GROUP, "u", &[0, 1]), Ok(vec![ErrorCode::None; 2]));
    let records = host.take_records();
    assert_eq!((records.len(), offset_value(&records[0])), (1, None));
    assert_eq!(host.fetch_offset(GROUP, "u", 0).committed_offset, -1);
    host.leave(&[(&members[0], None)]);
    assert_eq!(delete_offsets(&mut host, GROUP, "t", &[0]), Ok(vec![ErrorCode::None]));
    assert_eq!(host.fetch_offset(GROUP, "t", 0).committed_offset, -1);
}

#[test]
fn offsets_of_a_group_of_another_kind_are_safe_while_it_works() {
    let mut host = Host::new();
    let join = Join {
        protocol_type: "connect",
        protocols: vec![("p", vec![1])],
        api_version: 3,
        ..Join::client("c")
    };
    let token = host.send_join(join);
    host.advance(INITIAL_DELAY_MS);
    let joined = host.joined(token);
    assert_eq!(delete_offsets(&mut host, GROUP, "t", &[0]), Err(ErrorCode::NonEmptyGroup));
    host.leave(&[(&joined.member_id, None)]);
    assert_eq!(delete_offsets(&mut host, GROUP, "t", &[0]), Ok(vec![ErrorCode::None]));
}

#[test]
fn offsets_without_a_group_expire_one_by_one() {
    let mut host = Host::new();
    host.commit_offset(Commit::offset(1));
    host.advance(DAY_MS);
    host.commit_offset(Commit { partition: 1, ..Commit::offset(1) });
    host.advance(6 * DAY_MS + 10 * MINUTE_MS);
    assert_eq!(host.fetch_offset(GROUP, "t", 0).committed_offset, -1);
    assert_eq!(host.fetch_offset(GROUP, "t", 1).committed_offset, 1);
    host.take_records();
    host.advance(DAY_MS);
    assert_eq!(host.state_name(), "Dead");
    let records = host.take_records();
    assert_eq!(records.len(), 2, "the offset's tombstone, then the group's");
    assert_eq!((offset_value(&records[0]), group_value(&records[1])), (None, None));
}

#[test]
fn offsets_of_a_group_at_work_do_not_expire_and_the_retention_starts_when_it_empties() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(1);
    host.commit_offset(Commit::by(&members[0], generation, 9));
    host.commit_offset(Commit { topic: "unread", ..Commit::by(&members[0], generation, 9) });
    let heartbeats = |host: &mut Host, duration_ms: i64| {
        for _ in 0..(duration_ms / i64::from(SESSION_TIMEOUT_MS)) {
            host.advance(i64::from(SESSION_TIMEOUT_MS) - 1);
            assert_eq!(host.heartbeat(&members[0], generation), ErrorCode::None);
        }
    };
    heartbeats(&mut host, 8 * DAY_MS);
    assert_eq!(host.fetch_offset(GROUP, "t", 0).committed_offset, 9);
    assert_eq!(
        host.fetch_offset(GROUP, "unread", 0).committed_offset,
        -1,
        "the group gave this topic up"
    );
    host.leave(&[(&members[0], None)]);
    host.advance(7 * DAY_MS - 10 * MINUTE_MS);
    assert_eq!(host.fetch_offset(GROUP, "t", 0).committed_offset, 9);
    host.advance(20 * MINUTE_MS);
    assert_eq!(host.fetch_offset(GROUP, "t", 0).committed_offset, -1);
    assert_eq!(host.state_name(), "Dead");
}

#[test]
fn an_empty_group_without_offsets_goes_at_the_next_look() {
    let mut host = Host::new();
    let (members, _) = host.stable_group(1);
    host.leave(&[(&members[0], None)]);
    assert_eq!(host.state_name(), "Empty");
    host.advance(10 * MINUTE_MS);
    assert_eq!(host.state_name(), "Dead");
}

#[test]
fn a_clean_up_of_many_offsets_is_done_in_steps() {
    let mut host = Host::with(GroupSettings { max_batch_bytes: 2_000, ..GroupSettings::default() });
    let names: Vec<&'static str> = (0..1_500).map(|n| &*format!("group-{n:04}").leak()).collect();
    for &group_id in &names {
        host.commit_offset(Commit { group_id, ..Commit::offset(1) });
    }
    host.take_records();
    host.advance(7 * DAY_MS + 10 * MINUTE_MS);
    assert_eq!(
        host.take_records().len(),
        2 * names.len(),
        "the host checks that no batch is larger than allowed"
    );
    assert!(host.coordinator.machine().groups.is_empty());
}

/// Each record has the name of its group: encoded first, these had 15 GB.
#[test]
fn a_commit_of_many_partitions_and_a_long_name_is_refused_before_it_is_encoded() {
    let mut host = Host::new();
    let mut request = Commit::offset(1).into_request();
    request.group_id = "g".repeat(30_000);
    let partition = request.topics[0].partitions[0].clone();
    let partitions = (0..500_000).map(|partition_index| OffsetCommitRequestPartition {
        partition_index,
        ..partition.clone()
    });
    request.topics[0].partitions = partitions.collect();
    let commit = Request::OffsetCommit { request, api_version: 8 };
    let Response::OffsetCommit(response) = host.call(commit) else { panic!() };
    let answers = &response.topics[0].partitions;
    let refused = ErrorCode::InvalidCommitOffsetSize.code();
    assert!(answers.len() == 500_000 && answers.iter().all(|of| of.error_code == refused));
    assert!(host.take_records().is_empty());
}

#[test]
fn a_deleted_topic_takes_its_offsets_along() {
    let mut host = Host::new();
    let id = Uuid::from_u128(7);
    for (group_id, topic_id) in [("a", id), ("b", Uuid::ZERO), ("c", Uuid::from_u128(8))] {
        let mut request = Commit { group_id, ..Commit::offset(1) }.into_request();
        request.topics[0].topic_id = topic_id;
        host.call(Request::OffsetCommit { request, api_version: 10 });
    }
    host.commit_offset(Commit { group_id: "a", topic: "other", ..Commit::offset(1) });
    host.take_records();
    // A topic that grows keeps them.
    for (partition_count, deleted) in [(3, 0), (0, 2)] {
        let change = TopicChange { name: "t".into(), id, partition_count };
        let actions = host.coordinator.topics_changed(&[change], host.now_ms);
        host.execute(actions);
        assert_eq!(host.take_records().len(), deleted);
    }
    let left = ["a", "b", "c"].map(|group| host.fetch_offset(group, "t", 0).committed_offset);
    assert_eq!(left, [-1, -1, 1]);
    assert_eq!(host.fetch_offset("a", "other", 0).committed_offset, 1);
}
