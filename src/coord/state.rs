//! Everything one partition of `__consumer_offsets` says: its groups and their committed offsets.
//!
//! Pure, on the core that leads the partition. What it does with requests is in [`groups`](super::groups) and
//! [`offsets`](super::offsets); here is how records become state, from the log and from requests alike.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::groups::Turn;
use super::groups::classic::ClassicGroup;
use super::offsets::store::{CommittedOffset, Offsets, PartitionKey};
use super::records::{self, Change};
use super::timers::TimerKey;

#[derive(Debug, Default)]
pub(super) struct State {
    pub groups: BTreeMap<Arc<str>, ClassicGroup>,
    pub offsets: Offsets,
    /// The group at which a clean-up that was cut short goes on.
    pub cleanup_cursor: Option<Arc<str>>,
}

impl State {
    /// Takes over a record of the log. `producer_id` is set for records of transactions.
    pub fn replay(&mut self, change: Change, producer_id: Option<i64>) {
        match (change, producer_id) {
            (Change::Offset { key, value: Some(value) }, Some(producer_id)) => {
                self.ensure_group(&key.group);
                self.offsets.replay_pending(producer_id, key, value);
            }
            (Change::Offset { key, value }, _) => self.replay_offset(&key, value),
            (Change::Group { id, value: Some(group) }, _) => {
                self.groups.insert(id, *group);
            }
            (Change::Group { id, value: None }, _) => self.replay_group_tombstone(&id),
            (Change::Other { record_type }, _) => {
                tracing::debug!(record_type, "a record of another kind of group is skipped");
            }
        }
    }

    pub fn replay_offset(&mut self, key: &PartitionKey, value: Option<CommittedOffset>) {
        if value.is_some() {
            self.ensure_group(&key.group);
        }
        self.offsets.replay(key, value);
    }

    /// Offsets alone make a group: an empty one, that never had members (a "simple" group in Kafka's terms).
    fn ensure_group(&mut self, id: &Arc<str>) {
        if !self.groups.contains_key(id) {
            self.groups.insert(id.clone(), ClassicGroup::new(id.clone(), 0));
        }
    }

    /// Offsets that outlive their group's record keep a simple group, so that they can be seen and expire.
    fn replay_group_tombstone(&mut self, id: &Arc<str>) {
        self.groups.remove(id);
        if self.offsets.group(id).is_some() || self.offsets.group_has_pending(id) {
            self.ensure_group(id);
        }
    }

    pub fn delete_offset(&mut self, turn: &mut Turn<'_>, key: &PartitionKey) {
        turn.records.push(records::offset_tombstone(key));
        self.replay_offset(key, None);
    }

    /// Deletes an empty group and all its offsets, offsets first: a load that reads half of it
    /// finds a group with fewer of them.
    pub fn delete_group(&mut self, turn: &mut Turn<'_>, id: &Arc<str>) {
        for key in self.offsets.keys_of_group(id) {
            self.delete_offset(turn, &key);
        }
        if let Some(group) = self.groups.get(id) {
            assert!(group.is_empty(), "group {id} is deleted while it has members");
            for pending in &group.pending_join {
                turn.cancel_session(id, pending);
            }
            turn.timers.cancel(&TimerKey::Join(id.clone()));
            turn.timers.cancel(&TimerKey::Sync(id.clone()));
        }
        turn.records.push(records::group_tombstone(id));
        self.replay_group_tombstone(id);
    }
}
