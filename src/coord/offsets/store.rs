//! Committed offsets by group, topic and partition, and those that wait for the end of their
//! transaction.
//!
//! Pure data; changed by replaying records alone, whether they come from the log or were made a
//! moment ago.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::Uuid;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::coord) struct PartitionKey {
    pub group: Arc<str>,
    pub topic: Arc<str>,
    pub partition: i32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::coord) struct CommittedOffset {
    pub offset: i64,
    /// Of the last consumed record; -1 if the client did not say.
    pub leader_epoch: i32,
    pub metadata: Box<str>,
    pub commit_timestamp_ms: i64,
    /// Set by clients before OffsetCommit 5 alone; later ones leave it to the group's retention
    /// (KIP-211).
    pub expire_timestamp_ms: Option<i64>,
    /// Zero for commits by topic name.
    pub topic_id: Uuid,
    /// The order in which records came, across transactions: the later commit of a partition wins,
    /// whenever its transaction ends.
    pub sequence: u64,
}

impl Default for CommittedOffset {
    fn default() -> CommittedOffset {
        CommittedOffset {
            offset: -1,
            leader_epoch: -1,
            metadata: Box::default(),
            commit_timestamp_ms: -1,
            expire_timestamp_ms: None,
            topic_id: Uuid::ZERO,
            sequence: 0,
        }
    }
}

/// Something of each partition of a topic that a group reads, found by names that are not copied.
#[derive(Debug)]
pub(in crate::coord) struct ByPartition<T>(BTreeMap<Arc<str>, ByTopic<T>>);

/// Of one group.
pub(in crate::coord) type ByTopic<T> = BTreeMap<Arc<str>, BTreeMap<i32, T>>;

impl<T> Default for ByPartition<T> {
    fn default() -> ByPartition<T> {
        ByPartition(BTreeMap::new())
    }
}

impl<T> ByPartition<T> {
    fn get(&self, group: &str, topic: &str, partition: i32) -> Option<&T> {
        self.0.get(group)?.get(topic)?.get(&partition)
    }

    fn get_mut(&mut self, key: &PartitionKey) -> Option<&mut T> {
        self.0.get_mut(&key.group)?.get_mut(&key.topic)?.get_mut(&key.partition)
    }

    fn insert(&mut self, key: &PartitionKey, value: T) {
        // Committing again is the rule: find the place without copying names.
        if let Some(place) = self.get_mut(key) {
            *place = value;
            return;
        }
        let topics = self.0.entry(key.group.clone()).or_default();
        topics.entry(key.topic.clone()).or_default().insert(key.partition, value);
    }

    fn remove(&mut self, key: &PartitionKey) -> Option<T> {
        let topics = self.0.get_mut(&key.group)?;
        let partitions = topics.get_mut(&key.topic)?;
        let removed = partitions.remove(&key.partition);
        if partitions.is_empty() {
            topics.remove(&key.topic);
        }
        if topics.is_empty() {
            self.0.remove(&key.group);
        }
        removed
    }

    fn keys_of_group(&self, group: &Arc<str>) -> impl Iterator<Item = PartitionKey> {
        self.0.get(group).into_iter().flatten().flat_map(|(topic, partitions)| {
            partitions.keys().map(|partition| PartitionKey {
                group: group.clone(),
                topic: topic.clone(),
                partition: *partition,
            })
        })
    }

    /// In any group.
    fn of_topic(&self, topic: &str) -> impl Iterator<Item = (PartitionKey, &T)> {
        let groups = self.0.iter().filter_map(move |(group, topics)| {
            let (topic, partitions) = topics.get_key_value(topic)?;
            Some((group, topic, partitions))
        });
        groups.flat_map(|(group, topic, partitions)| {
            partitions.iter().map(|(partition, value)| {
                let (group, topic) = (group.clone(), topic.clone());
                (PartitionKey { group, topic, partition: *partition }, value)
            })
        })
    }
}

#[derive(Debug, Default)]
pub(in crate::coord) struct Offsets {
    committed: ByPartition<CommittedOffset>,
    /// Producer id → what its open transaction will commit.
    pending: BTreeMap<i64, BTreeMap<PartitionKey, CommittedOffset>>,
    /// The same by partition: the producers that will commit an offset of it.
    pending_producers: ByPartition<BTreeSet<i64>>,
    sequence: u64,
}

impl Offsets {
    pub fn group(&self, group: &str) -> Option<&ByTopic<CommittedOffset>> {
        self.committed.0.get(group)
    }

    pub fn get(&self, group: &str, topic: &str, partition: i32) -> Option<&CommittedOffset> {
        self.committed.get(group, topic, partition)
    }

    /// Takes over a record outside any transaction. A tombstone deletes what open transactions hold
    /// for the partition too: their markers must not bring back what was deleted after it.
    pub fn replay(&mut self, key: &PartitionKey, value: Option<CommittedOffset>) {
        self.sequence += 1;
        match value {
            Some(value) => {
                self.committed.insert(key, CommittedOffset { sequence: self.sequence, ..value });
            }
            None => {
                self.committed.remove(key);
                for producer_id in self.pending_producers.remove(key).unwrap_or_default() {
                    self.forget_pending(producer_id, key);
                }
            }
        }
    }

    fn forget_pending(&mut self, producer_id: i64, key: &PartitionKey) {
        let pending = self.pending.get_mut(&producer_id);
        let pending = pending.expect("a producer of a partition has something pending");
        let removed = pending.remove(key);
        assert!(removed.is_some(), "producer {producer_id} has nothing pending for {key:?}");
        if pending.is_empty() {
            self.pending.remove(&producer_id);
        }
    }

    /// Takes over a record of an open transaction.
    pub fn replay_pending(&mut self, producer_id: i64, key: PartitionKey, value: CommittedOffset) {
        self.sequence += 1;
        let value = CommittedOffset { sequence: self.sequence, ..value };
        match self.pending_producers.get_mut(&key) {
            Some(producers) => {
                producers.insert(producer_id);
            }
            None => self.pending_producers.insert(&key, BTreeSet::from([producer_id])),
        }
        self.pending.entry(producer_id).or_default().insert(key, value);
    }

    /// The producer's transaction has ended. What was committed behind its own record of a
    /// partition stays.
    pub fn replay_end_of_transaction(&mut self, producer_id: i64, committed: bool) {
        for (key, value) in self.pending.remove(&producer_id).unwrap_or_default() {
            let producers = self.pending_producers.get_mut(&key);
            let producers = producers.expect("what is pending is found by its partition");
            producers.remove(&producer_id);
            if producers.is_empty() {
                self.pending_producers.remove(&key);
            }
            let current = self.get(&key.group, &key.topic, key.partition);
            if committed && current.is_none_or(|current| current.sequence < value.sequence) {
                self.committed.insert(&key, value);
            }
        }
    }

    pub fn has_pending(&self, group: &str, topic: &str, partition: i32) -> bool {
        self.pending_producers.get(group, topic, partition).is_some()
    }

    pub fn group_has_pending(&self, group: &str) -> bool {
        self.pending_producers.0.contains_key(group)
    }

    /// Every partition of the group that has an offset or waits for one.
    pub fn keys_of_group(&self, group: &Arc<str>) -> BTreeSet<PartitionKey> {
        let committed = self.committed.keys_of_group(group);
        committed.chain(self.pending_producers.keys_of_group(group)).collect()
    }

    /// Every partition of the topic, in any group, that has an offset or waits for one. Commits
    /// that name another id than `topic_id` belong to another topic of that name.
    pub fn keys_of_topic(&self, topic: &str, topic_id: Uuid) -> BTreeSet<PartitionKey> {
        let is_of_topic = |committed: &CommittedOffset| {
            committed.topic_id.is_zero() || committed.topic_id == topic_id
        };
        let committed = self.committed.of_topic(topic);
        let committed = committed.filter(|(_, committed)| is_of_topic(committed));
        let pending = self.pending_producers.of_topic(topic).filter(|(key, producers)| {
            producers.iter().any(|producer_id| is_of_topic(&self.pending[producer_id][key]))
        });
        committed.map(|(key, _)| key).chain(pending.map(|(key, _)| key)).collect()
    }

    #[cfg(test)]
    pub fn all(&self) -> BTreeMap<PartitionKey, CommittedOffset> {
        let mut all = BTreeMap::new();
        for group in self.committed.0.keys() {
            for key in self.committed.keys_of_group(group) {
                let value = self.get(&key.group, &key.topic, key.partition).unwrap().clone();
                all.insert(key, CommittedOffset { sequence: 0, ..value });
            }
        }
        all
    }

    /// What is pending, by producer and partition. Checks that it is found by partition, too.
    #[cfg(test)]
    pub fn all_pending(&self) -> BTreeMap<(i64, PartitionKey), i64> {
        let mut all = BTreeMap::new();
        for (producer_id, pending) in &self.pending {
            for (key, value) in pending {
                let producers =
                    self.pending_producers.get(&key.group, &key.topic, key.partition).unwrap();
                assert!(producers.contains(producer_id), "{producer_id} for {key:?}");
                all.insert((*producer_id, key.clone()), value.offset);
            }
        }
        let topics = self.pending_producers.0.values();
        let found = topics.flat_map(BTreeMap::values).flat_map(BTreeMap::values);
        assert_eq!(found.map(BTreeSet::len).sum::<usize>(), all.len());
        all
    }
}
