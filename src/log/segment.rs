//! One segment: a `.log` file of whole batches, its indexes, and the decision when to begin the
//! next one.
//!
//! Owns: the open files, sizes and indexes of the segment. Lives on the core of its log. Appending
//! changes memory only; bytes go to the files through [`super::writer`], so that many appends leave
//! together.

use super::{
    LogConfig, files,
    index::{Entry, Index, OFFSET_ENTRY_BYTES, TIME_ENTRY_BYTES},
    txn_index::{ENTRY_BYTES as TXN_ENTRY_BYTES, TxnIndex},
};
use bytes::Bytes;
use protocol::records::{BatchHeader, NO_TIMESTAMP};
use ring::{File, OpenOptions, Ring, sync::AsyncMutex};
use std::{
    cell::{Cell, RefCell},
    fmt, io,
    path::Path,
};

/// Offsets in an index are relative to the segment's base, as a Java `int`.
const MAX_RELATIVE_OFFSET: i64 = i32::MAX as i64;

/// A timestamp and the last offset of the batch that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimestampOffset {
    pub timestamp: i64,
    pub offset: i64,
}

/// Which of a segment's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SegmentFile {
    Log = 0,
    Offsets = 1,
    Times = 2,
    Aborted = 3,
}

impl SegmentFile {
    pub const ALL: [SegmentFile; 4] =
        [SegmentFile::Log, SegmentFile::Offsets, SegmentFile::Times, SegmentFile::Aborted];

    pub fn extension(self) -> &'static str {
        match self {
            SegmentFile::Log => files::LOG,
            SegmentFile::Offsets => files::OFFSET_INDEX,
            SegmentFile::Times => files::TIME_INDEX,
            SegmentFile::Aborted => files::TXN_INDEX,
        }
    }
}

pub(super) struct Segment {
    pub base_offset: i64,
    /// Opened when they are first needed, by [`SegmentFile`].
    open_files: RefCell<[Option<File>; 4]>,
    /// One of them was asked for since [`Segment::take_used`].
    used: Cell<bool>,
    /// Which files exist, by [`SegmentFile`].
    exists: Cell<[bool; 4]>,
    /// One open at a time: a second one of a new file would truncate what the first one has been
    /// used for already.
    pub opening: AsyncMutex,
    /// The log was deleted, or another segment has taken its place: a file of its name may be
    /// another one's.
    is_moved: Cell<bool>,
    pub offsets: RefCell<Index>,
    pub times: RefCell<Index>,
    pub aborted: RefCell<TxnIndex>,
    /// All that was aborted is there. Otherwise the file was not there, which is right where
    /// nothing was ([`super::Log::know_aborted`]).
    pub knows_aborted: Cell<bool>,
    /// Bytes of whole batches, written or not.
    pub size_bytes: Cell<u32>,
    /// Bytes that the `.log` file has.
    pub written_bytes: Cell<u32>,
    /// Bytes that the disk has.
    pub synced_bytes: Cell<u32>,
    /// The `.log` file is longer than its batches.
    pub preallocated: Cell<bool>,
    /// What the index files have is on the disk. Recovery believes the indexes below the recovery
    /// point.
    pub indexes_synced: Cell<bool>,
    /// A sync of its aborted transactions has failed: the file may lack some, whatever a later sync
    /// says.
    pub has_lost_aborted: Cell<bool>,
    pub max_timestamp: Cell<TimestampOffset>,
    /// Largest timestamp of the first batch: what `segment.ms` counts from. `None`: empty, or not
    /// read yet.
    pub first_timestamp: Cell<Option<i64>>,
    pub created_ms: i64,
    bytes_since_entry: Cell<u32>,
}

impl Segment {
    /// A segment without files yet.
    pub fn new(base_offset: i64, created_ms: i64) -> Self {
        assert!(base_offset >= 0, "a segment begins at {base_offset}, before the first offset");
        Self {
            base_offset,
            open_files: RefCell::default(),
            used: Cell::new(false),
            exists: Cell::new([false; 4]),
            opening: AsyncMutex::default(),
            is_moved: Cell::new(false),
            offsets: RefCell::new(Index::new(OFFSET_ENTRY_BYTES)),
            times: RefCell::new(Index::new(TIME_ENTRY_BYTES)),
            aborted: RefCell::default(),
            knows_aborted: Cell::new(true),
            size_bytes: Cell::new(0),
            written_bytes: Cell::new(0),
            synced_bytes: Cell::new(0),
            preallocated: Cell::new(false),
            indexes_synced: Cell::new(false),
            has_lost_aborted: Cell::new(false),
            max_timestamp: Cell::new(TimestampOffset {
                timestamp: NO_TIMESTAMP,
                offset: base_offset,
            }),
            first_timestamp: Cell::new(None),
            created_ms,
            bytes_since_entry: Cell::new(0),
        }
    }

    /// Whether `offset` can stand in the indexes.
    pub fn holds_offset(&self, offset: i64) -> bool {
        (0..=MAX_RELATIVE_OFFSET).contains(&(offset - self.base_offset))
    }

    /// The file has what was appended at `position`, so many bytes.
    pub fn wrote(&self, position: u32, size_bytes: usize) {
        let (before, appended) = (self.written_bytes.get(), self.size_bytes.get());
        assert_eq!(position, before, "runs of {} are written one behind the other", self);
        let after = u64::from(position) + size_bytes as u64;
        assert!(
            after <= u64::from(appended),
            "{after} bytes of {self} are written, {appended} were appended"
        );
        self.written_bytes.set(after as u32);
    }

    /// The disk has the first bytes, unless the file was cut meanwhile.
    pub fn synced_to(&self, bytes: u32) {
        let (before, written) = (self.synced_bytes.get(), self.written_bytes.get());
        assert!(before <= written, "{before} bytes of {self} are synced, {written} written");
        self.synced_bytes.set(before.max(bytes.min(written)));
    }

    /// The disk has all of it.
    pub fn check_synced(&self) {
        let (size, written) = (self.size_bytes.get(), self.written_bytes.get());
        let synced = self.synced_bytes.get();
        assert_eq!(written, size, "bytes of {self} that were appended are not written");
        assert_eq!(synced, written, "bytes of {self} that were written are not synced");
    }

    /// Cuts the books to the bytes before `position`.
    pub fn cut_bytes(&self, position: u32) {
        let written = self.written_bytes.get();
        assert!(position <= written, "{self} is cut at {position}, and has {written} bytes");
        self.size_bytes.set(position);
        self.written_bytes.set(position);
        self.synced_bytes.set(self.synced_bytes.get().min(position));
    }

    fn relative(&self, offset: i64) -> u32 {
        assert!(
            self.holds_offset(offset),
            "offset {offset} lies outside the segment at {}",
            self.base_offset
        );
        (offset - self.base_offset) as u32
    }

    /// Takes one more batch into the books: sizes, indexes, timestamps.
    pub fn add_batch(&self, batch: &BatchHeader, size_bytes: u32, index_interval_bytes: u32) {
        let position = self.size_bytes.get();
        let last_offset = batch.last_offset();
        assert!(
            size_bytes > 0 && u64::from(position) + u64::from(size_bytes) <= i32::MAX as u64,
            "a batch of {size_bytes} bytes at {position} leads out of {self}"
        );
        assert!(
            batch.base_offset() >= self.base_offset,
            "offset {} lies before {self}",
            batch.base_offset()
        );
        if batch.max_timestamp() > self.max_timestamp.get().timestamp {
            self.max_timestamp
                .set(TimestampOffset { timestamp: batch.max_timestamp(), offset: last_offset });
        }
        if position == 0 {
            self.first_timestamp.set(Some(batch.max_timestamp()));
        }
        if self.bytes_since_entry.get() > index_interval_bytes {
            self.offsets.borrow_mut().push(Entry::for_offset(self.relative(last_offset), position));
            self.add_time_entry();
            self.bytes_since_entry.set(0);
        }
        self.bytes_since_entry.set(self.bytes_since_entry.get() + size_bytes);
        self.size_bytes.set(position + size_bytes);
    }

    /// An entry for the largest timestamp so far, unless the last entry has it. Closed segments end
    /// with one.
    pub fn add_time_entry(&self) {
        let max = self.max_timestamp.get();
        let mut times = self.times.borrow_mut();
        if max.timestamp > times.last().map_or(NO_TIMESTAMP, |last| last.timestamp()) {
            times.push(Entry::for_time(max.timestamp, self.relative(max.offset)));
        }
    }

    pub fn indexes_full(&self, config: &LogConfig) -> bool {
        let offset_entries = config.segment_index_bytes / OFFSET_ENTRY_BYTES as u32;
        let time_entries = config.segment_index_bytes / TIME_ENTRY_BYTES as u32;
        // The last time entry is kept for the roll.
        self.offsets.borrow().count() >= offset_entries
            || self.times.borrow().count() + 1 >= time_entries
    }

    pub fn bytes_since_entry(&self) -> u32 {
        self.bytes_since_entry.get()
    }
    pub fn set_bytes_since_entry(&self, bytes: u32) {
        self.bytes_since_entry.set(bytes);
    }

    // ---- files
    // ---------------------------------------------------------------------------------------------

    pub fn exists(&self, part: SegmentFile) -> bool {
        self.exists.get()[part as usize]
    }

    pub fn set_exists(&self, part: SegmentFile, exists: bool) {
        assert!(
            exists || self.open_files.borrow()[part as usize].is_none(),
            "{part:?} of {self} is open, and is not there"
        );
        let mut all = self.exists.get();
        all[part as usize] = exists;
        self.exists.set(all);
    }

    /// The file where it is open already.
    pub fn opened(&self, part: SegmentFile) -> Option<File> {
        self.used.set(true);
        self.open_files.borrow()[part as usize].clone()
    }

    /// Opens the file, and creates it where it does not exist: empty, whatever lies there from
    /// before.
    pub async fn file(&self, ring: &Ring, dir: &Path, part: SegmentFile) -> io::Result<File> {
        if let Some(file) = self.opened(part) {
            return Ok(file);
        }
        let _guard = self.opening.lock().await;
        if let Some(file) = self.opened(part) {
            return Ok(file);
        }
        if self.is_moved.get() {
            let text = format!("{self} is no part of a log any more");
            return Err(io::Error::new(io::ErrorKind::NotFound, text));
        }
        let create = !self.exists(part);
        let options = OpenOptions { write: true, create, truncate: create, ..OpenOptions::read() };
        let file = ring.open(files::path(dir, self.base_offset, part.extension()), options).await?;
        self.set_exists(part, true);
        let before = self.open_files.borrow_mut()[part as usize].replace(file.clone());
        assert!(before.is_none(), "{part:?} of {self} is open twice");
        Ok(file)
    }

    /// Opens a file under a name that it will not keep.
    pub async fn open_as(&self, ring: &Ring, path: &Path, part: SegmentFile) -> io::Result<File> {
        assert!(self.exists(part), "{part:?} of {self} is opened before it is made");
        let _guard = self.opening.lock().await;
        let file = ring.open(path, OpenOptions { write: true, ..OpenOptions::read() }).await?;
        let before = self.open_files.borrow_mut()[part as usize].replace(file.clone());
        assert!(before.is_none(), "{part:?} of {self} is open twice");
        Ok(file)
    }

    /// Waits for an open that is under way; none begins any more.
    pub async fn end_opening(&self) {
        let _guard = self.opening.lock().await;
        self.is_moved.set(true);
        assert!(self.opening.is_locked(), "nothing opens a file of {self} meanwhile");
    }

    pub fn close_files(&self) {
        *self.open_files.borrow_mut() = [None, None, None, None];
    }

    /// Closes what nothing else uses at the moment, but for the `.log` file if it is to stay.
    pub fn close_idle_files(&self, keep_log: bool) {
        for (part, file) in SegmentFile::ALL.into_iter().zip(&mut *self.open_files.borrow_mut()) {
            let stays = keep_log && part == SegmentFile::Log;
            drop(file.take_if(|file| !stays && file.is_last_handle()));
        }
    }

    /// Whether a file was asked for since the last call.
    pub fn take_used(&self) -> bool {
        self.used.replace(false)
    }

    /// Writes what the index files lack. With `create`, both exist afterwards even when they are
    /// empty.
    pub async fn flush_indexes(&self, ring: &Ring, dir: &Path, create: bool) -> io::Result<()> {
        for part in [SegmentFile::Offsets, SegmentFile::Times, SegmentFile::Aborted] {
            let (needed, at, bytes, count) = self.unflushed(part);
            if needed || (create && part != SegmentFile::Aborted && !self.exists(part)) {
                let file = self.file(ring, dir, part).await?;
                self.indexes_synced.set(false);
                if !bytes.is_empty() {
                    ring.write_at(&file, vec![bytes], at).await?;
                }
                self.flushed(part, count);
            }
        }
        Ok(())
    }

    /// The file has the first `count` entries of this index.
    pub fn flushed(&self, part: SegmentFile, count: u32) {
        match part {
            SegmentFile::Offsets => self.offsets.borrow_mut().flushed(count),
            SegmentFile::Times => self.times.borrow_mut().flushed(count),
            _ => self.aborted.borrow_mut().flushed(count),
        }
    }

    /// What an index file lacks: whether anything, where it begins, its bytes, and how many entries
    /// there are with it.
    pub fn unflushed(&self, part: SegmentFile) -> (bool, u64, Bytes, u32) {
        let of_index = |index: &Index| {
            let (at, bytes) = index.unflushed();
            (index.needs_flush(), at, bytes, index.count())
        };
        match part {
            SegmentFile::Offsets => of_index(&self.offsets.borrow()),
            SegmentFile::Times => of_index(&self.times.borrow()),
            _ => {
                let aborted = self.aborted.borrow();
                let (at, bytes) = aborted.unflushed();
                (aborted.needs_flush(), at, bytes, aborted.count())
            }
        }
    }

    /// The disk has the index files.
    pub fn set_indexes_synced(&self) {
        let lacks = self.offsets.borrow().needs_flush() || self.times.borrow().needs_flush();
        assert!(!lacks, "the indexes of {self} are synced, and their files lack entries");
        self.indexes_synced.set(true);
    }

    pub async fn sync_indexes(&self, ring: &Ring, dir: &Path) -> io::Result<()> {
        for part in [SegmentFile::Offsets, SegmentFile::Times] {
            if self.exists(part) {
                ring.sync_data(&self.file(ring, dir, part).await?).await?;
            }
        }
        if self.exists(SegmentFile::Aborted) {
            if self.aborted.borrow().needs_sync() {
                // With its name: a recovery from behind it does not miss the file.
                ring.sync_dir(dir).await?;
            }
            self.sync_aborted_file(ring, dir).await?;
        }
        Ok(())
    }

    async fn sync_aborted_file(&self, ring: &Ring, dir: &Path) -> io::Result<()> {
        let count = self.aborted.borrow().entries_on_disk();
        let file = self.file(ring, dir, SegmentFile::Aborted).await?;
        let synced = ring.sync_data(&file).await;
        if synced.is_err() {
            self.has_lost_aborted.set(true);
        } else {
            self.aborted.borrow_mut().synced(count);
        }
        synced
    }

    /// Has what the file of aborted transactions has on the disk, with its name.
    pub async fn sync_aborted(&self, ring: &Ring, dir: &Path) -> io::Result<()> {
        if !self.aborted.borrow().needs_sync() {
            return Ok(());
        }
        let count = self.aborted.borrow().entries_on_disk();
        assert!(self.exists(SegmentFile::Aborted), "{self} has {count} entries in no file");
        ring.sync_dir(dir).await?;
        self.sync_aborted_file(ring, dir).await
    }

    /// What an index file has of the index.
    pub fn index_bytes(&self, part: SegmentFile) -> u64 {
        let (entries, entry_bytes) = match part {
            SegmentFile::Offsets => (self.offsets.borrow().entries_on_disk(), OFFSET_ENTRY_BYTES),
            SegmentFile::Times => (self.times.borrow().entries_on_disk(), TIME_ENTRY_BYTES),
            SegmentFile::Aborted => (self.aborted.borrow().entries_on_disk(), TXN_ENTRY_BYTES),
            SegmentFile::Log => unreachable!("batches are no index"),
        };
        u64::from(entries) * entry_bytes as u64
    }

    /// Cuts the index files to what the indexes hold. Aborted transactions that are still to be
    /// written lie in the file already where a recovery has found them again: cut off, they would
    /// be missing after a power cut, and a recovery from behind them would not look.
    pub async fn trim_indexes(&self, ring: &Ring, dir: &Path) -> io::Result<()> {
        for part in [SegmentFile::Offsets, SegmentFile::Times, SegmentFile::Aborted] {
            if self.exists(part) {
                let all_aborted = u64::from(self.aborted.borrow().count()) * TXN_ENTRY_BYTES as u64;
                let file = self.file(ring, dir, part).await?;
                let size = ring.size(&file).await?;
                let length = match part {
                    SegmentFile::Aborted => size.min(all_aborted),
                    part => self.index_bytes(part),
                };
                if size != length {
                    self.indexes_synced.set(false);
                    ring.truncate(&file, length).await?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the segment at {}", self.base_offset)
    }
}

/// What the next append looks like, and what it would be appended to.
#[derive(Clone, Copy, Debug)]
pub(super) struct RollInput {
    pub size_bytes: u32,
    pub incoming_bytes: u32,
    pub segment_bytes: u32,
    /// Between the first batch of the segment and the incoming one, or the segment's age where
    /// batches have no time.
    pub waited_ms: i64,
    /// `segment.ms` less this segment's jitter.
    pub segment_ms: i64,
    pub indexes_full: bool,
    /// The incoming offsets can stand in this segment's indexes.
    pub offsets_fit: bool,
}

/// Whether the incoming batches begin a new segment (`LogSegment.shouldRoll`).
pub(super) fn should_roll(input: &RollInput) -> bool {
    let full = u64::from(input.size_bytes) + u64::from(input.incoming_bytes)
        > u64::from(input.segment_bytes);
    let old = input.size_bytes > 0 && input.waited_ms > input.segment_ms;
    full || old || input.indexes_full || !input.offsets_fit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "are written one behind the other")]
    fn a_run_is_written_behind_the_one_before_it() {
        let segment = Segment::new(7, 0);
        segment.size_bytes.set(100);
        segment.wrote(0, 40);
        segment.wrote(60, 40);
    }

    #[test]
    #[should_panic(expected = "101 bytes of the segment at 7 are written, 100 were appended")]
    fn no_more_is_written_than_was_appended() {
        let segment = Segment::new(7, 0);
        segment.size_bytes.set(100);
        segment.wrote(0, 101);
    }

    #[test]
    fn what_is_synced_is_within_what_is_written_also_after_a_cut() {
        let segment = Segment::new(7, 0);
        segment.size_bytes.set(100);
        segment.wrote(0, 100);
        segment.cut_bytes(60);
        segment.synced_to(100);
        assert_eq!(segment.synced_bytes.get(), 60, "of the sync that began before the cut");
        segment.check_synced();
    }

    #[test]
    fn rolls_for_each_of_kafkas_reasons_and_no_other() {
        let calm = RollInput {
            size_bytes: 500,
            incoming_bytes: 500,
            segment_bytes: 1000,
            waited_ms: 10,
            segment_ms: 10,
            indexes_full: false,
            offsets_fit: true,
        };
        assert!(!should_roll(&calm));
        assert!(should_roll(&RollInput { incoming_bytes: 501, ..calm }));
        assert!(should_roll(&RollInput { waited_ms: 11, ..calm }));
        assert!(!should_roll(&RollInput { waited_ms: 11, size_bytes: 0, ..calm }));
        assert!(should_roll(&RollInput { indexes_full: true, ..calm }));
        assert!(should_roll(&RollInput { offsets_fit: false, ..calm }));
    }
}
