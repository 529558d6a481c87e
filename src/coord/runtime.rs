//! The contract between a coordinator and the shard that hosts it.
//!
//! A [`Coordinator`] is the state machine of one partition of `__consumer_offsets`. It lives on the core that leads the partition,
//! and it performs no I/O: events and time come in, [`Actions`] go out, and the host carries them out.
//!
//! # What the host does
//!
//! 1. On becoming leader of the partition: [`Coordinator::new`]; wait until the high watermark has reached the end that the log has
//!    now, for records that are not committed could still be lost; [`load`](Coordinator::load) the
//!    log's batches from its start to that end, in order and in pieces of any number of whole
//!    batches; [`loaded`](Coordinator::loaded). Requests may come at any time; until then they are
//!    answered with COORDINATOR_LOAD_IN_PROGRESS. A batch that is refused ends the coordinator for good: no other load
//!    can end better before the log is mended.
//! 2. For each event ([`handle`](Coordinator::handle), [`tick`](Coordinator::tick), [`topic_deleted`](Coordinator::topic_deleted),
//!    `loaded`): append each of [`Actions::batches`], in order, as one atomic record batch; call
//!    [`appended`](Coordinator::appended) with the last offset of each, in the same order (before or after other events, as the log
//!    allows); send [`Actions::replies`] at once.
//! 3. Whenever the high watermark moves (acks=all, hence on disk): [`committed`](Coordinator::committed), and send the replies.
//! 4. At [`next_deadline_ms`](Coordinator::next_deadline_ms): `tick`.
//! 5. When an append fails, or the partition is no longer led: [`unload`](Coordinator::unload), send the replies, drop the coordinator. After
//!    a failed append, begin again at 1. While the log takes nothing for a reason that passes, the
//!    host loads the committed records, hands on only requests that write nothing
//!    ([`Request::may_write`]), and does not tick; then again 1.
//!
//! # What it may rely on
//!
//! The state runs ahead of the log: an event's records are part of it before they are appended, so the next event sees them. No
//! reply leaves that could show a state that may yet be lost: while anything is not committed, replies wait, in order, for
//! everything that was written before them. Therefore a failed append needs no undoing: no client
//! has seen its effects. The state is thrown away, every waiting request is answered with
//! NOT_COORDINATOR, and what the log holds is loaded again.
//!
//! Tokens are the host's; each is answered exactly once. Time is wall-clock milliseconds, as
//! records keep it; it may jump, which ends no session (see [`clock`](super::clock)).

use std::collections::VecDeque;

use protocol::records::{Batch, EndTransactionMarker, RecordsError, batches};
use protocol::{ErrorCode, Uuid};

use super::clock::Clock;
use super::groups::classic::ClassicGroup;
use super::groups::join::{Join, may_create_group, validate_join};
use super::groups::member::ParkedJoin;
use super::groups::membership::{leave_response, leaving_members, unknown_leavers};
use super::groups::sync::validate_sync_request;
use super::groups::{GroupSettings, Turn, admin};
use super::records::{self, CoordinatorRecord, split_into_batches};
use super::state::State;
use super::timers::{TimerKey, Timers};

pub use super::request::{ClientContext, Request, Response};

/// Where a reply goes; a number that means something to the host alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyToken(pub u64);

#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    pub token: ReplyToken,
    pub response: Response,
}

/// What an event brings about.
#[derive(Debug, Default)]
#[must_use = "records that are not appended and replies that are not sent are lost"]
pub struct Actions {
    /// Each is one atomic batch of at most [`GroupSettings::max_batch_bytes`].
    pub batches: Vec<Vec<CoordinatorRecord>>,
    /// To be sent now. Those that wait for the batches come out of [`Coordinator::committed`].
    pub replies: Vec<Reply>,
}

/// A group as it is shown to operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSummary {
    pub id: String,
    /// Kafka's name of the state.
    pub state: &'static str,
    pub members: usize,
    /// Topic, partition, committed offset.
    pub offsets: Vec<(String, i32, i64)>,
}

/// A batch of the log that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the batch with offset {offset} or a later one is damaged: {reason}")]
pub struct BadBatch {
    pub offset: i64,
    pub reason: String,
}

/// Decompressed records of one batch that `load` will hold in memory. Kafka's coordinators write batches of
/// `max.message.bytes`; this is far above it.
const LOADED_BATCH_BYTES_MAX: usize = 256 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Loading,
    Active,
    Unloaded,
}

/// A batch that is not committed yet, and the replies that wait for it.
#[derive(Debug)]
struct Uncommitted {
    /// `None` until it is appended.
    last_offset: Option<i64>,
    replies: Vec<Reply>,
}

/// The coordinator of one partition of `__consumer_offsets`. See the module for how to host it.
#[derive(Debug)]
pub struct Coordinator {
    settings: GroupSettings,
    phase: Phase,
    state: State,
    timers: Timers,
    uncommitted: VecDeque<Uncommitted>,
    high_watermark: i64,
    clock: Clock,
}

impl Coordinator {
    pub fn new(settings: GroupSettings) -> Coordinator {
        Coordinator {
            settings,
            phase: Phase::Loading,
            state: State::default(),
            timers: Timers::default(),
            uncommitted: VecDeque::new(),
            high_watermark: 0,
            clock: Clock::default(),
        }
    }

    /// Takes over settings that were changed while running. They count from the next event on.
    pub fn set_settings(&mut self, settings: GroupSettings) {
        self.settings = settings;
    }

    /// Replays batches of the log, `bytes`, of which the first holds `offset` or a later one; returns the offset after the
    /// last of them. A batch that is cut off behind good ones is left for the next call. One that is not what was written
    /// ends the load: nothing of this coordinator may be served then, for what it says about groups would be made up.
    /// Records of a good batch that mean nothing are skipped with a line in the log: one of them must not keep every group
    /// of the partition from being served.
    pub fn load(&mut self, bytes: &[u8], offset: i64) -> Result<i64, BadBatch> {
        assert_eq!(self.phase, Phase::Loading, "a coordinator is loaded before it is active");
        let mut next_offset = offset;
        for batch in batches(bytes) {
            let bad = |reason: &dyn std::fmt::Display| BadBatch { offset: next_offset, reason: reason.to_string() };
            let batch = match batch {
                Ok(batch) => batch,
                Err(_) if next_offset > offset => break,
                Err(error) => return Err(bad(&error)),
            };
            if !batch.crc_is_valid() {
                return Err(bad(&"its CRC does not match"));
            }
            // The CRC is not about the offset of the batch.
            if batch.last_offset_delta() < 0 || batch.next_offset() <= next_offset {
                return Err(bad(&"its offsets do not follow those before it"));
            }
            self.load_batch(&batch).map_err(|error| bad(&error))?;
            next_offset = batch.next_offset();
        }
        Ok(next_offset)
    }

    fn load_batch(&mut self, batch: &Batch<'_>) -> Result<(), RecordsError> {
        let producer_id = batch.is_transactional().then(|| batch.producer_id());
        batch.for_each_record(LOADED_BATCH_BYTES_MAX, |record| {
            if batch.is_control() {
                if let Some(marker) = EndTransactionMarker::parse(&record)? {
                    self.state.offsets.replay_end_of_transaction(batch.producer_id(), marker.committed);
                }
                return Ok(());
            }
            match records::decode(record.key.unwrap_or_default(), record.value) {
                Ok(change) => self.state.replay(change, producer_id),
                Err(error) => {
                    tracing::error!(offset = record.offset, %error, "a record of __consumer_offsets is malformed and skipped");
                }
            }
            Ok::<(), RecordsError>(())
        })
    }

    /// The log has been read to its end. Members get a full session to show up.
    pub fn loaded(&mut self, now_ms: i64) -> Actions {
        assert_eq!(self.phase, Phase::Loading, "a coordinator is loaded once");
        self.phase = Phase::Active;
        self.clock = Clock::starting_at(now_ms);
        self.timers.schedule(TimerKey::Cleanup, now_ms.saturating_add(self.settings.retention_check_interval_ms));
        let groups = self.state.groups.len();
        tracing::info!(groups, "the group coordinator is active");
        let size_limit = usize::try_from(self.settings.group_max_size).unwrap_or(0);
        self.run(now_ms, |state, turn| {
            for group in state.groups.values_mut() {
                let member_ids: Vec<_> = group.members.keys().cloned().collect();
                for member_id in &member_ids {
                    group.touch(turn, member_id);
                }
                if member_ids.len() > size_limit {
                    group.prepare_rebalance(turn, "the loaded group is larger than group.max.size");
                }
            }
        })
    }

    /// Handles one request; `token` comes back with its reply, now or later.
    pub fn handle(&mut self, token: ReplyToken, request: Request, now_ms: i64) -> Actions {
        if let Some(response) = self.refusal(&request) {
            return Actions { replies: vec![Reply { token, response }], ..Actions::default() };
        }
        self.run(now_ms, |state, turn| state.handle(turn, token, request))
    }

    /// What a coordinator that is not active answers.
    fn refusal(&self, request: &Request) -> Option<Response> {
        match (self.phase, request) {
            (Phase::Active, _) => None,
            (Phase::Unloaded, _) => Some(request.failed(ErrorCode::NotCoordinator)),
            // The member may well be in the group; an error would only make it rejoin.
            (Phase::Loading, Request::Heartbeat(_)) => Some(request.failed(ErrorCode::None)),
            (Phase::Loading, _) => Some(request.failed(ErrorCode::CoordinatorLoadInProgress)),
        }
    }

    /// Carries out the timers that are due.
    pub fn tick(&mut self, now_ms: i64) -> Actions {
        if self.phase != Phase::Active {
            return Actions::default();
        }
        self.run(now_ms, |state, turn| {
            while let Some(key) = turn.timers.pop_expired(turn.clock_ms) {
                let cleanup = key == TimerKey::Cleanup;
                state.timer_fired(turn, key);
                if cleanup {
                    // One step of cleaning up per event, whether or not the next is due already.
                    break;
                }
            }
        })
    }

    /// When to call [`tick`](Self::tick) next. Any event may move it.
    pub fn next_deadline_ms(&self) -> Option<i64> {
        self.timers.next_deadline_ms().map(|deadline_ms| self.clock.wall_ms_at(deadline_ms))
    }

    /// A topic was deleted: so are the offsets that groups committed for it. To be called on every coordinator.
    pub fn topic_deleted(&mut self, topic: &str, topic_id: Uuid, now_ms: i64) -> Actions {
        if self.phase != Phase::Active {
            return Actions::default();
        }
        self.run(now_ms, |state, turn| state.topic_deleted(turn, topic, topic_id))
    }

    /// The oldest batch that was handed out and not yet reported is in the log; its last record has this offset.
    pub fn appended(&mut self, last_offset: i64) {
        if self.phase == Phase::Unloaded {
            return;
        }
        let batch = self.uncommitted.iter_mut().find(|batch| batch.last_offset.is_none());
        batch.expect("batches are appended once and in order").last_offset = Some(last_offset);
    }

    /// Everything below `high_watermark` is committed. Returns the replies that waited for it.
    #[must_use]
    pub fn committed(&mut self, high_watermark: i64) -> Vec<Reply> {
        self.high_watermark = self.high_watermark.max(high_watermark);
        let mut replies = Vec::new();
        while let Some(batch) = self.uncommitted.front()
            && batch.last_offset.is_some_and(|last_offset| last_offset < self.high_watermark)
        {
            replies.extend(self.uncommitted.pop_front().expect("the queue has a first entry").replies);
        }
        replies
    }

    /// Gives the partition up: an append failed, or another broker leads it. All requests that wait get NOT_COORDINATOR, which
    /// makes clients look for the coordinator and try again.
    #[must_use]
    pub fn unload(&mut self) -> Vec<Reply> {
        self.phase = Phase::Unloaded;
        let error = ErrorCode::NotCoordinator;
        let waiting = std::mem::take(&mut self.uncommitted).into_iter().flat_map(|batch| batch.replies);
        let mut replies: Vec<Reply> =
            waiting.map(|reply| Reply { token: reply.token, response: reply.response.into_failed(error) }).collect();
        let actions = self.run(self.clock.wall_ms(), |state, turn| {
            for group in state.groups.values_mut() {
                group.answer_all(turn, error);
            }
        });
        replies.extend(actions.replies);
        self.timers.clear();
        self.state = State::default();
        replies
    }

    /// Runs one event. Its replies wait for the last batch that is not committed, this event's or an earlier one's.
    fn run(&mut self, now_ms: i64, event: impl FnOnce(&mut State, &mut Turn<'_>)) -> Actions {
        let Coordinator { settings, timers, state, clock, .. } = self;
        let clock_ms = clock.advance(now_ms, timers.next_deadline_ms());
        let mut turn = Turn { settings, timers, now_ms, clock_ms, records: Vec::new(), replies: Vec::new() };
        event(state, &mut turn);
        let Turn { records, replies, .. } = turn;
        let batches = split_into_batches(records, self.settings.max_batch_bytes);
        for _ in &batches {
            self.uncommitted.push_back(Uncommitted { last_offset: None, replies: Vec::new() });
        }
        match self.uncommitted.back_mut() {
            Some(last) => {
                last.replies.extend(replies);
                Actions { batches, replies: Vec::new() }
            }
            None => Actions { batches, replies },
        }
    }

    /// What an operator wants to see of every group, as it stands in memory.
    pub fn summaries(&self) -> Vec<GroupSummary> {
        let mut summaries: Vec<GroupSummary> = Vec::with_capacity(self.state.groups.len());
        for group in self.state.groups.values() {
            let (id, state, members) = (group.id.to_string(), group.state.name(), group.members.len());
            let offsets = self.state.offsets.keys_of_group(&group.id).into_iter().filter_map(|key| {
                let committed = self.state.offsets.get(&key.group, &key.topic, key.partition)?;
                Some((key.topic.to_string(), key.partition, committed.offset))
            });
            summaries.push(GroupSummary { id, state, members, offsets: offsets.collect() });
        }
        summaries
    }

    #[cfg(test)]
    pub(super) fn state(&self) -> &State {
        &self.state
    }
}

impl State {
    fn handle(&mut self, turn: &mut Turn<'_>, token: ReplyToken, request: Request) {
        let response = match &request {
            Request::JoinGroup { request, client, api_version } => {
                let parked = ParkedJoin { token, api_version: *api_version };
                return self.join_group(turn, &Join { request, client, parked });
            }
            Request::SyncGroup { request: sync, api_version } => {
                let group = self.groups.get_mut(sync.group_id.as_str());
                match validate_sync_request(sync, *api_version).and(group.ok_or(ErrorCode::UnknownMemberId)) {
                    Ok(group) => return group.sync(turn, sync, token),
                    Err(error) => request.failed(error),
                }
            }
            Request::Heartbeat(heartbeat) => {
                let alive = match self.groups.get_mut(heartbeat.group_id.as_str()) {
                    Some(group) => group.heartbeat(turn, heartbeat),
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
                let responses = match self.groups.get_mut(leave.group_id.as_str()) {
                    Some(group) => group.leave(turn, &members),
                    None => unknown_leavers(&members),
                };
                Response::LeaveGroup(leave_response(responses, *api_version))
            }
            Request::OffsetCommit { request, api_version } => {
                Response::OffsetCommit(self.commit_offsets(turn, request, *api_version))
            }
            Request::OffsetFetch { group, require_stable } => {
                Response::OffsetFetch(self.offsets.fetch(group, *require_stable))
            }
            Request::OffsetDelete(request) => Response::OffsetDelete(self.delete_offsets(turn, request)),
            Request::DescribeGroup { group_id, api_version } => Response::DescribeGroup(
                self.groups
                    .get(group_id.as_str())
                    .map_or_else(|| admin::describe_missing(group_id, *api_version), ClassicGroup::describe),
            ),
            Request::DeleteGroup { group_id } => Response::DeleteGroup(self.request_delete(turn, group_id)),
            Request::ListGroups(request) => Response::ListGroups(self.list_groups(request)),
        };
        turn.reply(token, response);
    }

    fn join_group(&mut self, turn: &mut Turn<'_>, join: &Join<'_>) {
        let member_id = join.request.member_id.as_str();
        if let Err(error) = validate_join(turn, join) {
            return join.refuse(turn, member_id, error);
        }
        if let Some(group) = self.groups.get_mut(join.request.group_id.as_str()) {
            return group.join(turn, join);
        }
        if let Err(error) = may_create_group(join) {
            return join.refuse(turn, member_id, error);
        }
        // A new group is in the log before a member knows of it.
        let mut group = ClassicGroup::new(join.request.group_id.as_str().into(), turn.now_ms);
        turn.records.push(records::group_metadata(&group, &Default::default()));
        group.join(turn, join);
        self.groups.insert(group.id.clone(), group);
    }

    fn timer_fired(&mut self, turn: &mut Turn<'_>, key: TimerKey) {
        match key {
            TimerKey::Session { group, member } => {
                if let Some(group) = self.groups.get_mut(&group) {
                    group.session_expired(turn, &member);
                }
            }
            TimerKey::Join(group) => {
                if let Some(group) = self.groups.get_mut(&group) {
                    group.join_deadline_passed(turn);
                }
            }
            TimerKey::Sync(group) => {
                if let Some(group) = self.groups.get_mut(&group) {
                    group.sync_deadline_passed(turn);
                }
            }
            TimerKey::Cleanup => {
                let done = self.cleanup(turn);
                let delay_ms = if done { turn.settings.retention_check_interval_ms } else { 0 };
                turn.timers.schedule(TimerKey::Cleanup, turn.clock_ms.saturating_add(delay_ms));
            }
        }
    }
}
