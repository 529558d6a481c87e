//! What must be true of the broker, told by what it has answered so far.
//!
//! Owns: every record, topic and commit that any client has attempted, what was acknowledged of it, what was read of it.
//! Never: knows how the broker works. A contradiction becomes a [`Violation`]; the first one ends the run.

use protocol::Uuid;
use rustc_hash::{FxHashMap, FxHashSet};
use std::{collections::BTreeMap, fmt};

/// What is promised, by name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Invariant {
    /// Every acknowledged record is readable at the offset acknowledged.
    AcknowledgedIsReadable,
    /// No record of an idempotent producer is in its log twice.
    NothingTwice,
    /// Records of one producer in one partition stand in the order of their sequence numbers, without gaps.
    OrderKept,
    /// What one consumer has read at an offset every consumer reads there, and offsets have no gaps.
    ReadsRepeat,
    /// No consumer is told a high watermark below one that was told, or below what was acknowledged.
    HighWatermarkKept,
    /// Records go only when their deletion was asked for.
    LogStartKept,
    /// A committed offset that was acknowledged is found until another one replaces it.
    CommittedOffsetsKept,
    /// Members of one generation share the partitions out, and no acknowledged generation is given out again.
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

/// One partition of one incarnation of a topic.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PartitionKey {
    pub topic: Uuid,
    pub index: i32,
}

#[derive(Clone, Debug)]
pub struct Topic {
    pub name: String,
    pub id: Uuid,
    /// As acknowledged; more may have been asked for.
    pub partitions: i32,
    pub partitions_asked: i32,
    /// Lives through the whole run.
    pub is_base: bool,
    pub delete_asked: bool,
    pub deleted: bool,
    /// `retention.ms` as it was last acknowledged, and as it was last asked for.
    pub retention_ms: (Option<String>, Option<String>),
}

/// A record that a producer has made.
struct Sent {
    partition: PartitionKey,
    producer_id: i64,
    sequence: i32,
    /// Where it was acknowledged or read first.
    offset: Option<i64>,
}

#[derive(Default)]
struct PartitionModel {
    /// Acknowledged or read: the record at each offset.
    at: BTreeMap<i64, u64>,
    /// By producer id and sequence number.
    sequences: FxHashMap<i64, BTreeMap<i32, i64>>,
    acked_end: i64,
    high_watermark: i64,
    /// The highest offset up to which records were asked to be deleted.
    delete_asked_to: i64,
}

/// What a request must find, taken when it is sent.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    pub acked_end: i64,
    pub high_watermark: i64,
    pub deleted: bool,
}

#[derive(Default)]
pub struct Model {
    pub topics: Vec<Topic>,
    sent: Vec<Sent>,
    partitions: FxHashMap<PartitionKey, PartitionModel>,
    producer_ids: FxHashSet<i64>,
    pub acked_records: u64,
    pub read_records: u64,
}

impl Model {
    // ---- topics --------------------------------------------------------------------------------------------------

    pub fn topic(&self, id: Uuid) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.id == id)
    }

    pub fn topic_mut(&mut self, id: Uuid) -> &mut Topic {
        self.topics.iter_mut().find(|topic| topic.id == id).expect("only known topics are changed")
    }

    pub fn name(&self, id: Uuid) -> String {
        self.topic(id).map_or_else(|| id.to_string(), |topic| topic.name.clone())
    }

    pub fn topic_created(&mut self, name: &str, id: Uuid, partitions: i32, is_base: bool) -> Checked {
        if let Some(same) = self.topic(id) {
            return violated(Invariant::TopicsKept, format!("topics {} and {name} have the id {id}", same.name));
        }
        let topic = Topic {
            name: name.to_owned(),
            id,
            partitions,
            partitions_asked: partitions,
            is_base,
            delete_asked: false,
            deleted: false,
            retention_ms: (None, None),
        };
        self.topics.push(topic);
        Ok(())
    }

    /// Topics that exist and will until somebody asks for their deletion.
    pub fn live(&self) -> impl Iterator<Item = &Topic> {
        self.topics.iter().filter(|topic| !topic.delete_asked)
    }

    pub fn live_partitions(&self) -> Vec<PartitionKey> {
        let keys = |topic: &Topic| {
            let topic_id = topic.id;
            (0..topic.partitions).map(move |index| PartitionKey { topic: topic_id, index })
        };
        self.live().flat_map(keys).collect()
    }

    pub fn may_be_gone(&self, id: Uuid) -> bool {
        self.topic(id).is_none_or(|topic| topic.delete_asked)
    }

    // ---- producing -----------------------------------------------------------------------------------------------

    pub fn producer_id_given(&mut self, producer_id: i64) -> Checked {
        if producer_id < 0 || !self.producer_ids.insert(producer_id) {
            return violated(Invariant::ProducerIdsUnique, format!("producer id {producer_id} was given out twice"));
        }
        Ok(())
    }

    /// Takes note of records that are about to be sent for the first time; the id of the first one.
    pub fn records_made(&mut self, partition: PartitionKey, producer_id: i64, base_sequence: i32, count: i32) -> u64 {
        let first = self.sent.len() as u64;
        let sent = |delta| Sent { partition, producer_id, sequence: base_sequence + delta, offset: None };
        self.sent.extend((0..count).map(sent));
        first
    }

    pub fn expected(&self, key: PartitionKey) -> Expected {
        let deleted = self.topic(key.topic).is_some_and(|topic| topic.deleted);
        let (acked_end, high_watermark) =
            self.partitions.get(&key).map_or((0, 0), |partition| (partition.acked_end, partition.high_watermark));
        Expected { acked_end, high_watermark, deleted }
    }

    /// The broker has acknowledged the records `first_id..first_id + count` from `base_offset` on.
    pub fn acknowledged(&mut self, key: PartitionKey, first_id: u64, count: i32, base_offset: i64) -> Checked {
        for delta in 0..count {
            self.place(key, base_offset + i64::from(delta), first_id + delta as u64, "acknowledged")?;
        }
        self.acked_records += count as u64;
        let partition = self.partitions.entry(key).or_default();
        partition.acked_end = partition.acked_end.max(base_offset + i64::from(count));
        Ok(())
    }

    // ---- reading -------------------------------------------------------------------------------------------------

    /// A consumer has read the record `id` of producer `producer_id` at `offset`.
    pub fn read(&mut self, key: PartitionKey, offset: i64, id: u64, producer_id: i64, sequence: i32) -> Checked {
        let Some(sent) = self.sent.get(id as usize) else {
            return violated(
                Invariant::ReadsRepeat,
                format!("{} offset {offset}: record {id} was never sent", self.say(key)),
            );
        };
        if sent.partition != key || sent.producer_id != producer_id || sent.sequence != sequence {
            let detail = format!(
                "{} offset {offset}: record {id} was sent to {} by producer {} as {}, is read of producer {producer_id} as {sequence}",
                self.say(key),
                self.say(sent.partition),
                sent.producer_id,
                sent.sequence,
            );
            return violated(Invariant::ReadsRepeat, detail);
        }
        self.read_records += 1;
        self.place(key, offset, id, "read")
    }

    fn place(&mut self, key: PartitionKey, offset: i64, id: u64, how: &str) -> Checked {
        let where_ = self.say(key);
        let sent = &mut self.sent[id as usize];
        let partition = self.partitions.entry(key).or_default();
        match (sent.offset, partition.at.get(&offset)) {
            (Some(known), _) if known != offset => {
                let detail = format!("{where_}: record {id} is known at offset {known} and now {how} at {offset}");
                return violated(Invariant::NothingTwice, detail);
            }
            (_, Some(other)) if *other != id => {
                let detail = format!("{where_} offset {offset}: record {other} is known there, record {id} now {how}");
                return violated(Invariant::ReadsRepeat, detail);
            }
            (Some(_), _) => return Ok(()),
            (None, _) => {}
        }
        sent.offset = Some(offset);
        partition.at.insert(offset, id);
        let (producer_id, sequence) = (sent.producer_id, sent.sequence);
        let sequences = partition.sequences.entry(producer_id).or_default();
        let before = sequences.range(..sequence).next_back().is_none_or(|(_, at)| *at < offset);
        let after = sequences.range(sequence..).next().is_none_or(|(_, at)| *at > offset);
        if !before || !after {
            let detail =
                format!("{where_} offset {offset}: producer {producer_id} sequence {sequence} {how} out of order");
            return violated(Invariant::OrderKept, detail);
        }
        sequences.insert(sequence, offset);
        Ok(())
    }

    pub fn high_watermark_told(&mut self, key: PartitionKey, expected: Expected, high_watermark: i64) -> Checked {
        let partition = self.partitions.entry(key).or_default();
        partition.high_watermark = partition.high_watermark.max(high_watermark);
        if high_watermark < expected.acked_end {
            let detail = format!(
                "{}: records up to offset {} were acknowledged, the high watermark is {high_watermark}",
                self.say(key),
                expected.acked_end
            );
            return violated(Invariant::AcknowledgedIsReadable, detail);
        }
        if high_watermark < expected.high_watermark {
            let detail =
                format!("{}: the high watermark was {}, is {high_watermark}", self.say(key), expected.high_watermark);
            return violated(Invariant::HighWatermarkKept, detail);
        }
        Ok(())
    }

    pub fn delete_records_asked(&mut self, key: PartitionKey, offset: i64) {
        let partition = self.partitions.entry(key).or_default();
        partition.delete_asked_to = partition.delete_asked_to.max(offset);
    }

    /// The broker says that the log begins at `offset`.
    pub fn log_start_told(&self, key: PartitionKey, offset: i64) -> Checked {
        let asked = self.partitions.get(&key).map_or(0, |partition| partition.delete_asked_to);
        if offset > asked {
            let detail = format!("{}: the log begins at {offset}, deletion was asked for up to {asked}", self.say(key));
            return violated(Invariant::LogStartKept, detail);
        }
        Ok(())
    }

    /// Everything between `start` and `end` was read just now: no producer's records have gaps in there. A broker that has
    /// nothing of a producer takes any batch as its first: with several in flight the first one may have been lost.
    pub fn check_sequences(&self, key: PartitionKey, start: i64, end: i64, all_begin_at_zero: bool) -> Checked {
        let Some(partition) = self.partitions.get(&key) else { return Ok(()) };
        for (producer_id, sequences) in &partition.sequences {
            let mut next = (start == 0 && all_begin_at_zero).then_some(0);
            for (sequence, offset) in sequences.iter().filter(|(_, offset)| (start..end).contains(*offset)) {
                if next.is_some_and(|next| next != *sequence) {
                    let detail = format!(
                        "{} offset {offset}: producer {producer_id} has sequence {sequence} where {} follows",
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

    pub fn say(&self, key: PartitionKey) -> String {
        format!("{}-{}", self.name(key.topic), key.index)
    }
}
