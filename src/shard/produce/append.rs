//! The append on the core that owns the partition: what it is given, and what became of it.
//!
//! Owns: nothing. Lives on: the core of the partition. Never: waits; a waiter is left with the
//! partition until the records are safe.

use super::{TransactionalId, expiry::wait, is_by_id, pending::PendingAppends, unverified};
use crate::{
    log::{AppendContext, AppendError, VerificationGuard},
    shard::{
        Shard,
        partition::{
            Partition, PartitionId,
            waiters::{Done, Until, Waiter},
        },
    },
};
use bytes::BytesMut;
use protocol::{
    ErrorCode,
    produce::RecordError,
    records::validate::{AppendOrigin, BatchProducer, Rejection, ValidBatch},
};
use ring::Instant;
use std::{rc::Rc, sync::Arc};

/// What a producer waits for (`acks`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acks {
    /// 0 or 1: the leader's own log. (Of acks=0 the request's memory counts until then.)
    Leader,
    /// -1: all replicas in sync.
    All,
}

impl Acks {
    fn until(self) -> Until {
        match self {
            Acks::Leader => Until::Safe,
            Acks::All => Until::Committed,
        }
    }
}

/// What the appends of one request have in common.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    pub origin: AppendOrigin,
    pub acks: Acks,
    /// When the request is answered at the latest; `None`: it is not answered.
    pub deadline: Option<Instant>,
}

/// Why records are not appended.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("this broker does not lead the partition")]
    NotLeader,
    #[error("it has failed before; see the first error in the log")]
    HasFailed,
    #[error(
        "{in_sync} replicas are in sync, and acks=all needs {wanted} (min.insync.replicas): write \
         again when more replicas have caught up"
    )]
    NotEnoughReplicas { in_sync: usize, wanted: usize },
    #[error(transparent)]
    Log(#[from] AppendError),
}

impl Refused {
    pub fn code(&self) -> ErrorCode {
        match self {
            Refused::NotLeader => ErrorCode::NotLeaderOrFollower,
            Refused::HasFailed => ErrorCode::KafkaStorageError,
            Refused::NotEnoughReplicas { .. } => ErrorCode::NotEnoughReplicas,
            Refused::Log(error) => error.code(),
        }
    }
}

/// One partition's records on their way to the core that owns it: checked, not yet numbered.
pub struct Append {
    pub id: PartitionId,
    pub records: BytesMut,
    /// Of refused records only the refusal travels.
    pub valid: Result<ValidBatch, Rejection>,
    pub terms: Terms,
    /// That of its request.
    pub transactional_id: Option<Arc<TransactionalId>>,
}

impl Append {
    pub fn new(
        id: PartitionId,
        verdict: Result<(BytesMut, ValidBatch), Rejection>,
        terms: Terms,
        transactional_id: Option<Arc<TransactionalId>>,
    ) -> Append {
        let (records, valid) = match verdict {
            Ok((records, valid)) => (records, Ok(valid)),
            Err(refused) => (BytesMut::new(), Err(refused)),
        };
        Append { id, records, valid, terms, transactional_id }
    }

    /// The producer, where the records are inside of its transaction.
    pub fn transactional_producer(&self) -> Option<BatchProducer> {
        let valid = self.valid.as_ref().ok().filter(|valid| valid.is_transactional)?;
        valid.producer
    }

    pub fn produce_version(&self) -> i16 {
        match self.terms.origin {
            AppendOrigin::Client { produce_version } => produce_version,
            AppendOrigin::Coordinator => 0,
        }
    }
}

/// What became of one append.
#[derive(Clone, Debug)]
pub struct AppendResult {
    pub error: ErrorCode,
    pub base_offset: i64,
    pub log_append_time_ms: i64,
    pub log_start_offset: i64,
    pub message: Option<String>,
    pub record_errors: Vec<RecordError>,
}

impl AppendResult {
    pub fn error(error: ErrorCode, message: impl Into<Option<String>>) -> AppendResult {
        let message = message.into();
        AppendResult {
            error,
            base_offset: -1,
            log_append_time_ms: -1,
            log_start_offset: -1,
            message,
            record_errors: vec![],
        }
    }

    pub fn refused(refused: Rejection) -> AppendResult {
        assert_ne!(refused.error, ErrorCode::None, "a refusal has an error");
        let record_errors = refused.record_errors;
        AppendResult { record_errors, ..AppendResult::error(refused.error, refused.message) }
    }
}

/// Gives the records their offsets and leaves a waiter until they are safe. Records of a
/// transaction that is not open here wait for its coordinator's word before.
pub fn append_local(
    shard: &Shard,
    partition: Option<&Rc<Partition>>,
    append: Append,
    pending: &Rc<PendingAppends>,
    index: usize,
) {
    // A route that was made before its partition could be opened does not know it.
    let late = if partition.is_none() { shard.data.partition(append.id) } else { None };
    let Some(partition) = partition.or(late.as_ref()) else {
        let absence = shard.absence(append.id, is_by_id(append.terms.origin));
        return pending.set(index, AppendResult::error(absence, None));
    };
    if unverified::must_wait(shard, partition, &append) {
        return unverified::queue(shard, partition, append, pending, index);
    }
    append_to(shard, partition, (append, None), pending, index);
}

/// The same for records that wait for no coordinator (any more): the guard is what it gave.
pub fn append_to(
    shard: &Shard,
    partition: &Rc<Partition>,
    (append, guard): (Append, Option<VerificationGuard>),
    pending: &Rc<PendingAppends>,
    index: usize,
) {
    let is_inside = append.transactional_producer().is_some();
    assert!(is_inside || guard.is_none(), "a guard is for the records of a transaction");
    if partition.is_gone() {
        let absence = shard.absence(append.id, is_by_id(append.terms.origin));
        return pending.set(index, AppendResult::error(absence, None));
    }
    assert_eq!(partition.id, append.id, "records are appended where they belong");
    let log_start_offset = partition.log.log_start_offset();
    let valid = match append.valid {
        Ok(valid) => valid,
        Err(refused) => {
            return pending
                .set(index, AppendResult { log_start_offset, ..AppendResult::refused(refused) });
        }
    };
    let Terms { origin, acks, deadline } = append.terms;
    let verification_required =
        shard.control.view().runtime.transactions.partition_verification_enable;
    let context = AppendContext { origin, verification_required, guard, transaction_version: 0 };
    match append_records(shard, partition, append.records, &valid, &context, acks) {
        Err(error) => {
            // As Kafka, which says the log's start where a producer is out of step, not where the
            // log takes nothing.
            let log_start_offset = if matches!(error, Refused::Log(AppendError::Producer(_))) {
                log_start_offset
            } else {
                -1
            };
            // A log that is closed at a stop is as one that is not here any more.
            let code = match error.code() {
                ErrorCode::KafkaStorageError if shard.is_stopping() => {
                    ErrorCode::NotLeaderOrFollower
                }
                code => code,
            };
            let result = AppendResult::error(code, error.to_string());
            pending.set(index, AppendResult { log_start_offset, ..result });
        }
        Ok((result, end_offset)) => {
            pending.set(index, result);
            if !partition.has_reached(acks.until(), end_offset) {
                pending.hold();
                let done = Done::Append { pending: pending.clone(), index };
                let waiter = Waiter { offset: end_offset, deadline, done };
                wait(shard, partition, acks.until(), waiter);
            }
        }
    }
}

/// The append itself: returns what the client hears, and the end of its records.
pub fn append_records(
    shard: &Shard,
    partition: &Rc<Partition>,
    records: BytesMut,
    valid: &ValidBatch,
    context: &AppendContext,
    acks: Acks,
) -> Result<(AppendResult, i64), Refused> {
    if partition.is_offline() {
        return Err(Refused::HasFailed);
    }
    let leader_epoch = partition.check_leader(-1).map_err(|_| Refused::NotLeader)?;
    if acks == Acks::All {
        let (in_sync, wanted) = partition.in_sync().expect("it is led here");
        if in_sync < wanted {
            return Err(Refused::NotEnoughReplicas { in_sync, wanted });
        }
    }
    let size_bytes = records.len() as u64;
    let now_ms = shard.ring.wall_clock_ms();
    let info = partition.log.append_as_leader(records, valid, leader_epoch, now_ms, context)?;
    let (base, last, end) = (info.base_offset, info.last_offset, partition.log.log_end_offset());
    assert!(base <= last && last < end, "records {base} to {last} in a log that ends at {end}");
    if !info.duplicate {
        assert_eq!(last + 1, end, "an append is the end of the log");
        let committed = partition.log.high_watermark();
        assert!(committed <= base, "{committed} is committed, and {base} is appended");
        let counters = &partition.counters;
        counters.produce_requests.set(counters.produce_requests.get() + 1);
        counters
            .produce_records
            .set(counters.produce_records.get() + (info.last_offset - info.base_offset + 1) as u64);
        counters.produce_bytes.set(counters.produce_bytes.get() + size_bytes);
        shard.data.commit.appended(partition);
    }
    let result = AppendResult {
        error: ErrorCode::None,
        base_offset: info.base_offset,
        log_append_time_ms: info.log_append_time_ms,
        log_start_offset: info.log_start_offset,
        message: None,
        record_errors: vec![],
    };
    Ok((result, info.last_offset + 1))
}
