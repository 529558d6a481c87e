//! What a run came to, for people and for programs: the table and the JSON. Pure but for the file
//! that the JSON goes to.
//!
//! A figure that was not measured is `null` in the JSON and absent from the table, never 0.

use crate::{
    options::{Acks, Rate, RunOptions},
    tallies::Tallies,
    verify::{Verdict, Verification},
};
use anyhow::Context;
use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};
use std::{
    fs::File,
    io::{Seek, Write},
    path::PathBuf,
};

/// A thread this busy is what limits the run.
pub const BOTTLENECK_BUSY: f64 = 0.95;
/// A thread that had to wait this share of the time for its processor delays what it measures.
pub const CROWDED_WAITED: f64 = 0.1;
/// Achieving less than this of the rate that was asked for is said.
pub const RATE_REACHED: f64 = 0.99;

/// Shares of the time of the load, of the generator's own thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct GeneratorLoad {
    /// On a processor.
    pub busy: Option<f64>,
    /// Ready to run, while something else had the processor.
    pub waited: Option<f64>,
}

/// The verdict on a run.
pub struct Report {
    pub options: RunOptions,
    pub backend: &'static str,
    /// Closed: what never came is in its histograms.
    pub tallies: Tallies,
    /// The measured time.
    pub seconds: f64,
    pub verification: Verification,
    pub generator: GeneratorLoad,
    /// Partitions that were found with another leader during the run.
    pub leader_moves: u64,
    pub interrupted: bool,
    /// With --once: a consumer did not reach the end of the topic.
    pub cut_short: bool,
    /// With --through-restarts: why the topic was not read a second time.
    pub not_read_again: Option<String>,
}

const QUANTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99_9", 0.999), ("p99_99", 0.9999)];

pub fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}

impl Report {
    /// Whether nothing went wrong; the exit code says it.
    pub fn is_good(&self) -> bool {
        // Consumers that ride out restarts meet errors; what they read is verified.
        let fetches_failed = self.tallies.fetch_errors > 0 && !self.options.through_restarts;
        let verified = !matches!(self.verification.verdict, Verdict::Broken | Verdict::Unfinished);
        self.tallies.errors == 0 && !fetches_failed && verified && !self.cut_short
    }

    fn per_second(&self, count: u64) -> Option<f64> {
        (self.seconds > 0.0).then(|| count as f64 / self.seconds)
    }

    fn records(&self) -> u64 {
        if self.options.consume_only { self.tallies.consumed } else { self.tallies.acknowledged }
    }

    fn bytes(&self) -> u64 {
        if self.options.consume_only {
            self.tallies.consumed_bytes
        } else {
            self.tallies.acknowledged_bytes
        }
    }

    /// What a reader of the figures must know to read them right.
    pub fn remarks(&self) -> Vec<String> {
        let (options, tallies) = (&self.options, &self.tallies);
        let mut remarks = Vec::new();
        if self.interrupted {
            remarks
                .push(format!("ended by a signal: these are the figures of {:.2} s", self.seconds));
        }
        if self.generator.busy.is_some_and(|busy| busy >= BOTTLENECK_BUSY) {
            remarks.push(
                "the generator itself was the bottleneck: its thread was busy all the time"
                    .to_owned(),
            );
        }
        if let Some(waited) = self.generator.waited.filter(|waited| *waited >= CROWDED_WAITED) {
            remarks.push(format!(
                "the generator waited {:.0} % of the time for its processor, and its latencies \
                 count that: give it one \
                 that nothing else uses, with --core",
                waited * 100.0
            ));
        }
        let reached = self.per_second(self.records()).unwrap_or(0.0);
        if let Rate::PerSecond(rate) = options.rate
            && !options.consume_only
            && self.seconds > 0.0
            && reached < rate * RATE_REACHED
        {
            remarks.push(format!(
                "{:.1} % of the rate that was asked for was reached; response times count the \
                 delay",
                reached / rate * 100.0
            ));
        }
        if options.acks == Acks::None && !options.consume_only {
            remarks.push(
                "acks=0: what is called acknowledged was handed to the network; response times \
                 are not measured"
                    .to_owned(),
            );
        }
        if tallies.unanswered > 0 {
            remarks.push(
                "records that were never answered count with the time from when they were due to \
                 the end"
                    .to_owned(),
            );
        }
        if self.leader_moves > 0 {
            remarks.push(format!(
                "{} times a partition was found with another leader",
                self.leader_moves
            ));
        }
        let idle = options.consumers.saturating_sub(options.partitions as usize);
        if idle > 0 && !options.fan_out {
            remarks.push(format!(
                "{idle} of the consumers had no partition: there are {}",
                options.partitions
            ));
        }
        if let Some(why) = &self.not_read_again {
            remarks.push(format!("the topic was not read once more from its beginning: {why}"));
        }
        if self.cut_short {
            remarks.push("the topic was not read to its end: give more --duration".to_owned());
        } else if options.consume_only && tallies.consumed == 0 {
            remarks.push("nothing was consumed: the topic seems to be empty".to_owned());
        }
        remarks
    }

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
        if tallies.unsent > 0 {
            count(tallies.unsent, "unsent: due, while everything sent before was still on its way");
        }
        if tallies.fetch_errors > 0 && !self.options.consume_only {
            count(tallies.fetch_errors, "fetch errors");
        }
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
        lines.extend(self.remarks().iter().map(|remark| format!("\nNote: {remark}.")));
        lines.join("\n")
    }

    /// In a run that only consumes, what fails is a fetch.
    fn errors(&self) -> u64 {
        if self.options.consume_only { self.tallies.fetch_errors } else { self.tallies.errors }
    }

    fn verdict(&self) -> String {
        let number = |count: Option<u64>| {
            count.map_or("an unknown number of".to_owned(), |count| count.to_string())
        };
        let verification = &self.verification;
        match verification.verdict {
            Verdict::Sound => {
                "yes: every acknowledged record was consumed exactly once and in order".to_owned()
            }
            Verdict::Broken => format!(
                "NO: {} acknowledged records lost, {} duplicated or out of order",
                number(verification.lost),
                number(verification.duplicated_or_out_of_order)
            ),
            Verdict::Unfinished => format!(
                "not to the end: {} acknowledged records could not be read; is the broker still \
                 there?",
                number(verification.unread)
            ),
            Verdict::NotChecked(why) => format!("not checked ({why})"),
        }
    }

    pub fn json(&self) -> Value {
        let tallies = &self.tallies;
        json!({
            "error": null,
            "records_per_s": self.per_second(self.records()),
            "bytes_per_s": self.per_second(self.bytes()),
            "errors": self.errors(),
            "unanswered": tallies.unanswered,
            "unsent": tallies.unsent,
            "fetch_errors": tallies.fetch_errors,
            "verified": self.verification.verified(),
            "service_time_ms": quantiles(&tallies.service),
            "response_time_ms": quantiles(&tallies.response),
            "end_to_end_ms": quantiles(&tallies.end_to_end),
            "seconds": self.seconds,
            "acknowledged": tallies.acknowledged,
            "consumed": tallies.consumed,
            "fetched_bytes": tallies.fetched_bytes,
            "lost": self.verification.lost,
            "duplicated_or_out_of_order": self.verification.duplicated_or_out_of_order,
            "unread": self.verification.unread,
            "batches": tallies.batches,
            "wire_bytes": tallies.wire_bytes,
            "leader_moves": self.leader_moves,
            "generator_busy_ratio": self.generator.busy,
            "generator_waited_ratio": self.generator.waited,
            "interrupted": self.interrupted,
            "remarks": self.remarks(),
            "backend": self.backend,
            "options": options_json(&self.options),
        })
    }
}

/// The JSON of a run that did not come to its load: the same keys, every figure `null`.
pub fn failed(options: &RunOptions, error: &anyhow::Error) -> Value {
    let verification = Verification::judge(options, crate::verify::Findings::default());
    let nothing = Report {
        options: options.clone(),
        backend: "",
        tallies: Tallies::new(options.record_size),
        seconds: 0.0,
        verification,
        generator: GeneratorLoad::default(),
        leader_moves: 0,
        interrupted: false,
        cut_short: false,
        not_read_again: None,
    };
    let Value::Object(mut report) = nothing.json() else { unreachable!("a report is an object") };
    for (key, value) in &mut report {
        match key.as_str() {
            "options" => {}
            "error" => *value = json!(format!("{error:#}")),
            "remarks" => *value = json!([]),
            _ => erase(value),
        }
    }
    Value::Object(report)
}

fn erase(value: &mut Value) {
    match value {
        Value::Object(parts) => parts.values_mut().for_each(erase),
        figure => *figure = Value::Null,
    }
}

pub fn options_json(options: &RunOptions) -> Value {
    json!({
        "bootstrap": options.bootstrap.join(","),
        "topic": options.topic,
        "partitions": options.partitions,
        "record_size": options.record_size,
        "rate": match options.rate { Rate::Max => json!("max"),
            Rate::PerSecond(rate) => json!(rate) },
        "acks": options.acks.code(),
        "connections": options.connections,
        "batch_size": options.batch_size,
        "linger_ms": options.linger_ms,
        "consumers": options.consumers,
        "keys": options.keys,
        "fan_out": options.fan_out,
        "skim": options.skim,
        "consume_only": options.consume_only,
    })
}

/// `null` for each where nothing was measured.
fn quantiles(histogram: &Histogram<u64>) -> Value {
    let value = |ns: u64| if histogram.is_empty() { Value::Null } else { json!(ms(ns)) };
    let mut quantiles: Map<String, Value> = QUANTILES
        .iter()
        .map(|(name, q)| ((*name).to_owned(), value(histogram.value_at_quantile(*q))))
        .collect();
    quantiles.insert("max".to_owned(), value(histogram.max()));
    Value::Object(quantiles)
}

/// Where the JSON goes. It is opened before the load, so that a path that cannot be written is an
/// error then, and a report of an earlier run is never taken for this one's.
pub struct JsonFile {
    path: PathBuf,
    file: File,
}

impl JsonFile {
    pub fn create(path: PathBuf) -> anyhow::Result<JsonFile> {
        let hint = || {
            format!(
                "cannot write {}: give --json the path of a file in a folder that exists",
                path.display()
            )
        };
        let file = File::create(&path).with_context(hint)?;
        Ok(JsonFile { path, file })
    }

    pub fn write(mut self, report: &Value) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(report)? + "\n";
        // A pipe cannot be rewound, and need not be.
        let _ = self.file.rewind();
        self.file
            .write_all(text.as_bytes())
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Findings;
    use ring::Instant;
    use std::time::Duration;

    fn report(line: &str, tallies: Tallies, seconds: f64, findings: Findings) -> Report {
        let options = RunOptions::parse_for_tests(line);
        let verification = Verification::judge(&options, findings);
        Report {
            options,
            backend: "simulated",
            tallies,
            seconds,
            verification,
            generator: GeneratorLoad::default(),
            leader_moves: 0,
            interrupted: false,
            cut_short: false,
            not_read_again: None,
        }
    }

    #[test]
    fn what_was_not_measured_is_null_and_not_zero() {
        let nothing = report("", Tallies::new(100), 0.0, Findings::default());
        let json = nothing.json();
        for pointer in [
            "/records_per_s",
            "/bytes_per_s",
            "/response_time_ms/p99",
            "/end_to_end_ms/max",
            "/verified",
            "/lost",
        ] {
            assert_eq!(json.pointer(pointer), Some(&Value::Null), "{pointer}");
        }
        assert_eq!((&json["acknowledged"], &json["errors"]), (&json!(0), &json!(0)));
        let table = nothing.table();
        assert!(
            table.contains("- records/s") && !table.contains("NaN") && !table.contains("p50 0"),
            "{table}"
        );
    }

    #[test]
    fn unanswered_records_stand_in_table_and_json_and_are_no_success() {
        let mut tallies = Tallies::new(100);
        let (early, late) = (Instant(0), Instant(2_000_000_000));
        tallies.acknowledged(168, &[early], early, early + Duration::from_millis(1));
        tallies.unanswered(&[late, late], Some(late));
        tallies.close(late + Duration::from_secs(3));
        let report = report(
            "--rate 1",
            tallies,
            3.0,
            Findings { acknowledged: 1, unread: 1, ..Findings::default() },
        );
        let json = report.json();
        assert!(!report.is_good());
        assert_eq!((&json["errors"], &json["unanswered"]), (&json!(2), &json!(2)));
        assert_eq!((&json["lost"], &json["verified"]), (&Value::Null, &Value::Null));
        assert!(json["response_time_ms"]["p50"].as_f64().unwrap() >= 2_990.0, "{json}");
        assert!(report.table().contains("2 of them unanswered"), "{}", report.table());
    }

    #[test]
    fn a_broker_too_slow_for_the_rate_is_told_from_one_that_is_silent() {
        let mut tallies = Tallies::new(100);
        tallies.acknowledged(168, &[Instant(0); 50], Instant(0), Instant(1_000_000));
        tallies.unsent = 50;
        let report = report("--rate 100", tallies, 1.0, Findings::default());
        assert!(report.is_good(), "the measurement is sound; it says what the broker cannot do");
        assert!(
            report.remarks().iter().any(|remark| remark.contains("50.0 % of the rate")),
            "{:?}",
            report.remarks()
        );
        assert!(report.table().contains("50 unsent"));
    }

    #[test]
    fn consumers_that_fail_are_no_success_unless_restarts_were_ridden_out() {
        for (line, is_good) in [
            ("--consumers 1 --skim", false),
            ("--consumers 1 --consume-only", false),
            ("--consumers 1 --idempotence --through-restarts", true),
        ] {
            let mut tallies = Tallies::new(100);
            tallies.fetch_errors = 3;
            let report = report(
                line,
                tallies,
                1.0,
                Findings { acknowledged: 1, consumed: 1, ..Findings::default() },
            );
            assert_eq!(report.is_good(), is_good, "{line}");
            assert_eq!(report.json()["fetch_errors"], json!(3));
        }
    }

    #[test]
    fn a_run_that_could_not_be_read_back_is_no_success() {
        let unread = Findings { acknowledged: 5, unread: 5, ..Findings::default() };
        let report = report("--consumers 1", Tallies::new(100), 1.0, unread);
        assert!(!report.is_good());
        assert_eq!(
            (&report.json()["verified"], &report.json()["unread"]),
            (&Value::Null, &json!(5))
        );
        assert!(
            report.table().contains("5 acknowledged records could not be read"),
            "{}",
            report.table()
        );
    }

    #[test]
    fn a_run_that_failed_has_every_key_and_no_figure() {
        let options = RunOptions::parse_for_tests("--topic t");
        let good = report("--topic t", Tallies::new(100), 1.0, Findings::default()).json();
        let failed = failed(&options, &anyhow::anyhow!("no broker"));
        let keys = |report: &Value| report.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&failed), keys(&good));
        assert_eq!(
            (&failed["error"], &failed["acknowledged"]),
            (&json!("no broker"), &Value::Null)
        );
        assert_eq!(
            (&failed["response_time_ms"]["p50"], &failed["options"]["topic"]),
            (&Value::Null, &json!("t"))
        );
    }

    #[test]
    fn remarks_say_who_was_slow() {
        let mut report =
            report("--consumers 3 --partitions 2", Tallies::new(100), 1.0, Findings::default());
        report.generator = GeneratorLoad { busy: Some(0.5), waited: Some(0.3) };
        let said = report.remarks().join("\n");
        assert!(
            said.contains("waited 30 %") && said.contains("1 of the consumers had no partition"),
            "{said}"
        );
        report.generator = GeneratorLoad { busy: Some(0.97), waited: Some(0.0) };
        assert!(report.remarks().join("\n").contains("bottleneck"));
    }
}
