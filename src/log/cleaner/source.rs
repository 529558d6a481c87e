//! The batches of a closed segment, one after the other, past the page cache.
//!
//! Owns: one chunk of the file. Lives on the core of the log. Never: trusts a header: what does not
//! follow what lies before it, or has another checksum, is damage.

use super::CleanError;
use crate::{
    log::{
        Log, files,
        segment::{Segment, SegmentFile},
    },
    pace::TurnBudget,
};
use bytes::{Buf, Bytes};
use protocol::records::{Batch, CHECKSUM_BYTES, Checksum, RecordsError};
use ring::{File, Ring};
use std::path::PathBuf;

pub struct Source<'a> {
    ring: &'a Ring,
    file: File,
    path: PathBuf,
    /// Of the first byte of `chunk` in the file.
    position: u64,
    size_bytes: u64,
    chunk: Bytes,
    chunk_bytes: usize,
    batch_bytes_max: usize,
    next_offset: i64,
    end_offset: i64,
}

impl<'a> Source<'a> {
    /// The batches from `position` on, where one begins. All of them end below `end_offset`, or
    /// there.
    pub async fn open(
        log: &'a Log,
        segment: &Segment,
        position: u64,
        end_offset: i64,
        (chunk_bytes, batch_bytes_max): (usize, usize),
    ) -> Result<Self, CleanError> {
        let dir = log.dir();
        let file = segment.file(&log.0.ring, &dir, SegmentFile::Log).await?;
        Ok(Self {
            ring: &log.0.ring,
            file,
            path: files::path(&dir, segment.base_offset, files::LOG),
            position,
            size_bytes: u64::from(segment.size_bytes.get()),
            chunk: Bytes::new(),
            chunk_bytes,
            batch_bytes_max,
            next_offset: segment.base_offset,
            end_offset,
        })
    }

    /// Every batch was given.
    pub fn is_at_end(&self) -> bool {
        self.position == self.size_bytes
    }

    /// The next batch, checked; `None` at the end.
    pub async fn next(&mut self, budget: &mut TurnBudget<'_>) -> Result<Option<Bytes>, CleanError> {
        let mut wanted = self.chunk_bytes;
        while !self.is_at_end() {
            let left = (self.size_bytes - self.position) as usize;
            match Batch::parse(&self.chunk) {
                Ok(batch) => {
                    let size_bytes = batch.size_bytes();
                    if let Some(reason) = self.fault(&batch, budget).await {
                        return Err(self.damaged(reason));
                    }
                    self.next_offset = batch.next_offset();
                    let bytes = self.chunk.slice(..size_bytes);
                    self.chunk.advance(size_bytes);
                    self.position += size_bytes as u64;
                    assert!(self.position <= self.size_bytes, "a batch ends within its file");
                    return Ok(Some(bytes));
                }
                Err(RecordsError::Truncated { needed_bytes, .. })
                    if needed_bytes > self.batch_bytes_max =>
                {
                    let most = self.batch_bytes_max;
                    return Err(self.damaged(format!("it has {needed_bytes} bytes, of {most}")));
                }
                Err(RecordsError::Truncated { needed_bytes, .. })
                    if needed_bytes <= left && self.chunk.len() < left =>
                {
                    wanted = wanted.max(needed_bytes);
                    self.chunk = Bytes::new();
                    let length = wanted.min(left);
                    self.chunk =
                        self.ring.read_past_cache(&self.file, self.position, length).await?;
                }
                Err(RecordsError::Truncated { .. }) => {
                    return Err(self.damaged("it is cut off".to_owned()));
                }
                Err(error) => return Err(self.damaged(error.to_string())),
            }
        }
        Ok(None)
    }

    async fn fault(&self, batch: &Batch<'_>, budget: &mut TurnBudget<'_>) -> Option<String> {
        if batch.base_offset() < self.next_offset || batch.last_offset_delta() < 0 {
            return Some("its offsets do not follow those before it".to_owned());
        }
        if batch.next_offset() > self.end_offset {
            return Some(format!("its offsets reach beyond {}", self.end_offset));
        }
        let mut checksum = Checksum::new();
        loop {
            if let Some(crc) = checksum.step(batch.bytes(), CHECKSUM_BYTES) {
                return (crc != batch.crc()).then(|| "its CRC does not match".to_owned());
            }
            budget.step_done().await;
        }
    }

    /// Of the batch that comes next, or came last.
    pub fn damaged(&self, reason: String) -> CleanError {
        CleanError::Damaged { path: self.path.clone(), position: self.position, reason }
    }
}
