//! A service level in words, and how much of a load missed it. Pure.
//!
//! Owns: the grammar of `--slo`. Never: decides whether a rate holds; `search.rs` does, over
//! trials.

use crate::tallies::Tallies;
use hdrhistogram::Histogram;
use std::{fmt, str::FromStr, time::Duration};

/// Which latency is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// From when a record was due to its acknowledgement.
    Response,
    /// From when a record was due to its arrival at a consumer.
    EndToEnd,
}

/// At most `late_max` of the records are later than `bound`.
#[derive(Clone, Debug, PartialEq)]
pub struct Slo {
    pub metric: Metric,
    /// The percentile as it was written, such as `99.9`; 100 is the slowest record.
    percentile: String,
    pub late_max: f64,
    pub bound: Duration,
}

const ALLOWED: &str = "give [response|end-to-end] pNN<=TIME, as in --slo 'p99<=10ms', \
                       'end-to-end p99.9<=50ms' or 'max<=1s'";
const BOUND_MAX: Duration = Duration::from_secs(3600);

impl FromStr for Slo {
    type Err = String;
    fn from_str(text: &str) -> Result<Slo, String> {
        let Some((left, right)) = text.split_once("<=").or_else(|| text.split_once('<')) else {
            return Err(format!("'{text}' has no <=: {ALLOWED}"));
        };
        let words: Vec<String> = left.split_whitespace().map(str::to_ascii_lowercase).collect();
        let (metric, percentile) = match words.as_slice() {
            [percentile] => (Metric::Response, percentile),
            [metric, percentile] => (parse_metric(metric)?, percentile),
            _ => return Err(format!("'{}' is no percentile: {ALLOWED}", left.trim())),
        };
        let percentile = parse_percentile(percentile)?;
        let share: f64 = percentile.parse().map_err(|_| ALLOWED.to_owned())?;
        // Decimal places of the percentile, so that p99.9 allows 0.001 and not what binary
        // fractions make of it.
        let late_max = ((100.0 - share) * 1e7).round() / 1e9;
        Ok(Slo { metric, percentile, late_max, bound: parse_bound(right.trim())? })
    }
}

fn parse_metric(word: &str) -> Result<Metric, String> {
    match word {
        "response" | "response-time" => Ok(Metric::Response),
        "end-to-end" | "e2e" => Ok(Metric::EndToEnd),
        _ => Err(format!("'{word}' is no latency that is measured: {ALLOWED}")),
    }
}

fn parse_percentile(word: &str) -> Result<String, String> {
    if word == "max" {
        return Ok("100".to_owned());
    }
    let number = word.strip_prefix('p').unwrap_or_default();
    let is_plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
    match number.parse::<f64>() {
        Ok(share) if is_plain && (1.0..=100.0).contains(&share) => Ok(number.to_owned()),
        _ => Err(format!("'{word}' is no percentile from p1 to p100: {ALLOWED}")),
    }
}

fn parse_bound(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit_s = match &text[number.len()..] {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return Err(format!("'{text}' is no time with a unit of us, ms or s: {ALLOWED}")),
    };
    let seconds = number.trim().parse::<f64>().map_or(f64::NAN, |number| number * unit_s);
    if seconds > 0.0 && seconds <= BOUND_MAX.as_secs_f64() {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(format!("'{text}' is no time above 0 and up to 3600s: {ALLOWED}"))
    }
}

impl fmt::Display for Slo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metric = match self.metric {
            Metric::Response => "response",
            Metric::EndToEnd => "end-to-end",
        };
        let name = match self.percentile.as_str() {
            "100" => "max".to_owned(),
            number => format!("p{number}"),
        };
        write!(f, "{metric} {name}<={:?}", self.bound)
    }
}

impl Slo {
    /// The share of a load's records that were later than the bound. `readers`: consumers that
    /// should have got each record.
    pub fn late_share(&self, tallies: &Tallies, readers: u64) -> f64 {
        let due = tallies.response.len();
        match self.metric {
            Metric::Response => {
                let never = due.saturating_sub(tallies.acknowledged);
                late_share(&tallies.response, never, due, self.bound)
            }
            Metric::EndToEnd => {
                let expected = due * readers;
                let never = expected.saturating_sub(tallies.end_to_end.len());
                late_share(&tallies.end_to_end, never, expected, self.bound)
            }
        }
    }
}

/// `never` of the `total` records did not come, and are late however short the rest of the load was
/// that they waited through. Most of them stand among the late ones of the histogram already, so
/// that the larger of both counts. Nothing measured is as bad as nothing in time.
fn late_share(histogram: &Histogram<u64>, never: u64, total: u64, bound: Duration) -> f64 {
    let in_time = histogram.count_between(0, bound.as_nanos() as u64);
    let late = histogram.len().saturating_sub(in_time).max(never);
    if total == 0 { 1.0 } else { (late as f64 / total as f64).min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::Instant;

    fn slo(text: &str) -> Slo {
        text.parse().unwrap()
    }

    #[test]
    fn service_levels_read_as_people_write_them() {
        let level = slo("p99<=10ms");
        assert_eq!((level.metric, level.late_max), (Metric::Response, 0.01));
        assert_eq!(level.bound, Duration::from_millis(10));
        let level = slo(" end-to-end  P99.9 <= 1.5 s");
        assert_eq!((level.metric, level.late_max), (Metric::EndToEnd, 0.001));
        assert_eq!(level.bound, Duration::from_millis(1500));
        assert_eq!(level.to_string(), "end-to-end p99.9<=1.5s");
        assert_eq!(slo(&level.to_string()), level);
        assert_eq!((slo("max<2s").late_max, slo("p50<=300us").late_max), (0.0, 0.5));
        assert_eq!(slo("p99.999<=1s").late_max, 0.00001);
    }

    #[test]
    fn an_error_says_what_is_allowed() {
        for text in [
            "",
            "p99",
            "p99<=",
            "p99<=10",
            "p99<=10h",
            "p99<=-1ms",
            "p99<=0ms",
            "p99<=nans",
            "p101<=1ms",
            "p0<=1ms",
            "pfast<=1ms",
            "p1e1<=1ms",
            "99<=1ms",
            "service p99<=1ms",
            "a b p99<=1ms",
            "p99<=9999s",
            "p99<=ms",
        ] {
            let error = text.parse::<Slo>().expect_err(text);
            assert!(error.contains("--slo 'p99<=10ms'"), "{text}: {error}");
        }
    }

    /// 100 records due each millisecond, answered after as many milliseconds as `answered` says.
    fn tallies(answered: impl Iterator<Item = u64>) -> Tallies {
        let mut tallies = Tallies::default();
        for (index, ms) in answered.enumerate() {
            let due = Instant(index as u64 * 1_000_000);
            tallies.acknowledged(
                crate::tallies::BatchSize { wire: 100, values: 100 },
                &[due],
                due,
                due + Duration::from_millis(ms),
            );
        }
        tallies
    }

    #[test]
    fn the_share_of_late_records_is_of_all_that_were_due() {
        let tallies = tallies((0..100).map(|index| if index < 7 { 30 } else { 5 }));
        assert_eq!(slo("p99<=10ms").late_share(&tallies, 0), 0.07);
        assert_eq!(slo("p99<=50ms").late_share(&tallies, 0), 0.0);
        assert_eq!(slo("p99<=1ms").late_share(&tallies, 0), 1.0);
    }

    #[test]
    fn what_was_never_acknowledged_is_late_however_short_it_waited() {
        let mut tallies = tallies((0..90).map(|_| 5));
        let due: Vec<Instant> = (90..100).map(|ms| Instant(ms * 1_000_000)).collect();
        tallies.refused(&due, "NOT_LEADER_OR_FOLLOWER");
        tallies.close(Instant(100_000_000));
        assert_eq!(slo("p99<=10ms").late_share(&tallies, 0), 0.1);
    }

    #[test]
    fn a_trial_that_measured_nothing_is_no_success() {
        assert_eq!(slo("p99<=10ms").late_share(&Tallies::default(), 0), 1.0);
        assert_eq!(slo("end-to-end p99<=10ms").late_share(&tallies((0..10).map(|_| 1)), 1), 1.0);
    }
}
