//! The bytes on disk: groups of received bytes that are written at once, and blocks of record
//! batches that are read.
//!
//! Owns: the files below the sink's folder, all of which may go. Never: looks into what it writes.

use crate::{
    answers::BLOCK_BYTES,
    options::{Mode, Options},
};
use anyhow::Context;
use protocol::records::BatchBuilder;
use rustix::{
    fs::OFlags,
    io::{Errno, ReadWriteFlags, pwritev2},
};
use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, IoSlice},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// What O_DIRECT asks of addresses, offsets and lengths.
const ALIGNMENT: usize = 4096;
/// Bytes that are received before they are written, at most: a multiple of the alignment.
pub const GROUP_BYTES: usize = 1 << 20;
/// As the brokers have it in `benches/versus`.
const SEGMENT_BYTES: u64 = 64 << 20;
const SEGMENTS_KEPT: usize = 3;
/// The file that is written past the page cache, again and again.
const DIRECT_FILE_BYTES: u64 = 256 << 20;
/// As much as consumers read of the brokers' logs' ends in `benches/versus`.
const HOT_BLOCKS: usize = 16;
const FILE_BLOCKS: u64 = 1024;
const RECORD_BYTES: usize = 1024;
const BATCH_RECORDS: usize = 62;

/// Bytes at an aligned address.
pub struct Aligned {
    bytes: Vec<u8>,
    start: usize,
    length: usize,
}

impl Aligned {
    pub fn new(length: usize) -> Aligned {
        let bytes = vec![0; length + ALIGNMENT];
        let start = bytes.as_ptr().align_offset(ALIGNMENT);
        Aligned { bytes, start, length }
    }

    pub fn get(&self) -> &[u8] {
        &self.bytes[self.start..self.start + self.length]
    }

    pub fn get_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + self.length]
    }
}

/// Received bytes, in the order in which they came, to be written at once.
pub struct Group {
    buffer: Aligned,
    filled: usize,
}

impl Default for Group {
    fn default() -> Group {
        Group { buffer: Aligned::new(GROUP_BYTES), filled: 0 }
    }
}

impl Group {
    /// Where the next bytes go.
    pub fn room(&mut self) -> &mut [u8] {
        let filled = self.filled;
        &mut self.buffer.get_mut()[filled..]
    }

    pub fn is_full(&self) -> bool {
        // A read into very little room is a system call for very little.
        self.filled + GROUP_BYTES / 16 > GROUP_BYTES
    }

    /// The first `count` bytes of the room have been filled; returns them.
    pub fn fill(&mut self, count: usize) -> &[u8] {
        self.filled += count;
        &self.buffer.get()[self.filled - count..self.filled]
    }
}

pub enum Storage {
    Nothing,
    PageCache { dir: PathBuf, files: VecDeque<(PathBuf, File)>, position: u64, rolled: u64 },
    Disk { file: File, position: u64 },
}

impl Storage {
    pub fn new(options: &Options) -> anyhow::Result<Storage> {
        match options.mode {
            Mode::PageCache => {
                make(&options.dir)?;
                let dir = options.dir.clone();
                Ok(Storage::PageCache {
                    dir,
                    files: VecDeque::new(),
                    position: SEGMENT_BYTES,
                    rolled: 0,
                })
            }
            Mode::Disk => {
                make(&options.dir)?;
                let path = options.dir.join("written-past-the-page-cache");
                let file = open_direct(&path, true)?;
                let zeros = Aligned::new(GROUP_BYTES);
                for at in (0..DIRECT_FILE_BYTES).step_by(GROUP_BYTES) {
                    file.write_all_at(zeros.get(), at)?;
                }
                file.sync_all()?;
                Ok(Storage::Disk { file, position: 0 })
            }
            _ => Ok(Storage::Nothing),
        }
    }

    /// Puts the group down and empties it. In mode `disk` it is on the disk then.
    pub fn write(&mut self, group: &mut Group) -> io::Result<()> {
        let filled = std::mem::take(&mut group.filled);
        match self {
            Storage::Nothing => Ok(()),
            Storage::PageCache { dir, files, position, rolled } => {
                if *position >= SEGMENT_BYTES {
                    let path = dir.join(format!("{rolled:020}.log"));
                    files.push_back((path.clone(), File::create(path)?));
                    (*position, *rolled) = (0, *rolled + 1);
                    if files.len() > SEGMENTS_KEPT {
                        files.pop_front().map_or(Ok(()), |(path, _)| fs::remove_file(path))?;
                    }
                }
                let (_, file) = files.back().expect("rolled when there was none");
                file.write_all_at(&group.buffer.get()[..filled], *position)?;
                *position += filled as u64;
                Ok(())
            }
            Storage::Disk { file, position } => {
                let length = filled.next_multiple_of(ALIGNMENT);
                if *position + length as u64 > DIRECT_FILE_BYTES {
                    *position = 0;
                }
                let slice = [IoSlice::new(&group.buffer.get()[..length])];
                let written = pwritev2(&*file, &slice, *position, ReadWriteFlags::DSYNC)?;
                if written < length {
                    return Err(io::Error::other("the disk took a part of a write only"));
                }
                *position += length as u64;
                Ok(())
            }
        }
    }
}

/// The blocks that fetches are answered with, one after another.
pub enum Blocks {
    None,
    Hot(Vec<u8>),
    /// In the page cache.
    Warm(File),
    /// Past it.
    Cold(File),
}

impl Blocks {
    pub fn new(options: &Options) -> anyhow::Result<Blocks> {
        if !options.mode.fetches() {
            return Ok(Blocks::None);
        }
        let block = block();
        if options.mode == Mode::FetchHot {
            return Ok(Blocks::Hot(block.repeat(HOT_BLOCKS)));
        }
        make(&options.dir)?;
        let path = options.dir.join("fetched.log");
        let file =
            OpenOptions::new().create(true).truncate(true).read(true).write(true).open(&path)?;
        for index in 0..FILE_BLOCKS {
            file.write_all_at(&block, index * BLOCK_BYTES as u64)?;
        }
        file.sync_all()?;
        if options.mode == Mode::FetchWarm {
            return Ok(Blocks::Warm(file));
        }
        drop(file);
        Ok(Blocks::Cold(open_direct(&path, false)?))
    }

    /// Where block number `index` begins in its file; numbers go on for ever.
    pub fn offset(index: u64) -> u64 {
        index % FILE_BLOCKS * BLOCK_BYTES as u64
    }

    /// Block number `index`: where it lies, or read into `buffer`.
    pub fn get<'a>(&'a self, index: u64, buffer: &'a mut Aligned) -> io::Result<&'a [u8]> {
        match self {
            Blocks::None => Err(io::Error::other("this mode does not fetch")),
            Blocks::Hot(bytes) => {
                let start = index as usize % HOT_BLOCKS * BLOCK_BYTES;
                Ok(&bytes[start..start + BLOCK_BYTES])
            }
            Blocks::Warm(file) | Blocks::Cold(file) => {
                file.read_exact_at(buffer.get_mut(), Blocks::offset(index))?;
                Ok(buffer.get())
            }
        }
    }
}

/// Batches as a producer of large batches makes them; the last one is cut off, as it may be in any
/// fetch.
fn block() -> Vec<u8> {
    let value = [0x5a; RECORD_BYTES];
    let mut builder = BatchBuilder::new(0);
    (0..BATCH_RECORDS).for_each(|_| builder.append(0, None, Some(&value), &[]));
    let batch = builder.build();
    let mut block = batch.repeat(BLOCK_BYTES.div_ceil(batch.len()));
    block.truncate(BLOCK_BYTES);
    block
}

fn make(dir: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(dir)
        .with_context(|| format!("cannot make {}: give another --dir", dir.display()))
}

fn open_direct(path: &Path, write: bool) -> anyhow::Result<File> {
    let flags = OFlags::DIRECT.bits() as i32;
    let opened =
        OpenOptions::new().create(write).read(true).write(write).custom_flags(flags).open(path);
    opened.map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::INVAL) => {
            anyhow::anyhow!(
                "{}: no O_DIRECT on this file system: give another --dir",
                path.display()
            )
        }
        _ => anyhow::anyhow!("cannot open {}: {error}", path.display()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::records;

    #[test]
    fn a_block_holds_whole_batches_and_ends_in_one_that_is_cut_off() {
        let block = block();
        let batches: Vec<_> = records::batches(&block).map_while(Result::ok).collect();
        assert_eq!((block.len(), batches.len()), (BLOCK_BYTES, 16));
        assert!(batches.iter().all(records::Batch::crc_is_valid));
    }

    #[test]
    fn a_group_gives_back_what_was_put_in() {
        let mut group = Group::default();
        group.room()[..3].copy_from_slice(b"abc");
        assert_eq!(group.fill(3), b"abc");
        group.room()[..2].copy_from_slice(b"de");
        assert_eq!(group.fill(2), b"de");
        assert_eq!(&group.buffer.get()[..5], b"abcde");
        assert_eq!(group.buffer.get().as_ptr().align_offset(ALIGNMENT), 0);
    }
}
