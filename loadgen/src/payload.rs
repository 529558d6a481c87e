//! The bytes of records' values: how many, and how well they compress. Pure.
//!
//! Never: allocates for a record.

use crate::{random::Random, workload::RecordSize};
use std::rc::Rc;

/// Bytes that records take their own from, in turn: no two of one batch have the same, as far as
/// compressors look.
const POOL_BYTES_MIN: usize = 1 << 20;
const POOL_BYTES_MAX: usize = 8 << 20;
/// Bytes by chance and zeroes take turns in stretches of this length.
const STRETCH_BYTES: usize = 64;

/// Bytes of which a compressor leaves about the share `entropy`; one pool for producers alike.
pub fn pool(entropy: f64, batch_size: usize, mut random: Random) -> Rc<[u8]> {
    let size = (2 * batch_size).clamp(POOL_BYTES_MIN, POOL_BYTES_MAX);
    let by_chance = (entropy * STRETCH_BYTES as f64).round() as usize;
    let byte = |at: usize| {
        let is_chance = at % STRETCH_BYTES < by_chance;
        if is_chance { random.next_u64() as u8 } else { 0 }
    };
    (0..size).map(byte).collect()
}

#[derive(Clone, Debug)]
enum Sizes {
    Fixed,
    Uniform { min: usize, count: u32 },
    LogNormal { mu: f64, sigma: f64, min: usize, max: usize },
}

/// The value of one record after the other.
pub struct Payload {
    bytes: Vec<u8>,
    size: usize,
    sizes: Sizes,
    pool: Option<Rc<[u8]>>,
    /// Where in the pool the next value begins.
    at: usize,
    random: Random,
}

impl Payload {
    /// `stream`: producers begin at different places of the pool.
    pub fn new(size: RecordSize, pool: Option<Rc<[u8]>>, stream: u32, random: Random) -> Payload {
        // Bytes that a compressor cannot make nothing of, and that are cheap to make.
        let bytes: Vec<u8> =
            (0..size.max()).map(|i| (i as u8).wrapping_mul(151) ^ (i >> 3) as u8).collect();
        let sizes = match size {
            RecordSize::Fixed(_) => Sizes::Fixed,
            RecordSize::Uniform { min, max } => {
                Sizes::Uniform { min, count: (max - min + 1) as u32 }
            }
            RecordSize::LogNormal { mean, deviation, min, max } => {
                let variance = (1.0 + (deviation / mean).powi(2)).ln();
                let mu = mean.ln() - variance / 2.0;
                Sizes::LogNormal { mu, sigma: variance.sqrt(), min, max }
            }
        };
        let at = pool.as_ref().map_or(0, |pool| stream as usize * 65_537 % pool.len());
        Payload { size: bytes.len(), bytes, sizes, pool, at, random }
    }

    /// Whether values differ in more than their stamps.
    pub fn is_varied(&self) -> bool {
        self.pool.is_some() || !matches!(self.sizes, Sizes::Fixed)
    }

    /// Makes the next value.
    pub fn vary(&mut self) {
        self.size = match self.sizes {
            Sizes::Fixed => self.bytes.len(),
            Sizes::Uniform { min, count } => min + self.random.below(count) as usize,
            Sizes::LogNormal { mu, sigma, min, max } => {
                ((mu + sigma * self.random.normal()).exp() as usize).clamp(min, max)
            }
        };
        let Some(pool) = &self.pool else { return };
        let mut filled = 0;
        while filled < self.size {
            let length = (self.size - filled).min(pool.len() - self.at);
            self.bytes[filled..filled + length].copy_from_slice(&pool[self.at..self.at + length]);
            filled += length;
            self.at = (self.at + length) % pool.len();
        }
    }

    pub fn value(&self) -> &[u8] {
        &self.bytes[..self.size]
    }

    pub fn value_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.size]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::compression::{Compression, compress};

    fn sizes(size: RecordSize, seed: u64) -> Vec<f64> {
        let mut payload = Payload::new(size, None, 0, Random::new(seed, 0));
        let mut next = || {
            payload.vary();
            payload.value().len() as f64
        };
        (0..100_000).map(|_| next()).collect()
    }

    fn moments(sizes: &[f64]) -> (f64, f64) {
        let mean = sizes.iter().sum::<f64>() / sizes.len() as f64;
        let variance =
            sizes.iter().map(|size| (size - mean).powi(2)).sum::<f64>() / sizes.len() as f64;
        (mean, variance.sqrt())
    }

    #[test]
    fn sizes_have_the_moments_that_were_asked_for() {
        for seed in [1, 42] {
            let drawn = sizes(RecordSize::Uniform { min: 100, max: 300 }, seed);
            let (mean, deviation) = moments(&drawn);
            // (201² - 1) / 12 of whole numbers.
            assert!((mean - 200.0).abs() < 1.0 && (deviation - 58.02).abs() < 0.5, "{mean}");
            assert!(drawn.contains(&100.0) && drawn.contains(&300.0));
            let wide =
                RecordSize::LogNormal { mean: 500.0, deviation: 200.0, min: 0, max: 1 << 20 };
            let (mean, deviation) = moments(&sizes(wide, seed));
            // Half a byte is cut off on average.
            assert!((mean - 499.5).abs() < 4.0 && (deviation - 200.0).abs() < 6.0, "{mean}");
            assert_eq!(sizes(wide, seed), sizes(wide, seed), "one seed");
        }
        let cut = RecordSize::LogNormal { mean: 500.0, deviation: 900.0, min: 24, max: 600 };
        assert!(sizes(cut, 1).iter().all(|size| (24.0..=600.0).contains(size)));
    }

    #[test]
    fn what_compresses_is_what_is_not_entropy() {
        for entropy in [0.0, 0.25, 0.5, 1.0] {
            let pool = pool(entropy, 65_536, Random::new(1, 1));
            let mut payload =
                Payload::new(RecordSize::Fixed(1000), Some(pool), 3, Random::new(1, 2));
            let mut batch = Vec::new();
            for _ in 0..60 {
                payload.vary();
                batch.extend_from_slice(payload.value());
            }
            let packed = compress(Compression::Zstd, None, &batch);
            let share = packed.len() as f64 / batch.len() as f64;
            assert!((share - entropy).abs() < 0.06, "{share} of entropy {entropy}");
        }
    }

    #[test]
    fn one_size_and_no_pool_is_one_pattern() {
        let payload = Payload::new(RecordSize::Fixed(30), None, 0, Random::new(1, 0));
        assert!(!payload.is_varied());
        assert_eq!(payload.value().len(), 30);
    }
}
