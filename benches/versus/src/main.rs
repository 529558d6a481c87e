//! Apache Kafka and Millstream under equal load, in turns (A B A B …), so that what the machine does meanwhile hits both.
//!
//! Every broker runs on processor 0, the generator on processor 1. Figures: processor seconds of the broker per million
//! records (`/proc/PID/stat`, all its threads), response times at the same rate, and throughput with a consumer when
//! the generator sends all it can. A bare sink, which only receives and answers, is the floor.

mod measure;
mod report;
mod targets;

use anyhow::{Context, ensure};
use clap::Parser;
use measure::{Load, Sample};
use std::path::{Path, PathBuf};
use targets::{Durability, Target};

#[derive(Parser)]
#[command(name = "versus", about = "Apache Kafka and Millstream under equal load")]
pub struct Options {
    /// Where the programs millstream, loadgen and sink are
    #[arg(long, value_name = "DIR", default_value = "target/release")]
    programs: PathBuf,

    /// Where Apache Kafka's `broker` script is; without it, Kafka is left out
    #[arg(long, value_name = "DIR", default_value = "../shared/peers/kafka")]
    kafka: PathBuf,

    /// How often each broker has its turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,

    /// How long a turn lasts
    #[arg(long, value_name = "S", default_value_t = 5)]
    seconds: u64,

    /// Records per second of 100 bytes
    #[arg(long, default_value_t = 500_000)]
    rate_100: u64,

    /// Records per second of 1024 bytes
    #[arg(long, default_value_t = 60_000)]
    rate_1024: u64,

    /// The first of the ports that are used
    #[arg(long, default_value_t = 23_700)]
    base_port: u16,

    /// Where the brokers keep their data meanwhile
    #[arg(long, value_name = "DIR", default_value = "target/versus")]
    dir: PathBuf,

    /// Where the table goes as Markdown
    #[arg(long, value_name = "FILE", default_value = "target/versus.md")]
    markdown: PathBuf,
}

/// For each record size: after it, Kafka's figures no longer fall from turn to turn.
const JAVA_WARM_UP_S: u64 = 10;

/// All turns of one target under one load.
pub struct Series {
    pub target: String,
    pub load: Load,
    pub samples: Vec<Sample>,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    ensure!(processors >= 2, "two processors are needed: one for the broker, one for the generator");
    std::fs::create_dir_all(&options.dir).with_context(|| format!("cannot make {}", options.dir.display()))?;
    let targets = start(&options)?;
    let loads = [
        Load { record_size: 100, rate: Some(options.rate_100), consumers: 0 },
        Load { record_size: 1024, rate: Some(options.rate_1024), consumers: 0 },
        Load { record_size: 100, rate: None, consumers: 1 },
        Load { record_size: 1024, rate: None, consumers: 1 },
    ];
    warm_up(&options, &targets)?;
    let mut all = Vec::new();
    for load in loads {
        let able: Vec<&Target> =
            targets.iter().filter(|target| load.consumers == 0 || target.can_be_consumed()).collect();
        let mut series: Vec<Series> =
            able.iter().map(|target| Series { target: target.name.clone(), load, samples: Vec::new() }).collect();
        for round in 1..=options.rounds {
            for (target, series) in able.iter().zip(&mut series) {
                eprintln!("{load}, round {round} of {}: {}", options.rounds, target.name);
                series.samples.push(measure::run(&options, target, load, options.seconds)?);
            }
        }
        all.extend(series);
    }
    drop(targets);
    let _ = std::fs::remove_dir_all(&options.dir);
    let table = report::markdown(&all, &options);
    println!("{table}");
    std::fs::write(&options.markdown, &table)
        .with_context(|| format!("cannot write {}: give --markdown another path", options.markdown.display()))
}

fn start(options: &Options) -> anyhow::Result<Vec<Target>> {
    let mut targets = Vec::new();
    if options.kafka.join("broker").exists() {
        eprintln!("starting Apache Kafka");
        targets.push(Target::kafka(options)?);
    } else {
        eprintln!("there is no {}: Apache Kafka is left out", options.kafka.join("broker").display());
    }
    targets.push(Target::millstream(options, Durability::Os)?);
    targets.push(Target::millstream(options, Durability::Fsync)?);
    targets.push(Target::sink(options)?);
    Ok(targets)
}

/// Java compiles what it runs often, so it has to run often before it is measured. The others only make their topic.
fn warm_up(options: &Options, targets: &[Target]) -> anyhow::Result<()> {
    for target in targets {
        eprintln!("warming up {}", target.name);
        for (record_size, rate) in [(100, options.rate_100), (1024, options.rate_1024)] {
            let load = Load { record_size, rate: Some(rate), consumers: 0 };
            // The first run makes the topic; a leader that does not know yet that it is one may refuse its records.
            let _ = measure::run(options, target, load, 1);
            if target.is_java {
                measure::run(options, target, load, JAVA_WARM_UP_S)?;
            }
        }
    }
    Ok(())
}

/// A path that a child with another working directory understands, too.
pub fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("{} is no path", path.display()))
}
