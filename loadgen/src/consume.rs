//! One consumer connection: fetches its share of the partitions and checks every record.
//!
//! Owns: its positions. Lives on: the generator's thread. Never: skips a record unseen, ends
//! without the run knowing.

use crate::{
    cluster::From, dialer::error_of, produce::is_of_a_moved_leader, run::Run, value::Stamp,
};
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

const FETCH_MAX_BYTES: i32 = 50 << 20;
/// A live broker answers within this and what the bytes take on their way.
const FETCH_MAX_WAIT_MS: i32 = 100;
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);
/// How long the offsets to begin with are asked for: a new leader may not know yet that it is one.
const BEGIN_PATIENCE: Duration = Duration::from_secs(10);
/// Batches larger than this when unpacked are refused.
const DECOMPRESSED_MAX_BYTES: usize = 256 << 20;

/// The partitions of one leader that one consumer reads.
pub struct Consumer {
    run: Rc<Run>,
    leader: Rc<str>,
    /// Partition and the offset to read next.
    positions: FxHashMap<i32, i64>,
    /// Where the positions began, and begin again with --consume-only.
    beginnings: FxHashMap<i32, i64>,
    connection: Option<Connection>,
    /// Of several that read the same, one judges.
    verifies: bool,
}

/// The consumers of consumer number `index`, one for each leader, at the beginnings or the ends of
/// their partitions.
pub async fn consumers(run: &Rc<Run>, index: usize, from: From) -> anyhow::Result<Vec<Consumer>> {
    let is_mine = |partition: &i32| {
        run.options.fan_out || *partition as usize % run.options.consumers == index
    };
    let deadline = run.ring.precise_now() + BEGIN_PATIENCE;
    loop {
        match begin(run, index, from, (0..run.cluster.partition_count()).filter(is_mine)).await {
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
    index: usize,
    from: From,
    partitions: impl Iterator<Item = i32>,
) -> anyhow::Result<Vec<Consumer>> {
    let mut consumers = Vec::new();
    for (leader, partitions) in run.cluster.partitions_by_leader(partitions) {
        let connection = run.cluster.dialer.connect(&leader).await?;
        let positions = run.cluster.offsets(&connection, &partitions, from).await?;
        consumers.push(Consumer {
            run: run.clone(),
            leader,
            beginnings: positions.clone(),
            positions,
            connection: Some(connection),
            verifies: run.options.can_verify() && (index == 0 || !run.options.fan_out),
        });
    }
    Ok(consumers)
}

impl Consumer {
    /// Reads until the run says that all is seen.
    pub async fn read_all(mut self) {
        // With --once, partitions that were read to their end are gone from the positions.
        while !self.run.consumers_may_stop() && !self.positions.is_empty() {
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
                let run = self.run.clone();
                let (connection, verifies) = (None, self.verifies);
                self.run.spawn_consumer(Consumer {
                    run,
                    leader,
                    positions,
                    beginnings,
                    connection,
                    verifies,
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
        let sent = self.run.ring.precise_now();
        let in_flight = self.run.fetch_sent(sent);
        let is_after_producers = self.run.producers_are_done();
        let ClientResponse { body, received } = connection.try_send(request)?.await?;
        drop(in_flight);
        let mut reader = protocol::Reader::from_bytes(&body);
        let response = FetchResponse::decode(&mut reader, version).context("a fetch response")?;
        if response.error_code != 0 {
            bail!("the fetch was refused: {}", error_of(response.error_code).name());
        }
        let mut first_error = None;
        for partition in response.responses.into_iter().flat_map(|topic| topic.partitions) {
            if let Err(error) = self.take(&connection, partition, is_after_producers).await {
                first_error.get_or_insert(error);
            }
        }
        if self.run.options.consume_only {
            self.run.fetched(sent, received);
        }
        first_error.map_or(Ok(()), Err)
    }

    fn request(&self) -> FetchRequest {
        let partition = |(partition, offset): (&i32, &i64)| FetchPartition {
            partition: *partition,
            fetch_offset: *offset,
            partition_max_bytes: self.run.options.fetch_size,
            ..Default::default()
        };
        let topic = FetchTopic {
            topic: self.run.options.topic.clone(),
            partitions: self.positions.iter().map(partition).collect(),
            ..Default::default()
        };
        FetchRequest {
            max_wait_ms: FETCH_MAX_WAIT_MS,
            min_bytes: 1,
            max_bytes: FETCH_MAX_BYTES,
            session_id: 0,
            session_epoch: -1,
            topics: vec![topic],
            ..Default::default()
        }
    }

    /// Takes what was fetched of one partition.
    async fn take(
        &mut self,
        connection: &Connection,
        answer: PartitionData,
        is_after_producers: bool,
    ) -> anyhow::Result<()> {
        let partition = answer.partition_index;
        match error_of(answer.error_code) {
            ErrorCode::None => {}
            ErrorCode::OffsetOutOfRange => {
                return self.come_back_into_range(connection, partition).await;
            }
            error => {
                if is_of_a_moved_leader(error) {
                    self.run.cluster.refresh(&self.run.ring);
                }
                bail!("partition {partition}: {}", error.name());
            }
        }
        let records = answer.records.filter(|records| !records.is_empty());
        let has_records = records.is_some();
        if let Some(records) = records {
            self.check(partition, &records)?;
        }
        let Some(position) = self.positions.get_mut(&partition) else { return Ok(()) };
        let is_at_end = *position >= answer.high_watermark;
        if self.verifies && is_after_producers {
            self.run.reached_end(partition, is_at_end && !has_records);
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
            "partition {partition}: offset {position} is out of range: {earliest} to {latest} are \
             there"
        )
    }

    fn check(&mut self, partition: i32, bytes: &Bytes) -> anyhow::Result<()> {
        let position =
            self.positions.get_mut(&partition).context("a partition that was not asked for")?;
        let now = self.run.ring.precise_now();
        for batch in records::batches(bytes) {
            // The last batch of a response may be cut off; it comes whole next time.
            let Ok(batch) = batch else { break };
            let header = batch.header();
            self.run.batch_fetched(now, header.record_count(), batch.size_bytes());
            if self.run.options.skim {
                *position = header.next_offset().max(*position);
                continue;
            }
            anyhow::ensure!(
                batch.crc_is_valid(),
                "partition {partition}: a batch at {} with a wrong CRC",
                header.base_offset()
            );
            let (base_offset, next_offset) = (header.base_offset(), header.next_offset());
            if !header.is_control() {
                let mut tally = self.run.consumed_tally(partition, now, self.verifies);
                batch.for_each_record(DECOMPRESSED_MAX_BYTES, |record| {
                    if base_offset + i64::from(record.offset_delta) >= *position {
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
