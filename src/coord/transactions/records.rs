//! The transaction coordinator's records in `__transaction_state`: Kafka's bytes on one side, what
//! they mean on the other.
//!
//! Pure. Versions are those that Kafka 4.4 writes: values of version 0 as long as
//! `transaction.version` is 0, else of version 1, which has the tagged fields of KIP-890. All
//! versions are read. A record without value is a tombstone.

use std::sync::Arc;

use protocol::DecodeError;
use protocol::DecodeErrorKind;
use protocol::transaction_records::transaction_log_value::PartitionsSchema;
use protocol::transaction_records::{Key, TransactionLogKey, TransactionLogValue, Value};

use super::entry::{Entry, OLD_CLIENT, Producer, Status};
use super::partitions::Partitions;
use crate::coord::batch::CoordinatorRecord;

/// "None" for producer ids and times in records.
const UNSET: i64 = -1;
const VERSION_WITHOUT_TAGS: i16 = 0;
const VERSION_WITH_TAGS: i16 = 1;
/// An upper bound of what a record takes besides its transactional id and its partitions, with the
/// header of a batch that holds it alone.
const RECORD_BYTES_MAX: usize = 512;

/// What a record says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change {
    Transaction(Box<Entry>),
    Expired(Arc<str>),
    /// A record of a kind that this version of Kafka does not have.
    Other {
        record_type: i16,
    },
}

/// A record that no coordinator should have written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadRecord {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("the status {0} does not exist or is never written")]
    Status(i8),
    #[error("the producer id {id} with epoch {epoch} does not exist")]
    Producer { id: i64, epoch: i16 },
    #[error("a transaction has no list of partitions")]
    NoPartitions,
    #[error("a transaction has begun and has no start")]
    NoStart,
}

/// Reads a record back.
pub(super) fn decode(key: &[u8], value: Option<&[u8]>) -> Result<Change, BadRecord> {
    let key = match Key::decode(key) {
        Ok(key) => key,
        Err(DecodeError {
            kind: DecodeErrorKind::UnknownRecordType { record_type, .. }, ..
        }) => {
            return Ok(Change::Other { record_type: record_type as i16 });
        }
        Err(error) => return Err(error.into()),
    };
    let record_type = key.record_type();
    let Key::TransactionLog(key) = key;
    let id: Arc<str> = Arc::from(key.transactional_id);
    let Some(value) = value else { return Ok(Change::Expired(id)) };
    let Value::TransactionLog(value) = Value::decode(record_type, value)?;
    Ok(Change::Transaction(Box::new(entry_of(id, value)?)))
}

fn entry_of(id: Arc<str>, value: TransactionLogValue) -> Result<Entry, BadRecord> {
    let status = Status::from_code(value.transaction_status)
        .ok_or(BadRecord::Status(value.transaction_status))?;
    let producer = Producer { id: value.producer_id, epoch: value.producer_epoch };
    if producer.id < 0 || producer.epoch < 0 {
        return Err(BadRecord::Producer { id: producer.id, epoch: producer.epoch });
    }
    let mut partitions = Partitions::default();
    if status != Status::Empty {
        let topics = value.transaction_partitions.ok_or(BadRecord::NoPartitions)?;
        for PartitionsSchema { topic, partition_ids } in topics {
            for partition in partition_ids {
                partitions.insert(&topic, partition);
            }
        }
    }
    let set = |number: i64| Some(number).filter(|number| *number != UNSET);
    let start_ms = set(value.transaction_start_timestamp_ms);
    if status != Status::Empty && start_ms.is_none() {
        return Err(BadRecord::NoStart);
    }
    Ok(Entry {
        id,
        producer,
        previous_producer_id: set(value.previous_producer_id),
        last_epoch: None,
        next_producer_id: set(value.next_producer_id),
        timeout_ms: value.transaction_timeout_ms,
        client_version: value.client_transaction_version,
        status,
        partitions,
        start_ms: start_ms.filter(|_| status != Status::Empty),
        updated_ms: value.transaction_last_update_timestamp_ms,
    })
}

/// `transaction_version` is the finalized level of the feature.
pub(super) fn transaction(entry: &Entry, transaction_version: i16) -> CoordinatorRecord {
    // A client of KIP-890 may still be there when the feature has gone back to 0, and version 0
    // has no place for its generation.
    let tagged = transaction_version > 0 || entry.client_version > OLD_CLIENT;
    let topics = entry.partitions.topics().map(|(topic, partitions)| PartitionsSchema {
        topic: topic.to_string(),
        partition_ids: partitions.iter().copied().collect(),
    });
    let value = TransactionLogValue {
        producer_id: entry.producer.id,
        previous_producer_id: entry.previous_producer_id.filter(|_| tagged).unwrap_or(UNSET),
        next_producer_id: entry.next_producer_id.filter(|_| tagged).unwrap_or(UNSET),
        producer_epoch: entry.producer.epoch,
        transaction_timeout_ms: entry.timeout_ms,
        transaction_status: entry.status.code(),
        transaction_partitions: (entry.status != Status::Empty).then(|| topics.collect()),
        transaction_last_update_timestamp_ms: entry.updated_ms,
        transaction_start_timestamp_ms: entry.start_ms.unwrap_or(UNSET),
        client_transaction_version: entry.client_version,
        ..TransactionLogValue::default()
    };
    let version = if tagged { VERSION_WITH_TAGS } else { VERSION_WITHOUT_TAGS };
    let value = Value::TransactionLog(value);
    record(&entry.id, Some(value.encode(version).expect("values are built for their version")))
}

pub(super) fn tombstone(id: &str) -> CoordinatorRecord {
    record(id, None)
}

fn record(id: &str, value: Option<bytes::Bytes>) -> CoordinatorRecord {
    let key = Key::TransactionLog(TransactionLogKey { transactional_id: id.to_owned() });
    CoordinatorRecord { key: key.encode().expect("an id that is too long has no entry"), value }
}

/// Whether a batch of the log takes every record of a transaction with these partitions, whatever
/// version it is written in.
pub(super) fn fits(id: &str, partitions: &Partitions, max_batch_bytes: usize) -> bool {
    RECORD_BYTES_MAX + id.len() + partitions.record_bytes_max() <= max_batch_bytes
}
