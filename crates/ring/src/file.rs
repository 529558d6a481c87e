//! Files as the ring knows them: handles that any core may use, and the options to open them.

use crate::{sim::SimHandle, sys};
use std::{
    os::fd::OwnedFd,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

/// An open file. Clones share one descriptor; it closes when the last clone and the last operation
/// on it are gone. May cross cores: reading and sending are positional, so clones do not disturb
/// one another.
#[derive(Clone, Debug)]
pub struct File {
    pub(crate) inner: Arc<FileInner>,
}

#[derive(Debug)]
pub(crate) struct FileInner {
    pub(crate) handle: Handle,
    /// How often the file may have lost bytes that were there: see [`Stable`].
    cuts: AtomicU64,
    counted: OnceLock<Counted>,
}

/// The descriptors of one file, in the count of the core that opened it.
#[derive(Debug)]
struct Counted {
    all: Arc<AtomicUsize>,
    own: AtomicUsize,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let own = *self.own.get_mut();
        let before = self.all.fetch_sub(own, Ordering::Relaxed);
        assert!(own <= before, "{own} descriptors close, and {before} were open");
    }
}

#[derive(Debug)]
pub(crate) enum Handle {
    Os {
        fd: OwnedFd,
        /// The same file past the page cache, once a read needed it; `None` where that cannot be
        /// had.
        direct: OnceLock<Option<OwnedFd>>,
    },
    /// A file of the simulated world.
    Sim(SimHandle),
}

/// The bytes of a file that will not change any more unless the file is cut through this handle, as
/// of one moment. What was read ahead of them is void after a cut, because the file may have grown
/// again since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stable {
    /// Where they end, in bytes from the start of the file.
    pub(crate) until: u64,
    pub(crate) cuts: u64,
}

impl File {
    pub(crate) fn new(handle: Handle) -> Self {
        Self {
            inner: Arc::new(FileInner {
                handle,
                cuts: AtomicU64::new(0),
                counted: OnceLock::new(),
            }),
        }
    }

    /// Whether no other clone of this file is left, and no operation on it.
    pub fn is_last_handle(&self) -> bool {
        Arc::strong_count(&self.inner) == 1
    }

    pub(crate) fn count_in(&self, all: &Arc<AtomicUsize>) {
        let counted = self
            .inner
            .counted
            .get_or_init(|| Counted { all: all.clone(), own: AtomicUsize::new(0) });
        assert!(Arc::ptr_eq(&counted.all, all), "a file is counted by the core that opened it");
        counted.own.fetch_add(1, Ordering::Relaxed);
        counted.all.fetch_add(1, Ordering::Relaxed);
    }

    /// It holds one more.
    pub(crate) fn count_another(&self) {
        if let Some(counted) = self.inner.counted.get() {
            self.count_in(&counted.all);
        }
    }

    /// To be called while it holds that the bytes before `until` stay as they are unless this
    /// handle cuts them.
    pub fn stable(&self, until: u64) -> Stable {
        Stable { until, cuts: self.cuts() }
    }

    pub(crate) fn cuts(&self) -> u64 {
        self.inner.cuts.load(Ordering::Acquire)
    }

    /// Counts the beginning or the end of a cut.
    pub(crate) fn count_cut(&self) {
        self.inner.cuts.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether the file can be read past the page cache, as far as one knows before trying.
    pub(crate) fn can_read_directly(&self) -> bool {
        match self.inner.handle {
            Handle::Os { .. } => sys::direct_fd(self).is_some(),
            Handle::Sim(_) => true,
        }
    }
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
