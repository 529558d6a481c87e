//! Produce v3-13: from a request to appends on the cores that own the partitions, and back to one reply.
//!
//! Owns: the produce requests that are not answered yet. Lives on: the core of the connection (checking, routing, the
//! reply) and the core of the partition (the append). Never: copies records, or waits before an append took its place.
//!
//! Two stages. *Ordered*: when [`request`] returns, every local append has its offset and every remote one is in the
//! owner's mailbox, so the next request of the connection may start. *Done*: when all high watermarks have passed, the
//! reply goes. acks=1 waits as acks=all does: with one replica they mean the same, and durability is the broker's word.
//!
//! Not done: transactional batches (refused with INVALID_TXN_STATE; the transaction coordinator comes later).

use super::{
    Shard,
    call::{Answer, Call},
    commit::{Done, Waiter},
    memory::Use,
    partition::{Partition, PartitionId},
    view::{TopicRoute, validation_rules},
};
use crate::{
    limits,
    log::{AppendContext, AppendError},
    net::{
        conn::{CloseReason, Connection},
        dispatch,
        header::RequestIds,
        reply::{self, Reply, ReplyHandle, Unsafe},
    },
};
use bytes::BytesMut;
use protocol::{
    ApiKey, ErrorCode, TopicRef, Uuid,
    produce::{PartitionProduceResponse, ProduceRequest, ProduceResponseWriter, RecordError},
    records::{
        Batch,
        validate::{self, AppendOrigin, Rejection, ValidBatch},
    },
};
use ring::Instant;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// One partition's records on their way to the core that owns it: checked, not yet numbered.
pub struct Append {
    pub id: PartitionId,
    pub records: BytesMut,
    pub valid: ValidBatch,
    pub origin: AppendOrigin,
}

/// What became of one append.
#[derive(Clone, Debug)]
pub struct AppendResult {
    pub error: ErrorCode,
    pub base_offset: i64,
    pub log_append_time_ms: i64,
    pub log_start_offset: i64,
    pub message: Option<String>,
    pub record_errors: Vec<RecordError>,
}

impl AppendResult {
    pub fn error(error: ErrorCode, message: impl Into<Option<String>>) -> AppendResult {
        let message = message.into();
        AppendResult {
            error,
            base_offset: -1,
            log_append_time_ms: -1,
            log_start_offset: -1,
            message,
            record_errors: vec![],
        }
    }
}

/// The appends of one request, on the core of the connection or, for its share, on a core that owns partitions.
#[derive(Default)]
pub struct PendingAppends {
    remaining: Cell<usize>,
    results: RefCell<Vec<AppendResult>>,
    /// The topics as the request names them, for the reply.
    topics: RefCell<Vec<RequestedTopic>>,
    /// Their partitions, one topic after the other.
    partitions: RefCell<Vec<i32>>,
    finish: RefCell<Option<Finish>>,
}

/// What requests have done with, kept for the room that it has: a request in steady state allocates nothing.
#[derive(Default)]
pub struct Spares {
    pending: RefCell<Vec<Rc<PendingAppends>>>,
    wanted: RefCell<Vec<Wanted>>,
}

enum Finish {
    Reply(ReplyTo),
    /// Nobody is told (acks=0); what the request held counts until its records are safe.
    Silent {
        shard: Shard,
        held: Unsafe,
    },
    /// The share of another core's request: its results go back by mailbox.
    Answer {
        shard: Shard,
        core: usize,
        number: u64,
    },
}

/// What is needed to write the reply once all results are in.
struct ReplyTo {
    handle: ReplyHandle,
    shard: Shard,
    began: Instant,
    ids: RequestIds,
}

/// A topic as the request named it, and how many of its partitions.
struct RequestedTopic {
    name: Rc<str>,
    id: Uuid,
    partition_count: usize,
}

impl PendingAppends {
    fn new(shard: &Shard) -> Rc<PendingAppends> {
        let spare = shard.produce_spares.pending.borrow_mut().pop();
        // Whoever released it last may still be on its way out of there.
        spare.filter(|spare| Rc::strong_count(spare) == 1).unwrap_or_default()
    }

    /// Begins `count` appends. Holds the request open until [`PendingAppends::release`], so that it cannot finish while it
    /// is being handed out.
    fn begin(&self, count: usize, finish: Finish) {
        // No error yet; every result is replaced before the request is answered.
        self.results.borrow_mut().resize(count, AppendResult::error(ErrorCode::None, None));
        self.remaining.set(1);
        self.finish.replace(Some(finish));
    }

    fn hold(&self) {
        self.remaining.set(self.remaining.get() + 1);
    }

    fn release(self: &Rc<Self>) {
        self.remaining.set(self.remaining.get() - 1);
        if self.remaining.get() == 0
            && let Some(finish) = self.finish.take()
        {
            finish.with(self).keep(self);
        }
    }

    fn set(&self, index: usize, result: AppendResult) {
        self.results.borrow_mut()[index] = result;
    }

    /// The wait of one append is over. Its offsets stand already; an error replaces them.
    pub fn complete(self: &Rc<Self>, index: usize, result: Result<(), ErrorCode>) {
        if let Err(error) = result {
            self.set(index, AppendResult::error(error, None));
        }
        self.release();
    }

    fn failed(&self) -> bool {
        self.results.borrow().iter().any(|result| result.error != ErrorCode::None)
    }
}

impl Finish {
    /// Sends the results on their way; the core that did so.
    fn with(self, done: &PendingAppends) -> Shard {
        match self {
            Finish::Answer { shard, core, number } => {
                shard.answer(core, number, Answer::Produce(done.results.take()));
                shard
            }
            Finish::Silent { shard, held } => {
                drop(held);
                shard
            }
            Finish::Reply(ReplyTo { handle, shard, began, ids }) => {
                handle.reply(Reply::from_frame(write_response(&shard, ids, done)));
                done.results.borrow().iter().for_each(|result| shard.counters.error(result.error));
                shard.counters.answered(ApiKey::Produce.code(), shard.ring.now().since(began));
                shard
            }
        }
    }
}

impl Shard {
    /// Keeps what a finished request had, for the next one.
    fn keep(&self, done: &Rc<PendingAppends>) {
        done.results.borrow_mut().clear();
        done.topics.borrow_mut().clear();
        done.partitions.borrow_mut().clear();
        let mut pending = self.produce_spares.pending.borrow_mut();
        if pending.len() < limits::PRODUCE_SPARES_MAX {
            pending.push(done.clone());
        }
    }
}

fn write_response(shard: &Shard, ids: RequestIds, done: &PendingAppends) -> BytesMut {
    let (topics, partitions, results) = (done.topics.borrow(), done.partitions.borrow(), done.results.borrow());
    let mut frame = dispatch::response_head(shard, ids, reply::usual_bytes(topics.len(), partitions.len()));
    let mut writer = ProduceResponseWriter::new(&mut frame, ids.api_version, topics.len());
    let (mut results, mut partitions) = (results.iter(), partitions.iter());
    for topic in topics.iter() {
        writer.begin_topic(&topic.name, topic.id, topic.partition_count);
        for index in partitions.by_ref().take(topic.partition_count) {
            let result = results.next().expect("a result for every partition of the request");
            writer.partition(&PartitionProduceResponse {
                index: *index,
                error: result.error,
                base_offset: result.base_offset,
                log_append_time_ms: result.log_append_time_ms,
                log_start_offset: result.log_start_offset,
                record_errors: &result.record_errors,
                error_message: result.message.as_deref(),
                current_leader: None,
            });
        }
    }
    writer.finish(0, &[]);
    frame
}

/// What the request says of one partition, before its records are cut out of the frame.
struct Wanted {
    route: Result<(Rc<TopicRoute>, usize), ErrorCode>,
    index: i32,
    records: std::ops::Range<usize>,
}

/// Takes a produce request as far as *ordered*.
pub fn request(
    connection: &Rc<Connection>,
    ids: RequestIds,
    body_start: usize,
    mut frame: BytesMut,
) -> Result<(), CloseReason> {
    let shard = &connection.shard;
    let request = ProduceRequest::parse(&frame, body_start, ids.api_version).map_err(|error| CloseReason::Decode {
        key: ApiKey::Produce as i16,
        version: ids.api_version,
        error,
    })?;
    let acks = request.acks;
    let mut wanted = shard.produce_spares.wanted.take();
    let pending = PendingAppends::new(shard);
    plan(shard, &request, &pending, &mut wanted);
    if request.transactional_id.is_some() {
        wanted.iter_mut().for_each(|wanted| wanted.route = Err(ErrorCode::InvalidTxnState));
    }
    if !(-1..=1).contains(&acks) {
        wanted.iter_mut().for_each(|wanted| wanted.route = Err(ErrorCode::InvalidRequiredAcks));
    }
    let handle = connection.replies.expect((Use::Requests, frame.len()));
    let finish = if acks == 0 {
        Finish::Silent { shard: shard.clone(), held: handle.silence(frame.len()) }
    } else {
        let began = shard.ring.now();
        Finish::Reply(ReplyTo { handle, shard: shard.clone(), began, ids })
    };
    pending.begin(wanted.len(), finish);
    let origin = AppendOrigin::Client { produce_version: ids.api_version };
    hand_out(shard, wanted.drain(..), &mut frame, origin, &pending);
    shard.produce_spares.wanted.replace(wanted);
    if acks == 0 && pending.failed() {
        // The client asked for no reply, so the closed connection is all it can notice; Apache Kafka does the same.
        return Err(CloseReason::Protocol("a produce request with acks=0 failed".to_owned()));
    }
    pending.release();
    Ok(())
}

/// Looks up every partition that the request names.
fn plan(shard: &Shard, request: &ProduceRequest<'_>, pending: &PendingAppends, wanted: &mut Vec<Wanted>) {
    let routes = shard.routes.borrow();
    let (mut topics, mut partitions) = (pending.topics.borrow_mut(), pending.partitions.borrow_mut());
    let mut current: Option<(TopicRef<'_>, Result<&Rc<TopicRoute>, ErrorCode>)> = None;
    for partition in request.partitions() {
        let asked = partition.topic;
        let route = match current {
            Some((topic, route)) if topic == asked => route,
            _ => {
                let route = if asked.name.is_empty() {
                    routes.by_id(asked.id).ok_or(ErrorCode::UnknownTopicId)
                } else {
                    routes.by_name(asked.name).ok_or(ErrorCode::UnknownTopicOrPartition)
                };
                let name = route.map_or_else(|_| asked.name.into(), |route| route.name.clone());
                topics.push(RequestedTopic { name, id: asked.id, partition_count: 0 });
                current = Some((asked, route));
                route
            }
        };
        topics.last_mut().expect("the topic just seen").partition_count += 1;
        partitions.push(partition.index);
        let route = route.and_then(|route| {
            let index = usize::try_from(partition.index).ok().filter(|index| *index < route.partitions.len());
            Ok((route.clone(), index.ok_or(ErrorCode::UnknownTopicOrPartition)?))
        });
        wanted.push(Wanted { route, index: partition.index, records: partition.records.unwrap_or(0..0) });
    }
}

/// Cuts the records out of the frame, checks them here, and hands them to the cores that own the partitions.
fn hand_out(
    shard: &Shard,
    wanted: impl Iterator<Item = Wanted>,
    frame: &mut BytesMut,
    origin: AppendOrigin,
    pending: &Rc<PendingAppends>,
) {
    let mut remote: Vec<(usize, Vec<usize>, Vec<Append>)> = Vec::new();
    let mut cut = 0;
    for (index, wanted) in wanted.enumerate() {
        let records = if wanted.records.is_empty() {
            BytesMut::new()
        } else {
            let _ = frame.split_to(wanted.records.start - cut);
            cut = wanted.records.end;
            frame.split_to(wanted.records.len())
        };
        let (topic, partition_index) = match wanted.route {
            Ok(route) => route,
            Err(error) => {
                pending.set(index, AppendResult::error(error, None));
                continue;
            }
        };
        let (records, valid) = match check(shard, &topic, records, origin) {
            Ok(checked) => checked,
            Err(refused) => {
                let mut result = AppendResult::error(refused.error, Some(refused.message));
                result.record_errors = refused.record_errors;
                pending.set(index, result);
                continue;
            }
        };
        let id = PartitionId { topic_id: topic.id, index: wanted.index };
        let append = Append { id, records, valid, origin };
        let route = &topic.partitions[partition_index];
        if route.owner == shard.index {
            append_local(shard, route.local.as_ref(), append, pending, index);
            continue;
        }
        match remote.iter_mut().find(|(owner, ..)| *owner == route.owner) {
            Some((_, indexes, appends)) => {
                indexes.push(index);
                appends.push(append);
            }
            None => remote.push((route.owner, vec![index], vec![append])),
        }
    }
    for (owner, indexes, appends) in remote {
        pending.hold();
        let pending = pending.clone();
        let then = Box::new(move |answer| {
            let Answer::Produce(results) = answer else { panic!("a produce call answered by something else") };
            indexes.iter().zip(results).for_each(|(index, result)| pending.set(*index, result));
            pending.release();
        });
        shard.mailbox.call_then(owner, Call::Produce(appends), then);
    }
}

/// Checks the records of one partition, and compresses them anew where the topic wants another codec.
fn check(
    shard: &Shard,
    topic: &TopicRoute,
    records: BytesMut,
    origin: AppendOrigin,
) -> Result<(BytesMut, ValidBatch), Rejection> {
    let mut rules = validation_rules(&topic.config, shard.ring.wall_clock_ms(), origin);
    rules.max_decompressed_bytes = rules.max_decompressed_bytes.min(shard.memory.plan().unpacked_batch);
    let valid = validate::validate(&records, &rules, &mut shard.scratch.borrow_mut())?;
    let Some(codec) = valid.recompress_to else { return Ok((records, valid)) };
    let batch = Batch::parse(&records)?;
    let recompressed = BytesMut::from(validate::recompress(&batch, codec, topic.levels.of_codec(codec), &rules)?);
    let valid = ValidBatch { size_bytes: recompressed.len(), compression: codec, recompress_to: None, ..valid };
    Ok((recompressed, valid))
}

/// Appends for another core's request.
pub fn remote(shard: &Shard, core: usize, number: u64, appends: Vec<Append>) {
    let pending = PendingAppends::new(shard);
    pending.begin(appends.len(), Finish::Answer { shard: shard.clone(), core, number });
    for (index, append) in appends.into_iter().enumerate() {
        let partition = shard.partitions.borrow().get(&append.id).cloned();
        append_local(shard, partition.as_ref(), append, &pending, index);
    }
    pending.release();
}

/// Gives the records their offsets and leaves a waiter until they are safe.
fn append_local(
    shard: &Shard,
    partition: Option<&Rc<Partition>>,
    append: Append,
    pending: &Rc<PendingAppends>,
    index: usize,
) {
    let Some(partition) = partition else {
        return pending.set(index, AppendResult::error(shard.absence(), None));
    };
    match append_records(shard, partition, append.records, &append.valid, append.origin) {
        Err(error) => pending.set(index, AppendResult::error(error.code(), Some(error.to_string()))),
        Ok((result, safe_offset)) => {
            pending.set(index, result);
            if partition.log.high_watermark() < safe_offset {
                pending.hold();
                let done = Done::Append { pending: pending.clone(), index };
                wait(partition, Waiter { offset: safe_offset, done });
            }
        }
    }
}

/// Waiters stand by rising offset. A duplicate waits for an earlier offset than the last append: it goes in its place.
pub fn wait(partition: &Partition, waiter: Waiter) {
    let mut waiters = partition.waiters.borrow_mut();
    let place = waiters.iter().rposition(|other| other.offset <= waiter.offset).map_or(0, |before| before + 1);
    waiters.insert(place, waiter);
}

/// The append itself: returns what the client hears, and the offset that the high watermark must reach first.
pub fn append_records(
    shard: &Shard,
    partition: &Rc<Partition>,
    records: BytesMut,
    valid: &ValidBatch,
    origin: AppendOrigin,
) -> Result<(AppendResult, i64), AppendError> {
    if partition.failed.get() {
        return Err(AppendError::Storage("it has failed before; see the first error in the log".to_owned()));
    }
    let size_bytes = records.len() as u64;
    let now_ms = shard.ring.wall_clock_ms();
    let context = AppendContext { origin, verification_required: false, guard: None, transaction_version: 0 };
    let info = partition.log.append_as_leader(records, valid, partition.leader_epoch.get(), now_ms, &context)?;
    if !info.duplicate {
        let counters = &partition.counters;
        counters.produce_requests.set(counters.produce_requests.get() + 1);
        counters.produce_records.set(counters.produce_records.get() + (info.last_offset - info.base_offset + 1) as u64);
        counters.produce_bytes.set(counters.produce_bytes.get() + size_bytes);
        shard.commit.appended(partition);
    }
    let result = AppendResult {
        error: ErrorCode::None,
        base_offset: info.base_offset,
        log_append_time_ms: info.log_append_time_ms,
        log_start_offset: info.log_start_offset,
        message: None,
        record_errors: vec![],
    };
    Ok((result, info.last_offset + 1))
}
