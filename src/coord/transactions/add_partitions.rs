//! AddPartitionsToTxn and AddOffsetsToTxn: what a transaction writes to is known before it is
//! written, and whether it is known can be asked.
//!
//! Pure, on the core that leads the id's partition.

use protocol::ErrorCode;
use protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTransaction;
use protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult, AddPartitionsToTxnTopicResult,
};
use protocol::messages::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};

use super::entry::{EPOCH_PER_TRANSACTION, OLD_CLIENT, Producer, Status};
use super::partitions::Partitions;
use super::{Context, OTHERS_FENCED_SINCE, Transactions, error_for_version, records};

const OFFSETS_TOPIC: &str = "__consumer_offsets";
/// Brokers ask with these versions in the name of a client that has an epoch for each transaction;
/// older clients ask for themselves.
const ASKED_BY_BROKERS_SINCE: i16 = 4;
/// What a record of version 0 can hold.
const TOPIC_NAME_BYTES_MAX: usize = i16::MAX as usize;

impl Transactions {
    /// Adds all partitions or none, or only says which of them are there.
    pub(super) fn add_partitions(
        &mut self,
        context: &mut Context<'_>,
        transaction: &AddPartitionsToTxnTransaction,
        api_version: i16,
    ) -> AddPartitionsToTxnResult {
        let producer = Producer { id: transaction.producer_id, epoch: transaction.producer_epoch };
        let id = transaction.transactional_id.as_str();
        if transaction.verify_only {
            return match self.verify(id, producer) {
                Ok(partitions) => partitions_result(transaction, |topic, partition| {
                    if partitions.contains(topic, partition) {
                        ErrorCode::None
                    } else {
                        ErrorCode::TransactionAbortable
                    }
                }),
                Err(error) => partitions_result(transaction, |_, _| error),
            };
        }
        let mut added = Partitions::default();
        for topic in &transaction.topics {
            for partition in &topic.partitions {
                added.insert(&topic.name, *partition);
            }
        }
        let client_version =
            if api_version >= ASKED_BY_BROKERS_SINCE { EPOCH_PER_TRANSACTION } else { OLD_CLIENT };
        let error = self.add(context, id, producer, &added, client_version);
        let error = error.err().unwrap_or(ErrorCode::None);
        let error = error_for_version(error, api_version, OTHERS_FENCED_SINCE);
        partitions_result(transaction, |_, _| error)
    }

    /// Adds the partition that the group's offsets are in. Clients of KIP-890 add it by
    /// TxnOffsetCommit.
    pub(super) fn add_offsets(
        &mut self,
        context: &mut Context<'_>,
        request: &AddOffsetsToTxnRequest,
        offsets_partition: i32,
        api_version: i16,
    ) -> AddOffsetsToTxnResponse {
        let producer = Producer { id: request.producer_id, epoch: request.producer_epoch };
        let mut added = Partitions::default();
        added.insert(OFFSETS_TOPIC, offsets_partition);
        let error = self.add(context, &request.transactional_id, producer, &added, OLD_CLIENT);
        let error = error.err().unwrap_or(ErrorCode::None);
        let error = error_for_version(error, api_version, OTHERS_FENCED_SINCE);
        AddOffsetsToTxnResponse { error_code: error.code(), ..Default::default() }
    }

    fn add(
        &mut self,
        context: &mut Context<'_>,
        id: &str,
        producer: Producer,
        added: &Partitions,
        client_version: i16,
    ) -> Result<(), ErrorCode> {
        if id.is_empty() || added.topics().any(|(topic, _)| topic.len() > TOPIC_NAME_BYTES_MAX) {
            return Err(ErrorCode::InvalidRequest);
        }
        let entry = self.entries.get(id).ok_or(ErrorCode::InvalidProducerIdMapping)?;
        // Before the producer is looked at: it may use the id and the epoch that it was told of
        // and that come with Complete.
        if entry.status.is_prepared() {
            return Err(ErrorCode::ConcurrentTransactions);
        }
        if entry.producer.id != producer.id {
            return Err(ErrorCode::InvalidProducerIdMapping);
        }
        if entry.producer.epoch != producer.epoch {
            return Err(ErrorCode::ProducerFenced);
        }
        if entry.status == Status::Ongoing && entry.partitions.contains_all(added) {
            return Ok(());
        }
        let next = entry.with_partitions(added, client_version, context.now_ms);
        let more_bytes = next.memory_bytes().saturating_sub(entry.memory_bytes());
        if next.partitions.len() > context.settings.max_transaction_partitions
            || more_bytes > context.settings.room_bytes
            || !records::fits(id, &next.partitions, context.settings.max_batch_bytes)
        {
            tracing::warn!(
                transactional_id = id,
                partitions = next.partitions.len(),
                more_bytes,
                "partitions are refused: a transaction has no more, or a record, or the memory of \
                 this core, has no room for more"
            );
            return Err(ErrorCode::PolicyViolation);
        }
        self.put(context, next);
        Ok(())
    }

    /// The partitions of the producer's transaction.
    fn verify(&self, id: &str, producer: Producer) -> Result<&Partitions, ErrorCode> {
        if id.is_empty() {
            return Err(ErrorCode::InvalidRequest);
        }
        let entry = self.entries.get(id).ok_or(ErrorCode::InvalidProducerIdMapping)?;
        if entry.producer.id != producer.id {
            return Err(ErrorCode::InvalidProducerIdMapping);
        }
        if entry.producer.epoch != producer.epoch {
            return Err(ErrorCode::ProducerFenced);
        }
        if entry.status.is_prepared() {
            return Err(ErrorCode::ConcurrentTransactions);
        }
        Ok(&entry.partitions)
    }
}

pub(super) fn partitions_result(
    transaction: &AddPartitionsToTxnTransaction,
    error_of: impl Fn(&str, i32) -> ErrorCode,
) -> AddPartitionsToTxnResult {
    let topics = transaction.topics.iter().map(|topic| AddPartitionsToTxnTopicResult {
        name: topic.name.clone(),
        results_by_partition: topic
            .partitions
            .iter()
            .map(|partition| AddPartitionsToTxnPartitionResult {
                partition_index: *partition,
                partition_error_code: error_of(&topic.name, *partition).code(),
            })
            .collect(),
    });
    AddPartitionsToTxnResult {
        transactional_id: transaction.transactional_id.clone(),
        topic_results: topics.collect(),
    }
}
