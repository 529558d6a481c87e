//! JoinGroup, versions 0 to 9: which members are let in, under which id, and whether that starts a
//! rebalance.
//!
//! Pure, on the core that leads the group's partition. Every join is answered in its turn or parked
//! with its member; a parked one is answered by the end of the join phase, by the member's removal,
//! by its replacement, or when the coordinator unloads.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::{JoinGroupRequest, JoinGroupResponse};
use protocol::primitives::MAX_STRING_BYTES;

use super::classic::{ClassicGroup, GroupState, own_protocols};
use super::member::{Member, ParkedJoin};
use super::request::{ClientContext, Response};
use super::{Context, member_id_from, records};

/// The first version whose dynamic members learn their id before they are members (KIP-394).
const MEMBER_ID_REQUIRED_FROM: i16 = 4;
/// The first version that can tell a returning static leader to keep the assignment (KIP-814).
const SKIP_ASSIGNMENT_FROM: i16 = 9;
/// How long a new member's first join may wait: it has no id to send heartbeats with, so nothing
/// else shows that it has gone.
const NEW_MEMBER_JOIN_TIMEOUT_MS: i64 = 5 * 60 * 1000;
/// Bytes of members' own data that a group may hold in memory. Far above what one record can
/// persist, far below harm.
pub(super) const GROUP_METADATA_BYTES_MAX: usize = 32 << 20;
/// Ids handed out to members that have not come back with them, per group.
pub(super) const PENDING_MEMBERS_MAX: usize = 10_000;
/// Members that are turned away try again at once, and in crowds: the log has a line of it this
/// often.
const FULL_SAID_EVERY_MS: i64 = 10_000;

/// One JoinGroup and where its answer goes.
pub(in crate::coord) struct Join<'a> {
    pub request: &'a JoinGroupRequest,
    pub client: &'a ClientContext,
    pub parked: ParkedJoin,
}

impl Join<'_> {
    fn protocol_names(&self) -> impl Iterator<Item = &str> {
        self.request.protocols.iter().map(|protocol| protocol.name.as_str())
    }

    fn instance_id(&self) -> Option<&str> {
        self.request.group_instance_id.as_deref()
    }

    /// Version 0 knows one timeout for both purposes.
    fn rebalance_timeout_ms(&self) -> i32 {
        if self.parked.api_version == 0 {
            self.request.session_timeout_ms
        } else {
            self.request.rebalance_timeout_ms
        }
    }

    /// Whether the protocols are those that the member already has, in the same order.
    fn matches(&self, member: &Member) -> bool {
        own_protocols(&self.request.protocols) == member.protocols
    }

    pub fn refuse(&self, context: &mut Context<'_>, member_id: &str, error: ErrorCode) {
        context.reply_join(self.parked, join_error(member_id, error));
    }
}

pub(in crate::coord) fn join_error(member_id: &str, error: ErrorCode) -> JoinGroupResponse {
    JoinGroupResponse {
        error_code: error.code(),
        member_id: member_id.to_owned(),
        ..Default::default()
    }
}

/// Checks that need no group.
pub(in crate::coord) fn validate_join(
    context: &Context<'_>,
    join: &Join<'_>,
) -> Result<(), ErrorCode> {
    let request = join.request;
    let settings = context.settings;
    if request.group_id.is_empty() {
        return Err(ErrorCode::InvalidGroupId);
    }
    if !(settings.min_session_timeout_ms..=settings.max_session_timeout_ms)
        .contains(&request.session_timeout_ms)
    {
        return Err(ErrorCode::InvalidSessionTimeout);
    }
    // The id that would be made of it must fit a string on the wire and in the log.
    let prefix = join.instance_id().unwrap_or(&join.client.client_id);
    if member_id_from(prefix, join.client.random).len() > MAX_STRING_BYTES {
        return Err(ErrorCode::InvalidRequest);
    }
    Ok(())
}

/// Whether the join may create its group: it has no member id yet and brings protocols.
pub(in crate::coord) fn may_create_group(join: &Join<'_>) -> Result<(), ErrorCode> {
    if !join.request.member_id.is_empty() {
        Err(ErrorCode::UnknownMemberId)
    } else if join.request.protocol_type.is_empty() || join.request.protocols.is_empty() {
        Err(ErrorCode::InconsistentGroupProtocol)
    } else {
        Ok(())
    }
}

impl ClassicGroup {
    pub fn join(&mut self, context: &mut Context<'_>, join: &Join<'_>) {
        let member_id = join.request.member_id.as_str();
        if !self.has_room_for(context, join) {
            self.expel(context, member_id);
            return join.refuse(context, "", ErrorCode::GroupMaxSizeReached);
        }
        if !self.supports(&join.request.protocol_type, join.protocol_names()) {
            return join.refuse(context, member_id, ErrorCode::InconsistentGroupProtocol);
        }
        if !member_id.is_empty() {
            return self.join_known_member(context, join);
        }
        let prefix = join.instance_id().unwrap_or(&join.client.client_id);
        let new_id: Arc<str> = Arc::from(member_id_from(prefix, join.client.random));
        match join
            .instance_id()
            .and_then(|instance_id| self.static_members.get(instance_id).cloned())
        {
            Some(old_id) => self.replace_static_member(context, join, &old_id, new_id),
            None if join.instance_id().is_none()
                && join.parked.api_version >= MEMBER_ID_REQUIRED_FROM =>
            {
                context.schedule_session(
                    &self.id,
                    &new_id,
                    i64::from(join.request.session_timeout_ms),
                );
                join.refuse(context, &new_id, ErrorCode::MemberIdRequired);
                self.pending_join.insert(new_id);
            }
            None => self.add_member(context, join, new_id),
        }
    }

    /// Members in, new ones up to the limits. During the join phase those that wait count, so that
    /// a limit that was lowered turns away the last to rejoin.
    fn has_room_for(&self, context: &Context<'_>, join: &Join<'_>) -> bool {
        let member_id = join.request.member_id.as_str();
        let limit = usize::try_from(context.settings.group_max_size).unwrap_or(0);
        let member = self.members.get(member_id);
        let by_count = match self.state {
            GroupState::Empty => true,
            GroupState::PreparingRebalance => {
                member.is_some_and(|member| member.awaiting_join.is_some())
                    || self.awaiting_join_count() < limit
            }
            GroupState::CompletingRebalance | GroupState::Stable => {
                member.is_some() || self.members.len() < limit
            }
        };
        let incoming: usize =
            join.request.protocols.iter().map(|p| p.name.len() + p.metadata.len()).sum();
        let held = self.metadata_size_bytes() - member.map_or(0, Member::metadata_size_bytes);
        let handed_out = member_id.is_empty() && self.pending_join.len() >= PENDING_MEMBERS_MAX;
        by_count && held + incoming <= GROUP_METADATA_BYTES_MAX && !handed_out
    }

    /// Takes a member out that is turned away.
    fn expel(&mut self, context: &mut Context<'_>, member_id: &str) {
        let is_due =
            |said_at_ms: i64| context.now_ms.saturating_sub(said_at_ms) >= FULL_SAID_EVERY_MS;
        if self.said_full_at_ms.is_none_or(is_due) {
            self.said_full_at_ms = Some(context.now_ms);
            tracing::warn!(group = %self.id, member = member_id, size = self.members.len(),
                bytes = self.metadata_size_bytes(),
                "the group is full and turns members away: raise group.max.size, or run fewer \
                 consumers");
        }
        if self.members.contains_key(member_id) || self.pending_join.contains(member_id) {
            self.remove_and_answer(context, member_id);
            if !self.is_empty() {
                self.rebalance_or_complete_join(context, "a member was turned away");
            }
        }
    }

    fn join_known_member(&mut self, context: &mut Context<'_>, join: &Join<'_>) {
        let member_id = join.request.member_id.as_str();
        if let Some(pending) = self.pending_join.get(member_id).cloned() {
            if join.instance_id().is_some() {
                // Ids are only handed out to dynamic members.
                return join.refuse(context, member_id, ErrorCode::UnknownMemberId);
            }
            return self.add_member(context, join, pending);
        }
        if let Err(error) = self.validate_member(member_id, join.instance_id()) {
            return join.refuse(context, member_id, error);
        }
        let unchanged = join.matches(&self.members[member_id]);
        match self.state {
            GroupState::PreparingRebalance => self.rejoin(context, join, "a member rejoins"),
            // The member may have missed the answer to its first join.
            GroupState::CompletingRebalance if unchanged => {
                context.reply_join(join.parked, self.join_response(member_id))
            }
            // The leader may know of a reason that its own data does not show, such as new
            // partitions.
            GroupState::Stable if self.is_leader(member_id) => {
                self.rejoin(context, join, "the leader rejoins")
            }
            GroupState::Stable if unchanged => {
                context.reply_join(join.parked, self.join_response(member_id))
            }
            GroupState::CompletingRebalance | GroupState::Stable => {
                self.rejoin(context, join, "a member changed its protocols");
            }
            GroupState::Empty => join.refuse(context, member_id, ErrorCode::UnknownMemberId),
        }
    }

    fn rejoin(&mut self, context: &mut Context<'_>, join: &Join<'_>, reason: &str) {
        self.update_member(context, join, &join.request.member_id);
        self.rebalance_or_complete_join(context, reason);
    }

    /// Takes over what the request says of a member, and parks it.
    fn update_member(&mut self, context: &mut Context<'_>, join: &Join<'_>, member_id: &str) {
        self.update(member_id, |member| {
            member.protocols = own_protocols(&join.request.protocols);
            member.rebalance_timeout_ms = join.rebalance_timeout_ms();
            member.session_timeout_ms = join.request.session_timeout_ms;
        });
        if let Some(superseded) = self.park_join(member_id, join.parked) {
            context.reply_join(superseded, join_error(member_id, ErrorCode::RebalanceInProgress));
        }
    }

    fn add_member(&mut self, context: &mut Context<'_>, join: &Join<'_>, member_id: Arc<str>) {
        if self.state == GroupState::PreparingRebalance && self.previous_state == GroupState::Empty
        {
            self.new_member_added = true;
        }
        if self.members.is_empty() {
            self.protocol_type = Some(join.request.protocol_type.clone());
        }
        self.add(Member {
            id: member_id.clone(),
            instance_id: join.request.group_instance_id.clone(),
            client_id: join.client.client_id.clone(),
            client_host: join.client.client_host.clone(),
            rebalance_timeout_ms: join.rebalance_timeout_ms(),
            session_timeout_ms: join.request.session_timeout_ms,
            protocols: own_protocols(&join.request.protocols),
            assignment: Default::default(),
            awaiting_join: Some(join.parked),
            awaiting_sync: None,
            is_new: true,
        });
        context.schedule_session(&self.id, &member_id, NEW_MEMBER_JOIN_TIMEOUT_MS);
        tracing::info!(group = %self.id, member = %member_id, reason = join.request.reason, "a \
            member joins");
        self.rebalance_or_complete_join(context, "a new member joined");
    }

    /// A static member came back without its id, after a restart most likely: it takes its own
    /// place under a new id. If it would not change the protocol of a stable group, no other member
    /// need know.
    fn replace_static_member(
        &mut self,
        context: &mut Context<'_>,
        join: &Join<'_>,
        old_id: &Arc<str>,
        new_id: Arc<str>,
    ) {
        let old_leader = self.leader.as_deref().unwrap_or_default().to_owned();
        self.rename_static_member(context, old_id, new_id.clone());
        self.update_member(context, join, &new_id);
        self.compute_subscribed_topics();
        context.schedule_session(&self.id, &new_id, i64::from(join.request.session_timeout_ms));
        match self.state {
            GroupState::Stable
                if self.protocol_name.as_deref() == Some(&self.select_protocol()) =>
            {
                let record = records::group_metadata(self, &self.assignments());
                if record.size_bytes() > context.settings.max_batch_bytes {
                    return self.prepare_rebalance(
                        context,
                        "a static member's data does not fit the group's record",
                    );
                }
                context.append(record);
                let parked = self.take_join(&new_id).expect("the join was just parked");
                let is_leader = self.is_leader(&new_id);
                let mut response = self.join_response(&new_id);
                if parked.api_version >= SKIP_ASSIGNMENT_FROM {
                    response.skip_assignment = is_leader;
                } else {
                    // An old client that finds itself leader would assign anew: it is told that its
                    // former self leads.
                    response.leader = old_leader;
                    response.members = Vec::new();
                }
                context.reply_join(parked, response);
            }
            GroupState::Stable => {
                self.prepare_rebalance(
                    context,
                    "a static member came back and changes the group's protocol",
                );
            }
            // The leader may be about to assign partitions to the old id.
            GroupState::CompletingRebalance => {
                self.prepare_rebalance(context, "a static member came back during a sync")
            }
            GroupState::PreparingRebalance => self.complete_join_if_all_joined(context),
            GroupState::Empty => unreachable!("an empty group has no static members"),
        }
    }

    fn rename_static_member(
        &mut self,
        context: &mut Context<'_>,
        old_id: &Arc<str>,
        new_id: Arc<str>,
    ) {
        tracing::info!(group = %self.id, old = %old_id, new = %new_id, "a static member takes its \
            place under a new id");
        if let Some(join) = self.take_join(old_id) {
            context.reply_join(join, join_error(old_id, ErrorCode::FencedInstanceId));
        }
        if let Some(token) = self.take_sync(old_id) {
            context.reply(
                token,
                Response::SyncGroup(super::rebalance::sync_error(ErrorCode::FencedInstanceId)),
            );
        }
        context.cancel_session(&self.id, old_id);
        let was_leader = self.is_leader(old_id);
        let was_pending_sync = self.pending_sync.remove(old_id);
        self.update(old_id, |member| {
            member.id = new_id.clone();
            member.is_new = false;
        });
        if let Some(instance_id) = &self.members[&new_id].instance_id {
            self.static_members.insert(instance_id.clone(), new_id.clone());
        }
        if was_pending_sync {
            self.pending_sync.insert(new_id.clone());
        }
        if was_leader {
            self.leader = Some(new_id);
        }
    }
}
