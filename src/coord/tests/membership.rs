//! Heartbeat, LeaveGroup, sessions.

use super::*;

#[test]
fn heartbeats_keep_a_member_and_silence_ends_it() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(2);
    for _ in 0..5 {
        host.advance(i64::from(SESSION_TIMEOUT_MS) - 1);
        for member_id in &members {
            assert_eq!(host.heartbeat(member_id, generation), ErrorCode::None);
        }
    }
    host.advance(5_000);
    assert_eq!(host.heartbeat(&members[0], generation), ErrorCode::None);
    host.advance(5_000);
    assert_eq!(host.heartbeat(&members[0], generation), ErrorCode::RebalanceInProgress);
    assert_eq!(host.heartbeat(&members[1], generation), ErrorCode::UnknownMemberId);
}

#[test]
fn heartbeat_refusals() {
    let mut host = Host::new();
    assert_eq!(host.heartbeat("m", 1), ErrorCode::UnknownMemberId);
    let (members, generation) = host.stable_group(1);
    assert_eq!(host.heartbeat("m", generation), ErrorCode::UnknownMemberId);
    assert_eq!(host.heartbeat(&members[0], generation - 1), ErrorCode::IllegalGeneration);
    assert_eq!(host.heartbeat_as(&members[0], generation, Some("i")), ErrorCode::UnknownMemberId);
    let nameless = HeartbeatRequest::default();
    assert_eq!(
        host.call(Request::Heartbeat(nameless.clone())),
        Request::Heartbeat(nameless).failed(ErrorCode::InvalidGroupId)
    );
}

#[test]
fn heartbeats_during_a_sync_are_fine() {
    let mut host = Host::new();
    let token = host.send_join(Join { api_version: 3, ..Join::client("c") });
    host.advance(INITIAL_DELAY_MS);
    let joined = host.joined(token);
    assert_eq!(host.state_name(), "CompletingRebalance");
    assert_eq!(host.heartbeat(&joined.member_id, joined.generation_id), ErrorCode::None);
}

#[test]
fn members_that_wait_in_a_rebalance_need_no_heartbeat() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(2);
    let waiting = host.send_join(Join::member(&members[0]));
    // The other one stays away; its own session outlives the first one's because it sends
    // heartbeats.
    for _ in 0..4 {
        host.advance(5_000);
        assert_eq!(host.heartbeat(&members[1], generation), ErrorCode::RebalanceInProgress);
    }
    assert_eq!(host.reply(waiting), None);
    host.advance(i64::from(SESSION_TIMEOUT_MS));
    assert_eq!(host.joined(waiting).generation_id, generation + 1);
    // From here on its session counts again.
    host.advance(i64::from(SESSION_TIMEOUT_MS));
    assert_eq!(host.heartbeat(&members[0], generation + 1), ErrorCode::UnknownMemberId);
}

#[test]
fn the_last_member_to_leave_empties_the_group() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(1);
    let left = host.leave(&[(&members[0], None)]);
    assert_eq!((left.len(), left[0].error_code, &left[0].member_id), (1, 0, &members[0]));
    let record = host.take_group_record();
    assert_eq!(
        (record.generation, record.protocol_type.as_str(), record.protocol),
        (generation + 1, "consumer", None)
    );
    assert_eq!((record.leader, record.members.len()), (None, 0));
    assert_eq!(host.state_name(), "Empty");
    assert_eq!(host.heartbeat(&members[0], generation), ErrorCode::UnknownMemberId);
    // Generations go on where they were.
    let token = host.send_join(Join { api_version: 3, ..Join::client("c") });
    host.advance(INITIAL_DELAY_MS);
    assert_eq!(host.joined(token).generation_id, generation + 2);
}

#[test]
fn leaving_starts_one_rebalance_for_all() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(3);
    let left = host.leave(&[
        (&members[0], None),
        ("stranger", None),
        (&members[1], None),
        ("", None),
        ("", Some("i")),
    ]);
    let errors: Vec<ErrorCode> = left.iter().map(|member| error(member.error_code)).collect();
    let unknown = ErrorCode::UnknownMemberId;
    assert_eq!(errors, [ErrorCode::None, unknown, ErrorCode::None, unknown, unknown]);
    let joined = host.join(Join::member(&members[2]));
    assert_eq!((joined.generation_id, joined.leader), (generation + 1, members[2].clone()));
}

#[test]
fn leaving_answers_what_the_member_waits_for() {
    let mut host = Host::new();
    let (members, _) = host.stable_group(2);
    let waiting = host.send_join(Join::member(&members[0]));
    host.leave(&[(&members[0], None)]);
    let answer = host.joined(waiting);
    assert_eq!(
        (error(answer.error_code), answer.member_id.as_str()),
        (ErrorCode::UnknownMemberId, "")
    );
    // In the sync phase the same holds.
    let rejoined = host.join(Join::member(&members[1]));
    let newcomer = host.send_join(Join { api_version: 3, ..Join::client("new") });
    let leader = host.send_join(Join::member(&members[1]));
    let (newcomer, leader) = (host.joined(newcomer), host.joined(leader));
    assert_eq!(leader.generation_id, rejoined.generation_id + 1);
    let syncing = host.send(sync_request(&newcomer.member_id, newcomer.generation_id, &[]));
    host.leave(&[(&newcomer.member_id, None)]);
    assert_eq!(error(host.synced(syncing).error_code), ErrorCode::UnknownMemberId);
}

#[test]
fn a_pending_member_can_leave() {
    let mut host = Host::new();
    let pending = host.join(Join::client("c")).member_id;
    assert_eq!(host.leave(&[(&pending, None)])[0].error_code, 0);
    assert_eq!(error(host.join(Join::member(&pending)).error_code), ErrorCode::UnknownMemberId);
}

#[test]
fn old_versions_of_leave_carry_one_error() {
    let mut host = Host::new();
    let leave = |host: &mut Host, member_id: &str, api_version| {
        let request = LeaveGroupRequest {
            group_id: GROUP.into(),
            member_id: member_id.into(),
            ..Default::default()
        };
        match host.call(Request::LeaveGroup { request, api_version }) {
            Response::LeaveGroup(response) => {
                assert!(response.members.is_empty());
                error(response.error_code)
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(leave(&mut host, "m", 1), ErrorCode::UnknownMemberId);
    let (members, _) = host.stable_group(1);
    assert_eq!(leave(&mut host, "m", 2), ErrorCode::UnknownMemberId);
    assert_eq!(leave(&mut host, &members[0], 0), ErrorCode::None);
    assert_eq!(host.state_name(), "Empty");
    let request = LeaveGroupRequest::default();
    let nameless = Request::LeaveGroup { request, api_version: 5 };
    assert_eq!(host.call(nameless.clone()), nameless.failed(ErrorCode::InvalidGroupId));
}

#[test]
fn a_group_nobody_knows_has_nobody_to_leave() {
    let mut host = Host::new();
    let left = host.leave(&[("m", Some("i"))]);
    assert_eq!(error(left[0].error_code), ErrorCode::UnknownMemberId);
    assert_eq!(
        (left[0].member_id.as_str(), left[0].group_instance_id.as_deref()),
        ("m", Some("i"))
    );
}

#[test]
fn everybody_gone_while_the_first_rebalance_waits() {
    let mut host = Host::new();
    let token = host.send_join(Join { api_version: 3, ..Join::client("c") });
    let member_id = host.coordinator.machine().classic(GROUP).unwrap().leader.clone().unwrap();
    host.leave(&[(&member_id, None)]);
    assert_eq!(error(host.joined(token).error_code), ErrorCode::UnknownMemberId);
    host.advance(INITIAL_DELAY_MS);
    assert_eq!(host.state_name(), "Empty");
}
