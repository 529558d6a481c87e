//! The transaction coordinator: the state machine over `__transaction_state`.
//!
//! All of it is pure and lives on the core that leads the partition of `__transaction_state` that
//! the transactional id belongs to. [`machine`] is everything that the partition says, with the
//! events that change it; [`entry`] is one transactional id with the ways that its status may go,
//! and [`entries`] all of them; [`records`] the bytes of the log, and [`request`] the questions and
//! answers. The requests: [`init`], [`add_partitions`], [`end`], [`describe`], [`list`] with
//! [`pattern`]. Deadlines: [`expire`]. Markers until they are written: [`markers`]. It never writes
//! a marker, and never talks to the controller: it wants that done by an
//! [`Effect`](request::Effect).
//!
//! # What the host does, beyond the contract of the [`runtime`](crate::coord::runtime)
//!
//! - Settles before a request comes here: authorization, and that the topics exist.
//! - Answers each effect once, by a request of this machine, and only the coordinator that wanted
//!   it: answers to an earlier one of the partition are dropped, for its successor wants again what
//!   it still needs. An answer about markers may come in any number of pieces, but must come for
//!   each partition.
//! - Producer ids: `AllocateProducerIds` is wanted after a load and when few are left, and is
//!   answered with any number of ids that nothing else has. It may be a piece of the block that the
//!   broker got from the controller. As long as there is none, requests that need one are answered
//!   with COORDINATOR_LOAD_IN_PROGRESS, as in Kafka. A request could have brought an id, but most
//!   would bring one in vain, and a timeout that needs one comes without a request.
//! - Writes no marker of an effect before it is told so. The runtime holds an effect until the
//!   record that says Prepare is committed.
//!
//! # Where Kafka waits
//!
//! Kafka answers CONCURRENT_TRANSACTIONS while a record of the transactional id is on its way into
//! the log. Here the next request sees the state that the record makes, and its answer waits for
//! the record. From Prepare to Complete both answer CONCURRENT_TRANSACTIONS.

mod add_partitions;
mod describe;
mod end;
mod entries;
mod entry;
mod expire;
mod init;
mod list;
mod machine;
mod markers;
mod partitions;
mod pattern;
mod records;
pub mod request;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use protocol::ErrorCode;

use super::runtime;
use crate::limits;

pub use list::Filter;
pub use machine::Transactions;
pub use partitions::TopicPartition;
pub use pattern::Pattern;

/// What the operator configures, under which leader epoch the coordinator is made, and what may
/// change from event to event: the finalized feature, and the room that is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionSettings {
    /// The finalized level of the feature `transaction.version`: 2 has an epoch for each
    /// transaction (KIP-890).
    pub transaction_version: i16,
    /// `transaction.two.phase.commit.enable`
    pub two_phase_commit: bool,
    /// `transaction.max.timeout.ms`
    pub max_timeout_ms: i32,
    /// `transactional.id.expiration.ms`
    pub transactional_id_expiration_ms: i64,
    /// `transaction.remove.expired.transaction.cleanup.interval.ms`
    pub expiration_check_interval_ms: i64,
    /// The leader epoch of the partition of `__transaction_state`; markers carry it.
    pub coordinator_epoch: i32,
    /// The largest batch that the log of `__transaction_state` takes: the topic's
    /// `max.message.bytes`.
    pub max_batch_bytes: usize,
    /// Transactional ids of one partition.
    pub max_transactional_ids: usize,
    /// Partitions of one transaction.
    pub max_transaction_partitions: usize,
    /// What the transactional ids may still grow by in memory.
    pub room_bytes: usize,
}

impl Default for TransactionSettings {
    /// Kafka's defaults.
    fn default() -> TransactionSettings {
        TransactionSettings {
            transaction_version: 2,
            two_phase_commit: false,
            max_timeout_ms: 900_000,
            transactional_id_expiration_ms: 7 * 24 * 60 * 60 * 1000,
            expiration_check_interval_ms: 3_600_000,
            coordinator_epoch: 0,
            max_batch_bytes: 1_048_588,
            max_transactional_ids: limits::TRANSACTIONAL_IDS_PER_PARTITION_MAX,
            max_transaction_partitions: limits::PARTITIONS_PER_TRANSACTION_MAX,
            room_bytes: usize::MAX,
        }
    }
}

/// What happens when a deadline passes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerKey {
    /// The transaction of this id has taken its time.
    Timeout(Arc<str>),
    /// Markers that were refused in passing are tried again.
    Markers(Arc<str>),
    /// Producer ids that were refused are asked for again.
    ProducerIds,
    /// Look for expired transactional ids.
    Cleanup,
    /// Markers that found no room in an event are wanted.
    MoreMarkers,
    /// What was open at the load is taken up further.
    Resume,
}

type Context<'a> = runtime::Context<'a, Transactions>;

/// Clients before these versions take PRODUCER_FENCED for an unknown error.
const INIT_PRODUCER_ID_FENCED_SINCE: i16 = 4;
const OTHERS_FENCED_SINCE: i16 = 2;

/// The same error in words that the client's version has.
fn error_for_version(error: ErrorCode, api_version: i16, fenced_since: i16) -> ErrorCode {
    match error {
        ErrorCode::ProducerFenced if api_version < fenced_since => ErrorCode::InvalidProducerEpoch,
        other => other,
    }
}
