//! What a run came to, for people and for programs: the table, the JSON and the page. Pure but for
//! the files that they go to.
//!
//! A figure that was not measured is `null` in the JSON and absent from the table, never 0.

pub mod chart;
mod details;
pub mod html;
mod json;
mod table;

pub use details::{CommandOutcome, Details};
pub use json::{ReportFile, codec_name, date, failed, histogram_of, options_json};

use crate::{
    machine::Machine,
    options::{Acks, Rate, RunOptions},
    outages::Outage,
    tallies::Tallies,
    verify::{Verdict, Verification},
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

/// What the settings came to between this program and the broker.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wire {
    pub produce_version: i16,
    pub fetch_version: i16,
    /// Brokers that led a partition of the load when it ended.
    pub leaders: usize,
}

/// Where and when it ran.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    pub machine: Machine,
    /// Milliseconds since 1970, when the load began.
    pub began_ms: Option<i64>,
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
    /// `None`: no broker was spoken to.
    pub wire: Option<Wire>,
    pub environment: Environment,
    /// What its workload adds.
    pub details: Details,
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
        let came_through = !self.has_failed_commands_or_transactions();
        self.tallies.errors == 0 && !fetches_failed && verified && !self.cut_short && came_through
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

    /// With how many were left out.
    fn outages(&self) -> (Vec<Outage>, u64) {
        self.tallies.outages.spans(self.tallies.measure_from)
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
            && !self.is_by_chance()
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
        remarks.extend(self.remarks_on_consumers());
        remarks
    }

    fn remarks_on_consumers(&self) -> Vec<String> {
        let (options, tallies) = (&self.options, &self.tallies);
        let mut remarks = Vec::new();
        let idle = options.consumers.saturating_sub(options.partitions as usize);
        if idle > 0 && !options.fan_out {
            remarks.push(format!(
                "{idle} of the consumers had no partition: there are {}",
                options.partitions
            ));
        }
        let not_verified = self.not_verified();
        if !not_verified.is_empty() {
            remarks.push(format!(
                "not verified, for want of consumers that look at their records: {}",
                not_verified.join(", ")
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

    /// In a run that only consumes, what fails is a fetch.
    fn errors(&self) -> u64 {
        if self.options.consume_only { self.tallies.fetch_errors } else { self.tallies.errors }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::{options::RunOptions, tallies::BatchSize, verify::Findings};
    use ring::Instant;
    use serde_json::{Value, json};
    use std::time::Duration;

    pub fn report(line: &str, tallies: Tallies, seconds: f64, findings: Findings) -> Report {
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
            wire: Some(Wire { produce_version: 9, fetch_version: 12, leaders: 1 }),
            environment: Environment::default(),
            details: Details::default(),
        }
    }

    #[test]
    fn what_was_not_measured_is_null_and_not_zero() {
        let nothing = report("", Tallies::default(), 0.0, Findings::default());
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
        let mut tallies = Tallies::default();
        let (early, late) = (Instant(0), Instant(2_000_000_000));
        tallies.acknowledged(
            BatchSize { wire: 168, values: 100 },
            &[early],
            early,
            early + Duration::from_millis(1),
        );
        tallies.unanswered(&[late, late], Some(late), "unanswered");
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
        let mut tallies = Tallies::default();
        tallies.acknowledged(
            BatchSize { wire: 168, values: 5_000 },
            &[Instant(0); 50],
            Instant(0),
            Instant(1_000_000),
        );
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
            let mut tallies = Tallies::default();
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
        let report = report("--consumers 1", Tallies::default(), 1.0, unread);
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
        let good = report("--topic t", Tallies::default(), 1.0, Findings::default()).json();
        let here = Environment::default();
        let failed = failed(&options, &here, &anyhow::anyhow!("no broker"));
        let keys = |report: &Value| report.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&failed), keys(&good));
        assert_eq!(
            (&failed["error"], &failed["acknowledged"]),
            (&json!("no broker"), &Value::Null)
        );
        for key in ["timeline", "errors_by_code", "outages"] {
            assert!(failed[key].is_null(), "{key}");
        }
        assert_eq!(
            (&failed["response_time_ms"]["p50"], &failed["options"]["topic"]),
            (&Value::Null, &json!("t"))
        );
    }

    #[test]
    fn remarks_say_who_was_slow() {
        let mut report =
            report("--consumers 3 --partitions 2", Tallies::default(), 1.0, Findings::default());
        report.generator = GeneratorLoad { busy: Some(0.5), waited: Some(0.3) };
        let said = report.remarks().join("\n");
        assert!(
            said.contains("waited 30 %") && said.contains("1 of the consumers had no partition"),
            "{said}"
        );
        report.generator = GeneratorLoad { busy: Some(0.97), waited: Some(0.0) };
        assert!(report.remarks().join("\n").contains("bottleneck"));
    }

    #[test]
    fn histograms_errors_and_outages_stand_in_the_json() {
        let mut tallies = Tallies::default();
        let at = |ms: u64| Instant(ms * 1_000_000);
        tallies.begin_timeline(at(0));
        tallies.built(&[at(0)]);
        tallies.acknowledged(BatchSize { wire: 168, values: 100 }, &[at(0)], at(0), at(3));
        tallies.built(&[at(2_000)]);
        tallies.tick(at(1_000), None, Some(0.25));
        tallies.refused(&[at(2_000)], "NOT_ENOUGH_REPLICAS");
        tallies.tick(at(5_000), None, None);
        tallies.close(at(5_000));
        let report = report("--rate 1", tallies, 5.0, Findings::default());
        let json = report.json();
        let data = json["histograms"]["response_time"].as_str().unwrap();
        assert_eq!(histogram_of(data).as_ref(), Some(&report.tallies.response));
        assert_eq!(json["histograms"]["end_to_end"], Value::Null);
        assert_eq!(json["errors_by_code"], json!({"NOT_ENOUGH_REPLICAS": 1}));
        assert_eq!(json["outages"], json!([{"at_s": 2.0, "seconds": 3.0, "is_over": false}]));
        assert_eq!(json["timeline"][0]["generator_busy_ratio"], json!(0.25));
        assert_eq!(json["timeline"][1]["errors_by_code"], json!({"NOT_ENOUGH_REPLICAS": 1}));
        assert_eq!(json["timeline"][1]["response_time_ms"]["p99"], Value::Null);
        let table = report.table();
        assert!(table.contains("of them NOT_ENOUGH_REPLICAS"), "{table}");
        assert!(table.contains("outage 3.000 s, from second 2.000 to the end"), "{table}");
    }
}
