//! Whether every acknowledged record was consumed exactly once and in order. Pure.
//!
//! Within one stream and partition sequences are produced 0, 1, 2, … A consumer must see them
//! rising; what it skips must not have been acknowledged. What a consumer has not come to is lost
//! only where the partition was read to its end. Of transactions, what was committed counts as
//! acknowledged; what was aborted must never be seen.

use crate::options::{Acks, RunOptions};
use ring::Instant;
use rustc_hash::FxHashMap;
use std::{collections::VecDeque, ops::Range};

/// One stream (producer connection) in one partition.
pub type Lane = (u32, i32);

#[derive(Default)]
struct LaneState {
    /// Sent and refused, or with an unknown fate: may be there or not.
    unacknowledged: Vec<Range<u64>>,
    /// Those among them that belong to transactions which were aborted.
    aborted: Vec<Range<u64>>,
    acknowledged_end: u64,
    acknowledged: u64,
    next: u64,
    gaps: Vec<Range<u64>>,
    consumed: u64,
    duplicates: u64,
    /// Batches that were built and that the consumer has not passed yet.
    awaited: VecDeque<Awaited>,
}

/// The measured records of one batch.
struct Awaited {
    /// The sequence behind its last record.
    end: u64,
    records: u64,
    first_due: Instant,
    last_due: Instant,
}

#[derive(Default)]
pub struct Verifier {
    lanes: FxHashMap<Lane, LaneState>,
    /// Partitions whose end the consumer has seen, by its last fetch.
    read_to_end: FxHashMap<i32, bool>,
}

/// What was found; all count records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    pub acknowledged: u64,
    pub consumed: u64,
    pub lost: u64,
    pub duplicated_or_out_of_order: u64,
    /// Acknowledged, and beyond what the consumers could read: neither there nor lost.
    pub unread: u64,
    /// Consumed although their transactions were aborted.
    pub aborted_and_seen: u64,
}

impl Findings {
    /// Both readings of a topic: a record that both missed is one.
    pub fn with_second_reading(self, again: Findings) -> Findings {
        Findings {
            lost: self.lost.max(again.lost),
            duplicated_or_out_of_order: self
                .duplicated_or_out_of_order
                .max(again.duplicated_or_out_of_order),
            unread: self.unread.max(again.unread),
            aborted_and_seen: self.aborted_and_seen.max(again.aborted_and_seen),
            ..self
        }
    }
}

/// What may be said of a run's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything acknowledged was consumed exactly once and in order.
    Sound,
    Broken,
    /// Nothing wrong was found, but the consumers did not get to read everything.
    Unfinished,
    /// There was nothing to compare; why.
    NotChecked(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verification {
    pub verdict: Verdict,
    /// `None` where that was not found out.
    pub lost: Option<u64>,
    pub duplicated_or_out_of_order: Option<u64>,
    pub unread: Option<u64>,
    /// Of a load with transactions alone something else than 0.
    pub aborted_and_seen: Option<u64>,
}

impl Verification {
    pub fn judge(options: &RunOptions, findings: Findings) -> Verification {
        let has_acknowledgements = options.acks != Acks::None;
        let is_broken = findings.lost > 0
            || findings.duplicated_or_out_of_order > 0
            || findings.aborted_and_seen > 0;
        let verdict = if !options.can_verify() {
            Verdict::NotChecked(
                "needs --consumers 1 or more without --skim and --consume-only, and --record-size \
                 24 or more",
            )
        } else if is_broken {
            Verdict::Broken
        } else if !has_acknowledgements {
            Verdict::NotChecked("nothing is acknowledged with --acks 0")
        } else if findings.acknowledged == 0 {
            Verdict::NotChecked("nothing was acknowledged")
        } else if findings.unread > 0 {
            Verdict::Unfinished
        } else {
            Verdict::Sound
        };
        let is_checked = matches!(verdict, Verdict::Sound | Verdict::Broken);
        Verification {
            verdict,
            lost: (is_checked && has_acknowledgements).then_some(findings.lost),
            duplicated_or_out_of_order: is_checked.then_some(findings.duplicated_or_out_of_order),
            unread: (is_checked || verdict == Verdict::Unfinished).then_some(findings.unread),
            aborted_and_seen: is_checked.then_some(findings.aborted_and_seen),
        }
    }

    /// `None`: nothing was compared, or not everything.
    pub fn verified(&self) -> Option<bool> {
        match self.verdict {
            Verdict::Sound => Some(true),
            Verdict::Broken => Some(false),
            Verdict::Unfinished | Verdict::NotChecked(_) => None,
        }
    }
}

impl Verifier {
    /// A batch is on its way; `due` are the rising due times of its last records, those that are
    /// measured.
    pub fn built(&mut self, lane: Lane, end: u64, due: &[Instant]) {
        if let (Some(first), Some(last)) = (due.first(), due.last()) {
            let awaited =
                Awaited { end, records: due.len() as u64, first_due: *first, last_due: *last };
            self.lanes.entry(lane).or_default().awaited.push_back(awaited);
        }
    }

    pub fn acknowledged(&mut self, lane: Lane, sequences: Range<u64>) {
        let state = self.lanes.entry(lane).or_default();
        state.acknowledged += sequences.end - sequences.start;
        state.acknowledged_end = state.acknowledged_end.max(sequences.end);
    }

    pub fn unacknowledged(&mut self, lane: Lane, sequences: Range<u64>) {
        append(&mut self.lanes.entry(lane).or_default().unacknowledged, sequences);
    }

    /// Their transaction was aborted.
    pub fn aborted(&mut self, lane: Lane, sequences: Range<u64>) {
        let state = self.lanes.entry(lane).or_default();
        append(&mut state.unacknowledged, sequences.clone());
        state.awaited.retain(|batch| batch.end <= sequences.start || batch.end > sequences.end);
        append(&mut state.aborted, sequences);
    }

    /// Returns whether the consumer has come further by it.
    pub fn consumed(&mut self, lane: Lane, sequence: u64) -> bool {
        let state = self.lanes.entry(lane).or_default();
        if sequence < state.next {
            state.duplicates += 1;
            return false;
        }
        if sequence > state.next {
            state.gaps.push(state.next..sequence);
        }
        state.consumed += 1;
        state.next = sequence + 1;
        while state.awaited.front().is_some_and(|batch| batch.end <= state.next) {
            state.awaited.pop_front();
        }
        true
    }

    pub fn reached_end(&mut self, partition: i32, is_at_end: bool) {
        self.read_to_end.insert(partition, is_at_end);
    }

    /// Whether all records of the lane before `sequence` were acknowledged or given up.
    pub fn is_settled_up_to(&self, lane: Lane, sequence: u64) -> bool {
        let Some(state) = self.lanes.get(&lane) else { return sequence == 0 };
        let given_up_end = state.unacknowledged.iter().map(|range| range.end).max().unwrap_or(0);
        state.acknowledged_end.max(given_up_end) >= sequence
    }

    /// The same acknowledgements, nothing consumed yet: for reading a topic a second time.
    pub fn start_over(&mut self) {
        self.read_to_end.clear();
        for state in self.lanes.values_mut() {
            *state = LaneState {
                unacknowledged: std::mem::take(&mut state.unacknowledged),
                aborted: std::mem::take(&mut state.aborted),
                acknowledged_end: state.acknowledged_end,
                acknowledged: state.acknowledged,
                ..LaneState::default()
            };
        }
    }

    /// Whether everything acknowledged so far has been passed by the consumers.
    pub fn has_caught_up(&self) -> bool {
        self.lanes.values().all(|lane| lane.next >= lane.acknowledged_end)
    }

    /// Gives the records that were built and never seen, some at a time, with their partition and
    /// the latest moment at which these were due.
    pub fn drain_never_arrived(&mut self, mut give: impl FnMut(i32, Instant, u64)) {
        let batches = self
            .lanes
            .iter_mut()
            .flat_map(|((_, partition), lane)| lane.awaited.drain(..).map(|one| (*partition, one)));
        for (partition, batch) in batches {
            // Their due times lie about evenly between the first and the last: tenths are exact
            // enough.
            let span_ns = batch.last_due.0 - batch.first_due.0;
            let portions = if span_ns == 0 { 1 } else { batch.records.min(10) };
            let up_to = |portion: u64| batch.records * portion / portions;
            for portion in 1..=portions {
                let due = Instant(batch.first_due.0 + span_ns / portions * portion);
                give(partition, due, up_to(portion) - up_to(portion - 1));
            }
        }
    }

    pub fn findings(&self) -> Findings {
        let mut findings = Findings::default();
        for ((_, partition), lane) in &self.lanes {
            let unacknowledged = sorted(&lane.unacknowledged);
            let lost_of = |gap: &Range<u64>| length(gap) - overlap(gap, &unacknowledged);
            let tail = lost_of(&(lane.next..lane.acknowledged_end.max(lane.next)));
            findings.lost += lane.gaps.iter().map(lost_of).sum::<u64>();
            if self.read_to_end.get(partition) == Some(&true) {
                findings.lost += tail;
            } else {
                findings.unread += tail;
            }
            findings.acknowledged += lane.acknowledged;
            findings.consumed += lane.consumed;
            findings.duplicated_or_out_of_order += lane.duplicates;
            let gaps = sorted(&lane.gaps);
            let seen_of = |range: &Range<u64>| {
                let passed = range.start..range.end.min(lane.next).max(range.start);
                length(&passed) - overlap(&passed, &gaps)
            };
            findings.aborted_and_seen += lane.aborted.iter().map(seen_of).sum::<u64>();
        }
        findings
    }
}

/// Neighbours become one.
fn append(ranges: &mut Vec<Range<u64>>, range: Range<u64>) {
    match ranges.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ => ranges.push(range),
    }
}

fn length(range: &Range<u64>) -> u64 {
    range.end - range.start
}

/// By where they begin: what came back late stands behind what was sent after it.
fn sorted(ranges: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut sorted = ranges.to_vec();
    sorted.sort_unstable_by_key(|range| range.start);
    sorted
}

/// How many of `range` lie in the `others`, which are sorted and do not overlap one another.
fn overlap(range: &Range<u64>, others: &[Range<u64>]) -> u64 {
    let from = others.partition_point(|other| other.end <= range.start);
    others[from..]
        .iter()
        .take_while(|other| other.start < range.end)
        .map(|other| other.end.min(range.end) - other.start.max(range.start))
        .sum()
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)] // lists of ranges, some with a single one
mod tests {
    use super::*;

    const LANE: Lane = (0, 0);

    fn consume(verifier: &mut Verifier, sequences: impl IntoIterator<Item = u64>) {
        for sequence in sequences {
            verifier.consumed(LANE, sequence);
        }
    }

    fn verify(
        acknowledged: &[Range<u64>],
        unacknowledged: &[Range<u64>],
        consumed: &[u64],
    ) -> (u64, u64) {
        let mut verifier = Verifier::default();
        verifier.reached_end(LANE.1, true);
        acknowledged.iter().for_each(|range| verifier.acknowledged(LANE, range.clone()));
        unacknowledged.iter().for_each(|range| verifier.unacknowledged(LANE, range.clone()));
        consume(&mut verifier, consumed.iter().copied());
        let findings = verifier.findings();
        (findings.lost, findings.duplicated_or_out_of_order)
    }

    #[test]
    fn finds_what_is_lost_twice_or_out_of_order() {
        assert_eq!(verify(&[0..3], &[], &[0, 1, 2]), (0, 0));
        assert_eq!(verify(&[0..3], &[], &[0, 2]), (1, 0));
        assert_eq!(verify(&[0..3], &[], &[0, 1]), (1, 0));
        assert_eq!(verify(&[0..3], &[], &[0, 1, 1, 2]), (0, 1));
        assert_eq!(verify(&[0..3], &[], &[1, 0, 2]), (1, 1));
        assert_eq!(verify(&[0..2, 4..6], &[2..4], &[0, 1, 4, 5]), (0, 0));
        assert_eq!(verify(&[0..2, 4..6], &[2..4], &[0, 1, 3, 4, 5]), (0, 0));
        assert_eq!(verify(&[0..2, 4..6], &[2..4], &[0, 5]), (2, 0));
    }

    #[test]
    fn a_second_reading_is_judged_on_its_own() {
        let mut verifier = Verifier::default();
        verifier.acknowledged(LANE, 0..2);
        consume(&mut verifier, 0..2);
        let first = verifier.findings();
        assert_eq!(first, Findings { acknowledged: 2, consumed: 2, ..Findings::default() });
        verifier.start_over();
        verifier.consumed(LANE, 1);
        let second = verifier.findings();
        assert_eq!(
            second,
            Findings { acknowledged: 2, consumed: 1, lost: 1, ..Findings::default() }
        );
        assert_eq!(first.with_second_reading(second), Findings { lost: 1, ..first });
    }

    #[test]
    fn knows_which_batch_is_the_next_to_be_answered() {
        let mut verifier = Verifier::default();
        assert!(verifier.is_settled_up_to(LANE, 0) && !verifier.is_settled_up_to(LANE, 2));
        verifier.acknowledged(LANE, 0..2);
        verifier.unacknowledged(LANE, 2..3);
        assert!(verifier.is_settled_up_to(LANE, 3) && !verifier.is_settled_up_to(LANE, 4));
    }

    #[test]
    fn knows_when_the_consumers_have_caught_up() {
        let mut verifier = Verifier::default();
        verifier.acknowledged(LANE, 0..2);
        verifier.consumed(LANE, 0);
        assert!(!verifier.has_caught_up());
        verifier.consumed(LANE, 1);
        assert!(verifier.has_caught_up());
    }

    #[test]
    fn what_was_not_read_is_not_lost() {
        let mut verifier = Verifier::default();
        verifier.acknowledged(LANE, 0..10);
        consume(&mut verifier, [0, 1, 3]);
        // The broker fell silent: record 2 was passed over and is lost, 4 to 9 are unknown.
        assert_eq!((verifier.findings().lost, verifier.findings().unread), (1, 6));
        verifier.reached_end(LANE.1, true);
        assert_eq!((verifier.findings().lost, verifier.findings().unread), (7, 0));
        verifier.reached_end(LANE.1, false);
        assert_eq!(verifier.findings().unread, 6);
    }

    #[test]
    fn a_verdict_is_given_only_on_what_was_compared() {
        let options = |line: &str| RunOptions::parse_for_tests(line);
        let judge = |line: &str, findings: Findings| {
            let verification = Verification::judge(&options(line), findings);
            (
                verification.verified(),
                verification.lost,
                verification.duplicated_or_out_of_order,
                verification.unread,
            )
        };
        let clean = Findings { acknowledged: 10, consumed: 10, ..Findings::default() };
        let never_looked_at = Findings { acknowledged: 10, unread: 10, ..Findings::default() };
        assert_eq!(judge("--consumers 1", clean), (Some(true), Some(0), Some(0), Some(0)));
        assert_eq!(
            judge("--consumers 1", Findings { lost: 2, ..clean }),
            (Some(false), Some(2), Some(0), Some(0))
        );
        let half_read = Findings { lost: 1, unread: 3, ..clean };
        assert_eq!(judge("--consumers 1", half_read), (Some(false), Some(1), Some(0), Some(3)));
        assert_eq!(judge("--consumers 1", never_looked_at), (None, None, None, Some(10)));
        assert_eq!(judge("", never_looked_at), (None, None, None, None));
        assert_eq!(judge("--consumers 1 --skim", never_looked_at), (None, None, None, None));
        assert_eq!(judge("--consumers 1", Findings::default()), (None, None, None, None));
        // acks=0: missing records cannot be told, duplicates can.
        let unacknowledged = Findings { consumed: 10, ..Findings::default() };
        assert_eq!(judge("--consumers 1 --acks 0", unacknowledged), (None, None, None, None));
        let twice = Findings { duplicated_or_out_of_order: 1, ..unacknowledged };
        assert_eq!(judge("--consumers 1 --acks 0", twice), (Some(false), None, Some(1), Some(0)));
    }

    #[test]
    fn what_never_arrived_is_given_with_its_due_times() {
        let mut verifier = Verifier::default();
        let due: Vec<Instant> = (0..20).map(Instant).collect();
        verifier.built(LANE, 5, &due[..5]);
        verifier.built(LANE, 25, &due);
        verifier.built(LANE, 26, &[]);
        consume(&mut verifier, 0..5);
        let mut given = Vec::new();
        verifier.drain_never_arrived(|_, due, records| given.push((due.0, records)));
        assert_eq!(given.iter().map(|(_, records)| records).sum::<u64>(), 20);
        assert!(given.iter().all(|(due, _)| *due <= 19), "{given:?}");
        verifier.drain_never_arrived(|_, _, _| panic!("all were given"));
    }

    #[test]
    fn what_was_aborted_must_not_be_seen_and_is_not_lost() {
        let verify = |consumed: &[u64]| {
            let mut verifier = Verifier::default();
            verifier.reached_end(LANE.1, true);
            let due: Vec<Instant> = (0..3).map(Instant).collect();
            for batch in 0..4 {
                verifier.built(LANE, batch * 3 + 3, &due);
            }
            verifier.acknowledged(LANE, 0..3);
            verifier.aborted(LANE, 3..6);
            verifier.acknowledged(LANE, 6..9);
            verifier.aborted(LANE, 9..12);
            consume(&mut verifier, consumed.iter().copied());
            let mut waits = 0;
            verifier.drain_never_arrived(|_, _, records| waits += records);
            assert_eq!(waits, 0, "nothing is waited for that will never come");
            let findings = verifier.findings();
            (findings.lost, findings.aborted_and_seen)
        };
        assert_eq!(verify(&[0, 1, 2, 6, 7, 8]), (0, 0));
        assert_eq!(verify(&[0, 1, 2, 4, 6, 7, 8]), (0, 1));
        assert_eq!(verify(&[0, 1, 2, 6, 7, 8, 9, 10, 11]), (0, 3));
        assert_eq!(verify(&[0, 2, 6, 8, 10]), (2, 1));
    }

    #[test]
    fn an_aborted_record_that_was_seen_breaks_the_verdict() {
        let options = RunOptions::parse_for_tests("--consumers 1");
        let seen =
            Findings { acknowledged: 1, consumed: 2, aborted_and_seen: 1, ..Findings::default() };
        let verification = Verification::judge(&options, seen);
        assert_eq!(
            (verification.verified(), verification.aborted_and_seen),
            (Some(false), Some(1))
        );
    }

    #[test]
    fn neighbouring_ranges_of_unknown_fate_are_one() {
        let mut verifier = Verifier::default();
        (0..1000).for_each(|batch| verifier.unacknowledged(LANE, batch * 10..batch * 10 + 10));
        assert_eq!(verifier.lanes[&LANE].unacknowledged, [0..10_000]);
    }
}
