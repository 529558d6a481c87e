//! Idempotent producers: each batch is sent, with the same id, epoch and sequence number, until it
//! is answered.

use crate::{
    client::{Client, Lost, Pending},
    cluster::ClusterId,
    model::{Expected, Invariant, PartitionKey},
    run::Run,
};
use bytes::Bytes;
use protocol::{
    ErrorCode,
    compression::Compression,
    generated::rpc::produce_request::{PartitionProduceData, TopicProduceData},
    messages::{InitProducerIdRequest, ProduceRequest, ProduceResponse},
    records::BatchBuilder,
};
use ring::Ring;
use std::{collections::VecDeque, net::SocketAddr, rc::Rc};

/// Batches that a producer makes in one run.
const BATCHES: usize = 60;
const NAMES_VERSION: i16 = 12;
const IDS_VERSION: i16 = 13;

/// A batch that is not answered yet.
struct Batch {
    first_id: u64,
    count: i32,
    bytes: Bytes,
}

/// One partition as this producer sees it.
struct Lane {
    key: PartitionKey,
    name: String,
    next_sequence: i32,
    pending: VecDeque<Batch>,
    given_up: bool,
}

struct Producer {
    client: Client,
    producer_id: i64,
    lanes: Vec<Lane>,
    acks: i16,
    batches_left: usize,
    /// The broker has lost track of this producer id, as it may with several batches in flight:
    /// take a new one.
    fenced: bool,
}

pub async fn work(run: Rc<Run>, ring: Ring, cluster: ClusterId, index: usize) {
    let client = Client::new(&run, &ring, cluster, format!("producer {index}"));
    let acks = run.plan.acks.get(index).copied().unwrap_or(-1);
    let mut producer = Producer {
        client,
        producer_id: -1,
        lanes: Vec::new(),
        acks,
        batches_left: BATCHES,
        fenced: true,
    };
    while !run.is_over() {
        if producer.fenced && !producer.begin().await {
            continue;
        }
        producer.find_lanes();
        let chosen = producer.choose();
        if !chosen.is_empty() {
            producer.round(&chosen).await;
        } else if run.is_calm() {
            return;
        }
        producer.client.pause().await;
    }
}

impl Producer {
    fn run(&self) -> &Rc<Run> {
        &self.client.run
    }

    /// Gets a producer id. What was pending under the old one may be in the log or not.
    async fn begin(&mut self) -> bool {
        let request = InitProducerIdRequest {
            transactional_id: None,
            transaction_timeout_ms: 60_000,
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        };
        let Ok(response) = self.client.call(4, &request).await else { return false };
        let run = self.run().clone();
        match ErrorCode::from_code(response.error_code) {
            Some(ErrorCode::None) => {
                run.check(
                    run.model
                        .borrow_mut()
                        .producer_id_given(self.client.cluster, response.producer_id),
                );
                self.client.note(|| format!("has producer id {}", response.producer_id));
                self.producer_id = response.producer_id;
                self.fenced = false;
                self.lanes.clear();
                true
            }
            error => {
                if !self.client.disk_may_fail()
                    && error != Some(ErrorCode::CoordinatorLoadInProgress)
                {
                    run.violate(Invariant::AnswersExplained, format!("InitProducerId: {error:?}"));
                }
                self.client.pause().await;
                false
            }
        }
    }

    /// Takes up topics that are new, and gives up those that are gone.
    fn find_lanes(&mut self) {
        let run = self.run().clone();
        let model = run.model.borrow();
        self.lanes.retain(|lane| !lane.given_up);
        for key in model.live_partitions(self.client.cluster) {
            if !self.lanes.iter().any(|lane| lane.key == key) {
                let name = model.name(key.topic);
                self.lanes.push(Lane {
                    key,
                    name,
                    next_sequence: 0,
                    pending: VecDeque::new(),
                    given_up: false,
                });
            }
        }
    }

    /// The lanes of the next round, each with at least one batch.
    fn choose(&mut self) -> Vec<usize> {
        let run = self.run().clone();
        let may_make = self.batches_left > 0 && (!run.is_calm() || self.one_in(3));
        let mut chosen = Vec::new();
        for index in 0..self.lanes.len() {
            if self.lanes[index].pending.is_empty()
                && !(may_make && self.one_in(1 + self.lanes.len() / 3))
            {
                continue;
            }
            let depth = 1 + self.client.below(run.plan.depth);
            while may_make && self.batches_left > 0 && self.lanes[index].pending.len() < depth {
                self.make_batch(index);
            }
            if !self.lanes[index].pending.is_empty() {
                chosen.push(index);
            }
        }
        chosen
    }

    fn one_in(&self, n: usize) -> bool {
        self.client.one_in(n)
    }

    fn make_batch(&mut self, index: usize) {
        self.batches_left -= 1;
        let run = self.run().clone();
        let count = 1 + self.client.below(4) as i32;
        let codec = match run.plan.packed {
            true => Compression::ALL[self.client.below(Compression::ALL.len())],
            false => Compression::None,
        };
        let padding_max = match (run.plan.large_records, codec) {
            (true, Compression::None) => 40_000,
            (true, _) => 120_000,
            (false, _) => 200,
        };
        let padding = self.client.below(padding_max);
        let now_ms = self.client.ring.wall_clock_ms();
        let lane = &mut self.lanes[index];
        let first_id = run.model.borrow_mut().records_made(
            lane.key,
            self.producer_id,
            lane.next_sequence,
            count,
        );
        let builder = BatchBuilder::new(0).producer(self.producer_id, 0, lane.next_sequence);
        let mut builder = builder.compression(codec, None);
        for delta in 0..count as u64 {
            let mut value = (first_id + delta).to_be_bytes().to_vec();
            value.resize(8 + padding, (first_id + delta) as u8);
            builder.append(now_ms, None, Some(&value), &[]);
        }
        lane.next_sequence += count;
        lane.pending.push_back(Batch { first_id, count, bytes: builder.build() });
    }

    /// Sends what is pending in these lanes, in one request or several behind one another, and
    /// takes the answers.
    async fn round(&mut self, chosen: &[usize]) {
        let run = self.run().clone();
        let requests: Vec<Vec<(usize, usize)>> = if run.plan.depth > 1 {
            let at_depth = |depth: usize| {
                let lanes = chosen.iter().filter(|lane| self.lanes[**lane].pending.len() > depth);
                lanes.map(|lane| (*lane, depth)).collect()
            };
            (0..run.plan.depth)
                .map(at_depth)
                .filter(|batches: &Vec<_>| !batches.is_empty())
                .collect()
        } else {
            let size = 1 + self.client.below(chosen.len());
            chosen.chunks(size).map(|lanes| lanes.iter().map(|lane| (*lane, 0)).collect()).collect()
        };
        let mut sent: Vec<(Pending, Vec<(usize, u64)>, Vec<Expected>)> = Vec::new();
        let Ok(requests) = self.by_leader(requests).await else { return };
        for (leader, batches) in requests {
            let by_id = run.plan.by_id || batches.iter().any(|(lane, _)| !self.is_base(*lane));
            let version = if by_id { IDS_VERSION } else { NAMES_VERSION };
            let request = self.request(&batches);
            let ids = batches
                .iter()
                .map(|(lane, at)| (*lane, self.lanes[*lane].pending[*at].first_id))
                .collect();
            let expected = batches
                .iter()
                .map(|(lane, _)| run.model.borrow().expected(self.lanes[*lane].key))
                .collect();
            match self.client.send_to(leader, version, &request).await {
                Ok(pending) => sent.push((pending, ids, expected)),
                Err(Lost) => break,
            }
        }
        let mut lost = Vec::new();
        for (pending, batches, expected) in sent {
            let leader = pending.to;
            if lost.contains(&leader) {
                continue;
            }
            let Ok(response) = self.client.receive::<ProduceResponse>(pending).await else {
                lost.push(leader);
                continue;
            };
            for ((lane, first_id), expected) in batches.into_iter().zip(expected) {
                self.take_answer(&response, lane, first_id, expected);
            }
        }
    }

    /// Each request as those that the leaders of its partitions get.
    async fn by_leader(
        &mut self,
        requests: Vec<Vec<(usize, usize)>>,
    ) -> Result<Vec<(SocketAddr, Vec<(usize, usize)>)>, Lost> {
        let mut led = Vec::new();
        for batches in requests {
            let keys: Vec<PartitionKey> =
                batches.iter().map(|(lane, _)| self.lanes[*lane].key).collect();
            for (leader, places) in self.client.by_leader(&keys).await? {
                led.push((leader, places.into_iter().map(|place| batches[place]).collect()));
            }
        }
        Ok(led)
    }

    fn is_base(&self, lane: usize) -> bool {
        self.run()
            .model
            .borrow()
            .topic(self.lanes[lane].key.topic)
            .is_some_and(|topic| topic.is_base)
    }

    fn request(&self, batches: &[(usize, usize)]) -> ProduceRequest {
        let mut topics: Vec<TopicProduceData> = Vec::new();
        for (lane, at) in batches {
            let lane = &self.lanes[*lane];
            let data = PartitionProduceData {
                index: lane.key.index,
                records: Some(lane.pending[*at].bytes.clone()),
            };
            match topics.iter_mut().find(|topic| topic.topic_id == lane.key.topic.id) {
                Some(topic) => topic.partition_data.push(data),
                None => topics.push(TopicProduceData {
                    name: lane.name.clone(),
                    topic_id: lane.key.topic.id,
                    partition_data: vec![data],
                }),
            }
        }
        ProduceRequest {
            transactional_id: None,
            acks: self.acks,
            timeout_ms: 30_000,
            topic_data: topics,
        }
    }

    fn take_answer(
        &mut self,
        response: &ProduceResponse,
        lane: usize,
        first_id: u64,
        expected: Expected,
    ) {
        let run = self.run().clone();
        let key = self.lanes[lane].key;
        let name = &self.lanes[lane].name;
        let topic = response
            .responses
            .iter()
            .find(|topic| topic.topic_id == key.topic.id || topic.name == *name);
        let answer = topic.and_then(|topic| {
            topic.partition_responses.iter().find(|partition| partition.index == key.index)
        });
        let Some(answer) = answer else {
            return run.violate(
                Invariant::AnswersExplained,
                format!("{name}-{} is missing in a produce response", key.index),
            );
        };
        let error = ErrorCode::from_code(answer.error_code);
        let batch = self.lanes[lane]
            .pending
            .iter()
            .position(|batch| batch.first_id == first_id)
            .expect("answered once");
        let count = self.lanes[lane].pending[batch].count;
        let said = answer.base_offset;
        self.client.note(|| {
            format!("{name}-{} records {first_id}+{count}: {error:?} at {said}", key.index)
        });
        match error {
            Some(ErrorCode::None) if expected.deleted => {
                run.violate(
                    Invariant::TopicsKept,
                    format!("{name} was deleted, but takes records"),
                );
            }
            Some(ErrorCode::None) => {
                run.check(run.model.borrow_mut().acknowledged(
                    key,
                    (first_id, count),
                    answer.base_offset,
                    expected.life,
                ));
                self.lanes[lane].pending.remove(batch);
            }
            error => {
                let message = answer.error_message.as_deref();
                self.refused(lane, error, message, expected.life);
            }
        }
    }

    fn refused(&mut self, lane: usize, error: Option<ErrorCode>, message: Option<&str>, life: u32) {
        let run = self.run().clone();
        let key = self.lanes[lane].key;
        let topic = key.topic;
        let may_be_unknown =
            run.plan.depth > 1 || run.model.borrow().certain_from(topic.cluster) > 0;
        match error {
            Some(ErrorCode::UnknownTopicId | ErrorCode::UnknownTopicOrPartition) => {
                if run.model.borrow().may_be_gone(topic) {
                    self.lanes[lane].given_up = true;
                } else if !self.client.may_not_know(topic, life) {
                    run.violate(
                        Invariant::TopicsKept,
                        format!(
                            "{} was created and is unknown: {message:?}",
                            self.lanes[lane].name
                        ),
                    );
                }
            }
            // Snapshots of the producer state hold the last batch only: earlier ones may not be
            // recognised after a restart. With durability=os a power cut takes the end of that
            // state along with the records.
            Some(ErrorCode::OutOfOrderSequenceNumber | ErrorCode::DuplicateSequenceNumber)
                if may_be_unknown =>
            {
                self.fenced = true;
            }
            // It would leave a gap in the sequence: the next batch is another producer's.
            Some(ErrorCode::MessageTooLarge)
                if run.model.borrow().topic(topic).is_some_and(|topic| topic.small_messages) =>
            {
                self.fenced = true;
            }
            Some(ErrorCode::OutOfOrderSequenceNumber | ErrorCode::DuplicateSequenceNumber) => {
                let name = &self.lanes[lane].name;
                run.violate(
                    Invariant::OrderKept,
                    format!("{name}: a producer without a gap hears {error:?}: {message:?}"),
                );
            }
            Some(
                ErrorCode::NotLeaderOrFollower
                | ErrorCode::RequestTimedOut
                | ErrorCode::LeaderNotAvailable,
            ) if self.client.may_be_disturbed() || run.model.borrow().may_be_gone(topic) => {
                self.client.directory.borrow_mut().forget_leader(key);
            }
            Some(ErrorCode::KafkaStorageError)
                if self.client.storage_may_fail(key) || run.model.borrow().may_be_gone(topic) => {}
            error => {
                let name = &self.lanes[lane].name;
                run.violate(
                    Invariant::AnswersExplained,
                    format!("produce to {name}: {error:?}: {message:?}"),
                );
            }
        }
    }
}
