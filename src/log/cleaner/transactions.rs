//! Transactions as a pass over a log meets them (`CleanedTransactionMetadata`): which batches are
//! of aborted ones, and which markers no batch needs any more.
//!
//! Owns: the open transactions at the place that the pass has reached. Lives on the core of the
//! log. Never: decides what goes; `filter` does.

use crate::log::AbortedTransaction;
use protocol::records::{
    Batch, BatchHeader, ControlRecordType, EndTransactionMarker, RecordsError,
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub struct Transactions {
    /// Those that begin further on, by first offset and producer.
    ahead: BTreeMap<(i64, i64), AbortedTransaction>,
    /// Aborted ones that have begun, by producer, and whether a batch of them was met.
    aborted: BTreeMap<i64, (AbortedTransaction, bool)>,
    /// Producers with batches that no marker has followed yet and that were not aborted.
    open: BTreeSet<i64>,
}

/// What a marker is for.
#[derive(Debug, PartialEq, Eq)]
pub enum Marker {
    /// No batch of its transaction is left: it may go once its time has come.
    Needless,
    /// Batches of its transaction are left.
    Needed,
    /// Batches of the transaction that it aborted were met in this pass: it stays one more time,
    /// and so does the entry of the index.
    Aborts(AbortedTransaction),
}

impl Transactions {
    /// Takes what the index of the next segment tells.
    pub fn expect(&mut self, aborted: impl IntoIterator<Item = AbortedTransaction>) {
        for one in aborted {
            let is_begun = self.aborted.get(&one.producer_id).is_some_and(|(open, _)| *open == one);
            if !is_begun {
                self.ahead.insert((one.first_offset, one.producer_id), one);
            }
        }
    }

    fn begin_up_to(&mut self, offset: i64) {
        while let Some(first) = self.ahead.first_entry().filter(|one| one.key().0 <= offset) {
            let one = first.remove();
            self.aborted.entry(one.producer_id).or_insert((one, false));
        }
    }

    /// Whether this batch of records is of an aborted transaction.
    pub fn is_aborted(&mut self, header: &BatchHeader) -> bool {
        self.begin_up_to(header.last_offset());
        if !header.is_transactional() {
            return false;
        }
        match self.aborted.get_mut(&header.producer_id()) {
            Some((_, was_met)) => {
                *was_met = true;
                true
            }
            None => {
                self.open.insert(header.producer_id());
                false
            }
        }
    }

    pub fn marker(&mut self, batch: &Batch<'_>) -> Result<Marker, RecordsError> {
        self.begin_up_to(batch.last_offset());
        let Some(record) = batch.records()?.next().transpose()? else {
            return Ok(Marker::Needless);
        };
        let producer_id = batch.producer_id();
        let Some(marker) = EndTransactionMarker::parse(&record)? else {
            // Control records of other kinds are those of the metadata log.
            return Ok(Marker::Needed);
        };
        Ok(match marker.control_type() {
            ControlRecordType::Abort => match self.aborted.remove(&producer_id) {
                Some((one, true)) => Marker::Aborts(one),
                _ => Marker::Needless,
            },
            _ if self.open.remove(&producer_id) => Marker::Needed,
            _ => Marker::Needless,
        })
    }
}
