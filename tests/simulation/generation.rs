//! A transactor's membership in the group whose offsets it commits, as that of a consumer that
//! transforms what it reads: what it commits in its transactions is of a generation.

use crate::{
    client::{Client, Lost},
    commits,
    model::Invariant,
};
use bytes::Bytes;
use protocol::{
    ErrorCode,
    generated::rpc::{
        join_group_request::JoinGroupRequestProtocol,
        sync_group_request::SyncGroupRequestAssignment,
    },
    messages::{JoinGroupRequest, SyncGroupRequest},
};

const PROTOCOL_TYPE: &str = "consumer";
const PROTOCOL: &str = "alone";
const SESSION_TIMEOUT_MS: i32 = 10_000;
const REBALANCE_TIMEOUT_MS: i32 = 2_000;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Membership {
    pub member_id: String,
    pub generation: i32,
}

impl Membership {
    /// As a client that is no member has it.
    pub fn none() -> Membership {
        Membership { member_id: String::new(), generation: -1 }
    }

    /// Joins as its only member, and has shared out what there is: the generation is in the log
    /// then. `None`: it is to be tried again.
    pub async fn join(&self, client: &mut Client, group: &str) -> Result<Option<Membership>, Lost> {
        let coordinator = client.coordinator_of(group).await?;
        let protocols = vec![JoinGroupRequestProtocol {
            name: PROTOCOL.to_owned(),
            metadata: Bytes::from_static(b"all"),
        }];
        let mut request = JoinGroupRequest {
            group_id: group.to_owned(),
            session_timeout_ms: SESSION_TIMEOUT_MS,
            rebalance_timeout_ms: REBALANCE_TIMEOUT_MS,
            member_id: self.member_id.clone(),
            protocol_type: PROTOCOL_TYPE.to_owned(),
            protocols,
            ..Default::default()
        };
        let mut joined = client.call_at(coordinator, 7, &request).await?;
        if joined.error_code == ErrorCode::MemberIdRequired.code() {
            request.member_id = joined.member_id;
            joined = client.call_at(coordinator, 7, &request).await?;
        }
        if !succeeded(client, group, "JoinGroup", joined.error_code).await? {
            return Ok(None);
        }
        let (member_id, generation) = (joined.member_id, joined.generation_id);
        let assignment = SyncGroupRequestAssignment {
            member_id: member_id.clone(),
            assignment: Bytes::from_static(b"all"),
        };
        let request = SyncGroupRequest {
            group_id: group.to_owned(),
            generation_id: generation,
            member_id: member_id.clone(),
            protocol_type: Some(PROTOCOL_TYPE.to_owned()),
            protocol_name: Some(PROTOCOL.to_owned()),
            assignments: vec![assignment],
            ..Default::default()
        };
        let synced = client.call_at(coordinator, 5, &request).await?;
        let is_synced = succeeded(client, group, "SyncGroup", synced.error_code).await?;
        Ok(is_synced.then_some(Membership { member_id, generation }))
    }
}

async fn succeeded(
    client: &mut Client,
    group: &str,
    what: &str,
    error_code: i16,
) -> Result<bool, Lost> {
    match ErrorCode::from_code(error_code) {
        Some(ErrorCode::None) => return Ok(true),
        Some(error) if means_another_generation(error) => {}
        Some(
            ErrorCode::NotCoordinator
            | ErrorCode::CoordinatorNotAvailable
            | ErrorCode::CoordinatorLoadInProgress,
        ) => commits::find_coordinator(client, group).await?,
        error => {
            client.run.violate(Invariant::AnswersExplained, format!("{what} of {group}: {error:?}"))
        }
    }
    Ok(false)
}

/// Whether a member that hears this has to join again.
pub fn means_another_generation(error: ErrorCode) -> bool {
    use ErrorCode::{IllegalGeneration, RebalanceInProgress, UnknownMemberId};
    matches!(error, IllegalGeneration | RebalanceInProgress | UnknownMemberId)
}
