//! SyncGroup, versions 0 to 5: the leader's assignment goes to the log and from there to every
//! member.
//!
//! Pure, on the core that leads the group's partition. The group becomes stable at once; the
//! answers leave only when the record with the assignment is committed, so no member ever works by
//! an assignment that could be lost.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::messages::SyncGroupRequest;

use super::classic::{ClassicGroup, GroupState};
use super::rebalance::sync_error;
use super::request::Response;
use super::{Context, TimerKey, records};
use crate::coord::runtime::ReplyToken;

/// The first version that must name the group's protocol, so that a member of another one is found
/// out (KIP-559).
const PROTOCOL_MANDATORY_FROM: i16 = 5;

impl ClassicGroup {
    pub fn sync(
        &mut self,
        context: &mut Context<'_>,
        request: &SyncGroupRequest,
        token: ReplyToken,
    ) {
        if let Err(error) = self.validate_sync(request) {
            return context.reply(token, Response::SyncGroup(sync_error(error)));
        }
        let member_id = request.member_id.as_str();
        self.pending_sync.remove(member_id);
        if self.pending_sync.is_empty() {
            context.timers.cancel(&TimerKey::Sync(self.id.clone()));
        }
        if self.state == GroupState::Stable {
            let response = self.sync_response(member_id, ErrorCode::None);
            return context.reply(token, Response::SyncGroup(response));
        }
        let member = self.members.get_mut(member_id).expect("the member was validated");
        if let Some(superseded) = member.awaiting_sync.replace(token) {
            context
                .reply(superseded, Response::SyncGroup(sync_error(ErrorCode::RebalanceInProgress)));
        }
        if self.is_leader(member_id) {
            self.take_assignment(context, request);
        }
    }

    fn validate_sync(&self, request: &SyncGroupRequest) -> Result<(), ErrorCode> {
        if self.is_empty() {
            return Err(ErrorCode::UnknownMemberId);
        }
        self.validate_member(&request.member_id, request.group_instance_id.as_deref())?;
        let differs = |asked: &Option<String>, current: &Option<String>| {
            matches!((asked, current),
                (Some(asked), Some(current)) if asked != current)
        };
        if request.generation_id != self.generation_id {
            Err(ErrorCode::IllegalGeneration)
        } else if differs(&request.protocol_type, &self.protocol_type)
            || differs(&request.protocol_name, &self.protocol_name)
        {
            Err(ErrorCode::InconsistentGroupProtocol)
        } else if self.state == GroupState::PreparingRebalance {
            Err(ErrorCode::RebalanceInProgress)
        } else {
            Ok(())
        }
    }

    /// Members that the leader forgot get an empty assignment; assignments for others are dropped.
    fn take_assignment(&mut self, context: &mut Context<'_>, request: &SyncGroupRequest) {
        let mut assignments: BTreeMap<Arc<str>, Bytes> =
            self.members.keys().map(|member_id| (member_id.clone(), Bytes::new())).collect();
        for assigned in &request.assignments {
            if let Some(assignment) = assignments.get_mut(assigned.member_id.as_str()) {
                *assignment = assigned.assignment.clone();
            }
        }
        let record = records::group_metadata(self, &assignments);
        if record.size_bytes() > context.settings.max_batch_bytes {
            tracing::error!(group = %self.id, bytes = record.size_bytes(),
                limit = context.settings.max_batch_bytes,
                "the group's assignment does not fit a record: raise max.message.bytes of \
                 __consumer_offsets, or split the group");
            self.reset_assignment(context, ErrorCode::UnknownServerError);
            return self.prepare_rebalance(context, "the assignment could not be stored");
        }
        for (member_id, assignment) in assignments {
            let member = self.members.get_mut(&member_id).expect("assignments are keyed by member");
            // Copied, so that the group does not hold on to the request's buffer.
            member.assignment = Bytes::copy_from_slice(&assignment);
        }
        context.append(record);
        self.transition_to(GroupState::Stable, context.now_ms);
        self.answer_syncs(context, ErrorCode::None);
        tracing::info!(group = %self.id, generation = self.generation_id,
            members = self.members.len(), "the group is stable");
    }
}

/// The check that needs no group.
pub(in crate::coord) fn validate_sync_request(
    request: &SyncGroupRequest,
    api_version: i16,
) -> Result<(), ErrorCode> {
    let names_protocol = request.protocol_type.is_some() && request.protocol_name.is_some();
    if api_version >= PROTOCOL_MANDATORY_FROM && !names_protocol {
        Err(ErrorCode::InconsistentGroupProtocol)
    } else if request.group_id.is_empty() {
        Err(ErrorCode::InvalidGroupId)
    } else {
        Ok(())
    }
}
