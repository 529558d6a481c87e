//! What a core knows of the cluster: the metadata image, which core owns which partition, and the routes made of them.
//!
//! Owns: this core's copy of the routes. Lives on: every core; the image and the owners are shared and immutable, and
//! replaced whole. Never: changes the image.

use super::partition::{Partition, PartitionId};
use crate::{
    config::{
        Layers,
        topic::{self, TopicConfig},
    },
    limits,
    log::{CleanupPolicy, Durability, LogConfig},
    meta::{
        image::{ConfigResourceType, Configs, Image},
        topic::Topic,
    },
};
use protocol::{
    Uuid,
    compression::Compression,
    records::{
        TimestampType,
        validate::{AppendOrigin, ValidationRules},
    },
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::{rc::Rc, sync::Arc};

/// An immutable view of the cluster, published by the controller's core to all cores.
#[derive(Clone)]
pub struct ClusterView {
    pub image: Arc<Image>,
    pub owners: Arc<Owners>,
    /// The broker's configs, dynamic ones included.
    pub layers: Arc<Layers>,
}

impl ClusterView {
    /// Before the first record.
    pub fn empty(cluster_id: &str, cores: usize, layers: Layers) -> ClusterView {
        let image = Arc::new(Image::empty(cluster_id));
        ClusterView { image, owners: Arc::new(Owners::new(cores)), layers: Arc::new(layers) }
    }

    /// The view after `self` that shows `image`.
    pub fn follow(&self, image: Arc<Image>, node_id: i32) -> ClusterView {
        let dynamic = |name: &str| image.configs_of(ConfigResourceType::Broker, name).clone();
        let (dynamic_default, dynamic_broker) = (dynamic(""), dynamic(&node_id.to_string()));
        let unchanged = self.layers.dynamic_default == dynamic_default && self.layers.dynamic_broker == dynamic_broker;
        let layers = if unchanged {
            self.layers.clone()
        } else {
            Arc::new(Layers { static_values: self.layers.static_values.clone(), dynamic_default, dynamic_broker })
        };
        ClusterView { owners: Arc::new(self.owners.follow(&image)), image, layers }
    }

    fn overrides(&self, topic: &str) -> &Configs {
        self.image.configs_of(ConfigResourceType::Topic, topic)
    }
}

/// Which core owns which partition: by topic, one core index per partition.
#[derive(Default)]
pub struct Owners {
    by_topic: FxHashMap<Uuid, Arc<[u16]>>,
    /// Partitions per core.
    load: Vec<usize>,
}

impl Owners {
    pub fn new(cores: usize) -> Owners {
        Owners { by_topic: FxHashMap::default(), load: vec![0; cores] }
    }

    /// The owners after a change of the image: a partition stays where it is, a new one goes to the core that has the
    /// fewest, so that they are spread evenly.
    pub fn follow(&self, image: &Image) -> Owners {
        let mut next = Owners { by_topic: FxHashMap::default(), load: vec![0; self.load.len()] };
        let mut new = Vec::new();
        for topic in image.topics.iter() {
            match self.by_topic.get(&topic.id) {
                Some(owners) if owners.len() == topic.partitions.len() => {
                    owners.iter().for_each(|owner| next.load[usize::from(*owner)] += 1);
                    next.by_topic.insert(topic.id, owners.clone());
                }
                before => new.push((topic, before)),
            }
        }
        for (_, before) in &new {
            before.iter().flat_map(|owners| owners.iter()).for_each(|owner| next.load[usize::from(*owner)] += 1);
        }
        for (topic, before) in new {
            let mut owners: Vec<u16> = before.map_or_else(Vec::new, |owners| owners.to_vec());
            while owners.len() < topic.partitions.len() {
                let (core, load) = next.load.iter_mut().enumerate().min_by_key(|(_, load)| **load).expect("a core");
                *load += 1;
                owners.push(core as u16);
            }
            next.by_topic.insert(topic.id, owners.into());
        }
        next
    }

    pub fn of(&self, id: PartitionId) -> Option<usize> {
        let owners = self.by_topic.get(&id.topic_id)?;
        owners.get(usize::try_from(id.index).ok()?).map(|owner| usize::from(*owner))
    }
}

/// A topic as this core reaches it.
pub struct TopicRoute {
    pub name: Rc<str>,
    pub id: Uuid,
    pub config: Rc<LogConfig>,
    pub levels: CompressionLevels,
    pub partitions: Vec<PartitionRoute>,
    /// The image's topic and the configs that this route was made of.
    source: Arc<Topic>,
    overrides: Configs,
    layers: Arc<Layers>,
}

#[derive(Clone)]
pub struct PartitionRoute {
    pub owner: usize,
    pub leader_epoch: i32,
    /// The partition itself, where this core owns it and it could be opened.
    pub local: Option<Rc<Partition>>,
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

    /// The routes for a new view. `partitions` are those that this core has open, `changed` the topics of those that it has
    /// opened just now.
    pub fn follow(
        &self,
        view: &ClusterView,
        partitions: &FxHashMap<PartitionId, Rc<Partition>>,
        changed: &FxHashSet<Uuid>,
    ) -> Routes {
        let mut next = Routes::default();
        for topic in view.image.topics.iter() {
            let kept = self.by_id.get(&topic.id).filter(|route| {
                Arc::ptr_eq(&route.source, topic)
                    && Arc::ptr_eq(&route.layers, &view.layers)
                    && route.overrides == *view.overrides(&topic.name)
                    && !changed.contains(&topic.id)
            });
            let route = kept.cloned().unwrap_or_else(|| Rc::new(TopicRoute::new(view, topic, partitions)));
            next.by_name.insert(route.name.clone(), route.clone());
            next.by_id.insert(route.id, route);
        }
        next
    }
}

impl TopicRoute {
    fn new(view: &ClusterView, topic: &Arc<Topic>, open: &FxHashMap<PartitionId, Rc<Partition>>) -> TopicRoute {
        let route = |(index, partition): (&i32, &Arc<crate::meta::topic::Partition>)| {
            let id = PartitionId { topic_id: topic.id, index: *index };
            PartitionRoute {
                owner: view.owners.of(id).expect("every partition of the image has an owner"),
                leader_epoch: partition.leader_epoch,
                local: open.get(&id).cloned(),
            }
        };
        let effective = TopicConfig::effective(view.overrides(&topic.name), &view.layers);
        TopicRoute {
            name: (&*topic.name).into(),
            id: topic.id,
            config: Rc::new(log_config(&effective)),
            levels: CompressionLevels::of(&effective),
            partitions: topic.partitions.iter().map(route).collect(),
            source: topic.clone(),
            overrides: view.overrides(&topic.name).clone(),
            layers: view.layers.clone(),
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
        cleanup_policy: CleanupPolicy { delete: config.cleanup_policy.delete, compact: config.cleanup_policy.compact },
        compression_type: match config.compression_type.as_str() {
            "uncompressed" => Some(Compression::None),
            "gzip" => Some(Compression::Gzip),
            "snappy" => Some(Compression::Snappy),
            "lz4" => Some(Compression::Lz4),
            "zstd" => Some(Compression::Zstd),
            _ => None,
        },
        preallocate: config.preallocate,
        durability: match config.durability {
            topic::Durability::Fsync => Durability::Fsync,
            topic::Durability::Os => Durability::Os,
        },
        ..LogConfig::default()
    }
}

/// What a batch for a topic must be like.
pub fn validation_rules(config: &LogConfig, now_ms: i64, origin: AppendOrigin) -> ValidationRules {
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
        max_decompressed_bytes: limits::DECOMPRESSED_BATCH_MAX_BYTES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners(load: &[(u128, usize)], before: &Owners) -> Owners {
        let mut image = Image::empty("test");
        for (id, partitions) in load {
            crate::meta::testing::add_topic(&mut image, &format!("t{id}"), Uuid::from_u128(*id), *partitions);
        }
        before.follow(&image)
    }

    #[test]
    fn partitions_are_spread_evenly_and_stay_where_they_are() {
        let first = owners(&[(101, 3), (102, 3)], &Owners::new(2));
        assert_eq!(first.load, [3, 3]);
        let second = owners(&[(101, 3), (102, 5), (103, 2)], &first);
        assert_eq!(second.load, [5, 5]);
        assert_eq!(second.by_topic[&Uuid::from_u128(101)], first.by_topic[&Uuid::from_u128(101)]);
        assert_eq!(second.by_topic[&Uuid::from_u128(102)][..3], first.by_topic[&Uuid::from_u128(102)][..]);
        let third = owners(&[(103, 2)], &second);
        assert_eq!((third.load.iter().sum::<usize>(), third.by_topic.len()), (2, 1));
    }
}
