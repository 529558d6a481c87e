//! What all coordinators have in common, and the contract with the shard that hosts them.
//!
//! A [`Coordinator`] is a [`StateMachine`] over one partition of an internal topic, such as the
//! groups of one partition of `__consumer_offsets`. It lives on the core that leads the partition,
//! and it performs no I/O: events and time come in, [`Actions`] go out, and the host carries them
//! out.
//!
//! # What the host does
//!
//! 1. On becoming leader of the partition: [`Coordinator::new`]; wait until the high watermark has
//!    reached the end that the log has now, for records that are not committed could still be lost;
//!    [`load`](Coordinator::load) the log's batches from its start to that end, in order and in
//!    pieces of any number of whole batches; [`loaded`](Coordinator::loaded). Requests may come at
//!    any time; until then they are answered with COORDINATOR_LOAD_IN_PROGRESS. A batch that is
//!    refused ends the coordinator for good: no other load can end better before the log is mended.
//! 2. For each event ([`handle`](Coordinator::handle), [`tick`](Coordinator::tick),
//!    [`topics_changed`](Coordinator::topics_changed), `loaded`): append each of
//!    [`Actions::batches`], in order, as one atomic record batch; call
//!    [`appended`](Coordinator::appended) with the last offset of each, in the same order (before
//!    or after other events, as the log allows); send [`Actions::replies`] and carry out
//!    [`Actions::effects`] at once.
//! 3. Whenever the high watermark moves (acks=all, hence on disk):
//!    [`committed`](Coordinator::committed), and the same with what comes out of it.
//! 4. At [`next_deadline_ms`](Coordinator::next_deadline_ms): `tick`.
//! 5. When a producer's transaction ends in the partition: append the marker, if the log takes it;
//!    [`transaction_ended`](Coordinator::transaction_ended) and `appended`, as for a batch. One
//!    that comes before `loaded` is refused, for the load might not see it.
//! 6. Before a request whose records are part of a producer's transaction: see that the log takes
//!    a batch of this producer. What the log says of producers can change between two events only.
//! 7. When an append fails, or the partition is no longer led: [`unload`](Coordinator::unload),
//!    send the replies, drop the coordinator. After a failed append, begin again at 1. While the
//!    log takes nothing for a reason that passes, the host loads the committed records, hands on
//!    only requests that write nothing ([`StateMachine::may_write`]), and does not tick; then again
//!    1.
//!
//! # What it may rely on
//!
//! The state runs ahead of the log: an event's records are part of it before they are appended, so
//! the next event sees them. No reply leaves that could show a state that may yet be lost: while
//! anything is not committed, replies wait, in order, for everything that was written before them,
//! and so do effects. Therefore a failed append needs no undoing: no client has seen its effects.
//! The state is thrown away, every waiting request is answered with NOT_COORDINATOR, and what the
//! log holds is loaded again.
//!
//! Tokens are the host's; each is answered exactly once. Time is wall-clock milliseconds, as
//! records keep it; it may jump, which ends no session (see [`clock`](super::clock)).
//!
//! # What a machine may want
//!
//! Through its [`Context`]: to append a record, to reply, to set and clear timers. These are of
//! every machine, so the runtime knows them. Two more are of its own kind, so the machine names
//! their types, and the host carries them out by a function for that machine:
//!
//! - [`StateMachine::Author`], the author of what it appends: a producer with its epoch, inside a
//!   transaction or not. One that writes in no name but its own has `()`.
//! - [`StateMachine::Effect`], what it wants done elsewhere: markers in other partitions, a call to
//!   the controller. One that wants nothing has [`Infallible`](std::convert::Infallible), and its
//!   host has nothing to carry out. An effect waits for all that was written before it. It may be
//!   lost with the coordinator, so what must happen follows from the log and is wanted again when
//!   that is loaded. What became of it comes back as a request of the machine.
//!
//! Of the topics a machine hears what changes while it is active, and what was deleted since the
//! load began. One that must know them all wants them when it is loaded, by an effect.
//!
//! One enum of all actions would have made every host answer for what its machine never asks, and
//! would have grown with each kind of coordinator.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::hash::Hash;
use std::ops::ControlFlow;
use std::sync::Arc;

use protocol::records::{Batch as LogBatch, EndTransactionMarker, Record, RecordsError, batches};
use protocol::{ErrorCode, Uuid};

use super::batch::{Batch, CoordinatorRecord, Written};
use super::clock::Clock;
use super::timers::Timers;

/// What one kind of coordinator decides. Its value is all that the records of one partition say.
///
/// It changes in two ways that must agree: by what it reads back (`replay`), and by events, whose
/// records it takes over itself as it appends them.
pub trait StateMachine: Debug + Default + 'static {
    /// What the operator configures.
    type Settings: Debug;
    type Request: Debug;
    type Response: Debug;
    /// Names a deadline.
    type Timer: Clone + Debug + Hash + Ord;
    /// The author of a batch.
    type Author: Copy + Debug + PartialEq;
    /// What is to be done elsewhere once all that was written before is committed.
    type Effect: Debug;

    /// The largest batch that the log takes: the topic's `max.message.bytes`.
    fn max_batch_bytes(settings: &Self::Settings) -> usize;

    /// Takes over a record of the log. `producer_id` is set for records of transactions. One that
    /// means nothing is skipped with a line in the log.
    fn replay(&mut self, record: &Record<'_>, producer_id: Option<i64>);

    /// The producer's transaction in this partition has ended.
    fn replay_marker(&mut self, producer_id: i64, committed: bool);

    /// The log has been read to its end; requests follow.
    fn loaded(&mut self, context: &mut Context<'_, Self>);

    /// Answers at once, or keeps the token until it can.
    fn handle(
        &mut self,
        context: &mut Context<'_, Self>,
        token: ReplyToken,
        request: Self::Request,
    );

    /// A deadline has passed. `Break`: other work goes before the next one, whether or not that is
    /// due already.
    fn timer_fired(
        &mut self,
        context: &mut Context<'_, Self>,
        timer: Self::Timer,
    ) -> ControlFlow<()>;

    /// Topics of the cluster have come, grown or gone.
    fn topics_changed(&mut self, context: &mut Context<'_, Self>, changes: &[TopicChange]);

    /// Answers every request that it keeps with `error`, and writes nothing: it is about to be
    /// forgotten.
    fn answer_all(&mut self, context: &mut Context<'_, Self>, error: ErrorCode);

    /// Whether the request may write records. What does not is served also while the log takes
    /// none.
    fn may_write(request: &Self::Request) -> bool;

    /// The answer that reports `error` and nothing else.
    fn failed(request: &Self::Request, error: ErrorCode) -> Self::Response;

    /// The answer before the log is read.
    fn failed_while_loading(request: &Self::Request) -> Self::Response;

    /// The same answer turned into a failure, when what it reports did not last.
    fn into_failed(response: Self::Response, error: ErrorCode) -> Self::Response;
}

/// A topic that came, got more partitions, or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicChange {
    pub name: Arc<str>,
    pub id: Uuid,
    /// How many it has now; none once it is deleted.
    pub partition_count: usize,
}

impl TopicChange {
    pub fn is_deleted(&self) -> bool {
        self.partition_count == 0
    }
}

/// One event's time, and what handling it brings about.
pub struct Context<'a, M: StateMachine> {
    pub settings: &'a M::Settings,
    pub timers: &'a mut Timers<M::Timer>,
    /// Wall-clock time, for records and retention.
    pub now_ms: i64,
    /// The time that deadlines are kept in.
    pub clock_ms: i64,
    written: Written<M::Author>,
    replies: Vec<Reply<M::Response>>,
    effects: Vec<M::Effect>,
}

impl<M: StateMachine> Context<'_, M> {
    /// Writes a record, which is part of the state already.
    pub fn append_as(&mut self, author: M::Author, record: CoordinatorRecord) {
        self.written.push(author, record);
    }

    /// An upper bound of the batch that all records of this event would make.
    pub fn written_bytes(&self) -> usize {
        self.written.size_bytes()
    }

    pub fn reply(&mut self, token: ReplyToken, response: M::Response) {
        self.replies.push(Reply { token, response });
    }

    pub fn want(&mut self, effect: M::Effect) {
        self.effects.push(effect);
    }

    /// How many effects this event has wanted so far.
    pub fn wanted(&self) -> usize {
        self.effects.len()
    }
}

/// Where a reply goes; a number that means something to the host alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyToken(pub u64);

#[derive(Clone, Debug, PartialEq)]
pub struct Reply<R> {
    pub token: ReplyToken,
    pub response: R,
}

/// What an event brings about.
#[derive(Debug)]
#[must_use = "records that are not appended and replies that are not sent are lost"]
pub struct Actions<M: StateMachine> {
    /// Each is one atomic batch of at most [`StateMachine::max_batch_bytes`].
    pub batches: Vec<Batch<M::Author>>,
    /// To be sent now. Those that wait for the batches come out of [`Coordinator::committed`].
    pub replies: Vec<Reply<M::Response>>,
    /// To be carried out now, in order. Others wait as replies do.
    pub effects: Vec<M::Effect>,
}

impl<M: StateMachine> Default for Actions<M> {
    fn default() -> Actions<M> {
        Actions { batches: Vec::new(), replies: Vec::new(), effects: Vec::new() }
    }
}

/// A batch of the log that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the batch with offset {offset} or a later one is damaged: {reason}")]
pub struct BadBatch {
    pub offset: i64,
    pub reason: String,
}

/// Decompressed records of one batch that `load` will hold in memory. Kafka's coordinators write
/// batches of `max.message.bytes`; this is far above it.
const LOADED_BATCH_BYTES_MAX: usize = 256 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Loading,
    Active,
    Unloaded,
}

/// A batch, or a marker, that is not committed yet, and what waits for it.
#[derive(Debug)]
struct Uncommitted<M: StateMachine> {
    /// `None` until it is appended.
    last_offset: Option<i64>,
    replies: Vec<Reply<M::Response>>,
    effects: Vec<M::Effect>,
}

/// The coordinator of one partition of an internal topic. See the module for how to host it.
#[derive(Debug)]
pub struct Coordinator<M: StateMachine> {
    settings: M::Settings,
    phase: Phase,
    machine: M,
    timers: Timers<M::Timer>,
    uncommitted: VecDeque<Uncommitted<M>>,
    high_watermark: i64,
    clock: Clock,
}

impl<M: StateMachine> Coordinator<M> {
    pub fn new(settings: M::Settings) -> Coordinator<M> {
        Coordinator {
            settings,
            phase: Phase::Loading,
            machine: M::default(),
            timers: Timers::default(),
            uncommitted: VecDeque::new(),
            high_watermark: 0,
            clock: Clock::default(),
        }
    }

    /// What the machine sees from the next event on: some of what the operator configures, such as
    /// the features of the cluster, changes under a coordinator that is active.
    pub fn settings_mut(&mut self) -> &mut M::Settings {
        &mut self.settings
    }

    /// The state as it stands in memory, for operators: some of it may not be committed.
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// Replays batches of the log, `bytes`, of which the first holds `offset` or a later one;
    /// returns the offset after the last of them. A batch that is cut off behind good ones is left
    /// for the next call. One that is not what was written ends the load: nothing of this
    /// coordinator may be served then, for what it says would be made up. Records of a good batch
    /// that mean nothing are skipped with a line in the log: one of them must not keep all else of
    /// the partition from being served.
    pub fn load(&mut self, bytes: &[u8], offset: i64) -> Result<i64, BadBatch> {
        assert_eq!(self.phase, Phase::Loading, "a coordinator is loaded before it is active");
        let mut next_offset = offset;
        for batch in batches(bytes) {
            let bad = |reason: &dyn std::fmt::Display| BadBatch {
                offset: next_offset,
                reason: reason.to_string(),
            };
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

    fn load_batch(&mut self, batch: &LogBatch<'_>) -> Result<(), RecordsError> {
        let producer_id = batch.is_transactional().then(|| batch.producer_id());
        batch.for_each_record(LOADED_BATCH_BYTES_MAX, |record| {
            if !batch.is_control() {
                self.machine.replay(&record, producer_id);
            } else if let Some(marker) = EndTransactionMarker::parse(&record)? {
                self.machine.replay_marker(batch.producer_id(), marker.committed);
            }
            Ok::<(), RecordsError>(())
        })
    }

    /// The log has been read to its end.
    pub fn loaded(&mut self, now_ms: i64) -> Actions<M> {
        assert_eq!(self.phase, Phase::Loading, "a coordinator is loaded once");
        self.phase = Phase::Active;
        self.clock = Clock::starting_at(now_ms);
        self.run(now_ms, M::loaded)
    }

    /// Handles one request; `token` comes back with its reply, now or later.
    pub fn handle(&mut self, token: ReplyToken, request: M::Request, now_ms: i64) -> Actions<M> {
        let response = match self.phase {
            Phase::Active => {
                return self
                    .run(now_ms, |machine, context| machine.handle(context, token, request));
            }
            Phase::Loading => M::failed_while_loading(&request),
            Phase::Unloaded => M::failed(&request, ErrorCode::NotCoordinator),
        };
        Actions { replies: vec![Reply { token, response }], ..Actions::default() }
    }

    /// Carries out the timers that are due.
    pub fn tick(&mut self, now_ms: i64) -> Actions<M> {
        if self.phase != Phase::Active {
            return Actions::default();
        }
        self.run(now_ms, |machine, context| {
            while let Some(timer) = context.timers.pop_expired(context.clock_ms)
                && machine.timer_fired(context, timer).is_continue()
            {}
        })
    }

    /// When to call [`tick`](Self::tick) next. Any event may move it.
    pub fn next_deadline_ms(&self) -> Option<i64> {
        self.timers.next_deadline_ms().map(|deadline_ms| self.clock.wall_ms_at(deadline_ms))
    }

    /// Topics of the cluster have come, grown or gone. To be called on every coordinator; one that
    /// is not active must be told later of those that went, for it may have to write so.
    pub fn topics_changed(&mut self, changes: &[TopicChange], now_ms: i64) -> Actions<M> {
        if self.phase != Phase::Active {
            return Actions::default();
        }
        self.run(now_ms, |machine, context| machine.topics_changed(context, changes))
    }

    /// The producer's transaction in this partition ends with a marker, which is the host's to
    /// append: behind all batches that were handed out before, and before any later one. Its offset
    /// is reported as a batch's is ([`appended`](Self::appended)).
    pub fn transaction_ended(&mut self, producer_id: i64, committed: bool) {
        assert_ne!(self.phase, Phase::Loading, "while it is loaded, the log tells of markers");
        if self.phase == Phase::Unloaded {
            return;
        }
        self.machine.replay_marker(producer_id, committed);
        let (replies, effects) = (Vec::new(), Vec::new());
        self.uncommitted.push_back(Uncommitted { last_offset: None, replies, effects });
    }

    /// The oldest batch that was handed out and not yet reported is in the log; its last record has
    /// this offset. The same goes for markers.
    pub fn appended(&mut self, last_offset: i64) {
        if self.phase == Phase::Unloaded {
            return;
        }
        let batch = self.uncommitted.iter_mut().find(|batch| batch.last_offset.is_none());
        batch.expect("batches are appended once and in order").last_offset = Some(last_offset);
    }

    /// Everything below `high_watermark` is committed. Returns the replies and effects that waited
    /// for it, and no batches.
    pub fn committed(&mut self, high_watermark: i64) -> Actions<M> {
        self.high_watermark = self.high_watermark.max(high_watermark);
        let mut actions = Actions::default();
        while let Some(batch) = self.uncommitted.front()
            && batch.last_offset.is_some_and(|last_offset| last_offset < self.high_watermark)
        {
            let batch = self.uncommitted.pop_front().expect("the queue has a first entry");
            actions.replies.extend(batch.replies);
            actions.effects.extend(batch.effects);
        }
        actions
    }

    /// Gives the partition up: an append failed, or another broker leads it. All requests that wait
    /// get NOT_COORDINATOR, which makes clients look for the coordinator and try again. Effects
    /// that wait are as good as never wanted.
    #[must_use]
    pub fn unload(&mut self) -> Vec<Reply<M::Response>> {
        self.phase = Phase::Unloaded;
        let error = ErrorCode::NotCoordinator;
        let waiting =
            std::mem::take(&mut self.uncommitted).into_iter().flat_map(|batch| batch.replies);
        let mut replies: Vec<Reply<M::Response>> = waiting
            .map(|reply| Reply {
                token: reply.token,
                response: M::into_failed(reply.response, error),
            })
            .collect();
        let actions =
            self.run(self.clock.wall_ms(), |machine, context| machine.answer_all(context, error));
        assert!(actions.batches.is_empty(), "a coordinator that is given up writes nothing");
        replies.extend(actions.replies);
        self.timers.clear();
        self.machine = M::default();
        replies
    }

    /// Runs one event. Its replies and effects wait for the last batch that is not committed, this
    /// event's or an earlier one's.
    fn run(&mut self, now_ms: i64, event: impl FnOnce(&mut M, &mut Context<'_, M>)) -> Actions<M> {
        let Coordinator { settings, timers, machine, clock, .. } = self;
        let clock_ms = clock.advance(now_ms, timers.next_deadline_ms());
        let written = Written::new(M::max_batch_bytes(settings));
        let (replies, effects) = (Vec::new(), Vec::new());
        let mut context = Context { settings, timers, now_ms, clock_ms, written, replies, effects };
        event(machine, &mut context);
        let Context { written, replies, effects, .. } = context;
        let batches = written.into_batches();
        for _ in &batches {
            let (replies, effects) = (Vec::new(), Vec::new());
            self.uncommitted.push_back(Uncommitted { last_offset: None, replies, effects });
        }
        match self.uncommitted.back_mut() {
            Some(last) => {
                last.replies.extend(replies);
                last.effects.extend(effects);
                Actions { batches, ..Actions::default() }
            }
            None => Actions { batches, replies, effects },
        }
    }
}
