//! What a coordinator of transactions must say and know, in the plainest words: a map, without a
//! log, without time, without waiting. The [`model`](super::model) compares the real one with it.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

const LAST: i16 = i16::MAX - 1;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Phase {
    Idle,
    Open,
    /// Commit, or abort.
    Ending(bool),
    Ended(bool),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    pub producer: Producer,
    previous: Option<i64>,
    last_epoch: Option<i16>,
    next: Option<i64>,
    pub phase: Phase,
    new_client: bool,
    /// All of the transaction.
    partitions: BTreeSet<i32>,
    /// Those that lack a marker.
    unmarked: BTreeSet<i32>,
}

#[derive(Clone, Debug, Default)]
pub struct Reference {
    pub known: BTreeMap<&'static str, Known>,
    /// Of the cluster: an abort that no client asked for has an epoch of its own.
    pub version: i16,
}

/// Any error, with the producer that is told otherwise.
type Answer = Result<Producer, ErrorCode>;

impl Reference {
    /// `fresh` is the producer id that a new one is needed for, if one is needed.
    pub fn init(&mut self, id: &'static str, expected: Option<Producer>, fresh: i64) -> Answer {
        let Some(known) = self.known.get_mut(id) else {
            let producer = Producer { id: fresh, epoch: 0 };
            self.known.insert(id, Known::idle(producer));
            return Ok(producer);
        };
        let current = known.producer;
        let asks_again = match expected {
            _ if matches!(known.phase, Phase::Ending(_)) => {
                return Err(ErrorCode::ConcurrentTransactions);
            }
            None => false,
            Some(expected) if expected == current => false,
            Some(_) if known.phase == Phase::Open => return Err(ErrorCode::ProducerFenced),
            Some(Producer { id, epoch }) => {
                let known_id = id == current.id || known.previous == Some(id) && epoch == LAST;
                if !known_id || known.last_epoch != Some(epoch) {
                    return Err(ErrorCode::ProducerFenced);
                }
                true
            }
        };
        if known.phase == Phase::Open {
            self.abort(id, fresh);
            return Err(ErrorCode::ConcurrentTransactions);
        }
        let producer = match current.epoch {
            _ if asks_again => current,
            LAST.. => Producer { id: fresh, epoch: 0 },
            epoch => Producer { id: current.id, epoch: epoch + 1 },
        };
        if !asks_again {
            known.last_epoch = expected.map(|expected| expected.epoch);
        }
        known.go_to(Phase::Idle, producer);
        Ok(producer)
    }

    pub fn add(
        &mut self,
        id: &'static str,
        producer: Producer,
        partition: i32,
        new_client: bool,
    ) -> ErrorCode {
        let Some(known) = self.known.get_mut(id) else {
            return ErrorCode::InvalidProducerIdMapping;
        };
        if matches!(known.phase, Phase::Ending(_)) {
            return ErrorCode::ConcurrentTransactions;
        }
        if known.producer.id != producer.id {
            return ErrorCode::InvalidProducerIdMapping;
        }
        if known.producer != producer {
            return ErrorCode::ProducerFenced;
        }
        if known.phase != Phase::Open || !known.partitions.contains(&partition) {
            known.new_client = new_client;
            known.go_to(Phase::Open, producer);
            known.partitions.insert(partition);
            known.unmarked.insert(partition);
        }
        ErrorCode::None
    }

    pub fn verify(&self, id: &'static str, producer: Producer, partition: i32) -> ErrorCode {
        match self.known.get(id) {
            Some(known) if known.producer.id == producer.id => match known.phase {
                _ if known.producer.epoch != producer.epoch => ErrorCode::ProducerFenced,
                Phase::Ending(_) => ErrorCode::ConcurrentTransactions,
                _ if known.unmarked.contains(&partition) => ErrorCode::None,
                _ => ErrorCode::TransactionAbortable,
            },
            _ => ErrorCode::InvalidProducerIdMapping,
        }
    }

    pub fn end_old(&mut self, id: &'static str, producer: Producer, commit: bool) -> ErrorCode {
        let Some(known) = self.known.get_mut(id).filter(|it| it.producer.id == producer.id) else {
            return ErrorCode::InvalidProducerIdMapping;
        };
        if known.producer != producer {
            return ErrorCode::ProducerFenced;
        }
        match known.phase {
            Phase::Ending(_) => ErrorCode::ConcurrentTransactions,
            Phase::Ended(ended) if ended == commit => ErrorCode::None,
            Phase::Open => {
                (known.new_client, known.next) = (false, None);
                known.decide(commit, producer.epoch);
                ErrorCode::None
            }
            _ => ErrorCode::InvalidTxnState,
        }
    }

    pub fn end_new(
        &mut self,
        id: &'static str,
        producer: Producer,
        commit: bool,
        fresh: i64,
    ) -> Answer {
        let known = self.known.get_mut(id).ok_or(ErrorCode::InvalidProducerIdMapping)?;
        let current = known.producer;
        let moved_on =
            known.previous == Some(producer.id) && (producer.epoch, current.epoch) == (LAST, 0);
        let one_behind = i32::from(producer.epoch) + 1 == i32::from(current.epoch);
        let retry = moved_on || known.new_client && one_behind;
        match known.phase {
            Phase::Ending(_) => return Err(ErrorCode::ConcurrentTransactions),
            _ if current.id != producer.id && !moved_on => {
                return Err(ErrorCode::InvalidProducerIdMapping);
            }
            Phase::Ended(ended) if retry => {
                return if ended == commit { Ok(current) } else { Err(ErrorCode::InvalidTxnState) };
            }
            _ if current != producer => return Err(ErrorCode::ProducerFenced),
            Phase::Open => {}
            _ if !commit => {}
            _ => return Err(ErrorCode::InvalidTxnState),
        }
        Ok(known.decide_new(commit, fresh))
    }

    /// The transaction took too long, or another producer comes.
    pub fn abort(&mut self, id: &'static str, fresh: i64) {
        let version = self.version;
        let known = self.known.get_mut(id).expect("an id that is open is known");
        assert_eq!(known.phase, Phase::Open);
        if version == 2 {
            known.decide_new(false, fresh);
        } else {
            (known.new_client, known.next, known.last_epoch) = (false, None, None);
            known.decide(false, known.producer.epoch.saturating_add(1));
        }
    }

    pub fn marked(&mut self, id: &'static str, partition: i32) {
        let known = self.known.get_mut(id).expect("markers are of an id that is known");
        assert!(matches!(known.phase, Phase::Ending(_)));
        known.unmarked.remove(&partition);
        known.end_if_marked();
    }

    /// What a load does not bring back.
    pub fn load(&mut self) {
        for known in self.known.values_mut() {
            known.last_epoch = None;
            known.unmarked.clone_from(&known.partitions);
            if self.version == 0 && !known.new_client {
                known.previous = None;
            }
        }
    }

    pub fn assert_same(&self, machine: &Transactions) {
        assert_eq!(self.known.len(), machine.entries.len());
        for (id, known) in &self.known {
            let entry = &machine.entries[*id];
            let status = match known.phase {
                Phase::Idle => Status::Empty,
                Phase::Open => Status::Ongoing,
                Phase::Ending(true) => Status::PrepareCommit,
                Phase::Ending(false) => Status::PrepareAbort,
                Phase::Ended(true) => Status::CompleteCommit,
                Phase::Ended(false) => Status::CompleteAbort,
            };
            let partitions = entry.partitions.clone().take(usize::MAX);
            let partitions: BTreeSet<i32> = partitions.iter().map(|at| at.partition).collect();
            assert_eq!(
                (known.producer, known.previous, known.last_epoch, known.next, status),
                (
                    entry.producer,
                    entry.previous_producer_id,
                    entry.last_epoch,
                    entry.next_producer_id,
                    entry.status
                ),
                "{id}"
            );
            assert_eq!(
                (&known.unmarked, known.new_client),
                (&partitions, entry.client_version > 0)
            );
        }
    }
}

impl Known {
    fn idle(producer: Producer) -> Known {
        Known {
            producer,
            previous: Some(producer.id),
            last_epoch: None,
            next: None,
            phase: Phase::Idle,
            new_client: false,
            partitions: BTreeSet::new(),
            unmarked: BTreeSet::new(),
        }
    }

    /// What the log of an earlier broker says.
    pub fn left_behind(producer: Producer, previous: Option<i64>) -> Known {
        Known { previous, ..Known::idle(producer) }
    }

    fn go_to(&mut self, phase: Phase, producer: Producer) {
        self.previous = Some(self.producer.id);
        (self.phase, self.producer) = (phase, producer);
    }

    fn decide(&mut self, commit: bool, epoch: i16) {
        self.go_to(Phase::Ending(commit), Producer { epoch, ..self.producer });
        self.end_if_marked();
    }

    fn decide_new(&mut self, commit: bool, fresh: i64) -> Producer {
        let Producer { id, epoch } = self.producer;
        let exhausted = epoch >= LAST;
        self.new_client = true;
        self.last_epoch = Some(epoch);
        self.next = exhausted.then_some(fresh);
        let epoch = epoch.saturating_add(1);
        self.decide(commit, epoch);
        if exhausted { Producer { id: fresh, epoch: 0 } } else { Producer { id, epoch } }
    }

    fn end_if_marked(&mut self) {
        let Phase::Ending(commit) = self.phase else { return };
        if self.unmarked.is_empty() {
            let next = self.next.take().map(|id| Producer { id, epoch: 0 });
            self.go_to(Phase::Ended(commit), next.unwrap_or(self.producer));
            self.partitions.clear();
        }
    }
}
