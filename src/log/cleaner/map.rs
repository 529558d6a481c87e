//! The last offset of each key: a hash table of fixed size (`SkimpyOffsetMap`).
//!
//! Keys are known by their hashes of 128 bits under a secret key: two keys of one hash would lose a
//! record, and a client cannot look for such two. Owns: its slots, in chunks that are made when
//! they are first written to, so that few keys take little memory. Lives on the core of the log.
//! Never: grows beyond the slots that it was made with.

use crate::pace::TurnBudget;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;

/// The two halves of a key's hash, and its last offset plus one; all zero: free.
type Slot = [u64; 3];

pub const SLOT_BYTES: usize = size_of::<Slot>();
/// Few enough to be made, and to be let go, in a fraction of a millisecond.
const CHUNK_SLOTS: usize = 8 * 1024;

pub struct KeyMap {
    chunks: Vec<Option<Box<[Slot]>>>,
    slots: usize,
    used: usize,
    used_max: usize,
    secret: (u64, u64),
}

/// The map has no room for another key.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

impl KeyMap {
    /// At most `load_factor` of `slots` are used. `secret` is drawn for each map.
    pub fn new(slots: usize, load_factor: f64, secret: (u64, u64)) -> Self {
        assert!(slots > 0, "a map without slots");
        assert!((0.0..=1.0).contains(&load_factor), "{load_factor} of a map is used");
        // A search ends at a free slot.
        let used_max = ((slots as f64 * load_factor) as usize).clamp(1, slots.max(2) - 1);
        let slots = slots.max(2);
        let chunks = (0..slots.div_ceil(CHUNK_SLOTS)).map(|_| None).collect();
        Self { chunks, slots, used: 0, used_max, secret }
    }

    pub fn len(&self) -> usize {
        self.used
    }

    /// What its chunks take now.
    pub fn memory_bytes(&self) -> usize {
        self.chunks.iter().flatten().map(|chunk| chunk.len() * SLOT_BYTES).sum()
    }

    fn hash(&self, key: &[u8]) -> [u64; 2] {
        let mut hasher = SipHasher13::new_with_keys(self.secret.0, self.secret.1);
        hasher.write(key);
        let hash = hasher.finish128();
        // Zeros are those of a free slot.
        [hash.h1 | 1, hash.h2]
    }

    /// Where a search for this hash begins: each slot with the same chance.
    fn first(&self, hash: [u64; 2]) -> usize {
        ((u128::from(hash[1]) * self.slots as u128) >> 64) as usize
    }

    fn slot(&self, at: usize) -> Slot {
        self.chunks[at / CHUNK_SLOTS].as_ref().map_or([0; 3], |chunk| chunk[at % CHUNK_SLOTS])
    }

    /// The slot that has this hash, or the free one where it would be.
    fn find(&self, hash: [u64; 2]) -> (usize, Slot) {
        let mut at = self.first(hash);
        loop {
            let slot = self.slot(at);
            if slot[2] == 0 || slot[..2] == hash {
                return (at, slot);
            }
            at = if at + 1 == self.slots { 0 } else { at + 1 };
        }
    }

    /// A later record of a key that the map has already needs no room.
    pub fn put(&mut self, key: &[u8], offset: i64) -> Result<(), Full> {
        assert!(offset >= 0, "a record has offset {offset}");
        let hash = self.hash(key);
        let (at, found) = self.find(hash);
        let before = found[2];
        assert!(before <= offset as u64, "the map has {before}, and a record at {offset} follows");
        if before == 0 {
            if self.used == self.used_max {
                return Err(Full);
            }
            self.used += 1;
        }
        let slots = self.slots;
        let chunk = self.chunks[at / CHUNK_SLOTS].get_or_insert_with(|| {
            let first = at / CHUNK_SLOTS * CHUNK_SLOTS;
            vec![[0; 3]; CHUNK_SLOTS.min(slots - first)].into()
        });
        chunk[at % CHUNK_SLOTS] = [hash[0], hash[1], offset as u64 + 1];
        Ok(())
    }

    pub fn get(&self, key: &[u8]) -> Option<i64> {
        let (_, found) = self.find(self.hash(key));
        found[2].checked_sub(1).map(|offset| offset as i64)
    }

    /// Gives its memory back, in turns.
    pub async fn release(mut self, budget: &mut TurnBudget<'_>) {
        while let Some(chunk) = self.chunks.pop() {
            let had_any = chunk.is_some();
            drop(chunk);
            if had_any {
                budget.step_done().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_full_map_takes_no_new_key_and_goes_on_with_those_it_has() {
        let mut map = KeyMap::new(4, 0.75, (1, 2));
        for key in 0..3_u8 {
            map.put(&[key], i64::from(key)).expect("there is room for three");
        }
        assert_eq!(map.put(&[3], 3), Err(Full));
        assert_eq!(map.put(&[1], 4), Ok(()));
        let all = (0..4_u8).map(|key| map.get(&[key])).collect::<Vec<_>>();
        assert_eq!(all, [Some(0), Some(4), Some(2), None]);
        assert_eq!(map.len(), 3);
    }

    #[test]
    fn memory_comes_with_the_keys_and_has_the_bound_of_the_slots() {
        let mut map = KeyMap::new(10 * CHUNK_SLOTS, 0.9, (7, 7));
        assert_eq!(map.memory_bytes(), 0);
        map.put(b"", 0).expect("there is room");
        assert!(map.memory_bytes() <= CHUNK_SLOTS * SLOT_BYTES);
        for offset in 1..5 * CHUNK_SLOTS as i64 {
            map.put(&offset.to_be_bytes(), offset).expect("there is room");
        }
        assert_eq!(map.memory_bytes(), 10 * CHUNK_SLOTS * SLOT_BYTES);
        assert_eq!((map.get(b""), map.get(&7_i64.to_be_bytes())), (Some(0), Some(7)));
    }

    proptest! {
        #[test]
        fn it_has_what_a_map_of_whole_keys_has(
            keys in prop::collection::vec(prop::collection::vec(0_u8..3, 0..4), 0..200),
            slots in 1_usize..300,
        ) {
            let (mut map, mut model) = (KeyMap::new(slots, 0.9, (3, 4)), BTreeMap::new());
            for (offset, key) in keys.iter().enumerate() {
                let is_known = model.contains_key(key);
                match map.put(key, offset as i64) {
                    Ok(()) => drop(model.insert(key.clone(), offset as i64)),
                    Err(Full) => {
                        prop_assert!(!is_known);
                        prop_assert!(map.len() as f64 >= slots as f64 * 0.9 - 1.0);
                    }
                }
            }
            for key in &keys {
                prop_assert_eq!(map.get(key), model.get(key).copied());
            }
            prop_assert_eq!(map.len(), model.len());
        }
    }
}
