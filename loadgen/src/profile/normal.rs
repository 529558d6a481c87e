//! The normal distribution: its share below a value, and the inverse of that. Pure.
//!
//! Never: claims more than six digits; samples have fewer.

/// The share of a standard normal distribution at or below `z`, by Abramowitz and Stegun 7.1.26:
/// within 1.5e-7.
pub fn share_below(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let polynomial = t
        * (0.254_829_592
            + t * (-0.284_496_736
                + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    let beyond = 0.5 * polynomial * (-x * x).exp();
    if z >= 0.0 { 1.0 - beyond } else { beyond }
}

/// The value with this share below it, for shares above 0 and below 1: by halving, to 1e-9.
pub fn value_of(share: f64) -> f64 {
    const FARTHEST: f64 = 8.0;
    let (mut low, mut high) = (-FARTHEST, FARTHEST);
    while high - low > 1e-9 {
        let middle = (low + high) / 2.0;
        if share_below(middle) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_come_out() {
        for (z, share) in
            [(0.0, 0.5), (1.0, 0.841_344_75), (-1.96, 0.024_997_9), (3.0, 0.998_650_1)]
        {
            assert!((share_below(z) - share).abs() < 1e-6, "{z}: {}", share_below(z));
            assert!((value_of(share) - z).abs() < 1e-4, "{share}: {}", value_of(share));
        }
        assert!(value_of(0.0).is_finite() && value_of(1.0).is_finite());
    }
}
