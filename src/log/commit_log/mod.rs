//! The commit stream: one write-ahead log per core and log directory, from which small appends of
//! many partitions are acknowledged with one flush.
//!
//! The partitions' own files stay the log: they are written through the page cache as ever, and
//! synced lazily, before the stream's space is used again. After a crash the stream is replayed
//! into them and goes; after a clean shutdown there is none. A note beside the files says which
//! frames must be found at least, so that a stream that was emptied or removed is told from one
//! that was never used. [`frame`] says what its bytes are, [`writer`] how they get there,
//! [`replay`] how they are found again.

mod frame;
mod replay;
mod writer;

#[cfg(test)]
mod kept_tests;
#[cfg(test)]
mod tests;

pub use frame::PartitionId;
pub use replay::{Found, ReplayPart, find, give_up, look, remove, set_aside};
pub use writer::{CommitLog, CommitLogOptions, SyncFailed};

use std::path::{Path, PathBuf};

const FILE_PREFIX: &str = "commit-stream-";
const FILE_SUFFIX: &str = ".millstream";
const NOTE_SUFFIX: &str = ".in-use";

/// `commit-stream-CORE-NUMBER.millstream`, beside the partitions' folders: Apache Kafka looks at
/// folders only.
fn file_path(dir: &Path, core: usize, number: usize) -> PathBuf {
    dir.join(format!("{FILE_PREFIX}{core}-{number}{FILE_SUFFIX}"))
}

/// `commit-stream-CORE.in-use`
fn note_path(dir: &Path, core: usize) -> PathBuf {
    dir.join(format!("{FILE_PREFIX}{core}{NOTE_SUFFIX}"))
}

fn is_note_name(name: &str) -> bool {
    name.starts_with(FILE_PREFIX) && name.ends_with(NOTE_SUFFIX)
}

/// A frame that was on the disk: those of its incarnation reach it, or some are lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Note {
    incarnation: u64,
    sequence: u64,
}

impl Note {
    /// `INCARNATION SEQUENCE CRC`: the first and the last in hexadecimal digits, the CRC-32C of
    /// what stands before it.
    fn format(self) -> String {
        let text = format!("{:016x} {} ", self.incarnation, self.sequence);
        let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, text.as_bytes()) as u32;
        format!("{text}{crc:08x}\n")
    }

    fn parse(text: &str) -> Option<Note> {
        let mut words = text.strip_suffix('\n')?.split(' ');
        let incarnation = u64::from_str_radix(words.next()?, 16).ok()?;
        let note = Note { incarnation, sequence: words.next()?.parse().ok()? };
        (note.format() == text).then_some(note)
    }
}

fn is_file_name(name: &str) -> bool {
    name.starts_with(FILE_PREFIX) && name.ends_with(FILE_SUFFIX)
}
