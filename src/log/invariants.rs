//! What holds of a log at every moment, asserted as a whole.
//!
//! Owns: the order of a log's offsets. Lives on: the core of the log, which asks here after each
//! change that is not one of every append (a start, a checkpoint, a truncation, retention); an
//! append and a write assert what they change themselves. Never: judges what a disk or a client has
//! said; that was found good before, or is an error.

use super::{Log, segment::Segment};
use std::rc::Rc;

impl Log {
    /// `recovery point <= synced <= durable <= written <= end`, and `start <= high watermark <=
    /// end`. The start may lie beyond the recovery point until the next checkpoint.
    pub(super) fn check_order(&self) {
        let (start, end) = (self.log_start_offset(), self.log_end_offset());
        let (written, high_watermark) = (self.written_offset(), self.high_watermark());
        let (recovery_point, synced) = (self.recovery_point(), self.synced_offset());
        self.0.writer.check_order();
        assert!(
            recovery_point <= synced,
            "a recovery begins at {recovery_point}, and the disk has the files up to {synced}"
        );
        assert!(written <= end, "{written} is written of a log that ends at {end}");
        assert!(start <= high_watermark, "the log starts at {start}, above {high_watermark}");
        assert!(
            high_watermark <= end,
            "the high watermark is {high_watermark}, the log ends at {end}"
        );
        let segments = self.0.segments.borrow();
        let (first, active) = (segments.first(), segments.last());
        assert!(
            first.is_some_and(|first| first.base_offset <= start),
            "no segment has the log start {start}"
        );
        assert!(
            active.is_some_and(|active| active.base_offset <= end),
            "the active segment begins above the log end {end}"
        );
        let is_written = |active: &&Rc<Segment>| active.written_bytes == active.size_bytes;
        assert!(
            written < end || active.is_some_and(|active| is_written(&active)),
            "all up to {end} is written, but not all bytes of the active segment"
        );
        let finished = self.0.unfinished.borrow().back().map(|last| last.end_offset);
        assert!(
            active.is_some_and(|active| finished <= Some(active.base_offset)),
            "a segment that ends at {finished:?} got its last batch, and is the active one"
        );
        let tail_end = self.0.tail.end_offset();
        assert!(
            tail_end.is_none_or(|tail_end| tail_end == end),
            "the tail ends at {tail_end:?}, the log at {end}"
        );
    }

    /// The caller has the files of the log to itself.
    pub(super) fn check_files_locked(&self) {
        assert!(
            self.0.files_lock.is_locked(),
            "files of {} are changed without their lock",
            self.dir().display()
        );
    }
}
