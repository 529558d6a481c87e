//! The append on the core that owns the partition: what it is given, and what became of it.
//!
//! Owns: nothing. Lives on: the core of the partition. Never: waits; a waiter is left with the
//! partition until the records are safe.

use super::{is_by_id, pending::PendingAppends};
use crate::{
    log::{AppendContext, AppendError},
    shard::{
        Shard,
        commit::{Done, Waiter},
        partition::{Partition, PartitionId},
    },
};
use bytes::BytesMut;
use protocol::{
    ErrorCode,
    produce::RecordError,
    records::validate::{AppendOrigin, Rejection, ValidBatch},
};
use std::rc::Rc;

/// One partition's records on their way to the core that owns it: checked, not yet numbered.
pub struct Append {
    pub id: PartitionId,
    pub records: BytesMut,
    /// Of refused records only the refusal travels.
    pub valid: Result<ValidBatch, Rejection>,
    pub origin: AppendOrigin,
}

impl Append {
    pub fn new(
        id: PartitionId,
        verdict: Result<(BytesMut, ValidBatch), Rejection>,
        origin: AppendOrigin,
    ) -> Append {
        match verdict {
            Ok((records, valid)) => Append { id, records, valid: Ok(valid), origin },
            Err(refused) => Append { id, records: BytesMut::new(), valid: Err(refused), origin },
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
        let record_errors = refused.record_errors;
        AppendResult { record_errors, ..AppendResult::error(refused.error, refused.message) }
    }
}

/// Gives the records their offsets and leaves a waiter until they are safe.
pub fn append_local(
    shard: &Shard,
    partition: Option<&Rc<Partition>>,
    append: Append,
    pending: &Rc<PendingAppends>,
    index: usize,
) {
    // A route that was made before its partition could be opened does not know it.
    let late = if partition.is_none() { shard.data.partition(append.id) } else { None };
    let partition = partition.or(late.as_ref());
    let Some(partition) = partition.filter(|partition| !partition.deleted.get()) else {
        let absence = shard.absence(append.id, is_by_id(append.origin));
        return pending.set(index, AppendResult::error(absence, None));
    };
    let log_start_offset = partition.log.log_start_offset();
    let valid = match append.valid {
        Ok(valid) => valid,
        Err(refused) => {
            return pending
                .set(index, AppendResult { log_start_offset, ..AppendResult::refused(refused) });
        }
    };
    match append_records(shard, partition, append.records, &valid, append.origin) {
        Err(error) => {
            // As Kafka, which says the log's start where a producer is out of step, not where the
            // log takes nothing.
            let log_start_offset =
                if matches!(error, AppendError::Producer(_)) { log_start_offset } else { -1 };
            let result = AppendResult::error(error.code(), error.to_string());
            pending.set(index, AppendResult { log_start_offset, ..result });
        }
        Ok((result, safe_offset)) => {
            pending.set(index, result);
            if partition.log.high_watermark() < safe_offset {
                pending.hold();
                let done = Done::Append { pending: pending.clone(), index };
                wait(partition, Waiter { offset: safe_offset, done });
            }
        }
    }
}

/// Waiters stand by rising offset. A duplicate waits for an earlier offset than the last append: it
/// goes in its place.
pub fn wait(partition: &Partition, waiter: Waiter) {
    let mut waiters = partition.waiters.borrow_mut();
    let place = waiters
        .iter()
        .rposition(|other| other.offset <= waiter.offset)
        .map_or(0, |before| before + 1);
    waiters.insert(place, waiter);
}

/// The append itself: returns what the client hears, and the offset that the high watermark must
/// reach first.
pub fn append_records(
    shard: &Shard,
    partition: &Rc<Partition>,
    records: BytesMut,
    valid: &ValidBatch,
    origin: AppendOrigin,
) -> Result<(AppendResult, i64), AppendError> {
    if partition.failed.get() {
        return Err(AppendError::Storage(
            "it has failed before; see the first error in the log".to_owned(),
        ));
    }
    let size_bytes = records.len() as u64;
    let now_ms = shard.ring.wall_clock_ms();
    let context =
        AppendContext { origin, verification_required: false, guard: None, transaction_version: 0 };
    let info = partition.log.append_as_leader(
        records,
        valid,
        partition.leader_epoch.get(),
        now_ms,
        &context,
    )?;
    if !info.duplicate {
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
