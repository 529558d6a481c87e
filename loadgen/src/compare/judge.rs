//! Whether a difference is more than its noise. Pure.
//!
//! Percentiles of one run have the interval that order statistics give: the values at the ranks
//! n·p ± 1.96·√(n·p·(1-p)), or the spread of its seconds where that is wider. The mean of several
//! runs has their spread, or those intervals where they are wider.

use hdrhistogram::Histogram;

/// Standard errors that 95 % of a normal distribution lie within.
const Z95: f64 = 1.96;
/// How sure a verdict has to be.
#[derive(Debug)]
pub struct Level {
    pub percent: f64,
    /// Student's t, two-sided, of 1 to 10 degrees of freedom.
    t: [f64; 10],
    /// Of any number of them.
    z: f64,
}

/// Runs were repeated: what makes them differ moves their figures together.
pub const OF_REPEATED: Level = Level {
    percent: 95.0,
    t: [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228],
    z: Z95,
};
/// Each figure has noise of its own, and nine are judged: of ten comparisons of equals, one may go
/// wrong.
pub const OF_SINGLE: Level = Level {
    percent: 99.0,
    t: [63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169],
    z: 2.576,
};
/// Less than this is below what a histogram tells apart.
const RATIO_MIN: f64 = 0.001;

/// Seconds that a run must have for its own noise to be known.
const SAMPLES_MIN: usize = 5;

/// A figure with its standard errors, which are not the same to both sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub value: f64,
    pub error_below: f64,
    pub error_above: f64,
    /// Degrees of freedom behind the errors.
    pub freedom: f64,
}

impl Estimate {
    /// Nothing tells how far from the truth it may be.
    pub fn of_unknown_noise(value: f64) -> Estimate {
        let unknown = f64::INFINITY;
        Estimate { value, error_below: unknown, error_above: unknown, freedom: unknown }
    }

    pub fn with_error(value: f64, error: f64, freedom: f64) -> Estimate {
        Estimate { value, error_below: error, error_above: error, freedom }
    }

    /// Of the mean of values that stand for equal times.
    pub fn of_samples(value: f64, samples: &[f64]) -> Estimate {
        match deviation(samples) {
            Some(deviation) if samples.len() >= SAMPLES_MIN => {
                let count = samples.len() as f64;
                Estimate::with_error(value, deviation / count.sqrt(), count - 1.0)
            }
            _ => Estimate::of_unknown_noise(value),
        }
    }

    /// In nanoseconds. `independent`: how many values are, of those in the histogram; records of
    /// one batch are not.
    pub fn of_percentile(histogram: &Histogram<u64>, p: f64, independent: u64) -> Estimate {
        let count = independent.min(histogram.len()) as f64;
        let value = histogram.value_at_quantile(p);
        let half_width = Z95 * (p * (1.0 - p) / count.max(1.0)).sqrt();
        let low = match p - half_width {
            low if low > 0.0 => histogram.lowest_equivalent(histogram.value_at_quantile(low)),
            _ => 0,
        };
        // Beyond the last rank nothing was seen, however much longer it may take.
        let high = match p + half_width {
            high if high < 1.0 => {
                histogram.highest_equivalent(histogram.value_at_quantile(high)) as f64
            }
            _ => f64::INFINITY,
        };
        let value = value as f64;
        Estimate {
            value,
            error_below: (value - low as f64) / Z95,
            error_above: (high - value) / Z95,
            freedom: f64::INFINITY,
        }
    }

    /// With the errors of `other` where these are known and larger.
    pub fn at_least(self, other: &Estimate) -> Estimate {
        let larger = |mine: f64, theirs: f64| {
            if theirs.is_finite() { mine.max(theirs) } else { mine }
        };
        let below = larger(self.error_below, other.error_below);
        let above = larger(self.error_above, other.error_above);
        let is_mine = (below, above) == (self.error_below, self.error_above);
        Estimate {
            value: self.value,
            error_below: below,
            error_above: above,
            freedom: if is_mine { self.freedom } else { other.freedom },
        }
    }

    /// The mean of runs: quantiles per run, then over runs, never one pool.
    pub fn of_runs(runs: &[Estimate]) -> Option<Estimate> {
        let count = runs.len() as f64;
        if let [only] = runs {
            return Some(*only);
        }
        let values: Vec<f64> = runs.iter().map(|run| run.value).collect();
        let between = deviation(&values)? / count.sqrt();
        // The larger of the noise between and within the runs, as far as that is known.
        let larger = |within: &dyn Fn(&Estimate) -> f64| {
            let of_mean = runs.iter().map(|run| within(run).powi(2)).sum::<f64>().sqrt() / count;
            if of_mean.is_finite() { between.max(of_mean) } else { between }
        };
        Some(Estimate {
            value: values.iter().sum::<f64>() / count,
            error_below: larger(&|run| run.error_below),
            error_above: larger(&|run| run.error_above),
            freedom: count - 1.0,
        })
    }
}

/// The standard deviation; `None` of fewer than two.
fn deviation(values: &[f64]) -> Option<f64> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt())
}

impl Level {
    /// So many standard errors are within it.
    fn errors(&self, freedom: f64) -> f64 {
        let freedom = freedom.max(1.0);
        if freedom < self.t.len() as f64 {
            // Between two of the table: the logarithm is about straight over 1 / freedom.
            let below = freedom.floor();
            let part = (1.0 / below - 1.0 / freedom) / (1.0 / below - 1.0 / (below + 1.0));
            let [low, high] = [below as usize - 1, below as usize].map(|index| self.t[index].ln());
            return (low + part * (high - low)).exp();
        }
        // Cornish and Fisher.
        let z = self.z;
        z + (z.powi(3) + z) / (4.0 * freedom)
            + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * freedom.powi(2))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    Less,
    More,
    NoneShown,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    pub difference: f64,
    /// Where the true difference lies, by the level asked for; not finite where that is not known.
    pub low: f64,
    pub high: f64,
    pub finding: Finding,
}

/// How `after` differs from `before`: Welch's interval, with errors of their own to each side.
pub fn judge(before: &Estimate, after: &Estimate, level: &Level) -> Verdict {
    let difference = after.value - before.value;
    let span = |one: f64, other: f64| {
        let (one, other) = (one.powi(2), other.powi(2));
        let sum = one + other;
        if sum == 0.0 || !sum.is_finite() {
            return sum;
        }
        let freedom = sum.powi(2) / (one.powi(2) / before.freedom + other.powi(2) / after.freedom);
        level.errors(freedom) * sum.sqrt()
    };
    let low = difference - span(before.error_above, after.error_below);
    let high = difference + span(before.error_below, after.error_above);
    let larger = before.value.abs().max(after.value.abs());
    let finding = match () {
        () if difference.abs() <= larger * RATIO_MIN => Finding::NoneShown,
        () if low > 0.0 => Finding::More,
        () if high < 0.0 => Finding::Less,
        () => Finding::NoneShown,
    };
    Verdict { difference, low, high, finding }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_runs_need_a_large_difference() {
        for (level, freedom, t) in [
            (OF_SINGLE, 1.0, 63.657),
            (OF_SINGLE, 9.5, 3.209),
            (OF_SINGLE, 20.0, 2.845),
            (OF_REPEATED, 2.0, 4.303),
            (OF_REPEATED, 20.0, 2.086),
        ] {
            let errors = level.errors(freedom);
            assert!((errors / t - 1.0).abs() < 0.005, "{freedom}: {errors}");
        }
        for level in [OF_SINGLE, OF_REPEATED] {
            let steps: Vec<f64> =
                (10..400).map(|tenths| level.errors(f64::from(tenths) / 10.0)).collect();
            assert!(steps.is_sorted_by(|a, b| a >= b), "{steps:?}");
            assert!((level.errors(f64::INFINITY) - level.z).abs() < 1e-9);
        }
    }

    #[test]
    fn unknown_noise_bears_no_verdict() {
        let (a, b) = (Estimate::of_unknown_noise(1.0), Estimate::of_unknown_noise(9.0));
        let verdict = judge(&a, &b, &OF_SINGLE);
        assert_eq!((verdict.difference, verdict.finding), (8.0, Finding::NoneShown));
        assert!(verdict.low.is_infinite() && verdict.high.is_infinite());
        let mean = Estimate::of_runs(&[a, Estimate::of_unknown_noise(1.2)]).unwrap();
        assert!((mean.error_above - 0.1).abs() < 1e-9, "the spread of two runs is known");
    }

    #[test]
    fn what_is_exact_is_compared_exactly() {
        let exact = |value| Estimate::with_error(value, 0.0, f64::INFINITY);
        let found = |before, after| judge(&exact(before), &exact(after), &OF_REPEATED).finding;
        assert_eq!(found(0.0, 0.0), Finding::NoneShown);
        assert_eq!(found(5.0, 4.0), Finding::Less);
        assert_eq!(found(10_000.0, 10_001.0), Finding::NoneShown);
    }

    #[test]
    fn the_end_of_a_short_run_is_open() {
        let mut histogram = Histogram::new_with_bounds(1_000, 1 << 40, 3).unwrap();
        (1..=500u64).for_each(|ms| histogram.record(ms * 1_000_000).unwrap());
        let p99 = Estimate::of_percentile(&histogram, 0.99, 500);
        assert!(p99.error_above.is_finite() && p99.error_below > 0.0, "{p99:?}");
        let p99_9 = Estimate::of_percentile(&histogram, 0.999, 500);
        assert!(p99_9.error_above.is_infinite(), "{p99_9:?}");
        let batches = Estimate::of_percentile(&histogram, 0.5, 5);
        let records = Estimate::of_percentile(&histogram, 0.5, 500);
        assert!(batches.error_below > 5.0 * records.error_below, "{batches:?} {records:?}");
    }

    #[test]
    fn the_wider_noise_counts_where_it_is_known() {
        let ranks = Estimate { value: 9.0, error_below: 1.0, error_above: 4.0, freedom: 1e9 };
        let unknown = Estimate::of_unknown_noise(9.0);
        assert_eq!(ranks.at_least(&unknown), ranks);
        let seconds = Estimate::of_samples(9.0, &[1.0, 17.0, 1.0, 17.0, 1.0, 17.0]);
        let both = ranks.at_least(&seconds);
        assert_eq!((both.error_above, both.freedom), (4.0, 5.0));
        assert!((3.5..3.7).contains(&both.error_below), "{both:?}");
    }
}
