//! The servers that are measured: Apache Kafka, Millstream, the sinks, a given address. Owns: their
//! processes, which run on the brokers' processor and end with this one.

use crate::{
    Options, absolute, admin,
    workloads::{Contender, Runtime, Server, Workload},
};
use anyhow::{Context, bail, ensure};
use std::{
    collections::{HashMap, hash_map::Entry},
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Alike for all brokers: data stays small, its pages are used again soon, and no round waits for
/// another's deletes.
const SERVER_CONFIGS: [&str; 3] = [
    "log.retention.check.interval.ms=1000",
    "log.segment.delete.delay.ms=1000",
    "log.initial.task.delay.ms=1000",
];
pub const SEGMENT_BYTES: u64 = 64 << 20;
const RETENTION_BYTES: u64 = 128 << 20;
/// The only topic that a sink knows.
pub const SINK_TOPIC: &str = "versus-sink";
/// In between: the kernel's own threads stay in front.
const REALTIME_PRIORITY: &str = "50";

pub struct Target {
    pub address: String,
    pub pid: u32,
    /// Where the partitions' folders are, if that is known.
    pub data: Option<PathBuf>,
    child: Option<Child>,
}

#[derive(Default)]
pub struct Targets {
    running: HashMap<Server, Target>,
}

impl Targets {
    /// The target, started if it does not run yet.
    pub fn get(
        &mut self,
        options: &Options,
        server: Server,
        workload: &Workload,
    ) -> anyhow::Result<&Target> {
        match self.running.entry(server) {
            Entry::Occupied(running) => Ok(running.into_mut()),
            Entry::Vacant(free) => Ok(free.insert(match server {
                Server::Kafka => kafka(options)?,
                Server::Millstream => millstream(options, "io_uring", 2)?,
                Server::MillstreamEpoll => millstream(options, "epoll", 3)?,
                Server::Sink(..) => sink(options, server, workload.partitions)?,
                Server::Against => against(options)?,
            })),
        }
    }

    pub fn is_running(&self, server: Server) -> bool {
        self.running.contains_key(&server)
    }

    /// Sinks are made for one workload each.
    pub fn stop_sinks(&mut self) {
        self.running.retain(|server, _| !matches!(server, Server::Sink(..)));
    }
}

impl Contender {
    /// Why this one cannot take part; `None` if it can.
    pub fn is_missing(&self, options: &Options) -> Option<String> {
        match self.server {
            Server::Kafka if options.without_kafka => Some("--without-kafka".to_owned()),
            Server::Against if options.against.is_none() => Some("no --against".to_owned()),
            Server::Sink(runtime, _) if !sink_program(options, runtime).exists() => {
                Some(format!("there is no {}", sink_program(options, runtime).display()))
            }
            _ => None,
        }
    }

    pub fn is_sink(&self) -> bool {
        matches!(self.server, Server::Sink(..))
    }

    /// What a topic of this contender is made with.
    pub fn topic_configs(&self, is_kept: bool) -> Vec<(String, String)> {
        let retention = if is_kept { "-1".to_owned() } else { RETENTION_BYTES.to_string() };
        let mut configs =
            vec![("segment.bytes", SEGMENT_BYTES.to_string()), ("retention.bytes", retention)];
        match self.server {
            Server::Kafka | Server::Against if self.fsync => {
                configs.push(("flush.messages", "1".to_owned()))
            }
            Server::Millstream | Server::MillstreamEpoll => {
                configs.push(("durability", if self.fsync { "fsync" } else { "os" }.to_owned()))
            }
            _ => {}
        }
        configs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }
}

fn kafka(options: &Options) -> anyhow::Result<Target> {
    eprintln!("starting Apache Kafka");
    let script = absolute(Path::new("benches/versus/kafka/broker"))?;
    // Once beforehand, as it may have to fetch them.
    ensure!(
        Command::new(&script).arg("install").stdout(Stdio::null()).status()?.success(),
        "Apache Kafka's jars are not to be had: --without-kafka leaves it out"
    );
    let dir = absolute(&options.dir)?.join("kafka");
    let (port, address) = port(options, 0);
    let mut command = kept(&["setsid"], &script);
    command
        .args(["run", "--dir"])
        .arg(&dir)
        .args(["--port", &port.to_string()])
        .args(SERVER_CONFIGS);
    let mut child = command.stdin(Stdio::null()).spawn().context("cannot run Apache Kafka")?;
    let log = dir.join("server.log");
    admin::wait_until_it_serves(&address, || matches!(child.try_wait(), Ok(None)))
        .with_context(|| format!("Apache Kafka does not start: see {}", log.display()))?;
    // Pinned after its start, so that Java sizes itself for the whole machine.
    pin(options, child.id())?;
    Ok(Target { address, pid: child.id(), data: Some(dir.join("data")), child: Some(child) })
}

fn millstream(options: &Options, backend: &str, offset: u16) -> anyhow::Result<Target> {
    let dir = absolute(&options.dir)?.join(format!("millstream-{backend}"));
    let (port, address) = port(options, offset);
    let mut command = pinned(options, &absolute(&options.programs.join("millstream"))?);
    command.arg("serve");
    // As Kafka logs here, too: warnings and errors.
    command.env("RUST_LOG", std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".to_owned()));
    let own = [
        format!("listeners=PLAINTEXT://127.0.0.1:{port}"),
        format!("log.dirs={}", dir.display()),
        format!("shard.cores={}", options.broker_cpu),
        format!("io.backend={backend}"),
        "admin.listener=".to_owned(),
    ];
    for config in own.iter().map(String::as_str).chain(SERVER_CONFIGS) {
        command.args(["--override", config]);
    }
    spawn(command, address, Some(dir), "millstream ready")
}

fn sink_program(options: &Options, runtime: Runtime) -> PathBuf {
    options.programs.join(match runtime {
        Runtime::Bare => "sink",
        Runtime::Tokio => "sink-tokio",
        Runtime::Glommio => "sink-glommio",
    })
}

fn sink(options: &Options, server: Server, partitions: i32) -> anyhow::Result<Target> {
    let Server::Sink(runtime, mode) = server else { bail!("{server:?} is no sink") };
    let (port, address) = port(options, 4 + runtime as u16);
    let dir = absolute(&options.dir)?.join(format!("sink-{runtime:?}-{}", mode.name()));
    let mut command = pinned(options, &absolute(&sink_program(options, runtime))?);
    command.args(["--port", &port.to_string(), "--topic", SINK_TOPIC, "--mode", mode.name()]);
    command.args(["--partitions", &partitions.to_string(), "--dir"]).arg(&dir);
    spawn(command, address, Some(dir), "ready")
}

fn against(options: &Options) -> anyhow::Result<Target> {
    let address = options.against.clone().context("no --against")?;
    let pid =
        options.pid.context("--against needs --pid, for the processor time of that broker")?;
    ensure!(admin::serves(&address), "nothing that speaks Kafka's protocol serves {address}");
    pin(options, pid)?;
    Ok(Target { address, pid, data: options.against_data.clone(), child: None })
}

fn port(options: &Options, offset: u16) -> (u16, String) {
    let port = options.base_port + offset;
    (port, format!("127.0.0.1:{port}"))
}

fn spawn(
    mut command: Command,
    address: String,
    data: Option<PathBuf>,
    ready: &str,
) -> anyhow::Result<Target> {
    let what = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {what}"))?;
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    while !line.starts_with(ready) {
        line.clear();
        if stdout.read_line(&mut line)? == 0 {
            bail!("it ended before it was ready, its messages are above: {what}");
        }
    }
    // Held open for the life of the child, which may print.
    child.stdout = Some(stdout.into_inner());
    prefer(child.id());
    Ok(Target { address, pid: child.id(), data, child: Some(child) })
}

impl Target {
    /// Puts the broker's threads before all others on their processor, or back among them.
    pub fn set_realtime(&self, on: bool) -> anyhow::Result<()> {
        let policy = if on { ["-f", REALTIME_PRIORITY] } else { ["-o", "0"] };
        let status = Command::new("chrt")
            .args(["-a", policy[0], "-p", policy[1], &self.pid.to_string()])
            .stdout(Stdio::null())
            .status()
            .context("cannot run chrt (util-linux)")?;
        ensure!(status.success(), "no right to real-time priority: run as root");
        Ok(())
    }
}

/// The generator's command line up to its own name.
pub fn client(options: &Options, realtime: bool) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &options.client_cpu.to_string()]);
    if realtime {
        command.args(["chrt", "-f", REALTIME_PRIORITY]);
    }
    command.arg(options.programs.join("loadgen"));
    command
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
            if let Some(data) = &self.data {
                let _ = fs::remove_dir_all(data);
            }
        }
    }
}

/// In a session of its own, as the scheduler shares time by session, and gone when this process
/// goes.
fn kept(before: &[&str], program: &Path) -> Command {
    let mut command = Command::new(before[0]);
    command.args(&before[1..]).args(["setpriv", "--pdeathsig", "KILL"]).arg(program);
    command
}

fn pinned(options: &Options, program: &Path) -> Command {
    kept(&["setsid", "taskset", "-c", &options.broker_cpu.to_string()], program)
}

fn pin(options: &Options, pid: u32) -> anyhow::Result<()> {
    prefer(pid);
    let (cpu, pid) = (options.broker_cpu.to_string(), pid.to_string());
    let status = Command::new("taskset")
        .args(["-a", "-c", "-p", &cpu, &pid])
        .stdout(Stdio::null())
        .status()?;
    ensure!(status.success(), "cannot pin process {pid}: is taskset (util-linux) there?");
    Ok(())
}

/// Asks for more of the processor than others on this machine get. Without the right to it, it
/// stays as it is.
pub fn prefer(pid: u32) {
    let _ = fs::write(format!("/proc/{pid}/autogroup"), "-15");
}
