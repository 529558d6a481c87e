//! Counts and latencies of a run. Pure: what happened goes in, with the times that it happened at.
//!
//! Every record that was due is, at the end, acknowledged, an error (refused, or unanswered), or
//! unsent; each has its response time, those that were not acknowledged with at least the time
//! until the end.

use crate::{
    missing::Missing,
    outages::Outages,
    timeline::{Counts, ErrorCounts, Gauges, Timeline},
};
use hdrhistogram::Histogram;
use ring::Instant;
use std::time::Duration;

/// The longest run, and with it the longest latency.
pub const LATENCY_MAX: Duration = Duration::from_secs(7 * 24 * 3600);
const SIGNIFICANT_DIGITS: u8 = 3;

/// No answer came in time.
pub const UNANSWERED: &str = "unanswered";
/// No connection was to be had, or it broke before the answer came.
pub const CONNECTION: &str = "connection";

/// Bytes of one batch: as it is sent, and of its records' values alone.
#[derive(Clone, Copy, Debug)]
pub struct BatchSize {
    pub wire: usize,
    pub values: usize,
}

pub struct Tallies {
    pub measure_from: Instant,
    pub acknowledged: u64,
    pub acknowledged_bytes: u64,
    pub last_acknowledged: Instant,
    pub batches: u64,
    pub wire_bytes: u64,
    pub consumed: u64,
    pub consumed_bytes: u64,
    /// Whole batches as they came, headers included.
    pub fetched_bytes: u64,
    pub traffic: Traffic,
    /// Records that were not acknowledged: refused, or unanswered.
    pub errors: u64,
    /// Those among them that no answer came for. In a run that only consumes: fetches.
    pub unanswered: u64,
    /// The errors by name: those of Kafka, `UNANSWERED` and `CONNECTION`.
    pub errors_by_code: ErrorCounts,
    /// Records that were due, and that a broker which answered everything left no room to send.
    pub unsent: u64,
    /// Fetches that failed, wholly or for some partition, or were not answered.
    pub fetch_errors: u64,
    /// From the request's first byte on its way to its answer.
    pub service: Histogram<u64>,
    /// From when a record was due to its acknowledgement.
    pub response: Histogram<u64>,
    /// From when a record was due to its arrival at a consumer.
    pub end_to_end: Histogram<u64>,
    /// Response times since the last progress line.
    pub recent: Histogram<u64>,
    pub timeline: Timeline,
    pub outages: Outages,
    pub transactions: Transactions,
    /// Measured records in batches that are ready to be sent, or were.
    built: u64,
    /// Measured records that were answered or given up.
    settled: u64,
    never_answered: Missing,
    never_acknowledged: Missing,
    never_arrived: Missing,
}

/// Produce requests and fetches of the measured time, and the bytes of all bodies, theirs and
/// their answers'. Headers are not counted: some 40 bytes a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    pub produces: u64,
    pub fetches: u64,
    pub sent_bytes: u64,
    pub received_bytes: u64,
}

/// What became of transactions.
pub struct Transactions {
    pub committed: u64,
    /// As the workload has it.
    pub aborted: u64,
    /// Their records were refused, or their end was: the error that came last, too.
    pub failed: u64,
    /// Records of those that were aborted.
    pub aborted_records: u64,
    /// From asking for the end of one to the answer.
    pub end: Histogram<u64>,
}

impl Default for Transactions {
    fn default() -> Transactions {
        Transactions { committed: 0, aborted: 0, failed: 0, aborted_records: 0, end: histogram() }
    }
}

impl Transactions {
    pub fn ended(&mut self, latency: Duration) {
        record(&mut self.end, latency, 1);
    }
}

fn histogram() -> Histogram<u64> {
    let max_ns = LATENCY_MAX.as_nanos() as u64;
    Histogram::new_with_bounds(1_000, max_ns, SIGNIFICANT_DIGITS).expect("constant bounds")
}

impl Default for Tallies {
    fn default() -> Tallies {
        Tallies {
            measure_from: Instant(0),
            acknowledged: 0,
            acknowledged_bytes: 0,
            last_acknowledged: Instant(0),
            batches: 0,
            wire_bytes: 0,
            consumed: 0,
            consumed_bytes: 0,
            fetched_bytes: 0,
            traffic: Traffic::default(),
            errors: 0,
            unanswered: 0,
            errors_by_code: ErrorCounts::new(),
            unsent: 0,
            fetch_errors: 0,
            service: histogram(),
            response: histogram(),
            end_to_end: histogram(),
            recent: histogram(),
            timeline: Timeline::new(LATENCY_MAX),
            outages: Outages::default(),
            transactions: Transactions::default(),
            built: 0,
            settled: 0,
            never_answered: Missing::default(),
            never_acknowledged: Missing::default(),
            never_arrived: Missing::default(),
        }
    }
}

impl Tallies {
    /// Those of rising due times that are not of the warm-up.
    pub fn measured<'a>(&self, due: &'a [Instant]) -> &'a [Instant] {
        &due[due.partition_point(|due| *due < self.measure_from)..]
    }

    /// A batch is ready; its records are due.
    pub fn built(&mut self, due: &[Instant]) {
        self.built += self.measured(due).len() as u64;
        if let Some(first) = due.first() {
            self.outages.due(*first, due.len() as u64);
        }
    }

    pub fn acknowledged(
        &mut self,
        size: BatchSize,
        due: &[Instant],
        sent: Instant,
        answered: Instant,
    ) {
        self.outages.acknowledged(due.len() as u64, answered);
        let measured = self.measured(due);
        if measured.is_empty() {
            return;
        }
        self.count_acknowledged(measured.len(), due.len(), size, answered);
        record(&mut self.service, answered.since(sent), measured.len() as u64);
        for same in at_one_moment(measured) {
            let response = answered.since(same[0]);
            record(&mut self.response, response, same.len() as u64);
            record(&mut self.recent, response, same.len() as u64);
            self.timeline.answered(response.as_nanos() as u64, same.len() as u64);
        }
    }

    /// Handed to the network without an acknowledgement to come.
    pub fn sent(&mut self, size: BatchSize, due: &[Instant], now: Instant) {
        self.outages.acknowledged(due.len() as u64, now);
        let measured = self.measured(due).len();
        if measured > 0 {
            self.count_acknowledged(measured, due.len(), size, now);
        }
    }

    /// `records` of the batch's `all` are measured.
    fn count_acknowledged(&mut self, records: usize, all: usize, size: BatchSize, now: Instant) {
        self.acknowledged += records as u64;
        self.settled += records as u64;
        self.acknowledged_bytes += (size.values * records / all.max(1)) as u64;
        self.last_acknowledged = now;
        self.batches += 1;
        self.wire_bytes += size.wire as u64;
    }

    /// Answered with an error: its name in Kafka's protocol.
    pub fn refused(&mut self, due: &[Instant], error: &'static str) {
        self.count_errors(due.len() as u64, error);
        self.not_acknowledged(due);
    }

    /// No answer came. `sent` is `None` where the request never left.
    /// `why` is `UNANSWERED` or `CONNECTION`.
    pub fn unanswered(&mut self, due: &[Instant], sent: Option<Instant>, why: &'static str) {
        self.count_errors(due.len() as u64, why);
        self.unanswered += due.len() as u64;
        let measured = self.measured(due).len() as u64;
        if let Some(sent) = sent.filter(|_| measured > 0) {
            self.never_answered.add(sent, measured);
        }
        self.not_acknowledged(due);
    }

    fn count_errors(&mut self, records: u64, error: &'static str) {
        self.errors += records;
        *self.errors_by_code.entry(error).or_default() += records;
    }

    fn not_acknowledged(&mut self, due: &[Instant]) {
        self.outages.answered(due.len() as u64);
        self.settled += self.measured(due).len() as u64;
        at_one_moment(self.measured(due))
            .for_each(|same| self.never_acknowledged.add(same[0], same.len() as u64));
    }

    /// So many records that were due and never built, with when they were, in portions. They are
    /// unanswered where the broker does not answer any more (`is_silent`); else what was sent went
    /// too slowly.
    pub fn not_sent(
        &mut self,
        count: u64,
        portions: impl Iterator<Item = (Instant, u64)>,
        is_silent: bool,
        arrivals: u64,
    ) {
        if is_silent && count > 0 {
            self.count_errors(count, UNANSWERED);
            self.unanswered += count;
        } else {
            self.unsent += count;
        }
        for (due, size) in portions {
            if due >= self.measure_from {
                self.settled += size;
                self.never_acknowledged.add(due, size);
                self.never_arrived.add(due, size * arrivals);
            }
        }
    }

    /// Built, and not seen by the consumers that should have seen it.
    pub fn not_arrived(&mut self, due: Instant, records: u64) {
        self.never_arrived.add(due, records);
    }

    pub fn consumed(&mut self, size_bytes: usize) {
        self.consumed += 1;
        self.consumed_bytes += size_bytes as u64;
    }

    /// Only the batch's header was looked at, which does not tell what the records' values take:
    /// the whole batch counts.
    pub fn skimmed(&mut self, records: u64, batch_size_bytes: usize) {
        self.consumed += records;
        self.consumed_bytes += batch_size_bytes as u64;
    }

    /// From the fetch request's first byte to its whole answer.
    pub fn fetched(&mut self, latency: Duration) {
        record(&mut self.service, latency, 1);
    }

    /// `times_it`: fetches are what this run measures.
    pub fn fetch_unanswered(&mut self, sent: Instant, times_it: bool) {
        self.fetch_errors += 1;
        if times_it {
            self.unanswered += 1;
            self.never_answered.add(sent, 1);
        }
    }

    pub fn arrived(&mut self, latency: Duration) {
        record(&mut self.end_to_end, latency, 1);
    }

    /// The measured time begins.
    pub fn begin_timeline(&mut self, now: Instant) {
        self.timeline.begin(now, self.counts());
    }

    /// A second has passed. `due`: measured records that were due so far, where a rate says so.
    pub fn tick(&mut self, now: Instant, due: Option<u64>, busy: Option<f64>) {
        let backlog = due.unwrap_or(self.built).saturating_sub(self.settled);
        self.timeline.tick(now, self.counts(), Gauges { backlog, busy });
    }

    fn counts(&self) -> Counts {
        Counts {
            acknowledged: self.acknowledged,
            acknowledged_bytes: self.acknowledged_bytes,
            consumed: self.consumed,
            consumed_bytes: self.consumed_bytes,
            fetch_errors: self.fetch_errors,
            errors: self.errors_by_code.clone(),
        }
    }

    /// The end: what never came has waited until now.
    pub fn close(&mut self, now: Instant) {
        self.outages.close(now);
        for (missing, histogram) in [
            (&mut self.never_answered, &mut self.service),
            (&mut self.never_acknowledged, &mut self.response),
            (&mut self.never_arrived, &mut self.end_to_end),
        ] {
            std::mem::take(missing)
                .waits(now)
                .for_each(|(wait, count)| record(histogram, wait, count));
        }
    }
}

/// Records that were due at one moment, as with --rate max, are booked together.
fn at_one_moment(due: &[Instant]) -> impl Iterator<Item = &[Instant]> {
    due.chunk_by(|a, b| a == b)
}

fn record(histogram: &mut Histogram<u64>, latency: Duration, count: u64) {
    let max_ns = LATENCY_MAX.as_nanos();
    let ns = latency.as_nanos().min(max_ns) as u64;
    histogram.record_n(ns.max(1), count).expect("within the bounds");
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn at(ms: u64) -> Instant {
        Instant(ms * MS)
    }

    fn size(wire: usize, values: usize) -> BatchSize {
        BatchSize { wire, values }
    }

    fn quantile_ms(histogram: &Histogram<u64>, quantile: f64) -> u64 {
        histogram.value_at_quantile(quantile) / MS
    }

    #[test]
    fn what_was_never_answered_counts_as_late() {
        let mut tallies = Tallies::default();
        // 10 records, one each 100 ms; the broker answers the first five at once, then freezes.
        let due: Vec<Instant> = (0..10).map(|index| at(index * 100)).collect();
        due[..5].iter().for_each(|one| {
            tallies.acknowledged(size(168, 100), &[*one], *one, *one + Duration::from_millis(1))
        });
        tallies.unanswered(&due[5..7], Some(at(600)), CONNECTION);
        tallies.unanswered(&due[7..], None, UNANSWERED);
        tallies.close(at(6_000));
        assert_eq!((tallies.acknowledged, tallies.errors, tallies.unanswered), (5, 5, 5));
        let by_code = ErrorCounts::from([(CONNECTION, 2), (UNANSWERED, 3)]);
        assert_eq!(tallies.errors_by_code, by_code);
        assert_eq!(tallies.response.len(), 10);
        assert_eq!(quantile_ms(&tallies.response, 0.5), 1);
        assert!(
            (5_495..=5_505).contains(&quantile_ms(&tallies.response, 1.0)),
            "due at 500, waited until 6000"
        );
        assert!(
            (5_095..=5_105).contains(&quantile_ms(&tallies.response, 0.6)),
            "due at 900, waited until 6000"
        );
        // What never left was not on its way either.
        assert_eq!((tallies.service.len(), quantile_ms(&tallies.service, 1.0) / 10), (7, 540));
    }

    #[test]
    fn refused_records_do_not_look_fast() {
        let mut tallies = Tallies::default();
        tallies.refused(&[at(0), at(0), at(50)], "NOT_ENOUGH_REPLICAS");
        tallies.close(at(1_000));
        assert_eq!((tallies.errors, tallies.unanswered, tallies.response.len()), (3, 0, 3));
        assert!(quantile_ms(&tallies.response, 0.01) >= 945);
    }

    #[test]
    fn a_schedule_that_was_not_kept_shows() {
        // A nanosecond each, ten million of them, in portions of ten.
        let portions = || (1..=1_000_000u64).map(|portion| (Instant(portion * 10 - 1), 10));
        for is_silent in [false, true] {
            let mut tallies = Tallies { measure_from: at(1), ..Tallies::default() };
            // The first millisecond is warm-up; none goes astray.
            tallies.not_sent(10_000_000, portions(), is_silent, 2);
            tallies.close(at(1_000));
            let (unsent, unanswered) = if is_silent { (0, 10_000_000) } else { (10_000_000, 0) };
            assert_eq!(
                (tallies.unsent, tallies.unanswered, tallies.errors),
                (unsent, unanswered, unanswered)
            );
            assert!(
                (8_999_000..=9_001_000).contains(&tallies.response.len()),
                "{}",
                tallies.response.len()
            );
            assert_eq!(tallies.end_to_end.len(), 2 * tallies.response.len());
            assert!((985..=1_000).contains(&quantile_ms(&tallies.response, 0.5)));
        }
        let mut tallies = Tallies::default();
        tallies.not_sent(0, [].into_iter(), true, 1);
        assert_eq!((tallies.errors, tallies.response.len()), (0, 0));
    }

    #[test]
    fn the_warm_up_is_not_measured() {
        let mut tallies = Tallies::default();
        tallies.measure_from = at(100);
        let due = [at(50), at(100), at(150)];
        tallies.acknowledged(size(400, 300), &due, at(150), at(160));
        tallies.sent(size(400, 100), &due[..1], at(160));
        tallies.sent(size(400, 200), &due[1..], at(160));
        assert_eq!(
            (tallies.acknowledged, tallies.acknowledged_bytes, tallies.batches),
            (4, 400, 2)
        );
        assert_eq!(tallies.response.len(), 2);
    }

    #[test]
    fn the_backlog_is_what_was_due_and_is_not_answered() {
        let mut tallies = Tallies::default();
        tallies.measure_from = at(100);
        tallies.begin_timeline(at(100));
        let due: Vec<Instant> = (0..20).map(|index| at(index * 10)).collect();
        tallies.built(&due);
        tallies.acknowledged(BatchSize { wire: 100, values: 100 }, &due[..12], at(120), at(130));
        tallies.refused(&due[12..13], "NOT_ENOUGH_REPLICAS");
        // 10 of the warm-up count nowhere.
        tallies.tick(at(1_100), None, None);
        tallies.tick(at(2_100), Some(100), Some(0.5));
        tallies.unanswered(&due[13..], None, UNANSWERED);
        tallies.not_sent(90, (20..110).map(|index| (at(index * 10), 1)), false, 0);
        tallies.tick(at(3_100), Some(100), None);
        let backlogs: Vec<u64> =
            tallies.timeline.points().iter().map(|point| point.gauges.backlog).collect();
        assert_eq!(backlogs, [7, 97, 0]);
    }
}
