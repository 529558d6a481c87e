//! What a core knows of the cluster: the metadata image, which core owns which partition, and the
//! routes made of them.
//!
//! Owns: this core's copy of the routes. Lives on: every core; the image and the owners are shared
//! and immutable, and their versions share what has not changed. Never: changes the image.

use super::{
    owners::Owners,
    partition::{Partition, PartitionId},
};
use crate::{
    config::{Layers, LogConfig, RuntimeConfig, layers::Overruled},
    meta::{
        Changes,
        image::{ConfigResourceType, Configs, MetadataImage},
        topic::{PartitionRegistration, Topic},
        topic_name,
    },
};
use protocol::{ErrorCode, Uuid};
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
    /// Those of them that may change while the broker runs.
    pub runtime: Arc<RuntimeConfig>,
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
            runtime: Arc::new(RuntimeConfig::of(&layers)),
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
        let stored = Layers { dynamic_default, dynamic_broker, ..Layers::clone(&self.layers) };
        let (mut layers, ignored) = stored.usable();
        for one in &ignored {
            tracing::warn!("{one}");
        }
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
        let same = ClusterView { overruled: Some(overruled), ..self.clone() };
        if unchanged {
            return same;
        }
        let runtime = Arc::new(RuntimeConfig::of(&layers));
        ClusterView { layers: Arc::new(layers), runtime, ..same }
    }

    /// The topics that a core which has applied `before` looks at now, each once. Where all may be
    /// new none is looked up before its turn: there may be very many.
    pub fn topics_to_look_at<'a>(
        &'a self,
        before: &'a MetadataImage,
        changes: &'a Changes,
    ) -> Box<dyn Iterator<Item = Uuid> + 'a> {
        if changes.is_all_new {
            let ids = |image: &'a MetadataImage| image.topics.iter_by_id().map(|topic| topic.id);
            return Box::new(union(ids(before), ids(&self.image)));
        }
        let of_configs = changes.topic_configs.iter().filter_map(|name| self.image.topics.id(name));
        let of_configs: BTreeSet<Uuid> = of_configs.collect();
        Box::new(union(changes.topics.iter().copied(), of_configs.into_iter()))
    }

    /// The topics that were deleted since `before`, as they were then.
    pub fn gone_since<'a>(
        &'a self,
        before: &'a MetadataImage,
        changes: &'a Changes,
    ) -> Box<dyn Iterator<Item = &'a Arc<Topic>> + 'a> {
        let is_gone = |topic: &&Arc<Topic>| self.image.topics.by_id(topic.id).is_none();
        if changes.is_all_new {
            return Box::new(before.topics.iter_by_id().filter(is_gone));
        }
        let known = changes.topics.iter().filter_map(|id| before.topics.by_id(*id));
        Box::new(known.filter(is_gone))
    }

    fn overrides(&self, topic: &str) -> &Configs {
        self.image.configs_of(ConfigResourceType::Topic, topic)
    }
}

/// What is in one of two sorted lists, sorted, each once.
fn union(
    a: impl Iterator<Item = Uuid>,
    b: impl Iterator<Item = Uuid>,
) -> impl Iterator<Item = Uuid> {
    let (mut a, mut b, mut last) = (a.peekable(), b.peekable(), None);
    std::iter::from_fn(move || {
        let next = match (a.peek(), b.peek()) {
            (Some(of_a), Some(of_b)) if of_a == of_b => {
                a.next();
                b.next()
            }
            (Some(of_a), Some(of_b)) if of_a > of_b => b.next(),
            (Some(_), _) => a.next(),
            (None, _) => b.next(),
        }?;
        assert!(last < Some(next), "each topic is looked at once, in their order");
        last = Some(next);
        last
    })
}

/// A topic as this core reaches it.
pub struct TopicRoute {
    pub name: Rc<str>,
    pub id: Uuid,
    /// A coordinator keeps its state in it: clients may not write or remove records.
    pub is_internal: bool,
    pub config: Rc<LogConfig>,
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
        let before = self.by_id.insert(route.id, route.clone());
        let (known, now) =
            (before.map_or(0, |before| before.partitions.len()), route.partitions.len());
        assert!(known <= now, "{} has lost ways to partitions: {known}, now {now}", route.name);
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
        let route = |(index, partition): (&i32, &Arc<PartitionRegistration>)| {
            let id = PartitionId { topic_id: topic.id, index: *index };
            let (owner, local) = (view.owners.of(id), open.get(&id).cloned());
            assert!(local.is_none() || owner.is_some(), "{id:?} is open, and no core's");
            PartitionRoute {
                leader: partition.leader,
                leader_epoch: partition.leader_epoch,
                owner,
                is_led_here: partition.leader == view.node_id,
                local,
            }
        };
        TopicRoute {
            name: (&*topic.name).into(),
            id: topic.id,
            is_internal: topic_name::is_internal(&topic.name),
            config: topic_log_config(view, &topic.name).shared(),
            partitions: topic.partitions.iter().map(route).collect(),
        }
    }
}

/// The configuration of a topic's logs.
pub fn topic_log_config(view: &ClusterView, topic: &str) -> LogConfig {
    LogConfig {
        producer_id_expiration_ms: view.runtime.transactions.producer_id_expiration_ms.into(),
        ..LogConfig::effective(view.overrides(topic), &view.layers)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::meta::image::ConfigResource;

    pub fn image(load: &[(u128, usize)]) -> MetadataImage {
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

    pub fn of_topics(ids: &[u128]) -> Changes {
        Changes::of_topics(ids.iter().map(|id| Uuid::from_u128(*id)))
    }

    #[test]
    fn a_view_looks_at_what_has_changed() {
        let (one, two) = (image(&[(101, 1), (102, 1)]), image(&[(102, 1), (103, 1)]));
        let view = ClusterView {
            image: Arc::new(two),
            ..ClusterView::empty("test", 1, 1, Layers::default())
        };
        let ids = |changes: &Changes| -> Vec<u128> {
            view.topics_to_look_at(&one, changes).map(|id| id.as_u128()).collect()
        };
        assert_eq!(ids(&Changes::all_new()), [101, 102, 103]);
        assert_eq!(ids(&of_topics(&[103, 101])), [101, 103]);
        let topic_configs = ["t102".to_owned(), "t101".to_owned()].into();
        assert_eq!(
            ids(&Changes { topic_configs, ..of_topics(&[103]) }),
            [102, 103],
            "t101 is gone"
        );
        let gone = |changes: &Changes| -> Vec<u128> {
            view.gone_since(&one, changes).map(|topic| topic.id.as_u128()).collect()
        };
        assert_eq!(gone(&Changes::all_new()), [101]);
        assert_eq!(gone(&of_topics(&[103, 102, 101])), [101]);
        assert!(gone(&of_topics(&[102])).is_empty());
    }

    /// The view of a node that all brokers' and its own dynamic configs were set for.
    fn configured(of_all: &[(&str, &str)], own: &[(&str, &str)]) -> ClusterView {
        let mut image = MetadataImage::empty("test");
        for (name, pairs) in [("", of_all), ("1", own)] {
            let resource = ConfigResource::new(ConfigResourceType::Broker, name);
            let pair = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
            let configs: Configs = pairs.iter().map(pair).collect();
            image.configs.insert_mut(resource, Arc::new(configs));
        }
        let changes = Changes { broker_configs: true, ..Changes::default() };
        ClusterView::empty("test", 1, 1, Layers::default()).apply(Arc::new(image), &changes)
    }

    #[test]
    fn a_change_of_a_dynamic_config_is_in_the_next_view() {
        let of_all = [("producer.id.expiration.ms", "7"), ("log.cleaner.backoff.ms", "8")];
        let view = configured(&of_all, &[("producer.id.expiration.ms", "9")]);
        assert_eq!(view.runtime.log.cleaner_backoff_ms, 8);
        assert_eq!(topic_log_config(&view, "t").producer_id_expiration_ms, 9);
        let before = ClusterView::empty("test", 1, 1, Layers::default());
        assert_eq!(topic_log_config(&before, "t").producer_id_expiration_ms, 86_400_000);
    }

    /// The metadata log may have them from another release; a core that met one would end.
    #[test]
    fn stored_configs_that_cannot_be_used_are_passed_over() {
        let of_all = [("log.roll.ms", "0"), ("log.segment.bytes", "x"), ("listeners", "A://:1")];
        let own = [("num.partitions", "3"), ("ssl.key.password", "x"), ("retention", "y")];
        let view = configured(&of_all, &own);
        let plain = ClusterView::empty("test", 1, 1, Layers::default());
        assert_eq!(topic_log_config(&view, "t"), topic_log_config(&plain, "t"));
        let used = view.layers.merged().into_keys().collect::<Vec<String>>();
        assert_eq!(used, ["log.roll.ms", "retention"]);
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
