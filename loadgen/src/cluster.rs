//! What the generator knows of the cluster: which versions it speaks, and which node leads which
//! partition.
//!
//! Owns: the leaders of one topic. Lives on: the generator's thread. Never: retries without a
//! bound; makes a topic for a run that only consumes.

use crate::{
    dialer::{CALL_TIMEOUT, Dialer, error_of},
    options::RunOptions,
};
use anyhow::{Context, anyhow, bail, ensure};
use client::Connection;
use protocol::{
    ApiKey, ErrorCode,
    messages::{
        CreateTopicsRequest, ListOffsetsRequest, MetadataRequest, MetadataResponse,
        create_topics_request::CreatableTopic,
        list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
        metadata_request::MetadataRequestTopic,
    },
};
use ring::Ring;
use rustc_hash::FxHashMap;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

/// Topic names, not ids, so that any broker of the last years is spoken to alike.
pub const PRODUCE_VERSION_MAX: i16 = 12;
pub const FETCH_VERSION_MAX: i16 = 12;
const METADATA_VERSION: i16 = 9;
const CREATE_TOPICS_VERSION: i16 = 5;
const LIST_OFFSETS_VERSION: i16 = 4;
pub const INIT_PRODUCER_ID_VERSION: i16 = 2;

/// How long a topic is asked for until each of its partitions has a leader that knows that it is
/// one.
const LEADERS_PATIENCE: Duration = Duration::from_secs(15);
const LEADERS_PAUSE: Duration = Duration::from_millis(50);
const CREATE_TIMEOUT_MS: i32 = 8_000;
/// How often new leaders are asked for, at most.
const REFRESH_PAUSE: Duration = Duration::from_millis(200);

/// Where a consumer begins: the two timestamps that ListOffsets takes for the ends of a log.
#[derive(Clone, Copy)]
pub enum From {
    Earliest = -2,
    Latest = -1,
}

pub struct Cluster {
    pub dialer: Dialer,
    pub produce_version: i16,
    pub fetch_version: i16,
    topic: String,
    /// HOST:PORT of the leader of each partition that is used.
    leaders: RefCell<Vec<Rc<str>>>,
    /// The brokers that are asked for new leaders: those of bootstrap, then all others.
    addresses: RefCell<Vec<Rc<str>>>,
    is_refreshing: Cell<bool>,
    leader_moves: Cell<u64>,
}

impl Cluster {
    /// Asks the first bootstrap broker that answers, makes the topic if it is missing, and waits
    /// until it can be used.
    pub async fn discover(ring: &Ring, options: &RunOptions) -> anyhow::Result<Rc<Cluster>> {
        let dialer = Dialer::new(ring, options.in_flight);
        let connection = first_to_answer(&dialer, &options.bootstrap).await?;
        let cluster = Cluster {
            produce_version: version(&connection, ApiKey::Produce, PRODUCE_VERSION_MAX)?,
            fetch_version: version(&connection, ApiKey::Fetch, FETCH_VERSION_MAX)?,
            topic: options.topic.clone(),
            leaders: RefCell::default(),
            addresses: RefCell::new(
                options.bootstrap.iter().map(|address| address.as_str().into()).collect(),
            ),
            is_refreshing: Cell::new(false),
            leader_moves: Cell::new(0),
            dialer,
        };
        for (key, ours) in
            [(ApiKey::Metadata, METADATA_VERSION), (ApiKey::ListOffsets, LIST_OFFSETS_VERSION)]
        {
            let theirs = version(&connection, key, ours)?;
            ensure!(
                theirs == ours,
                "the broker speaks {key} up to version {theirs}, and {ours} is needed: it is too \
                 old"
            );
        }
        let ready = cluster.wait_for_leaders(ring, &connection, options).await;
        connection.close();
        ready.map(|()| Rc::new(cluster))
    }

    async fn wait_for_leaders(
        &self,
        ring: &Ring,
        connection: &Connection,
        options: &RunOptions,
    ) -> anyhow::Result<()> {
        let deadline = ring.precise_now() + LEADERS_PATIENCE;
        let mut is_made = false;
        loop {
            let metadata = self.ask(connection).await?;
            let missing = match self.learn(&metadata, options)? {
                TopicState::Missing if options.consume_only => bail!(
                    "there is no topic '{}' to consume: give --topic the name of one that is \
                     there, or fill this one with a \
                     run without --consume-only",
                    options.topic
                ),
                TopicState::Missing if !is_made => {
                    create(connection, options).await?;
                    is_made = true;
                    continue;
                }
                TopicState::Missing => "it is not in the broker's metadata".to_owned(),
                TopicState::Fewer(count) if !is_made => bail!(
                    "topic '{}' has {count} partitions: give --partitions {count}, or another \
                     --topic",
                    options.topic
                ),
                TopicState::Fewer(count) => {
                    format!("{count} of {} partitions are there", options.partitions)
                }
                TopicState::Leaderless(partition) => format!("partition {partition} has no leader"),
                // A new leader may not know yet that it is one.
                TopicState::Complete => match self.leaders_serve().await {
                    Ok(()) => return Ok(()),
                    Err(error) => format!("{error:#}"),
                },
            };
            if ring.precise_now() >= deadline {
                bail!(
                    "topic '{}' cannot be used after {LEADERS_PATIENCE:?}: {missing}; see the \
                     broker's log, or try another \
                     --topic",
                    options.topic
                );
            }
            ring.sleep(LEADERS_PAUSE).await;
        }
    }

    /// HOST:PORT of the leader, as far as is known.
    pub fn leader(&self, partition: i32) -> Rc<str> {
        self.leaders.borrow()[partition as usize].clone()
    }

    pub fn partitions_by_leader(
        &self,
        partitions: impl IntoIterator<Item = i32>,
    ) -> Vec<(Rc<str>, Vec<i32>)> {
        let mut by_leader: Vec<(Rc<str>, Vec<i32>)> = Vec::new();
        let mut places: FxHashMap<Rc<str>, usize> = FxHashMap::default();
        for partition in partitions {
            let leader = self.leader(partition);
            let place = *places.entry(leader.clone()).or_insert_with(|| {
                by_leader.push((leader, Vec::new()));
                by_leader.len() - 1
            });
            by_leader[place].1.push(partition);
        }
        by_leader
    }

    pub fn partition_count(&self) -> i32 {
        self.leaders.borrow().len() as i32
    }

    pub fn leader_moves(&self) -> u64 {
        self.leader_moves.get()
    }

    async fn ask(&self, connection: &Connection) -> anyhow::Result<MetadataResponse> {
        let topic = MetadataRequestTopic { name: Some(self.topic.clone()), ..Default::default() };
        let request = MetadataRequest {
            topics: Some(vec![topic]),
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        Ok(connection.call(&request, METADATA_VERSION, CALL_TIMEOUT).await?)
    }

    /// Takes over what the metadata says, once it says all that is needed.
    fn learn(
        &self,
        metadata: &MetadataResponse,
        options: &RunOptions,
    ) -> anyhow::Result<TopicState> {
        let topic =
            metadata.topics.first().context("the broker's metadata leaves out the topic")?;
        match error_of(topic.error_code) {
            ErrorCode::None => {}
            ErrorCode::UnknownTopicOrPartition => return Ok(TopicState::Missing),
            ErrorCode::LeaderNotAvailable => return Ok(TopicState::Leaderless(0)),
            error => bail!("topic '{}': {}; try another --topic", options.topic, error.name()),
        }
        let wanted = options.partitions as usize;
        if topic.partitions.len() < wanted {
            return Ok(TopicState::Fewer(topic.partitions.len()));
        }
        let leaders = leaders(metadata, wanted);
        if let Some(missing) = leaders.iter().position(Option::is_none) {
            return Ok(TopicState::Leaderless(missing));
        }
        *self.leaders.borrow_mut() = leaders.into_iter().flatten().collect();
        let mut addresses = self.addresses.borrow_mut();
        for broker in &metadata.brokers {
            let address = address_of(&broker.host, broker.port);
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Ok(TopicState::Complete)
    }

    /// Whether each leader answers for each of its partitions.
    async fn leaders_serve(&self) -> anyhow::Result<()> {
        for (leader, partitions) in self.partitions_by_leader(0..self.partition_count()) {
            let connection = self.dialer.connect(&leader).await.with_context(|| {
                format!(
                    "{leader} is where the broker says that partition {} is led (its \
                     advertised.listeners)",
                    partitions[0]
                )
            })?;
            let served = self.offsets(&connection, &partitions, From::Latest).await;
            connection.close();
            served?;
        }
        Ok(())
    }

    /// The ends of partitions, of their leader.
    pub async fn offsets(
        &self,
        connection: &Connection,
        partitions: &[i32],
        from: From,
    ) -> anyhow::Result<FxHashMap<i32, i64>> {
        let partition = |index: &i32| ListOffsetsPartition {
            partition_index: *index,
            timestamp: from as i64,
            ..Default::default()
        };
        let topic = ListOffsetsTopic {
            name: self.topic.clone(),
            partitions: partitions.iter().map(partition).collect(),
        };
        let request =
            ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
        let response = connection.call(&request, LIST_OFFSETS_VERSION, CALL_TIMEOUT).await?;
        let mut offsets = FxHashMap::default();
        for partition in response.topics.iter().flat_map(|topic| &topic.partitions) {
            let error = error_of(partition.error_code);
            ensure!(
                error == ErrorCode::None,
                "offsets of partition {}: {}",
                partition.partition_index,
                error.name()
            );
            offsets.insert(partition.partition_index, partition.offset);
        }
        match partitions.iter().find(|partition| !offsets.contains_key(partition)) {
            Some(missing) => bail!("the broker's offsets leave out partition {missing}"),
            None => Ok(offsets),
        }
    }

    /// What is known of the leaders led nowhere: asks for them again, unless that is under way.
    pub fn refresh(self: &Rc<Self>, ring: &Ring) {
        if !self.is_refreshing.replace(true) {
            let (cluster, ring_of_task) = (self.clone(), ring.clone());
            ring.spawn(async move {
                cluster.ask_anyone().await;
                ring_of_task.sleep(REFRESH_PAUSE).await;
                cluster.is_refreshing.set(false);
            });
        }
    }

    async fn ask_anyone(&self) {
        let addresses = self.addresses.borrow().clone();
        for address in addresses {
            let Ok(connection) = self.dialer.connect(&address).await else { continue };
            let answer = self.ask(&connection).await;
            connection.close();
            if let Ok(metadata) = answer {
                return self.move_leaders(&metadata);
            }
        }
    }

    /// Partitions without a leader keep the one that they had.
    fn move_leaders(&self, metadata: &MetadataResponse) {
        let mut known = self.leaders.borrow_mut();
        let wanted = known.len();
        for (known, new) in known.iter_mut().zip(leaders(metadata, wanted)) {
            if let Some(new) = new.filter(|new| new != known) {
                *known = new;
                self.leader_moves.set(self.leader_moves.get() + 1);
            }
        }
    }
}

/// What a broker's metadata says of the topic.
enum TopicState {
    Missing,
    /// So many partitions, fewer than are wanted.
    Fewer(usize),
    /// Of this partition, the leader is not known.
    Leaderless(usize),
    Complete,
}

/// The first of the bootstrap brokers that speaks.
async fn first_to_answer(dialer: &Dialer, bootstrap: &[String]) -> anyhow::Result<Connection> {
    let mut errors = Vec::new();
    for address in bootstrap {
        match dialer.connect(address).await {
            Ok(connection) => return Ok(connection),
            Err(error) => errors.push(format!("{error:#}")),
        }
    }
    Err(anyhow!("{}; give --bootstrap the address of a broker", errors.join("; ")))
}

/// The highest version that both sides know.
fn version(connection: &Connection, key: ApiKey, ours: i16) -> anyhow::Result<i16> {
    let version = connection.versions().version_at_most(key, ours);
    version.context("this loadgen and the broker are of releases too far apart")
}

fn address_of(host: &str, port: i32) -> Rc<str> {
    // An IPv6 address beside a port stands in brackets.
    if host.contains(':') {
        format!("[{host}]:{port}").into()
    } else {
        format!("{host}:{port}").into()
    }
}

/// HOST:PORT of the leader of each partition, where it has one.
fn leaders(metadata: &MetadataResponse, wanted: usize) -> Vec<Option<Rc<str>>> {
    let brokers: FxHashMap<i32, Rc<str>> = metadata
        .brokers
        .iter()
        .map(|broker| (broker.node_id, address_of(&broker.host, broker.port)))
        .collect();
    let mut leaders = vec![None; wanted];
    for partition in metadata.topics.iter().take(1).flat_map(|topic| &topic.partitions) {
        if let Some(leader) =
            usize::try_from(partition.partition_index).ok().and_then(|index| leaders.get_mut(index))
        {
            *leader = brokers.get(&partition.leader_id).cloned();
        }
    }
    leaders
}

async fn create(connection: &Connection, options: &RunOptions) -> anyhow::Result<()> {
    let topic = CreatableTopic {
        name: options.topic.clone(),
        num_partitions: options.partitions,
        replication_factor: options.replication_factor,
        ..Default::default()
    };
    let request = CreateTopicsRequest {
        topics: vec![topic],
        timeout_ms: CREATE_TIMEOUT_MS,
        ..Default::default()
    };
    let response = connection.call(&request, CREATE_TOPICS_VERSION, CALL_TIMEOUT).await?;
    let result = response.topics.first().context("the broker's answer leaves out the new topic")?;
    match error_of(result.error_code) {
        ErrorCode::None | ErrorCode::TopicAlreadyExists => Ok(()),
        // It was asked for in time, and may be there soon.
        ErrorCode::RequestTimedOut => Ok(()),
        error => bail!(
            "cannot make topic '{}' with --partitions {} and --replication-factor {}: {} {}",
            options.topic,
            options.partitions,
            options.replication_factor,
            error.name(),
            result.error_message.as_deref().unwrap_or_default()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::messages::metadata_response::{
        MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
    };

    fn metadata(brokers: &[(i32, &str)], leader_ids: &[(i32, i32)]) -> MetadataResponse {
        let broker = |(node_id, host): &(i32, &str)| MetadataResponseBroker {
            node_id: *node_id,
            host: (*host).to_owned(),
            port: 9092,
            ..Default::default()
        };
        let partition = |(partition_index, leader_id): &(i32, i32)| MetadataResponsePartition {
            partition_index: *partition_index,
            leader_id: *leader_id,
            ..Default::default()
        };
        let partitions = leader_ids.iter().map(partition).collect();
        let topic = MetadataResponseTopic { partitions, ..Default::default() };
        MetadataResponse {
            brokers: brokers.iter().map(broker).collect(),
            topics: vec![topic],
            ..Default::default()
        }
    }

    #[test]
    fn a_leader_is_known_only_where_its_broker_is() {
        let said =
            metadata(&[(1, "a"), (2, "::1")], &[(1, 2), (0, 1), (2, -1), (3, 9), (-1, 1), (77, 1)]);
        let known: Vec<_> = leaders(&said, 5)
            .into_iter()
            .map(|leader| leader.as_deref().map(str::to_owned))
            .collect();
        assert_eq!(
            known,
            [Some("a:9092".to_owned()), Some("[::1]:9092".to_owned()), None, None, None]
        );
        assert_eq!(leaders(&MetadataResponse::default(), 1), [None]);
    }
}
