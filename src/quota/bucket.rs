//! What clients may change of the metadata: a bucket each that fills as their quota allows
//! (`TokenBucket`, KIP-599).
//!
//! Owns: the buckets. Lives on: the core that has the controller, where all changes are decided.
//! Never: decides what a change counts for.

use super::{entity::Found, entity::Key, rate::Windows};
use crate::limits;
use rustc_hash::FxHashMap;

struct Bucket {
    /// Below zero: more was taken than there was.
    tokens: f64,
    filled_ms: u64,
}

impl Bucket {
    fn fill(&mut self, windows: Windows, limit: f64, now_ms: u64) {
        let passed_s = now_ms.saturating_sub(self.filled_ms) as f64 / 1000.0;
        self.tokens = (self.tokens + limit * passed_s).min(limit * windows.span_seconds());
        self.filled_ms = now_ms;
    }
}

/// The buckets of all clients that have changed something lately. One that was not used for so long
/// that it is full is as good as none.
pub struct Buckets {
    windows: Windows,
    all: FxHashMap<Key, Bucket>,
}

impl Buckets {
    pub fn new(windows: Windows) -> Buckets {
        Buckets { windows, all: FxHashMap::default() }
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// What is in the bucket at `now_ms`, below zero if too much was taken.
    pub fn left(&mut self, found: &Found, now_ms: u64) -> f64 {
        let windows = self.windows;
        let bucket = self.of(found, now_ms);
        bucket.fill(windows, found.limit, now_ms);
        bucket.tokens
    }

    /// Takes what a client has changed.
    pub fn take(&mut self, found: &Found, amount: f64, now_ms: u64) {
        self.left(found, now_ms);
        self.of(found, now_ms).tokens -= amount;
    }

    /// How long it takes until nothing is missing.
    pub fn wait_ms(&mut self, found: &Found, now_ms: u64) -> u64 {
        (-self.left(found, now_ms) / found.limit * 1000.0).round().max(0.0) as u64
    }

    /// Forgets those that were not used for as long as Kafka keeps them.
    pub fn expire(&mut self, now_ms: u64) {
        let oldest_ms = now_ms.saturating_sub(limits::QUOTA_EXPIRY_MS);
        self.all.retain(|_, bucket| bucket.filled_ms > oldest_ms);
    }

    fn of(&mut self, found: &Found, now_ms: u64) -> &mut Bucket {
        let is_full = self.all.len() >= limits::QUOTA_ACCOUNTS_MAX;
        // Clients beyond the bound share one, so that no client gains by another name.
        let key = match is_full && !self.all.contains_key(&found.key) {
            true => Key { user: Box::default(), client_id: Box::default() },
            false => found.key.clone(),
        };
        let tokens = found.limit * self.windows.span_seconds();
        self.all.entry(key).or_insert(Bucket { tokens, filled_ms: now_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(client_id: &str) -> Found {
        Found { key: Key { user: Box::default(), client_id: client_id.into() }, limit: 2.0 }
    }

    #[test]
    fn a_bucket_lets_a_burst_through_and_then_what_the_quota_allows() {
        let (mut buckets, client) = (Buckets::new(Windows::new(11, 1)), found("a"));
        assert_eq!(buckets.left(&client, 0), 22.0, "all windows at once");
        buckets.take(&client, 30.0, 0);
        assert_eq!(buckets.left(&client, 0), -8.0);
        assert_eq!(buckets.wait_ms(&client, 0), 4_000);
        assert_eq!(buckets.wait_ms(&client, 1_500), 2_500);
        assert_eq!(buckets.left(&client, 4_000), 0.0);
        assert_eq!(buckets.wait_ms(&client, 4_000), 0);
        assert_eq!(buckets.left(&client, 1_000_000), 22.0, "it fills no further");
        assert_eq!(buckets.left(&found("b"), 0), 22.0, "each has its own");
    }

    #[test]
    fn buckets_expire_and_those_beyond_the_bound_share_one() {
        let mut buckets = Buckets::new(Windows::new(11, 1));
        for client in 0..limits::QUOTA_ACCOUNTS_MAX {
            buckets.take(&found(&client.to_string()), 1.0, 0);
        }
        buckets.take(&found("x"), 22.0, 0);
        assert_eq!(buckets.left(&found("y"), 0), 0.0);
        assert_eq!(buckets.len(), limits::QUOTA_ACCOUNTS_MAX + 1);
        assert_eq!(buckets.left(&found("7"), 0), 21.0);
        buckets.left(&found("7"), limits::QUOTA_EXPIRY_MS / 2);
        buckets.expire(limits::QUOTA_EXPIRY_MS);
        assert_eq!(buckets.len(), 1);
    }
}
