//! Cuts a produce request into appends, checks them, and hands them to the cores that own the
//! partitions.
//!
//! Owns: nothing. Lives on: the core of the connection. Never: keeps a turn to itself: a batch that
//! takes long to check is worked on in steps ([`crate::shard::heavy`]), and what the request names
//! behind it waits.

use super::{
    TransactionalId, Wanted,
    append::{Append, AppendResult, Terms, append_local},
    is_by_id,
    pending::PendingAppends,
    remote::Remote,
};
use crate::{
    limits,
    shard::{
        Shard,
        partition::{Partition, PartitionId},
        view::TopicRoute,
    },
};
use bytes::{Buf, Bytes, BytesMut};
use protocol::{
    ErrorCode,
    records::{
        Batch,
        validate::{self, AppendOrigin, HeavyBatch, Rejection, ValidBatch, ValidationRules},
    },
};
use smallvec::SmallVec;
use std::{rc::Rc, sync::Arc, time::Duration};

/// Cuts the records out of the frame, checks them here, and hands them to the cores that own the
/// partitions.
pub struct HandOut<'a> {
    pub shard: &'a Shard,
    pub frame: BytesMut,
    pub terms: Terms,
    pub transactional_id: Option<Arc<TransactionalId>>,
    pub pending: Rc<PendingAppends>,
    /// The next partition's place in the request.
    pub index: usize,
    /// How much of the frame is cut off.
    pub cut: usize,
}

/// A batch that is worked on in steps, and where it goes then.
pub struct Held {
    batch: Box<HeavyBatch>,
    id: PartitionId,
    place: usize,
}

/// Owners on other cores that one request usually names at most.
const USUAL_OWNERS: usize = 8;

/// Appends of one request for other cores, by owner.
type Others = SmallVec<[(usize, Box<Remote>); USUAL_OWNERS]>;

impl HandOut<'_> {
    /// Hands out everything up to the first batch that takes long to check.
    pub fn go_on(&mut self, wanted: &mut impl Iterator<Item = Wanted>) -> Option<Held> {
        let mut others = Others::new();
        let held = wanted.find_map(|wanted| self.one(wanted, &mut others));
        self.send(others);
        let (places, handed_out) = (self.pending.results.borrow().len(), self.index);
        assert!(
            held.is_some() || handed_out == places,
            "{handed_out} of {places} partitions of a request are handed out"
        );
        held
    }

    /// Goes on to the end, step by step where it must. A topic may be deleted meanwhile.
    pub async fn with_heavy(mut self, mut held: Held, mut wanted: impl Iterator<Item = Wanted>) {
        loop {
            let Held { batch, id, place } = held;
            let verdict = self.shard.data.heavy.check(batch).await;
            let owner = {
                let routes = self.shard.data.routes.borrow();
                routes.partition(id).map(|route| route.leading_core())
            };
            let mut others = Others::new();
            match (verdict, owner) {
                (None, _) => {
                    self.refuse(place, AppendResult::error(ErrorCode::NotLeaderOrFollower, None))
                }
                (Some(Err(refused)), _) if !refused.says_log_start => {
                    self.refuse(place, AppendResult::refused(refused))
                }
                (Some(_), None) => {
                    let absence = self.shard.absence(id, is_by_id(self.terms.origin));
                    self.refuse(place, AppendResult::error(absence, None));
                }
                (Some(_), Some(Err(error))) => self.refuse(place, AppendResult::error(error, None)),
                (Some(verdict), Some(Ok(owner))) => {
                    let append = self.append_of(id, verdict);
                    let local = self.shard.data.partition(id);
                    self.append(owner, local.as_ref(), append, place, &mut others);
                }
            }
            self.send(others);
            match self.go_on(&mut wanted) {
                Some(next) => held = next,
                None => return,
            }
        }
    }

    fn one(&mut self, wanted: Wanted, others: &mut Others) -> Option<Held> {
        let place = self.index;
        self.index += 1;
        let records = if wanted.records.is_empty() {
            BytesMut::new()
        } else {
            let (start, end) = (wanted.records.start, wanted.records.end);
            assert!(
                self.cut <= start,
                "the records at {start} lie behind those cut at {}",
                self.cut
            );
            assert!(end - self.cut <= self.frame.len(), "the records end at {end}, in the frame");
            self.frame.advance(start - self.cut);
            self.cut = wanted.records.end;
            self.frame.split_to(wanted.records.len())
        };
        let (topic, partition_index) = match wanted.route {
            Ok(route) => route,
            Err(error) => {
                self.refuse(place, AppendResult::error(error, None));
                return None;
            }
        };
        let id = PartitionId { topic_id: topic.id, index: wanted.index };
        let route = &topic.partitions[partition_index];
        let owner = match route.leading_core() {
            Ok(owner) => owner,
            Err(error) => {
                self.refuse(place, AppendResult::error(error, None));
                return None;
            }
        };
        let verdict = match self.check(&topic, records) {
            Ok(Checked::Heavy(batch)) => return Some(Held { batch, id, place }),
            Ok(Checked::Valid(records, valid)) => Ok((records, valid)),
            Err(refused) if refused.says_log_start => Err(refused),
            Err(refused) => {
                self.refuse(place, AppendResult::refused(refused));
                return None;
            }
        };
        let append = self.append_of(id, verdict);
        self.append(owner, route.local.as_ref(), append, place, others);
        None
    }

    fn append_of(
        &self,
        id: PartitionId,
        verdict: Result<(BytesMut, ValidBatch), Rejection>,
    ) -> Append {
        let append = Append::new(id, verdict, self.terms, self.transactional_id.clone());
        let is_inside = append.transactional_producer().is_some();
        assert!(!is_inside || self.transactional_id.is_some(), "validation refuses such a batch");
        append
    }

    fn check(&self, topic: &TopicRoute, records: BytesMut) -> Result<Checked, Rejection> {
        check(self.shard, topic, records, self.terms.origin, self.transactional_id.is_some())
    }

    fn refuse(&self, place: usize, result: AppendResult) {
        self.pending.set(place, result);
    }

    fn append(
        &self,
        owner: usize,
        local: Option<&Rc<Partition>>,
        append: Append,
        place: usize,
        others: &mut Others,
    ) {
        if owner == self.shard.index {
            return append_local(self.shard, local, append, &self.pending, place);
        }
        let remote = match others.iter_mut().find(|(other, _)| *other == owner) {
            Some((_, remote)) => remote,
            None => {
                others.push((owner, self.shard.data.produce_under_way.take_box()));
                &mut others.last_mut().expect("just pushed").1
            }
        };
        remote.push(place, append);
    }

    fn send(&self, others: Others) {
        for (owner, remote) in others {
            remote.send(self.shard, owner, &self.pending);
        }
    }
}

/// What became of the records of one partition at once.
enum Checked {
    Valid(BytesMut, ValidBatch),
    /// They take long to check.
    Heavy(Box<HeavyBatch>),
}

/// Checks the records of one partition, and compresses them anew where the topic wants another
/// codec.
fn check(
    shard: &Shard,
    topic: &TopicRoute,
    mut records: BytesMut,
    origin: AppendOrigin,
    transactional_allowed: bool,
) -> Result<Checked, Rejection> {
    let limit_bytes = shard.config.log.decompressed_batch_max_bytes as usize;
    let now_ms = shard.ring.wall_clock_ms();
    let rules = topic.config.validation_rules(limit_bytes, now_ms, origin);
    let rules = ValidationRules { transactional_allowed, ..rules };
    let turn_max = Duration::from_micros(limits::UNPACKING_TURN_US);
    let may_unpack = || shard.ring.precise_now().since(shard.ring.now()) < turn_max;
    let valid = validate::validate_at_once(
        &records,
        &rules,
        &mut shard.data.scratch.borrow_mut(),
        may_unpack,
    )?;
    let level = rules.compression.and_then(|codec| topic.config.compression_level(codec));
    let size_bytes = valid.as_ref().map_or_else(
        || Batch::parse(&records).map(|batch| batch.size_bytes()),
        |valid| Ok(valid.size_bytes),
    )?;
    records.truncate(size_bytes);
    let Some(valid) = valid else {
        return Ok(Checked::Heavy(Box::new(HeavyBatch::new(records, rules, level))));
    };
    let Some(codec) = valid.recompress_to else { return Ok(Checked::Valid(records, valid)) };
    let batch = Batch::parse(&records)?;
    let recompressed =
        BytesMut::from(Bytes::from(validate::recompress(&batch, codec, level, &rules)?));
    let valid = ValidBatch {
        size_bytes: recompressed.len(),
        compression: codec,
        recompress_to: None,
        ..valid
    };
    Ok(Checked::Valid(recompressed, valid))
}
