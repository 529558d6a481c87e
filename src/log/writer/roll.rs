//! What a segment still needs that got its last batch: its index files, the producer snapshot where
//! it ends, and a file without spare room.
//!
//! Owns: the order of these. Lives on the core of the log, in the background. Never: writes the
//! snapshot before the segment is on the disk.

use crate::log::{
    Log, Unfinished, files,
    segment::{Segment, SegmentFile},
};
use bytes::Bytes;
use std::{io, rc::Rc};

impl Log {
    /// The index files and the producer snapshots of segments that are no longer appended to. The
    /// caller holds the gate. Each segment is on the disk before the snapshot behind it is: to the
    /// next start that proves how far the log must reach.
    pub(in crate::log) async fn finish_rolled(&self) -> io::Result<()> {
        self.check_files_locked();
        let (ring, dir) = (&self.0.ring, self.dir());
        let first = || {
            let unfinished = self.0.unfinished.borrow();
            unfinished
                .front()
                .map(|one| (one.segment.clone(), one.end_offset, one.snapshot.clone()))
        };
        while let Some((segment, end_offset, snapshot)) = first() {
            if self.0.segments.borrow().iter().any(|one| Rc::ptr_eq(one, &segment)) {
                segment.flush_indexes(ring, &dir, true).await?;
                self.wait_written_to(end_offset).await?;
                self.sync_segment(&segment).await?;
                segment.check_synced();
                ring.write_file_atomically(
                    files::path(&dir, end_offset, files::SNAPSHOT),
                    snapshot,
                )
                .await?;
                self.trim_log(&segment).await?;
            }
            let done = self.0.unfinished.borrow_mut().pop_front();
            assert!(
                done.is_some_and(|done| Rc::ptr_eq(&done.segment, &segment)),
                "{segment} was finished, and another one is taken off the list"
            );
        }
        Ok(())
    }

    /// A segment ends at `offset`, and its snapshot is to be written: before retention removes what
    /// it was made from.
    pub(in crate::log) fn owe_snapshot(&self, offset: i64, snapshot: Bytes) {
        let before = self.segments().into_iter().rfind(|segment| segment.base_offset < offset);
        let segment = before.expect("the snapshot is of a segment that another follows");
        self.owe(Unfinished { segment, end_offset: offset, snapshot });
    }

    pub(in crate::log) fn owe(&self, one: Unfinished) {
        let (base, end) = (one.segment.base_offset, one.end_offset);
        assert!(base < end, "the segment at {base} ends at {end}");
        let mut unfinished = self.0.unfinished.borrow_mut();
        let last = unfinished.back().map(|last| last.end_offset);
        assert!(last < Some(end), "a segment that ends at {end} is finished behind {last:?}");
        unfinished.push_back(one);
    }

    /// Gives back what was preallocated for a segment that got its last batch. Durably: a later
    /// start believes the size.
    pub(super) async fn trim_log(&self, segment: &Rc<Segment>) -> io::Result<()> {
        if segment.preallocated.get() && segment.written_bytes.get() == segment.size_bytes.get() {
            let file = segment.file(&self.0.ring, &self.dir(), SegmentFile::Log).await?;
            self.0.ring.truncate(&file, u64::from(segment.size_bytes.get())).await?;
            assert_eq!(
                segment.written_bytes.get(),
                segment.size_bytes.get(),
                "nothing is appended to {segment} while its file is cut to its batches"
            );
            self.sync_log_file_alone(segment, &file).await?;
            segment.preallocated.set(false);
        }
        Ok(())
    }
}
