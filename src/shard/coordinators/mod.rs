//! Hosting coordinators: one for each partition of their topics that this core leads.
//!
//! Owns: the coordinators of one core, by topic and partition, and the way to those of other cores.
//! Lives on: every core. Never: decides what a coordinator decides; it carries out what `coord/`
//! says (see `coord/runtime.rs` for the contract).
//!
//! [`host`] runs a coordinator of any kind over its partition's log, [`load`] reads that log, and
//! there is one file for each kind: [`groups`] and [`transactions`].

pub mod groups;
mod host;
mod load;
pub mod transactions;

use super::{
    Shard, ask::Ask, partition::Partition, transactions::markers::Marker, view::PartitionRoute,
};
use crate::{
    coord::{
        Batch,
        groups::Groups,
        partition::coordinator_partition,
        runtime::{StateMachine, TopicChange},
        transactions::Transactions,
    },
    meta::{
        image::MetadataImage,
        topic::{NO_LEADER, Topic},
    },
};
use bytes::Bytes;
use host::{Host, Stage};
use protocol::{ErrorCode, Uuid, compression::Compression, records::BatchBuilder};
use rustc_hash::FxHashMap;
use std::{rc::Rc, sync::Arc};

/// The batch of records that a coordinator writes, as `builder` begins it.
fn encode_records<A>(batch: &Batch<A>, mut builder: BatchBuilder, now_ms: i64) -> Bytes {
    for record in &batch.records {
        builder.append(now_ms, Some(&record.key), record.value.as_deref(), &[]);
    }
    builder.build()
}

/// What a host must know of one kind of coordinator besides its decisions.
pub trait Hosted: StateMachine<Request: Send, Response: Send> {
    /// The internal topic whose partitions it lives with.
    const TOPIC: &'static str;
    const WORDS: Words;

    fn settings(shard: &Shard, partition: &Partition) -> Self::Settings;

    /// Before each event: what of the settings changes under a coordinator.
    fn refresh(_shard: &Shard, _settings: &mut Self::Settings) {}

    /// What the state takes of the memory that is for transactions.
    fn held_bytes(&self) -> usize {
        0
    }

    /// The batch as its author writes it.
    fn encode(batch: &Batch<Self::Author>, now_ms: i64) -> Bytes;

    /// How its records are packed.
    fn codec(_shard: &Shard) -> Compression {
        Compression::None
    }

    /// Brings about what the machine wants done elsewhere. What becomes of it, the machine hears by
    /// [`ask`].
    fn execute(shard: &Shard, host: &Rc<Host<Self>>, effect: Self::Effect);

    fn any(host: Rc<Host<Self>>) -> AnyHost;

    /// The host, if it is of this kind.
    fn of(host: &AnyHost) -> Option<&Rc<Host<Self>>>;
}

/// How a kind of coordinator is spoken of.
pub struct Words {
    pub coordinator: &'static str,
    /// The task that waits for what it wrote.
    pub commit: &'static str,
    /// Its clients.
    pub served: &'static str,
    /// What is so while its log cannot be read.
    pub not_loaded: &'static str,
    /// What is so while its log takes nothing.
    pub only_reads: &'static str,
}

/// A host of one kind or another.
#[derive(Clone)]
pub enum AnyHost {
    Groups(Rc<Host<Groups>>),
    Transactions(Rc<Host<Transactions>>),
}

impl AnyHost {
    fn is_damaged(&self) -> bool {
        match self {
            AnyHost::Groups(host) => host.stage() == Stage::Damaged,
            AnyHost::Transactions(host) => host.stage() == Stage::Damaged,
        }
    }

    fn tell_topics(&self, shard: &Shard, changes: &[TopicChange]) {
        match self {
            AnyHost::Groups(host) => host::tell_topics(shard, host, changes),
            AnyHost::Transactions(host) => host::tell_topics(shard, host, changes),
        }
    }
}

/// The coordinators of one core, by topic and partition.
#[derive(Default)]
pub struct Hosts {
    all: FxHashMap<(&'static str, i32), AnyHost>,
    /// Those that have ended and are to be followed by another one, which takes over what they
    /// could not write.
    ended: FxHashMap<(&'static str, i32), AnyHost>,
}

impl Hosts {
    fn get<M: Hosted>(&self, partition: i32) -> Option<&Rc<Host<M>>> {
        self.all.get(&(M::TOPIC, partition)).and_then(M::of)
    }

    fn has<M: Hosted>(&self, partition: i32) -> bool {
        self.all.contains_key(&(M::TOPIC, partition))
    }

    fn insert<M: Hosted>(&mut self, partition: i32, host: Rc<Host<M>>) {
        let own = host.partition.id.index;
        assert_eq!(own, partition, "a coordinator lives with its partition");
        let before = self.all.insert((M::TOPIC, partition), M::any(host));
        assert!(before.is_none(), "{}-{partition} has one coordinator", M::TOPIC);
    }

    fn remove<M: Hosted>(&mut self, partition: i32) -> Option<Rc<Host<M>>> {
        self.all.remove(&(M::TOPIC, partition)).as_ref().and_then(M::of).cloned()
    }

    fn leave_to_next<M: Hosted>(&mut self, host: Rc<Host<M>>) {
        self.ended.insert((M::TOPIC, host.partition.id.index), M::any(host));
    }

    /// The one that ended before, of the same partition.
    fn take_ended<M: Hosted>(&mut self, partition: &Rc<Partition>) -> Option<Rc<Host<M>>> {
        let ended = self.ended.remove(&(M::TOPIC, partition.id.index));
        let host = ended.as_ref().and_then(M::of).cloned();
        host.filter(|host| Rc::ptr_eq(&host.partition, partition))
    }

    fn all<M: Hosted>(&self) -> impl Iterator<Item = &Rc<Host<M>>> {
        self.all.values().filter_map(M::of)
    }

    fn partitions_of(&self, topic: &str) -> impl Iterator<Item = i32> {
        self.all.keys().filter(move |(name, _)| *name == topic).map(|(_, partition)| *partition)
    }
}

/// Where the coordinator of a key (a group's id, a transactional id) is.
pub struct Location {
    /// The partition that it lives with.
    pub index: i32,
    /// The node that leads it; `None`: no node does.
    pub leader: Option<i32>,
    /// The core that hosts it, where that node is this one.
    pub core: Option<usize>,
}

/// `None` while the topic does not exist.
pub fn locate<M: Hosted>(shard: &Shard, key: &str) -> Option<Location> {
    let routes = shard.data.routes.borrow();
    let topic = routes.by_name(M::TOPIC)?;
    let index = coordinator_partition(key, topic.partitions.len() as i32);
    let route = &topic.partitions[index as usize];
    let leader = (route.leader != NO_LEADER).then_some(route.leader);
    let core = route.leading_core().ok();
    let is_here = leader == Some(shard.config.node_id);
    assert!(core.is_none() || is_here, "a core here leads what {leader:?} leads");
    Some(Location { index, leader, core })
}

/// The partitions of the coordinators' topic that this node leads, with the cores that host them.
pub fn all<M: Hosted>(shard: &Shard) -> Vec<(usize, i32)> {
    let routes = shard.data.routes.borrow();
    let Some(topic) = routes.by_name(M::TOPIC) else { return Vec::new() };
    let here =
        |(index, route): (usize, &PartitionRoute)| Some((route.leading_core().ok()?, index as i32));
    topic.partitions.iter().enumerate().filter_map(here).collect()
}

/// Asks the coordinator of a partition that `core` leads. `None` when the broker stops before the
/// answer comes.
pub async fn ask<M: Hosted>(
    shard: &Shard,
    core: usize,
    partition: i32,
    request: M::Request,
) -> Option<M::Response> {
    shard.ask(core, ToCoordinator::<M> { partition, request }).await
}

/// A request to the coordinator that is hosted with this partition of its topic.
struct ToCoordinator<M: Hosted> {
    partition: i32,
    request: M::Request,
}

impl<M: Hosted> Ask for ToCoordinator<M> {
    type Answer = M::Response;

    async fn execute(self, shard: &Shard, _from: usize) -> M::Response {
        host::request::<M>(shard, self.partition, self.request).await
    }
}

/// Appends a marker to the partition of `__consumer_offsets` that this core leads, at once; returns
/// that, and the offset behind the marker. Its coordinator serves the offsets of a transaction that
/// is committed when the marker is.
///
/// Refused with NOT_LEADER_OR_FOLLOWER where there is no coordinator, COORDINATOR_LOAD_IN_PROGRESS
/// while it is loaded, COORDINATOR_NOT_AVAILABLE while it may not write, and with what the log says
/// of the marker.
pub fn write_marker(
    shard: &Shard,
    index: i32,
    marker: Marker,
) -> Result<(Rc<Partition>, i64), ErrorCode> {
    host::write_marker::<Groups>(shard, index, marker)
}

/// Starts and ends coordinators as the view says, and tells those that stay what has become of the
/// topics.
/// `changes`: each topic that has changed ([`topic_change`]), in any order.
pub fn apply(shard: &Shard, mut changes: Vec<TopicChange>) {
    apply_partitions::<Groups>(shard);
    apply_partitions::<Transactions>(shard);
    let hosts: Vec<AnyHost> = shard.control.coordinators.borrow().all.values().cloned().collect();
    if hosts.is_empty() || changes.is_empty() {
        return;
    }
    sort(&mut changes);
    for host in &hosts {
        host.tell_topics(shard, &changes);
    }
}

fn apply_partitions<M: Hosted>(shard: &Shard) {
    let mine: Vec<Rc<Partition>> = {
        let routes = shard.data.routes.borrow();
        let partitions = routes.by_name(M::TOPIC).map_or(&[][..], |topic| &topic.partitions[..]);
        let here = |route: &PartitionRoute| {
            route.local.clone().filter(|partition| partition.is_led_here())
        };
        partitions.iter().filter_map(here).collect()
    };
    for partition in &mine {
        if !shard.control.coordinators.borrow().has::<M>(partition.id.index) {
            host::start::<M>(shard, partition.clone());
        }
    }
    let gone: Vec<i32> = {
        let hosts = shard.control.coordinators.borrow();
        let is_mine = |index| mine.iter().any(|partition| partition.id.index == index);
        hosts.partitions_of(M::TOPIC).filter(|index| !is_mine(*index)).collect()
    };
    for index in gone {
        host::end::<M>(shard, index);
    }
    let hosted = shard.control.coordinators.borrow().partitions_of(M::TOPIC).count();
    let led = mine.len();
    assert_eq!(hosted, led, "a coordinator for each partition of {} led here", M::TOPIC);
}

/// Whether a topic went, came, or got more partitions.
pub fn topic_change(before: &MetadataImage, now: &MetadataImage, id: Uuid) -> Option<TopicChange> {
    let (was, is) = (before.topics.by_id(id), now.topics.by_id(id));
    let count = |topic: Option<&Arc<Topic>>| topic.map_or(0, |topic| topic.partitions.len());
    let (count_before, partition_count) = (count(was), count(is));
    let topic = is.or(was).filter(|_| count_before != partition_count)?;
    Some(TopicChange { name: topic.name.clone(), id: topic.id, partition_count })
}

/// In the order of their names; of one name, what went comes first.
fn sort(changes: &mut [TopicChange]) {
    changes.sort_by(|a, b| (&a.name, !a.is_deleted()).cmp(&(&b.name, !b.is_deleted())));
}

/// Partitions of coordinators of this core that are damaged: their clients are not served.
pub fn damaged(shard: &Shard) -> u64 {
    let hosts = shard.control.coordinators.borrow();
    hosts.all.values().filter(|host| host.is_damaged()).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meta::testing::add_topic;

    fn image(topics: &[(u128, &str, usize)]) -> MetadataImage {
        let mut image = MetadataImage::empty("test");
        for (id, name, partitions) in topics {
            add_topic(&mut image, name, Uuid::from_u128(*id), *partitions);
        }
        image
    }

    #[test]
    fn topics_that_went_came_or_grew_are_told_and_others_not() {
        let before = image(&[(1, "stays", 2), (2, "grows", 2), (3, "goes", 2), (4, "again", 1)]);
        let now = image(&[(1, "stays", 2), (2, "grows", 3), (5, "again", 1), (6, "zoo", 1)]);
        let changes = |before: &MetadataImage, now: &MetadataImage, ids: [u128; 6]| {
            let changed = ids.into_iter().map(Uuid::from_u128);
            let mut changes: Vec<TopicChange> =
                changed.filter_map(|id| topic_change(before, now, id)).collect();
            sort(&mut changes);
            changes
        };
        let told: Vec<_> = changes(&before, &now, [6, 4, 5, 1, 2, 3])
            .into_iter()
            .map(|change| (change.name.to_string(), change.id.as_u128(), change.partition_count))
            .collect();
        let told: Vec<_> =
            told.iter().map(|(name, id, count)| (name.as_str(), *id, *count)).collect();
        assert_eq!(
            told,
            [("again", 4, 0), ("again", 5, 1), ("goes", 3, 0), ("grows", 2, 3), ("zoo", 6, 1)]
        );
        assert!(changes(&now, &now, [1, 2, 3, 4, 5, 6]).is_empty());
    }
}
