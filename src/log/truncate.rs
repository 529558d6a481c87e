//! Cutting the log at its end, as a follower does when its leader's history differs from its own.
//!
//! Lives on the core of the log. Writes are held back meanwhile; memory changes in one step, files
//! follow before anything new reaches them.

use super::{
    Log, files,
    index::{Entry, Index, Key},
    producers::ProducerStates,
    segment::{Segment, SegmentFile, TimestampOffset},
    walk::Walk,
};
use protocol::records::NO_TIMESTAMP;
use std::{io, rc::Rc};

/// The end of a log at some time, see [`Log::mark`].
pub struct Mark(Truncation, i64);

/// Where one segment is cut, found before anything changes.
#[derive(Clone)]
struct Truncation {
    segment: Rc<Segment>,
    position: u32,
    offsets: (u32, Option<Entry>),
    times: (u32, Option<Entry>),
    aborted_on_disk: u32,
    max_timestamp: TimestampOffset,
}

impl Log {
    /// Removes every batch that reaches `offset` or lies beyond it; the log ends at `offset` then.
    /// Leaders' appends must not run meanwhile. The caller has written down before that the
    /// recovery point is `offset` at most (Kafka's `LogManager.truncateTo` does so behind the cut):
    /// one that lies beyond the cut would vouch for what follows the cut, and a start refuses a log
    /// that is shorter than its recovery point.
    pub async fn truncate_to(&self, offset: i64) -> io::Result<()> {
        if offset >= self.log_end_offset() {
            return Ok(());
        }
        if offset < self.0.segments.borrow()[0].base_offset {
            return self.truncate_fully_and_start_at(offset).await;
        }
        self.truncate_commit_log(offset).await?;
        let _guard = self.0.files_lock.lock().await;
        let hold = self.hold_all_writes().await;
        let truncation = self.find_truncation(offset).await?;
        let gone = self.truncate_memory(&truncation, offset);
        match self
            .patiently("cutting waits", async || {
                self.truncate_files(&truncation, &gone, offset).await
            })
            .await
        {
            Ok(()) => {
                let end = self.log_end_offset();
                assert_eq!(end, offset, "nothing is appended while a log is cut");
                hold.release();
            }
            Err(error) => {
                self.fail(
                    "truncating",
                    &files::path(&self.dir(), truncation.segment.base_offset, files::LOG),
                    &error,
                );
                return Err(error);
            }
        }
        Ok(())
    }

    /// Where the log ends now, to come back to. Everything is written.
    pub fn mark(&self) -> Mark {
        assert_eq!(
            self.written_offset(),
            self.log_end_offset(),
            "a mark is at the end of the written bytes"
        );
        let segment = self.active();
        let ends = |index: &Index| (index.count(), index.last());
        Mark(
            Truncation {
                position: segment.size_bytes.get(),
                offsets: ends(&segment.offsets.borrow()),
                times: ends(&segment.times.borrow()),
                aborted_on_disk: segment.aborted.borrow().entries_on_disk(),
                max_timestamp: segment.max_timestamp.get(),
                segment: segment.clone(),
            },
            self.log_end_offset(),
        )
    }

    /// Takes back what was appended behind `mark`, and was not acknowledged: it is as if it had
    /// never been, on the disk, too, when this returns. Needs no room, and a descriptor only where
    /// segments were made or files closed meanwhile. For logs without producers and without a
    /// commit stream, whose only writer is the caller.
    pub async fn take_back(&self, mark: &Mark) -> io::Result<()> {
        let Mark(at, offset) = mark;
        let end = self.log_end_offset();
        assert!(*offset <= end, "a mark at {offset} of a log that ends at {end}");
        assert!(self.0.stream.borrow().upgrade().is_none(), "a commit stream may have it");
        let _guard = self.0.files_lock.lock().await;
        let hold = self.hold_all_writes().await;
        let (segment, _) =
            self.segment_of(*offset).expect("the first segment begins at or below the mark");
        let truncation = match Rc::ptr_eq(&segment, &at.segment) {
            true => at.clone(),
            // It was rolled at the mark: what it has is all new.
            false => Truncation {
                position: 0,
                offsets: (0, None),
                times: (0, None),
                aborted_on_disk: 0,
                max_timestamp: TimestampOffset {
                    timestamp: NO_TIMESTAMP,
                    offset: segment.base_offset,
                },
                segment: segment.clone(),
            },
        };
        let had_more = segment.written_bytes.get() > truncation.position;
        let mut gone: Vec<_> =
            self.truncate_memory(&truncation, *offset).into_iter().rev().collect();
        gone.retain(|segment| segment.exists(SegmentFile::Log));
        let cut_file = async || {
            if !gone.is_empty() {
                self.remove_segments(&gone).await?;
                // Before the cut, as in `truncate_files`: what came back would follow a hole, and
                // its snapshot would tell that nothing is missing.
                self.0.ring.sync_dir(self.dir()).await?;
            }
            let file = match segment.opened(SegmentFile::Log) {
                // A write that was refused may have been made in part.
                Some(file) => file,
                None if !had_more => return Ok(()),
                // A checkpoint has closed it.
                None => segment.file(&self.0.ring, &self.dir(), SegmentFile::Log).await?,
            };
            self.0.ring.truncate(&file, u64::from(truncation.position)).await?;
            segment.preallocated.set(false);
            self.sync_log_file_alone(&segment, &file).await
        };
        if let Err(error) = self.patiently("taking records back waits", cut_file).await {
            self.fail(
                "truncating",
                &files::path(&self.dir(), segment.base_offset, files::LOG),
                &error,
            );
            return Err(error);
        }
        let end = self.log_end_offset();
        assert_eq!(end, *offset, "nothing is appended while records are taken back");
        // Nothing is left that waits.
        self.set_good();
        hold.release();
        Ok(())
    }

    /// Voids what the commit stream has beyond a cut. Everything else is in the log's own files by
    /// then, so that a crash between the two leaves the log uncut and whole.
    async fn truncate_commit_log(&self, offset: i64) -> io::Result<()> {
        let stream = self.0.stream.borrow().upgrade();
        let Some(stream) = stream else { return self.wait_written().await };
        self.sync().await?;
        stream.truncate(self.id(), offset).await
    }

    async fn find_truncation(&self, offset: i64) -> io::Result<Truncation> {
        let (segment, _) =
            self.segment_of(offset).expect("the first segment begins at or below the offset");
        // It is the last one then, which knows them.
        self.know_aborted(&segment, i64::MAX).await?;
        let written = segment.written_bytes.get();
        let relative = offset - segment.base_offset;
        let entries = |found: Option<(Entry, u32)>| {
            found.map_or((0, None), |(entry, at)| (at + 1, Some(entry)))
        };
        let offsets =
            entries(self.search(&segment, SegmentFile::Offsets, Key::Offset, relative - 1).await?);
        let times = entries(
            self.search(&segment, SegmentFile::Times, Key::TimestampOffset, relative - 1).await?,
        );
        let mut max_timestamp = match times.1 {
            Some(last) => TimestampOffset {
                timestamp: last.timestamp(),
                offset: segment.base_offset + i64::from(last.timestamp_relative_offset()),
            },
            None => TimestampOffset { timestamp: NO_TIMESTAMP, offset: segment.base_offset },
        };
        let mut position = written;
        if written > 0 {
            // From the last time entry on, a later batch may have a larger timestamp.
            let from = self.position_before(&segment, max_timestamp.offset.min(offset)).await?;
            let file = segment.file(&self.0.ring, &self.dir(), SegmentFile::Log).await?;
            let mut walk = Walk::new(&self.0.ring, &file, from, u64::from(written));
            while let Some(batch) = walk.next().await? {
                if batch.header.next_offset() > offset {
                    position = batch.position as u32;
                    break;
                }
                if batch.header.max_timestamp() > max_timestamp.timestamp {
                    max_timestamp = TimestampOffset {
                        timestamp: batch.header.max_timestamp(),
                        offset: batch.header.last_offset(),
                    };
                }
            }
        }
        if offsets.1.is_some_and(|last| last.position() >= position) {
            let path = files::path(&self.dir(), segment.base_offset, files::OFFSET_INDEX);
            let text = format!("{}: it leads behind byte {position}", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        let aborted_on_disk = self.aborted_before(&segment, offset).await?;
        Ok(Truncation { segment, position, offsets, times, aborted_on_disk, max_timestamp })
    }

    async fn aborted_before(&self, segment: &Segment, offset: i64) -> io::Result<u32> {
        let mut count = segment.aborted.borrow().entries_on_disk();
        if count > 0 {
            let file = segment.file(&self.0.ring, &self.dir(), SegmentFile::Aborted).await?;
            while count > 0
                && self.read_aborted(&file, count - 1, 1).await?[0].last_offset >= offset
            {
                count -= 1;
            }
        }
        Ok(count)
    }

    /// The step in memory; the segments that are gone.
    fn truncate_memory(&self, truncation: &Truncation, offset: i64) -> Vec<Rc<Segment>> {
        self.check_files_locked();
        let segment = &truncation.segment;
        let base = segment.base_offset;
        assert!(base <= offset, "a log is cut at {offset}, in the segment at {base}");
        let end = self.log_end_offset();
        assert!(offset <= end, "a log that ends at {end} is cut at {offset}");
        let gone = {
            let mut segments = self.0.segments.borrow_mut();
            let keep = segments.partition_point(|one| one.base_offset <= segment.base_offset);
            segments.split_off(keep)
        };
        let next = gone.first().map(|one| one.base_offset);
        assert!(
            next.is_none_or(|next| offset < next),
            "a log is cut at {offset}, and the segment at {next:?} goes"
        );
        segment.cut_bytes(truncation.position);
        segment.indexes_synced.set(false);
        segment.max_timestamp.set(truncation.max_timestamp);
        if truncation.position == 0 {
            segment.first_timestamp.set(None);
        }
        segment.set_bytes_since_entry(0);
        segment.offsets.borrow_mut().truncate(truncation.offsets.0, truncation.offsets.1);
        segment.times.borrow_mut().truncate(truncation.times.0, truncation.times.1);
        let mut aborted = segment.aborted.borrow_mut();
        if truncation.aborted_on_disk < aborted.entries_on_disk() {
            aborted.truncate_to_disk(truncation.aborted_on_disk);
        } else {
            aborted.truncate_pending(offset);
        }
        drop(aborted);
        self.0.log_end.set(offset);
        self.0.log_start.set(self.log_start_offset().min(offset));
        self.0.high_watermark.set(self.high_watermark().min(offset));
        for known in [&self.0.recovery_point, &self.0.kept_recovery_point, &self.0.first_dirty] {
            known.set(known.get().min(offset));
        }
        self.0.unfinished.borrow_mut().retain(|one| one.end_offset <= offset);
        self.0.writer.truncate(offset);
        self.0.tail.clear(offset);
        let kept = self.0.snapshots.get().map(|at| if at <= offset { at } else { -1 });
        self.0.snapshots.set(kept);
        self.check_order();
        if self.0.epochs.borrow_mut().truncate_from_end(offset) {
            self.0.epochs_changed.set(true);
        }
        gone
    }

    async fn truncate_files(
        &self,
        truncation: &Truncation,
        gone: &[Rc<Segment>],
        offset: i64,
    ) -> io::Result<()> {
        let (ring, dir) = (&self.0.ring, self.dir());
        let from_the_end: Vec<_> = gone.iter().rev().cloned().collect();
        self.remove_segments(&from_the_end).await?;
        // Before the cut: a later segment that came back would tell that everything before it had
        // been synced.
        ring.sync_dir(&dir).await?;
        if truncation.segment.exists(SegmentFile::Log) {
            let file = truncation.segment.file(ring, &dir, SegmentFile::Log).await?;
            ring.truncate(&file, u64::from(truncation.position)).await?;
            truncation.segment.preallocated.set(false);
            // Old batches that came back after a crash would overlap with the new ones, or follow a
            // hole in them.
            self.sync_log_file_alone(&truncation.segment, &file).await?;
        }
        ring.sync_dir(&dir).await?;
        truncation.segment.trim_indexes(ring, &dir).await?;
        // An old entry that came back after a crash would point into the middle of a new batch.
        truncation.segment.sync_indexes(ring, &dir).await?;
        self.write_epochs().await?;
        self.reload_producers(offset).await
    }

    /// The producer state as it was when the log ended at `offset`: from the last snapshot before,
    /// and the batches since.
    async fn reload_producers(&self, offset: i64) -> io::Result<()> {
        let snapshots = self.remove_snapshots(|at| at > offset).await?;
        let loaded = super::recovery::load_producers(
            &self.0.ring,
            &self.dir(),
            snapshots,
            &self.segments(),
            offset,
            self.config().producer_id_expiration_ms,
        )
        .await?;
        self.0.snapshots.set([-1, loaded.snapshot_offset]);
        let mut producers = self.0.producers.borrow_mut();
        *producers = loaded.producers.following(&producers);
        drop(producers);
        self.0.producers.borrow_mut().on_high_watermark_updated(self.high_watermark());
        Ok(())
    }

    /// Removes everything; the log is empty then and goes on at `offset` (a follower that fell out
    /// of its leader's range).
    pub async fn truncate_fully_and_start_at(&self, offset: i64) -> io::Result<()> {
        self.truncate_commit_log(i64::MIN).await?;
        let _guard = self.0.files_lock.lock().await;
        let hold = self.hold_all_writes().await;
        let now_ms = self.0.ring.wall_clock_ms();
        let new = Rc::new(Segment::new(offset, now_ms));
        let gone = std::mem::replace(&mut *self.0.segments.borrow_mut(), vec![new]);
        for cell in
            [&self.0.log_start, &self.0.log_end, &self.0.high_watermark, &self.0.recovery_point]
        {
            cell.set(offset);
        }
        self.0.first_dirty.set(offset);
        self.0.kept_recovery_point.set(self.0.kept_recovery_point.get().min(offset));
        self.0.unfinished.borrow_mut().clear();
        self.0.writer.restart(offset);
        self.0.tail.clear(offset);
        *self.0.producers.borrow_mut() = ProducerStates::new(offset);
        self.0.snapshots.set([-1, -1]);
        self.check_order();
        self.0.epochs.borrow_mut().clear();
        self.0.epochs_changed.set(true);
        let begin_files = async || self.begin_files_anew(&gone).await;
        if let Err(error) = self.patiently("beginning anew waits", begin_files).await {
            // Memory has begun anew, and the next start may find the old files, or a part of them.
            self.fail("beginning anew in", &self.dir(), &error);
            return Err(error);
        }
        let end = self.log_end_offset();
        assert_eq!(end, offset, "nothing is appended while a log begins anew");
        hold.release();
        Ok(())
    }

    async fn begin_files_anew(&self, gone: &[Rc<Segment>]) -> io::Result<()> {
        let new = self.active();
        assert!(
            !gone.iter().any(|one| Rc::ptr_eq(one, &new)),
            "{new} goes, and the log begins with it"
        );
        self.remove_segments(gone).await?;
        self.remove_snapshots(|_| true).await?;
        self.write_epochs().await?;
        self.open_log_file(&new).await?;
        self.0.ring.sync_dir(self.dir()).await
    }
}
