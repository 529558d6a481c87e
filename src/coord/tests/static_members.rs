//! Static membership (KIP-345, KIP-814): instances that come back without their member id.

use super::*;

/// A stable group of two static members `i0` (leader) and `i1`.
fn static_group(host: &mut Host) -> (Vec<String>, i32) {
    let tokens: Vec<ReplyToken> =
        ["i0", "i1"].into_iter().map(|id| host.send_join(Join::instance(id))).collect();
    host.advance(2 * INITIAL_DELAY_MS);
    let joined: Vec<JoinGroupResponse> =
        tokens.into_iter().map(|token| host.joined(token)).collect();
    let generation_id = joined[0].generation_id;
    assert_eq!(joined[0].leader, joined[0].member_id);
    let member_ids: Vec<String> = joined.into_iter().map(|response| response.member_id).collect();
    let assignments = [(member_ids[0].as_str(), "A"), (member_ids[1].as_str(), "B")];
    assert_eq!(host.sync(sync(&member_ids[0], generation_id, &assignments)).error_code, 0);
    assert_eq!(&host.sync(sync(&member_ids[1], generation_id, &[])).assignment[..], b"B");
    host.take_records();
    (member_ids, generation_id)
}

#[test]
fn static_members_join_at_once_and_are_named_after_their_instance() {
    let mut host = Host::new();
    let (members, _) = static_group(&mut host);
    assert!(members[0].starts_with("i0-") && members[1].starts_with("i1-"));
}

#[test]
fn a_follower_that_restarts_keeps_its_assignment_without_a_rebalance() {
    let mut host = Host::new();
    let (members, generation) = static_group(&mut host);
    let back = host.join(Join::instance("i1"));
    assert_eq!((back.error_code, back.generation_id, &back.leader), (0, generation, &members[0]));
    assert!(back.member_id.starts_with("i1-") && back.member_id != members[1]);
    assert!(!back.skip_assignment && back.members.is_empty());
    assert_eq!(host.state_name(), "Stable");
    let record = host.take_group_record();
    let member = record
        .members
        .iter()
        .find(|member| member.group_instance_id.as_deref() == Some("i1"))
        .unwrap();
    assert_eq!((&member.member_id, &member.assignment[..]), (&back.member_id, &b"B"[..]));
    assert_eq!(&host.sync(sync(&back.member_id, generation, &[])).assignment[..], b"B");
    // The one that went is fenced if it is still there.
    assert_eq!(host.heartbeat_as(&members[1], generation, Some("i1")), ErrorCode::FencedInstanceId);
    assert_eq!(host.heartbeat_as(&back.member_id, generation, Some("i1")), ErrorCode::None);
    let fenced = Commit { instance_id: Some("i1"), ..Commit::by(&members[1], generation, 1) };
    assert_eq!(host.commit_offset(fenced), ErrorCode::FencedInstanceId);
    let fenced = host.join(Join { member_id: members[1].clone(), ..Join::instance("i1") });
    assert_eq!(error(fenced.error_code), ErrorCode::FencedInstanceId);
    let fenced = host.sync(SyncGroupRequest {
        group_instance_id: Some("i1".into()),
        ..sync(&members[1], generation, &[])
    });
    assert_eq!(error(fenced.error_code), ErrorCode::FencedInstanceId);
    assert_eq!(
        error(host.leave(&[(&members[1], Some("i1"))])[0].error_code),
        ErrorCode::FencedInstanceId
    );
}

#[test]
fn a_leader_that_restarts_leads_on_without_assigning() {
    let mut host = Host::new();
    let (members, generation) = static_group(&mut host);
    let back = host.join(Join::instance("i0"));
    assert_eq!(
        (back.error_code, back.generation_id, &back.leader),
        (0, generation, &back.member_id)
    );
    assert!(back.skip_assignment);
    assert_eq!(back.members.len(), 2);
    assert_ne!(back.member_id, members[0]);
    assert_eq!(host.take_group_record().leader.as_ref(), Some(&back.member_id));
    assert_eq!(&host.sync(sync(&back.member_id, generation, &[])).assignment[..], b"A");
    assert_eq!(host.state_name(), "Stable");
}

#[test]
fn an_old_leader_that_restarts_is_told_that_its_former_self_leads() {
    let mut host = Host::new();
    let (members, generation) = static_group(&mut host);
    let back = host.join(Join { api_version: 8, ..Join::instance("i0") });
    assert_eq!((back.error_code, back.generation_id, &back.leader), (0, generation, &members[0]));
    assert!(!back.skip_assignment && back.members.is_empty());
    assert_eq!(&host.sync(sync(&back.member_id, generation, &[])).assignment[..], b"A");
}

#[test]
fn a_restart_that_changes_the_protocol_rebalances() {
    let mut host = Host::new();
    let both =
        |id| Join { protocols: vec![("range", vec![]), ("sticky", vec![])], ..Join::instance(id) };
    let tokens: Vec<ReplyToken> =
        ["i0", "i1"].into_iter().map(|id| host.send_join(both(id))).collect();
    host.advance(2 * INITIAL_DELAY_MS);
    let joined: Vec<JoinGroupResponse> =
        tokens.into_iter().map(|token| host.joined(token)).collect();
    host.sync(sync(&joined[0].leader, joined[0].generation_id, &[]));
    let back = host.send_join(Join { protocols: vec![("sticky", vec![])], ..Join::instance("i1") });
    assert_eq!(host.reply(back), None);
    assert_eq!(host.state_name(), "PreparingRebalance");
    let leader = host.send_join(Join { member_id: joined[0].member_id.clone(), ..both("i0") });
    assert_eq!(host.joined(leader).protocol_name.as_deref(), Some("sticky"));
    assert_eq!(host.joined(back).protocol_name.as_deref(), Some("sticky"));
}

#[test]
fn a_restart_while_others_wait_for_their_assignment_rebalances() {
    let mut host = Host::new();
    let tokens: Vec<ReplyToken> =
        ["i0", "i1"].into_iter().map(|id| host.send_join(Join::instance(id))).collect();
    host.advance(2 * INITIAL_DELAY_MS);
    let joined: Vec<JoinGroupResponse> =
        tokens.into_iter().map(|token| host.joined(token)).collect();
    let waiting = host.send(sync_request(&joined[1].member_id, joined[1].generation_id, &[]));
    let back = host.send_join(Join::instance("i1"));
    assert_eq!(error(host.synced(waiting).error_code), ErrorCode::FencedInstanceId);
    assert_eq!(host.state_name(), "PreparingRebalance");
    host.send_join(Join { member_id: joined[0].member_id.clone(), ..Join::instance("i0") });
    assert_eq!(host.joined(back).generation_id, joined[0].generation_id + 1);
}

#[test]
fn a_restart_during_a_join_takes_the_waiting_ones_place() {
    let mut host = Host::new();
    let first = host.send_join(Join::instance("i0"));
    let second = host.send_join(Join::instance("i0"));
    let fenced = host.joined(first);
    assert_eq!(error(fenced.error_code), ErrorCode::FencedInstanceId);
    host.advance(2 * INITIAL_DELAY_MS);
    let joined = host.joined(second);
    assert_eq!((joined.error_code, joined.members.len()), (0, 1));
}

#[test]
fn static_members_are_not_dropped_for_joining_late_but_for_silence() {
    let mut host = Host::new();
    let (members, generation) = static_group(&mut host);
    let leader = host.send_join(Join { member_id: members[0].clone(), ..Join::instance("i0") });
    for _ in 0..(REBALANCE_TIMEOUT_MS / 5_000) {
        host.heartbeat_as(&members[1], generation, Some("i1"));
        host.advance(5_000);
    }
    let joined = host.joined(leader);
    assert_eq!((joined.generation_id, joined.members.len()), (generation + 1, 2));
    host.sync(sync(&members[0], generation + 1, &[]));
    host.advance(5_000);
    host.heartbeat(&members[0], generation + 1);
    host.advance(5_000);
    assert_eq!(
        host.heartbeat_as(&members[1], generation + 1, Some("i1")),
        ErrorCode::UnknownMemberId
    );
}

#[test]
fn a_rebalance_without_anybody_goes_on_until_sessions_end() {
    let mut host = Host::new();
    let long = |id| Join { session_timeout_ms: 200_000, ..Join::instance(id) };
    let tokens: Vec<ReplyToken> =
        ["i0", "i1"].into_iter().map(|id| host.send_join(long(id))).collect();
    host.advance(2 * INITIAL_DELAY_MS);
    let joined: Vec<JoinGroupResponse> =
        tokens.into_iter().map(|token| host.joined(token)).collect();
    host.sync(sync(&joined[0].leader, 1, &[]));
    host.sync(sync(&joined[1].member_id, 1, &[]));
    host.take_records();
    // A third member makes them rebalance, and goes.
    let newcomer = host.join(Join::client("c")).member_id;
    host.send_join(Join::member(&newcomer));
    host.leave(&[(&newcomer, None)]);
    host.advance(2 * i64::from(REBALANCE_TIMEOUT_MS));
    assert_eq!(host.state_name(), "PreparingRebalance");
    host.advance(200_000);
    assert_eq!(host.state_name(), "Empty");
    assert_eq!(host.take_group_record().generation, 2);
}

#[test]
fn an_administrator_removes_an_instance_by_its_name() {
    let mut host = Host::new();
    let (members, generation) = static_group(&mut host);
    let left = host.leave(&[("", Some("i1")), ("", Some("i9"))]);
    assert_eq!((left[0].error_code, left[0].member_id.as_str()), (0, ""));
    assert_eq!(error(left[1].error_code), ErrorCode::UnknownMemberId);
    assert_eq!(host.heartbeat_as(&members[1], generation, Some("i1")), ErrorCode::UnknownMemberId);
    assert_eq!(
        host.heartbeat_as(&members[0], generation, Some("i0")),
        ErrorCode::RebalanceInProgress
    );
}

#[test]
fn an_unknown_instance_with_a_member_id_is_no_member() {
    let mut host = Host::new();
    let (members, _) = static_group(&mut host);
    let refused = host.join(Join { member_id: members[0].clone(), ..Join::instance("i7") });
    assert_eq!(error(refused.error_code), ErrorCode::UnknownMemberId);
}

#[test]
fn a_rebalance_timeout_of_next_to_nothing_keeps_nothing_busy() {
    let mut host = Host::new();
    let hasty = |id| Join { rebalance_timeout_ms: 1, ..Join::instance(id) };
    let first = host.send_join(hasty("i0"));
    host.advance(INITIAL_DELAY_MS);
    let first = host.joined(first);
    assert_eq!(host.sync(sync(&first.member_id, 1, &[])).error_code, 0);
    // Another member comes and goes; the static member does not rejoin, and is not waited for
    // longer than it wants.
    let other =
        host.send_join(Join { api_version: 3, rebalance_timeout_ms: 1, ..Join::client("c") });
    assert_eq!(host.state_name(), "PreparingRebalance");
    host.advance(1);
    assert_eq!(host.joined(other).generation_id, 2);
    host.advance(1);
    assert_eq!(host.state_name(), "Empty", "neither has sent SyncGroup in time");
}

#[test]
fn a_join_phase_without_anybody_is_looked_at_once_a_second() {
    let mut host = Host::new();
    let hasty = |id| Join { rebalance_timeout_ms: 1, ..Join::instance(id) };
    let token = host.send_join(hasty("i0"));
    host.advance(INITIAL_DELAY_MS);
    let member_id = host.joined(token).member_id;
    assert_eq!(host.sync(sync(&member_id, 1, &[])).error_code, 0);
    let pending = host.join(Join::client("c")).member_id;
    assert_eq!(host.leave(&[(&pending, None)])[0].error_code, 0);
    assert_eq!(host.state_name(), "PreparingRebalance");
    host.advance(1);
    let next_look_ms = host.coordinator.next_deadline_ms().unwrap();
    assert_eq!(next_look_ms - host.now_ms, 1_000);
    host.advance(i64::from(SESSION_TIMEOUT_MS));
    assert_eq!(host.state_name(), "Empty");
}

#[test]
fn a_restart_before_the_first_sync_still_owes_one() {
    let mut host = Host::new();
    let tokens: Vec<ReplyToken> =
        ["i0", "i1"].into_iter().map(|id| host.send_join(Join::instance(id))).collect();
    host.advance(2 * INITIAL_DELAY_MS);
    let joined: Vec<JoinGroupResponse> =
        tokens.into_iter().map(|token| host.joined(token)).collect();
    let (leader, generation) = (joined[0].member_id.clone(), joined[0].generation_id);
    assert_eq!(host.sync(sync(&leader, generation, &[])).error_code, 0);
    let back = host.join(Join::instance("i1"));
    assert_eq!((back.error_code, back.generation_id), (0, generation));
    for _ in 0..(REBALANCE_TIMEOUT_MS / 5_000) {
        assert_eq!(host.heartbeat(&leader, generation), ErrorCode::None);
        assert_eq!(host.heartbeat(&back.member_id, generation), ErrorCode::None);
        host.advance(5_000);
    }
    assert_eq!(host.heartbeat(&back.member_id, generation), ErrorCode::UnknownMemberId);
    assert_eq!(host.heartbeat(&leader, generation), ErrorCode::RebalanceInProgress);
}
