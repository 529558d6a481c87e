//! Transactional producers, of both generations: they write to some partitions, commit an offset
//! with it, and commit, abort, or vanish and come again under the same transactional id.

use crate::{
    client::{Client, Lost},
    cluster::ClusterId,
    committed,
    generation::{Membership, means_another_generation},
    model::{Invariant, PartitionKey, author},
    run::Run,
    transactions::Outcome,
};
use bytes::Bytes;
use protocol::{
    ErrorCode,
    generated::rpc::{
        add_partitions_to_txn_request::AddPartitionsToTxnTopic,
        produce_request::{PartitionProduceData, TopicProduceData},
        txn_offset_commit_request::{TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic},
    },
    messages::{
        AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, EndTxnRequest, FindCoordinatorRequest,
        InitProducerIdRequest, ProduceRequest, TxnOffsetCommitRequest, TxnOffsetCommitResponse,
    },
    records::BatchBuilder,
};
use ring::Ring;
use std::{collections::BTreeMap, rc::Rc};

/// Transactions of one producer in one run.
const TRANSACTIONS: usize = 25;
/// How often a step of a transaction is tried in a storm before it is aborted.
const TRIES: usize = 12;
const FIND_VERSION: i16 = 4;
const KEY_TYPE_TRANSACTION: i8 = 1;

/// The versions that one generation of clients speaks.
struct Versions {
    init: i16,
    produce: i16,
    offsets: i16,
    end: i16,
    /// Partitions are added before they are written to.
    adds_before: bool,
}

const OLD: Versions = Versions { init: 4, produce: 11, offsets: 3, end: 4, adds_before: true };
const EPOCH_PER_TRANSACTION: Versions =
    Versions { init: 5, produce: 12, offsets: 5, end: 5, adds_before: false };
const ADD_PARTITIONS_VERSION: i16 = 3;
const ADD_OFFSETS_VERSION: i16 = 3;
/// Offsets from here on are asked for in the name of a generation that is over.
const FORBIDDEN_OFFSET: i64 = 1 << 40;

/// What an error means for the transaction.
enum Verdict {
    Done,
    Again,
    Abort,
    /// Another producer has taken over, or the transaction has taken too long.
    Fenced,
}

struct Transactor {
    client: Client,
    id: String,
    versions: &'static Versions,
    timeout_ms: i32,
    producer: Option<(i64, i16)>,
    /// Producer ids that it has had.
    known_ids: Vec<i64>,
    /// The next sequence numbers in this epoch.
    sequences: BTreeMap<PartitionKey, i32>,
    /// Partitions that this transaction has, of clients that add them themselves.
    added: Vec<PartitionKey>,
    /// The producer that it was before it vanished.
    zombie: Option<(i64, i16)>,
    /// What it commits is of its generation in its group. `None`: it is no member.
    membership: Option<Membership>,
}

pub async fn work(run: Rc<Run>, ring: Ring, cluster: ClusterId, index: usize) {
    let client = Client::new(&run, &ring, cluster, format!("transactor {index}"));
    let versions = if client.one_in(3) { &OLD } else { &EPOCH_PER_TRANSACTION };
    let timeout_ms = [700, 3_000, 15_000][client.below(3)];
    let is_member = client.one_in(2);
    let mut transactor = Transactor {
        client,
        id: format!("transactor-{index}"),
        versions,
        timeout_ms,
        producer: None,
        known_ids: Vec::new(),
        sequences: BTreeMap::new(),
        added: Vec::new(),
        zombie: None,
        membership: is_member.then(Membership::none),
    };
    let mut left = TRANSACTIONS;
    while !run.is_over() {
        let is_calm = run.is_calm();
        let may_begin = left > 0 || is_calm;
        if may_begin && !committed::base_keys(&run, cluster).is_empty() {
            left = left.saturating_sub(1);
            let outcome = transactor.transaction(is_calm).await;
            // None of the storm's keeps one in calm weather from its end.
            if is_calm && outcome == Some(Outcome::Committed) {
                return;
            }
        }
        transactor.client.pause().await;
    }
}

impl Transactor {
    fn run(&self) -> Rc<Run> {
        self.client.run.clone()
    }

    /// One transaction; `None`: none could be begun. `must_commit`: its client has no other plan.
    async fn transaction(&mut self, must_commit: bool) -> Option<Outcome> {
        if self.producer.is_none() {
            self.init().await.ok()?;
        }
        let run = self.run();
        self.added.clear();
        let number = run.transactions.borrow_mut().begin();
        let (id, producer) = (self.id.clone(), self.producer);
        self.client.note(|| format!("{id} begins transaction {number} as {producer:?}"));
        let batches = 1 + self.client.below(5);
        for _ in 0..batches {
            match self.write(number).await {
                Verdict::Done => {}
                Verdict::Fenced => return Some(self.give_up(number)),
                Verdict::Abort | Verdict::Again => return Some(self.end(number, false).await),
            }
        }
        if self.client.one_in(2) {
            match self.commit_offset(number).await {
                Verdict::Done => {}
                Verdict::Fenced => return Some(self.give_up(number)),
                Verdict::Abort | Verdict::Again => return Some(self.end(number, false).await),
            }
        }
        if !must_commit && self.client.one_in(8) {
            // The timeout, or the next one of this id, aborts it.
            self.zombie = self.producer;
            return Some(self.give_up(number));
        }
        let commits = must_commit || !self.client.one_in(3);
        Some(self.end(number, commits).await)
    }

    /// This producer goes no further.
    fn give_up(&mut self, number: usize) -> Outcome {
        let id = &self.id;
        self.client.note(|| format!("{id} gives transaction {number} up"));
        self.producer = None;
        self.sequences.clear();
        let run = self.run();
        run.transactions.borrow_mut().given_up(number);
        run.transactions.borrow().outcome(number)
    }

    async fn init(&mut self) -> Result<(), Lost> {
        let request = InitProducerIdRequest {
            transactional_id: Some(self.id.clone()),
            transaction_timeout_ms: self.timeout_ms,
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        };
        let coordinator = self.find_coordinator().await?;
        if !coordinator {
            return Err(Lost);
        }
        let response = self.client.call(self.versions.init, &request).await?;
        let run = self.run();
        if response.error_code == 0 {
            let producer = (response.producer_id, response.producer_epoch);
            let id = &self.id;
            self.client.note(|| format!("{id} is {producer:?}"));
            if !self.known_ids.contains(&producer.0) {
                self.known_ids.push(producer.0);
                let mut model = run.model.borrow_mut();
                run.check(model.producer_id_given(self.client.cluster, producer.0));
            }
            (self.producer, self.sequences) = (Some(producer), BTreeMap::new());
            if let Some(zombie) = self.zombie.take() {
                self.haunt(zombie).await;
            }
            return Ok(());
        }
        match self.judge("InitProducerId", response.error_code, None, 0) {
            Verdict::Fenced | Verdict::Abort => {
                let error = ErrorCode::from_code(response.error_code);
                run.violate(Invariant::AnswersExplained, format!("InitProducerId: {error:?}"));
            }
            Verdict::Again | Verdict::Done => {}
        }
        Err(Lost)
    }

    /// The producer that this one has taken over from goes on as if nothing had happened.
    async fn haunt(&mut self, zombie: (i64, i16)) {
        let run = self.run();
        let keys = committed::base_keys(&run, self.client.cluster);
        let key = keys[self.client.below(keys.len())];
        let number = run.transactions.borrow_mut().begin();
        run.transactions.borrow_mut().given_up(number);
        // It does not know how far it had come.
        let (first_id, bytes) = self.batch(number, key, zombie, 1_000_000, 1);
        let request = self.produce_request(key, bytes);
        let Ok(response) = self.client.call(self.versions.produce, &request).await else { return };
        let answer = response.responses.first().and_then(|one| one.partition_responses.first());
        if answer.is_some_and(|answer| answer.error_code == 0) {
            let say = run.model.borrow().say(key);
            run.violate(
                Invariant::TransactionsWhole,
                format!("{say} takes record {first_id} of {zombie:?}, which is fenced"),
            );
        }
    }

    async fn find_coordinator(&mut self) -> Result<bool, Lost> {
        let request = FindCoordinatorRequest {
            key_type: KEY_TYPE_TRANSACTION,
            coordinator_keys: vec![self.id.clone()],
            ..Default::default()
        };
        let response = self.client.call(FIND_VERSION, &request).await?;
        let code = response.coordinators.first().map_or(-1, |found| found.error_code);
        match ErrorCode::from_code(code) {
            Some(ErrorCode::None) => Ok(true),
            Some(ErrorCode::CoordinatorNotAvailable) => Ok(false),
            error => {
                let run = self.run();
                run.violate(Invariant::AnswersExplained, format!("FindCoordinator: {error:?}"));
                Ok(false)
            }
        }
    }

    fn batch(
        &self,
        number: usize,
        key: PartitionKey,
        (producer_id, epoch): (i64, i16),
        sequence: i32,
        count: i32,
    ) -> (u64, Bytes) {
        let run = self.run();
        let by = author(producer_id, epoch, true);
        let first_id = run.model.borrow_mut().records_made(key, by, sequence, count);
        run.transactions.borrow_mut().wrote(number, key, first_id, count);
        let builder =
            BatchBuilder::new(0).producer(producer_id, epoch, sequence).transactional(true);
        let mut builder = builder;
        let now_ms = self.client.ring.wall_clock_ms();
        for delta in 0..count as u64 {
            let mut value = (first_id + delta).to_be_bytes().to_vec();
            value.resize(8 + self.client.below(100), 0);
            builder.append(now_ms, None, Some(&value), &[]);
        }
        (first_id, builder.build())
    }

    fn produce_request(&self, key: PartitionKey, bytes: Bytes) -> ProduceRequest {
        let name = self.run().model.borrow().name(key.topic);
        ProduceRequest {
            transactional_id: Some(self.id.clone()),
            acks: -1,
            timeout_ms: 30_000,
            topic_data: vec![TopicProduceData {
                name,
                topic_id: key.topic.id,
                partition_data: vec![PartitionProduceData {
                    index: key.index,
                    records: Some(bytes),
                }],
            }],
        }
    }

    /// Writes a batch to some partition, as often as it takes.
    async fn write(&mut self, number: usize) -> Verdict {
        let run = self.run();
        let keys = committed::base_keys(&run, self.client.cluster);
        let key = keys[self.client.below(keys.len())];
        if self.versions.adds_before && !self.added.contains(&key) {
            match self.add_partition(key).await {
                Verdict::Done => self.added.push(key),
                other => return other,
            }
        }
        let producer = self.producer.expect("a transaction has a producer");
        let sequence = self.sequences.get(&key).copied().unwrap_or(0);
        let count = 1 + self.client.below(3) as i32;
        let (first_id, bytes) = self.batch(number, key, producer, sequence, count);
        let request = self.produce_request(key, bytes);
        for _ in 0..TRIES {
            let expected = run.model.borrow().expected(key);
            if run.is_over() {
                break;
            }
            if let Ok(response) = self.client.call(self.versions.produce, &request).await {
                let answer =
                    response.responses.first().and_then(|one| one.partition_responses.first());
                let Some(answer) = answer else {
                    let what = "a partition is missing in a produce response".to_owned();
                    run.violate(Invariant::AnswersExplained, what);
                    return Verdict::Abort;
                };
                let (code, offset) = (answer.error_code, answer.base_offset);
                let id = &self.id;
                let error = ErrorCode::from_code(code);
                let message = answer.error_message.clone();
                self.client.note(|| {
                    let say = run.model.borrow().say(key);
                    format!("{id}: {say} {first_id}+{count}: {error:?} at {offset} {message:?}")
                });
                match self.judge("Produce", code, Some(key), expected.life) {
                    Verdict::Again => {}
                    Verdict::Done => {
                        let told = (first_id, count);
                        let mut model = run.model.borrow_mut();
                        run.check(model.acknowledged(key, told, offset, expected.life));
                        run.transactions.borrow_mut().acknowledged(number, first_id, offset);
                        self.sequences.insert(key, sequence + count);
                        return Verdict::Done;
                    }
                    other => {
                        // What follows an epoch that goes on would leave a gap.
                        self.sequences.insert(key, i32::MIN);
                        return other;
                    }
                }
            }
            self.client.pause().await;
        }
        self.sequences.insert(key, i32::MIN);
        Verdict::Abort
    }

    async fn add_partition(&mut self, key: PartitionKey) -> Verdict {
        let run = self.run();
        let (producer_id, epoch) = self.producer.expect("a transaction has a producer");
        let topic = AddPartitionsToTxnTopic {
            name: run.model.borrow().name(key.topic),
            partitions: vec![key.index],
        };
        let request = AddPartitionsToTxnRequest {
            v3_and_below_transactional_id: self.id.clone(),
            v3_and_below_producer_id: producer_id,
            v3_and_below_producer_epoch: epoch,
            v3_and_below_topics: vec![topic],
            ..Default::default()
        };
        for _ in 0..TRIES {
            let life = run.model.borrow().life(self.client.cluster);
            if let Ok(response) = self.client.call(ADD_PARTITIONS_VERSION, &request).await {
                let result = response.results_by_topic_v3_and_below.first();
                let result = result.and_then(|topic| topic.results_by_partition.first());
                let code = result.map_or(-1, |result| result.partition_error_code);
                match self.judge("AddPartitionsToTxn", code, Some(key), life) {
                    Verdict::Again => {}
                    other => return other,
                }
            }
            self.client.pause().await;
        }
        Verdict::Abort
    }

    async fn commit_offset(&mut self, number: usize) -> Verdict {
        let run = self.run();
        let cluster = self.client.cluster;
        let group = committed::group_of(cluster, &self.id);
        let Some((topic, index)) = committed::offset_of(&run, cluster) else {
            return Verdict::Done;
        };
        let partition = (topic.as_str(), index);
        if !self.is_member_now(&group).await {
            return Verdict::Abort;
        }
        let (producer_id, producer_epoch) = self.producer.expect("a transaction has a producer");
        let offset = run.transactions.borrow_mut().commits_offset(number, &group);
        if self.versions.adds_before {
            let request = AddOffsetsToTxnRequest {
                transactional_id: self.id.clone(),
                producer_id,
                producer_epoch,
                group_id: group.clone(),
            };
            let mut added = Verdict::Again;
            for _ in 0..TRIES {
                if let Ok(response) = self.client.call(ADD_OFFSETS_VERSION, &request).await {
                    added = self.judge("AddOffsetsToTxn", response.error_code, None, 0);
                    if !matches!(added, Verdict::Again) {
                        break;
                    }
                }
                self.client.pause().await;
            }
            if !matches!(added, Verdict::Done) {
                run.transactions.borrow_mut().commits_none(number);
                return added;
            }
        }
        if self.client.one_in(4) {
            self.haunt_generation(number, &group, partition).await;
        }
        let membership = self.membership.clone().unwrap_or_else(Membership::none);
        let request = self.offsets(&group, partition, offset, &membership);
        for _ in 0..TRIES {
            let life = run.model.borrow().life(cluster);
            if let Ok(response) = self.client.call(self.versions.offsets, &request).await {
                let code = error_of_offset(&response);
                let key = committed::base_keys(&run, cluster).into_iter().next();
                if let Some(membership) = &mut self.membership
                    && ErrorCode::from_code(code).is_some_and(means_another_generation)
                {
                    *membership = Membership::none();
                    return Verdict::Abort;
                }
                match self.judge("TxnOffsetCommit", code, key, life) {
                    Verdict::Again if code == ErrorCode::CoordinatorNotAvailable.code() => {
                        let _ = crate::commits::find_coordinator(&mut self.client, &group).await;
                    }
                    Verdict::Again => {}
                    other => return other,
                }
            }
            self.client.pause().await;
        }
        Verdict::Abort
    }

    fn offsets(
        &self,
        group: &str,
        (topic, index): (&str, i32),
        offset: i64,
        membership: &Membership,
    ) -> TxnOffsetCommitRequest {
        let (producer_id, producer_epoch) = self.producer.expect("a transaction has a producer");
        let partition = TxnOffsetCommitRequestPartition {
            partition_index: index,
            committed_offset: offset,
            committed_leader_epoch: -1,
            committed_metadata: Some(offset.to_string()),
        };
        TxnOffsetCommitRequest {
            transactional_id: self.id.clone(),
            group_id: group.to_owned(),
            producer_id,
            producer_epoch,
            generation_id_or_member_epoch: membership.generation,
            member_id: membership.member_id.clone(),
            topics: vec![TxnOffsetCommitRequestTopic {
                name: topic.to_owned(),
                partitions: vec![partition],
                ..Default::default()
            }],
            ..Default::default()
        }
    }

    /// Joins its group where it has to; whether it may commit there.
    async fn is_member_now(&mut self, group: &str) -> bool {
        let Some(membership) = self.membership.clone() else { return true };
        if membership.generation >= 0 {
            return true;
        }
        let joined = membership.join(&mut self.client, group).await.ok().flatten();
        self.membership = joined.clone().or(Some(Membership::none()));
        joined.is_some()
    }

    /// Another generation of its group begins, and the one before commits once more, in the same
    /// transaction.
    async fn haunt_generation(&mut self, number: usize, group: &str, partition: (&str, i32)) {
        let Some(old) = self.membership.clone() else { return };
        let joined = old.join(&mut self.client, group).await.ok().flatten();
        // Where no answer came, it may be of any generation.
        self.membership = joined.clone().or(Some(Membership::none()));
        let Some(new) = joined.filter(|new| *new != old) else { return };
        // An offset that no transaction commits: it would be missed, too.
        let request = self.offsets(group, partition, FORBIDDEN_OFFSET + number as i64, &old);
        let Ok(response) = self.client.call(self.versions.offsets, &request).await else { return };
        if error_of_offset(&response) == 0 {
            let detail = format!("{group} takes an offset of {old:?}, and {new:?} has begun");
            self.run().violate(Invariant::TransactionsWhole, detail);
        }
    }

    /// Ends the transaction, as often as it takes to hear of it.
    async fn end(&mut self, number: usize, commits: bool) -> Outcome {
        let run = self.run();
        let (producer_id, producer_epoch) = self.producer.expect("a transaction has a producer");
        let request = EndTxnRequest {
            transactional_id: self.id.clone(),
            producer_id,
            producer_epoch,
            committed: commits,
        };
        if commits {
            run.transactions.borrow_mut().commit_asked(number);
        }
        let mut is_lost = false;
        while !run.is_over() {
            if let Ok(response) = self.client.call(self.versions.end, &request).await {
                let error = ErrorCode::from_code(response.error_code);
                let id = &self.id;
                self.client.note(|| {
                    format!("{id} ends transaction {number}, commits: {commits}: {error:?}")
                });
                match self.judge("EndTxn", response.error_code, None, 0) {
                    Verdict::Done => {
                        let next = (response.producer_id, response.producer_epoch);
                        return self.ended(number, commits, next);
                    }
                    Verdict::Again if error == Some(ErrorCode::ConcurrentTransactions) => {}
                    // It may have been written already when the log failed.
                    Verdict::Again => is_lost = true,
                    Verdict::Abort | Verdict::Fenced => {
                        if commits && !is_lost {
                            run.transactions.borrow_mut().commit_refused(number);
                        }
                        return self.give_up(number);
                    }
                }
            } else {
                is_lost = true;
            }
            self.client.pause().await;
        }
        run.transactions.borrow().outcome(number)
    }

    fn ended(&mut self, number: usize, commits: bool, next: (i64, i16)) -> Outcome {
        let run = self.run();
        if commits {
            run.transactions.borrow_mut().committed(number);
        } else {
            run.transactions.borrow_mut().given_up(number);
        }
        if !self.versions.adds_before {
            let before = self.producer.replace(next).expect("a transaction has a producer");
            if next.0 == before.0 && next.1 <= before.1 {
                let id = &self.id;
                let detail = format!("{id} goes from {before:?} to {next:?} by EndTxn");
                run.violate(Invariant::TransactionsWhole, detail);
            }
            self.sequences.clear();
        } else if self.sequences.values().any(|next| *next < 0) {
            // What was lost may come late: an epoch of its own ends that.
            self.producer = None;
        }
        run.transactions.borrow().outcome(number)
    }

    fn judge(&self, what: &str, code: i16, key: Option<PartitionKey>, life: u32) -> Verdict {
        let run = &self.client.run;
        let error = ErrorCode::from_code(code);
        let explained = |is_explained: bool, verdict| {
            if !is_explained {
                let detail = format!("{}: {what}: {error:?}", self.id);
                run.violate(Invariant::AnswersExplained, detail);
            }
            verdict
        };
        match error {
            Some(ErrorCode::None) => Verdict::Done,
            Some(
                ErrorCode::CoordinatorLoadInProgress
                | ErrorCode::CoordinatorNotAvailable
                | ErrorCode::NotCoordinator
                | ErrorCode::ConcurrentTransactions
                | ErrorCode::NotEnoughReplicas,
            ) => Verdict::Again,
            Some(ErrorCode::NotLeaderOrFollower | ErrorCode::RequestTimedOut) => {
                explained(self.client.may_be_disturbed(), Verdict::Again)
            }
            Some(ErrorCode::UnknownTopicOrPartition) => {
                let may_lag = key.is_some_and(|key| self.client.may_not_know(key.topic, life));
                explained(may_lag, Verdict::Again)
            }
            Some(ErrorCode::KafkaStorageError) => {
                explained(self.client.disk_may_fail(), Verdict::Again)
            }
            Some(ErrorCode::MessageTooLarge) => {
                let model = run.model.borrow();
                let topic = key.and_then(|key| model.topic(key.topic));
                explained(topic.is_some_and(|topic| topic.small_messages), Verdict::Abort)
            }
            Some(ErrorCode::InvalidTxnState | ErrorCode::TransactionAbortable) => Verdict::Abort,
            // A power cut has taken the end of a log that durability=os had acknowledged.
            Some(ErrorCode::OutOfOrderSequenceNumber | ErrorCode::DuplicateSequenceNumber) => {
                let is_doubtful = run.model.borrow().certain_from(self.client.cluster) > 0;
                explained(is_doubtful, Verdict::Abort)
            }
            Some(
                ErrorCode::InvalidProducerEpoch
                | ErrorCode::ProducerFenced
                | ErrorCode::InvalidProducerIdMapping,
            ) => Verdict::Fenced,
            _ => explained(false, Verdict::Abort),
        }
    }
}

fn error_of_offset(response: &TxnOffsetCommitResponse) -> i16 {
    let partition = response.topics.first().and_then(|topic| topic.partitions.first());
    partition.map_or(-1, |partition| partition.error_code)
}
