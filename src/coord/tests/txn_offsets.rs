//! TxnOffsetCommit and what becomes of it when its transaction ends.

use protocol::Uuid;
use protocol::messages::OffsetDeleteRequest;
use protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};

use super::*;
use crate::coord::groups::TransactionalProducer;
use crate::coord::runtime::TopicChange;

const DAY_MS: i64 = 24 * 60 * 60_000;

/// What a consumer that wants a stable offset is told, and one that does not.
fn seen(host: &mut Host, partition: i32) -> (Result<i64, ErrorCode>, i64) {
    let stable = host.fetch_as(GROUP, "t", partition, true);
    let any = host.fetch_as(GROUP, "t", partition, false);
    assert_eq!(any.error_code, 0);
    let stable = match error(stable.error_code) {
        ErrorCode::None => Ok(stable.committed_offset),
        error => Err(error),
    };
    (stable, any.committed_offset)
}

const UNSTABLE: Result<i64, ErrorCode> = Err(ErrorCode::UnstableOffsetCommit);

#[test]
fn offsets_of_a_transaction_show_when_it_is_committed_and_not_before() {
    let mut host = Host::new();
    host.commit_offset(Commit::offset(1));
    assert_eq!(host.commit_in_transaction(7, Commit::offset(5)), ErrorCode::None);
    assert_eq!(seen(&mut host, 0), (UNSTABLE, 1));
    assert_eq!(seen(&mut host, 1), (Ok(-1), -1), "another partition is none of its business");
    host.end_transaction(8, true);
    assert_eq!(seen(&mut host, 0), (UNSTABLE, 1), "nor is it of another producer");
    host.end_transaction(7, true);
    assert_eq!(seen(&mut host, 0), (Ok(5), 5));
    let fetched = host.fetch_offset(GROUP, "t", 0);
    assert_eq!((fetched.committed_leader_epoch, fetched.metadata.as_deref()), (5, Some("m")));
    // The next one is aborted.
    assert_eq!(host.commit_in_transaction(7, Commit::offset(9)), ErrorCode::None);
    assert_eq!(seen(&mut host, 0), (UNSTABLE, 5));
    host.end_transaction(7, false);
    assert_eq!(seen(&mut host, 0), (Ok(5), 5));
}

#[test]
fn fetching_everything_tells_what_is_unstable() {
    let mut host = Host::new();
    for partition in [0, 1] {
        host.commit_offset(Commit { partition, ..Commit::offset(1) });
    }
    // A partition that never had an offset is not among those of the group.
    for partition in [1, 2] {
        host.commit_in_transaction(7, Commit { partition, ..Commit::offset(5) });
    }
    let group =
        OffsetFetchRequestGroup { group_id: GROUP.into(), topics: None, ..Default::default() };
    let Response::OffsetFetch(all) =
        host.call(Request::OffsetFetch { group, require_stable: true })
    else {
        panic!()
    };
    let told: Vec<_> = all.topics[0]
        .partitions
        .iter()
        .map(|p| (p.partition_index, p.committed_offset, error(p.error_code)))
        .collect();
    assert_eq!(told, [(0, 1, ErrorCode::None), (1, -1, ErrorCode::UnstableOffsetCommit)]);
}

#[test]
fn records_are_the_producers_in_one_batch() {
    let mut host = Host::new();
    let Request::TxnOffsetCommit { mut request, api_version } =
        Commit::offset(5).into_transaction(7)
    else {
        panic!()
    };
    request.producer_epoch = 3;
    let partition = request.topics[0].partitions[0].clone();
    request.topics[0].partitions = (0..3)
        .map(|n| TxnOffsetCommitRequestPartition { partition_index: n, ..partition.clone() })
        .collect();
    let request = Request::TxnOffsetCommit { request, api_version };
    let actions = host.coordinator.handle(ReplyToken(900), request, START_MS);
    let [batch] = &actions.batches[..] else { panic!("{:?}", actions.batches) };
    let author = Some(TransactionalProducer { id: 7, epoch: 3 });
    assert_eq!((batch.author, batch.records.len()), (author, 3));
    host.execute(actions);
    host.commit_offset(Commit { partition: 9, ..Commit::offset(5) });
    host.reload();
    assert_eq!(seen(&mut host, 2), (UNSTABLE, -1));
    assert_eq!(seen(&mut host, 9), (Ok(5), 5));
}

/// Whenever the transactions end, the record that is later in the log is the last word.
#[test]
fn the_later_commit_wins_whichever_transaction_ends_first() {
    for first_to_end in [7, 8] {
        let mut host = Host::new();
        host.commit_in_transaction(7, Commit::offset(10));
        host.commit_in_transaction(8, Commit::offset(20));
        host.end_transaction(first_to_end, true);
        let on_the_way = if first_to_end == 7 { 10 } else { 20 };
        assert_eq!(seen(&mut host, 0), (UNSTABLE, on_the_way));
        host.end_transaction(15 - first_to_end, true);
        assert_eq!(seen(&mut host, 0), (Ok(20), 20), "{first_to_end} has ended first");
        host.reload();
        assert_eq!(seen(&mut host, 0), (Ok(20), 20));
    }
    let mut host = Host::new();
    host.commit_in_transaction(7, Commit::offset(10));
    host.commit_offset(Commit::offset(3));
    host.end_transaction(7, true);
    assert_eq!(seen(&mut host, 0), (Ok(3), 3));
}

#[test]
fn a_retried_commit_counts_once() {
    for (committed, expected) in [(true, 5), (false, -1)] {
        let mut host = Host::new();
        for _ in 0..2 {
            assert_eq!(host.commit_in_transaction(7, Commit::offset(5)), ErrorCode::None);
        }
        // A transaction may move on, too.
        for offset in [6, 5] {
            host.commit_in_transaction(7, Commit { partition: 1, ..Commit::offset(offset) });
        }
        host.end_transaction(7, committed);
        assert_eq!(seen(&mut host, 0), (Ok(expected), expected));
        assert_eq!(seen(&mut host, 1), (Ok(expected), expected));
        // So does a marker that comes again.
        host.end_transaction(7, !committed);
        assert_eq!(seen(&mut host, 0), (Ok(expected), expected));
    }
}

#[test]
fn what_is_pending_outlives_the_coordinator() {
    let mut host = Host::new();
    host.commit_offset(Commit::offset(1));
    host.commit_in_transaction(7, Commit::offset(5));
    host.commit_in_transaction(8, Commit { partition: 1, ..Commit::offset(6) });
    host.reload();
    assert_eq!((seen(&mut host, 0), seen(&mut host, 1)), ((UNSTABLE, 1), (UNSTABLE, -1)));
    host.end_transaction(7, true);
    host.reload();
    assert_eq!((seen(&mut host, 0), seen(&mut host, 1)), ((Ok(5), 5), (UNSTABLE, -1)));
    host.end_transaction(8, false);
    host.reload();
    assert_eq!((seen(&mut host, 0), seen(&mut host, 1)), ((Ok(5), 5), (Ok(-1), -1)));
}

#[test]
fn members_name_their_generation_and_others_nothing() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(1);
    let member = members[0].as_str();
    for (commit, expected) in [
        (Commit::by(member, generation, 1), ErrorCode::None),
        // Producers before KIP-447 do not know of members.
        (Commit { api_version: 2, ..Commit::offset(1) }, ErrorCode::None),
        (Commit::by(member, generation - 1, 1), ErrorCode::IllegalGeneration),
        (Commit::by(member, generation + 1, 1), ErrorCode::IllegalGeneration),
        (Commit::by(member, -1, 1), ErrorCode::IllegalGeneration),
        (Commit::by("stranger", generation, 1), ErrorCode::UnknownMemberId),
        (Commit::by("stranger", -1, 1), ErrorCode::UnknownMemberId),
        (Commit::by("", generation, 1), ErrorCode::UnknownMemberId),
        (Commit { instance_id: Some("i"), ..Commit::offset(1) }, ErrorCode::UnknownMemberId),
    ] {
        let described = format!("{:?} of {:?}", commit.generation_id, commit.member_id);
        assert_eq!(host.commit_in_transaction(7, commit), expected, "{described}");
    }
    host.leave(&[(member, None)]);
    assert_eq!(host.state_name(), "Empty");
    let of_nobody = host.commit_in_transaction(7, Commit::by("stranger", -1, 1));
    assert_eq!(of_nobody, ErrorCode::None, "an empty group takes any");
}

#[test]
fn a_static_member_that_was_replaced_is_fenced() {
    let mut host = Host::new();
    let join = Join { api_version: 9, ..Join::instance("i") };
    let token = host.send_join(join.clone());
    host.advance(INITIAL_DELAY_MS);
    let before = host.joined(token);
    let leader = before.member_id.as_str();
    host.sync(sync(leader, before.generation_id, &[(leader, "a")]));
    let now = host.join(join);
    let commit = |member_id: &str| Commit {
        instance_id: Some("i"),
        ..Commit::by(member_id, before.generation_id, 1)
    };
    assert_eq!(host.commit_in_transaction(7, commit(leader)), ErrorCode::FencedInstanceId);
    assert_eq!(host.commit_in_transaction(7, commit(&now.member_id)), ErrorCode::None);
}

#[test]
fn an_unknown_group_is_made_unless_a_generation_is_named() {
    let mut host = Host::new();
    assert_eq!(host.commit_in_transaction(7, Commit::by("m", 1, 1)), ErrorCode::IllegalGeneration);
    let Request::TxnOffsetCommit { request, .. } = Commit::by("m", 1, 1).into_transaction(7) else {
        panic!()
    };
    let newest = host.call(Request::TxnOffsetCommit { request, api_version: 6 });
    let Response::TxnOffsetCommit(newest) = newest else { panic!("{newest:?}") };
    let heard = error(newest.topics[0].partitions[0].error_code);
    assert_eq!(heard, ErrorCode::GroupIdNotFound);
    assert_eq!(host.state_name(), "Dead");
    assert_eq!(host.commit_in_transaction(7, Commit::offset(1)), ErrorCode::None);
    assert_eq!(host.state_name(), "Empty");
    // What was aborted leaves an empty group, which goes at the next look.
    host.end_transaction(7, false);
    host.advance(600_000);
    assert_eq!(host.state_name(), "Dead");
}

/// The state of a group is no reason to refuse a member of its generation (Kafka's
/// `ClassicGroup.validateOffsetCommit`).
#[test]
fn commits_through_a_rebalance() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(1);
    let newcomer = host.send_join(Join { api_version: 3, ..Join::client("new") });
    let by = |generation_id| Commit::by(&members[0], generation_id, 5);
    assert_eq!(host.commit_in_transaction(7, by(generation)), ErrorCode::None);
    host.send_join(Join::member(&members[0]));
    host.joined(newcomer);
    assert_eq!(host.state_name(), "CompletingRebalance");
    assert_eq!(host.commit_in_transaction(7, by(generation)), ErrorCode::IllegalGeneration);
    assert_eq!(host.commit_in_transaction(7, by(generation + 1)), ErrorCode::None);
    assert_eq!(host.commit_offset(by(generation + 1)), ErrorCode::RebalanceInProgress);
}

#[test]
fn a_producer_keeps_no_session_of_a_consumer_alive() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(1);
    host.advance(i64::from(SESSION_TIMEOUT_MS) - 1);
    let commit = Commit::by(&members[0], generation, 1);
    assert_eq!(host.commit_in_transaction(7, commit), ErrorCode::None);
    host.advance(1);
    assert_eq!(host.heartbeat(&members[0], generation), ErrorCode::UnknownMemberId);
}

#[test]
fn what_is_too_large_is_refused_by_partition_or_as_a_whole() {
    let mut host = Host::new();
    let with = |metadata: usize, partitions: usize| {
        let commit = Commit { metadata: Some("x".repeat(metadata)), ..Commit::offset(1) };
        let Request::TxnOffsetCommit { mut request, api_version } = commit.into_transaction(7)
        else {
            panic!()
        };
        let partition = request.topics[0].partitions[0].clone();
        request.topics[0].partitions = (0..partitions as i32)
            .map(|n| TxnOffsetCommitRequestPartition {
                partition_index: n,
                committed_metadata: if n == 0 {
                    partition.committed_metadata.clone()
                } else {
                    partition.committed_metadata.as_ref().map(|metadata| metadata[1..].to_owned())
                },
                ..partition.clone()
            })
            .collect();
        Request::TxnOffsetCommit { request, api_version }
    };
    let errors = |host: &mut Host, request| match host.call(request) {
        Response::TxnOffsetCommit(response) => response.topics[0]
            .partitions
            .iter()
            .map(|partition| error(partition.error_code))
            .collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let one = errors(&mut host, with(4_097, 2));
    assert_eq!(one, [ErrorCode::OffsetMetadataTooLarge, ErrorCode::None]);
    assert_eq!(host.take_records().len(), 1);
    let all = errors(&mut host, with(4_000, 300));
    assert_eq!(all, [ErrorCode::InvalidCommitOffsetSize; 300]);
    assert!(host.take_records().is_empty());
    host.end_transaction(7, true);
    assert_eq!((seen(&mut host, 0).1, seen(&mut host, 1).1, seen(&mut host, 2).1), (-1, 1, -1));
}

/// Kafka's `OffsetMetadataManager` deletes what is pending with what is there.
#[test]
fn a_marker_brings_nothing_back_that_was_deleted() {
    let mut host = Host::new();
    host.commit_offset(Commit::offset(1));
    for partition in [0, 1] {
        host.commit_in_transaction(7, Commit { partition, ..Commit::offset(5) });
    }
    host.commit_in_transaction(8, Commit { partition: 1, ..Commit::offset(6) });
    host.take_records();
    let deleted = host.call(Request::DeleteGroup { group_id: GROUP.into() });
    let Response::DeleteGroup(deleted) = deleted else { panic!("{deleted:?}") };
    assert_eq!(deleted.error_code, 0);
    assert_eq!(host.take_records().len(), 3, "two partitions, and the group");
    assert_eq!(host.state_name(), "Dead");
    // What comes behind the tombstones is another matter.
    host.commit_in_transaction(8, Commit { partition: 2, ..Commit::offset(7) });
    for _ in 0..2 {
        host.end_transaction(7, true);
        host.end_transaction(8, true);
        assert_eq!([0, 1, 2].map(|partition| seen(&mut host, partition).1), [-1, -1, 7]);
        host.reload();
    }
}

#[test]
fn what_is_pending_is_deleted_on_request_and_with_its_topic() {
    let mut host = Host::new();
    let delete = |host: &mut Host, partition| {
        let topic = OffsetDeleteRequestTopic {
            name: "t".into(),
            partitions: vec![OffsetDeleteRequestPartition { partition_index: partition }],
        };
        let request = OffsetDeleteRequest { group_id: GROUP.into(), topics: vec![topic] };
        let answer = host.call(Request::OffsetDelete(request));
        assert!(matches!(answer, Response::OffsetDelete(response) if response.error_code == 0));
    };
    for (topic, partition) in [("t", 0), ("t", 1), ("u", 0)] {
        host.commit_in_transaction(7, Commit { topic, partition, ..Commit::offset(5) });
    }
    delete(&mut host, 0);
    let gone = TopicChange { name: "u".into(), id: Uuid::from_u128(1), partition_count: 0 };
    let actions = host.coordinator.topics_changed(&[gone], host.now_ms);
    assert_eq!(actions.batches.len(), 1);
    host.execute(actions);
    host.end_transaction(7, true);
    let found = [("t", 0), ("t", 1), ("u", 0)]
        .map(|(topic, partition)| host.fetch_offset(GROUP, topic, partition).committed_offset);
    assert_eq!(found, [-1, 5, -1]);
}

#[test]
fn an_open_transaction_keeps_the_offset_and_the_group() {
    let mut host = Host::new();
    for partition in [0, 1] {
        host.commit_offset(Commit { partition, ..Commit::offset(1) });
    }
    host.advance(6 * DAY_MS);
    host.commit_in_transaction(7, Commit::offset(5));
    // A group of which nothing is committed yet.
    host.commit_in_transaction(7, Commit { group_id: "new", ..Commit::offset(5) });
    host.advance(2 * DAY_MS);
    assert_eq!((seen(&mut host, 0), seen(&mut host, 1)), ((UNSTABLE, 1), (Ok(-1), -1)));
    host.advance(8 * DAY_MS);
    let groups = |host: &Host| host.coordinator.machine().groups.len();
    assert_eq!(groups(&host), 2);
    host.end_transaction(7, false);
    host.advance(DAY_MS);
    assert_eq!(groups(&host), 0);
}
