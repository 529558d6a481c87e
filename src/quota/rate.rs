//! How much per second, over the last windows of time (`Rate` over a `WindowedSum`).
//!
//! Owns: the samples of one account. Lives on: the core of the account. Never: allocates once it
//! has a sample for each window.

use crate::limits;

/// `quota.window.num` and `quota.window.size.seconds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    samples: usize,
    window_ms: u64,
}

impl Windows {
    /// Of configs that were validated before; more samples than are kept are taken for as many.
    pub fn new(samples: i32, window_seconds: i32) -> Windows {
        let samples = (samples.max(1) as usize).min(limits::QUOTA_WINDOWS_MAX);
        Windows { samples, window_ms: window_seconds.max(1) as u64 * 1000 }
    }

    pub fn window_ms(self) -> u64 {
        self.window_ms
    }

    /// How long a sample counts behind its last event.
    pub fn span_ms(self) -> u64 {
        self.samples as u64 * self.window_ms
    }

    /// What may come at once under a quota of a bucket.
    pub fn span_seconds(self) -> f64 {
        self.span_ms() as f64 / 1000.0
    }

    /// The least time that an amount is spread over: more at once than a quota allows for it is
    /// over that quota, whatever came before.
    pub fn whole_seconds(self) -> f64 {
        (self.samples as u64 - 1) as f64 * self.window_ms as f64 / 1000.0
    }
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    amount: f64,
    start_ms: u64,
    last_ms: u64,
}

impl Sample {
    fn new(now_ms: u64) -> Sample {
        Sample { amount: 0.0, start_ms: now_ms, last_ms: now_ms }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Rate {
    /// One more than there are windows: the oldest reaches into the time that counts.
    samples: Vec<Sample>,
    current: usize,
}

impl Rate {
    pub fn record(&mut self, windows: Windows, amount: f64, now_ms: u64) {
        if self.samples.is_empty() {
            self.samples.push(Sample::new(now_ms));
        } else if now_ms - self.samples[self.current].start_ms.min(now_ms) >= windows.window_ms {
            self.current = (self.current + 1) % (windows.samples + 1);
            match self.samples.get_mut(self.current) {
                Some(sample) => *sample = Sample::new(now_ms),
                None => self.samples.push(Sample::new(now_ms)),
            }
        }
        let (kept, most) = (self.samples.len(), windows.samples + 1);
        assert!(kept <= most, "{kept} samples are kept, {most} windows count");
        let sample = &mut self.samples[self.current];
        sample.amount += amount;
        sample.last_ms = now_ms;
    }

    /// What has come in the time that counts, and how long that is in milliseconds.
    fn measure(&mut self, windows: Windows, now_ms: u64) -> (f64, u64) {
        let (mut amount, mut oldest_ms) = (0.0, now_ms);
        for sample in &mut self.samples {
            if now_ms - sample.last_ms.min(now_ms) >= windows.span_ms() {
                *sample = Sample::new(now_ms);
            }
            amount += sample.amount;
            oldest_ms = oldest_ms.min(sample.start_ms);
        }
        let elapsed_ms = now_ms - oldest_ms;
        // A rate of a moment is that of all windows but the last, in which nothing else has come.
        let missing = (windows.samples as u64 - 1).saturating_sub(elapsed_ms / windows.window_ms);
        (amount, (elapsed_ms + missing * windows.window_ms).max(1))
    }

    pub fn per_second(&mut self, windows: Windows, now_ms: u64) -> f64 {
        let (amount, elapsed_ms) = self.measure(windows, now_ms);
        amount * 1000.0 / elapsed_ms as f64
    }

    /// How long nothing may come until no more than `limit` has come per second
    /// (`QuotaUtils.throttleTime`).
    pub fn wait_ms(&mut self, windows: Windows, limit: f64, now_ms: u64) -> u64 {
        let (amount, elapsed_ms) = self.measure(windows, now_ms);
        let rate = amount * 1000.0 / elapsed_ms as f64;
        // A sum of what came and went again may be next to nothing, and below it.
        if rate > limit { ((rate - limit) / limit * elapsed_ms as f64).round() as u64 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kafka's defaults.
    fn windows() -> Windows {
        Windows::new(11, 1)
    }

    #[test]
    fn a_rate_begins_as_if_ten_windows_had_passed() {
        let mut rate = Rate::default();
        rate.record(windows(), 1000.0, 5_000);
        assert_eq!(rate.per_second(windows(), 5_000), 100.0);
        assert_eq!(rate.per_second(windows(), 5_500), 1000.0 / 10.5);
        assert_eq!(rate.wait_ms(windows(), 100.0, 5_000), 0, "as much as may be");
        assert_eq!(rate.wait_ms(windows(), 50.0, 5_000), 10_000);
    }

    #[test]
    fn after_the_wait_as_much_has_come_as_may() {
        let mut rate = Rate::default();
        let mut now_ms = 1_000_000;
        for _ in 0..1000 {
            rate.record(windows(), 70.0, now_ms);
            let wait_ms = rate.wait_ms(windows(), 300.0, now_ms);
            now_ms += wait_ms;
            let left = rate.per_second(windows(), now_ms);
            // The time that a rate is of is ten to twelve windows: see `measure`.
            assert!(left <= 360.0, "{left} per second after {wait_ms} ms");
        }
        let took_s = (now_ms - 1_000_000) as f64 / 1000.0;
        let average = 1000.0 * 70.0 / (took_s + 10.0);
        assert!((280.0..=310.0).contains(&average), "{average} per second");
    }

    #[test]
    fn what_is_old_counts_no_more_and_the_samples_are_used_again() {
        let mut rate = Rate::default();
        for second in 0..100 {
            rate.record(windows(), 10.0, second * 1000);
        }
        assert_eq!(rate.samples.len(), 12);
        assert_eq!(rate.per_second(windows(), 99_000), 10.0 * 11.0 / 10.0);
        assert_eq!(rate.per_second(windows(), 110_000), 0.0);
    }
}
