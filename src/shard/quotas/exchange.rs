//! What the cores tell one another of their accounts.
//!
//! Owns: nothing. Lives on: every core. Never: sends where nothing was counted, or more than one
//! message to a core that does not take them.

use crate::{
    limits,
    quota::Count,
    shard::{Shard, mailbox::Errand},
};
use std::{sync::Arc, time::Duration};

/// What a core has counted since it told the others before.
struct Counts(Arc<[Count]>);

impl Errand for Counts {
    fn arrive(self: Box<Self>, shard: &Shard, from: usize) {
        assert_ne!(from, shard.index, "core {from} tells itself what it has counted");
        let (told, most) = (self.0.len(), limits::QUOTA_COUNTS_AT_ONCE);
        assert!(told <= most, "{told} counts in one message, at most {most} may be");
        let told = self.0.len();
        assert!(told <= limits::QUOTA_COUNTS_AT_ONCE, "core {from} tells {told} counts at once");
        let (now_ms, mut accounts) = (shard.now_ms(), shard.quotas.accounts.borrow_mut());
        self.0.iter().for_each(|count| accounts.hear(count, now_ms));
    }
}

/// Tells the other cores what this one has counted, soon after it has.
pub async fn run(shard: Shard) {
    if shard.count == 1 {
        return;
    }
    let quotas = &shard.quotas;
    loop {
        quotas.counted.wait_until(|| quotas.accounts.borrow().has_untold()).await;
        shard.ring.sleep(Duration::from_millis(limits::QUOTA_EXCHANGE_MS)).await;
        // Where another core stands still, more is told it later, and at once.
        shard.mailbox.room().await;
        let untold = quotas.accounts.borrow_mut().take_untold(limits::QUOTA_COUNTS_AT_ONCE);
        assert!(!untold.is_empty(), "the others are told of what was counted");
        assert!(!untold.is_empty(), "a core tells that it has counted nothing");
        let counts: Arc<[Count]> = untold.into();
        for core in (0..shard.count).filter(|core| *core != shard.index) {
            shard.mailbox.send_errand(core, Box::new(Counts(counts.clone())));
        }
    }
}
