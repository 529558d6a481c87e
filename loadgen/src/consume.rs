//! One consumer connection: fetches its share of the partitions and checks every record.
//!
//! Owns: its positions. Lives on: the generator's thread. Never: skips a record unseen.

use crate::{
    client::{Client, error_of},
    run::Run,
    value::Stamp,
};
use anyhow::{Context, bail};
use bytes::{Bytes, BytesMut};
use protocol::{
    ApiKey, ErrorCode, Message,
    messages::{
        FetchRequest, FetchResponse, ListOffsetsRequest,
        fetch_request::{FetchPartition, FetchTopic},
        list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
    },
    records,
};
use rustc_hash::FxHashMap;
use std::{rc::Rc, time::Duration};

const FETCH_MAX_BYTES: i32 = 50 << 20;
const FETCH_MAX_WAIT_MS: i32 = 100;
const LIST_OFFSETS_VERSION: i16 = 4;
/// Where a consumer begins: the two timestamps that ListOffsets takes for the ends of a log.
#[derive(Clone, Copy)]
pub enum From {
    Earliest = -2,
    Latest = -1,
}
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);
/// How often the offsets to begin with are asked for: half a minute, in which a broker can start again.
const OFFSET_TRIES: u32 = 300;
/// Batches larger than this when unpacked are refused.
const DECOMPRESSED_MAX_BYTES: usize = 256 << 20;

/// The partitions of one leader that one consumer reads.
pub struct Consumer {
    run: Rc<Run>,
    leader: String,
    /// Partition and the offset to read next.
    positions: FxHashMap<i32, i64>,
    /// Where the positions began, and begin again with --consume-only.
    beginnings: FxHashMap<i32, i64>,
    client: Client,
    /// Of several that read the same, one judges.
    verifies: bool,
}

/// The consumers of consumer number `index`, one for each leader, at the beginnings or the ends of their partitions.
pub async fn consumers(run: &Rc<Run>, index: usize, from: From) -> anyhow::Result<Vec<Consumer>> {
    let mut by_leader: FxHashMap<&str, Vec<i32>> = FxHashMap::default();
    for (partition, leader) in run.cluster.leaders.iter().enumerate() {
        if run.options.fan_out || partition % run.options.consumers == index {
            by_leader.entry(leader).or_default().push(partition as i32);
        }
    }
    let mut consumers = Vec::new();
    for (leader, partitions) in by_leader {
        let begin = async || {
            let client = Client::connect(&run.ring, leader).await?;
            let positions = offsets(run, &client, &partitions, from).await?;
            anyhow::Ok((client, positions))
        };
        let mut tries = 1..=OFFSET_TRIES;
        let (client, positions) = loop {
            match begin().await {
                // A new topic's leader may not know yet that it is one, and the broker may be starting again.
                Err(_) if tries.next().is_some() => run.ring.sleep(RECONNECT_PAUSE).await,
                begun => break begun?,
            }
        };
        consumers.push(Consumer {
            run: run.clone(),
            leader: leader.to_owned(),
            beginnings: positions.clone(),
            positions,
            client,
            verifies: run.options.can_verify() && (index == 0 || !run.options.fan_out),
        });
    }
    Ok(consumers)
}

async fn offsets(run: &Run, client: &Client, partitions: &[i32], from: From) -> anyhow::Result<FxHashMap<i32, i64>> {
    let partition =
        |index: &i32| ListOffsetsPartition { partition_index: *index, timestamp: from as i64, ..Default::default() };
    let topic =
        ListOffsetsTopic { name: run.options.topic.clone(), partitions: partitions.iter().map(partition).collect() };
    let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
    let response = client.call(&request, LIST_OFFSETS_VERSION).await?;
    let topic = response.topics.first().context("the broker says nothing of the topic's offsets")?;
    let mut offsets = FxHashMap::default();
    for partition in &topic.partitions {
        let error = error_of(partition.error_code);
        anyhow::ensure!(
            error == ErrorCode::None,
            "offsets of partition {}: {}",
            partition.partition_index,
            error.name()
        );
        offsets.insert(partition.partition_index, partition.offset);
    }
    Ok(offsets)
}

impl Consumer {
    /// Reads until the run says that all is seen.
    pub async fn read_all(mut self) {
        // With --once, partitions that were read to their end are gone from the positions.
        while !self.run.consumers_may_stop() && !self.positions.is_empty() {
            if let Err(error) = self.read().await {
                self.run.complain(&format!("consumer: {error:#}"));
                if self.run.options.consume_only {
                    self.run.tallies.borrow_mut().errors += 1;
                }
                self.run.ring.sleep(RECONNECT_PAUSE).await;
                if self.client.is_broken()
                    && let Ok(client) = Client::connect(&self.run.ring, &self.leader).await
                {
                    self.client = client;
                }
            }
        }
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        let version = self.run.cluster.fetch_version;
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
        let request = FetchRequest {
            max_wait_ms: FETCH_MAX_WAIT_MS,
            min_bytes: 1,
            max_bytes: FETCH_MAX_BYTES,
            session_id: 0,
            session_epoch: -1,
            topics: vec![topic],
            ..Default::default()
        };
        let mut body = BytesMut::new();
        request.encode(&mut body, version)?;
        let sent = self.run.ring.precise_now();
        let (body, answered) = self.client.send(ApiKey::Fetch, version, vec![body.freeze()], true).await?;
        let mut reader = protocol::Reader::from_bytes(&body);
        let response = FetchResponse::decode(&mut reader, version).context("a fetch response")?;
        for partition in response.responses.into_iter().flat_map(|topic| topic.partitions) {
            match error_of(partition.error_code) {
                ErrorCode::None => {}
                error => bail!("partition {}: {}", partition.partition_index, error.name()),
            }
            if let Some(records) = partition.records.filter(|records| !records.is_empty()) {
                self.check(partition.partition_index, &records)?;
                // Only what was read is progress; a run that waits for lost records must see that there is none.
                self.run.changed.notify();
            }
            if self.run.options.consume_only
                && let Some(position) = self.positions.get_mut(&partition.partition_index)
                && *position >= partition.high_watermark
            {
                if self.run.options.once {
                    self.positions.remove(&partition.partition_index);
                } else {
                    *position = self.beginnings[&partition.partition_index];
                }
            }
        }
        if self.run.options.consume_only {
            self.run.fetched(sent, answered);
        }
        Ok(())
    }

    fn check(&mut self, partition: i32, bytes: &Bytes) -> anyhow::Result<()> {
        let position = self.positions.get_mut(&partition).context("a partition that was not asked for")?;
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
                        tally.record(record.value.map_or(0, <[u8]>::len), record.value.and_then(Stamp::read));
                    }
                    Ok::<_, records::RecordsError>(())
                })?;
            }
            *position = next_offset.max(*position);
        }
        Ok(())
    }
}
