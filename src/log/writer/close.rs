//! The end of a log: closed in order, or deleted.
//!
//! Owns: what is written at last. Lives on the core of the log. Never: loses what was appended,
//! unless the log is deleted.

use super::{Writer, health::Health};
use crate::log::{Log, LogState, segment::SegmentFile};
use std::io;

impl Writer {
    /// Takes nothing more, without it being a fault.
    pub fn end(&self, why: &str) {
        *self.health.borrow_mut() = Health::Failed(why.into());
        self.want.take();
        self.gathered.borrow_mut().clear();
        self.uncommitted.borrow_mut().clear();
        self.ended.set(true);
        self.wake();
    }
}

impl Log {
    /// It was closed cleanly, or deleted: the commit stream owes it nothing.
    pub fn has_ended(&self) -> bool {
        self.0.writer.ended.get()
    }

    /// Closes the log cleanly: everything on disk, files cut to their contents. What it gives back
    /// lets the next start skip the reading.
    pub async fn close(&self) -> io::Result<LogState> {
        self.0.writer.closing.set(true);
        self.sync().await?;
        let _guard = self.0.files_lock.lock().await;
        let (ring, dir) = (&self.0.ring, self.dir());
        self.finish_rolled().await?;
        let segments = self.segments();
        let mut has_made_file = false;
        for (at, segment) in segments.iter().enumerate() {
            let active = at + 1 == segments.len();
            if active {
                segment.add_time_entry();
            }
            if active || !segment.indexes_synced.get() {
                segment.flush_indexes(ring, &dir, true).await?;
            }
            if !segment.exists(SegmentFile::Log) {
                segment.file(ring, &dir, SegmentFile::Log).await?;
                has_made_file = true;
            }
            self.trim_log(segment).await?;
            if segment.offsets.borrow().needs_flush() || active {
                segment.trim_indexes(ring, &dir).await?;
            }
            if !segment.indexes_synced.get() {
                self.keep_aborted(segment, segment.sync_indexes(ring, &dir).await)?;
                segment.set_indexes_synced();
            }
            segment.close_files();
        }
        segments.iter().for_each(|segment| segment.check_synced());
        self.write_epochs().await?;
        self.write_snapshot().await?;
        if has_made_file {
            // The next start takes a file that the state names, and that is not there, for lost.
            ring.sync_dir(&dir).await?;
        }
        let (synced, end) = (self.synced_offset(), self.log_end_offset());
        assert_eq!(synced, end, "a log is closed when the disk has all of it");
        let newest = self.0.snapshots.get()[1];
        assert_eq!(newest, end, "a log that is closed has a producer snapshot at its end");
        assert!(self.0.unfinished.borrow().is_empty(), "a log that is closed owes no snapshots");
        self.0.recovery_point.set(synced);
        self.check_order();
        self.0.writer.end("it is closed");
        Ok(LogState::of(self))
    }
}
