//! The phases of a rebalance: members are asked to rejoin, a generation begins, its assignment is
//! awaited.
//!
//! Pure steps of a [`ClassicGroup`] on its core: they answer parked requests, set timers and emit
//! the group's record through the [`Context`]. When members join, sync or go is decided elsewhere.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::messages::join_group_response::JoinGroupResponseMember;
use protocol::messages::{JoinGroupResponse, SyncGroupResponse};

use super::classic::{ClassicGroup, GroupState, InitialDelay};
use super::request::Response;
use super::{Context, TimerKey, records};

/// The least time between attempts to end a join phase in which no member has joined: clients may
/// ask for a timeout of zero.
const RETRY_MS: i64 = 1_000;

impl ClassicGroup {
    /// Starts a rebalance, or ends the join phase of the one that runs if every member is there.
    pub fn rebalance_or_complete_join(&mut self, context: &mut Context<'_>, reason: &str) {
        if self.state == GroupState::PreparingRebalance {
            self.complete_join_if_all_joined(context);
        } else {
            self.prepare_rebalance(context, reason);
        }
    }

    pub fn prepare_rebalance(&mut self, context: &mut Context<'_>, reason: &str) {
        if self.state == GroupState::CompletingRebalance {
            self.reset_assignment(context, ErrorCode::RebalanceInProgress);
        }
        self.pending_sync.clear();
        context.timers.cancel(&TimerKey::Sync(self.id.clone()));
        let initial = self.state == GroupState::Empty;
        self.transition_to(GroupState::PreparingRebalance, context.now_ms);
        tracing::info!(group = %self.id, generation = self.generation_id, reason, "preparing to \
            rebalance the group");
        if initial {
            let delay_ms = context.settings.initial_rebalance_delay_ms;
            self.new_member_added = false;
            self.initial_delay = InitialDelay {
                delay_ms,
                remaining_ms: (self.rebalance_timeout_ms() - delay_ms).max(0),
            };
            self.schedule_join_deadline(context, delay_ms);
        } else if self.all_members_joined() {
            self.complete_join(context);
        } else {
            self.schedule_join_deadline(context, self.rebalance_timeout_ms());
        }
    }

    /// Ends the join phase if every member has joined. The first rebalance of an empty group ends
    /// with its delay alone.
    pub fn complete_join_if_all_joined(&mut self, context: &mut Context<'_>) {
        let initial = self.previous_state == GroupState::Empty;
        if self.state == GroupState::PreparingRebalance && !initial && self.all_members_joined() {
            self.complete_join(context);
        }
    }

    /// The join phase has taken its time.
    pub fn join_deadline_passed(&mut self, context: &mut Context<'_>) {
        if self.state != GroupState::PreparingRebalance {
            return;
        }
        let InitialDelay { delay_ms, remaining_ms } = self.initial_delay;
        if self.previous_state == GroupState::Empty && self.new_member_added && remaining_ms > 0 {
            let next_delay_ms = context.settings.initial_rebalance_delay_ms.min(remaining_ms);
            self.new_member_added = false;
            self.initial_delay = InitialDelay {
                delay_ms: next_delay_ms,
                remaining_ms: (remaining_ms - delay_ms).max(0),
            };
            self.schedule_join_deadline(context, next_delay_ms);
        } else {
            self.complete_join(context);
        }
    }

    fn schedule_join_deadline(&self, context: &mut Context<'_>, delay_ms: i64) {
        context.timers.schedule(TimerKey::Join(self.id.clone()), context.clock_ms + delay_ms);
    }

    /// Begins the next generation with those that have rejoined and with all static members.
    pub fn complete_join(&mut self, context: &mut Context<'_>) {
        context.timers.cancel(&TimerKey::Join(self.id.clone()));
        let absent: Vec<Arc<str>> = self
            .members
            .values()
            .filter(|member| member.awaiting_join.is_none() && !member.is_static())
            .map(|member| member.id.clone())
            .collect();
        for member_id in &absent {
            self.remove(member_id);
            context.cancel_session(&self.id, member_id);
        }
        if !absent.is_empty() {
            tracing::info!(group = %self.id, members = ?absent, "removed members that did not \
                rejoin in time");
        }
        if !self.elect_joined_leader() && !self.members.is_empty() {
            // Static members keep the group alive, but no member is here to lead it. Sessions will
            // end the wait if no member comes.
            tracing::warn!(group = %self.id, "no member rejoined; the rebalance goes on");
            self.schedule_join_deadline(context, self.rebalance_timeout_ms().max(RETRY_MS));
            return;
        }
        self.init_next_generation(context.now_ms);
        if self.is_empty() {
            tracing::info!(group = %self.id, generation = self.generation_id, "the group is empty");
            context.append(records::group_metadata(self, &Default::default()));
        } else {
            self.answer_joins(context);
            context.timers.schedule(
                TimerKey::Sync(self.id.clone()),
                context.clock_ms + self.rebalance_timeout_ms(),
            );
        }
    }

    fn answer_joins(&mut self, context: &mut Context<'_>) {
        tracing::info!(group = %self.id, generation = self.generation_id,
            members = self.members.len(),
            protocol = self.protocol_name, "a generation begins");
        let member_ids: Vec<Arc<str>> = self.members.keys().cloned().collect();
        for member_id in member_ids {
            if let Some(join) = self.take_join(&member_id) {
                context.reply_join(join, self.join_response(&member_id));
            }
            let member = self
                .members
                .get_mut(&member_id)
                .expect("members do not change while joins are answered");
            member.is_new = false;
            context.schedule_session(&self.id, &member_id, i64::from(member.session_timeout_ms));
            self.pending_sync.insert(member_id);
        }
    }

    /// What a member of the current generation learns: the leader gets the list of members.
    pub fn join_response(&self, member_id: &str) -> JoinGroupResponse {
        let members = if self.is_leader(member_id) { self.joined_members() } else { Vec::new() };
        JoinGroupResponse {
            generation_id: self.generation_id,
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol_name.clone(),
            leader: self.leader.as_deref().unwrap_or_default().to_owned(),
            member_id: member_id.to_owned(),
            members,
            ..Default::default()
        }
    }

    fn joined_members(&self) -> Vec<JoinGroupResponseMember> {
        let protocol_name = self.protocol_name.as_deref().unwrap_or_default();
        self.members
            .values()
            .map(|member| JoinGroupResponseMember {
                member_id: member.id.to_string(),
                group_instance_id: member.instance_id.clone(),
                metadata: member.metadata(protocol_name).cloned().unwrap_or_default(),
            })
            .collect()
    }

    /// The members that did not sync in time leave, and the others rebalance without them.
    pub fn sync_deadline_passed(&mut self, context: &mut Context<'_>) {
        let in_generation =
            matches!(self.state, GroupState::CompletingRebalance | GroupState::Stable);
        if !in_generation || self.pending_sync.is_empty() {
            return;
        }
        let late: BTreeSet<Arc<str>> = std::mem::take(&mut self.pending_sync);
        for member_id in &late {
            self.remove(member_id);
            context.cancel_session(&self.id, member_id);
        }
        tracing::info!(group = %self.id, members = ?late, "removed members that did not sync in \
            time");
        self.prepare_rebalance(context, "members did not send SyncGroup in time");
    }

    /// Throws the generation's assignment away and answers parked SyncGroups with `error`.
    pub fn reset_assignment(&mut self, context: &mut Context<'_>, error: ErrorCode) {
        for member in self.members.values_mut() {
            member.assignment = Bytes::new();
        }
        self.answer_syncs(context, error);
    }

    /// Answers every parked SyncGroup with its member's assignment, or with `error`.
    pub fn answer_syncs(&mut self, context: &mut Context<'_>, error: ErrorCode) {
        let member_ids: Vec<Arc<str>> = self.members.keys().cloned().collect();
        for member_id in member_ids {
            let Some(token) = self.take_sync(&member_id) else { continue };
            context.reply(token, Response::SyncGroup(self.sync_response(&member_id, error)));
            // A session that ran out while its member waited here was let pass; its clock starts
            // again.
            let session_timeout_ms = self.members[&member_id].session_timeout_ms;
            context.schedule_session(&self.id, &member_id, i64::from(session_timeout_ms));
        }
    }

    pub fn sync_response(&self, member_id: &str, error: ErrorCode) -> SyncGroupResponse {
        if error != ErrorCode::None {
            return sync_error(error);
        }
        SyncGroupResponse {
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol_name.clone(),
            assignment: self.members[member_id].assignment.clone(),
            ..Default::default()
        }
    }
}

pub(super) fn sync_error(error: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse { error_code: error.code(), ..Default::default() }
}
