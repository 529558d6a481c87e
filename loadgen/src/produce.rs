//! One producer connection: an open-loop schedule, batches, and produce requests in flight.
//!
//! Owns: its lanes (one per partition that it writes to) and its connections to their leaders.
//! Lives on: the generator's thread. Never: moves a due time because the broker is slow; the record
//! is sent late and counts from when it was due.

use crate::{
    cluster::INIT_PRODUCER_ID_VERSION,
    dialer::{CALL_TIMEOUT, error_of},
    keys::{KEY_BYTES, Keys},
    options::{Acks, BATCH_SIZE_MAX, Codec, Rate},
    run::Run,
    schedule::Schedule,
    tallies::{CONNECTION, UNANSWERED},
    value::Stamp,
};
use anyhow::Context;
use bytes::{Bytes, BytesMut};
use client::{ClientRequest, ClientResponse, Connection, RequestError};
use protocol::{
    ApiKey, ErrorCode, Message,
    compression::Compression,
    messages::{
        InitProducerIdRequest, ProduceRequest, ProduceResponse,
        produce_request::{PartitionProduceData, TopicProduceData},
    },
    records::BatchBuilder,
};
use ring::Instant;
use rustc_hash::{FxHashMap, FxHashSet};
use std::{cell::RefCell, collections::VecDeque, ops::Range, rc::Rc, time::Duration};

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
const PRODUCE_TIMEOUT_MS: i32 = 30_000;
/// What a record takes besides its value: varints, attributes, deltas, no key, no headers.
const RECORD_OVERHEAD_BYTES: usize = 10;

/// One partition as one producer writes to it.
struct Lane {
    partition: i32,
    next_sequence: u64,
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
    sequences: Range<u64>,
    due: Vec<Instant>,
    /// When it came back for the first time.
    returned: Option<Instant>,
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
}

pub struct Producer {
    run: Rc<Run>,
    stream: u32,
    lanes: Vec<Lane>,
    keys: Keys,
    /// The lane that takes records now, where they have no keys.
    current: usize,
    ready: VecDeque<ReadyBatch>,
    connections: FxHashMap<Rc<str>, Connection>,
    in_flight: Rc<RefCell<InFlight>>,
    /// Records built so far: gives the next due time.
    built: u64,
    value: Vec<u8>,
    producer_id: Option<(i64, i16)>,
}

impl Producer {
    pub fn new(run: Rc<Run>, stream: u32) -> Producer {
        let options = &run.options;
        let (streams, partitions) = (options.connections as i32, options.partitions);
        // Without keys, producers share the partitions out among them.
        let mine = |partition: &i32| {
            if streams <= partitions {
                partition % streams == stream as i32
            } else {
                *partition == stream as i32 % partitions
            }
        };
        let lane = |partition| Lane { partition, next_sequence: 0, open: None };
        let is_keyed = options.keys > 0;
        let lanes: Vec<Lane> =
            (0..partitions).filter(|one| is_keyed || mine(one)).map(lane).collect();
        let keys = Keys::new(options.keys, partitions as u32, stream);
        // Bytes that a compressor cannot make nothing of, and that are cheap to make.
        let value = (0..options.record_size)
            .map(|i| (i as u8).wrapping_mul(151) ^ (i >> 3) as u8)
            .collect();
        Producer {
            stream,
            lanes,
            keys,
            current: 0,
            ready: VecDeque::new(),
            connections: FxHashMap::default(),
            in_flight: Rc::default(),
            built: 0,
            value,
            producer_id: None,
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
        if self.run.options.idempotence {
            let connection =
                self.connections.values().next().context("a producer without partitions")?;
            let request = InitProducerIdRequest {
                transactional_id: None,
                transaction_timeout_ms: -1,
                ..Default::default()
            };
            let mut tries = 1..=PRODUCER_ID_TRIES;
            let (response, error) = loop {
                let response =
                    connection.call(&request, INIT_PRODUCER_ID_VERSION, CALL_TIMEOUT).await?;
                let error = error_of(response.error_code);
                if !error.is_retriable() || tries.next().is_none() {
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
        let linger = Duration::from_secs_f64(run.options.linger_ms / 1000.0);
        loop {
            let changed = run.changed.clone().past(run.changed.generation());
            let now = run.ring.precise_now();
            if now >= run.times().end {
                break;
            }
            let more = self.build(now, linger);
            // Batches that are not sent by the end are sent after it.
            run.unless_over(self.send_ready()).await;
            if more {
                // Others get their turn: replies, consumers.
                run.ring.end_of_turn().await;
                continue;
            }
            let wake = self.next_wake(now, linger).min(run.times().end);
            run.ring.timeout(wake.since(now), changed).await;
        }
        if run.options.rate != Rate::Max {
            // What was due before the end and has room goes out.
            let last_due = Instant(run.times().end.0.saturating_sub(1));
            while self.build(last_due, linger) {
                run.ring.end_of_turn().await;
            }
        }
        (0..self.lanes.len()).for_each(|lane| self.close_batch(lane));
        self.settle().await;
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
        if let Some(schedule) = self.schedule() {
            let owed = schedule.count_before(run.times().end);
            run.not_sent(&schedule, self.built..owed, self.in_flight.borrow().is_silent);
        }
    }

    fn schedule(&self) -> Option<Schedule> {
        match self.run.options.rate {
            Rate::Max => None,
            Rate::PerSecond(rate) => Some(Schedule {
                start: self.run.times().start,
                rate,
                streams: self.run.options.connections,
                stream: self.stream,
            }),
        }
    }

    /// When record number `index` of this producer is due.
    fn due(&self, index: u64, now: Instant) -> Instant {
        self.schedule().map_or(now, |schedule| schedule.due(index))
    }

    /// Builds the records that are due; returns whether there is more to build right away.
    fn build(&mut self, now: Instant, linger: Duration) -> bool {
        let mut built = 0;
        while self.may_build() {
            let due = self.due(self.built, now);
            if due > now {
                break;
            }
            if built == RECORDS_PER_STEP {
                return true;
            }
            self.append(due, now);
            self.built += 1;
            built += 1;
        }
        for lane in 0..self.lanes.len() {
            if self.lanes[lane].open.as_ref().is_some_and(|open| now.since(open.opened) >= linger) {
                self.close_batch(lane);
            }
        }
        self.run.options.rate == Rate::Max && self.may_build()
    }

    /// Batches wait in the queue only while the connection is full; then nothing more is built,
    /// whatever is due.
    fn may_build(&self) -> bool {
        self.ready.len() < self.lanes.len().max(1)
    }

    fn append(&mut self, due: Instant, now: Instant) {
        let options = &self.run.options;
        let (key, index) = match self.keys.next_key() {
            Some((key, partition)) => (Some(key), partition),
            None => (None, self.current),
        };
        let lane = &mut self.lanes[index];
        let sequence = lane.next_sequence;
        lane.next_sequence += 1;
        let stamp = Stamp { run: self.run.id, stream: self.stream, sequence, due_ns: due.0 };
        stamp.write(&mut self.value);
        let producer_id = self.producer_id;
        let open = lane.open.get_or_insert_with(|| {
            let codec = match options.compression {
                Codec::None => Compression::None,
                Codec::Gzip => Compression::Gzip,
                Codec::Snappy => Compression::Snappy,
                Codec::Lz4 => Compression::Lz4,
                Codec::Zstd => Compression::Zstd,
            };
            let mut builder = BatchBuilder::new(0).compression(codec, None);
            if let Some((id, epoch)) = producer_id {
                // Sequences of the protocol wrap at 2^31.
                builder = builder.producer(id, epoch, (sequence & 0x7fff_ffff) as i32);
            }
            OpenBatch {
                builder,
                first_sequence: sequence,
                size_bytes: 0,
                opened: now,
                due: Vec::new(),
            }
        });
        let record_bytes =
            self.value.len() + key.map_or(0, |key| key.len()) + RECORD_OVERHEAD_BYTES;
        let key = key.as_ref().map(<[u8; KEY_BYTES]>::as_slice);
        open.builder.append(self.run.ring.wall_clock_ms(), key, Some(&self.value), &[]);
        open.due.push(due);
        open.size_bytes += record_bytes;
        if open.size_bytes + record_bytes > options.batch_size {
            self.close_batch(index);
        }
    }

    fn close_batch(&mut self, index: usize) {
        let Some(open) = self.lanes[index].open.take() else { return };
        // Sticky: the next batch goes to the next partition, whether this one is full or has
        // lingered.
        self.current = (index + 1) % self.lanes.len();
        let lane = &self.lanes[index];
        self.run.built(self.stream, lane.partition, lane.next_sequence, &open.due);
        self.ready.push_back(ReadyBatch {
            partition: lane.partition,
            records: open.builder.build(),
            sequences: open.first_sequence..lane.next_sequence,
            due: open.due,
            returned: None,
        });
    }

    fn next_wake(&self, now: Instant, linger: Duration) -> Instant {
        let lingering = self
            .lanes
            .iter()
            .filter_map(|lane| lane.open.as_ref())
            .map(|open| open.opened + linger)
            .min();
        let due = if self.may_build() { Some(self.due(self.built, now)) } else { None };
        lingering.into_iter().chain(due).min().unwrap_or(self.run.times().end)
    }

    /// Sends ready batches, in order, while their connections have room. May be dropped at any
    /// time: a batch leaves the queue when it is sent.
    async fn send_ready(&mut self) {
        // Nothing may overtake what came back: the broker takes any sequence from a producer that
        // it does not know yet.
        while self.take_back().await
            && let Some(first) = self.ready.front()
        {
            let leader = self.leader(first.partition);
            let in_flight = self.in_flight.borrow().requests.get(&leader).copied().unwrap_or(0);
            if in_flight >= self.run.options.in_flight {
                return;
            }
            let connected = self.connect(&leader).await;
            let batches = self.take_ready(&leader);
            match connected {
                Ok(connection) => self.send(&connection, leader, batches),
                Err(error) => {
                    self.run.complain(&format!("{error:#}"));
                    for batch in batches {
                        not_acknowledged(
                            &self.run,
                            &self.in_flight,
                            self.stream,
                            batch,
                            None,
                            Failure::NoAnswer(CONNECTION),
                        );
                    }
                    self.run.cluster.refresh(&self.run.ring);
                    self.run.ring.sleep(RECONNECT_PAUSE).await;
                }
            }
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
        let body = encode(&run, &batches);
        let sent = run.ring.precise_now();
        let expects_response = run.options.acks != Acks::None;
        let request = ClientRequest::new(ApiKey::Produce, run.cluster.produce_version, body);
        let pending = connection.try_send(ClientRequest { expects_response, ..request });
        {
            let mut in_flight = self.in_flight.borrow_mut();
            *in_flight.requests.entry(leader.clone()).or_default() += 1;
            in_flight.unanswered += 1;
        }
        let (in_flight, stream) = (self.in_flight.clone(), self.stream);
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
            settle(&run, &in_flight, stream, batches, sent, answer);
            run.changed.notify();
        });
    }
}

/// Why a batch was not acknowledged.
#[derive(Clone, Copy)]
enum Failure {
    Refused(ErrorCode),
    /// `UNANSWERED` or `CONNECTION`.
    NoAnswer(&'static str),
}

/// Books a batch that failed, or hands it back to be sent again. `sent` is `None` where it never
/// left.
fn not_acknowledged(
    run: &Run,
    in_flight: &RefCell<InFlight>,
    stream: u32,
    mut batch: ReadyBatch,
    sent: Option<Instant>,
    failure: Failure,
) {
    let now = run.ring.precise_now();
    let is_next = run.is_settled_up_to(stream, batch.partition, batch.sequences.start);
    let may_retry = match failure {
        // Batches behind one that failed are out of order. The next one in line never is, unless
        // the broker has lost what it acknowledged.
        Failure::Refused(ErrorCode::OutOfOrderSequenceNumber) => !is_next,
        Failure::Refused(error) => error.is_retriable(),
        Failure::NoAnswer(_) => true,
    };
    let waited = now.since(*batch.returned.get_or_insert(now));
    let mut in_flight = in_flight.borrow_mut();
    in_flight.is_silent = matches!(failure, Failure::NoAnswer(_));
    if run.options.through_restarts && may_retry && waited < RETRY_MAX && !in_flight.gave_up {
        in_flight.returned.push(batch);
        return;
    }
    let ReadyBatch { partition, sequences, due, .. } = batch;
    match failure {
        Failure::Refused(error) => {
            run.complain(&format!("partition {partition}: {}", error.name()));
            run.refused(stream, partition, sequences, &due, error.name());
        }
        Failure::NoAnswer(why) => run.unanswered(stream, partition, sequences, &due, sent, why),
    }
}

/// Whether an error says that the leader is another one now.
pub fn is_of_a_moved_leader(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::NotLeaderOrFollower
            | ErrorCode::LeaderNotAvailable
            | ErrorCode::UnknownTopicOrPartition
            | ErrorCode::FencedLeaderEpoch
            | ErrorCode::UnknownLeaderEpoch
            | ErrorCode::KafkaStorageError
    )
}

fn encode(run: &Run, batches: &[ReadyBatch]) -> Bytes {
    let partition = |batch: &ReadyBatch| PartitionProduceData {
        index: batch.partition,
        records: Some(batch.records.clone()),
    };
    let topic = TopicProduceData {
        name: run.options.topic.clone(),
        partition_data: batches.iter().map(partition).collect(),
        ..Default::default()
    };
    let request = ProduceRequest {
        transactional_id: None,
        acks: run.options.acks.code(),
        timeout_ms: PRODUCE_TIMEOUT_MS,
        topic_data: vec![topic],
    };
    let size: usize = batches.iter().map(|batch| batch.records.len() + 64).sum();
    let mut body = BytesMut::with_capacity(size + 256);
    let encoded = request.encode(&mut body, run.cluster.produce_version);
    encoded.expect("every version that is spoken carries these fields, and a request of this size");
    body.freeze()
}

/// Books what became of the batches of one request.
fn settle(
    run: &Rc<Run>,
    in_flight: &RefCell<InFlight>,
    stream: u32,
    batches: Vec<ReadyBatch>,
    sent: Instant,
    answer: Result<ClientResponse, RequestError>,
) {
    let failed = |batch, failure| {
        not_acknowledged(run, in_flight, stream, batch, Some(sent), failure);
    };
    let no_answer = |batch| failed(batch, Failure::NoAnswer(UNANSWERED));
    let ClientResponse { body, received } = match answer {
        Ok(response) => response,
        Err(error) => {
            // Connections that are closed for want of answers did not break.
            if in_flight.borrow().gave_up {
                return batches.into_iter().for_each(no_answer);
            }
            run.complain(&error.to_string());
            run.cluster.refresh(&run.ring);
            let broken = |batch| failed(batch, Failure::NoAnswer(CONNECTION));
            return batches.into_iter().for_each(broken);
        }
    };
    if run.options.acks == Acks::None {
        in_flight.borrow_mut().is_silent = false;
        for ReadyBatch { partition, sequences, records, due, .. } in batches {
            run.sent(stream, partition, sequences, records.len(), &due, received);
        }
        return;
    }
    let response: ProduceResponse = match protocol::decode_exact(&body, run.cluster.produce_version)
    {
        Ok(response) => response,
        Err(error) => {
            run.complain(&format!("a produce response that does not decode: {error}"));
            return batches.into_iter().for_each(no_answer);
        }
    };
    let results = response.responses.iter().flat_map(|topic| &topic.partition_responses);
    let errors: FxHashMap<i32, i16> =
        results.map(|result| (result.index, result.error_code)).collect();
    for batch in batches {
        match errors.get(&batch.partition).map(|code| error_of(*code)) {
            Some(ErrorCode::None) => {
                in_flight.borrow_mut().is_silent = false;
                run.acknowledged(
                    stream,
                    batch.partition,
                    batch.sequences,
                    batch.records.len(),
                    &batch.due,
                    sent,
                    received,
                );
            }
            Some(error) => {
                if is_of_a_moved_leader(error) {
                    run.cluster.refresh(&run.ring);
                }
                failed(batch, Failure::Refused(error));
            }
            None => {
                run.complain(&format!("partition {}: not in the answer", batch.partition));
                no_answer(batch);
            }
        }
    }
}
