//! What of a log is on the disk, and how far: by syncs of its own files, or by the commit log.
//!
//! Owns: the order of a segment's syncs (one at a time), and the runs that are written and not
//! durable yet. Lives on the core of the log. Never: tries a failed sync again. The kernel tells of
//! a failure once, and the sync after it would succeed though the disk lacks the pages.

use super::Writer;
use crate::log::{
    Log, files,
    segment::{Segment, SegmentFile},
};
use bytes::Bytes;
use ring::File;
use std::{io, rc::Rc};

/// How much is written again at a time after a crash.
const COPY_BYTES: u64 = 1 << 20;

/// A run that was written and is not durable yet, for [`crate::log::commit_log`].
pub(super) struct Written {
    pub from: i64,
    pub to: i64,
    pub bytes: Bytes,
}

/// What of a log is written and not durable, as its bytes are in the log.
pub struct Uncommitted {
    pub from: i64,
    pub to: i64,
    pub batches: Vec<Bytes>,
}

impl Uncommitted {
    pub fn size_bytes(&self) -> usize {
        self.batches.iter().map(Bytes::len).sum()
    }
}

impl Writer {
    pub fn dir_changed(&self) {
        self.dir_changed.set(true);
    }

    pub fn needs_sync(&self, segment: &Rc<Segment>, file: &File) {
        let mut unsynced = self.unsynced.borrow_mut();
        if !unsynced.iter().any(|(known, _)| Rc::ptr_eq(known, segment)) {
            unsynced.push((segment.clone(), file.clone()));
        }
    }

    /// Everything below `offset` is durable now, wherever.
    fn made_durable(&self, offset: i64) {
        let written = self.written.get();
        assert!(offset <= written, "{offset} is made durable, and {written} is written");
        self.durable.set(self.durable.get().max(offset));
        let mut uncommitted = self.uncommitted.borrow_mut();
        while uncommitted.pop_front_if(|run| run.to <= self.durable.get()).is_some() {}
        let (durable, first) = (self.durable.get(), uncommitted.front().map(|run| run.from));
        assert!(
            first.is_none_or(|first| durable <= first),
            "{durable} is durable, in the middle of a run from {first:?} on"
        );
        self.check_order();
    }
}

impl Log {
    /// Carries everything that was appended before the call to the disk; the offset up to which
    /// everything is durable then. An error of the disk itself is final for this log.
    pub async fn sync(&self) -> io::Result<i64> {
        let (end, truncations) = (self.log_end_offset(), self.0.writer.truncations.get());
        self.wait_written().await?;
        let durable = self.sync_written().await?;
        assert!(
            end <= durable || self.0.writer.truncations.get() != truncations,
            "a log that ended at {end} is synced, and {durable} is durable"
        );
        Ok(durable)
    }

    /// The same for everything that was written before the call.
    pub async fn sync_written(&self) -> io::Result<i64> {
        let writer = &self.0.writer;
        let _guard = writer.syncing.lock().await;
        writer.failure()?;
        let (written, truncations) = (writer.written.get(), writer.truncations.get());
        let segments = writer.unsynced.borrow().clone();
        for (segment, file) in segments {
            let bytes = segment.written_bytes.get();
            if segment.synced_bytes.get() < bytes {
                self.sync_log_file(&segment, &file).await?;
                segment.synced_to(bytes);
            }
        }
        if writer.dir_changed.replace(false) {
            let dir = self.dir();
            if let Err(error) = self.0.ring.sync_dir(&dir).await {
                writer.dir_changed();
                if !ring::passes(&error) {
                    self.fail("syncing", &dir, &error);
                }
                return Err(error);
            }
        }
        writer
            .unsynced
            .borrow_mut()
            .retain(|(one, _)| one.synced_bytes.get() < one.written_bytes.get());
        if writer.truncations.get() == truncations {
            let before = writer.synced.get();
            assert!(before <= written, "{before} was synced, and {written} was written");
            // First: what is in its own files is durable.
            writer.made_durable(written);
            writer.synced.set(written);
            writer.check_order();
        }
        Ok(writer.durable.get())
    }

    /// What is written and not durable. `None` where the bytes are not at hand (they were written
    /// under `durability=os`), or the log has failed: its own files have to be synced.
    pub fn uncommitted(&self) -> Option<Uncommitted> {
        let writer = &self.0.writer;
        writer.failure().ok()?;
        let (from, to) = (writer.durable.get(), writer.written.get());
        assert!(from <= to, "{from} is durable, and {to} is written");
        let runs = writer.uncommitted.borrow();
        assert!(
            runs.back().is_none_or(|last| last.to == to),
            "the runs that are not durable end where {to} is written"
        );
        let is_whole = runs.front().map_or(to, |first| first.from) == from;
        is_whole.then(|| Uncommitted {
            from,
            to,
            batches: runs.iter().map(|run| run.bytes.clone()).collect(),
        })
    }

    /// The size of what is written and not durable, where the bytes are at hand.
    pub fn uncommitted_bytes(&self) -> Option<usize> {
        let writer = &self.0.writer;
        writer.failure().ok()?;
        let runs = writer.uncommitted.borrow();
        let from = runs.front().map_or(writer.written.get(), |first| first.from);
        (from == writer.durable.get()).then(|| runs.iter().map(|run| run.bytes.len()).sum())
    }

    /// The commit stream has everything below `offset` on the disk, the log's own files in the page
    /// cache.
    pub fn committed_by_stream(&self, offset: i64) {
        assert!(offset <= self.written_offset(), "only what was written goes by the stream");
        self.0.writer.made_durable(offset);
    }

    /// Syncs one file besides the log as a whole. Never at the same time: the kernel tells a
    /// failure to one of two syncs of a file, and the other one would promise what is lost.
    pub(in crate::log) async fn sync_log_file_alone(
        &self,
        segment: &Segment,
        file: &File,
    ) -> io::Result<()> {
        let _guard = self.0.writer.syncing.lock().await;
        self.sync_log_file(segment, file).await
    }

    /// Has what was written of a segment on the disk.
    pub(super) async fn sync_segment(&self, segment: &Segment) -> io::Result<()> {
        let _guard = self.0.writer.syncing.lock().await;
        let bytes = segment.written_bytes.get();
        if segment.synced_bytes.get() < bytes {
            let file = segment.file(&self.0.ring, &self.dir(), SegmentFile::Log).await?;
            self.sync_log_file(segment, &file).await?;
            segment.synced_to(bytes);
        }
        Ok(())
    }

    /// Syncs the file of a segment; the caller has the pass for it. A failure is final for the log:
    /// the kernel tells of it once, and the sync after it would succeed though the disk lacks the
    /// pages.
    async fn sync_log_file(&self, segment: &Segment, file: &File) -> io::Result<()> {
        self.0.writer.failure()?;
        assert!(self.0.writer.syncing.is_locked(), "one sync of {segment} at a time");
        let synced = self.0.ring.sync_data(file).await;
        if let Err(error) = &synced {
            self.fail("syncing", &files::path(&self.dir(), segment.base_offset, files::LOG), error);
        }
        synced
    }

    /// Writes what lies in a segment's file beyond the recovery point once more, so that the next
    /// sync carries it to the disk. After a failed sync the kernel calls pages clean that the disk
    /// may lack: this process finds them in the page cache, and no sync of its own would carry them
    /// to the disk. The process before need not have heard of the failure: it may have been killed
    /// in the middle of the sync.
    pub(in crate::log) async fn write_again(
        &self,
        segment: &Rc<Segment>,
        file: &File,
    ) -> io::Result<()> {
        let ring = &self.0.ring;
        let mut position = self.position_before(segment, self.recovery_point()).await?;
        let end = u64::from(segment.written_bytes.get());
        while position < end {
            let bytes = ring
                .read_exact_at(file, position, COPY_BYTES.min(end - position) as usize)
                .await?
                .freeze();
            let next = position + bytes.len() as u64;
            ring.write_at(file, vec![bytes], position).await?;
            position = next;
        }
        Ok(())
    }
}
