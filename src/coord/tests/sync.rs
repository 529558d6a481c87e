//! SyncGroup.

use super::*;

/// Two members in CompletingRebalance, the leader first, and their generation.
fn joined_group(host: &mut Host) -> (Vec<String>, i32) {
    let tokens: Vec<ReplyToken> =
        (0..2).map(|_| host.send_join(Join { api_version: 3, ..Join::client("c") })).collect();
    host.advance(2 * INITIAL_DELAY_MS);
    let joined: Vec<JoinGroupResponse> =
        tokens.into_iter().map(|token| host.joined(token)).collect();
    let mut member_ids: Vec<String> =
        joined.iter().map(|response| response.member_id.clone()).collect();
    member_ids.sort_by_key(|member_id| *member_id != joined[0].leader);
    host.take_records();
    (member_ids, joined[0].generation_id)
}

#[test]
fn followers_wait_for_the_leaders_assignment_which_is_written_first() {
    let mut host = Host::new();
    let (members, generation) = joined_group(&mut host);
    let follower = host.send(sync_request(&members[1], generation, &[("ignored", "x")]));
    assert_eq!(host.reply(follower), None);
    host.hold_commits = true;
    let leader = host.send(sync_request(
        &members[0],
        generation,
        &[(&members[0], "A"), (&members[1], "B"), ("stranger", "C")],
    ));
    assert_eq!(
        (host.reply(leader), host.reply(follower)),
        (None, None),
        "the assignment could still be lost"
    );
    host.commit();
    let (leader, follower) = (host.synced(leader), host.synced(follower));
    assert_eq!((&leader.assignment[..], &follower.assignment[..]), (&b"A"[..], &b"B"[..]));
    assert_eq!(leader.protocol_name.as_deref(), Some("range"));
    assert_eq!(leader.protocol_type.as_deref(), Some("consumer"));

    let record = host.take_group_record();
    assert_eq!((record.generation, record.protocol_type.as_str()), (generation, "consumer"));
    assert_eq!(
        (record.protocol.as_deref(), record.leader.as_deref()),
        (Some("range"), Some(members[0].as_str()))
    );
    assert_eq!(record.members.len(), 2);
    let member = record.members.iter().find(|member| member.member_id == members[1]).unwrap();
    assert_eq!((member.client_id.as_str(), member.client_host.as_str()), ("c", "/127.0.0.1"));
    assert_eq!(
        (member.session_timeout, member.rebalance_timeout),
        (SESSION_TIMEOUT_MS, REBALANCE_TIMEOUT_MS)
    );
    assert_eq!(
        (&member.subscription[..], &member.assignment[..]),
        (&subscription(&["t"])[..], &b"B"[..])
    );
    assert_eq!(member.group_instance_id, None);
}

#[test]
fn a_stable_group_repeats_assignments_once_they_are_committed() {
    let mut host = Host::new();
    let (members, generation) = joined_group(&mut host);
    host.hold_commits = true;
    host.send(sync_request(&members[0], generation, &[(&members[1], "B")]));
    let late = host.send(sync_request(&members[1], generation, &[]));
    assert_eq!(host.reply(late), None);
    host.commit();
    assert_eq!(&host.synced(late).assignment[..], b"B");
    host.hold_commits = false;
    let forgotten = host.sync(sync(&members[0], generation, &[]));
    assert_eq!(
        (forgotten.error_code, forgotten.assignment.len()),
        (0, 0),
        "the leader gave itself nothing"
    );
}

#[test]
fn refusals() {
    let mut host = Host::new();
    let unknown = host.sync(sync("m", 1, &[]));
    assert_eq!(error(unknown.error_code), ErrorCode::UnknownMemberId);
    let (members, generation) = joined_group(&mut host);
    let nameless = SyncGroupRequest { group_id: String::new(), ..sync("m", 1, &[]) };
    let instance = SyncGroupRequest {
        group_instance_id: Some("i".into()),
        ..sync(&members[0], generation, &[])
    };
    for (request, expected) in [
        (nameless, ErrorCode::InvalidGroupId),
        (sync("stranger", generation, &[]), ErrorCode::UnknownMemberId),
        (instance, ErrorCode::UnknownMemberId),
        (sync(&members[0], generation - 1, &[]), ErrorCode::IllegalGeneration),
        (sync(&members[0], generation + 1, &[]), ErrorCode::IllegalGeneration),
    ] {
        assert_eq!(error(host.sync(request).error_code), expected);
    }
    host.send_join(Join { api_version: 3, ..Join::client("new") });
    assert_eq!(
        error(host.sync(sync(&members[0], generation, &[])).error_code),
        ErrorCode::RebalanceInProgress
    );
    assert!(host.take_records().is_empty());
}

#[test]
fn version_5_names_the_protocol() {
    let mut host = Host::new();
    let (members, generation) = joined_group(&mut host);
    let mut ask = |protocol_type: Option<&str>, protocol_name: Option<&str>| {
        let request = SyncGroupRequest {
            protocol_type: protocol_type.map(str::to_owned),
            protocol_name: protocol_name.map(str::to_owned),
            ..sync(&members[0], generation, &[])
        };
        let token = host.send(Request::SyncGroup { request, api_version: 5 });
        error(host.synced(token).error_code)
    };
    for (protocol_type, protocol_name) in [
        (None, None),
        (Some("consumer"), None),
        (Some("connect"), Some("range")),
        (Some("consumer"), Some("sticky")),
    ] {
        assert_eq!(ask(protocol_type, protocol_name), ErrorCode::InconsistentGroupProtocol);
    }
    assert_eq!(ask(Some("consumer"), Some("range")), ErrorCode::None);
}

#[test]
fn a_rebalance_interrupts_those_who_wait() {
    let mut host = Host::new();
    let (members, generation) = joined_group(&mut host);
    let follower = host.send(sync_request(&members[1], generation, &[]));
    host.send_join(Join { api_version: 3, ..Join::client("new") });
    assert_eq!(error(host.synced(follower).error_code), ErrorCode::RebalanceInProgress);
}

#[test]
fn a_sync_that_is_sent_again_supersedes_the_first() {
    let mut host = Host::new();
    let (members, generation) = joined_group(&mut host);
    let first = host.send(sync_request(&members[1], generation, &[]));
    let second = host.send(sync_request(&members[1], generation, &[]));
    assert_eq!(error(host.synced(first).error_code), ErrorCode::RebalanceInProgress);
    host.sync(sync(&members[0], generation, &[(&members[1], "B")]));
    assert_eq!(&host.synced(second).assignment[..], b"B");
}

#[test]
fn members_that_never_sync_are_removed_after_the_rebalance_timeout() {
    let mut host = Host::new();
    let (members, generation) = joined_group(&mut host);
    let leader = host.send(sync_request(&members[0], generation, &[(&members[1], "B")]));
    assert_eq!(host.synced(leader).error_code, 0);
    for _ in 0..(REBALANCE_TIMEOUT_MS / 5_000) {
        assert_eq!(host.heartbeat(&members[0], generation), ErrorCode::None);
        host.heartbeat(&members[1], generation);
        host.advance(5_000);
    }
    assert_eq!(host.heartbeat(&members[0], generation), ErrorCode::RebalanceInProgress);
    assert_eq!(host.heartbeat(&members[1], generation), ErrorCode::UnknownMemberId);
    let alone = host.join(Join::member(&members[0]));
    assert_eq!((alone.generation_id, alone.members.len()), (generation + 1, 1));
}

#[test]
fn a_leader_that_never_syncs_is_removed_and_the_others_start_over() {
    let mut host = Host::new();
    let (members, generation) = joined_group(&mut host);
    let follower = host.send(sync_request(&members[1], generation, &[]));
    for _ in 0..(REBALANCE_TIMEOUT_MS / 5_000) {
        host.heartbeat(&members[0], generation);
        host.advance(5_000);
    }
    assert_eq!(error(host.synced(follower).error_code), ErrorCode::RebalanceInProgress);
    assert_eq!(host.join(Join::member(&members[1])).leader, members[1]);
}

#[test]
fn an_assignment_that_fits_no_record_is_refused_and_the_neighbours_live_on() {
    let mut host = Host::new();
    let (members, generation) = joined_group(&mut host);
    let follower = host.send(sync_request(&members[1], generation, &[]));
    let huge = "x".repeat(2 << 20);
    let leader = host.send(sync_request(&members[0], generation, &[(&members[1], &huge)]));
    for token in [leader, follower] {
        assert_eq!(error(host.synced(token).error_code), ErrorCode::UnknownServerError);
    }
    assert_eq!(host.state_name(), "PreparingRebalance");
    assert!(host.take_records().is_empty());
    assert_eq!(
        host.commit_offset(Commit { group_id: "neighbour", ..Commit::offset(1) }),
        ErrorCode::None
    );
}

#[test]
fn what_a_group_keeps_does_not_hold_on_to_the_request() {
    let mut host = Host::new();
    let (members, generation) = joined_group(&mut host);
    let frame = Bytes::from(vec![b'x'; 1 << 20]);
    let mut request = sync(&members[0], generation, &[(&members[0], "")]);
    request.assignments[0].assignment = frame.slice(10..20);
    assert_eq!(host.sync(request).error_code, 0);
    assert!(frame.is_unique(), "the frame's buffer is free again");
}
