//! Deadlines: a transaction that took too long is aborted, an id that was not used is forgotten.
//!
//! Pure, on the core that leads the id's partition. One step of forgetting handles a batch's worth
//! of records; the coordinator calls the next at once, so that requests come in between.

use std::sync::Arc;

use super::entry::{Entry, Status};
use super::machine::IDS_PER_STEP;
use super::{Context, TimerKey, Transactions, records};
use crate::limits;

impl Transactions {
    /// The producer is fenced, as if it were gone for good.
    pub(super) fn timed_out(&mut self, context: &mut Context<'_>, id: &Arc<str>) {
        let Some(entry) = self.entries.get(id).filter(|it| it.status == Status::Ongoing) else {
            return;
        };
        let timeout_ms = entry.timeout_ms;
        match self.fence_and_abort(context, id) {
            Ok(()) => {
                tracing::info!(transactional_id = %id, timeout_ms, "a transaction took longer \
                    than its producer asked for and is aborted");
            }
            // It needs a producer id, and those are on their way.
            Err(error) => {
                tracing::warn!(transactional_id = %id, %error, "a transaction that took too long \
                    cannot be aborted yet");
                let pause_ms = limits::COORDINATOR_PAUSE_MIN_MS as i64;
                context.schedule(TimerKey::Timeout(id.clone()), pause_ms);
            }
        }
    }

    /// Forgets ids that were not used for `transactional.id.expiration.ms`. True when all have been
    /// looked at, false when the next step is due.
    pub(super) fn cleanup(&mut self, context: &mut Context<'_>) -> bool {
        let after = self.cleanup_cursor.take();
        let expired_before_ms =
            context.now_ms.saturating_sub(context.settings.transactional_id_expiration_ms);
        let is_expired =
            |entry: &Entry| entry.status.is_settled() && entry.updated_ms <= expired_before_ms;
        let step: Vec<(Arc<str>, bool)> = self
            .entries
            .after(after.as_deref())
            .map(|(id, entry)| (id.clone(), is_expired(entry)))
            .take(IDS_PER_STEP)
            .collect();
        let last_step = step.len() < IDS_PER_STEP;
        for (id, expired) in step {
            if expired {
                self.entries.remove(&id);
                context.append_as((), records::tombstone(&id));
                tracing::debug!(transactional_id = %id, "a transactional id expired");
            }
            let full = context.written_bytes() > context.settings.max_batch_bytes;
            self.cleanup_cursor = Some(id);
            if full {
                return false;
            }
        }
        if last_step {
            self.cleanup_cursor = None;
        }
        last_step
    }
}
