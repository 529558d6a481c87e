//! InitProducerId with a transactional id: a producer begins, or goes on after an error (KIP-360).
//!
//! Pure, on the core that leads the id's partition.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::{InitProducerIdRequest, InitProducerIdResponse};

use super::entry::{Entry, FIRST_EPOCH, LAST_PRODUCER_EPOCH, NO_TIMEOUT_MS, Producer, Status};
use super::{Context, INIT_PRODUCER_ID_FENCED_SINCE, Transactions, error_for_version};
use crate::coord::producer_ids::init_producer_id_error;

const NO_PRODUCER: Producer = Producer { id: -1, epoch: -1 };
/// What a key of a record can hold.
const TRANSACTIONAL_ID_BYTES_MAX: usize = i16::MAX as usize;

/// What a producer asks for.
struct Init<'a> {
    id: &'a str,
    timeout_ms: i32,
    /// The producer that it has been so far.
    expected: Option<Producer>,
}

impl Transactions {
    pub(super) fn init_producer_id(
        &mut self,
        context: &mut Context<'_>,
        request: &InitProducerIdRequest,
        api_version: i16,
    ) -> InitProducerIdResponse {
        let producer = validated(context, request).and_then(|init| self.initialize(context, &init));
        match producer {
            Ok(Producer { id, epoch }) => InitProducerIdResponse {
                producer_id: id,
                producer_epoch: epoch,
                ..Default::default()
            },
            Err(error) => {
                let since = INIT_PRODUCER_ID_FENCED_SINCE;
                init_producer_id_error(error_for_version(error, api_version, since))
            }
        }
    }

    fn initialize(
        &mut self,
        context: &mut Context<'_>,
        init: &Init<'_>,
    ) -> Result<Producer, ErrorCode> {
        let Some(entry) = self.entries.get(init.id) else { return self.create(context, init) };
        if entry.status.is_prepared() {
            return Err(ErrorCode::ConcurrentTransactions);
        }
        if !init.expected.is_none_or(|expected| entry.may_be_continued_by(expected)) {
            return Err(ErrorCode::ProducerFenced);
        }
        if entry.status == Status::Ongoing {
            let id = entry.id.clone();
            self.fence_and_abort(context, &id)?;
            // The producer comes again, and gets an epoch above that of the fence.
            return Err(ErrorCode::ConcurrentTransactions);
        }
        let (producer, last_epoch) = match entry.next_epoch(init.expected)? {
            NextEpoch::Same => (entry.producer, entry.last_epoch),
            NextEpoch::Bumped { last_epoch } => {
                let Producer { id, epoch } = entry.producer;
                (Producer { id, epoch: epoch + 1 }, last_epoch)
            }
            NextEpoch::Exhausted { last_epoch } => {
                let id = self.take_producer_id(context)?;
                (Producer { id, epoch: FIRST_EPOCH }, last_epoch)
            }
        };
        let entry = &self.entries[init.id];
        let next = entry.initialized(producer, last_epoch, init.timeout_ms, context.now_ms);
        self.put(context, next);
        Ok(producer)
    }

    fn create(
        &mut self,
        context: &mut Context<'_>,
        init: &Init<'_>,
    ) -> Result<Producer, ErrorCode> {
        let bytes = Entry::new(Arc::from(init.id), 0, 0, 0).memory_bytes();
        if self.entries.len() >= context.settings.max_transactional_ids
            || bytes > context.settings.room_bytes
        {
            tracing::warn!(
                transactional_id = init.id,
                ids = self.entries.len(),
                bytes = self.entries.memory_bytes(),
                "a producer is refused: this partition of __transaction_state, or its core, has \
                 all the transactional ids that it may have"
            );
            return Err(ErrorCode::PolicyViolation);
        }
        let producer_id = self.take_producer_id(context)?;
        let entry = Entry::new(Arc::from(init.id), producer_id, init.timeout_ms, context.now_ms);
        let producer = entry.producer;
        self.put(context, entry);
        Ok(producer)
    }
}

fn validated<'a>(
    context: &Context<'_>,
    request: &'a InitProducerIdRequest,
) -> Result<Init<'a>, ErrorCode> {
    let expected = Producer { id: request.producer_id, epoch: request.producer_epoch };
    // The two go together: one without the other is a client's mistake.
    if (expected.id == NO_PRODUCER.id) != (expected.epoch == NO_PRODUCER.epoch) {
        return Err(ErrorCode::InvalidRequest);
    }
    let id = request.transactional_id.as_deref().unwrap_or_default();
    if id.is_empty() || id.len() > TRANSACTIONAL_ID_BYTES_MAX {
        return Err(ErrorCode::InvalidRequest);
    }
    if request.enable2_pc && !context.settings.two_phase_commit {
        return Err(ErrorCode::TransactionalIdAuthorizationFailed);
    }
    // Kafka 4.4 has the field, and does not serve it yet.
    if request.keep_prepared_txn {
        return Err(ErrorCode::UnsupportedVersion);
    }
    let timeout_ms = request.transaction_timeout_ms;
    if !request.enable2_pc && !(1..=context.settings.max_timeout_ms).contains(&timeout_ms) {
        return Err(ErrorCode::InvalidTransactionTimeout);
    }
    let timeout_ms = if request.enable2_pc { NO_TIMEOUT_MS } else { timeout_ms };
    Ok(Init { id, timeout_ms, expected: Some(expected).filter(|it| *it != NO_PRODUCER) })
}

/// Which epoch a producer gets, and the one that a retry is known by.
enum NextEpoch {
    /// It has it already, and asks again.
    Same,
    Bumped {
        last_epoch: Option<i16>,
    },
    /// It needs a new producer id.
    Exhausted {
        last_epoch: Option<i16>,
    },
}

impl Entry {
    /// Whether a producer that says what it is may be the one that this entry is about.
    fn may_be_continued_by(&self, expected: Producer) -> bool {
        if self.status == Status::Ongoing {
            // Kafka looks at the id alone, so that a producer that was fenced could abort the
            // transaction of the one that came after it.
            return expected == self.producer;
        }
        let rotated =
            self.previous_producer_id == Some(expected.id) && expected.epoch >= LAST_PRODUCER_EPOCH;
        expected.id == self.producer.id || rotated
    }

    fn next_epoch(&self, expected: Option<Producer>) -> Result<NextEpoch, ErrorCode> {
        let current = self.producer.epoch;
        let last_epoch = match expected {
            // Another producer: the one before is no longer to be told from a stranger.
            None => None,
            Some(expected) if expected.epoch == current => Some(current),
            // A new one would have cleared the last epoch, so this is the same one again.
            Some(expected) if self.last_epoch == Some(expected.epoch) => {
                return Ok(NextEpoch::Same);
            }
            Some(_) => return Err(ErrorCode::ProducerFenced),
        };
        Ok(if self.is_epoch_exhausted() {
            NextEpoch::Exhausted { last_epoch }
        } else {
            NextEpoch::Bumped { last_epoch }
        })
    }
}
