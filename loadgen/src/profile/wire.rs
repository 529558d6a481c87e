//! What a profile asks brokers for.
//!
//! Owns: one connection for each broker. Lives on: the generator's thread. Never: writes, commits,
//! joins a group or makes a topic; keeps a broker that does not answer waiting for more.

use super::seen::At;
use crate::{
    cluster::{FETCH_VERSION_MAX, address_of},
    consume::assigned,
    dialer::{CALL_TIMEOUT, Dialer, error_of},
};
use anyhow::{anyhow, bail};
use bytes::Bytes;
use client::Connection;
use protocol::{
    ApiKey, ErrorCode, Request,
    messages::{
        DescribeGroupsRequest, DescribeLogDirsRequest, FetchRequest, ListGroupsRequest,
        ListOffsetsRequest, MetadataRequest, MetadataResponse, OffsetFetchRequest,
        describe_groups_response::DescribedGroup,
        describe_log_dirs_request::DescribableLogDirTopic,
        fetch_request::{FetchPartition, FetchTopic},
        list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
        metadata_request::MetadataRequestTopic,
    },
};
use ring::{Instant, Ring};
use rustc_hash::FxHashMap;
use std::{cell::RefCell, collections::BTreeSet, rc::Rc};

/// The last versions that name topics, and are of one group.
const METADATA_VERSION: i16 = 9;
const LIST_OFFSETS_VERSION: i16 = 5;
const LIST_GROUPS_VERSION: i16 = 4;
const DESCRIBE_GROUPS_VERSION: i16 = 5;
const OFFSET_FETCH_VERSION: i16 = 7;
const DESCRIBE_LOG_DIRS_VERSION: i16 = 4;
/// The timestamp that stands for the end of a partition.
const LATEST: i64 = -1;
/// Of each partition in one answer, where it has whole batches that small.
const PARTITION_BYTES_MIN: u64 = 16 << 10;
const PARTITION_BYTES_MAX: u64 = 256 << 10;

/// A topic's name, and a partition of it.
pub type Place = (Rc<str>, i32);

pub struct Wire {
    ring: Ring,
    dialer: Dialer,
    start: Instant,
    bootstrap: Vec<Rc<str>>,
    known: RefCell<BTreeSet<Rc<str>>>,
    connections: RefCell<FxHashMap<Rc<str>, Connection>>,
}

/// What a fetch brought of one partition.
pub struct Fetched {
    pub place: Place,
    pub error: ErrorCode,
    pub records: Bytes,
}

impl Wire {
    pub fn new(ring: &Ring, bootstrap: &[String]) -> Wire {
        Wire {
            ring: ring.clone(),
            dialer: Dialer::new(ring, 1),
            start: ring.precise_now(),
            bootstrap: bootstrap.iter().map(|address| address.as_str().into()).collect(),
            known: RefCell::default(),
            connections: RefCell::default(),
        }
    }

    /// Seconds since the beginning.
    pub fn now_s(&self) -> f64 {
        self.ring.precise_now().since(self.start).as_secs_f64()
    }

    async fn connection(&self, address: &Rc<str>) -> anyhow::Result<Connection> {
        let open = self.connections.borrow().get(address).cloned();
        if let Some(connection) = open.filter(|open| !open.is_disconnected()) {
            return Ok(connection);
        }
        let connection = self.dialer.connect(address).await?;
        self.connections.borrow_mut().insert(address.clone(), connection.clone());
        Ok(connection)
    }

    pub fn close(&self) {
        self.connections.borrow().values().for_each(Connection::close);
    }

    async fn ask<R: Request>(
        &self,
        address: &Rc<str>,
        key: ApiKey,
        version_max: i16,
        request: &R,
    ) -> anyhow::Result<R::Response> {
        let connection = self.connection(address).await?;
        let version = connection.versions().version_at_most(key, version_max)?;
        let answer = connection.call(request, version, CALL_TIMEOUT).await;
        if answer.is_err() {
            // What comes late on it would be taken for the next answer's delay.
            connection.close();
            self.connections.borrow_mut().remove(address);
        }
        answer.map_err(|error| anyhow!("{address}: {error}"))
    }

    /// What the first broker that answers says of all topics, or of these. Learns the brokers.
    ///
    /// # Errors
    ///
    /// Where none answers: what each of them did.
    pub async fn metadata(&self, topics: Option<Vec<&str>>) -> anyhow::Result<MetadataResponse> {
        let topic =
            |name: &str| MetadataRequestTopic { name: Some(name.to_owned()), ..Default::default() };
        let request = MetadataRequest {
            topics: topics.map(|names| names.into_iter().map(topic).collect()),
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        let known: Vec<_> = self.known.borrow().iter().cloned().collect();
        let mut errors = Vec::new();
        for address in self.bootstrap.iter().chain(&known) {
            match self.ask(address, ApiKey::Metadata, METADATA_VERSION, &request).await {
                Ok(answer) => {
                    let brokers = answer.brokers.iter();
                    let addresses = brokers.map(|broker| address_of(&broker.host, broker.port));
                    self.known.borrow_mut().extend(addresses);
                    return Ok(answer);
                }
                Err(error) => errors.push(format!("{error:#}")),
            }
        }
        bail!("{}; give --bootstrap the address of a broker", errors.join("; "))
    }

    pub fn brokers(&self) -> Vec<Rc<str>> {
        self.known.borrow().iter().cloned().collect()
    }

    /// The ends of partitions, of their leader; when, is the middle between question and answer.
    pub async fn ends(
        &self,
        leader: &Rc<str>,
        places: &[Place],
    ) -> anyhow::Result<Vec<(Place, Result<At, ErrorCode>)>> {
        let partition = |number: i32| ListOffsetsPartition {
            partition_index: number,
            timestamp: LATEST,
            ..Default::default()
        };
        let topics = by_topic(places).into_iter().map(|(name, numbers)| ListOffsetsTopic {
            name: name.to_string(),
            partitions: numbers.into_iter().map(partition).collect(),
        });
        let request =
            ListOffsetsRequest { replica_id: -1, topics: topics.collect(), ..Default::default() };
        let sent_s = self.now_s();
        let answer = self.ask(leader, ApiKey::ListOffsets, LIST_OFFSETS_VERSION, &request).await?;
        let s = (sent_s + self.now_s()) / 2.0;
        let mut ends = Vec::new();
        for topic in answer.topics {
            let name: Rc<str> = topic.name.into();
            for one in topic.partitions {
                let end = match error_of(one.error_code) {
                    ErrorCode::None => Ok(At { s, offset: one.offset }),
                    error => Err(error),
                };
                ends.push(((name.clone(), one.partition_index), end));
            }
        }
        Ok(ends)
    }

    /// Records from these offsets on, as many as fit.
    pub async fn fetch(
        &self,
        leader: &Rc<str>,
        from: &[(Place, i64)],
        bytes_max: u64,
    ) -> anyhow::Result<Vec<Fetched>> {
        let mut topics: Vec<FetchTopic> = Vec::new();
        let bytes_max = bytes_max.min(i32::MAX as u64);
        let even = bytes_max / from.len().max(1) as u64;
        let of_each = even.clamp(PARTITION_BYTES_MIN, PARTITION_BYTES_MAX);
        // The order is that of the caller: brokers fill an answer from the front.
        for ((name, number), offset) in from {
            let partition = FetchPartition {
                partition: *number,
                fetch_offset: *offset,
                partition_max_bytes: of_each as i32,
                ..Default::default()
            };
            match topics.iter_mut().find(|topic| topic.topic == **name) {
                Some(topic) => topic.partitions.push(partition),
                None => topics.push(FetchTopic {
                    topic: name.to_string(),
                    partitions: vec![partition],
                    ..Default::default()
                }),
            }
        }
        let request = FetchRequest {
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: bytes_max as i32,
            session_id: 0,
            session_epoch: -1,
            topics,
            ..Default::default()
        };
        let answer = self.ask(leader, ApiKey::Fetch, FETCH_VERSION_MAX, &request).await?;
        if answer.error_code != 0 {
            bail!("{leader}: a fetch was refused: {}", error_of(answer.error_code).name());
        }
        let mut fetched = Vec::new();
        for topic in answer.responses {
            let name: Rc<str> = topic.topic.into();
            fetched.extend(topic.partitions.into_iter().map(|one| Fetched {
                place: (name.clone(), one.partition_index),
                error: error_of(one.error_code),
                records: one.records.unwrap_or_default(),
            }));
        }
        Ok(fetched)
    }

    /// Bytes of the logs of these partitions at their leader.
    pub async fn log_bytes(
        &self,
        leader: &Rc<str>,
        places: &[Place],
    ) -> anyhow::Result<FxHashMap<Place, i64>> {
        let topic = |(name, partitions): (Rc<str>, Vec<i32>)| DescribableLogDirTopic {
            topic: name.to_string(),
            partitions,
        };
        let topics = Some(by_topic(places).into_iter().map(topic).collect());
        let request = DescribeLogDirsRequest { topics };
        let answer =
            self.ask(leader, ApiKey::DescribeLogDirs, DESCRIBE_LOG_DIRS_VERSION, &request).await?;
        let mut sizes = FxHashMap::default();
        let codes = answer.results.iter().map(|one| one.error_code);
        if let Some(code) = codes.chain([answer.error_code]).find(|code| *code != 0) {
            bail!("{leader}: {}", error_of(code).name());
        }
        for topic in answer.results.into_iter().flat_map(|result| result.topics) {
            let name: Rc<str> = topic.name.into();
            for one in topic.partitions.iter().filter(|one| !one.is_future_key) {
                *sizes.entry((name.clone(), one.partition_index)).or_default() +=
                    one.partition_size;
            }
        }
        Ok(sizes)
    }

    /// The groups that a broker coordinates.
    pub async fn groups(&self, broker: &Rc<str>) -> anyhow::Result<Vec<String>> {
        let request = ListGroupsRequest::default();
        let answer = self.ask(broker, ApiKey::ListGroups, LIST_GROUPS_VERSION, &request).await?;
        match error_of(answer.error_code) {
            ErrorCode::None => Ok(answer.groups.into_iter().map(|group| group.group_id).collect()),
            error => bail!("{broker}: {}", error.name()),
        }
    }

    pub async fn describe_groups(
        &self,
        coordinator: &Rc<str>,
        ids: &[String],
    ) -> anyhow::Result<Vec<DescribedGroup>> {
        let request = DescribeGroupsRequest { groups: ids.to_vec(), ..Default::default() };
        let answer = self
            .ask(coordinator, ApiKey::DescribeGroups, DESCRIBE_GROUPS_VERSION, &request)
            .await?;
        Ok(answer.groups)
    }

    /// All offsets that a group has committed; partitions with an error are left out.
    pub async fn committed(
        &self,
        coordinator: &Rc<str>,
        group: &str,
    ) -> anyhow::Result<Vec<((String, i32), At)>> {
        let request =
            OffsetFetchRequest { group_id: group.to_owned(), topics: None, ..Default::default() };
        let sent_s = self.now_s();
        let answer =
            self.ask(coordinator, ApiKey::OffsetFetch, OFFSET_FETCH_VERSION, &request).await?;
        let s = (sent_s + self.now_s()) / 2.0;
        if answer.error_code != 0 {
            bail!("{}", error_of(answer.error_code).name());
        }
        let mut offsets = Vec::new();
        for topic in answer.topics {
            let known = topic
                .partitions
                .iter()
                .filter(|one| one.error_code == 0 && one.committed_offset >= 0);
            offsets.extend(known.map(|one| {
                let place = (topic.name.clone(), one.partition_index);
                (place, At { s, offset: one.committed_offset })
            }));
        }
        Ok(offsets)
    }
}

/// The topics that a group's members were given partitions of.
pub fn assigned_topics(group: &DescribedGroup) -> BTreeSet<String> {
    let of_members = group.members.iter().map(|member| assigned(&member.member_assignment));
    // What another protocol puts there means nothing here.
    of_members.filter_map(Result::ok).flatten().collect()
}

/// Places that follow one another and are of one topic, together.
fn by_topic(places: &[Place]) -> Vec<(Rc<str>, Vec<i32>)> {
    let mut topics: Vec<(Rc<str>, Vec<i32>)> = Vec::new();
    for (name, number) in places {
        match topics.last_mut().filter(|(known, _)| known == name) {
            Some((_, numbers)) => numbers.push(*number),
            None => topics.push((name.clone(), vec![*number])),
        }
    }
    topics
}
