//! InitProducerId v0-5 with a transactional id, AddPartitionsToTxn v0-5, AddOffsetsToTxn v0-4,
//! EndTxn v0-5, WriteTxnMarkers v1-2, DescribeProducers v0, DescribeTransactions v0,
//! ListTransactions v0-2: transactions, their coordinators, and what partitions know of producers.
//!
//! Each is a call to the core that hosts the coordinator of the transactional id (see
//! `shard/coordinators`), or to those that own the partitions.

use super::{controller, locate, partition_of, route_of, spread};
use crate::{
    coord::{
        partition::coordinator_partition,
        transactions::{
            Filter, Pattern, TopicPartition, Transactions,
            request::{Request, Response, described_error},
        },
    },
    limits,
    pace::TurnBudget,
    request::RequestContext,
    shard::{
        Ask, Shard,
        coordinators::{self, groups::OFFSETS_TOPIC, transactions::TRANSACTIONS_TOPIC},
        partition::PartitionId,
        transactions::markers::{self, Marker},
        view::TopicRoute,
    },
};
use protocol::{
    ErrorCode,
    generated::rpc::{
        add_partitions_to_txn_request::AddPartitionsToTxnTransaction,
        add_partitions_to_txn_response::{
            AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult,
            AddPartitionsToTxnTopicResult,
        },
        create_topics_request::{CreatableTopic, CreatableTopicConfig},
        describe_producers_response::{PartitionResponse, ProducerState, TopicResponse},
        describe_transactions_response::TopicData,
        write_txn_markers_request::WritableTxnMarker,
        write_txn_markers_response::{
            WritableTxnMarkerPartitionResult, WritableTxnMarkerResult, WritableTxnMarkerTopicResult,
        },
    },
    messages::*,
    records::EndTransactionMarker,
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::{collections::BTreeSet, sync::Arc};

/// From this version on, AddPartitionsToTxn asks for several transactions at once, and brokers
/// alone send it.
const ADD_PARTITIONS_BY_BROKERS_FROM: i16 = 4;

/// Asks the coordinator of a transactional id, wherever it lives.
pub async fn ask(shard: &Shard, transactional_id: &str, request: Request) -> Response {
    let failed = request.failed(ErrorCode::CoordinatorNotAvailable);
    let found = coordinators::locate::<Transactions>(shard, transactional_id);
    let Some((core, index)) = found.and_then(|found| Some((found.core?, found.index))) else {
        return request.failed(ErrorCode::NotCoordinator);
    };
    coordinators::ask::<Transactions>(shard, core, index, request).await.unwrap_or(failed)
}

/// Calls the coordinator of one transactional id and takes the response of the same kind.
macro_rules! ask_for {
    ($kind:ident, $shard:expr, $transactional_id:expr, $request:expr) => {
        match ask($shard, $transactional_id, $request).await {
            Response::$kind(response) => response,
            other => unreachable!("a coordinator answered with {other:?}"),
        }
    };
}

/// `__transaction_state` comes into being when the first producer asks for its coordinator, as
/// Apache Kafka's does.
pub async fn create_topic(shard: &Shard) {
    let settings = &shard.config.transactions;
    let config = |name: &str, value: &str| CreatableTopicConfig {
        name: name.to_owned(),
        value: Some(value.to_owned()),
    };
    let topic = CreatableTopic {
        name: TRANSACTIONS_TOPIC.to_owned(),
        num_partitions: settings.state_log_num_partitions,
        replication_factor: settings.state_log_replication_factor as i16,
        configs: vec![
            config("unclean.leader.election.enable", "false"),
            config("compression.type", "uncompressed"),
            config("cleanup.policy", "compact"),
            config("min.insync.replicas", &settings.state_log_min_isr.to_string()),
            config("segment.bytes", &settings.state_log_segment_bytes.to_string()),
        ],
        ..Default::default()
    };
    controller::create(shard, CreateTopicsRequest { topics: vec![topic], ..Default::default() })
        .await;
}

/// With a transactional id that is not empty.
pub async fn init_producer_id(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    let id = request.transactional_id.clone().unwrap_or_default();
    let request = Request::InitProducerId { request, api_version: context.ids.api_version };
    ask_for!(InitProducerId, shard, &id, request)
}

pub async fn add_partitions(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: AddPartitionsToTxnRequest,
) -> AddPartitionsToTxnResponse {
    let api_version = context.ids.api_version;
    if api_version >= ADD_PARTITIONS_BY_BROKERS_FROM {
        let mut results_by_transaction = Vec::with_capacity(request.transactions.len());
        for transaction in request.transactions {
            results_by_transaction.push(add_to_one(shard, transaction, api_version).await);
        }
        return AddPartitionsToTxnResponse { results_by_transaction, ..Default::default() };
    }
    let transaction = AddPartitionsToTxnTransaction {
        transactional_id: request.v3_and_below_transactional_id,
        producer_id: request.v3_and_below_producer_id,
        producer_epoch: request.v3_and_below_producer_epoch,
        verify_only: false,
        topics: request.v3_and_below_topics,
    };
    let result = add_to_one(shard, transaction, api_version).await;
    AddPartitionsToTxnResponse {
        results_by_topic_v3_and_below: result.topic_results,
        ..Default::default()
    }
}

/// All partitions are added or none: one that may not be written to fails the others.
async fn add_to_one(
    shard: &Shard,
    transaction: AddPartitionsToTxnTransaction,
    api_version: i16,
) -> AddPartitionsToTxnResult {
    let mut errors = Vec::new();
    for topic in &transaction.topics {
        let route = route_of(shard, &topic.name);
        errors.extend(topic.partitions.iter().map(|index| refusal(route.as_deref(), *index)));
    }
    if errors.iter().any(Option::is_some) {
        let mut errors = errors.into_iter();
        let error_of =
            |_: &str, _: i32| errors.next().flatten().unwrap_or(ErrorCode::OperationNotAttempted);
        let result = result_of(&transaction, error_of);
        assert!(errors.next().is_none(), "each error is of a partition that the request names");
        return result;
    }
    let id = transaction.transactional_id.clone();
    ask_for!(AddPartitions, shard, &id, Request::AddPartitions { transaction, api_version })
}

/// Why a client's transaction may not write to a partition; `None`: it may.
fn refusal(topic: Option<&TopicRoute>, index: i32) -> Option<ErrorCode> {
    match partition_of(topic, index) {
        // The offsets of a group come by AddOffsetsToTxn and TxnOffsetCommit.
        Ok((topic, _)) if topic.is_internal => Some(ErrorCode::TopicAuthorizationFailed),
        Ok(_) => None,
        Err(error) => Some(error),
    }
}

fn result_of(
    transaction: &AddPartitionsToTxnTransaction,
    mut error_of: impl FnMut(&str, i32) -> ErrorCode,
) -> AddPartitionsToTxnResult {
    let mut topic_results = Vec::with_capacity(transaction.topics.len());
    for topic in &transaction.topics {
        let partitions = topic.partitions.iter().map(|index| AddPartitionsToTxnPartitionResult {
            partition_index: *index,
            partition_error_code: error_of(&topic.name, *index).code(),
        });
        topic_results.push(AddPartitionsToTxnTopicResult {
            name: topic.name.clone(),
            results_by_partition: partitions.collect(),
        });
    }
    AddPartitionsToTxnResult {
        transactional_id: transaction.transactional_id.clone(),
        topic_results,
    }
}

pub async fn add_offsets(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: AddOffsetsToTxnRequest,
) -> AddOffsetsToTxnResponse {
    let error = |error: ErrorCode| AddOffsetsToTxnResponse {
        error_code: error.code(),
        ..Default::default()
    };
    let offsets_partitions = {
        let routes = shard.data.routes.borrow();
        routes.by_name(OFFSETS_TOPIC).map_or(0, |topic| topic.partitions.len())
    };
    if offsets_partitions == 0 {
        // The producer finds the group's coordinator next, which makes the topic.
        super::groups::create_offsets_topic(shard).await;
        return error(ErrorCode::CoordinatorNotAvailable);
    }
    let offsets_partition = coordinator_partition(&request.group_id, offsets_partitions as i32);
    let id = request.transactional_id.clone();
    let api_version = context.ids.api_version;
    let request = Request::AddOffsets { request, offsets_partition, api_version };
    ask_for!(AddOffsets, shard, &id, request)
}

pub async fn end(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: EndTxnRequest,
) -> EndTxnResponse {
    let id = request.transactional_id.clone();
    let request = Request::EndTxn { request, api_version: context.ids.api_version };
    ask_for!(EndTxn, shard, &id, request)
}

pub async fn describe(
    shard: &Shard,
    request: DescribeTransactionsRequest,
) -> DescribeTransactionsResponse {
    let (mut seen, mut transaction_states) = (FxHashSet::default(), Vec::new());
    let (mut topics_bytes, mut budget) = (0, TurnBudget::of_items(&shard.ring));
    for id in &request.transactional_ids {
        budget.item_done().await;
        // One that is named again is described once; those beyond what one response may take are
        // refused.
        if !seen.insert(id) {
            continue;
        }
        if topics_bytes > limits::RESPONSE_MAX_BYTES {
            transaction_states.push(described_error(id, ErrorCode::PolicyViolation));
            continue;
        }
        let asked = Request::DescribeTransaction { transactional_id: id.clone() };
        let state = ask_for!(DescribeTransaction, shard, id, asked);
        let topic = |topic: &TopicData| topic.topic.len() + size_of_val(&*topic.partitions);
        topics_bytes += state.topics.iter().map(topic).sum::<usize>();
        transaction_states.push(state);
    }
    DescribeTransactionsResponse { transaction_states, ..Default::default() }
}

/// All that pass, of every coordinator of this node, page by page: one that has just lost its
/// partition has nothing to list; one that cannot answer yet fails the whole request, for a list
/// must not silently lack transactions.
pub async fn list(shard: &Shard, request: ListTransactionsRequest) -> ListTransactionsResponse {
    let refused = |error: ErrorCode| ListTransactionsResponse {
        error_code: error.code(),
        ..Default::default()
    };
    let pattern = request.transactional_id_pattern.as_deref().filter(|text| !text.is_empty());
    let pattern = match pattern.map(Pattern::compile).transpose() {
        Ok(pattern) => pattern,
        Err(error) => {
            tracing::debug!(%error, "a pattern of ListTransactions is refused");
            return refused(ErrorCode::InvalidRegularExpression);
        }
    };
    let mut budget = TurnBudget::of_items(&shard.ring);
    let (mut filter, mut unknown) = (Filter::older_than(request.duration_filter), BTreeSet::new());
    for name in request.state_filters {
        if !filter.add_state(&name) {
            unknown.insert(name);
        }
        budget.item_done().await;
    }
    for producer_id in request.producer_id_filters {
        filter.add_producer_id(producer_id);
        budget.item_done().await;
    }
    let filter = Arc::new(filter);
    let (mut listed, mut ids_bytes) = (Vec::new(), 0);
    for (core, partition) in coordinators::all::<Transactions>(shard) {
        let mut after = None;
        loop {
            let request = Request::ListTransactions { filter: filter.clone(), after };
            let answer = coordinators::ask::<Transactions>(shard, core, partition, request).await;
            let Some(Response::ListTransactions(page)) = answer else { break };
            match page.error {
                None => {}
                Some(ErrorCode::NotCoordinator) => break,
                Some(error) => return refused(error),
            }
            for transaction in page.transactions {
                if passes(&mut budget, pattern.as_ref(), &transaction.transactional_id).await {
                    ids_bytes += transaction.transactional_id.len();
                    listed.push(transaction);
                }
            }
            if ids_bytes > limits::RESPONSE_MAX_BYTES {
                // A filter makes fewer of them.
                return refused(ErrorCode::PolicyViolation);
            }
            // Each page has a turn of its own.
            shard.ring.end_of_turn().await;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    ListTransactionsResponse {
        unknown_state_filters: unknown.into_iter().collect(),
        transaction_states: listed,
        ..Default::default()
    }
}

/// Whether the pattern is one of the id, if there is one: a character is a step.
async fn passes(budget: &mut TurnBudget<'_>, pattern: Option<&Pattern>, id: &str) -> bool {
    let Some(pattern) = pattern else {
        budget.item_done().await;
        return true;
    };
    let mut matching = pattern.begin(id);
    loop {
        budget.item_done().await;
        if let Some(passes) = matching.step() {
            return passes;
        }
    }
}

/// Markers that a coordinator, or an operator, tells the leaders of partitions to write.
pub async fn write_markers(
    shard: &Shard,
    request: WriteTxnMarkersRequest,
) -> WriteTxnMarkersResponse {
    let mut results = Vec::with_capacity(request.markers.len());
    for wanted in request.markers {
        let marker = Marker {
            producer_id: wanted.producer_id,
            producer_epoch: wanted.producer_epoch,
            end: EndTransactionMarker {
                committed: wanted.transaction_result,
                coordinator_epoch: wanted.coordinator_epoch,
            },
            transaction_version: wanted.transaction_version.into(),
        };
        let (partitions, places) = marked_partitions(&wanted);
        let errors = markers::write(shard, marker, &partitions).await;
        let errors = places.into_iter().map(|place| of_a_leader(errors[place])).collect();
        results.push(marker_result(&wanted, errors));
    }
    WriteTxnMarkersResponse { markers: results }
}

/// The partitions of coordinators answer as those of any leader, which coordinators understand.
fn of_a_leader(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::CoordinatorNotAvailable
        | ErrorCode::CoordinatorLoadInProgress
        | ErrorCode::NotCoordinator => ErrorCode::NotLeaderOrFollower,
        error => error,
    }
}

/// The partitions of a marker, each once, and for each one that is named its place among them.
fn marked_partitions(wanted: &WritableTxnMarker) -> (Vec<TopicPartition>, Vec<usize>) {
    let mut partitions = Vec::new();
    let (mut places, mut known) = (Vec::new(), FxHashMap::<(&str, i32), usize>::default());
    for topic in &wanted.topics {
        let name = Arc::<str>::from(topic.name.as_str());
        for index in &topic.partition_indexes {
            let place = *known.entry((&*topic.name, *index)).or_insert_with(|| {
                partitions.push(TopicPartition { topic: name.clone(), partition: *index });
                partitions.len() - 1
            });
            places.push(place);
        }
    }
    (partitions, places)
}

fn marker_result(wanted: &WritableTxnMarker, errors: Vec<ErrorCode>) -> WritableTxnMarkerResult {
    let mut errors = errors.into_iter();
    let mut topics = Vec::with_capacity(wanted.topics.len());
    for topic in &wanted.topics {
        let partitions = topic.partition_indexes.iter().zip(errors.by_ref());
        let partition = |(index, error): (&i32, ErrorCode)| WritableTxnMarkerPartitionResult {
            partition_index: *index,
            error_code: error.code(),
        };
        topics.push(WritableTxnMarkerTopicResult {
            name: topic.name.clone(),
            partitions: partitions.map(partition).collect(),
        });
    }
    assert!(errors.next().is_none(), "each error is of a partition that the request names");
    WritableTxnMarkerResult { producer_id: wanted.producer_id, topics }
}

pub async fn describe_producers(
    shard: &Shard,
    request: DescribeProducersRequest,
) -> DescribeProducersResponse {
    let (mut planned, mut seen) = (Vec::new(), FxHashSet::default());
    for topic in &request.topics {
        let route = route_of(shard, &topic.name);
        for index in &topic.partition_indexes {
            // One that is named again has its producers told once.
            let is_first = seen.insert((&*topic.name, *index));
            let found = locate(route.as_deref(), *index).map_err(Err);
            planned.push(found.and_then(|found| is_first.then_some(found).ok_or(Ok(Vec::new()))));
        }
    }
    let lost = || Err(ErrorCode::NotLeaderOrFollower);
    let mut results = spread(shard, planned, DescribeProducers, lost).await.into_iter();
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let partitions = topic.partition_indexes.into_iter().zip(results.by_ref());
        let partition = |(index, result): (i32, Result<Vec<ProducerState>, ErrorCode>)| {
            let error = result.as_ref().err().copied().unwrap_or(ErrorCode::None);
            PartitionResponse {
                partition_index: index,
                error_code: error.code(),
                active_producers: result.unwrap_or_default(),
                ..Default::default()
            }
        };
        topics.push(TopicResponse {
            name: topic.name,
            partitions: partitions.map(partition).collect(),
        });
    }
    assert!(results.next().is_none(), "each result is of a partition that the request names");
    DescribeProducersResponse { topics, ..Default::default() }
}

/// The producers of the partitions of one core.
struct DescribeProducers(Vec<PartitionId>);

impl Ask for DescribeProducers {
    type Answer = Vec<Result<Vec<ProducerState>, ErrorCode>>;

    async fn execute(self, shard: &Shard, _from: usize) -> Self::Answer {
        let mut budget = TurnBudget::of_items(&shard.ring);
        let mut results = Vec::with_capacity(self.0.len());
        for id in self.0 {
            results.push(producers(shard, id));
            budget.item_done().await;
        }
        results
    }
}

fn producers(shard: &Shard, id: PartitionId) -> Result<Vec<ProducerState>, ErrorCode> {
    let partition = shard.leader_of(id, -1)?;
    let known = partition.log.producers();
    let mut states: Vec<ProducerState> = known
        .iter()
        .map(|(producer_id, producer)| ProducerState {
            producer_id,
            producer_epoch: producer.epoch.into(),
            last_sequence: producer.last_sequence(),
            last_timestamp: producer.last_timestamp,
            coordinator_epoch: producer.coordinator_epoch,
            current_txn_start_offset: producer.transaction_first_offset.unwrap_or(-1),
        })
        .collect();
    states.sort_by_key(|state| state.producer_id);
    let is_one_each = states.windows(2).all(|two| two[0].producer_id < two[1].producer_id);
    assert!(is_one_each, "a producer is known twice");
    Ok(states)
}
