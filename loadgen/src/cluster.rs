//! What the generator knows of the cluster: which versions it speaks, and which node leads which
//! partition.
//!
//! Owns: the leaders of the run's topics. Partitions are numbered over all of them, topic after
//! topic; what stands on the wire is told from it here. Lives on: the generator's thread. Never:
//! retries without a bound; makes a topic for a run that only consumes.

use crate::{
    dialer::{CALL_TIMEOUT, Dialer, error_of},
    options::RunOptions,
    workload::{Topic, Workload},
};
use anyhow::{Context, anyhow, bail, ensure};
use client::Connection;
use protocol::{
    ApiKey, ErrorCode,
    messages::{
        CreateTopicsRequest, FindCoordinatorRequest, ListOffsetsRequest, MetadataRequest,
        MetadataResponse,
        create_topics_request::{CreatableTopic, CreatableTopicConfig},
        list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
        metadata_request::MetadataRequestTopic,
        metadata_response::MetadataResponseTopic,
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
/// From version 12 on, brokers add partitions to transactions by themselves.
const PRODUCE_VERSION_OF_TRANSACTIONS: i16 = 11;
pub const FETCH_VERSION_MAX: i16 = 12;
const METADATA_VERSION: i16 = 9;
const CREATE_TOPICS_VERSION: i16 = 5;
const LIST_OFFSETS_VERSION: i16 = 4;
/// The last that asks for one coordinator.
const FIND_COORDINATOR_VERSION: i16 = 3;
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
    topics: Vec<UsedTopic>,
    /// Topic and partition in it, by number.
    partitions: Vec<(usize, i32)>,
    places: FxHashMap<String, usize>,
    /// HOST:PORT of the leader of each partition that is used.
    leaders: RefCell<Vec<Rc<str>>>,
    /// The brokers that are asked for new leaders: those of bootstrap, then all others.
    addresses: RefCell<Vec<Rc<str>>>,
    is_refreshing: Cell<bool>,
    leader_moves: Cell<u64>,
}

/// A topic of the run, with its place among the partitions.
struct UsedTopic {
    topic: Topic,
    first: i32,
}

/// Which of the two coordinators a key has.
#[derive(Clone, Copy)]
pub enum Coordinator {
    Group = 0,
    Transaction = 1,
}

impl Cluster {
    /// Asks the first bootstrap broker that answers, makes the topics that are missing, and waits
    /// until all can be used.
    pub async fn discover(
        ring: &Ring,
        options: &RunOptions,
        workload: &Workload,
    ) -> anyhow::Result<Rc<Cluster>> {
        let dialer = Dialer::new(ring, workload.in_flight_max());
        let connection = first_to_answer(&dialer, &options.bootstrap).await?;
        let produce_version_max = if workload.has_transactions() {
            PRODUCE_VERSION_OF_TRANSACTIONS
        } else {
            PRODUCE_VERSION_MAX
        };
        let mut cluster = Cluster {
            produce_version: version(&connection, ApiKey::Produce, produce_version_max)?,
            fetch_version: version(&connection, ApiKey::Fetch, FETCH_VERSION_MAX)?,
            topics: Vec::new(),
            partitions: Vec::new(),
            places: FxHashMap::default(),
            leaders: RefCell::default(),
            addresses: RefCell::new(
                options.bootstrap.iter().map(|address| address.as_str().into()).collect(),
            ),
            is_refreshing: Cell::new(false),
            leader_moves: Cell::new(0),
            dialer,
        };
        number(&workload.topics, &mut cluster.topics, &mut cluster.partitions, &mut cluster.places);
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
        let makes_topics = !workload.producers.is_empty();
        let ready = cluster.wait_for_leaders(ring, &connection, makes_topics).await;
        connection.close();
        ready.map(|()| Rc::new(cluster))
    }

    async fn wait_for_leaders(
        &self,
        ring: &Ring,
        connection: &Connection,
        makes_topics: bool,
    ) -> anyhow::Result<()> {
        let deadline = ring.precise_now() + LEADERS_PATIENCE;
        let mut is_made = false;
        loop {
            let metadata = self.ask(connection).await?;
            let (topic, missing) = match self.learn(&metadata)? {
                TopicState::Missing(missing) if !makes_topics => bail!(
                    "there is no topic '{}' to consume: give --topic the name of one that is \
                     there, or fill this one with a \
                     run without --consume-only",
                    missing[0].name
                ),
                TopicState::Missing(missing) if !is_made => {
                    create(connection, &missing).await?;
                    is_made = true;
                    continue;
                }
                TopicState::Missing(missing) => {
                    (missing[0], "it is not in the broker's metadata".to_owned())
                }
                TopicState::Fewer(topic, count) if !is_made => bail!(
                    "topic '{}' has {count} partitions: give --partitions {count}, or another \
                     --topic",
                    topic.name
                ),
                TopicState::Fewer(topic, count) => {
                    (topic, format!("{count} of {} partitions are there", topic.partitions))
                }
                TopicState::Leaderless(topic, partition) => {
                    (topic, format!("partition {partition} has no leader"))
                }
                // A new leader may not know yet that it is one.
                TopicState::Complete => match self.leaders_serve().await {
                    Ok(()) => return Ok(()),
                    Err(error) => (&self.topics[0].topic, format!("{error:#}")),
                },
            };
            if ring.precise_now() >= deadline {
                bail!(
                    "topic '{}' cannot be used after {LEADERS_PATIENCE:?}: {missing}; see the \
                     broker's log, or try another \
                     --topic",
                    topic.name
                );
            }
            ring.sleep(LEADERS_PAUSE).await;
        }
    }

    /// The name of a partition's topic, and its number there.
    pub fn on_wire(&self, partition: i32) -> (&str, i32) {
        let (topic, number) = self.partitions[partition as usize];
        (&self.topics[topic].topic.name, number)
    }

    /// The partition's place, of what stands on the wire.
    pub fn partition(&self, topic: &str, number: i32) -> Option<i32> {
        // Most runs have one topic: no hashing for it.
        let first = self.topics.first().filter(|first| first.topic.name == topic);
        let used = first.or_else(|| self.places.get(topic).map(|place| &self.topics[*place]))?;
        (0..used.topic.partitions).contains(&number).then(|| used.first + number)
    }

    /// For people.
    pub fn name(&self, partition: i32) -> String {
        match self.topics.len() {
            1 => format!("partition {partition}"),
            _ => {
                let (topic, number) = self.on_wire(partition);
                format!("partition {number} of '{topic}'")
            }
        }
    }

    /// The place of the topic of a partition.
    pub fn topic_of(&self, partition: i32) -> usize {
        self.partitions[partition as usize].0
    }

    /// The partitions of topics by their places.
    pub fn partitions_of(&self, topics: &[usize]) -> Vec<i32> {
        let of = |topic: &usize| {
            let used = &self.topics[*topic];
            used.first..used.first + used.topic.partitions
        };
        topics.iter().flat_map(of).collect()
    }

    /// Names of topics with their partitions, for requests.
    pub fn by_topic(&self, partitions: impl IntoIterator<Item = i32>) -> Vec<(&str, Vec<i32>)> {
        let mut by_topic: Vec<(&str, Vec<i32>)> = Vec::new();
        let mut places: FxHashMap<usize, usize> = FxHashMap::default();
        for partition in partitions {
            let (topic, number) = self.partitions[partition as usize];
            let place = *places.entry(topic).or_insert_with(|| {
                by_topic.push((&self.topics[topic].topic.name, Vec::new()));
                by_topic.len() - 1
            });
            by_topic[place].1.push(number);
        }
        by_topic
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

    /// Brokers that lead a partition of the load.
    pub fn leaders(&self) -> usize {
        self.partitions_by_leader(0..self.partition_count()).len()
    }

    pub fn leader_moves(&self) -> u64 {
        self.leader_moves.get()
    }

    async fn ask(&self, connection: &Connection) -> anyhow::Result<MetadataResponse> {
        let topic = |used: &UsedTopic| MetadataRequestTopic {
            name: Some(used.topic.name.clone()),
            ..Default::default()
        };
        let request = MetadataRequest {
            topics: Some(self.topics.iter().map(topic).collect()),
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        Ok(connection.call(&request, METADATA_VERSION, CALL_TIMEOUT).await?)
    }

    /// Takes over what the metadata says, once it says all that is needed.
    fn learn(&self, metadata: &MetadataResponse) -> anyhow::Result<TopicState<'_>> {
        let said = topics_of(metadata);
        let (mut missing, mut all) = (Vec::new(), Vec::new());
        for UsedTopic { topic, .. } in &self.topics {
            let said = said
                .get(topic.name.as_str())
                .context("the broker's metadata leaves out the topic")?;
            match error_of(said.error_code) {
                ErrorCode::None => {}
                ErrorCode::UnknownTopicOrPartition => {
                    missing.push(topic);
                    continue;
                }
                ErrorCode::LeaderNotAvailable => return Ok(TopicState::Leaderless(topic, 0)),
                error => bail!("topic '{}': {}; try another --topic", topic.name, error.name()),
            }
            let wanted = topic.partitions as usize;
            if said.partitions.len() < wanted {
                return Ok(TopicState::Fewer(topic, said.partitions.len()));
            }
            let leaders = leaders(metadata, said, wanted);
            if let Some(missing) = leaders.iter().position(Option::is_none) {
                return Ok(TopicState::Leaderless(topic, missing));
            }
            all.extend(leaders.into_iter().flatten());
        }
        if !missing.is_empty() {
            return Ok(TopicState::Missing(missing));
        }
        *self.leaders.borrow_mut() = all;
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
                    "{leader} is where the broker says that {} is led (its advertised.listeners)",
                    self.name(partitions[0])
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
        let partition = |index: i32| ListOffsetsPartition {
            partition_index: index,
            timestamp: from as i64,
            ..Default::default()
        };
        let topic = |(name, numbers): (&str, Vec<i32>)| ListOffsetsTopic {
            name: name.to_owned(),
            partitions: numbers.into_iter().map(partition).collect(),
        };
        let topics = self.by_topic(partitions.iter().copied()).into_iter().map(topic).collect();
        let request = ListOffsetsRequest { replica_id: -1, topics, ..Default::default() };
        let response = connection.call(&request, LIST_OFFSETS_VERSION, CALL_TIMEOUT).await?;
        let mut offsets = FxHashMap::default();
        for topic in &response.topics {
            for answer in &topic.partitions {
                let Some(partition) = self.partition(&topic.name, answer.partition_index) else {
                    continue;
                };
                let error = error_of(answer.error_code);
                ensure!(
                    error == ErrorCode::None,
                    "offsets of {}: {}",
                    self.name(partition),
                    error.name()
                );
                offsets.insert(partition, answer.offset);
            }
        }
        match partitions.iter().find(|partition| !offsets.contains_key(partition)) {
            Some(missing) => bail!("the broker's offsets leave out {}", self.name(*missing)),
            None => Ok(offsets),
        }
    }

    /// The ends of partitions, of all their leaders.
    pub async fn offsets_of_all(
        &self,
        partitions: &[i32],
        from: From,
    ) -> anyhow::Result<FxHashMap<i32, i64>> {
        let mut offsets = FxHashMap::default();
        for (leader, partitions) in self.partitions_by_leader(partitions.iter().copied()) {
            let connection = self.dialer.connect(&leader).await?;
            offsets.extend(self.offsets(&connection, &partitions, from).await?);
            connection.close();
        }
        Ok(offsets)
    }

    /// A connection to the coordinator of a group or a transactional id, of any broker that says
    /// which it is.
    pub async fn coordinator(&self, of: Coordinator, key: &str) -> anyhow::Result<Connection> {
        let addresses = self.addresses.borrow().clone();
        let mut last = anyhow!("no broker is known");
        for address in addresses {
            match self.ask_for_coordinator(&address, of, key).await {
                Ok(coordinator) => return self.dialer.connect(&coordinator).await,
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn ask_for_coordinator(
        &self,
        address: &str,
        of: Coordinator,
        key: &str,
    ) -> anyhow::Result<Rc<str>> {
        let connection = self.dialer.connect(address).await?;
        let version = version(&connection, ApiKey::FindCoordinator, FIND_COORDINATOR_VERSION)?;
        let request = FindCoordinatorRequest {
            key: key.to_owned(),
            key_type: of as i8,
            ..Default::default()
        };
        let answer = connection.call(&request, version, CALL_TIMEOUT).await;
        connection.close();
        let answer = answer?;
        match error_of(answer.error_code) {
            ErrorCode::None => Ok(address_of(&answer.host, answer.port)),
            error => bail!("the coordinator of '{key}': {}", error.name()),
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
        let said = topics_of(metadata);
        for UsedTopic { topic, first } in &self.topics {
            let Some(said) = said.get(topic.name.as_str()) else { continue };
            let known = &mut known[*first as usize..(*first + topic.partitions) as usize];
            for (known, new) in
                known.iter_mut().zip(leaders(metadata, said, topic.partitions as usize))
            {
                if let Some(new) = new.filter(|new| new != known) {
                    *known = new;
                    self.leader_moves.set(self.leader_moves.get() + 1);
                }
            }
        }
    }
}

/// What a broker's metadata says of the topics: the first that is not as it should be.
enum TopicState<'a> {
    Missing(Vec<&'a Topic>),
    /// So many partitions, fewer than are wanted.
    Fewer(&'a Topic, usize),
    /// Of this partition, the leader is not known.
    Leaderless(&'a Topic, usize),
    Complete,
}

fn topics_of(metadata: &MetadataResponse) -> FxHashMap<&str, &MetadataResponseTopic> {
    metadata.topics.iter().filter_map(|topic| Some((topic.name.as_deref()?, topic))).collect()
}

fn number(
    topics: &[Topic],
    used: &mut Vec<UsedTopic>,
    partitions: &mut Vec<(usize, i32)>,
    places: &mut FxHashMap<String, usize>,
) {
    for (place, topic) in topics.iter().enumerate() {
        let first = partitions.len() as i32;
        partitions.extend((0..topic.partitions).map(|partition| (place, partition)));
        places.insert(topic.name.clone(), place);
        used.push(UsedTopic { topic: topic.clone(), first });
    }
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

pub fn address_of(host: &str, port: i32) -> Rc<str> {
    // An IPv6 address beside a port stands in brackets.
    if host.contains(':') {
        format!("[{host}]:{port}").into()
    } else {
        format!("{host}:{port}").into()
    }
}

/// HOST:PORT of the leader of each partition, where it has one.
fn leaders(
    metadata: &MetadataResponse,
    topic: &MetadataResponseTopic,
    wanted: usize,
) -> Vec<Option<Rc<str>>> {
    let brokers: FxHashMap<i32, Rc<str>> = metadata
        .brokers
        .iter()
        .map(|broker| (broker.node_id, address_of(&broker.host, broker.port)))
        .collect();
    let mut leaders = vec![None; wanted];
    for partition in &topic.partitions {
        if let Some(leader) =
            usize::try_from(partition.partition_index).ok().and_then(|index| leaders.get_mut(index))
        {
            *leader = brokers.get(&partition.leader_id).cloned();
        }
    }
    leaders
}

async fn create(connection: &Connection, topics: &[&Topic]) -> anyhow::Result<()> {
    let config = |(name, value): &(String, String)| CreatableTopicConfig {
        name: name.clone(),
        value: Some(value.clone()),
    };
    let creatable = |topic: &&Topic| CreatableTopic {
        name: topic.name.clone(),
        num_partitions: topic.partitions,
        replication_factor: topic.replication_factor,
        configs: topic.configs.iter().map(config).collect(),
        ..Default::default()
    };
    let request = CreateTopicsRequest {
        topics: topics.iter().map(creatable).collect(),
        timeout_ms: CREATE_TIMEOUT_MS,
        ..Default::default()
    };
    let response = connection.call(&request, CREATE_TOPICS_VERSION, CALL_TIMEOUT).await?;
    for topic in topics {
        let result = response
            .topics
            .iter()
            .find(|result| result.name == topic.name)
            .context("the broker's answer leaves out the new topic")?;
        match error_of(result.error_code) {
            ErrorCode::None | ErrorCode::TopicAlreadyExists => {}
            // It was asked for in time, and may be there soon.
            ErrorCode::RequestTimedOut => {}
            error => bail!(
                "cannot make topic '{}' with --partitions {} and --replication-factor {}: {} {}",
                topic.name,
                topic.partitions,
                topic.replication_factor,
                error.name(),
                result.error_message.as_deref().unwrap_or_default()
            ),
        }
    }
    Ok(())
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
        let known: Vec<_> = leaders(&said, &said.topics[0], 5)
            .into_iter()
            .map(|leader| leader.as_deref().map(str::to_owned))
            .collect();
        assert_eq!(
            known,
            [Some("a:9092".to_owned()), Some("[::1]:9092".to_owned()), None, None, None]
        );
        let nothing = MetadataResponse::default();
        assert_eq!(leaders(&nothing, &MetadataResponseTopic::default(), 1), [None]);
    }

    #[test]
    fn partitions_are_numbered_over_all_topics() {
        let topic = |name: &str, partitions| Topic {
            name: name.to_owned(),
            partitions,
            replication_factor: -1,
            configs: Vec::new(),
        };
        let (mut topics, mut partitions, mut places) = Default::default();
        number(&[topic("a", 2), topic("b", 3)], &mut topics, &mut partitions, &mut places);
        assert_eq!(partitions, [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]);
        assert_eq!((topics[1].first, places["b"]), (2, 1));
    }
}
