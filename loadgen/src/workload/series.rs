//! How the rate of producers changes as time goes: the phases of the run, and a series of their own
//! where they have one. Pure.
//!
//! Owns: the steps of a series. Never: decides when one record is due; `schedule.rs` does.

use super::{Phase, Producers, Workload};
use crate::{options::Rate, schedule::RateCurve};
use std::time::Duration;

/// Steps of one series: a day by the second.
pub const SERIES_STEPS_MAX: usize = 100_000;

/// What a rate is multiplied with, step by step. Before the measured time the first step holds;
/// behind the last step nothing is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Seconds from the beginning of the measured time to the end of each step; they rise.
    pub until_s: Vec<f64>,
    /// As many.
    pub factors: Vec<f64>,
}

/// Seconds, and a factor that holds for as long.
type Span = (f64, f64);

impl Series {
    /// The steps from the start of the run on.
    fn spans(&self, warm_up_s: f64) -> Vec<Span> {
        let mut from_s = 0.0;
        let span = |(until_s, factor): (&f64, &f64)| {
            let until_s = warm_up_s + until_s;
            let span = (until_s - from_s, *factor);
            from_s = until_s;
            span
        };
        self.until_s.iter().zip(&self.factors).map(span).collect()
    }
}

impl Workload {
    /// Records that are due by when, of some producers; `None` where they send as fast as they can.
    pub fn curve(&self, producers: &Producers) -> Option<RateCurve> {
        let Rate::PerSecond(rate) = producers.rate else { return None };
        let spans = self.spans(producers).into_iter();
        let spans = spans.map(|(seconds, factor)| (seconds, rate * factor));
        Some(RateCurve::new(spans, producers.arrivals))
    }

    /// Times from the start on in which nothing is sent by any producer.
    pub fn pauses(&self) -> Vec<(Duration, Duration)> {
        let of_phases = zeroes(&self.phase_spans());
        let pauses = match self.producers.iter().any(|one| one.series.is_some()) {
            false => of_phases,
            true => self
                .producers
                .iter()
                .map(|one| zeroes(&self.spans(one)))
                .reduce(|left, right| in_both(&left, &right))
                .unwrap_or(of_phases),
        };
        let time = Duration::from_secs_f64;
        pauses.into_iter().map(|(from_s, until_s)| (time(from_s), time(until_s))).collect()
    }

    /// What the measured time makes of a rate of these producers, on average.
    pub fn mean_factor(&self, producers: &Producers) -> f64 {
        let measured: Vec<&Phase> = self.phases.iter().filter(|phase| phase.measured).collect();
        if producers.series.is_none() && measured.iter().all(|phase| phase.factor == 1.0) {
            return 1.0;
        }
        let (warm_up_s, mut from_s, mut weighed) = (self.warm_up().as_secs_f64(), 0.0, 0.0);
        for (seconds, factor) in self.spans(producers) {
            let until_s: f64 = from_s + seconds;
            weighed += factor * (until_s - f64::max(from_s, warm_up_s)).max(0.0);
            from_s = until_s;
        }
        weighed / self.duration().as_secs_f64()
    }

    /// The highest factor of these producers' rate in the measured time.
    pub fn peak_factor(&self, producers: &Producers) -> f64 {
        let (warm_up_s, mut until_s) = (self.warm_up().as_secs_f64(), 0.0);
        let in_measured_time = |(seconds, factor): Span| {
            until_s += seconds;
            (until_s > warm_up_s).then_some(factor)
        };
        self.spans(producers).into_iter().filter_map(in_measured_time).fold(0.0, f64::max)
    }

    fn phase_spans(&self) -> Vec<Span> {
        self.phases.iter().map(|phase| (phase.duration.as_secs_f64(), phase.factor)).collect()
    }

    /// The factors of these producers' rate, over the whole run.
    fn spans(&self, producers: &Producers) -> Vec<Span> {
        let phases = self.phase_spans();
        match &producers.series {
            None => phases,
            Some(series) => product(&phases, &series.spans(self.warm_up().as_secs_f64())),
        }
    }
}

/// Both factors at a time, for as long as `left` lasts; behind the end of `right`, 0.
fn product(left: &[Span], right: &[Span]) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut right = right.iter().copied();
    let mut step = right.next();
    for (mut seconds, factor) in left.iter().copied() {
        while let Some((left_of_step, of_step)) = step.filter(|_| seconds > 0.0) {
            let both = seconds.min(left_of_step);
            spans.push((both, factor * of_step));
            seconds -= both;
            step = if left_of_step > both {
                Some((left_of_step - both, of_step))
            } else {
                right.next()
            };
        }
        if seconds > 0.0 {
            spans.push((seconds, 0.0));
        }
    }
    spans
}

/// From when to when the factor is 0; neighbours become one.
fn zeroes(spans: &[Span]) -> Vec<(f64, f64)> {
    let mut found: Vec<(f64, f64)> = Vec::new();
    let mut from_s = 0.0;
    for (seconds, factor) in spans {
        let until_s = from_s + seconds;
        match found.last_mut().filter(|last| last.1 == from_s) {
            _ if *factor != 0.0 => {}
            Some(last) => last.1 = until_s,
            None => found.push((from_s, until_s)),
        }
        from_s = until_s;
    }
    found
}

fn in_both(left: &[(f64, f64)], right: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut both = Vec::new();
    let (mut l, mut r) = (0, 0);
    while let (Some(one), Some(other)) = (left.get(l), right.get(r)) {
        let (from_s, until_s) = (one.0.max(other.0), one.1.min(other.1));
        if from_s < until_s {
            both.push((from_s, until_s));
        }
        if one.1 <= other.1 {
            l += 1;
        } else {
            r += 1;
        }
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::RunOptions;

    fn workload(series: &[(f64, f64)]) -> Workload {
        let line = "--topic t --rate 10 --warm-up 2s --duration 6s";
        let mut workload = Workload::of_options(&RunOptions::parse_for_tests(line));
        workload.producers[0].series = Some(Series {
            until_s: series.iter().map(|step| step.0).collect(),
            factors: series.iter().map(|step| step.1).collect(),
        });
        workload
    }

    #[test]
    fn a_series_begins_with_the_measured_time_and_its_end_is_an_end() {
        let workload = workload(&[(1.0, 2.0), (3.0, 0.0), (4.0, 1.0)]);
        assert_eq!(workload.peak_factor(&workload.producers[0]), 2.0);
        let curve = workload.curve(&workload.producers[0]).unwrap();
        // The first step holds through the 2 s of the warm-up as well.
        for (seconds, records) in [(2.0, 40.0), (3.0, 60.0), (5.0, 60.0), (6.0, 70.0), (8.0, 70.0)]
        {
            assert_eq!(curve.records_by(seconds), records, "by {seconds}");
        }
        let second = Duration::from_secs;
        assert_eq!(workload.pauses(), [(second(3), second(5)), (second(6), second(8))]);
        // 2 of the first second, 1 of the fourth: 3 in 6 s.
        assert_eq!(workload.mean_factor(&workload.producers[0]), 0.5);
    }

    #[test]
    fn phases_act_on_a_series_and_a_pause_is_one_of_all_producers() {
        let mut one = workload(&[(6.0, 3.0)]);
        one.phases[1].factor = 0.5;
        let curve = one.curve(&one.producers[0]).unwrap();
        assert_eq!((curve.records_by(2.0), curve.records_by(8.0)), (60.0, 150.0));
        let mut two = workload(&[(1.0, 0.0), (6.0, 1.0)]);
        let other = workload(&[(2.0, 0.0), (5.0, 1.0)]);
        two.producers.extend(other.producers);
        // The warm-up has the first factor, 0 of both.
        assert_eq!(two.pauses(), [(Duration::ZERO, Duration::from_secs(3))]);
    }

    #[test]
    fn times_that_two_lists_have_in_common_are_found() {
        let left = [(0.0, 2.0), (3.0, 6.0), (8.0, 9.0)];
        let right = [(1.0, 4.0), (5.0, 8.5)];
        assert_eq!(in_both(&left, &right), [(1.0, 2.0), (3.0, 4.0), (5.0, 6.0), (8.0, 8.5)]);
        assert_eq!(
            zeroes(&[(1.0, 0.0), (1.0, 0.0), (1.0, 1.0), (2.0, 0.0)]),
            [(0.0, 2.0), (3.0, 5.0)]
        );
    }
}
