//! ListTransactions: all that a filter lets through, page by page.
//!
//! Pure, on the core that leads the ids' partition; each page is a turn of it. The pattern of a
//! request is none of the filter: what that takes is up to the request and to the ids, so its
//! caller matches, on the core of the connection and in steps of its own
//! ([`Pattern`](super::Pattern)).

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::list_transactions_response::TransactionState as ListedTransaction;

use super::Transactions;
use super::entry::{Entry, Status};
use crate::limits::{TRANSACTIONS_LISTED_AT_ONCE, TRANSACTIONS_LISTED_BYTES};

/// The transactions that a ListTransactions asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    states: Option<BTreeSet<Status>>,
    producer_ids: HashSet<i64>,
    /// Transactions that began longer ago than this.
    duration_ms: Option<i64>,
}

/// What is found among some ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub error: Option<ErrorCode>,
    pub transactions: Vec<ListedTransaction>,
    /// The id behind which the next page begins; none behind the last.
    pub next: Option<Arc<str>>,
}

impl Page {
    pub(super) fn failed(error: ErrorCode) -> Page {
        Page { error: Some(error), ..Page::default() }
    }
}

impl Filter {
    /// Negative: however long ago they began.
    pub fn older_than(duration_ms: i64) -> Filter {
        let duration_ms = Some(duration_ms).filter(|duration_ms| *duration_ms >= 0);
        Filter { duration_ms, ..Filter::default() }
    }

    /// One of the states that pass. Says whether Kafka has one of this name.
    pub fn add_state(&mut self, name: &str) -> bool {
        let states = self.states.get_or_insert_default();
        states.extend(Status::of_name(name));
        Status::is_name(name)
    }

    pub fn add_producer_id(&mut self, producer_id: i64) {
        self.producer_ids.insert(producer_id);
    }

    /// An id that has no transaction is older than any duration, as in Kafka.
    fn passes(&self, entry: &Entry, now_ms: i64) -> bool {
        let is_older = |duration_ms: i64| {
            let began_ms = entry.start_ms;
            began_ms.is_none_or(|began_ms| began_ms < now_ms.saturating_sub(duration_ms))
        };
        (self.producer_ids.is_empty() || self.producer_ids.contains(&entry.producer.id))
            && self.states.as_ref().is_none_or(|states| states.contains(&entry.status))
            && self.duration_ms.is_none_or(is_older)
    }
}

impl Transactions {
    pub(super) fn list(&self, now_ms: i64, filter: &Filter, after: Option<&str>) -> Page {
        let (mut page, mut bytes) = (Page::default(), 0);
        let mut entries = self.entries.after(after).enumerate().peekable();
        while let Some((place, (id, entry))) = entries.next() {
            if filter.passes(entry, now_ms) {
                bytes += id.len();
                page.transactions.push(ListedTransaction {
                    transactional_id: id.to_string(),
                    producer_id: entry.producer.id,
                    transaction_state: entry.status.name().to_owned(),
                });
            }
            let is_full =
                place + 1 >= TRANSACTIONS_LISTED_AT_ONCE || bytes >= TRANSACTIONS_LISTED_BYTES;
            if is_full && entries.peek().is_some() {
                page.next = Some(id.clone());
                break;
            }
        }
        page
    }
}
