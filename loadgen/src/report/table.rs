//! The table that a run ends with, for people. Pure.

use super::{QUANTILES, Report, ms};
use crate::{
    outages::Outage,
    tallies::{CONNECTION, UNANSWERED},
    verify::Verdict,
};

/// Outages that the table lists.
const OUTAGES_MAX: usize = 20;

impl Report {
    pub fn table(&self) -> String {
        let tallies = &self.tallies;
        let rate = |digits: usize, count: u64, unit: f64| {
            self.per_second(count)
                .map_or("-".to_owned(), |rate| format!("{:.digits$}", rate / unit))
        };
        let mut lines = vec![
            String::new(),
            format!(
                "{:>14} records/s   {} MB/s   {:.2} s",
                rate(0, self.records(), 1.0),
                rate(1, self.bytes(), 1e6),
                self.seconds
            ),
        ];
        let mut count = |number: u64, what: &str| lines.push(format!("{number:>14} {what}"));
        let per_batch = match tallies.batches {
            0 => String::new(),
            batches => format!(
                " in {batches} batches of {:.1} records",
                tallies.acknowledged as f64 / batches as f64
            ),
        };
        count(tallies.acknowledged, &format!("acknowledged{per_batch}"));
        count(tallies.consumed, "consumed");
        count(self.errors(), "errors");
        if tallies.unanswered > 0 {
            count(tallies.unanswered, "of them unanswered");
        }
        for (error, records) in &tallies.errors_by_code {
            match *error {
                UNANSWERED => {}
                CONNECTION => count(*records, "of these because the connection broke"),
                refused => count(*records, &format!("of them {refused}")),
            }
        }
        if tallies.unsent > 0 {
            count(tallies.unsent, "unsent: due, while everything sent before was still on its way");
        }
        if tallies.fetch_errors > 0 && !self.options.consume_only {
            count(tallies.fetch_errors, "fetch errors");
        }
        lines.extend(self.outage_lines());
        lines.extend(self.count_lines());
        lines.push(format!("      verified {}", self.verdict()));
        lines.push(format!(
            "\n{:<18}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "ms", "p50", "p90", "p99", "p99.9", "p99.99", "max"
        ));
        for (name, histogram) in [
            ("service time", &tallies.service),
            ("response time", &tallies.response),
            ("end to end", &tallies.end_to_end),
        ] {
            if !histogram.is_empty() {
                let quantiles: String = QUANTILES
                    .iter()
                    .map(|(_, q)| format!("{:>10.3}", ms(histogram.value_at_quantile(*q))))
                    .collect();
                lines.push(format!("{name:<18}{quantiles}{:>10.3}", ms(histogram.max())));
            }
        }
        lines.extend(self.phase_lines());
        lines.extend(self.command_lines());
        lines.extend(self.remarks().iter().map(|remark| format!("\nNote: {remark}.")));
        lines.join("\n")
    }

    fn outage_lines(&self) -> Vec<String> {
        let (outages, left_out) = self.outages();
        let line = |outage: &Outage| {
            format!(
                "        outage {:.3} s, from second {:.3}{}",
                outage.until.since(outage.from).as_secs_f64(),
                outage.from.since(self.tallies.measure_from).as_secs_f64(),
                if outage.is_over { "" } else { " to the end" }
            )
        };
        let mut lines: Vec<String> = outages.iter().take(OUTAGES_MAX).map(line).collect();
        let more = left_out + outages.len().saturating_sub(OUTAGES_MAX) as u64;
        if more > 0 {
            lines.push(format!("               and {more} more outages"));
        }
        lines
    }

    pub fn verdict(&self) -> String {
        let number = |count: Option<u64>| {
            count.map_or("an unknown number of".to_owned(), |count| count.to_string())
        };
        let verification = &self.verification;
        match verification.verdict {
            Verdict::Sound => {
                "yes: every acknowledged record was consumed exactly once and in order".to_owned()
            }
            Verdict::Broken => format!(
                "NO: {} acknowledged records lost, {} duplicated or out of order{}",
                number(verification.lost),
                number(verification.duplicated_or_out_of_order),
                match verification.aborted_and_seen {
                    None | Some(0) => String::new(),
                    Some(seen) => format!(", {seen} of aborted transactions consumed"),
                }
            ),
            Verdict::Unfinished => format!(
                "not to the end: {} acknowledged records could not be read; is the broker still \
                 there?",
                number(verification.unread)
            ),
            Verdict::NotChecked(why) => format!("not checked ({why})"),
        }
    }
}
