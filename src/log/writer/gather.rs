//! What was appended and is in no file yet, and how it gets into the page cache.
//!
//! Owns: the order of the gathered runs, and the right to hold writes back. Lives on the core of
//! the log. Never: writes a run before the one in front of it, or while writes are held.

use super::{Writer, sync::Written};
use crate::log::{
    Durability, Log,
    segment::{Segment, SegmentFile},
};
use bytes::Bytes;
use ring::{File, sync::Semaphore};
use std::{future::poll_fn, io, rc::Rc, task::Poll};

/// Slices that one system call takes (`IOV_MAX`).
const MAX_SLICES: usize = 1024;

pub(super) struct Gathered {
    pub segment: Rc<Segment>,
    pub position: u32,
    pub bytes: Bytes,
    pub end_offset: i64,
}

impl Gathered {
    /// A run of one segment has no hole; a new segment begins at its first byte.
    fn is_followed_by(&self, segment: &Rc<Segment>, position: u32) -> bool {
        let is_same = Rc::ptr_eq(&self.segment, segment);
        position as usize == if is_same { self.position as usize + self.bytes.len() } else { 0 }
    }
}

impl Writer {
    pub fn gather(&self, segment: Rc<Segment>, position: u32, bytes: Bytes, end_offset: i64) {
        let mut gathered = self.gathered.borrow_mut();
        let before = gathered.back().map_or(self.written.get(), |one| one.end_offset);
        assert!(!self.ended.get(), "records are appended to a log that has ended");
        assert!(before < end_offset, "{end_offset} is gathered behind {before}");
        assert!(
            gathered.back().is_none_or(|last| last.is_followed_by(&segment, position)),
            "bytes at {position} of {segment} do not follow those that were gathered before"
        );
        gathered.push_back(Gathered { segment, position, bytes, end_offset });
    }

    pub fn write_behind(&self, slots: &Rc<Semaphore>) {
        let known = self.behind.get_or_init(|| slots.clone());
        assert!(Rc::ptr_eq(known, slots), "a log does not change its directory");
    }

    pub(super) fn wake(&self) {
        for waker in self.waiting.take() {
            waker.wake();
        }
    }

    /// The slices that one call can write: they follow one another in one segment.
    fn next_run(&self, run: &mut Vec<Bytes>) -> Option<(Rc<Segment>, u32)> {
        run.clear();
        let gathered = self.gathered.borrow();
        let first = gathered.front()?;
        let same = gathered
            .iter()
            .take(MAX_SLICES)
            .take_while(|one| Rc::ptr_eq(&one.segment, &first.segment));
        let (position, written) = (first.position, first.segment.written_bytes.get());
        assert_eq!(position, written, "a run goes where the bytes of {} end", first.segment);
        run.extend(same.map(|one| one.bytes.clone()));
        Some((first.segment.clone(), first.position))
    }

    /// Books a run as written; its end offset. `keep`: its bytes may have to go by the commit
    /// stream.
    fn run_written(
        &self,
        segment: &Rc<Segment>,
        file: &File,
        position: u32,
        bufs: &[Bytes],
        keep: bool,
    ) -> i64 {
        let size: usize = bufs.iter().map(Bytes::len).sum();
        segment.wrote(position, size);
        self.needs_sync(segment, file);
        if position == 0 {
            // An append or a retention may have made the file: its name is on the disk before
            // anything in it is acknowledged.
            self.dir_changed();
        }
        let mut uncommitted = self.uncommitted.borrow_mut();
        if !keep {
            // Later runs would not follow these.
            uncommitted.clear();
        }
        let mut gathered = self.gathered.borrow_mut();
        assert!(bufs.len() <= gathered.len(), "{} of {} are written", bufs.len(), gathered.len());
        let last = uncommitted.back().map_or(self.written.get(), |run| run.to);
        assert_eq!(last, self.written.get(), "the runs that are not durable end where was written");
        for Gathered { bytes, end_offset, .. } in gathered.drain(..bufs.len()) {
            let from = self.written.replace(end_offset);
            assert!(from < end_offset, "{end_offset} is written behind {from}");
            if keep {
                uncommitted.push_back(Written { from, to: end_offset, bytes });
            }
        }
        self.written.get()
    }
}

/// Holds writes back until dropped.
pub(in crate::log) struct HeldWrites(Log);

impl HeldWrites {
    /// Lets go, and writes what was held back. Dropping alone leaves that to the next turn.
    pub fn release(self) {
        let log = self.0.clone();
        drop(self);
        // An error shows in the state of health, which every caller asks.
        let _ = log.write_gathered();
    }
}

impl Drop for HeldWrites {
    fn drop(&mut self) {
        let writer = &self.0.0.writer;
        assert!(writer.held.get() > 0, "writes that were held back are let go once");
        writer.held.set(writer.held.get() - 1);
        writer.wake();
    }
}

impl Log {
    /// Writes everything appended since the last call into the page cache; bytes for a file that is
    /// not open yet follow by themselves once it is (see [`Log::written_offset`]). Called at the
    /// end of a turn.
    pub fn write_gathered(&self) -> io::Result<()> {
        let writer = &self.0.writer;
        writer.failure()?;
        let mut bufs = writer.run.borrow_mut();
        while writer.held.get() == 0 {
            let Some((segment, position)) = writer.next_run(&mut bufs) else { break };
            let Some(file) = segment.opened(SegmentFile::Log) else {
                self.open_behind(segment);
                break;
            };
            if let Some(slots) = writer.behind.get() {
                self.start_write(slots.clone(), segment, file, position, bufs.clone());
                break;
            }
            if let Err(error) = self.0.ring.write_now(&file, &bufs, u64::from(position)) {
                self.write_failed(&error, &segment);
                return Err(error);
            }
            self.run_done(&segment, &file, position, &bufs);
        }
        bufs.clear();
        Ok(())
    }

    /// A run is in the page cache.
    fn run_done(&self, segment: &Rc<Segment>, file: &File, position: u32, bufs: &[Bytes]) {
        let writer = &self.0.writer;
        let keep = self.0.config.borrow().durability == Durability::Fsync;
        let end_offset = writer.run_written(segment, file, position, bufs, keep);
        self.0.tail.written(end_offset);
        self.set_good();
        writer.wake();
    }

    fn hold_writes(&self) -> HeldWrites {
        let held = &self.0.writer.held;
        held.set(held.get() + 1);
        HeldWrites(self.clone())
    }

    /// Holds writes back, and waits for the one that is under way.
    pub(in crate::log) async fn hold_all_writes(&self) -> HeldWrites {
        let hold = self.hold_writes();
        self.woken_when(|| !self.0.writer.writes_behind.get()).await;
        hold
    }

    /// Writes a run in the background; what is gathered meanwhile follows.
    fn start_write(
        &self,
        slots: Rc<Semaphore>,
        segment: Rc<Segment>,
        file: File,
        position: u32,
        bufs: Vec<Bytes>,
    ) {
        let hold = self.hold_writes();
        let log = self.clone();
        let was_under_way = self.0.writer.writes_behind.replace(true);
        assert!(!was_under_way, "one write at a time is under way");
        drop(self.0.ring.spawn_named("log write", async move {
            let written = {
                let _slot = slots.acquire().await;
                log.0.ring.write_at(&file, bufs.clone(), u64::from(position)).await
            };
            let was_under_way = log.0.writer.writes_behind.replace(false);
            assert!(was_under_way, "a write that was under way ends once");
            match written {
                // The log was deleted meanwhile: the gathered bytes are dropped, and no request
                // waits for them.
                _ if log.has_ended() => {}
                Ok(()) => {
                    log.run_done(&segment, &file, position, &bufs);
                    hold.release();
                }
                // As where a file cannot be opened.
                Err(error) => log.write_failed(&error, &segment),
            }
        }));
    }

    /// Opens the file of a segment in the background; what was gathered follows.
    fn open_behind(&self, segment: Rc<Segment>) {
        let hold = self.hold_writes();
        let log = self.clone();
        drop(self.0.ring.spawn_named("segment open", async move {
            let slots = log.0.writer.behind.get().cloned();
            let opened = {
                let _slot =
                    if let Some(slots) = &slots { Some(slots.acquire().await) } else { None };
                if log.has_ended() {
                    // The folder may be another log's by now.
                    return;
                }
                log.open_log_file(&segment).await
            };
            match opened {
                Ok(()) => hold.release(),
                // Dropped, not released: trying again at once would fail again at once. The next
                // append does it, or the task that waits; and a task that ends with its core must
                // not begin another.
                Err(error) => log.write_failed(&error, &segment),
            }
        }));
    }

    pub(in crate::log) async fn open_log_file(&self, segment: &Rc<Segment>) -> io::Result<()> {
        let created = !segment.exists(SegmentFile::Log);
        let file = segment.file(&self.0.ring, &self.dir(), SegmentFile::Log).await?;
        if created {
            self.0.writer.dir_changed();
            let config = self.config();
            if config.preallocate {
                self.0.ring.allocate(&file, 0, u64::from(config.segment_bytes), false).await?;
                segment.preallocated.set(true);
            }
        }
        Ok(())
    }

    async fn woken(&self) {
        let mut waited = false;
        poll_fn(|context| {
            if std::mem::replace(&mut waited, true) {
                return Poll::Ready(());
            }
            self.0.writer.waiting.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    async fn woken_when(&self, condition: impl Fn() -> bool) {
        while !condition() {
            self.woken().await;
        }
    }

    /// Resumes when everything appended so far is in the page cache.
    pub async fn wait_written(&self) -> io::Result<()> {
        self.wait_written_to(self.log_end_offset()).await
    }

    /// The same for what lies below an offset.
    pub(super) async fn wait_written_to(&self, target: i64) -> io::Result<()> {
        let writer = &self.0.writer;
        let end = self.log_end_offset();
        assert!(target <= end, "{target} is waited for, and the log ends at {end}");
        let truncations = writer.truncations.get();
        let reached = || writer.written.get() >= target || writer.truncations.get() != truncations;
        while !reached() {
            self.write_gathered()?;
            if !reached() {
                self.woken().await;
                if let Some(error) = writer.refusal_error().filter(|_| !reached()) {
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}
