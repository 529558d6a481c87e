//! What the fake broker says of itself: its groups with their members, and how large its logs are;
//! and what a test does to it while it runs.
//!
//! Lives on: threads of the test. Never: changes what it describes, unless the test does.

use super::{Fake, Shared, coordinator::Group};
use protocol::{
    ApiKey, ErrorCode,
    messages::{
        DescribeGroupsRequest, DescribeGroupsResponse, DescribeLogDirsRequest,
        DescribeLogDirsResponse, ListGroupsRequest, ListGroupsResponse, OffsetFetchResponse,
        describe_groups_response::{DescribedGroup, DescribedGroupMember},
        describe_log_dirs_response::{
            DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
        },
        list_groups_response::ListedGroup,
        offset_fetch_response::{OffsetFetchResponsePartition, OffsetFetchResponseTopic},
    },
};
use std::collections::BTreeMap;

pub const SERVED: [(ApiKey, i16); 3] =
    [(ApiKey::ListGroups, 4), (ApiKey::DescribeGroups, 5), (ApiKey::DescribeLogDirs, 3)];

impl Fake {
    /// Resumes once the ends of partitions were asked for so many times from now on.
    pub fn wait_for_offset_requests(&self, count: usize) {
        let state = self.0.state();
        let enough = state.offset_requests + count;
        let waits = |state: &mut super::State| state.offset_requests < enough && !state.is_gone;
        drop(self.0.changed.wait_while(state, waits));
    }

    pub fn delete_topic(&self, name: &str) {
        self.0.state().topics.remove(name);
    }

    /// Brokers keep topics to themselves that a user may not see.
    pub fn hide(&self, name: &str) {
        self.0.state().unseen.insert(name.to_owned());
    }

    pub fn deny_reading(&self, name: &str) {
        self.0.state().unread.insert(name.to_owned());
    }

    /// All connections and both ports.
    pub fn go_away(&self) {
        self.0.go(&mut self.0.state());
    }

    /// Members that joined a group, over all groups.
    pub fn members(&self) -> usize {
        self.0.state().coordinator.groups.values().map(|group| group.members.len()).sum()
    }
}

impl Group {
    pub fn all_offsets(&self) -> OffsetFetchResponse {
        let mut topics: BTreeMap<&str, Vec<OffsetFetchResponsePartition>> = BTreeMap::new();
        for ((topic, partition), offset) in &self.offsets {
            topics.entry(topic).or_default().push(OffsetFetchResponsePartition {
                partition_index: *partition,
                committed_offset: *offset,
                ..Default::default()
            });
        }
        let topic = |(name, partitions): (&str, Vec<_>)| OffsetFetchResponseTopic {
            name: name.to_owned(),
            partitions,
        };
        OffsetFetchResponse {
            topics: topics.into_iter().map(topic).collect(),
            ..Default::default()
        }
    }
}

impl Shared {
    pub fn list_groups(&self, _: ListGroupsRequest) -> ListGroupsResponse {
        let state = self.state();
        let group = |id: &String| ListedGroup { group_id: id.clone(), ..Default::default() };
        ListGroupsResponse {
            groups: state.coordinator.groups.keys().map(group).collect(),
            ..Default::default()
        }
    }

    pub fn describe_groups(&self, request: DescribeGroupsRequest) -> DescribeGroupsResponse {
        let state = self.state();
        let described = request.groups.into_iter().map(|group_id| {
            let Some(group) = state.coordinator.groups.get(&group_id) else {
                let error_code = ErrorCode::GroupIdNotFound.code();
                return DescribedGroup { group_id, error_code, ..Default::default() };
            };
            let member = |id: &String| DescribedGroupMember {
                member_id: id.clone(),
                member_assignment: group.assignments.get(id).cloned().unwrap_or_default(),
                ..Default::default()
            };
            DescribedGroup {
                group_id,
                group_state: "Stable".to_owned(),
                protocol_type: "consumer".to_owned(),
                members: group.members.keys().map(member).collect(),
                ..Default::default()
            }
        });
        DescribeGroupsResponse { groups: described.collect(), ..Default::default() }
    }

    pub fn describe_log_dirs(&self, request: DescribeLogDirsRequest) -> DescribeLogDirsResponse {
        let state = self.state();
        let topics = request.topics.into_iter().flatten().map(|asked| {
            let size = |number: &i32| {
                let partition = &state.topics.get(&asked.topic)?[*number as usize];
                let bytes: usize = partition.batches.iter().map(|(_, batch)| batch.len()).sum();
                Some(DescribeLogDirsPartition {
                    partition_index: *number,
                    partition_size: bytes as i64,
                    ..Default::default()
                })
            };
            DescribeLogDirsTopic {
                partitions: asked.partitions.iter().filter_map(size).collect(),
                name: asked.topic.clone(),
            }
        });
        let result = DescribeLogDirsResult { topics: topics.collect(), ..Default::default() };
        DescribeLogDirsResponse { results: vec![result], ..Default::default() }
    }
}
