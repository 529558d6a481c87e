//! The segment in the making: what stays of a group, in files that end in `.cleaned`.
//!
//! Owns: those files and the books of the new segment. Lives on the core of the log. Never: is part
//! of the log; a start removes what is left of it.

use super::CleanError;
use crate::log::{
    AbortedTransaction, Log, files,
    segment::{Segment, SegmentFile},
};
use bytes::Bytes;
use protocol::records::BatchHeader;
use ring::{ALIGNMENT, AlignedBuf, File, OpenOptions};
use std::{
    path::{Path, PathBuf},
    rc::Rc,
};

/// What one write carries to the disk.
const WRITE_BYTES: usize = 64 * ALIGNMENT;

pub struct Output<'a> {
    log: &'a Log,
    segment: Segment,
    file: File,
    /// Goes to the disk past the page cache as soon as it is full.
    buffer: AlignedBuf,
    written: u64,
    index_interval_bytes: u32,
}

/// `DIR/BASE.EXTENSION.cleaned`
pub fn path(dir: &Path, base_offset: i64, part: SegmentFile, suffix: &str) -> PathBuf {
    files::path(dir, base_offset, &format!("{}{suffix}", part.extension()))
}

impl<'a> Output<'a> {
    pub async fn create(
        log: &'a Log,
        base_offset: i64,
        created_ms: i64,
    ) -> Result<Self, CleanError> {
        let _guard = log.0.files_lock.lock().await;
        if log.has_ended() {
            // The folder may be another log's by now.
            return Err(CleanError::Cancelled);
        }
        let options = OpenOptions { truncate: true, ..OpenOptions::write() };
        let path = path(&log.dir(), base_offset, SegmentFile::Log, files::CLEANED_SUFFIX);
        let (file, _) = log.0.ring.open_direct(path, options).await?;
        Ok(Self {
            log,
            segment: Segment::new(base_offset, created_ms),
            file,
            buffer: AlignedBuf::default(),
            written: 0,
            index_interval_bytes: log.config().index_interval_bytes,
        })
    }

    pub fn size_bytes(&self) -> u64 {
        u64::from(self.segment.size_bytes.get())
    }

    pub fn abort(&self, one: AbortedTransaction) {
        self.segment.aborted.borrow_mut().push(one);
    }

    /// A whole batch behind those before it.
    pub async fn append(&mut self, batch: &[u8]) -> Result<(), CleanError> {
        let header = BatchHeader::view(batch).expect("a batch has a header");
        if self.size_bytes() + batch.len() as u64 > i32::MAX as u64 {
            let text = format!("what stays of {} is larger than a segment may be", self.segment);
            return Err(CleanError::Impossible(text));
        }
        self.segment.add_batch(header, batch.len() as u32, self.index_interval_bytes);
        let mut rest = batch;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(WRITE_BYTES - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            rest = later;
            if self.buffer.len() == WRITE_BYTES {
                self.write().await?;
            }
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<(), CleanError> {
        let buffer = std::mem::take(&mut self.buffer);
        assert!(self.written.is_multiple_of(ALIGNMENT as u64), "writes are of whole pages");
        let length = buffer.len() as u64;
        let (result, buffer) =
            self.log.0.ring.write_durable(&self.file, buffer, self.written).await;
        result?;
        self.buffer = buffer;
        self.buffer.clear();
        self.written += length;
        Ok(())
    }

    /// Everything of it is on the disk; the segment has no file open.
    pub async fn finish(mut self) -> Result<Rc<Segment>, CleanError> {
        let (log, size_bytes) = (self.log, self.size_bytes());
        assert!(size_bytes > 0, "the last batch of {} has stayed", self.segment);
        if !self.buffer.is_empty() {
            self.buffer.pad();
            self.write().await?;
        }
        let ring = &log.0.ring;
        ring.truncate(&self.file, size_bytes).await?;
        ring.sync_data(&self.file).await?;
        let segment = self.segment;
        segment.add_time_entry();
        segment.set_exists(SegmentFile::Log, true);
        segment.wrote(0, size_bytes as usize);
        segment.synced_to(size_bytes as u32);
        for part in [SegmentFile::Offsets, SegmentFile::Times, SegmentFile::Aborted] {
            let (_, _, bytes, count) = segment.unflushed(part);
            if part == SegmentFile::Aborted && count == 0 {
                continue;
            }
            write_index(log, segment.base_offset, part, bytes).await?;
            segment.flushed(part, count);
            segment.set_exists(part, true);
        }
        segment.aborted.borrow_mut().synced(u32::MAX);
        segment.set_indexes_synced();
        segment.check_synced();
        Ok(Rc::new(segment))
    }
}

async fn write_index(
    log: &Log,
    base_offset: i64,
    part: SegmentFile,
    bytes: Bytes,
) -> Result<(), CleanError> {
    let (ring, _guard) = (&log.0.ring, log.0.files_lock.lock().await);
    if log.has_ended() {
        return Err(CleanError::Cancelled);
    }
    let options = OpenOptions { truncate: true, ..OpenOptions::write() };
    let file =
        ring.open(path(&log.dir(), base_offset, part, files::CLEANED_SUFFIX), options).await?;
    if !bytes.is_empty() {
        ring.write_at(&file, vec![bytes], 0).await?;
    }
    Ok(ring.sync_data(&file).await?)
}

/// Removes what a pass has left of a segment, as far as that can be.
pub async fn discard(log: &Log, base_offset: i64) {
    let _guard = log.0.files_lock.lock().await;
    if log.has_ended() {
        return;
    }
    for part in SegmentFile::ALL {
        let path = path(&log.dir(), base_offset, part, files::CLEANED_SUFFIX);
        if let Err(error) = files::remove_if_there(&log.0.ring, &path).await {
            tracing::warn!(path = %path.display(), %error, "what a pass of the cleaner has left \
                cannot be removed: the next start does");
        }
    }
}
