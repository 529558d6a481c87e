//! One consumer connection: fetches its share of the partitions and checks every record.
//!
//! Owns: its positions. Lives on: the generator's thread. Never: skips a record unseen, ends
//! without the run knowing.

use crate::{
    cluster::From,
    dialer::error_of,
    produce::is_of_a_moved_leader,
    run::Run,
    tallies::Traffic,
    value::Stamp,
    workload::{Consumers, Reading},
};
use aborted::Aborted;
use anyhow::{Context, bail};
use bytes::Bytes;
use client::{ClientRequest, ClientResponse, Connection};
use protocol::{
    ErrorCode, Message,
    messages::{
        FetchRequest, FetchResponse,
        fetch_request::{FetchPartition, FetchTopic},
        fetch_response::PartitionData,
    },
    records,
};
use rustc_hash::FxHashMap;
use std::{rc::Rc, time::Duration};

mod aborted;
mod catch_up;
mod group;

pub use catch_up::{CatchUp, CatchUpOutcome, spawn_catch_ups};
use group::Assignment;
pub use group::assigned;
pub use group::form_groups;

const FETCH_MAX_BYTES: i32 = 50 << 20;
/// A live broker answers within this and what the bytes take on their way.
const FETCH_MAX_WAIT_MS: i32 = 100;
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);
/// How long the offsets to begin with are asked for: a new leader may not know yet that it is one.
const BEGIN_PATIENCE: Duration = Duration::from_secs(10);
/// Batches larger than this when unpacked are refused.
const DECOMPRESSED_MAX_BYTES: usize = 256 << 20;

/// What consumers that are alike are to do.
struct Set {
    topics: Vec<usize>,
    fetch_size: i32,
    read_committed: bool,
    skims: bool,
    /// Of several that read the same, one judges.
    place: usize,
    is_every: bool,
}

impl Set {
    fn new(consumers: &Consumers, place: usize) -> Rc<Set> {
        Rc::new(Set {
            topics: consumers.topics.clone(),
            fetch_size: consumers.fetch_size,
            read_committed: consumers.read_committed,
            skims: consumers.skim || matches!(consumers.reading, Reading::CatchUp { .. }),
            place,
            is_every: consumers.reading == Reading::Every,
        })
    }
}

/// The partitions of one leader that one consumer reads.
pub struct Consumer {
    run: Rc<Run>,
    set: Rc<Set>,
    leader: Rc<str>,
    /// Partition and the offset to read next.
    positions: FxHashMap<i32, i64>,
    /// Where the positions began, and begin again with --consume-only.
    beginnings: FxHashMap<i32, i64>,
    connection: Option<Connection>,
    /// The first of its set, or the only one that reads its partitions.
    is_first: bool,
    /// Transactions whose records are to be passed over, by partition.
    aborted: FxHashMap<i32, Aborted>,
    /// In a group: what its member was given.
    assignment: Option<Rc<Assignment>>,
    catch_up: Option<Rc<CatchUp>>,
}

/// The consumers of consumer number `index` of a set, one for each leader, at the beginnings or the
/// ends of their partitions.
pub async fn consumers(
    run: &Rc<Run>,
    place: usize,
    index: usize,
    from: From,
) -> anyhow::Result<Vec<Consumer>> {
    let consumers = &run.workload.consumers[place];
    let set = Set::new(consumers, place);
    let all = run.cluster.partitions_of(&set.topics);
    let mine: Vec<i32> = match consumers.reading {
        Reading::Shared => all.into_iter().skip(index).step_by(consumers.count).collect(),
        _ => all,
    };
    let deadline = run.ring.precise_now() + BEGIN_PATIENCE;
    loop {
        match begin(run, &set, index, from, &mine).await {
            Err(_) if run.ring.precise_now() < deadline => {
                run.cluster.refresh(&run.ring);
                run.ring.sleep(RECONNECT_PAUSE).await;
            }
            begun => return begun,
        }
    }
}

async fn begin(
    run: &Rc<Run>,
    set: &Rc<Set>,
    index: usize,
    from: From,
    partitions: &[i32],
) -> anyhow::Result<Vec<Consumer>> {
    let mut consumers = Vec::new();
    for (leader, partitions) in run.cluster.partitions_by_leader(partitions.iter().copied()) {
        let connection = run.cluster.dialer.connect(&leader).await?;
        let positions = run.cluster.offsets(&connection, &partitions, from).await?;
        let consumer = Consumer::at(run, set, leader, positions);
        consumers.push(Consumer {
            connection: Some(connection),
            is_first: index == 0 || !set.is_every,
            ..consumer
        });
    }
    Ok(consumers)
}

impl Consumer {
    fn at(
        run: &Rc<Run>,
        set: &Rc<Set>,
        leader: Rc<str>,
        positions: FxHashMap<i32, i64>,
    ) -> Consumer {
        Consumer {
            run: run.clone(),
            set: set.clone(),
            leader,
            beginnings: positions.clone(),
            positions,
            connection: None,
            is_first: true,
            aborted: FxHashMap::default(),
            assignment: None,
            catch_up: None,
        }
    }

    /// Whether this one's word on a partition counts.
    fn verifies(&self, partition: i32) -> bool {
        let topic = self.run.cluster.topic_of(partition);
        self.is_first && self.run.judge_of(topic) == Some(self.set.place)
    }

    fn is_done(&self) -> bool {
        // With --once, partitions that were read to their end are gone from the positions.
        self.run.consumers_may_stop()
            || self.positions.is_empty()
            || self.assignment.as_ref().is_some_and(|assignment| assignment.is_revoked())
    }

    /// Reads until the run says that all is seen.
    pub async fn read_all(mut self) {
        let parts = (self.assignment.clone(), self.catch_up.clone());
        if let Some(assignment) = &parts.0 {
            assignment.begin();
        }
        if let Some(catch_up) = &parts.1 {
            catch_up.begin();
        }
        self.read_until_done().await;
        let now = self.run.ring.precise_now();
        if let Some(assignment) = &parts.0 {
            assignment.end(&self.positions);
        }
        if let Some(catch_up) = &parts.1 {
            catch_up.end(now, self.positions.is_empty());
        }
    }

    async fn read_until_done(&mut self) {
        while !self.is_done() {
            if let Err(error) = self.read().await {
                self.run.fetch_failed(&error);
                self.run.cluster.refresh(&self.run.ring);
                self.run.ring.sleep(RECONNECT_PAUSE).await;
                self.follow_leaders();
            }
        }
    }

    /// Hands partitions that another broker leads now to a consumer of that broker.
    fn follow_leaders(&mut self) {
        for (leader, partitions) in
            self.run.cluster.partitions_by_leader(self.positions.keys().copied())
        {
            if leader != self.leader {
                let take = |from: &mut FxHashMap<i32, i64>| {
                    partitions
                        .iter()
                        .filter_map(|partition| Some((*partition, from.remove(partition)?)))
                        .collect()
                };
                let (positions, beginnings) =
                    (take(&mut self.positions), take(&mut self.beginnings));
                let moved = |(partition, aborted): (&i32, &Aborted)| {
                    partitions.contains(partition).then(|| (*partition, aborted.clone()))
                };
                let consumer = Consumer::at(&self.run, &self.set, leader, positions);
                self.run.spawn_consumer(Consumer {
                    beginnings,
                    is_first: self.is_first,
                    aborted: self.aborted.iter().filter_map(moved).collect(),
                    assignment: self.assignment.clone(),
                    catch_up: self.catch_up.clone(),
                    ..consumer
                });
            }
        }
    }

    async fn connected(&mut self) -> anyhow::Result<Connection> {
        if let Some(connection) =
            self.connection.as_ref().filter(|connection| !connection.is_disconnected())
        {
            return Ok(connection.clone());
        }
        let connection = self.run.cluster.dialer.connect(&self.leader).await?;
        self.connection = Some(connection.clone());
        Ok(connection)
    }

    /// One fetch. An error of one partition does not keep the others from being read.
    async fn read(&mut self) -> anyhow::Result<()> {
        let connection = self.connected().await?;
        let version = self.run.cluster.fetch_version;
        let request = ClientRequest::encode(&self.request(), version)?;
        let sent_bytes = request.body.len() as u64;
        let sent = self.run.ring.precise_now();
        let in_flight = self.run.fetch_sent(sent);
        let is_after_producers = self.run.producers_are_done();
        let ClientResponse { body, received } = connection.try_send(request)?.await?;
        drop(in_flight);
        let received_bytes = body.len() as u64;
        self.run.crossed(sent, Traffic { fetches: 1, sent_bytes, received_bytes, produces: 0 });
        let mut reader = protocol::Reader::from_bytes(&body);
        let response = FetchResponse::decode(&mut reader, version).context("a fetch response")?;
        if response.error_code != 0 {
            bail!("the fetch was refused: {}", error_of(response.error_code).name());
        }
        let mut first_error = None;
        for topic in response.responses {
            for answer in topic.partitions {
                let partition = self.run.cluster.partition(&topic.topic, answer.partition_index);
                let partition = partition.context("a partition that was not asked for")?;
                let taken = self.take(&connection, partition, answer, is_after_producers).await;
                if let Err(error) = taken {
                    first_error.get_or_insert(error);
                }
            }
        }
        if let Some(assignment) = &self.assignment {
            assignment.keep(&self.positions);
        }
        if self.run.options.consume_only {
            self.run.fetched(sent, received);
        }
        first_error.map_or(Ok(()), Err)
    }

    fn request(&self) -> FetchRequest {
        let mut topics: Vec<FetchTopic> = Vec::new();
        for (partition, offset) in &self.positions {
            let (name, number) = self.run.cluster.on_wire(*partition);
            let partition = FetchPartition {
                partition: number,
                fetch_offset: *offset,
                partition_max_bytes: self.set.fetch_size,
                ..Default::default()
            };
            match topics.iter_mut().find(|topic| topic.topic == name) {
                Some(topic) => topic.partitions.push(partition),
                None => topics.push(FetchTopic {
                    topic: name.to_owned(),
                    partitions: vec![partition],
                    ..Default::default()
                }),
            }
        }
        FetchRequest {
            max_wait_ms: FETCH_MAX_WAIT_MS,
            min_bytes: 1,
            max_bytes: FETCH_MAX_BYTES,
            isolation_level: i8::from(self.set.read_committed),
            session_id: 0,
            session_epoch: -1,
            topics,
            ..Default::default()
        }
    }

    /// Takes what was fetched of one partition.
    async fn take(
        &mut self,
        connection: &Connection,
        partition: i32,
        answer: PartitionData,
        is_after_producers: bool,
    ) -> anyhow::Result<()> {
        match error_of(answer.error_code) {
            ErrorCode::None => {}
            ErrorCode::OffsetOutOfRange => {
                return self.come_back_into_range(connection, partition).await;
            }
            error => {
                if is_of_a_moved_leader(error) {
                    self.run.cluster.refresh(&self.run.ring);
                }
                bail!("{}: {}", self.run.cluster.name(partition), error.name());
            }
        }
        if self.set.read_committed {
            let aborted = self.aborted.entry(partition).or_default();
            aborted.told(answer.aborted_transactions.as_deref().unwrap_or_default());
        }
        let records = answer.records.filter(|records| !records.is_empty());
        let has_records = records.is_some();
        if let Some(records) = records {
            self.check(partition, &records)?;
        }
        let verifies = self.verifies(partition);
        let Some(position) = self.positions.get_mut(&partition) else { return Ok(()) };
        let is_at_end = *position >= answer.high_watermark;
        if verifies && is_after_producers {
            self.run.reached_end(partition, is_at_end && !has_records);
        }
        if let Some(catch_up) = &self.catch_up
            && *position >= catch_up.end_of(partition)
        {
            self.positions.remove(&partition);
            return Ok(());
        }
        if self.run.options.consume_only && is_at_end {
            if self.run.options.once {
                self.positions.remove(&partition);
            } else {
                *position = self.beginnings[&partition];
            }
        }
        Ok(())
    }

    /// What was to be read next is gone: retention has deleted it, or the log has become shorter.
    async fn come_back_into_range(
        &mut self,
        connection: &Connection,
        partition: i32,
    ) -> anyhow::Result<()> {
        let position = self
            .positions
            .get(&partition)
            .copied()
            .context("a partition that was not asked for")?;
        let earliest =
            self.run.cluster.offsets(connection, &[partition], From::Earliest).await?[&partition];
        let latest =
            self.run.cluster.offsets(connection, &[partition], From::Latest).await?[&partition];
        self.positions.insert(partition, position.clamp(earliest, latest.max(earliest)));
        self.beginnings.insert(partition, earliest);
        bail!(
            "{}: offset {position} is out of range: {earliest} to {latest} are there",
            self.run.cluster.name(partition)
        )
    }

    fn check(&mut self, partition: i32, bytes: &Bytes) -> anyhow::Result<()> {
        let verifies = self.verifies(partition);
        let read_before =
            self.assignment.as_ref().map_or(0, |assignment| assignment.read_before(partition));
        let position =
            self.positions.get_mut(&partition).context("a partition that was not asked for")?;
        let now = self.run.ring.precise_now();
        for batch in records::batches(bytes) {
            // The last batch of a response may be cut off; it comes whole next time.
            let Ok(batch) = batch else { break };
            let header = batch.header();
            let (base_offset, next_offset) = (header.base_offset(), header.next_offset());
            if let Some(catch_up) = &self.catch_up {
                catch_up.read(header.record_count(), batch.size_bytes());
                *position = next_offset.max(*position);
                continue;
            }
            self.run.batch_fetched(now, header.record_count(), batch.size_bytes(), self.set.skims);
            if self.set.skims {
                *position = next_offset.max(*position);
                continue;
            }
            anyhow::ensure!(
                batch.crc_is_valid(),
                "{}: a batch at {base_offset} with a wrong CRC",
                self.run.cluster.name(partition)
            );
            let is_passed_over = match self.aborted.get_mut(&partition) {
                Some(aborted) => aborted.passes_over(&batch)?,
                None => false,
            };
            if !header.is_control() && !is_passed_over {
                // What another member has read before is neither new nor a duplicate.
                let from = read_before.max(*position);
                let mut tally = self.run.consumed_tally(partition, now, verifies);
                batch.for_each_record(DECOMPRESSED_MAX_BYTES, |record| {
                    if base_offset + i64::from(record.offset_delta) >= from {
                        tally.record(
                            record.value.map_or(0, <[u8]>::len),
                            record.value.and_then(Stamp::read),
                        );
                    }
                    Ok::<_, records::RecordsError>(())
                })?;
            }
            *position = next_offset.max(*position);
        }
        Ok(())
    }
}
