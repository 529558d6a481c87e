//! The operations as futures, for the code above the seam.

use crate::{
    aligned::{ALIGNMENT, AlignedBuf},
    backend::{BackendKind, Doorbell},
    cold,
    executor::{EndOfTurn, Shared, Sleep},
    file::{DirEntry, File, OpenOptions, Stable},
    net::{ListenOptions, Listener, MovingStream, SpareDescriptor, Stream},
    op::{Op, Outcome},
    passing::{after_sync, is_out_of_files},
    stalls::{Stalls, TurnCounts},
    time::Instant,
};
use bytes::{Bytes, BytesMut};
use std::{
    cell::RefCell,
    future::{self, Future},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    pin::{Pin, pin},
    rc::Rc,
    sync::atomic::Ordering,
    task::{Context, Poll, Waker},
    time::Duration,
};

/// One core's ring. Clones are cheap and stay on their core.
#[derive(Clone)]
pub struct Ring {
    pub(crate) core: Rc<Shared>,
}

/// The result of a spawned task. Dropping it lets the task run on.
pub struct JoinHandle<T> {
    result: Rc<RefCell<TaskResult<T>>>,
}

struct TaskResult<T> {
    value: Option<T>,
    waiter: Option<Waker>,
}

impl<T> JoinHandle<T> {
    /// The task's result, once it has ended.
    pub(crate) fn take(&self) -> Option<T> {
        self.result.borrow_mut().value.take()
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = T;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        if let Some(value) = self.take() {
            return Poll::Ready(value);
        }
        let replaced = self.result.borrow_mut().waiter.replace(context.waker().clone());
        drop(replaced);
        Poll::Pending
    }
}

/// A task's future, and where its output goes. An async block around the future would hold it
/// twice: as what it captured and as what it awaits; a connection is 8 KiB.
struct Spawned<T, F> {
    future: F,
    result: Rc<RefCell<TaskResult<T>>>,
}

impl<T, F: Future<Output = T>> Future for Spawned<T, F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // SAFETY: `future` is pinned with the struct: nothing moves it out, and the struct has
        // neither a destructor of its own nor an `Unpin` implementation besides the automatic one.
        // `result` is never pinned.
        let (future, result) = unsafe {
            let this = self.get_unchecked_mut();
            (Pin::new_unchecked(&mut this.future), &this.result)
        };
        let Poll::Ready(value) = future.poll(context) else { return Poll::Pending };
        let waiter = {
            let mut result = result.borrow_mut();
            let before = result.value.replace(value);
            assert!(before.is_none(), "a task ends once");
            result.waiter.take()
        };
        if let Some(waiter) = waiter {
            waiter.wake();
        }
        Poll::Ready(())
    }
}

impl Ring {
    pub fn backend(&self) -> BackendKind {
        self.core.kind
    }

    /// Monotonic time, read once per turn of the executor (cheap to call).
    pub fn now(&self) -> Instant {
        self.core.now()
    }

    /// Monotonic time read from the clock at this very moment.
    pub fn precise_now(&self) -> Instant {
        self.core.with_backend(|backend| backend.now()).unwrap_or_else(|| self.core.now())
    }

    /// Milliseconds since 1970 in UTC, read once per turn.
    pub fn wall_clock_ms(&self) -> i64 {
        self.core.wall_clock_ms()
    }

    pub fn random_u64(&self) -> u64 {
        self.core
            .with_backend(|backend| backend.random_u64())
            .expect("randomness is asked of a living core")
    }

    /// Runs `future` on this core, from the next time that the executor looks for work.
    pub fn spawn<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> JoinHandle<T> {
        self.spawn_named("unnamed task", future)
    }

    /// The same with a name for the task, which [`Ring::stalls`] tells when the task keeps the core
    /// from all else.
    pub fn spawn_named<T: 'static>(
        &self,
        name: &'static str,
        future: impl Future<Output = T> + 'static,
    ) -> JoinHandle<T> {
        let result = Rc::new(RefCell::new(TaskResult { value: None, waiter: None }));
        self.core.spawn(name, Box::pin(Spawned { future, result: result.clone() }));
        JoinHandle { result }
    }

    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.now() + duration).await;
    }

    pub async fn sleep_until(&self, deadline: Instant) {
        Sleep { core: self.core.clone(), deadline, timer: None }.await;
    }

    /// The output of `future`, or `None` (with the future dropped) when `duration` passes first.
    pub async fn timeout<T>(
        &self,
        duration: Duration,
        future: impl Future<Output = T>,
    ) -> Option<T> {
        let mut future = pin!(future);
        let mut sleep = pin!(self.sleep(duration));
        future::poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            sleep.as_mut().poll(context).map(|()| None)
        })
        .await
    }

    /// Resumes when every task that is ready now has run, before the executor asks the back-end for
    /// more. What was gathered during one turn (appends, replies) leaves together from here.
    pub async fn end_of_turn(&self) {
        EndOfTurn { core: self.core.clone(), since: None }.await;
    }

    /// Wakes this core from others.
    pub fn doorbell(&self) -> Doorbell {
        self.core.doorbell.clone()
    }

    /// The core's inbox: called on each turn, and once more between the promise to sleep and the
    /// sleep; takes what has arrived from other cores (waking tasks as it likes), says whether
    /// anything had.
    pub fn set_inbox(&self, take: Box<dyn FnMut() -> bool>) {
        self.core.set_inbox(take);
    }

    // ---- files
    // ---------------------------------------------------------------------------------------------

    pub async fn open(&self, path: impl AsRef<Path>, options: OpenOptions) -> io::Result<File> {
        match self.run(Op::Open { path: path.as_ref().into(), options }).await {
            Ok(Outcome::Opened(file)) => {
                file.count_in(&self.core.open_files);
                self.core.check_open_files();
                Ok(file)
            }
            Ok(other) => unexpected(&other),
            Err(error) => {
                if is_out_of_files(&error) {
                    self.core.too_many_files.notify();
                }
                Err(error)
            }
        }
    }

    /// Descriptors that the files opened by this core hold, wherever they are now.
    pub fn open_files(&self) -> usize {
        self.core.open_files.load(Ordering::Relaxed)
    }

    /// How many of them there should be at most. Above it files are opened all the same, and
    /// [`Ring::too_many_files`] resolves: it is for the core to close some.
    pub fn set_open_files_max(&self, max: usize) {
        self.core.open_files_max.set(max);
    }

    pub fn open_files_max(&self) -> usize {
        self.core.open_files_max.get()
    }

    /// Resolves when the next file is opened above the limit, or cannot be opened for want of a
    /// descriptor.
    pub async fn too_many_files(&self) {
        self.core.too_many_files.notified().await;
    }

    /// Opens past the page cache (`O_DIRECT`) where the file system can, else as any file; and
    /// whether it could.
    pub async fn open_direct(
        &self,
        path: impl AsRef<Path>,
        options: OpenOptions,
    ) -> io::Result<(File, bool)> {
        let path = path.as_ref();
        match self.open(path, OpenOptions { direct: true, ..options }).await {
            // What was asked to be created may have been, before the refusal.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                let create = options.create || options.create_new;
                let again = OpenOptions { direct: false, create, create_new: false, ..options };
                self.open(path, again).await.map(|file| (file, false))
            }
            opened => opened.map(|file| (file, true)),
        }
    }

    /// Appends at most `max` bytes from `offset` on to `buf`; gives the buffer back with the bytes
    /// read (0: end of file).
    pub async fn read_at(
        &self,
        file: &File,
        mut buf: BytesMut,
        max: usize,
        offset: u64,
    ) -> (io::Result<usize>, BytesMut) {
        check_offset(offset);
        buf.reserve(max);
        let before = buf.len();
        match self.core.submit(Op::Read { file: file.clone(), buf, max, offset }).await {
            (Op::Read { buf, .. }, result) => (grown(moved(result, max), &buf, before), buf),
            (op, _) => unexpected(&op),
        }
    }

    /// Exactly `length` bytes from `offset` on, or an error of kind `UnexpectedEof`.
    pub async fn read_exact_at(
        &self,
        file: &File,
        offset: u64,
        length: usize,
    ) -> io::Result<BytesMut> {
        let mut buf = BytesMut::with_capacity(length);
        while buf.len() < length {
            let (missing, from) = (length - buf.len(), offset + buf.len() as u64);
            let result;
            (result, buf) = self.read_at(file, buf, missing, from).await;
            if result? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        assert_eq!(buf.len(), length, "as many bytes are read as were asked for");
        Ok(buf)
    }

    /// Exactly `length` bytes from `offset` on, without bringing them into the page cache where the
    /// file system can: what is read once must not push out what is read often. An error of kind
    /// `UnexpectedEof` where the file is shorter.
    pub async fn read_past_cache(
        &self,
        file: &File,
        offset: u64,
        length: usize,
    ) -> io::Result<Bytes> {
        let end = offset.checked_add(length as u64);
        let end = end.expect("a range of a file ends below 2^64");
        let bytes = cold::read(self, file, offset..end).await?;
        assert_eq!(bytes.len(), length, "as many bytes are read as were asked for");
        Ok(bytes)
    }

    /// The whole file, or an error of kind `InvalidData` when it is larger than `max`.
    pub async fn read_file(&self, path: impl AsRef<Path>, max: usize) -> io::Result<Vec<u8>> {
        let path = path.as_ref();
        let file = self.open(path, OpenOptions::read()).await?;
        let size_bytes = self.size(&file).await?;
        if size_bytes > max as u64 {
            let message =
                format!("{} has {size_bytes} bytes, at most {max} are expected", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(self.read_exact_at(&file, 0, size_bytes as usize).await?.into())
    }

    /// Replaces the file at `path` as a whole and durably: temporary name, sync, rename, sync of
    /// the directory.
    pub async fn write_file_atomically(
        &self,
        path: impl AsRef<Path>,
        content: Bytes,
    ) -> io::Result<()> {
        let path = path.as_ref();
        self.replace_file(path, content).await?;
        let parent =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        self.sync_dir(parent).await
    }

    /// The same without the sync of the folder: after a power cut the file is the new one, the one
    /// before, or none.
    pub async fn replace_file(&self, path: impl AsRef<Path>, content: Bytes) -> io::Result<()> {
        let path = path.as_ref();
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".tmp");
        let temporary = PathBuf::from(temporary);
        let file =
            self.open(&temporary, OpenOptions { truncate: true, ..OpenOptions::write() }).await?;
        let written = async {
            self.write_at(&file, vec![content], 0).await?;
            // Not as other syncs: who tries again writes all of it again, so that an error may
            // pass.
            self.run(Op::SyncData { file: file.clone() }).await
        };
        if let Err(error) = written.await {
            // Where there is no room it takes some.
            let _ = self.unlink(&temporary).await;
            return Err(error);
        }
        self.rename(&temporary, path).await
    }

    /// Writes all of `bufs`, in order, from `offset` on.
    pub async fn write_at(&self, file: &File, bufs: Vec<Bytes>, offset: u64) -> io::Result<()> {
        check_offset(offset);
        self.run(Op::Write { file: file.clone(), bufs, offset }).await.map(drop)
    }

    /// Writes all of `buf` at `offset`, and resumes when it is on the disk and will be found there,
    /// without a sync. Length and offset are multiples of [`ALIGNMENT`]. An error is final, as a
    /// sync's: it leaves open which bytes the disk has.
    pub async fn write_durable(
        &self,
        file: &File,
        buf: AlignedBuf,
        offset: u64,
    ) -> (io::Result<()>, AlignedBuf) {
        let aligned =
            buf.len().is_multiple_of(ALIGNMENT) && offset.is_multiple_of(ALIGNMENT as u64);
        assert!(aligned && !buf.is_empty(), "{} bytes at {offset}", buf.len());
        check_offset(offset);
        let length = buf.len();
        match self.core.submit(Op::WriteDurable { file: file.clone(), buf, offset, done: 0 }).await
        {
            (Op::WriteDurable { buf, done, .. }, result) => {
                assert_eq!(buf.len(), length, "a buffer comes back as it went");
                assert!(done <= length, "{done} bytes are written of {length}");
                (result.map(drop), buf)
            }
            (op, _) => unexpected(&op),
        }
    }

    /// Writes all of `bufs` into the page cache before it returns (gathered `pwritev`): the append
    /// path.
    pub fn write_now(&self, file: &File, bufs: &[Bytes], offset: u64) -> io::Result<()> {
        check_offset(offset);
        let written = self
            .core
            .with_backend_at_once("write_now", |backend| backend.write_now(file, bufs, offset));
        written.unwrap_or_else(ended)
    }

    /// Reads at most `max` bytes before it returns: for small reads that are likely resident (index
    /// entries, headers).
    pub fn read_now(
        &self,
        file: &File,
        buf: &mut BytesMut,
        max: usize,
        offset: u64,
    ) -> io::Result<usize> {
        check_offset(offset);
        buf.reserve(max);
        let before = buf.len();
        let read = self
            .core
            .with_backend_at_once("read_now", |backend| backend.read_now(file, buf, max, offset));
        let read = read.unwrap_or_else(ended).map(|bytes| Outcome::Size(bytes as u64));
        grown(moved(read, max), buf, before)
    }

    /// An error is final, and never one that passes.
    pub async fn sync_data(&self, file: &File) -> io::Result<()> {
        self.run(Op::SyncData { file: file.clone() }).await.map(drop).map_err(after_sync)
    }

    /// Makes creations, renames and removals in this directory durable. An error is final but for
    /// one: without a descriptor for the directory nothing was begun.
    pub async fn sync_dir(&self, path: impl AsRef<Path>) -> io::Result<()> {
        // The parent of a relative path of one name.
        let path =
            if path.as_ref().as_os_str().is_empty() { Path::new(".") } else { path.as_ref() };
        self.run(Op::SyncDir { path: path.into() }).await.map(drop).map_err(after_sync)
    }

    pub async fn allocate(
        &self,
        file: &File,
        offset: u64,
        length: u64,
        keep_size: bool,
    ) -> io::Result<()> {
        assert!(length > 0, "no bytes are set aside at {offset}");
        let end = offset.saturating_add(length);
        assert!(end <= i64::MAX as u64, "bytes up to {end} are set aside");
        self.run(Op::Allocate { file: file.clone(), offset, length, keep_size }).await.map(drop)
    }

    pub async fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        assert!(length <= i64::MAX as u64, "a file is cut to {length} bytes");
        self.run(Op::Truncate { file: file.clone(), length }).await.map(drop)
    }

    pub async fn size(&self, file: &File) -> io::Result<u64> {
        match self.run(Op::Size { file: file.clone() }).await? {
            Outcome::Size(size_bytes) => Ok(size_bytes),
            other => unexpected(&other),
        }
    }

    pub async fn rename(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
        self.run(Op::Rename { from: from.as_ref().into(), to: to.as_ref().into() }).await.map(drop)
    }

    pub async fn unlink(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.run(Op::Unlink { path: path.as_ref().into() }).await.map(drop)
    }

    pub async fn create_dir_all(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.run(Op::CreateDirAll { path: path.as_ref().into() }).await.map(drop)
    }

    /// Removes an empty directory.
    pub async fn remove_dir(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.run(Op::RemoveDir { path: path.as_ref().into() }).await.map(drop)
    }

    /// The names in a directory, sorted.
    pub async fn read_dir(&self, path: impl AsRef<Path>) -> io::Result<Vec<DirEntry>> {
        match self.run(Op::ReadDir { path: path.as_ref().into() }).await? {
            Outcome::Entries(entries) => {
                let is_sorted = entries.is_sorted_by(|a, b| a.name <= b.name);
                assert!(is_sorted, "the names in a directory are in order");
                Ok(entries)
            }
            other => unexpected(&other),
        }
    }

    /// Free and total bytes of the file system that holds `path`.
    pub async fn disk_space(&self, path: impl AsRef<Path>) -> io::Result<(u64, u64)> {
        match self.run(Op::DiskSpace { path: path.as_ref().into() }).await? {
            Outcome::Space { free_bytes, total_bytes } => Ok((free_bytes, total_bytes)),
            other => unexpected(&other),
        }
    }

    /// An exclusive lock on the file that lasts as long as the file is open; `false` when another
    /// process holds it.
    pub async fn try_lock(&self, file: &File) -> io::Result<bool> {
        match self.run(Op::TryLock { file: file.clone() }).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    // ---- network
    // ---------------------------------------------------------------------------------------------

    pub fn listen(&self, addr: SocketAddr, options: ListenOptions) -> io::Result<Listener> {
        self.core.with_backend(|backend| backend.listen(addr, options)).unwrap_or_else(ended)
    }

    pub async fn accept(&self, listener: &Listener) -> io::Result<Stream> {
        match self.run(Op::Accept { listener: listener.clone() }).await? {
            Outcome::Accepted(stream) => Ok(stream),
            other => unexpected(&other),
        }
    }

    /// Takes a stream off this core, so that another one may [`Ring::adopt`] it. Nothing was
    /// received or sent on it yet, and the caller has the only handle to it.
    pub fn release(&self, stream: Stream) -> MovingStream {
        let Stream { inner, peer, local } = stream;
        let inner =
            Rc::try_unwrap(inner).expect("a stream that leaves its core has no second handle");
        self.core.with_backend(|backend| backend.release(&inner));
        MovingStream { inner, peer, local }
    }

    /// The stream belongs to this core from now on. An error closes it.
    pub fn adopt(&self, stream: MovingStream) -> io::Result<Stream> {
        let MovingStream { inner, peer, local } = stream;
        self.core.with_backend(|backend| backend.adopt(&inner)).unwrap_or_else(ended)?;
        Ok(Stream { inner: Rc::new(inner), peer, local })
    }

    pub async fn connect(&self, addr: SocketAddr) -> io::Result<Stream> {
        match self.run(Op::Connect { addr }).await? {
            Outcome::Connected(stream) => {
                assert_eq!(stream.peer, addr, "a stream leads to where it was to");
                Ok(stream)
            }
            other => unexpected(&other),
        }
    }

    /// Appends at most `max` bytes to `buf`; gives the buffer back with the bytes received (0: the
    /// peer has closed).
    pub async fn recv(
        &self,
        stream: &Stream,
        buf: BytesMut,
        max: usize,
    ) -> (io::Result<usize>, BytesMut) {
        self.recv_at_least(stream, buf, 1, max).await
    }

    /// The same for one who has no use for fewer than `least` bytes: the back-end may let the core
    /// sleep until that many have come (`SO_RCVLOWAT`). It may also give fewer, at any time.
    pub async fn recv_at_least(
        &self,
        stream: &Stream,
        mut buf: BytesMut,
        least: usize,
        max: usize,
    ) -> (io::Result<usize>, BytesMut) {
        assert!(
            (1..=max).contains(&least),
            "a receive asks for at least one byte, and for no more than it has room for"
        );
        buf.reserve(max);
        // The length before is not kept for a check: each connection waits here, and would be
        // larger by it.
        match self.core.submit(Op::Recv { socket: stream.inner.clone(), buf, max, least }).await {
            (Op::Recv { buf, .. }, result) => (moved(result, max), buf),
            (op, _) => unexpected(&op),
        }
    }

    /// Sends all of `bufs`, in order.
    pub async fn send(&self, stream: &Stream, bufs: Vec<Bytes>) -> io::Result<()> {
        self.run(Op::Send { socket: stream.inner.clone(), bufs }).await.map(drop)
    }

    /// Sends all of `bufs`, in order, and leaves it empty with the room that it had.
    pub async fn send_gathered(&self, stream: &Stream, bufs: &mut Vec<Bytes>) -> io::Result<()> {
        let send = Op::Send { socket: stream.inner.clone(), bufs: std::mem::take(bufs) };
        match self.core.submit(send).await {
            (Op::Send { bufs: back, .. }, result) => {
                *bufs = back;
                bufs.clear();
                result.map(drop)
            }
            (op, _) => unexpected(&op),
        }
    }

    /// Sends `length` bytes of the file from `offset` on: those in the page cache without a copy
    /// through user space where the back-end can, the others past it, so that they push nothing
    /// else out (see [`crate::cold`]). Of the `stable` bytes behind them some may be read ahead for
    /// the next call. The file may be shorter than promised by now (an error of kind
    /// `UnexpectedEof`): then the stream is broken, as it is when the future is dropped before its
    /// end.
    pub async fn send_file(
        &self,
        stream: &Stream,
        file: &File,
        offset: u64,
        length: u64,
        stable: Stable,
    ) -> io::Result<()> {
        let end = offset.checked_add(length);
        assert!(end.is_some(), "{length} bytes from byte {offset} on are no range of a file");
        cold::send_file(self, stream, file, offset..offset + length, stable).await
    }

    /// Gives back to the system memory that no send of a file has asked for since the last call.
    pub fn release_idle(&self) {
        self.core.cold.release_idle();
    }

    /// A descriptor to be given back when there is no other.
    pub fn spare_descriptor(&self) -> io::Result<SpareDescriptor> {
        self.core.with_backend(|backend| backend.spare()).unwrap_or_else(ended)
    }

    /// A count that rises as the peer takes bytes that were sent on `stream`: whether a send that
    /// is under way gets on. For looks now and then; it may be a system call.
    pub fn taken_by_peer(&self, stream: &Stream) -> u64 {
        self.core.with_backend(|backend| backend.taken_by_peer(&stream.inner)).unwrap_or_default()
    }

    /// Ends both directions of a stream, and with them whatever waits on it.
    pub fn shutdown(&self, stream: &Stream) {
        self.core.with_backend(|backend| backend.shutdown(&stream.inner));
    }

    /// How many turns this core has had, and how long they were.
    pub fn turns(&self) -> TurnCounts {
        self.core.turns().counts()
    }

    /// What held this core up for more than 5 ms, how often and for how long.
    pub fn stalls(&self) -> Vec<Stalls> {
        self.core.turns().stalls()
    }

    /// Sets the time between two log lines about stalls of this core: longer where many cores share
    /// one log.
    pub fn say_stalls_every(&self, interval: Duration) {
        self.core.turns().say_every(interval);
    }

    /// An operation whose buffers the caller does not want back.
    async fn run(&self, op: Op) -> io::Result<Outcome> {
        self.core.submit(op).await.1
    }
}

/// The kernel counts in signed numbers, and takes -1 for the position that a file has of its own.
fn check_offset(offset: u64) {
    assert!(offset <= i64::MAX as u64, "no file has a byte {offset}");
}

/// The bytes that an operation with room for `max` has moved.
fn moved(result: io::Result<Outcome>, max: usize) -> io::Result<usize> {
    match result? {
        Outcome::Size(bytes) => {
            assert!(bytes <= max as u64, "{bytes} bytes were moved into room for {max}");
            Ok(bytes as usize)
        }
        other => unexpected(&other),
    }
}

/// The bytes that were moved into a buffer which held `before`.
fn grown(moved: io::Result<usize>, buf: &BytesMut, before: usize) -> io::Result<usize> {
    let bytes = moved?;
    assert_eq!(before + bytes, buf.len(), "a buffer grows by what was moved into it");
    Ok(bytes)
}

fn unexpected<T>(answer: &dyn std::fmt::Debug) -> T {
    panic!("the back-end answered with {answer:?}")
}

fn ended<T>() -> io::Result<T> {
    Err(io::Error::other("the core has ended"))
}
