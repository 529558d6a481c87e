//! Lists of events for the transaction coordinator, each with the answers, records and markers
//! that Kafka 4.4 gives. Virtual time only.

mod describe;
mod end;
mod init;
mod load;
mod markers;
mod model;
mod partitions;
mod patterns;
mod reference;
mod time;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use protocol::messages::describe_transactions_response::TransactionState;
use protocol::messages::{AddOffsetsToTxnRequest, EndTxnRequest, InitProducerIdRequest};
use protocol::records::BatchBuilder;
use protocol::transaction_records::{Key, TransactionLogKey, TransactionLogValue, Value};

use super::entry::{Entry, Producer, Status};
use super::list::Page;
use super::request::{Effect, MarkerOutcome, Markers, MarkersReport, Request, Response};
use super::{Filter, TopicPartition, TransactionSettings, Transactions};
use crate::coord::CoordinatorRecord;
use crate::coord::producer_ids::ProducerIdBlock;
use crate::coord::runtime::{self, ReplyToken};

type Coordinator = runtime::Coordinator<Transactions>;
type Actions = runtime::Actions<Transactions>;
type Reply = runtime::Reply<Response>;

const ID: &str = "t";
const TIMEOUT_MS: i32 = 60_000;
const START_MS: i64 = 1_000_000;
/// The versions of EndTxn and AddPartitionsToTxn of clients before KIP-890, and since.
const OLD: i16 = 3;
const NEW: i16 = 5;
const IDS_PER_BLOCK: i32 = 1_000;

/// A coordinator and all that the contract asks of its host. Everything is committed at once unless
/// `hold_commits` is set, and producer ids come at once unless `hold_producer_ids` is.
struct Host {
    coordinator: Coordinator,
    settings: TransactionSettings,
    log: Vec<Bytes>,
    next_offset: i64,
    committed_batches: usize,
    hold_commits: bool,
    hold_producer_ids: bool,
    next_producer_id: i64,
    now_ms: i64,
    next_token: u64,
    replies: BTreeMap<ReplyToken, Response>,
    /// Wanted and not answered.
    markers: Vec<Markers>,
    wanted_producer_ids: usize,
    /// What has been appended since the last look.
    records: Vec<CoordinatorRecord>,
}

impl Host {
    fn new() -> Host {
        Host::with(TransactionSettings::default())
    }

    fn of_version(transaction_version: i16) -> Host {
        Host::with(TransactionSettings { transaction_version, ..Default::default() })
    }

    fn with(settings: TransactionSettings) -> Host {
        let mut host = Host::unloaded(settings);
        let actions = host.coordinator.loaded(host.now_ms);
        host.execute(actions);
        host
    }

    fn unloaded(settings: TransactionSettings) -> Host {
        Host {
            coordinator: Coordinator::new(settings.clone()),
            settings,
            log: Vec::new(),
            next_offset: 0,
            committed_batches: 0,
            hold_commits: false,
            hold_producer_ids: false,
            next_producer_id: 1_000,
            now_ms: START_MS,
            next_token: 0,
            replies: BTreeMap::new(),
            markers: Vec::new(),
            wanted_producer_ids: 0,
            records: Vec::new(),
        }
    }

    fn execute(&mut self, actions: Actions) {
        for batch in actions.batches {
            self.append(&batch.records);
            self.coordinator.appended(self.next_offset - 1);
            self.records.extend(batch.records);
        }
        self.carry_out(actions.replies, actions.effects);
        if !self.hold_commits {
            self.commit();
        }
        self.assert_consistent();
        self.give_producer_ids();
    }

    fn append(&mut self, records: &[CoordinatorRecord]) {
        assert!(!records.is_empty());
        let mut builder = BatchBuilder::new(self.next_offset);
        for record in records {
            builder.append(self.now_ms, Some(&record.key), record.value.as_deref(), &[]);
        }
        let bytes = builder.build();
        assert!(bytes.len() <= self.settings.max_batch_bytes, "a batch of {} bytes", bytes.len());
        self.log.push(bytes);
        self.next_offset += records.len() as i64;
    }

    fn carry_out(&mut self, replies: Vec<Reply>, effects: Vec<Effect>) {
        for reply in replies {
            let before = self.replies.insert(reply.token, reply.response);
            assert!(before.is_none(), "a token is answered once");
        }
        for effect in effects {
            match effect {
                Effect::AllocateProducerIds => self.wanted_producer_ids += 1,
                Effect::WriteMarkers(markers) => {
                    assert!(!markers.partitions.is_empty());
                    self.markers.push(markers);
                }
            }
        }
        assert!(self.wanted_producer_ids <= 1, "ids are on their way already");
    }

    fn commit(&mut self) {
        self.committed_batches = self.log.len();
        let actions = self.coordinator.committed(self.next_offset);
        self.carry_out(actions.replies, actions.effects);
    }

    /// The markers on their way are those of the transactions that wait for some.
    fn assert_consistent(&self) {
        let machine = self.coordinator.machine();
        let bytes: usize = machine.entries.after(None).map(|(_, entry)| entry.memory_bytes()).sum();
        assert_eq!(machine.entries.memory_bytes(), bytes, "what is accounted for is kept");
        for (id, entry) in machine.entries.after(None) {
            let waits = entry.status.is_prepared() && !entry.partitions.is_empty();
            let is_taken_up = machine.resume_cursor.as_ref().is_none_or(|cursor| id <= cursor);
            assert_eq!(waits && is_taken_up, machine.marking.contains_key(id), "{entry:?}");
        }
        assert!(machine.marking.keys().all(|id| machine.entries.get(id).is_some()));
    }

    fn give_producer_ids(&mut self) {
        if self.hold_producer_ids || self.wanted_producer_ids == 0 {
            return;
        }
        self.wanted_producer_ids -= 1;
        let block = ProducerIdBlock { start: self.next_producer_id, len: IDS_PER_BLOCK };
        self.next_producer_id += i64::from(IDS_PER_BLOCK);
        self.note(Request::ProducerIds(Ok(block)));
    }

    fn send(&mut self, request: Request) -> ReplyToken {
        let token = ReplyToken(self.next_token);
        self.next_token += 1;
        let actions = self.coordinator.handle(token, request, self.now_ms);
        self.execute(actions);
        token
    }

    fn call(&mut self, request: Request) -> Response {
        let token = self.send(request);
        self.replies.remove(&token).expect("the request is answered at once")
    }

    fn note(&mut self, request: Request) -> ReplyToken {
        let token = self.send(request);
        if let Some(response) = self.replies.remove(&token) {
            assert_eq!(response, Response::Noted);
        }
        token
    }

    /// Lets time pass, and everything happen that is due on the way.
    fn advance(&mut self, duration_ms: i64) {
        let until_ms = self.now_ms + duration_ms;
        while let Some(deadline_ms) =
            self.coordinator.next_deadline_ms().filter(|deadline_ms| *deadline_ms <= until_ms)
        {
            self.now_ms = self.now_ms.max(deadline_ms);
            let actions = self.coordinator.tick(self.now_ms);
            self.execute(actions);
        }
        self.now_ms = until_ms;
    }

    fn take_records(&mut self) -> Vec<CoordinatorRecord> {
        std::mem::take(&mut self.records)
    }

    /// The statuses that were written since the last look.
    fn take_statuses(&mut self) -> Vec<Status> {
        let values = self.take_records();
        let values = values.iter().map(|record| value_of(record).expect("a value").1);
        values.map(|value| Status::from_code(value.transaction_status).unwrap()).collect()
    }

    /// Starts over from the log, as after a crash or a change of the leader. What was wanted before
    /// is never answered to the new coordinator.
    fn reload(&mut self) {
        let waiting = self.coordinator.unload();
        self.carry_out(waiting, Vec::new());
        self.coordinator = Coordinator::new(self.settings.clone());
        self.committed_batches = self.log.len();
        self.markers.clear();
        self.wanted_producer_ids = 0;
        let mut offset = 0;
        for batch in &self.log {
            offset = self.coordinator.load(batch, offset).expect("a log that is whole");
        }
        let actions = self.coordinator.loaded(self.now_ms);
        self.execute(actions);
    }

    fn entry(&self, id: &str) -> &Entry {
        self.coordinator.machine().entries.get(id).expect("it is there")
    }

    fn status(&self) -> Status {
        self.entry(ID).status
    }

    // Requests, with answers taken apart.

    fn init(&mut self, request: InitProducerIdRequest) -> Result<Producer, ErrorCode> {
        self.init_in_version(request, 6)
    }

    fn init_in_version(
        &mut self,
        request: InitProducerIdRequest,
        api_version: i16,
    ) -> Result<Producer, ErrorCode> {
        match self.call(Request::InitProducerId { request, api_version }) {
            Response::InitProducerId(response) => {
                let producer =
                    Producer { id: response.producer_id, epoch: response.producer_epoch };
                answered(response.error_code, producer)
            }
            other => panic!("{other:?}"),
        }
    }

    /// A producer that knows nothing of an earlier one.
    fn start(&mut self) -> Producer {
        self.init(fresh(ID)).expect("a producer")
    }

    fn add(
        &mut self,
        producer: Producer,
        partitions: &[(&str, i32)],
        api_version: i16,
    ) -> ErrorCode {
        let errors = self.add_in(adding(ID, producer, partitions), api_version);
        assert!(errors.iter().all(|error| *error == errors[0]), "all or nothing: {errors:?}");
        errors[0]
    }

    fn add_in(
        &mut self,
        transaction: AddPartitionsToTxnTransaction,
        api_version: i16,
    ) -> Vec<ErrorCode> {
        match self.call(Request::AddPartitions { transaction, api_version }) {
            Response::AddPartitions(result) => partition_errors(result),
            other => panic!("{other:?}"),
        }
    }

    fn verify(&mut self, producer: Producer, partitions: &[(&str, i32)]) -> Vec<ErrorCode> {
        let mut transaction = adding(ID, producer, partitions);
        transaction.verify_only = true;
        self.add_in(transaction, 4)
    }

    fn add_offsets(&mut self, producer: Producer, api_version: i16) -> ErrorCode {
        let request = AddOffsetsToTxnRequest {
            transactional_id: ID.into(),
            producer_id: producer.id,
            producer_epoch: producer.epoch,
            group_id: "g".into(),
        };
        match self.call(Request::AddOffsets { request, offsets_partition: 7, api_version }) {
            Response::AddOffsets(response) => error(response.error_code),
            other => panic!("{other:?}"),
        }
    }

    fn end(
        &mut self,
        producer: Producer,
        committed: bool,
        api_version: i16,
    ) -> Result<Producer, ErrorCode> {
        let request = ending(ID, producer, committed);
        match self.call(Request::EndTxn { request, api_version }) {
            Response::EndTxn(response) => {
                let next = Producer { id: response.producer_id, epoch: response.producer_epoch };
                answered(response.error_code, next)
            }
            other => panic!("{other:?}"),
        }
    }

    fn describe(&mut self, id: &str) -> TransactionState {
        match self.call(Request::DescribeTransaction { transactional_id: id.into() }) {
            Response::DescribeTransaction(state) => state,
            other => panic!("{other:?}"),
        }
    }

    fn list(&mut self, filter: &Arc<Filter>, after: Option<Arc<str>>) -> Page {
        match self.call(Request::ListTransactions { filter: filter.clone(), after }) {
            Response::ListTransactions(page) => page,
            other => panic!("{other:?}"),
        }
    }

    /// All markers that are on their way come to this.
    fn report(&mut self, outcome: MarkerOutcome) {
        for markers in std::mem::take(&mut self.markers) {
            let outcomes = markers.partitions.iter().map(|at| (at.clone(), outcome)).collect();
            self.report_some(&markers, outcomes);
        }
    }

    fn report_some(&mut self, markers: &Markers, outcomes: Vec<(TopicPartition, MarkerOutcome)>) {
        self.note(Request::MarkersWritten(MarkersReport {
            transactional_id: markers.transactional_id.clone(),
            serial: markers.serial,
            outcomes,
        }));
    }

    /// The one effect that is on its way, which is over now.
    fn take_markers(&mut self) -> Markers {
        assert_eq!(self.markers.len(), 1, "{:?}", self.markers);
        self.markers.remove(0)
    }
}

fn error(code: i16) -> ErrorCode {
    ErrorCode::from_code(code).expect("a code of this release")
}

fn answered(code: i16, producer: Producer) -> Result<Producer, ErrorCode> {
    match error(code) {
        ErrorCode::None => Ok(producer),
        error => {
            assert_eq!((producer.id, producer.epoch), (-1, -1));
            Err(error)
        }
    }
}

fn fresh(id: &str) -> InitProducerIdRequest {
    InitProducerIdRequest {
        transactional_id: Some(id.into()),
        transaction_timeout_ms: TIMEOUT_MS,
        ..Default::default()
    }
}

fn going_on(id: &str, producer: Producer) -> InitProducerIdRequest {
    InitProducerIdRequest { producer_id: producer.id, producer_epoch: producer.epoch, ..fresh(id) }
}

fn adding(
    id: &str,
    producer: Producer,
    partitions: &[(&str, i32)],
) -> AddPartitionsToTxnTransaction {
    let topics = partitions.iter().map(|(topic, partition)| AddPartitionsToTxnTopic {
        name: (*topic).into(),
        partitions: vec![*partition],
    });
    AddPartitionsToTxnTransaction {
        transactional_id: id.into(),
        producer_id: producer.id,
        producer_epoch: producer.epoch,
        verify_only: false,
        topics: topics.collect(),
    }
}

fn ending(id: &str, producer: Producer, committed: bool) -> EndTxnRequest {
    EndTxnRequest {
        transactional_id: id.into(),
        producer_id: producer.id,
        producer_epoch: producer.epoch,
        committed,
    }
}

fn partition_errors(
    result: protocol::messages::add_partitions_to_txn_response::AddPartitionsToTxnResult,
) -> Vec<ErrorCode> {
    let partitions = result.topic_results.into_iter().flat_map(|topic| topic.results_by_partition);
    partitions.map(|partition| error(partition.partition_error_code)).collect()
}

fn at(topic: &str, partition: i32) -> TopicPartition {
    TopicPartition { topic: Arc::from(topic), partition }
}

/// The version and the value of a record.
fn value_of(record: &CoordinatorRecord) -> Option<(i16, TransactionLogValue)> {
    let value = record.value.as_ref()?;
    let version = i16::from_be_bytes([value[0], value[1]]);
    let Value::TransactionLog(value) = Value::decode(0, value).unwrap();
    Some((version, value))
}

fn record_of(id: &str, value: TransactionLogValue, version: i16) -> CoordinatorRecord {
    let key = Key::TransactionLog(TransactionLogKey { transactional_id: id.into() });
    CoordinatorRecord {
        key: key.encode().unwrap(),
        value: Some(Value::TransactionLog(value).encode(version).unwrap()),
    }
}

/// A coordinator that has read these records, and its host.
fn loaded(settings: TransactionSettings, records: &[CoordinatorRecord]) -> Host {
    let mut host = Host::unloaded(settings);
    host.append(records);
    host.reload();
    host.take_records();
    host
}

/// A transactional id whose producer has this epoch and no transaction.
fn at_epoch(transaction_version: i16, epoch: i16) -> (Host, Producer) {
    let settings = TransactionSettings { transaction_version, ..Default::default() };
    let value = TransactionLogValue {
        producer_id: 7,
        previous_producer_id: 7,
        producer_epoch: epoch,
        transaction_timeout_ms: TIMEOUT_MS,
        transaction_partitions: None,
        transaction_last_update_timestamp_ms: START_MS,
        transaction_start_timestamp_ms: -1,
        ..Default::default()
    };
    (loaded(settings, &[record_of(ID, value, 1)]), Producer { id: 7, epoch })
}
