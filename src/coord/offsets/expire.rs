//! When committed offsets and empty groups go (KIP-211).
//!
//! Pure, on the core that leads the group's partition. One step handles a batch's worth of records;
//! the coordinator calls the next at once, so that requests come in between.

use std::ops::Bound;
use std::sync::Arc;

use super::store::{CommittedOffset, PartitionKey};
use crate::coord::groups::classic::{ClassicGroup, GroupState};
use crate::coord::groups::{Context, Groups};

/// Groups that one step looks at. Most have nothing to expire, and looking at all of a large
/// partition would hold up requests.
const GROUPS_PER_STEP: usize = 1_000;

impl Groups {
    /// Deletes expired offsets, and empty groups that have none left. True when all groups have
    /// been looked at, false when the next step is due.
    pub(in crate::coord) fn cleanup(&mut self, context: &mut Context<'_>) -> bool {
        let start = self.cleanup_cursor.take().map_or(Bound::Unbounded, Bound::Excluded);
        let step: Vec<Arc<str>> = self
            .groups
            .range((start, Bound::Unbounded))
            .map(|(id, _)| id.clone())
            .take(GROUPS_PER_STEP)
            .collect();
        let last_step = step.len() < GROUPS_PER_STEP;
        for id in step {
            self.cleanup_group(context, &id);
            if context.written_bytes() > context.settings.max_batch_bytes {
                self.cleanup_cursor = Some(id);
                return false;
            }
            self.cleanup_cursor = Some(id);
        }
        if last_step {
            self.cleanup_cursor = None;
        }
        last_step
    }

    fn cleanup_group(&mut self, context: &mut Context<'_>, id: &Arc<str>) {
        let group = &self.groups[id];
        let mut expired = Vec::new();
        let mut all_expired = !self.offsets.group_has_pending(id);
        for (topic, partitions) in self.offsets.group(id).into_iter().flatten() {
            let subscribed = group.is_subscribed_to(topic);
            for (partition, committed) in partitions {
                let pending = self.offsets.has_pending(id, topic, *partition);
                if !subscribed && !pending && group.is_expired(context, committed) {
                    expired.push(PartitionKey {
                        group: id.clone(),
                        topic: topic.clone(),
                        partition: *partition,
                    });
                } else {
                    all_expired = false;
                }
            }
        }
        let delete_group = all_expired && group.is_abandoned();
        if !expired.is_empty() {
            tracing::info!(group = %id, offsets = expired.len(), "offsets expired");
        }
        if delete_group {
            tracing::info!(group = %id, "an empty group without offsets is deleted");
            return self.delete_group(context, id);
        }
        for key in expired {
            self.delete_offset(context, key);
        }
    }
}

impl ClassicGroup {
    /// An explicit expiry counts. Otherwise the retention runs from the moment the group became
    /// empty; for groups that never had members and for topics that a stable consumer group no
    /// longer reads, from the commit. Other groups at work keep their offsets.
    pub fn is_expired(&self, context: &Context<'_>, committed: &CommittedOffset) -> bool {
        let commit_ms = committed.commit_timestamp_ms;
        let base_ms = match (&self.protocol_type, self.state) {
            (None, _) => commit_ms,
            (Some(_), GroupState::Empty) => self.state_since_ms.unwrap_or(commit_ms),
            (Some(_), GroupState::Stable)
                if self.uses_consumer_protocol() && self.subscribed_topics.is_some() =>
            {
                commit_ms
            }
            (Some(_), _) => return false,
        };
        match committed.expire_timestamp_ms {
            Some(expire_ms) => context.now_ms >= expire_ms,
            None => context.now_ms.saturating_sub(base_ms) >= context.settings.offsets_retention_ms,
        }
    }
}
