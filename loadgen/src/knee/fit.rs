//! The knee with its error bar: curves fitted over all trials of a run, and what several runs say
//! together. Pure.
//!
//! Owns: the arithmetic of PLRsearch (draft-vpolak-bmwg-plrsearch), with lateness for loss. Two
//! shapes of curve, each with a critical rate and a softness, are weighed by how well they explain
//! the trials; the mean and the spread of the critical rate over all of them are the result. A grid
//! replaces the draft's sampling: there are two parameters only, and the same trials give the same
//! figures.

use super::search::Trial;
use std::f64::consts::{FRAC_1_SQRT_2, LN_10};

/// Of the natural logarithm of the rate: from a knee that is a corner to one that is a slope.
const SOFTNESS_MIN: f64 = 0.000_2;
const SOFTNESS_MAX: f64 = 0.5;
const SOFTNESS_POINTS: usize = 32;
const RATE_POINTS: usize = 150;
/// How far beyond the tried rates the knee may lie.
const MARGIN: f64 = 0.2;
/// Grids, each around the spread that the one before has found.
const ROUNDS: usize = 3;
const SPREADS_AROUND: f64 = 6.0;
/// Late records at the critical rate, at most, as the weight of a trial. Late records come in
/// bursts: a million records tell no more than some bursts do.
const EVENTS_MAX: f64 = 5.0;
/// The share of what is allowed that is late at any rate.
const BACKGROUND: f64 = 0.02;
/// The share of trials that any number of late records may meet.
const ASTRAY: f64 = 0.02;
const NORMAL_95: f64 = 1.96;
/// Student's t for 95 % on both sides, by degrees of freedom from 1 on.
const STUDENT_95: [f64; 10] =
    [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

/// Of one run, in natural logarithms of the rate.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    pub mean_ln: f64,
    pub sd_ln: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Knee {
    pub records_per_s: f64,
    pub sd: f64,
    /// The interval of 95 %.
    pub low: f64,
    pub high: f64,
}

#[derive(Clone, Copy)]
enum Shape {
    Logistic,
    Normal,
}

/// What the curves are fitted to.
struct Point {
    rate_ln: f64,
    /// The late records, in the scale of the weight.
    late: f64,
    weight: f64,
}

/// Fits the trials of one goal. `None` without trials.
pub fn fit(trials: &[Trial], goal: usize, late_max: f64) -> Option<Fit> {
    // A goal that allows nothing is one that allows the least that a trial can show.
    let least = |trial: &Trial| 1.0 / (trial.rate * trial.duration_s).max(1.0);
    let finest = trials.iter().map(least).min_by(f64::total_cmp)?;
    let target = late_max.clamp(finest.min(0.5), 0.999);
    let points: Vec<Point> = trials
        .iter()
        .map(|trial| {
            let weight = (trial.rate * trial.duration_s).min(EVENTS_MAX / target).max(1.0);
            let late = trial.late[goal].clamp(0.0, 1.0) * weight;
            Point { rate_ln: trial.rate.ln(), late, weight }
        })
        .collect();
    let rates = || points.iter().map(|point| point.rate_ln);
    let mut low = rates().min_by(f64::total_cmp)? - MARGIN;
    let mut high = rates().max_by(f64::total_cmp)? + MARGIN;
    let (lowest, highest) = (low, high);
    let mut fit = on_grid(&points, target, low, high);
    for _ in 1..ROUNDS {
        // No narrower than the points of the grid were apart: they cannot tell what is between.
        let reach = (SPREADS_AROUND * fit.sd_ln).max(3.0 * (high - low) / RATE_POINTS as f64);
        low = (fit.mean_ln - reach).max(lowest);
        high = (fit.mean_ln + reach).min(highest);
        fit = on_grid(&points, target, low, high);
    }
    Some(fit)
}

/// Mean and spread of the critical rate over both shapes and all softnesses.
fn on_grid(points: &[Point], target: f64, low: f64, high: f64) -> Fit {
    let step = (high - low) / RATE_POINTS as f64;
    let softness_ratio = (SOFTNESS_MAX / SOFTNESS_MIN).powf(1.0 / (SOFTNESS_POINTS - 1) as f64);
    let mut cells = Vec::with_capacity(2 * RATE_POINTS * SOFTNESS_POINTS);
    for shape in [Shape::Logistic, Shape::Normal] {
        let at_knee = shape.inverse((target - BACKGROUND * target) / (1.0 - BACKGROUND * target));
        for row in 0..RATE_POINTS {
            let critical_ln = low + (row as f64 + 0.5) * step;
            let mut softness = SOFTNESS_MIN;
            for _ in 0..SOFTNESS_POINTS {
                let share = |rate_ln: f64| {
                    let late = shape.at((rate_ln - critical_ln) / softness + at_knee);
                    BACKGROUND * target + (1.0 - BACKGROUND * target) * late
                };
                let likelihood_ln: f64 =
                    points.iter().map(|point| likelihood_ln(point, share(point.rate_ln))).sum();
                cells.push((critical_ln, likelihood_ln));
                softness *= softness_ratio;
            }
        }
    }
    moments(&cells)
}

/// Of so many late records where `share` of them are expected: geometric, as the draft has it,
/// because what is late comes in bursts of any size. A few trials tell nothing of the curve: a
/// stall that comes once, at any rate, must not make a corner look like a slope.
fn likelihood_ln(point: &Point, share: f64) -> f64 {
    let expected = (point.weight * share).max(f64::MIN_POSITIVE);
    let of_curve = point.late * (expected.ln() - expected.ln_1p()) - expected.ln_1p();
    ((1.0 - ASTRAY) * of_curve.exp() + ASTRAY / (point.weight + 1.0)).ln()
}

fn moments(cells: &[(f64, f64)]) -> Fit {
    let best = cells.iter().map(|(_, likelihood_ln)| *likelihood_ln).fold(f64::MIN, f64::max);
    let weighed = || cells.iter().map(|(at, likelihood_ln)| (at, (likelihood_ln - best).exp()));
    let sum: f64 = weighed().map(|(_, weight)| weight).sum();
    let mean_ln = weighed().map(|(at, weight)| at * weight).sum::<f64>() / sum;
    let variance = weighed().map(|(at, weight)| weight * (at - mean_ln).powi(2)).sum::<f64>() / sum;
    Fit { mean_ln, sd_ln: variance.sqrt() }
}

impl Shape {
    fn at(self, x: f64) -> f64 {
        match self {
            Shape::Logistic => 1.0 / (1.0 + (-x).exp()),
            Shape::Normal => 0.5 * erfc(-x * FRAC_1_SQRT_2),
        }
    }

    fn inverse(self, share: f64) -> f64 {
        match self {
            Shape::Logistic => (share / (1.0 - share)).ln(),
            Shape::Normal => {
                let (mut low, mut high) = (-40.0, 40.0);
                for _ in 0..100 {
                    let middle = 0.5 * (low + high);
                    if self.at(middle) < share { low = middle } else { high = middle }
                }
                0.5 * (low + high)
            }
        }
    }
}

/// The complementary error function to seven digits: the Chebyshev fit of Numerical Recipes.
fn erfc(x: f64) -> f64 {
    const TERMS: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let t = 1.0 / (1.0 + 0.5 * x.abs());
    let series = TERMS.iter().rev().fold(0.0, |sum, term| sum * t + term);
    let tail = t * (series - x * x).exp();
    if x >= 0.0 { tail } else { 2.0 - tail }
}

/// What runs say together: the larger of the spread within them and between them. Their trials are
/// never one pool: what differs from run to run would be lost in it.
pub fn combine(runs: &[Fit]) -> Option<Knee> {
    let count = runs.len() as f64;
    let mean_ln = runs.iter().map(|run| run.mean_ln).sum::<f64>() / count;
    let within = (runs.iter().map(|run| run.sd_ln.powi(2)).sum::<f64>() / count).sqrt();
    let (between, student) = match runs.len() {
        0 => return None,
        1 => (0.0, 0.0),
        runs_count => {
            let squares: f64 = runs.iter().map(|run| (run.mean_ln - mean_ln).powi(2)).sum();
            let student = STUDENT_95.get(runs_count - 2).copied().unwrap_or(NORMAL_95);
            ((squares / (count - 1.0) / count).sqrt(), student)
        }
    };
    // A rate has no more than some powers of ten: no spread makes an interval beyond them.
    let reach = (NORMAL_95 * within).max(student * between).min(LN_10);
    let records_per_s = mean_ln.exp();
    Some(Knee {
        records_per_s,
        sd: records_per_s * within.max(between),
        low: (mean_ln - reach).exp(),
        high: (mean_ln + reach).exp(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        knee::simulated::{Kind, System, settings},
        random::Random,
    };

    const SEEDS: u64 = 100;

    fn fit_search(system: &mut System) -> Fit {
        let late_max = system.late_max;
        let (_, search) = system.search(settings());
        fit(search.trials(), 0, late_max).unwrap()
    }

    fn covers(knee: Knee, truth: f64) -> bool {
        knee.low <= truth && truth <= knee.high
    }

    #[test]
    fn the_true_knee_lies_in_the_interval_of_one_run() {
        for kind in [Kind::Sharp, Kind::Soft, Kind::Noisy] {
            let (mut inside, mut widest) = (0, 0.0);
            for seed in 0..SEEDS {
                let mut system = System::new(kind, seed);
                let knee = combine(&[fit_search(&mut system)]).unwrap();
                inside += u64::from(covers(knee, system.knee));
                widest = f64::max(widest, knee.high / knee.low);
            }
            assert!(inside >= 90, "{kind:?}: {inside} of {SEEDS}");
            assert!(widest < 1.5, "{kind:?}: an interval that says nothing, up to {widest}");
        }
    }

    #[test]
    fn the_true_knee_lies_in_the_interval_of_three_runs_that_differ() {
        let mut inside = 0;
        for seed in 0..SEEDS {
            let mut chance = Random::new(seed + 1_000, 0);
            let truth = System::new(Kind::Noisy, seed).knee;
            let runs: Vec<Fit> = (0..3)
                .map(|run| {
                    let mut system = System::new(Kind::Noisy, seed);
                    system.knee = truth * (0.05 * chance.normal()).exp();
                    system.chance = Random::new(seed * 7 + run, 0);
                    fit_search(&mut system)
                })
                .collect();
            inside += u64::from(covers(combine(&runs).unwrap(), truth));
        }
        assert!(inside >= 90, "{inside} of {SEEDS}");
    }

    #[test]
    fn runs_that_differ_widen_the_interval_and_runs_that_agree_do_not_narrow_it() {
        let run = |mean: f64| Fit { mean_ln: mean.ln(), sd_ln: 0.01 };
        let one = combine(&[run(1000.0)]).unwrap();
        let same = combine(&[run(1000.0); 3]).unwrap();
        assert!((same.high - one.high).abs() < 1e-6 && (one.sd - 10.0).abs() < 1e-6);
        let apart = combine(&[run(900.0), run(1000.0), run(1100.0)]).unwrap();
        assert!(apart.high > 1200.0 && apart.low < 800.0, "{apart:?}");
        assert!(apart.sd > 50.0, "{apart:?}");
        assert_eq!(combine(&[]), None);
    }

    #[test]
    fn the_same_trials_give_the_same_figures_and_none_gives_none() {
        let figures = || {
            let fit = fit_search(&mut System::new(Kind::Noisy, 5));
            (fit.mean_ln.to_bits(), fit.sd_ln.to_bits())
        };
        assert_eq!(figures(), figures());
        assert!(fit(&[], 0, 0.01).is_none());
    }

    #[test]
    fn a_goal_that_allows_nothing_late_has_a_knee_as_well() {
        let mut system = System::new(Kind::Sharp, 9);
        let (_, search) = system.search(settings());
        let knee = combine(&[fit(search.trials(), 0, 0.0).unwrap()]).unwrap();
        assert!(covers(knee, system.knee) && knee.high / knee.low < 1.2, "{knee:?}");
    }

    #[test]
    fn the_shapes_and_their_inverses_agree() {
        for shape in [Shape::Logistic, Shape::Normal] {
            for share in [1e-5, 0.001, 0.01, 0.5, 0.9] {
                let back = shape.at(shape.inverse(share));
                assert!((back / share - 1.0).abs() < 1e-6, "{share}: {back}");
            }
        }
        // Of a table of the normal distribution.
        assert!((Shape::Normal.at(-1.96) - 0.024_998).abs() < 1e-6);
        assert!((Shape::Normal.inverse(0.01) + 2.326_348).abs() < 1e-5);
    }
}
