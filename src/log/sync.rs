//! From memory to the page cache, and from there to the disk.
//!
//! Owns: what was appended and is in no file yet, the files that wait for a sync, and the state of
//! health. One turn's appends leave with one `pwritev` per segment. A failed sync is final: the
//! kernel may have dropped the pages, so the log takes nothing more until it was recovered from the
//! disk. What passes is not ([`ring::passes`]: a full disk, no descriptors, no memory): the bytes
//! stay here, are written once that has passed, and new appends are refused until then.

use super::{
    Durability, Log, Unfinished, files,
    segment::{Segment, SegmentFile},
    wants::{Want, Wants},
};
use bytes::Bytes;
use ring::{
    File,
    sync::{AsyncMutex, Semaphore},
};
use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::VecDeque,
    future::poll_fn,
    io,
    rc::Rc,
    task::{Poll, Waker},
    time::Duration,
};

/// Slices that one system call takes (`IOV_MAX`).
const MAX_SLICES: usize = 1024;
/// How much is appended before a checkpoint is worth a new producer snapshot: bounds what a
/// recovery replays.
const SNAPSHOT_INTERVAL_BYTES: u64 = 64 << 20;
/// How much is written again at a time after a crash.
const COPY_BYTES: u64 = 1 << 20;
/// How long to wait before something is tried again that may have passed.
pub(super) const RETRY_INTERVAL: Duration = Duration::from_millis(500);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Health {
    Good,
    /// Something is missing that may come: room, descriptors, memory. What could not be written
    /// waits.
    Waiting(Rc<str>),
    /// Final.
    Failed(Rc<str>),
}

/// A run that was written and is not durable yet, for [`super::stream`].
struct Written {
    from: i64,
    to: i64,
    bytes: Bytes,
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

struct Gathered {
    segment: Rc<Segment>,
    position: u32,
    bytes: Bytes,
    end_offset: i64,
}

pub(super) struct Writer {
    gathered: RefCell<VecDeque<Gathered>>,
    /// What one call writes; kept for its room.
    run: RefCell<Vec<Bytes>>,
    pub written: Cell<i64>,
    /// Everything below is on the disk: in the log's own files, or in the commit stream.
    pub durable: Cell<i64>,
    /// Everything below is on the disk in the log's own files.
    pub synced: Cell<i64>,
    uncommitted: RefCell<VecDeque<Written>>,
    /// Rises with every cut of the log: a sync that began before one proves nothing about what
    /// followed it.
    truncations: Cell<u64>,
    /// Writes wait while a file is being opened, cut, or written behind.
    held: Cell<u32>,
    /// Where several log directories share a core: a write to a disk that hangs would stop all of
    /// them.
    behind: OnceCell<Rc<Semaphore>>,
    /// A write behind is under way.
    writes_behind: Cell<bool>,
    /// Segments with bytes that the disk may lack. The file is held open: the segment may be
    /// deleted meanwhile.
    unsynced: RefCell<Vec<(Rc<Segment>, File)>>,
    /// One sync at a time: a second one waits, and then has little to do.
    syncing: AsyncMutex,
    /// A segment file was created since the folder was synced.
    dir_changed: Cell<bool>,
    health: RefCell<Health>,
    /// Who tells what the logs of the core lack; without one each log does.
    pub wants: OnceCell<Rc<Wants>>,
    /// What this one lacks while it waits.
    want: RefCell<Option<Want>>,
    /// What was appended is carried to the disk, and nothing else is taken.
    closing: Cell<bool>,
    /// Closed cleanly, or deleted.
    ended: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

impl Writer {
    pub fn new(log_end: i64, durable: i64) -> Self {
        Self {
            gathered: RefCell::default(),
            run: RefCell::default(),
            written: Cell::new(log_end),
            durable: Cell::new(durable),
            synced: Cell::new(durable),
            uncommitted: RefCell::default(),
            truncations: Cell::new(0),
            held: Cell::new(0),
            behind: OnceCell::new(),
            writes_behind: Cell::new(false),
            unsynced: RefCell::default(),
            syncing: AsyncMutex::default(),
            dir_changed: Cell::new(false),
            health: RefCell::new(Health::Good),
            wants: OnceCell::new(),
            want: RefCell::default(),
            closing: Cell::new(false),
            ended: Cell::new(false),
            waiting: RefCell::default(),
        }
    }

    pub fn gather(&self, segment: Rc<Segment>, position: u32, bytes: Bytes, end_offset: i64) {
        self.gathered.borrow_mut().push_back(Gathered { segment, position, bytes, end_offset });
    }

    pub fn write_behind(&self, slots: &Rc<Semaphore>) {
        // Set before, it stays: a log does not change its directory.
        let _ = self.behind.set(slots.clone());
    }

    /// Why the log takes no appends.
    pub fn refusal(&self) -> Option<String> {
        match &*self.health.borrow() {
            Health::Good => self.closing.get().then(|| "it is being closed".to_owned()),
            Health::Waiting(why) | Health::Failed(why) => Some(why.to_string()),
        }
    }

    /// The same as an error, which passes where nothing is broken.
    fn refusal_error(&self) -> Option<io::Error> {
        match &*self.health.borrow() {
            Health::Good => None,
            Health::Waiting(why) => Some(ring::passing(&**why)),
            Health::Failed(why) => Some(io::Error::other(why.to_string())),
        }
    }

    pub fn failure(&self) -> io::Result<()> {
        match &*self.health.borrow() {
            Health::Failed(why) => Err(io::Error::other(why.to_string())),
            _ => Ok(()),
        }
    }

    pub fn is_waiting(&self) -> bool {
        matches!(*self.health.borrow(), Health::Waiting(_))
    }

    pub fn has_failed(&self) -> bool {
        matches!(*self.health.borrow(), Health::Failed(_)) && !self.ended.get()
    }

    pub fn dir_changed(&self) {
        self.dir_changed.set(true);
    }

    pub fn needs_sync(&self, segment: &Rc<Segment>, file: &File) {
        let mut unsynced = self.unsynced.borrow_mut();
        if !unsynced.iter().any(|(known, _)| Rc::ptr_eq(known, segment)) {
            unsynced.push((segment.clone(), file.clone()));
        }
    }

    fn wake(&self) {
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
        segment.written_bytes.set(position + size as u32);
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
        for Gathered { bytes, end_offset, .. } in self.gathered.borrow_mut().drain(..bufs.len()) {
            let from = self.written.replace(end_offset);
            if keep {
                uncommitted.push_back(Written { from, to: end_offset, bytes });
            }
        }
        self.written.get()
    }

    /// Everything below `offset` is durable now, wherever.
    fn made_durable(&self, offset: i64) {
        self.durable.set(self.durable.get().max(offset));
        let mut uncommitted = self.uncommitted.borrow_mut();
        while uncommitted.pop_front_if(|run| run.to <= self.durable.get()).is_some() {}
    }

    /// Takes nothing more, without it being a fault.
    pub fn end(&self, why: &str) {
        *self.health.borrow_mut() = Health::Failed(why.into());
        self.want.take();
        self.gathered.borrow_mut().clear();
        self.uncommitted.borrow_mut().clear();
        self.ended.set(true);
        self.wake();
    }

    /// The log was cut to `end_offset`: gathered bytes beyond it are gone, and nothing there is
    /// durable.
    pub fn truncate(&self, end_offset: i64) {
        assert!(!self.writes_behind.get(), "nothing is written while a log is cut");
        self.gathered.borrow_mut().retain(|one| one.end_offset <= end_offset);
        self.written.set(self.written.get().min(end_offset));
        self.durable.set(self.durable.get().min(end_offset));
        self.synced.set(self.synced.get().min(end_offset));
        self.uncommitted.borrow_mut().retain(|run| run.to <= end_offset);
        self.truncations.set(self.truncations.get() + 1);
    }

    /// Begins anew at an offset: nothing is left to write.
    pub fn restart(&self, offset: i64) {
        assert!(!self.writes_behind.get(), "nothing is written while a log is cut");
        self.gathered.borrow_mut().clear();
        self.unsynced.borrow_mut().clear();
        self.uncommitted.borrow_mut().clear();
        self.written.set(offset);
        self.durable.set(offset);
        self.synced.set(offset);
        self.truncations.set(self.truncations.get() + 1);
    }
}

/// Holds writes back until dropped.
pub(super) struct HeldWrites(Log);

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
    pub(super) async fn hold_all_writes(&self) -> HeldWrites {
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
        self.0.writer.writes_behind.set(true);
        drop(self.0.ring.spawn_named("log write", async move {
            let written = {
                let _slot = slots.acquire().await;
                log.0.ring.write_at(&file, bufs.clone(), u64::from(position)).await
            };
            log.0.writer.writes_behind.set(false);
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

    pub(super) async fn open_log_file(&self, segment: &Rc<Segment>) -> io::Result<()> {
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

    pub(super) fn set_good(&self) {
        let mut health = self.0.writer.health.borrow_mut();
        if let Health::Waiting(_) = *health {
            match self.0.writer.want.take() {
                Some(want) => want.healed(),
                None => {
                    tracing::info!(dir = %self.dir().display(), "what was missing is there again: \
                        appends go on");
                }
            }
            *health = Health::Good;
        }
    }

    fn write_failed(&self, error: &io::Error, segment: &Segment) {
        let path = files::path(&self.dir(), segment.base_offset, files::LOG);
        if !ring::passes(error) {
            return self.fail("writing", &path, error);
        }
        let mut health = self.0.writer.health.borrow_mut();
        if *health == Health::Good {
            *self.0.writer.want.borrow_mut() = self.lacks("appends are refused", error);
            *health =
                Health::Waiting(format!("cannot write {} for now: {error}", path.display()).into());
        }
    }

    /// Why the log takes no appends at present.
    pub fn refusal(&self) -> Option<String> {
        self.0.writer.refusal()
    }

    /// Tries again for as long as what is missing may still come, once it is no use to go back:
    /// until the log is closed. `what` is so meanwhile.
    pub(super) async fn patiently<T>(
        &self,
        what: &'static str,
        mut attempt: impl AsyncFnMut() -> io::Result<T>,
    ) -> io::Result<T> {
        let mut want = None;
        loop {
            match attempt().await {
                Err(error)
                    if ring::passes(&error)
                        && !self.0.writer.closing.get()
                        && !self.has_ended() =>
                {
                    want.get_or_insert_with(|| self.lacks(what, &error));
                    self.0.ring.sleep(RETRY_INTERVAL).await;
                }
                other => {
                    if let Some(want) = want.flatten().filter(|_| other.is_ok()) {
                        want.healed();
                    }
                    return other;
                }
            }
        }
    }

    /// Final: nothing is appended any more.
    pub(super) fn fail(&self, what: &str, path: &std::path::Path, error: &io::Error) {
        let mut health = self.0.writer.health.borrow_mut();
        if !matches!(*health, Health::Failed(_)) {
            tracing::error!(
                path = %path.display(), %error,
                "{what} failed: the partition takes no more appends; check the disk, then restart \
                 the broker to recover"
            );
            *health = Health::Failed(format!("{what} {} failed: {error}", path.display()).into());
            self.0.writer.want.take();
        }
        drop(health);
        self.0.writer.wake();
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
    async fn wait_written_to(&self, target: i64) -> io::Result<()> {
        let writer = &self.0.writer;
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

    /// Carries everything that was appended before the call to the disk; the offset up to which
    /// everything is durable then. An error of the disk itself is final for this log.
    pub async fn sync(&self) -> io::Result<i64> {
        self.wait_written().await?;
        self.sync_written().await
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
                segment
                    .synced_bytes
                    .set(segment.synced_bytes.get().max(bytes.min(segment.written_bytes.get())));
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
            writer.synced.set(writer.synced.get().max(written));
            writer.made_durable(written);
        }
        Ok(writer.durable.get())
    }

    /// What is written and not durable. `None` where the bytes are not at hand (they were written
    /// under `durability=os`), or the log has failed: its own files have to be synced.
    pub fn uncommitted(&self) -> Option<Uncommitted> {
        let writer = &self.0.writer;
        writer.failure().ok()?;
        let (from, to) = (writer.durable.get(), writer.written.get());
        let runs = writer.uncommitted.borrow();
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

    /// It was closed cleanly, or deleted: the commit stream owes it nothing.
    pub fn has_ended(&self) -> bool {
        self.0.writer.ended.get()
    }

    /// Syncs one file besides the log as a whole. Never at the same time: the kernel tells a
    /// failure to one of two syncs of a file, and the other one would promise what is lost.
    pub(super) async fn sync_log_file_alone(
        &self,
        segment: &Segment,
        file: &File,
    ) -> io::Result<()> {
        let _guard = self.0.writer.syncing.lock().await;
        self.sync_log_file(segment, file).await
    }

    /// Has what was written of a segment on the disk.
    async fn sync_segment(&self, segment: &Segment) -> io::Result<()> {
        let _guard = self.0.writer.syncing.lock().await;
        let bytes = segment.written_bytes.get();
        if segment.synced_bytes.get() < bytes {
            let file = segment.file(&self.0.ring, &self.dir(), SegmentFile::Log).await?;
            self.sync_log_file(segment, &file).await?;
            segment
                .synced_bytes
                .set(segment.synced_bytes.get().max(bytes.min(segment.written_bytes.get())));
        }
        Ok(())
    }

    /// Syncs the file of a segment; the caller has the pass for it. A failure is final for the log:
    /// the kernel tells of it once, and the sync after it would succeed though the disk lacks the
    /// pages.
    async fn sync_log_file(&self, segment: &Segment, file: &File) -> io::Result<()> {
        self.0.writer.failure()?;
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
    pub(super) async fn write_again(&self, segment: &Rc<Segment>, file: &File) -> io::Result<()> {
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

// ---- what the log needs to be read and recovered quickly: indexes, epochs, producer snapshots
// ------------------------

impl Log {
    /// The index files and the producer snapshots of segments that are no longer appended to. The
    /// caller holds the gate. Each segment is on the disk before the snapshot behind it is: to the
    /// next start that proves how far the log must reach.
    pub(super) async fn finish_rolled(&self) -> io::Result<()> {
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
                ring.write_file_atomically(
                    files::path(&dir, end_offset, files::SNAPSHOT),
                    snapshot,
                )
                .await?;
                self.trim_log(&segment).await?;
            }
            self.0.unfinished.borrow_mut().pop_front();
        }
        Ok(())
    }

    /// A segment ends at `offset`, and its snapshot is to be written: before retention removes what
    /// it was made from.
    pub(super) fn owe_snapshot(&self, offset: i64, snapshot: Bytes) {
        let before = self.segments().into_iter().rfind(|segment| segment.base_offset < offset);
        let segment = before.expect("the snapshot is of a segment that another follows");
        self.0.unfinished.borrow_mut().push_back(Unfinished {
            segment,
            end_offset: offset,
            snapshot,
        });
    }

    /// Gives back what was preallocated for a segment that got its last batch. Durably: a later
    /// start believes the size.
    async fn trim_log(&self, segment: &Rc<Segment>) -> io::Result<()> {
        if segment.preallocated.get() && segment.written_bytes.get() == segment.size_bytes.get() {
            let file = segment.file(&self.0.ring, &self.dir(), SegmentFile::Log).await?;
            self.0.ring.truncate(&file, u64::from(segment.size_bytes.get())).await?;
            self.sync_log_file_alone(segment, &file).await?;
            segment.preallocated.set(false);
        }
        Ok(())
    }

    /// Moves the recovery point up to what its own files have on the disk, after writing whatever
    /// makes that enough for a recovery: index files of finished segments, leader epochs, and a
    /// producer snapshot when the last one is far behind. In the background; the recovery point
    /// that holds then.
    pub async fn checkpoint(&self) -> io::Result<i64> {
        let _guard = self.0.files_lock.lock().await;
        self.0.writer.failure()?;
        let synced = self.synced_offset();
        if synced == self.recovery_point() && !self.0.epochs_changed.get() {
            return Ok(synced);
        }
        let truncations = self.0.writer.truncations.get();
        let (ring, dir) = (&self.0.ring, self.dir());
        self.finish_rolled().await?;
        let segments = self.segments();
        for pair in segments.windows(2) {
            let (segment, next) = (&pair[0], &pair[1]);
            if next.base_offset > synced {
                break;
            }
            if segment.indexes_synced.get() {
                continue;
            }
            segment.flush_indexes(ring, &dir, true).await?;
            segment.sync_indexes(ring, &dir).await?;
            self.trim_log(segment).await?;
            segment.indexes_synced.set(true);
            // There may be more such segments than files that may be open.
            segment.close_idle_files(false);
        }
        self.active().flush_indexes(ring, &dir, false).await?;
        self.write_epochs().await?;
        if self.0.bytes_since_snapshot.get() > SNAPSHOT_INTERVAL_BYTES {
            self.write_snapshot().await?;
        }
        if self.0.writer.truncations.get() == truncations {
            self.0.recovery_point.set(synced);
        }
        Ok(self.recovery_point())
    }

    pub(super) async fn write_epochs(&self) -> io::Result<()> {
        if self.0.epochs_changed.replace(false) {
            let text = super::checkpoint::format_epochs(&self.0.epochs.borrow().entries());
            let path = self.dir().join(files::LEADER_EPOCHS);
            if let Err(error) = self.0.ring.write_file_atomically(path, text.into()).await {
                self.0.epochs_changed.set(true);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Writes the producer state as it stands at the end of the log.
    pub(super) async fn write_snapshot(&self) -> io::Result<()> {
        let offset = self.log_end_offset();
        if self.0.snapshots.get()[1] == offset {
            return Ok(());
        }
        let snapshot = self.0.producers.borrow().encode_snapshot();
        let truncations = self.0.writer.truncations.get();
        // The next segment may begin here: then the snapshot tells the next start that the disk has
        // everything before.
        self.sync().await?;
        if self.0.writer.truncations.get() != truncations {
            return Ok(());
        }
        self.0.bytes_since_snapshot.set(0);
        let (ring, dir) = (&self.0.ring, self.dir());
        ring.write_file_atomically(files::path(&dir, offset, files::SNAPSHOT), snapshot).await?;
        // Besides those where segments begin the last two are kept: the newest may lie beyond the
        // recovery point.
        let [oldest, newest] = self.0.snapshots.replace([self.0.snapshots.get()[1], offset]);
        let at_segment =
            self.0.segments.borrow().iter().any(|segment| segment.base_offset == oldest);
        if !at_segment && oldest >= 0 && oldest != newest {
            remove_if_there(ring, &files::path(&dir, oldest, files::SNAPSHOT)).await?;
        }
        Ok(())
    }

    /// Closes the log cleanly: everything on disk, files cut to their contents. What it gives back
    /// lets the next start skip the reading.
    pub async fn close(&self) -> io::Result<super::LogState> {
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
                segment.sync_indexes(ring, &dir).await?;
                segment.indexes_synced.set(true);
            }
            segment.close_files();
        }
        self.write_epochs().await?;
        self.write_snapshot().await?;
        if has_made_file {
            // The next start takes a file that the state names, and that is not there, for lost.
            ring.sync_dir(&dir).await?;
        }
        self.0.recovery_point.set(self.synced_offset());
        self.0.writer.end("it is closed");
        Ok(super::LogState::of(self))
    }
}

pub(super) async fn remove_if_there(ring: &ring::Ring, path: &std::path::Path) -> io::Result<()> {
    match ring.unlink(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
