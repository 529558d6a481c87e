//! What operators ask of groups: DescribeGroups (0 to 6), ListGroups (0 to 5), DeleteGroups (0 to
//! 3).
//!
//! Pure, on the core that leads the group's partition.

use std::collections::BTreeSet;

use protocol::ErrorCode;
use protocol::messages::delete_groups_response::DeletableGroupResult;
use protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use protocol::messages::{ListGroupsRequest, ListGroupsResponse};

use super::classic::{ClassicGroup, GroupState};
use super::group::Group;
use super::request::deleted;
use super::{Context, Groups};

/// The first version of DescribeGroups that says a group does not exist (KIP-1043).
const GROUP_ID_NOT_FOUND_FROM: i16 = 6;
/// The state that DescribeGroups reports for groups that do not exist.
const DEAD: &str = "Dead";

/// A group as it is shown to operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSummary {
    pub id: String,
    /// Kafka's name of the state.
    pub state: &'static str,
    pub members: usize,
    /// Topic, partition, committed offset.
    pub offsets: Vec<(String, i32, i64)>,
}

impl ClassicGroup {
    pub fn describe(&self) -> DescribedGroup {
        let stable_protocol =
            self.protocol_name.as_deref().filter(|_| self.state == GroupState::Stable);
        let members = self.members.values().map(|member| DescribedGroupMember {
            member_id: member.id.to_string(),
            group_instance_id: member.instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            member_metadata: stable_protocol
                .and_then(|name| member.metadata(name))
                .cloned()
                .unwrap_or_default(),
            member_assignment: member.assignment.clone(),
            ..Default::default()
        });
        DescribedGroup {
            group_id: self.id.to_string(),
            group_state: self.state.name().to_owned(),
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            protocol_data: stable_protocol.unwrap_or_default().to_owned(),
            members: members.collect(),
            ..Default::default()
        }
    }

    pub fn validate_delete(&self) -> Result<(), ErrorCode> {
        if self.is_empty() { Ok(()) } else { Err(ErrorCode::NonEmptyGroup) }
    }

    /// Members of the consumer protocol say what they read, so other topics' offsets may go while
    /// they are there.
    pub fn validate_offset_delete(&self) -> Result<(), ErrorCode> {
        if self.is_empty() || self.uses_consumer_protocol() {
            Ok(())
        } else {
            Err(ErrorCode::NonEmptyGroup)
        }
    }
}

impl Groups {
    pub(super) fn describe_group(&self, group_id: &str, api_version: i16) -> DescribedGroup {
        match self.groups.get(group_id) {
            Some(Group::Classic(group)) => group.describe(),
            None => describe_missing(group_id, api_version),
        }
    }

    pub(super) fn request_delete(
        &mut self,
        context: &mut Context<'_>,
        group_id: &str,
    ) -> DeletableGroupResult {
        let validated = match self.groups.get(group_id) {
            None => Err(ErrorCode::GroupIdNotFound),
            Some(group) => group.validate_delete().map(|()| group.id().clone()),
        };
        if let Ok(id) = &validated {
            tracing::info!(group = %id, "the group is deleted on request");
            self.delete_group(context, id);
        }
        deleted(group_id, validated.err().unwrap_or(ErrorCode::None))
    }

    pub(super) fn list_groups(&self, request: &ListGroupsRequest) -> ListGroupsResponse {
        let filter = ListFilter::new(&request.states_filter, &request.types_filter);
        let groups =
            self.groups.values().filter(|group| filter.admits(group)).map(Group::list).collect();
        ListGroupsResponse { groups, ..Default::default() }
    }

    /// What an operator wants to see of every group, as it stands in memory.
    pub fn summaries(&self) -> Vec<GroupSummary> {
        let mut summaries: Vec<GroupSummary> = Vec::with_capacity(self.groups.len());
        for group in self.groups.values() {
            let (id, state, members) =
                (group.id().to_string(), group.state_name(), group.member_count());
            let offsets = self.offsets.keys_of_group(group.id()).into_iter().filter_map(|key| {
                let committed = self.offsets.get(&key.group, &key.topic, key.partition)?;
                Some((key.topic.to_string(), key.partition, committed.offset))
            });
            summaries.push(GroupSummary { id, state, members, offsets: offsets.collect() });
        }
        summaries
    }
}

fn describe_missing(group_id: &str, api_version: i16) -> DescribedGroup {
    let mut described = DescribedGroup {
        group_id: group_id.to_owned(),
        group_state: DEAD.to_owned(),
        ..Default::default()
    };
    if api_version >= GROUP_ID_NOT_FOUND_FROM {
        described.error_code = ErrorCode::GroupIdNotFound.code();
        described.error_message = Some(format!("Group {group_id} not found."));
    }
    described
}

/// The filters of ListGroups. Names are compared without regard to case; an empty filter lets
/// everything through, a name that means nothing lets nothing through.
struct ListFilter {
    states: BTreeSet<String>,
    types: BTreeSet<String>,
}

impl ListFilter {
    fn new(states: &[String], types: &[String]) -> ListFilter {
        ListFilter {
            states: states.iter().map(|state| state.to_lowercase().trim().to_owned()).collect(),
            types: types.iter().map(|name| name.to_lowercase()).collect(),
        }
    }

    fn admits(&self, group: &Group) -> bool {
        let of_type = self.types.is_empty() || self.types.contains(group.type_name());
        of_type
            && (self.states.is_empty() || self.states.contains(&group.state_name().to_lowercase()))
    }
}
