//! Durations counted in buckets that never move: a shard bumps one with a few instructions and no
//! allocation. Owned by the code that counts; plain numbers, so that a copy is a snapshot.

/// Everything faster is in the first bucket: 2^10 ns, about a microsecond.
const FIRST_BOUND_EXPONENT: u32 = 10;
/// Everything slower than 2^36 ns, about 69 seconds, is in the last bucket.
const LAST_BOUND_EXPONENT: u32 = 36;

/// Upper bounds are 2^n and 1.5 * 2^n nanoseconds in turn, both included; the last bucket has none.
pub const BUCKETS: usize = 2 * (LAST_BOUND_EXPONENT - FIRST_BOUND_EXPONENT) as usize + 2;

/// Counts of durations in nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; BUCKETS],
    sum_ns: u64,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { counts: [0; BUCKETS], sum_ns: 0 }
    }
}

impl Histogram {
    #[inline]
    pub fn record_ns(&mut self, duration_ns: u64) {
        self.counts[bucket_of(duration_ns)] += 1;
        self.sum_ns = self.sum_ns.saturating_add(duration_ns);
    }

    pub fn merge(&mut self, other: &Histogram) {
        for (count, other_count) in self.counts.iter_mut().zip(other.counts) {
            *count += other_count;
        }
        self.sum_ns = self.sum_ns.saturating_add(other.sum_ns);
    }

    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub fn sum_ns(&self) -> u64 {
        self.sum_ns
    }

    /// Each bucket's upper bound in nanoseconds (none for the last) and its own count.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<u64>, u64)> + '_ {
        self.counts.iter().enumerate().map(|(index, count)| (upper_bound_ns(index), *count))
    }
}

fn upper_bound_ns(index: usize) -> Option<u64> {
    let power = 1_u64 << (FIRST_BOUND_EXPONENT + index as u32 / 2);
    let bound = if index.is_multiple_of(2) { power } else { power + power / 2 };
    (index + 1 < BUCKETS).then_some(bound)
}

/// The first bucket whose bound is not below the duration. Of `duration - 1`, the highest bit names
/// the pair of buckets and the bit below it the half.
#[inline]
fn bucket_of(duration_ns: u64) -> usize {
    let below = duration_ns.saturating_sub(1);
    if below < 1 << FIRST_BOUND_EXPONENT {
        return 0;
    }
    let exponent = 63 - below.leading_zeros();
    let upper_half = (below >> (exponent - 1)) as u32 & 1;
    let index = 2 * (exponent - FIRST_BOUND_EXPONENT) + upper_half + 1;
    (index as usize).min(BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_duration_is_in_the_first_bucket_whose_bound_reaches_it(exponent in 0_u32..64,
            low in 0_u64..u64::MAX) {
            let duration_ns = (1_u64 << exponent) | (low & ((1 << exponent) - 1));
            let expected = (0..BUCKETS).find(|index| upper_bound_ns(*index)
                .is_none_or(|bound| duration_ns <= bound));
            proptest::prop_assert_eq!(Some(bucket_of(duration_ns)), expected);
        }
    }

    #[test]
    fn bounds_themselves_are_included() {
        for index in 0..BUCKETS - 1 {
            let bound = upper_bound_ns(index).unwrap();
            assert_eq!((bucket_of(bound), bucket_of(bound + 1)), (index, index + 1));
        }
        assert_eq!((bucket_of(0), bucket_of(u64::MAX)), (0, BUCKETS - 1));
    }

    #[test]
    fn merging_adds_counts_and_sums() {
        let (mut left, mut right) = (Histogram::default(), Histogram::default());
        left.record_ns(2_000);
        right.record_ns(2_000);
        right.record_ns(u64::MAX);
        left.merge(&right);
        assert_eq!((left.count(), left.sum_ns()), (3, u64::MAX));
        assert_eq!(
            left.buckets()
                .filter(|(_, count)| *count > 0)
                .map(|(_, count)| count)
                .collect::<Vec<_>>(),
            [2, 1]
        );
    }
}
