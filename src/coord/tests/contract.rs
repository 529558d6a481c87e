//! What the coordinator promises its host: when replies leave, and what a failed append means.

use protocol::messages::ListGroupsRequest;

use super::*;

#[test]
fn replies_wait_for_everything_written_before_them() {
    let mut host = Host::new();
    host.hold_commits = true;
    let commit =
        Request::OffsetCommit { request: Commit::offset(1).into_request(), api_version: 9 };
    let first = host.send(commit.clone());
    let written_by_first = host.next_offset;
    let read = host.send(Request::DescribeGroup { group_id: GROUP.into(), api_version: 5 });
    let second = host.send(commit);
    assert!(host.replies.is_empty());
    // Half of it is committed: the read sees nothing of what the second commit wrote.
    let replies = host.coordinator.committed(written_by_first).replies;
    host.take_replies(replies);
    assert!(
        host.reply(first).is_some() && host.reply(read).is_some() && host.reply(second).is_none()
    );
    host.commit();
    assert!(host.reply(second).is_some());
    // Nothing is outstanding, so answers are immediate.
    assert_eq!(host.state_name(), "Empty");
}

#[test]
fn a_high_watermark_that_goes_back_releases_nothing() {
    let mut host = Host::new();
    host.hold_commits = true;
    let token = host
        .send(Request::OffsetCommit { request: Commit::offset(1).into_request(), api_version: 9 });
    assert_eq!(host.coordinator.committed(0).replies, vec![]);
    host.commit();
    assert!(host.reply(token).is_some());
    assert_eq!(host.coordinator.committed(0).replies, vec![]);
}

#[test]
fn a_batch_may_be_reported_after_later_events() {
    let mut host = Host::new();
    let commit =
        Request::OffsetCommit { request: Commit::offset(1).into_request(), api_version: 9 };
    let first = host.coordinator.handle(ReplyToken(100), commit.clone(), START_MS);
    let second = host.coordinator.handle(ReplyToken(101), commit, START_MS);
    assert_eq!((first.batches.len(), second.batches.len()), (1, 1));
    assert_eq!(
        host.coordinator.committed(1_000).replies,
        vec![],
        "neither is known to be in the log"
    );
    host.coordinator.appended(10);
    let released: Vec<u64> =
        host.coordinator.committed(11).replies.into_iter().map(|reply| reply.token.0).collect();
    assert_eq!(released, [100]);
    host.coordinator.appended(11);
    let released: Vec<u64> =
        host.coordinator.committed(12).replies.into_iter().map(|reply| reply.token.0).collect();
    assert_eq!(released, [101]);
}

/// The offsets of a transaction must not be seen before its marker is sure to stay.
#[test]
fn replies_wait_for_a_marker_that_is_not_committed() {
    let mut host = Host::new();
    assert_eq!(host.commit_in_transaction(7, Commit::offset(5)), ErrorCode::None);
    host.hold_commits = true;
    let before = host.fetch_as(GROUP, "t", 0, false).committed_offset;
    host.end_transaction(7, true);
    let topic = OffsetFetchRequestTopics {
        name: "t".into(),
        partition_indexes: vec![0],
        ..Default::default()
    };
    let group = OffsetFetchRequestGroup {
        group_id: GROUP.into(),
        topics: Some(vec![topic]),
        ..Default::default()
    };
    let fetch = Request::OffsetFetch { group, require_stable: true };
    let read = host.send(fetch.clone());
    let actions = host.coordinator.committed(host.next_offset - 1);
    assert!(actions.replies.is_empty(), "all but the marker is committed");
    assert!(host.reply(read).is_none());
    host.commit();
    let Some(Response::OffsetFetch(response)) = host.reply(read) else { panic!() };
    assert_eq!((before, response.topics[0].partitions[0].committed_offset), (-1, 5));
    // One that is lost takes the replies along that could have shown it.
    let lost = host.send(Commit::offset(6).into_transaction(7));
    assert!(host.reply(lost).is_none());
    host.end_transaction(7, true);
    let read = host.send(fetch);
    host.log.truncate(host.committed_batches);
    host.reload();
    let Some(Response::OffsetFetch(response)) = host.reply(read) else { panic!() };
    assert_eq!(error(response.error_code), ErrorCode::NotCoordinator);
    host.hold_commits = false;
    assert_eq!(host.fetch_offset(GROUP, "t", 0).committed_offset, 5);
    // A coordinator that is given up hears of no marker any more.
    assert!(host.coordinator.unload().is_empty());
    host.coordinator.transaction_ended(7, true);
    host.coordinator.appended(99);
    assert!(host.coordinator.committed(100).replies.is_empty());
}

#[test]
fn a_clock_that_jumps_ends_no_session_and_stops_none() {
    for jump_ms in [3_600_000, -3_600_000] {
        let mut host = Host::new();
        let (members, generation) = host.stable_group(1);
        host.advance(5_000);
        host.now_ms += jump_ms;
        let actions = host.coordinator.tick(host.now_ms);
        host.execute(actions);
        assert_eq!(host.heartbeat(&members[0], generation), ErrorCode::None);
        host.advance(i64::from(SESSION_TIMEOUT_MS) - 1);
        assert_eq!(host.heartbeat(&members[0], generation), ErrorCode::None);
        host.advance(i64::from(SESSION_TIMEOUT_MS));
        assert_eq!(host.heartbeat(&members[0], generation), ErrorCode::UnknownMemberId);
    }
}

/// An append fails: no client has seen anything of its event, nor of later ones; the log is the
/// truth.
#[test]
fn a_failed_append_is_as_if_it_had_never_been_asked_for() {
    let mut host = Host::new();
    host.commit_offset(Commit::offset(1));
    let (members, generation) = host.stable_group(2);
    assert_eq!(host.commit_offset(Commit::by(&members[0], generation, 2)), ErrorCode::None);
    let now_ms = host.now_ms;
    let commit = Commit::by(&members[0], generation, 99).into_request();
    let lost = host.coordinator.handle(
        ReplyToken(900),
        Request::OffsetCommit { request: commit, api_version: 9 },
        now_ms,
    );
    assert_eq!((lost.batches.len(), lost.replies), (1, vec![]));
    let all =
        OffsetFetchRequestGroup { group_id: GROUP.into(), topics: None, ..Default::default() };
    let fetch = Request::OffsetFetch { group: all, require_stable: true };
    let seen = host.coordinator.handle(ReplyToken(901), fetch, now_ms);
    assert_eq!((seen.batches.len(), seen.replies), (0, vec![]), "who would see it waits");
    let waiting = host.send_join(Join::member(&members[0]));
    host.reload();
    for token in [ReplyToken(900), ReplyToken(901), waiting] {
        let answer = host.reply(token).expect("every request is answered");
        let code = match answer {
            Response::OffsetCommit(response) => response.topics[0].partitions[0].error_code,
            Response::OffsetFetch(response) => {
                assert!(response.topics.is_empty());
                response.error_code
            }
            Response::JoinGroup(response) => response.error_code,
            other => panic!("{other:?}"),
        };
        assert_eq!(error(code), ErrorCode::NotCoordinator);
    }
    assert_eq!(host.fetch_offset(GROUP, "t", 0).committed_offset, 2);
    for member_id in &members {
        assert_eq!(
            host.heartbeat(member_id, generation),
            ErrorCode::None,
            "members notice nothing"
        );
    }
}

#[test]
fn an_assignment_whose_append_failed_reaches_nobody() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(2);
    let rejoins: Vec<ReplyToken> =
        members.iter().map(|member_id| host.send_join(Join::member(member_id))).collect();
    assert_eq!(host.joined(rejoins[0]).generation_id, generation + 1);
    host.joined(rejoins[1]);
    let leader_sync = sync_request(&members[0], generation + 1, &[(&members[0], "lost")]);
    let lost = host.coordinator.handle(ReplyToken(900), leader_sync, host.now_ms);
    assert_eq!((lost.batches.len(), lost.replies), (1, vec![]));
    let follower = host.coordinator.handle(
        ReplyToken(901),
        sync_request(&members[1], generation + 1, &[]),
        host.now_ms,
    );
    assert_eq!((follower.batches.len(), follower.replies), (0, vec![]));
    host.reload();
    for token in [ReplyToken(900), ReplyToken(901)] {
        assert_eq!(error(host.synced(token).error_code), ErrorCode::NotCoordinator);
    }
    // The last generation that was written is the last there was: members that know of a later one
    // join again.
    assert_eq!(host.heartbeat(&members[0], generation + 1), ErrorCode::IllegalGeneration);
    assert_eq!(
        host.join(Join { member_id: members[1].clone(), ..Join::member("") }).generation_id,
        generation
    );
    assert_eq!(
        &host.sync(sync(&members[1], generation, &[])).assignment[..],
        members[1].as_bytes()
    );
}

#[test]
fn nobody_is_served_before_the_log_is_read_or_after_the_partition_is_gone() {
    let every = |api_version| {
        vec![
            Join::client("c").into_request(1),
            sync_request("m", 1, &[]),
            Request::LeaveGroup {
                request: LeaveGroupRequest { group_id: GROUP.into(), ..Default::default() },
                api_version,
            },
            Request::OffsetCommit { request: Commit::offset(1).into_request(), api_version },
            Commit::offset(1).into_transaction(7),
            Request::OffsetFetch {
                group: OffsetFetchRequestGroup::default(),
                require_stable: false,
            },
            Request::OffsetDelete(Default::default()),
            Request::DescribeGroup { group_id: GROUP.into(), api_version },
            Request::DeleteGroup { group_id: GROUP.into() },
            Request::ListGroups(ListGroupsRequest::default()),
        ]
    };
    let mut coordinator = Coordinator::new(GroupSettings::default());
    let answer = |coordinator: &mut Coordinator, request: &Request| {
        let actions = coordinator.handle(ReplyToken(1), request.clone(), 5);
        assert_eq!((actions.batches.len(), actions.replies.len()), (0, 1));
        actions.replies.into_iter().next().unwrap().response
    };
    for request in every(5) {
        assert_eq!(
            answer(&mut coordinator, &request),
            request.failed(ErrorCode::CoordinatorLoadInProgress)
        );
    }
    let heartbeat = Request::Heartbeat(HeartbeatRequest::default());
    assert_eq!(
        answer(&mut coordinator, &heartbeat),
        heartbeat.failed(ErrorCode::None),
        "a member is not frightened"
    );
    assert!(coordinator.tick(i64::MAX).batches.is_empty());
    assert_eq!(coordinator.next_deadline_ms(), None);
    assert_eq!(coordinator.unload(), vec![]);
    for request in every(5).into_iter().chain([heartbeat]) {
        assert_eq!(answer(&mut coordinator, &request), request.failed(ErrorCode::NotCoordinator));
    }
    assert_eq!(coordinator.next_deadline_ms(), None);
    // A completion that was under way when the partition went must do no harm.
    coordinator.appended(3);
    assert_eq!(coordinator.committed(4).replies, vec![]);
}
