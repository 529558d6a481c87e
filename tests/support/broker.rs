//! One broker process: started on a free port with a folder of its own, ended by its pid when the
//! test is over.

use super::{PATIENCE, unique};
use ring::{BackendChoice, BackendKind};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

/// Ports below those that the kernel hands out by itself.
const PORTS: std::ops::Range<u16> = 23_000..23_800;

/// How a broker is configured.
#[derive(Clone, Debug)]
pub struct Setup {
    pub backend: &'static str,
    pub shards: usize,
    configs: Vec<(String, String)>,
}

impl Setup {
    pub fn new(backend: &'static str, shards: usize) -> Setup {
        Setup { backend, shards, configs: Vec::new() }
    }

    /// What works here: io_uring with two shards where the kernel allows it, epoll with one.
    pub fn backends() -> Vec<Setup> {
        let uring = ring::select(BackendChoice::Auto)
            .is_ok_and(|selection| selection.kind == BackendKind::IoUring);
        if !uring {
            eprintln!("io_uring is not to be had here: epoll only");
        }
        let uring = uring.then(|| Setup::new("io_uring", 2));
        uring.into_iter().chain([Setup::new("epoll", 1)]).collect()
    }

    pub fn with(mut self, key: &str, value: &str) -> Setup {
        self.configs.push((key.to_owned(), value.to_owned()));
        self
    }

    /// The command that starts it.
    pub fn command(&self, data: &Path, port: u16) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_millstream"));
        command.arg("serve");
        let cores: Vec<String> =
            ring::allowed_cpus().iter().take(self.shards).map(ToString::to_string).collect();
        assert_eq!(cores.len(), self.shards, "there are fewer processors than shards");
        let own = [
            ("listeners", format!("PLAINTEXT://127.0.0.1:{port}")),
            ("log.dirs", data.display().to_string()),
            ("shard.cores", cores.join(",")),
            ("io.backend", self.backend.to_owned()),
            ("admin.listener", String::new()),
            // The processors are shared with other tests; fifty logs would only slow the start.
            ("offsets.topic.num.partitions", "4".to_owned()),
        ];
        for (key, value) in own.iter().map(|(key, value)| (*key, value)) {
            command.arg("--override").arg(format!("{key}={value}"));
        }
        for (key, value) in &self.configs {
            command.arg("--override").arg(format!("{key}={value}"));
        }
        command
    }
}

/// A broker that did not come up.
#[derive(Debug)]
pub struct Refusal {
    pub status: ExitStatus,
    pub stderr: String,
}

pub struct Broker {
    process: Option<Process>,
    pub address: SocketAddr,
    pub setup: Setup,
    /// Holds the data and the broker's log; removed at the end.
    folder: Option<PathBuf>,
}

struct Process {
    child: Child,
    /// Kept open, so that the broker may print.
    _stdout: BufReader<ChildStdout>,
    ready_line: String,
}

/// A port that was free a moment ago, and that no other test gets as long as this process lives, in
/// whichever process it runs. Two brokers that begin at the same time on one port may both come up:
/// each core listens with `SO_REUSEPORT`, so what keeps them apart is a look at the port before,
/// and the clients of one test would reach the broker of another.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    static HELD: Mutex<Vec<fs::File>> = Mutex::new(Vec::new());
    let locks = std::env::temp_dir().join("millstream-test-ports");
    fs::create_dir_all(&locks).expect("a folder for the locks");
    let spread = std::process::id() as u16 % (PORTS.end - PORTS.start);
    for _ in PORTS {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) + spread;
        let port = PORTS.start + step % (PORTS.end - PORTS.start);
        let lock = fs::File::create(locks.join(port.to_string())).expect("a lock for the port");
        if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            HELD.lock().expect("no thread panics while adding to it").push(lock);
            return port;
        }
    }
    panic!("no free port in {PORTS:?}");
}

/// A folder of this test's own.
pub fn scratch_folder() -> PathBuf {
    let folder = std::env::temp_dir().join(unique("millstream-test"));
    fs::create_dir_all(&folder).expect("a folder for the test");
    folder
}

impl Broker {
    /// The broker that `MILLSTREAM_TEST_PEER` names.
    pub fn peer() -> Option<Broker> {
        let address = std::env::var("MILLSTREAM_TEST_PEER")
            .ok()?
            .parse()
            .expect("MILLSTREAM_TEST_PEER=IP:PORT");
        Some(Broker { process: None, address, setup: Setup::new("peer", 1), folder: None })
    }

    pub fn start(setup: &Setup) -> Broker {
        let folder = scratch_folder();
        // Another process may take the port between the look at it and the start.
        for _ in 0..5 {
            match Broker::try_start(setup, &folder.join("data"), free_port()) {
                Ok(mut broker) => {
                    broker.folder = Some(folder);
                    return broker;
                }
                Err(refusal) if refusal.stderr.contains("in use") => {}
                Err(refusal) => panic!("the broker does not start: {refusal:?}"),
            }
        }
        panic!("no port stays free");
    }

    /// Starts one on this folder and port. Its log goes beside the data; the folder is not removed.
    pub fn try_start(setup: &Setup, data: &Path, port: u16) -> Result<Broker, Refusal> {
        Broker::launch(setup, setup.command(data, port), data, port)
    }

    /// Starts `command`, which was made by [`Setup::command`] with the same arguments.
    pub fn launch(
        setup: &Setup,
        mut command: Command,
        data: &Path,
        port: u16,
    ) -> Result<Broker, Refusal> {
        let log_path = data.with_extension("stderr");
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log_path)
            .expect("the broker's log");
        let log_start = log.metadata().expect("its size").len() as usize;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the broker's program");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut ready_line = String::new();
        while !ready_line.starts_with("millstream ready") {
            ready_line.clear();
            if stdout.read_line(&mut ready_line).expect("UTF-8 on stdout") == 0 {
                let status = child.wait().expect("its status");
                let stderr =
                    String::from_utf8_lossy(&fs::read(&log_path).expect("its log")[log_start..])
                        .into_owned();
                return Err(Refusal { status, stderr });
            }
        }
        let process = Process { child, _stdout: stdout, ready_line };
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Ok(Broker { process: Some(process), address, setup: setup.clone(), folder: None })
    }

    pub fn is_peer(&self) -> bool {
        self.setup.backend == "peer"
    }

    fn process(&self) -> &Process {
        self.process.as_ref().expect("a broker of our own that runs")
    }

    pub fn ready_line(&self) -> &str {
        &self.process().ready_line
    }

    pub fn data(&self) -> PathBuf {
        self.folder.as_ref().expect("a broker with a folder of its own").join("data")
    }

    /// Everything that it has logged so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.data().with_extension("stderr")).expect("its log"))
            .into_owned()
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.process().child)
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the broker's process is there");
    }

    /// SIGTERM, and its exit status.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }

    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.wait();
    }

    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        let child = &mut self.process.as_mut().expect("a broker of our own that runs").child;
        let status = loop {
            match child.try_wait().expect("its status") {
                Some(status) => break status,
                None if Instant::now() > deadline => {
                    panic!("the broker does not end within {PATIENCE:?}; its log:\n{}", self.log())
                }
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        self.process = None;
        status
    }

    /// Starts it again on its data, with another set-up if need be.
    pub fn start_again(&mut self, setup: &Setup) {
        assert!(self.process.is_none(), "stop it first");
        // No second try: a port that a killed broker still holds for a moment is the broker's
        // matter.
        let again = Broker::try_start(setup, &self.data(), self.address.port());
        let mut again =
            again.unwrap_or_else(|refusal| panic!("the broker does not start again: {refusal:?}"));
        self.process = again.process.take();
        self.setup = setup.clone();
    }

    /// Whether the process lives. A peer is taken to.
    pub fn is_running(&mut self) -> bool {
        self.process
            .as_mut()
            .is_none_or(|process| process.child.try_wait().expect("its status").is_none())
    }

    /// What the process has in memory now; `None` for a peer, whose memory is its own affair.
    pub fn resident_bytes(&self) -> Option<usize> {
        let pid = self.process.as_ref()?.child.id();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
        let kib =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
        Some(kib.expect("VmRSS in kB").trim().parse::<usize>().expect("a number") * 1024)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
        let Some(folder) = &self.folder else { return };
        if std::thread::panicking() {
            eprintln!("the broker's log:\n{}", self.log());
        }
        let _ = fs::remove_dir_all(folder);
    }
}
