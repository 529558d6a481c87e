//! One turn: load on one target, and what the broker spent meanwhile.

use crate::{
    Options,
    targets::{self, SINK_TOPIC, Target},
    workloads::{Consume, Workload},
};
use anyhow::{Context, ensure};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Instant,
};

/// Clock ticks per second in /proc: what user space is told whatever the kernel counts in.
const TICKS_PER_S: f64 = 100.0;
const FETCH_BYTES: usize = 1 << 20;
/// Records per second when a topic is filled: what every broker takes.
const FILL_RATE: u64 = 100_000;
/// How long a topic may take to be read once.
const ONCE_MAX_S: f64 = 60.0;

/// What one turn came to.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Processor seconds of the broker.
    pub cpu_s: f64,
    /// What they were spent on.
    pub records: f64,
    pub bytes: f64,
    pub records_per_s: f64,
    pub bytes_per_s: f64,
    /// Of the brokers' processor, whichever process it worked for.
    pub core_busy: f64,
    pub generator_busy: f64,
    /// How much of the machine others took meanwhile.
    pub others: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub p99_9_ms: f64,
    pub drained_bytes_per_s: Option<f64>,
    pub remarks: Vec<String>,
}

pub struct Turn<'a> {
    pub options: &'a Options,
    pub workload: &'a Workload,
    pub target: &'a Target,
    pub topic: &'a str,
    /// The topic that is drained meanwhile.
    pub backlog: Option<&'a str>,
    /// Records per second; `None`: as many as possible.
    pub rate: Option<f64>,
    pub seconds: f64,
}

impl Turn<'_> {
    pub fn run(&self) -> anyhow::Result<Sample> {
        let json = self.options.dir.join("loadgen.json");
        let realtime = self.workload.realtime && !self.options.quick;
        let mut main = self.main_command(&json, realtime);
        let (cpu_before, machine_before, began) =
            (cpu_ticks(self.target.pid)?, Machine::now(self.options)?, Instant::now());
        let drain = self.backlog.map(|topic| self.drain(topic)).transpose()?;
        finish(start(&mut main)?, &main)?;
        let drained = drain
            .map(|(child, command, json)| finish(child, &command).and_then(|()| report(&json)))
            .transpose()?;
        let (cpu_after, machine_after) = (cpu_ticks(self.target.pid)?, Machine::now(self.options)?);
        let wall_s = began.elapsed().as_secs_f64();
        let report = report(&json)?;
        let cpu_s = (cpu_after - cpu_before) as f64 / TICKS_PER_S;
        let generators_s = busy_s(&report) + drained.as_ref().map_or(0.0, busy_s);
        let mut sample = self.sample(&report, cpu_s)?;
        if let Some(drained) = &drained {
            sample.records += number(drained, "/consumed");
            sample.bytes += number(drained, "/fetched_bytes");
            sample.drained_bytes_per_s =
                Some(number(drained, "/fetched_bytes") / number(drained, "/seconds"));
        }
        sample.core_busy = machine_after.core_s_since(&machine_before) / wall_s;
        sample.generator_busy = generators_s / wall_s;
        sample.others =
            (machine_after.all_s_since(&machine_before) - cpu_s - generators_s).max(0.0) / wall_s;
        Ok(sample)
    }

    fn sample(&self, report: &Value, cpu_s: f64) -> anyhow::Result<Sample> {
        // Where many read what one writes, the records that are read are the work.
        let counts_consumed = self.workload.produce.is_none() || self.workload.consumers > 1;
        let seconds = number(report, "/seconds");
        let (records, bytes) = if counts_consumed {
            (number(report, "/consumed"), number(report, "/fetched_bytes"))
        } else {
            let acknowledged = number(report, "/acknowledged");
            (acknowledged, acknowledged * self.workload.record_bytes as f64)
        };
        ensure!(records > 0.0, "nothing was moved");
        let times = match (&self.workload.produce, self.workload.consume) {
            (Some(_), Some(_)) => "end_to_end_ms",
            (Some(_), None) => "response_time_ms",
            (None, _) => "service_time_ms",
        };
        let quantile = |name: &str| number(report, &format!("/{times}/{name}"));
        let remarks = report["remarks"].as_array().into_iter().flatten().filter_map(Value::as_str);
        Ok(Sample {
            cpu_s,
            records,
            bytes,
            records_per_s: records / seconds,
            bytes_per_s: bytes / seconds,
            core_busy: 0.0,
            generator_busy: 0.0,
            others: 0.0,
            p50_ms: quantile("p50"),
            p99_ms: quantile("p99"),
            p99_9_ms: quantile("p99_9"),
            drained_bytes_per_s: None,
            remarks: remarks.map(str::to_owned).collect(),
        })
    }

    fn main_command(&self, json: &Path, realtime: bool) -> Command {
        let workload = self.workload;
        let mut command = self.command(self.topic, workload.partitions, json, realtime);
        // The sink's topic has no end.
        let is_once =
            matches!(workload.consume, Some(Consume::Cold { .. })) && self.topic != SINK_TOPIC;
        command
            .args(["--duration", &milliseconds(if is_once { ONCE_MAX_S } else { self.seconds })]);
        command.args(["--consumers", &workload.consumers.to_string()]);
        if workload.consumers > 1 {
            command.arg("--fan-out");
        }
        if let Some(produce) = &workload.produce {
            let rate = self.rate.map_or("max".to_owned(), |rate| rate.to_string());
            for (key, value) in [
                ("--rate", rate),
                ("--connections", produce.connections.to_string()),
                ("--batch-size", produce.batch_bytes.to_string()),
                ("--linger-ms", produce.linger_ms.to_string()),
                ("--in-flight", produce.in_flight.to_string()),
                ("--keys", produce.keys.to_string()),
            ] {
                command.args([key, &value]);
            }
        } else {
            command.args(["--consume-only", "--skim"]);
        }
        if is_once {
            command.arg("--once");
        }
        command
    }

    fn command(&self, topic: &str, partitions: i32, json: &Path, realtime: bool) -> Command {
        let mut command = targets::client(self.options, realtime);
        for (key, value) in [
            ("--bootstrap", self.target.address.clone()),
            ("--topic", topic.to_owned()),
            ("--partitions", partitions.to_string()),
            ("--replication-factor", "1".to_owned()),
            ("--record-size", self.workload.record_bytes.to_string()),
            ("--acks", "all".to_owned()),
            ("--fetch-size", FETCH_BYTES.to_string()),
            ("--core", self.options.client_cpu.to_string()),
            ("--json", json.display().to_string()),
        ] {
            if key == "--bootstrap" {
                command.arg("run");
            }
            command.args([key, &value]);
        }
        command.arg("--quiet");
        command
    }

    fn drain(&self, topic: &str) -> anyhow::Result<(Child, Command, PathBuf)> {
        let json = self.options.dir.join("drain.json");
        let mut command = self.command(topic, 1, &json, false);
        command.args(["--consume-only", "--skim", "--once", "--consumers", "1"]);
        command.args(["--duration", &milliseconds(ONCE_MAX_S)]);
        Ok((start(&mut command)?, command, json))
    }

    /// Fills a topic with so many MiB of records.
    pub fn fill(&self, topic: &str, mib: u64) -> anyhow::Result<()> {
        let json = self.options.dir.join("fill.json");
        let mut command = self.command(topic, 1, &json, false);
        let seconds = (mib << 20) as f64 / (FILL_RATE as usize * self.workload.record_bytes) as f64;
        command.args(["--duration", &milliseconds(seconds)]);
        command.args(["--rate", &FILL_RATE.to_string(), "--linger-ms", "5"]);
        finish(start(&mut command)?, &command)
    }

    /// Reads a filled topic once: then it is in the page cache, and Java has compiled what reads
    /// it.
    pub fn read_once(&self, topic: &str) -> anyhow::Result<()> {
        let (child, command, _) = self.drain(topic)?;
        finish(child, &command)
    }

    /// Sends as much as possible; returns how many records were acknowledged.
    pub fn warm_up(&self, seconds: f64) -> anyhow::Result<f64> {
        let json = self.options.dir.join("warm-up.json");
        let mut command = self.command(self.topic, self.workload.partitions, &json, false);
        command.args(["--duration", &milliseconds(seconds), "--rate", "max"]);
        command.args(["--linger-ms", "5", "--consumers", "1", "--skim"]);
        finish(start(&mut command)?, &command)?;
        Ok(number(&report(&json)?, "/acknowledged"))
    }
}

fn milliseconds(seconds: f64) -> String {
    format!("{}ms", (seconds * 1000.0).ceil() as u64)
}

fn start(command: &mut Command) -> anyhow::Result<Child> {
    let child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().context("cannot run loadgen")?;
    targets::prefer(child.id());
    Ok(child)
}

fn finish(mut child: Child, command: &Command) -> anyhow::Result<()> {
    let status = child.wait()?;
    ensure!(status.success(), "ended with {status}: {command:?}");
    Ok(())
}

fn report(path: &Path) -> anyhow::Result<Value> {
    serde_json::from_str(&fs::read_to_string(path)?).context("loadgen's report")
}

fn number(report: &Value, pointer: &str) -> f64 {
    report.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

fn busy_s(report: &Value) -> f64 {
    number(report, "/generator_busy_ratio") * number(report, "/seconds")
}

/// User and system time of all threads of a process, those that have ended included.
fn cpu_ticks(pid: u32) -> anyhow::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
        .context("the broker is gone: its log says why")?;
    // The name in parentheses may hold anything; the fields behind it are numbers.
    let (_, fields) = stat.rsplit_once(')').context("/proc/PID/stat")?;
    let field = |number: usize| {
        fields.split_whitespace().nth(number - 3).and_then(|text| text.parse::<u64>().ok())
    };
    Ok(field(14).context("utime")? + field(15).context("stime")?)
}

/// What /proc/stat says: ticks of all processors, and of the brokers' one, in which they did
/// something.
struct Machine {
    all_ticks: u64,
    core_ticks: u64,
}

impl Machine {
    fn now(options: &Options) -> anyhow::Result<Machine> {
        let stat = fs::read_to_string("/proc/stat")?;
        let busy = |name: &str| {
            let line = stat.lines().find(|line| line.split_whitespace().next() == Some(name))?;
            let ticks: Vec<u64> =
                line.split_whitespace().skip(1).filter_map(|text| text.parse().ok()).collect();
            // user, nice, system, idle, iowait, irq, softirq, steal.
            (ticks.len() >= 8).then(|| ticks[..3].iter().chain(&ticks[5..8]).sum())
        };
        Ok(Machine {
            all_ticks: busy("cpu").context("/proc/stat")?,
            core_ticks: busy(&format!("cpu{}", options.broker_cpu)).context("/proc/stat")?,
        })
    }

    fn all_s_since(&self, before: &Machine) -> f64 {
        (self.all_ticks - before.all_ticks) as f64 / TICKS_PER_S
    }

    fn core_s_since(&self, before: &Machine) -> f64 {
        (self.core_ticks - before.core_ticks) as f64 / TICKS_PER_S
    }
}
