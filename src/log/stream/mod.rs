//! The commit stream: one write-ahead log per core and log directory, from which small appends of many partitions are
//! acknowledged with one flush.
//!
//! The partitions' own files stay the log: they are written through the page cache as ever, and synced lazily, before
//! the stream's space is used again. After a crash the stream is replayed into them and goes; after a stop in order there
//! is none. [`frame`] says what its bytes are, [`writer`] how they get there, [`replay`] how they are found again.

mod frame;
mod replay;
mod writer;

#[cfg(test)]
mod tests;

pub use frame::PartitionId;
pub use replay::{Found, ReplayPart, find, remove, set_aside};
pub use writer::{Stream, StreamOptions, SyncFailed};

use std::path::{Path, PathBuf};

const FILE_PREFIX: &str = "commit-stream-";
const FILE_SUFFIX: &str = ".millstream";

/// `commit-stream-CORE-NUMBER.millstream`, beside the partitions' folders: Apache Kafka looks at folders only.
fn file_path(dir: &Path, core: usize, number: usize) -> PathBuf {
    dir.join(format!("{FILE_PREFIX}{core}-{number}{FILE_SUFFIX}"))
}

fn is_file_name(name: &str) -> bool {
    name.starts_with(FILE_PREFIX) && name.ends_with(FILE_SUFFIX)
}
