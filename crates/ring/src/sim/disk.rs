//! One node's disk: open files, capacity, locks and the faults of the data path, over names
//! ([`super::tree`]) and contents ([`super::image`]).

use super::{
    handle::{HandleKind, Signals, SimHandle},
    image::{DiskImage, PAGE_BYTES},
    options::DiskOptions,
    random::Random,
    tree::{Body, Tree, errno},
};
use crate::{
    cold::Block,
    file::{DirEntry, File, Handle, OpenOptions},
    op::{Op, Outcome},
};
use bytes::{Bytes, BytesMut};
use rustc_hash::FxHashMap;
use std::{io, path::Path, sync::Arc};

/// A file may not grow past this: the table of its pages lives in memory.
const MAX_FILE_BYTES: u64 = 64 << 30;
/// What `O_DIRECT` asks offsets and lengths to be multiples of.
const DIRECT_ALIGNMENT: u64 = 4096;

#[derive(Clone, Copy)]
struct OpenFile {
    inode: u32,
    write: bool,
    direct: bool,
}

/// What a test has asked to go wrong.
#[derive(Default)]
pub(super) struct Faults {
    pub(super) fail_fsyncs: u32,
    pub(super) fail_reads: Vec<String>,
    pub(super) fail_writes: Vec<String>,
    pub(super) fail_removals: Vec<String>,
    /// The next write lands on another page of its file.
    pub(super) misdirect_write: bool,
    /// No more files than so many may be open.
    pub(super) open_files_max: Option<usize>,
    /// Calls are refused for want of memory, but for syncs.
    pub(super) out_of_memory: bool,
    /// Below these folders nothing may take a page more: disks of their own that are full.
    pub(super) full_below: Vec<String>,
    /// The next sync below each of these folders fails.
    pub(super) fail_fsyncs_below: Vec<String>,
}

pub(super) struct Disk {
    pub(super) options: DiskOptions,
    pub(super) faults: Faults,
    /// Operations wait and nothing fails.
    pub(super) hung: bool,
    /// The same below these folders: disks of their own.
    pub(super) hung_below: Vec<String>,
    pub(super) capacity_pages: u64,
    tree: Tree,
    handles: FxHashMap<u64, OpenFile>,
    next_handle: u64,
    next_flush: u64,
    used_pages: u64,
    random: Random,
    node: u32,
    signals: Arc<Signals>,
}

impl Disk {
    pub(super) fn new(
        node: u32,
        options: DiskOptions,
        random: Random,
        signals: Arc<Signals>,
    ) -> Self {
        Self {
            options,
            faults: Faults::default(),
            hung: false,
            hung_below: Vec::new(),
            capacity_pages: options.capacity_bytes / PAGE_BYTES as u64,
            tree: Tree::new(),
            handles: FxHashMap::default(),
            next_handle: 0,
            next_flush: 0,
            used_pages: 0,
            random,
            node,
            signals,
        }
    }

    pub(super) fn latency_ns(&mut self, op: &Op) -> u64 {
        let span = match op {
            Op::Read { .. } | Op::ReadDirect { .. } => self.options.read,
            Op::Write { .. } => self.options.write,
            Op::SyncData { .. } | Op::SyncDir { .. } | Op::WriteDurable { .. } => self.options.sync,
            _ => self.options.metadata,
        };
        let slow = self.random.chance(self.options.slow_per_million);
        let extra = if slow { self.options.slow.draw_ns(&mut self.random) } else { 0 };
        span.draw_ns(&mut self.random) + extra
    }

    /// Whether this operation waits for a disk that hangs.
    pub(super) fn hangs(&self, op: &Op) -> bool {
        self.hung
            || (!self.hung_below.is_empty()
                && self.path_of(op).is_some_and(|path| self.is_below_hung(&path)))
    }

    /// Whether a write that waits for nothing would.
    pub(super) fn hangs_file(&self, file: &File) -> bool {
        !self.hung_below.is_empty()
            && self.path_of_file(file).is_some_and(|path| self.is_below_hung(&path))
    }

    fn is_below_hung(&self, path: &str) -> bool {
        self.hung_below.iter().any(|folder| Path::new(path).starts_with(folder))
    }

    fn is_below_full(&self, path: &Path) -> bool {
        self.faults.full_below.iter().any(|folder| path.starts_with(folder))
    }

    /// Whether this file may take no page more, however much room there is elsewhere.
    fn is_full_for(&self, inode: u32) -> bool {
        !self.faults.full_below.is_empty()
            && self.tree.path(inode).is_some_and(|path| self.is_below_full(Path::new(&path)))
    }

    fn path_of_file(&self, file: &File) -> Option<String> {
        self.tree.path(self.open_file(file).ok()?.inode)
    }

    fn path_of(&self, op: &Op) -> Option<String> {
        match op {
            Op::Open { path, .. }
            | Op::SyncDir { path }
            | Op::Rename { from: path, .. }
            | Op::Unlink { path }
            | Op::RemoveDir { path }
            | Op::CreateDirAll { path }
            | Op::ReadDir { path }
            | Op::DiskSpace { path } => Some(path.display().to_string()),
            Op::Read { file, .. }
            | Op::ReadDirect { file, .. }
            | Op::Write { file, .. }
            | Op::WriteDurable { file, .. }
            | Op::SyncData { file }
            | Op::Allocate { file, .. }
            | Op::Truncate { file, .. }
            | Op::Size { file }
            | Op::TryLock { file } => self.path_of_file(file),
            Op::Accept { .. }
            | Op::Connect { .. }
            | Op::Recv { .. }
            | Op::Send { .. }
            | Op::SendFile { .. } => None,
        }
    }

    /// What a sync covers is decided when it is submitted; [`Disk::execute`] wants the ticket back.
    pub(super) fn begin(&mut self, op: &Op) -> u64 {
        match op {
            Op::SyncData { file } => {
                let Ok(open) = self.open_file(file) else { return 0 };
                self.next_flush += 1;
                self.tree.image(open.inode).begin_flush(self.next_flush);
                self.next_flush
            }
            Op::SyncDir { .. } => self.tree.newest_change(),
            _ => 0,
        }
    }

    /// What a system refuses that is short of descriptors or memory.
    fn check_supplies(&self, op: &Op) -> io::Result<()> {
        let is_sync = matches!(op, Op::SyncData { .. } | Op::SyncDir { .. });
        let opens = matches!(op, Op::Open { .. } | Op::SyncDir { .. } | Op::ReadDir { .. });
        if self.faults.out_of_memory && !is_sync {
            return Err(errno(libc::ENOMEM));
        }
        if opens && self.faults.open_files_max.is_some_and(|max| self.handles.len() >= max) {
            return Err(errno(libc::EMFILE));
        }
        Ok(())
    }

    pub(super) fn execute(&mut self, op: &mut Op, ticket: u64) -> io::Result<Outcome> {
        self.check_supplies(op)?;
        match op {
            Op::Open { path, options } => self.open(path, *options).map(Outcome::Opened),
            Op::Read { file, buf, max, offset } => {
                self.read(file, buf, *max, *offset).map(|size| Outcome::Size(size as u64))
            }
            Op::ReadDirect { file, block, offset, .. } => {
                self.read_direct(file, block, *offset).map(|size| Outcome::Size(size as u64))
            }
            Op::Write { file, bufs, offset } => {
                self.write(file, bufs, *offset).map(|()| Outcome::Done)
            }
            Op::WriteDurable { file, buf, offset, .. } => {
                self.write_durable(file, buf, *offset).map(|()| Outcome::Done)
            }
            Op::SyncData { file } => self.sync_data(file, ticket),
            Op::SyncDir { path } => {
                let directory = self.tree.resolve_directory(path)?;
                let name = path.display().to_string();
                if self.sync_fails(|_| Some(name)) {
                    return Err(errno(libc::EIO));
                }
                self.tree.sync(directory, ticket);
                Ok(Outcome::Done)
            }
            Op::Allocate { file, offset, length, keep_size } => {
                self.allocate(file, *offset, *length, *keep_size)
            }
            Op::Truncate { file, length } => {
                let open = self.writable(file)?;
                if *length > MAX_FILE_BYTES {
                    return Err(errno(libc::EFBIG));
                }
                self.recharging(open.inode, |image, _| image.truncate(*length));
                Ok(Outcome::Done)
            }
            Op::Size { file } => {
                let open = self.open_file(file)?;
                Ok(Outcome::Size(self.tree.image(open.inode).size()))
            }
            Op::Rename { from, to } => self.changing(|tree| tree.rename(from, to)),
            Op::Unlink { path } => self.unlink(path),
            Op::RemoveDir { path } => self.changing(|tree| tree.remove(path, true)),
            Op::CreateDirAll { path } => self.changing(|tree| tree.create_dir_all(path)),
            Op::ReadDir { path } => self.read_dir(path).map(Outcome::Entries),
            Op::DiskSpace { path } => {
                self.tree.resolve(path)?;
                let page = PAGE_BYTES as u64;
                let free_bytes = self.capacity_pages.saturating_sub(self.used_pages) * page;
                Ok(Outcome::Space { free_bytes, total_bytes: self.capacity_pages * page })
            }
            Op::TryLock { file } => self.try_lock(file),
            Op::Accept { .. }
            | Op::Connect { .. }
            | Op::Recv { .. }
            | Op::Send { .. }
            | Op::SendFile { .. } => {
                unreachable!("an operation of the network")
            }
        }
    }

    fn unlink(&mut self, path: &Path) -> io::Result<Outcome> {
        let text = path.to_string_lossy();
        if self.faults.fail_removals.iter().any(|part| text.contains(part))
            && self.tree.resolve(path).is_ok()
        {
            return Err(errno(libc::EIO));
        }
        self.changing(|tree| tree.remove(path, false))
    }

    fn open_file(&self, file: &File) -> io::Result<OpenFile> {
        let Handle::Sim(handle) = &file.inner.handle else {
            panic!("a file of another back-end in the simulated world")
        };
        assert_eq!(handle.node, self.node, "a file of another node");
        assert_eq!(handle.kind, HandleKind::File, "{handle:?} is used as a file");
        self.handles.get(&handle.id).copied().ok_or_else(|| errno(libc::EBADF))
    }

    fn writable(&self, file: &File) -> io::Result<OpenFile> {
        let open = self.open_file(file)?;
        if open.write { Ok(open) } else { Err(errno(libc::EBADF)) }
    }

    fn open(&mut self, path: &Path, options: OpenOptions) -> io::Result<File> {
        let inode = match self.tree.resolve(path) {
            Ok(_) if options.create_new => return Err(errno(libc::EEXIST)),
            Ok(inode) => inode,
            Err(error)
                if error.kind() == io::ErrorKind::NotFound
                    && (options.create || options.create_new) =>
            {
                if self.used_pages >= self.capacity_pages || self.is_below_full(path) {
                    return Err(errno(libc::ENOSPC));
                }
                let inode = self.tree.create_file(path)?;
                self.commit_early();
                inode
            }
            Err(error) => return Err(error),
        };
        if matches!(self.tree.inode(inode).body, Body::Directory(_)) {
            return Err(errno(libc::EISDIR));
        }
        if options.truncate && options.write {
            self.recharging(inode, |image, _| image.truncate(0));
        }
        self.tree.inode(inode).open += 1;
        self.next_handle += 1;
        let open = OpenFile { inode, write: options.write, direct: options.direct };
        let before = self.handles.insert(self.next_handle, open);
        assert!(before.is_none(), "handle {} is given out twice", self.next_handle);
        self.check_opened(inode);
        let handle = SimHandle {
            kind: HandleKind::File,
            node: self.node,
            id: self.next_handle,
            signals: Arc::clone(&self.signals),
        };
        Ok(File::new(Handle::Sim(handle)))
    }

    /// What is open is open under a handle.
    fn check_opened(&mut self, inode: u32) {
        let (opened, handles) = (self.tree.inode(inode).open as usize, self.handles.len());
        assert!(opened <= handles, "a file is open {opened} times, with {handles} handles in all");
    }

    /// The last clone of a file is gone.
    pub(super) fn close(&mut self, handle: u64) {
        let Some(open) = self.handles.remove(&handle) else { return };
        let inode = self.tree.inode(open.inode);
        assert!(inode.open > 0, "a file is closed more often than it was opened");
        inode.open -= 1;
        if inode.lock == Some(handle) {
            inode.lock = None;
        }
        assert!(inode.open > 0 || inode.lock.is_none(), "a lock outlives the file's last handle");
        let is_live = inode.is_live();
        self.check_opened(open.inode);
        if !is_live {
            let before = self.used_pages;
            self.tree.collect(open.inode);
            self.recount();
            let after = self.used_pages;
            assert!(after <= before, "{before} pages were in use, and {after} after a close");
        }
    }

    pub(super) fn read(
        &mut self,
        file: &File,
        buf: &mut BytesMut,
        max: usize,
        offset: u64,
    ) -> io::Result<usize> {
        let open = self.open_file(file)?;
        if self.faults.out_of_memory {
            return Err(errno(libc::ENOMEM));
        }
        self.check_direct(open, offset, max as u64)?;
        if self.random.chance(self.options.read_error_per_million)
            || self.is_listed(open.inode, &self.faults.fail_reads)
        {
            return Err(errno(libc::EIO));
        }
        let short = max > 1 && self.random.chance(self.options.short_read_per_million);
        let max = if short { 1 + self.random.below(max as u64 - 1) as usize } else { max };
        Ok(self.tree.image(open.inode).read(offset, max, buf))
    }

    /// Fills `block`, or reads up to the end of the file.
    fn read_direct(&mut self, file: &File, block: &mut Block, offset: u64) -> io::Result<usize> {
        let wanted = block.bytes().len();
        let mut all = BytesMut::with_capacity(wanted);
        while all.len() < wanted {
            let (missing, from) = (wanted - all.len(), offset + all.len() as u64);
            if self.read(file, &mut all, missing, from)? == 0 {
                break;
            }
        }
        block.bytes_mut()[..all.len()].copy_from_slice(&all);
        Ok(all.len())
    }

    fn check_direct(&self, open: OpenFile, offset: u64, length: u64) -> io::Result<()> {
        let aligned =
            offset.is_multiple_of(DIRECT_ALIGNMENT) && length.is_multiple_of(DIRECT_ALIGNMENT);
        if open.direct && !aligned { Err(errno(libc::EINVAL)) } else { Ok(()) }
    }

    fn is_listed(&self, inode: u32, suffixes: &[String]) -> bool {
        !suffixes.is_empty()
            && self
                .tree
                .path(inode)
                .is_some_and(|path| suffixes.iter().any(|suffix| path.ends_with(suffix)))
    }

    /// Writes all of `bufs`, or some of them and an error.
    pub(super) fn write(&mut self, file: &File, bufs: &[Bytes], offset: u64) -> io::Result<()> {
        let open = self.writable(file)?;
        if self.faults.out_of_memory {
            return Err(errno(libc::ENOMEM));
        }
        let length: u64 = bufs.iter().map(|buf| buf.len() as u64).sum();
        self.check_direct(open, offset, length)?;
        if offset.saturating_add(length) > MAX_FILE_BYTES {
            return Err(errno(libc::EFBIG));
        }
        let offset = self.misdirected(open.inode, offset);
        let needed = self.tree.image(open.inode).pages_needed(offset, length);
        let is_full = needed > 0 && self.is_full_for(open.inode);
        let free = if is_full { 0 } else { self.capacity_pages.saturating_sub(self.used_pages) };
        let result = if is_full || self.used_pages + needed > self.capacity_pages {
            Err(errno(libc::ENOSPC))
        } else if self.random.chance(self.options.write_error_per_million)
            || self.is_listed(open.inode, &self.faults.fail_writes)
        {
            Err(errno(libc::EIO))
        } else {
            Ok(())
        };
        let page = PAGE_BYTES as u64;
        let fitting =
            if needed > free { (free * page).saturating_sub(offset % page) } else { length };
        let mut left =
            if result.is_ok() { length } else { self.random.below(fitting.min(length) + 1) };
        let early = self.options.early_writeback_per_million;
        let before = self.used_pages;
        self.recharging(open.inode, |image, random| {
            let mut position = offset;
            for buf in bufs {
                let piece = &buf[..buf.len().min(left as usize)];
                if !piece.is_empty() {
                    image.write(position, piece, early, random);
                }
                position += piece.len() as u64;
                left -= piece.len() as u64;
            }
        });
        assert_eq!(left, 0, "all that was to be written is written");
        let taken = self.used_pages - before;
        assert!(taken <= needed, "a write takes {taken} pages, and {needed} were looked for");
        result
    }

    /// Writes all of `data` past the page cache, or fails with any of its sectors on the disk.
    fn write_durable(&mut self, file: &File, data: &[u8], offset: u64) -> io::Result<()> {
        let open = self.writable(file)?;
        if offset.saturating_add(data.len() as u64) > MAX_FILE_BYTES {
            return Err(errno(libc::EFBIG));
        }
        let offset = self.misdirected(open.inode, offset);
        let needed = self.tree.image(open.inode).pages_needed(offset, data.len() as u64);
        let is_full = needed > 0 && self.is_full_for(open.inode);
        let free = if is_full { 0 } else { self.capacity_pages.saturating_sub(self.used_pages) };
        if is_full || self.used_pages + needed > self.capacity_pages {
            // Some of what has room.
            let fitting = data.len().min(free as usize * PAGE_BYTES);
            if fitting > 0 {
                let keep = self.random.survival();
                self.recharging(open.inode, |image, random| {
                    image.write_durable(offset, &data[..fitting], keep, random)
                });
            }
            return Err(errno(libc::ENOSPC));
        }
        let fails = self.random.chance(self.options.write_error_per_million)
            || self.is_listed(open.inode, &self.faults.fail_writes)
            || self.sync_fails(|disk| disk.tree.path(open.inode));
        let keep = if fails { self.random.survival() } else { 256 };
        let before = self.used_pages;
        self.recharging(open.inode, |image, random| {
            image.write_durable(offset, data, keep, random)
        });
        let taken = self.used_pages - before;
        assert!(taken <= needed, "a write takes {taken} pages, and {needed} were looked for");
        if fails { Err(errno(libc::EIO)) } else { Ok(()) }
    }

    fn misdirected(&mut self, inode: u32, offset: u64) -> u64 {
        if !std::mem::take(&mut self.faults.misdirect_write) {
            return offset;
        }
        let pages = self.tree.image(inode).size().div_ceil(PAGE_BYTES as u64);
        self.random.below(pages) * PAGE_BYTES as u64
    }

    /// `path` says what is synced, where that matters.
    fn sync_fails(&mut self, path: impl FnOnce(&Self) -> Option<String>) -> bool {
        if self.faults.fail_fsyncs > 0 {
            self.faults.fail_fsyncs -= 1;
            return true;
        }
        if !self.faults.fail_fsyncs_below.is_empty()
            && let Some(path) = path(self)
            && let Some(at) = self
                .faults
                .fail_fsyncs_below
                .iter()
                .position(|folder| Path::new(&path).starts_with(folder))
        {
            self.faults.fail_fsyncs_below.swap_remove(at);
            return true;
        }
        self.random.chance(self.options.sync_error_per_million)
    }

    fn sync_data(&mut self, file: &File, ticket: u64) -> io::Result<Outcome> {
        let open = self.open_file(file)?;
        assert!(ticket <= self.next_flush, "sync {ticket} ends, and has not begun");
        let fails = self.sync_fails(|disk| disk.tree.path(open.inode));
        let mut synced = false;
        self.recharging(open.inode, |image, random| {
            synced = image.end_flush(ticket, fails, random)
        });
        if synced { Ok(Outcome::Done) } else { Err(errno(libc::EIO)) }
    }

    fn allocate(
        &mut self,
        file: &File,
        offset: u64,
        length: u64,
        keep_size: bool,
    ) -> io::Result<Outcome> {
        let open = self.writable(file)?;
        let end = offset.saturating_add(length);
        if end > MAX_FILE_BYTES {
            return Err(errno(libc::EFBIG));
        }
        let charged = self.tree.image(open.inode).charged_pages();
        let all = self.used_pages;
        assert!(charged <= all, "a file has {charged} pages of {all} that are in use");
        let wanted = end.div_ceil(PAGE_BYTES as u64).max(charged);
        let is_full = wanted > charged && self.is_full_for(open.inode);
        if is_full || self.used_pages - charged + wanted > self.capacity_pages {
            return Err(errno(libc::ENOSPC));
        }
        self.recharging(open.inode, |image, _| image.reserve(offset, length, keep_size));
        Ok(Outcome::Done)
    }

    fn try_lock(&mut self, file: &File) -> io::Result<Outcome> {
        let open = self.open_file(file)?;
        let Handle::Sim(handle) = &file.inner.handle else { unreachable!("checked by open_file") };
        let lock = &mut self.tree.inode(open.inode).lock;
        match lock {
            Some(holder) if *holder != handle.id => {
                assert!(self.handles.contains_key(holder), "a lock is held by no open file");
                Err(errno(libc::EWOULDBLOCK))
            }
            _ => {
                *lock = Some(handle.id);
                Ok(Outcome::Done)
            }
        }
    }

    fn read_dir(&mut self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let names = self.tree.names(path)?;
        let entries = names.into_iter().map(|(name, inode)| match &self.tree.inode(inode).body {
            Body::File(image) => DirEntry { name, is_dir: false, size_bytes: image.size() },
            Body::Directory(_) => DirEntry { name, is_dir: true, size_bytes: 0 },
        });
        Ok(entries.collect())
    }

    /// Changes a file's image and keeps the count of pages in use.
    fn recharging(&mut self, inode: u32, change: impl FnOnce(&mut DiskImage, &mut Random)) {
        let image = self.tree.image(inode);
        let before = image.charged_pages();
        change(image, &mut self.random);
        let (all, after) = (self.used_pages, image.charged_pages());
        assert!(before <= all, "a file had {before} pages of {all} that are in use");
        self.used_pages = all - before + after;
    }

    fn changing(
        &mut self,
        change: impl FnOnce(&mut Tree) -> io::Result<()>,
    ) -> io::Result<Outcome> {
        change(&mut self.tree)?;
        self.commit_early();
        let before = self.used_pages;
        self.recount();
        let after = self.used_pages;
        assert!(after <= before, "{before} pages were in use, and names have made them {after}");
        Ok(Outcome::Done)
    }

    fn commit_early(&mut self) {
        if self.random.chance(self.options.early_writeback_per_million) {
            self.tree.commit_oldest(1);
        }
    }

    pub(super) fn used_pages(&self) -> u64 {
        self.used_pages
    }

    fn recount(&mut self) {
        self.used_pages = self.tree.charged_pages();
    }

    /// An operation was under way when its process or the power died: it has happened in part, or
    /// not at all.
    pub(super) fn interrupt(&mut self, op: &mut Op) {
        match op {
            Op::Write { file, bufs, offset } => {
                let Ok(open) = self.writable(file) else { return };
                let keep = self.random.survival();
                self.recharging(open.inode, |image, random| {
                    let mut position = *offset;
                    for buf in bufs.iter() {
                        image.write_torn(position, buf, keep, random);
                        position += buf.len() as u64;
                    }
                });
            }
            Op::WriteDurable { file, buf, offset, .. } => {
                let Ok(open) = self.writable(file) else { return };
                let keep = self.random.survival();
                let offset = *offset;
                self.recharging(open.inode, |image, random| {
                    image.write_durable(offset, buf, keep, random)
                });
            }
            Op::Truncate { .. }
            | Op::Allocate { .. }
            | Op::Rename { .. }
            | Op::Unlink { .. }
            | Op::CreateDirAll { .. }
            | Op::RemoveDir { .. }
            | Op::Open { .. }
                if self.random.coin() =>
            {
                // What it would have answered matters to no caller.
                drop(self.execute(op, 0));
            }
            _ => {}
        }
    }

    pub(super) fn crash(&mut self) {
        self.handles.clear();
        self.tree.crash(&mut self.random);
        self.hung = false;
        self.hung_below.clear();
        self.recount();
    }

    pub(super) fn kill(&mut self) {
        self.handles.clear();
        self.tree.kill();
        let before = self.used_pages;
        self.recount();
        let after = self.used_pages;
        assert!(after <= before, "{before} pages were in use, and {after} without processes");
    }

    pub(super) fn flip_bit(&mut self, path: &Path, offset: u64) -> io::Result<()> {
        let inode = self.tree.resolve(path)?;
        let bit = self.random.below(8) as u32;
        self.tree.image(inode).flip_bit(offset, bit);
        Ok(())
    }

    /// Cuts a file, in the page cache and on the platter.
    pub(super) fn truncate_raw(&mut self, path: &Path, length: u64) -> io::Result<()> {
        let inode = self.tree.resolve(path)?;
        self.next_flush += 1;
        let flush = self.next_flush;
        self.recharging(inode, |image, random| {
            image.truncate(length);
            image.begin_flush(flush);
            image.end_flush(flush, false, random);
        });
        Ok(())
    }

    /// Removes a file and syncs its folder.
    pub(super) fn remove_raw(&mut self, path: &Path) -> io::Result<()> {
        self.tree.remove(path, false)?;
        let folder = self.tree.resolve_directory(path.parent().unwrap_or(path))?;
        let newest = self.tree.newest_change();
        self.tree.sync(folder, newest);
        self.recount();
        Ok(())
    }

    pub(super) fn read_raw(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        let inode = self.tree.resolve(path)?;
        let image = self.tree.image(inode);
        let mut content = BytesMut::new();
        image.read(0, image.size() as usize, &mut content);
        Ok(content.into())
    }

    pub(super) fn file_names(&self) -> Vec<String> {
        self.tree.files().into_iter().map(|(path, _)| path).collect()
    }
}
