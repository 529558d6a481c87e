//! Numbers by chance for workloads and plans, from a seed. Pure: the same seed gives the same
//! numbers in every release, which a library does not promise; that is why they are made here.

use std::f64::consts::TAU;

/// SplitMix64: one addition and a mix per number, equally distributed over 64 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Random(u64);

impl Random {
    /// `stream` tells apart what draws from one seed.
    pub fn new(seed: u64, stream: u64) -> Random {
        let mut seeded = Random(seed);
        let first = seeded.next_u64();
        Random(first ^ Random(stream).next_u64())
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to, and without, 1.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From 0 up to, and without, `bound`, by Lemire's multiplication; the bias is below 2^-32.
    pub fn below(&mut self, bound: u32) -> u32 {
        ((self.next_u64() >> 32).wrapping_mul(u64::from(bound)) >> 32) as u32
    }

    /// With a mean of 1: the gaps of a Poisson process.
    pub fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }

    /// With a mean of 0 and a deviation of 1, as Box and Muller have it.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (TAU * self.unit()).cos()
    }

    /// Between the two, evenly on a scale of ratios.
    #[cfg(test)]
    pub fn ratio(&mut self, low: f64, high: f64) -> f64 {
        low * (high / low).powf(self.unit())
    }
}

/// Ranks 0, 1, 2, … of which rank k is drawn in proportion to (k + 1)^-exponent, by
/// rejection-inversion (Hörmann and Derflinger, 1996): no table, whatever the count.
#[derive(Clone, Debug)]
pub struct Zipf {
    count: f64,
    exponent: f64,
    /// The integral of the density up to count + ½, and up to 1½ less the first rank's own share.
    integral_end: f64,
    integral_begin: f64,
}

impl Zipf {
    /// `exponent` above 0.
    pub fn new(count: u32, exponent: f64) -> Zipf {
        assert!(count > 0 && exponent > 0.0, "checked where it is read");
        let (mut zipf, last) = (
            Zipf { count: f64::from(count), exponent, integral_end: 0.0, integral_begin: 0.0 },
            f64::from(count) + 0.5,
        );
        zipf.integral_end = zipf.integral(last);
        zipf.integral_begin = zipf.integral(1.5) - 1.0;
        zipf
    }

    pub fn draw(&self, random: &mut Random) -> u32 {
        loop {
            let at =
                self.integral_begin + random.unit() * (self.integral_end - self.integral_begin);
            let x = self.integral_inverse(at);
            let rank = x.round().clamp(1.0, self.count);
            if at >= self.integral(rank + 0.5) - rank.powf(-self.exponent) {
                return rank as u32 - 1;
            }
        }
    }

    /// The integral of x^-exponent, but for a constant.
    fn integral(&self, x: f64) -> f64 {
        let log = x.ln();
        let power = (1.0 - self.exponent) * log;
        if power.abs() < 1e-9 { log } else { power.exp_m1() / (1.0 - self.exponent) }
    }

    fn integral_inverse(&self, integral: f64) -> f64 {
        let scaled = integral * (1.0 - self.exponent);
        if scaled.abs() < 1e-9 {
            return integral.exp();
        }
        (scaled.max(-1.0 + f64::EPSILON).ln_1p() / (1.0 - self.exponent)).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: u32 = 200_000;

    /// Mean and variance of what is drawn.
    fn moments(seed: u64, mut draw: impl FnMut(&mut Random) -> f64) -> (f64, f64) {
        let mut random = Random::new(seed, 0);
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..DRAWS {
            let value = draw(&mut random);
            sum += value;
            squares += value * value;
        }
        let mean = sum / f64::from(DRAWS);
        (mean, squares / f64::from(DRAWS) - mean * mean)
    }

    fn is_near(value: f64, expected: f64, tolerance: f64) {
        assert!((value - expected).abs() <= tolerance, "{value} is not {expected} ± {tolerance}");
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        for seed in [1, 2, 99] {
            let (mean, variance) = moments(seed, Random::unit);
            is_near(mean, 0.5, 0.003);
            is_near(variance, 1.0 / 12.0, 0.001);
            let (mean, variance) = moments(seed, Random::exponential);
            is_near(mean, 1.0, 0.01);
            is_near(variance, 1.0, 0.03);
            let (mean, variance) = moments(seed, Random::normal);
            is_near(mean, 0.0, 0.01);
            is_near(variance, 1.0, 0.02);
            let (mean, variance) = moments(seed, |random| f64::from(random.below(10)));
            is_near(mean, 4.5, 0.03);
            is_near(variance, 8.25, 0.1);
        }
    }

    #[test]
    fn zipf_draws_each_rank_by_its_share() {
        for (count, exponent) in [(1, 1.0), (10, 0.5), (100, 1.0), (1000, 0.99), (50, 2.0)] {
            let weight = |rank: u32| f64::from(rank + 1).powf(-exponent);
            let total: f64 = (0..count).map(weight).sum();
            let mean: f64 = (0..count).map(|k| f64::from(k) * weight(k)).sum::<f64>() / total;
            let square: f64 =
                (0..count).map(|k| f64::from(k).powi(2) * weight(k)).sum::<f64>() / total;
            let deviation = (square - mean * mean).max(0.0).sqrt();
            let zipf = Zipf::new(count, exponent);
            let (mut random, mut drawn) = (Random::new(7, 1), vec![0u32; count as usize]);
            let mut sum = 0.0;
            for _ in 0..DRAWS {
                let rank = zipf.draw(&mut random);
                drawn[rank as usize] += 1;
                sum += f64::from(rank);
            }
            let standard_error = deviation / f64::from(DRAWS).sqrt();
            is_near(sum / f64::from(DRAWS), mean, 5.0 * standard_error + 1e-9);
            for rank in 0..count.min(5) {
                let share = weight(rank) / total;
                let error = (share * (1.0 - share) / f64::from(DRAWS)).sqrt();
                is_near(f64::from(drawn[rank as usize]) / f64::from(DRAWS), share, 5.0 * error);
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_streams_differ() {
        let draw = |seed, stream| {
            let mut random = Random::new(seed, stream);
            [(); 4].map(|()| random.next_u64())
        };
        assert_eq!(draw(1, 0), draw(1, 0));
        assert_ne!(draw(1, 0), draw(1, 1));
        assert_ne!(draw(1, 0), draw(2, 0));
        // Written down: a release that draws otherwise would make other workloads of old files.
        assert_eq!(Random(0).next_u64(), 0xe220_a839_7b1d_cdaf);
    }
}
