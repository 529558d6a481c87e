//! What a search for a knee came to, for people and for programs: the table and the JSON. Pure.
//!
//! A figure that is not known is `null` in the JSON and absent from the table, never 0.

use super::{
    fit::{self, Fit, Knee},
    options::KneeOptions,
    search::Outcome,
    trial::{Limit, Quantiles, Tried},
};
use crate::{
    machine::Machine,
    report::{date, options_json},
};
use serde_json::{Value, json};

/// One whole search.
pub struct SearchRun {
    pub topic: String,
    pub outcome: Outcome,
    /// Where a knee was found: of the service level that failed first.
    pub fit: Option<Fit>,
    pub trials: usize,
    pub seconds: f64,
}

pub struct Findings {
    pub options: KneeOptions,
    pub runs: Vec<SearchRun>,
    pub tried: Vec<Tried>,
    pub interrupted: bool,
    /// Where the broker's process is of this machine.
    pub broker_cores: Option<usize>,
    pub machine: Machine,
    pub began_ms: Option<i64>,
    /// Why it ended before its time.
    pub error: Option<anyhow::Error>,
}

impl Findings {
    /// Whether a knee was found; the exit code says it.
    pub fn knee(&self) -> Option<Knee> {
        let fits: Vec<Fit> = self.runs.iter().filter_map(|run| run.fit).collect();
        fit::combine(&fits)
    }

    /// The widest bounds of the searches that found a knee; else those of the last search.
    fn bounds(&self) -> (Option<f64>, Option<f64>) {
        let found: Vec<(f64, f64)> = self
            .runs
            .iter()
            .filter_map(|run| match run.outcome {
                Outcome::Found { low, high } => Some((low, high)),
                _ => None,
            })
            .collect();
        let low = found.iter().map(|(low, _)| *low).min_by(f64::total_cmp);
        let high = found.iter().map(|(_, high)| *high).max_by(f64::total_cmp);
        if low.is_some() {
            return (low, high);
        }
        self.runs.last().map_or((None, None), |run| bounds_of(run.outcome))
    }

    /// Of the bad trials at the upper bounds; where there is none, of those that were void, or that
    /// led highest.
    pub fn limit(&self) -> Option<Limit> {
        let highs: Vec<f64> = self.runs.iter().filter_map(|run| bounds_of(run.outcome).1).collect();
        let chosen = |is_chosen: &dyn Fn(&Tried) -> bool| {
            let trials: Vec<&Tried> = self.tried.iter().filter(|tried| is_chosen(tried)).collect();
            Limit::of(&trials)
        };
        let highest = self.tried.iter().map(|tried| tried.rate).fold(0.0, f64::max);
        chosen(&|tried| tried.void.is_none() && !tried.is_good && highs.contains(&tried.rate))
            .or_else(|| chosen(&|tried| tried.void.is_some()))
            .or_else(|| chosen(&|tried| tried.rate == highest))
    }

    fn slos(&self) -> Vec<String> {
        self.options.slos.iter().map(ToString::to_string).collect()
    }

    pub fn table(&self) -> String {
        let mut lines = vec![String::new()];
        match (self.knee(), self.bounds()) {
            (Some(knee), _) => lines.push(format!(
                "{:>14} records/s   {} to {} with 95 %   sd {}",
                figure(knee.records_per_s),
                figure(knee.low),
                figure(knee.high),
                figure(knee.sd)
            )),
            (None, (low, high)) => lines.push(format!(
                "{:>14} records/s is where the knee lies",
                between(low, high).unwrap_or("unknown".to_owned())
            )),
        }
        lines.push(format!("{:>14} {}", "holds", self.slos().join(" and ")));
        if let Some(limit) = self.limit() {
            lines.push(format!("{:>14} {}", "limit", limit.words()));
        }
        lines.push(format!(
            "\n{:<8}{:>26}{:>12}{:>9}{:>8}{:>9}",
            "run", "bounds, records/s", "fit", "sd", "trials", "seconds"
        ));
        for (index, run) in self.runs.iter().enumerate() {
            let (low, high) = bounds_of(run.outcome);
            let fit = run.fit.and_then(|fit| fit::combine(&[fit]));
            let column = |value: Option<f64>| value.map_or("-".to_owned(), figure);
            lines.push(format!(
                "{:<8}{:>26}{:>12}{:>9}{:>8}{:>9.0}",
                index + 1,
                between(low, high).unwrap_or("-".to_owned()),
                column(fit.map(|knee| knee.records_per_s)),
                column(fit.map(|knee| knee.sd)),
                run.trials,
                run.seconds
            ));
        }
        lines.extend(self.remarks().iter().map(|remark| format!("\nNote: {remark}.")));
        lines.join("\n")
    }

    /// What a reader of the figures must know to read them right.
    pub fn remarks(&self) -> Vec<String> {
        let was_cut_short = self.interrupted || self.error.is_some();
        let by_itself =
            |outcome: &Outcome| !(was_cut_short && matches!(outcome, Outcome::Unfinished { .. }));
        let outcomes = self.runs.iter().map(|run| run.outcome).filter(by_itself);
        let mut remarks: Vec<String> = outcomes.filter_map(why_only_a_bound).collect();
        remarks.dedup();
        if self.error.is_some() {
            remarks.push("ended by an error: this is what was known by then".to_owned());
        }
        if self.interrupted {
            remarks.push("ended by a signal: this is what was known by then".to_owned());
        }
        let found = self.runs.iter().filter(|run| run.fit.is_some()).count();
        if found > 0 && found < self.options.runs() {
            remarks.push(format!(
                "the knee is of {found} searches, of {} that were asked for",
                self.options.runs()
            ));
        }
        if found == 1 {
            remarks.push("one search does not show how much runs differ: --runs 3 does".to_owned());
        }
        let broken = self.tried.iter().filter(|tried| tried.is_broken).count();
        if broken > 0 {
            remarks.push(format!(
                "in {broken} trials acknowledged records were lost, duplicated or out of order: \
                 see `loadgen run` at such a rate"
            ));
        }
        remarks
    }

    pub fn json(&self) -> Value {
        let (knee, (low, high)) = (self.knee(), self.bounds());
        let limit = self.limit();
        let mut load = options_json(&self.options.load);
        if let Some(load) = load.as_object_mut() {
            load.remove("rate");
        }
        json!({
            "error": self.error.as_ref().map(|error| format!("{error:#}")),
            "knee": {
                "records_per_s": knee.map(|knee| knee.records_per_s),
                "sd": knee.map(|knee| knee.sd),
                "low": knee.map_or(low, |knee| Some(knee.low)),
                "high": knee.map_or(high, |knee| Some(knee.high)),
            },
            "bounds": { "low": low, "high": high },
            "slo": self.slos(),
            "limit": limit.as_ref().map(Limit::name),
            "limit_words": limit.as_ref().map(Limit::words),
            "interrupted": self.interrupted,
            "remarks": self.remarks(),
            "runs": self.runs.iter().map(run_json).collect::<Vec<Value>>(),
            "trials": self.tried.iter().map(trial_json).collect::<Vec<Value>>(),
            "options": load,
            "broker": {
                "cores": self.options.broker_cores.map(usize::from).or(self.broker_cores),
                "brokers": self.tried.iter().map(|tried| tried.wire.leaders).max(),
            },
            "environment": {
                "loadgen_version": env!("CARGO_PKG_VERSION"),
                "command_line": self.machine.command_line,
                "date": self.began_ms.and_then(date),
                "kernel": self.machine.kernel,
                "processor": self.machine.processor,
            },
        })
    }
}

fn bounds_of(outcome: Outcome) -> (Option<f64>, Option<f64>) {
    match outcome {
        Outcome::Found { low, high } => (Some(low), Some(high)),
        Outcome::Above { low, .. } => (Some(low), None),
        Outcome::Below { high } => (None, Some(high)),
        Outcome::Unknown => (None, None),
        Outcome::Unfinished { low, high } => (low, high),
    }
}

fn name_of(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Found { .. } => "found",
        Outcome::Above { .. } => "above",
        Outcome::Below { .. } => "below",
        Outcome::Unknown => "unknown",
        Outcome::Unfinished { .. } => "unfinished",
    }
}

fn why_only_a_bound(outcome: Outcome) -> Option<String> {
    Some(match outcome {
        Outcome::Found { .. } => return None,
        Outcome::Above { generator_was_the_limit: true, .. } => {
            "beyond the lower bound the generator was the limit: the broker's knee is not below it"
                .to_owned()
        }
        Outcome::Above { low, .. } => {
            format!("the service level holds up to --rate-max: give more than {}", figure(low))
        }
        Outcome::Below { high } => format!(
            "the service level does not hold at --rate-min: give less than {}, or a level that \
             this load can hold",
            figure(high)
        ),
        Outcome::Unknown => {
            "not even the lowest rate could be sent as it was due: the generator was the limit"
                .to_owned()
        }
        Outcome::Unfinished { .. } => {
            "a search ended before its bounds were near to each other: trials that disagree need \
             a wider --width or a longer --trial"
                .to_owned()
        }
    })
}

/// With the digits that a rate of this size needs.
pub fn figure(rate: f64) -> String {
    if rate >= 100.0 { format!("{rate:.0}") } else { format!("{rate:.3}") }
}

pub fn between(low: Option<f64>, high: Option<f64>) -> Option<String> {
    match (low, high) {
        (Some(low), Some(high)) => Some(format!("{} to {}", figure(low), figure(high))),
        (Some(low), None) => Some(format!("{} or more", figure(low))),
        (None, Some(high)) => Some(format!("below {}", figure(high))),
        (None, None) => None,
    }
}

fn run_json(run: &SearchRun) -> Value {
    let (low, high) = bounds_of(run.outcome);
    let fit = run.fit.and_then(|fit| fit::combine(&[fit]));
    json!({
        "topic": run.topic,
        "outcome": name_of(run.outcome),
        "low": low,
        "high": high,
        "fit_records_per_s": fit.map(|knee| knee.records_per_s),
        "fit_sd": fit.map(|knee| knee.sd),
        "trials": run.trials,
        "seconds": run.seconds,
    })
}

fn trial_json(tried: &Tried) -> Value {
    let quantiles =
        |times: &Quantiles| json!({ "p50": times.p50, "p99": times.p99, "p99_9": times.p99_9 });
    let usage = &tried.usage;
    json!({
        "run": tried.run,
        "rate": tried.rate,
        "duration_s": tried.duration_s,
        "late_share": tried.late,
        "good": tried.void.is_none().then_some(tried.is_good),
        "void": tried.void,
        "records_per_s": tried.achieved,
        "errors": tried.errors,
        "unsent": tried.unsent,
        "response_time_ms": quantiles(&tried.response),
        "end_to_end_ms": quantiles(&tried.end_to_end),
        "generator_busy_ratio": tried.generator.busy,
        "generator_waited_ratio": tried.generator.waited,
        "broker_processors": usage.broker_processors,
        "broker_busiest_thread": usage.busiest_thread.as_ref().map(|thread| &thread.name),
        "broker_busiest_thread_ratio": usage.busiest_thread.as_ref().map(|thread| thread.share),
        "broker_busiest_thread_waited_ratio":
            usage.busiest_thread.as_ref().map(|thread| thread.waited),
        "busiest_disk": usage.busiest_disk.as_ref().map(|disk| &disk.name),
        "busiest_disk_ratio": usage.busiest_disk.as_ref().map(|disk| disk.share),
        "broker_written_bytes_per_s": usage.broker_written,
        "flushes_per_s": usage.flushes,
        "produce_requests_per_s": tried.work.produces,
        "batches_per_s": tried.work.batches,
        "written_bytes_per_s": tried.work.written_bytes,
        "value_bytes_per_s": tried.work.value_bytes,
        "fetch_requests_per_s": tried.work.fetches,
        "fetched_bytes_per_s": tried.work.fetched_bytes,
        "to_broker_bytes_per_s": tried.work.to_broker_bytes,
        "from_broker_bytes_per_s": tried.work.from_broker_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{knee::watch::Busy, report::GeneratorLoad};

    fn findings(outcomes: &[Outcome]) -> Findings {
        let run = |outcome: &Outcome| SearchRun {
            topic: "t".to_owned(),
            outcome: *outcome,
            fit: match outcome {
                Outcome::Found { low, high } => {
                    Some(Fit { mean_ln: (low * high).sqrt().ln(), sd_ln: 0.01 })
                }
                _ => None,
            },
            trials: 9,
            seconds: 60.0,
        };
        let tried = |rate: f64, is_good, thread: f64| {
            let mut tried = Tried { run: 1, rate, is_good, ..Tried::default() };
            tried.late = vec![if is_good { 0.0 } else { 0.5 }];
            tried.generator = GeneratorLoad { busy: Some(0.3), waited: Some(0.0) };
            let name = "core 0".to_owned();
            tried.usage.busiest_thread = Some(Busy { name, share: thread, waited: 0.0 });
            tried
        };
        Findings {
            options: KneeOptions::parse_for_tests("--slo p99<=10ms").unwrap(),
            runs: outcomes.iter().map(run).collect(),
            tried: vec![tried(1000.0, true, 0.7), tried(1050.0, false, 0.98)],
            interrupted: false,
            broker_cores: Some(1),
            machine: Machine::default(),
            began_ms: None,
            error: None,
        }
    }

    #[test]
    fn a_knee_is_told_with_its_error_bar_bounds_and_limit() {
        let found = Outcome::Found { low: 1000.0, high: 1050.0 };
        let findings = findings(&[found; 3]);
        let json = findings.json();
        let number = |pointer: &str| json.pointer(pointer).unwrap().as_f64().unwrap();
        let (knee, low, high) =
            (number("/knee/records_per_s"), number("/knee/low"), number("/knee/high"));
        assert!(low < knee && knee < high && (knee - 1024.7).abs() < 0.1, "{json}");
        assert!(number("/knee/sd") > 10.0 && number("/bounds/high") == 1050.0);
        assert_eq!(
            (json["limit"].as_str(), number("/trials/1/rate")),
            (Some("broker core"), 1050.0)
        );
        assert_eq!(json["slo"][0], "response p99<=10ms");
        assert!(json["options"].get("rate").is_none() && json["error"].is_null());
        let table = findings.table();
        assert!(table.contains("1025 records/s") && table.contains("with 95 %"), "{table}");
        assert!(table.contains("1000 to 1050") && table.contains("core 0 used 98 %"), "{table}");
        assert!(findings.remarks().is_empty());
    }

    #[test]
    fn only_a_bound_is_no_knee_and_says_why() {
        for (outcome, low, high, says) in [
            (
                Outcome::Above { low: 900.0, generator_was_the_limit: true },
                Some(900.0),
                None,
                "the generator was the limit",
            ),
            (
                Outcome::Above { low: 900.0, generator_was_the_limit: false },
                Some(900.0),
                None,
                "--rate-max",
            ),
            (Outcome::Below { high: 10.0 }, None, Some(10.0), "--rate-min"),
            (Outcome::Unknown, None, None, "lowest rate"),
            (Outcome::Unfinished { low: None, high: None }, None, None, "--width"),
        ] {
            let findings = findings(&[outcome]);
            let json = findings.json();
            assert!(findings.knee().is_none() && json["knee"]["records_per_s"].is_null());
            let bound = |key: &str| json["knee"][key].as_f64();
            assert_eq!((bound("low"), bound("high")), (low, high), "{outcome:?}");
            assert!(findings.table().contains(says), "{}", findings.table());
        }
    }

    #[test]
    fn a_search_that_was_cut_short_is_not_told_to_be_run_otherwise() {
        let mut findings = findings(&[Outcome::Unfinished { low: None, high: None }]);
        assert!(findings.remarks()[0].contains("--width"));
        findings.interrupted = true;
        assert_eq!(findings.remarks().len(), 1);
        assert!(findings.remarks()[0].contains("signal"), "{:?}", findings.remarks());
        findings.interrupted = false;
        findings.error = Some(anyhow::anyhow!("gone"));
        assert!(findings.remarks()[0].contains("error") && findings.json()["error"] == "gone");
    }

    #[test]
    fn the_knee_of_searches_before_a_failed_one_stays() {
        let found = Outcome::Found { low: 1000.0, high: 1050.0 };
        let findings = findings(&[found, Outcome::Unfinished { low: None, high: None }]);
        assert!(findings.knee().is_some());
        assert!(findings.remarks().iter().any(|remark| remark.contains("of 1 searches, of 3")));
    }
}
