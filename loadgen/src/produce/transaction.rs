//! Transactions of one producer: begun with the first record, ended when they have lasted as long
//! as they should, by a commit or, as often as the workload says, an abort.
//!
//! Owns: the transactional id and the connection to its coordinator. Lives on: the generator's
//! thread. Never: calls a record acknowledged whose transaction is not known to be committed.

use super::{Failure, Producer, RECONNECT_PAUSE};
use crate::{
    cluster::Coordinator,
    dialer::{CALL_TIMEOUT, error_of},
    random::Random,
    tallies::CONNECTION,
    workload::Transactions,
};
use client::Connection;
use protocol::{
    ApiKey, ErrorCode,
    messages::{
        AddPartitionsToTxnRequest, EndTxnRequest,
        add_partitions_to_txn_request::AddPartitionsToTxnTopic,
    },
};
use ring::Instant;
use rustc_hash::FxHashSet;
use std::time::Duration;

/// The last versions that clients speak without what came with transactions' second form (KIP-890).
const ADD_PARTITIONS_VERSION: i16 = 3;
const END_TXN_VERSION: i16 = 3;
/// How long the coordinator may take over one step, with all that is tried again.
const STEP_TIMEOUT: Duration = Duration::from_secs(20);
/// While the markers of the transaction before are on their way.
const CONCURRENT_PAUSE: Duration = Duration::from_millis(2);

pub struct Transactional {
    id: String,
    settings: Transactions,
    random: Random,
    coordinator: Option<Connection>,
    /// When the first record of the open transaction was built.
    pub began: Option<Instant>,
    /// Partitions that the coordinator knows to be in it.
    added: FxHashSet<i32>,
}

impl Transactional {
    pub fn new(settings: &Transactions, run: u32, stream: u32, random: Random) -> Transactional {
        let prefix = settings.id.clone().unwrap_or_else(|| format!("loadgen-{run:08x}"));
        Transactional {
            id: format!("{prefix}-{stream}"),
            settings: settings.clone(),
            random,
            coordinator: None,
            began: None,
            added: FxHashSet::default(),
        }
    }

    /// When the open one has lasted as long as it should.
    pub fn end(&self) -> Option<Instant> {
        self.began.map(|began| began + self.settings.length)
    }
}

impl Producer {
    pub fn transactional_id(&self) -> Option<&str> {
        self.transaction.as_ref().map(|transaction| transaction.id.as_str())
    }

    /// Whether the open transaction is to be ended before more is built.
    pub fn transaction_is_over(&self, now: Instant) -> bool {
        let Some(transaction) = &self.transaction else { return false };
        transaction
            .end()
            .is_some_and(|end| now >= end || self.in_flight.borrow().transaction_failed)
    }

    async fn coordinator(&mut self) -> anyhow::Result<Connection> {
        let transaction = self.transaction.as_mut().expect("asked by what is transactional");
        let known = transaction.coordinator.as_ref().filter(|known| !known.is_disconnected());
        if let Some(known) = known {
            return Ok(known.clone());
        }
        let coordinator =
            self.run.cluster.coordinator(Coordinator::Transaction, &transaction.id).await?;
        transaction.coordinator = Some(coordinator.clone());
        Ok(coordinator)
    }

    /// A producer id, or its next epoch: what was open under the last one is aborted by it.
    pub async fn begin_epoch(&mut self) -> anyhow::Result<()> {
        let run = self.run.clone();
        let mut last = None;
        let begin = async {
            // New clusters make their topic of transactions at the first request.
            while let Err(error) = self.try_begin_epoch().await {
                last = Some(error);
                if let Some(transaction) = &mut self.transaction {
                    transaction.coordinator = None;
                }
                run.ring.sleep(RECONNECT_PAUSE).await;
            }
        };
        let begun = run.within(STEP_TIMEOUT, begin).await;
        match (begun, last) {
            (Some(()), _) => Ok(()),
            (None, Some(error)) => Err(error.context("no producer id for transactions")),
            (None, None) => anyhow::bail!("no producer id for transactions in time"),
        }
    }

    async fn try_begin_epoch(&mut self) -> anyhow::Result<()> {
        let coordinator = self.coordinator().await?;
        let transaction = self.transaction.as_ref().expect("asked by what is transactional");
        let timeout_ms = transaction.settings.timeout.as_millis() as i32;
        let id = transaction.id.clone();
        self.init_producer_id(&coordinator, Some((id, timeout_ms))).await
    }

    /// Has the coordinator know the partitions of the batches that are to be sent next. Returns
    /// whether they may be sent: otherwise they are booked, and the transaction has failed.
    pub async fn add_partitions(&mut self) -> bool {
        let Some(transaction) = &self.transaction else { return true };
        let new: FxHashSet<i32> = self
            .ready
            .iter()
            .map(|batch| batch.partition)
            .filter(|partition| !transaction.added.contains(partition))
            .collect();
        if new.is_empty() {
            return true;
        }
        let run = self.run.clone();
        let failure = match run.ring.timeout(STEP_TIMEOUT, self.ask_to_add(&new)).await {
            Some(ErrorCode::None) => {
                let transaction = self.transaction.as_mut().expect("looked at above");
                transaction.added.extend(new);
                return true;
            }
            Some(error) => Failure::Refused(error),
            None => Failure::NoAnswer(CONNECTION),
        };
        let batches = std::mem::take(&mut self.ready);
        self.not_sent(batches, failure);
        false
    }

    /// The first error that trying again does not help against.
    async fn ask_to_add(&mut self, partitions: &FxHashSet<i32>) -> ErrorCode {
        let run = self.run.clone();
        loop {
            let answer = self.try_to_add(partitions).await;
            match answer {
                Ok(error) if !self.may_try_again(error).await => return error,
                Ok(_) => {}
                Err(error) => self.lost_coordinator(&error).await,
            }
            run.ring.end_of_turn().await;
        }
    }

    async fn try_to_add(&mut self, partitions: &FxHashSet<i32>) -> anyhow::Result<ErrorCode> {
        let coordinator = self.coordinator().await?;
        let (producer_id, epoch) = self.producer_id.unwrap_or((-1, -1));
        let topic = |(name, partitions): (&str, Vec<i32>)| AddPartitionsToTxnTopic {
            name: name.to_owned(),
            partitions,
        };
        let by_topic = self.run.cluster.by_topic(partitions.iter().copied());
        let request = AddPartitionsToTxnRequest {
            v3_and_below_transactional_id: self.transactional_id().unwrap_or_default().to_owned(),
            v3_and_below_producer_id: producer_id,
            v3_and_below_producer_epoch: epoch,
            v3_and_below_topics: by_topic.into_iter().map(topic).collect(),
            ..Default::default()
        };
        let versions = coordinator.versions();
        let version =
            versions.version_at_most(ApiKey::AddPartitionsToTxn, ADD_PARTITIONS_VERSION)?;
        let response = coordinator.call(&request, version, CALL_TIMEOUT).await?;
        let mut errors = response
            .results_by_topic_v3_and_below
            .iter()
            .flat_map(|topic| &topic.results_by_partition)
            .map(|result| error_of(result.partition_error_code));
        // Where one partition is refused, the others are said not to have been tried.
        let first = errors
            .clone()
            .find(|error| !matches!(error, ErrorCode::None | ErrorCode::OperationNotAttempted));
        let first = first.or_else(|| errors.find(|error| *error != ErrorCode::None));
        Ok(first.unwrap_or(ErrorCode::None))
    }

    /// Waits where the error will pass.
    async fn may_try_again(&mut self, error: ErrorCode) -> bool {
        let pause = match error {
            ErrorCode::ConcurrentTransactions => CONCURRENT_PAUSE,
            error if error.is_retriable() => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.coordinator = None;
                }
                RECONNECT_PAUSE
            }
            _ => return false,
        };
        self.run.ring.sleep(pause).await;
        true
    }

    async fn lost_coordinator(&mut self, error: &anyhow::Error) {
        self.run.complain(&format!("the coordinator of transactions: {error:#}"));
        if let Some(transaction) = &mut self.transaction {
            transaction.coordinator = None;
        }
        self.run.ring.sleep(RECONNECT_PAUSE).await;
    }

    /// Sends what belongs to the open transaction, and ends it. Where the run is over first, what
    /// comes after it ends it.
    pub async fn end_transaction(&mut self) {
        (0..self.lanes.len()).for_each(|lane| self.close_batch(lane));
        let run = self.run.clone();
        if run.unless_over(self.send_and_wait()).await.is_some() {
            self.finish().await;
        }
    }

    async fn send_and_wait(&mut self) {
        let run = self.run.clone();
        loop {
            let changed = run.changed.clone().past(run.changed.generation());
            self.send_ready().await;
            if self.ready.is_empty() && self.in_flight.borrow().unanswered == 0 {
                return;
            }
            changed.await;
        }
    }

    /// After the end of the run, when what was sent is answered or given up.
    pub async fn end_last_transaction(&mut self) {
        let is_open = self.transaction.as_ref().is_some_and(|one| one.began.is_some());
        if is_open {
            {
                let mut in_flight = self.in_flight.borrow_mut();
                let is_unanswered = in_flight.unanswered > 0 || !self.ready.is_empty();
                in_flight.transaction_failed |= is_unanswered;
            }
            self.finish().await;
        }
    }

    async fn finish(&mut self) {
        let run = self.run.clone();
        let (held, has_failed) = {
            let mut in_flight = self.in_flight.borrow_mut();
            let held = std::mem::take(&mut in_flight.held);
            (held, std::mem::take(&mut in_flight.transaction_failed))
        };
        let transaction = self.transaction.as_mut().expect("asked by what is transactional");
        transaction.began = None;
        let is_known = !std::mem::take(&mut transaction.added).is_empty();
        let aborts = has_failed | (transaction.random.unit() < transaction.settings.abort_share);
        let asked = run.ring.precise_now();
        let ended = match is_known {
            true => run.within(STEP_TIMEOUT, self.ask_to_end(!aborts)).await,
            false => Some(ErrorCode::None),
        };
        let is_ended = ended == Some(ErrorCode::None);
        let answered = run.ring.precise_now();
        if asked >= run.times().measure_from {
            let mut tallies = run.tallies.borrow_mut();
            let counts = &mut tallies.transactions;
            match (is_ended, has_failed, aborts) {
                (false, ..) | (_, true, _) => counts.failed += 1,
                (true, _, true) => counts.aborted += 1,
                (true, _, false) => counts.committed += 1,
            }
            if is_ended {
                counts.ended(answered.since(asked));
            }
            if aborts {
                let records = held.iter().map(|(_, sequences)| sequences.end - sequences.start);
                counts.aborted_records += records.sum::<u64>();
            }
        }
        run.transaction_ended(self.stream, held, is_ended.then_some(!aborts));
        if !is_ended {
            let why = ended.map_or("no answer in time", ErrorCode::name);
            run.complain(&format!("a transaction could not be ended: {why}"));
        }
        // After what was refused, sequences have a gap: the next epoch begins with none.
        if (has_failed || !is_ended)
            && run.ring.precise_now() < run.times().end
            && let Err(error) = self.begin_epoch().await
        {
            run.complain(&format!("{error:#}"));
        }
    }

    async fn ask_to_end(&mut self, commits: bool) -> ErrorCode {
        loop {
            let answer = self.try_to_end(commits).await;
            match answer {
                Ok(error) if !self.may_try_again(error).await => return error,
                Ok(_) => {}
                Err(error) => self.lost_coordinator(&error).await,
            }
        }
    }

    async fn try_to_end(&mut self, commits: bool) -> anyhow::Result<ErrorCode> {
        let coordinator = self.coordinator().await?;
        let (producer_id, producer_epoch) = self.producer_id.unwrap_or((-1, -1));
        let request = EndTxnRequest {
            transactional_id: self.transactional_id().unwrap_or_default().to_owned(),
            producer_id,
            producer_epoch,
            committed: commits,
            ..Default::default()
        };
        let versions = coordinator.versions();
        let version = versions.version_at_most(ApiKey::EndTxn, END_TXN_VERSION)?;
        let response = coordinator.call(&request, version, CALL_TIMEOUT).await?;
        Ok(error_of(response.error_code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_lasts_from_its_first_record_on() {
        let settings = Transactions {
            length: Duration::from_millis(100),
            abort_share: 0.0,
            timeout: Duration::from_secs(60),
            id: Some("x".to_owned()),
        };
        let mut transaction = Transactional::new(&settings, 7, 3, Random::new(1, 1));
        assert_eq!((transaction.end(), transaction.id.as_str()), (None, "x-3"));
        transaction.began = Some(Instant(5));
        assert_eq!(transaction.end(), Some(Instant(100_000_005)));
    }
}
