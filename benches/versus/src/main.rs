//! Millstream, Apache Kafka and a bare sink under equal load, in turns (A B C A B C …), so that
//! what the machine does meanwhile hits all of them.
//!
//! Brokers run on one processor, the generator on another. Figures: processor seconds of the broker
//! (`/proc/PID/stat`, all its threads) per million records and per GB, throughput, how busy the
//! brokers' processor and the generator were, times. The page cache is filled first: see
//! `page_cache.rs` for why nothing is comparable without that.

mod admin;
mod measure;
mod page_cache;
mod picture;
mod plan;
mod report;
mod targets;
mod workloads;

use anyhow::{Context, ensure};
use clap::{Parser, ValueEnum};
use measure::{Sample, Turn};
use page_cache::Filler;
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};
use targets::{SINK_TOPIC, Targets};
use workloads::{Consume, Contender, Family, Pictured, Rate, Server, Workload};

#[derive(Parser)]
#[command(name = "run", bin_name = "benches/versus/run")]
#[command(about = "Millstream, Apache Kafka and a bare sink under equal load, in turns")]
pub struct Options {
    /// Families or workloads, as --list prints them; all when none is given
    #[arg(value_name = "FAMILY|WORKLOAD")]
    names: Vec<String>,

    /// Prints the families and their workloads
    #[arg(long)]
    list: bool,

    /// How often each contender has its turn [default: 5, or 1 with --quick]
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,

    /// Shows that everything works: one short turn each, nothing warmed up, small data, the page
    /// cache left as it is
    #[arg(long)]
    quick: bool,

    /// Writes tables and pictures to docs/benchmarks instead of --results; whole families only
    #[arg(long)]
    publish: bool,

    /// What is done with the page cache before each workload [default: full, or as-it-is with
    /// --quick]
    #[arg(long, value_enum)]
    page_cache: Option<PageCache>,

    /// Leaves Apache Kafka out
    #[arg(long)]
    without_kafka: bool,

    /// One more contender: a broker that is already served there. Its topics are made and deleted
    #[arg(long, value_name = "HOST:PORT", requires = "pid")]
    against: Option<String>,

    /// The process of --against, which is pinned to the brokers' processor
    #[arg(long, requires = "against")]
    pid: Option<u32>,

    /// Where the broker of --against keeps its partitions; without it, that broker has no turn
    /// where the disk is read
    #[arg(long, value_name = "DIR", requires = "against")]
    against_data: Option<PathBuf>,

    /// The processor of the brokers
    #[arg(long, value_name = "CPU", default_value_t = 0)]
    broker_cpu: usize,

    /// The processor of the generator
    #[arg(long, value_name = "CPU", default_value_t = 1)]
    client_cpu: usize,

    /// Where the programs millstream, loadgen and sink are
    #[arg(long, value_name = "DIR", default_value = "target/release")]
    programs: PathBuf,

    /// The first of the ten ports that are used
    #[arg(long, default_value_t = 23_700)]
    base_port: u16,

    /// Where the brokers keep their data meanwhile, in a folder `versus` that is made and removed:
    /// the file system that is measured
    #[arg(long, value_name = "DIR", default_value = "target")]
    dir: PathBuf,

    /// Where tables and pictures go
    #[arg(long, value_name = "DIR", default_value = "target/benchmarks")]
    results: PathBuf,

    /// The command line as it was typed
    #[arg(skip = said())]
    said: String,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PageCache {
    /// Filled with clean pages of a sparse file, as that of a broker in production is full
    Full,
    /// Left alone
    AsItIs,
}

impl Options {
    pub fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 1 } else { 5 })
    }

    pub fn fills_page_cache(&self) -> bool {
        self.page_cache.unwrap_or(if self.quick { PageCache::AsItIs } else { PageCache::Full })
            == PageCache::Full
    }

    /// Data sizes of a quick run are small.
    fn mib(&self, mib: u64) -> u64 {
        if self.quick { mib.div_ceil(16) } else { mib }
    }
}

/// The names and the options that say what was measured, not where things lie here.
fn said() -> String {
    let mut words = std::env::args().skip(1);
    let mut said = Vec::new();
    while let Some(word) = words.next() {
        let is_of_this_machine =
            ["--programs", "--dir", "--results", "--base-port", "--pid", "--against-data"];
        match is_of_this_machine.contains(&word.as_str()) {
            true => drop(words.next()),
            false => said.push(word),
        }
    }
    said.join(" ")
}

/// All turns of one contender under one workload.
pub struct Row {
    pub contender: Contender,
    pub samples: Vec<Sample>,
    /// How long turns behind the first were.
    pub turn_s: f64,
}

pub struct WorkloadResult {
    pub workload: Workload,
    pub rows: Vec<Row>,
    pub left_out: Vec<(Contender, String)>,
    /// Before and after.
    pub free_mib: (u64, u64),
    pub half_of_slowest: Option<f64>,
    pub failed: Option<String>,
}

pub struct FamilyResult {
    pub name: &'static str,
    pub title: &'static str,
    pub pictured: Pictured,
    pub workloads: Vec<WorkloadResult>,
}

/// Java compiles what it runs often, so it has to run often before it is measured.
const JAVA_WARM_UP_RECORDS: f64 = 10e6;
const WARM_UP_TURN_S: f64 = 5.0;
const UNMEASURED_TURN_S: f64 = 2.0;
const FIRST_TURN_S: f64 = 3.0;
const QUICK_TURN_S: f64 = 1.0;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("versus: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let mut options = Options::parse();
    options.dir = options.dir.join("versus");
    let families = workloads::chosen(&options.names)?;
    if options.list {
        list(&families);
        return Ok(());
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    ensure!(
        processors >= 2,
        "two processors are needed: one for the broker, one for the generator"
    );
    let are_whole = families.iter().all(|family| {
        options.names.is_empty() || options.names.iter().any(|name| name == family.name)
    });
    ensure!(
        !options.publish || are_whole,
        "--publish takes whole families: a table with some rows would replace one with all"
    );
    // A run that was cut off leaves its data behind.
    let _ = fs::remove_dir_all(&options.dir);
    fs::create_dir_all(&options.dir)
        .with_context(|| format!("cannot make {}", options.dir.display()))?;
    let results = if options.publish { Path::new("docs/benchmarks") } else { &options.results };
    fs::create_dir_all(results).with_context(|| format!("cannot make {}", results.display()))?;
    let mut comparison = Comparison {
        filler: if options.fills_page_cache() { Some(Filler::new(&options.dir)?) } else { None },
        targets: Targets::default(),
        options: &options,
    };
    let mut failed = 0;
    for family in families {
        let result = comparison.family(family)?;
        failed += result.workloads.iter().filter(|workload| workload.failed.is_some()).count();
        let table = report::markdown(&result, &options);
        println!("{table}");
        let write = |name: String| results.join(name);
        fs::write(write(format!("{}.md", result.name)), table.trim_end().to_owned() + "\n")?;
        picture::draw(&result, &write(format!("{}.svg", result.name)))?;
        eprintln!("written: {}", write(format!("{}.md", result.name)).display());
    }
    drop(comparison);
    let _ = fs::remove_dir_all(&options.dir);
    ensure!(
        failed == 0,
        "{failed} workloads were not measured to their end: the tables say which, and why"
    );
    Ok(())
}

fn list(families: &[Family]) {
    for family in families {
        println!("{:<12}{}", family.name, family.title);
        for workload in &family.workloads {
            println!("    {:<20}{}", workload.id, workload.what);
        }
    }
}

struct Comparison<'a> {
    options: &'a Options,
    // Before the targets, as its file may go first.
    filler: Option<Filler>,
    targets: Targets,
}

impl Comparison<'_> {
    fn family(&mut self, family: Family) -> anyhow::Result<FamilyResult> {
        let mut results = Vec::new();
        for workload in family.workloads {
            results.push(self.workload(workload)?);
        }
        Ok(FamilyResult {
            name: family.name,
            title: family.title,
            pictured: family.pictured,
            workloads: results,
        })
    }

    /// One workload; what goes wrong in it is said in its result and leaves the others alone.
    fn workload(&mut self, workload: Workload) -> anyhow::Result<WorkloadResult> {
        let (mut rows, mut left_out) = (Vec::new(), Vec::new());
        for contender in &workload.contenders {
            match contender
                .is_missing(self.options)
                .or_else(|| self.cannot_be_read_from_disk(contender, &workload))
            {
                Some(why) => left_out.push((*contender, why)),
                None => rows.push(Row { contender: *contender, samples: Vec::new(), turn_s: 0.0 }),
            }
        }
        // The server of --against is not reported as left out where the options name none.
        left_out.retain(|(contender, _)| {
            contender.server != Server::Against || self.options.against.is_some()
        });
        let mut result = WorkloadResult {
            workload,
            rows,
            left_out,
            free_mib: (0, 0),
            half_of_slowest: None,
            failed: None,
        };
        let measured = self.measure(&mut result);
        if let Err(error) = measured {
            eprintln!("{}: {error:#}", result.workload.id);
            result.failed = Some(format!("{error:#}"));
        }
        result.free_mib.1 = page_cache::free_mib()?;
        self.clean_up(&result);
        Ok(result)
    }

    fn cannot_be_read_from_disk(
        &self,
        contender: &Contender,
        workload: &Workload,
    ) -> Option<String> {
        let is_cold = matches!(workload.consume, Some(Consume::Cold { .. }))
            || workload.backlog_mib.is_some();
        let unknown = contender.server == Server::Against && self.options.against_data.is_none();
        (is_cold && unknown).then(|| "no --against-data".to_owned())
    }

    fn measure(&mut self, result: &mut WorkloadResult) -> anyhow::Result<()> {
        let workload = result.workload.clone();
        for row in &result.rows {
            self.prepare(&row.contender, &workload)?;
            if workload.produce.is_some() {
                // Not measured: first touches of a topic's partitions, and refusals of a leader
                // that does not know yet that it is one.
                let seconds =
                    if self.options.quick { QUICK_TURN_S / 2.0 } else { UNMEASURED_TURN_S };
                let _ = self.turn(&row.contender, &workload, unmeasured_rate(&workload), seconds);
            }
        }
        if workload.produce.is_some_and(|produce| produce.rate == Rate::HalfOfSlowest) {
            result.half_of_slowest = Some(self.half_of_slowest(&result.rows, &workload)?);
        }
        let rate = match workload.produce.map(|produce| produce.rate) {
            Some(Rate::PerSecond(rate)) => Some(rate),
            Some(Rate::HalfOfSlowest) => result.half_of_slowest,
            Some(Rate::Max) | None => None,
        };
        if let Some(filler) = &mut self.filler {
            filler.top_up()?;
        }
        result.free_mib.0 = page_cache::free_mib()?;
        let rounds = self.options.rounds();
        let first_s = if self.options.quick { QUICK_TURN_S } else { FIRST_TURN_S };
        let mut turns_s = vec![first_s; result.rows.len()];
        for round in 1..=rounds {
            for (row, turn_s) in result.rows.iter_mut().zip(&turns_s) {
                eprintln!(
                    "{}, round {round} of {rounds}: {}, {turn_s:.1} s",
                    workload.id, row.contender
                );
                let sample = self.turn(&row.contender, &workload, rate, *turn_s)?;
                row.samples.push(sample);
                row.turn_s = *turn_s;
            }
            if round == 1 && !self.options.quick {
                let cpu_s: Vec<f64> = result.rows.iter().map(|row| row.samples[0].cpu_s).collect();
                let budget_s = plan::WORKLOAD_MAX_S - first_s * result.rows.len() as f64;
                turns_s = plan::turns_s(first_s, &cpu_s, rounds - 1, budget_s);
            }
        }
        Ok(())
    }

    /// Starts the target, makes its topics and fills them.
    fn prepare(&mut self, contender: &Contender, workload: &Workload) -> anyhow::Result<()> {
        let options = self.options;
        let is_new = !self.targets.is_running(contender.server);
        let target = self.targets.get(options, contender.server, workload)?;
        if contender.is_sink() {
            return Ok(());
        }
        let stored_mib = match workload.consume {
            Some(Consume::Stored { mib } | Consume::Cold { mib }) => Some(mib),
            _ => None,
        };
        let name = topic(contender, workload);
        let configs = contender.topic_configs(stored_mib.is_some());
        admin::make_topic(&target.address, &name, workload.partitions, &configs)?;
        let turn = Turn {
            options,
            workload,
            target,
            topic: &name,
            backlog: None,
            rate: None,
            seconds: WARM_UP_TURN_S,
        };
        if let Some(mib) = stored_mib {
            turn.fill(&name, options.mib(mib))?;
            turn.read_once(&name)?;
        }
        if let Some(mib) = workload.backlog_mib {
            let name = backlog(contender, workload);
            admin::make_topic(&target.address, &name, 1, &contender.topic_configs(true))?;
            turn.fill(&name, options.mib(mib))?;
        }
        if contender.server == Server::Kafka && is_new && !options.quick {
            let name = "versus-warm-up";
            admin::make_topic(&target.address, name, 1, &contender.topic_configs(false))?;
            let workload = Workload { partitions: 1, record_bytes: 100, ..workload.clone() };
            let turn = Turn { topic: name, workload: &workload, ..turn };
            let mut sent = 0.0;
            while sent < JAVA_WARM_UP_RECORDS {
                eprintln!("warming up Apache Kafka: {:.1} million records", sent / 1e6);
                sent += turn.warm_up(WARM_UP_TURN_S)?.max(1.0);
            }
            admin::delete_topic(&target.address, name)?;
        }
        Ok(())
    }

    fn half_of_slowest(&mut self, rows: &[Row], workload: &Workload) -> anyhow::Result<f64> {
        let seconds = if self.options.quick { QUICK_TURN_S } else { FIRST_TURN_S };
        let mut slowest = f64::INFINITY;
        for row in rows.iter().filter(|row| !row.contender.is_sink()) {
            eprintln!("{}: how much {} takes at most", workload.id, row.contender);
            slowest =
                slowest.min(self.turn(&row.contender, workload, None, seconds)?.records_per_s);
        }
        ensure!(slowest.is_finite(), "no broker takes part");
        Ok((slowest / 2.0).round())
    }

    fn turn(
        &mut self,
        contender: &Contender,
        workload: &Workload,
        rate: Option<f64>,
        seconds: f64,
    ) -> anyhow::Result<Sample> {
        let options = self.options;
        let target = self.targets.get(options, contender.server, workload)?;
        let name = topic(contender, workload);
        let backlog = workload.backlog_mib.map(|_| backlog(contender, workload));
        let from_disk = match workload.consume {
            Some(Consume::Cold { .. }) => Some(&name),
            _ => backlog.as_ref(),
        };
        if let (Some(name), Some(data), false) = (from_disk, &target.data, contender.is_sink()) {
            page_cache::drop_files(&data.join(format!("{name}-0")))?;
        }
        if let Some(filler) = &mut self.filler {
            filler.top_up()?;
        }
        let is_realtime = workload.realtime && !options.quick;
        if is_realtime {
            target.set_realtime(true)?;
        }
        let turn = Turn {
            options,
            workload,
            target,
            topic: &name,
            backlog: backlog.as_deref(),
            rate,
            seconds,
        };
        let sample = turn.run();
        if is_realtime {
            target.set_realtime(false)?;
        }
        sample
    }

    /// Topics go as soon as they are not needed: the disk is small, and so is the page cache.
    fn clean_up(&mut self, result: &WorkloadResult) {
        let workload = &result.workload;
        for row in result.rows.iter().filter(|row| !row.contender.is_sink()) {
            if self.targets.is_running(row.contender.server)
                && let Ok(target) = self.targets.get(self.options, row.contender.server, workload)
            {
                let _ = admin::delete_topic(&target.address, &topic(&row.contender, workload));
                if workload.backlog_mib.is_some() {
                    let _ =
                        admin::delete_topic(&target.address, &backlog(&row.contender, workload));
                }
            }
        }
        self.targets.stop_sinks();
    }
}

/// The workload's own rate where it is known beforehand, so that nothing is left to settle.
fn unmeasured_rate(workload: &Workload) -> Option<f64> {
    match workload.produce?.rate {
        Rate::PerSecond(rate) => Some(rate),
        Rate::Max | Rate::HalfOfSlowest => None,
    }
}

fn topic(contender: &Contender, workload: &Workload) -> String {
    match contender.is_sink() {
        true => SINK_TOPIC.to_owned(),
        false => format!("versus-{}{}", workload.id, if contender.fsync { "-fsync" } else { "" }),
    }
}

fn backlog(contender: &Contender, workload: &Workload) -> String {
    format!("{}-backlog", topic(contender, workload))
}

/// A path that a child with another working directory understands, too.
pub fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("{} is no path", path.display()))
}
