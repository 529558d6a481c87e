//! EndTxn, of both generations of clients: a transaction is decided.
//!
//! Pure, on the core that leads the id's partition. Clients before KIP-890 keep their epoch; since
//! then each transaction has its own, and the answer says the next one.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::{EndTxnRequest, EndTxnResponse};

use super::entry::{EPOCH_PER_TRANSACTION, Entry, FIRST_EPOCH, LAST_PRODUCER_EPOCH};
use super::entry::{Producer, Status};
use super::request::end_txn_error;
use super::{Context, OTHERS_FENCED_SINCE, Transactions, error_for_version};

/// Since this version, EndTxn ends the epoch as well.
const EPOCH_PER_TRANSACTION_SINCE: i16 = 5;

impl Transactions {
    pub(super) fn end_transaction(
        &mut self,
        context: &mut Context<'_>,
        request: &EndTxnRequest,
        api_version: i16,
    ) -> EndTxnResponse {
        let ended = if request.transactional_id.is_empty() {
            Err(ErrorCode::InvalidRequest)
        } else if api_version >= EPOCH_PER_TRANSACTION_SINCE {
            self.end_with_epoch(context, request)
        } else {
            self.end_in_epoch(context, request)
        };
        match ended {
            Ok(next) if api_version >= EPOCH_PER_TRANSACTION_SINCE => EndTxnResponse {
                producer_id: next.id,
                producer_epoch: next.epoch,
                ..Default::default()
            },
            Ok(_) => EndTxnResponse::default(),
            Err(error) => end_txn_error(error_for_version(error, api_version, OTHERS_FENCED_SINCE)),
        }
    }

    /// Returns the producer of the next transaction.
    fn end_with_epoch(
        &mut self,
        context: &mut Context<'_>,
        request: &EndTxnRequest,
    ) -> Result<Producer, ErrorCode> {
        let producer = Producer { id: request.producer_id, epoch: request.producer_epoch };
        let entry = self.entry_to_end(request)?;
        // Before the producer is looked at: from Prepare on it may be one of two.
        if entry.status.is_prepared() {
            return Err(ErrorCode::ConcurrentTransactions);
        }
        let retry = entry.retried_by(producer);
        if entry.producer.id != producer.id && retry != Some(Retry::OnNewProducerId) {
            return Err(ErrorCode::InvalidProducerIdMapping);
        }
        let is_complete = matches!(entry.status, Status::CompleteCommit | Status::CompleteAbort);
        if entry.producer.epoch != producer.epoch && !(is_complete && retry.is_some()) {
            return Err(ErrorCode::ProducerFenced);
        }
        match (entry.status, request.committed, retry) {
            (Status::CompleteCommit, true, Some(_)) | (Status::CompleteAbort, false, Some(_)) => {
                return Ok(entry.producer);
            }
            (Status::Ongoing, ..) | (Status::Empty | Status::CompleteAbort, false, _) => {}
            (Status::CompleteCommit, false, None) => {}
            _ => return Err(ErrorCode::InvalidTxnState),
        }
        let id = entry.id.clone();
        self.prepare_with_epoch(context, &id, request.committed)
    }

    /// Ends the transaction and its epoch. A transaction without partitions is complete at once.
    fn prepare_with_epoch(
        &mut self,
        context: &mut Context<'_>,
        id: &Arc<str>,
        committed: bool,
    ) -> Result<Producer, ErrorCode> {
        let next_producer_id = if self.entries[id].is_epoch_exhausted() {
            Some(self.take_producer_id(context)?)
        } else {
            None
        };
        let next = self.entries[id].prepared(committed, next_producer_id, context.now_ms);
        let told = match next_producer_id {
            Some(id) => Producer { id, epoch: FIRST_EPOCH },
            None => next.producer,
        };
        self.put(context, next);
        self.begin_markers(context, id);
        Ok(told)
    }

    fn end_in_epoch(
        &mut self,
        context: &mut Context<'_>,
        request: &EndTxnRequest,
    ) -> Result<Producer, ErrorCode> {
        let producer = Producer { id: request.producer_id, epoch: request.producer_epoch };
        let entry = self.entry_to_end(request)?;
        if entry.producer.id != producer.id {
            return Err(ErrorCode::InvalidProducerIdMapping);
        }
        if entry.producer.epoch != producer.epoch {
            return Err(ErrorCode::ProducerFenced);
        }
        match (entry.status, request.committed) {
            (Status::PrepareCommit | Status::PrepareAbort, _) => {
                Err(ErrorCode::ConcurrentTransactions)
            }
            (Status::CompleteCommit, true) | (Status::CompleteAbort, false) => Ok(producer),
            (Status::Ongoing, committed) => {
                let (epoch, last_epoch) = (entry.producer.epoch, entry.last_epoch);
                let next = entry.prepared_in_epoch(committed, epoch, last_epoch, context.now_ms);
                let id = entry.id.clone();
                self.put(context, next);
                self.begin_markers(context, &id);
                Ok(producer)
            }
            (Status::Empty | Status::CompleteCommit | Status::CompleteAbort, _) => {
                Err(ErrorCode::InvalidTxnState)
            }
        }
    }

    /// Aborts the transaction that is open, and lets its producer go no further: its timeout has
    /// passed, or another producer takes over.
    pub(super) fn fence_and_abort(
        &mut self,
        context: &mut Context<'_>,
        id: &Arc<str>,
    ) -> Result<(), ErrorCode> {
        let entry = &self.entries[id];
        assert_eq!(entry.status, Status::Ongoing, "{id} has nothing to abort");
        if context.settings.transaction_version >= EPOCH_PER_TRANSACTION {
            return self.prepare_with_epoch(context, id, false).map(|_| ());
        }
        let epoch = entry.producer.epoch.saturating_add(1);
        let next = entry.prepared_in_epoch(false, epoch, None, context.now_ms);
        self.put(context, next);
        self.begin_markers(context, id);
        Ok(())
    }

    fn entry_to_end(&self, request: &EndTxnRequest) -> Result<&Entry, ErrorCode> {
        let entry = self.entries.get(request.transactional_id.as_str());
        entry.ok_or(ErrorCode::InvalidProducerIdMapping)
    }
}

/// An EndTxn whose answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Retry {
    OnNextEpoch,
    OnNewProducerId,
}

impl Entry {
    fn retried_by(&self, producer: Producer) -> Option<Retry> {
        let epoch = self.producer.epoch;
        if self.previous_producer_id == Some(producer.id)
            && producer.epoch == LAST_PRODUCER_EPOCH
            && epoch == FIRST_EPOCH
        {
            return Some(Retry::OnNewProducerId);
        }
        // Where the end of the transaction has left the epoch as it was, this is a producer that
        // another came after. Kafka does not look, and tells it the epoch of that one.
        let ended_epoch = self.client_version >= EPOCH_PER_TRANSACTION;
        let next_epoch = producer.epoch.checked_add(1);
        (ended_epoch && next_epoch == Some(epoch)).then_some(Retry::OnNextEpoch)
    }
}
