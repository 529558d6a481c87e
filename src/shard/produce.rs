//! Produce v3-13: from a request to appends on the cores that own the partitions, and back to one reply.
//!
//! Owns: the produce requests that are not answered yet. Lives on: the core of the connection (checking, routing, the
//! reply) and the core of the partition (the append). Never: copies records, or keeps a turn to itself: a batch that takes
//! long to check is worked on in steps ([`super::heavy`]), and what the request names behind it waits.
//!
//! Two stages. *Ordered*: when [`request`] is done, every local append has its offset and every remote one is in the
//! owner's mailbox, so the next request of the connection may start. *Done*: when all high watermarks have passed, the
//! reply goes. acks=1 waits as acks=all does: with one replica they mean the same, and durability is the broker's word.
//!
//! Internal topics refuse every client: the coordinators alone write them (`groups.rs`). What a client may not write is
//! refused by the owner of the partition where the answer says its log's start, else by the core of the connection.
//!
//! Not done: transactional batches (refused with INVALID_TXN_STATE; the transaction coordinator comes later).

use super::{
    Shard,
    call::{Answer, Call},
    commit::{Done, Waiter},
    partition::{Partition, PartitionId},
    view::{TopicRoute, validation_rules},
};
use crate::{
    limits,
    log::{AppendContext, AppendError},
    memory::Use,
    request::{
        Client, CloseReason, RequestIds,
        reply::{self, Reply, ReplyHandle, Unsafe},
        response,
    },
};
use bytes::{Bytes, BytesMut};
use protocol::{
    ApiKey, ErrorCode, TopicRef, Uuid,
    produce::{PartitionProduceResponse, ProduceRequest, ProduceResponseWriter, RecordError, TOPIC_ID_FROM},
    records::{
        Batch,
        validate::{self, AppendOrigin, HeavyBatch, Rejection, ValidBatch},
    },
};
use ring::Instant;
use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    time::Duration,
};

/// One partition's records on their way to the core that owns it: checked, not yet numbered.
pub struct Append {
    pub id: PartitionId,
    pub records: BytesMut,
    /// Of refused records only the refusal travels.
    pub valid: Result<ValidBatch, Rejection>,
    pub origin: AppendOrigin,
}

impl Append {
    fn new(id: PartitionId, verdict: Result<(BytesMut, ValidBatch), Rejection>, origin: AppendOrigin) -> Append {
        match verdict {
            Ok((records, valid)) => Append { id, records, valid: Ok(valid), origin },
            Err(refused) => Append { id, records: BytesMut::new(), valid: Err(refused), origin },
        }
    }
}

/// Whether the request names topics by their ids.
fn is_by_id(origin: AppendOrigin) -> bool {
    matches!(origin, AppendOrigin::Client { produce_version: TOPIC_ID_FROM.. })
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

    fn refused(refused: Rejection) -> AppendResult {
        let record_errors = refused.record_errors;
        AppendResult { record_errors, ..AppendResult::error(refused.error, refused.message) }
    }
}

/// The appends of one request, on the core of the connection or, for its share, on a core that owns partitions.
#[derive(Default)]
pub struct PendingAppends {
    remaining: Cell<usize>,
    /// The request names topics by their ids.
    by_id: Cell<bool>,
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
    /// The share of another core's request: its results go back by mailbox.
    Answer {
        shard: Shard,
        core: usize,
        number: u64,
    },
    /// The client asked for no reply: the closed connection is all that it can notice of a failure. What the request held
    /// counts until its records are safe.
    Silence {
        shard: Shard,
        client: Weak<Client>,
        held: Unsafe,
    },
}

/// The data needed to write the reply once all results are in.
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
        let spare = shard.data.produce_spares.pending.borrow_mut().pop();
        // The caller that released it last may still hold it on its way out of there.
        spare.filter(|spare| Rc::strong_count(spare) == 1).unwrap_or_default()
    }

    /// Begins `count` appends. Holds the request open until [`PendingAppends::release`], so that it cannot finish while it
    /// is being handed out.
    fn begin(&self, count: usize, by_id: bool, finish: Finish) {
        self.by_id.set(by_id);
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
            let is_gone = error == ErrorCode::UnknownTopicOrPartition && self.by_id.get();
            let error = if is_gone { ErrorCode::UnknownTopicId } else { error };
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
            Finish::Reply(ReplyTo { handle, shard, began, ids }) => {
                handle.reply(Reply::from_frame(write_response(&shard, ids, done)));
                done.results.borrow().iter().for_each(|result| shard.counters.error(result.error));
                shard.counters.answered(ApiKey::Produce.code(), shard.ring.now().since(began));
                shard
            }
            Finish::Silence { shard, client, held } => {
                done.results.borrow().iter().for_each(|result| shard.counters.error(result.error));
                if done.failed()
                    && let Some(client) = client.upgrade()
                {
                    shard.close(&client, &unanswered());
                }
                drop(held);
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
        let mut pending = self.data.produce_spares.pending.borrow_mut();
        if pending.len() < limits::PRODUCE_SPARES_MAX {
            pending.push(done.clone());
        }
    }
}

fn write_response(shard: &Shard, ids: RequestIds, done: &PendingAppends) -> BytesMut {
    let (topics, partitions, results) = (done.topics.borrow(), done.partitions.borrow(), done.results.borrow());
    let mut frame =
        response::head(&shard.clients.reply_blocks, ids, reply::usual_bytes(topics.len(), partitions.len()));
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
pub async fn request(
    shard: &Shard,
    client: &Rc<Client>,
    ids: RequestIds,
    body_start: usize,
    frame: BytesMut,
) -> Result<(), CloseReason> {
    let request = ProduceRequest::parse(&frame, body_start, ids.api_version).map_err(|error| CloseReason::Decode {
        key: ApiKey::Produce as i16,
        version: ids.api_version,
        error,
    })?;
    let acks = request.acks;
    let mut wanted = shard.data.produce_spares.wanted.take();
    let pending = PendingAppends::new(shard);
    let origin = AppendOrigin::Client { produce_version: ids.api_version };
    plan(shard, &request, is_by_id(origin), &pending, &mut wanted);
    if request.transactional_id.is_some() {
        wanted.iter_mut().for_each(|wanted| wanted.route = Err(ErrorCode::InvalidTxnState));
    }
    if !(-1..=1).contains(&acks) {
        wanted.iter_mut().for_each(|wanted| wanted.route = Err(ErrorCode::InvalidRequiredAcks));
    }
    let handle = client.replies.expect((Use::Requests, frame.len()));
    let finish = if acks == 0 {
        let held = handle.silence(frame.len());
        Finish::Silence { shard: shard.clone(), client: Rc::downgrade(client), held }
    } else {
        let began = shard.ring.now();
        Finish::Reply(ReplyTo { handle, shard: shard.clone(), began, ids })
    };
    pending.begin(wanted.len(), is_by_id(origin), finish);
    let mut hand_out = HandOut { shard, frame, origin, pending: &pending, index: 0, cut: 0 };
    let held = {
        let mut left = wanted.drain(..);
        hand_out.go_on(&mut left).map(|held| (held, left.collect::<Vec<_>>()))
    };
    if let Some((held, left)) = held {
        Box::pin(hand_out.with_heavy(held, left.into_iter())).await;
    }
    shard.data.produce_spares.wanted.replace(wanted);
    if acks == 0 && pending.failed() {
        return Err(unanswered());
    }
    pending.release();
    Ok(())
}

/// Why a connection ends after a request that wanted no reply; Apache Kafka does the same.
fn unanswered() -> CloseReason {
    CloseReason::Protocol("a produce request with acks=0 failed".to_owned())
}

/// Looks up every partition that the request names.
fn plan(shard: &Shard, request: &ProduceRequest<'_>, by_id: bool, pending: &PendingAppends, wanted: &mut Vec<Wanted>) {
    let routes = shard.data.routes.borrow();
    let (mut topics, mut partitions) = (pending.topics.borrow_mut(), pending.partitions.borrow_mut());
    let mut current: Option<(TopicRef<'_>, Result<&Rc<TopicRoute>, ErrorCode>)> = None;
    for partition in request.partitions() {
        let asked = partition.topic;
        let route = match current {
            Some((topic, route)) if topic == asked => route,
            _ => {
                let route = if by_id {
                    routes.by_id(asked.id).ok_or(ErrorCode::UnknownTopicId)
                } else {
                    routes.by_name(&asked.name.decode()).ok_or(ErrorCode::UnknownTopicOrPartition)
                };
                let name = route.map_or_else(|_| asked.name.decode().into(), |route| route.name.clone());
                let route = match route {
                    Ok(route) if route.is_internal => Err(ErrorCode::InvalidTopicException),
                    route => route,
                };
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
struct HandOut<'a> {
    shard: &'a Shard,
    frame: BytesMut,
    origin: AppendOrigin,
    pending: &'a Rc<PendingAppends>,
    /// The next partition's place in the request.
    index: usize,
    /// How much of the frame is cut off.
    cut: usize,
}

/// A batch that is worked on in steps, and where it goes then.
struct Held {
    batch: Box<HeavyBatch>,
    id: PartitionId,
    place: usize,
}

/// Appends of one request on their way to other cores: the core, places in the request, appends.
type Remote = Vec<(usize, Vec<usize>, Vec<Append>)>;

impl HandOut<'_> {
    /// Hands out everything up to the first batch that takes long to check.
    fn go_on(&mut self, wanted: &mut impl Iterator<Item = Wanted>) -> Option<Held> {
        let mut remote = Remote::new();
        let held = wanted.find_map(|wanted| self.one(wanted, &mut remote));
        self.send(remote);
        held
    }

    /// Goes on to the end, step by step where it must. A topic may be deleted meanwhile.
    async fn with_heavy(mut self, mut held: Held, mut wanted: impl Iterator<Item = Wanted>) {
        loop {
            let Held { batch, id, place } = held;
            let verdict = self.shard.data.heavy.check(batch).await;
            let owner = self.shard.data.routes.borrow().owner_of(id);
            let mut remote = Remote::new();
            match (verdict, owner) {
                (None, _) => self.refuse(place, AppendResult::error(ErrorCode::NotLeaderOrFollower, None)),
                (Some(Err(refused)), _) if !refused.says_log_start => {
                    self.refuse(place, AppendResult::refused(refused))
                }
                (Some(_), None) => {
                    let absence = self.shard.absence(id, is_by_id(self.origin));
                    self.refuse(place, AppendResult::error(absence, None));
                }
                (Some(verdict), Some(owner)) => {
                    let append = Append::new(id, verdict, self.origin);
                    let local = self.shard.data.partition(id);
                    self.append(owner, local.as_ref(), append, place, &mut remote);
                }
            }
            self.send(remote);
            match self.go_on(&mut wanted) {
                Some(next) => held = next,
                None => return,
            }
        }
    }

    fn one(&mut self, wanted: Wanted, remote: &mut Remote) -> Option<Held> {
        let place = self.index;
        self.index += 1;
        let records = if wanted.records.is_empty() {
            BytesMut::new()
        } else {
            let _ = self.frame.split_to(wanted.records.start - self.cut);
            self.cut = wanted.records.end;
            self.frame.split_to(wanted.records.len())
        };
        let (topic, partition_index) = match wanted.route {
            Ok(route) => route,
            Err(error) => {
                self.refuse(place, AppendResult::error(error, None));
                return None;
            }
        };
        let id = PartitionId { topic_id: topic.id, index: wanted.index };
        let verdict = match check(self.shard, &topic, records, self.origin) {
            Ok(Checked::Heavy(batch)) => return Some(Held { batch, id, place }),
            Ok(Checked::Valid(records, valid)) => Ok((records, valid)),
            Err(refused) if refused.says_log_start => Err(refused),
            Err(refused) => {
                self.refuse(place, AppendResult::refused(refused));
                return None;
            }
        };
        let route = &topic.partitions[partition_index];
        self.append(route.owner, route.local.as_ref(), Append::new(id, verdict, self.origin), place, remote);
        None
    }

    fn refuse(&self, place: usize, result: AppendResult) {
        self.pending.set(place, result);
    }

    fn append(&self, owner: usize, local: Option<&Rc<Partition>>, append: Append, place: usize, remote: &mut Remote) {
        if owner == self.shard.index {
            return append_local(self.shard, local, append, self.pending, place);
        }
        match remote.iter_mut().find(|(other, ..)| *other == owner) {
            Some((_, places, appends)) => {
                places.push(place);
                appends.push(append);
            }
            None => remote.push((owner, vec![place], vec![append])),
        }
    }

    fn send(&self, remote: Remote) {
        for (owner, places, appends) in remote {
            self.pending.hold();
            let pending = self.pending.clone();
            let then = Box::new(move |answer| {
                let Answer::Produce(results) = answer else { panic!("a produce call answered by something else") };
                places.iter().zip(results).for_each(|(place, result)| pending.set(*place, result));
                pending.release();
            });
            self.shard.mailbox.call_then(owner, Call::Produce(appends), then);
        }
    }
}

/// What became of the records of one partition at once.
enum Checked {
    Valid(BytesMut, ValidBatch),
    /// They take long to check.
    Heavy(Box<HeavyBatch>),
}

/// Checks the records of one partition, and compresses them anew where the topic wants another codec.
fn check(shard: &Shard, topic: &TopicRoute, mut records: BytesMut, origin: AppendOrigin) -> Result<Checked, Rejection> {
    let limit_bytes = shard.config.log.decompressed_batch_max_bytes as usize;
    let rules = validation_rules(&topic.config, limit_bytes, shard.ring.wall_clock_ms(), origin);
    let turn_max = Duration::from_micros(limits::UNPACKING_TURN_US);
    let may_unpack = || shard.ring.precise_now().since(shard.ring.now()) < turn_max;
    let valid = validate::validate_at_once(&records, &rules, &mut shard.data.scratch.borrow_mut(), may_unpack)?;
    let level = rules.compression.and_then(|codec| topic.levels.of_codec(codec));
    let size_bytes = valid
        .as_ref()
        .map_or_else(|| Batch::parse(&records).map(|batch| batch.size_bytes()), |valid| Ok(valid.size_bytes))?;
    records.truncate(size_bytes);
    let Some(valid) = valid else { return Ok(Checked::Heavy(Box::new(HeavyBatch::new(records, rules, level)))) };
    let Some(codec) = valid.recompress_to else { return Ok(Checked::Valid(records, valid)) };
    let batch = Batch::parse(&records)?;
    let recompressed = BytesMut::from(Bytes::from(validate::recompress(&batch, codec, level, &rules)?));
    let valid = ValidBatch { size_bytes: recompressed.len(), compression: codec, recompress_to: None, ..valid };
    Ok(Checked::Valid(recompressed, valid))
}

/// Appends for another core's request.
pub fn remote(shard: &Shard, core: usize, number: u64, appends: Vec<Append>) {
    let pending = PendingAppends::new(shard);
    let by_id = appends.first().is_some_and(|append| is_by_id(append.origin));
    pending.begin(appends.len(), by_id, Finish::Answer { shard: shard.clone(), core, number });
    for (index, append) in appends.into_iter().enumerate() {
        let partition = shard.data.partition(append.id);
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
    // A route that was made before its partition could be opened does not know it.
    let late = if partition.is_none() { shard.data.partition(append.id) } else { None };
    let partition = partition.or(late.as_ref());
    let Some(partition) = partition.filter(|partition| !partition.deleted.get()) else {
        let absence = shard.absence(append.id, is_by_id(append.origin));
        return pending.set(index, AppendResult::error(absence, None));
    };
    let log_start_offset = partition.log.log_start_offset();
    let valid = match append.valid {
        Ok(valid) => valid,
        Err(refused) => {
            return pending.set(index, AppendResult { log_start_offset, ..AppendResult::refused(refused) });
        }
    };
    match append_records(shard, partition, append.records, &valid, append.origin) {
        Err(error) => {
            // As Kafka, which says the log's start where a producer is out of step, not where the log takes nothing.
            let log_start_offset = if matches!(error, AppendError::Producer(_)) { log_start_offset } else { -1 };
            let result = AppendResult::error(error.code(), error.to_string());
            pending.set(index, AppendResult { log_start_offset, ..result });
        }
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
        shard.data.commit.appended(partition);
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
