//! A fault of one node disturbs no client of another: a node that nothing is done to answers in
//! time.
//!
//! Owns: since when nothing was done to a node, as the storm says it, and the judgement of each
//! answer by that. It counts where nothing goes wrong but by the storm's hand ([`Plan::isolated`]).
//! Lives on: the test's thread, and the clients' cores. Never: asks the node.
//!
//! [`Plan::isolated`]: crate::plan::Plan::isolated

use crate::{model::Invariant, run::Run};
use protocol::ApiKey;
use ring::Instant;
use std::{cell::Cell, time::Duration};

/// Virtual time in which a node answers that nothing was done to: none of it waits for a timer, but
/// a fetch for its records.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// Since when nothing was done to one node.
#[derive(Default)]
pub struct Quiet {
    since: Cell<Option<Instant>>,
    /// Its disk was struck: what that took out of service comes back with a start.
    needs_start: Cell<bool>,
}

impl Quiet {
    pub fn disturb(&self) {
        self.since.set(None);
    }

    pub fn disturb_until_start(&self) {
        self.since.set(None);
        self.needs_start.set(true);
    }

    /// It has started while its disk was good.
    pub fn started_well(&self) {
        self.needs_start.set(false);
    }

    /// It serves, and no fault is left.
    pub fn settle(&self, now: Instant) {
        if !self.needs_start.get() && self.since.get().is_none() {
            self.since.set(Some(now));
        }
    }

    pub fn is_disturbed(&self) -> bool {
        self.since.get().is_none()
    }

    fn holds_since(&self, good_at: Instant) -> bool {
        self.since.get().is_some_and(|since| since <= good_at)
    }
}

/// What waits for other members of its group.
fn waits_for_others(key: ApiKey) -> bool {
    matches!(key, ApiKey::JoinGroup | ApiKey::SyncGroup)
}

impl Run {
    /// Whether nothing was done to a node since `good_at`, nor to the way there.
    pub fn is_undisturbed(&self, node: usize, good_at: Instant) -> bool {
        self.plan.isolated && self.nodes[node].quiet.holds_since(good_at)
    }

    /// Judges how long a node took to answer, or that it did not. `good_at`: when the connection
    /// was asked for, or a request was sent on it that was answered.
    pub fn judge_answer(
        &self,
        node: usize,
        good_at: Instant,
        sent_at: Instant,
        key: Option<ApiKey>,
        answered: bool,
    ) {
        if !self.is_undisturbed(node, good_at) || key.is_some_and(waits_for_others) {
            return;
        }
        let took = self.world.now().since(sent_at);
        if !answered || took > ANSWER_LIMIT {
            let id = self.nodes[node].id;
            let what = key.map_or("a connection".to_owned(), |key| key.to_string());
            let detail = format!(
                "nothing was done to node {id}; {what}: answered: {answered}, after {took:?}"
            );
            self.violate(Invariant::OthersUndisturbed, detail);
        }
        if self.nodes.iter().any(|other| other.quiet.is_disturbed()) {
            self.served_beside_faults.set(self.served_beside_faults.get() + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_begins_when_a_node_serves_and_no_fault_is_left() {
        let quiet = Quiet::default();
        assert!(quiet.is_disturbed());
        quiet.settle(Instant(5));
        quiet.settle(Instant(9));
        assert!(quiet.holds_since(Instant(5)) && !quiet.holds_since(Instant(4)));
        quiet.disturb();
        assert!(!quiet.holds_since(Instant(20)));
        quiet.settle(Instant(10));
        assert!(quiet.holds_since(Instant(10)) && !quiet.holds_since(Instant(9)));
    }

    #[test]
    fn a_disk_that_was_struck_takes_a_start() {
        let quiet = Quiet::default();
        quiet.disturb_until_start();
        quiet.settle(Instant(5));
        assert!(quiet.is_disturbed());
        quiet.started_well();
        quiet.settle(Instant(6));
        assert!(quiet.holds_since(Instant(6)));
    }
}
