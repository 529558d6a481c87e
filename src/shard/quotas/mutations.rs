//! Changes of the metadata against the quota of the client that asks for them (KIP-599).
//!
//! Owns: nothing; the buckets are in [`super::Quotas`]. Lives on: the controller's core, which
//! decides about all changes. Never: changes a quota.

use super::find;
use crate::{
    meta::{
        controller::{ControllerRequest, Mutations},
        node::{Answer, MetaNode, MutationQuota},
    },
    quota::{Found, Kind},
    shard::Shard,
};
use std::{cell::Cell, time::Duration};

/// A client that asks for topics or partitions, or their end.
pub struct Mutator {
    pub client_id: String,
    /// Its version knows THROTTLING_QUOTA_EXCEEDED: it is refused, not only made to wait.
    pub is_strict: bool,
}

/// Its bucket.
struct OfClient<'a> {
    shard: &'a Shard,
    found: Found,
    is_strict: bool,
    wait: Cell<Duration>,
}

impl MutationQuota for OfClient<'_> {
    fn left(&self) -> Mutations {
        let left = self.shard.quotas.buckets.borrow_mut().left(&self.found, self.shard.now_ms());
        Mutations::new(left, self.is_strict)
    }

    fn take(&self, mutations: Mutations) {
        let taken = mutations.taken;
        assert!(taken >= 0.0, "a request makes or deletes {taken} partitions");
        let now_ms = self.shard.now_ms();
        let mut buckets = self.shard.quotas.buckets.borrow_mut();
        buckets.take(&self.found, taken, now_ms);
        if mutations.is_exceeded || !self.is_strict {
            let wait_ms = buckets.wait_ms(&self.found, now_ms).min(i32::MAX as u64);
            self.wait.set(Duration::from_millis(wait_ms));
        }
    }
}

impl Shard {
    /// What the controller here answers, and how long the client has to wait for what it changes.
    pub async fn ask_controller(
        &self,
        controller: &MetaNode,
        request: ControllerRequest,
        mutator: Option<Mutator>,
    ) -> (Answer, Duration) {
        let is_set = self.quotas.is_set(Kind::Mutation);
        let bucket = mutator.filter(|_| is_set).and_then(|mutator| {
            let image = self.control.image();
            let found = find(&image, Kind::Mutation, &mutator.client_id)?;
            let is_strict = mutator.is_strict;
            Some(OfClient { shard: self, found, is_strict, wait: Cell::default() })
        });
        match bucket {
            Some(bucket) => {
                let answer = controller.request_within(request, &bucket).await;
                (answer, bucket.wait.get())
            }
            None => (controller.request(request).await, Duration::ZERO),
        }
    }
}
