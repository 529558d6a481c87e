//! DescribeGroups, ListGroups, DeleteGroups.

use protocol::messages::ListGroupsRequest;
use protocol::messages::describe_groups_response::DescribedGroup;

use super::*;

fn describe(host: &mut Host, group_id: &str, api_version: i16) -> DescribedGroup {
    match host.call(Request::DescribeGroup { group_id: group_id.into(), api_version }) {
        Response::DescribeGroup(group) => group,
        other => panic!("{other:?}"),
    }
}

fn list(host: &mut Host, states: &[&str], types: &[&str]) -> Vec<(String, String)> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let request = ListGroupsRequest { states_filter: owned(states), types_filter: owned(types) };
    match host.call(Request::ListGroups(request)) {
        Response::ListGroups(response) => {
            assert!(response.groups.iter().all(|group| group.group_type == "classic"));
            response.groups.into_iter().map(|group| (group.group_id, group.group_state)).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn delete(host: &mut Host, group_id: &str) -> ErrorCode {
    match host.call(Request::DeleteGroup { group_id: group_id.into() }) {
        Response::DeleteGroup(result) => {
            assert_eq!(result.group_id, group_id);
            // Version 3 has room for one; Kafka gives it for streams groups alone.
            assert_eq!(result.error_message, None);
            error(result.error_code)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stable_group_is_described_with_what_its_members_brought() {
    let mut host = Host::new();
    let (members, _) = host.stable_group(2);
    let group = describe(&mut host, GROUP, 6);
    assert_eq!(
        (group.error_code, group.group_state.as_str(), group.protocol_data.as_str()),
        (0, "Stable", "range")
    );
    assert_eq!((group.protocol_type.as_str(), group.authorized_operations), ("consumer", i32::MIN));
    assert_eq!(group.members.len(), 2);
    for member in &group.members {
        assert!(members.contains(&member.member_id));
        assert_eq!(
            (member.client_host.as_str(), &member.member_metadata[..]),
            ("/127.0.0.1", &subscription(&["t"])[..])
        );
        assert_eq!(&member.member_assignment[..], member.member_id.as_bytes());
        assert!(member.client_id.starts_with('c') && member.group_instance_id.is_none());
    }
}

#[test]
fn a_group_in_a_rebalance_shows_no_metadata() {
    let mut host = Host::new();
    host.stable_group(1);
    host.send_join(Join { api_version: 3, ..Join::client("new") });
    let group = describe(&mut host, GROUP, 0);
    assert_eq!(
        (group.group_state.as_str(), group.protocol_data.as_str()),
        ("PreparingRebalance", "")
    );
    assert_eq!(group.members.len(), 2);
    assert!(group.members.iter().all(|member| member.member_metadata.is_empty()));
}

#[test]
fn groups_that_do_not_exist_are_dead_and_since_version_6_an_error() {
    let mut host = Host::new();
    let old = describe(&mut host, "nobody", 5);
    assert_eq!((old.error_code, old.group_state.as_str(), old.error_message), (0, "Dead", None));
    let new = describe(&mut host, "nobody", 6);
    assert_eq!(
        (error(new.error_code), new.group_state.as_str()),
        (ErrorCode::GroupIdNotFound, "Dead")
    );
    assert_eq!(new.error_message.as_deref(), Some("Group nobody not found."));
}

#[test]
fn groups_are_listed_by_state_and_type() {
    let mut host = Host::new();
    host.stable_group(1);
    host.commit_offset(Commit { group_id: "simple", ..Commit::offset(1) });
    let stable = (GROUP.to_owned(), "Stable".to_owned());
    let empty = ("simple".to_owned(), "Empty".to_owned());
    assert_eq!(list(&mut host, &[], &[]), [stable.clone(), empty.clone()]);
    assert_eq!(list(&mut host, &["sTABLE "], &[]), std::slice::from_ref(&stable));
    assert_eq!(list(&mut host, &["Empty", "Dead"], &["classic"]), [empty]);
    assert_eq!(list(&mut host, &["Stable"], &["Consumer", "Classic"]), [stable]);
    assert_eq!(list(&mut host, &[], &["consumer"]), []);
    assert_eq!(list(&mut host, &["NoSuchState"], &[]), []);
}

#[test]
fn groups_are_deleted_when_they_are_empty() {
    let mut host = Host::new();
    assert_eq!(delete(&mut host, GROUP), ErrorCode::GroupIdNotFound);
    let (members, generation) = host.stable_group(1);
    for partition in 0..2 {
        host.commit_offset(Commit { partition, ..Commit::by(&members[0], generation, 1) });
    }
    assert_eq!(delete(&mut host, GROUP), ErrorCode::NonEmptyGroup);
    host.leave(&[(&members[0], None)]);
    host.take_records();
    assert_eq!(delete(&mut host, GROUP), ErrorCode::None);
    let records = host.take_records();
    assert!(records.iter().all(|record| record.value.is_none()));
    let types: Vec<i16> =
        records.iter().map(|record| Key::decode(&record.key).unwrap().record_type()).collect();
    assert_eq!(types, [1, 1, 2], "a group goes after its offsets");
    assert_eq!(describe(&mut host, GROUP, 5).group_state, "Dead");
    assert_eq!(host.fetch_offset(GROUP, "t", 0).committed_offset, -1);
    assert_eq!(delete(&mut host, GROUP), ErrorCode::GroupIdNotFound);
}

#[test]
fn a_group_that_is_deleted_under_pending_members_lets_them_start_over() {
    let mut host = Host::new();
    let pending = host.join(Join::client("c")).member_id;
    assert_eq!(delete(&mut host, GROUP), ErrorCode::None);
    assert_eq!(error(host.join(Join::member(&pending)).error_code), ErrorCode::UnknownMemberId);
    host.advance(i64::from(SESSION_TIMEOUT_MS));
    assert_eq!(host.state_name(), "Dead");
}

#[test]
fn a_group_with_more_offsets_than_a_batch_holds_is_deleted_in_several() {
    let mut host = Host::with(GroupSettings { max_batch_bytes: 1_000, ..GroupSettings::default() });
    for partition in 0..100 {
        host.commit_offset(Commit { partition, ..Commit::offset(1) });
    }
    let batches = host.log.len();
    assert_eq!(delete(&mut host, GROUP), ErrorCode::None);
    assert!(host.log.len() > batches + 1);
    host.reload();
    assert_eq!(describe(&mut host, GROUP, 5).group_state, "Dead");
}
