//! What a start changes in the folder of a log. It is gathered while the log is read, and done once
//! all of it was found good: a log that is refused keeps every file as it was.
//!
//! Owns: the list, in the order in which it is done. Lives on the core that opens the log. Never:
//! removes good batches. Those that cannot be kept in the log stay beside it, under names that
//! neither Apache Kafka nor this broker takes for a segment.

use super::indexes::rebuild_indexes;
use crate::log::{
    LogConfig, LogError,
    files::{self, remove_if_there},
    segment::{Segment, SegmentFile},
};
use bytes::Bytes;
use ring::{OpenOptions, Ring};
use std::{
    cell::RefCell,
    fmt, io,
    path::{Path, PathBuf},
    rc::Rc,
};

/// How much is copied at a time.
const COPY_BYTES: u64 = 1 << 20;

pub(in crate::log) enum Change {
    CreateDir,
    /// `partition.metadata`. Its name may be lost in a power cut: it is written anew then.
    WriteTopicId(Bytes),
    /// A file that is derived from batches, or left of an earlier run.
    Remove(String),
    /// Cuts the index files to the part that is kept.
    TrimIndexes(Rc<Segment>),
    /// Writes the entries that are kept once more: they come from the page cache, which may hold
    /// what a failed sync did not bring to the disk.
    RewriteIndexes {
        segment: Rc<Segment>,
        entries: [(SegmentFile, Bytes); 3],
    },
    RebuildIndexes(Rc<Segment>),
    Truncation(Truncation),
    SetAside {
        from: String,
        to: String,
    },
    /// The first files of an empty log. Durably, with the folder that they are in.
    CreateSegment(Rc<Segment>),
}

/// A `.log` file is cut behind its last good batch.
pub(in crate::log) struct Truncation {
    pub segment: Rc<Segment>,
    pub size_bytes: u64,
    pub valid_bytes: u64,
    /// The file that keeps the bytes cut off, where they have good batches.
    pub kept_as: Option<String>,
}

/// The text about a change; empty for one that loses nothing.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::CreateDir
            | Change::WriteTopicId(_)
            | Change::CreateSegment(_)
            | Change::TrimIndexes(_)
            | Change::RewriteIndexes { .. } => Ok(()),
            Change::Remove(name) => write!(f, "{name} is removed"),
            Change::RebuildIndexes(segment) => {
                write!(
                    f,
                    "an index file of {} is missing or damaged: it is built anew",
                    segment_name(segment)
                )
            }
            Change::Truncation(Truncation { segment, size_bytes, valid_bytes, kept_as }) => {
                let lost = size_bytes - valid_bytes;
                write!(
                    f,
                    "{} is cut to {valid_bytes} bytes, {lost} bytes go",
                    segment_name(segment)
                )?;
                kept_as.as_ref().map_or(Ok(()), |name| {
                    write!(f, ": they have good batches, and are kept in {name}")
                })
            }
            Change::SetAside { from, to } => {
                write!(
                    f,
                    "{from} follows what was lost: it is no part of the log any more, and is kept \
                     as {to}"
                )
            }
        }
    }
}

fn segment_name(segment: &Segment) -> String {
    files::name(segment.base_offset, files::LOG)
}

#[derive(Default)]
pub(in crate::log) struct Changes(RefCell<Vec<Change>>);

impl Changes {
    pub fn add(&self, change: Change) {
        self.0.borrow_mut().push(change);
    }

    /// What will be said of those that lose or mend something, and whether that tells of harm: a
    /// torn end does not.
    pub fn told(&self) -> Vec<(bool, String)> {
        let changes = self.0.borrow();
        let told = changes.iter().filter(|change| change.is_told());
        told.map(|change| (matches!(change, Change::RebuildIndexes(_)), change.to_string()))
            .collect()
    }

    /// Does all of it; each file is closed again: there may be more segments than files that may be
    /// open. After an error the next start finds the rest of the work.
    pub async fn apply(self, ring: &Ring, dir: &Path, config: &LogConfig) -> Result<(), LogError> {
        for change in self.0.into_inner() {
            if change.is_told() {
                tracing::warn!(dir = %dir.display(), "recovery: {change}");
            }
            change.apply(ring, dir, config).await?;
        }
        Ok(())
    }
}

impl Change {
    fn is_told(&self) -> bool {
        matches!(self, Change::Truncation(_) | Change::SetAside { .. } | Change::RebuildIndexes(_))
    }

    pub async fn apply(self, ring: &Ring, dir: &Path, config: &LogConfig) -> Result<(), LogError> {
        let (what, path, result) = match self {
            Change::CreateDir => ("creating", dir.to_owned(), ring.create_dir_all(dir).await),
            Change::WriteTopicId(text) => {
                let path = dir.join(files::PARTITION_METADATA);
                ("writing", path.clone(), ring.replace_file(path, text).await)
            }
            Change::Remove(name) => {
                let path = dir.join(name);
                ("removing", path.clone(), remove_if_there(ring, &path).await)
            }
            Change::TrimIndexes(segment) => {
                let result = segment.trim_indexes(ring, dir).await;
                segment.close_idle_files(false);
                ("cutting indexes of", path_of(dir, &segment), result)
            }
            Change::RewriteIndexes { segment, entries } => {
                let result = rewrite_indexes(ring, dir, &segment, entries).await;
                segment.close_idle_files(false);
                ("writing indexes of", path_of(dir, &segment), result)
            }
            Change::RebuildIndexes(segment) => {
                let result = rebuild_indexes(ring, dir, config, &segment).await;
                segment.close_idle_files(false);
                ("rebuilding indexes of", path_of(dir, &segment), result)
            }
            Change::Truncation(truncation) => {
                ("cutting", path_of(dir, &truncation.segment), truncation.apply(ring, dir).await)
            }
            Change::SetAside { from, to } => {
                assert_ne!(from, to, "what is kept aside has another name than before");
                let path = dir.join(from);
                ("setting aside", path.clone(), ring.rename(path, dir.join(to)).await)
            }
            Change::CreateSegment(segment) => {
                ("creating", path_of(dir, &segment), create_segment(ring, dir, &segment).await)
            }
        };
        result.map_err(LogError::io(what, path))
    }
}

async fn rewrite_indexes(
    ring: &Ring,
    dir: &Path,
    segment: &Rc<Segment>,
    entries: [(SegmentFile, Bytes); 3],
) -> io::Result<()> {
    for (part, bytes) in entries {
        let (kept, length) = (segment.index_bytes(part), bytes.len() as u64);
        assert_eq!(kept, length, "{part:?} of {segment} has just the entries that are written");
        if length > 0 {
            ring.write_at(&segment.file(ring, dir, part).await?, vec![bytes], 0).await?;
        }
    }
    Ok(())
}

impl Truncation {
    /// Durably: a later start may find the segment below its recovery point, and believe its size.
    async fn apply(self, ring: &Ring, dir: &Path) -> io::Result<()> {
        let (size_bytes, valid_bytes) = (self.size_bytes, self.valid_bytes);
        assert!(valid_bytes < size_bytes, "a file of {size_bytes} bytes is cut to {valid_bytes}");
        let file = self.segment.file(ring, dir, SegmentFile::Log).await?;
        if let Some(name) = self.kept_as {
            let path = dir.join(name);
            let copy =
                ring.open(&path, OpenOptions { truncate: true, ..OpenOptions::write() }).await?;
            let mut position = self.valid_bytes;
            while position < self.size_bytes {
                let length = COPY_BYTES.min(self.size_bytes - position);
                let bytes = ring.read_exact_at(&file, position, length as usize).await?;
                ring.write_at(&copy, vec![bytes.freeze()], position - self.valid_bytes).await?;
                position += length;
            }
            ring.sync_data(&copy).await?;
            ring.sync_dir(dir).await?;
        }
        ring.truncate(&file, self.valid_bytes).await?;
        ring.sync_data(&file).await
    }
}

async fn create_segment(ring: &Ring, dir: &Path, segment: &Segment) -> io::Result<()> {
    let size = segment.size_bytes.get();
    assert_eq!(size, 0, "the first files of a log are made, and {segment} has batches");
    // First: a start that finds the files believes that the folder's own name is safe.
    ring.sync_dir(dir.parent().expect("a log's folder is in a log directory")).await?;
    for part in [SegmentFile::Log, SegmentFile::Offsets, SegmentFile::Times] {
        segment.file(ring, dir, part).await?;
    }
    ring.sync_dir(dir).await?;
    segment.close_files();
    Ok(())
}

fn path_of(dir: &Path, segment: &Segment) -> PathBuf {
    files::path(dir, segment.base_offset, files::LOG)
}
