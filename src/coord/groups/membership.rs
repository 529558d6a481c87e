//! How members stay and go: Heartbeat (0 to 4), LeaveGroup (0 to 5), sessions that run out.
//!
//! Pure, on the core that leads the group's partition.

use protocol::ErrorCode;
use protocol::messages::leave_group_request::MemberIdentity;
use protocol::messages::leave_group_response::MemberResponse;
use protocol::messages::{HeartbeatRequest, LeaveGroupRequest, LeaveGroupResponse};

use super::classic::{ClassicGroup, GroupState};
use super::join::join_error;
use super::rebalance::sync_error;
use super::request::Response;
use super::{Context, TimerKey};

/// The first version of LeaveGroup in which several members may leave at once (KIP-345).
const BATCH_LEAVE_FROM: i16 = 3;

impl ClassicGroup {
    pub fn heartbeat(
        &mut self,
        context: &mut Context<'_>,
        request: &HeartbeatRequest,
    ) -> Result<(), ErrorCode> {
        self.validate_member(&request.member_id, request.group_instance_id.as_deref())?;
        if request.generation_id != self.generation_id {
            return Err(ErrorCode::IllegalGeneration);
        }
        self.touch(context, &request.member_id);
        if self.state == GroupState::PreparingRebalance {
            Err(ErrorCode::RebalanceInProgress)
        } else {
            Ok(())
        }
    }

    /// Starts the member's session again.
    pub fn touch(&mut self, context: &mut Context<'_>, member_id: &str) {
        if let Some(member) = self.members.get(member_id) {
            context.schedule_session(&self.id, &member.id, i64::from(member.session_timeout_ms));
        }
    }

    /// The group comes from the log: every member has a full session to show up.
    pub fn loaded(&mut self, context: &mut Context<'_>) {
        let member_ids: Vec<_> = self.members.keys().cloned().collect();
        for member_id in &member_ids {
            self.touch(context, member_id);
        }
        if member_ids.len() > usize::try_from(context.settings.group_max_size).unwrap_or(0) {
            self.prepare_rebalance(context, "the loaded group is larger than group.max.size");
        }
    }

    /// An empty group is deleted: only members that were about to join have timers, and phases that
    /// it may have left.
    pub fn clear_timers(&self, context: &mut Context<'_>) {
        assert!(self.is_empty(), "group {} is deleted while it has members", self.id);
        for pending in &self.pending_join {
            context.cancel_session(&self.id, pending);
        }
        context.timers.cancel(&TimerKey::Join(self.id.clone()));
        context.timers.cancel(&TimerKey::Sync(self.id.clone()));
    }

    pub fn session_expired(&mut self, context: &mut Context<'_>, member_id: &str) {
        if self.pending_join.contains(member_id) {
            tracing::info!(group = %self.id, member = member_id, "a pending member did not join \
                in time");
            self.remove(member_id);
            return self.resume_after_expiry(context);
        }
        let Some(member) = self.members.get(member_id) else { return };
        if member.is_alive_without_heartbeat() {
            return;
        }
        tracing::info!(group = %self.id, member = member_id, "a member's session ran out; it is \
            removed");
        self.remove_and_answer(context, member_id);
        if self.state != GroupState::PreparingRebalance {
            return self.prepare_rebalance(context, "a member's session ran out");
        }
        self.resume_after_expiry(context);
    }

    /// The member that is gone may have been the last that was waited for. As in Kafka this ends
    /// even an initial delay.
    fn resume_after_expiry(&mut self, context: &mut Context<'_>) {
        if self.state == GroupState::PreparingRebalance && self.all_members_joined() {
            self.complete_join(context);
        }
    }

    /// Answers every parked request with `error`; the group itself is about to be forgotten.
    pub fn answer_all(&mut self, context: &mut Context<'_>, error: ErrorCode) {
        let member_ids: Vec<_> = self.members.keys().cloned().collect();
        for member_id in member_ids {
            if let Some(join) = self.take_join(&member_id) {
                context.reply_join(join, join_error(&member_id, error));
            }
        }
        self.answer_syncs(context, error);
    }

    /// Removes a member or a pending id. Its parked requests are answered with UNKNOWN_MEMBER_ID,
    /// so that a client that is still there joins again.
    pub fn remove_and_answer(&mut self, context: &mut Context<'_>, member_id: &str) {
        if let Some(join) = self.take_join(member_id) {
            context.reply_join(join, join_error("", ErrorCode::UnknownMemberId));
        }
        if let Some(token) = self.take_sync(member_id) {
            context.reply(token, Response::SyncGroup(sync_error(ErrorCode::UnknownMemberId)));
        }
        self.remove(member_id);
        context.cancel_session(&self.id, member_id);
    }

    /// Each member succeeds or fails on its own; one rebalance follows for all that left.
    pub fn leave(
        &mut self,
        context: &mut Context<'_>,
        members: &[MemberIdentity],
    ) -> Vec<MemberResponse> {
        let mut has_left = false;
        let responses = members
            .iter()
            .map(|member| {
                let left = self.leave_one(context, member);
                has_left |= left.is_ok();
                member_response(member, left.err().unwrap_or(ErrorCode::None))
            })
            .collect();
        if has_left && !self.is_empty() {
            self.rebalance_or_complete_join(context, "members left");
        }
        responses
    }

    fn leave_one(
        &mut self,
        context: &mut Context<'_>,
        member: &MemberIdentity,
    ) -> Result<(), ErrorCode> {
        let instance_id = member.group_instance_id.as_deref();
        let member_id = if member.member_id.is_empty() {
            // An administrator removes a static member by the only name known to them.
            let current = instance_id.and_then(|instance_id| self.static_members.get(instance_id));
            current.ok_or(ErrorCode::UnknownMemberId)?.to_string()
        } else {
            if !self.pending_join.contains(member.member_id.as_str()) {
                self.validate_member(&member.member_id, instance_id)?;
            }
            member.member_id.clone()
        };
        tracing::info!(group = %self.id, member = member_id, reason = member.reason, "a member \
            leaves");
        self.remove_and_answer(context, &member_id);
        Ok(())
    }
}

fn member_response(member: &MemberIdentity, error: ErrorCode) -> MemberResponse {
    MemberResponse {
        member_id: member.member_id.clone(),
        group_instance_id: member.group_instance_id.clone(),
        error_code: error.code(),
        ..Default::default()
    }
}

/// Who is to leave; versions before 3 name one member outside the list.
pub(in crate::coord) fn leaving_members(
    request: &LeaveGroupRequest,
    api_version: i16,
) -> Vec<MemberIdentity> {
    if api_version >= BATCH_LEAVE_FROM {
        request.members.clone()
    } else {
        vec![MemberIdentity { member_id: request.member_id.clone(), ..Default::default() }]
    }
}

/// The answers to members that leave a group that does not exist.
pub(in crate::coord) fn unknown_leavers(members: &[MemberIdentity]) -> Vec<MemberResponse> {
    members.iter().map(|member| member_response(member, ErrorCode::UnknownMemberId)).collect()
}

/// Versions before 3 carry the one member's error as that of the request.
pub(in crate::coord) fn leave_response(
    responses: Vec<MemberResponse>,
    api_version: i16,
) -> LeaveGroupResponse {
    if api_version >= BATCH_LEAVE_FROM {
        return LeaveGroupResponse { members: responses, ..Default::default() };
    }
    let error_code =
        responses.first().map_or(ErrorCode::None.code(), |response| response.error_code);
    LeaveGroupResponse { error_code, ..Default::default() }
}
