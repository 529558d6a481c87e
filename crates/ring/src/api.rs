//! The operations as futures, for the code above the seam.

use crate::{
    backend::{BackendKind, Doorbell},
    file::{DirEntry, File, OpenOptions},
    net::{ListenOptions, Listener, Stream},
    time::Instant,
};
use bytes::{Bytes, BytesMut};
use std::{
    future::Future,
    io,
    marker::PhantomData,
    net::SocketAddr,
    path::Path,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

/// One core's ring. Clones are cheap and stay on their core.
#[derive(Clone)]
pub struct Ring {
    _core: PhantomData<Rc<()>>,
}

/// The result of a spawned task. Dropping it lets the task run on.
pub struct JoinHandle<T> {
    _result: PhantomData<Rc<T>>,
}

impl<T> Future for JoinHandle<T> {
    type Output = T;
    fn poll(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<T> {
        unimplemented!("contract only")
    }
}

#[allow(unused_variables)]
impl Ring {
    pub fn backend(&self) -> BackendKind {
        unimplemented!("contract only")
    }

    /// Monotonic time, read once per turn of the executor (cheap to call).
    pub fn now(&self) -> Instant {
        unimplemented!("contract only")
    }

    /// Monotonic time read from the clock at this very moment.
    pub fn precise_now(&self) -> Instant {
        unimplemented!("contract only")
    }

    /// Milliseconds since 1970 in UTC, read once per turn.
    pub fn wall_clock_ms(&self) -> i64 {
        unimplemented!("contract only")
    }

    pub fn random_u64(&self) -> u64 {
        unimplemented!("contract only")
    }

    /// Runs `future` on this core, from the next time that the executor looks for work.
    pub fn spawn<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> JoinHandle<T> {
        unimplemented!("contract only")
    }

    pub async fn sleep(&self, duration: Duration) {
        unimplemented!("contract only")
    }

    pub async fn sleep_until(&self, deadline: Instant) {
        unimplemented!("contract only")
    }

    /// The output of `future`, or `None` (with the future dropped) when `duration` passes first.
    pub async fn timeout<T>(&self, duration: Duration, future: impl Future<Output = T>) -> Option<T> {
        unimplemented!("contract only")
    }

    /// Resumes when every task that is ready now has run, before the executor asks the back-end for more. What was
    /// gathered during one turn (appends, replies) leaves together from here.
    pub async fn end_of_turn(&self) {
        unimplemented!("contract only")
    }

    /// Wakes this core from others.
    pub fn doorbell(&self) -> Doorbell {
        unimplemented!("contract only")
    }

    /// The core's inbox: called on each turn, and once more between the promise to sleep and the sleep; takes what has
    /// arrived from other cores (waking tasks as it likes), says whether anything had.
    pub fn set_inbox(&self, take: Box<dyn FnMut() -> bool>) {
        unimplemented!("contract only")
    }

    // ---- files -------------------------------------------------------------------------------------------------

    pub async fn open(&self, path: impl AsRef<Path>, options: OpenOptions) -> io::Result<File> {
        unimplemented!("contract only")
    }

    /// Appends at most `max` bytes from `offset` on to `buf`; gives the buffer back with the bytes read (0: end of file).
    pub async fn read_at(&self, file: &File, buf: BytesMut, max: usize, offset: u64) -> (io::Result<usize>, BytesMut) {
        unimplemented!("contract only")
    }

    /// Exactly `length` bytes from `offset` on, or an error of kind `UnexpectedEof`.
    pub async fn read_exact_at(&self, file: &File, offset: u64, length: usize) -> io::Result<BytesMut> {
        unimplemented!("contract only")
    }

    /// The whole file, or an error of kind `InvalidData` when it is larger than `max`.
    pub async fn read_file(&self, path: impl AsRef<Path>, max: usize) -> io::Result<Vec<u8>> {
        unimplemented!("contract only")
    }

    /// Replaces the file at `path` as a whole and durably: temporary name, sync, rename, sync of the directory.
    pub async fn write_file_atomically(&self, path: impl AsRef<Path>, content: Bytes) -> io::Result<()> {
        unimplemented!("contract only")
    }

    /// Writes all of `bufs`, in order, from `offset` on.
    pub async fn write_at(&self, file: &File, bufs: Vec<Bytes>, offset: u64) -> io::Result<()> {
        unimplemented!("contract only")
    }

    /// Writes all of `bufs` into the page cache before it returns (gathered `pwritev`): the append path.
    pub fn write_now(&self, file: &File, bufs: &[Bytes], offset: u64) -> io::Result<()> {
        unimplemented!("contract only")
    }

    /// Reads at most `max` bytes before it returns: for small reads that are likely resident (index entries, headers).
    pub fn read_now(&self, file: &File, buf: &mut BytesMut, max: usize, offset: u64) -> io::Result<usize> {
        unimplemented!("contract only")
    }

    pub async fn sync_data(&self, file: &File) -> io::Result<()> {
        unimplemented!("contract only")
    }

    /// Makes creations, renames and removals in this directory durable.
    pub async fn sync_dir(&self, path: impl AsRef<Path>) -> io::Result<()> {
        unimplemented!("contract only")
    }

    pub async fn allocate(&self, file: &File, offset: u64, length: u64, keep_size: bool) -> io::Result<()> {
        unimplemented!("contract only")
    }

    pub async fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        unimplemented!("contract only")
    }

    pub async fn size(&self, file: &File) -> io::Result<u64> {
        unimplemented!("contract only")
    }

    pub async fn rename(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
        unimplemented!("contract only")
    }

    pub async fn unlink(&self, path: impl AsRef<Path>) -> io::Result<()> {
        unimplemented!("contract only")
    }

    pub async fn create_dir_all(&self, path: impl AsRef<Path>) -> io::Result<()> {
        unimplemented!("contract only")
    }

    /// Removes an empty directory.
    pub async fn remove_dir(&self, path: impl AsRef<Path>) -> io::Result<()> {
        unimplemented!("contract only")
    }

    /// The names in a directory, sorted.
    pub async fn read_dir(&self, path: impl AsRef<Path>) -> io::Result<Vec<DirEntry>> {
        unimplemented!("contract only")
    }

    /// Free and total bytes of the file system that holds `path`.
    pub async fn disk_space(&self, path: impl AsRef<Path>) -> io::Result<(u64, u64)> {
        unimplemented!("contract only")
    }

    /// An exclusive lock on the file that lasts as long as the file is open; `false` when another process holds it.
    pub async fn try_lock(&self, file: &File) -> io::Result<bool> {
        unimplemented!("contract only")
    }

    // ---- network -----------------------------------------------------------------------------------------------

    pub fn listen(&self, addr: SocketAddr, options: ListenOptions) -> io::Result<Listener> {
        unimplemented!("contract only")
    }

    pub async fn accept(&self, listener: &Listener) -> io::Result<Stream> {
        unimplemented!("contract only")
    }

    pub async fn connect(&self, addr: SocketAddr) -> io::Result<Stream> {
        unimplemented!("contract only")
    }

    /// Appends at most `max` bytes to `buf`; gives the buffer back with the bytes received (0: the peer has closed).
    pub async fn recv(&self, stream: &Stream, buf: BytesMut, max: usize) -> (io::Result<usize>, BytesMut) {
        unimplemented!("contract only")
    }

    /// Sends all of `bufs`, in order.
    pub async fn send(&self, stream: &Stream, bufs: Vec<Bytes>) -> io::Result<()> {
        unimplemented!("contract only")
    }

    /// Sends `length` bytes of the file from `offset` on, without a copy through user space where the back-end can.
    /// The file may be shorter than promised by now (an error of kind `UnexpectedEof`): then the stream is broken.
    pub async fn send_file(&self, stream: &Stream, file: &File, offset: u64, length: u64) -> io::Result<()> {
        unimplemented!("contract only")
    }

    /// Ends both directions of a stream, and with them whatever waits on it.
    pub fn shutdown(&self, stream: &Stream) {
        unimplemented!("contract only")
    }
}
