//! Everything one partition of `__transaction_state` says: its transactional ids, and the events
//! that change them.
//!
//! Pure, on the core that leads the partition. Records become state here, from the log and from
//! requests alike. Here requests are handed on; the modules of [`transactions`](super) handle them.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;

use protocol::ErrorCode;
use protocol::records::Record;

use super::entries::Entries;
use super::entry::{Entry, Status};
use super::markers::Marking;
use super::records::{self, Change};
use super::request::{Effect, Request, Response};
use super::{Context, TimerKey, TransactionSettings};
use crate::coord::producer_ids::{ProducerIdBlock, ProducerIds};
use crate::coord::runtime::{ReplyToken, StateMachine, TopicChange};
use crate::limits;

/// The transaction coordinator of one partition.
#[derive(Debug, Default)]
pub struct Transactions {
    pub(super) entries: Entries,
    /// The markers of each transaction that is prepared and waits for some. Not of the log: begun
    /// anew after a load.
    pub(super) marking: BTreeMap<Arc<str>, Marking>,
    /// Those of them of which some markers are still to be wanted, first come, first served.
    pub(super) marker_queue: VecDeque<Arc<str>>,
    /// Partitions whose markers are wanted and not answered.
    pub(super) markers_in_flight: usize,
    /// Of the last transaction that was prepared.
    pub(super) last_serial: u64,
    producer_ids: ProducerIds,
    /// More of them are on their way, or will be asked for by a timer.
    awaits_producer_ids: bool,
    /// The id at which a clean-up that was cut short goes on.
    pub(super) cleanup_cursor: Option<Arc<str>>,
    /// The id behind which what was open at the load is taken up.
    pub(super) resume_cursor: Option<Arc<str>>,
}

/// Transactional ids that one step looks at, of a clean-up, or of what was open at a load.
pub(super) const IDS_PER_STEP: usize = 1_000;

impl StateMachine for Transactions {
    type Settings = TransactionSettings;
    type Request = Request;
    type Response = Response;
    type Timer = TimerKey;
    /// It has no name but its own.
    type Author = ();
    type Effect = Effect;

    fn max_batch_bytes(settings: &TransactionSettings) -> usize {
        settings.max_batch_bytes
    }

    /// Nothing is written into `__transaction_state` inside a transaction.
    fn replay(&mut self, record: &Record<'_>, _producer_id: Option<i64>) {
        match records::decode(record.key.unwrap_or_default(), record.value) {
            Ok(Change::Transaction(entry)) => {
                self.entries.insert(*entry);
            }
            Ok(Change::Expired(id)) => {
                self.entries.remove(&id);
            }
            Ok(Change::Other { record_type }) => {
                tracing::debug!(record_type, "a record of another kind is skipped");
            }
            Err(error) => {
                tracing::error!(offset = record.offset, %error, "a record of __transaction_state \
                    is malformed and skipped");
            }
        }
    }

    fn replay_marker(&mut self, _producer_id: i64, _committed: bool) {}

    /// A decision is carried out, and an open transaction gets the rest of its time.
    fn loaded(&mut self, context: &mut Context<'_>) {
        tracing::info!(ids = self.entries.len(), "the transaction coordinator is active");
        // Serials of this coordinator differ from those of an earlier one, as far as time tells.
        self.last_serial = u64::try_from(context.now_ms).unwrap_or(0) << 20;
        context.schedule(TimerKey::Cleanup, context.settings.expiration_check_interval_ms);
        self.want_producer_ids(context);
        self.resume(context);
    }

    fn handle(&mut self, context: &mut Context<'_>, token: ReplyToken, request: Request) {
        let response = match request {
            Request::InitProducerId { request, api_version } => {
                Response::InitProducerId(self.init_producer_id(context, &request, api_version))
            }
            Request::AddPartitions { transaction, api_version } => {
                Response::AddPartitions(self.add_partitions(context, &transaction, api_version))
            }
            Request::AddOffsets { request, offsets_partition, api_version } => {
                let response = self.add_offsets(context, &request, offsets_partition, api_version);
                Response::AddOffsets(response)
            }
            Request::EndTxn { request, api_version } => {
                Response::EndTxn(self.end_transaction(context, &request, api_version))
            }
            Request::DescribeTransaction { transactional_id } => {
                Response::DescribeTransaction(self.describe(&transactional_id))
            }
            Request::ListTransactions { filter, after } => {
                let page = self.list(context.now_ms, &filter, after.as_deref());
                Response::ListTransactions(page)
            }
            Request::ProducerIds(answer) => {
                self.producer_ids_came(context, answer);
                Response::Noted
            }
            Request::MarkersWritten(report) => {
                self.markers_written(context, &report);
                Response::Noted
            }
        };
        context.reply(token, response);
    }

    fn timer_fired(&mut self, context: &mut Context<'_>, timer: TimerKey) -> ControlFlow<()> {
        match timer {
            TimerKey::Timeout(id) => self.timed_out(context, &id),
            TimerKey::Markers(id) => self.retry_markers(context, &id),
            TimerKey::ProducerIds => {
                self.awaits_producer_ids = false;
                self.want_producer_ids(context);
            }
            TimerKey::Cleanup => {
                let done = self.cleanup(context);
                let interval_ms = context.settings.expiration_check_interval_ms;
                context.schedule(TimerKey::Cleanup, if done { interval_ms } else { 0 });
                // One step of cleaning up per event; so it is with the others.
                return ControlFlow::Break(());
            }
            TimerKey::MoreMarkers => {
                self.want_markers(context);
                return ControlFlow::Break(());
            }
            TimerKey::Resume => {
                self.resume(context);
                return ControlFlow::Break(());
            }
        }
        // Many may be due at once, as after a long time without a broker.
        let most_bytes = context.settings.max_batch_bytes.min(limits::COORDINATOR_TURN_BYTES);
        if context.written_bytes() >= most_bytes
            || context.wanted() >= limits::MARKER_QUESTIONS_PER_TURN
        {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// A deleted partition is found when its marker is to be written.
    fn topics_changed(&mut self, _context: &mut Context<'_>, _changes: &[TopicChange]) {}

    /// It keeps none.
    fn answer_all(&mut self, _context: &mut Context<'_>, _error: ErrorCode) {}

    fn may_write(request: &Request) -> bool {
        request.may_write()
    }

    fn failed(request: &Request, error: ErrorCode) -> Response {
        request.failed(error)
    }

    fn failed_while_loading(request: &Request) -> Response {
        request.failed(ErrorCode::CoordinatorLoadInProgress)
    }

    fn into_failed(response: Response, error: ErrorCode) -> Response {
        response.into_failed(error)
    }
}

impl Transactions {
    /// Writes what follows an entry, and takes it over.
    pub(super) fn put(&mut self, context: &mut Context<'_>, next: Entry) {
        let id = next.id.clone();
        let before = self.entries.get(&id);
        if let Some(before) = before {
            before.assert_followed_by(&next);
        }
        assert!(!self.marking.contains_key(&id), "{id} changes while markers are on their way");
        let was_ongoing = before.is_some_and(|before| before.status == Status::Ongoing);
        match (was_ongoing, next.status == Status::Ongoing) {
            (false, true) => schedule_timeout(context, &next),
            (true, false) => context.timers.cancel(&TimerKey::Timeout(id.clone())),
            _ => {}
        }
        let record = records::transaction(&next, context.settings.transaction_version);
        context.append_as((), record);
        self.entries.insert(next);
    }

    /// About what the transactional ids take in memory.
    pub fn memory_bytes(&self) -> usize {
        self.entries.memory_bytes()
    }

    /// Takes up what was open or decided at the load, a step of it. What has begun meanwhile comes
    /// to nothing by that.
    fn resume(&mut self, context: &mut Context<'_>) {
        let after = self.resume_cursor.take();
        let step = self.entries.after(after.as_deref()).take(IDS_PER_STEP);
        let step: Vec<Arc<str>> = step.map(|(id, _)| id.clone()).collect();
        if step.len() == IDS_PER_STEP {
            self.resume_cursor = step.last().cloned();
            context.schedule(TimerKey::Resume, 0);
        }
        for id in step {
            let entry = &self.entries[&id];
            if entry.status.is_settled() || self.marking.contains_key(&id) {
                continue;
            }
            if entry.status == Status::Ongoing {
                schedule_timeout(context, entry);
            } else if entry.partitions.is_empty() {
                // Complete at once, but not here: a log that takes no records for now is loaded,
                // too.
                context.schedule(TimerKey::Markers(id), 0);
            } else {
                self.begin_markers(context, &id);
            }
        }
    }

    /// Kafka answers the same while it has none.
    pub(super) fn take_producer_id(&mut self, context: &mut Context<'_>) -> Result<i64, ErrorCode> {
        let taken = self.producer_ids.next();
        self.want_producer_ids(context);
        taken.map(|(id, _)| id).ok_or(ErrorCode::CoordinatorLoadInProgress)
    }

    fn want_producer_ids(&mut self, context: &mut Context<'_>) {
        if self.producer_ids.needs_block() && !self.awaits_producer_ids {
            self.awaits_producer_ids = true;
            context.want(Effect::AllocateProducerIds);
        }
    }

    fn producer_ids_came(
        &mut self,
        context: &mut Context<'_>,
        answer: Result<ProducerIdBlock, ErrorCode>,
    ) {
        match answer {
            Ok(ProducerIdBlock { start, len }) => {
                self.awaits_producer_ids = false;
                self.producer_ids.add_block(start, len);
                self.want_producer_ids(context);
            }
            Err(error) => {
                tracing::warn!(%error, "no producer ids came; they are asked for again");
                let pause_ms = limits::COORDINATOR_PAUSE_MIN_MS as i64;
                context.schedule(TimerKey::ProducerIds, pause_ms);
            }
        }
    }
}

impl Context<'_> {
    pub(super) fn schedule(&mut self, timer: TimerKey, delay_ms: i64) {
        self.timers.schedule(timer, self.clock_ms.saturating_add(delay_ms));
    }
}

/// The transaction is aborted when it has taken its time, counted from its first partition.
fn schedule_timeout(context: &mut Context<'_>, entry: &Entry) {
    if !entry.has_timeout() {
        return;
    }
    let elapsed_ms = context.now_ms.saturating_sub(entry.start_ms.unwrap_or(context.now_ms));
    let rest_ms = i64::from(entry.timeout_ms).saturating_sub(elapsed_ms);
    // A start that lies ahead says that the clock was set back.
    let rest_ms = rest_ms.clamp(0, i64::from(entry.timeout_ms.max(0)));
    context.schedule(TimerKey::Timeout(entry.id.clone()), rest_ms);
}
