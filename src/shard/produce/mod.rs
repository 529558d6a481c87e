//! Produce v3-13: from a request to appends on the cores that own the partitions, and back to one
//! reply.
//!
//! Owns: the produce requests that are not answered yet. Lives on: the core of the connection
//! (checking, routing, the reply) and the core of the partition (the append). Never: copies
//! records, or keeps a turn to itself: a batch that takes long to check is worked on in steps, and
//! what the request names behind it waits.
//!
//! Two stages. *Ordered*: when [`request`] is done, every local append has its offset and every
//! remote one is in the owner's mailbox, so the next request of the connection may start. *Done*:
//! when what it waits for has come, the reply goes: acks=1 waits until its records are safe in the
//! leader's log, as the topic's `durability` says, acks=all for the high watermark. It goes at the
//! latest when the request's `timeout_ms` are over ([`expiry`]).
//!
//! Internal topics refuse every client: the coordinators alone write them (`groups.rs`). What a
//! client may not write is refused by the owner of the partition where the answer says its log's
//! start, else by the core of the connection.
//!
//! Inside of transactions: the first append of one in a partition waits until its coordinator has
//! said that the partition is one of the transaction's ([`unverified`]), and later ones of the same
//! producer wait behind it. They are *ordered* all the same: the request is done, and no other
//! request of the producer overtakes it in the partition.

mod append;
mod expiry;
mod hand_out;
mod pending;
mod remote;
mod trace;
mod unverified;

use append::Terms;
pub use append::{Acks, Refused, append_records};
pub use expiry::{Expiry, run as end_waits, wait};
pub use pending::PendingAppends;
pub use remote::UnderWay;
pub use unverified::Unverified;

use super::{Shard, leaders::NamedLeaders, quotas, view::TopicRoute};
use crate::{
    limits,
    memory::Use,
    quota::Kind,
    request::{Client, CloseReason, RequestIds, TransactionalId, reply, response},
};
use bytes::BytesMut;
use hand_out::HandOut;
use pending::{Finish, ReplyTo, RequestedTopic};
use protocol::{
    ApiKey, ErrorCode, TopicRef,
    produce::{PartitionProduceResponse, ProduceRequest, ProduceResponseWriter, TOPIC_ID_FROM},
    records::{BatchHeader, validate::AppendOrigin},
};
use ring::Instant;
use std::{
    cell::RefCell,
    future::Future,
    pin::{Pin, pin},
    rc::Rc,
    time::Duration,
};

/// Whether the request names topics by their ids.
fn is_by_id(origin: AppendOrigin) -> bool {
    matches!(origin, AppendOrigin::Client { produce_version: TOPIC_ID_FROM.. })
}

/// What requests have done with, kept for the room that it has: a request in steady state allocates
/// nothing.
#[derive(Default)]
pub struct Spares {
    pending: RefCell<Vec<Rc<PendingAppends>>>,
    wanted: RefCell<Vec<Wanted>>,
}

fn write_response(
    shard: &Shard,
    ids: RequestIds,
    (listener, wait): (usize, Duration),
    done: &PendingAppends,
) -> BytesMut {
    let mut leaders = NamedLeaders::new(shard, listener);
    let (topics, partitions, results) =
        (done.topics.borrow(), done.partitions.borrow(), done.results.borrow());
    let mut frame = response::head(
        &shard.clients.reply_blocks,
        ids,
        reply::usual_bytes(topics.len(), partitions.len()),
    );
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
                current_leader: leaders.for_error(result.error, (&topic.name, topic.id), *index),
            });
        }
    }
    assert!(results.next().is_none(), "each result is of a partition that the request names");
    writer.finish(quotas::to_wire_ms(wait), &leaders.endpoints());
    frame
}

/// What the request says of one partition, before its records are cut out of the frame.
struct Wanted {
    route: Result<(Rc<TopicRoute>, usize), ErrorCode>,
    index: i32,
    records: std::ops::Range<usize>,
}

/// How far a produce request has come at once.
pub enum Taken<'a> {
    Ordered,
    /// A batch takes long to check: the request is ordered when this is done.
    Heavy(Pin<Box<dyn Future<Output = Result<(), CloseReason>> + 'a>>),
}

/// Takes a produce request as far as *ordered*. No `async fn`: the rare one that must wait has its
/// memory to itself, and idle connections have none for it.
pub fn request<'a>(
    shard: &'a Shard,
    client: &Rc<Client>,
    ids: RequestIds,
    body_start: usize,
    frame: BytesMut,
) -> Result<Taken<'a>, CloseReason> {
    let began = shard.begin_timing();
    let request = ProduceRequest::parse(&frame, body_start, ids.api_version).map_err(|error| {
        CloseReason::Decode { key: ApiKey::Produce as i16, version: ids.api_version, error }
    })?;
    let acks = request.acks;
    shard.throttle(client, shard.charge(client, Kind::Produce, frame.len() as f64));
    let mut wanted = shard.data.produce_spares.wanted.take();
    let pending = PendingAppends::new(shard);
    let origin = AppendOrigin::Client { produce_version: ids.api_version };
    let terms = Terms {
        origin,
        acks: if acks == ALL_IN_SYNC { Acks::All } else { Acks::Leader },
        deadline: (acks != 0).then(|| deadline(shard.ring.now(), request.timeout_ms)),
    };
    plan(shard, &request, is_by_id(origin), &pending, &mut wanted);
    let transactional_id = request.transactional_id.map(|id| client.transactional_id(&id.decode()));
    if transactional_id.is_some() && !has_one_transaction(&frame, &wanted) {
        wanted
            .iter_mut()
            .for_each(|wanted| wanted.route = Err(ErrorCode::InvalidProducerIdMapping));
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
        let listener = client.listener;
        Finish::Reply(ReplyTo { handle, shard: shard.clone(), began, ids, listener })
    };
    pending.begin(wanted.len(), is_by_id(origin));
    let (index, cut) = (0, 0);
    let of_request = pending.clone();
    let mut hand_out =
        HandOut { shard, frame, terms, transactional_id, pending: of_request, index, cut };
    let held = {
        let mut left = wanted.drain(..);
        hand_out.go_on(&mut left).map(|held| (held, left.collect::<Vec<_>>()))
    };
    shard.data.produce_spares.wanted.replace(wanted);
    // What wants no reply is not held to the time that it takes, as in Kafka.
    let began = began.filter(|_| acks != 0);
    let Some((held, left)) = held else {
        shard.end_timing(client, began);
        return end(acks, &pending, finish).map(|()| Taken::Ordered);
    };
    let client = client.clone();
    Ok(Taken::Heavy(Box::pin(async move {
        let ((), time) = shard.timed(pin!(hand_out.with_heavy(held, left.into_iter()))).await;
        if acks != 0 {
            shard.throttle(&client, shard.charge_time(&client, time));
        }
        end(acks, &pending, finish)
    })))
}

/// Everything is handed out.
fn end(acks: i16, pending: &Rc<PendingAppends>, finish: Finish) -> Result<(), CloseReason> {
    if acks == 0 && pending.failed() {
        return Err(unanswered());
    }
    pending.end(finish);
    Ok(())
}

/// Whether all transactional batches are of one producer id and epoch, as in Kafka.
fn has_one_transaction(frame: &[u8], wanted: &[Wanted]) -> bool {
    let producer = |wanted: &Wanted| {
        let end = wanted.records.end;
        assert!(end <= frame.len(), "records end at {end} of a frame of {}", frame.len());
        let batch = BatchHeader::view(&frame[wanted.records.clone()])?;
        let is_inside = batch.is_transactional() && batch.has_producer_id();
        is_inside.then(|| (batch.producer_id(), batch.producer_epoch()))
    };
    let mut producers = wanted.iter().filter(|wanted| wanted.route.is_ok()).filter_map(producer);
    let first = producers.next();
    producers.all(|other| Some(other) == first)
}

/// `acks` of a producer that waits for all replicas in sync.
const ALL_IN_SYNC: i16 = -1;

/// When a request that came at `now` is answered at the latest. A producer's `timeout.ms` is for
/// the other replicas: Apache Kafka does not count the leader's own append, which here takes until
/// the disk has it, so that has its time in any case.
fn deadline(now: Instant, timeout_ms: i32) -> Instant {
    let timeout_ms = u64::try_from(timeout_ms).unwrap_or(0);
    now + Duration::from_millis(timeout_ms.max(limits::PRODUCE_TIMEOUT_MIN_MS))
}

/// Why a connection ends after a request that wanted no reply; Apache Kafka does the same.
fn unanswered() -> CloseReason {
    CloseReason::Protocol("a produce request with acks=0 failed".to_owned())
}

/// Looks up every partition that the request names.
fn plan(
    shard: &Shard,
    request: &ProduceRequest<'_>,
    by_id: bool,
    pending: &PendingAppends,
    wanted: &mut Vec<Wanted>,
) {
    let routes = shard.data.routes.borrow();
    let (mut topics, mut partitions) =
        (pending.topics.borrow_mut(), pending.partitions.borrow_mut());
    assert!(topics.is_empty(), "a request begins without the topics of the one before it");
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
                let name =
                    route.map_or_else(|_| asked.name.decode().into(), |route| route.name.clone());
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
            let index = usize::try_from(partition.index)
                .ok()
                .filter(|index| *index < route.partitions.len());
            Ok((route.clone(), index.ok_or(ErrorCode::UnknownTopicOrPartition)?))
        });
        wanted.push(Wanted {
            route,
            index: partition.index,
            records: partition.records.unwrap_or(0..0),
        });
    }
    assert_eq!(wanted.len(), partitions.len(), "each partition of the request is looked up");
}
