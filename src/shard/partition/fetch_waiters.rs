//! The fetches that wait until a partition moves.
//!
//! Owns: the list of one partition. Lives on: the core that owns the partition. Never: holds up a
//! fetch: one that is not told looks again when its time is over.

use ring::Instant;
use rustc_hash::FxHashMap;

/// A fetch that wants to hear when a partition moves: the connection `watch` on core `core`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FetchWaiter {
    pub core: usize,
    pub watch: u64,
}

/// The fetches that watch a partition, each until the time when its fetch is over at the latest: a
/// fetch that ends does not tell the partitions that gave it nothing.
#[derive(Default)]
pub(super) struct FetchWaiters {
    until: FxHashMap<FetchWaiter, Instant>,
    /// With so many, those whose time is over are removed.
    look_at: usize,
}

/// Fewer watchers than this are kept without a look at their time.
const WATCHERS_UNLOOKED: usize = 16;

impl FetchWaiters {
    pub fn add(&mut self, watcher: FetchWaiter, until: Instant, now: Instant) {
        if self.until.len() >= self.look_at.max(WATCHERS_UNLOOKED) {
            self.until.retain(|_, until| *until > now);
            // So the looks cost no more than the additions between them.
            self.look_at = 2 * self.until.len();
        }
        self.until.insert(watcher, until);
        let (kept, bound) = (self.until.len(), self.look_at.max(WATCHERS_UNLOOKED));
        assert!(kept <= bound, "{kept} watchers are kept without a look, at most {bound} may be");
    }

    /// Takes all of them.
    pub fn take(&mut self) -> impl Iterator<Item = FetchWaiter> {
        self.until.drain().map(|(waiter, _)| waiter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// A consumer that goes leaves its watch in partitions that never move: a thousand of them left
    /// a thousand.
    #[test]
    fn watchers_whose_fetch_is_over_do_not_pile_up() {
        let mut fetch_waiters = FetchWaiters::default();
        let poll = Duration::from_millis(500);
        for number in 0..10_000u64 {
            // Ten of them at a time.
            let now = Instant(0) + Duration::from_millis(50 * number);
            fetch_waiters.add(FetchWaiter { core: 0, watch: number }, now + poll, now);
            assert!(
                fetch_waiters.until.len() <= 21,
                "{} watchers after {number}",
                fetch_waiters.until.len()
            );
        }
        let now = Instant(0) + Duration::from_secs(1000);
        for _ in 0..1000 {
            fetch_waiters.add(FetchWaiter { core: 1, watch: 7 }, now + poll, now);
        }
        assert!(fetch_waiters.until.len() <= 22, "the same one is one");
        let alive = |watch| FetchWaiter { core: 2, watch };
        (0..500).for_each(|watch| fetch_waiters.add(alive(watch), now + poll, now));
        assert!(
            (0..500).all(|watch| fetch_waiters.until.contains_key(&alive(watch))),
            "none that waits is forgotten"
        );
    }
}
