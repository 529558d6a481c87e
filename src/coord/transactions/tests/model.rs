//! Random producers, some for each transactional id, against the coordinator and the partitions
//! that they write to: with answers that get lost, commits held back, markers answered in any
//! order, timeouts, and coordinators that start over from the log, also from one that lost its
//! uncommitted end.
//!
//! Invariants: the coordinator says and knows the same as the [`reference`](super::reference), at
//! every step; no transaction is committed here and aborted there; a transaction ends as its
//! producer was told; every decision is carried out in the end; an epoch that is told never falls;
//! a partition has one open transaction of a producer.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::reference::{Known, Phase, Reference};
use super::*;

const IDS: [&str; 2] = ["t", "u"];
const CLIENTS: usize = 5;
const PARTITIONS: i32 = 3;

#[derive(Clone, Debug)]
enum Step {
    Init {
        client: usize,
        fresh: bool,
        lost: bool,
    },
    Add {
        client: usize,
        partition: i32,
        verify: bool,
        lost: bool,
    },
    End {
        client: usize,
        commit: bool,
        /// The same as the last time, though it may have been answered.
        again: bool,
        lost: bool,
    },
    /// One partition answers.
    Marker {
        pick: usize,
        written: bool,
        reported: bool,
    },
    Advance {
        duration_ms: i64,
    },
    HoldCommits,
    ReleaseCommits,
    /// The host loses the coordinator; with `truncate` the uncommitted end of the log as well.
    /// Markers on their way are written or not, and nothing hears of it.
    Reload {
        truncate: bool,
        written: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let client = 0..CLIENTS;
    let lost = || prop::bool::weighted(0.15);
    prop_oneof![
        3 => (client.clone(), prop::bool::weighted(0.3), lost())
            .prop_map(|(client, fresh, lost)| Step::Init { client, fresh, lost }),
        8 => (client.clone(), 0..PARTITIONS, prop::bool::weighted(0.2), lost())
            .prop_map(|(client, partition, verify, lost)| Step::Add { client, partition, verify,
                lost }),
        6 => (client, any::<bool>(), prop::bool::weighted(0.2), lost())
            .prop_map(|(client, commit, again, lost)| Step::End { client, commit, again, lost }),
        9 => (any::<usize>(), prop::bool::weighted(0.7), prop::bool::weighted(0.8))
            .prop_map(|(pick, written, reported)| Step::Marker { pick, written, reported }),
        2 => prop_oneof![3 => 0i64..2_000, 1 => 2_000i64..90_000]
            .prop_map(|duration_ms| Step::Advance { duration_ms }),
        1 => Just(Step::HoldCommits),
        2 => Just(Step::ReleaseCommits),
        1 => (any::<bool>(), any::<bool>())
            .prop_map(|(truncate, written)| Step::Reload { truncate, written }),
    ]
}

/// What one producer knows.
#[derive(Clone, Debug, Default)]
struct Client {
    producer: Option<Producer>,
    /// The number of its transaction, if it has one.
    transaction: Option<u64>,
    /// Its last EndTxn, and the transaction that it was about.
    last_end: Option<(EndTxnRequest, Option<u64>)>,
    /// It does not know what came of that, and does nothing else before it does.
    asks_end_again: bool,
    /// It has not heard which producer it is now.
    asks_init_again: bool,
    waits: bool,
}

/// What a request is about, and what the reference says to it.
#[derive(Clone, Debug)]
struct Asked {
    client: usize,
    lost: bool,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Init(Result<Producer, ErrorCode>),
    Add { partition: i32, error: ErrorCode },
    Verify(ErrorCode),
    End { transaction: Option<u64>, commit: bool, answer: Result<Producer, ErrorCode> },
}

/// One partition's log, as far as transactions go.
#[derive(Clone, Debug, Default)]
struct Log {
    epochs: BTreeMap<i64, i16>,
    open: BTreeMap<i64, u64>,
}

struct Model {
    host: Host,
    reference: Reference,
    /// The reference after each event, with the batches that the log had then.
    history: Vec<(usize, Reference)>,
    clients: Vec<Client>,
    asked: BTreeMap<ReplyToken, Asked>,
    logs: Vec<Log>,
    transactions: u64,
    /// What became of transactions in the partitions, and what producers were told of them.
    outcomes: BTreeMap<u64, bool>,
    promises: BTreeMap<u64, bool>,
    told_epochs: BTreeMap<i64, i16>,
    given_ids: BTreeSet<i64>,
}

/// Each id has producers of both generations.
fn is_new(client: usize) -> bool {
    !matches!(client, 2 | 3)
}

impl Model {
    fn new(version: i16) -> Model {
        let settings = TransactionSettings {
            transaction_version: version,
            transactional_id_expiration_ms: i64::MAX / 4,
            expiration_check_interval_ms: i64::MAX / 4,
            ..Default::default()
        };
        // One of the ids is about to use up the epochs of its producer id.
        let producer = Producer { id: 7, epoch: i16::MAX - 4 };
        let previous = (version > 0).then_some(producer.id);
        let value = TransactionLogValue {
            producer_id: producer.id,
            previous_producer_id: previous.unwrap_or(-1),
            producer_epoch: producer.epoch,
            transaction_timeout_ms: TIMEOUT_MS,
            transaction_partitions: None,
            transaction_last_update_timestamp_ms: START_MS,
            transaction_start_timestamp_ms: -1,
            ..Default::default()
        };
        let host = loaded(settings, &[record_of(IDS[1], value, version.min(1))]);
        let known = BTreeMap::from([(IDS[1], Known::left_behind(producer, previous))]);
        let reference = Reference { known, version };
        Model {
            history: vec![(host.log.len(), reference.clone())],
            host,
            reference,
            clients: vec![Client::default(); CLIENTS],
            asked: BTreeMap::new(),
            logs: vec![Log::default(); PARTITIONS as usize],
            transactions: 0,
            outcomes: BTreeMap::new(),
            promises: BTreeMap::new(),
            told_epochs: BTreeMap::new(),
            given_ids: BTreeSet::from([producer.id]),
        }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Init { client, fresh, lost } => self.init(client, fresh, lost),
            Step::Add { client, partition, verify, lost } => {
                self.add(client, partition, verify, lost);
            }
            Step::End { client, commit, again, lost } => self.end(client, commit, again, lost),
            Step::Marker { pick, written, reported } => self.marker(pick, written, reported),
            Step::Advance { duration_ms } => self.advance(duration_ms),
            Step::HoldCommits => self.host.hold_commits = true,
            Step::ReleaseCommits => {
                self.host.hold_commits = false;
                self.host.commit();
            }
            Step::Reload { truncate, written } => self.reload(truncate, written),
        }
        self.reference.assert_same(self.host.coordinator.machine());
        self.history.push((self.host.log.len(), self.reference.clone()));
        self.hear();
    }

    /// The id that the coordinator has taken for a new producer, if it took one.
    fn fresh_id(&mut self, id: &str) -> i64 {
        let Some(entry) = self.host.coordinator.machine().entries.get(id) else { return -1 };
        let given = entry.next_producer_id.unwrap_or(entry.producer.id);
        let known = self.reference.known.get(id);
        if known.is_none_or(|known| known.producer.id != given) && !self.given_ids.insert(given) {
            // It is what the reference knows as the next one already.
            assert_eq!(entry.next_producer_id, Some(given), "an id is given once");
        }
        given
    }

    fn send(
        &mut self,
        client: usize,
        lost: bool,
        request: Request,
        what: impl FnOnce(&mut Self) -> What,
    ) {
        let token = self.host.send(request);
        let what = what(self);
        self.clients[client].waits = true;
        self.asked.insert(token, Asked { client, lost, what });
    }

    fn init(&mut self, client: usize, fresh: bool, lost: bool) {
        if self.clients[client].waits {
            return;
        }
        let id = IDS[client % 2];
        let known = &mut self.clients[client];
        if fresh {
            *known = Client::default();
        }
        let expected = known.producer;
        (known.transaction, known.last_end, known.asks_end_again) = (None, None, false);
        known.asks_init_again = true;
        let request = expected.map_or_else(|| super::fresh(id), |producer| going_on(id, producer));
        let request = Request::InitProducerId { request, api_version: 6 };
        self.send(client, lost, request, |model| {
            let fresh_id = model.fresh_id(id);
            What::Init(model.reference.init(id, expected, fresh_id))
        });
    }

    fn add(&mut self, client: usize, partition: i32, verify: bool, lost: bool) {
        let Client {
            producer: Some(producer),
            waits: false,
            asks_end_again: false,
            asks_init_again: false,
            ..
        } = self.clients[client]
        else {
            return;
        };
        let id = IDS[client % 2];
        let api_version = if verify {
            4
        } else if is_new(client) {
            NEW
        } else {
            OLD
        };
        let mut transaction = adding(id, producer, &[("a", partition)]);
        transaction.verify_only = verify;
        let request = Request::AddPartitions { transaction, api_version };
        self.send(client, lost, request, |model| {
            if verify {
                return What::Verify(model.reference.verify(id, producer, partition));
            }
            let error = model.reference.add(id, producer, partition, is_new(client));
            What::Add { partition, error }
        });
    }

    fn end(&mut self, client: usize, commit: bool, again: bool, lost: bool) {
        let known = &mut self.clients[client];
        let Client { producer: Some(producer), waits: false, asks_init_again: false, .. } = *known
        else {
            return;
        };
        let id = IDS[client % 2];
        let again = again && known.transaction.is_none() || known.asks_end_again;
        let (request, transaction) = match (again, known.last_end.clone()) {
            (true, Some(last)) => last,
            (true, None) => return,
            (false, _) => (ending(id, producer, commit), known.transaction.take()),
        };
        known.last_end = Some((request.clone(), transaction));
        let commit = request.committed;
        let producer = Producer { id: request.producer_id, epoch: request.producer_epoch };
        let api_version = if is_new(client) { NEW } else { OLD };
        self.send(client, lost, Request::EndTxn { request, api_version }, |model| {
            let answer = if is_new(client) {
                let fresh_id = model.fresh_id(id);
                model.reference.end_new(id, producer, commit, fresh_id)
            } else {
                match model.reference.end_old(id, producer, commit) {
                    ErrorCode::None => Ok(Producer { id: -1, epoch: -1 }),
                    error => Err(error),
                }
            };
            What::End { transaction, commit, answer }
        });
    }

    fn marker(&mut self, pick: usize, written: bool, reported: bool) {
        if self.host.markers.is_empty() {
            return;
        }
        let index = pick % self.host.markers.len();
        let markers = &mut self.host.markers[index];
        let at = markers.partitions.swap_remove(pick / 7 % markers.partitions.len());
        let markers = markers.clone();
        if self.host.markers[index].partitions.is_empty() {
            self.host.markers.remove(index);
        }
        if written {
            self.write_marker(&markers, &at);
        }
        // What was written may seem to have failed: it is written twice then.
        let done = written && reported;
        if done {
            let id = IDS.into_iter().find(|id| **id == *markers.transactional_id).unwrap();
            self.reference.marked(id, at.partition);
        }
        let outcome = if done { MarkerOutcome::Written } else { MarkerOutcome::RetryLater };
        self.host.report_some(&markers, vec![(at, outcome)]);
    }

    fn write_marker(&mut self, markers: &Markers, at: &TopicPartition) {
        let log = &mut self.logs[at.partition as usize];
        let epoch = log.epochs.entry(markers.producer_id).or_insert(markers.producer_epoch);
        assert!(*epoch <= markers.producer_epoch, "{at:?} has {epoch}: {markers:?}");
        *epoch = markers.producer_epoch;
        if let Some(transaction) = log.open.remove(&markers.producer_id) {
            let before = self.outcomes.insert(transaction, markers.committed);
            assert!(
                before.is_none_or(|before| before == markers.committed),
                "{transaction} is torn"
            );
        }
    }

    fn advance(&mut self, duration_ms: i64) {
        let open: Vec<(&str, i64)> = IDS
            .into_iter()
            .filter(|id| self.reference.known.get(id).is_some_and(|it| it.phase == Phase::Open))
            .map(|id| (id, self.host.entry(id).start_ms.unwrap()))
            .collect();
        self.host.advance(duration_ms);
        for (id, start_ms) in open {
            let over = start_ms + i64::from(TIMEOUT_MS) <= self.host.now_ms;
            assert_eq!(self.host.entry(id).status != Status::Ongoing, over, "{id}");
            if over {
                let fresh_id = self.fresh_id(id);
                self.reference.abort(id, fresh_id);
            }
        }
    }

    fn reload(&mut self, truncate: bool, written: bool) {
        for markers in self.host.markers.clone() {
            for at in markers.partitions.iter().filter(|_| written) {
                self.write_marker(&markers, at);
            }
        }
        if truncate {
            let committed = self.host.committed_batches;
            self.host.log.truncate(committed);
            self.history.retain(|(batches, _)| *batches <= committed);
            let (batches, reference) = self.history.last().expect("the log began somewhere");
            assert_eq!(*batches, committed);
            self.reference = reference.clone();
            // Each batch of this log has one record, or two.
            let parsed = |bytes: &Bytes| {
                let batch = protocol::records::batches(bytes).next().unwrap().unwrap();
                batch.next_offset()
            };
            self.host.next_offset = self.host.log.last().map_or(0, parsed);
        }
        self.reference.load();
        self.host.reload();
    }

    /// The producers hear what they were answered.
    fn hear(&mut self) {
        for (token, response) in std::mem::take(&mut self.host.replies) {
            if response == Response::Noted {
                continue;
            }
            let asked = self.asked.remove(&token).expect("nothing else was asked");
            self.clients[asked.client].waits = false;
            match (asked.what.clone(), response) {
                (What::Init(expected), Response::InitProducerId(response)) => {
                    let producer =
                        Producer { id: response.producer_id, epoch: response.producer_epoch };
                    self.heard_of_producer(&asked, expected, response.error_code, producer);
                }
                (What::Add { partition, error: expected }, Response::AddPartitions(result)) => {
                    self.heard_of_add(&asked, partition, expected, partition_errors(result)[0]);
                }
                (What::Verify(expected), Response::AddPartitions(result)) => {
                    let error = partition_errors(result)[0];
                    assert!(error == expected || error == ErrorCode::NotCoordinator);
                }
                (What::End { transaction, commit, answer }, Response::EndTxn(response)) => {
                    let next =
                        Producer { id: response.producer_id, epoch: response.producer_epoch };
                    self.clients[asked.client].asks_end_again = asked.lost
                        || matches!(
                            error(response.error_code),
                            ErrorCode::NotCoordinator | ErrorCode::ConcurrentTransactions
                        );
                    self.heard_of_producer(&asked, answer, response.error_code, next);
                    if let Some(transaction) = transaction.filter(|_| response.error_code == 0) {
                        let before = self.promises.insert(transaction, commit);
                        assert!(before.is_none_or(|before| before == commit));
                    }
                }
                (what, response) => panic!("{response:?} to {what:?}"),
            }
        }
    }

    fn heard_of_producer(
        &mut self,
        asked: &Asked,
        expected: Result<Producer, ErrorCode>,
        code: i16,
        producer: Producer,
    ) {
        if error(code) == ErrorCode::NotCoordinator {
            return;
        }
        let answer = if code == 0 { Ok(producer) } else { Err(error(code)) };
        assert_eq!(answer, expected, "{asked:?}");
        let client = &mut self.clients[asked.client];
        let Ok(producer) = answer else {
            if matches!(asked.what, What::Init(_)) && answer == Err(ErrorCode::ProducerFenced) {
                client.producer = None;
            }
            return;
        };
        if producer.id < 0 {
            return;
        }
        let told = self.told_epochs.entry(producer.id).or_insert(producer.epoch);
        assert!(*told <= producer.epoch, "{asked:?} after {told}");
        *told = producer.epoch;
        if !asked.lost {
            (client.producer, client.asks_init_again) = (Some(producer), false);
        }
    }

    /// What is added is written to.
    fn heard_of_add(
        &mut self,
        asked: &Asked,
        partition: i32,
        expected: ErrorCode,
        error: ErrorCode,
    ) {
        if error == ErrorCode::NotCoordinator {
            return;
        }
        assert_eq!(error, expected, "{asked:?}");
        if error != ErrorCode::None || asked.lost {
            return;
        }
        let client = &mut self.clients[asked.client];
        let transaction = *client.transaction.get_or_insert_with(|| {
            self.transactions += 1;
            self.transactions
        });
        let producer = client.producer.expect("a producer that adds is one");
        let log = &mut self.logs[partition as usize];
        let epoch = log.epochs.entry(producer.id).or_insert(producer.epoch);
        if *epoch > producer.epoch {
            return;
        }
        *epoch = producer.epoch;
        let open = *log.open.entry(producer.id).or_insert(transaction);
        assert_eq!(open, transaction, "another transaction is open here");
    }

    /// After all, every decision is carried out, nothing is open, and every promise was kept.
    fn settle(mut self) {
        self.run(Step::ReleaseCommits);
        for _ in 0..20 {
            self.run(Step::Advance { duration_ms: 2 * i64::from(TIMEOUT_MS) });
            while !self.host.markers.is_empty() {
                self.run(Step::Marker { pick: 0, written: true, reported: true });
            }
        }
        assert!(self.asked.is_empty(), "every request is answered");
        let settled = |known: &Known| matches!(known.phase, Phase::Idle | Phase::Ended(_));
        assert!(self.reference.known.values().all(settled), "{:?}", self.reference);
        for (partition, log) in self.logs.iter().enumerate() {
            assert!(log.open.is_empty(), "partition {partition}: {log:?}");
        }
        for (transaction, commit) in &self.promises {
            let outcome = self.outcomes.get(transaction);
            assert!(outcome.is_none_or(|outcome| outcome == commit), "{transaction} became other");
        }
    }
}

fn check(version: i16, steps: Vec<Step>) {
    let mut model = Model::new(version);
    for step in steps {
        model.run(step);
    }
    model.settle();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn the_coordinator_does_what_the_reference_does(
        version in 0i16..=2,
        steps in prop::collection::vec(step(), 1..250),
    ) {
        check(version, steps);
    }
}

/// The random steps reach what they are for.
#[test]
fn the_model_ends_transactions_in_every_way() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut committed, mut aborted, mut new_ids) = (0, 0, 0);
    for version in 0..=2 {
        for _ in 0..30 {
            let steps = prop::collection::vec(step(), 150..250).new_tree(&mut runner).unwrap();
            let mut model = Model::new(version);
            for step in steps.current() {
                model.run(step);
            }
            committed += model.outcomes.values().filter(|committed| **committed).count();
            aborted += model.outcomes.values().filter(|committed| !**committed).count();
            new_ids += usize::from(model.given_ids.len() > 2);
            model.settle();
        }
    }
    assert!(committed > 50 && aborted > 50 && new_ids > 3, "{committed}, {aborted}, {new_ids}");
}
