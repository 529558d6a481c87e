//! A slab whose keys carry a generation, so that a key of something gone never names its successor.

/// Values under keys of `generation << 32 | index`. A key is never `u64::MAX`.
pub(crate) struct Slots<T> {
    entries: Vec<Entry<T>>,
    free: Vec<u32>,
}

struct Entry<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slots<T> {
    pub(crate) const fn new() -> Self {
        Self { entries: Vec::new(), free: Vec::new() }
    }

    /// Stores what `make` returns for the key that it will have.
    pub(crate) fn insert_with(&mut self, make: impl FnOnce(u64) -> T) -> u64 {
        let index = self.free.pop().unwrap_or_else(|| {
            assert!(
                self.entries.len() < u32::MAX as usize,
                "a core holds fewer than 2^32 tasks, timers and operations"
            );
            self.entries.push(Entry { generation: 0, value: None });
            (self.entries.len() - 1) as u32
        });
        let entry = &mut self.entries[index as usize];
        let key = u64::from(entry.generation) << 32 | u64::from(index);
        assert!(entry.value.is_none(), "the slot of {key:#x} is free and holds a value");
        entry.value = Some(make(key));
        key
    }

    pub(crate) fn insert(&mut self, value: T) -> u64 {
        self.insert_with(|_| value)
    }

    pub(crate) fn get_mut(&mut self, key: u64) -> Option<&mut T> {
        let entry = self.entries.get_mut(key as u32 as usize)?;
        if u64::from(entry.generation) == key >> 32 { entry.value.as_mut() } else { None }
    }

    pub(crate) fn remove(&mut self, key: u64) -> Option<T> {
        let entry = self.entries.get_mut(key as u32 as usize)?;
        if u64::from(entry.generation) != key >> 32 {
            return None;
        }
        let value = entry.value.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(key as u32);
        let (free, all) = (self.free.len(), self.entries.len());
        assert!(free <= all, "{free} of {all} slots are free");
        Some(value)
    }

    /// The keys in use, in the order of their indexes.
    pub(crate) fn keys(&self) -> Vec<u64> {
        let in_use = |(index, entry): (usize, &Entry<T>)| {
            entry.value.is_some().then_some(u64::from(entry.generation) << 32 | index as u64)
        };
        let keys: Vec<u64> = self.entries.iter().enumerate().filter_map(in_use).collect();
        let (used, free, all) = (keys.len(), self.free.len(), self.entries.len());
        assert_eq!(used + free, all, "{used} slots are in use and {free} are free, of {all}");
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_key_finds_nothing() {
        let mut slots = Slots::new();
        let first = slots.insert("first");
        assert_eq!(slots.remove(first), Some("first"));
        let second = slots.insert("second");
        assert_ne!(first, second);
        assert_eq!(slots.get_mut(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get_mut(second), Some(&mut "second"));
        assert_eq!(slots.keys(), [second]);
    }
}
