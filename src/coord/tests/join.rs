//! JoinGroup of dynamic members.

use super::*;

#[test]
fn a_new_dynamic_member_learns_its_id_first() {
    let mut host = Host::new();
    let first = host.join(Join::client("app"));
    assert_eq!(error(first.error_code), ErrorCode::MemberIdRequired);
    assert!(first.member_id.starts_with("app-"), "{}", first.member_id);
    assert_eq!(first.member_id.len(), "app-".len() + 36);
    // The group is written empty before a client learns of it, exactly as Kafka does.
    let record = host.take_group_record();
    assert_eq!((record.generation, record.protocol_type.as_str(), record.protocol), (0, "", None));
    assert_eq!(
        (record.leader, record.current_state_timestamp, record.members.len()),
        (None, START_MS, 0)
    );

    let token = host.send_join(Join { member_id: first.member_id.clone(), ..Join::client("app") });
    assert_eq!(host.reply(token), None, "the first rebalance waits for others");
    host.advance(INITIAL_DELAY_MS - 1);
    assert_eq!(host.reply(token), None);
    host.advance(1);
    let joined = host.joined(token);
    assert_eq!(joined.error_code, 0);
    assert_eq!((joined.generation_id, &joined.leader), (1, &first.member_id));
    assert_eq!(joined.protocol_name.as_deref(), Some("range"));
    assert_eq!(joined.protocol_type.as_deref(), Some("consumer"));
    assert_eq!(joined.members.len(), 1);
    assert_eq!(joined.members[0].metadata, subscription(&["t"]));
    assert_eq!(host.state_name(), "CompletingRebalance");
    assert!(host.take_records().is_empty(), "a generation is written with its assignment");
}

#[test]
fn old_versions_join_at_once_and_get_no_null_protocol() {
    for api_version in [0, 3] {
        let mut host = Host::new();
        let token =
            host.send_join(Join { api_version, rebalance_timeout_ms: -1, ..Join::client("app") });
        host.advance(INITIAL_DELAY_MS);
        assert_eq!(host.joined(token).error_code, 0);
        let refused = host.join(Join { api_version, ..Join::member("nobody") });
        assert_eq!(error(refused.error_code), ErrorCode::UnknownMemberId);
        assert_eq!(refused.protocol_name.as_deref(), Some(""));
    }
    let refused = Host::new().join(Join { api_version: 7, ..Join::member("nobody") });
    assert_eq!(refused.protocol_name, None);
}

#[test]
fn version_0_rebalances_within_its_session_timeout() {
    let mut host = Host::new();
    let token =
        host.send_join(Join { api_version: 0, rebalance_timeout_ms: -1, ..Join::client("app") });
    host.advance(INITIAL_DELAY_MS);
    let member_id = host.joined(token).member_id;
    assert_eq!(host.sync(sync(&member_id, 1, &[])).error_code, 0);
    assert_eq!(
        host.take_records().pop().and_then(|r| group_value(&r)).unwrap().members[0]
            .rebalance_timeout,
        10_000
    );
}

#[test]
fn what_needs_no_group_is_checked_first() {
    let mut host = Host::new();
    let cases = [
        (Join { group_id: "", ..Join::client("c") }, ErrorCode::InvalidGroupId),
        (Join { session_timeout_ms: 5_999, ..Join::client("c") }, ErrorCode::InvalidSessionTimeout),
        (
            Join { session_timeout_ms: 1_800_001, ..Join::client("c") },
            ErrorCode::InvalidSessionTimeout,
        ),
        (Join { session_timeout_ms: -1, ..Join::client("c") }, ErrorCode::InvalidSessionTimeout),
        (Join::member("m"), ErrorCode::UnknownMemberId),
        (Join { protocols: vec![], ..Join::client("c") }, ErrorCode::InconsistentGroupProtocol),
        (Join { protocol_type: "", ..Join::client("c") }, ErrorCode::InconsistentGroupProtocol),
        (Join::client(&"x".repeat(32_767)), ErrorCode::InvalidRequest),
    ];
    for (join, expected) in cases {
        assert_eq!(error(host.join(join).error_code), expected);
    }
    assert!(host.take_records().is_empty(), "a refused join makes no group");
}

#[test]
fn members_of_another_kind_are_refused() {
    let mut host = Host::new();
    host.stable_group(1);
    let other_type = Join { protocol_type: "connect", ..Join::client("c") };
    let other_protocol = Join { protocols: vec![("sticky", vec![])], ..Join::client("c") };
    for join in [other_type, other_protocol] {
        assert_eq!(error(host.join(join).error_code), ErrorCode::InconsistentGroupProtocol);
    }
    assert_eq!(host.state_name(), "Stable");
}

#[test]
fn the_protocol_is_the_one_that_most_prefer_and_all_support() {
    let mut host = Host::new();
    let member = |names: [&'static str; 3]| Join {
        api_version: 3,
        protocols: names
            .into_iter()
            .filter(|name| !name.is_empty())
            .map(|name| (name, vec![]))
            .collect(),
        ..Join::client("c")
    };
    let tokens: Vec<ReplyToken> = [["a", "b", "x"], ["b", "a", ""], ["b", "a", "y"]]
        .into_iter()
        .map(|names| host.send_join(member(names)))
        .collect();
    host.advance(2 * INITIAL_DELAY_MS);
    for token in tokens {
        assert_eq!(host.joined(token).protocol_name.as_deref(), Some("b"));
    }
}

#[test]
fn new_members_extend_the_initial_delay_up_to_the_rebalance_timeout() {
    let mut host = Host::new();
    let join = Join { api_version: 3, rebalance_timeout_ms: 8_000, ..Join::client("c") };
    let mut tokens = vec![host.send_join(join.clone())];
    for _ in 0..2 {
        host.advance(2_900);
        assert_eq!(host.reply(tokens[0]), None);
        tokens.push(host.send_join(join.clone()));
    }
    // 3 s, then 3 s more for the second member, then the 2 s that are left for the third.
    host.advance(8_000 - 5_800 - 1);
    assert_eq!(host.reply(tokens[0]), None);
    host.advance(1);
    for token in tokens {
        assert_eq!(host.joined(token).generation_id, 1);
    }
}

#[test]
fn only_the_leader_gets_the_members() {
    let mut host = Host::new();
    let tokens: Vec<ReplyToken> =
        (0..3).map(|_| host.send_join(Join { api_version: 3, ..Join::client("c") })).collect();
    host.advance(2 * INITIAL_DELAY_MS);
    let joined: Vec<JoinGroupResponse> =
        tokens.into_iter().map(|token| host.joined(token)).collect();
    for response in &joined {
        assert_eq!(response.leader, joined[0].member_id);
        let expected = if response.member_id == response.leader { 3 } else { 0 };
        assert_eq!(response.members.len(), expected);
    }
}

#[test]
fn a_new_member_rebalances_a_stable_group() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(2);
    let newcomer = host.send_join(Join { api_version: 3, ..Join::client("new") });
    assert_eq!(host.state_name(), "PreparingRebalance");
    for member_id in &members {
        assert_eq!(host.heartbeat(member_id, generation), ErrorCode::RebalanceInProgress);
    }
    let rejoins: Vec<ReplyToken> =
        members.iter().map(|member_id| host.send_join(Join::member(member_id))).collect();
    assert_eq!(host.joined(newcomer).generation_id, generation + 1);
    for token in rejoins {
        assert_eq!(host.joined(token).generation_id, generation + 1);
    }
}

#[test]
fn members_that_do_not_rejoin_are_left_behind() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(3);
    let leader = host.send_join(Join::member(&members[0]));
    let follower = host.send_join(Join::member(&members[1]));
    // The third member sends heartbeats, but never joins again.
    for _ in 0..(REBALANCE_TIMEOUT_MS / 5_000) {
        assert_eq!(host.reply(leader), None);
        assert_eq!(host.heartbeat(&members[2], generation), ErrorCode::RebalanceInProgress);
        host.advance(5_000);
    }
    assert_eq!(host.joined(leader).members.len(), 2);
    assert_eq!(host.joined(follower).generation_id, generation + 1);
    assert_eq!(host.heartbeat(&members[2], generation + 1), ErrorCode::UnknownMemberId);
}

#[test]
fn another_member_leads_when_the_leader_does_not_rejoin() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(2);
    let changed =
        Join { protocols: vec![("range", subscription(&["t", "u"]))], ..Join::member(&members[1]) };
    let follower = host.send_join(changed);
    for _ in 0..(REBALANCE_TIMEOUT_MS / 5_000) {
        host.heartbeat(&members[0], generation);
        host.advance(5_000);
    }
    let joined = host.joined(follower);
    assert_eq!((joined.leader.as_str(), joined.members.len()), (members[1].as_str(), 1));
}

#[test]
fn rejoining_a_stable_group() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(2);
    // A follower that changes nothing is told where it stands.
    let follower = host.join(Join::member(&members[1]));
    assert_eq!((follower.error_code, follower.generation_id), (0, generation));
    assert!(follower.members.is_empty() && follower.leader == members[0]);
    assert_eq!(host.state_name(), "Stable");
    // The leader's join starts a rebalance, whatever it brings.
    let leader = host.send_join(Join::member(&members[0]));
    assert_eq!(host.state_name(), "PreparingRebalance");
    let follower = host.send_join(Join::member(&members[1]));
    assert_eq!(host.joined(leader).generation_id, generation + 1);
    assert_eq!(host.joined(follower).generation_id, generation + 1);
    // The answer may have been lost: the same join gets it again.
    let again = host.join(Join::member(&members[0]));
    assert_eq!((again.generation_id, again.members.len()), (generation + 1, 2));
    // Other metadata than the leader works with right now means to start over.
    let changed =
        host.send_join(Join { protocols: vec![("range", vec![])], ..Join::member(&members[1]) });
    assert_eq!(host.state_name(), "PreparingRebalance");
    host.send_join(Join::member(&members[0]));
    assert_eq!(host.joined(changed).generation_id, generation + 2);
}

#[test]
fn a_join_that_is_sent_again_supersedes_the_first() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(2);
    let first = host.send_join(Join::member(&members[0]));
    let second = host.send_join(Join::member(&members[0]));
    assert_eq!(error(host.joined(first).error_code), ErrorCode::RebalanceInProgress);
    host.send_join(Join::member(&members[1]));
    assert_eq!(host.joined(second).generation_id, generation + 1);
}

#[test]
fn a_pending_member_is_waited_for_until_its_session_ends() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(1);
    let pending = host.join(Join::client("late")).member_id;
    let rejoin = host.send_join(Join::member(&members[0]));
    assert_eq!(host.reply(rejoin), None, "a pending member was promised a place");
    host.advance(i64::from(SESSION_TIMEOUT_MS));
    assert_eq!(host.joined(rejoin).generation_id, generation + 1);
    let late = host.join(Join::member(&pending));
    assert_eq!(error(late.error_code), ErrorCode::UnknownMemberId);
}

#[test]
fn a_pending_member_cannot_become_static() {
    let mut host = Host::new();
    let pending = host.join(Join::client("c")).member_id;
    let refused = host.join(Join { instance_id: Some("i"), ..Join::member(&pending) });
    assert_eq!(error(refused.error_code), ErrorCode::UnknownMemberId);
}

#[test]
fn a_new_members_first_join_is_given_up_after_five_minutes() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(1);
    let new = Join { api_version: 3, rebalance_timeout_ms: 600_000, ..Join::client("new") };
    let newcomer = host.send_join(new);
    // The old member holds the rebalance up, alive and not joining.
    for _ in 0..(300_000 / 5_000) {
        assert_eq!(host.reply(newcomer), None);
        host.heartbeat(&members[0], generation);
        host.advance(5_000);
    }
    assert_eq!(error(host.joined(newcomer).error_code), ErrorCode::UnknownMemberId);
}

#[test]
fn a_group_takes_no_more_members_than_configured() {
    let mut host = Host::with(GroupSettings { group_max_size: 2, ..GroupSettings::default() });
    let (members, generation) = host.stable_group(2);
    let refused = host.join(Join::client("third"));
    assert_eq!(error(refused.error_code), ErrorCode::GroupMaxSizeReached);
    assert_eq!(host.state_name(), "Stable");
    let leader = host.send_join(Join::member(&members[0]));
    let follower = host.send_join(Join::member(&members[1]));
    assert_eq!(host.joined(leader).generation_id, generation + 1);
    assert_eq!(host.joined(follower).generation_id, generation + 1);
}

#[test]
fn a_lowered_limit_turns_away_the_last_to_rejoin() {
    let mut host = Host::new();
    let (members, generation) = host.stable_group(2);
    // The broker was stopped, and started with another limit.
    host.settings.group_max_size = 1;
    host.reload();
    let first = host.send_join(Join::member(&members[0]));
    let second = host.join(Join::member(&members[1]));
    assert_eq!(error(second.error_code), ErrorCode::GroupMaxSizeReached);
    assert_eq!(host.joined(first).generation_id, generation + 1, "no other member is waited for");
}

#[test]
fn members_that_bring_too_much_metadata_are_turned_away() {
    let mut host = Host::new();
    let (_, generation) = host.stable_group(1);
    let heavy = Join { protocols: vec![("range", vec![0; 33 << 20])], ..Join::client("heavy") };
    assert_eq!(error(host.join(heavy).error_code), ErrorCode::GroupMaxSizeReached);
    assert_eq!(host.state_name(), "Stable");
    assert_eq!(generation, 1);
}

#[test]
fn ids_handed_out_are_bounded() {
    let mut host = Host::new();
    for _ in 0..10_000 {
        assert_eq!(error(host.join(Join::client("c")).error_code), ErrorCode::MemberIdRequired);
    }
    assert_eq!(error(host.join(Join::client("c")).error_code), ErrorCode::GroupMaxSizeReached);
    host.advance(i64::from(SESSION_TIMEOUT_MS));
    assert_eq!(error(host.join(Join::client("c")).error_code), ErrorCode::MemberIdRequired);
}
