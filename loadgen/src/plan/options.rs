//! The command line of `loadgen plan`, and what it means. Pure.

use super::knees::KNEES_MAX;
use crate::knee::Slo;
use anyhow::ensure;
use clap::Args;
use std::path::{Path, PathBuf};

/// From the results of `loadgen knee` to a number of brokers.
#[derive(Args, Clone, Debug)]
pub struct PlanOptions {
    /// Results of `loadgen knee --json`; several, of different loads, tell more costs apart
    #[arg(long = "knee", required = true, num_args = 1.., value_name = "FILE.json")]
    pub knees: Vec<PathBuf>,

    /// The load to plan for, as a workload file [default: the load of the first knee, at the rate
    /// that was found]
    #[arg(long, value_name = "FILE")]
    pub workload: Option<PathBuf>,

    /// A result of `loadgen selftest --json`: what the disk of a broker does
    #[arg(long, value_name = "FILE.json")]
    pub selftest: Option<PathBuf>,

    /// Times the load: rates and connections alike
    #[arg(long, value_name = "N", default_value = "1", value_parser = parse_scale)]
    pub scale: f64,

    /// Zones that the brokers stand in, as many in each
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u16).range(1..=i64::from(ZONES_MAX)))]
    pub zones: u16,

    /// Zones that may be away while the others bear the whole load
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub zones_down: u16,

    /// The service level to hold, as for `knee` [default: those of the first knee]
    #[arg(long = "slo", value_name = "SLO")]
    pub slos: Vec<Slo>,

    /// Cores of each broker [default: those of the machine in --prices, else as many as the
    /// largest broker that was measured]
    #[arg(long, value_name = "C",
        value_parser = clap::value_parser!(u16).range(1..=i64::from(CORES_MAX)))]
    pub core_count: Option<u16>,

    /// Copies of each partition [default: what the workload says, else 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    pub replication_factor: Option<u16>,

    /// What each resource keeps free, with --zones-down zones away
    #[arg(long, value_name = "SHARE", default_value = "20%", value_parser = parse_headroom)]
    pub headroom: f64,

    /// The network of each broker, Gbit/s in each direction [default: that of the machine in
    /// --prices, else the plan says what it needs]
    #[arg(long, value_name = "G", value_parser = parse_gbit)]
    pub network_gbit: Option<f64>,

    /// Machines and their prices (TOML): the cheapest that holds is chosen
    #[arg(long, value_name = "FILE.toml")]
    pub prices: Option<PathBuf>,

    /// Plans beyond what was measured, and says in which way; without it that is an error
    #[arg(long)]
    pub extrapolate: bool,

    /// Writes the plan as JSON here
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Writes the plan as one HTML page with charts here; it opens without a network
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

const ZONES_MAX: u16 = 100;
const CORES_MAX: u16 = 4_096;
const SCALE_MAX: f64 = 1e6;
const GBIT_MAX: f64 = 1e5;
const HEADROOM_MAX: f64 = 0.95;

fn parse_scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(scale) if (1.0 / SCALE_MAX..=SCALE_MAX).contains(&scale) => Ok(scale),
        _ => Err("give a number from 0.000001 to 1000000, as in --scale 3".to_owned()),
    }
}

fn parse_gbit(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(gbit) if (0.001..=GBIT_MAX).contains(&gbit) => Ok(gbit),
        _ => Err("give Gbit/s from 0.001 to 100000, as in --network-gbit 10".to_owned()),
    }
}

fn parse_headroom(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%');
    let unit = if number.len() < text.len() { 0.01 } else { 1.0 };
    match number.trim().parse::<f64>() {
        Ok(share) if (0.0..=HEADROOM_MAX).contains(&(share * unit)) => Ok(share * unit),
        _ => Err("give 0% to 95%, as in --headroom 20%".to_owned()),
    }
}

impl PlanOptions {
    /// Checks what clap cannot; each message says what to type instead.
    pub fn check(&self) -> anyhow::Result<()> {
        ensure!(
            self.knees.len() <= KNEES_MAX,
            "{} knees: give at most {KNEES_MAX}, one for each kind of load",
            self.knees.len()
        );
        ensure!(
            self.zones_down < self.zones,
            "--zones-down {} leaves no zone: give less than --zones {}, as in --zones 3 \
             --zones-down 1",
            self.zones_down,
            self.zones
        );
        let read = || {
            let others = [&self.workload, &self.selftest, &self.prices];
            self.knees.iter().chain(others.into_iter().flatten())
        };
        for (option, path) in [("--json", &self.json), ("--report", &self.report)] {
            let is_read = |path: &Path| read().any(|file| file == path);
            ensure!(
                !path.as_deref().is_some_and(is_read),
                "{option} names a file that is read: give it another name, as in plan.json"
            );
        }
        ensure!(
            self.json.is_none() || self.json != self.report,
            "--json and --report name one file: give --report another name, as in plan.html"
        );
        Ok(())
    }

    #[cfg(test)]
    pub fn parse_for_tests(line: &str) -> Result<PlanOptions, String> {
        use crate::options::{Command, Options};
        use clap::Parser;
        let words = ["loadgen", "plan"].into_iter().chain(line.split_whitespace());
        let options = Options::try_parse_from(words).map_err(|error| error.to_string())?;
        let Command::Plan(options) = options.command else { unreachable!("`plan` was written") };
        options.check().map(|()| *options).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_knee_is_enough() {
        let options = PlanOptions::parse_for_tests("--knee k.json").unwrap();
        assert_eq!((options.scale, options.zones, options.headroom), (1.0, 1, 0.2));
        let several = "--knee a.json b.json --knee c.json --slo p99<=5ms --zones 3 --zones-down 1";
        let options = PlanOptions::parse_for_tests(several).unwrap();
        assert_eq!((options.knees.len(), options.slos.len(), options.zones_down), (3, 1, 1));
    }

    #[test]
    fn what_cannot_be_is_refused_and_says_what_to_type() {
        for (line, says) in [
            ("", "--knee"),
            ("--knee k.json --scale 0", "--scale 3"),
            ("--knee k.json --headroom 99%", "--headroom 20%"),
            ("--knee k.json --zones 2 --zones-down 2", "--zones 3 --zones-down 1"),
            ("--knee k.json --network-gbit fast", "--network-gbit 10"),
            ("--knee k.json --slo p99", "--slo 'p99<=10ms'"),
            ("--knee k.json --json k.json", "a file that is read"),
            ("--knee k.json --json p --report p", "plan.html"),
            ("--knee k.json --core-count 0", "1..="),
        ] {
            let error = PlanOptions::parse_for_tests(line).expect_err(line);
            assert!(error.contains(says), "{line}: {error}");
        }
    }
}
