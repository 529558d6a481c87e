//! Files as the ring knows them: handles that any core may use, and the options to open them.

use crate::sim::SimHandle;
use std::{os::fd::OwnedFd, sync::Arc};

/// An open file. Clones share one descriptor; it closes when the last clone and the last operation on it are gone.
/// May cross cores: reading and sending are positional, so clones do not disturb one another.
#[derive(Clone, Debug)]
pub struct File {
    pub(crate) inner: Arc<FileInner>,
}

#[derive(Debug)]
pub(crate) enum FileInner {
    Os(OwnedFd),
    /// A file of the simulated world.
    Sim(SimHandle),
}

/// How to open a file. Reading is always allowed; `O_CLOEXEC` is always set.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenOptions {
    pub write: bool,
    /// Create the file when it is missing.
    pub create: bool,
    /// Fail when the file exists (with `create`).
    pub create_new: bool,
    pub truncate: bool,
    /// Bypass the page cache (`O_DIRECT`): buffers, offsets and lengths must be aligned to 4096.
    pub direct: bool,
}

impl OpenOptions {
    pub const fn read() -> Self {
        Self { write: false, create: false, create_new: false, truncate: false, direct: false }
    }
    pub const fn write() -> Self {
        Self { write: true, create: true, create_new: false, truncate: false, direct: false }
    }
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    pub name: String,
    pub is_dir: bool,
    /// Size of a regular file; 0 for directories.
    pub size_bytes: u64,
}
