//! A real core: the thread that runs it, the choice of its back-end, and its loop.

use crate::{
    api::Ring,
    backend::{Backend, BackendChoice, BackendKind, Wait},
    epoll::Epoll,
    executor::{Core, ExecutorOptions},
    sys,
    uring::{self, Uring},
};
use std::{future::Future, io, thread, time::Duration};

/// How one core runs.
#[derive(Clone, Debug)]
pub struct CoreOptions {
    /// The thread's name, in logs and in `top`.
    pub name: String,
    /// The core's number among those of its process, for log lines.
    pub index: usize,
    /// The processor that the thread stays on; `None` leaves that to the kernel.
    pub cpu: Option<usize>,
    pub backend: BackendKind,
    /// How long an idle core looks for work before it sleeps; zero where cores are scarce.
    pub spin: Duration,
}

/// Which back-end runs, and why.
#[derive(Clone, Debug)]
pub struct Selection {
    pub kind: BackendKind,
    /// One sentence for the log: what was chosen, why, and what would enable the better one.
    pub reason: String,
}

/// Tries what the operator asked for. Asking for io_uring where it is not to be had is an error
/// with the reason.
pub fn select(choice: BackendChoice) -> io::Result<Selection> {
    let epoll = |reason: String| Ok(Selection { kind: BackendKind::Epoll, reason });
    if choice == BackendChoice::Epoll {
        return epoll("epoll, as configured".into());
    }
    match uring::probe() {
        Ok(features) => {
            Ok(Selection { kind: BackendKind::IoUring, reason: format!("io_uring ({features})") })
        }
        Err(error) if choice == BackendChoice::IoUring => {
            Err(io::Error::new(error.kind(), format!("io_uring was asked for, but {error}")))
        }
        Err(error) => epoll(format!("epoll, because {error}")),
    }
}

/// The processors that this process may run on.
pub fn allowed_cpus() -> Vec<usize> {
    core_affinity::get_core_ids().unwrap_or_default().into_iter().map(|core| core.id).collect()
}

/// Runs a core on the calling thread until `main` returns, then drops the tasks that are left.
pub fn run<T, F>(options: CoreOptions, main: impl FnOnce(Ring) -> F) -> io::Result<T>
where
    T: 'static,
    F: Future<Output = T> + 'static,
{
    let CoreOptions { name, index, cpu, backend, spin } = options;
    if let Some(cpu) = cpu
        && !core_affinity::set_for_current(core_affinity::CoreId { id: cpu })
    {
        tracing::warn!(
            core = index,
            cpu,
            "cannot stay on this processor; the kernel places the thread"
        );
    }
    let backend: Box<dyn Backend> = match backend {
        BackendKind::IoUring => Box::new(Uring::new(&name)?),
        BackendKind::Epoll => Box::new(Epoll::new(&name)?),
        BackendKind::Simulated => {
            return Err(io::Error::other("the simulated world has no threads of its own"));
        }
    };
    Ok(run_on(backend, spin, main))
}

/// Runs a core with this back-end on the calling thread.
pub(crate) fn run_on<T, F>(
    backend: Box<dyn Backend>,
    spin: Duration,
    main: impl FnOnce(Ring) -> F,
) -> T
where
    T: 'static,
    F: Future<Output = T> + 'static,
{
    let core = Core::new(backend, ExecutorOptions::default());
    let ring = core.ring();
    let result = ring.spawn_named("main", main(ring.clone()));
    let mut spins = Spins { length: spin, until: None };
    loop {
        let ran = core.run_ready();
        if let Some(output) = result.take() {
            return output;
        }
        let wait = match core.next_deadline() {
            _ if core.has_ready() || spins.go_on(ran) => Wait::No,
            Some(deadline) => Wait::Until(deadline),
            None => Wait::Forever,
        };
        core.poll_backend(wait);
    }
}

/// Decides whether an idle core keeps looking.
struct Spins {
    length: Duration,
    until: Option<crate::time::Instant>,
}

impl Spins {
    fn go_on(&mut self, ran: bool) -> bool {
        if self.length.is_zero() {
            return false;
        }
        if ran {
            self.until = None;
            return true;
        }
        let now = sys::monotonic();
        now < *self.until.get_or_insert(now + self.length)
    }
}

/// Runs a core on a thread of its own.
pub fn spawn_core<T, F, M>(
    options: CoreOptions,
    main: M,
) -> io::Result<thread::JoinHandle<io::Result<T>>>
where
    T: Send + 'static,
    F: Future<Output = T> + 'static,
    M: FnOnce(Ring) -> F + Send + 'static,
{
    thread::Builder::new().name(options.name.clone()).spawn(move || run(options, main))
}
