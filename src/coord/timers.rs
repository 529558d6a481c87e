//! Deadlines of one coordinator, by keys that mean something to its state machine.
//!
//! Owned by a [`Coordinator`](super::runtime::Coordinator), on its core. Never reads a clock: the
//! time comes with each call.
//!
//! A heartbeat moves a deadline further away, thousands of times a second, and hardly ever does one
//! fire. So postponing writes one number only; the queue keeps the earlier instant, and an entry
//! that comes up too soon is queued again.

use std::collections::BTreeSet;
use std::hash::Hash;

use rustc_hash::FxHashMap;

#[derive(Clone, Copy, Debug)]
struct Deadline {
    wanted_ms: i64,
    /// Where the key stands in the queue; never later than `wanted_ms`.
    queued_ms: i64,
}

#[derive(Debug)]
pub struct Timers<K> {
    deadlines: FxHashMap<K, Deadline>,
    queue: BTreeSet<(i64, K)>,
}

impl<K> Default for Timers<K> {
    fn default() -> Timers<K> {
        Timers { deadlines: FxHashMap::default(), queue: BTreeSet::new() }
    }
}

impl<K: Clone + Hash + Ord> Timers<K> {
    /// Scheduling a key again replaces its deadline.
    pub fn schedule(&mut self, key: K, deadline_ms: i64) {
        if let Some(deadline) = self.deadlines.get_mut(&key) {
            deadline.wanted_ms = deadline_ms;
            if deadline.queued_ms <= deadline_ms {
                return;
            }
            let queued = (deadline.queued_ms, key.clone());
            self.queue.remove(&queued);
        }
        self.enqueue(key, deadline_ms);
    }

    pub fn cancel(&mut self, key: &K) {
        if let Some(deadline) = self.deadlines.remove(key) {
            self.queue.remove(&(deadline.queued_ms, key.clone()));
        }
    }

    /// The next key whose deadline is at or before `now_ms`, which is forgotten by that; `None`
    /// when there is none.
    pub fn pop_expired(&mut self, now_ms: i64) -> Option<K> {
        while let Some((queued_ms, _)) = self.queue.first() {
            if *queued_ms > now_ms {
                return None;
            }
            let (_, key) = self.queue.pop_first().expect("the queue has a first entry");
            let deadline = self.deadlines[&key];
            if deadline.wanted_ms <= now_ms {
                self.deadlines.remove(&key);
                return Some(key);
            }
            self.enqueue(key, deadline.wanted_ms);
        }
        None
    }

    /// When [`pop_expired`](Self::pop_expired) is worth calling next. It may then find nothing: see
    /// the module's comment.
    pub fn next_deadline_ms(&self) -> Option<i64> {
        self.queue.first().map(|(queued_ms, _)| *queued_ms)
    }

    pub fn clear(&mut self) {
        self.deadlines.clear();
        self.queue.clear();
    }

    fn enqueue(&mut self, key: K, deadline_ms: i64) {
        self.queue.insert((deadline_ms, key.clone()));
        self.deadlines.insert(key, Deadline { wanted_ms: deadline_ms, queued_ms: deadline_ms });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_postponed_deadline_fires_once_at_its_new_time() {
        let mut timers = Timers::default();
        timers.schedule(1, 10);
        timers.schedule(1, 30);
        assert_eq!(timers.next_deadline_ms(), Some(10));
        assert_eq!(timers.pop_expired(20), None);
        assert_eq!(timers.next_deadline_ms(), Some(30));
        assert_eq!(timers.pop_expired(30), Some(1));
        assert_eq!(timers.pop_expired(30), None);
        assert_eq!(timers.next_deadline_ms(), None);
    }

    #[test]
    fn a_deadline_can_move_forward_in_time() {
        let mut timers = Timers::default();
        timers.schedule(1, 30);
        timers.schedule(1, 10);
        assert_eq!(timers.pop_expired(10), Some(1));
        assert_eq!(timers.pop_expired(100), None);
    }

    proptest! {
        /// Whatever is scheduled, moved and cancelled: the same keys fire at the same times as from
        /// a plain map of deadlines.
        #[test]
        fn fires_like_a_plain_map(steps in
            prop::collection::vec((0u8..6, 0u8..4, 0i64..50), 1..200)) {
            let mut timers = Timers::default();
            let mut model: BTreeMap<u8, i64> = BTreeMap::new();
            let mut now_ms = 0;
            for (id, action, delay_ms) in steps {
                match action {
                    0 | 1 => {
                        timers.schedule(id, now_ms + delay_ms);
                        model.insert(id, now_ms + delay_ms);
                    }
                    2 => {
                        timers.cancel(&id);
                        model.remove(&id);
                    }
                    _ => {
                        now_ms += delay_ms;
                        let mut fired: Vec<u8> = std::iter::from_fn(|| timers.pop_expired(now_ms))
                            .collect();
                        fired.sort();
                        let expected: Vec<u8> =
                            model.iter().filter(|(_, at)| **at <= now_ms).map(|(key, _)| *key)
                                .collect();
                        model.retain(|_, at| *at > now_ms);
                        prop_assert_eq!(fired, expected);
                        let earliest = model.values().min().copied();
                        prop_assert!(timers.next_deadline_ms() <= earliest || earliest.is_none());
                        prop_assert_eq!(timers.next_deadline_ms().is_none(), earliest.is_none());
                    }
                }
            }
        }
    }
}
