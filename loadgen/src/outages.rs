//! Spans in which nothing was acknowledged although records were due. Pure.
//!
//! Owns: what is due and not answered, as a number, and the spans. Never: counts a pause in which
//! nothing was due.

use ring::Instant;
use std::time::Duration;

/// Shorter spans are latency, not an outage.
pub const OUTAGE_MIN: Duration = Duration::from_secs(1);
/// Spans that are kept; the rest is counted.
const SPANS_MAX: usize = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    pub from: Instant,
    pub until: Instant,
    /// Whether something was acknowledged after it.
    pub is_over: bool,
}

#[derive(Default)]
pub struct Outages {
    outstanding: u64,
    last_acknowledged: Instant,
    /// Since when records are due while nothing is acknowledged.
    waiting_since: Option<Instant>,
    spans: Vec<Outage>,
    more: u64,
}

impl Outages {
    pub fn due(&mut self, first_due: Instant, records: u64) {
        self.outstanding += records;
        self.waiting_since.get_or_insert(first_due.max(self.last_acknowledged));
    }

    pub fn acknowledged(&mut self, records: u64, now: Instant) {
        self.end_span(now, true);
        self.last_acknowledged = now;
        self.answered(records);
        self.waiting_since = (self.outstanding > 0).then_some(now);
    }

    /// Refused, or given up: that ends no outage.
    pub fn answered(&mut self, records: u64) {
        self.outstanding = self.outstanding.saturating_sub(records);
    }

    pub fn close(&mut self, now: Instant) {
        self.end_span(now, false);
    }

    fn end_span(&mut self, until: Instant, is_over: bool) {
        let Some(from) = self.waiting_since.take() else { return };
        if until.since(from) <= OUTAGE_MIN {
            return;
        }
        if self.spans.len() < SPANS_MAX {
            self.spans.push(Outage { from, until, is_over });
        } else {
            self.more += 1;
        }
    }

    /// Those of the measured time, and how many more there were than are kept.
    pub fn spans(&self, measure_from: Instant) -> (Vec<Outage>, u64) {
        let measured = self.spans.iter().filter(|span| span.until > measure_from);
        let spans = measured.map(|span| Outage { from: span.from.max(measure_from), ..*span });
        (spans.collect(), self.more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant(ms * 1_000_000)
    }

    fn spans(outages: &Outages) -> Vec<(u64, u64, bool)> {
        let ms = |moment: Instant| moment.0 / 1_000_000;
        let all = outages.spans(at(0)).0;
        all.iter().map(|span| (ms(span.from), ms(span.until), span.is_over)).collect()
    }

    #[test]
    fn an_outage_begins_when_records_wait_and_ends_with_an_acknowledgement() {
        let mut outages = Outages::default();
        for ms in (0..1_000).step_by(10) {
            outages.due(at(ms), 1);
            outages.acknowledged(1, at(ms + 1));
        }
        // Due at 1000 and 1010; a refusal in between is no acknowledgement.
        outages.due(at(1_000), 1);
        outages.due(at(1_010), 1);
        outages.answered(1);
        outages.acknowledged(1, at(3_500));
        assert_eq!(spans(&outages), [(1_000, 3_500, true)]);
        // Something is on its way all the time, and something is acknowledged each 0.9 s.
        outages.due(at(3_500), 10);
        (1..10).for_each(|index| outages.acknowledged(1, at(3_500 + index * 900)));
        assert_eq!(spans(&outages).len(), 1);
        outages.close(at(20_000));
        assert_eq!(spans(&outages)[1], (11_600, 20_000, false));
        assert_eq!(outages.spans(at(2_000)).0[0].from, at(2_000), "the warm-up is cut off");
    }

    #[test]
    fn a_pause_in_which_nothing_is_due_is_none() {
        let mut outages = Outages::default();
        for ms in (0..50_000).step_by(5_000) {
            outages.due(at(ms), 1);
            outages.acknowledged(1, at(ms + 999));
        }
        outages.close(at(90_000));
        assert_eq!(spans(&outages), []);
    }

    #[test]
    fn records_that_are_refused_only_are_an_outage() {
        let mut outages = Outages::default();
        for ms in (0..5_000).step_by(500) {
            outages.due(at(ms), 1);
            outages.answered(1);
        }
        outages.close(at(5_000));
        assert_eq!(spans(&outages), [(0, 5_000, false)]);
    }

    #[test]
    fn only_so_many_are_kept() {
        let mut outages = Outages::default();
        for index in 0..1_005 {
            outages.due(at(index * 3_000), 1);
            outages.acknowledged(1, at(index * 3_000 + 2_000));
        }
        assert_eq!((outages.spans(at(0)).0.len(), outages.spans(at(0)).1), (1_000, 5));
    }
}
