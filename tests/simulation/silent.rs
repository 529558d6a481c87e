//! Producers that want no answers (acks=0) and have no id: what they send may be in the log or not,
//! but in order as long as one connection lasts, and once. A request that is refused ends its
//! connection.

use crate::{
    client::{Client, Lost},
    cluster::{ClusterId, METADATA_VERSION},
    commits::base_partitions,
    model::{Invariant, PartitionKey},
    run::Run,
};
use protocol::{
    generated::rpc::produce_request::{PartitionProduceData, TopicProduceData},
    messages::{MetadataRequest, ProduceRequest},
    records::BatchBuilder,
};
use ring::Ring;
use std::{collections::BTreeMap, net::SocketAddr, rc::Rc};

/// Requests of one such producer.
const REQUESTS: usize = 60;
const NAMES_VERSION: i16 = 12;
const IDS_VERSION: i16 = 13;
/// No topic has so many.
const NO_PARTITION: i32 = 999;

struct Silent {
    client: Client,
    /// Stands for the producer's id as long as one connection lasts: those of two may overtake one
    /// another.
    id: i64,
    connection: Option<u64>,
    next_sequence: BTreeMap<PartitionKey, i32>,
}

pub async fn work(run: Rc<Run>, ring: Ring, cluster: ClusterId, index: usize) {
    let mut client = Client::new(&run, &ring, cluster, format!("silent {index}"));
    client.well_behaved = false;
    let mut silent = Silent { client, id: -1, connection: None, next_sequence: BTreeMap::new() };
    let mut requests_left = REQUESTS;
    while !run.is_over() && !run.is_calm() {
        let partitions = run.model.borrow().live_partitions(cluster);
        if !partitions.is_empty() && requests_left > 0 {
            requests_left -= 1;
            let _ = silent.step(&partitions).await;
        }
        silent.client.pause().await;
    }
}

impl Silent {
    async fn step(&mut self, partitions: &[PartitionKey]) -> Result<(), Lost> {
        let (leader, partitions) = self.choose_leader(partitions).await?;
        self.connect(leader).await?;
        if self.client.one_in(12) {
            return self.be_refused(leader).await;
        }
        for _ in 0..1 + self.client.below(3) {
            let from = self.client.below(partitions.len());
            let count = 1 + self.client.below((partitions.len() - from).min(4));
            let by_id = self.client.run.plan.by_id
                || !partitions[from..from + count].iter().all(|key| self.is_base(*key));
            let topic_data =
                partitions[from..from + count].iter().map(|key| self.data(*key)).collect();
            let request =
                ProduceRequest { transactional_id: None, acks: 0, timeout_ms: 30_000, topic_data };
            self.client
                .send_to(leader, if by_id { IDS_VERSION } else { NAMES_VERSION }, &request)
                .await?;
        }
        if self.client.one_in(3) {
            self.ask(leader).await?;
        }
        Ok(())
    }

    fn is_base(&self, key: PartitionKey) -> bool {
        self.client.run.model.borrow().topic(key.topic).is_some_and(|topic| topic.is_base)
    }

    /// One of the leaders, with the partitions that it leads.
    async fn choose_leader(
        &mut self,
        partitions: &[PartitionKey],
    ) -> Result<(SocketAddr, Vec<PartitionKey>), Lost> {
        let mut groups = self.client.by_leader(partitions).await?;
        let at = if groups.len() > 1 { self.client.below(groups.len()) } else { 0 };
        let (leader, places) = groups.swap_remove(at);
        Ok((leader, places.into_iter().map(|place| partitions[place]).collect()))
    }

    /// Sees to a connection, and begins anew where that is another one.
    async fn connect(&mut self, leader: SocketAddr) -> Result<(), Lost> {
        if self.client.connection(leader).is_none() {
            self.ask(leader).await?;
        }
        if self.connection != self.client.connection(leader) {
            self.connection = self.client.connection(leader);
            self.id = self.client.run.model.borrow_mut().silent_id();
            self.next_sequence.clear();
        }
        Ok(())
    }

    /// Asks for something that is answered: an answer to what wants none would come before that.
    async fn ask(&mut self, leader: SocketAddr) -> Result<(), Lost> {
        let request = MetadataRequest { topics: Some(vec![]), ..Default::default() };
        self.client.call_at(leader, METADATA_VERSION, &request).await.map(drop)
    }

    fn data(&mut self, key: PartitionKey) -> TopicProduceData {
        let run = self.client.run.clone();
        let count = 1 + self.client.below(4) as i32;
        let next = self.next_sequence.entry(key).or_default();
        let first_id = run.model.borrow_mut().records_made(key, self.id, *next, count);
        *next += count;
        let padding = self.client.below(if run.plan.large_records { 40_000 } else { 200 });
        let mut builder = BatchBuilder::new(0);
        for delta in 0..count as u64 {
            let mut value = (first_id + delta).to_be_bytes().to_vec();
            value.resize(8 + padding, (first_id + delta) as u8);
            builder.append(self.client.ring.wall_clock_ms(), None, Some(&value), &[]);
        }
        self.client.note(|| {
            format!("{} records {first_id}+{count} without an answer", run.model.borrow().say(key))
        });
        let name = run.model.borrow().name(key.topic);
        let data = PartitionProduceData { index: key.index, records: Some(builder.build()) };
        TopicProduceData { name, topic_id: key.topic.id, partition_data: vec![data] }
    }

    /// Produces to a partition that does not exist: the broker ends the connection, and answers
    /// nothing behind that.
    async fn be_refused(&mut self, leader: SocketAddr) -> Result<(), Lost> {
        let run = self.client.run.clone();
        let base = base_partitions(&run, self.client.cluster);
        let Some((name, _)) = base.first().cloned() else { return Ok(()) };
        let mut builder = BatchBuilder::new(0);
        builder.append(self.client.ring.wall_clock_ms(), None, Some(b"nowhere"), &[]);
        let data = PartitionProduceData { index: NO_PARTITION, records: Some(builder.build()) };
        let topic_data =
            vec![TopicProduceData { name, partition_data: vec![data], ..Default::default() }];
        let request =
            ProduceRequest { transactional_id: None, acks: 0, timeout_ms: 30_000, topic_data };
        let connection = self.client.connection(leader);
        self.client.send_to(leader, NAMES_VERSION, &request).await?;
        let asked = self.ask(leader).await;
        if asked.is_ok() && connection == self.client.connection(leader) {
            let detail =
                "a connection goes on after a refused request that wants no answer".to_owned();
            run.violate(Invariant::AnswersExplained, detail);
        }
        Ok(())
    }
}
