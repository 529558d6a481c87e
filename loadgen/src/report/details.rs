//! What a workload adds to a report: its phases, its commands and how long recovery from them took,
//! its transactions, groups and catch-up readers. Pure.

use super::{Report, chart::escaped, html::table, ms};
use crate::{
    consume::CatchUpOutcome,
    knee::Slo,
    schedule::Arrivals,
    timeline::Point,
    workload::{Command, Producers, Workload},
};
use serde_json::{Map, Value, json};
use std::time::Duration;

#[derive(Clone, Debug, Default)]
pub struct Details {
    /// `None`: there was no load.
    pub workload: Option<Workload>,
    pub commands: Vec<CommandOutcome>,
    pub catch_ups: Vec<CatchUpOutcome>,
    /// How often members of groups were given partitions anew.
    pub rebalances: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CommandOutcome {
    pub name: String,
    pub run: String,
    /// Since the measured time began; `None`: it was not run.
    pub at: Option<Duration>,
    /// `None`: it had not ended when the run had.
    pub took: Option<Duration>,
    /// `None` where a signal ended it.
    pub exit_code: Option<i32>,
    pub error: Option<String>,
}

impl CommandOutcome {
    pub fn of(command: &Command) -> CommandOutcome {
        CommandOutcome {
            name: command.name.clone(),
            run: command.run.clone(),
            at: None,
            took: None,
            exit_code: None,
            error: None,
        }
    }
}

/// How long a service level was not held after a command.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Recovery {
    /// It was held in every second.
    Held,
    /// From the command to the end of the last second that missed it.
    After(Duration),
    /// Not before the next command, or the end.
    NotYet,
}

impl Recovery {
    /// Of the points from `at` up to `until`: the next command.
    fn of(points: &[Point], at: Duration, until: Option<Duration>, level: &Slo) -> Recovery {
        let within: Vec<&Point> = points
            .iter()
            .filter(|point| point.from + point.length > at)
            .filter(|point| until.is_none_or(|until| point.from < until))
            .collect();
        let Some(last) = within.iter().rposition(|point| misses(point, level)) else {
            return Recovery::Held;
        };
        if last + 1 == within.len() {
            return Recovery::NotYet;
        }
        let point = within[last];
        Recovery::After((point.from + point.length).saturating_sub(at))
    }

    fn words(self) -> String {
        match self {
            Recovery::Held => "held all the time".to_owned(),
            Recovery::After(time) => format!("held again after {:.1} s", time.as_secs_f64()),
            Recovery::NotYet => "not held again".to_owned(),
        }
    }
}

/// What is refused is late, and so is all where something waits and nothing is acknowledged.
fn misses(point: &Point, level: &Slo) -> bool {
    let errors: u64 = point.counts.errors.values().sum();
    let (late, answered) = point.later_than(level.bound.as_nanos() as u64);
    let total = answered + errors;
    if total == 0 {
        return point.gauges.backlog > 0;
    }
    (late + errors) as f64 / total as f64 > level.late_max
}

/// A phase that is measured, with the seconds that lie in it.
struct PhaseFigures {
    name: String,
    from: Duration,
    length: Duration,
    /// `None` where the run did not come to it.
    point: Option<Point>,
}

impl Report {
    fn phases(&self) -> Vec<PhaseFigures> {
        let Some(workload) = &self.details.workload else { return Vec::new() };
        let points = self.tallies.timeline.points();
        let mut from = Duration::ZERO;
        let measured = workload.phases.iter().filter(|phase| phase.measured);
        measured
            .map(|phase| {
                let until = from + phase.duration;
                let is_within =
                    |point: &&Point| (from..until).contains(&(point.from + point.length / 2));
                let figures = PhaseFigures {
                    name: phase.name.clone(),
                    from,
                    length: phase.duration,
                    point: Point::of_all(points.iter().filter(is_within)),
                };
                from = until;
                figures
            })
            .collect()
    }

    /// Each level with its recovery, of one command.
    fn recoveries(&self, place: usize) -> Vec<(String, Recovery)> {
        let (Some(workload), commands) = (&self.details.workload, &self.details.commands) else {
            return Vec::new();
        };
        let Some(at) = commands[place].at else { return Vec::new() };
        let next = commands.iter().filter_map(|one| one.at).filter(|other| *other > at).min();
        let points = self.tallies.timeline.points();
        let of = |level: &Slo| (level.to_string(), Recovery::of(points, at, next, level));
        workload.levels.iter().map(of).collect()
    }

    /// What the JSON has beside the figures of every run.
    pub fn details_json(&self) -> Map<String, Value> {
        let mut json = Map::new();
        let details = &self.details;
        let workload = details.workload.as_ref();
        json.insert("workload".to_owned(), json!(workload.map(Workload::toml)));
        json.insert("workload_file".to_owned(), json!(workload.and_then(|one| one.file.clone())));
        let phases: Vec<Value> = self.phases().iter().map(phase_json).collect();
        json.insert("phases".to_owned(), json!(phases));
        let commands: Vec<Value> =
            (0..details.commands.len()).map(|place| self.command_json(place)).collect();
        json.insert("commands".to_owned(), json!(commands));
        let catch_ups: Vec<Value> = details.catch_ups.iter().map(catch_up_json).collect();
        json.insert("catch_ups".to_owned(), json!(catch_ups));
        json.insert("rebalances".to_owned(), json!(details.rebalances));
        let transactions = &self.tallies.transactions;
        let end = |quantile| {
            let end = &transactions.end;
            (!end.is_empty()).then(|| ms(end.value_at_quantile(quantile)))
        };
        json.insert(
            "transactions".to_owned(),
            json!({
                "committed": transactions.committed,
                "aborted": transactions.aborted,
                "failed": transactions.failed,
                "aborted_records": transactions.aborted_records,
                "end_ms": { "p50": end(0.5), "p99": end(0.99), "max": end(1.0) },
            }),
        );
        let seen = self.verification.aborted_and_seen;
        json.insert("aborted_and_seen".to_owned(), json!(seen));
        json
    }

    fn command_json(&self, place: usize) -> Value {
        let command = &self.details.commands[place];
        let recovery = |(level, recovery): (String, Recovery)| {
            let (is_held, seconds) = match recovery {
                Recovery::Held => (true, Some(0.0)),
                Recovery::After(time) => (true, Some(time.as_secs_f64())),
                Recovery::NotYet => (false, None),
            };
            json!({ "level": level, "is_held_again": is_held, "seconds": seconds })
        };
        json!({
            "name": command.name,
            "run": command.run,
            "at_s": command.at.map(|at| at.as_secs_f64()),
            "seconds": command.took.map(|took| took.as_secs_f64()),
            "exit_code": command.exit_code,
            "error": command.error,
            "recovery": self.recoveries(place).into_iter().map(recovery).collect::<Vec<_>>(),
        })
    }

    /// For the table, among its counts.
    pub fn count_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let transactions = &self.tallies.transactions;
        if transactions.committed + transactions.aborted + transactions.failed > 0 {
            lines.push(format!(
                "{:>14} transactions committed, {} aborted ({} records), {} failed",
                transactions.committed,
                transactions.aborted,
                transactions.aborted_records,
                transactions.failed
            ));
        }
        if self.details.rebalances > 0 {
            lines.push(format!(
                "{:>14} times partitions were given anew in groups",
                self.details.rebalances
            ));
        }
        for catch_up in &self.details.catch_ups {
            lines.push(match catch_up.seconds {
                Some(seconds) => format!(
                    "      catch-up of {} records in {seconds:.2} s, {:.1} MB/s",
                    catch_up.records,
                    catch_up.bytes as f64 / seconds.max(1e-9) / 1e6
                ),
                None => format!("      catch-up of {} records, not to the end", catch_up.records),
            });
        }
        lines
    }

    /// One phase is what the table shows in any case.
    pub fn phase_lines(&self) -> Vec<String> {
        let phases = self.phases();
        if phases.len() < 2 {
            return Vec::new();
        }
        let line = |cells: &[String]| {
            let (name, rest) = cells.split_first().expect("a name");
            let rest: String = rest.iter().map(|cell| format!("{cell:>12}")).collect();
            format!("{name:<18}{rest}")
        };
        let heads = PHASE_HEADS.map(str::to_owned);
        let mut lines = vec![format!("\n{}", line(&heads))];
        lines.extend(phases.iter().map(|phase| line(&phase_cells(phase))));
        lines
    }

    pub fn command_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (place, command) in self.details.commands.iter().enumerate() {
            let Some(at) = command.at else {
                lines.push(format!("\ncommand '{}' was not run: the run was over", command.name));
                continue;
            };
            let ended = match (&command.error, command.took) {
                (Some(error), _) => error.clone(),
                (None, Some(took)) => format!("took {:.1} s", took.as_secs_f64()),
                (None, None) => "still runs".to_owned(),
            };
            let at = at.as_secs_f64();
            lines.push(format!("\nsecond {at:.1}: command '{}': {ended}", command.name));
            for (level, recovery) in self.recoveries(place) {
                lines.push(format!("      {level}: {}", recovery.words()));
            }
        }
        lines
    }

    /// For the page: the phases where there are several, and the commands.
    pub fn details_html(&self) -> String {
        let mut html = String::new();
        let phases = self.phases();
        if phases.len() > 1 {
            let rows: Vec<Vec<String>> = phases.iter().map(phase_cells).collect();
            html += "<h2>Phases</h2>\n";
            html += &table(&PHASE_HEADS, &rows);
        }
        if !self.details.commands.is_empty() {
            let lines = self.command_lines();
            let text: Vec<&str> = lines.iter().map(|line| line.trim_start_matches('\n')).collect();
            html += &format!("<h2>Commands</h2>\n<pre>{}</pre>\n", escaped(&text.join("\n")));
        }
        html
    }

    /// Whether all that was due was sent and acknowledged, so that what is missing at the rate is
    /// what chance has left out.
    pub fn is_by_chance(&self) -> bool {
        let Some(workload) = &self.details.workload else { return false };
        let is_poisson = |one: &Producers| one.arrivals == Arrivals::Poisson;
        let is_all_sent = self.tallies.unsent == 0 && self.tallies.errors == 0;
        is_all_sent && workload.producers.iter().any(is_poisson)
    }

    /// Topics whose records were not verified, although those of others were.
    pub fn not_verified(&self) -> Vec<&str> {
        let Some(workload) = &self.details.workload else { return Vec::new() };
        let is_judged = |topic: usize| workload.judge_of(topic).is_some();
        let is_written =
            |topic: usize| workload.producers.iter().any(|one| one.topics.contains(&topic));
        let topics = 0..workload.topics.len();
        if !topics.clone().any(is_judged) {
            return Vec::new();
        }
        topics
            .filter(|topic| is_written(*topic) && !is_judged(*topic))
            .map(|topic| workload.topics[topic].name.as_str())
            .collect()
    }

    pub fn has_failed_commands_or_transactions(&self) -> bool {
        self.tallies.transactions.failed > 0
            || self.details.commands.iter().any(|command| command.error.is_some())
    }
}

const PHASE_HEADS: [&str; 7] =
    ["phase", "seconds", "records/s", "p50 ms", "p99 ms", "max ms", "errors"];

fn phase_cells(phase: &PhaseFigures) -> Vec<String> {
    let cell = |value: Option<f64>, digits: usize| {
        value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
    };
    let point = phase.point.as_ref();
    let response = |quantile| point.and_then(|point| point.response_ns(quantile)).map(ms);
    let errors = point.map(|point| point.counts.errors.values().sum::<u64>() as f64);
    vec![
        phase.name.clone(),
        cell(Some(phase.length.as_secs_f64()), 1),
        cell(point.and_then(|point| point.per_second(point.counts.acknowledged)), 0),
        cell(response(0.5), 3),
        cell(response(0.99), 3),
        cell(point.and_then(Point::longest_ns).map(ms), 3),
        cell(errors, 0),
    ]
}

fn phase_json(phase: &PhaseFigures) -> Value {
    let point = phase.point.as_ref();
    let response = |quantile| point.and_then(|point| point.response_ns(quantile)).map(ms);
    let rate = point.and_then(|point| point.per_second(point.counts.acknowledged));
    json!({
        "name": phase.name,
        "at_s": phase.from.as_secs_f64(),
        "seconds": phase.length.as_secs_f64(),
        "records_per_s": rate,
        "acknowledged": point.map(|point| point.counts.acknowledged),
        "consumed": point.map(|point| point.counts.consumed),
        "errors_by_code": point.map(|point| &point.counts.errors),
        "response_time_ms": {
            "p50": response(0.5),
            "p99": response(0.99),
            "p99_9": response(0.999),
            "max": point.and_then(Point::longest_ns).map(ms),
        },
    })
}

fn catch_up_json(catch_up: &CatchUpOutcome) -> Value {
    json!({
        "at_s": catch_up.at_s,
        "seconds": catch_up.seconds,
        "records": catch_up.records,
        "bytes": catch_up.bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        report::tests::report,
        tallies::{BatchSize, Tallies},
        verify::Findings,
        workload::Phase,
    };
    use ring::Instant;

    fn at(ms: u64) -> Instant {
        Instant(ms * 1_000_000)
    }

    /// Ten seconds with one record each; in the fifth to seventh they take 2 s.
    fn tallies() -> Tallies {
        let mut tallies = Tallies::default();
        tallies.begin_timeline(at(0));
        for second in 0..10 {
            let due = [at(second * 1_000)];
            let latency = if (4..7).contains(&second) { 2_000 } else { 5 };
            let size = BatchSize { wire: 168, values: 100 };
            tallies.acknowledged(size, &due, due[0], due[0] + Duration::from_millis(latency));
            tallies.tick(at((second + 1) * 1_000), None, None);
        }
        tallies.close(at(10_000));
        tallies
    }

    fn with_commands(at_s: &[u64]) -> Report {
        let mut report = report("--rate 1 --duration 10s", tallies(), 10.0, Findings::default());
        let mut workload = Workload::of_options(&report.options);
        workload.levels = vec!["p99<=10ms".parse().unwrap(), "max<=3s".parse().unwrap()];
        let phase = |name: &str, seconds| Phase {
            name: name.to_owned(),
            duration: Duration::from_secs(seconds),
            factor: 1.0,
            measured: true,
        };
        workload.phases = vec![phase("steady", 4), phase("burst", 3), phase("drain", 3)];
        let command = |second: &u64| CommandOutcome {
            name: "kill".to_owned(),
            run: "kill 1".to_owned(),
            at: Some(Duration::from_secs(*second)),
            took: Some(Duration::from_millis(20)),
            exit_code: Some(0),
            error: None,
        };
        report.details = Details {
            workload: Some(workload),
            commands: at_s.iter().map(command).collect(),
            ..Details::default()
        };
        report
    }

    #[test]
    fn recovery_lasts_to_the_end_of_the_last_second_that_missed_its_level() {
        let report = with_commands(&[4, 8]);
        let json = report.json();
        let recovery = &json["commands"][0]["recovery"];
        assert_eq!(recovery[0]["seconds"], json!(3.0), "{recovery}");
        assert_eq!(
            (&recovery[1]["seconds"], &recovery[1]["level"]),
            (&json!(0.0), &json!("response max<=3s"))
        );
        assert_eq!(json["commands"][1]["recovery"][0]["seconds"], json!(0.0));
        // The next command comes before it is over.
        let cut = with_commands(&[4, 6]).json();
        assert_eq!(cut["commands"][0]["recovery"][0]["is_held_again"], json!(false));
        assert!(report.table().contains("held again after 3.0 s"), "{}", report.table());
    }

    #[test]
    fn phases_have_their_own_figures() {
        let json = with_commands(&[]).json();
        let rows = json["phases"].as_array().unwrap();
        let acknowledged: Vec<_> = rows.iter().map(|row| row["acknowledged"].as_u64()).collect();
        assert_eq!(acknowledged, [Some(4), Some(3), Some(3)]);
        assert!(rows[1]["response_time_ms"]["p50"].as_f64() > Some(1_900.0), "{json:#}");
        assert!(rows[2]["response_time_ms"]["max"].as_f64() < Some(10.0));
        assert!(with_commands(&[]).table().contains("burst"));
    }

    #[test]
    fn a_second_without_an_answer_misses_every_level() {
        let mut tallies = Tallies::default();
        tallies.begin_timeline(at(0));
        tallies.built(&[at(0)]);
        tallies.tick(at(1_000), None, None);
        tallies.close(at(1_000));
        let level: Slo = "p50<=3600s".parse().unwrap();
        assert!(misses(&tallies.timeline.points()[0], &level));
    }
}
