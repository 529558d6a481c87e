//! Fetch v4-18: records from the cores that own the partitions, in one reply that copies none of
//! them.
//!
//! Owns: the long polls of the connections of one core. Lives on: the core of the connection
//! (sessions, waiting, the reply) and the cores of the partitions (the reads). Never: copies
//! records; they leave from memory, or from the page cache straight to the socket.
//!
//! `min.bytes` and `max.wait.ms` as in Apache Kafka: the reply goes when enough can be read, when
//! any partition has an error, or when the time is up. `max.bytes` bounds the whole reply, except
//! that the first partition with data always gives one whole batch.
//!
//! Not done: fetches of followers (replica id ≥ 0) are answered as a consumer's up to the log end;
//! replication is a later issue. Preferred read replicas are never named.

mod remote;

pub use remote::{Readers, UnderWay};

use super::{
    Shard,
    leaders::NamedLeaders,
    partition::{FetchWaiter, Partition, PartitionId},
    sessions::{Forgotten, NO_SESSION, Plan, Target},
    view::Routes,
};
use crate::{
    limits,
    log::{ReadData, ReadError, ReadPart, ReadParts},
    memory::Use,
    pace::TurnBudget,
    request::{
        Client, CloseReason, FileRange, RequestIds,
        reply::{self, Reply, ReplyPart, ReplyParts},
        response,
    },
};
use bytes::BytesMut;
use protocol::{
    ErrorCode, TopicRef,
    fetch::{
        AbortedTransaction, EpochAndOffset, FetchRequest, FetchResponseHeader, FetchResponseWriter,
        PartitionFetchResponse, TOPIC_ID_FROM,
    },
};
use remote::{Answers, Others};
use ring::Instant;
use std::{cell::RefCell, rc::Rc, time::Duration};

/// What all reads of one fetch have in common.
#[derive(Clone, Copy, Debug, Default)]
pub struct FetchOptions {
    pub max_bytes: usize,
    pub read_committed: bool,
    /// The request names topics by their ids.
    pub by_id: bool,
    /// The watch that a partition without records tells when it moves, and the end of that watch.
    pub watch: Option<(u64, Instant)>,
    /// What may come from memory; the rest comes as ranges of files.
    pub memory_bytes: usize,
}

/// One read on the core that owns the partition.
#[derive(Clone, Debug)]
pub struct FetchRead {
    pub id: PartitionId,
    pub fetch_offset: i64,
    pub current_leader_epoch: i32,
    pub last_fetched_epoch: i32,
    pub max_bytes: usize,
}

/// What a read came to.
#[derive(Debug)]
pub struct FetchedPartition {
    pub error: ErrorCode,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    pub log_start_offset: i64,
    /// `None` unless only committed records were asked for.
    pub aborted: Option<Vec<AbortedTransaction>>,
    pub parts: ReadParts,
    pub size_bytes: usize,
    /// Epoch and end offset where a follower's or a consumer's history differs (KIP-595).
    pub diverging: Option<EpochAndOffset>,
}

impl FetchedPartition {
    fn error(error: ErrorCode) -> FetchedPartition {
        FetchedPartition {
            error,
            high_watermark: -1,
            last_stable_offset: -1,
            log_start_offset: -1,
            aborted: None,
            parts: ReadParts::new(),
            size_bytes: 0,
            diverging: None,
        }
    }
}

/// What requests have done with, kept for the room that it has: a request in steady state allocates
/// nothing.
#[derive(Default)]
pub struct Spares(RefCell<Vec<Lists>>);

impl Spares {
    fn take(&self) -> Lists {
        self.0.borrow_mut().pop().unwrap_or_default()
    }

    fn keep(&self, mut lists: Lists) {
        let mut spares = self.0.borrow_mut();
        if spares.len() < limits::FETCH_SPARES_MAX
            && lists.targets.capacity().max(lists.fetched.capacity())
                <= limits::FETCH_SPARE_PARTITIONS_MAX
        {
            lists.clear();
            spares.push(lists);
        }
    }
}

/// The lists that one request works with.
#[derive(Default)]
struct Lists {
    targets: Vec<Target>,
    /// The reads of this core's own partitions, with their places in `targets`.
    local: Vec<(usize, FetchRead)>,
    /// What became of each target.
    fetched: Vec<FetchedPartition>,
    /// Those that go into the response.
    shown: Vec<Shown>,
    others: Others,
    answers: Rc<Answers>,
}

impl Lists {
    fn clear(&mut self) {
        self.targets.clear();
        self.local.clear();
        self.fetched.clear();
        self.shown.clear();
    }
}

/// A partition in the response.
struct Shown {
    /// Its place in the lists.
    place: usize,
    /// Its records stand before this byte of the frame.
    records_at: usize,
}

/// Answers a fetch request.
pub async fn request(
    shard: &Shard,
    client: &Client,
    ids: RequestIds,
    body_start: usize,
    frame: &[u8],
) -> Result<Reply, CloseReason> {
    let (key, version) = (ids.api_key, ids.api_version);
    let request = FetchRequest::parse(frame, body_start, version)
        .map_err(|error| CloseReason::Decode { key, version, error })?;
    let mut lists = shard.data.fetch_spares.take();
    let by_id = version >= TOPIC_ID_FROM;
    let forgotten = read_targets(shard, &request, by_id, &mut lists.targets).await;
    if lists.targets.len() > limits::FETCH_PARTITIONS_MAX {
        return Err(CloseReason::Protocol(format!(
            "a fetch of {} partitions",
            lists.targets.len()
        )));
    }
    let plan = shard.clients.sessions.borrow_mut().plan(
        (request.session_id, request.session_epoch),
        by_id,
        std::mem::take(&mut lists.targets),
        &forgotten,
        shard.ring.now(),
        || shard.ring.random_u64(),
    );
    let response =
        |error, session_id| FetchResponseHeader { throttle_time_ms: 0, error, session_id };
    let Plan { session_id, targets, incremental } = match plan {
        Ok(plan) => plan,
        Err(error) => {
            return Ok(write_response(
                shard,
                client,
                ids,
                response(error, NO_SESSION),
                &mut Lists::default(),
            )
            .await);
        }
    };
    lists.targets = targets;
    fetch(shard, client, &request, by_id, &mut lists).await;
    lists.choose(shard, incremental).await;
    let reply =
        write_response(shard, client, ids, response(ErrorCode::None, session_id), &mut lists).await;
    if session_id != NO_SESSION {
        lists.note_what_was_said(shard).await;
        shard.clients.sessions.borrow_mut().said(session_id, &mut lists.targets);
    }
    lists.let_go(shard).await;
    shard.data.fetch_spares.keep(lists);
    Ok(reply)
}

/// Lists the partitions that the request names; returns those that its session is to forget.
async fn read_targets(
    shard: &Shard,
    request: &FetchRequest<'_>,
    by_id: bool,
    named: &mut Vec<Target>,
) -> Vec<Forgotten> {
    let mut budget = TurnBudget::of_items(&shard.ring);
    named.reserve(request.partition_count());
    let mut last_named = None;
    for partition in request.partitions() {
        let topic = match named.last() {
            Some(last) if last_named == Some(partition.topic) => last.topic.clone(),
            _ => name_of(&shard.data.routes.borrow(), partition.topic, by_id),
        };
        last_named = Some(partition.topic);
        named.push(Target {
            topic,
            topic_id: partition.topic.id,
            index: partition.index,
            fetch_offset: partition.fetch_offset,
            current_leader_epoch: partition.current_leader_epoch,
            last_fetched_epoch: partition.last_fetched_epoch,
            max_bytes: partition.partition_max_bytes,
            said_high_watermark: -1,
            said_log_start_offset: -1,
            said_records: false,
        });
        budget.item_done().await;
    }
    let mut forgotten = Vec::new();
    for gone in request.forgotten_partitions() {
        let topic = name_of(&shard.data.routes.borrow(), gone.topic, by_id);
        forgotten.push(Forgotten { topic, topic_id: gone.topic.id, index: gone.index });
        budget.item_done().await;
    }
    forgotten
}

/// The name that a request has for a topic, as its route keeps it where there is one.
fn name_of(routes: &Routes, topic: TopicRef<'_>, by_id: bool) -> Option<Rc<str>> {
    let name = (!by_id).then(|| topic.name.decode())?;
    Some(routes.by_name(&name).map_or_else(|| name.as_ref().into(), |route| route.name.clone()))
}

/// Reads until there is enough, an error, or no time left.
async fn fetch(
    shard: &Shard,
    client: &Client,
    request: &FetchRequest<'_>,
    by_id: bool,
    lists: &mut Lists,
) {
    let watch = client.number;
    let deadline = shard.ring.now() + Duration::from_millis(request.max_wait_ms.max(0) as u64);
    let min_bytes = request.min_bytes.max(0) as usize;
    let may_wait = request.max_wait_ms > 0 && min_bytes > 0;
    let mut options = FetchOptions {
        max_bytes: (request.max_bytes.max(0) as usize)
            .min(shard.config.network.fetch_max_bytes as usize),
        read_committed: request.isolation_level == 1,
        by_id,
        watch: None,
        memory_bytes: 0,
    };
    if may_wait {
        shard.clients.watch(watch, &client.moved);
    }
    loop {
        shard.mailbox.room().await;
        // The partitions forget it then, and are looked at again.
        let look_again = shard.ring.now() + Duration::from_millis(limits::FETCH_WATCH_MS);
        options.watch = may_wait.then_some((watch, deadline.min(look_again)));
        let moved = client.moved.notified();
        let Trimmed { bytes, has_error, .. } = read_all(shard, client, lists, options).await;
        let now = shard.ring.now();
        if !may_wait
            || bytes >= min_bytes
            || has_error
            || now >= deadline
            || shard.is_stopping()
            || lists.targets.is_empty() && request.session_id == NO_SESSION
        {
            shard.clients.unwatch(watch);
            return;
        }
        // The data that was read is not held while the fetch waits.
        lists.let_go(shard).await;
        shard.ring.timeout(deadline.min(look_again).since(now), moved).await;
    }
}

/// What a reply may have in memory: a part of the memory that is left, so that it goes around. A
/// client that has not taken the reply before gets the next one from the files.
fn memory_for_reply(shard: &Shard, client: &Client) -> usize {
    match client.replies.has_unsent() {
        true => 0,
        false => shard.clients.memory.room(Use::Replies) / limits::REPLY_MEMORY_PART,
    }
}

/// One read of all partitions, on all cores at once.
async fn read_all(
    shard: &Shard,
    client: &Client,
    lists: &mut Lists,
    options: FetchOptions,
) -> Trimmed {
    let Lists { targets, local, fetched, others, answers, .. } = lists;
    let options = FetchOptions { memory_bytes: memory_for_reply(shard, client), ..options };
    // Grown by doubling, long lists would be copied, each time all at once.
    local.reserve(targets.len());
    fetched.reserve(targets.len());
    let mut budget = TurnBudget::of_items(&shard.ring);
    for (place, target) in targets.iter().enumerate() {
        let (owner, read) = match resolve(shard, target) {
            Ok(found) => found,
            Err(error) => {
                fetched.push(FetchedPartition::error(error));
                continue;
            }
        };
        budget.item_done().await;
        // Stands where a core stops before it answers.
        fetched.push(FetchedPartition::error(ErrorCode::NotLeaderOrFollower));
        if owner == shard.index {
            local.push((place, read));
        } else {
            others.push(shard, owner, place, read);
        }
    }
    // Others that ask while the answers are on their way find less.
    let _held =
        (others.len() > 0).then(|| shard.clients.memory.charge(Use::Replies, options.memory_bytes));
    let options =
        FetchOptions { memory_bytes: options.memory_bytes / (others.len() + 1), ..options };
    // What other cores are asked leaves before this core does its own share.
    others.send(shard, answers, options);
    let mut share = Share::new(shard.index, options);
    for (place, read) in local.drain(..) {
        fetched[place] = share.read(shard, &read).await;
        budget.item_done().await;
    }
    answers.put_into(shard, fetched).await;
    assert_eq!(fetched.len(), targets.len(), "each partition was read, or has an error");
    let mut trimmed = Trimmed { max_bytes: options.max_bytes, bytes: 0, has_error: false };
    for (partition, target) in fetched.iter_mut().zip(targets) {
        trimmed.take(partition, target);
        budget.item_done().await;
    }
    trimmed
}

/// Every core read as if it were alone; records that are too much for one reply are left for the
/// next. A batch above the limit of its partition, or of the reply, may only be the first thing in
/// it (KIP-74).
struct Trimmed {
    max_bytes: usize,
    /// Of the records that stay.
    bytes: usize,
    /// A partition has something to say that does not wait for records.
    has_error: bool,
}

impl Trimmed {
    fn take(&mut self, partition: &mut FetchedPartition, target: &Target) {
        let allowed_bytes =
            self.max_bytes.saturating_sub(self.bytes).min(target.max_bytes.max(0) as usize);
        if self.bytes > 0 && partition.size_bytes > allowed_bytes {
            partition.parts.clear();
            partition.size_bytes = 0;
        }
        let is_first = self.bytes == 0;
        self.bytes += partition.size_bytes;
        let (bytes, most, added) = (self.bytes, self.max_bytes, partition.size_bytes);
        assert!(
            is_first || added == 0 || bytes <= most,
            "{bytes} bytes of records in a reply of {most}"
        );
        self.has_error |= partition.error != ErrorCode::None || partition.diverging.is_some();
    }
}

fn resolve(shard: &Shard, target: &Target) -> Result<(usize, FetchRead), ErrorCode> {
    let routes = shard.data.routes.borrow();
    let topic = match &target.topic {
        Some(name) => routes.by_name(name).ok_or(ErrorCode::UnknownTopicOrPartition)?,
        None => routes.by_id(target.topic_id).ok_or(ErrorCode::UnknownTopicId)?,
    };
    let index = usize::try_from(target.index).ok();
    let route = index
        .and_then(|index| topic.partitions.get(index))
        .ok_or(ErrorCode::UnknownTopicOrPartition)?;
    let read = FetchRead {
        id: PartitionId { topic_id: topic.id, index: target.index },
        fetch_offset: target.fetch_offset,
        current_leader_epoch: target.current_leader_epoch,
        last_fetched_epoch: target.last_fetched_epoch,
        max_bytes: target.max_bytes.max(0) as usize,
    };
    Ok((route.leading_core()?, read))
}

/// One core's share of a fetch, partition by partition: how much more it may give.
struct Share {
    /// The core of the connection.
    core: usize,
    options: FetchOptions,
    left_bytes: usize,
    any: bool,
}

impl Share {
    fn new(core: usize, options: FetchOptions) -> Share {
        Share { core, options, left_bytes: options.max_bytes, any: false }
    }

    async fn read(&mut self, shard: &Shard, read: &FetchRead) -> FetchedPartition {
        let partition = shard.data.partition(read.id);
        let absence = || FetchedPartition::error(shard.absence(read.id, self.options.by_id));
        let Some(partition) = partition else { return absence() };
        if let Some((watch, until)) = self.options.watch {
            partition.watch(FetchWaiter { core: self.core, watch }, until, shard.ring.now());
        }
        let max_bytes = read.max_bytes.min(self.left_bytes);
        let memory_bytes = self.options.memory_bytes;
        let from = if memory_bytes < limits::REPLY_PINNED_BYTES {
            From::Files { max_bytes }
        } else {
            From::Anywhere { max_bytes: max_bytes.min(memory_bytes) }
        };
        let fetched =
            read_one(&partition, read, from, !self.any, self.options.read_committed).await;
        if fetched.error != ErrorCode::None && partition.is_gone() {
            return absence();
        }
        self.any |= fetched.size_bytes > 0;
        self.left_bytes = self.left_bytes.saturating_sub(fetched.size_bytes);
        let in_memory =
            |part: &ReadPart| if let ReadPart::Memory(bytes) = part { bytes.len() } else { 0 };
        self.options.memory_bytes =
            memory_bytes.saturating_sub(fetched.parts.iter().map(in_memory).sum());
        fetched
    }
}

/// Where records are taken from, and how many bytes of them.
#[derive(Clone, Copy)]
enum From {
    /// From memory where they are there.
    Anywhere { max_bytes: usize },
    /// Ranges of files, which cost no memory.
    Files { max_bytes: usize },
}

async fn read_one(
    partition: &Partition,
    read: &FetchRead,
    from: From,
    at_least_one: bool,
    read_committed: bool,
) -> FetchedPartition {
    if partition.has_failed() {
        return FetchedPartition::error(ErrorCode::KafkaStorageError);
    }
    if let Err(error) = partition.check_leader(read.current_leader_epoch) {
        return FetchedPartition::error(error);
    }
    let log = &partition.log;
    let mut result = FetchedPartition {
        high_watermark: log.high_watermark(),
        last_stable_offset: log.last_stable_offset(),
        log_start_offset: log.log_start_offset(),
        ..FetchedPartition::error(ErrorCode::None)
    };
    if read.last_fetched_epoch >= 0 {
        let (epoch, end_offset) = log.end_of_epoch(read.last_fetched_epoch);
        // An epoch that the log has never had, or records that it has no more: nothing says where
        // the histories part.
        if epoch < 0 || read.fetch_offset < result.log_start_offset {
            return FetchedPartition::error(ErrorCode::OffsetOutOfRange);
        }
        if epoch < read.last_fetched_epoch || end_offset < read.fetch_offset {
            result.diverging = Some(EpochAndOffset { epoch, end_offset });
            return result;
        }
    }
    let up_to = if read_committed { result.last_stable_offset } else { result.high_watermark };
    let data = match from {
        From::Files { max_bytes } => {
            log.read_files(read.fetch_offset, max_bytes, at_least_one, up_to).await
        }
        From::Anywhere { max_bytes } => {
            match log.try_read_tail(read.fetch_offset, max_bytes, at_least_one, up_to) {
                Some(data) => Ok(data),
                None => log.read(read.fetch_offset, max_bytes, at_least_one, up_to).await,
            }
        }
    };
    match data {
        Ok(ReadData { parts, size_bytes, upper_bound_offset }) => {
            if read_committed {
                let aborted = log.aborted_transactions(read.fetch_offset, upper_bound_offset).await;
                result.aborted = Some(
                    aborted
                        .unwrap_or_default()
                        .iter()
                        .map(|transaction| AbortedTransaction {
                            producer_id: transaction.producer_id,
                            first_offset: transaction.first_offset,
                        })
                        .collect(),
                );
            }
            let counters = &partition.counters;
            counters.fetch_requests.set(counters.fetch_requests.get() + 1);
            counters.fetch_bytes.set(counters.fetch_bytes.get() + size_bytes as u64);
            (result.parts, result.size_bytes) = (parts, size_bytes);
            result
        }
        Err(ReadError::OffsetOutOfRange { .. }) => {
            FetchedPartition::error(ErrorCode::OffsetOutOfRange)
        }
        Err(error) => {
            tracing::error!(topic = %partition.topic, partition = partition.id.index, %error,
                "cannot read");
            FetchedPartition::error(ErrorCode::KafkaStorageError)
        }
    }
}

impl Lists {
    /// Chooses what the response shows: everything, or with `incremental` what has changed since
    /// the last one.
    async fn choose(&mut self, shard: &Shard, incremental: bool) {
        let news = |target: &Target, fetched: &FetchedPartition| {
            !incremental
                || fetched.size_bytes > 0
                || fetched.error != ErrorCode::None
                || fetched.diverging.is_some()
                || fetched.high_watermark != target.said_high_watermark
                || fetched.log_start_offset != target.said_log_start_offset
        };
        let mut budget = TurnBudget::of_items(&shard.ring);
        for (place, (target, fetched)) in self.targets.iter().zip(&self.fetched).enumerate() {
            shard.counters.error(fetched.error);
            if news(target, fetched) {
                self.shown.push(Shown { place, records_at: 0 });
            }
            budget.item_done().await;
        }
    }

    /// Keeps in the targets what the next incremental response is compared with.
    async fn note_what_was_said(&mut self, shard: &Shard) {
        let mut budget = TurnBudget::of_items(&shard.ring);
        for (target, fetched) in self.targets.iter_mut().zip(&self.fetched) {
            target.said_high_watermark = fetched.high_watermark;
            target.said_log_start_offset = fetched.log_start_offset;
            target.said_records = fetched.size_bytes > 0;
            budget.item_done().await;
        }
    }

    /// Has done with what was read.
    async fn let_go(&mut self, shard: &Shard) {
        let mut budget = TurnBudget::of_items(&shard.ring);
        while self.fetched.pop().is_some() {
            budget.item_done().await;
        }
    }
}

/// Writes the response for the partitions that are shown. Their records move into the reply.
async fn write_response(
    shard: &Shard,
    client: &Client,
    ids: RequestIds,
    header: FetchResponseHeader,
    lists: &mut Lists,
) -> Reply {
    let Lists { targets, fetched, shown, .. } = lists;
    let same_topic = |a: &Shown, b: &Shown| targets[a.place].is_same_topic(&targets[b.place]);
    let topic_count = shown.chunk_by(same_topic).count();
    let mut frame = response::head(
        &shard.clients.reply_blocks,
        ids,
        reply::usual_bytes(topic_count, shown.len()),
    );
    let mut writer = FetchResponseWriter::new(&mut frame, ids.api_version, header, topic_count);
    let mut leaders = NamedLeaders::new(shard, client.listener);
    let mut budget = TurnBudget::of_items(&shard.ring);
    for topic in shown.chunk_by_mut(same_topic) {
        let Target { topic: name, topic_id, .. } = &targets[topic[0].place];
        writer.begin_topic(name.as_deref().unwrap_or_default(), *topic_id, topic.len());
        for Shown { place, records_at } in topic {
            let fetched = &fetched[*place];
            let response = PartitionFetchResponse {
                high_watermark: fetched.high_watermark,
                last_stable_offset: fetched.last_stable_offset,
                log_start_offset: fetched.log_start_offset,
                aborted_transactions: fetched.aborted.as_deref(),
                diverging_epoch: fetched.diverging,
                current_leader: leaders.for_error(
                    fetched.error,
                    (name.as_deref().unwrap_or_default(), *topic_id),
                    targets[*place].index,
                ),
                ..PartitionFetchResponse::refused(targets[*place].index, fetched.error)
            };
            *records_at = writer.partition(&response, fetched.size_bytes);
            budget.item_done().await;
        }
    }
    let records_bytes = writer.finish(&leaders.endpoints());
    reply::fill_in_length(&mut frame, records_bytes);
    interleave(frame, shown, fetched)
}

/// The frame with the records in their places.
fn interleave(frame: BytesMut, shown: &[Shown], fetched: &mut [FetchedPartition]) -> Reply {
    let pieces = |shown: &Shown| match fetched[shown.place].parts.len() {
        0 => 0,
        parts => parts + 1,
    };
    let mut parts = ReplyParts::with_capacity(shown.iter().map(pieces).sum::<usize>() + 1);
    let (mut rest, mut rest_at) = (frame.freeze(), 0);
    for Shown { place, records_at } in shown {
        let records = &mut fetched[*place].parts;
        if records.is_empty() {
            continue;
        }
        assert!(rest_at <= *records_at, "records at {records_at} come after {rest_at}");
        parts.push(ReplyPart::Bytes(rest.split_to(records_at - rest_at)));
        rest_at = *records_at;
        parts.extend(records.drain(..).map(|part| match part {
            ReadPart::Memory(bytes) => ReplyPart::Records(bytes),
            ReadPart::File { file, position, length, stable } => {
                ReplyPart::File(FileRange { file, position, length, stable })
            }
        }));
    }
    if !rest.is_empty() {
        parts.push(ReplyPart::Bytes(rest));
    }
    Reply { parts }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of reads of so many bytes, each with its partition's limit.
    fn trimmed(reads: &[(usize, i32)], max_bytes: usize) -> Vec<usize> {
        let of = |(size_bytes, _): &(usize, i32)| FetchedPartition {
            size_bytes: *size_bytes,
            ..FetchedPartition::error(ErrorCode::None)
        };
        let mut fetched: Vec<_> = reads.iter().map(of).collect();
        let targets: Vec<_> = reads
            .iter()
            .map(|(_, max_bytes)| Target {
                topic: None,
                topic_id: protocol::Uuid::ZERO,
                index: 0,
                fetch_offset: 0,
                current_leader_epoch: -1,
                last_fetched_epoch: -1,
                max_bytes: *max_bytes,
                said_high_watermark: -1,
                said_log_start_offset: -1,
                said_records: false,
            })
            .collect();
        let mut trimmed = Trimmed { max_bytes, bytes: 0, has_error: false };
        fetched
            .iter_mut()
            .zip(&targets)
            .for_each(|(fetched, target)| trimmed.take(fetched, target));
        fetched.iter().map(|fetched| fetched.size_bytes).collect()
    }

    /// Each core gives one batch above the limits, not knowing of the others.
    #[test]
    fn only_the_first_partition_with_data_gives_a_batch_above_its_limit() {
        let large = (120_000, 1000);
        assert_eq!(trimmed(&[large, large, (900, 1000), large], 1 << 20), [120_000, 0, 900, 0]);
        assert_eq!(trimmed(&[(0, 1000), large, large], 1 << 20), [0, 120_000, 0]);
        assert_eq!(trimmed(&[(500, 1000), large, (1000, 1000)], 1 << 20), [500, 0, 1000]);
        assert_eq!(
            trimmed(&[(120_000, 1 << 20), (600, 1000), (400, 1000)], 120_500),
            [120_000, 0, 400]
        );
        assert_eq!(trimmed(&[(120_000, 1 << 20), (1, 1000)], 1000), [120_000, 0]);
        assert_eq!(trimmed(&[(10, -1), (10, -1)], 1000), [10, 0]);
    }
}
