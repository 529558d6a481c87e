//! What is measured: Apache Kafka, Millstream, the sink. Each runs on one processor and ends with the comparison.

use crate::{Options, absolute};
use anyhow::{Context, bail, ensure};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// The processor of the brokers.
const BROKER_CPU: &str = "0";
/// Segments and what is kept of them, alike for both, so that a comparison does not fill the disk.
const LOG_CONFIGS: [&str; 4] = [
    "log.segment.bytes=134217728",
    "log.retention.bytes=268435456",
    "log.retention.check.interval.ms=5000",
    "log.segment.delete.delay.ms=1000",
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    Os,
    Fsync,
}

enum Process {
    /// Of our own.
    Child(Child),
    /// Started by the script in this folder, with its files in that one.
    Script { script: PathBuf, dir: PathBuf },
}

pub struct Target {
    pub name: String,
    pub port: u16,
    pub pid: u32,
    pub is_java: bool,
    process: Process,
}

/// The topic that holds records of this size.
pub fn topic(record_size: usize) -> String {
    format!("versus-{record_size}")
}

/// The only topic that the sink knows: it holds nothing, so one is enough.
pub const SINK_TOPIC: &str = "versus-sink";

impl Target {
    pub fn kafka(options: &Options) -> anyhow::Result<Target> {
        let (script, dir) = (absolute(&options.kafka.join("broker"))?, absolute(&options.dir)?.join("kafka"));
        let port = options.base_port;
        let mut command = Command::new(&script);
        command.args(["start", "--dir"]).arg(&dir);
        command.args(["--port", &port.to_string(), "--controller-port", &(port + 1).to_string()]);
        for config in LOG_CONFIGS {
            command.args(["--config", config]);
        }
        let output = command.stderr(Stdio::inherit()).output().context("cannot run Apache Kafka's broker script")?;
        ensure!(output.status.success(), "Apache Kafka does not start: see {}/server.log", dir.display());
        let pid = String::from_utf8_lossy(&output.stdout).trim().parse().context("the broker script prints no pid")?;
        // Pinned after its start, so that Java still sizes itself for the whole machine.
        pin(pid)?;
        Ok(Target {
            name: "Apache Kafka".to_owned(),
            port,
            pid,
            is_java: true,
            process: Process::Script { script, dir },
        })
    }

    pub fn millstream(options: &Options, durability: Durability) -> anyhow::Result<Target> {
        let (name, word, port) = match durability {
            Durability::Os => ("Millstream, durability=os", "os", options.base_port + 2),
            Durability::Fsync => ("Millstream, durability=fsync", "fsync", options.base_port + 3),
        };
        let dir = absolute(&options.dir)?.join(format!("millstream-{word}"));
        let mut command = on_the_processor(&options.programs.join("millstream"))?;
        command.arg("serve");
        let own = [
            format!("listeners=PLAINTEXT://127.0.0.1:{port}"),
            format!("log.dirs={}", dir.display()),
            format!("durability={word}"),
            format!("shard.cores={BROKER_CPU},"),
            "admin.listener=".to_owned(),
        ];
        for config in own.iter().map(String::as_str).chain(LOG_CONFIGS) {
            command.args(["--override", config]);
        }
        Target::spawn(command, name, port, "millstream ready")
    }

    pub fn sink(options: &Options) -> anyhow::Result<Target> {
        let port = options.base_port + 4;
        let mut command = on_the_processor(&options.programs.join("sink"))?;
        command.args([&port.to_string(), SINK_TOPIC]);
        Target::spawn(command, "bare sink", port, "ready")
    }

    fn spawn(mut command: Command, name: &str, port: u16, ready: &str) -> anyhow::Result<Target> {
        let failed = || format!("cannot start {name}");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().with_context(failed)?;
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        while !line.starts_with(ready) {
            line.clear();
            if stdout.read_line(&mut line)? == 0 {
                bail!("{name} ended before it was ready: its messages are above");
            }
        }
        // Held open for the life of the child, which may print.
        child.stdout = Some(stdout.into_inner());
        let target =
            Target { name: name.to_owned(), port, pid: child.id(), is_java: false, process: Process::Child(child) };
        prefer(target.pid);
        Ok(target)
    }

    pub fn can_be_consumed(&self) -> bool {
        !self.is_sink()
    }

    pub fn is_sink(&self) -> bool {
        self.name == "bare sink"
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        match &mut self.process {
            Process::Child(child) => {
                let _ = child.kill();
                let _ = child.wait();
            }
            Process::Script { script, dir } => {
                let _ = Command::new(script).args(["stop", "--kill", "--dir"]).arg(dir).status();
            }
        }
    }
}

/// A command that begins on the brokers' processor, in a session of its own: the scheduler shares time by session.
fn on_the_processor(program: &std::path::Path) -> anyhow::Result<Command> {
    let mut command = Command::new("setsid");
    command.args(["taskset", "-c", BROKER_CPU]).arg(absolute(program)?);
    Ok(command)
}

fn pin(pid: u32) -> anyhow::Result<()> {
    prefer(pid);
    let pid = pid.to_string();
    let status = Command::new("taskset").args(["-a", "-c", "-p", BROKER_CPU, &pid]).stdout(Stdio::null()).status()?;
    ensure!(status.success(), "cannot pin process {pid}: is taskset (util-linux) there?");
    Ok(())
}

/// Asks for more of the processor than others on this machine get. Without the right to it, it stays as it is.
pub fn prefer(pid: u32) {
    let _ = fs::write(format!("/proc/{pid}/autogroup"), "-15");
}
