//! `millstream`: arguments → configuration → cores → run → clean stop.
//!
//! Owns: the process: its signals, its exit code, what it prints. Lives on: the main thread, which
//! becomes the control thread (tokio, for the admin page and for signals). Never: serves a request.

mod logging;

use clap::Parser;
use millstream::{
    admin,
    boot::{self, Board, BootError, CoreStart, ListenAddress},
    check::{self, Out, Task},
    cli::{Cli, Command, Log, Serve},
    config::{self, BrokerConfig, Loaded, broker::IoBackend},
    control::{self, Loggers},
    descriptors::FileShares,
    limits,
    net::admission::OpenConnections,
    shard::mailbox::{ControlEnd, Message},
    stats,
};
use ring::{BackendChoice, CoreOptions, ThreadBell};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    net::{SocketAddr, ToSocketAddrs},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{mpsc, oneshot},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long a core looks for work after its last before it sleeps, where every shard has a
/// processor to spare for it.
const SPIN: Duration = Duration::from_micros(30);

/// With fewer processors than this, spinning takes from others what it saves here.
const SPIN_MIN_PROCESSORS: usize = 4;

/// The exit code after a stop that leaves something to recover. 1: it did not start, or has failed;
/// 2: a wrong command line.
const STOPPED_UNCLEAN: u8 = 3;

fn main() -> ExitCode {
    let serve = match Cli::parse().command {
        Command::Serve(serve) => serve,
        Command::Log(log) => return run_log(log),
    };
    let loggers = logging::start();
    end_with_any_core();
    match run(&serve, loggers) {
        Ok(()) => {
            logging::end();
            ExitCode::SUCCESS
        }
        Err(error) => {
            logging::say_last(format_args!("{error:#}"));
            match error.downcast_ref() {
                Some(BootError::Unclean { .. }) => ExitCode::from(STOPPED_UNCLEAN),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

/// `millstream log`: results go to stdout; how far it is, and what the broker's own code has to
/// say, to stderr.
fn run_log(log: Log) -> ExitCode {
    logging::start_plain();
    let (task, paths) = match log {
        Log::Check(directories) => (Task::Check, directories.paths),
        Log::Repair(directories) => (Task::Repair, directories.paths),
    };
    let options = CoreOptions {
        name: "log".to_owned(),
        index: 0,
        cpu: None,
        backend: ring::BackendKind::Epoll,
        spin: Duration::ZERO,
    };
    let out = Out { say: Box::new(logging::print), progress: Box::new(logging::say) };
    let outcome =
        ring::run(options, |ring| async move { check::run(&ring, task, &paths, &out).await });
    match outcome
        .map_err(anyhow::Error::from)
        .and_then(|outcome| outcome.map_err(anyhow::Error::from))
    {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(check::WRONG),
        Err(error) => {
            logging::say_last(format_args!("{error}"));
            ExitCode::FAILURE
        }
    }
}

/// A core that panics has broken an invariant: its partitions would hang, and their clients with
/// them. The process ends instead, and the next start recovers from what is on disk.
fn end_with_any_core() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        logging::end();
        report(panic);
        std::process::abort();
    }));
}

/// What the cores tell the control thread.
enum Event {
    Ready(Vec<SocketAddr>),
    Ended(usize, Result<(), BootError>),
}

fn run(serve: &Serve, loggers: Loggers) -> anyhow::Result<()> {
    let mut loaded = config::load(serve.file.as_deref(), &serve.overrides, std::env::vars())?;
    loaded.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    loaded.notes.iter().for_each(|note| tracing::info!("{note}"));
    let choice = match loaded.config.io_backend {
        IoBackend::Auto => BackendChoice::Auto,
        IoBackend::IoUring => BackendChoice::IoUring,
        IoBackend::Epoll => BackendChoice::Epoll,
    };
    let selection = ring::select(choice)?;
    tracing::info!("{}", selection.reason);
    let allowed = ring::allowed_cpus();
    let cpus = loaded.config.shard_cores.choose(&allowed).map_err(anyhow::Error::msg)?;
    let files = file_shares(cpus.len());
    ring::ignore_file_size_signal();
    loaded.config.memory_limit_bytes =
        Some(memory_limit(loaded.config.memory_limit_bytes, cpus.len()));
    let addresses = resolve(&loaded.config)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(limits::CONTROL_THREADS_MAX)
        .enable_all()
        .build()?;
    // Before the cores start: a port in use must leave the disk as it was.
    let admin = bind_admin(&runtime, &loaded)?;
    let spin = if cpus.len() < allowed.len() && allowed.len() >= SPIN_MIN_PROCESSORS {
        SPIN
    } else {
        Duration::ZERO
    };
    let options = |index: usize, cpu: usize| CoreOptions {
        name: format!("shard-{index}"),
        index,
        cpu: Some(cpu),
        backend: selection.kind,
        spin,
    };
    let (events, received) = mpsc::unbounded_channel();
    let (bell, rings) = ThreadBell::new()?;
    let board = Board::with_control(cpus.len());
    board.post_control(bell.doorbell());
    let (mut control_end, threads) =
        start_cores(loaded.clone(), &cpus, files, addresses, options, events, &board)?;
    let jobs = control_end.take_jobs();
    let client_metrics = Arc::new(admin::ClientMetrics::default());
    let shown = client_metrics.clone();
    let show = Arc::new(move |push| shown.take(push));
    // From now on: a core may need a job done before the broker is ready.
    runtime.spawn(async move {
        if let Err(error) = control::serve(bell, rings, jobs, loggers, show).await {
            tracing::error!(%error, "the control thread takes no more jobs of the cores");
        }
    });
    let ready_line = ReadyLine { backend: format!("{:?}", selection.kind), cpus };
    let page = admin.map(|bound| AdminPage { bound, client_metrics });
    let control = control_thread(&loaded.config, received, board, control_end, page, ready_line);
    let outcome = runtime.block_on(control);
    // Not by a drop, which would wait for a name server that does not answer.
    runtime.shutdown_background();
    outcome?;
    for thread in threads {
        thread.join().expect("a panic ends the process")?;
    }
    Ok(())
}

/// Listens for the admin page. An address that was asked for and cannot be had is an error; one
/// that only the default names belongs to another node on this machine, and this one serves without
/// the page.
fn bind_admin(
    runtime: &tokio::runtime::Runtime,
    loaded: &Loaded,
) -> anyhow::Result<Option<admin::Bound>> {
    let Some(address) = &loaded.config.admin_listener else { return Ok(None) };
    match runtime.block_on(admin::bind(address)) {
        Ok(bound) => Ok(Some(bound)),
        Err(error) if loaded.layers.static_values.contains_key("admin.listener") => {
            Err(error.into())
        }
        Err(error) => {
            tracing::warn!(
                "{error}. This is the default address: the broker starts without metrics"
            );
            Ok(None)
        }
    }
}

/// How descriptors are shared out; says where there are too few of them.
fn file_shares(cores: usize) -> FileShares {
    let (limit, least) = (raise_file_limit(), FileShares::least(cores));
    if limit < least {
        let cores = if cores == 1 { "one core".to_owned() } else { format!("{cores} cores") };
        tracing::warn!(
            "open files: the limit is {limit}, and a node on {cores} needs {least} at least: \
             raise it (LimitNOFILE= of the \
             service, ulimit -n), or set fewer shard.cores. Until then connections are closed at \
             once and logs take no records \
             whenever none is left"
        );
    }
    FileShares::of(limit, cores)
}

/// Raises the soft limit of open files to the hard one; what it is then.
fn raise_file_limit() -> u64 {
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: before.maximum, maximum: before.maximum };
    let shown =
        |limit: Option<u64>| limit.map_or("unlimited".to_owned(), |limit| limit.to_string());
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => before.maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files cannot be raised to the hard limit");
            before.current
        }
    };
    tracing::info!(
        "open files: the limit is {}, the soft limit was {}; LimitNOFILE= of the service or \
         ulimit -n changes it",
        shown(limit),
        shown(before.current)
    );
    limit.unwrap_or(u64::MAX)
}

/// `memory.limit.bytes`, or what the machine allows where it is not set; at least what the cores
/// need.
fn memory_limit(configured: Option<u64>, cores: usize) -> u64 {
    let machine =
        || admin::machine::memory_bytes().map(|bytes| bytes / limits::MEMORY_MACHINE_PART);
    let least = cores as u64 * limits::MEMORY_CORE_MIN_BYTES;
    let limit = configured.or_else(machine).unwrap_or(u64::MAX);
    if limit < least {
        tracing::warn!(
            "{limit} bytes of memory (memory.limit.bytes, or what the machine allows) are too \
             few: {cores} cores need {least}, \
             which are used instead; set fewer shard.cores, or allow more"
        );
    }
    let limit = limit.max(least);
    tracing::info!("memory.limit.bytes={limit}: {} per core", limit / cores as u64);
    limit
}

/// The addresses of the listeners. A host name may stand for several, such as 127.0.0.1 and ::1.
fn resolve(config: &BrokerConfig) -> anyhow::Result<Vec<ListenAddress>> {
    let mut resolved = Vec::new();
    for (index, listener) in config.listeners.iter().enumerate() {
        let host = if listener.host.is_empty() { "0.0.0.0" } else { &listener.host };
        let addresses = (host, listener.port).to_socket_addrs().map_err(|error| {
            anyhow::anyhow!(
                "listeners: the host of {}://{host}:{} is unknown: {error}",
                listener.name,
                listener.port
            )
        })?;
        let mut addresses: Vec<SocketAddr> = addresses.collect();
        addresses.sort();
        addresses.dedup();
        if listener.port == 0 {
            // Port 0 asks the kernel for a port, and two addresses would get two.
            addresses.truncate(1);
        }
        // A host without IPv6 still resolves localhost to ::1; such an address is left out.
        let usable = |address: &SocketAddr| {
            address.is_ipv4() || std::net::TcpListener::bind((address.ip(), 0)).is_ok()
        };
        resolved.extend(
            addresses
                .into_iter()
                .filter(usable)
                .map(|address| ListenAddress { listener: index, address }),
        );
    }
    Ok(resolved)
}

type CoreThread = std::thread::JoinHandle<std::io::Result<()>>;

fn start_cores(
    loaded: Loaded,
    cpus: &[usize],
    files: FileShares,
    addresses: Vec<ListenAddress>,
    options: impl Fn(usize, usize) -> CoreOptions,
    events: mpsc::UnboundedSender<Event>,
    board: &Arc<Board>,
) -> anyhow::Result<(boot::MeshEnd, Vec<CoreThread>)> {
    let (ends, control_end) = boot::mesh_with_control(cpus.len());
    let config = Arc::new(loaded.config);
    let open_connections = Arc::new(OpenConnections::within(files));
    let mut threads = Vec::new();
    for ((index, end), cpu) in ends.into_iter().enumerate().zip(cpus) {
        let (ready, ended) = (events.clone(), events.clone());
        let start = CoreStart {
            config: config.clone(),
            layers: loaded.layers.clone(),
            board: board.clone(),
            end,
            count: cpus.len(),
            cpu: *cpu,
            open_connections: open_connections.clone(),
            addresses: addresses.clone(),
            ready: Box::new(move |addresses| drop(ready.send(Event::Ready(addresses)))),
        };
        threads.push(ring::spawn_core(options(index, *cpu), move |ring| async move {
            let outcome = boot::run_core(ring, start).await;
            let _ = ended.send(Event::Ended(index, outcome));
        })?);
    }
    Ok((control_end, threads))
}

/// Bound, and what it shows besides the cores' numbers.
struct AdminPage {
    bound: admin::Bound,
    client_metrics: Arc<admin::ClientMetrics>,
}

struct ReadyLine {
    backend: String,
    cpus: Vec<usize>,
}

impl ReadyLine {
    fn print(&self, config: &BrokerConfig, bound: &[SocketAddr]) {
        let listeners = config
            .listeners
            .iter()
            .map(|listener| listener.name.as_str())
            .collect::<Vec<_>>()
            .join(",");
        let addresses = bound.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let cores = self.cpus.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let backend = match self.backend.as_str() {
            "IoUring" => "io_uring",
            _ => "epoll",
        };
        logging::print(&format!(
            "millstream ready: listeners {listeners} on {addresses}, cores {cores}, io.backend \
             {backend}"
        ));
    }
}

/// Runs the admin page and waits for signals, until every core has ended.
async fn control_thread(
    config: &BrokerConfig,
    mut events: mpsc::UnboundedReceiver<Event>,
    board: Arc<Board>,
    end: boot::MeshEnd,
    page: Option<AdminPage>,
    ready_line: ReadyLine,
) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // Under nohup it stays ignored, as nohup wants it.
    let mut hangup = if is_hangup_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
    let bound = match events.recv().await {
        Some(Event::Ready(bound)) => bound,
        // A broker that did not come up has nothing that must be closed; the other cores end with
        // the process.
        Some(Event::Ended(_, Err(error))) => {
            logging::say_last(format_args!("{error}"));
            std::process::exit(1);
        }
        Some(Event::Ended(..)) | None => anyhow::bail!("a core ended before the broker was ready"),
    };
    let doorbells =
        board.doorbells().expect("every core has posted its doorbell before the broker is ready");
    let cores = ready_line.cpus.len();
    let control = Arc::new(ControlEnd::new(end, doorbells));
    let ready = Arc::new(AtomicBool::new(true));
    let (stop_admin, admin_stopped) = oneshot::channel::<()>();
    if let Some(AdminPage { bound, client_metrics }) = page {
        tracing::info!("metrics on http://{}/metrics", bound.local_address());
        let source = source(control.clone(), cores, ready.clone(), config, client_metrics);
        tokio::spawn(async move {
            let stopped = async { drop(admin_stopped.await) };
            if let Err(error) = bound.serve(source, stopped).await {
                tracing::error!(%error, "the admin page has ended");
            }
        });
    }
    ready_line.print(config, &bound);
    let mut ended = 0;
    let mut failure = None;
    while ended < cores {
        tokio::select! {
            event = events.recv() => match event {
                Some(Event::Ended(core, outcome)) => {
                    ended += 1;
                    if let Err(error) = outcome {
                        tracing::error!(core, %error, "a core has failed");
                        failure = Some(error);
                    }
                }
                Some(Event::Ready(_)) => {}
                None => break,
            },
            _ = terminate.recv() => begin_stop(&control, &ready, "SIGTERM"),
            _ = interrupt.recv() => begin_stop(&control, &ready, "SIGINT"),
            _ = received(&mut hangup) => begin_stop(&control, &ready, "SIGHUP"),
        }
    }
    let _ = stop_admin.send(());
    tracing::info!("stopped");
    failure.map_or(Ok(()), |error| Err(error.into()))
}

/// Waits for the signal; for ever where it is not listened for.
async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether the process was started with SIGHUP ignored, as nohup starts one. False where /proc does
/// not say.
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (SignalKind::hangup().as_raw_value() - 1)) != 0
}

fn begin_stop(control: &ControlEnd, ready: &AtomicBool, signal: &str) {
    if ready.swap(false, Ordering::Relaxed) {
        tracing::info!("{signal}: closing every log, then stopping");
        if !control.send(millstream::shard::CONTROLLER_CORE, Message::Stop) {
            tracing::error!(
                "core 0 takes no messages: it hangs; SIGKILL is what is left, nothing \
                 acknowledged is lost by it"
            );
        }
    }
}

/// Where the admin page has its numbers from.
fn source(
    control: Arc<ControlEnd>,
    cores: usize,
    ready: Arc<AtomicBool>,
    config: &BrokerConfig,
    client_metrics: Arc<admin::ClientMetrics>,
) -> admin::Source {
    let for_health = control.clone();
    admin::Source {
        collect: Box::new(move || {
            let answers = ask(&control, cores, Message::Snapshot);
            Box::pin(async move { stats::Snapshot { shards: answers.await } })
        }),
        health: Box::new(move || ask(&for_health, cores, Message::Health)),
        ready,
        client_metrics,
        log_dirs: config.log_dirs.clone(),
    }
}

/// Asks every core, and waits for those that take the question. One that stands still keeps the
/// others' answers waiting.
fn ask<T: Send + 'static>(
    control: &ControlEnd,
    cores: usize,
    question: impl Fn(oneshot::Sender<T>) -> Message,
) -> admin::Asked<Vec<T>> {
    let mut answers = Vec::new();
    for core in 0..cores {
        let (reply, answer) = oneshot::channel();
        if control.send(core, question(reply)) {
            answers.push(answer);
        }
    }
    Box::pin(async move {
        let mut told = Vec::new();
        for answer in answers {
            told.extend(answer.await.ok());
        }
        told
    })
}
