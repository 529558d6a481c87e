//! What both real back-ends have to do alike. Every test runs once on each.

mod cold;
mod completions;
mod cores;
mod faults;
mod files;
mod sockets;
mod tasks;

use crate::{
    BackendChoice, BackendKind, CoreOptions, Ring, run, run::run_on, select, uring::older,
};
use bytes::{Bytes, BytesMut};
use std::{future::Future, path::PathBuf, time::Duration};

/// Long enough for the slowest machine; a test that needs it hangs.
const HANGS_AFTER: Duration = Duration::from_secs(120);

fn kinds() -> Vec<BackendKind> {
    match select(BackendChoice::IoUring) {
        Ok(_) => vec![BackendKind::Epoll, BackendKind::IoUring],
        Err(error) => {
            eprintln!("only epoll is tested: {error}");
            vec![BackendKind::Epoll]
        }
    }
}

fn options(backend: BackendKind) -> CoreOptions {
    CoreOptions {
        name: format!("test-{backend:?}"),
        index: 0,
        cpu: None,
        backend,
        spin: Duration::ZERO,
    }
}

/// Runs the test on a core of each back-end, and on rings as older kernels have them.
fn on_each<F: Future<Output = ()> + 'static>(test: impl Fn(Ring) -> F) {
    for kind in kinds() {
        let ended =
            run(options(kind), |ring| limited(ring.clone(), test(ring))).expect("the core starts");
        assert!(ended.is_some(), "the test hangs on {kind:?}");
    }
    if kinds().contains(&BackendKind::IoUring) {
        for nth in 0..2 {
            let backend = older("test-older")
                .into_iter()
                .nth(nth)
                .and_then(Result::ok)
                .expect("flags may be left out");
            let ended =
                run_on(Box::new(backend), Duration::ZERO, |ring| limited(ring.clone(), test(ring)));
            assert!(ended.is_some(), "the test hangs on an older ring");
        }
    }
}

async fn limited(ring: Ring, test: impl Future<Output = ()>) -> Option<()> {
    ring.timeout(HANGS_AFTER, test).await
}

/// An empty directory that is removed with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ring-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("the temporary directory is writable");
        Self(path)
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Bytes that tell where they belong: a wrong offset or order shows.
fn pattern(from: usize, length: usize) -> Bytes {
    let byte = |at: usize| (at.wrapping_mul(0x9e37_79b9) >> 13) as u8;
    (from..from + length).map(byte).collect::<Vec<u8>>().into()
}

/// Exactly `length` bytes from the stream.
async fn recv_exact(
    ring: &Ring,
    stream: &crate::Stream,
    length: usize,
) -> std::io::Result<BytesMut> {
    let mut buf = BytesMut::new();
    while buf.len() < length {
        let missing = length - buf.len();
        let result;
        (result, buf) = ring.recv(stream, buf, missing).await;
        if result? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(buf)
}

/// Asks the kernel to forget the file's pages.
fn evict(path: &std::path::Path) {
    use std::os::fd::AsRawFd;
    let file = std::fs::File::open(path).expect("it exists");
    // SAFETY: a plain call on an open descriptor.
    unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
}
