//! File calls that may wait for a disk, and the few threads that make them.
//!
//! Owns: a bounded pool of threads per core, started when first needed and ended when idle. A job
//! moves to a thread with all that it owns and comes back with its result; the core is woken by its
//! doorbell. The threads touch nothing else.

use crate::{
    backend::DoorbellInner,
    faults::{self, Call},
    file::{DirEntry, File, Handle, OpenOptions},
    host::HostDoorbell,
    op::{Op, Outcome, Token},
    send_file::Pipe,
    sys,
};
use std::{
    collections::VecDeque,
    ffi::CString,
    fs, io,
    os::{
        fd::{FromRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// Threads per core. Enough to keep flushes and cold reads in flight beside one another, also where
/// one disk hangs with all that may be in flight to it.
pub const THREADS_MAX: usize = 32;
/// How long a thread waits for its next job before it ends.
const THREAD_IDLE: Duration = Duration::from_secs(10);

/// What a thread does.
pub(crate) enum Work {
    File(FileCall),
    /// Moves bytes of a file that are not in memory into a pipe (see [`crate::send_file`]).
    Fill {
        pipe: Pipe,
        file: File,
        offset: u64,
        max: usize,
    },
}

/// What it brings back.
pub(crate) enum Finished {
    File(FileCall),
    Filled(Pipe, io::Result<usize>),
}

/// An operation on files and then its result, which may move to another thread and back.
pub(crate) struct FileCall {
    op: Op,
    result: Option<io::Result<Outcome>>,
}

// SAFETY: `new` lets only those operations in that hold paths, bytes and files, and `perform`
// answers those with files, numbers and names. All of these are Send; the variants with sockets,
// which are not, never get here.
unsafe impl Send for FileCall {}

impl FileCall {
    pub(crate) fn new(op: Op) -> Self {
        let on_socket = matches!(
            op,
            Op::Accept { .. }
                | Op::Connect { .. }
                | Op::Recv { .. }
                | Op::Send { .. }
                | Op::SendFile { .. }
        );
        assert!(!on_socket, "sockets stay on their core");
        Self { op, result: None }
    }

    pub(crate) fn into_parts(self) -> (Op, io::Result<Outcome>) {
        (self.op, self.result.expect("a call that came back was made"))
    }
}

pub(crate) struct Pool {
    shared: Arc<Shared>,
    core_name: String,
    threads: Vec<thread::JoinHandle<()>>,
    /// Jobs that were given to the threads and have not been taken back.
    under_way: usize,
}

struct Shared {
    state: Mutex<State>,
    more: Condvar,
    finished: Mutex<Vec<(Token, Finished)>>,
    any_finished: AtomicBool,
    doorbell: Arc<HostDoorbell>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<(Token, Work)>,
    threads: usize,
    idle: usize,
    closed: bool,
}

impl State {
    /// A thread ends, or was not to be had.
    fn end_thread(&mut self) {
        let (threads, idle) = (self.threads, self.idle);
        assert!(idle < threads, "a thread ends, and {idle} of {threads} wait for a job");
        self.threads -= 1;
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some((token, work)) = self.next() {
            self.finish(token, work);
        }
    }

    fn finish(&self, token: Token, work: Work) {
        let finished = match work {
            Work::File(mut call) => {
                assert!(call.result.is_none(), "{} is made a second time", call.op.name());
                call.result = Some(perform(&mut call.op));
                Finished::File(call)
            }
            Work::Fill { mut pipe, file, offset, max } => {
                let filled = pipe.fill_from_disk(&file, offset, max);
                Finished::Filled(pipe, filled)
            }
        };
        self.finished.lock().unwrap_or_else(PoisonError::into_inner).push((token, finished));
        self.any_finished.store(true, Ordering::Release);
        self.doorbell.ring();
    }

    /// The next job; `None` ends the thread.
    fn next(&self) -> Option<(Token, Work)> {
        let mut state = self.state();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.closed {
                state.end_thread();
                return None;
            }
            state.idle += 1;
            let (threads, idle) = (state.threads, state.idle);
            assert!(idle <= threads, "{idle} of {threads} threads wait for a job");
            let waited =
                self.more.wait_timeout(state, THREAD_IDLE).unwrap_or_else(PoisonError::into_inner);
            state = waited.0;
            assert!(state.idle > 0, "a thread has waited for a job, and none was counted");
            state.idle -= 1;
            if waited.1.timed_out() && state.jobs.is_empty() {
                state.end_thread();
                return None;
            }
        }
    }
}

impl Pool {
    pub(crate) fn new(core_name: String, doorbell: Arc<HostDoorbell>) -> Self {
        let shared = Shared {
            state: Mutex::default(),
            more: Condvar::new(),
            finished: Mutex::default(),
            any_finished: AtomicBool::new(false),
            doorbell,
        };
        Self { shared: Arc::new(shared), core_name, threads: Vec::new(), under_way: 0 }
    }

    pub(crate) fn submit(&mut self, token: Token, work: Work) {
        self.under_way += 1;
        let mut state = self.shared.state();
        assert!(!state.closed, "a job is given to threads that end");
        state.jobs.push_back((token, work));
        if state.jobs.len() <= state.idle || state.threads == THREADS_MAX {
            drop(state);
            return self.shared.more.notify_one();
        }
        state.threads += 1;
        let threads = state.threads;
        assert!(threads <= THREADS_MAX, "{threads} threads of at most {THREADS_MAX}");
        drop(state);
        self.threads.retain(|thread| !thread.is_finished());
        let shared = self.shared.clone();
        let started = thread::Builder::new()
            .name(format!("{}-files", self.core_name))
            .spawn(faults::carried(move || shared.work()));
        match started {
            Ok(thread) => self.threads.push(thread),
            Err(error) => {
                tracing::warn!(%error, "no more threads for file calls can be started");
                let mut state = self.shared.state();
                state.end_thread();
                // With no thread at all the core itself has to wait for the disk.
                let alone = if state.threads == 0 { state.jobs.pop_back() } else { None };
                drop(state);
                if let Some((token, work)) = alone {
                    self.shared.finish(token, work);
                }
            }
        }
    }

    /// What has finished since the last call.
    pub(crate) fn take_finished(&mut self) -> Vec<(Token, Finished)> {
        if !self.shared.any_finished.load(Ordering::Acquire) {
            return Vec::new();
        }
        self.shared.any_finished.store(false, Ordering::Relaxed);
        let finished = std::mem::take(
            &mut *self.shared.finished.lock().unwrap_or_else(PoisonError::into_inner),
        );
        let (taken, given) = (finished.len(), self.under_way);
        assert!(taken <= given, "{taken} jobs come back, and {given} were given to the threads");
        self.under_way -= taken;
        finished
    }
}

impl Drop for Pool {
    /// Waits until the jobs that were begun, or promised, are done.
    fn drop(&mut self) {
        self.shared.state().closed = true;
        self.shared.more.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so on stderr; its job is lost either way.
            let _ = thread.join();
        }
    }
}

/// Makes the calls of an operation on files, waiting as long as they take.
pub(crate) fn perform(op: &mut Op) -> io::Result<Outcome> {
    match op {
        Op::Open { path, options } => open(path, *options).map(Outcome::Opened),
        Op::Read { file, buf, max, offset } => {
            sys::pread(file, buf, *max, *offset).map(|bytes| Outcome::Size(bytes as u64))
        }
        Op::ReadDirect { file, block, offset, done } => {
            sys::pread_direct(file, block.bytes_mut(), *offset, done)
                .map(|()| Outcome::Size(*done as u64))
        }
        Op::Write { file, bufs, offset } => {
            sys::pwrite_all(file, bufs, *offset).map(|()| Outcome::Done)
        }
        Op::WriteDurable { file, buf, offset, done } => {
            sys::pwrite_durable(file, buf, *offset, done).map(|()| Outcome::Done)
        }
        // SAFETY: a plain call on an open descriptor.
        Op::SyncData { file } => done(unsafe { libc::fdatasync(sys::file_fd(file)) }),
        Op::SyncDir { path } => {
            fs::File::open(path).and_then(|dir| dir.sync_all()).map(|()| Outcome::Done)
        }
        Op::Allocate { file, offset, length, keep_size } => {
            let mode = if *keep_size { libc::FALLOC_FL_KEEP_SIZE } else { 0 };
            // SAFETY: as above.
            done(unsafe {
                libc::fallocate(
                    sys::file_fd(file),
                    mode,
                    *offset as libc::off_t,
                    *length as libc::off_t,
                )
            })
        }
        Op::Truncate { file, length } => {
            // SAFETY: as above.
            done(unsafe { libc::ftruncate(sys::file_fd(file), *length as libc::off_t) })
        }
        Op::Size { file } => sys::size(file).map(Outcome::Size),
        Op::Rename { from, to } => fs::rename(from, to).map(|()| Outcome::Done),
        Op::Unlink { path } => fs::remove_file(path).map(|()| Outcome::Done),
        Op::CreateDirAll { path } => fs::create_dir_all(path).map(|()| Outcome::Done),
        Op::RemoveDir { path } => fs::remove_dir(path).map(|()| Outcome::Done),
        Op::ReadDir { path } => read_dir(path).map(Outcome::Entries),
        Op::DiskSpace { path } => disk_space(path),
        Op::TryLock { file } => {
            // SAFETY: as above.
            done(unsafe { libc::flock(sys::file_fd(file), libc::LOCK_EX | libc::LOCK_NB) })
        }
        Op::Accept { .. }
        | Op::Connect { .. }
        | Op::Recv { .. }
        | Op::Send { .. }
        | Op::SendFile { .. } => {
            panic!("not an operation on files: {op:?}")
        }
    }
}

fn done(returned: libc::c_int) -> io::Result<Outcome> {
    sys::check(returned).map(|_| Outcome::Done)
}

/// The flags of `open(2)`.
pub(crate) fn open_flags(options: OpenOptions) -> libc::c_int {
    let mut flags = libc::O_CLOEXEC | if options.write { libc::O_RDWR } else { libc::O_RDONLY };
    for (wanted, flag) in [
        (options.create, libc::O_CREAT),
        (options.create_new, libc::O_CREAT | libc::O_EXCL),
        (options.truncate, libc::O_TRUNC),
        (options.direct, libc::O_DIRECT),
    ] {
        flags |= if wanted { flag } else { 0 };
    }
    flags
}

fn open(path: &Path, options: OpenOptions) -> io::Result<File> {
    faults::allow(Call::Open)?;
    let path = c_path(path)?;
    let flags = open_flags(options);
    // SAFETY: the path is terminated by zero and lives across the call.
    let fd = sys::moved(|| unsafe {
        libc::open(path.as_ptr(), flags, libc::c_uint::from(FILE_MODE)) as isize
    })?;
    // SAFETY: the descriptor is new and has no other owner.
    Ok(os_file(unsafe { OwnedFd::from_raw_fd(fd as i32) }))
}

/// Permissions of new files, less the umask.
pub(crate) const FILE_MODE: u16 = 0o644;

pub(crate) fn os_file(fd: OwnedFd) -> File {
    File::new(Handle::Os { fd, direct: OnceLock::new() })
}

/// A path as the kernel takes it; an error of kind `InvalidInput` for one with a zero in it.
pub(crate) fn c_path(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

fn read_dir(path: &Path) -> io::Result<Vec<DirEntry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            // Removed since the directory was read: it is not there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let name = entry.file_name().into_string().map_err(|name| {
            let message = format!("{} holds a name that is not UTF-8: {name:?}", path.display());
            io::Error::new(io::ErrorKind::InvalidData, message)
        })?;
        let size_bytes = if metadata.is_file() { metadata.len() } else { 0 };
        entries.push(DirEntry { name, is_dir: metadata.is_dir(), size_bytes });
    }
    entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

fn disk_space(path: &Path) -> io::Result<Outcome> {
    let path = c_path(path)?;
    // SAFETY: all zeroes is a valid statvfs.
    let mut stat: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: the path is terminated by zero, the pointer is to a statvfs of ours.
    sys::check(unsafe { libc::statvfs(path.as_ptr(), &mut stat) })?;
    Ok(Outcome::Space {
        free_bytes: stat.f_bavail * stat.f_frsize,
        total_bytes: stat.f_blocks * stat.f_frsize,
    })
}
