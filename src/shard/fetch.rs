//! Fetch v4-18: records from the cores that own the partitions, in one reply that copies none of them.
//!
//! Owns: the long polls of the connections of one core. Lives on: the core of the connection (sessions, waiting, the
//! reply) and the cores of the partitions (the reads). Never: copies records; they leave from memory, or from the page
//! cache straight to the socket.
//!
//! `min.bytes` and `max.wait.ms` as in Apache Kafka: the reply goes when enough can be read, when any partition has an
//! error, or when the time is up. `max.bytes` bounds the whole reply, except that the first partition with data always
//! gives one whole batch.
//!
//! Not done: fetches of followers (replica id ≥ 0) are answered as a consumer's up to the log end; replication is a
//! later issue. Preferred read replicas are never named.

use super::{
    Shard,
    apis::spread,
    call::{Answer, Call, FetchOptions},
    partition::{Partition, PartitionId, Watcher},
    sessions::{Forgotten, NO_SESSION, Plan, Target},
};
use crate::{
    limits,
    log::{ReadData, ReadError, ReadPart},
    net::{
        conn::{CloseReason, Connection},
        header::RequestIds,
        reply::{Reply, ReplyPart},
    },
};
use protocol::{
    ErrorCode,
    fetch::{
        AbortedTransaction, EpochAndOffset, FetchRequest, FetchResponseHeader, FetchResponseWriter, Part,
        PartitionFetchResponse,
    },
};
use smallvec::SmallVec;
use std::{rc::Rc, time::Duration};

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
    pub parts: Vec<ReadPart>,
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
            parts: vec![],
            size_bytes: 0,
            diverging: None,
        }
    }
}

/// Answers a fetch request.
pub async fn request(
    connection: &Rc<Connection>,
    ids: RequestIds,
    body_start: usize,
    frame: &[u8],
) -> Result<Reply, CloseReason> {
    let shard = &connection.shard;
    let (key, version) = (ids.api_key, ids.api_version);
    let request =
        FetchRequest::parse(frame, body_start, version).map_err(|error| CloseReason::Decode { key, version, error })?;
    let (named, forgotten) = read_targets(&request);
    if named.len() > limits::FETCH_PARTITIONS_MAX {
        return Err(CloseReason::Protocol(format!("a fetch of {} partitions", named.len())));
    }
    let plan = shard.sessions.borrow_mut().plan(
        (request.session_id, request.session_epoch),
        version >= 13,
        named,
        &forgotten,
        shard.ring.now(),
        || shard.ring.random_u64(),
    );
    let Plan { session_id, mut targets, incremental } = match plan {
        Ok(plan) => plan,
        Err(error) => {
            return Ok(write_response(version, response_header(ids, error, NO_SESSION), &[], vec![], &[]));
        }
    };
    let fetched = fetch(shard, connection.number(), &request, &targets).await;
    let include = |target: &Target, fetched: &FetchedPartition| {
        !incremental
            || fetched.size_bytes > 0
            || fetched.error != ErrorCode::None
            || fetched.diverging.is_some()
            || fetched.high_watermark != target.said_high_watermark
            || fetched.log_start_offset != target.said_log_start_offset
    };
    let included: Vec<bool> = targets.iter().zip(&fetched).map(|(t, f)| include(t, f)).collect();
    fetched.iter().for_each(|fetched| shard.counters.error(fetched.error));
    let had_data: Vec<bool> = fetched.iter().map(|fetched| fetched.size_bytes > 0).collect();
    for (target, fetched) in targets.iter_mut().zip(&fetched) {
        (target.said_high_watermark, target.said_log_start_offset) = (fetched.high_watermark, fetched.log_start_offset);
    }
    if session_id != NO_SESSION {
        shard.sessions.borrow_mut().said(session_id, &targets, &had_data);
    }
    Ok(write_response(version, response_header(ids, ErrorCode::None, session_id), &targets, fetched, &included))
}

fn response_header(ids: RequestIds, error: ErrorCode, session_id: i32) -> FetchResponseHeader {
    FetchResponseHeader { correlation_id: ids.correlation_id, throttle_time_ms: 0, error, session_id }
}

fn read_targets(request: &FetchRequest<'_>) -> (Vec<Target>, Vec<Forgotten>) {
    let mut named: Vec<Target> = Vec::new();
    for partition in request.partitions() {
        let topic = match named.last() {
            Some(last) if *last.topic == *partition.topic.name => last.topic.clone(),
            _ => partition.topic.name.into(),
        };
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
        });
    }
    let forgotten = request.forgotten_partitions();
    let forgotten =
        forgotten.map(|gone| Forgotten { topic: gone.topic.name.into(), topic_id: gone.topic.id, index: gone.index });
    (named, forgotten.collect())
}

/// Reads until there is enough, an error, or no time left.
async fn fetch(shard: &Shard, watch: u64, request: &FetchRequest<'_>, targets: &[Target]) -> Vec<FetchedPartition> {
    let deadline = shard.ring.now() + Duration::from_millis(request.max_wait_ms.max(0) as u64);
    let min_bytes = request.min_bytes.max(0) as usize;
    let may_wait = request.max_wait_ms > 0 && min_bytes > 0;
    let options = FetchOptions {
        max_bytes: (request.max_bytes.max(0) as usize).min(shard.config.network.fetch_max_bytes as usize),
        read_committed: request.isolation_level == 1,
        watch: may_wait.then_some(watch),
    };
    loop {
        let moved = shard.watched(watch);
        let fetched = read_all(shard, targets, options).await;
        let bytes: usize = fetched.iter().map(|fetched| fetched.size_bytes).sum();
        let has_error = fetched.iter().any(|fetched| fetched.error != ErrorCode::None || fetched.diverging.is_some());
        let now = shard.ring.now();
        if !may_wait
            || bytes >= min_bytes
            || has_error
            || now >= deadline
            || shard.is_stopping()
            || targets.is_empty() && request.session_id == NO_SESSION
        {
            shard.unwatch(watch);
            return fetched;
        }
        drop(fetched);
        shard.ring.timeout(deadline.since(now), moved).await;
    }
}

/// One read of all partitions, on all cores at once.
async fn read_all(shard: &Shard, targets: &[Target], options: FetchOptions) -> Vec<FetchedPartition> {
    let planned = targets.iter().map(|target| resolve(shard, target).map_err(FetchedPartition::error)).collect();
    let call = |reads| Call::Fetch { reads, options };
    let take = |answer| if let Answer::Fetch(fetched) = answer { fetched } else { vec![] };
    let lost = || FetchedPartition::error(ErrorCode::NotLeaderOrFollower);
    trim(spread(shard, planned, call, take, lost).await, options.max_bytes)
}

/// Every core read as if it were alone; what is too much for one reply is left for the next.
fn trim(mut fetched: Vec<FetchedPartition>, max_bytes: usize) -> Vec<FetchedPartition> {
    let mut bytes = 0;
    for partition in &mut fetched {
        if partition.size_bytes > 0 && bytes > 0 && bytes + partition.size_bytes > max_bytes {
            partition.parts.clear();
            partition.size_bytes = 0;
        }
        bytes += partition.size_bytes;
    }
    fetched
}

fn resolve(shard: &Shard, target: &Target) -> Result<(usize, FetchRead), ErrorCode> {
    let routes = shard.routes.borrow();
    let topic = if target.topic.is_empty() {
        routes.by_id(target.topic_id).ok_or(ErrorCode::UnknownTopicId)?
    } else {
        routes.by_name(&target.topic).ok_or(ErrorCode::UnknownTopicOrPartition)?
    };
    let index = usize::try_from(target.index).ok();
    let route = index.and_then(|index| topic.partitions.get(index)).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    let read = FetchRead {
        id: PartitionId { topic_id: topic.id, index: target.index },
        fetch_offset: target.fetch_offset,
        current_leader_epoch: target.current_leader_epoch,
        last_fetched_epoch: target.last_fetched_epoch,
        max_bytes: target.max_bytes.max(0) as usize,
    };
    Ok((route.owner, read))
}

/// The reads of one core, for a connection of core `core`.
pub async fn read(shard: &Shard, core: usize, reads: Vec<FetchRead>, options: FetchOptions) -> Vec<FetchedPartition> {
    let mut fetched = Vec::with_capacity(reads.len());
    let mut left_bytes = options.max_bytes;
    let mut any = false;
    for read in reads {
        let partition = shard.partitions.borrow().get(&read.id).cloned();
        let Some(partition) = partition else {
            fetched.push(FetchedPartition::error(shard.absence()));
            continue;
        };
        if let Some(watch) = options.watch {
            partition.watch(Watcher { core, watch });
        }
        let max_bytes = read.max_bytes.min(left_bytes);
        let result = read_one(&partition, &read, max_bytes, !any, options.read_committed).await;
        any |= result.size_bytes > 0;
        left_bytes = left_bytes.saturating_sub(result.size_bytes);
        fetched.push(result);
    }
    fetched
}

async fn read_one(
    partition: &Partition,
    read: &FetchRead,
    max_bytes: usize,
    at_least_one: bool,
    read_committed: bool,
) -> FetchedPartition {
    if partition.failed.get() {
        return FetchedPartition::error(ErrorCode::KafkaStorageError);
    }
    if let Err(error) = partition.check_leader_epoch(read.current_leader_epoch) {
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
        if epoch < read.last_fetched_epoch || end_offset < read.fetch_offset {
            result.diverging = Some(EpochAndOffset { epoch, end_offset });
            return result;
        }
    }
    let up_to = if read_committed { result.last_stable_offset } else { result.high_watermark };
    let data = match log.try_read_tail(read.fetch_offset, max_bytes, at_least_one, up_to) {
        Some(data) => Ok(data),
        None => log.read(read.fetch_offset, max_bytes, at_least_one, up_to).await,
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
        Err(ReadError::OffsetOutOfRange { .. }) => FetchedPartition {
            error: ErrorCode::OffsetOutOfRange,
            ..FetchedPartition { high_watermark: -1, last_stable_offset: -1, log_start_offset: -1, ..result }
        },
        Err(error) => {
            tracing::error!(topic = %partition.topic, partition = partition.id.index, %error, "cannot read");
            FetchedPartition::error(ErrorCode::KafkaStorageError)
        }
    }
}

fn write_response(
    version: i16,
    header: FetchResponseHeader,
    targets: &[Target],
    fetched: Vec<FetchedPartition>,
    included: &[bool],
) -> Reply {
    let mut shown: Vec<(&Target, FetchedPartition)> =
        targets.iter().zip(fetched).zip(included).filter(|(_, included)| **included).map(|(shown, _)| shown).collect();
    let same_topic = |a: &(&Target, FetchedPartition), b: &(&Target, FetchedPartition)| {
        a.0.topic == b.0.topic && a.0.topic_id == b.0.topic_id
    };
    let mut writer = FetchResponseWriter::new(version, header, shown.chunk_by(same_topic).count());
    for topic in shown.chunk_by(same_topic) {
        let target = topic[0].0;
        writer.begin_topic(&target.topic, target.topic_id, topic.len());
        for (target, fetched) in topic {
            let response = PartitionFetchResponse {
                high_watermark: fetched.high_watermark,
                last_stable_offset: fetched.last_stable_offset,
                log_start_offset: fetched.log_start_offset,
                aborted_transactions: fetched.aborted.as_deref(),
                diverging_epoch: fetched.diverging,
                ..PartitionFetchResponse::refused(target.index, fetched.error)
            };
            writer.partition(&response, fetched.size_bytes);
        }
    }
    let mut parts = SmallVec::new();
    for part in writer.finish(&[]).parts {
        match part {
            Part::Bytes(bytes) => parts.push(ReplyPart::Bytes(bytes)),
            Part::Records(index) => {
                parts.extend(std::mem::take(&mut shown[index].1.parts).into_iter().map(|part| match part {
                    ReadPart::Memory(bytes) => ReplyPart::Bytes(bytes),
                    ReadPart::File { file, position, length } => ReplyPart::File { file, position, length },
                }))
            }
        }
    }
    Reply { parts }
}
