//! loadgen as a program: its command line, its end, its table and its JSON.
//!
//! Owns: the process that it started, which ends with it.

use ring::{BackendChoice, BackendKind};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    fs,
    io::Read,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Only what hangs is ended by this.
const HANGS_AFTER: Duration = Duration::from_secs(120);

/// io_uring where the kernel allows it, and epoll.
pub fn backends() -> Vec<&'static str> {
    let uring = ring::select(BackendChoice::Auto)
        .is_ok_and(|selection| selection.kind == BackendKind::IoUring);
    if !uring {
        eprintln!("io_uring is not to be had here: epoll only");
    }
    if uring { vec!["io_uring", "epoll"] } else { vec!["epoll"] }
}

pub struct Running {
    child: Child,
    json: PathBuf,
}

/// How it ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub table: String,
    pub notes: String,
    pub json: Value,
}

/// Runs to the end. `line` is split at spaces.
pub fn loadgen(backend: &str, bootstrap: &str, line: &str) -> Ended {
    Running::start(backend, bootstrap, line).end()
}

impl Running {
    pub fn start(backend: &str, bootstrap: &str, line: &str) -> Running {
        Running::start_command("run", backend, bootstrap, line)
    }

    pub fn start_command(name: &str, backend: &str, bootstrap: &str, line: &str) -> Running {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let json = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("{}-{number}.json", std::process::id()));
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
        command.args([name, "--quiet", "--bootstrap", bootstrap, "--backend", backend]);
        if !line.contains("--json") {
            command.arg("--json").arg(&json);
        }
        command.args(line.split_whitespace());
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Running { child: child.expect("loadgen was built"), json }
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("our own process");
    }

    /// Its reader goes away.
    pub fn close_outputs(&mut self) {
        drop((self.child.stdout.take(), self.child.stderr.take()));
    }

    pub fn end(mut self) -> Ended {
        let began = Instant::now();
        let status = loop {
            match self.child.try_wait().expect("our own process") {
                Some(status) => break status,
                None if began.elapsed() > HANGS_AFTER => panic!("loadgen hangs"),
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        let (mut table, mut notes) = (String::new(), String::new());
        if let (Some(out), Some(err)) = (&mut self.child.stdout, &mut self.child.stderr) {
            out.read_to_string(&mut table).expect("text");
            err.read_to_string(&mut notes).expect("text");
        }
        let text = fs::read_to_string(&self.json).unwrap_or_default();
        Ended {
            code: status.code(),
            table,
            notes,
            json: serde_json::from_str(&text).unwrap_or(Value::Null),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.json);
    }
}

impl Ended {
    /// A count of the JSON.
    pub fn count(&self, key: &str) -> u64 {
        self.json[key].as_u64().unwrap_or_else(|| panic!("no count `{key}`: {self:?}"))
    }

    pub fn is_null(&self, pointer: &str) -> bool {
        self.json.pointer(pointer).unwrap_or_else(|| panic!("no `{pointer}`: {self:?}")).is_null()
    }
}
