//! What a run does: its topics, who writes and reads them how, and what happens when. Options of
//! the command line become one, and files are read into one; the engine knows no other form.
//!
//! Owns: nothing that moves. Lives on: the thread that starts a run. Never: speaks to a broker.

mod command;
pub mod describe;
mod from_options;
mod keys;
mod omb;
mod print;
mod read;
mod result;
mod series;
pub mod tree;

pub use command::{WorkloadOptions, workload};
pub use keys::GROUPS_MAX;
pub use result::OmbFacts;
pub use series::{SERIES_STEPS_MAX, Series};

use crate::{
    knee::Slo,
    options::{Acks, Codec, Rate, RunOptions},
    schedule::Arrivals,
    value::STAMP_BYTES,
};
use anyhow::{Context, bail};
use std::{fs, path::Path, time::Duration};

#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// `None`: made of options.
    pub file: Option<String>,
    pub name: Option<String>,
    pub seed: u64,
    pub topics: Vec<Topic>,
    pub producers: Vec<Producers>,
    pub consumers: Vec<Consumers>,
    pub phases: Vec<Phase>,
    pub commands: Vec<Command>,
    pub levels: Vec<Slo>,
    /// Said once before the run: keys that were read and have no effect.
    pub words: Vec<String>,
    /// Where it came from OpenMessaging Benchmark: what its result repeats.
    pub omb: Option<OmbFacts>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Topic {
    pub name: String,
    pub partitions: i32,
    pub replication_factor: i16,
    pub configs: Vec<(String, String)>,
}

/// Producers that are alike. Topics are places in the workload's list.
#[derive(Clone, Debug, PartialEq)]
pub struct Producers {
    pub topics: Vec<usize>,
    pub connections: usize,
    pub rate: Rate,
    pub series: Option<Series>,
    pub arrivals: Arrivals,
    pub record_size: RecordSize,
    pub keys: KeyChoice,
    pub hot: Option<Hot>,
    /// `None`: one pattern for all records.
    pub entropy: Option<f64>,
    pub compression: Codec,
    pub batch_size: usize,
    pub linger: Duration,
    pub in_flight: usize,
    pub acks: Acks,
    pub idempotence: bool,
    pub transactions: Option<Transactions>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RecordSize {
    Fixed(usize),
    Uniform {
        min: usize,
        max: usize,
    },
    /// Of the values before they are cut to `min` and `max`.
    LogNormal {
        mean: f64,
        deviation: f64,
        min: usize,
        max: usize,
    },
}

impl RecordSize {
    pub fn min(self) -> usize {
        match self {
            RecordSize::Fixed(size) => size,
            RecordSize::Uniform { min, .. } | RecordSize::LogNormal { min, .. } => min,
        }
    }

    pub fn max(self) -> usize {
        match self {
            RecordSize::Fixed(size) => size,
            RecordSize::Uniform { max, .. } | RecordSize::LogNormal { max, .. } => max,
        }
    }

    /// For figures of a whole run; of a log-normal distribution, before it is cut.
    pub fn mean(self) -> f64 {
        match self {
            RecordSize::Fixed(size) => size as f64,
            RecordSize::Uniform { min, max } => (min + max) as f64 / 2.0,
            RecordSize::LogNormal { mean, .. } => mean,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum KeyChoice {
    None,
    InTurn(u32),
    Uniform(u32),
    Zipf(u32, f64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hot {
    /// Of the batches.
    pub share: f64,
    /// Of each topic, from the first on.
    pub partitions: i32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Transactions {
    pub length: Duration,
    pub abort_share: f64,
    pub timeout: Duration,
    pub id: Option<String>,
}

/// Consumers that are alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Consumers {
    pub topics: Vec<usize>,
    pub reading: Reading,
    /// Of groups: members of each.
    pub count: usize,
    pub read_committed: bool,
    pub skim: bool,
    pub fetch_size: i32,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// They share the partitions, by number.
    Shared,
    /// Each reads all partitions.
    Every,
    Group(Groups),
    /// From the beginning to where the end was when they began.
    CatchUp {
        at: Duration,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Groups {
    pub groups: usize,
    pub id: Option<String>,
    pub session_timeout: Duration,
    pub commit_interval: Duration,
}

impl Consumers {
    /// How many of them see each record as it comes.
    pub fn readers(&self) -> u64 {
        match &self.reading {
            _ if self.skim => 0,
            Reading::Shared => 1,
            Reading::Every => self.count as u64,
            Reading::Group(groups) => groups.groups as u64,
            Reading::CatchUp { .. } => 0,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    pub name: String,
    pub duration: Duration,
    /// Times the rates of the producers.
    pub factor: f64,
    pub measured: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// From the beginning of the measured time on.
    pub at: Duration,
    pub run: String,
    pub name: String,
}

impl Workload {
    /// Reads a file, TOML or OpenMessaging Benchmark's YAML by its name; says all that is wrong.
    pub fn read(path: &Path) -> anyhow::Result<Workload> {
        let shown = path.display().to_string();
        let text = fs::read_to_string(path).with_context(|| {
            format!("cannot read {shown}: give --workload a file that is there")
        })?;
        let is_yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        let workload = if is_yaml { omb::read(&text) } else { read::read(&text) };
        match workload {
            Ok(workload) => Ok(Workload { file: Some(shown), ..workload }),
            Err(mut problems) => {
                problems.sort();
                let lines: Vec<String> = problems
                    .iter()
                    .map(|problem| format!("{shown}:{}: {}", problem.line, problem.what))
                    .collect();
                bail!("{}", lines.join("\n"))
            }
        }
    }

    /// Reads the text of a TOML file; says all that is wrong, with its lines.
    pub fn of_toml(text: &str) -> anyhow::Result<Workload> {
        read::read(text).map_err(|problems| {
            let lines: Vec<String> =
                problems.iter().map(|one| format!("{}: {}", one.line, one.what)).collect();
            anyhow::anyhow!("{}", lines.join("\n"))
        })
    }

    pub fn warm_up(&self) -> Duration {
        self.phases.iter().take_while(|phase| !phase.measured).map(|phase| phase.duration).sum()
    }

    /// The measured time.
    pub fn duration(&self) -> Duration {
        self.phases.iter().filter(|phase| phase.measured).map(|phase| phase.duration).sum()
    }

    /// The consumers that judge what is in a topic: the first that see whole records of it.
    pub fn judge_of(&self, topic: usize) -> Option<usize> {
        let can_judge =
            |consumers: &Consumers| consumers.topics.contains(&topic) && consumers.readers() > 0;
        let has_stamps = |producers: &Producers| producers.record_size.min() >= STAMP_BYTES;
        let mut writers = self.producers.iter().filter(|one| one.topics.contains(&topic));
        let is_stamped = !self.producers.is_empty() && writers.all(has_stamps);
        self.consumers.iter().position(can_judge).filter(|_| is_stamped)
    }

    /// How many consumers see each record of a topic as it comes.
    pub fn readers_of(&self, topic: usize) -> u64 {
        let readers = self.consumers.iter().filter(|one| one.topics.contains(&topic));
        readers.map(Consumers::readers).sum()
    }

    pub fn partitions(&self) -> i64 {
        self.topics.iter().map(|topic| i64::from(topic.partitions)).sum()
    }

    pub fn in_flight_max(&self) -> usize {
        self.producers.iter().map(|one| one.in_flight).max().unwrap_or(1)
    }

    pub fn has_transactions(&self) -> bool {
        self.producers.iter().any(|one| one.transactions.is_some())
    }

    /// The options that come nearest to it: what reports list, and what is judged by them. `given`
    /// has what is of the run and not of the load.
    pub fn summary(&self, given: &RunOptions) -> RunOptions {
        let Some(first) = self.producers.first() else {
            return RunOptions { consume_only: true, ..self.summary_of_consumers(given) };
        };
        let smallest = self.producers.iter().map(|one| one.record_size.min()).min().unwrap_or(0);
        let rates: Option<Vec<f64>> = self
            .producers
            .iter()
            .map(|one| match one.rate {
                Rate::PerSecond(rate) => Some(rate * self.mean_factor(one)),
                Rate::Max => None,
            })
            .collect();
        let rate = rates.map(|rates| rates.iter().sum::<f64>()).filter(|rate| *rate > 0.0);
        let keys = match first.keys {
            KeyChoice::None => 0,
            KeyChoice::InTurn(count) | KeyChoice::Uniform(count) | KeyChoice::Zipf(count, _) => {
                count
            }
        };
        RunOptions {
            record_size: if smallest < STAMP_BYTES {
                smallest
            } else {
                first.record_size.mean().round() as usize
            },
            rate: rate.map_or(Rate::Max, Rate::PerSecond),
            acks: first.acks,
            connections: self.producers.iter().map(|one| one.connections).sum(),
            batch_size: first.batch_size,
            linger_ms: first.linger.as_secs_f64() * 1e3,
            in_flight: self.in_flight_max(),
            compression: first.compression,
            keys,
            idempotence: self.producers.iter().all(|one| one.idempotence),
            consume_only: false,
            ..self.summary_of_consumers(given)
        }
    }

    fn summary_of_consumers(&self, given: &RunOptions) -> RunOptions {
        let names: Vec<&str> = self.topics.iter().map(|topic| topic.name.as_str()).collect();
        let is_fan_out = |one: &Consumers| match &one.reading {
            Reading::Every => true,
            Reading::Group(groups) => groups.groups > 1,
            Reading::Shared | Reading::CatchUp { .. } => false,
        };
        RunOptions {
            topic: names.join(","),
            partitions: self.partitions().min(i64::from(i32::MAX)) as i32,
            replication_factor: self.topics.first().map_or(-1, |topic| topic.replication_factor),
            duration: self.duration(),
            warm_up: self.warm_up(),
            consumers: self.consumers.iter().map(|one| one.count).sum(),
            fan_out: self.consumers.iter().any(is_fan_out),
            skim: !self.consumers.is_empty() && self.consumers.iter().all(|one| one.readers() == 0),
            fetch_size: self.consumers.first().map_or(given.fetch_size, |one| one.fetch_size),
            ..given.clone()
        }
    }
}
