//! A broker on processor 0: its start, its memory, its processor time, its stop. Ends nothing but
//! what it started.

use crate::{Options, client::Client};
use anyhow::{Context, bail, ensure};
use protocol::messages::ApiVersionsRequest;
use serde_json::Value;
use std::{
    collections::HashMap,
    ffi::OsString,
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const BROKER_CPU: &str = "0";
const GENERATOR_CPU: &str = "1";
const STOP_LIMIT: Duration = Duration::from_secs(300);

pub struct Broker {
    child: Child,
    pub address: SocketAddr,
    /// From the start of the process to the first answer of a request.
    pub first_answer: Duration,
}

/// What a busy partition came to.
pub struct Load {
    pub cpu_s_per_million: f64,
    pub records_per_s: f64,
    pub p99_ms: f64,
}

impl Broker {
    pub fn start(options: &Options, dir: &Path) -> anyhow::Result<Broker> {
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let log = fs::OpenOptions::new().create(true).append(true).open(dir.join("log"))?;
        let mut command = Command::new("taskset");
        command.args(["-c", BROKER_CPU]).arg(options.programs.join("millstream")).arg("serve");
        for config in [
            "listeners=PLAINTEXT://127.0.0.1:0".to_owned(),
            format!("log.dirs={}", dir.join("data").display()),
            format!("shard.cores={BROKER_CPU}"),
            "admin.listener=".to_owned(),
            "durability=os".to_owned(),
            "group.initial.rebalance.delay.ms=0".to_owned(),
            // As many as an idle hour would see, so that no connection ends while it is watched.
            "connections.max.idle.ms=3600000".to_owned(),
        ] {
            command.args(["--override", &config]);
        }
        let began = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = child.context("cannot run taskset (util-linux) with the broker")?;
        let mut stdout = BufReader::new(child.stdout.take().context("piped")?);
        let mut line = String::new();
        while !line.starts_with("millstream ready") {
            line.clear();
            if stdout.read_line(&mut line)? == 0 {
                bail!("the broker ended before it was ready: see {}", dir.join("log").display());
            }
        }
        // Held open for the life of the child, which may print.
        child.stdout = Some(stdout.into_inner());
        let address = line
            .split(" on ")
            .nth(1)
            .and_then(|rest| rest.split(',').next())
            .context("an address")?
            .parse()?;
        let mut broker = Broker { child, address, first_answer: Duration::ZERO };
        Client::connect(broker.address)?.call(&ApiVersionsRequest::default(), 0)?;
        broker.first_answer = began.elapsed();
        Ok(broker)
    }

    pub fn resident_bytes(&self) -> anyhow::Result<usize> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kib =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
        Ok(kib.context("VmRSS in kB")?.trim().parse::<usize>()? * 1024)
    }

    /// Processor time of every thread that lives.
    fn cpu_ns(&self) -> anyhow::Result<HashMap<OsString, u64>> {
        let mut threads = HashMap::new();
        for entry in
            fs::read_dir(format!("/proc/{}/task", self.child.id())).context("the broker is gone")?
        {
            // A thread may end meanwhile.
            let entry = entry?;
            let Ok(stat) = fs::read_to_string(entry.path().join("schedstat")) else { continue };
            threads.insert(
                entry.file_name(),
                stat.split_whitespace().next().context("schedstat")?.parse::<u64>()?,
            );
        }
        Ok(threads)
    }

    /// Processor time since then of all threads, but for those that have ended: file threads, which
    /// are few and brief.
    fn cpu_ns_since(&self, before: &HashMap<OsString, u64>) -> anyhow::Result<u64> {
        let now = self.cpu_ns()?;
        Ok(now.iter().map(|(thread, ns)| ns - before.get(thread).copied().unwrap_or(0)).sum())
    }

    /// The share of a core that it uses by itself.
    pub fn idle_share(&self, during: Duration) -> anyhow::Result<f64> {
        let (before, began) = (self.cpu_ns()?, Instant::now());
        thread::sleep(during);
        Ok(self.cpu_ns_since(&before)? as f64 / began.elapsed().as_nanos() as f64)
    }

    /// One producer of 100-byte records on one partition.
    pub fn load(&self, options: &Options, rate: Option<u64>) -> anyhow::Result<Load> {
        let json = options.dir.join("loadgen.json");
        let mut command = Command::new(options.programs.join("loadgen"));
        command.arg("run");
        for (key, value) in [
            ("--bootstrap", self.address.to_string()),
            ("--topic", "busy".to_owned()),
            ("--replication-factor", "1".to_owned()),
            ("--rate", rate.map_or("max".to_owned(), |rate| rate.to_string())),
            ("--duration", format!("{}s", options.seconds)),
            ("--warm-up", "1s".to_owned()),
            ("--linger-ms", "5".to_owned()),
            ("--core", GENERATOR_CPU.to_owned()),
            ("--json", json.display().to_string()),
        ] {
            command.args([key, &value]);
        }
        let before = self.cpu_ns()?;
        let status =
            command.arg("--quiet").stdout(Stdio::null()).status().context("cannot run loadgen")?;
        let cpu_s = self.cpu_ns_since(&before)? as f64 / 1e9;
        ensure!(status.success(), "loadgen ended with {status}");
        let report: Value =
            serde_json::from_str(&fs::read_to_string(&json)?).context("loadgen's report")?;
        let number = |pointer: &str| {
            report
                .pointer(pointer)
                .and_then(Value::as_f64)
                .with_context(|| format!("{pointer} of loadgen"))
        };
        let (records_per_s, seconds) = (number("/records_per_s")?, options.seconds as f64);
        // The second of warming up is sent at the same rate and not reported.
        let sent = records_per_s * (seconds + 1.0);
        Ok(Load {
            cpu_s_per_million: cpu_s / sent * 1e6,
            records_per_s,
            p99_ms: number("/response_time_ms/p99")?,
        })
    }

    /// Ends it as an operator does, and says how long that took.
    pub fn stop(&mut self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        ensure!(status.success(), "cannot signal the broker");
        while began.elapsed() < STOP_LIMIT {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the broker ended with {status}");
                return Ok(began.elapsed());
            }
            thread::sleep(Duration::from_millis(2));
        }
        bail!("the broker does not end within {STOP_LIMIT:?}")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
