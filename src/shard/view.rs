//! What a core knows of the cluster: the metadata image, which core owns which partition, and the routes made of them.
//!
//! Owns: this core's copy of the routes. Lives on: every core; the image and the owners are shared and immutable, and
//! replaced whole. Never: changes the image.

use super::partition::{Partition, PartitionId};
use crate::{
    config::BrokerConfig,
    log::LogConfig,
    meta::image::{Image, Topic},
};
use protocol::uuid::Uuid;
use rustc_hash::FxHashMap;
use std::{rc::Rc, sync::Arc};

/// An immutable view of the cluster, published by the controller's core to all cores.
#[derive(Clone)]
pub struct ClusterView {
    pub image: Arc<Image>,
    pub owners: Arc<Owners>,
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
        for topic in image.topics() {
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
    pub partitions: Vec<PartitionRoute>,
    /// The image's topic that this route was made of: unchanged as long as this is the same object.
    source: Arc<Topic>,
    overrides_version: u64,
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

    /// The routes for a new view. `partitions` are those that this core has open.
    pub fn follow(
        &self,
        view: &ClusterView,
        broker: &BrokerConfig,
        partitions: &FxHashMap<PartitionId, Rc<Partition>>,
    ) -> Routes {
        let mut next = Routes::default();
        for topic in view.image.topics() {
            let overrides_version = view.image.topic_config_version(&topic.name);
            let kept = self.by_id.get(&topic.id).filter(|route| {
                Arc::ptr_eq(&route.source, topic) && route.overrides_version == overrides_version
            });
            let route = kept.cloned().unwrap_or_else(|| {
                let route = |(index, partition): (usize, &crate::meta::image::Partition)| {
                    let id = PartitionId { topic_id: topic.id, index: index as i32 };
                    PartitionRoute {
                        owner: view.owners.of(id).expect("every partition of the image has an owner"),
                        leader_epoch: partition.leader_epoch,
                        local: partitions.get(&id).cloned(),
                    }
                };
                Rc::new(TopicRoute {
                    name: topic.name.as_str().into(),
                    id: topic.id,
                    config: Rc::new(broker.log_config(view.image.topic_config(&topic.name))),
                    partitions: topic.partitions.iter().enumerate().map(route).collect(),
                    source: topic.clone(),
                    overrides_version,
                })
            });
            next.by_name.insert(route.name.clone(), route.clone());
            next.by_id.insert(route.id, route);
        }
        next
    }
}
