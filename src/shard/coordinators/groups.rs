//! What is of group coordinators alone: where they live, how they are configured, how they come by
//! offsets in transactions, and what the admin page shows of them.
//!
//! Owns: nothing. Lives on: every core. Never: hosts one itself, and never decides anything about a
//! group.

use super::{AnyHost, Host, Hosted, Words, encode_records, host};
use crate::{
    coord::{
        Batch,
        groups::{
            GroupSettings, GroupSummary, Groups, TransactionalProducer,
            request::{Request, Response},
        },
    },
    pace::TurnBudget,
    shard::{
        Ask, Shard, partition::Partition, transactions::verify::Transaction, view::topic_log_config,
    },
    stats::{GroupOffsetSnapshot, GroupSnapshot},
};
use bytes::Bytes;
use protocol::{
    ErrorCode,
    compression::Compression,
    messages::{TxnOffsetCommitRequest, TxnOffsetCommitResponse},
    records::{BatchBuilder, NO_SEQUENCE},
};
use std::{convert::Infallible, rc::Rc};

pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

impl Hosted for Groups {
    const TOPIC: &'static str = OFFSETS_TOPIC;
    const WORDS: Words = Words {
        coordinator: "group coordinator",
        commit: "group commit",
        served: "groups",
        not_loaded: "group coordinators are not loaded (their groups get \
            COORDINATOR_LOAD_IN_PROGRESS)",
        only_reads: "group coordinators only read",
    };

    fn settings(shard: &Shard, _partition: &Partition) -> GroupSettings {
        let config = &shard.config;
        let max_batch_bytes =
            topic_log_config(&shard.control.view(), OFFSETS_TOPIC).max_message_bytes;
        GroupSettings {
            min_session_timeout_ms: config.groups.min_session_timeout_ms,
            max_session_timeout_ms: config.groups.max_session_timeout_ms,
            initial_rebalance_delay_ms: config.groups.initial_rebalance_delay_ms.into(),
            group_max_size: config.groups.max_size,
            offset_metadata_max_size: config.offsets.metadata_max_bytes as usize,
            offsets_retention_ms: i64::from(config.offsets.retention_minutes) * 60_000,
            retention_check_interval_ms: config.offsets.retention_check_interval_ms,
            max_batch_bytes: max_batch_bytes as usize,
        }
    }

    /// What belongs to a transaction is not numbered: its producer does not write it itself.
    fn encode(batch: &Batch<Option<TransactionalProducer>>, now_ms: i64) -> Bytes {
        let builder = BatchBuilder::new(0);
        let builder = match batch.author {
            Some(producer) => {
                builder.producer(producer.id, producer.epoch, NO_SEQUENCE).transactional(true)
            }
            None => builder,
        };
        encode_records(batch, builder, now_ms)
    }

    fn codec(shard: &Shard) -> Compression {
        let id = shard.config.offsets.topic_compression_codec as u8;
        Compression::from_id(id).expect("the value was validated")
    }

    fn execute(_shard: &Shard, _host: &Rc<Host<Groups>>, effect: Infallible) {
        match effect {}
    }

    fn any(host: Rc<Host<Groups>>) -> AnyHost {
        AnyHost::Groups(host)
    }

    fn of(host: &AnyHost) -> Option<&Rc<Host<Groups>>> {
        match host {
            AnyHost::Groups(host) => Some(host),
            AnyHost::Transactions(_) => None,
        }
    }
}

/// Asks the coordinator of a partition that `core` leads to commit offsets in a producer's
/// transaction. `None` when the broker stops before the answer comes.
pub async fn commit_in_transaction(
    shard: &Shard,
    core: usize,
    partition: i32,
    request: TxnOffsetCommitRequest,
    api_version: i16,
) -> Option<TxnOffsetCommitResponse> {
    shard.ask(core, CommitInTransaction { partition, request, api_version }).await
}

struct CommitInTransaction {
    partition: i32,
    request: TxnOffsetCommitRequest,
    api_version: i16,
}

impl Ask for CommitInTransaction {
    type Answer = TxnOffsetCommitResponse;

    async fn execute(self, shard: &Shard, _from: usize) -> TxnOffsetCommitResponse {
        let CommitInTransaction { partition, request, api_version } = self;
        let transaction = Transaction {
            transactional_id: Rc::from(request.transactional_id.as_str()),
            producer_id: request.producer_id,
            producer_epoch: request.producer_epoch,
            base_sequence: NO_SEQUENCE,
            adds: api_version >= ADDS_PARTITION_FROM,
        };
        let request = Request::TxnOffsetCommit { request, api_version };
        let error_of = |error| error_of_verification(error, api_version);
        let asked = host::request_in_transaction::<Groups>(
            shard,
            partition,
            request,
            &transaction,
            error_of,
        );
        match asked.await {
            Response::TxnOffsetCommit(response) => response,
            other => unreachable!("a coordinator answered with {other:?}"),
        }
    }
}

/// From this version on, TxnOffsetCommit adds the partition of the group to the transaction
/// (KIP-890).
const ADDS_PARTITION_FROM: i16 = 5;
/// The first version whose clients know TRANSACTION_ABORTABLE.
const TRANSACTION_ABORTABLE_FROM: i16 = 4;

/// What a producer hears whose transaction could not be verified, as in Kafka
/// (`CoordinatorOperationExceptionHelper`, `AddPartitionsToTxnManager`). The errors of partitions
/// become those of coordinators, which it takes for a reason to try again.
fn error_of_verification(error: ErrorCode, api_version: i16) -> ErrorCode {
    match error {
        ErrorCode::NetworkException => ErrorCode::CoordinatorLoadInProgress,
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::NotEnoughReplicas
        | ErrorCode::RequestTimedOut => ErrorCode::CoordinatorNotAvailable,
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        ErrorCode::ProducerFenced => ErrorCode::InvalidProducerEpoch,
        // Producers of before do not expect it, and would give up.
        ErrorCode::ConcurrentTransactions if api_version < ADDS_PARTITION_FROM => {
            ErrorCode::CoordinatorLoadInProgress
        }
        ErrorCode::TransactionAbortable if api_version < TRANSACTION_ABORTABLE_FROM => {
            ErrorCode::InvalidTxnState
        }
        error => error,
    }
}

/// The groups of this core, for the admin page.
pub async fn summaries(shard: &Shard, budget: &mut TurnBudget<'_>) -> Vec<GroupSnapshot> {
    let summary = |group: GroupSummary| GroupSnapshot {
        group: group.id,
        state: group.state,
        members: group.members as u64,
        offsets: group
            .offsets
            .into_iter()
            .map(|(topic, partition, committed_offset)| GroupOffsetSnapshot {
                topic,
                partition,
                committed_offset,
            })
            .collect(),
    };
    let hosts: Vec<Rc<Host<Groups>>> =
        shard.control.coordinators.borrow().all::<Groups>().cloned().collect();
    let mut summaries = Vec::new();
    for host in hosts {
        let of_host = host.machine(Groups::summaries);
        for group in of_host {
            summaries.push(summary(group));
            budget.item_done().await;
        }
        budget.step_done().await;
    }
    summaries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn producers_hear_of_a_failed_verification_what_they_can_act_upon() {
        for (error, api_version, expected) in [
            (ErrorCode::UnknownTopicOrPartition, 5, ErrorCode::CoordinatorNotAvailable),
            (ErrorCode::NotEnoughReplicas, 5, ErrorCode::CoordinatorNotAvailable),
            (ErrorCode::RequestTimedOut, 5, ErrorCode::CoordinatorNotAvailable),
            (ErrorCode::NotLeaderOrFollower, 5, ErrorCode::NotCoordinator),
            (ErrorCode::KafkaStorageError, 5, ErrorCode::NotCoordinator),
            (ErrorCode::NetworkException, 5, ErrorCode::CoordinatorLoadInProgress),
            (ErrorCode::ConcurrentTransactions, 5, ErrorCode::ConcurrentTransactions),
            (ErrorCode::ConcurrentTransactions, 4, ErrorCode::CoordinatorLoadInProgress),
            (ErrorCode::TransactionAbortable, 4, ErrorCode::TransactionAbortable),
            (ErrorCode::TransactionAbortable, 3, ErrorCode::InvalidTxnState),
            (ErrorCode::ProducerFenced, 5, ErrorCode::InvalidProducerEpoch),
            (ErrorCode::InvalidProducerEpoch, 0, ErrorCode::InvalidProducerEpoch),
            (ErrorCode::InvalidProducerIdMapping, 0, ErrorCode::InvalidProducerIdMapping),
            (ErrorCode::InvalidTxnState, 0, ErrorCode::InvalidTxnState),
        ] {
            let heard = error_of_verification(error, api_version);
            assert_eq!(heard, expected, "{error} in version {api_version}");
        }
    }

    #[test]
    fn a_batch_of_a_transaction_names_its_producer_and_no_sequence() {
        let record = crate::coord::CoordinatorRecord { key: Bytes::from_static(b"k"), value: None };
        let encoded = |author| {
            let bytes = Groups::encode(&Batch { author, records: vec![record.clone()] }, 7);
            let batch = protocol::records::batches(&bytes).next().unwrap().unwrap();
            (
                batch.producer_id(),
                batch.producer_epoch(),
                batch.base_sequence(),
                batch.is_transactional(),
            )
        };
        let producer = TransactionalProducer { id: 9, epoch: 2 };
        assert_eq!(encoded(Some(producer)), (9, 2, NO_SEQUENCE, true));
        assert_eq!(encoded(None), (-1, -1, NO_SEQUENCE, false));
    }
}
