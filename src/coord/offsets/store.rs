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

pub(in crate::coord) type PartitionOffsets = BTreeMap<i32, CommittedOffset>;
pub(in crate::coord) type GroupOffsets = BTreeMap<Arc<str>, PartitionOffsets>;

#[derive(Debug, Default)]
pub(in crate::coord) struct Offsets {
    by_group: BTreeMap<Arc<str>, GroupOffsets>,
    /// Producer id → what its open transaction will commit.
    pending: BTreeMap<i64, BTreeMap<PartitionKey, CommittedOffset>>,
    sequence: u64,
}

impl Offsets {
    pub fn group(&self, group: &str) -> Option<&GroupOffsets> {
        self.by_group.get(group)
    }

    pub fn get(&self, group: &str, topic: &str, partition: i32) -> Option<&CommittedOffset> {
        self.by_group.get(group)?.get(topic)?.get(&partition)
    }

    /// Takes over a record outside any transaction. A tombstone deletes what open transactions hold
    /// for the partition too.
    pub fn replay(&mut self, key: &PartitionKey, value: Option<CommittedOffset>) {
        self.sequence += 1;
        match value {
            Some(value) => self.put(key, CommittedOffset { sequence: self.sequence, ..value }),
            None => {
                self.remove(key);
                for pending in self.pending.values_mut() {
                    pending.remove(key);
                }
                self.pending.retain(|_, pending| !pending.is_empty());
            }
        }
    }

    /// Takes over a record of an open transaction.
    pub fn replay_pending(&mut self, producer_id: i64, key: PartitionKey, value: CommittedOffset) {
        self.sequence += 1;
        let value = CommittedOffset { sequence: self.sequence, ..value };
        self.pending.entry(producer_id).or_default().insert(key, value);
    }

    /// The producer's transaction has ended.
    pub fn replay_end_of_transaction(&mut self, producer_id: i64, committed: bool) {
        let pending = self.pending.remove(&producer_id).unwrap_or_default();
        for (key, value) in pending.into_iter().filter(|_| committed) {
            let current = self.get(&key.group, &key.topic, key.partition);
            if current.is_none_or(|current| current.sequence < value.sequence) {
                self.put(&key, value);
            }
        }
    }

    fn put(&mut self, key: &PartitionKey, value: CommittedOffset) {
        // Committing again is the rule: find the place without copying names.
        if let Some(place) = self
            .by_group
            .get_mut(&key.group)
            .and_then(|topics| topics.get_mut(&key.topic))
            .and_then(|partitions| partitions.get_mut(&key.partition))
        {
            *place = value;
            return;
        }
        let topics = self.by_group.entry(key.group.clone()).or_default();
        topics.entry(key.topic.clone()).or_default().insert(key.partition, value);
    }

    fn remove(&mut self, key: &PartitionKey) {
        let Some(topics) = self.by_group.get_mut(&key.group) else { return };
        let Some(partitions) = topics.get_mut(&key.topic) else { return };
        partitions.remove(&key.partition);
        if partitions.is_empty() {
            topics.remove(&key.topic);
        }
        if topics.is_empty() {
            self.by_group.remove(&key.group);
        }
    }

    pub fn has_pending(&self, group: &str, topic: &str, partition: i32) -> bool {
        self.pending
            .values()
            .flat_map(BTreeMap::keys)
            .any(|key| &*key.group == group && &*key.topic == topic && key.partition == partition)
    }

    pub fn group_has_pending(&self, group: &str) -> bool {
        self.pending.values().flat_map(BTreeMap::keys).any(|key| &*key.group == group)
    }

    /// Every partition of the group that has an offset or waits for one.
    pub fn keys_of_group(&self, group: &Arc<str>) -> BTreeSet<PartitionKey> {
        let committed =
            self.by_group.get(group).into_iter().flatten().flat_map(|(topic, partitions)| {
                partitions.keys().map(|partition| PartitionKey {
                    group: group.clone(),
                    topic: topic.clone(),
                    partition: *partition,
                })
            });
        let pending = self
            .pending
            .values()
            .flat_map(BTreeMap::keys)
            .filter(|key| key.group == *group)
            .cloned();
        committed.chain(pending).collect()
    }

    /// Every partition of the topic, in any group, that has an offset or waits for one. Commits
    /// that name another id than `topic_id` belong to another topic of that name.
    pub fn keys_of_topic(&self, topic: &str, topic_id: Uuid) -> BTreeSet<PartitionKey> {
        let of_topic = |committed: &CommittedOffset| {
            committed.topic_id.is_zero() || committed.topic_id == topic_id
        };
        let mut keys = BTreeSet::new();
        for (group, topics) in &self.by_group {
            let Some((topic, partitions)) = topics.get_key_value(topic) else { continue };
            for (partition, _) in partitions.iter().filter(|(_, committed)| of_topic(committed)) {
                keys.insert(PartitionKey {
                    group: group.clone(),
                    topic: topic.clone(),
                    partition: *partition,
                });
            }
        }
        let pending = self.pending.values().flatten();
        keys.extend(
            pending
                .filter(|(key, value)| &*key.topic == topic && of_topic(value))
                .map(|(key, _)| key.clone()),
        );
        keys
    }

    #[cfg(test)]
    pub fn all(&self) -> BTreeMap<PartitionKey, CommittedOffset> {
        let mut all = BTreeMap::new();
        for (group, topics) in &self.by_group {
            for (topic, partitions) in topics {
                for (partition, value) in partitions {
                    let key = PartitionKey {
                        group: group.clone(),
                        topic: topic.clone(),
                        partition: *partition,
                    };
                    all.insert(key, CommittedOffset { sequence: 0, ..value.clone() });
                }
            }
        }
        all
    }
}
