//! What a group coordinator is asked and what it answers: Kafka's own structs, one group at a time.
//!
//! Plain data that may cross cores. [`fanout`](crate::coord::fanout) makes these of requests that
//! name several groups.

use protocol::ErrorCode;
use protocol::messages::delete_groups_response::DeletableGroupResult;
use protocol::messages::describe_groups_response::DescribedGroup;
use protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use protocol::messages::offset_fetch_response::OffsetFetchResponseGroup;
use protocol::messages::{
    HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    LeaveGroupResponse, ListGroupsRequest, ListGroupsResponse, OffsetCommitRequest,
    OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse, SyncGroupRequest,
    SyncGroupResponse, TxnOffsetCommitRequest, TxnOffsetCommitResponse,
};

use super::join::join_error;
use crate::coord::offsets::commit::commit_error;
use crate::coord::offsets::fetch::fetch_error;
use crate::coord::offsets::txn_commit::txn_commit_error;

/// Who sends a JoinGroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientContext {
    /// From the request header; empty if it has none.
    pub client_id: String,
    /// A slash and the peer's address without port, as Kafka prints it: `/192.0.2.1`.
    pub client_host: String,
    /// Fresh from the core's random source; a new member's id is made of it.
    pub random: u128,
}

/// Authorization and the names of topics are settled before: every topic here has its name.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    JoinGroup {
        request: JoinGroupRequest,
        client: ClientContext,
        api_version: i16,
    },
    SyncGroup {
        request: SyncGroupRequest,
        api_version: i16,
    },
    Heartbeat(HeartbeatRequest),
    LeaveGroup {
        request: LeaveGroupRequest,
        api_version: i16,
    },
    OffsetCommit {
        request: OffsetCommitRequest,
        api_version: i16,
    },
    TxnOffsetCommit {
        request: TxnOffsetCommitRequest,
        api_version: i16,
    },
    OffsetFetch {
        group: OffsetFetchRequestGroup,
        require_stable: bool,
    },
    OffsetDelete(OffsetDeleteRequest),
    DescribeGroup {
        group_id: String,
        api_version: i16,
    },
    DeleteGroup {
        group_id: String,
    },
    /// Goes to every coordinator.
    ListGroups(ListGroupsRequest),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    JoinGroup(JoinGroupResponse),
    SyncGroup(SyncGroupResponse),
    Heartbeat(HeartbeatResponse),
    LeaveGroup(LeaveGroupResponse),
    OffsetCommit(OffsetCommitResponse),
    TxnOffsetCommit(TxnOffsetCommitResponse),
    OffsetFetch(OffsetFetchResponseGroup),
    OffsetDelete(OffsetDeleteResponse),
    DescribeGroup(DescribedGroup),
    DeleteGroup(DeletableGroupResult),
    ListGroups(ListGroupsResponse),
}

impl Request {
    /// Whether it may write records. What does not is served also while the log takes none.
    pub fn may_write(&self) -> bool {
        match self {
            Request::JoinGroup { .. }
            | Request::SyncGroup { .. }
            | Request::LeaveGroup { .. }
            | Request::OffsetCommit { .. }
            | Request::TxnOffsetCommit { .. }
            | Request::OffsetDelete(_)
            | Request::DeleteGroup { .. } => true,
            Request::Heartbeat(_)
            | Request::OffsetFetch { .. }
            | Request::DescribeGroup { .. }
            | Request::ListGroups(_) => false,
        }
    }

    /// The answer that reports `error` and nothing else.
    pub fn failed(&self, error: ErrorCode) -> Response {
        let error_code = error.code();
        match self {
            Request::JoinGroup { request, api_version, .. } => {
                let mut response = join_error(&request.member_id, error);
                response.protocol_name = (*api_version < 7).then(String::new);
                Response::JoinGroup(response)
            }
            Request::SyncGroup { .. } => {
                Response::SyncGroup(SyncGroupResponse { error_code, ..Default::default() })
            }
            Request::Heartbeat(_) => {
                Response::Heartbeat(HeartbeatResponse { error_code, ..Default::default() })
            }
            Request::LeaveGroup { .. } => {
                Response::LeaveGroup(LeaveGroupResponse { error_code, ..Default::default() })
            }
            Request::OffsetCommit { request, .. } => {
                Response::OffsetCommit(commit_error(request, error))
            }
            Request::TxnOffsetCommit { request, .. } => {
                Response::TxnOffsetCommit(txn_commit_error(request, error))
            }
            Request::OffsetFetch { group, .. } => Response::OffsetFetch(fetch_error(group, error)),
            Request::OffsetDelete(_) => {
                Response::OffsetDelete(OffsetDeleteResponse { error_code, ..Default::default() })
            }
            Request::DescribeGroup { group_id, .. } => {
                Response::DescribeGroup(described_error(group_id, error))
            }
            Request::DeleteGroup { group_id } => Response::DeleteGroup(deleted(group_id, error)),
            Request::ListGroups(_) => {
                Response::ListGroups(ListGroupsResponse { error_code, ..Default::default() })
            }
        }
    }
}

impl Response {
    /// The same answer turned into a failure, when what it reports did not last.
    pub(super) fn into_failed(self, error: ErrorCode) -> Response {
        let error_code = error.code();
        match self {
            Response::JoinGroup(response) => Response::JoinGroup(JoinGroupResponse {
                protocol_name: response.protocol_name.map(|_| String::new()),
                ..join_error(&response.member_id, error)
            }),
            Response::SyncGroup(_) => {
                Response::SyncGroup(SyncGroupResponse { error_code, ..Default::default() })
            }
            Response::Heartbeat(_) => {
                Response::Heartbeat(HeartbeatResponse { error_code, ..Default::default() })
            }
            Response::LeaveGroup(_) => {
                Response::LeaveGroup(LeaveGroupResponse { error_code, ..Default::default() })
            }
            Response::OffsetCommit(mut response) => {
                for partition in response.topics.iter_mut().flat_map(|topic| &mut topic.partitions)
                {
                    partition.error_code = error_code;
                }
                Response::OffsetCommit(response)
            }
            Response::TxnOffsetCommit(mut response) => {
                for partition in response.topics.iter_mut().flat_map(|topic| &mut topic.partitions)
                {
                    partition.error_code = error_code;
                }
                Response::TxnOffsetCommit(response)
            }
            Response::OffsetFetch(response) => Response::OffsetFetch(OffsetFetchResponseGroup {
                group_id: response.group_id,
                error_code,
                ..Default::default()
            }),
            Response::OffsetDelete(_) => {
                Response::OffsetDelete(OffsetDeleteResponse { error_code, ..Default::default() })
            }
            Response::DescribeGroup(response) => {
                Response::DescribeGroup(described_error(&response.group_id, error))
            }
            Response::DeleteGroup(response) => {
                Response::DeleteGroup(deleted(&response.group_id, error))
            }
            Response::ListGroups(_) => {
                Response::ListGroups(ListGroupsResponse { error_code, ..Default::default() })
            }
        }
    }
}

pub(super) fn described_error(group_id: &str, error: ErrorCode) -> DescribedGroup {
    DescribedGroup { group_id: group_id.to_owned(), error_code: error.code(), ..Default::default() }
}

pub(super) fn deleted(group_id: &str, error: ErrorCode) -> DeletableGroupResult {
    DeletableGroupResult {
        group_id: group_id.to_owned(),
        error_code: error.code(),
        error_message: None,
    }
}
