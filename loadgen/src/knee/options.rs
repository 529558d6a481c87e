//! The command line of `loadgen knee`, and what it means. Pure.
//!
//! Never: repeats an option of `loadgen run`; the load's own options are flattened in.

use super::{
    search::Settings,
    slo::{Metric, Slo},
    topic,
};
use crate::options::{Acks, RATES, Rate, RunOptions, parse_duration};
use anyhow::ensure;
use clap::{Arg, Args};
use std::time::Duration;

#[derive(Args, Clone, Debug)]
pub struct KneeOptions {
    /// The service level: [response|end-to-end] pNN<=TIME, as in 'p99<=10ms', 'end-to-end
    /// p99.9<=50ms' or 'max<=1s'. Several must hold at once
    #[arg(long = "slo", value_name = "SLO", required = true)]
    pub slos: Vec<Slo>,

    /// The lowest rate that is tried
    #[arg(long, value_name = "R", default_value = "10", value_parser = parse_rate)]
    pub rate_min: f64,

    /// The highest rate that is tried
    #[arg(long, value_name = "R", default_value = "1e8", value_parser = parse_rate)]
    pub rate_max: f64,

    /// How long a short trial measures [default: 5s; with --quick 1s]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub trial: Option<Duration>,

    /// How long a long trial measures [default: 20s; with --quick 3s]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub final_trial: Option<Duration>,

    /// Seconds of long trials that a bound needs; more than half of them must agree [default: 60s;
    /// with --quick 3s]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub sum: Option<Duration>,

    /// How much of the lower bound the interval may be wide [default: 5%; with --quick 10%]
    #[arg(long, value_name = "SHARE", value_parser = parse_width)]
    pub width: Option<f64>,

    /// Whole searches, each in a topic of its own that is deleted afterwards [default: 3; with
    /// --quick 1]
    #[arg(long, value_name = "N")]
    pub runs: Option<usize>,

    /// One coarse search in under a minute
    #[arg(long)]
    pub quick: bool,

    /// The broker's process, whose threads' time is looked at [default: the one that listens on the
    /// bootstrap port, where that is of this machine]
    #[arg(long, value_name = "PID")]
    pub broker_pid: Option<u32>,

    /// How many cores the broker has, for `loadgen plan` [default: as many as its threads are bound
    /// to, where it is of this machine]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub broker_cores: Option<u16>,

    #[command(flatten)]
    pub load: RunOptions,
}

/// Options of `run` that a search sets itself, or that would leave it nothing to judge.
const HIDDEN: [&str; 6] = ["rate", "duration", "consume_only", "once", "through_restarts", "skim"];
const RUNS_MAX: usize = 20;
const WIDTH_MIN: f64 = 0.005;
const WIDTH_MAX: f64 = 1.0;
const TRIAL_MIN: Duration = Duration::from_millis(200);
const TRIALS_MAX: usize = 80;
/// Where the first search begins: what any broker bears.
const START: f64 = 1000.0;
const FIRST_STEP: f64 = 4.0;
/// Connections are new in each trial, and the first requests on them are slower.
const WARM_UP: &str = "500ms";

/// The options of a load as `knee` shows them.
pub fn adapted(option: Arg) -> Arg {
    match option.get_id().as_str() {
        "warm_up" => option.default_value(WARM_UP),
        name => {
            let is_hidden = HIDDEN.contains(&name);
            option.hide(is_hidden)
        }
    }
}

fn parse_rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if RATES.contains(&rate) => Ok(rate),
        _ => Err("give records per second from 0.001 to 1e9, as in --rate-max 200000".to_owned()),
    }
}

fn parse_width(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%');
    let unit = if number.len() < text.len() { 0.01 } else { 1.0 };
    match number.trim().parse::<f64>() {
        Ok(width) if (WIDTH_MIN..=WIDTH_MAX).contains(&(width * unit)) => Ok(width * unit),
        _ => Err("give 0.5% to 100%, as in --width 5%".to_owned()),
    }
}

impl KneeOptions {
    /// Checks what clap cannot; each message says what to type instead.
    pub fn check(&self) -> anyhow::Result<()> {
        let load = &self.load;
        load.check()?;
        ensure!(
            load.rate == Rate::Max,
            "the rate is what `knee` looks for: leave out --rate, or give --rate-min and --rate-max"
        );
        ensure!(
            !load.consume_only && !load.through_restarts && !load.skim,
            "`knee` loads a broker that stays: leave out --consume-only, --through-restarts and \
             --skim"
        );
        ensure!(
            self.rate_min <= self.rate_max,
            "--rate-min {} is above --rate-max {}: exchange them",
            self.rate_min,
            self.rate_max
        );
        let runs = self.runs();
        ensure!((1..=RUNS_MAX).contains(&runs), "--runs {runs}: give 1 to {RUNS_MAX}");
        let (trial, long, sum) = (self.trial(), self.final_trial(), self.sum());
        ensure!(trial >= TRIAL_MIN, "--trial is too short: give --trial 200ms or more");
        ensure!(
            trial <= long && long <= sum,
            "short trials, long trials and their sum grow: give, for example, --trial 5s \
             --final-trial 20s --sum 60s"
        );
        self.trial_load(&topic::name(&load.topic, u64::MAX, RUNS_MAX), 1.0, long).check()?;
        for slo in &self.slos {
            self.check_slo(slo)?;
        }
        Ok(())
    }

    fn check_slo(&self, slo: &Slo) -> anyhow::Result<()> {
        match slo.metric {
            Metric::Response => ensure!(
                self.load.acks != Acks::None,
                "--acks 0 has no response times: give --acks 1 or all, or a service level of \
                 'end-to-end' with --consumers 1"
            ),
            Metric::EndToEnd => ensure!(
                self.load.can_verify(),
                "'{slo}' needs consumers and records that carry a time: give --consumers 1 or \
                 more, and --record-size 24 or more"
            ),
        }
        ensure!(
            self.load.acks != Acks::None || self.load.consumers > 0,
            "--acks 0 tells nothing: give --consumers 1"
        );
        Ok(())
    }

    fn or_quick<T>(&self, given: Option<T>, usual: T, quick: T) -> T {
        given.unwrap_or(if self.quick { quick } else { usual })
    }

    pub fn trial(&self) -> Duration {
        self.or_quick(self.trial, Duration::from_secs(5), Duration::from_secs(1))
    }

    /// At least as long as a short one, where only that was asked for.
    pub fn final_trial(&self) -> Duration {
        let usual = self.or_quick(None, Duration::from_secs(20), Duration::from_secs(3));
        self.final_trial.unwrap_or(usual.max(self.trial()))
    }

    pub fn sum(&self) -> Duration {
        let usual = self.or_quick(None, Duration::from_secs(60), Duration::from_secs(3));
        self.sum.unwrap_or(usual.max(self.final_trial()))
    }

    pub fn runs(&self) -> usize {
        self.or_quick(self.runs, 3, 1)
    }

    pub fn width(&self) -> f64 {
        self.or_quick(self.width, 0.05, 0.1)
    }

    /// Of one search. `near`: the lower bound that an earlier one has found.
    pub fn settings(&self, near: Option<f64>) -> Settings {
        let start = near.unwrap_or(START).clamp(self.rate_min, self.rate_max);
        let first_step = match near {
            Some(_) => (1.0 + self.width()).powi(2),
            None => FIRST_STEP,
        };
        Settings {
            rate_min: self.rate_min,
            rate_max: self.rate_max,
            start,
            first_step,
            trial_s: self.trial().as_secs_f64(),
            final_trial_s: self.final_trial().as_secs_f64(),
            sum_s: self.sum().as_secs_f64(),
            width: self.width(),
            trials_max: TRIALS_MAX,
        }
    }

    /// What one trial is, as a run.
    pub fn trial_load(&self, topic: &str, rate: f64, duration: Duration) -> RunOptions {
        RunOptions {
            topic: topic.to_owned(),
            rate: Rate::PerSecond(rate),
            duration,
            quiet: true,
            json: None,
            ..self.load.clone()
        }
    }
}

#[cfg(test)]
impl KneeOptions {
    pub fn parse_for_tests(line: &str) -> Result<KneeOptions, String> {
        use crate::options::{Command, Options};
        use clap::Parser;
        // Options with spaces in them are written with an underscore here.
        let words = line.split_whitespace().map(|word| word.replace('_', " "));
        let words = ["loadgen", "knee"].into_iter().map(str::to_owned).chain(words);
        let options = Options::try_parse_from(words).map_err(|error| error.to_string())?;
        let Command::Knee(options) = options.command else { unreachable!("`knee` was written") };
        options.check().map(|()| *options).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<KneeOptions, String> {
        KneeOptions::parse_for_tests(line)
    }

    #[test]
    fn one_service_level_is_enough() {
        let options = parse("--slo p99<=10ms").unwrap();
        let settings = options.settings(None);
        assert_eq!((settings.trial_s, settings.final_trial_s, settings.sum_s), (5.0, 20.0, 60.0));
        assert_eq!((settings.width, settings.start, options.runs()), (0.05, 1000.0, 3));
        let quick = parse("--slo p99<=10ms --quick --width 20%").unwrap();
        assert_eq!((quick.trial().as_secs(), quick.width(), quick.runs()), (1, 0.2, 1));
        let long = parse("--slo p99<=10ms --trial 90s").unwrap();
        assert_eq!((long.final_trial().as_secs(), long.sum().as_secs()), (90, 90));
    }

    #[test]
    fn a_trial_is_the_load_that_was_described() {
        let line = "--slo p99<=10ms --slo end-to-end_p99.9<=50ms --consumers 2 --partitions 4 \
                    --connections 3 --core 1 --topic mine";
        let options = parse(line).unwrap();
        assert_eq!(options.slos.len(), 2);
        let trial = options.trial_load("mine-knee", 5000.0, Duration::from_secs(7));
        assert_eq!((trial.consumers, trial.partitions, trial.connections), (2, 4, 3));
        assert_eq!((trial.rate, trial.core), (Rate::PerSecond(5000.0), Some(1)));
        assert_eq!((trial.duration.as_secs(), trial.topic.as_str()), (7, "mine-knee"));
        assert!(trial.warm_up.as_millis() == 500 && trial.quiet);
        let at_once = parse("--slo p99<=10ms --warm-up 0").unwrap();
        assert!(at_once.load.warm_up.is_zero());
        assert!(trial.check().is_ok());
    }

    #[test]
    fn what_cannot_be_searched_is_refused_and_says_what_to_type() {
        for (line, says) in [
            ("", "--slo"),
            ("--slo p99", "--slo 'p99<=10ms'"),
            ("--slo p99<=1ms --rate 5", "leave out --rate"),
            ("--slo p99<=1ms --consumers 1 --consume-only", "leave out --consume-only"),
            ("--slo p99<=1ms --acks 0", "--acks 1"),
            ("--slo end-to-end_p99<=1ms", "--consumers 1"),
            ("--slo p99<=1ms --rate-min 9 --rate-max 8", "exchange"),
            ("--slo p99<=1ms --rate-max 0", "--rate-max 200000"),
            ("--slo p99<=1ms --width 0.1%", "--width 5%"),
            ("--slo p99<=1ms --runs 0", "give 1 to"),
            ("--slo p99<=1ms --trial 1ms", "--trial 200ms"),
            ("--slo p99<=1ms --trial 10s --final-trial 5s", "--final-trial 20s"),
            ("--slo p99<=1ms --partitions 0", "give 1 to"),
        ] {
            let error = parse(line).expect_err(line);
            assert!(error.contains(says), "{line}: {error}");
        }
    }

    #[test]
    fn widths_are_shares_or_percents() {
        assert_eq!(parse_width("5%"), Ok(0.05));
        assert_eq!(parse_width("0.1"), Ok(0.1));
        assert!(parse_width("5").is_err() && parse_width("-5%").is_err());
        assert!(parse_width("wide").is_err());
    }
}
