//! Whether every acknowledged record was consumed exactly once and in order. Pure.
//!
//! Within one stream and partition sequences are produced 0, 1, 2, … A consumer must see them rising; what it skips must
//! not have been acknowledged.

use rustc_hash::FxHashMap;
use std::ops::Range;

/// One stream (producer connection) in one partition.
pub type Lane = (u32, i32);

#[derive(Default)]
struct LaneState {
    /// Sent and refused, or with an unknown fate: may be there or not.
    unacknowledged: Vec<Range<u64>>,
    acknowledged_end: u64,
    acknowledged: u64,
    next: u64,
    gaps: Vec<Range<u64>>,
    consumed: u64,
    duplicates: u64,
}

#[derive(Default)]
pub struct Verifier {
    lanes: FxHashMap<Lane, LaneState>,
}

/// What was found. `lost` and `duplicated` count records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    pub acknowledged: u64,
    pub consumed: u64,
    pub lost: u64,
    pub duplicated_or_out_of_order: u64,
}

impl Findings {
    pub fn is_clean(&self) -> bool {
        self.lost == 0 && self.duplicated_or_out_of_order == 0
    }
}

impl Verifier {
    pub fn acknowledged(&mut self, lane: Lane, sequences: Range<u64>) {
        let state = self.lanes.entry(lane).or_default();
        state.acknowledged += sequences.end - sequences.start;
        state.acknowledged_end = state.acknowledged_end.max(sequences.end);
    }

    pub fn unacknowledged(&mut self, lane: Lane, sequences: Range<u64>) {
        self.lanes.entry(lane).or_default().unacknowledged.push(sequences);
    }

    pub fn consumed(&mut self, lane: Lane, sequence: u64) {
        let state = self.lanes.entry(lane).or_default();
        if sequence < state.next {
            state.duplicates += 1;
            return;
        }
        if sequence > state.next {
            state.gaps.push(state.next..sequence);
        }
        state.consumed += 1;
        state.next = sequence + 1;
    }

    /// Whether all records of the lane before `sequence` were acknowledged or given up.
    pub fn is_settled_up_to(&self, lane: Lane, sequence: u64) -> bool {
        let Some(state) = self.lanes.get(&lane) else { return sequence == 0 };
        let given_up_end = state.unacknowledged.iter().map(|range| range.end).max().unwrap_or(0);
        state.acknowledged_end.max(given_up_end) >= sequence
    }

    /// The same acknowledgements, nothing consumed yet: for reading a topic a second time.
    pub fn start_over(&mut self) {
        for state in self.lanes.values_mut() {
            *state = LaneState {
                unacknowledged: std::mem::take(&mut state.unacknowledged),
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

    pub fn findings(&self) -> Findings {
        let mut findings = Findings::default();
        for lane in self.lanes.values() {
            let tail = lane.next..lane.acknowledged_end.max(lane.next);
            let missing = lane.gaps.iter().chain(std::iter::once(&tail));
            findings.lost += missing.map(|gap| acknowledged_within(gap, &lane.unacknowledged)).sum::<u64>();
            findings.acknowledged += lane.acknowledged;
            findings.consumed += lane.consumed;
            findings.duplicated_or_out_of_order += lane.duplicates;
        }
        findings
    }
}

/// How many of `gap` lie in none of the `unacknowledged` ranges (which do not overlap one another).
fn acknowledged_within(gap: &Range<u64>, unacknowledged: &[Range<u64>]) -> u64 {
    let overlap = |range: &Range<u64>| range.end.min(gap.end).saturating_sub(range.start.max(gap.start));
    gap.end - gap.start - unacknowledged.iter().map(overlap).sum::<u64>()
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)] // lists of ranges, some with a single one
mod tests {
    use super::*;

    const LANE: Lane = (0, 0);

    fn verify(acknowledged: &[Range<u64>], unacknowledged: &[Range<u64>], consumed: &[u64]) -> (u64, u64) {
        let mut verifier = Verifier::default();
        acknowledged.iter().for_each(|range| verifier.acknowledged(LANE, range.clone()));
        unacknowledged.iter().for_each(|range| verifier.unacknowledged(LANE, range.clone()));
        consumed.iter().for_each(|sequence| verifier.consumed(LANE, *sequence));
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
        (0..2).for_each(|sequence| verifier.consumed(LANE, sequence));
        assert!(verifier.findings().is_clean());
        verifier.start_over();
        verifier.consumed(LANE, 1);
        assert_eq!(
            verifier.findings(),
            Findings { acknowledged: 2, consumed: 1, lost: 1, duplicated_or_out_of_order: 0 }
        );
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
}
