//! When the records of one producer are due, where a rate was asked for. Pure.
//!
//! A curve says how many records of all streams are due by a time: it is made of the phases, each
//! with its rate, and of bursts within them. Record number i of stream s of n is due when the curve
//! reaches i·n + s, so that the streams take turns; with Poisson arrivals, when it reaches the sum
//! of i exponential steps of n.

use crate::random::Random;
use ring::Instant;
use std::rc::Rc;

/// A schedule of more records that were never sent is booked in so many portions of neighbours.
const PORTIONS_MAX: u64 = 1_000_000;
/// Where nothing more will be due.
const NEVER: Instant = Instant(u64::MAX / 2);

/// How records come within a phase.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Arrivals {
    /// Evenly.
    #[default]
    Fixed,
    /// Each independently of the others.
    Poisson,
    /// Evenly within the first `share` of each period, and not at all in the rest of it.
    Bursty { period_s: f64, share: f64 },
}

/// Records per second of all streams from some time on.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    from_s: f64,
    records_before: f64,
    per_second: f64,
}

/// How many records are due by when; rises, and stands still where the rate is 0.
#[derive(Clone, Debug, PartialEq)]
pub struct RateCurve {
    pieces: Vec<Piece>,
    arrivals: Arrivals,
}

impl RateCurve {
    /// Seconds and the rate within them; the last one goes on.
    pub fn new(spans: impl IntoIterator<Item = (f64, f64)>, arrivals: Arrivals) -> RateCurve {
        let (mut from_s, mut records_before) = (0.0, 0.0);
        let pieces = spans.into_iter().map(|(seconds, per_second)| {
            let piece = Piece { from_s, records_before, per_second };
            from_s += seconds;
            records_before += within(arrivals, per_second, seconds);
            piece
        });
        RateCurve { pieces: pieces.collect(), arrivals }
    }

    pub fn records_by(&self, seconds: f64) -> f64 {
        let after = self.pieces.partition_point(|piece| piece.from_s <= seconds);
        let Some(piece) = after.checked_sub(1).map(|at| self.pieces[at]) else { return 0.0 };
        piece.records_before + within(self.arrivals, piece.per_second, seconds - piece.from_s)
    }

    /// The piece in which this many records are reached: the last, where it stands still before.
    fn piece_of(&self, records: f64) -> usize {
        self.pieces.partition_point(|piece| piece.records_before <= records).saturating_sub(1)
    }

    /// `at`: what `piece_of` says.
    fn seconds_of(&self, at: usize, records: f64) -> Option<f64> {
        let piece = self.pieces.get(at).filter(|piece| piece.per_second > 0.0)?;
        let more = records - piece.records_before;
        Some(piece.from_s + time_of(self.arrivals, piece.per_second, more))
    }
}

/// Records within the first `seconds` of a phase.
fn within(arrivals: Arrivals, per_second: f64, seconds: f64) -> f64 {
    match arrivals {
        Arrivals::Fixed | Arrivals::Poisson => per_second * seconds,
        Arrivals::Bursty { period_s, share } => {
            let periods = (seconds / period_s).floor();
            let rest_s = (seconds - periods * period_s).min(share * period_s);
            periods * per_second * period_s + rest_s * per_second / share
        }
    }
}

/// The inverse of `within`.
fn time_of(arrivals: Arrivals, per_second: f64, records: f64) -> f64 {
    match arrivals {
        Arrivals::Fixed | Arrivals::Poisson => records / per_second,
        Arrivals::Bursty { period_s, share } => {
            let per_period = per_second * period_s;
            let periods = (records / per_period).floor();
            periods * period_s + (records - periods * per_period) * share / per_second
        }
    }
}

/// The due times of one stream, one after the other.
#[derive(Clone, Debug)]
pub struct Schedule {
    start: Instant,
    curve: Rc<RateCurve>,
    streams: f64,
    /// Where on the curve the next record stands.
    position: f64,
    piece: usize,
    /// With Poisson arrivals.
    random: Option<Random>,
    next_due: Instant,
}

impl Schedule {
    pub fn new(
        start: Instant,
        curve: Rc<RateCurve>,
        streams: usize,
        stream: usize,
        mut random: Random,
    ) -> Schedule {
        let streams = streams as f64;
        let is_poisson = curve.arrivals == Arrivals::Poisson;
        let position = if is_poisson { random.exponential() * streams } else { stream as f64 };
        let random = is_poisson.then_some(random);
        let mut schedule =
            Schedule { start, curve, streams, position, piece: 0, random, next_due: NEVER };
        schedule.find();
        schedule
    }

    /// When the next record is due.
    pub fn due(&self) -> Instant {
        self.next_due
    }

    pub fn advance(&mut self) {
        // Whole numbers are exact as far as any run goes: no error adds up.
        self.position += match &mut self.random {
            None => self.streams,
            Some(random) => random.exponential() * self.streams,
        };
        let next = self.curve.pieces.get(self.piece + 1);
        if next.is_some_and(|next| next.records_before <= self.position) {
            self.find();
        } else {
            self.next_due = self.instant(self.curve.seconds_of(self.piece, self.position));
        }
    }

    fn find(&mut self) {
        self.piece = self.curve.piece_of(self.position);
        self.next_due = self.instant(self.curve.seconds_of(self.piece, self.position));
    }

    fn instant(&self, seconds: Option<f64>) -> Instant {
        seconds.map_or(NEVER, |seconds| Instant(self.start.0 + (seconds * 1e9) as u64))
    }

    /// What is due from now on and before `end`, in portions: when the last one of each is due, and
    /// how many they are. With Poisson arrivals as many as are to be expected.
    pub fn left_before(&self, end: Instant) -> (u64, impl Iterator<Item = (Instant, u64)> + '_) {
        let by_end = self.curve.records_by(end.since(self.start).as_secs_f64());
        let mut count = ((by_end - self.position) / self.streams).ceil().max(0.0) as u64;
        let due = |index: u64| {
            let position = self.position + index as f64 * self.streams;
            self.instant(self.curve.seconds_of(self.curve.piece_of(position), position))
        };
        while count > 0 && due(count - 1) >= end {
            count -= 1;
        }
        while due(count) < end {
            count += 1;
        }
        let portion = count.div_ceil(PORTIONS_MAX).max(1);
        let portions = (0..count).step_by(portion as usize).map(move |first| {
            let size = portion.min(count - first);
            (due(first + size - 1), size)
        });
        (count, portions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(curve: &Rc<RateCurve>, streams: usize, stream: usize) -> Schedule {
        let random = Random::new(3, stream as u64);
        Schedule::new(Instant(5_000), curve.clone(), streams, stream, random)
    }

    fn curve(spans: &[(f64, f64)], arrivals: Arrivals) -> Rc<RateCurve> {
        Rc::new(RateCurve::new(spans.iter().copied(), arrivals))
    }

    fn at(seconds: f64) -> Instant {
        Instant(5_000 + (seconds * 1e9) as u64)
    }

    /// The due times before `end`, by taking one after the other.
    fn dues(mut schedule: Schedule, end: Instant) -> Vec<Instant> {
        let mut dues = Vec::new();
        while schedule.due() < end {
            dues.push(schedule.due());
            schedule.advance();
        }
        dues
    }

    #[test]
    fn all_streams_together_owe_rate_times_duration() {
        for (rate, streams, seconds, total) in [
            (500.0, 1, 4.0, 2000),
            (1000.0, 3, 1.0, 1000),
            (7.0, 2, 0.5, 4),
            (1e5, 2, 2.0, 200_000),
        ] {
            let curve = curve(&[(seconds, rate)], Arrivals::Fixed);
            let owed = |stream| {
                let schedule = schedule(&curve, streams, stream);
                let (count, portions) = schedule.left_before(at(seconds));
                assert_eq!(portions.map(|(_, size)| size).sum::<u64>(), count);
                assert_eq!(dues(schedule.clone(), at(seconds)).len() as u64, count);
                count
            };
            let sum: u64 = (0..streams).map(owed).sum();
            assert_eq!(sum, total, "{rate}/s in {streams} streams");
        }
    }

    #[test]
    fn a_run_that_ends_before_it_begins_owes_nothing() {
        let curve = curve(&[(1.0, 10.0)], Arrivals::Fixed);
        for end in [Instant(0), Instant(5_000)] {
            assert_eq!(schedule(&curve, 2, 1).left_before(end).0, 0);
        }
    }

    #[test]
    fn phases_have_their_own_rates_and_nothing_is_due_in_a_pause() {
        let curve = curve(&[(1.0, 10.0), (2.0, 0.0), (1.0, 40.0)], Arrivals::Fixed);
        let dues = dues(schedule(&curve, 1, 0), at(4.0));
        assert_eq!(dues.len(), 50);
        assert!(dues[9] < at(1.0) && dues[10] >= at(3.0), "{:?}", &dues[9..11]);
        assert_eq!(curve.records_by(2.0), 10.0);
        // A run that ends with a pause owes nothing more, ever.
        let paused = Rc::new(RateCurve::new([(1.0, 10.0), (1.0, 0.0)], Arrivals::Fixed));
        let mut last = schedule(&paused, 1, 0);
        (0..10).for_each(|_| last.advance());
        assert_eq!((last.due(), last.left_before(at(99.0)).0), (NEVER, 0));
    }

    #[test]
    fn bursts_come_at_the_beginning_of_each_period() {
        let bursty = Arrivals::Bursty { period_s: 0.5, share: 0.2 };
        let curve = curve(&[(2.0, 100.0)], bursty);
        let dues = dues(schedule(&curve, 1, 0), at(2.0));
        assert_eq!(dues.len(), 200);
        for due in dues {
            let seconds = due.since(at(0.0)).as_secs_f64();
            assert!(seconds % 0.5 < 0.1, "{seconds}");
        }
        for records in [0.0, 3.0, 49.5, 50.0, 77.0] {
            let seconds = time_of(bursty, 100.0, records);
            assert!((within(bursty, 100.0, seconds) - records).abs() < 1e-6, "{records}");
        }
    }

    #[test]
    fn gaps_of_poisson_arrivals_have_the_moments_of_an_exponential() {
        let curve = curve(&[(100.0, 2_000.0)], Arrivals::Poisson);
        for stream in 0..2 {
            let dues = dues(schedule(&curve, 2, stream), at(100.0));
            let gaps: Vec<f64> =
                dues.windows(2).map(|pair| pair[1].since(pair[0]).as_secs_f64()).collect();
            let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
            let variance =
                gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
            // A thousand a second: a mean of 1 ms, and as much deviation; 100,000 gaps.
            assert!((mean - 1e-3).abs() < 2e-5, "{mean}");
            assert!((variance.sqrt() - 1e-3).abs() < 4e-5, "{variance}");
            assert_eq!(dues, self::dues(schedule(&curve, 2, stream), at(100.0)), "one seed");
        }
    }
}
