//! What must be true of the broker, told by what it has answered so far.
//!
//! Owns: every record, topic and commit that any client has attempted, what was acknowledged of it,
//! what was read of it. Never: knows how the broker works. A contradiction becomes a [`Violation`];
//! the first one ends the run.
//!
//! A topic, a partition and a producer id belong to one cluster; what has the same name in another
//! one is another thing.
//!
//! A *life* is the time between two ends of a cluster's broker; an answer belongs to the life in
//! which its request was sent. A power cut under `durability=os` puts in doubt what was known
//! before it: each log may have lost an end of any length, and nothing else. What shows that a
//! record is gone shows that all that was known behind it is gone as well.

use crate::cluster::ClusterId;
use protocol::Uuid;
use ring::Instant;
use rustc_hash::{FxHashMap, FxHashSet};
use std::{collections::BTreeMap, fmt};

/// What is promised, by name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Invariant {
    /// Every acknowledged record is readable at the offset acknowledged.
    AcknowledgedIsReadable,
    /// No record of an idempotent producer is in its log twice.
    NothingTwice,
    /// Records of one producer in one partition stand in the order of their sequence numbers,
    /// without gaps.
    OrderKept,
    /// What one consumer has read at an offset every consumer reads there, and offsets have no
    /// gaps.
    ReadsRepeat,
    /// No consumer is told a high watermark below one that was told, or below what was
    /// acknowledged.
    HighWatermarkKept,
    /// Records go only when their deletion was asked for, or when retention may take them; the
    /// start of a log goes forward.
    LogStartKept,
    /// A committed offset that was acknowledged is found until another one replaces it.
    CommittedOffsetsKept,
    /// Consumers of committed records see transactions whole or not at all, with the offsets that
    /// they commit; none hangs.
    TransactionsWhole,
    /// Members of one generation share the partitions out, and no acknowledged generation is given
    /// out again.
    GenerationsKept,
    /// An acknowledged creation, change or deletion of a topic stays.
    TopicsKept,
    /// No producer id is given out twice.
    ProducerIdsUnique,
    /// The broker starts after every end, and stops when it is told to.
    StartsAndStops,
    /// Every answer is one that the protocol allows there; errors have a cause.
    AnswersExplained,
    /// In calm weather everything gets done in time.
    Liveness,
    /// A fault of one node disturbs no client of another, which answers in time.
    OthersUndisturbed,
    /// No task panics.
    NoPanic,
}

#[derive(Clone, Debug)]
pub struct Violation {
    pub invariant: Invariant,
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.invariant, self.detail)
    }
}

pub type Checked = Result<(), Violation>;

fn violated(invariant: Invariant, detail: String) -> Checked {
    Err(Violation { invariant, detail })
}

/// One incarnation of a topic, in its cluster.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TopicKey {
    pub cluster: ClusterId,
    pub id: Uuid,
}

/// One partition of one incarnation of a topic.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PartitionKey {
    pub topic: TopicKey,
    pub index: i32,
}

/// An answer that acknowledged a change of the metadata. The core that gave it has applied the
/// change; each other one applies it in its own time.
#[derive(Clone, Debug)]
pub struct Told {
    pub at: Instant,
    pub life: u32,
    /// The client's name, and the number of its connection.
    pub to: (String, u64),
}

#[derive(Clone, Debug)]
pub struct Topic {
    pub name: String,
    pub key: TopicKey,
    /// As acknowledged; more may have been asked for.
    pub partitions: i32,
    pub partitions_asked: i32,
    /// Lives through the whole run.
    pub is_base: bool,
    pub delete_asked: bool,
    pub deleted: bool,
    /// Of the last change of what there is of it, and of its configs.
    pub told: Told,
    pub configs_told: Told,
    /// By name: the config as it was last acknowledged, and as it was last asked for.
    pub configs: BTreeMap<&'static str, (Option<String>, Option<String>)>,
    /// A retention was asked for under which records may go at any time.
    pub may_expire: bool,
    /// A `max.message.bytes` was asked for that batches may exceed.
    pub small_messages: bool,
}

/// Whose records stand in one order of sequence numbers: a producer, or one epoch of a producer in
/// its transactions.
pub fn author(producer_id: i64, epoch: i16, is_transactional: bool) -> i64 {
    match is_transactional {
        true => 1 << 62 | producer_id << 16 | i64::from(epoch),
        false => producer_id,
    }
}

/// A record that a producer has made.
struct Sent {
    partition: PartitionKey,
    producer_id: i64,
    sequence: i32,
    /// Where it was acknowledged or read first.
    offset: Option<i64>,
}

impl Sent {
    /// Producers without an id are known by a negative one here.
    fn is_of(&self, producer_id: i64, sequence: i32) -> bool {
        match self.producer_id {
            ..0 => producer_id == -1,
            known => known == producer_id && self.sequence == sequence,
        }
    }
}

/// A record where it is known to be.
#[derive(Clone, Copy)]
struct Placed {
    id: u64,
    /// The last life in which it was seen there.
    life: u32,
}

#[derive(Default)]
struct PartitionModel {
    /// Acknowledged or read: the record at each offset.
    at: BTreeMap<i64, Placed>,
    /// By producer id and sequence number.
    sequences: FxHashMap<i64, BTreeMap<i32, i64>>,
    acked_end: i64,
    high_watermark: i64,
    /// The highest offset up to which records were asked to be deleted.
    delete_asked_to: i64,
    /// The highest start of the log that was told and may not be taken back.
    log_start: i64,
    /// Up to here everything has survived the last power cut that could take something.
    survived_to: i64,
}

impl PartitionModel {
    /// Where the records of this producer around `sequence` are: the one before, and it or the one
    /// after.
    fn neighbours(&self, producer_id: i64, sequence: i32) -> (Option<i64>, Option<i64>) {
        let Some(sequences) = self.sequences.get(&producer_id) else { return (None, None) };
        let before = sequences.range(..sequence).next_back().map(|(_, at)| *at);
        (before, sequences.range(sequence..).next().map(|(_, at)| *at))
    }
}

/// What a request must find, taken when it is sent.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    pub acked_end: i64,
    pub high_watermark: i64,
    pub log_start: i64,
    pub deleted: bool,
    pub life: u32,
}

/// The life of a cluster's broker that is under way.
#[derive(Clone, Copy, Default)]
struct Life {
    number: u32,
    /// What was last seen before this life is in doubt.
    certain_from: u32,
}

#[derive(Default)]
pub struct Model {
    topics: Vec<Topic>,
    sent: Vec<Sent>,
    partitions: FxHashMap<PartitionKey, PartitionModel>,
    producer_ids: FxHashSet<(ClusterId, i64)>,
    /// Producers without an id that there have been.
    silent: i64,
    /// By cluster.
    lives: Vec<Life>,
    /// Every topic is under a retention that takes records at any time.
    all_expire: bool,
    pub acked_records: u64,
    pub read_records: u64,
}

impl Model {
    pub fn new(clusters: usize, all_expire: bool) -> Model {
        Model { lives: vec![Life::default(); clusters], all_expire, ..Model::default() }
    }

    // ---- lives
    // ---------------------------------------------------------------------------------------------

    /// `in_order`: it has stopped by itself, and everything is on the disk. `loses`: what was not
    /// synced is gone.
    pub fn broker_ended(&mut self, cluster: ClusterId, in_order: bool, loses: bool) {
        let life = &mut self.lives[cluster.0];
        life.number += 1;
        if loses {
            life.certain_from = life.number;
        }
        let of_cluster = self.partitions.iter_mut().filter(|(key, _)| key.topic.cluster == cluster);
        for (_, partition) in of_cluster {
            if !in_order {
                // Checkpoints hold it, and are written now and then.
                partition.log_start = 0;
            }
            if loses {
                (partition.acked_end, partition.high_watermark, partition.survived_to) = (0, 0, 0);
            }
        }
    }

    /// The number of the life that is under way.
    pub fn life(&self, cluster: ClusterId) -> u32 {
        self.lives[cluster.0].number
    }

    /// Tells lives apart between which records may have been lost.
    pub fn certain_from(&self, cluster: ClusterId) -> u32 {
        self.lives[cluster.0].certain_from
    }

    fn is_doubtful(&self, key: PartitionKey, life: u32) -> bool {
        life < self.certain_from(key.topic.cluster)
    }

    pub fn may_expire(&self, key: PartitionKey) -> bool {
        self.all_expire || self.topic(key.topic).is_some_and(|topic| topic.may_expire)
    }

    // ---- topics
    // ---------------------------------------------------------------------------------------------

    pub fn topic(&self, key: TopicKey) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.key == key)
    }

    pub fn topic_mut(&mut self, key: TopicKey) -> &mut Topic {
        self.topics
            .iter_mut()
            .find(|topic| topic.key == key)
            .expect("only known topics are changed")
    }

    pub fn name(&self, key: TopicKey) -> String {
        self.topic(key).map_or_else(|| key.id.to_string(), |topic| topic.name.clone())
    }

    pub fn topic_created(
        &mut self,
        name: &str,
        key: TopicKey,
        partitions: i32,
        is_base: bool,
        told: Told,
    ) -> Checked {
        if let Some(same) = self.topic(key) {
            return violated(
                Invariant::TopicsKept,
                format!("topics {} and {name} have the id {}", same.name, key.id),
            );
        }
        let topic = Topic {
            name: name.to_owned(),
            key,
            partitions,
            partitions_asked: partitions,
            is_base,
            delete_asked: false,
            deleted: false,
            configs_told: told.clone(),
            told,
            configs: BTreeMap::new(),
            may_expire: false,
            small_messages: false,
        };
        self.topics.push(topic);
        Ok(())
    }

    /// Every topic that there has been.
    pub fn topics_of(&self, cluster: ClusterId) -> impl Iterator<Item = &Topic> {
        self.topics.iter().filter(move |topic| topic.key.cluster == cluster)
    }

    /// Topics that exist and will until a client asks for their deletion.
    pub fn live(&self, cluster: ClusterId) -> impl Iterator<Item = &Topic> {
        self.topics_of(cluster).filter(|topic| !topic.delete_asked)
    }

    pub fn live_partitions(&self, cluster: ClusterId) -> Vec<PartitionKey> {
        let keys = |topic: &Topic| {
            let topic_key = topic.key;
            (0..topic.partitions).map(move |index| PartitionKey { topic: topic_key, index })
        };
        self.live(cluster).flat_map(keys).collect()
    }

    pub fn may_be_gone(&self, key: TopicKey) -> bool {
        self.topic(key).is_none_or(|topic| topic.delete_asked)
    }

    // ---- producing
    // ---------------------------------------------------------------------------------------------

    pub fn producer_id_given(&mut self, cluster: ClusterId, producer_id: i64) -> Checked {
        if producer_id < 0 || !self.producer_ids.insert((cluster, producer_id)) {
            return violated(
                Invariant::ProducerIdsUnique,
                format!("producer id {producer_id} was given out twice"),
            );
        }
        Ok(())
    }

    /// What stands for the id of a producer that has none, as long as its connection lasts.
    pub fn silent_id(&mut self) -> i64 {
        self.silent += 1;
        -1 - self.silent
    }

    /// Takes note of records that are about to be sent for the first time; the id of the first one.
    pub fn records_made(
        &mut self,
        partition: PartitionKey,
        producer_id: i64,
        base_sequence: i32,
        count: i32,
    ) -> u64 {
        let first = self.sent.len() as u64;
        let sent =
            |delta| Sent { partition, producer_id, sequence: base_sequence + delta, offset: None };
        self.sent.extend((0..count).map(sent));
        first
    }

    pub fn expected(&self, key: PartitionKey) -> Expected {
        let deleted = self.topic(key.topic).is_some_and(|topic| topic.deleted);
        let of = |partition: &PartitionModel| {
            (partition.acked_end, partition.high_watermark, partition.log_start)
        };
        let (acked_end, high_watermark, log_start) =
            self.partitions.get(&key).map_or((0, 0, 0), of);
        Expected {
            acked_end,
            high_watermark,
            log_start,
            deleted,
            life: self.lives[key.topic.cluster.0].number,
        }
    }

    /// The broker has acknowledged the records `first_id..first_id + count` from `base_offset` on,
    /// in this life.
    pub fn acknowledged(
        &mut self,
        key: PartitionKey,
        (first_id, count): (u64, i32),
        base_offset: i64,
        life: u32,
    ) -> Checked {
        if self.is_doubtful(key, life) {
            return Ok(());
        }
        for delta in 0..count {
            self.place(
                key,
                base_offset + i64::from(delta),
                first_id + delta as u64,
                ("acknowledged", life),
            )?;
        }
        self.acked_records += count as u64;
        let partition = self.partitions.entry(key).or_default();
        partition.acked_end = partition.acked_end.max(base_offset + i64::from(count));
        Ok(())
    }

    // ---- reading
    // ---------------------------------------------------------------------------------------------

    /// A consumer has read the record `id` of this producer, with this sequence number, at
    /// `offset`.
    pub fn read(
        &mut self,
        key: PartitionKey,
        offset: i64,
        id: u64,
        (producer_id, sequence): (i64, i32),
        life: u32,
    ) -> Checked {
        let Some(sent) = self.sent.get(id as usize) else {
            return violated(
                Invariant::ReadsRepeat,
                format!("{} offset {offset}: record {id} was never sent", self.say(key)),
            );
        };
        if sent.partition != key || !sent.is_of(producer_id, sequence) {
            let detail = format!(
                "{} offset {offset}: record {id} was sent to {} by producer {} as {}, is read of \
                 producer {producer_id} as {sequence}",
                self.say(key),
                self.say(sent.partition),
                sent.producer_id,
                sent.sequence,
            );
            return violated(Invariant::ReadsRepeat, detail);
        }
        self.read_records += 1;
        if self.is_doubtful(key, life) {
            return Ok(());
        }
        self.place(key, offset, id, ("read", life))
    }

    /// Takes in that a record was seen at `offset`; how, and in which life.
    fn place(
        &mut self,
        key: PartitionKey,
        offset: i64,
        id: u64,
        (how, life): (&str, u32),
    ) -> Checked {
        self.forget_contradicted(key, offset, id)?;
        let where_ = self.say(key);
        let certain_from = self.certain_from(key.topic.cluster);
        let is_old = |known: Placed| known.life < certain_from;
        let sent = &mut self.sent[id as usize];
        let partition = self.partitions.entry(key).or_default();
        match (sent.offset, partition.at.get_mut(&offset)) {
            (Some(known), _) if known != offset => {
                let detail = format!(
                    "{where_}: record {id} is known at offset {known} and now {how} at {offset}"
                );
                return violated(Invariant::NothingTwice, detail);
            }
            (_, Some(other)) if other.id != id => {
                let other = other.id;
                let detail = format!(
                    "{where_} offset {offset}: record {other} is known there, record {id} now {how}"
                );
                return violated(Invariant::ReadsRepeat, detail);
            }
            (Some(_), placed) => {
                if let Some(placed) = placed {
                    if is_old(*placed) {
                        partition.survived_to = partition.survived_to.max(offset + 1);
                    }
                    placed.life = placed.life.max(life);
                }
                return Ok(());
            }
            (None, _) => {}
        }
        sent.offset = Some(offset);
        partition.at.insert(offset, Placed { id, life });
        let (producer_id, sequence) = (sent.producer_id, sent.sequence);
        let (before, after) = partition.neighbours(producer_id, sequence);
        if before.is_some_and(|at| at >= offset) || after.is_some_and(|at| at <= offset) {
            let detail = format!(
                "{where_} offset {offset}: producer {producer_id} sequence {sequence} {how} out \
                 of order"
            );
            return violated(Invariant::OrderKept, detail);
        }
        partition.sequences.entry(producer_id).or_default().insert(sequence, offset);
        Ok(())
    }

    /// Record `id` was seen at `offset`: what is in doubt and contradicts that was lost, and all
    /// that was known behind it.
    fn forget_contradicted(&mut self, key: PartitionKey, offset: i64, id: u64) -> Checked {
        let certain_from = self.certain_from(key.topic.cluster);
        if certain_from == 0 {
            return Ok(());
        }
        let sent = &self.sent[id as usize];
        let (known_at, producer_id, sequence) = (sent.offset, sent.producer_id, sent.sequence);
        loop {
            let partition = self.partitions.entry(key).or_default();
            let (before, after) = partition.neighbours(producer_id, sequence);
            let suspects = [
                known_at.filter(|known| *known != offset),
                partition.at.get(&offset).filter(|placed| placed.id != id).map(|_| offset),
                before.filter(|at| *at >= offset),
                after.filter(|at| *at <= offset),
            ];
            let is_old =
                |at: &i64| partition.at.get(at).is_some_and(|placed| placed.life < certain_from);
            let Some(lost) = suspects.into_iter().flatten().find(is_old) else { return Ok(()) };
            self.forget_from(key, lost)?;
        }
    }

    fn forget_from(&mut self, key: PartitionKey, lost: i64) -> Checked {
        let (where_, certain_from) = (self.say(key), self.certain_from(key.topic.cluster));
        let partition = self.partitions.entry(key).or_default();
        if lost < partition.survived_to {
            let survived = partition.survived_to - 1;
            let detail = format!(
                "{where_}: offset {lost} was lost in a power cut, and {survived} behind it was not"
            );
            return violated(Invariant::ReadsRepeat, detail);
        }
        let is_gone = |placed: &Placed| placed.life < certain_from;
        let gone: Vec<(i64, Placed)> = partition
            .at
            .range(lost..)
            .filter(|(_, placed)| is_gone(placed))
            .map(|(at, one)| (*at, *one))
            .collect();
        for (at, placed) in gone {
            partition.at.remove(&at);
            let sent = &mut self.sent[placed.id as usize];
            sent.offset = None;
            partition.sequences.entry(sent.producer_id).or_default().remove(&sent.sequence);
        }
        Ok(())
    }

    pub fn high_watermark_told(
        &mut self,
        key: PartitionKey,
        expected: Expected,
        high_watermark: i64,
    ) -> Checked {
        if self.is_doubtful(key, expected.life) {
            return Ok(());
        }
        let partition = self.partitions.entry(key).or_default();
        partition.high_watermark = partition.high_watermark.max(high_watermark);
        if high_watermark < expected.acked_end {
            let detail = format!(
                "{}: records up to offset {} were acknowledged, the high watermark is \
                 {high_watermark}",
                self.say(key),
                expected.acked_end
            );
            return violated(Invariant::AcknowledgedIsReadable, detail);
        }
        if high_watermark < expected.high_watermark {
            let detail = format!(
                "{}: the high watermark was {}, is {high_watermark}",
                self.say(key),
                expected.high_watermark
            );
            return violated(Invariant::HighWatermarkKept, detail);
        }
        Ok(())
    }

    pub fn delete_records_asked(&mut self, key: PartitionKey, offset: i64) {
        let partition = self.partitions.entry(key).or_default();
        partition.delete_asked_to = partition.delete_asked_to.max(offset);
    }

    /// Records below this may have been deleted on demand.
    pub fn delete_asked_to(&self, key: PartitionKey) -> i64 {
        self.partitions.get(&key).map_or(0, |partition| partition.delete_asked_to)
    }

    /// The broker says that the log begins at `offset`.
    pub fn log_start_told(
        &mut self,
        key: PartitionKey,
        expected: Expected,
        offset: i64,
    ) -> Checked {
        let asked = self.partitions.get(&key).map_or(0, |partition| partition.delete_asked_to);
        if offset > asked && !self.may_expire(key) {
            let detail = format!(
                "{}: the log begins at {offset}, deletion was asked for up to {asked}",
                self.say(key)
            );
            return violated(Invariant::LogStartKept, detail);
        }
        let before = self.log_start_of(key, expected);
        if offset < before {
            let detail =
                format!("{}: the log began at {before}, and now at {offset}", self.say(key));
            return violated(Invariant::LogStartKept, detail);
        }
        if expected.life == self.lives[key.topic.cluster.0].number {
            let partition = self.partitions.entry(key).or_default();
            partition.log_start = partition.log_start.max(offset);
        }
        Ok(())
    }

    /// Where the log must begin at least, for a request that expected so much. One that was sent in
    /// an earlier life of the broker finds what that life has left.
    pub fn log_start_of(&self, key: PartitionKey, expected: Expected) -> i64 {
        match expected.life == self.lives[key.topic.cluster.0].number {
            true => expected.log_start,
            false => expected
                .log_start
                .min(self.partitions.get(&key).map_or(0, |partition| partition.log_start)),
        }
    }

    /// A reader that had reached `next` in this life was told that it is out of range.
    pub fn out_of_range_told(
        &mut self,
        key: PartitionKey,
        expected: Expected,
        next: i64,
        reached_in: u32,
    ) -> Checked {
        if self.is_doubtful(key, reached_in) {
            // The log may be shorter now.
            return Ok(());
        }
        // Only a raised start can have left the reader behind: the end never moves back.
        self.log_start_told(key, expected, expected.log_start.max(next + 1))
    }

    /// Everything between `start` and `end` was read just now: no producer's records have gaps in
    /// there. A broker that has nothing of a producer takes any batch as its first: with several in
    /// flight the first one may have been lost.
    pub fn check_sequences(
        &self,
        key: PartitionKey,
        start: i64,
        end: i64,
        all_begin_at_zero: bool,
    ) -> Checked {
        let Some(partition) = self.partitions.get(&key) else { return Ok(()) };
        // A power cut may have taken what was not read again: a marker in its place, which is no
        // record, contradicts nothing.
        let certain_from = self.certain_from(key.topic.cluster);
        let is_there =
            |at: &i64| partition.at.get(at).is_some_and(|placed| placed.life >= certain_from);
        // Of what wants no answer anything may be missing.
        for (producer_id, sequences) in
            partition.sequences.iter().filter(|(producer_id, _)| **producer_id >= 0)
        {
            let mut next = (start == 0 && all_begin_at_zero).then_some(0);
            let read =
                sequences.iter().filter(|(_, at)| (start..end).contains(*at) && is_there(at));
            for (sequence, offset) in read {
                if next.is_some_and(|next| next != *sequence) {
                    let detail = format!(
                        "{} offset {offset}: producer {producer_id} has sequence {sequence} where \
                         {} follows",
                        self.say(key),
                        next.unwrap_or(0)
                    );
                    return violated(Invariant::OrderKept, detail);
                }
                next = Some(sequence + 1);
            }
        }
        Ok(())
    }

    /// The folder of its log.
    pub fn folder(&self, key: PartitionKey) -> String {
        format!("{}-{}", self.name(key.topic), key.index)
    }

    pub fn say(&self, key: PartitionKey) -> String {
        let of_cluster = match self.lives.len() {
            1 => String::new(),
            _ => format!(" of {:?}", key.topic.cluster),
        };
        self.folder(key) + &of_cluster
    }
}
