//! What a transaction coordinator is asked and what it answers: Kafka's own structs, one
//! transactional id at a time; and what it wants done elsewhere.
//!
//! Plain data that may cross cores.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTransaction;
use protocol::messages::add_partitions_to_txn_response::AddPartitionsToTxnResult;
use protocol::messages::describe_transactions_response::TransactionState;
use protocol::messages::{
    AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, EndTxnRequest, EndTxnResponse,
    InitProducerIdRequest, InitProducerIdResponse,
};

use super::add_partitions::partitions_result;
use super::list::{Filter, Page};
use super::partitions::TopicPartition;
use crate::coord::producer_ids::{ProducerIdBlock, init_producer_id_error};

/// Authorization is settled before, and that the topics exist.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// With a transactional id; others never come here.
    InitProducerId {
        request: InitProducerIdRequest,
        api_version: i16,
    },
    /// Also the one that only verifies, and the one that a Produce of version 12 stands for: that
    /// is an AddPartitionsToTxn of version 5.
    AddPartitions {
        transaction: AddPartitionsToTxnTransaction,
        api_version: i16,
    },
    AddOffsets {
        request: AddOffsetsToTxnRequest,
        /// The group's partition of `__consumer_offsets`.
        offsets_partition: i32,
        api_version: i16,
    },
    EndTxn {
        request: EndTxnRequest,
        api_version: i16,
    },
    DescribeTransaction {
        transactional_id: String,
    },
    /// The next page of those that pass. Goes to every coordinator.
    ListTransactions {
        filter: Arc<Filter>,
        after: Option<Arc<str>>,
    },
    /// What became of [`Effect::AllocateProducerIds`].
    ProducerIds(Result<ProducerIdBlock, ErrorCode>),
    /// What became of [`Effect::WriteMarkers`], or of some of its partitions.
    MarkersWritten(MarkersReport),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    InitProducerId(InitProducerIdResponse),
    AddPartitions(AddPartitionsToTxnResult),
    AddOffsets(AddOffsetsToTxnResponse),
    EndTxn(EndTxnResponse),
    DescribeTransaction(TransactionState),
    ListTransactions(Page),
    /// To what became of an effect there is nothing to say.
    Noted,
}

/// To be done elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    AllocateProducerIds,
    /// May name partitions of several leaders.
    WriteMarkers(Markers),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markers {
    pub transactional_id: Arc<str>,
    /// Numbers the transactions of a coordinator; comes back with the report.
    pub serial: u64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub coordinator_epoch: i32,
    pub committed: bool,
    /// What WriteTxnMarkers tells of the client's generation.
    pub transaction_version: i16,
    pub partitions: Vec<TopicPartition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkersReport {
    pub transactional_id: Arc<str>,
    pub serial: u64,
    pub outcomes: Vec<(TopicPartition, MarkerOutcome)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkerOutcome {
    Written,
    /// The partition is deleted, or holds nothing of the producer's for ever.
    Gone,
    /// It has another leader now, or its log waits for something that passes.
    RetryLater,
    /// A newer producer or coordinator has been there (INVALID_PRODUCER_EPOCH,
    /// TRANSACTION_COORDINATOR_FENCED): this coordinator is not the one any more.
    Fenced,
}

impl Request {
    /// Whether it may write records. What does not is served also while the log takes none.
    pub(super) fn may_write(&self) -> bool {
        match self {
            Request::AddPartitions { transaction, .. } => !transaction.verify_only,
            Request::InitProducerId { .. }
            | Request::AddOffsets { .. }
            | Request::EndTxn { .. }
            | Request::MarkersWritten(_) => true,
            Request::DescribeTransaction { .. }
            | Request::ListTransactions { .. }
            | Request::ProducerIds(_) => false,
        }
    }

    /// The answer that reports `error` and nothing else.
    pub fn failed(&self, error: ErrorCode) -> Response {
        match self {
            Request::InitProducerId { .. } => {
                Response::InitProducerId(init_producer_id_error(error))
            }
            Request::AddPartitions { transaction, .. } => {
                Response::AddPartitions(partitions_result(transaction, |_, _| error))
            }
            Request::AddOffsets { .. } => add_offsets_error(error),
            Request::EndTxn { .. } => Response::EndTxn(end_txn_error(error)),
            Request::DescribeTransaction { transactional_id } => {
                Response::DescribeTransaction(described_error(transactional_id, error))
            }
            Request::ListTransactions { .. } => Response::ListTransactions(Page::failed(error)),
            Request::ProducerIds(_) | Request::MarkersWritten(_) => Response::Noted,
        }
    }
}

impl Response {
    /// The same answer turned into a failure, when what it reports did not last.
    pub(super) fn into_failed(self, error: ErrorCode) -> Response {
        match self {
            Response::InitProducerId(_) => Response::InitProducerId(init_producer_id_error(error)),
            Response::AddPartitions(mut result) => {
                let topics = result.topic_results.iter_mut();
                for partition in topics.flat_map(|topic| &mut topic.results_by_partition) {
                    partition.partition_error_code = error.code();
                }
                Response::AddPartitions(result)
            }
            Response::AddOffsets(_) => add_offsets_error(error),
            Response::EndTxn(_) => Response::EndTxn(end_txn_error(error)),
            Response::DescribeTransaction(state) => {
                Response::DescribeTransaction(described_error(&state.transactional_id, error))
            }
            Response::ListTransactions(_) => Response::ListTransactions(Page::failed(error)),
            Response::Noted => Response::Noted,
        }
    }
}

fn add_offsets_error(error: ErrorCode) -> Response {
    Response::AddOffsets(AddOffsetsToTxnResponse { error_code: error.code(), ..Default::default() })
}

pub(super) fn end_txn_error(error: ErrorCode) -> EndTxnResponse {
    EndTxnResponse { error_code: error.code(), ..Default::default() }
}

pub fn described_error(transactional_id: &str, error: ErrorCode) -> TransactionState {
    TransactionState {
        error_code: error.code(),
        transactional_id: transactional_id.to_owned(),
        ..Default::default()
    }
}
