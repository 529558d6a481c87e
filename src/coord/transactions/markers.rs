//! The markers of prepared transactions: they are wanted of the leaders of the partitions, until no
//! partition lacks its marker and the transaction is complete.
//!
//! Pure, on the core that leads the id's partition. Which of the partitions are done is in memory
//! alone: after a load all markers are wanted again, and a leader that has one writes none.
//!
//! Many transactions may be prepared at once, as after a load, and each may have many partitions.
//! They queue up: one question is about a bounded number of partitions, few questions come of one
//! event, and so many markers at most are on their way. Where a disk hangs, what goes to others
//! waits behind that bound only.

use std::sync::Arc;

use super::partitions::Partitions;
use super::request::{Effect, MarkerOutcome, Markers, MarkersReport};
use super::{Context, TimerKey, TopicPartition, Transactions};
use crate::coord::transactions::entry::{Entry, Status};
use crate::limits::{
    MARKER_PAUSE_MAX_MS, MARKER_PAUSE_MIN_MS, MARKER_QUESTIONS_PER_TURN, MARKERS_IN_FLIGHT_MAX,
    MARKERS_PER_QUESTION,
};

/// The markers of one transaction on their way.
#[derive(Debug)]
pub(super) struct Marking {
    /// An answer about another transaction of the id counts for nothing.
    serial: u64,
    /// To be wanted when its turn comes; `None`: all, for none was wanted yet.
    unsent: Option<Partitions>,
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
            unsent: None,
            refused: Partitions::default(),
            pauses: 0,
            fenced: false,
        };
        let before = self.marking.insert(id.clone(), marking);
        assert!(before.is_none(), "{id} was decided twice");
        self.marker_queue.push_back(id.clone());
        self.want_markers(context);
    }

    /// Wants markers of those whose turn it is, as far as there is room for them.
    pub(super) fn want_markers(&mut self, context: &mut Context<'_>) {
        while self.markers_in_flight < MARKERS_IN_FLIGHT_MAX
            && let Some(id) = self.marker_queue.front()
        {
            if context.wanted() >= MARKER_QUESTIONS_PER_TURN {
                context.schedule(TimerKey::MoreMarkers, 0);
                break;
            }
            // One that has come to its end meanwhile, or is fenced, wants none any more.
            let marking = self.marking.get_mut(id).filter(|marking| !marking.fenced);
            let Some(marking) = marking else {
                self.marker_queue.pop_front();
                continue;
            };
            let entry = &self.entries[id];
            let unsent = marking.unsent.get_or_insert_with(|| entry.partitions.clone());
            let room = MARKERS_IN_FLIGHT_MAX - self.markers_in_flight;
            let taken = unsent.take(MARKERS_PER_QUESTION.min(room));
            let is_last = unsent.is_empty();
            if !taken.is_empty() {
                self.markers_in_flight += taken.len();
                context.want(write_markers(context, entry, marking.serial, taken));
            }
            if is_last {
                self.marker_queue.pop_front();
            }
        }
        let in_flight = self.markers_in_flight;
        assert!(in_flight <= MARKERS_IN_FLIGHT_MAX, "{in_flight} markers are on their way");
    }

    pub(super) fn markers_written(&mut self, context: &mut Context<'_>, report: &MarkersReport) {
        // Also one that comes too late has been on its way.
        self.markers_in_flight = self.markers_in_flight.saturating_sub(report.outcomes.len());
        self.take_outcomes(context, report);
        self.want_markers(context);
    }

    fn take_outcomes(&mut self, context: &mut Context<'_>, report: &MarkersReport) {
        let id = &report.transactional_id;
        let Some(marking) = self.marking.get_mut(id).filter(|it| it.serial == report.serial) else {
            tracing::debug!(transactional_id = %id, "markers of an earlier transaction");
            return;
        };
        for (at, outcome) in &report.outcomes {
            match outcome {
                MarkerOutcome::Written | MarkerOutcome::Gone => {
                    self.entries.remove_partition(id, &at.topic, at.partition);
                    marking.refused.remove(&at.topic, at.partition);
                }
                MarkerOutcome::RetryLater => {
                    if self.entries[id].partitions.contains(&at.topic, at.partition) {
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
        if self.entries[id].partitions.is_empty() {
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
        if let Some(unsent) = marking.unsent.as_mut().filter(|_| !refused.is_empty()) {
            unsent.insert_all(&refused);
            self.marker_queue.push_back(id.clone());
            self.want_markers(context);
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
    partitions: Vec<TopicPartition>,
) -> Effect {
    Effect::WriteMarkers(Markers {
        transactional_id: entry.id.clone(),
        serial,
        producer_id: entry.producer.id,
        producer_epoch: entry.producer.epoch,
        coordinator_epoch: context.settings.coordinator_epoch,
        committed: entry.status == Status::PrepareCommit,
        transaction_version: entry.client_version,
        partitions,
    })
}
