//! What operators ask of one transaction. [`list`](super::list) is for many.
//!
//! Pure, on the core that leads the id's partition. It changes nothing.

use protocol::ErrorCode;
use protocol::messages::describe_transactions_response::{TopicData, TransactionState};

use super::Transactions;
use super::request::described_error;

/// "None" for times in answers.
const UNSET: i64 = -1;

impl Transactions {
    pub(super) fn describe(&self, transactional_id: &str) -> TransactionState {
        if transactional_id.is_empty() {
            return described_error(transactional_id, ErrorCode::InvalidRequest);
        }
        let Some(entry) = self.entries.get(transactional_id) else {
            return described_error(transactional_id, ErrorCode::TransactionalIdNotFound);
        };
        let topics = entry.partitions.topics().map(|(topic, partitions)| TopicData {
            topic: topic.to_string(),
            partitions: partitions.iter().copied().collect(),
        });
        TransactionState {
            error_code: ErrorCode::None.code(),
            transactional_id: transactional_id.to_owned(),
            transaction_state: entry.status.name().to_owned(),
            transaction_timeout_ms: entry.timeout_ms,
            transaction_start_time_ms: entry.start_ms.unwrap_or(UNSET),
            producer_id: entry.producer.id,
            producer_epoch: entry.producer.epoch,
            topics: topics.collect(),
        }
    }
}
