//! What can go wrong with a log, for the client (a Kafka error code) and for the operator (a
//! sentence).

use super::{files::parse_partition_dir, producers::ProducerError};
use protocol::ErrorCode;
use std::{
    io,
    path::{Path, PathBuf},
};

/// What an operator can do about an error that passes ([`ring::passes`]).
pub fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        _ if ring::is_out_of_files(error) => {
            "raise the limit of open files (LimitNOFILE= of the service, ulimit -n)"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "make room on the disk, or lower retention"
        }
        io::ErrorKind::FileTooLarge => {
            "raise the limit of file sizes (LimitFSIZE= of the service, ulimit -f)"
        }
        _ => "give it more memory, if this goes on",
    }
}

/// A log or a log directory that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("{what} {}: {source}", path.display())]
    Io { what: &'static str, path: PathBuf, source: io::Error },
    /// Less than what was synced. Nothing was changed.
    #[error(
        "{}: {fault}. Records up to offset {synced_offset} were synced, so the disk or another \
         program has harmed it. \
         Nothing of this log is served, and all its files stay as they are. Restore the file from \
         a backup, or stop the \
         broker and type `millstream log check {}`: it says what is left, and how to serve \
         that", path.display(),
        log_dir_of(path).display()
    )]
    Damaged {
        /// The file, or the folder where that is gone.
        path: PathBuf,
        fault: Fault,
        /// Below this offset everything had been on the disk.
        synced_offset: i64,
    },
    #[error("{} belongs to topic id {found}, not {expected}: a leftover of a deleted topic? Move \
        the folder away", path.display())]
    WrongTopicId { path: PathBuf, found: String, expected: String },
    #[error("{}: {detail}. `millstream log check {}` says what to \
        do", path.display(), log_dir_of(path).display())]
    BadFile { path: PathBuf, detail: String },
    #[error("{} is in use: another broker holds its lock", path.display())]
    Locked { path: PathBuf },
}

/// What is wrong with a file of a log that was on the disk whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("it is gone")]
    Missing,
    #[error("it has no segment")]
    NoSegment,
    #[error("it ends at byte {size_bytes}, but had {expected_bytes} bytes when it was closed")]
    Shorter { size_bytes: u64, expected_bytes: u64 },
    #[error("the batch at byte {position}, with offset {offset} or a later one, is damaged: \
        {reason}{}", behind(*good_behind))]
    BadBatch { position: u64, offset: i64, reason: String, good_behind: bool },
    #[error(
        "it ends at byte {position} with offset {end_offset}, but must reach offset \
         {expected_offset}"
    )]
    Ends { position: u64, end_offset: i64, expected_offset: i64 },
    #[error("it begins below offset {offset}, where the segment before it ends")]
    Overlaps { offset: i64 },
    /// Of a commit stream's file.
    #[error("its records of this log from offset {from} on do not follow its end at {end_offset}")]
    StreamGap { from: i64, end_offset: i64 },
    #[error("its records of this log cannot be taken: {reason}")]
    StreamRecords { reason: String },
}

fn behind(good: bool) -> &'static str {
    if good { "; good batches follow it" } else { "" }
}

/// The log directory of a file that can be damaged: that of a partition, its folder, or a file
/// beside the folders.
pub fn log_dir_of(path: &Path) -> &Path {
    let is_folder = |path: &&Path| {
        path.file_name().and_then(|name| parse_partition_dir(name.to_str()?)).is_some()
    };
    let folder = path.ancestors().take(2).find(is_folder).unwrap_or(path);
    folder.parent().unwrap_or(folder)
}

impl LogError {
    /// Whether it is worth another try, with nothing done but waiting.
    pub fn passes(&self) -> bool {
        matches!(self, LogError::Io { source, .. } if ring::passes(source))
    }

    pub(super) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> LogError {
        let path = path.into();
        move |source| LogError::Io { what, path, source }
    }
}

/// An append that was refused. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// KAFKA_STORAGE_ERROR
    #[error("the log takes no appends: {0}")]
    Storage(String),
    /// RECORD_LIST_TOO_LARGE
    #[error("the records take {size_bytes} bytes, a segment {segment_bytes}")]
    LargerThanSegment { size_bytes: usize, segment_bytes: u32 },
    /// OFFSET_OUT_OF_RANGE: a leader sent what does not follow our log.
    #[error("the records start at offset {base_offset}, the log ends at {log_end_offset}")]
    NotNext { base_offset: i64, log_end_offset: i64 },
    /// CORRUPT_MESSAGE
    #[error("malformed records: {0}")]
    Malformed(#[from] protocol::records::RecordsError),
    #[error(transparent)]
    Producer(#[from] ProducerError),
}

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// OFFSET_OUT_OF_RANGE
    #[error(
        "offset {offset} is out of range: the log holds {log_start_offset} to {log_end_offset}"
    )]
    OffsetOutOfRange { offset: i64, log_start_offset: i64, log_end_offset: i64 },
    /// KAFKA_STORAGE_ERROR
    #[error("reading the log: {0}")]
    Io(#[from] io::Error),
}

impl AppendError {
    /// What the client sees.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Storage(_) => ErrorCode::KafkaStorageError,
            Self::LargerThanSegment { .. } => ErrorCode::RecordListTooLarge,
            Self::NotNext { .. } => ErrorCode::OffsetOutOfRange,
            Self::Malformed(_) => ErrorCode::CorruptMessage,
            Self::Producer(refused) => refused.error,
        }
    }
}

impl ReadError {
    /// What the client sees.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::OffsetOutOfRange { .. } => ErrorCode::OffsetOutOfRange,
            Self::Io(_) => ErrorCode::KafkaStorageError,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_of_a_log_directory() {
        for name in [
            "topic-0/00000000000000000000.log",
            "topic-0",
            "commit-stream-0-1.millstream",
            "meta.properties",
        ] {
            assert_eq!(log_dir_of(&Path::new("/data").join(name)), Path::new("/data"), "{name}");
        }
    }
}
