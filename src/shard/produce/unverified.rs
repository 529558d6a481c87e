//! Appends inside of transactions that are not open in their partition yet: the coordinator is
//! asked first whether the partition belongs to the transaction (KIP-890, [`verify`]).
//!
//! Owns: those appends of one partition, by producer id, in the order in which they came. Lives on:
//! the core of the partition. Never: lets an append of a producer overtake another; keeps one
//! longer than its request may wait; or appends what was answered already.
//!
//! An append whose transaction is open here is none of these: it costs a look at the state of its
//! producer. While some of a producer wait, all that come later join them.

use super::{
    TransactionalId,
    append::{Append, AppendResult, append_to},
    expiry,
    pending::PendingAppends,
};
use crate::{
    log::VerificationGuard,
    pace::TurnBudget,
    shard::{
        Shard,
        partition::{Partition, waiters::Done},
        transactions::verify::{Transaction, verify},
    },
};
use protocol::{ErrorCode, records::validate::BatchProducer};
use ring::Instant;
use rustc_hash::FxHashMap;
use std::{cell::RefCell, collections::VecDeque, rc::Rc, sync::Arc, time::Duration};

/// From this version of Produce on, it adds the partition to its transaction.
const ADDS_PARTITIONS_FROM: i16 = 12;
/// The first version whose clients know TRANSACTION_ABORTABLE.
const KNOWS_ABORTABLE_FROM: i16 = 11;

/// What the coordinator says: the guard to append with, or its error.
type Verdict = Result<Option<VerificationGuard>, (ErrorCode, String)>;

/// The appends of one partition that wait, by producer id. A task sees to each producer's: what is
/// here has one, also while nothing waits any more.
#[derive(Default)]
pub struct Unverified(RefCell<FxHashMap<i64, VecDeque<Waiting>>>);

/// Of which transaction an append is, as its coordinator must know it.
#[derive(Clone)]
struct Inside {
    transactional_id: Arc<TransactionalId>,
    producer: BatchProducer,
    produce_version: i16,
}

struct Waiting {
    inside: Inside,
    append: Append,
    /// Held until the append is over, and the place of its result.
    pending: Rc<PendingAppends>,
    index: usize,
}

impl Inside {
    /// `None`: the append is outside of transactions.
    fn of(append: &Append) -> Option<Inside> {
        let producer = append.transactional_producer()?;
        assert!(producer.id >= 0, "producer {} is none", producer.id);
        let id = append.transactional_id.clone();
        let transactional_id = id.expect("others have no transactional batch that is valid");
        Some(Inside { transactional_id, producer, produce_version: append.produce_version() })
    }

    fn adds(&self) -> bool {
        self.produce_version >= ADDS_PARTITIONS_FROM
    }

    /// Whether what the coordinator says of one holds for the other.
    fn is_asked_with(&self, other: &Inside) -> bool {
        let id = |inside: &Inside| (inside.producer.id, inside.producer.epoch, inside.adds());
        id(self) == id(other) && self.transactional_id == other.transactional_id
    }

    fn transaction(&self) -> Transaction {
        Transaction {
            transactional_id: self.transactional_id.as_str().into(),
            producer_id: self.producer.id,
            producer_epoch: self.producer.epoch,
            base_sequence: self.producer.base_sequence,
            adds: self.adds(),
        }
    }
}

impl Unverified {
    /// Whether it is the first of its producer: a task must see to it.
    fn add(&self, waiting: Waiting) -> bool {
        let mut all = self.0.borrow_mut();
        let id = waiting.inside.producer.id;
        let is_first = !all.contains_key(&id);
        waiting.pending.hold();
        let queue = all.entry(id).or_default();
        queue.push_back(waiting);
        assert!(!is_first || queue.len() == 1, "{} wait, and no task sees to them", queue.len());
        is_first
    }

    fn has(&self, producer_id: i64) -> bool {
        let all = self.0.borrow();
        !all.is_empty() && all.contains_key(&producer_id)
    }

    /// What the coordinator is asked next; `None`: nothing of the producer waits, and what comes
    /// from now on begins anew.
    fn next(&self, producer_id: i64) -> Option<Inside> {
        let mut all = self.0.borrow_mut();
        let next = all.get(&producer_id)?.front().map(|waiting| waiting.inside.clone());
        if next.is_none() {
            all.remove(&producer_id);
        }
        next
    }

    /// The next one that the same answer is for.
    fn take(&self, asked: &Inside) -> Option<Waiting> {
        let mut all = self.0.borrow_mut();
        let queue = all.get_mut(&asked.producer.id).expect("it stays as long as its task");
        let taken = queue.pop_front_if(|waiting| waiting.inside.is_asked_with(asked))?;
        let id = taken.inside.producer.id;
        assert_eq!(id, asked.producer.id, "appends wait with those of their producer");
        Some(taken)
    }

    fn take_those(&self, is_over: impl Fn(&Waiting) -> bool) -> Vec<Done> {
        let mut taken = Vec::new();
        for queue in self.0.borrow_mut().values_mut() {
            if queue.iter().any(&is_over) {
                let before = queue.len();
                let (over, left) = std::mem::take(queue).into_iter().partition(&is_over);
                *queue = left;
                let over: VecDeque<Waiting> = over;
                assert_eq!(over.len() + queue.len(), before, "each is taken, or stays");
                let done = |Waiting { pending, index, .. }| Done::Append { pending, index };
                taken.extend(over.into_iter().map(done));
            }
        }
        taken
    }

    /// Takes those whose requests have waited long enough.
    ///
    /// The coordinator's answer then appends nothing for them, though it may be a good one: the
    /// client was told that nothing is in the log, and may send the batch again, or abort. What
    /// comes again joins the end, behind batches that were sent after it. Those are refused then,
    /// their sequence numbers leaving a gap (also where the producer is unknown here: the log
    /// remembers the lowest that a question was asked for), so the client sends them again in
    /// their order. What comes after an abort is of another transaction or epoch, and its marker
    /// takes away the guard that the answer is good for.
    pub fn take_expired(&self, now: Instant) -> Vec<Done> {
        let taken = self.take_those(|waiting| {
            waiting.append.terms.deadline.is_some_and(|deadline| deadline <= now)
        });
        let next = self.next_deadline();
        assert!(next.is_none_or(|next| next > now), "{next:?} is over at {now:?}");
        taken
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        let all = self.0.borrow();
        all.values().flatten().filter_map(|waiting| waiting.append.terms.deadline).min()
    }

    /// Tells all of them that they are not appended.
    pub fn refuse_all(&self, error: ErrorCode) {
        assert_ne!(error, ErrorCode::None, "a refusal has an error");
        let taken = self.take_those(|_| true);
        assert!(self.next_deadline().is_none(), "none is left to wait");
        taken.into_iter().for_each(|done| done.tell(Err(error)));
    }
}

/// Whether the coordinator must be asked before the append can be made, or others of its producer
/// wait for that. What is not led here need not wait to be refused.
pub fn must_wait(shard: &Shard, partition: &Partition, append: &Append) -> bool {
    let Some(producer) = append.transactional_producer() else { return false };
    if !partition.is_led_here() || partition.has_failed() {
        return false;
    }
    if partition.unverified.has(producer.id) {
        return true;
    }
    let is_open = partition.log.producers().has_ongoing_transaction(producer.id, producer.epoch);
    let is_asked = append.produce_version() >= ADDS_PARTITIONS_FROM
        || shard.control.view().runtime.transactions.partition_verification_enable;
    !is_open && is_asked
}

/// Keeps an append that must wait.
pub fn queue(
    shard: &Shard,
    partition: &Rc<Partition>,
    append: Append,
    pending: &Rc<PendingAppends>,
    index: usize,
) {
    assert_eq!(partition.id, append.id, "records wait where they belong");
    assert!(partition.is_led_here(), "what is not led here is refused at once");
    let inside = Inside::of(&append).expect("others need not wait");
    let producer_id = inside.producer.id;
    if let Some(deadline) = append.terms.deadline {
        expiry::note(shard, partition, deadline);
    }
    let waiting = Waiting { inside, append, pending: pending.clone(), index };
    if partition.unverified.add(waiting) {
        let task = see_to(shard.clone(), partition.clone(), producer_id);
        shard.ring.spawn_named("unverified appends", task);
    }
}

/// Asks about the appends of one producer, and makes them or refuses them, until none waits.
async fn see_to(shard: Shard, partition: Rc<Partition>, producer_id: i64) {
    while let Some(asked) = partition.unverified.next(producer_id) {
        let id = asked.producer.id;
        assert_eq!(id, producer_id, "the appends of each producer wait apart");
        let led_in = partition.check_leader(-1);
        let verdict = verdict(&shard, &partition, &asked).await;
        let verdict = match verdict {
            // A guard is of one leadership: another one may have another log.
            Ok(_) if partition.check_leader(-1) != led_in => {
                let said = "the leader was another one meanwhile".to_owned();
                Err((ErrorCode::NotLeaderOrFollower, said))
            }
            verdict => verdict,
        };
        end(&shard, &partition, &asked, verdict).await;
    }
    assert!(!partition.unverified.has(producer_id), "none waits without a task");
}

/// What the coordinator says. One whose last transaction is not at its end yet is asked again, as
/// Kafka does (KIP-890): the client would send all records again.
async fn verdict(shard: &Shard, partition: &Rc<Partition>, asked: &Inside) -> Verdict {
    let config = &shard.config.transactions;
    let most = u64::try_from(config.add_partitions_retry_backoff_max_ms).unwrap_or(0);
    let backoff = u64::try_from(config.add_partitions_retry_backoff_ms).unwrap_or(0).max(1);
    let until = shard.ring.now() + Duration::from_millis(most);
    let transaction = asked.transaction();
    loop {
        match verify(shard, partition, &transaction).await {
            Err((ErrorCode::ConcurrentTransactions, _))
                if asked.adds() && shard.ring.now() < until && !shard.is_stopping() =>
            {
                shard.ring.sleep(Duration::from_millis(backoff)).await;
            }
            verdict => return verdict,
        }
    }
}

/// Appends or refuses everything that the answer is for, up to the first that it is not for.
async fn end(shard: &Shard, partition: &Rc<Partition>, asked: &Inside, verdict: Verdict) {
    let mut budget = TurnBudget::of_items(&shard.ring);
    while let Some(waiting) = partition.unverified.take(asked) {
        let Waiting { inside, append, pending, index } = waiting;
        assert!(inside.is_asked_with(asked), "an answer is for its own question alone");
        match &verdict {
            Ok(guard) => append_to(shard, partition, (append, *guard), &pending, index),
            Err((error, said)) => {
                pending.set(index, refusal(*error, said, inside.produce_version));
            }
        }
        pending.release();
        budget.item_done().await;
    }
}

/// What a producer hears of a transaction that is not verified, as in Kafka
/// (`ReplicaManager.handleProduceAppend`, `AddPartitionsToTxnManager`): what may pass is an error
/// that old clients try again without new metadata.
fn refusal(error: ErrorCode, said: &str, produce_version: i16) -> AppendResult {
    assert_ne!(error, ErrorCode::None, "what is verified is appended");
    let error = match error {
        ErrorCode::ProducerFenced => ErrorCode::InvalidProducerEpoch,
        ErrorCode::TransactionAbortable if produce_version < KNOWS_ABORTABLE_FROM => {
            ErrorCode::InvalidTxnState
        }
        error => error,
    };
    let is_retriable = match error {
        ErrorCode::NetworkException
        | ErrorCode::CoordinatorLoadInProgress
        | ErrorCode::CoordinatorNotAvailable
        | ErrorCode::NotCoordinator => true,
        ErrorCode::ConcurrentTransactions => produce_version < ADDS_PARTITIONS_FROM,
        _ => false,
    };
    if is_retriable {
        let message = format!(
            "Unable to verify the partition has been added to the transaction. Underlying error: \
             {error}"
        );
        return AppendResult::error(ErrorCode::NotEnoughReplicas, message);
    }
    match error {
        ErrorCode::InvalidTxnState => {
            AppendResult::error(error, "Partition was not added to the transaction".to_owned())
        }
        error => AppendResult::error(error, said.to_owned()),
    }
}
#[cfg(test)]
#[path = "unverified_tests.rs"]
mod tests;
