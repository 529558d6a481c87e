//! Everything one partition of `__consumer_offsets` says: its groups and their committed offsets,
//! and the events that change it.
//!
//! Pure, on the core that leads the partition. Records become state here, from the log and from
//! requests alike. What is done with a request is in the modules of [`groups`](super) and in
//! [`offsets`](crate::coord::offsets); here it is handed on.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::Arc;

use protocol::ErrorCode;
use protocol::records::Record;

use super::classic::ClassicGroup;
use super::group::Group;
use super::join::{Join, may_create_group, validate_join};
use super::member::ParkedJoin;
use super::membership::{leave_response, leaving_members, unknown_leavers};
use super::records::{self, Change};
use super::request::{Request, Response};
use super::sync::validate_sync_request;
use super::{Context, GroupSettings, TimerKey, TransactionalProducer};
use crate::coord::offsets::store::{CommittedOffset, Offsets, PartitionKey};
use crate::coord::runtime::{ReplyToken, StateMachine, TopicChange};

/// The group coordinator of one partition.
#[derive(Debug, Default)]
pub struct Groups {
    pub(in crate::coord) groups: BTreeMap<Arc<str>, Group>,
    pub(in crate::coord) offsets: Offsets,
    /// The group at which a clean-up that was cut short goes on.
    pub(in crate::coord) cleanup_cursor: Option<Arc<str>>,
}

impl StateMachine for Groups {
    type Settings = GroupSettings;
    type Request = Request;
    type Response = Response;
    type Timer = TimerKey;
    /// `None`: the coordinator itself, in no name but its own.
    type Author = Option<TransactionalProducer>;
    /// All that it does is said by its records and replies.
    type Effect = Infallible;

    fn max_batch_bytes(settings: &GroupSettings) -> usize {
        settings.max_batch_bytes
    }

    fn replay(&mut self, record: &Record<'_>, producer_id: Option<i64>) {
        match records::decode(record.key.unwrap_or_default(), record.value) {
            Ok(change) => self.replay_change(change, producer_id),
            Err(error) => {
                tracing::error!(offset = record.offset, %error, "a record of __consumer_offsets \
                    is malformed and skipped");
            }
        }
    }

    fn replay_marker(&mut self, producer_id: i64, committed: bool) {
        self.offsets.replay_end_of_transaction(producer_id, committed);
    }

    /// Members get a full session to show up.
    fn loaded(&mut self, context: &mut Context<'_>) {
        tracing::info!(groups = self.groups.len(), "the group coordinator is active");
        schedule_cleanup(context, context.settings.retention_check_interval_ms);
        for group in self.groups.values_mut() {
            group.loaded(context);
        }
    }

    fn handle(&mut self, context: &mut Context<'_>, token: ReplyToken, request: Request) {
        let response = match &request {
            Request::JoinGroup { request, client, api_version } => {
                let parked = ParkedJoin { token, api_version: *api_version };
                return self.join_group(context, &Join { request, client, parked });
            }
            Request::SyncGroup { request: sync, api_version } => {
                let group = self.classic_mut(&sync.group_id);
                match validate_sync_request(sync, *api_version)
                    .and(group.ok_or(ErrorCode::UnknownMemberId))
                {
                    Ok(group) => return group.sync(context, sync, token),
                    Err(error) => request.failed(error),
                }
            }
            Request::Heartbeat(heartbeat) => {
                let alive = match self.classic_mut(&heartbeat.group_id) {
                    Some(group) => group.heartbeat(context, heartbeat),
                    None if heartbeat.group_id.is_empty() => Err(ErrorCode::InvalidGroupId),
                    None => Err(ErrorCode::UnknownMemberId),
                };
                request.failed(alive.err().unwrap_or(ErrorCode::None))
            }
            Request::LeaveGroup { request: leave, .. } if leave.group_id.is_empty() => {
                request.failed(ErrorCode::InvalidGroupId)
            }
            Request::LeaveGroup { request: leave, api_version } => {
                let members = leaving_members(leave, *api_version);
                let responses = match self.classic_mut(&leave.group_id) {
                    Some(group) => group.leave(context, &members),
                    None => unknown_leavers(&members),
                };
                Response::LeaveGroup(leave_response(responses, *api_version))
            }
            Request::OffsetCommit { request, api_version } => {
                Response::OffsetCommit(self.commit_offsets(context, request, *api_version))
            }
            Request::TxnOffsetCommit { request, api_version } => Response::TxnOffsetCommit(
                self.commit_in_transaction(context, request, *api_version),
            ),
            Request::OffsetFetch { group, require_stable } => {
                Response::OffsetFetch(self.offsets.fetch(group, *require_stable))
            }
            Request::OffsetDelete(request) => {
                Response::OffsetDelete(self.delete_offsets(context, request))
            }
            Request::DescribeGroup { group_id, api_version } => {
                Response::DescribeGroup(self.describe_group(group_id, *api_version))
            }
            Request::DeleteGroup { group_id } => {
                Response::DeleteGroup(self.request_delete(context, group_id))
            }
            Request::ListGroups(request) => Response::ListGroups(self.list_groups(request)),
        };
        context.reply(token, response);
    }

    fn timer_fired(&mut self, context: &mut Context<'_>, timer: TimerKey) -> ControlFlow<()> {
        match timer {
            TimerKey::Session { group, member } => {
                if let Some(group) = self.classic_mut(&group) {
                    group.session_expired(context, &member);
                }
            }
            TimerKey::Join(group) => {
                if let Some(group) = self.classic_mut(&group) {
                    group.join_deadline_passed(context);
                }
            }
            TimerKey::Sync(group) => {
                if let Some(group) = self.classic_mut(&group) {
                    group.sync_deadline_passed(context);
                }
            }
            TimerKey::Cleanup => {
                let done = self.cleanup(context);
                schedule_cleanup(
                    context,
                    if done { context.settings.retention_check_interval_ms } else { 0 },
                );
                // One step of cleaning up per event.
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    fn topics_changed(&mut self, context: &mut Context<'_>, changes: &[TopicChange]) {
        for topic in changes.iter().filter(|topic| topic.is_deleted()) {
            self.topic_deleted(context, &topic.name, topic.id);
        }
    }

    fn answer_all(&mut self, context: &mut Context<'_>, error: ErrorCode) {
        for group in self.groups.values_mut() {
            group.answer_all(context, error);
        }
    }

    fn may_write(request: &Request) -> bool {
        request.may_write()
    }

    fn failed(request: &Request, error: ErrorCode) -> Response {
        request.failed(error)
    }

    fn failed_while_loading(request: &Request) -> Response {
        request.failed(match request {
            // The member may well be in the group; an error would only make it rejoin.
            Request::Heartbeat(_) => ErrorCode::None,
            _ => ErrorCode::CoordinatorLoadInProgress,
        })
    }

    fn into_failed(response: Response, error: ErrorCode) -> Response {
        response.into_failed(error)
    }
}

fn schedule_cleanup(context: &mut Context<'_>, delay_ms: i64) {
    context.timers.schedule(TimerKey::Cleanup, context.clock_ms.saturating_add(delay_ms));
}

impl Groups {
    pub(in crate::coord) fn classic_mut(&mut self, id: &str) -> Option<&mut ClassicGroup> {
        self.groups.get_mut(id).map(|Group::Classic(group)| group)
    }

    #[cfg(test)]
    pub(in crate::coord) fn classic(&self, id: &str) -> Option<&ClassicGroup> {
        self.groups.get(id).map(|Group::Classic(group)| group)
    }

    fn join_group(&mut self, context: &mut Context<'_>, join: &Join<'_>) {
        let member_id = join.request.member_id.as_str();
        if let Err(error) = validate_join(context, join) {
            return join.refuse(context, member_id, error);
        }
        if let Some(group) = self.classic_mut(&join.request.group_id) {
            return group.join(context, join);
        }
        if let Err(error) = may_create_group(join) {
            return join.refuse(context, member_id, error);
        }
        // A new group is in the log before a member knows of it.
        let mut group = ClassicGroup::new(join.request.group_id.as_str().into(), context.now_ms);
        context.append(records::group_metadata(&group, &Default::default()));
        group.join(context, join);
        self.groups.insert(group.id.clone(), Group::Classic(group));
    }

    /// Takes over what the log says. `producer_id` is set for records of transactions.
    fn replay_change(&mut self, change: Change, producer_id: Option<i64>) {
        match change {
            Change::Offset { key, value } => self.replay_offset(key, value, producer_id),
            Change::Classic { id, value: Some(group) } => {
                self.groups.insert(id, Group::Classic(*group));
            }
            Change::Classic { id, value: None } => self.replay_group_tombstone(&id),
            Change::Other { record_type } => {
                tracing::debug!(record_type, "a record of another kind of group is skipped");
            }
        }
    }

    /// `producer_id`: in whose transaction it was committed. Tombstones are written outside of any,
    /// and count at once wherever they stand.
    pub(in crate::coord) fn replay_offset(
        &mut self,
        key: PartitionKey,
        value: Option<CommittedOffset>,
        producer_id: Option<i64>,
    ) {
        if value.is_some() {
            self.ensure_group(&key.group);
        }
        match (value, producer_id) {
            (Some(value), Some(producer_id)) => {
                self.offsets.replay_pending(producer_id, key, value);
            }
            (value, _) => self.offsets.replay(&key, value),
        }
    }

    /// Offsets alone make a group: an empty one, that never had members (a "simple" group in
    /// Kafka's terms).
    fn ensure_group(&mut self, id: &Arc<str>) {
        if !self.groups.contains_key(id) {
            self.groups.insert(id.clone(), Group::Classic(ClassicGroup::new(id.clone(), 0)));
        }
    }

    /// Offsets that outlive their group's record keep a simple group, so that they can be seen and
    /// expire.
    fn replay_group_tombstone(&mut self, id: &Arc<str>) {
        self.groups.remove(id);
        if self.offsets.group(id).is_some() || self.offsets.group_has_pending(id) {
            self.ensure_group(id);
        }
    }

    pub(in crate::coord) fn delete_offset(&mut self, context: &mut Context<'_>, key: PartitionKey) {
        context.append(records::offset_tombstone(&key));
        self.replay_offset(key, None, None);
    }

    /// Deletes an empty group and all its offsets, offsets first: a load that reads half of it
    /// finds a group with fewer of them.
    pub(in crate::coord) fn delete_group(&mut self, context: &mut Context<'_>, id: &Arc<str>) {
        for key in self.offsets.keys_of_group(id) {
            self.delete_offset(context, key);
        }
        if let Some(group) = self.groups.get(id) {
            group.clear_timers(context);
            context.append(group.tombstone());
        }
        self.replay_group_tombstone(id);
    }
}
