//! How capacity grows with cores, or with brokers: Gunther's Universal Scalability Law ("Guerrilla
//! Capacity Planning", 2007). Pure.
//!
//! X(N) = λ N / (1 + σ (N - 1) + κ N (N - 1)): λ is what one gives, σ what waits for shared
//! things, κ what agreeing with one another costs. N / X is linear in 1/λ, σ/λ and κ/λ, so that
//! least squares without negative values fit it, relative to each measurement. Never: takes a
//! parameter from fewer sizes than it needs, or says nothing of where it came from.

use super::nnls::Normal;
use crate::random::Random;

/// Where only one size was measured: σ is taken to be this much. Millstream on 8 cores
/// gave 5.4 times one core's records (README.md, "Figures"): (8 / 5.4 - 1) / 7.
pub const SIGMA_ASSUMED: f64 = 0.07;
/// Beyond, adding a core takes away more than it gives from the second on.
const PARAMETER_MAX: f64 = 1.0;
/// Nothing is said beyond this many times the largest size measured.
pub const REACH: f64 = 2.0;
const RESAMPLES: usize = 400;
const SEED: u64 = 0x5ca1_ab1e;

/// The capacity at one size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub size: f64,
    pub capacity: f64,
    /// Of the capacity.
    pub sd: f64,
}

/// What the parameters rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// One size: σ is assumed.
    Assumed,
    /// Two sizes: σ is fitted, κ is 0 (Amdahl's law).
    Amdahl,
    /// Three or more.
    Fitted,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    pub lambda: f64,
    pub sigma: f64,
    pub kappa: f64,
    pub basis: Basis,
    /// The smallest and the largest size that was measured.
    pub measured: (f64, f64),
    /// Root mean square of what the fit misses, relative; `None` where nothing is left over.
    pub residual: Option<f64>,
    pub points: Vec<Point>,
    /// (σ, κ) of fits to what the measurements might have been, by their own errors.
    resampled: Vec<(f64, f64)>,
}

fn slowdown(sigma: f64, kappa: f64, size: f64) -> f64 {
    1.0 + sigma * (size - 1.0) + kappa * size * (size - 1.0)
}

impl Scaling {
    /// `None` without a size. Sizes are 1 or more, capacities above 0.
    pub fn fit(points: &[Point]) -> Option<Scaling> {
        let mut sizes: Vec<f64> = points.iter().map(|point| point.size).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        let measured = (*sizes.first()?, *sizes.last()?);
        let basis = match sizes.len() {
            1 => Basis::Assumed,
            2 => Basis::Amdahl,
            _ => Basis::Fitted,
        };
        let (lambda, sigma, kappa) = parameters(points, basis)?;
        let mut scaling = Scaling {
            lambda,
            sigma,
            kappa,
            basis,
            measured,
            residual: None,
            points: points.to_vec(),
            resampled: Vec::new(),
        };
        let unknowns = match basis {
            Basis::Assumed => 1,
            Basis::Amdahl => 2,
            Basis::Fitted => 3,
        };
        if points.len() > unknowns {
            let miss = |point: &Point| scaling.capacity(point.size) / point.capacity - 1.0;
            let square: f64 = points.iter().map(|point| miss(point).powi(2)).sum();
            scaling.residual = Some((square / (points.len() - unknowns) as f64).sqrt());
        }
        scaling.resampled = resampled(points, basis);
        Some(scaling)
    }

    /// Where nothing was measured of one size beside another: each gives as much as the first.
    pub fn linear(measured: f64) -> Scaling {
        Scaling {
            lambda: 1.0,
            sigma: 0.0,
            kappa: 0.0,
            basis: Basis::Assumed,
            measured: (measured, measured),
            residual: None,
            points: Vec::new(),
            resampled: Vec::new(),
        }
    }

    pub fn capacity(&self, size: f64) -> f64 {
        self.lambda * size * self.efficiency(size)
    }

    /// What one of `size` gives beside one alone: from 1 downwards.
    pub fn efficiency(&self, size: f64) -> f64 {
        1.0 / slowdown(self.sigma, self.kappa, size)
    }

    /// The interval of 95 % of the efficiency, by the measurements' own errors.
    pub fn interval(&self, size: f64) -> Option<(f64, f64)> {
        if self.resampled.is_empty() {
            return None;
        }
        let mut values: Vec<f64> = self
            .resampled
            .iter()
            .map(|(sigma, kappa)| 1.0 / slowdown(*sigma, *kappa, size))
            .collect();
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
        Some((at(0.025), at(0.975)))
    }

    /// From which size on more of them give less; `None`: never.
    pub fn peak(&self) -> Option<f64> {
        (self.kappa > 0.0).then(|| ((1.0 - self.sigma) / self.kappa).max(1.0).sqrt())
    }

    pub fn reach(&self) -> f64 {
        self.measured.1 * REACH
    }
}

/// λ, σ and κ.
fn parameters(points: &[Point], basis: Basis) -> Option<(f64, f64, f64)> {
    let columns = match basis {
        Basis::Assumed => {
            // λ alone: each measurement as one of size 1 would have been.
            let alone = |point: &Point| {
                point.capacity / point.size * slowdown(SIGMA_ASSUMED, 0.0, point.size)
            };
            let mean = points.iter().map(alone).sum::<f64>() / points.len() as f64;
            return (mean.is_finite() && mean > 0.0).then_some((mean, SIGMA_ASSUMED, 0.0));
        }
        Basis::Amdahl => 2,
        Basis::Fitted => 3,
    };
    let mut normal = Normal::new(columns);
    for Point { size, capacity, .. } in points {
        let weight = capacity / size;
        let row = [1.0, size - 1.0, size * (size - 1.0)].map(|value| value * weight);
        normal.add(&row[..columns], 1.0);
    }
    let found = normal.fit();
    let alone = found[0];
    if alone.is_nan() || alone <= 0.0 {
        return None;
    }
    let of = |column: usize| found.get(column).map_or(0.0, |value| value / alone);
    Some((1.0 / alone, of(1).min(PARAMETER_MAX), of(2).min(PARAMETER_MAX)))
}

fn resampled(points: &[Point], basis: Basis) -> Vec<(f64, f64)> {
    if basis == Basis::Assumed {
        return Vec::new();
    }
    let mut chance = Random::new(SEED, 0);
    let once = |chance: &mut Random| {
        let moved: Vec<Point> = points
            .iter()
            .map(|point| {
                let relative = point.sd / point.capacity;
                let factor = (relative * chance.normal()).exp();
                Point { capacity: point.capacity * factor, ..*point }
            })
            .collect();
        parameters(&moved, basis).map(|(_, sigma, kappa)| (sigma, kappa))
    };
    (0..RESAMPLES).filter_map(|_| once(&mut chance)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(lambda: f64, sigma: f64, kappa: f64, sizes: &[f64], noise: f64) -> Vec<Point> {
        let mut chance = Random::new(7, 0);
        let point = |size: &f64| {
            let capacity = lambda * size / slowdown(sigma, kappa, *size);
            let capacity = capacity * (noise * chance.normal()).exp();
            Point { size: *size, capacity, sd: capacity * noise }
        };
        sizes.iter().map(point).collect()
    }

    #[test]
    fn known_parameters_are_found_again() {
        for (sigma, kappa) in [(0.0, 0.0), (0.05, 0.0), (0.02, 0.001), (0.0, 0.01), (0.3, 0.02)] {
            let scaling =
                Scaling::fit(&points(900.0, sigma, kappa, &[1.0, 2.0, 4.0, 8.0], 0.0)).unwrap();
            assert!((scaling.sigma - sigma).abs() < 1e-6, "{scaling:?}");
            assert!((scaling.kappa - kappa).abs() < 1e-6, "{scaling:?}");
            assert!((scaling.lambda / 900.0 - 1.0).abs() < 1e-6, "{scaling:?}");
            assert!(scaling.basis == Basis::Fitted && scaling.residual.unwrap() < 1e-6);
        }
    }

    #[test]
    fn measurements_that_were_published_have_their_published_parameters() {
        // Of Schwartz, "Practical Scalability Analysis with the Universal Scalability Law", as the
        // crate `usl` repeats them; there λ = 995.65, σ = 0.0267 and κ = 0.000769, by least squares
        // that are not relative, over more points.
        let measured = [
            (1.0, 955.16),
            (5.0, 4315.54),
            (10.0, 7867.61),
            (15.0, 9645.37),
            (20.0, 10798.52),
            (25.0, 12075.41),
            (30.0, 12118.04),
        ];
        let points = measured.map(|(size, capacity)| Point { size, capacity, sd: 0.0 });
        let scaling = Scaling::fit(&points).unwrap();
        assert!((scaling.lambda / 995.65 - 1.0).abs() < 0.05, "{scaling:?}");
        assert!((scaling.sigma - 0.0267).abs() < 0.01, "{scaling:?}");
        assert!((scaling.kappa / 0.000_769 - 1.0).abs() < 0.3, "{scaling:?}");
        assert!((scaling.peak().unwrap() / 35.0 - 1.0).abs() < 0.1, "{:?}", scaling.peak());
        assert_eq!((scaling.measured, scaling.reach()), ((1.0, 30.0), 60.0));
    }

    #[test]
    fn too_few_sizes_take_fewer_parameters_and_say_so() {
        let two = Scaling::fit(&points(10.0, 0.1, 0.0, &[1.0, 4.0, 4.0], 0.0)).unwrap();
        assert!(two.basis == Basis::Amdahl && (two.sigma - 0.1).abs() < 1e-9 && two.kappa == 0.0);
        let one = Scaling::fit(&points(10.0, 0.1, 0.0, &[4.0], 0.0)).unwrap();
        assert_eq!((one.basis, one.sigma, one.kappa), (Basis::Assumed, SIGMA_ASSUMED, 0.0));
        assert!(one.interval(8.0).is_none() && one.residual.is_none());
        assert!(
            (one.capacity(4.0) / points(10.0, 0.1, 0.0, &[4.0], 0.0)[0].capacity - 1.0).abs()
                < 1e-9
        );
        assert_eq!(Scaling::fit(&[]), None);
        assert_eq!(Scaling::linear(3.0).efficiency(100.0), 1.0);
    }

    #[test]
    fn what_grows_faster_than_its_size_is_bounded() {
        let faster: Vec<Point> = [(1.0, 10.0), (2.0, 30.0), (4.0, 80.0), (8.0, 200.0)]
            .map(|(size, capacity)| Point { size, capacity, sd: 0.1 })
            .into();
        let scaling = Scaling::fit(&faster).unwrap();
        assert_eq!((scaling.sigma, scaling.kappa), (0.0, 0.0), "no parameter is negative");
        assert!(scaling.residual.unwrap() > 0.1, "and the residual tells of it");
    }

    #[test]
    fn the_interval_holds_the_truth_about_as_often_as_it_says() {
        let mut held = 0;
        for seed in 0..100 {
            let mut chance = Random::new(seed, 0);
            let mut noisy = points(100.0, 0.05, 0.002, &[1.0, 2.0, 4.0, 8.0], 0.0);
            for point in &mut noisy {
                point.capacity *= (0.02 * chance.normal()).exp();
                point.sd = point.capacity * 0.02;
            }
            let scaling = Scaling::fit(&noisy).unwrap();
            let (low, high) = scaling.interval(8.0).unwrap();
            let truth = 1.0 / slowdown(0.05, 0.002, 8.0);
            held += usize::from((low..=high).contains(&truth));
        }
        assert!((88..=100).contains(&held), "{held} of 100");
    }
}
