//! Whether a producer may begin its transaction in a partition: its coordinator is asked before the
//! first append (KIP-890).
//!
//! Owns: the questions of one core to coordinators. What a transaction asks about several
//! partitions in one turn becomes one question: each that adds partitions is a record of the
//! coordinator's. Lives on: the core of the partition. Never: appends, or tries again.

use crate::{
    coord::transactions::request::{Request, Response},
    limits,
    log::VerificationGuard,
    pace::TurnBudget,
    shard::{Shard, apis::transactions, partition::Partition},
};
use protocol::{
    ErrorCode,
    messages::{
        add_partitions_to_txn_request::{AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction},
        add_partitions_to_txn_response::AddPartitionsToTxnResult,
    },
};
use ring::sync::oneshot;
use rustc_hash::FxHashMap;
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

/// The version of AddPartitionsToTxn that a question stands for: such as brokers send.
const ADD_PARTITIONS_VERSION: i16 = 5;

/// A producer in its transaction, as a batch names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    pub transactional_id: Rc<str>,
    pub producer_id: i64,
    pub producer_epoch: i16,
    /// Of the batch that is to be appended.
    pub base_sequence: i32,
    /// The partition becomes one of the transaction's, if it is none yet; otherwise it must be one.
    pub adds: bool,
}

/// Asks the coordinator about this partition. The guard is for the appends of the transaction up to
/// its first; `None`: it is open here already, or nothing is verified. The error is the
/// coordinator's own: what the client hears depends on its request.
pub async fn verify(
    shard: &Shard,
    partition: &Rc<Partition>,
    transaction: &Transaction,
) -> Result<Option<VerificationGuard>, (ErrorCode, String)> {
    if !transaction.adds && !shard.control.view().runtime.transactions.partition_verification_enable
    {
        return Ok(None);
    }
    let guard = partition.log.begin_verification(
        transaction.producer_id,
        transaction.producer_epoch,
        transaction.base_sequence,
        transaction.adds,
        shard.ring.wall_clock_ms(),
    );
    let guard = guard.map_err(|refused| (refused.error, refused.message))?;
    let Some(guard) = guard else { return Ok(None) };
    match shard.data.verifications.ask(shard, partition, transaction).await {
        ErrorCode::None => Ok(Some(guard)),
        error => {
            if is_unknown(error) {
                let Transaction { producer_id, producer_epoch, .. } = *transaction;
                partition.log.forget_verification(producer_id, producer_epoch);
            }
            Err((error, format!("the transaction coordinator says {error}")))
        }
    }
}

/// Whether no later answer about the same producer is a better one. After other errors the client
/// sends its batches again, and the log has to know which of them is the first.
fn is_unknown(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::InvalidRequest
            | ErrorCode::InvalidProducerIdMapping
            | ErrorCode::InvalidProducerEpoch
            | ErrorCode::ProducerFenced
    )
}

/// A question is asked for one of these.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Asker {
    transactional_id: Rc<str>,
    producer_id: i64,
    producer_epoch: i16,
    adds: bool,
}

/// About one partition.
struct Question {
    topic: Rc<str>,
    partition: i32,
    answer: oneshot::Sender<ErrorCode>,
}

/// The questions of one core.
#[derive(Default)]
pub struct Verifications {
    /// Of this turn. The first of an asker starts the task that sends them.
    gathered: RefCell<FxHashMap<Asker, Vec<Question>>>,
    /// Partitions that wait for an answer.
    waiting: Cell<usize>,
}

/// Counts one that waits.
struct Waiting<'a>(&'a Cell<usize>);

impl<'a> Waiting<'a> {
    fn begin(count: &'a Cell<usize>) -> Waiting<'a> {
        let before = count.get();
        assert!(before < limits::VERIFICATIONS_MAX, "{before} wait, as many as may");
        count.set(before + 1);
        Waiting(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        assert!(self.0.get() > 0, "one that waits is counted");
        self.0.set(self.0.get() - 1);
    }
}

impl Verifications {
    async fn ask(
        &self,
        shard: &Shard,
        partition: &Partition,
        transaction: &Transaction,
    ) -> ErrorCode {
        // A coordinator may take its time, and requests that wait for it may be given up meanwhile.
        if self.waiting.get() >= limits::VERIFICATIONS_MAX {
            return ErrorCode::CoordinatorNotAvailable;
        }
        let _counted = Waiting::begin(&self.waiting);
        let asker = Asker {
            transactional_id: transaction.transactional_id.clone(),
            producer_id: transaction.producer_id,
            producer_epoch: transaction.producer_epoch,
            adds: transaction.adds,
        };
        let (giver, taker) = oneshot::channel();
        if self.add(asker.clone(), partition.topic.clone(), partition.id.index, giver) {
            let task = shard.clone();
            shard.ring.spawn_named("transaction verification", async move {
                task.ring.end_of_turn().await;
                send(&task, asker).await;
            });
        }
        // None comes where the broker stops.
        taker.await.unwrap_or(ErrorCode::CoordinatorNotAvailable)
    }

    /// Whether it is the first of its asker.
    fn add(
        &self,
        asker: Asker,
        topic: Rc<str>,
        partition: i32,
        answer: oneshot::Sender<ErrorCode>,
    ) -> bool {
        let mut gathered = self.gathered.borrow_mut();
        let questions = gathered.entry(asker).or_default();
        questions.push(Question { topic, partition, answer });
        let count = questions.len();
        assert!(count <= limits::VERIFICATIONS_MAX, "{count} wait, more than may");
        count == 1
    }

    /// At the end of the core: no answer comes any more.
    pub fn forget(&self) {
        drop(self.gathered.take());
    }
}

/// Asks the coordinator what was gathered for one asker, and hands the answers out.
async fn send(shard: &Shard, asker: Asker) {
    let Some(questions) = shard.data.verifications.gathered.borrow_mut().remove(&asker) else {
        return;
    };
    assert!(!questions.is_empty(), "the first question starts the task");
    let request = Request::AddPartitions {
        transaction: asked(&asker, &questions),
        api_version: ADD_PARTITIONS_VERSION,
    };
    let result = match transactions::ask(shard, &asker.transactional_id, request).await {
        Response::AddPartitions(result) => result,
        other => unreachable!("a coordinator answered with {other:?}"),
    };
    let id = &result.transactional_id;
    assert_eq!(**id, *asker.transactional_id, "an answer is about the id that was asked about");
    let errors = errors_of(&result);
    let mut budget = TurnBudget::of_items(&shard.ring);
    for Question { topic, partition, answer } in questions {
        let error = errors.get(&(&*topic, partition)).copied();
        answer.send(error.unwrap_or(ErrorCode::CoordinatorNotAvailable));
        budget.item_done().await;
    }
}

/// All partitions of the questions, each once.
fn asked(asker: &Asker, questions: &[Question]) -> AddPartitionsToTxnTransaction {
    let mut topics: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
    for question in questions {
        topics.entry(&question.topic).or_default().insert(question.partition);
    }
    let (count, most) = (topics.values().map(BTreeSet::len).sum::<usize>(), questions.len());
    assert!((1..=most).contains(&count), "{most} questions are about {count} partitions");
    let topic = |(name, partitions): (&str, BTreeSet<i32>)| AddPartitionsToTxnTopic {
        name: name.to_owned(),
        partitions: partitions.into_iter().collect(),
    };
    AddPartitionsToTxnTransaction {
        transactional_id: asker.transactional_id.to_string(),
        producer_id: asker.producer_id,
        producer_epoch: asker.producer_epoch,
        verify_only: !asker.adds,
        topics: topics.into_iter().map(topic).collect(),
    }
}

fn errors_of(result: &AddPartitionsToTxnResult) -> FxHashMap<(&str, i32), ErrorCode> {
    let mut errors = FxHashMap::default();
    for topic in &result.topic_results {
        for partition in &topic.results_by_partition {
            let error = ErrorCode::from_code(partition.partition_error_code);
            let error = error.unwrap_or(ErrorCode::UnknownServerError);
            errors.insert((&*topic.name, partition.partition_index), error);
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::messages::add_partitions_to_txn_response::{
        AddPartitionsToTxnPartitionResult, AddPartitionsToTxnTopicResult,
    };

    fn asker(producer_epoch: i16, adds: bool) -> Asker {
        Asker { transactional_id: "t".into(), producer_id: 7, producer_epoch, adds }
    }

    fn add(to: &Verifications, asker: Asker, topic: &str, partition: i32) -> bool {
        to.add(asker, topic.into(), partition, oneshot::channel().0)
    }

    #[test]
    fn the_questions_of_one_asker_are_one_and_each_partition_is_in_it_once() {
        let all = Verifications::default();
        assert!(add(&all, asker(0, true), "b", 3));
        for (topic, partition) in [("a", 1), ("b", 2), ("b", 3)] {
            assert!(!add(&all, asker(0, true), topic, partition), "the first one sends it");
        }
        assert!(add(&all, asker(1, true), "a", 1), "another epoch asks for itself");
        assert!(add(&all, asker(0, false), "a", 1), "what adds goes apart from what verifies");
        let gathered = all.gathered.borrow();
        let wanted = asked(&asker(0, true), &gathered[&asker(0, true)]);
        let partitions: Vec<_> = wanted
            .topics
            .iter()
            .map(|topic| (topic.name.as_str(), topic.partitions.as_slice()))
            .collect();
        assert_eq!(partitions, [("a", &[1][..]), ("b", &[2, 3][..])]);
        assert!(!wanted.verify_only);
        assert!(asked(&asker(0, false), &gathered[&asker(0, false)]).verify_only);
    }

    #[test]
    fn each_partition_gets_its_own_answer() {
        let partition = |partition_index, error: ErrorCode| AddPartitionsToTxnPartitionResult {
            partition_index,
            partition_error_code: error.code(),
        };
        let topic = |name: &str, results_by_partition| AddPartitionsToTxnTopicResult {
            name: name.to_owned(),
            results_by_partition,
        };
        let (none, abortable) = (ErrorCode::None, ErrorCode::TransactionAbortable);
        let result = AddPartitionsToTxnResult {
            transactional_id: "t".to_owned(),
            topic_results: vec![
                topic("a", vec![partition(0, none), partition(1, abortable)]),
                topic("b", vec![partition(0, abortable)]),
            ],
        };
        let errors = errors_of(&result);
        let of = |topic, partition| errors.get(&(topic, partition)).copied();
        assert_eq!((of("a", 0), of("a", 1)), (Some(none), Some(abortable)));
        assert_eq!((of("b", 0), of("b", 1)), (Some(abortable), None));
    }

    #[test]
    fn those_that_wait_are_counted_until_they_wait_no_more() {
        let count = Cell::new(0);
        let first = Waiting::begin(&count);
        let second = Waiting::begin(&count);
        assert_eq!(count.get(), 2);
        drop(first);
        assert_eq!(count.get(), 1);
        drop(second);
        assert_eq!(count.get(), 0);
    }
}
