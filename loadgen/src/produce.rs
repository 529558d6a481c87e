//! One producer connection: an open-loop schedule, batches, and produce requests in flight.
//!
//! Owns: its lanes (one per partition that it writes to), its connections to their leaders, and its
//! transaction where it has one.
//! Lives on: the generator's thread. Never: moves a due time because the broker is slow; the record
//! is sent late and counts from when it was due.

use crate::{
    cluster::INIT_PRODUCER_ID_VERSION,
    dialer::{CALL_TIMEOUT, error_of},
    keys::{KEY_BYTES, Keys},
    options::{Acks, BATCH_SIZE_MAX, Codec},
    payload::Payload,
    random::Random,
    run::Run,
    schedule::Schedule,
    tallies::{BatchSize, CONNECTION, Traffic, UNANSWERED},
    value::Stamp,
    workload::{Hot, KeyChoice, Producers},
};
use anyhow::Context;
use bytes::Bytes;
use client::{ClientRequest, Connection, RequestError};
use protocol::{
    ApiKey, ErrorCode, compression::Compression, messages::InitProducerIdRequest,
    records::BatchBuilder,
};
use ring::Instant;
use rustc_hash::{FxHashMap, FxHashSet};
use settle::{Failure, Settling, encode, not_acknowledged};
use std::{cell::RefCell, collections::VecDeque, ops::Range, rc::Rc, time::Duration};
use transaction::Transactional;

mod settle;
mod transaction;

pub use settle::is_of_a_moved_leader;

/// Records that are built before the executor gets its turn.
const RECORDS_PER_STEP: usize = 2048;
/// How long after a broken connection the next one is tried.
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);
/// How often a producer id is asked for while the broker is not ready to give one.
const PRODUCER_ID_TRIES: u32 = 50;
/// With --through-restarts: how long a batch is sent again and again before it counts as failed,
/// while the load lasts.
const RETRY_MAX: Duration = Duration::from_secs(90);
/// Bytes of batches in one request, but for the first batch. Brokers take 100 MiB by default.
const REQUEST_MAX_BYTES: usize = 32 << 20;
const _: () = assert!(BATCH_SIZE_MAX < (100 << 20), "one batch fits a request");
/// How many times the patience answers may trickle in after the end.
const PATIENCES_MAX: u32 = 6;
/// For what closed connections leave to be booked: a few turns of the core.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// What a record takes besides its value: varints, attributes, deltas, no key, no headers.
const RECORD_OVERHEAD_BYTES: usize = 10;

/// Streams of chance of one connection: its sizes, keys, partitions, transactions and due times.
const CHANCES: u64 = 5;

/// One partition as one producer writes to it.
struct Lane {
    partition: i32,
    next_sequence: u64,
    /// The sequence that the broker knows as 0, of this producer id and epoch.
    first_of_epoch: u64,
    open: Option<OpenBatch>,
}

struct OpenBatch {
    builder: BatchBuilder,
    first_sequence: u64,
    size_bytes: usize,
    opened: Instant,
    due: Vec<Instant>,
}

/// A batch ready to be sent.
struct ReadyBatch {
    partition: i32,
    records: Bytes,
    /// Of the records' values.
    value_bytes: usize,
    sequences: Range<u64>,
    due: Vec<Instant>,
    /// When it came back for the first time.
    returned: Option<Instant>,
}

impl ReadyBatch {
    fn size(&self) -> BatchSize {
        BatchSize { wire: self.records.len(), values: self.value_bytes }
    }
}

/// What the tasks of one producer share.
#[derive(Default)]
struct InFlight {
    requests: FxHashMap<Rc<str>, usize>,
    /// Requests to all leaders.
    unanswered: usize,
    /// Batches that were not answered, or are to be sent again.
    returned: Vec<ReadyBatch>,
    /// The last that was sent, or tried, got no answer.
    is_silent: bool,
    /// Nothing is sent again any more.
    gave_up: bool,
    /// Of the open transaction: what was acknowledged, and whether something was not.
    held: Vec<(i32, Range<u64>)>,
    transaction_failed: bool,
}

pub struct Producer {
    run: Rc<Run>,
    load: Rc<Producers>,
    /// Of the workload's producers.
    place: usize,
    /// Of the connections of these producers.
    index: usize,
    stream: u32,
    lanes: Vec<Lane>,
    keys: Keys,
    payload: Payload,
    /// The lane that takes records now, where they have no keys.
    current: usize,
    /// Where some partitions are hot.
    spread: Option<Spread>,
    ready: VecDeque<ReadyBatch>,
    connections: FxHashMap<Rc<str>, Connection>,
    in_flight: Rc<RefCell<InFlight>>,
    /// `None`: as fast as it goes.
    schedule: Option<Schedule>,
    producer_id: Option<(i64, i16)>,
    transaction: Option<Transactional>,
}

impl Producer {
    pub fn new(
        run: Rc<Run>,
        load: Rc<Producers>,
        place: usize,
        index: usize,
        stream: u32,
        pool: Option<Rc<[u8]>>,
    ) -> Producer {
        let chance = |number: u64| run.random(u64::from(stream) * CHANCES + number);
        let partitions = partitions_of(&run, &load, index);
        let lane = |partition| Lane { partition, next_sequence: 0, first_of_epoch: 0, open: None };
        let keys = Keys::new(load.keys, partitions.len() as u32, stream, chance(1));
        let number = |partition: &i32| run.cluster.on_wire(*partition).1;
        let spread = load
            .hot
            .map(|hot| Spread::new(hot, partitions.iter().map(number).collect(), chance(2)));
        let transaction = load
            .transactions
            .as_ref()
            .map(|settings| Transactional::new(settings, run.id, stream, chance(3)));
        Producer {
            place,
            index,
            stream,
            lanes: partitions.into_iter().map(lane).collect(),
            keys,
            payload: Payload::new(load.record_size, pool, stream, chance(0)),
            current: 0,
            spread,
            ready: VecDeque::new(),
            connections: FxHashMap::default(),
            in_flight: Rc::default(),
            schedule: None,
            producer_id: None,
            transaction,
            load,
            run,
        }
    }

    /// Connects to the leaders of its partitions, before the clock starts.
    pub async fn prepare(&mut self) -> anyhow::Result<()> {
        for index in 0..self.lanes.len() {
            let leader = self.leader(self.lanes[index].partition);
            if !self.connections.contains_key(&leader) {
                let connection = self.run.cluster.dialer.connect(&leader).await?;
                self.connections.insert(leader, connection);
            }
        }
        if self.transaction.is_some() {
            return self.begin_epoch().await;
        }
        if self.load.idempotence {
            let connection =
                self.connections.values().next().context("a producer without partitions")?.clone();
            self.init_producer_id(&connection, None).await?;
        }
        Ok(())
    }

    /// Has the broker give an id, or with a transactional id the next epoch of the one it knows.
    async fn init_producer_id(
        &mut self,
        connection: &Connection,
        transactional: Option<(String, i32)>,
    ) -> anyhow::Result<()> {
        let request = InitProducerIdRequest {
            transaction_timeout_ms: transactional
                .as_ref()
                .map_or(-1, |(_, timeout_ms)| *timeout_ms),
            transactional_id: transactional.map(|(id, _)| id),
            ..Default::default()
        };
        let mut tries = 1..=PRODUCER_ID_TRIES;
        let (response, error) = loop {
            let response =
                connection.call(&request, INIT_PRODUCER_ID_VERSION, CALL_TIMEOUT).await?;
            let error = error_of(response.error_code);
            let may_come = error.is_retriable() || error == ErrorCode::ConcurrentTransactions;
            if !may_come || tries.next().is_none() {
                break (response, error);
            }
            self.run.ring.sleep(RECONNECT_PAUSE).await;
        };
        anyhow::ensure!(
            error == ErrorCode::None,
            "no producer id: {}; try without --idempotence",
            error.name()
        );
        self.producer_id = Some((response.producer_id, response.producer_epoch));
        for lane in &mut self.lanes {
            lane.first_of_epoch = lane.next_sequence;
        }
        Ok(())
    }

    fn leader(&self, partition: i32) -> Rc<str> {
        self.run.cluster.leader(partition)
    }

    /// Sends until the run is over, then waits for the requests in flight, as long as answers come.
    pub async fn send_all(mut self) {
        if self.lanes.is_empty() {
            return;
        }
        let run = self.run.clone();
        let due_times = run.random(u64::from(self.stream) * CHANCES + 4);
        self.schedule = run.schedule(&self.load, self.place, self.index, due_times);
        loop {
            let changed = run.changed.clone().past(run.changed.generation());
            let now = run.ring.precise_now();
            if now >= run.times().end {
                break;
            }
            let more = self.build(now);
            // Batches that are not sent by the end are sent after it.
            run.unless_over(self.send_ready()).await;
            if self.transaction_is_over(now) {
                self.end_transaction().await;
                continue;
            }
            if more {
                // Others get their turn: replies, consumers.
                run.ring.end_of_turn().await;
                continue;
            }
            let wake = self.next_wake(now).min(run.times().end);
            run.ring.timeout(wake.since(now), changed).await;
        }
        if self.schedule.is_some() && !self.transaction_is_over(run.times().end) {
            // What was due before the end and has room goes out.
            let last_due = Instant(run.times().end.0.saturating_sub(1));
            while self.build(last_due) {
                run.ring.end_of_turn().await;
            }
        }
        (0..self.lanes.len()).for_each(|lane| self.close_batch(lane));
        self.settle().await;
        self.end_last_transaction().await;
        self.give_up().await;
    }

    /// Sends the batches that are ready, and waits for answers as long as the run has patience.
    async fn settle(&mut self) {
        let run = self.run.clone();
        loop {
            let changed = run.changed.clone().past(run.changed.generation());
            let longest = run.options.patience().saturating_mul(PATIENCES_MAX);
            let has_more = !self.ready.is_empty() || {
                let in_flight = self.in_flight.borrow();
                in_flight.unanswered > 0 || !in_flight.returned.is_empty()
            };
            let Some(patience) =
                run.patience_left(run.last_produced(), longest).filter(|_| has_more)
            else {
                return;
            };
            let step = async {
                self.send_ready().await;
                if self.in_flight.borrow().unanswered > 0 {
                    changed.await;
                }
            };
            run.within(patience, step).await;
        }
    }

    /// Books what was not answered, or not even sent.
    async fn give_up(mut self) {
        let run = self.run.clone();
        // Requests in flight fail with their connection, and are booked by their own tasks.
        self.in_flight.borrow_mut().gave_up = true;
        self.connections.values().for_each(Connection::close);
        let booked = run.changed.wait_until(|| self.in_flight.borrow().unanswered == 0);
        run.ring.timeout(CLOSE_TIMEOUT, booked).await;
        let returned = std::mem::take(&mut self.in_flight.borrow_mut().returned);
        for batch in self.ready.drain(..).chain(returned) {
            self.in_flight.borrow_mut().is_silent = true;
            let ReadyBatch { partition, sequences, due, .. } = batch;
            run.unanswered(self.stream, partition, sequences, &due, None, UNANSWERED);
        }
        if let Some(schedule) = &self.schedule {
            let is_silent = self.in_flight.borrow().is_silent;
            run.not_sent(schedule, self.lanes[0].partition, is_silent);
        }
    }

    /// Builds the records that are due; returns whether there is more to build right away.
    fn build(&mut self, now: Instant) -> bool {
        let is_paused = self.schedule.is_none() && self.run.pause_end(now).is_some();
        if is_paused || self.transaction_is_over(now) {
            self.close_lingering(now);
            return false;
        }
        // Once per step and not per record.
        let more = if self.payload.is_varied() {
            self.build_step::<true>(now)
        } else {
            self.build_step::<false>(now)
        };
        if more {
            return true;
        }
        self.close_lingering(now);
        self.schedule.is_none() && self.may_build()
    }

    fn build_step<const IS_VARIED: bool>(&mut self, now: Instant) -> bool {
        let mut built = 0;
        while self.may_build() {
            let due = self.schedule.as_ref().map_or(now, Schedule::due);
            if due > now {
                break;
            }
            if built == RECORDS_PER_STEP {
                return true;
            }
            if IS_VARIED {
                self.payload.vary();
            }
            self.append(due, now);
            if let Some(schedule) = &mut self.schedule {
                schedule.advance();
            }
            built += 1;
        }
        if built > 0
            && let Some(transaction) = &mut self.transaction
        {
            transaction.began.get_or_insert(now);
        }
        false
    }

    fn close_lingering(&mut self, now: Instant) {
        let linger = self.load.linger;
        for lane in 0..self.lanes.len() {
            if self.lanes[lane].open.as_ref().is_some_and(|open| now.since(open.opened) >= linger) {
                self.close_batch(lane);
            }
        }
    }

    /// Batches wait in the queue only while the connection is full; then nothing more is built,
    /// whatever is due.
    fn may_build(&self) -> bool {
        self.ready.len() < self.lanes.len().max(1)
    }

    fn append(&mut self, due: Instant, now: Instant) {
        let load = &self.load;
        let (key, index) = match self.keys.next_key() {
            Some((key, partition)) => (Some(key), partition),
            None => (None, self.current),
        };
        let lane = &mut self.lanes[index];
        let sequence = lane.next_sequence;
        lane.next_sequence += 1;
        let stamp = Stamp { run: self.run.id, stream: self.stream, sequence, due_ns: due.0 };
        stamp.write(self.payload.value_mut());
        let (producer_id, first_of_epoch) = (self.producer_id, lane.first_of_epoch);
        let is_transactional = self.transaction.is_some();
        let open = lane.open.get_or_insert_with(|| {
            let mut builder = BatchBuilder::new(0).compression(codec(load.compression), None);
            if let Some((id, epoch)) = producer_id {
                // Sequences of the protocol wrap at 2^31.
                let base = (sequence - first_of_epoch) & 0x7fff_ffff;
                builder = builder.producer(id, epoch, base as i32).transactional(is_transactional);
            }
            OpenBatch {
                builder,
                first_sequence: sequence,
                size_bytes: 0,
                opened: now,
                due: Vec::new(),
            }
        });
        let value = self.payload.value();
        let record_bytes = value.len() + key.map_or(0, |key| key.len()) + RECORD_OVERHEAD_BYTES;
        let key = key.as_ref().map(<[u8; KEY_BYTES]>::as_slice);
        open.builder.append(self.run.ring.wall_clock_ms(), key, Some(value), &[]);
        open.due.push(due);
        open.size_bytes += record_bytes;
        if open.size_bytes + record_bytes > load.batch_size {
            self.close_batch(index);
        }
    }

    fn close_batch(&mut self, index: usize) {
        let Some(open) = self.lanes[index].open.take() else { return };
        // Sticky: the next batch goes to the next partition, whether this one is full or has
        // lingered.
        self.current = match &mut self.spread {
            None => (index + 1) % self.lanes.len(),
            Some(spread) => spread.choose(),
        };
        let lane = &self.lanes[index];
        self.run.built(self.stream, lane.partition, lane.next_sequence, &open.due);
        let beside_value =
            RECORD_OVERHEAD_BYTES + if self.load.keys == KeyChoice::None { 0 } else { KEY_BYTES };
        self.ready.push_back(ReadyBatch {
            partition: lane.partition,
            records: open.builder.build(),
            value_bytes: open.size_bytes - open.due.len() * beside_value,
            sequences: open.first_sequence..lane.next_sequence,
            due: open.due,
            returned: None,
        });
    }

    fn next_wake(&self, now: Instant) -> Instant {
        let linger = self.load.linger;
        let lingering = self
            .lanes
            .iter()
            .filter_map(|lane| lane.open.as_ref())
            .map(|open| open.opened + linger)
            .min();
        let due = || match &self.schedule {
            Some(schedule) => schedule.due(),
            None => self.run.pause_end(now).unwrap_or(now),
        };
        let due = self.may_build().then(due);
        let transaction = self.transaction.as_ref().and_then(Transactional::end);
        let wakes = lingering.into_iter().chain(due).chain(transaction);
        wakes.min().unwrap_or(self.run.times().end)
    }

    /// Sends ready batches, in order, while their connections have room. May be dropped at any
    /// time: a batch leaves the queue when it is sent.
    async fn send_ready(&mut self) {
        // Nothing may overtake what came back: the broker takes any sequence from a producer that
        // it does not know yet.
        while self.take_back().await
            && self.add_partitions().await
            && let Some(first) = self.ready.front()
        {
            let leader = self.leader(first.partition);
            let in_flight = self.in_flight.borrow().requests.get(&leader).copied().unwrap_or(0);
            if in_flight >= self.load.in_flight {
                return;
            }
            let connected = self.connect(&leader).await;
            let batches = self.take_ready(&leader);
            match connected {
                Ok(connection) => self.send(&connection, leader, batches),
                Err(error) => {
                    self.run.complain(&format!("{error:#}"));
                    self.not_sent(batches, Failure::NoAnswer(CONNECTION));
                    self.run.cluster.refresh(&self.run.ring);
                    self.run.ring.sleep(RECONNECT_PAUSE).await;
                }
            }
        }
    }

    fn not_sent(&self, batches: impl IntoIterator<Item = ReadyBatch>, failure: Failure) {
        for batch in batches {
            not_acknowledged(&self.run, &self.in_flight, self.stream, batch, None, failure);
        }
    }

    async fn connect(&mut self, leader: &Rc<str>) -> anyhow::Result<Connection> {
        if let Some(connection) =
            self.connections.get(leader).filter(|connection| !connection.is_disconnected())
        {
            return Ok(connection.clone());
        }
        let connection = self.run.cluster.dialer.connect(leader).await?;
        self.connections.insert(leader.clone(), connection.clone());
        Ok(connection)
    }

    /// The batches for one request: those in front for this leader, of different partitions.
    fn take_ready(&mut self, leader: &Rc<str>) -> Vec<ReadyBatch> {
        let (mut batches, mut size_bytes) = (Vec::new(), 0);
        let mut taken = FxHashSet::default();
        while let Some(next) = self.ready.front() {
            size_bytes += next.records.len();
            let has_room = batches.is_empty() || size_bytes <= REQUEST_MAX_BYTES;
            if !has_room || self.leader(next.partition) != *leader || !taken.insert(next.partition)
            {
                break;
            }
            batches.extend(self.ready.pop_front());
        }
        batches
    }

    /// Puts batches that came back in front of the queue, in their order, once nothing is in flight
    /// that they could overtake. Returns whether sending may go on.
    async fn take_back(&mut self) -> bool {
        if self.in_flight.borrow().returned.is_empty() {
            return true;
        }
        if self.in_flight.borrow().unanswered > 0 {
            return false;
        }
        self.run.ring.sleep(RECONNECT_PAUSE).await;
        let mut returned = std::mem::take(&mut self.in_flight.borrow_mut().returned);
        returned.sort_by_key(|batch| (batch.sequences.start, batch.partition));
        returned.into_iter().rev().for_each(|batch| self.ready.push_front(batch));
        true
    }

    fn send(&self, connection: &Connection, leader: Rc<str>, batches: Vec<ReadyBatch>) {
        if batches.is_empty() {
            // They have got another leader meanwhile.
            return;
        }
        let run = self.run.clone();
        let body = encode(&run, self.load.acks, self.transactional_id(), &batches);
        let sent = run.ring.precise_now();
        let expects_response = self.load.acks != Acks::None;
        let sent_bytes = body.len() as u64;
        let request = ClientRequest::new(ApiKey::Produce, run.cluster.produce_version, body);
        let pending = connection.try_send(ClientRequest { expects_response, ..request });
        {
            let mut in_flight = self.in_flight.borrow_mut();
            *in_flight.requests.entry(leader.clone()).or_default() += 1;
            in_flight.unanswered += 1;
        }
        let (in_flight, stream) = (self.in_flight.clone(), self.stream);
        let (acks, is_held) = (self.load.acks, self.transaction.is_some());
        run.ring.clone().spawn(async move {
            let answer = match pending {
                Ok(pending) => pending.await.map_err(RequestError::from),
                Err(error) => Err(error),
            };
            {
                let mut in_flight = in_flight.borrow_mut();
                *in_flight.requests.get_mut(&leader).expect("counted when sent") -= 1;
                in_flight.unanswered -= 1;
            }
            if let Ok(answer) = &answer {
                let received_bytes = answer.body.len() as u64;
                let traffic = Traffic { produces: 1, sent_bytes, received_bytes, fetches: 0 };
                run.crossed(sent, traffic);
            }
            let settling = Settling { run: &run, in_flight: &in_flight, stream, acks, is_held };
            settling.settle(batches, sent, answer);
            run.changed.notify();
        });
    }
}

/// Which partitions get how much, of records without keys.
struct Spread {
    share: f64,
    hot: Vec<usize>,
    cold: Vec<usize>,
    random: Random,
}

impl Spread {
    /// `numbers`: of each lane's partition in its topic.
    fn new(hot: Hot, numbers: Vec<i32>, random: Random) -> Spread {
        let is_hot = |lane: &usize| numbers[*lane] < hot.partitions;
        let (hot_lanes, cold) = (0..numbers.len()).partition(is_hot);
        Spread { share: hot.share, hot: hot_lanes, cold, random }
    }

    fn choose(&mut self) -> usize {
        let is_hot = self.cold.is_empty() || self.random.unit() < self.share;
        let lanes = if is_hot { &self.hot } else { &self.cold };
        lanes[self.random.below(lanes.len() as u32) as usize]
    }
}

/// The partitions that a connection writes to.
fn partitions_of(run: &Run, load: &Producers, index: usize) -> Vec<i32> {
    if load.keys != KeyChoice::None {
        // Keys belong to the partitions of one topic.
        return run.cluster.partitions_of(&[load.topics[index % load.topics.len()]]);
    }
    let all = run.cluster.partitions_of(&load.topics);
    if load.hot.is_some() {
        return all;
    }
    // Without keys, producers share the partitions out among them.
    if load.connections <= all.len() {
        all.into_iter().skip(index).step_by(load.connections).collect()
    } else {
        vec![all[index % all.len()]]
    }
}

fn codec(codec: Codec) -> Compression {
    match codec {
        Codec::None => Compression::None,
        Codec::Gzip => Compression::Gzip,
        Codec::Snappy => Compression::Snappy,
        Codec::Lz4 => Compression::Lz4,
        Codec::Zstd => Compression::Zstd,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hot_partitions_get_their_share_and_the_others_the_rest() {
        const CHOICES: usize = 20_000;
        // Two topics, of which partition 0 is hot.
        let hot = Hot { share: 0.7, partitions: 1 };
        let mut spread = Spread::new(hot, vec![0, 1, 2, 0, 1], Random::new(1, 1));
        let mut chosen = [0.0; 5];
        for _ in 0..CHOICES {
            chosen[spread.choose()] += 1.0 / CHOICES as f64;
        }
        for (lane, share) in [0.35, 0.1, 0.1, 0.35, 0.1].into_iter().enumerate() {
            assert!((chosen[lane] - share).abs() < 0.015, "{lane}: {chosen:?}");
        }
        let mut all_hot = Spread::new(hot, vec![0], Random::new(1, 1));
        assert_eq!(all_hot.choose(), 0);
    }
}
