//! From memory to the page cache, and from there to the disk.
//!
//! Owns: what was appended and is in no file yet, the files that wait for a sync, and the state of
//! health. Lives on the core of the log. Never: changes what was appended, or waits in an append.
//!
//! The way of a batch leads through these files:
//!
//! - `gather`: what an append leaves here, and how it gets into the page cache. One turn's appends
//!   leave with one `pwritev` per segment.
//! - `health`: whether writes succeed. What passes is not final ([`ring::passes`]: a full disk, no
//!   descriptors, no memory): the bytes stay here, are written once that has passed, and new
//!   appends are refused until then.
//! - `sync`: what of it is on the disk, and how far. A failed sync is final: the kernel may have
//!   dropped the pages, so the log takes nothing more until it was recovered from the disk.
//! - `roll`: what a segment still needs that got its last batch.
//! - `checkpoint`: the recovery point, and the files that a recovery from there needs.
//! - `close`: the end of a log, in order or not.

mod checkpoint;
mod close;
mod gather;
mod health;
mod roll;
mod sync;

pub(super) use health::RETRY_INTERVAL;
pub use sync::Uncommitted;

use super::{
    segment::Segment,
    wants::{Want, Wants},
};
use bytes::Bytes;
use gather::Gathered;
use health::Health;
use ring::{
    File,
    sync::{AsyncMutex, Semaphore},
};
use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::VecDeque,
    rc::Rc,
    task::Waker,
};
use sync::Written;

pub(in crate::log) struct Writer {
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
        assert!(durable <= log_end, "{durable} is durable of a log that ends at {log_end}");
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

    /// Rises with every cut of the log.
    pub fn truncations(&self) -> u64 {
        self.truncations.get()
    }

    /// `synced <= durable <= written`.
    pub fn check_order(&self) {
        let (synced, durable) = (self.synced.get(), self.durable.get());
        let written = self.written.get();
        assert!(synced <= durable, "{synced} is synced, and {durable} is durable");
        assert!(durable <= written, "{durable} is durable, and {written} is written");
    }

    /// The log was cut to `end_offset`: gathered bytes beyond it are gone, and nothing there is
    /// durable.
    pub fn truncate(&self, end_offset: i64) {
        assert!(self.held.get() > 0, "writes are held back while a log is cut");
        assert!(!self.writes_behind.get(), "nothing is written while a log is cut");
        self.gathered.borrow_mut().retain(|one| one.end_offset <= end_offset);
        self.written.set(self.written.get().min(end_offset));
        self.durable.set(self.durable.get().min(end_offset));
        self.synced.set(self.synced.get().min(end_offset));
        let mut uncommitted = self.uncommitted.borrow_mut();
        uncommitted.retain(|run| run.to <= end_offset);
        if uncommitted.back().is_some_and(|last| last.to < self.written.get()) {
            // Cut within a run: later ones would not follow these.
            uncommitted.clear();
        }
        drop(uncommitted);
        self.truncations.set(self.truncations.get() + 1);
        self.check_order();
        let (written, next) =
            (self.written.get(), self.gathered.borrow().front().map(|one| one.end_offset));
        assert!(
            next.is_none_or(|next| written < next),
            "{written} is written of a log that was cut, and {next:?} is still to be written"
        );
    }

    /// Begins anew at an offset: nothing is left to write.
    pub fn restart(&self, offset: i64) {
        assert!(self.held.get() > 0, "writes are held back while a log begins anew");
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
