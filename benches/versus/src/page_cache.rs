//! Brings the machine to the state of a broker in production: a page cache that is full.
//!
//! On a virtual machine the first touch of a page of memory costs a fault in the host, 1 to 2 s of
//! system time per GB, and free pages go back to the host and cost it again. A broker that writes
//! into free memory measures that: 0.33 CPU-s per million records of 100 B instead of 0.10. Where
//! the page cache is full, a new page is one that was recycled.
//!
//! Owns: one sparse file, which is read from its beginning to its end and never twice. Its pages
//! are clean, so they cost no disk and go first when a broker needs them.

use anyhow::Context;
use rustix::fs::{Advice, fadvise};
use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// The kernel keeps some pages free, sometimes gigabytes of them, and recycles before none is left:
/// filling ends when reading a step makes no less of them.
const STEP_MIB: u64 = 512;
const SETTLED_MIB: u64 = 32;
/// So many free more than when filling last ended: there is something to fill.
const REFILL_MIB: u64 = 512;
/// Ext4 takes files of 16 TiB; no run reads as much as this.
const FILE_BYTES: u64 = 8 << 40;
const BUFFER_BYTES: usize = 1 << 20;

pub struct Filler {
    path: PathBuf,
    file: File,
    position: u64,
    buffer: Vec<u8>,
    /// What was free when filling last ended.
    settled_mib: u64,
}

impl Filler {
    pub fn new(dir: &Path) -> anyhow::Result<Filler> {
        let path = dir.join("page-cache-filler");
        let hint = || {
            format!("cannot make {}: give another --dir, or --page-cache as-it-is", path.display())
        };
        let file = File::options()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(&path)
            .with_context(hint)?;
        file.set_len(FILE_BYTES).with_context(hint)?;
        Ok(Filler { path, file, position: 0, buffer: vec![0; BUFFER_BYTES], settled_mib: 0 })
    }

    /// Fills the free memory, if that is much.
    pub fn top_up(&mut self) -> anyhow::Result<()> {
        let mut free = free_mib()?;
        if free <= self.settled_mib + REFILL_MIB {
            return Ok(());
        }
        eprintln!("filling the page cache: {free} MiB are free");
        loop {
            self.read(STEP_MIB)?;
            let before = std::mem::replace(&mut free, free_mib()?);
            if free + SETTLED_MIB > before {
                self.settled_mib = free;
                return Ok(());
            }
        }
    }

    fn read(&mut self, mib: u64) -> anyhow::Result<()> {
        for _ in 0..mib {
            self.file
                .read_exact_at(&mut self.buffer, self.position)
                .context("reading the page cache's filler")?;
            self.position += BUFFER_BYTES as u64;
        }
        Ok(())
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

pub fn free_mib() -> anyhow::Result<u64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemFree:"))
        .context("MemFree in /proc/meminfo")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? / 1024)
}

/// Takes all files below `dir` out of the page cache.
pub fn drop_files(dir: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let path = entry?.path();
        // A broker may delete and rename meanwhile.
        let Ok(kind) = fs::symlink_metadata(&path) else { continue };
        if kind.is_dir() {
            drop_files(&path)?;
        } else if kind.is_file()
            && let Ok(file) = File::open(&path)
        {
            // Pages that are not yet on the disk would stay.
            file.sync_all()?;
            fadvise(&file, 0, None, Advice::DontNeed)?;
        }
    }
    Ok(())
}
