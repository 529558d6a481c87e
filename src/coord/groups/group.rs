//! A group of any kind, and what is asked of every kind.
//!
//! Pure, on the core that leads the group's partition. One id names one group, of whatever kind.
//! What one kind alone is asked (JoinGroup, SyncGroup, Heartbeat and LeaveGroup are for classic
//! groups) goes to it directly.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::list_groups_response::ListedGroup;

use super::classic::ClassicGroup;
use super::{Context, records};
use crate::coord::batch::CoordinatorRecord;
use crate::coord::offsets::commit::Committer;
use crate::coord::offsets::store::CommittedOffset;

#[derive(Clone, Debug)]
pub(in crate::coord) enum Group {
    /// The clients assign, by JoinGroup and SyncGroup.
    Classic(ClassicGroup),
}

impl Group {
    pub fn id(&self) -> &Arc<str> {
        match self {
            Group::Classic(group) => &group.id,
        }
    }

    /// Kafka's name of the kind.
    pub fn type_name(&self) -> &'static str {
        match self {
            Group::Classic(_) => "classic",
        }
    }

    /// Kafka's name of the state.
    pub fn state_name(&self) -> &'static str {
        match self {
            Group::Classic(group) => group.state.name(),
        }
    }

    pub fn member_count(&self) -> usize {
        match self {
            Group::Classic(group) => group.members.len(),
        }
    }

    pub fn list(&self) -> ListedGroup {
        match self {
            Group::Classic(group) => ListedGroup {
                group_id: group.id.to_string(),
                protocol_type: group.protocol_type.clone().unwrap_or_default(),
                group_state: self.state_name().to_owned(),
                group_type: self.type_name().to_owned(),
                ..Default::default()
            },
        }
    }

    /// The coordinator has been loaded.
    pub fn loaded(&mut self, context: &mut Context<'_>) {
        match self {
            Group::Classic(group) => group.loaded(context),
        }
    }

    /// Answers every parked request with `error`; the group itself is about to be forgotten.
    pub fn answer_all(&mut self, context: &mut Context<'_>, error: ErrorCode) {
        match self {
            Group::Classic(group) => group.answer_all(context, error),
        }
    }

    pub fn is_subscribed_to(&self, topic: &str) -> bool {
        match self {
            Group::Classic(group) => group.is_subscribed_to(topic),
        }
    }

    /// Checks the member that commits, and takes it for a sign of life if it does so itself.
    pub fn admit_commit(
        &mut self,
        context: &mut Context<'_>,
        committer: &Committer<'_>,
    ) -> Result<(), ErrorCode> {
        match self {
            Group::Classic(group) => group.admit_commit(context, committer),
        }
    }

    pub fn is_expired(&self, context: &Context<'_>, committed: &CommittedOffset) -> bool {
        match self {
            Group::Classic(group) => group.is_expired(context, committed),
        }
    }

    /// No member is in it or about to join: it goes with its last offset.
    pub fn is_abandoned(&self) -> bool {
        match self {
            Group::Classic(group) => group.is_empty() && group.pending_join.is_empty(),
        }
    }

    pub fn validate_delete(&self) -> Result<(), ErrorCode> {
        match self {
            Group::Classic(group) => group.validate_delete(),
        }
    }

    pub fn validate_offset_delete(&self) -> Result<(), ErrorCode> {
        match self {
            Group::Classic(group) => group.validate_offset_delete(),
        }
    }

    /// Forgets the timers of a group that is deleted.
    pub fn clear_timers(&self, context: &mut Context<'_>) {
        match self {
            Group::Classic(group) => group.clear_timers(context),
        }
    }

    /// What deletes it from the log.
    pub fn tombstone(&self) -> CoordinatorRecord {
        match self {
            Group::Classic(group) => records::group_tombstone(&group.id),
        }
    }
}
