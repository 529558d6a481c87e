//! The markers of prepared transactions: they are wanted of the leaders of the partitions, until no
//! partition lacks its marker and the transaction is complete.
//!
//! Pure, on the core that leads the id's partition. Which of the partitions are done is in memory
//! alone: after a load all markers are wanted again, and a leader that has one writes none.

use std::sync::Arc;

use super::partitions::Partitions;
use super::request::{Effect, MarkerOutcome, Markers, MarkersReport};
use super::{Context, TimerKey, Transactions};
use crate::coord::transactions::entry::{Entry, Status};
use crate::limits::{MARKER_PAUSE_MAX_MS, MARKER_PAUSE_MIN_MS};

/// The markers of one transaction on their way.
#[derive(Debug)]
pub(super) struct Marking {
    /// An answer about another transaction of the id counts for nothing.
    serial: u64,
    /// To be wanted again when the pause is over.
    refused: Partitions,
    pauses: u32,
    /// A newer coordinator has been at the partitions: this one tries no more.
    fenced: bool,
}

impl Transactions {
    /// The transaction is decided, and its record written.
    pub(super) fn begin_markers(&mut self, context: &mut Context<'_>, id: &Arc<str>) {
        let entry = &self.entries[id];
        assert!(entry.status.is_prepared(), "{id} is not decided");
        if entry.partitions.is_empty() {
            return self.complete(context, id);
        }
        self.last_serial += 1;
        let marking = Marking {
            serial: self.last_serial,
            refused: Partitions::default(),
            pauses: 0,
            fenced: false,
        };
        context.want(write_markers(context, entry, marking.serial, &entry.partitions));
        let before = self.marking.insert(id.clone(), marking);
        assert!(before.is_none(), "{id} was decided twice");
    }

    pub(super) fn markers_written(&mut self, context: &mut Context<'_>, report: &MarkersReport) {
        let id = &report.transactional_id;
        let Some(marking) = self.marking.get_mut(id).filter(|it| it.serial == report.serial) else {
            tracing::debug!(transactional_id = %id, "markers of an earlier transaction");
            return;
        };
        let entry = self.entries.get_mut(id).expect("markers are of an entry");
        for (at, outcome) in &report.outcomes {
            match outcome {
                MarkerOutcome::Written | MarkerOutcome::Gone => {
                    entry.partitions.remove(&at.topic, at.partition);
                    marking.refused.remove(&at.topic, at.partition);
                }
                MarkerOutcome::RetryLater => {
                    if entry.partitions.contains(&at.topic, at.partition) {
                        marking.refused.insert(&at.topic, at.partition);
                    }
                }
                MarkerOutcome::Fenced => {
                    tracing::error!(transactional_id = %id, topic = %at.topic,
                        partition = at.partition, "a newer coordinator has ended this \
                        transaction: this one leaves it as it is");
                    marking.fenced = true;
                }
            }
        }
        if entry.partitions.is_empty() {
            self.complete(context, id);
        } else if !marking.refused.is_empty() && !marking.fenced {
            let pause_ms = MARKER_PAUSE_MIN_MS << marking.pauses.min(16);
            let timer = TimerKey::Markers(id.clone());
            context.schedule(timer, pause_ms.min(MARKER_PAUSE_MAX_MS) as i64);
        }
    }

    /// Wants again what was refused; completes what needs none.
    pub(super) fn retry_markers(&mut self, context: &mut Context<'_>, id: &Arc<str>) {
        let is_complete = |entry: &Entry| entry.status.is_prepared() && entry.partitions.is_empty();
        if !self.marking.contains_key(id) && self.entries.get(id).is_some_and(is_complete) {
            return self.complete(context, id);
        }
        let Some(marking) = self.marking.get_mut(id).filter(|marking| !marking.fenced) else {
            return;
        };
        let refused = std::mem::take(&mut marking.refused);
        marking.pauses = marking.pauses.saturating_add(1);
        if !refused.is_empty() {
            let entry = &self.entries[id];
            context.want(write_markers(context, entry, marking.serial, &refused));
        }
    }

    fn complete(&mut self, context: &mut Context<'_>, id: &Arc<str>) {
        if self.marking.remove(id).is_some() {
            context.timers.cancel(&TimerKey::Markers(id.clone()));
        }
        let next = self.entries[id].completed(context.now_ms);
        self.put(context, next);
    }
}

fn write_markers(
    context: &Context<'_>,
    entry: &Entry,
    serial: u64,
    partitions: &Partitions,
) -> Effect {
    Effect::WriteMarkers(Markers {
        transactional_id: entry.id.clone(),
        serial,
        producer_id: entry.producer.id,
        producer_epoch: entry.producer.epoch,
        coordinator_epoch: context.settings.coordinator_epoch,
        committed: entry.status == Status::PrepareCommit,
        transaction_version: entry.client_version,
        partitions: partitions.to_vec(),
    })
}
