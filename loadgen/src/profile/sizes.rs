//! Which of a workload file's distributions of value sizes fits a sample best. Pure.
//!
//! Each candidate is measured by its largest distance from the sample's cumulative shares
//! (Kolmogorov and Smirnov); the smallest distance wins. Never: invents a distribution that a
//! workload file does not know.

use super::normal::{share_below, value_of};
use crate::workload::RecordSize;
use std::collections::BTreeMap;

/// Sizes of values, each with the number of records that have it.
pub type SizeCounts = BTreeMap<u32, u64>;

/// A distance up to which one size is taken for fixed.
const FIXED_DISTANCE: f64 = 0.01;
/// Shares between which a log-normal distribution is fitted: beyond them few records decide.
const FITTED_SHARES: std::ops::Range<f64> = 0.005..0.995;
/// Points of a mean that is found by numbers.
const QUANTILES: u32 = 2000;

#[derive(Clone, Debug, PartialEq)]
pub struct SizeFit {
    pub size: RecordSize,
    /// The largest distance between the shares of the sample and those of the fit: 0 to 1.
    pub distance: f64,
    /// Bytes: of the sample, and of the fit once it is cut to its smallest and largest.
    pub sample_mean: f64,
    pub fit_mean: f64,
}

/// The best fit; `None` without a sample.
pub fn fit(counts: &SizeCounts) -> Option<SizeFit> {
    let records: u64 = counts.values().sum();
    let (min, max) = (*counts.keys().next()? as usize, *counts.keys().next_back()? as usize);
    let sample_mean =
        counts.iter().map(|(size, count)| f64::from(*size) * *count as f64).sum::<f64>()
            / records as f64;
    let most =
        counts.iter().max_by_key(|(_, count)| **count).map_or(min, |(size, _)| *size as usize);
    let fixed = RecordSize::Fixed(most);
    let distance = distance(counts, records, fixed);
    let best = if distance <= FIXED_DISTANCE {
        (fixed, distance)
    } else {
        let uniform = RecordSize::Uniform { min, max };
        let candidates = [Some(uniform), log_normal(counts, records, min, max)];
        candidates
            .into_iter()
            .flatten()
            .map(|size| (size, self::distance(counts, records, size)))
            .chain([(fixed, distance)])
            .min_by(|a, b| a.1.total_cmp(&b.1))?
    };
    Some(SizeFit { size: best.0, distance: best.1, sample_mean, fit_mean: mean(best.0) })
}

/// By least squares between the logarithms of sizes and the normal values of their shares, where
/// neither end is cut off.
fn log_normal(counts: &SizeCounts, records: u64, min: usize, max: usize) -> Option<RecordSize> {
    let (mut below, mut points) = (0u64, Vec::new());
    for (size, count) in counts {
        below += count;
        let share = below as f64 / records as f64;
        let is_inside = (min..max).contains(&(*size as usize)) && FITTED_SHARES.contains(&share);
        if is_inside {
            let z = value_of(share);
            // As much as is known of this share, when it is drawn on the axis of normal values.
            let weight = (-z * z).exp() / (share * (1.0 - share)) * *count as f64;
            // A size stands for all lengths from it up to the next.
            points.push((z, (f64::from(*size) + 1.0).ln(), weight));
        }
    }
    let total: f64 = points.iter().map(|point| point.2).sum();
    let average = |of: &dyn Fn(&(f64, f64, f64)) -> f64| {
        points.iter().map(|point| of(point) * point.2).sum::<f64>() / total
    };
    let (z_mean, log_mean) = (average(&|point| point.0), average(&|point| point.1));
    let spread = average(&|point| (point.0 - z_mean).powi(2));
    let together = average(&|point| (point.0 - z_mean) * (point.1 - log_mean));
    if points.len() < 3 || spread <= 0.0 || together <= 0.0 {
        return None;
    }
    let sigma = together / spread;
    let mu = log_mean - sigma * z_mean;
    let mean = (mu + sigma * sigma / 2.0).exp();
    let deviation = mean * ((sigma * sigma).exp() - 1.0).sqrt();
    let largest = crate::options::RECORD_SIZE_MAX as f64;
    let is_allowed = (1.0..=largest).contains(&mean) && (0.0..=largest).contains(&deviation);
    is_allowed.then(|| RecordSize::LogNormal {
        mean: digits(mean),
        deviation: digits(deviation),
        min,
        max,
    })
}

/// Four digits: more are noise.
pub fn digits(number: f64) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return 0.0;
    }
    let unit = 10f64.powi(3 - number.abs().log10().floor() as i32);
    // Divides where the unit is below 1: 1/1000 has no exact form, 1000 has.
    if unit >= 1.0 {
        (number * unit).round() / unit
    } else {
        (number * unit).round() * (1.0 / unit).round()
    }
}

/// The share of records of at most this size.
fn share_of(distribution: RecordSize, size: f64) -> f64 {
    match distribution {
        RecordSize::Fixed(fixed) => f64::from(u8::from(size >= fixed as f64)),
        RecordSize::Uniform { min, max } => {
            ((size - min as f64 + 1.0) / (max - min + 1) as f64).clamp(0.0, 1.0)
        }
        RecordSize::LogNormal { min, .. } if size < min as f64 => 0.0,
        RecordSize::LogNormal { max, .. } if size >= max as f64 => 1.0,
        RecordSize::LogNormal { mean, deviation, .. } => {
            let (mu, sigma) = logarithmic(mean, deviation);
            share_below(((size + 1.0).ln() - mu) / sigma.max(f64::MIN_POSITIVE))
        }
    }
}

/// Mean and deviation of the logarithms.
fn logarithmic(mean: f64, deviation: f64) -> (f64, f64) {
    let variance = (1.0 + (deviation / mean).powi(2)).ln();
    (mean.ln() - variance / 2.0, variance.sqrt())
}

fn distance(counts: &SizeCounts, records: u64, distribution: RecordSize) -> f64 {
    let (mut below, mut largest) = (0u64, 0f64);
    for (size, count) in counts {
        let before = below as f64 / records as f64;
        below += count;
        let after = below as f64 / records as f64;
        let size = f64::from(*size);
        largest = largest
            .max((before - share_of(distribution, size - 1.0)).abs())
            .max((after - share_of(distribution, size)).abs());
    }
    largest
}

/// Bytes, with those cut off counted as smallest and largest.
pub fn mean(distribution: RecordSize) -> f64 {
    let RecordSize::LogNormal { mean, deviation, min, max } = distribution else {
        return distribution.mean();
    };
    let (mu, sigma) = logarithmic(mean, deviation);
    let size = |quantile: u32| {
        let share = (f64::from(quantile) + 0.5) / f64::from(QUANTILES);
        (mu + sigma * value_of(share)).exp().clamp(min as f64, max as f64)
    };
    (0..QUANTILES).map(size).sum::<f64>() / f64::from(QUANTILES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{payload::Payload, random::Random};

    fn drawn(size: RecordSize, records: u32, seed: u64) -> SizeCounts {
        let mut payload = Payload::new(size, None, 0, Random::new(seed, 0));
        let mut counts = SizeCounts::new();
        for _ in 0..records {
            payload.vary();
            *counts.entry(payload.value().len() as u32).or_default() += 1;
        }
        counts
    }

    fn is_near(value: f64, expected: f64, share: f64) -> bool {
        (value / expected - 1.0).abs() <= share
    }

    #[test]
    fn each_distribution_is_known_again() {
        for seed in [1, 2, 3] {
            let found = fit(&drawn(RecordSize::Fixed(100), 500, seed)).unwrap();
            assert_eq!((found.size, found.distance), (RecordSize::Fixed(100), 0.0));
            let uniform = RecordSize::Uniform { min: 50, max: 450 };
            let found = fit(&drawn(uniform, 5_000, seed)).unwrap();
            let RecordSize::Uniform { min, max } = found.size else { panic!("{found:?}") };
            assert!(min < 55 && max > 445 && is_near(found.sample_mean, 250.0, 0.05), "{found:?}");
            let wide = RecordSize::LogNormal { mean: 600.0, deviation: 400.0, min: 64, max: 16384 };
            let found = fit(&drawn(wide, 10_000, seed)).unwrap();
            let RecordSize::LogNormal { mean, deviation, .. } = found.size else {
                panic!("{found:?}")
            };
            assert!(is_near(mean, 600.0, 0.03) && is_near(deviation, 400.0, 0.08), "{found:?}");
            assert!(found.distance < 0.02 && is_near(found.fit_mean, found.sample_mean, 0.02));
        }
    }

    #[test]
    fn what_is_cut_off_does_not_bend_a_log_normal_fit() {
        // A third of the records is cut off below, and as many above.
        let cut = RecordSize::LogNormal { mean: 500.0, deviation: 300.0, min: 330, max: 530 };
        let found = fit(&drawn(cut, 40_000, 5)).unwrap();
        let RecordSize::LogNormal { mean, deviation, .. } = found.size else { panic!("{found:?}") };
        assert!(is_near(mean, 500.0, 0.05) && is_near(deviation, 300.0, 0.1), "{found:?}");
        assert!(is_near(found.fit_mean, found.sample_mean, 0.01), "{found:?}");
    }

    #[test]
    fn one_size_and_few_others_is_fixed_and_two_humps_are_told_by_their_distance() {
        let mut counts = SizeCounts::from([(100, 995), (7, 5)]);
        assert_eq!(fit(&counts).unwrap().size, RecordSize::Fixed(100));
        counts.insert(9000, 1000);
        assert!(fit(&counts).unwrap().distance > 0.1);
        assert_eq!(fit(&SizeCounts::new()), None);
    }

    #[test]
    fn four_digits_are_kept() {
        for (number, kept) in
            [(1234.56, 1235.0), (0.012_345_6, 0.012_35), (98_765_432.0, 98_770_000.0)]
        {
            assert_eq!(digits(number), kept);
        }
        assert_eq!(digits(0.0), 0.0);
    }
}
