//! The command line.

use crate::{keys::KEYS_MAX, value::STAMP_BYTES};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{path::PathBuf, str::FromStr, time::Duration};

#[derive(Parser)]
#[command(name = "loadgen", version, about = "Measures a Kafka-protocol broker: throughput and latency, open loop")]
pub struct Options {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Produces (and consumes, and verifies) for a while, then prints a table.
    Run(Box<RunOptions>),
}

#[derive(Args, Clone, Debug)]
pub struct RunOptions {
    /// A broker to begin with; the others are found through it
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9092")]
    pub bootstrap: String,

    /// The topic; made if it is missing
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

    /// Records carry one of this many keys, in turn, and go to the partition that Kafka's own partitioner gives the key;
    /// every producer then writes to all partitions. 0: no keys, whole batches go to the partitions in turn
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=i64::from(KEYS_MAX)))]
    pub keys: u32,

    /// Consumer connections; they share the partitions and verify what they read. 0: none
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub consumers: usize,

    /// Every consumer reads all partitions; the first one verifies, the others only count
    #[arg(long)]
    pub fan_out: bool,

    /// Consumers only count: they look at the headers of batches, neither at their records nor at their checksums. Nothing
    /// is verified, and the generator costs little beside what the kernel takes
    #[arg(long)]
    pub skim: bool,

    /// Nothing is produced: the consumers read the topic from its beginning as fast as they can, and again from there
    /// when they reach its end. What counts as acknowledged elsewhere is then what was consumed
    #[arg(long)]
    pub consume_only: bool,

    /// With --consume-only: ends as soon as every consumer has reached the end of the topic, and measures until then
    #[arg(long, requires = "consume_only")]
    pub once: bool,

    /// Bytes that a consumer asks for at once, of each partition
    #[arg(long, value_name = "B", default_value_t = 4 << 20)]
    pub fetch_size: i32,

    /// Producers are idempotent: the broker recognises what it has already
    #[arg(long)]
    pub idempotence: bool,

    /// Rides out restarts of the broker: unanswered batches are sent again as they were until they are answered, and at
    /// the end the whole topic is read once more from its beginning. Needs --idempotence and --consumers
    #[arg(long)]
    pub through_restarts: bool,

    /// Replication factor of the topic when it is made (-1: the broker's default)
    #[arg(long, value_name = "N", default_value_t = -1)]
    pub replication_factor: i16,

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

    /// No progress line each second
    #[arg(long)]
    pub quiet: bool,
}

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
            Ok(rate) if rate > 0.0 && rate.is_finite() => Ok(Rate::PerSecond(rate)),
            _ => Err("give records per second, as in --rate 10000, or --rate max".to_owned()),
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

fn parse_duration(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit_s = match &text[number.len()..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        unit => return Err(format!("unknown unit '{unit}': use ms, s, m or h, as in --duration 30s")),
    };
    let seconds =
        number.parse::<f64>().map_err(|_| format!("'{number}' is not a number; try --duration 30s"))? * unit_s;
    Duration::try_from_secs_f64(seconds).map_err(|error| format!("'{text}': {error}"))
}

impl RunOptions {
    /// Checks what clap cannot; each message says what to type instead.
    pub fn check(&self) -> anyhow::Result<()> {
        use anyhow::ensure;
        ensure!(self.partitions > 0, "--partitions must be 1 or more");
        ensure!(self.connections > 0, "--connections must be 1 or more");
        ensure!(self.in_flight > 0, "--in-flight must be 1 or more");
        ensure!(!self.idempotence || self.in_flight <= 5, "--idempotence allows at most --in-flight 5");
        ensure!(!self.idempotence || self.acks == Acks::All, "--idempotence needs --acks all");
        ensure!(self.fetch_size > 0, "--fetch-size must be 1 or more");
        ensure!(!self.consume_only || self.consumers > 0, "--consume-only needs --consumers 1 or more");
        ensure!(
            !self.consume_only || !self.through_restarts,
            "--consume-only has nothing for --through-restarts to send"
        );
        let can_verify = self.idempotence && self.can_verify();
        ensure!(
            !self.through_restarts || can_verify,
            "--through-restarts needs --idempotence, --consumers 1 or more without --skim, and --record-size \
             {STAMP_BYTES} or more"
        );
        ensure!(self.record_size <= 16 << 20, "--record-size is at most 16777216");
        ensure!(self.linger_ms >= 0.0, "--linger-ms must not be negative");
        ensure!(!self.duration.is_zero(), "--duration must be longer than 0");
        Ok(())
    }

    /// Whether consumers see what they need to judge what was acknowledged.
    pub fn can_verify(&self) -> bool {
        self.consumers > 0 && self.record_size >= STAMP_BYTES && !self.skim && !self.consume_only
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
        assert!("0".parse::<Rate>().is_err() && "fast".parse::<Rate>().is_err());
    }

    #[test]
    fn the_contract_of_the_command_line_parses() {
        let line = "loadgen run --bootstrap h:1 --topic t --partitions 3 --record-size 100 --rate max --duration 5s \
                    --acks all --connections 2 --batch-size 65536 --linger-ms 1 --consumers 1 --json out.json";
        let Command::Run(options) = Options::try_parse_from(line.split_whitespace()).unwrap().command;
        assert!(options.check().is_ok());
        assert_eq!((options.partitions, options.acks, options.rate), (3, Acks::All, Rate::Max));
    }

    #[test]
    fn nothing_can_be_judged_that_is_not_looked_at() {
        let parse = |line: &str| {
            let Command::Run(options) = Options::try_parse_from(line.split_whitespace()).unwrap().command;
            (options.check().is_ok(), options.can_verify())
        };
        assert_eq!(parse("loadgen run --consumers 1"), (true, true));
        assert_eq!(parse("loadgen run --consumers 1 --fan-out"), (true, true));
        assert_eq!(parse("loadgen run --consumers 1 --skim"), (true, false));
        assert_eq!(parse("loadgen run --consumers 1 --consume-only"), (true, false));
        assert_eq!(parse("loadgen run --consume-only"), (false, false));
        assert!(!parse("loadgen run --consumers 1 --idempotence --through-restarts --skim").0);
    }
}
