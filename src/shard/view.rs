//! What a core knows of the cluster: the metadata image, which core owns which partition, and the
//! routes made of them.
//!
//! Owns: this core's copy of the routes. Lives on: every core; the image and the owners are shared
//! and immutable, and their versions share what has not changed. Never: changes the image.

use super::partition::{Partition, PartitionId};
use crate::{
    config::{
        Layers,
        layers::Overruled,
        topic::{self, TopicConfig},
    },
    limits,
    log::{CleanupPolicy, Durability, LogConfig},
    meta::{
        Changes,
        image::{ConfigResourceType, Configs, Map, MetadataImage},
        topic::Topic,
        topic_name,
    },
};
use protocol::{
    ErrorCode, Uuid,
    compression::Compression,
    records::{
        TimestampType,
        validate::{AppendOrigin, ValidationRules},
    },
};
use rustc_hash::FxHashMap;
use std::{collections::BTreeSet, rc::Rc, sync::Arc};

/// An immutable view of the cluster, published by the controller's core to all cores.
#[derive(Clone)]
pub struct ClusterView {
    /// This node, whose replicas are opened.
    node_id: i32,
    pub image: Arc<MetadataImage>,
    pub owners: Arc<Owners>,
    /// The broker's configs, dynamic ones included.
    pub layers: Arc<Layers>,
    /// Since the first records were seen.
    overruled: Option<Arc<Overruled>>,
}

impl ClusterView {
    /// Before the first record.
    pub fn empty(cluster_id: &str, node_id: i32, cores: usize, layers: Layers) -> ClusterView {
        let image = Arc::new(MetadataImage::empty(cluster_id));
        ClusterView {
            node_id,
            image,
            owners: Arc::new(Owners::new(node_id, cores)),
            layers: Arc::new(layers),
            overruled: None,
        }
    }

    /// The view after `self` that shows `image`, in which `changes` is what has changed.
    pub fn apply(&self, image: Arc<MetadataImage>, changes: &Changes) -> ClusterView {
        let mut next = match changes.broker_configs || changes.is_all_new {
            true => self.with_broker_configs(&image),
            false => self.clone(),
        };
        next.owners = Arc::new(self.owners.apply(&self.image, &image, changes));
        next.image = image;
        next
    }

    /// The same view with the broker's configs as `image` has them.
    fn with_broker_configs(&self, image: &MetadataImage) -> ClusterView {
        let dynamic = |name: &str| image.configs_of(ConfigResourceType::Broker, name).clone();
        let (dynamic_default, dynamic_broker) = (dynamic(""), dynamic(&self.node_id.to_string()));
        let mut layers = Layers { dynamic_default, dynamic_broker, ..Layers::clone(&self.layers) };
        let overruled = self.overruled.clone().unwrap_or_else(|| {
            let overruled = Overruled::at_start(&layers);
            for one in overruled.to_strings() {
                tracing::warn!(
                    "the dynamic config {one} is overruled by --override until it is set anew: \
                     remove it \
                     (kafka-configs.sh --alter --delete-config), or the next start without \
                     --override has it again"
                );
            }
            Arc::new(overruled)
        });
        overruled.take_from(&mut layers);
        let known = &self.layers;
        let unchanged = known.dynamic_default == layers.dynamic_default
            && known.dynamic_broker == layers.dynamic_broker;
        let layers = if unchanged { self.layers.clone() } else { Arc::new(layers) };
        ClusterView { layers, overruled: Some(overruled), ..self.clone() }
    }

    /// The topics that a core that has applied `before` looks at now.
    pub fn topics_to_look_at(&self, before: &MetadataImage, changes: &Changes) -> Vec<Uuid> {
        if changes.is_all_new {
            let ids = |image: &MetadataImage| {
                image.topics.iter().map(|topic| topic.id).collect::<BTreeSet<Uuid>>()
            };
            return ids(before).union(&ids(&self.image)).copied().collect();
        }
        let of_configs = changes.topic_configs.iter().filter_map(|name| self.image.topics.id(name));
        changes
            .topics
            .iter()
            .copied()
            .chain(of_configs)
            .collect::<BTreeSet<Uuid>>()
            .into_iter()
            .collect()
    }

    /// The topic as it was, if it was deleted since `before`.
    pub fn gone<'a>(&self, before: &'a MetadataImage, id: Uuid) -> Option<&'a Arc<Topic>> {
        before.topics.by_id(id).filter(|_| self.image.topics.by_id(id).is_none())
    }

    fn overrides(&self, topic: &str) -> &Configs {
        self.image.configs_of(ConfigResourceType::Topic, topic)
    }
}

/// Which core owns which partition of those that have a replica on this node: by topic, one core
/// index per partition. Copies share what they have in common.
#[derive(Clone)]
pub struct Owners {
    node_id: i32,
    by_topic: Map<Uuid, Arc<[u16]>>,
    /// Partitions per core.
    load: Vec<usize>,
}

impl Owners {
    pub fn new(node_id: i32, cores: usize) -> Owners {
        Owners { node_id, by_topic: Map::new_sync(), load: vec![0; cores] }
    }

    /// The owners after a change of the image: a partition stays where it is, a new one goes to the
    /// core that has the fewest, so that they are spread evenly.
    pub fn apply(
        &self,
        before: &MetadataImage,
        image: &MetadataImage,
        changes: &Changes,
    ) -> Owners {
        let mut next = self.clone();
        let listed = || changes.topics.iter().copied();
        let all = || before.topics.iter().chain(image.topics.iter()).map(|topic| topic.id);
        let ids: Vec<Uuid> = if changes.is_all_new { all().collect() } else { listed().collect() };
        // What goes makes room for what comes.
        for id in ids.iter().filter(|id| image.topics.by_id(**id).is_none()) {
            next.forget(*id);
        }
        for topic in ids.iter().filter_map(|id| image.topics.by_id(*id)) {
            next.take_in(topic);
        }
        next
    }

    fn forget(&mut self, id: Uuid) {
        let Some(owners) = self.by_topic.get(&id).cloned() else { return };
        owners.iter().for_each(|owner| self.release(*owner));
        self.by_topic.remove_mut(&id);
    }

    fn release(&mut self, owner: u16) {
        if owner != NO_CORE {
            let load = &mut self.load[usize::from(owner)];
            assert!(*load > 0, "core {owner} owns no partition that it could lose");
            *load -= 1;
        }
    }

    fn take_in(&mut self, topic: &Topic) {
        let before = self.by_topic.get(&topic.id).cloned().unwrap_or_default();
        let (known, now) = (before.len(), topic.partitions.len());
        assert!(known <= now, "{} has lost partitions: {known}, now {now}", topic.name);
        let mut owners = Vec::with_capacity(now);
        for (partition, before) in
            topic.partitions.values().zip(before.iter().copied().chain(std::iter::repeat(NO_CORE)))
        {
            let is_here = partition.replicas.contains(&self.node_id);
            owners.push(match (is_here, before) {
                (true, NO_CORE) => self.assign(),
                (true, before) => before,
                (false, before) => {
                    self.release(before);
                    NO_CORE
                }
            });
        }
        if owners[..] != before[..] {
            self.by_topic.insert_mut(topic.id, owners.into());
        }
    }

    /// The core that has the fewest partitions gets one more.
    fn assign(&mut self) -> u16 {
        let loads = self.load.iter_mut().enumerate();
        let (core, load) = loads.min_by_key(|(_, load)| **load).expect("a core");
        *load += 1;
        core as u16
    }

    /// The core of the replica that this node has; `None`: it has none.
    pub fn of(&self, id: PartitionId) -> Option<usize> {
        let owners = self.by_topic.get(&id.topic_id)?;
        let owner = *owners.get(usize::try_from(id.index).ok()?)?;
        (owner != NO_CORE).then(|| usize::from(owner))
    }
}

/// In the place of the core where no replica is here.
const NO_CORE: u16 = u16::MAX;
const _: () = assert!(limits::MAX_SHARDS < NO_CORE as usize);

/// A topic as this core reaches it.
pub struct TopicRoute {
    pub name: Rc<str>,
    pub id: Uuid,
    /// A coordinator keeps its state in it: clients may not write or remove records.
    pub is_internal: bool,
    pub config: Rc<LogConfig>,
    pub levels: CompressionLevels,
    pub partitions: Vec<PartitionRoute>,
}

/// Who leads a partition, and what is here of it.
#[derive(Clone)]
pub struct PartitionRoute {
    /// [`NO_LEADER`]: no node does.
    pub leader: i32,
    pub leader_epoch: i32,
    /// The core of the replica that this node has; `None`: it has none.
    owner: Option<usize>,
    is_led_here: bool,
    /// The partition itself, where this core owns it and it could be opened.
    pub local: Option<Rc<Partition>>,
}

impl PartitionRoute {
    /// The core to ask where this node leads the partition.
    pub fn leading_core(&self) -> Result<usize, ErrorCode> {
        self.owner.filter(|_| self.is_led_here).ok_or(ErrorCode::NotLeaderOrFollower)
    }
}

#[derive(Default)]
pub struct Routes {
    by_name: FxHashMap<Rc<str>, Rc<TopicRoute>>,
    by_id: FxHashMap<Uuid, Rc<TopicRoute>>,
}

impl Routes {
    pub fn by_name(&self, name: &str) -> Option<&Rc<TopicRoute>> {
        self.by_name.get(name)
    }

    pub fn by_id(&self, id: Uuid) -> Option<&Rc<TopicRoute>> {
        self.by_id.get(&id)
    }

    /// The way to a partition; `None`: there is no such partition.
    pub fn partition(&self, id: PartitionId) -> Option<&PartitionRoute> {
        let partitions = &self.by_id.get(&id.topic_id)?.partitions;
        partitions.get(usize::try_from(id.index).ok()?)
    }

    /// The route of one topic as the view has it from now on. `partitions` are those that this core
    /// has open.
    pub fn set(
        &mut self,
        view: &ClusterView,
        topic: &Topic,
        partitions: &FxHashMap<PartitionId, Rc<Partition>>,
    ) -> Rc<TopicRoute> {
        let route = Rc::new(TopicRoute::new(view, topic, partitions));
        let other = self.by_name.get(&route.name).filter(|known| known.id != route.id);
        assert!(
            other.is_none_or(|other| view.image.topics.by_id(other.id).is_none()),
            "two topics are called {}",
            route.name
        );
        self.by_name.insert(route.name.clone(), route.clone());
        self.by_id.insert(route.id, route.clone());
        route
    }

    /// A topic is gone. Its name may be another one's by now.
    pub fn remove(&mut self, id: Uuid) {
        let Some(route) = self.by_id.remove(&id) else { return };
        if self.by_name.get(&route.name).is_some_and(|named| named.id == id) {
            self.by_name.remove(&route.name);
        }
    }
}

impl TopicRoute {
    fn new(
        view: &ClusterView,
        topic: &Topic,
        open: &FxHashMap<PartitionId, Rc<Partition>>,
    ) -> TopicRoute {
        let is_whole = topic.partitions.keys().copied().eq(0..topic.partitions.len() as i32);
        assert!(is_whole, "the partitions of {} are numbered from 0 on", topic.name);
        let route = |(index, partition): (&i32, &Arc<crate::meta::topic::Partition>)| {
            let id = PartitionId { topic_id: topic.id, index: *index };
            PartitionRoute {
                leader: partition.leader,
                leader_epoch: partition.leader_epoch,
                owner: view.owners.of(id),
                is_led_here: partition.leader == view.node_id,
                local: open.get(&id).cloned(),
            }
        };
        let effective = TopicConfig::effective(view.overrides(&topic.name), &view.layers);
        TopicRoute {
            name: (&*topic.name).into(),
            id: topic.id,
            is_internal: topic_name::is_internal(&topic.name),
            config: Rc::new(log_config(&effective)),
            levels: CompressionLevels::of(&effective),
            partitions: topic.partitions.iter().map(route).collect(),
        }
    }
}

/// The effort that a topic asks of the codecs that have levels (KIP-390).
#[derive(Clone, Copy, Debug)]
pub struct CompressionLevels {
    gzip: i32,
    lz4: i32,
    zstd: i32,
}

impl CompressionLevels {
    fn of(config: &TopicConfig) -> CompressionLevels {
        let (gzip, lz4) = (config.compression_gzip_level, config.compression_lz4_level);
        CompressionLevels { gzip, lz4, zstd: config.compression_zstd_level }
    }

    pub fn of_codec(&self, codec: Compression) -> Option<i32> {
        match codec {
            Compression::Gzip => Some(self.gzip),
            Compression::Lz4 => Some(self.lz4),
            Compression::Zstd => Some(self.zstd),
            Compression::None | Compression::Snappy => None,
        }
    }
}

/// The configuration of a topic's logs.
pub fn topic_log_config(view: &ClusterView, topic: &str) -> LogConfig {
    log_config(&TopicConfig::effective(view.overrides(topic), &view.layers))
}

fn log_config(config: &TopicConfig) -> LogConfig {
    LogConfig {
        segment_bytes: config.segment_size_bytes() as u32,
        segment_ms: config.segment_ms,
        segment_jitter_ms: config.segment_jitter_ms,
        index_interval_bytes: config.index_interval_bytes as u32,
        segment_index_bytes: config.segment_index_bytes as u32,
        retention_ms: (config.retention_ms >= 0).then_some(config.retention_ms),
        retention_bytes: u64::try_from(config.retention_bytes).ok(),
        max_message_bytes: config.max_message_bytes as u32,
        file_delete_delay_ms: config.file_delete_delay_ms as u64,
        message_timestamp_type: match config.message_timestamp_type {
            topic::TimestampType::CreateTime => TimestampType::CreateTime,
            topic::TimestampType::LogAppendTime => TimestampType::LogAppendTime,
        },
        timestamp_before_max_ms: config.message_timestamp_before_max_ms,
        timestamp_after_max_ms: config.message_timestamp_after_max_ms,
        cleanup_policy: CleanupPolicy {
            delete: config.cleanup_policy.delete,
            compact: config.cleanup_policy.compact,
        },
        compression_type: match config.compression_type.as_str() {
            "uncompressed" => Some(Compression::None),
            "gzip" => Some(Compression::Gzip),
            "snappy" => Some(Compression::Snappy),
            "lz4" => Some(Compression::Lz4),
            "zstd" => Some(Compression::Zstd),
            _ => None,
        },
        min_insync_replicas: usize::try_from(config.min_insync_replicas).unwrap_or(1),
        preallocate: config.preallocate,
        durability: match config.durability {
            topic::Durability::Fsync => Durability::Fsync,
            topic::Durability::Os => Durability::Os,
        },
        ..LogConfig::default()
    }
}

/// What a batch for a topic must be like.
pub fn validation_rules(
    config: &LogConfig,
    max_decompressed_bytes: usize,
    now_ms: i64,
    origin: AppendOrigin,
) -> ValidationRules {
    ValidationRules {
        origin,
        transactional_allowed: false,
        max_message_bytes: config.max_message_bytes as usize,
        timestamp_type: config.message_timestamp_type,
        timestamp_before_max_ms: config.timestamp_before_max_ms,
        timestamp_after_max_ms: config.timestamp_after_max_ms,
        now_ms,
        compacted: config.cleanup_policy.compact,
        compression: config.compression_type,
        max_decompressed_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(load: &[(u128, usize)]) -> MetadataImage {
        let mut image = MetadataImage::empty("test");
        for (id, partitions) in load {
            crate::meta::testing::add_topic(
                &mut image,
                &format!("t{id}"),
                Uuid::from_u128(*id),
                *partitions,
            );
        }
        image
    }

    fn of_topics(ids: &[u128]) -> Changes {
        Changes::of_topics(ids.iter().map(|id| Uuid::from_u128(*id)))
    }

    #[test]
    fn partitions_are_spread_evenly_and_stay_where_they_are() {
        let of = |owners: &Owners, id: u128| owners.by_topic.get(&Uuid::from_u128(id)).cloned();
        let empty = image(&[]);
        let one = image(&[(101, 3), (102, 3)]);
        let first = Owners::new(1, 2).apply(&empty, &one, &Changes::all_new());
        assert_eq!(first.load, [3, 3]);
        let two = image(&[(101, 3), (102, 5), (103, 2)]);
        let second = first.apply(&one, &two, &of_topics(&[102, 103]));
        assert_eq!(second.load, [5, 5]);
        assert_eq!(of(&second, 101), of(&first, 101));
        assert_eq!(of(&second, 102).unwrap()[..3], of(&first, 102).unwrap()[..]);
        let three = image(&[(103, 2)]);
        let third = second.apply(&two, &three, &of_topics(&[101, 102]));
        assert_eq!((third.load.iter().sum::<usize>(), third.by_topic.size()), (2, 1));
        // Whatever is listed, the outcome is that of looking at everything.
        let whole = second.apply(&two, &three, &Changes::all_new());
        assert_eq!((&whole.load, of(&whole, 103)), (&third.load, of(&third, 103)));
    }

    #[test]
    fn a_view_looks_at_what_has_changed() {
        let (one, two) = (image(&[(101, 1), (102, 1)]), image(&[(102, 1), (103, 1)]));
        let view = ClusterView {
            image: Arc::new(two),
            ..ClusterView::empty("test", 1, 1, Layers::default())
        };
        let ids = |changes: &Changes| -> Vec<u128> {
            view.topics_to_look_at(&one, changes).iter().map(|id| id.as_u128()).collect()
        };
        assert_eq!(ids(&Changes::all_new()), [101, 102, 103]);
        assert_eq!(ids(&of_topics(&[103, 101])), [101, 103]);
        let topic_configs = ["t102".to_owned(), "t101".to_owned()].into();
        assert_eq!(
            ids(&Changes { topic_configs, ..of_topics(&[103]) }),
            [102, 103],
            "t101 is gone"
        );
        assert!(
            view.gone(&one, Uuid::from_u128(101)).is_some()
                && view.gone(&one, Uuid::from_u128(102)).is_none()
        );
    }

    #[test]
    fn a_name_that_is_used_again_keeps_its_new_route() {
        let mut routes = Routes::default();
        let mut images = [101, 102].map(|id| {
            let mut image = MetadataImage::empty("test");
            crate::meta::testing::add_topic(&mut image, "t", Uuid::from_u128(id), 1);
            Arc::new(image)
        });
        for image in &mut images {
            let owners =
                Owners::new(1, 1).apply(&MetadataImage::empty("test"), image, &Changes::all_new());
            let view = ClusterView {
                image: image.clone(),
                ..ClusterView::empty("test", 1, 1, Layers::default())
            };
            let view = ClusterView { owners: Arc::new(owners), ..view };
            routes.set(&view, image.topics.by_name("t").unwrap(), &FxHashMap::default());
        }
        routes.remove(Uuid::from_u128(101));
        assert_eq!(routes.by_name("t").map(|route| route.id), Some(Uuid::from_u128(102)));
        assert!(routes.by_id(Uuid::from_u128(101)).is_none());
        routes.remove(Uuid::from_u128(102));
        assert!(routes.by_name("t").is_none());
    }
}
