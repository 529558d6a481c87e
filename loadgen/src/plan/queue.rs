//! Latency at load: a queue of one server, M/G/1, fitted to what trials have shown. Pure.
//!
//! By Pollaczek and Khinchine the mean wait is ρ / (1 - ρ) · S (1 + c²) / 2, of service times with
//! mean S and squared coefficient of variation c²; waits that are long are distributed
//! exponentially (Kingman 1961; Kleinrock, "Queueing Systems", 1975). So the percentile q of the
//! response time is
//!
//! T(q, ρ) = a(q) + b(q) · ρ / (1 - ρ)
//!
//! where a(q) holds what does not depend on the load: the network, one service and, where records
//! are flushed before they are answered, the rest of one flush and one whole flush (group commit: a
//! queue with service in bulk). b(q) is S (1 + c²) / 2 times ln(1 / (1 - q)). Both are fitted for
//! each percentile that trials have, by least squares relative to what was measured and without
//! negative values; between percentiles they are interpolated over ln(1 / (1 - q)). Never: speaks
//! of a percentile beyond those measured.

use super::nnls::Normal;

/// Beyond, a queue has not settled within a trial, and its latency is that of the trial's length.
pub const UTILISATION_MAX: f64 = 0.95;
/// Trials that a fit of two unknowns needs.
const TRIALS_MIN: usize = 3;

/// One percentile of one trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Of the busiest resource: from 0 to 1.
    pub utilisation: f64,
    pub ms: f64,
}

/// The two parameters at one percentile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fitted {
    /// As a share: 0.99.
    pub quantile: f64,
    pub base_ms: f64,
    pub slope_ms: f64,
    /// The median of what the fit misses, relative to what was measured.
    pub residual: f64,
    pub trials: usize,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latency {
    /// With rising percentile.
    pub fitted: Vec<Fitted>,
    /// The highest utilisation of a trial that it is fitted to.
    pub seen_up_to: f64,
}

fn spread(quantile: f64) -> f64 {
    -(1.0 - quantile).ln()
}

impl Latency {
    /// Of percentiles with what trials have shown. Trials above [`UTILISATION_MAX`] are left out.
    pub fn fit(percentiles: &[(f64, Vec<Seen>)]) -> Latency {
        let usable =
            |seen: &&Seen| (0.0..=UTILISATION_MAX).contains(&seen.utilisation) && seen.ms > 0.0;
        let mut latency = Latency::default();
        for (quantile, seen) in percentiles {
            let seen: Vec<&Seen> = seen.iter().filter(usable).collect();
            if seen.len() < TRIALS_MIN {
                continue;
            }
            let mut normal = Normal::new(2);
            for one in &seen {
                normal.add(&[1.0 / one.ms, load(one.utilisation) / one.ms], 1.0);
            }
            let [base_ms, slope_ms] = normal.fit()[..] else { continue };
            let mut misses: Vec<f64> = seen
                .iter()
                .map(|one| ((base_ms + slope_ms * load(one.utilisation)) / one.ms - 1.0).abs())
                .collect();
            misses.sort_by(f64::total_cmp);
            let residual = misses[misses.len() / 2];
            let trials = seen.len();
            latency.fitted.push(Fitted {
                quantile: *quantile,
                base_ms,
                slope_ms,
                residual,
                trials,
            });
            let highest = seen.iter().map(|one| one.utilisation).fold(0.0, f64::max);
            latency.seen_up_to = latency.seen_up_to.max(highest);
        }
        latency.fitted.sort_by(|a, b| a.quantile.total_cmp(&b.quantile));
        latency
    }

    /// a(q) and b(q); `None` beyond the percentiles that were measured.
    fn at(&self, quantile: f64) -> Option<(f64, f64)> {
        let above = self.fitted.iter().position(|one| one.quantile >= quantile - 1e-9)?;
        let high = self.fitted[above];
        if (high.quantile - quantile).abs() < 1e-9 {
            return Some((high.base_ms, high.slope_ms));
        }
        let low = *self.fitted.get(above.checked_sub(1)?)?;
        let part = (spread(quantile) - spread(low.quantile))
            / (spread(high.quantile) - spread(low.quantile));
        let between = |low: f64, high: f64| low + part * (high - low);
        Some((between(low.base_ms, high.base_ms), between(low.slope_ms, high.slope_ms)))
    }

    /// The median miss, relative, of the percentile that was fitted at or above this one.
    pub fn residual(&self, quantile: f64) -> Option<f64> {
        let mut above = self.fitted.iter().filter(|one| one.quantile >= quantile - 1e-9);
        above.next().map(|one| one.residual)
    }

    /// Milliseconds; `None` where the percentile was not measured, or at 100 % and above.
    pub fn ms(&self, quantile: f64, utilisation: f64) -> Option<f64> {
        let (base, slope) = self.at(quantile)?;
        (utilisation < 1.0).then(|| base + slope * load(utilisation))
    }

    /// The highest utilisation whose percentile is within the bound; 0 where none is.
    pub fn utilisation_within(&self, quantile: f64, bound_ms: f64) -> Option<f64> {
        let (base, slope) = self.at(quantile)?;
        if base > bound_ms {
            return Some(0.0);
        }
        if slope <= 0.0 {
            return Some(UTILISATION_MAX);
        }
        let load = (bound_ms - base) / slope;
        Some((load / (1.0 + load)).min(UTILISATION_MAX))
    }
}

/// ρ / (1 - ρ).
fn load(utilisation: f64) -> f64 {
    utilisation / (1.0 - utilisation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn seen(base: f64, slope: f64) -> Vec<Seen> {
        [0.1, 0.3, 0.5, 0.7, 0.9]
            .map(|utilisation| Seen { utilisation, ms: base + slope * load(utilisation) })
            .into()
    }

    #[test]
    fn known_parameters_are_found_again() {
        let latency = Latency::fit(&[(0.99, seen(1.0, 2.0)), (0.5, seen(0.5, 0.2))]);
        assert_eq!(latency.fitted.len(), 2);
        assert_eq!((latency.fitted[0].quantile, latency.seen_up_to), (0.5, 0.9));
        assert!((latency.ms(0.99, 0.5).unwrap() - 3.0).abs() < 1e-6, "{latency:?}");
        assert!(latency.residual(0.9).unwrap() < 1e-6 && latency.residual(0.999).is_none());
        assert!((latency.ms(0.5, 0.75).unwrap() - 1.1).abs() < 1e-6, "{latency:?}");
        assert!(latency.fitted[1].residual < 1e-6 && latency.fitted[1].trials == 5);
        // 1 + 2 ρ / (1 - ρ) = 7 at ρ = 0.75.
        assert!((latency.utilisation_within(0.99, 7.0).unwrap() - 0.75).abs() < 1e-6);
        assert_eq!(latency.utilisation_within(0.99, 0.9), Some(0.0));
        assert_eq!(latency.utilisation_within(0.99, 1e9), Some(UTILISATION_MAX));
    }

    #[test]
    fn percentiles_are_interpolated_and_never_guessed() {
        let latency = Latency::fit(&[(0.9, seen(1.0, 1.0)), (0.99, seen(2.0, 3.0))]);
        let between = latency.ms(0.968_377_2, 0.5).unwrap();
        assert!((between - 3.5).abs() < 1e-3, "half way over ln(1 / (1 - q)): {between}");
        assert_eq!((latency.ms(0.999, 0.5), latency.ms(0.5, 0.5)), (None, None));
        assert!(latency.ms(0.99, 1.0).is_none() && latency.utilisation_within(1.0, 9.0).is_none());
    }

    #[test]
    fn what_cannot_be_fitted_is_left_out() {
        let few = vec![Seen { utilisation: 0.5, ms: 1.0 }; 2];
        let over: Vec<Seen> = vec![Seen { utilisation: 0.99, ms: 900.0 }; 9];
        let never = vec![Seen { utilisation: 0.5, ms: 0.0 }; 9];
        for seen in [few, over, never, Vec::new()] {
            assert_eq!(Latency::fit(&[(0.99, seen)]), Latency::default());
        }
        let falling = Latency::fit(&[(
            0.99,
            vec![
                Seen { utilisation: 0.1, ms: 5.0 },
                Seen { utilisation: 0.5, ms: 4.0 },
                Seen { utilisation: 0.9, ms: 3.0 },
            ],
        )]);
        assert!(falling.fitted[0].slope_ms == 0.0, "latency does not fall with load: {falling:?}");
    }

    /// Waits of a queue by Lindley's recursion, with exponential services of mean 1.
    fn percentile_of_a_queue(utilisation: f64, quantile: f64, seed: u64) -> f64 {
        let mut chance = Random::new(seed, 0);
        let mut wait: f64 = 0.0;
        let mut responses: Vec<f64> = (0..200_000)
            .map(|_| {
                let service = chance.exponential();
                let response = wait + service;
                wait = (response - chance.exponential() / utilisation).max(0.0);
                response
            })
            .collect();
        responses.sort_by(f64::total_cmp);
        responses[(responses.len() as f64 * quantile) as usize]
    }

    #[test]
    fn the_model_holds_of_a_queue_that_is_simulated() {
        let measure = |utilisation: f64, seed| Seen {
            utilisation,
            ms: percentile_of_a_queue(utilisation, 0.99, seed),
        };
        let seen = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7].map(|at| measure(at, 3));
        let latency = Latency::fit(&[(0.99, seen.into())]);
        let fitted = latency.fitted[0];
        // S (1 + c²) / 2 · ln(100) with S = 1 and c² = 1.
        assert!((fitted.slope_ms / 4.605 - 1.0).abs() < 0.1, "{fitted:?}");
        let (predicted, real) = (latency.ms(0.99, 0.8).unwrap(), measure(0.8, 4).ms);
        assert!((predicted / real - 1.0).abs() < 0.3, "{predicted} is not {real}");
    }
}
