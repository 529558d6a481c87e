//! One turn: load on one target, and what the broker spent meanwhile.

use crate::{
    Options,
    targets::{self, SINK_TOPIC, Target, topic},
};
use anyhow::{Context, ensure};
use serde_json::Value;
use std::{fmt, fs, process::Command, time::Instant};

const GENERATOR_CPU: &str = "1";
/// Clock ticks per second in /proc: what user space is told whatever the kernel counts in.
const TICKS_PER_S: f64 = 100.0;

#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Load {
    pub record_size: usize,
    /// Records per second; `None`: as many as possible.
    pub rate: Option<u64>,
    pub consumers: usize,
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let consumers = if self.consumers > 0 { ", consumed" } else { "" };
        match self.rate {
            Some(rate) => write!(f, "{} B, {rate} records/s{consumers}", self.record_size),
            None => write!(f, "{} B, as many as possible{consumers}", self.record_size),
        }
    }
}

/// What one turn came to.
#[derive(Clone, Debug)]
pub struct Sample {
    pub cpu_s_per_million: f64,
    /// Processor seconds that the figure stands on.
    pub cpu_s: f64,
    pub records_per_s: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// How much of the machine others took meanwhile.
    pub others: f64,
    pub generator_busy: f64,
    pub remarks: Vec<String>,
}

pub fn run(options: &Options, target: &Target, load: Load, seconds: u64) -> anyhow::Result<Sample> {
    let json = options.dir.join("loadgen.json");
    let name = if target.is_sink() { SINK_TOPIC.to_owned() } else { topic(load.record_size) };
    let mut command = Command::new("taskset");
    command.args(["-c", GENERATOR_CPU]).arg(options.programs.join("loadgen")).arg("run");
    for (key, value) in [
        ("--bootstrap", format!("127.0.0.1:{}", target.port)),
        ("--topic", name),
        ("--partitions", "1".to_owned()),
        ("--replication-factor", "1".to_owned()),
        ("--record-size", load.record_size.to_string()),
        ("--rate", load.rate.map_or("max".to_owned(), |rate| rate.to_string())),
        ("--duration", format!("{seconds}s")),
        ("--acks", "all".to_owned()),
        ("--linger-ms", "5".to_owned()),
        ("--consumers", load.consumers.to_string()),
        ("--core", GENERATOR_CPU.to_owned()),
        ("--json", json.display().to_string()),
    ] {
        command.args([key, &value]);
    }
    let (before, machine_before, began) = (cpu_ticks(target.pid)?, Machine::now()?, Instant::now());
    let child = command.arg("--quiet").stdout(std::process::Stdio::null()).spawn().context("cannot run loadgen")?;
    targets::prefer(child.id());
    let output = child.wait_with_output()?;
    let (after, machine_after, wall_s) = (cpu_ticks(target.pid)?, Machine::now()?, began.elapsed().as_secs_f64());
    ensure!(output.status.success(), "loadgen against {} ended with {}", target.name, output.status);
    let report: Value = serde_json::from_str(&fs::read_to_string(&json)?).context("loadgen's report")?;
    let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let (cpu_s, acknowledged) = ((after - before) as f64 / TICKS_PER_S, number("/acknowledged"));
    let remarks = report["remarks"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    let generator_s = number("/generator_busy_ratio") * number("/seconds");
    Ok(Sample {
        cpu_s_per_million: cpu_s / acknowledged * 1e6,
        cpu_s,
        records_per_s: number("/records_per_s"),
        p50_ms: number("/response_time_ms/p50"),
        p99_ms: number("/response_time_ms/p99"),
        others: (machine_after.busy_since(&machine_before) - cpu_s - generator_s).max(0.0) / wall_s,
        generator_busy: number("/generator_busy_ratio"),
        remarks: remarks.collect(),
    })
}

/// User and system time of all threads of a process, those that have ended included.
fn cpu_ticks(pid: u32) -> anyhow::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the broker is gone: its log says why")?;
    // The name in parentheses may hold anything; the fields behind it are numbers.
    let (_, fields) = stat.rsplit_once(')').context("/proc/PID/stat")?;
    let field = |number: usize| fields.split_whitespace().nth(number - 3).and_then(|text| text.parse::<u64>().ok());
    Ok(field(14).context("utime")? + field(15).context("stime")?)
}

/// The first line of /proc/stat: ticks of all processors by what they did.
struct Machine {
    busy_ticks: u64,
}

impl Machine {
    fn now() -> anyhow::Result<Machine> {
        let stat = fs::read_to_string("/proc/stat")?;
        let line = stat.lines().next().context("/proc/stat")?;
        let ticks: Vec<u64> = line.split_whitespace().skip(1).filter_map(|text| text.parse().ok()).collect();
        // user, nice, system, idle, iowait, irq, softirq, steal.
        ensure!(ticks.len() >= 8, "/proc/stat has {} fields", ticks.len());
        Ok(Machine { busy_ticks: ticks[..3].iter().chain(&ticks[5..8]).sum() })
    }

    /// In processor seconds.
    fn busy_since(&self, before: &Machine) -> f64 {
        (self.busy_ticks - before.busy_ticks) as f64 / TICKS_PER_S
    }
}
