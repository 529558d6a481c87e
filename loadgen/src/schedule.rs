//! When the records of one producer are due, where a rate was asked for. Pure.

use ring::Instant;
use std::time::Duration;

/// Record number i of stream s of n is due at start + (i·n + s) / rate: the streams take turns, so
/// that their records do not all come at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    pub start: Instant,
    /// Records per second of all streams together.
    pub rate: f64,
    pub streams: usize,
    pub stream: u32,
}

impl Schedule {
    pub fn due(&self, index: u64) -> Instant {
        self.start + Duration::from_secs_f64(index as f64 / self.per_stream() + self.shift_s())
    }

    /// How many records are due before `end`.
    pub fn count_before(&self, end: Instant) -> u64 {
        let estimate = (end.since(self.start).as_secs_f64() - self.shift_s()) * self.per_stream();
        let mut count = estimate.max(0.0) as u64;
        while count > 0 && self.due(count - 1) >= end {
            count -= 1;
        }
        while self.due(count) < end {
            count += 1;
        }
        count
    }

    fn per_stream(&self) -> f64 {
        self.rate / self.streams as f64
    }

    fn shift_s(&self) -> f64 {
        f64::from(self.stream) / self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_streams_together_owe_rate_times_duration() {
        for (rate, streams, seconds, total) in [
            (500.0, 1, 4.0, 2000),
            (1000.0, 3, 1.0, 1000),
            (7.0, 2, 0.5, 4),
            (1e6, 2, 2.0, 2_000_000),
        ] {
            let owed = |stream| {
                let schedule = Schedule { start: Instant(5_000), rate, streams, stream };
                let end = schedule.start + Duration::from_secs_f64(seconds);
                let count = schedule.count_before(end);
                assert!(
                    schedule.due(count) >= end && (count == 0 || schedule.due(count - 1) < end)
                );
                count
            };
            assert_eq!(
                (0..streams as u32).map(owed).sum::<u64>(),
                total,
                "{rate}/s in {streams} streams"
            );
        }
    }

    #[test]
    fn a_run_that_ends_before_it_begins_owes_nothing() {
        let schedule = Schedule { start: Instant(5_000), rate: 10.0, streams: 2, stream: 1 };
        assert_eq!(schedule.count_before(Instant(0)), 0);
        assert_eq!(schedule.count_before(schedule.start), 0);
    }
}
