//! How keys and partitions are skewed, from what was sampled of them. Pure.
//!
//! Two figures of a sample do not depend on which key has which rank: how many different keys it
//! has, and how likely two of its records have the same one. Count and exponent of a Zipf
//! distribution follow from the two. Never: guesses at keys of which no two records were seen.

use super::sizes::digits;
use crate::{
    keys::KEYS_MAX,
    workload::{Hot, KeyChoice},
};

/// A figure of exponents that stands for none: below it, keys are uniform.
const EXPONENT_MIN: f64 = 0.1;
const EXPONENT_MAX: f64 = 4.0;
/// Ranks that are summed one by one; beyond them, blocks of neighbours count as one.
const RANKS_EXACT: u32 = 1024;
const BLOCK_GROWTH: f64 = 1.02;
/// Steps that halve an interval: more digits than any sample has.
const HALVINGS: usize = 40;
/// Of counts that come about by chance, the variance is as large as the mean.
const TURN_DISPERSION: f64 = 0.3;
/// Counts from which on their variance tells something.
const TURN_COUNT_MIN: f64 = 3.0;
/// So many more keys than there are should have been seen, had they come by chance.
const TURN_EXCESS: f64 = 1.1;
/// Partitions get at least so many times as much as the others before they are called hot.
const HOT_RATIO_MIN: f64 = 1.3;
/// And differ by so many deviations within the two groups.
const HOT_DEVIATIONS_MIN: f64 = 3.0;

/// What a sample says of keys.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KeySample {
    /// Records with keys.
    pub draws: f64,
    /// Different keys among them.
    pub distinct: f64,
    /// The chance that two records have one key.
    pub same: f64,
    /// Variance of the records of one key over their mean.
    pub dispersion: f64,
}

/// The choice of keys that makes such a sample, or `None` where no key came twice.
pub fn keys(sample: &KeySample) -> Option<KeyChoice> {
    if sample.draws < 2.0 || sample.distinct < 1.0 || sample.same <= 0.0 {
        return None;
    }
    if sample.distinct < 1.5 {
        return Some(KeyChoice::InTurn(1));
    }
    if is_in_turn(sample) {
        return Some(KeyChoice::InTurn((sample.distinct.round() as u32).clamp(1, KEYS_MAX)));
    }
    let count_at = |exponent| count_for(exponent, sample.draws, sample.distinct);
    let same_at = |exponent| same(count_at(exponent), exponent);
    let (mut low, mut high) = (0.0, EXPONENT_MAX);
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        if same_at(middle) < sample.same {
            low = middle;
        } else {
            high = middle;
        }
    }
    let exponent = (low + high) / 2.0;
    Some(if exponent < EXPONENT_MIN {
        KeyChoice::Uniform(whole(count_at(0.0)))
    } else {
        KeyChoice::Zipf(whole(count_at(exponent)), (exponent * 1e3).round() / 1e3)
    })
}

/// Four digits are more than a sample tells, once there are many keys.
fn whole(count: f64) -> u32 {
    (digits(count).round().max(1.0) as u32).min(KEYS_MAX)
}

/// Records of each key are as many as those of any other.
fn is_in_turn(sample: &KeySample) -> bool {
    if sample.draws / sample.distinct >= TURN_COUNT_MIN {
        return sample.dispersion < TURN_DISPERSION;
    }
    let count = 1.0 / sample.same;
    let by_chance = count * (1.0 - (-sample.draws / count).exp());
    by_chance > TURN_EXCESS * sample.distinct
}

/// Calls `visit` with ranks, and how many neighbours they stand for.
fn for_each_rank(count: f64, mut visit: impl FnMut(f64, f64)) {
    let exact = count.min(f64::from(RANKS_EXACT)) as u32;
    (1..=exact).for_each(|rank| visit(f64::from(rank), 1.0));
    let mut from = f64::from(exact) + 0.5;
    while from < count + 0.5 {
        let until = (from * BLOCK_GROWTH).min(count + 0.5);
        visit((from * until).sqrt(), until - from);
        from = until;
    }
}

/// The sum of k^-exponent over all ranks.
fn harmonic(count: f64, exponent: f64) -> f64 {
    let mut sum = 0.0;
    for_each_rank(count, |rank, ranks| sum += ranks * rank.powf(-exponent));
    sum
}

fn same(count: f64, exponent: f64) -> f64 {
    harmonic(count, 2.0 * exponent) / harmonic(count, exponent).powi(2)
}

/// Different keys that are to be expected among so many draws.
fn distinct(count: f64, exponent: f64, draws: f64) -> f64 {
    let total = harmonic(count, exponent);
    let mut sum = 0.0;
    for_each_rank(count, |rank, ranks| {
        let share = rank.powf(-exponent) / total;
        // 1 - (1 - share)^draws, where a share may be almost nothing or all.
        sum += ranks * -(draws * (-share.min(1.0 - 1e-12)).ln_1p()).exp_m1();
    });
    sum
}

/// How many keys there are, if so many different ones were seen.
fn count_for(exponent: f64, draws: f64, seen: f64) -> f64 {
    let (mut low, mut high) = (seen.ln(), f64::from(KEYS_MAX).ln());
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        if distinct(middle.exp().round(), exponent, draws) < seen {
            low = middle;
        } else {
            high = middle;
        }
    }
    high.exp().round()
}

/// The partitions that get more than the others, by the rates of all; `None` where none stands out.
pub fn hot(rates: &[f64]) -> Option<Hot> {
    let total: f64 = rates.iter().sum();
    if rates.len() < 2 || total <= 0.0 {
        return None;
    }
    let mut sorted = rates.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let split = (1..sorted.len()).min_by(|a, b| {
        let error = |at: usize| squares(&sorted[..at]) + squares(&sorted[at..]);
        error(*a).total_cmp(&error(*b))
    })?;
    let (hot, cold) = sorted.split_at(split);
    let deviation = ((squares(hot) + squares(cold)) / sorted.len() as f64).sqrt();
    let (above, below) = (mean(hot), mean(cold));
    let stands_out =
        above >= HOT_RATIO_MIN * below && above - below > HOT_DEVIATIONS_MIN * deviation;
    let share = (hot.iter().sum::<f64>() / total * 1e3).round() / 1e3;
    stands_out.then_some(Hot { share, partitions: split as i32 })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn squares(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{keys::Keys, random::Random};
    use std::collections::BTreeMap;

    fn sample(choice: KeyChoice, draws: u32, seed: u64) -> KeySample {
        let mut keys = Keys::new(choice, 1, 0, Random::new(seed, 0));
        let mut counts: BTreeMap<[u8; 8], f64> = BTreeMap::new();
        for (key, _) in (0..draws).filter_map(|_| keys.next_key()) {
            *counts.entry(key).or_default() += 1.0;
        }
        let draws = f64::from(draws);
        let mean = draws / counts.len() as f64;
        let pairs: f64 = counts.values().map(|count| count * (count - 1.0)).sum();
        let squares: f64 = counts.values().map(|count| (count - mean).powi(2)).sum();
        KeySample {
            draws,
            distinct: counts.len() as f64,
            same: pairs / (draws * (draws - 1.0)),
            dispersion: squares / counts.len() as f64 / mean,
        }
    }

    #[test]
    fn zipf_is_known_again_by_count_and_exponent() {
        for (count, exponent, draws) in [
            (1_000, 0.99, 20_000),
            (100_000, 0.99, 30_000),
            (50, 1.5, 5_000),
            (10_000, 0.6, 50_000),
        ] {
            for seed in [1, 2] {
                let found = keys(&sample(KeyChoice::Zipf(count, exponent), draws, seed));
                let Some(KeyChoice::Zipf(found_count, found_exponent)) = found else {
                    panic!("{count} {exponent}: {found:?}")
                };
                let off = (found_exponent / exponent - 1.0).abs();
                assert!(off < 0.05, "{exponent} of {count}: {found:?}");
                let off = (f64::from(found_count) / f64::from(count) - 1.0).abs();
                assert!(off < 0.2, "{count} by {exponent}: {found:?}");
            }
        }
    }

    #[test]
    fn uniform_keys_and_keys_in_turn_are_told_apart() {
        for (count, draws) in [(100, 5_000), (10_000, 20_000)] {
            let found = keys(&sample(KeyChoice::Uniform(count), draws, 3));
            let Some(KeyChoice::Uniform(found)) = found else { panic!("{found:?}") };
            assert!((f64::from(found) / f64::from(count) - 1.0).abs() < 0.05, "{found}");
            let found = keys(&sample(KeyChoice::InTurn(count), draws, 3));
            assert_eq!(found, Some(KeyChoice::InTurn(count)));
        }
        assert_eq!(keys(&sample(KeyChoice::InTurn(90_000), 5_000, 1)), None, "none came twice");
        assert_eq!(keys(&sample(KeyChoice::InTurn(1), 50, 1)), Some(KeyChoice::InTurn(1)));
        assert_eq!(keys(&KeySample::default()), None);
    }

    #[test]
    fn sums_in_blocks_agree_with_sums_of_all() {
        for (count, exponent) in [(500.0, 1.0), (200_000.0, 0.99), (200_000.0, 0.3)] {
            let all: f64 = (1..=count as u32).map(|k| f64::from(k).powf(-exponent)).sum();
            assert!((harmonic(count, exponent) / all - 1.0).abs() < 1e-3, "{count} {exponent}");
        }
        // Ten keys, each as likely: the chance is that of the birthday problem.
        assert!((same(10.0, 0.0) - 0.1).abs() < 1e-12);
        assert!((distinct(10.0, 0.0, 5.0) - 10.0 * (1.0 - 0.9f64.powi(5))).abs() < 1e-9);
    }

    #[test]
    fn hot_partitions_stand_out_and_noise_does_not() {
        assert_eq!(hot(&[10.0, 500.0, 12.0, 11.0]), Some(Hot { share: 0.938, partitions: 1 }));
        assert_eq!(hot(&[100.0, 20.0, 100.0, 20.0]), Some(Hot { share: 0.833, partitions: 2 }));
        assert_eq!(hot(&[0.0, 0.0, 9.0]), Some(Hot { share: 1.0, partitions: 1 }));
        for even in [vec![100.0, 104.0, 97.0, 101.0], vec![5.0], vec![0.0, 0.0], vec![]] {
            assert_eq!(hot(&even), None, "{even:?}");
        }
    }
}
