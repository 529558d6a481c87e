//! Deadlines of one coordinator: sessions, rebalances, cleanup.
//!
//! Owned by a [`Coordinator`](super::runtime::Coordinator), on its core. Never reads a clock: the time comes with each call.
//!
//! A heartbeat moves a deadline further away, thousands of times a second, and hardly ever does one fire. So postponing writes one
//! number only; the queue keeps the earlier instant, and an entry that comes up too soon is queued again.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;

/// What happens when a deadline passes. Scheduling a key again replaces its deadline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum TimerKey {
    /// The member was not heard of for its session timeout, or a pending member never came back.
    Session { group: Arc<str>, member: Arc<str> },
    /// The join phase of a rebalance has taken its time.
    Join(Arc<str>),
    /// The sync phase of a rebalance has taken its time.
    Sync(Arc<str>),
    /// Look for expired offsets and empty groups.
    Cleanup,
}

#[derive(Clone, Copy, Debug)]
struct Deadline {
    wanted_ms: i64,
    /// Where the key stands in the queue; never later than `wanted_ms`.
    queued_ms: i64,
}

#[derive(Debug, Default)]
pub(super) struct Timers {
    deadlines: FxHashMap<TimerKey, Deadline>,
    queue: BTreeSet<(i64, TimerKey)>,
}

impl Timers {
    pub fn schedule(&mut self, key: TimerKey, deadline_ms: i64) {
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

    pub fn cancel(&mut self, key: &TimerKey) {
        if let Some(deadline) = self.deadlines.remove(key) {
            self.queue.remove(&(deadline.queued_ms, key.clone()));
        }
    }

    /// The next key whose deadline is at or before `now_ms`, which is forgotten by that; `None` when there is none.
    pub fn pop_expired(&mut self, now_ms: i64) -> Option<TimerKey> {
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

    /// When [`pop_expired`](Self::pop_expired) is worth calling next. It may then find nothing: see the module's comment.
    pub fn next_deadline_ms(&self) -> Option<i64> {
        self.queue.first().map(|(queued_ms, _)| *queued_ms)
    }

    pub fn clear(&mut self) {
        self.deadlines.clear();
        self.queue.clear();
    }

    fn enqueue(&mut self, key: TimerKey, deadline_ms: i64) {
        self.queue.insert((deadline_ms, key.clone()));
        self.deadlines.insert(key, Deadline { wanted_ms: deadline_ms, queued_ms: deadline_ms });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn join(id: u8) -> TimerKey {
        TimerKey::Join(Arc::from(id.to_string()))
    }

    #[test]
    fn a_postponed_deadline_fires_once_at_its_new_time() {
        let mut timers = Timers::default();
        timers.schedule(join(1), 10);
        timers.schedule(join(1), 30);
        assert_eq!(timers.next_deadline_ms(), Some(10));
        assert_eq!(timers.pop_expired(20), None);
        assert_eq!(timers.next_deadline_ms(), Some(30));
        assert_eq!(timers.pop_expired(30), Some(join(1)));
        assert_eq!(timers.pop_expired(30), None);
        assert_eq!(timers.next_deadline_ms(), None);
    }

    #[test]
    fn a_deadline_can_move_forward_in_time() {
        let mut timers = Timers::default();
        timers.schedule(join(1), 30);
        timers.schedule(join(1), 10);
        assert_eq!(timers.pop_expired(10), Some(join(1)));
        assert_eq!(timers.pop_expired(100), None);
    }

    proptest! {
        /// Whatever is scheduled, moved and cancelled: the same keys fire at the same times as from a plain map of deadlines.
        #[test]
        fn fires_like_a_plain_map(steps in prop::collection::vec((0u8..6, 0u8..4, 0i64..50), 1..200)) {
            let mut timers = Timers::default();
            let mut model: BTreeMap<TimerKey, i64> = BTreeMap::new();
            let mut now_ms = 0;
            for (id, action, delay_ms) in steps {
                match action {
                    0 | 1 => {
                        timers.schedule(join(id), now_ms + delay_ms);
                        model.insert(join(id), now_ms + delay_ms);
                    }
                    2 => {
                        timers.cancel(&join(id));
                        model.remove(&join(id));
                    }
                    _ => {
                        now_ms += delay_ms;
                        let mut fired: Vec<TimerKey> = std::iter::from_fn(|| timers.pop_expired(now_ms)).collect();
                        fired.sort();
                        let expected: Vec<TimerKey> =
                            model.iter().filter(|(_, at)| **at <= now_ms).map(|(key, _)| key.clone()).collect();
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
