//! What a back-end can be asked for, and what it answers.

use crate::{
    aligned::AlignedBuf,
    cold::Block,
    file::{DirEntry, File, OpenOptions},
    net::{Listener, SocketInner, Stream},
};
use bytes::{Bytes, BytesMut};
use std::{io, net::SocketAddr, path::PathBuf, rc::Rc};

/// One operation with everything it needs. It owns its buffers and its descriptors until the
/// completion gives them back.
#[derive(Debug)]
pub(crate) enum Op {
    Accept {
        listener: Listener,
    },
    Connect {
        addr: SocketAddr,
    },
    /// Appends at most `max` bytes to `buf` (which has that much spare capacity). 0 bytes: the peer
    /// has closed. Fewer than `least` are not worth waking up for, while the peer may send more.
    Recv {
        socket: Rc<SocketInner>,
        buf: BytesMut,
        max: usize,
        least: usize,
    },
    /// Sends all of `bufs`, in order.
    Send {
        socket: Rc<SocketInner>,
        bufs: Vec<Bytes>,
    },
    /// Sends `length` bytes of `file` from `offset` without a copy through user space, where the
    /// back-end can. The part that is not in the page cache is brought there when it may go
    /// `through_cache`; otherwise the operation ends in front of it, with the bytes sent.
    SendFile {
        socket: Rc<SocketInner>,
        file: File,
        offset: u64,
        length: u64,
        through_cache: bool,
    },
    Open {
        path: PathBuf,
        options: OpenOptions,
    },
    /// Appends at most `max` bytes from `offset` on to `buf`.
    Read {
        file: File,
        buf: BytesMut,
        max: usize,
        offset: u64,
    },
    /// Fills `block` past the page cache from `offset` on, both aligned, or up to the end of the
    /// file. `done` bytes of it are. An error of kind `InvalidInput`: it has to be read some other
    /// way.
    ReadDirect {
        file: File,
        block: Block,
        offset: u64,
        done: usize,
    },
    /// Writes all of `bufs`, in order, from `offset` on.
    Write {
        file: File,
        bufs: Vec<Bytes>,
        offset: u64,
    },
    /// Writes all of `buf` at `offset`, both aligned, and completes when it is on the disk
    /// (`RWF_DSYNC`), with what it takes to find it there. `done` bytes of it are.
    WriteDurable {
        file: File,
        buf: AlignedBuf,
        offset: u64,
        done: usize,
    },
    /// `fdatasync`.
    SyncData {
        file: File,
    },
    /// `fsync` of a directory: what makes creations, renames and removals in it durable.
    SyncDir {
        path: PathBuf,
    },
    /// `fallocate` without changing the size (`FALLOC_FL_KEEP_SIZE`) or with it.
    Allocate {
        file: File,
        offset: u64,
        length: u64,
        keep_size: bool,
    },
    Truncate {
        file: File,
        length: u64,
    },
    Size {
        file: File,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Unlink {
        path: PathBuf,
    },
    CreateDirAll {
        path: PathBuf,
    },
    RemoveDir {
        path: PathBuf,
    },
    ReadDir {
        path: PathBuf,
    },
    /// Free and total bytes of the file system that holds `path`.
    DiskSpace {
        path: PathBuf,
    },
    /// An exclusive `flock` that does not wait: an error of kind `WouldBlock` when another process
    /// or handle holds it.
    TryLock {
        file: File,
    },
}

impl Op {
    /// The file that it may cut: bytes that were there may be others afterwards.
    pub(crate) fn cuts(&self) -> Option<&File> {
        match self {
            Op::Truncate { file, .. } | Op::Allocate { file, keep_size: false, .. } => Some(file),
            _ => None,
        }
    }

    /// For those who look for what took long.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Op::Accept { .. } => "accept",
            Op::Connect { .. } => "connect",
            Op::Recv { .. } => "recv",
            Op::Send { .. } => "send",
            Op::SendFile { .. } => "send_file",
            Op::Open { .. } => "open",
            Op::Read { .. } => "read",
            Op::ReadDirect { .. } => "read_direct",
            Op::Write { .. } => "write",
            Op::WriteDurable { .. } => "write_durable",
            Op::SyncData { .. } => "sync_data",
            Op::SyncDir { .. } => "sync_dir",
            Op::Allocate { .. } => "allocate",
            Op::Truncate { .. } => "truncate",
            Op::Size { .. } => "size",
            Op::Rename { .. } => "rename",
            Op::Unlink { .. } => "unlink",
            Op::CreateDirAll { .. } => "create_dir_all",
            Op::RemoveDir { .. } => "remove_dir",
            Op::ReadDir { .. } => "read_dir",
            Op::DiskSpace { .. } => "disk_space",
            Op::TryLock { .. } => "try_lock",
        }
    }
}

/// What an operation came to. `Size` carries the bytes moved, or the file's length.
#[derive(Debug)]
pub(crate) enum Outcome {
    Done,
    Size(u64),
    Accepted(Stream),
    Connected(Stream),
    Opened(File),
    Entries(Vec<DirEntry>),
    Space { free_bytes: u64, total_bytes: u64 },
}

/// Names a submitted operation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Token(pub u64);

/// The end of an operation. `op` comes back with its buffers.
#[derive(Debug)]
pub(crate) struct Completion {
    pub token: Token,
    pub op: Op,
    pub result: io::Result<Outcome>,
}
