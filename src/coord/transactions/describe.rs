//! What operators ask: one transaction, or all that a filter lets through.
//!
//! Pure, on the core that leads the id's partition. It changes nothing.

use std::collections::HashSet;

use protocol::ErrorCode;
use protocol::messages::describe_transactions_response::{TopicData, TransactionState};
use protocol::messages::list_transactions_response::TransactionState as ListedTransaction;
use protocol::messages::{ListTransactionsRequest, ListTransactionsResponse};

use super::Transactions;
use super::entry::{Entry, Status};
use super::pattern::Pattern;
use super::request::{described_error, list_transactions_error};

/// "None" for times in answers.
const UNSET: i64 = -1;

/// The transactions that a ListTransactions asks for.
struct Filter<'a> {
    states: HashSet<&'a str>,
    producer_ids: HashSet<i64>,
    /// Transactions that began no later than this.
    began_before_ms: Option<i64>,
    pattern: Option<Pattern>,
}

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

    pub(super) fn list(
        &self,
        now_ms: i64,
        request: &ListTransactionsRequest,
    ) -> ListTransactionsResponse {
        let pattern = request.transactional_id_pattern.as_deref().filter(|it| !it.is_empty());
        let pattern = match pattern.map(Pattern::compile).transpose() {
            Ok(pattern) => pattern,
            Err(error) => {
                tracing::debug!(%error, "a pattern of ListTransactions is refused");
                return list_transactions_error(ErrorCode::InvalidRegularExpression);
            }
        };
        let mut unknown: Vec<&String> =
            request.state_filters.iter().filter(|name| !Status::is_name(name)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        let filter = Filter {
            states: request.state_filters.iter().map(String::as_str).collect(),
            producer_ids: request.producer_id_filters.iter().copied().collect(),
            began_before_ms: Some(request.duration_filter)
                .filter(|duration_ms| *duration_ms >= 0)
                .map(|duration_ms| now_ms.saturating_sub(duration_ms)),
            pattern,
        };
        let passed = self.entries.values().filter(|entry| filter.passes(entry));
        ListTransactionsResponse {
            unknown_state_filters: unknown.into_iter().cloned().collect(),
            transaction_states: passed
                .map(|entry| ListedTransaction {
                    transactional_id: entry.id.to_string(),
                    producer_id: entry.producer.id,
                    transaction_state: entry.status.name().to_owned(),
                })
                .collect(),
            ..Default::default()
        }
    }
}

impl Filter<'_> {
    /// An id that has no transaction is older than any duration, as in Kafka.
    fn passes(&self, entry: &Entry) -> bool {
        let start_ms = entry.start_ms.unwrap_or(UNSET);
        (self.producer_ids.is_empty() || self.producer_ids.contains(&entry.producer.id))
            && (self.states.is_empty() || self.states.contains(entry.status.name()))
            && self.began_before_ms.is_none_or(|before_ms| start_ms < before_ms)
            && self.pattern.as_ref().is_none_or(|pattern| pattern.matches(&entry.id))
    }
}
