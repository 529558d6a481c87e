//! The cluster's metadata at one offset of the metadata log: immutable, complete, and cheap to
//! copy.
//!
//! An image shares everything that has not changed with the images before it (persistent maps of
//! reference-counted values), so a copy costs a few pointers and an image may stay in use on any
//! core for as long as it likes. What nothing acts upon yet is kept in the form of its record.
//! Replaying records into a copy is in [`super::replay`], writing an image as records in
//! [`super::snapshot`].

use super::{
    features,
    topic::{PartitionRegistration, Topic},
};
use protocol::Uuid;
use protocol::metadata_records::{
    AccessControlEntryRecord, DelegationTokenRecord, RegisterBrokerRecord,
    RegisterControllerRecord, UserScramCredentialRecord,
};
use std::{collections::BTreeMap, sync::Arc};

/// A sorted map whose versions share what they have in common.
pub type Map<K, V> = rpds::RedBlackTreeMapSync<K, V>;

#[derive(Clone, Debug, PartialEq)]
pub struct MetadataImage {
    pub provenance: Provenance,
    /// From `meta.properties`; the log does not hold it.
    pub cluster_id: Arc<str>,
    pub quorum: Arc<Quorum>,
    /// Finalized levels above 0, without `kraft.version` (see [`Quorum::kraft_version`]).
    pub features: Arc<BTreeMap<String, i16>>,
    pub brokers: Map<i32, Arc<Broker>>,
    pub controllers: Map<i32, Arc<RegisterControllerRecord>>,
    pub topics: Topics,
    pub configs: Map<ConfigResource, Arc<Configs>>,
    /// The first producer id that no broker has been given yet.
    pub next_producer_id: i64,
    pub client_quotas: Map<QuotaEntity, Arc<BTreeMap<String, f64>>>,
    /// By user name and mechanism (1 SCRAM-SHA-256, 2 SCRAM-SHA-512).
    pub scram_credentials: Map<(String, i8), Arc<UserScramCredentialRecord>>,
    pub acls: Map<Uuid, Arc<AccessControlEntryRecord>>,
    /// By token id.
    pub delegation_tokens: Map<String, Arc<DelegationTokenRecord>>,
}

/// A resource's configs as set by name; a config that is not here has its default.
pub type Configs = BTreeMap<String, String>;

/// Where an image comes from: the last record that it contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// -1: no record at all.
    pub offset: i64,
    pub epoch: i32,
    pub timestamp_ms: i64,
}

/// What the log's control records say of the quorum itself (KIP-853).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quorum {
    pub kraft_version: i16,
    /// The node that wrote the latest LeaderChange.
    pub leader_id: i32,
    pub leader_epoch: i32,
    /// By id. Empty with `kraft.version` 0, where the configuration names the voters.
    pub voters: Vec<Voter>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Voter {
    pub id: i32,
    pub directory_id: Uuid,
    pub endpoints: Vec<Endpoint>,
    /// The levels of `kraft.version` that the voter supports: least and greatest.
    pub kraft_versions: (i16, i16),
}

/// Where a listener of a node is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    pub listener: String,
    pub host: String,
    pub port: u16,
}

/// A registered broker, in the form of the record that registers it as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Broker(pub RegisterBrokerRecord);

impl Broker {
    pub fn endpoint(
        &self,
        listener: &str,
    ) -> Option<&protocol::metadata_records::register_broker_record::BrokerEndpoint> {
        self.0.end_points.iter().find(|endpoint| endpoint.name == listener)
    }

    /// Whether partitions may be led here and new replicas go into the ISR at once.
    pub fn is_active(&self) -> bool {
        !self.0.fenced && !self.0.in_controlled_shutdown
    }

    /// Whether the broker still has the directory, as far as is known (`DirectoryId.isOnline`).
    pub fn has_online_directory(&self, id: Uuid) -> bool {
        use super::topic::directory::{LOST, MIGRATING, UNASSIGNED};
        match id {
            UNASSIGNED | MIGRATING => true,
            LOST => false,
            id => self.0.log_dirs.is_empty() || self.0.log_dirs.contains(&id),
        }
    }

    /// Whether some log directory takes new replicas (KIP-1066).
    pub fn has_uncordoned_directory(&self) -> bool {
        let Some(cordoned) = &self.0.cordoned_log_dirs else { return true };
        self.0.log_dirs.is_empty() || self.0.log_dirs.iter().any(|id| !cordoned.contains(id))
    }

    /// Where a new replica goes: known only when the broker has one directory; otherwise the broker
    /// chooses and tells.
    pub fn default_directory(&self) -> Uuid {
        use super::topic::directory::{MIGRATING, UNASSIGNED};
        match self.0.log_dirs[..] {
            [] => MIGRATING,
            [only] => only,
            _ => UNASSIGNED,
        }
    }
}

/// What configs belong to; the codes are those of the wire (`ConfigResource.Type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigResourceType {
    Topic = 2,
    Broker = 4,
    BrokerLogger = 8,
    ClientMetrics = 16,
    Group = 32,
}

impl ConfigResourceType {
    pub const ALL: [Self; 5] =
        [Self::Topic, Self::Broker, Self::BrokerLogger, Self::ClientMetrics, Self::Group];

    pub fn from_code(code: i8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    pub const fn code(self) -> i8 {
        self as i8
    }
}

/// The broker resource without a name stands for all brokers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConfigResource {
    pub kind: ConfigResourceType,
    pub name: String,
}

impl ConfigResource {
    pub fn new(kind: ConfigResourceType, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

/// Whom a quota applies to: pairs of type and name, sorted by type; no name stands for the default
/// of the type.
pub type QuotaEntity = Vec<(String, Option<String>)>;

/// The topics by id, with the ways to find them by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Topics {
    by_id: Map<Uuid, Arc<Topic>>,
    ids: Map<Arc<str>, Uuid>,
    /// Names with '.' or '_' by [`super::topic_name::collision_key`].
    colliding: Map<Arc<str>, Vec<Arc<str>>>,
}

impl Topics {
    pub fn by_name(&self, name: &str) -> Option<&Arc<Topic>> {
        self.by_id.get(self.ids.get(name)?)
    }

    pub fn by_id(&self, id: Uuid) -> Option<&Arc<Topic>> {
        self.by_id.get(&id)
    }

    pub fn id(&self, name: &str) -> Option<Uuid> {
        self.ids.get(name).copied()
    }

    pub fn len(&self) -> usize {
        self.by_id.size()
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// All topics, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.ids.values().map(|id| self.by_id.get(id).expect("a name leads to a topic"))
    }

    /// All topics, sorted by id.
    pub fn iter_by_id(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.by_id.values()
    }

    /// The topics from `name` on, sorted by name.
    pub fn from_name<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Arc<Topic>> {
        let first: Arc<str> = name.into();
        self.ids.range(first..).map(|(_, id)| self.by_id.get(id).expect("a name leads to a topic"))
    }

    /// A topic whose name metric names cannot tell from `name`.
    pub fn colliding_with(&self, name: &str) -> Option<&Arc<str>> {
        let key = super::topic_name::collision_key(name)?;
        self.colliding.get(key.as_str())?.first()
    }

    /// False: the name or the id is taken.
    pub(super) fn insert(&mut self, name: &str, id: Uuid) -> bool {
        if self.ids.contains_key(name) || self.by_id.contains_key(&id) {
            return false;
        }
        let name: Arc<str> = name.into();
        self.ids.insert_mut(name.clone(), id);
        if let Some(key) = super::topic_name::collision_key(&name) {
            let mut names = self.colliding.get(key.as_str()).cloned().unwrap_or_default();
            // Sorted: an image does not depend on the order that topics came in.
            names.insert(names.partition_point(|other| *other < name), name.clone());
            self.colliding.insert_mut(key.into(), names);
        }
        self.by_id.insert_mut(id, Arc::new(Topic { name, id, partitions: BTreeMap::new() }));
        true
    }

    pub(super) fn remove(&mut self, id: Uuid) -> Option<Arc<Topic>> {
        let topic = self.by_id.get(&id)?.clone();
        self.by_id.remove_mut(&id);
        self.ids.remove_mut(&topic.name);
        if let Some(key) = super::topic_name::collision_key(&topic.name) {
            let mut names = self.colliding.get(key.as_str()).cloned().unwrap_or_default();
            names.retain(|name| *name != topic.name);
            if names.is_empty() {
                self.colliding.remove_mut(key.as_str());
            } else {
                self.colliding.insert_mut(key.into(), names);
            }
        }
        Some(topic)
    }

    /// The topic to change; only what other images share of it is copied.
    pub(super) fn get_mut(&mut self, id: Uuid) -> Option<&mut Topic> {
        self.by_id.get_mut(&id).map(Arc::make_mut)
    }
}

impl MetadataImage {
    /// The image before the first record.
    pub fn empty(cluster_id: impl Into<Arc<str>>) -> Self {
        Self {
            provenance: Provenance { offset: -1, epoch: 0, timestamp_ms: -1 },
            cluster_id: cluster_id.into(),
            quorum: Arc::new(Quorum { leader_id: -1, ..Quorum::default() }),
            features: Arc::default(),
            brokers: Map::default(),
            controllers: Map::default(),
            topics: Topics::default(),
            configs: Map::default(),
            next_producer_id: 0,
            client_quotas: Map::default(),
            scram_credentials: Map::default(),
            acls: Map::default(),
            delegation_tokens: Map::default(),
        }
    }

    /// The finalized level of a feature; 0 when it is off.
    pub fn feature_level(&self, name: &str) -> i16 {
        match name {
            features::KRAFT_VERSION => self.quorum.kraft_version,
            name => self.features.get(name).copied().unwrap_or(0),
        }
    }

    /// 0: the log has no FeatureLevelRecord for it yet, which is so before the bootstrap records
    /// alone.
    pub fn metadata_version(&self) -> i16 {
        self.feature_level(features::METADATA_VERSION)
    }

    pub fn partition(&self, topic_id: Uuid, index: i32) -> Option<&Arc<PartitionRegistration>> {
        self.topics.by_id(topic_id)?.partition(index)
    }

    pub fn broker(&self, id: i32) -> Option<&Broker> {
        self.brokers.get(&id).map(Arc::as_ref)
    }

    /// The configs set for a resource; empty when none are.
    pub fn configs_of(&self, kind: ConfigResourceType, name: &str) -> &Configs {
        static NONE: Configs = Configs::new();
        self.configs.get(&ConfigResource::new(kind, name)).map_or(&NONE, Arc::as_ref)
    }
}
