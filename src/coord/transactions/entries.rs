//! The transactional ids of one partition, and what they take in memory.
//!
//! Pure data of the coordinator that leads it. An entry changes here alone, so that the account is
//! that of what is kept.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::{Bound, Index};
use std::sync::Arc;

use super::entry::Entry;

/// All entries, by their transactional ids.
#[derive(Debug, Default)]
pub(super) struct Entries {
    by_id: BTreeMap<Arc<str>, Entry>,
    memory_bytes: usize,
}

impl Entries {
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// About what all of them take.
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    pub fn get(&self, id: &str) -> Option<&Entry> {
        self.by_id.get(id)
    }

    /// Those behind an id, which need not be there any more; all behind none.
    pub fn after(&self, id: Option<&str>) -> impl Iterator<Item = (&Arc<str>, &Entry)> {
        let start = id.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_id.range::<str, _>((start, Bound::Unbounded))
    }

    pub fn insert(&mut self, entry: Entry) {
        self.memory_bytes += entry.memory_bytes();
        if let Some(before) = self.by_id.insert(entry.id.clone(), entry) {
            self.gone(before.memory_bytes());
        }
    }

    pub fn remove(&mut self, id: &str) {
        if let Some(before) = self.by_id.remove(id) {
            self.gone(before.memory_bytes());
        }
    }

    /// The partition has its marker.
    pub fn remove_partition(&mut self, id: &str, topic: &str, partition: i32) {
        let entry = self.by_id.get_mut(id).expect("markers are of an entry");
        let before = entry.memory_bytes();
        entry.partitions.remove(topic, partition);
        let after = entry.memory_bytes();
        assert!(after <= before, "{id} took {before} bytes, and {after} with a partition less");
        self.gone(before - after);
    }

    fn gone(&mut self, bytes: usize) {
        let left = self.memory_bytes.checked_sub(bytes);
        self.memory_bytes = left.expect("no more goes than there was");
    }
}

impl<Q: Ord + ?Sized> Index<&Q> for Entries
where
    Arc<str>: Borrow<Q>,
{
    type Output = Entry;

    fn index(&self, id: &Q) -> &Entry {
        &self.by_id[id]
    }
}
