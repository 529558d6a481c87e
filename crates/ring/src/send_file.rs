//! Bytes of files sent without a copy through user space: spliced into a pipe, and from there into the socket.
//!
//! Owns: the pipes of one core and the progress of each transfer. What lies in memory is moved at once; what has to come
//! from disk is moved by a thread of [`crate::blocking`], so that the core never waits for it.

use crate::{file::File, sys};
use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
};

/// What a pipe should hold. Two splices per MiB cost next to nothing; the default of 64 KiB costs half as much again.
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
        // SAFETY: both descriptors are new and nobody else's.
        let (read, write) = unsafe { (OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1])) };
        // Users without privileges have 64 MiB of pipes in all; beyond, a pipe keeps the size that it was born with.
        // SAFETY: a plain call on our descriptor.
        unsafe { libc::fcntl(write.as_raw_fd(), libc::F_SETPIPE_SZ, PIPE_BYTES as libc::c_int) };
        // SAFETY: as above.
        let capacity = sys::check(unsafe { libc::fcntl(write.as_raw_fd(), libc::F_GETPIPE_SZ) })? as usize;
        Ok(Self { read, write, capacity })
    }

    /// Moves at most `max` bytes into the empty pipe. 0: the file ends before `offset`.
    fn fill(&self, file: &File, offset: u64, max: usize) -> io::Result<usize> {
        let mut from = offset as libc::loff_t;
        let (source, length) = (sys::file_fd(file), max.min(self.capacity));
        let flags = libc::SPLICE_F_NONBLOCK | libc::SPLICE_F_MOVE;
        // SAFETY: the offset lives across the call; no memory of ours is moved.
        sys::moved(|| unsafe {
            libc::splice(source, &mut from, self.write.as_raw_fd(), std::ptr::null_mut(), length, flags)
        })
    }

    /// The same for bytes that have to come from disk: asks for all of them, then waits.
    pub(crate) fn fill_from_disk(&mut self, file: &File, offset: u64, max: usize) -> io::Result<usize> {
        let length = max.min(self.capacity) as libc::off_t;
        // SAFETY: a plain call on an open descriptor. It is advice: a failure changes nothing.
        unsafe { libc::posix_fadvise(sys::file_fd(file), offset as libc::off_t, length, libc::POSIX_FADV_WILLNEED) };
        self.fill(file, offset, max)
    }

    /// Moves at most `length` bytes out to the socket; `more` says that others follow at once.
    fn drain(&self, socket: RawFd, length: usize, more: bool) -> io::Result<usize> {
        let flags = libc::SPLICE_F_NONBLOCK | libc::SPLICE_F_MOVE | if more { libc::SPLICE_F_MORE } else { 0 };
        let null = std::ptr::null_mut();
        // The socket is non-blocking, and std ignores SIGPIPE in every Rust program.
        // SAFETY: no memory of ours is moved.
        sys::moved(|| unsafe { libc::splice(self.read.as_raw_fd(), null, socket, null, length, flags) })
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

/// What is to be sent.
#[derive(Clone, Copy)]
pub(crate) struct Range<'a> {
    pub(crate) file: &'a File,
    pub(crate) offset: u64,
    pub(crate) length: u64,
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
    Done,
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

    fn try_advance(&mut self, pipes: &mut Pipes, socket: RawFd, range: Range<'_>) -> io::Result<Next> {
        let turn_ends_at = self.sent.saturating_add(TRANSFER_BYTES_PER_TURN);
        loop {
            if self.in_pipe > 0 {
                let pipe = self.pipe.as_ref().expect("bytes in a pipe have a pipe");
                let more = self.sent + (self.in_pipe as u64) < range.length;
                match pipe.drain(socket, self.in_pipe, more) {
                    Ok(bytes) => {
                        self.in_pipe -= bytes;
                        self.sent += bytes as u64;
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Next::Writable),
                    Err(error) => return Err(error),
                }
                continue;
            }
            if self.sent == range.length {
                if let Some(pipe) = self.pipe.take() {
                    pipes.give_back(pipe);
                }
                return Ok(Next::Done);
            }
            if self.sent >= turn_ends_at {
                return Ok(Next::Turn);
            }
            let pipe = self.pipe.take().map_or_else(|| pipes.take(), Ok)?;
            let (offset, left) = (range.offset + self.sent, range.length - self.sent);
            let max = left.min(pipe.capacity as u64) as usize;
            if !is_resident(range.file, offset, max) {
                return Ok(Next::Disk { pipe, offset, max });
            }
            let filled = pipe.fill(range.file, offset, max);
            self.filled(pipe, filled)?;
        }
    }

    /// Takes the pipe back with what was moved into it.
    pub(crate) fn filled(&mut self, pipe: Pipe, filled: io::Result<usize>) -> io::Result<()> {
        self.in_pipe = filled?;
        self.pipe = Some(pipe);
        if self.in_pipe == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is shorter than what was to be sent"));
        }
        Ok(())
    }
}

/// Whether the first and the last byte lie in memory, or the file ends before them. Pages of one read-ahead come and go
/// together, so the ends speak for what is between; where they do not, the core waits for one disk read.
fn is_resident(file: &File, offset: u64, length: usize) -> bool {
    let probe = |at: u64| {
        let mut byte = 0u8;
        let iovec = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
        // SAFETY: the one vector covers one byte of ours.
        unsafe { libc::preadv2(sys::file_fd(file), &iovec, 1, at as libc::off_t, libc::RWF_NOWAIT) >= 0 }
    };
    probe(offset) && probe(offset + length as u64 - 1)
}
