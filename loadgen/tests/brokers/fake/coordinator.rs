//! The fake broker as the coordinator of transactions and of groups: as much of it as loadgen asks
//! for. Groups form anew from those that join within a short time.
//!
//! Lives on: threads of the test. Never: times anything out.

use super::{Partition, Shared, State};
use bytes::{Bytes, BytesMut};
use protocol::{
    ApiKey, EncodeError, ErrorCode, Message, Reader,
    messages::{
        AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, DescribeGroupsRequest,
        DescribeLogDirsRequest, EndTxnRequest, EndTxnResponse, FindCoordinatorResponse,
        HeartbeatRequest, HeartbeatResponse, InitProducerIdRequest, InitProducerIdResponse,
        JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, LeaveGroupResponse,
        ListGroupsRequest, OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest,
        OffsetFetchResponse, SyncGroupRequest, SyncGroupResponse,
        add_partitions_to_txn_response::{
            AddPartitionsToTxnPartitionResult, AddPartitionsToTxnTopicResult,
        },
        fetch_response::AbortedTransaction,
        join_group_response::JoinGroupResponseMember,
        offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic},
        offset_fetch_response::{OffsetFetchResponsePartition, OffsetFetchResponseTopic},
    },
    records::{BatchBuilder, EndTransactionMarker},
};
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

/// How long a group waits for members.
const GATHERS_FOR: Duration = Duration::from_millis(150);

pub const SERVED: [(ApiKey, i16); 10] = [
    (ApiKey::InitProducerId, 4),
    (ApiKey::FindCoordinator, 3),
    (ApiKey::AddPartitionsToTxn, 3),
    (ApiKey::EndTxn, 3),
    (ApiKey::JoinGroup, 5),
    (ApiKey::SyncGroup, 3),
    (ApiKey::Heartbeat, 3),
    (ApiKey::LeaveGroup, 3),
    (ApiKey::OffsetCommit, 7),
    (ApiKey::OffsetFetch, 5),
];

#[derive(Default)]
pub struct Coordinator {
    producers: i64,
    /// Topic and partition, of the open transaction of a producer.
    transactions: HashMap<i64, Vec<(String, i32)>>,
    pub groups: HashMap<String, Group>,
    pub commits: usize,
}

#[derive(Default)]
pub struct Group {
    generation: i32,
    next_member: usize,
    pub members: BTreeMap<String, Bytes>,
    joining: BTreeMap<String, Bytes>,
    pub assignments: HashMap<String, Bytes>,
    pub offsets: HashMap<(String, i32), i64>,
}

impl Group {
    fn check(&self, member: &str, generation: i32) -> ErrorCode {
        if !self.members.contains_key(member) {
            ErrorCode::UnknownMemberId
        } else if generation != self.generation {
            ErrorCode::IllegalGeneration
        } else if !self.joining.is_empty() {
            ErrorCode::RebalanceInProgress
        } else {
            ErrorCode::None
        }
    }
}

impl Partition {
    pub fn stable_end(&self) -> i64 {
        self.open.values().min().copied().unwrap_or(self.next_offset)
    }

    /// Those that reach beyond an offset, as brokers name them.
    pub fn aborted_from(&self, offset: i64) -> Vec<AbortedTransaction> {
        self.aborted
            .iter()
            .filter(|(_, _, marker)| *marker >= offset)
            .map(|(producer_id, first_offset, _)| AbortedTransaction {
                producer_id: *producer_id,
                first_offset: *first_offset,
            })
            .collect()
    }

    fn end_transaction(&mut self, producer: i64, epoch: i16, committed: bool) {
        let marker = EndTransactionMarker { committed, coordinator_epoch: 0 };
        let mut batch =
            BatchBuilder::new(0).producer(producer, epoch, -1).transactional(true).control(true);
        let key = marker.control_type().key();
        batch.append(0, Some(&key), Some(&[0; 6]), &[]);
        let offset = self.next_offset;
        self.append(batch.build());
        if let Some(first) = self.open.remove(&producer)
            && !committed
        {
            self.aborted.push((producer, first, offset));
        }
    }
}

impl Shared {
    pub fn coordinate(
        &self,
        key: ApiKey,
        version: i16,
        body: &[u8],
        frame: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        macro_rules! answer {
            ($request:ty, $method:ident) => {{
                let request = <$request>::decode(&mut Reader::new(body), version);
                self.$method(request.expect("what loadgen sends")).encode(frame, version)
            }};
        }
        match key {
            ApiKey::FindCoordinator => {
                let address = self.addresses[0];
                let response = FindCoordinatorResponse {
                    host: address.ip().to_string(),
                    port: i32::from(address.port()),
                    ..Default::default()
                };
                response.encode(frame, version)
            }
            ApiKey::InitProducerId => answer!(InitProducerIdRequest, init_producer_id),
            ApiKey::AddPartitionsToTxn => answer!(AddPartitionsToTxnRequest, add_partitions),
            ApiKey::EndTxn => answer!(EndTxnRequest, end_transaction),
            ApiKey::JoinGroup => answer!(JoinGroupRequest, join),
            ApiKey::SyncGroup => answer!(SyncGroupRequest, sync),
            ApiKey::Heartbeat => answer!(HeartbeatRequest, heartbeat),
            ApiKey::LeaveGroup => answer!(LeaveGroupRequest, leave),
            ApiKey::OffsetCommit => answer!(OffsetCommitRequest, commit_offsets),
            ApiKey::OffsetFetch => answer!(OffsetFetchRequest, fetch_offsets),
            ApiKey::ListGroups => answer!(ListGroupsRequest, list_groups),
            ApiKey::DescribeGroups => answer!(DescribeGroupsRequest, describe_groups),
            ApiKey::DescribeLogDirs => answer!(DescribeLogDirsRequest, describe_log_dirs),
            other => panic!("loadgen does not ask for {other}"),
        }
    }

    fn init_producer_id(&self, _: InitProducerIdRequest) -> InitProducerIdResponse {
        let mut state = self.state();
        state.coordinator.producers += 1;
        InitProducerIdResponse {
            producer_id: 6 + state.coordinator.producers,
            producer_epoch: 0,
            ..Default::default()
        }
    }

    fn add_partitions(&self, request: AddPartitionsToTxnRequest) -> AddPartitionsToTxnResponse {
        let mut state = self.state();
        let producer = request.v3_and_below_producer_id;
        let open = state.coordinator.transactions.entry(producer).or_default();
        let mut results = Vec::new();
        for topic in request.v3_and_below_topics {
            let added = topic.partitions.iter().map(|partition| (topic.name.clone(), *partition));
            open.extend(added);
            let result = |partition: &i32| AddPartitionsToTxnPartitionResult {
                partition_index: *partition,
                ..Default::default()
            };
            results.push(AddPartitionsToTxnTopicResult {
                results_by_partition: topic.partitions.iter().map(result).collect(),
                name: topic.name,
            });
        }
        AddPartitionsToTxnResponse { results_by_topic_v3_and_below: results, ..Default::default() }
    }

    fn end_transaction(&self, request: EndTxnRequest) -> EndTxnResponse {
        let mut state = self.state();
        let open = state.coordinator.transactions.remove(&request.producer_id);
        let State { topics, .. } = &mut *state;
        for (topic, partition) in open.into_iter().flatten() {
            let partitions = topics.get_mut(&topic).expect("a topic that is there");
            partitions[partition as usize].end_transaction(
                request.producer_id,
                request.producer_epoch,
                request.committed,
            );
        }
        self.changed.notify_all();
        EndTxnResponse::default()
    }

    fn join(&self, request: JoinGroupRequest) -> JoinGroupResponse {
        let refused = |error: ErrorCode, member_id: String| JoinGroupResponse {
            error_code: error.code(),
            member_id,
            ..Default::default()
        };
        let mut state = self.state();
        let group = state.coordinator.groups.entry(request.group_id.clone()).or_default();
        if request.member_id.is_empty() {
            group.next_member += 1;
            return refused(ErrorCode::MemberIdRequired, format!("member-{}", group.next_member));
        }
        let metadata = request.protocols[0].metadata.clone();
        group.joining.insert(request.member_id.clone(), metadata);
        let before = group.generation;
        let waits = |state: &mut State| {
            state.coordinator.groups[&request.group_id].generation == before && !state.is_gone
        };
        let waited = self.changed.wait_timeout_while(state, GATHERS_FOR, waits);
        let (mut state, _) = waited.expect("no thread of the broker panics");
        let group = state.coordinator.groups.get_mut(&request.group_id).expect("made above");
        if group.generation == before {
            group.generation += 1;
            group.members = std::mem::take(&mut group.joining);
            group.assignments.clear();
            self.changed.notify_all();
        }
        if !group.members.contains_key(&request.member_id) {
            return refused(ErrorCode::RebalanceInProgress, request.member_id);
        }
        let leader = group.members.keys().next().cloned().unwrap_or_default();
        let member = |(member_id, metadata): (&String, &Bytes)| JoinGroupResponseMember {
            member_id: member_id.clone(),
            metadata: metadata.clone(),
            ..Default::default()
        };
        let members = match leader == request.member_id {
            true => group.members.iter().map(member).collect(),
            false => Vec::new(),
        };
        JoinGroupResponse {
            generation_id: group.generation,
            protocol_name: Some(request.protocols[0].name.clone()),
            leader,
            member_id: request.member_id,
            members,
            ..Default::default()
        }
    }

    fn sync(&self, request: SyncGroupRequest) -> SyncGroupResponse {
        let mut state = self.state();
        let group = state.coordinator.groups.get_mut(&request.group_id).expect("a joined group");
        for given in request.assignments {
            group.assignments.insert(given.member_id, given.assignment);
        }
        self.changed.notify_all();
        let waits = |state: &mut State| {
            let group = &state.coordinator.groups[&request.group_id];
            group.assignments.is_empty() && group.generation == request.generation_id
        };
        let waited = self.changed.wait_timeout_while(state, GATHERS_FOR, waits);
        let (state, _) = waited.expect("no thread of the broker panics");
        let group = &state.coordinator.groups[&request.group_id];
        match group.assignments.get(&request.member_id) {
            Some(assignment) if group.generation == request.generation_id => {
                SyncGroupResponse { assignment: assignment.clone(), ..Default::default() }
            }
            _ => SyncGroupResponse {
                error_code: ErrorCode::RebalanceInProgress.code(),
                ..Default::default()
            },
        }
    }

    fn heartbeat(&self, request: HeartbeatRequest) -> HeartbeatResponse {
        let state = self.state();
        let group = &state.coordinator.groups[&request.group_id];
        let error = group.check(&request.member_id, request.generation_id);
        HeartbeatResponse { error_code: error.code(), ..Default::default() }
    }

    fn leave(&self, request: LeaveGroupRequest) -> LeaveGroupResponse {
        let mut state = self.state();
        if let Some(group) = state.coordinator.groups.get_mut(&request.group_id) {
            group.members.retain(|id, _| !request.members.iter().any(|one| one.member_id == *id));
        }
        LeaveGroupResponse::default()
    }

    fn commit_offsets(&self, request: OffsetCommitRequest) -> OffsetCommitResponse {
        let mut state = self.state();
        state.coordinator.commits += 1;
        let group = state.coordinator.groups.get_mut(&request.group_id).expect("a joined group");
        let error = match group.check(&request.member_id, request.generation_id_or_member_epoch) {
            ErrorCode::RebalanceInProgress => ErrorCode::None,
            error => error,
        };
        let mut topics = Vec::new();
        for topic in request.topics {
            let mut partitions = Vec::new();
            for offset in topic.partitions {
                if error == ErrorCode::None {
                    let place = (topic.name.clone(), offset.partition_index);
                    group.offsets.insert(place, offset.committed_offset);
                }
                partitions.push(OffsetCommitResponsePartition {
                    partition_index: offset.partition_index,
                    error_code: error.code(),
                });
            }
            topics.push(OffsetCommitResponseTopic {
                name: topic.name,
                partitions,
                ..Default::default()
            });
        }
        OffsetCommitResponse { topics, ..Default::default() }
    }

    fn fetch_offsets(&self, request: OffsetFetchRequest) -> OffsetFetchResponse {
        let state = self.state();
        let group = &state.coordinator.groups[&request.group_id];
        let Some(topics) = request.topics else { return group.all_offsets() };
        let topics = topics.into_iter().map(|topic| {
            let offset = |partition: &i32| OffsetFetchResponsePartition {
                partition_index: *partition,
                committed_offset: group
                    .offsets
                    .get(&(topic.name.clone(), *partition))
                    .copied()
                    .unwrap_or(-1),
                ..Default::default()
            };
            OffsetFetchResponseTopic {
                partitions: topic.partition_indexes.iter().map(offset).collect(),
                name: topic.name.clone(),
            }
        });
        OffsetFetchResponse { topics: topics.collect(), ..Default::default() }
    }
}
