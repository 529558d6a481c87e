//! The partitions of one transaction.
//!
//! Pure data of an entry of the transaction coordinator.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    pub topic: Arc<str>,
    pub partition: i32,
}

/// A set of partitions; no topic is without any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Partitions {
    topics: BTreeMap<Arc<str>, BTreeSet<i32>>,
    len: usize,
    /// The names of the topics.
    name_bytes: usize,
}

/// What a topic and a partition take in a record of any version, without the topic's name.
const TOPIC_BYTES_MAX: usize = 2 + 4 + 1;
const PARTITION_BYTES: usize = 4;
/// About the same in memory, also where they stand in a second set while markers are on their way.
const TOPIC_MEMORY_BYTES: usize = 256;
const PARTITION_MEMORY_BYTES: usize = 16;

impl Partitions {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn contains(&self, topic: &str, partition: i32) -> bool {
        self.topics.get(topic).is_some_and(|partitions| partitions.contains(&partition))
    }

    pub fn contains_all(&self, other: &Partitions) -> bool {
        other.topics.iter().all(|(topic, partitions)| {
            self.topics.get(topic).is_some_and(|own| own.is_superset(partitions))
        })
    }

    pub fn insert(&mut self, topic: &str, partition: i32) {
        let added = match self.topics.get_mut(topic) {
            Some(partitions) => partitions.insert(partition),
            None => {
                self.name_bytes += topic.len();
                self.topics.insert(Arc::from(topic), BTreeSet::from([partition])).is_none()
            }
        };
        self.len += usize::from(added);
    }

    pub fn insert_all(&mut self, other: &Partitions) {
        for (topic, partitions) in &other.topics {
            let own = self.topics.entry(topic.clone()).or_insert_with(|| {
                self.name_bytes += topic.len();
                BTreeSet::new()
            });
            let before = own.len();
            own.extend(partitions);
            self.len += own.len() - before;
        }
    }

    pub fn remove(&mut self, topic: &str, partition: i32) -> bool {
        let Some(partitions) = self.topics.get_mut(topic) else { return false };
        let removed = partitions.remove(&partition);
        if partitions.is_empty() {
            self.topics.remove(topic);
            self.name_bytes -= topic.len();
        }
        self.len -= usize::from(removed);
        removed
    }

    /// Removes the first of them, so many at most.
    pub fn take(&mut self, len_max: usize) -> Vec<TopicPartition> {
        let mut taken = Vec::with_capacity(len_max.min(self.len));
        while taken.len() < len_max
            && let Some((topic, partitions)) = self.topics.iter().next()
        {
            let topic = topic.clone();
            let room = len_max - taken.len();
            let some: Vec<i32> = partitions.iter().copied().take(room).collect();
            for partition in some {
                self.remove(&topic, partition);
                taken.push(TopicPartition { topic: topic.clone(), partition });
            }
        }
        taken
    }

    pub fn topics(&self) -> impl Iterator<Item = (&Arc<str>, &BTreeSet<i32>)> {
        self.topics.iter()
    }

    /// An upper bound of what they take in a record.
    pub fn record_bytes_max(&self) -> usize {
        self.name_bytes + self.topics.len() * TOPIC_BYTES_MAX + self.len * PARTITION_BYTES
    }

    /// About what they take in memory.
    pub fn memory_bytes(&self) -> usize {
        self.name_bytes + self.topics.len() * TOPIC_MEMORY_BYTES + self.len * PARTITION_MEMORY_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(topic: &str, partition: i32) -> TopicPartition {
        TopicPartition { topic: Arc::from(topic), partition }
    }

    #[test]
    fn counts_each_partition_once() {
        let mut partitions = Partitions::default();
        for (topic, partition) in [("t", 0), ("t", 1), ("u", 0), ("t", 0)] {
            partitions.insert(topic, partition);
        }
        assert_eq!(partitions.len(), 3);
        let mut more = Partitions::default();
        more.insert("u", 0);
        assert!(partitions.contains_all(&more) && !more.contains_all(&partitions));
        more.insert("v", 7);
        partitions.insert_all(&more);
        assert_eq!(partitions.len(), 4);
        assert_eq!(partitions.clone().take(9).len(), 4);
        assert_eq!(partitions.clone().take(3).last(), Some(&at("u", 0)));
        assert!(partitions.remove("t", 0) && !partitions.remove("t", 0));
        assert!(!partitions.remove("w", 0));
        for (topic, partition) in [("t", 1), ("u", 0), ("v", 7)] {
            assert!(partitions.contains(topic, partition));
            assert!(partitions.remove(topic, partition));
        }
        assert!(partitions.is_empty());
        assert_eq!(partitions, Partitions::default());
    }
}
