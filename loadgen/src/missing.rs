//! Records that something never happened to, by the moment from which that was waited for. Pure.
//!
//! What never came has waited at least until the end of the run, and counts with that: percentiles
//! over what came alone would look best where the broker is worst.

use ring::Instant;
use std::{collections::BTreeMap, time::Duration};

/// How exactly moments are told apart while there are few of them.
const GRAIN_NS: u64 = 100_000;
/// Moments that are kept; beyond them, the grain doubles.
const GRAINS_MAX: usize = 1 << 16;

pub struct Missing {
    grain_ns: u64,
    /// Records by moment in grains, rounded up: a wait is never said to be longer than it was.
    counts: BTreeMap<u64, u64>,
}

impl Default for Missing {
    fn default() -> Missing {
        Missing { grain_ns: GRAIN_NS, counts: BTreeMap::new() }
    }
}

impl Missing {
    pub fn add(&mut self, since: Instant, count: u64) {
        *self.counts.entry(since.0.div_ceil(self.grain_ns)).or_default() += count;
        if self.counts.len() > GRAINS_MAX {
            self.grain_ns *= 2;
            let mut coarser = BTreeMap::new();
            for (grain, count) in std::mem::take(&mut self.counts) {
                *coarser.entry(grain.div_ceil(2)).or_default() += count;
            }
            self.counts = coarser;
        }
    }

    /// How long each has waited at `until`, with the number of records that share the wait.
    pub fn waits(&self, until: Instant) -> impl Iterator<Item = (Duration, u64)> {
        self.counts
            .iter()
            .map(move |(grain, count)| (until.since(Instant(grain * self.grain_ns)), *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn what_never_came_waits_until_the_end_and_not_longer() {
        let mut missing = Missing::default();
        missing.add(Instant(10 * MS), 2);
        missing.add(Instant(10 * MS), 1);
        missing.add(Instant(50 * MS + 1), 4);
        let waits: Vec<_> = missing
            .waits(Instant(100 * MS))
            .map(|(wait, count)| (wait.as_micros(), count))
            .collect();
        assert_eq!(waits, [(90_000, 3), (49_900, 4)]);
    }

    #[test]
    fn many_moments_take_little_memory_and_keep_every_record() {
        let mut missing = Missing::default();
        let moments = GRAINS_MAX as u64 * 3;
        (0..moments).for_each(|moment| missing.add(Instant(moment * GRAIN_NS), 1));
        assert!(missing.counts.len() <= GRAINS_MAX);
        let end = Instant(moments * GRAIN_NS);
        assert_eq!(missing.waits(end).map(|(_, count)| count).sum::<u64>(), moments);
        let longest = missing.waits(end).map(|(wait, _)| wait).max().unwrap();
        assert_eq!(longest, end.since(Instant(0)));
    }
}
