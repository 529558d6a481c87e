//! A test's hands on a simulated disk.

use super::{disk::Disk, state::State};
use std::{cell::RefCell, io, path::Path, rc::Rc};

/// One node's disk, from outside of its node.
#[derive(Clone)]
pub struct DiskControl {
    pub(super) state: Rc<RefCell<State>>,
    pub(super) node: u32,
}

impl DiskControl {
    fn with<T>(&self, work: impl FnOnce(&mut Disk) -> T) -> T {
        work(&mut self.state.borrow_mut().nodes[self.node as usize].disk)
    }

    /// Sets the size of the disk, in whole pages of 4096. What is there stays, even when it is
    /// more.
    pub fn set_capacity_bytes(&self, capacity_bytes: u64) {
        self.with(|disk| disk.capacity_pages = capacity_bytes / super::image::PAGE_BYTES as u64);
    }

    /// Takes all room that is left. What is there stays.
    pub fn fill(&self) {
        self.with(|disk| disk.capacity_pages = disk.used_pages());
    }

    /// Takes all room that is left but for so many pages of 4096 bytes: a write may fail in its
    /// midst.
    pub fn leave_room(&self, pages: u64) {
        self.with(|disk| disk.capacity_pages = disk.used_pages() + pages);
    }

    /// Nothing below this folder may take a page more, as where that is a disk of its own that is
    /// full.
    pub fn fill_below(&self, folder: &str, full: bool) {
        self.with(|disk| {
            disk.faults.full_below.retain(|one| one != folder);
            if full {
                disk.faults.full_below.push(folder.to_owned());
            }
        });
    }

    /// Files beyond so many cannot be opened (`EMFILE`), nor directories read or synced, until
    /// [`DiskControl::heal`].
    pub fn set_open_files_max(&self, max: usize) {
        self.with(|disk| disk.faults.open_files_max = Some(max));
    }

    /// Every call but a sync is refused with `ENOMEM`, until [`DiskControl::heal`].
    pub fn take_memory(&self) {
        self.with(|disk| disk.faults.out_of_memory = true);
    }

    /// The next sync of a file or directory fails, and takes the dirty pages with it.
    pub fn fail_next_fsync(&self) {
        self.with(|disk| disk.faults.fail_fsyncs += 1);
    }

    /// The same for the next sync of what lies below this folder.
    pub fn fail_next_fsync_below(&self, folder: &str) {
        self.with(|disk| disk.faults.fail_fsyncs_below.push(folder.to_owned()));
    }

    /// Every read of a file whose path ends so fails with EIO, until [`DiskControl::heal`].
    pub fn fail_reads(&self, path_suffix: &str) {
        self.with(|disk| disk.faults.fail_reads.push(path_suffix.to_owned()));
    }

    /// Every write to a file whose path ends so fails with EIO, until [`DiskControl::heal`].
    pub fn fail_writes(&self, path_suffix: &str) {
        self.with(|disk| disk.faults.fail_writes.push(path_suffix.to_owned()));
    }

    /// Every removal of a file whose path contains this fails with EIO, until
    /// [`DiskControl::heal`].
    pub fn fail_removals(&self, path_part: &str) {
        self.with(|disk| disk.faults.fail_removals.push(path_part.to_owned()));
    }

    /// The next write lands on a page of its file where it does not belong.
    pub fn misdirect_next_write(&self) {
        self.with(|disk| disk.faults.misdirect_write = true);
    }

    /// While it hangs, operations wait and nothing fails.
    pub fn hang(&self, hung: bool) {
        self.state.borrow_mut().hang_disk(self.node, hung);
    }

    /// The same for what lies below one folder, as where that is a disk of its own. A write that
    /// does not wait for the ring would stop its core there: it panics.
    pub fn hang_below(&self, folder: &str, hung: bool) {
        self.state.borrow_mut().hang_below(self.node, folder, hung);
    }

    /// Ends the faults that were asked for here, and a hang; the capacity stays.
    pub fn heal(&self) {
        self.with(|disk| {
            disk.faults = Default::default();
            disk.hung_below.clear();
        });
        self.hang(false);
    }

    /// Flips one random bit of the byte at `offset`, in the page cache and on the platter.
    pub fn flip_bit(&self, path: impl AsRef<Path>, offset: u64) -> io::Result<()> {
        self.with(|disk| disk.flip_bit(path.as_ref(), offset))
    }

    /// Cuts a file, in the page cache and on the platter.
    pub fn truncate_raw(&self, path: impl AsRef<Path>, length: u64) -> io::Result<()> {
        self.with(|disk| disk.truncate_raw(path.as_ref(), length))
    }

    /// Removes a file, on the platter too.
    pub fn remove_raw(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.with(|disk| disk.remove_raw(path.as_ref()))
    }

    /// A file's content as programs on the node see it.
    pub fn read_raw(&self, path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
        self.with(|disk| disk.read_raw(path.as_ref()))
    }

    /// The paths of all files, sorted.
    pub fn file_names(&self) -> Vec<String> {
        self.with(|disk| disk.file_names())
    }
}
