//! Bytes of files sent without a copy through user space: spliced into a pipe, and from there into
//! the socket.
//!
//! Owns: the pipes of one core and the progress of each transfer. What lies in memory is moved at
//! once; what has to come from disk is moved by a thread of [`crate::blocking`], so that the core
//! never waits for it.

use crate::{
    faults::{self, Call},
    file::File,
    passing::passes,
    sys,
};
use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
};

/// What a pipe should hold. Two splices per MiB cost next to nothing; the default of 64 KiB costs
/// half as much again.
const PIPE_BYTES: usize = 1 << 20;
/// Pipes kept for the next transfer.
const PIPES_IDLE_MAX: usize = 16;
/// What one transfer moves before others have their turn.
const TRANSFER_BYTES_PER_TURN: u64 = 4 << 20;

/// An empty pipe, or one with bytes of one transfer in it.
#[derive(Debug)]
pub(crate) struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
    capacity: usize,
}

impl Pipe {
    fn new() -> io::Result<Self> {
        let mut fds = [0; 2];
        // SAFETY: the pointer is to room for two descriptors.
        sys::check(unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK) })?;
        // SAFETY: both descriptors are new and have no other owner.
        let (read, write) = unsafe { (OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1])) };
        // Users without privileges have 64 MiB of pipes in all; beyond, a pipe keeps the size that
        // it was born with. SAFETY: a plain call on our descriptor.
        unsafe { libc::fcntl(write.as_raw_fd(), libc::F_SETPIPE_SZ, PIPE_BYTES as libc::c_int) };
        // SAFETY: as above.
        let capacity =
            sys::check(unsafe { libc::fcntl(write.as_raw_fd(), libc::F_GETPIPE_SZ) })? as usize;
        Ok(Self { read, write, capacity })
    }

    /// Moves at most `max` bytes into the empty pipe. 0: the file ends before `offset`.
    fn fill(&self, file: &File, offset: u64, max: usize) -> io::Result<usize> {
        faults::allow(Call::Splice)?;
        let mut from = offset as libc::loff_t;
        let (source, length) = (sys::file_fd(file), max.min(self.capacity));
        let flags = libc::SPLICE_F_NONBLOCK | libc::SPLICE_F_MOVE;
        // SAFETY: the offset lives across the call; no memory of ours is moved.
        let filled = sys::moved(|| unsafe {
            libc::splice(
                source,
                &mut from,
                self.write.as_raw_fd(),
                std::ptr::null_mut(),
                length,
                flags,
            )
        })?;
        assert!(filled <= length, "{filled} bytes were moved into a pipe, of {length}");
        Ok(filled)
    }

    /// The same for bytes that have to come from disk: asks for all of them, then waits.
    pub(crate) fn fill_from_disk(
        &mut self,
        file: &File,
        offset: u64,
        max: usize,
    ) -> io::Result<usize> {
        let length = max.min(self.capacity) as libc::off_t;
        // SAFETY: a plain call on an open descriptor. It is advice: a failure changes nothing.
        unsafe {
            libc::posix_fadvise(
                sys::file_fd(file),
                offset as libc::off_t,
                length,
                libc::POSIX_FADV_WILLNEED,
            )
        };
        self.fill(file, offset, max)
    }

    /// Moves at most `length` bytes out to the socket; `more` says that others follow at once.
    fn drain(&self, socket: RawFd, length: usize, more: bool) -> io::Result<usize> {
        let capacity = self.capacity;
        assert!((1..=capacity).contains(&length), "{length} bytes are in a pipe of {capacity}");
        faults::allow(Call::Splice)?;
        let flags = libc::SPLICE_F_NONBLOCK
            | libc::SPLICE_F_MOVE
            | if more { libc::SPLICE_F_MORE } else { 0 };
        let null = std::ptr::null_mut();
        // The socket is non-blocking, and std ignores SIGPIPE in every Rust program.
        // SAFETY: no memory of ours is moved.
        sys::moved(|| unsafe {
            libc::splice(self.read.as_raw_fd(), null, socket, null, length, flags)
        })
    }
}

/// The idle pipes of one core.
#[derive(Default)]
pub(crate) struct Pipes {
    idle: Vec<Pipe>,
}

impl Pipes {
    fn take(&mut self) -> io::Result<Pipe> {
        self.idle.pop().map_or_else(Pipe::new, Ok)
    }

    fn give_back(&mut self, pipe: Pipe) {
        if self.idle.len() < PIPES_IDLE_MAX {
            self.idle.push(pipe);
        }
    }
}

/// The range to send.
#[derive(Clone, Copy)]
pub(crate) struct Range<'a> {
    pub(crate) file: &'a File,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    /// Bytes that are not in memory are brought there by a thread; otherwise the transfer ends in
    /// front of it.
    pub(crate) through_cache: bool,
}

/// How far one transfer is. A pipe with bytes in it is closed with its transfer, never given back.
#[derive(Default, Debug)]
pub(crate) struct Transfer {
    sent: u64,
    in_pipe: usize,
    pipe: Option<Pipe>,
}

/// What a transfer needs next.
pub(crate) enum Next {
    /// So many bytes have gone: all, or as many as were in memory.
    Done(u64),
    /// The socket has to become writable.
    Writable,
    /// Others have their turn first.
    Turn,
    /// A thread has to fill the pipe from `offset` on; [`Transfer::filled`] takes it back.
    Disk {
        pipe: Pipe,
        offset: u64,
        max: usize,
    },
    Failed(io::Error),
}

impl Transfer {
    /// Moves what can be moved without waiting.
    pub(crate) fn advance(&mut self, pipes: &mut Pipes, socket: RawFd, range: Range<'_>) -> Next {
        self.try_advance(pipes, socket, range).unwrap_or_else(Next::Failed)
    }

    fn try_advance(
        &mut self,
        pipes: &mut Pipes,
        socket: RawFd,
        range: Range<'_>,
    ) -> io::Result<Next> {
        let turn_ends_at = self.sent.saturating_add(TRANSFER_BYTES_PER_TURN);
        loop {
            let known = self.sent + self.in_pipe as u64;
            assert!(known <= range.length, "{known} bytes are moved of {}", range.length);
            if self.in_pipe > 0 {
                let pipe = self.pipe.as_ref().expect("bytes in a pipe have a pipe");
                let more = self.sent + (self.in_pipe as u64) < range.length;
                match pipe.drain(socket, self.in_pipe, more) {
                    Ok(bytes) => {
                        assert!(bytes <= self.in_pipe, "{bytes} left a pipe of {}", self.in_pipe);
                        self.in_pipe -= bytes;
                        self.sent += bytes as u64;
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        return Ok(Next::Writable);
                    }
                    Err(error) => return Err(error),
                }
                continue;
            }
            if self.sent == range.length {
                if let Some(pipe) = self.pipe.take() {
                    pipes.give_back(pipe);
                }
                return Ok(Next::Done(self.sent));
            }
            if self.sent >= turn_ends_at {
                return Ok(Next::Turn);
            }
            let pipe = match self.pipe.take().map_or_else(|| pipes.take(), Ok) {
                Ok(pipe) => pipe,
                // Without descriptors for a pipe the rest goes another way, as do bytes that are
                // not in memory.
                Err(error) if passes(&error) && !range.through_cache => {
                    return Ok(Next::Done(self.sent));
                }
                Err(error) => return Err(error),
            };
            let (offset, left) = (range.offset + self.sent, range.length - self.sent);
            let max = left.min(pipe.capacity as u64) as usize;
            if !is_resident(range.file, offset, max) {
                if !range.through_cache {
                    pipes.give_back(pipe);
                    return Ok(Next::Done(self.sent));
                }
                return Ok(Next::Disk { pipe, offset, max });
            }
            let filled = pipe.fill(range.file, offset, max);
            self.filled(pipe, filled)?;
        }
    }

    /// Leaves of a range what has not been sent; whether anything has.
    pub(crate) fn leave_rest(&self, offset: &mut u64, length: &mut u64) -> bool {
        assert!(self.sent <= *length, "{} bytes are sent of {length}", self.sent);
        *offset += self.sent;
        *length -= self.sent;
        self.sent > 0
    }

    /// Takes the pipe back with what was moved into it.
    pub(crate) fn filled(&mut self, pipe: Pipe, filled: io::Result<usize>) -> io::Result<()> {
        assert_eq!(self.in_pipe, 0, "a pipe is filled when all that was in it has left");
        let capacity = pipe.capacity;
        let before = self.pipe.replace(pipe);
        assert!(before.is_none(), "a transfer has a second pipe");
        self.in_pipe = filled?;
        assert!(self.in_pipe <= capacity, "{} bytes fill a pipe of {capacity}", self.in_pipe);
        if self.in_pipe == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file is shorter than what was to be sent",
            ));
        }
        Ok(())
    }
}

/// What `cachestat` fills in (Linux 6.5, include/uapi/linux/mman.h): pages of the range by what the
/// page cache has of them.
#[repr(C)]
#[derive(Default)]
struct CacheStat {
    cached: u64,
    dirty: u64,
    writeback: u64,
    evicted: u64,
    recently_evicted: u64,
}

/// The range that `cachestat` is asked about.
#[repr(C)]
struct CacheRange {
    offset: u64,
    length: u64,
}

/// The number of the call: the same on all architectures, and newer than what libc names.
const SYS_CACHESTAT: libc::c_long = 451;

/// Whether the range lies in memory, so that a splice of it does not wait for the disk. Pages that
/// a read-ahead is bringing count as cached, but their ends cannot be read yet.
fn is_resident(file: &File, offset: u64, length: usize) -> bool {
    let cached = cached_pages(file, offset, length as u64);
    cached.is_none_or(|cached| cached >= pages_of(offset, length as u64))
        && ends_are_resident(file, offset, length)
}

/// `None` where the kernel cannot say.
pub(crate) fn cached_pages(file: &File, offset: u64, length: u64) -> Option<u64> {
    let range = CacheRange { offset, length };
    let mut stat = CacheStat::default();
    // SAFETY: both structures are laid out as the kernel has them, and outlive the call.
    let failed = unsafe {
        libc::syscall(SYS_CACHESTAT, sys::file_fd(file), &raw const range, &raw mut stat, 0)
    } != 0;
    (!failed).then_some(stat.cached)
}

fn pages_of(offset: u64, length: u64) -> u64 {
    // SAFETY: a plain call.
    let page_bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as u64;
    (offset + length).div_ceil(page_bytes) - offset / page_bytes
}

/// Whether the first and the last byte can be read at once. Pages of one read-ahead come and go
/// together, so where the kernel says no more (before 6.5), the ends speak for the pages between.
fn ends_are_resident(file: &File, offset: u64, length: usize) -> bool {
    assert!(length > 0, "no bytes at {offset} have no ends");
    let probe = |at: u64| {
        let mut byte = 0u8;
        let iovec = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
        // SAFETY: the one vector covers one byte of ours.
        unsafe {
            libc::preadv2(sys::file_fd(file), &iovec, 1, at as libc::off_t, libc::RWF_NOWAIT) >= 0
        }
    };
    probe(offset) && probe(offset + length as u64 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocking::os_file;
    use std::{fs, io::Write};

    #[test]
    fn a_hole_in_the_page_cache_is_seen() {
        const BYTES: u64 = 1 << 20;
        // Below the build folder: a file system in memory has everything resident.
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("resident-{}.tmp", std::process::id()));
        let mut written = fs::File::create(&path).unwrap();
        written.write_all(&vec![7; BYTES as usize]).unwrap();
        written.sync_all().unwrap();
        let file = os_file(fs::File::open(&path).unwrap().into());
        fs::remove_file(&path).unwrap();
        assert!(is_resident(&file, 0, BYTES as usize), "what was just written is in memory");
        assert!(is_resident(&file, 5000, 1), "a part of it, too");
        let (from, length) = (BYTES as libc::off_t / 4, BYTES as libc::off_t / 2);
        // SAFETY: a plain call on an open descriptor.
        unsafe {
            libc::posix_fadvise(sys::file_fd(&file), from, length, libc::POSIX_FADV_DONTNEED)
        };
        match cached_pages(&file, 0, BYTES) {
            // An old kernel, or a file system that keeps its pages.
            None => return,
            Some(cached) if cached == pages_of(0, BYTES) => return,
            Some(_) => {}
        }
        assert!(ends_are_resident(&file, 0, BYTES as usize), "the ends alone do not show it");
        assert!(!is_resident(&file, 0, BYTES as usize));
        assert!(is_resident(&file, 0, 4096), "the beginning is still there");
    }
}
