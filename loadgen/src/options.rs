//! The command line.

use crate::{
    compare::CompareOptions,
    keys::KEYS_MAX,
    knee::{KneeOptions, adapted},
    plan::PlanOptions,
    profile::ProfileOptions,
    replay::{self, ReplayOptions},
    tallies::LATENCY_MAX,
    value::STAMP_BYTES,
    workload::WorkloadOptions,
};
use anyhow::ensure;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{ops::RangeInclusive, path::PathBuf, str::FromStr, time::Duration};

#[derive(Parser)]
#[command(
    name = "loadgen",
    version,
    about = "Measures a Kafka-protocol broker: throughput and latency, open loop"
)]
pub struct Options {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Produces (and consumes, and verifies) for a while, then prints a table.
    Run(Box<RunCommand>),
    /// Checks workload files, and helps to write them.
    Workload(WorkloadOptions),
    /// Measures this host's disk, loopback network, timers and clock, without a broker: 20 s.
    Selftest(crate::selftest::SelftestOptions),
    /// Finds the highest rate that holds a service level, with its error bar.
    #[command(mut_args(adapted))]
    Knee(Box<KneeOptions>),
    /// From measured knees and a load to a number of brokers.
    Plan(Box<PlanOptions>),
    /// Reads how a live cluster is used, and writes the workload that does the same.
    Profile(Box<ProfileOptions>),
    /// Sends a captured series of rates again, stretched or squeezed.
    #[command(mut_args(replay::adapted))]
    Replay(Box<ReplayOptions>),
    /// Says what differs between runs, and whether more than their noise.
    Compare(CompareOptions),
}

#[derive(Args, Clone, Debug)]
pub struct RunCommand {
    #[command(flatten)]
    pub load: RunOptions,

    /// The load as a file: TOML (`loadgen workload schema`, loadgen/workloads), or YAML of
    /// OpenMessaging Benchmark (.yaml, .yml)
    #[arg(long, value_name = "FILE", conflicts_with_all = OF_THE_LOAD)]
    pub workload: Option<PathBuf>,

    /// Prints the load as a workload file, and runs nothing
    #[arg(long)]
    pub print_workload: bool,

    /// Writes the result here as OpenMessaging Benchmark would have
    #[arg(long, value_name = "FILE")]
    pub omb_result: Option<PathBuf>,
}

/// What a workload file says, and options beside it cannot.
pub const OF_THE_LOAD: [&str; 21] = [
    "topic",
    "partitions",
    "record_size",
    "rate",
    "duration",
    "warm_up",
    "acks",
    "connections",
    "batch_size",
    "linger_ms",
    "in_flight",
    "compression",
    "keys",
    "consumers",
    "fan_out",
    "skim",
    "consume_only",
    "fetch_size",
    "idempotence",
    "through_restarts",
    "replication_factor",
];

impl RunCommand {
    /// Checks what clap cannot; each message says what to type instead.
    pub fn check(&self) -> anyhow::Result<()> {
        self.load.check()?;
        let load = &self.load;
        let is_taken =
            |path: &PathBuf| load.json.as_ref() == Some(path) || load.report.as_ref() == Some(path);
        ensure!(
            !self.omb_result.as_ref().is_some_and(is_taken),
            "--omb-result names the file of another option: give it another name, as in omb.json"
        );
        Ok(())
    }
}

#[derive(Args, Clone, Debug)]
pub struct RunOptions {
    /// Brokers to begin with, the first that answers; all others are found through it
    #[arg(
        long,
        value_name = "HOST:PORT,...",
        value_delimiter = ',',
        default_value = "127.0.0.1:9092"
    )]
    pub bootstrap: Vec<String>,

    /// The topic; made if it is missing, unless --consume-only
    #[arg(long, default_value = "loadgen")]
    pub topic: String,

    /// Partitions of the topic when it is made, and how many of them are used
    #[arg(long, default_value_t = 1)]
    pub partitions: i32,

    /// Bytes of each record's value
    #[arg(long, value_name = "B", default_value_t = 100)]
    pub record_size: usize,

    /// Records per second over all connections, or `max`
    #[arg(long, value_name = "R|max", default_value = "max")]
    pub rate: Rate,

    /// How long to send: 10s, 500ms, 2m; a plain number means seconds
    #[arg(long, value_parser = parse_duration, default_value = "10s")]
    pub duration: Duration,

    /// When the broker acknowledges: 0 never, 1 leader, all in-sync replicas
    #[arg(long, default_value = "all")]
    pub acks: Acks,

    /// Producer connections
    #[arg(long, value_name = "C", default_value_t = 1)]
    pub connections: usize,

    /// Bytes of records after which a batch is sent
    #[arg(long, value_name = "B", default_value_t = 64 * 1024)]
    pub batch_size: usize,

    /// Milliseconds that a batch waits for more records before it is sent
    #[arg(long, value_name = "MS", default_value_t = 1.0)]
    pub linger_ms: f64,

    /// Unanswered produce requests per connection and broker
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub in_flight: usize,

    /// Compression of the batches
    #[arg(long, default_value = "none")]
    pub compression: Codec,

    /// Records carry one of this many keys, in turn, and go to the partition that Kafka's own
    /// partitioner gives the key; every producer then writes to all partitions. 0: no keys, whole
    /// batches go to the partitions in turn
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32)
        .range(..=i64::from(KEYS_MAX)))]
    pub keys: u32,

    /// Consumer connections; they share the partitions and verify what they read. 0: none
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub consumers: usize,

    /// Every consumer reads all partitions; the first one verifies, the others only count
    #[arg(long)]
    pub fan_out: bool,

    /// Consumers only count: they look at the headers of batches, neither at their records nor at
    /// their checksums. Nothing is verified, and the generator costs little beside what the kernel
    /// takes
    #[arg(long)]
    pub skim: bool,

    /// Nothing is produced: the consumers read the topic from its beginning as fast as they can,
    /// and again from there when they reach its end. What counts as acknowledged elsewhere is then
    /// what was consumed
    #[arg(long)]
    pub consume_only: bool,

    /// With --consume-only: ends as soon as every consumer has reached the end of the topic, and
    /// measures until then
    #[arg(long, requires = "consume_only")]
    pub once: bool,

    /// Bytes that a consumer asks for at once, of each partition
    #[arg(long, value_name = "B", default_value_t = 4 << 20)]
    pub fetch_size: i32,

    /// Producers are idempotent: the broker recognises what it has already
    #[arg(long)]
    pub idempotence: bool,

    /// Rides out restarts of the broker: unanswered batches are sent again as they were until they
    /// are answered, and at the end the whole topic is read once more from its beginning. Needs
    /// --idempotence and --consumers
    #[arg(long)]
    pub through_restarts: bool,

    /// Replication factor of the topic when it is made (-1: the broker's default)
    #[arg(long, value_name = "N", default_value_t = -1)]
    pub replication_factor: i16,

    /// How long after the end answers and consumers may make no progress before what is missing
    /// counts as unanswered; with --through-restarts also how long the broker may be away then
    /// [default: 5s; with --through-restarts 30s]
    #[arg(long, value_parser = parse_duration)]
    pub settle: Option<Duration>,

    /// Seconds at the beginning that are sent but not measured
    #[arg(long, value_parser = parse_duration, default_value = "0s")]
    pub warm_up: Duration,

    /// The processor to run on
    #[arg(long, value_name = "CPU")]
    pub core: Option<usize>,

    /// io_uring, epoll, or what is best here
    #[arg(long, default_value = "auto")]
    pub backend: Backend,

    /// Writes the result as JSON here
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Writes the result as one HTML page with charts here; it opens without a network
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// No progress line each second
    #[arg(long)]
    pub quiet: bool,
}

/// From one record in a quarter of an hour to what no machine sends.
pub const RATES: RangeInclusive<f64> = 0.001..=1e9;
pub const PARTITIONS_MAX: i32 = 1_000_000;
/// Producers, and consumers: a process has no more descriptors, and a machine no more ports.
pub const CONNECTIONS_MAX: usize = 50_000;
pub const IN_FLIGHT_MAX: usize = 100_000;
pub const RECORD_SIZE_MAX: usize = 16 << 20;
/// A request is at most as large as Kafka's default limit (`socket.request.max.bytes`) allows.
pub const BATCH_SIZE_MAX: usize = 64 << 20;
pub const LINGER_MAX_MS: f64 = 600_000.0;
pub const SETTLE_DEFAULT: Duration = Duration::from_secs(5);
const SETTLE_THROUGH_RESTARTS: Duration = Duration::from_secs(30);
/// What Kafka allows for the name of a topic.
const TOPIC_NAME_MAX: usize = 249;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    PerSecond(f64),
    Max,
}

impl FromStr for Rate {
    type Err = String;
    fn from_str(text: &str) -> Result<Rate, String> {
        match text.parse::<f64>() {
            _ if text == "max" => Ok(Rate::Max),
            Ok(rate) if RATES.contains(&rate) => Ok(Rate::PerSecond(rate)),
            _ => {
                Err("give records per second from 0.001 to 1e9, as in --rate 10000, or --rate max"
                    .to_owned())
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Acks {
    #[value(name = "0")]
    None,
    #[value(name = "1")]
    Leader,
    #[value(name = "all", alias = "-1")]
    All,
}

impl Acks {
    pub fn code(self) -> i16 {
        match self {
            Acks::None => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Codec {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    Auto,
    #[value(name = "io_uring")]
    IoUring,
    Epoll,
}

pub fn is_legal_topic(name: &str) -> bool {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=TOPIC_NAME_MAX).contains(&name.len()) && name.chars().all(is_legal)
}

pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit_s = match &text[number.len()..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        unit => {
            return Err(format!("unknown unit '{unit}': use ms, s, m or h, as in --duration 30s"));
        }
    };
    let seconds = number
        .parse::<f64>()
        .map_err(|_| format!("'{number}' is not a number; try --duration 30s"))?
        * unit_s;
    Duration::try_from_secs_f64(seconds).map_err(|error| format!("'{text}': {error}"))
}

impl RunOptions {
    /// Checks what clap cannot; each message says what to type instead.
    pub fn check(&self) -> anyhow::Result<()> {
        self.check_numbers()?;
        self.check_combinations()?;
        for address in &self.bootstrap {
            let parts = address.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>()));
            ensure!(
                matches!(parts, Some((host, Ok(1..))) if !host.is_empty()),
                "'{address}' is no address: give --bootstrap HOST:PORT, as in 127.0.0.1:9092, or \
                 several with commas"
            );
        }
        ensure!(
            is_legal_topic(&self.topic),
            "'{}' is no name for a topic: give --topic 1 to {TOPIC_NAME_MAX} of the characters \
             a-z A-Z 0-9 . _ -",
            self.topic
        );
        Ok(())
    }

    fn check_numbers(&self) -> anyhow::Result<()> {
        let days = LATENCY_MAX.as_secs() / 86_400;
        ensure!(
            !self.duration.is_zero(),
            "--duration must be longer than 0: give, for example, --duration 10s"
        );
        ensure!(
            self.duration <= LATENCY_MAX,
            "--duration is too long: give at most {} h",
            days * 24
        );
        ensure!(self.warm_up <= LATENCY_MAX, "--warm-up is too long: give at most {} h", days * 24);
        ensure!(
            self.settle <= Some(LATENCY_MAX),
            "--settle is too long: give at most {} h",
            days * 24
        );
        let in_range = |name: &str, value: usize, max: usize| {
            ensure!(
                (1..=max).contains(&value),
                "--{name} {value} is out of range: give 1 to {max}"
            );
            Ok(())
        };
        in_range(
            "partitions",
            usize::try_from(self.partitions).unwrap_or(0),
            PARTITIONS_MAX as usize,
        )?;
        in_range("connections", self.connections, CONNECTIONS_MAX)?;
        in_range("in-flight", self.in_flight, IN_FLIGHT_MAX)?;
        in_range("batch-size", self.batch_size, BATCH_SIZE_MAX)?;
        in_range("fetch-size", usize::try_from(self.fetch_size).unwrap_or(0), i32::MAX as usize)?;
        ensure!(self.consumers <= CONNECTIONS_MAX, "--consumers: give 0 to {CONNECTIONS_MAX}");
        ensure!(self.record_size <= RECORD_SIZE_MAX, "--record-size: give 0 to {RECORD_SIZE_MAX}");
        ensure!(
            (0.0..=LINGER_MAX_MS).contains(&self.linger_ms),
            "--linger-ms {}: give 0 to {LINGER_MAX_MS}",
            self.linger_ms
        );
        Ok(())
    }

    fn check_combinations(&self) -> anyhow::Result<()> {
        ensure!(
            self.json.is_none() || self.json != self.report,
            "--json and --report name one file: give --report another name, as in run.html"
        );
        ensure!(
            !self.idempotence || self.in_flight <= 5,
            "--idempotence needs --in-flight 5 or less"
        );
        ensure!(!self.idempotence || self.acks == Acks::All, "--idempotence needs --acks all");
        ensure!(
            !self.consume_only || self.consumers > 0,
            "--consume-only needs --consumers 1 or more"
        );
        ensure!(
            !self.consume_only || !self.through_restarts,
            "--consume-only sends nothing that --through-restarts could send again: leave out one \
             of the two"
        );
        let can_verify = self.idempotence && self.can_verify();
        ensure!(
            !self.through_restarts || can_verify,
            "--through-restarts needs --idempotence, --consumers 1 or more without --skim, and \
             --record-size \
             {STAMP_BYTES} or more"
        );
        Ok(())
    }

    /// How long nothing may come after the end before it counts as never coming.
    pub fn patience(&self) -> Duration {
        let default = if self.through_restarts { SETTLE_THROUGH_RESTARTS } else { SETTLE_DEFAULT };
        self.settle.unwrap_or(default)
    }

    /// Whether consumers see what they need to judge what was acknowledged.
    pub fn can_verify(&self) -> bool {
        self.consumers > 0 && self.record_size >= STAMP_BYTES && !self.skim && !self.consume_only
    }
}

#[cfg(test)]
impl RunOptions {
    pub fn parse_for_tests(line: &str) -> RunOptions {
        let words = ["loadgen", "run"].into_iter().chain(line.split_whitespace());
        let command = Options::try_parse_from(words).expect("a valid command line").command;
        let Command::Run(command) = command else { unreachable!("`run` was written") };
        command.load
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_rates_read_as_people_write_them() {
        assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(parse_duration("7"), Ok(Duration::from_secs(7)));
        assert!(parse_duration("7 parsecs").is_err() && parse_duration("-1s").is_err());
        assert_eq!("max".parse(), Ok(Rate::Max));
        assert_eq!("1e6".parse(), Ok(Rate::PerSecond(1e6)));
        for text in ["0", "fast", "-1", "nan", "inf", "1e300", "1e-300"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_contract_of_the_command_line_parses() {
        let line = "loadgen run --bootstrap h:1 --topic t --partitions 3 --record-size 100 --rate \
            max --duration 5s \
                    --acks all --connections 2 --batch-size 65536 --linger-ms 1 --consumers 1 \
                    --json out.json";
        let options = RunOptions::parse_for_tests(line.trim_start_matches("loadgen run "));
        assert!(options.check().is_ok());
        assert_eq!((options.partitions, options.acks, options.rate), (3, Acks::All, Rate::Max));
    }

    #[test]
    fn nothing_can_be_judged_that_is_not_looked_at() {
        let parse = |line: &str| {
            let options = RunOptions::parse_for_tests(line.trim_start_matches("loadgen run"));
            (options.check().is_ok(), options.can_verify())
        };
        assert_eq!(parse("loadgen run --consumers 1"), (true, true));
        assert_eq!(parse("loadgen run --consumers 1 --fan-out"), (true, true));
        assert_eq!(parse("loadgen run --consumers 1 --skim"), (true, false));
        assert_eq!(parse("loadgen run --consumers 1 --consume-only"), (true, false));
        assert_eq!(parse("loadgen run --consume-only"), (false, false));
        assert!(!parse("loadgen run --consumers 1 --idempotence --through-restarts --skim").0);
    }

    #[test]
    fn what_cannot_be_run_is_refused_and_says_what_to_type() {
        for (line, says) in [
            ("--duration 0", "--duration 10s"),
            ("--duration 9999h", "at most 168 h"),
            ("--settle 9999h", "at most 168 h"),
            ("--partitions 0", "give 1 to"),
            ("--partitions=-1", "give 1 to"),
            ("--connections 0", "give 1 to"),
            ("--connections 99999999", "give 1 to"),
            ("--in-flight 0", "give 1 to"),
            ("--batch-size 0", "give 1 to"),
            ("--batch-size 9999999999", "give 1 to"),
            ("--linger-ms inf", "give 0 to"),
            ("--linger-ms nan", "give 0 to"),
            ("--linger-ms=-1", "give 0 to"),
            ("--record-size 999999999", "give 0 to"),
            ("--bootstrap localhost", "HOST:PORT"),
            ("--bootstrap localhost:0", "HOST:PORT"),
            ("--bootstrap h:1,,g:2", "HOST:PORT"),
            ("--topic a/b", "give --topic"),
            ("--topic=", "give --topic"),
            ("--idempotence --acks 1", "--acks all"),
            ("--idempotence --in-flight 6", "--in-flight 5"),
            ("--consume-only", "--consumers 1"),
            ("--json a --report a", "another name"),
            ("--consume-only --consumers 1 --through-restarts", "leave out one"),
        ] {
            let error = RunOptions::parse_for_tests(line).check().expect_err(line).to_string();
            assert!(error.contains(says), "{line}: {error}");
        }
        assert!(
            RunOptions::parse_for_tests("--bootstrap a:1,[::1]:2 --rate 1e9 --duration 168h")
                .check()
                .is_ok()
        );
    }

    #[test]
    fn a_workload_file_stands_alone() {
        let parse = |line: &str| {
            let words = ["loadgen", "run"].into_iter().chain(line.split_whitespace());
            Options::try_parse_from(words).map(|options| options.command)
        };
        let Ok(Command::Run(command)) = parse("--workload f.toml --bootstrap a:1 --settle 2s")
        else {
            panic!("options of the run may stand beside it")
        };
        assert!(command.check().is_ok());
        for option in OF_THE_LOAD {
            let flag = ["fan_out", "skim", "consume_only", "idempotence", "through_restarts"];
            let value = match option {
                "compression" => "lz4",
                option if flag.contains(&option) => "",
                _ => "1",
            };
            let line = format!("--workload f.toml --{} {value}", option.replace('_', "-"));
            let error = parse(&line).err().expect(&line).to_string();
            assert!(error.contains("cannot be used with"), "{line}: {error}");
        }
        let Ok(Command::Run(command)) = parse("--omb-result x --json x") else {
            panic!("what clap lets pass")
        };
        assert!(command.check().unwrap_err().to_string().contains("another name"));
    }

    #[test]
    fn patience_is_longer_where_a_broker_is_waited_for() {
        let patience_s = |line: &str| RunOptions::parse_for_tests(line).patience().as_secs();
        assert_eq!(
            (patience_s(""), patience_s("--through-restarts"), patience_s("--settle 2s")),
            (5, 30, 2)
        );
    }
}
