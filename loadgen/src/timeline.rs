//! A run second by second: what was acknowledged, consumed and refused in each, how long answers
//! took, and what waited. Pure: counts go in, with the time.
//!
//! Owns: at most `POINTS_MAX` points, of which neighbours become one in longer runs. Never: reads a
//! clock or a file.

use hdrhistogram::Histogram;
use ring::Instant;
use std::{collections::BTreeMap, time::Duration};

/// More points than this become wider ones.
pub const POINTS_MAX: usize = 2_000;
/// As fine as a curve needs, at a fraction of what the figures of the whole run take.
const SIGNIFICANT_DIGITS: u8 = 2;

pub type ErrorCounts = BTreeMap<&'static str, u64>;

/// What is counted since the load began, at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    pub acknowledged: u64,
    pub acknowledged_bytes: u64,
    pub consumed: u64,
    pub consumed_bytes: u64,
    pub fetch_errors: u64,
    pub errors: ErrorCounts,
}

impl Counts {
    fn since(&self, before: &Counts) -> Counts {
        let errors = self
            .errors
            .iter()
            .map(|(name, count)| (*name, count - before.errors.get(name).unwrap_or(&0)))
            .filter(|(_, count)| *count > 0)
            .collect();
        Counts {
            acknowledged: self.acknowledged - before.acknowledged,
            acknowledged_bytes: self.acknowledged_bytes - before.acknowledged_bytes,
            consumed: self.consumed - before.consumed,
            consumed_bytes: self.consumed_bytes - before.consumed_bytes,
            fetch_errors: self.fetch_errors - before.fetch_errors,
            errors,
        }
    }

    fn add(&mut self, other: &Counts) {
        self.acknowledged += other.acknowledged;
        self.acknowledged_bytes += other.acknowledged_bytes;
        self.consumed += other.consumed;
        self.consumed_bytes += other.consumed_bytes;
        self.fetch_errors += other.fetch_errors;
        for (name, count) in &other.errors {
            *self.errors.entry(name).or_default() += count;
        }
    }
}

/// What is seen at the end of a second, beside the counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gauges {
    /// Records that were due and are not answered.
    pub backlog: u64,
    /// The share of the second that the generator's thread was on its processor.
    pub busy: Option<f64>,
}

/// A second, or several.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Point {
    /// Since the measured time began.
    pub from: Duration,
    pub length: Duration,
    pub counts: Counts,
    pub gauges: Gauges,
    /// Response times of what was acknowledged, in nanoseconds and rising, with their numbers.
    responses: Vec<(u64, u64)>,
    /// The longest, exactly.
    longest_ns: u64,
}

impl Point {
    pub fn middle_s(&self) -> f64 {
        (self.from + self.length / 2).as_secs_f64()
    }

    pub fn per_second(&self, count: u64) -> Option<f64> {
        (!self.length.is_zero()).then(|| count as f64 / self.length.as_secs_f64())
    }

    /// `None` where nothing was acknowledged.
    pub fn response_ns(&self, quantile: f64) -> Option<u64> {
        let total: u64 = self.responses.iter().map(|(_, count)| count).sum();
        let rank = ((total as f64 * quantile).ceil() as u64).max(1);
        let mut passed = 0;
        let mut values = self.responses.iter();
        let (value, _) = values.find(|(_, count)| {
            passed += count;
            passed >= rank
        })?;
        Some((*value).min(self.longest_ns))
    }

    pub fn longest_ns(&self) -> Option<u64> {
        (!self.responses.is_empty()).then_some(self.longest_ns)
    }

    /// `None` where nothing was acknowledged. As exact as the points' responses are.
    pub fn mean_ns(&self) -> Option<f64> {
        let total: u64 = self.responses.iter().map(|(_, count)| count).sum();
        let sum: f64 =
            self.responses.iter().map(|(value, count)| *value as f64 * *count as f64).sum();
        (total > 0).then(|| sum / total as f64)
    }

    /// Records that were acknowledged later than `bound_ns`, and all that were.
    pub fn later_than(&self, bound_ns: u64) -> (u64, u64) {
        let late = self.responses.iter().filter(|(value, _)| *value > bound_ns);
        let late = late.map(|(_, count)| count).sum();
        (late, self.responses.iter().map(|(_, count)| count).sum())
    }

    /// One point for several that follow one another.
    pub fn of_all<'a>(points: impl IntoIterator<Item = &'a Point>) -> Option<Point> {
        points.into_iter().cloned().reduce(|mut all, next| {
            all.absorb(next);
            all
        })
    }

    /// Takes over the point that follows.
    fn absorb(&mut self, next: Point) {
        let (mine, theirs) = (self.length.as_secs_f64(), next.length.as_secs_f64());
        let weighed = |a: f64, b: f64| (a * mine + b * theirs) / (mine + theirs).max(1e-9);
        self.gauges = Gauges {
            backlog: self.gauges.backlog.max(next.gauges.backlog),
            busy: match (self.gauges.busy, next.gauges.busy) {
                (Some(a), Some(b)) => Some(weighed(a, b)),
                (a, b) => a.or(b),
            },
        };
        self.length += next.length;
        self.counts.add(&next.counts);
        self.longest_ns = self.longest_ns.max(next.longest_ns);
        self.responses = merged(&self.responses, &next.responses);
    }
}

/// Two rising lists as one. It runs between answers that are being timed, and takes few steps.
fn merged(mut a: &[(u64, u64)], mut b: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut all = Vec::with_capacity(a.len().max(b.len()));
    while let (Some((first, count)), Some((second, more))) = (a.first(), b.first()) {
        let (in_a, in_b) = (first <= second, second <= first);
        all.push((*first.min(second), u64::from(in_a) * count + u64::from(in_b) * more));
        (a, b) = (&a[usize::from(in_a)..], &b[usize::from(in_b)..]);
    }
    all.extend_from_slice(a);
    all.extend_from_slice(b);
    all
}

pub struct Timeline {
    began: Instant,
    /// When the last point ended.
    until: Instant,
    before: Counts,
    /// Response times since then.
    recent: Histogram<u64>,
    points: Vec<Point>,
    /// Seconds that a new point takes up before the next one begins.
    seconds_per_point: u32,
    /// Seconds in the last point.
    seconds: u32,
}

impl Timeline {
    /// `longest`: responses that take longer count as this.
    pub fn new(longest: Duration) -> Timeline {
        let longest_ns = longest.as_nanos() as u64;
        Timeline {
            began: Instant(0),
            until: Instant(0),
            before: Counts::default(),
            recent: Histogram::new_with_bounds(1_000, longest_ns, SIGNIFICANT_DIGITS)
                .expect("constant bounds"),
            points: Vec::new(),
            seconds_per_point: 1,
            seconds: 0,
        }
    }

    /// The measured time begins: what came before is in no point.
    pub fn begin(&mut self, now: Instant, counts: Counts) {
        (self.began, self.until, self.before) = (now, now, counts);
        self.recent.reset();
    }

    pub fn answered(&mut self, response_ns: u64, records: u64) {
        self.recent.saturating_record_n(response_ns.max(1), records);
    }

    /// A second has passed, or what is left of one at the end.
    pub fn tick(&mut self, now: Instant, counts: Counts, gauges: Gauges) {
        let point = Point {
            from: self.until.since(self.began),
            length: now.since(self.until),
            counts: counts.since(&self.before),
            gauges,
            responses: self
                .recent
                .iter_recorded()
                .map(|step| (step.value_iterated_to(), step.count_since_last_iteration()))
                .collect(),
            longest_ns: if self.recent.is_empty() { 0 } else { self.recent.max() },
        };
        self.recent.reset();
        (self.until, self.before) = (now, counts);
        match self.points.last_mut() {
            Some(last) if self.seconds < self.seconds_per_point => last.absorb(point),
            _ => {
                self.points.push(point);
                self.seconds = 0;
            }
        }
        self.seconds += 1;
        if self.points.len() > POINTS_MAX {
            self.widen();
        }
    }

    fn widen(&mut self) {
        let mut wider: Vec<Point> = Vec::with_capacity(POINTS_MAX);
        for (index, point) in self.points.drain(..).enumerate() {
            match wider.last_mut() {
                Some(last) if index % 2 == 1 => last.absorb(point),
                _ => wider.push(point),
            }
        }
        self.points = wider;
        // Their number was odd: the last one, which has just begun, goes on.
        self.seconds_per_point *= 2;
    }

    pub fn points(&self) -> &[Point] {
        &self.points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn second(index: u64) -> Instant {
        Instant(index * 1_000 * MS)
    }

    fn counts(acknowledged: u64, errors: u64) -> Counts {
        let errors = ErrorCounts::from([("NOT_LEADER_OR_FOLLOWER", errors)]);
        Counts { acknowledged, errors, ..Counts::default() }
    }

    #[test]
    fn a_point_holds_what_came_in_its_second() {
        let mut timeline = Timeline::new(Duration::from_secs(100));
        timeline.answered(77 * MS, 1);
        timeline.begin(second(5), counts(7, 3));
        timeline.answered(MS, 98);
        timeline.answered(50 * MS, 2);
        timeline.tick(second(6), counts(107, 3), Gauges { backlog: 4, busy: Some(0.5) });
        timeline.tick(second(7), counts(107, 5), Gauges::default());
        let [first, silent] = timeline.points() else { panic!("two points") };
        assert_eq!((first.counts.acknowledged, first.counts.errors.len()), (100, 0));
        assert_eq!((first.from, first.length), (Duration::ZERO, Duration::from_secs(1)));
        let near = |ns: Option<u64>, ms: u64| ns.unwrap().abs_diff(ms * MS) < ms * MS / 50;
        assert!(near(first.response_ns(0.5), 1) && near(first.response_ns(0.99), 50));
        assert!(near(first.longest_ns(), 50), "what came before it began is gone: {first:?}");
        assert_eq!(silent.counts.errors, ErrorCounts::from([("NOT_LEADER_OR_FOLLOWER", 2)]));
        assert_eq!((silent.response_ns(0.5), silent.longest_ns()), (None, None));
    }

    #[test]
    fn long_runs_have_wider_points_and_lose_nothing() {
        for seconds in [1, 1_999, 2_000, 2_001, 2_002, 7_777, 50_000] {
            let mut timeline = Timeline::new(Duration::from_secs(100));
            for index in 1..=seconds {
                timeline.answered(index * 1_000, 2);
                let gauges = Gauges { backlog: index, busy: Some(0.25) };
                timeline.tick(second(index), counts(index * 2, index), gauges);
            }
            let points = timeline.points();
            assert!(points.len() <= POINTS_MAX && points.len() as u64 * 2 >= seconds.min(2_000));
            assert_eq!(points.iter().map(|p| p.counts.acknowledged).sum::<u64>(), seconds * 2);
            let errors = points.iter().flat_map(|point| point.counts.errors.values());
            assert_eq!(errors.sum::<u64>(), seconds);
            let answered = points.iter().flat_map(|point| &point.responses);
            assert!(points.iter().all(|point| point.responses.is_sorted_by(|a, b| a.0 < b.0)));
            assert_eq!(answered.map(|(_, count)| count).sum::<u64>(), seconds * 2);
            for pair in points.windows(2) {
                assert_eq!(pair[0].from + pair[0].length, pair[1].from, "no hole");
            }
            let last = points.last().unwrap();
            assert_eq!(last.gauges, Gauges { backlog: seconds, busy: Some(0.25) });
            assert_eq!((last.from + last.length).as_secs(), seconds);
        }
    }
}
