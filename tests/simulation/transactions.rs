//! Transactions as their producers know them, and what consumers of committed records may see.
//!
//! Owns: every transaction that any client has begun, its records, the offset that it commits, and
//! what is known of its end. Never: knows how the broker works.
//!
//! A transaction of which no commit was asked for is never seen. One whose commit was acknowledged
//! is seen whole. One whose commit was asked for without an answer is seen whole or not at all, its
//! offset included. Where a power cut has taken records that `durability=os` had acknowledged, the
//! transactions that had some may lack them.

use crate::cluster::ClusterId;
use crate::model::{Checked, Invariant, PartitionKey, Violation};
use std::collections::{BTreeMap, BTreeSet};

/// What its producer knows of a transaction's end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// No commit was asked for.
    Open,
    /// A commit was asked for, and not answered.
    InDoubt,
    Committed,
    Aborted,
}

/// Records of one batch.
struct Written {
    partition: PartitionKey,
    first_id: u64,
    count: i32,
    /// Where they were acknowledged.
    base_offset: Option<i64>,
}

struct Transaction {
    outcome: Outcome,
    /// Its group, and the offset that it commits there.
    commits: Option<(String, i64)>,
    written: Vec<Written>,
    /// Records of it may be lost.
    may_lack: bool,
}

/// What consumers of committed records have read at last, of each partition.
#[derive(Default)]
pub struct Seen {
    pub log_start: i64,
    pub ids: BTreeSet<u64>,
}

#[derive(Default)]
pub struct Transactions {
    /// In the order of their beginning.
    all: Vec<Transaction>,
    /// By the first record of each batch: the transaction, and how many records.
    by_record: BTreeMap<u64, (usize, i32)>,
    pub committed: u64,
    pub aborted: u64,
}

fn torn(detail: String) -> Checked {
    Err(Violation { invariant: Invariant::TransactionsWhole, detail })
}

impl Transactions {
    /// Begins one; its number.
    pub fn begin(&mut self) -> usize {
        self.all.push(Transaction {
            outcome: Outcome::Open,
            commits: None,
            written: Vec::new(),
            may_lack: false,
        });
        self.all.len() - 1
    }

    pub fn wrote(&mut self, number: usize, partition: PartitionKey, first_id: u64, count: i32) {
        let written = Written { partition, first_id, count, base_offset: None };
        self.all[number].written.push(written);
        self.by_record.insert(first_id, (number, count));
    }

    pub fn acknowledged(&mut self, number: usize, first_id: u64, base_offset: i64) {
        let mut written = self.all[number].written.iter_mut();
        let written = written.find(|written| written.first_id == first_id);
        written.expect("an answer follows a request").base_offset = Some(base_offset);
    }

    /// An offset that no transaction has committed yet; this one was told to.
    pub fn commits_offset(&mut self, number: usize, group: &str) -> i64 {
        let offset = number as i64 + 1;
        self.all[number].commits = Some((group.to_owned(), offset));
        offset
    }

    /// A node has ended. `loses`: any of what was acknowledged may be gone.
    pub fn broker_ended(&mut self, cluster: ClusterId, loses: bool) {
        let is_of = |written: &Written| written.partition.topic.cluster == cluster;
        for transaction in &mut self.all {
            transaction.may_lack |= loses && transaction.written.iter().any(is_of);
        }
    }

    /// The broker has refused the offset: the transaction has none.
    pub fn commits_none(&mut self, number: usize) {
        self.all[number].commits = None;
    }

    pub fn commit_asked(&mut self, number: usize) {
        assert!(matches!(self.outcome(number), Outcome::Open | Outcome::InDoubt));
        self.all[number].outcome = Outcome::InDoubt;
    }

    pub fn committed(&mut self, number: usize) {
        assert_eq!(self.outcome(number), Outcome::InDoubt);
        self.all[number].outcome = Outcome::Committed;
        self.committed += 1;
    }

    /// Its producer has given it up, or was told that it cannot go on: it was not committed, unless
    /// a commit was asked for that was not answered.
    pub fn given_up(&mut self, number: usize) {
        if self.all[number].outcome == Outcome::Open {
            self.all[number].outcome = Outcome::Aborted;
            self.aborted += 1;
        }
    }

    /// The commit was refused, the first time that it was asked for.
    pub fn commit_refused(&mut self, number: usize) {
        assert_eq!(self.outcome(number), Outcome::InDoubt);
        self.all[number].outcome = Outcome::Aborted;
        self.aborted += 1;
    }

    pub fn outcome(&self, number: usize) -> Outcome {
        self.all[number].outcome
    }

    fn of_record(&self, id: u64) -> Option<usize> {
        let (first, (number, count)) = self.by_record.range(..=id).next_back()?;
        (id - first < *count as u64).then_some(*number)
    }

    /// A consumer of committed records has read the record `id`.
    pub fn check_read(&self, id: u64, say: impl Fn() -> String) -> Checked {
        let Some(number) = self.of_record(id) else { return Ok(()) };
        match self.outcome(number) {
            outcome @ (Outcome::Open | Outcome::Aborted) => torn(format!(
                "{}: record {id} of transaction {number} ({outcome:?}) is read as committed",
                say()
            )),
            Outcome::InDoubt | Outcome::Committed => Ok(()),
        }
    }

    /// Everything was read to the end: transactions are seen whole or not at all.
    pub fn check_whole(&self, seen: &BTreeMap<PartitionKey, Seen>) -> Checked {
        for (number, transaction) in self.all.iter().enumerate() {
            let is_seen = self.is_seen(transaction, seen);
            let Some((some, all)) = is_seen else { continue };
            match transaction.outcome {
                Outcome::Open | Outcome::Aborted if some => {
                    return torn(format!("transaction {number} is aborted, and seen"));
                }
                Outcome::Committed if !all && !transaction.may_lack => {
                    return torn(format!("transaction {number} is committed, and not seen whole"));
                }
                Outcome::InDoubt if some && !all && !transaction.may_lack => {
                    return torn(format!("transaction {number} is seen in part"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether any of its records are seen, and whether all are; `None` where none is left to see.
    fn is_seen(
        &self,
        transaction: &Transaction,
        seen: &BTreeMap<PartitionKey, Seen>,
    ) -> Option<(bool, bool)> {
        let mut found: Option<(bool, bool)> = None;
        for written in &transaction.written {
            let Some(seen) = seen.get(&written.partition) else { continue };
            for delta in 0..written.count {
                let at = written.base_offset.map(|base| base + i64::from(delta));
                if at.is_some_and(|at| at < seen.log_start) {
                    continue;
                }
                let is_seen = seen.ids.contains(&(written.first_id + delta as u64));
                let (some, all) = found.unwrap_or((false, true));
                found = Some((some || is_seen, all && is_seen));
            }
        }
        found
    }

    pub fn groups(&self) -> BTreeSet<String> {
        let groups = self.all.iter().filter_map(|one| one.commits.as_ref());
        groups.map(|(group, _)| group.clone()).collect()
    }

    /// Holds the offset that is found for a group (-1: none) against its transactions, each of
    /// which is seen with its offset or not at all.
    pub fn check_offset(
        &self,
        group: &str,
        found: i64,
        seen: &BTreeMap<PartitionKey, Seen>,
    ) -> Checked {
        let bad = |detail: String| torn(format!("group {group}, offset {found}: {detail}"));
        let mut is_known = found == -1;
        for (number, transaction) in self.all.iter().enumerate() {
            let Some(offset) = transaction
                .commits
                .as_ref()
                .filter(|(of, _)| of == group)
                .map(|(_, offset)| *offset)
            else {
                continue;
            };
            let outcome = transaction.outcome;
            let is_seen = self.is_seen(transaction, seen).map(|(some, _)| some);
            if offset == found {
                is_known = true;
                if matches!(outcome, Outcome::Open | Outcome::Aborted) {
                    return bad(format!("transaction {number} is {outcome:?}"));
                }
                if is_seen == Some(false) && !transaction.may_lack {
                    return bad(format!("the records of transaction {number} are not seen"));
                }
            } else if offset > found && (outcome == Outcome::Committed || is_seen == Some(true)) {
                return bad(format!("transaction {number} has committed {offset} behind it"));
            }
        }
        if is_known { Ok(()) } else { bad("no transaction commits it".to_owned()) }
    }
}
