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

mod read;
mod remote;
mod reply;

pub use remote::{Readers, UnderWay};

use super::{
    Shard,
    partition::PartitionId,
    quotas,
    sessions::{Forgotten, NO_SESSION, Plan, Target},
    view::Routes,
};
use crate::{
    limits,
    memory::Use,
    pace::TurnBudget,
    request::{Client, CloseReason, RequestIds, reply::Reply},
};
use protocol::{
    ErrorCode, TopicRef,
    fetch::{FetchRequest, FetchResponseHeader, TOPIC_ID_FROM},
};
use read::{FetchOptions, FetchRead, FetchedPartition, Share};
use remote::{Answers, Others};
use reply::{Shown, write_response};
use std::{cell::RefCell, pin::pin, rc::Rc, time::Duration};

/// What requests have done with, kept for the room that it has: a request in steady state allocates
/// nothing.
#[derive(Default)]
pub struct Spares(RefCell<Vec<Lists>>);

impl Spares {
    fn take(&self) -> Lists {
        self.0.borrow_mut().pop().unwrap_or_default()
    }

    fn keep(&self, mut lists: Lists) {
        let unsent = lists.others.len();
        assert_eq!(unsent, 0, "no other core is asked for a fetch that is over");
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
            return write_response(
                shard,
                client,
                ids,
                response(error, NO_SESSION),
                &mut Lists::default(),
            )
            .await;
        }
    };
    lists.targets = targets;
    let header = response(ErrorCode::None, session_id);
    let (reply, time) = {
        let work = pin!(async {
            fetch(shard, client, &request, by_id, &mut lists).await;
            lists.choose(shard, incremental).await;
            write_response(shard, client, ids, header, &mut lists).await
        });
        shard.timed(work).await
    };
    let reply = reply?;
    let wait = shard.charge_unless_it_waits(client, reply.frame_bytes(), time);
    if !wait.is_zero() {
        shard.throttle(client, wait);
        let session = (session_id, incremental);
        // Boxed: what is rare must not make every idle connection large.
        return Box::pin(put_off(shard, client, ids, session, lists, wait)).await;
    }
    if session_id != NO_SESSION {
        lists.note_what_was_said(shard).await;
        shard.clients.sessions.borrow_mut().said(session_id, &mut lists.targets);
    }
    lists.let_go(shard).await;
    shard.data.fetch_spares.keep(lists);
    Ok(reply)
}

/// Answers a client that has to wait: with nothing, which it asks for again (KIP-219). A session
/// that would begin with this answer does not.
async fn put_off(
    shard: &Shard,
    client: &Client,
    ids: RequestIds,
    (session_id, incremental): (i32, bool),
    mut lists: Lists,
    wait: Duration,
) -> Result<Reply, CloseReason> {
    lists.let_go(shard).await;
    let mut session_id = session_id;
    if incremental {
        shard.clients.sessions.borrow_mut().said(session_id, &mut lists.targets);
    } else {
        shard.clients.sessions.borrow_mut().forget(session_id);
        session_id = NO_SESSION;
    }
    shard.data.fetch_spares.keep(lists);
    let throttle_time_ms = quotas::to_wire_ms(wait);
    let header = FetchResponseHeader { throttle_time_ms, error: ErrorCode::None, session_id };
    write_response(shard, client, ids, header, &mut Lists::default()).await
}

/// Lists the partitions that the request names; returns those that its session is to forget.
async fn read_targets(
    shard: &Shard,
    request: &FetchRequest<'_>,
    by_id: bool,
    named: &mut Vec<Target>,
) -> Vec<Forgotten> {
    let mut budget = TurnBudget::of_items(&shard.ring);
    assert!(named.is_empty(), "a fetch begins without the partitions of the one before it");
    named.reserve(request.partition_count());
    let mut last_named = None;
    for partition in request.partitions() {
        let (topic, own_name_bytes) = match named.last() {
            Some(last) if last_named == Some(partition.topic) => {
                (last.topic.clone(), last.own_name_bytes)
            }
            _ => name_of(&shard.data.routes.borrow(), partition.topic, by_id),
        };
        last_named = Some(partition.topic);
        named.push(Target {
            topic,
            own_name_bytes,
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
    assert_eq!(named.len(), request.partition_count(), "each partition of the request is listed");
    let mut forgotten = Vec::new();
    for gone in request.forgotten_partitions() {
        let (topic, _) = name_of(&shard.data.routes.borrow(), gone.topic, by_id);
        forgotten.push(Forgotten { topic, topic_id: gone.topic.id, index: gone.index });
        budget.item_done().await;
    }
    forgotten
}

/// The name that a request has for a topic, as its route keeps it where there is one, and what it
/// takes where there is none.
fn name_of(routes: &Routes, topic: TopicRef<'_>, by_id: bool) -> (Option<Rc<str>>, u16) {
    if by_id {
        return (None, 0);
    }
    let name = topic.name.decode();
    match routes.by_name(&name) {
        Some(route) => (Some(route.name.clone()), 0),
        None => {
            // What is not UTF-8 takes more when it is replaced.
            let bytes = u16::try_from(name.len()).unwrap_or(u16::MAX);
            (Some(name.as_ref().into()), bytes)
        }
    }
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
    let most_bytes = shard.most_to_fetch(client);
    let min_bytes = (request.min_bytes.max(0) as usize).min(most_bytes);
    let may_wait = request.max_wait_ms > 0 && min_bytes > 0;
    let mut options = FetchOptions {
        max_bytes: (request.max_bytes.max(0) as usize)
            .min(shard.config.network.fetch_max_bytes as usize)
            .min(most_bytes),
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
            || client.replies.is_closed()
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
    assert!(local.is_empty(), "a fetch has done its own reads before it reads again");
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
                own_name_bytes: 0,
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
