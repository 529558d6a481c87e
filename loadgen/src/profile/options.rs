//! The command line of `loadgen profile`, and what it means. Pure.

use super::choice::Choice;
use crate::{
    options::{Backend, parse_duration},
    replay::parse_factor,
    workload::SERIES_STEPS_MAX,
};
use anyhow::ensure;
use clap::Args;
use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

/// Bytes per second of sampling: from what tells little to what loads a broker.
const BYTES: RangeInclusive<u64> = 1_000..=1_000_000_000;
const DURATION_MAX: Duration = Duration::from_secs(7 * 86_400);
/// Shorter ones are shorter than answers take.
const INTERVAL_MIN: Duration = Duration::from_millis(100);

#[derive(Args, Clone, Debug)]
pub struct ProfileOptions {
    /// Brokers to begin with, the first that answers; all others are found through it
    #[arg(
        long,
        value_name = "HOST:PORT,...",
        value_delimiter = ',',
        default_value = "127.0.0.1:9092"
    )]
    pub bootstrap: Vec<String>,

    /// How long to watch: 60s, 10m; a plain number means seconds
    #[arg(long, value_parser = parse_duration, default_value = "60s")]
    pub duration: Duration,

    /// The topics: names or patterns of whole names, with commas, as in 'orders,click.*' [default:
    /// all but internal ones]
    #[arg(long, value_name = "NAME|REGEX,...")]
    pub topics: Option<Choice>,

    /// Bytes of records that are sampled per second, on average, over all brokers
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = parse_bytes)]
    pub max_bytes_per_s: u64,

    /// How many times the rates the workload has
    #[arg(long, value_name = "F", default_value = "1", value_parser = parse_factor)]
    pub scale: f64,

    /// Writes the workload here [default: prints it]
    #[arg(long, value_name = "FILE.toml")]
    pub out: Option<PathBuf>,

    /// Writes the rates by interval here, for `loadgen replay`
    #[arg(long, value_name = "FILE.csv")]
    pub series: Option<PathBuf>,

    /// How often the ends of partitions are asked for
    #[arg(long, value_parser = parse_duration, default_value = "1s")]
    pub interval: Duration,

    /// The processor to run on
    #[arg(long, value_name = "CPU")]
    pub core: Option<usize>,

    /// io_uring, epoll, or the better of them
    #[arg(long, default_value = "auto")]
    pub backend: Backend,

    /// No lines of progress
    #[arg(long)]
    pub quiet: bool,
}

fn parse_bytes(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(bytes) if BYTES.contains(&bytes) => Ok(bytes),
        _ => Err("give bytes from 1000 to 1000000000, as in --max-bytes-per-s 1000000".to_owned()),
    }
}

impl ProfileOptions {
    /// Checks what clap cannot; each message says what to type instead.
    pub fn check(&self) -> anyhow::Result<()> {
        ensure!(
            self.interval >= INTERVAL_MIN,
            "--interval is too short: give {INTERVAL_MIN:?} or more, as in --interval 1s"
        );
        ensure!(
            self.duration >= 2 * self.interval && self.duration <= DURATION_MAX,
            "--duration {:?} at --interval {:?}: give two intervals or more, and at most {} days, \
             as in --duration 60s",
            self.duration,
            self.interval,
            DURATION_MAX.as_secs() / 86_400
        );
        let steps = self.duration.as_secs_f64() / self.interval.as_secs_f64();
        ensure!(
            steps <= SERIES_STEPS_MAX as f64,
            "{steps:.0} intervals are more than {SERIES_STEPS_MAX}: give a longer --interval, as \
             in --interval 10s"
        );
        let is_same = self.out.is_some() && self.out == self.series;
        ensure!(
            !is_same,
            "--out and --series name one file: give another, as in --series rates.csv"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Command, Options};
    use clap::Parser;

    fn options(line: &str) -> anyhow::Result<ProfileOptions> {
        let words = ["loadgen", "profile"].into_iter().chain(line.split_whitespace());
        match Options::try_parse_from(words)?.command {
            Command::Profile(options) => options.check().map(|()| *options),
            _ => panic!("another command"),
        }
    }

    #[test]
    fn what_makes_no_profile_is_refused_with_what_to_type() {
        assert_eq!(options("").unwrap().duration, Duration::from_secs(60));
        for (line, says) in [
            ("--interval 1ms", "--interval 1s"),
            ("--duration 1s", "--duration 60s"),
            ("--duration 900h", "7 days"),
            ("--duration 100h", "--interval 10s"),
            ("--max-bytes-per-s 1", "--max-bytes-per-s 1000000"),
            ("--scale 0", "--scale 2"),
            ("--out x --series x", "rates.csv"),
            ("--topics a(", "--topics"),
        ] {
            let error = options(line).unwrap_err().to_string();
            assert!(error.contains(says), "{line}: {error}");
        }
    }
}
