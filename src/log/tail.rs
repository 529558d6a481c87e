//! The newest bytes of the logs of one core, in memory: what followers of the tail read without
//! touching a file.
//!
//! Owns: recent appends as reference-counted slices, within a budget per core, given up oldest
//! first whatever log they belong to; and appends not yet written to a file, which are never given
//! up. Lives on one core. Never does I/O.
//!
//! Small appends are copied into shared blocks, and merged once there are many: a tiny record
//! neither pins the large buffer it was received in, nor costs a reader a slice of its own.

use super::read::{ReadPart, ReadParts};
use bytes::{Bytes, BytesMut};
use protocol::records::Batch;
use ring::BufferPool;
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::{Rc, Weak},
};

/// Appends below this are copied out of the buffer they came in.
const SMALL_BYTES: usize = 8 * 1024;
/// What small appends are copied into.
const BLOCK_BYTES: usize = 64 * 1024;
/// Blocks that may be held besides what the budget counts: unwritten, or sliced by readers.
const SPARE_BLOCKS: usize = 64;
/// Small appends of one log are merged until they are this large.
const MERGED_BYTES: usize = 16 * 1024;
/// Appends of one log that follow one another are given up together, up to so many bytes.
const AGE_BYTES: usize = 256 * 1024;
/// How many unwritten entries one append steps over in its search for something to give up.
const MAX_STEPS_OVER: usize = 16;

/// The tail memory of one core. Shared by its logs.
pub struct TailCache {
    budget_bytes: usize,
    used_bytes: Cell<usize>,
    /// In the order of the appends: whose bytes are the oldest, and how many of them.
    queue: RefCell<VecDeque<Age>>,
    blocks: BufferPool,
    /// The rest of the newest block.
    block: RefCell<BytesMut>,
}

struct Age {
    tail: Weak<Tail>,
    generation: u32,
    bytes: usize,
}

/// A run of whole batches, contiguous in the log.
#[derive(Clone, Debug)]
struct Entry {
    base_offset: i64,
    end_offset: i64,
    bytes: Bytes,
}

/// The tail of one log. Its entries follow one another up to the end of the log.
pub(super) struct Tail {
    cache: Rc<TailCache>,
    entries: RefCell<VecDeque<Entry>>,
    /// Entries from here on are in no file yet.
    written_offset: Cell<i64>,
    /// Rises when entries vanish from the end: what the queue says about older generations is void.
    generation: Cell<u32>,
    /// Bytes that the queue has asked this log to give up, less than its first entry.
    debt_bytes: Cell<usize>,
    /// Of the small entries at the end: to add them up for each append would cost more than the
    /// append.
    small: Cell<SmallRun>,
}

/// Small entries that follow one another up to the end.
#[derive(Clone, Copy, Default)]
struct SmallRun {
    entries: usize,
    bytes: usize,
}

/// What a read takes: whole batches.
#[derive(Debug, Default)]
pub(super) struct TailRead {
    pub parts: ReadParts,
    pub size_bytes: usize,
    /// The offset after the last batch; that of the read where it takes none.
    pub end_offset: i64,
}

impl TailCache {
    pub fn new(budget_bytes: usize) -> Rc<Self> {
        Rc::new(Self {
            budget_bytes,
            used_bytes: Cell::new(0),
            queue: RefCell::default(),
            blocks: BufferPool::new(BLOCK_BYTES, budget_bytes / BLOCK_BYTES + SPARE_BLOCKS),
            block: RefCell::default(),
        })
    }

    pub fn used_bytes(&self) -> usize {
        self.used_bytes.get()
    }

    /// The same bytes, one piece after the other, in a block that small appends share.
    fn copied<'a>(&self, size_bytes: usize, pieces: impl Iterator<Item = &'a Bytes>) -> Bytes {
        assert!(size_bytes <= BLOCK_BYTES, "only small appends are copied");
        let mut block = self.block.borrow_mut();
        if block.capacity() - block.len() < size_bytes {
            *block = self.blocks.take().unwrap_or_else(|| BytesMut::with_capacity(BLOCK_BYTES));
        }
        pieces.for_each(|piece| block.extend_from_slice(piece));
        let bytes = block.split().freeze();
        assert_eq!(bytes.len(), size_bytes, "the pieces are as long as was said");
        bytes
    }

    /// Gives memory back that nothing was written into for a while.
    pub fn release_idle(&self) {
        self.blocks.release_idle();
        if self.used_bytes.get() == 0 {
            // Entries left in the queue are of logs that are gone, or were cut.
            *self.block.borrow_mut() = BytesMut::new();
            *self.queue.borrow_mut() = VecDeque::new();
        }
    }

    fn add(&self, tail: &Rc<Tail>, bytes: usize) {
        assert!(bytes > 0, "an entry of the tail has bytes");
        self.used_bytes.set(self.used_bytes.get() + bytes);
        let generation = tail.generation.get();
        let mut queue = self.queue.borrow_mut();
        match queue.back_mut() {
            Some(age)
                if age.generation == generation
                    && age.bytes + bytes <= AGE_BYTES
                    && std::ptr::eq(age.tail.as_ptr(), Rc::as_ptr(tail)) =>
            {
                age.bytes += bytes;
            }
            _ => {
                if queue.len() == queue.capacity() {
                    // Before it grows: logs that are gone, or were cut, leave nothing here for
                    // good.
                    queue.retain(|age| {
                        age.tail
                            .upgrade()
                            .is_some_and(|tail| tail.generation.get() == age.generation)
                    });
                }
                queue.push_back(Age { tail: Rc::downgrade(tail), generation, bytes });
            }
        }
    }

    fn remove(&self, bytes: usize) {
        self.used_bytes
            .set(self.used_bytes.get().checked_sub(bytes).expect("only what was added is removed"));
    }

    /// Gives up some of the oldest bytes beyond what the budget asks for: memory is short
    /// elsewhere. The bytes given up.
    pub fn give_up(&self, bytes: usize) -> usize {
        let before = self.used_bytes.get();
        self.shrink_to(before.saturating_sub(bytes));
        let after = self.used_bytes.get();
        assert!(after <= before, "{before} bytes were in use when some were given up, now {after}");
        before - after
    }

    /// Memory in blocks that small appends are copied into.
    pub fn block_bytes(&self) -> usize {
        self.blocks.size_bytes()
    }

    /// Gives up the oldest bytes until no more than `target_bytes` are left, or only unwritten ones
    /// were met.
    fn shrink_to(&self, target_bytes: usize) {
        let mut steps_over = 0;
        while self.used_bytes.get() > target_bytes && steps_over < MAX_STEPS_OVER {
            let Some(age) = self.queue.borrow_mut().pop_front() else { break };
            let Some(tail) = age.tail.upgrade() else { continue };
            if tail.generation.get() != age.generation {
                continue;
            }
            assert!(age.bytes > 0, "an age of the tail has bytes");
            let left = tail.give_up(age.bytes);
            if left > 0 {
                steps_over += 1;
                self.queue.borrow_mut().push_back(Age { bytes: left, ..age });
            }
        }
    }
}

impl Tail {
    pub fn new(cache: Rc<TailCache>, end_offset: i64) -> Rc<Self> {
        Rc::new(Self {
            cache,
            entries: RefCell::default(),
            written_offset: Cell::new(end_offset),
            generation: Cell::new(0),
            debt_bytes: Cell::new(0),
            small: Cell::default(),
        })
    }

    /// Appends whole batches that follow the ones here; gives back the bytes as they are kept.
    pub fn push(self: &Rc<Self>, base_offset: i64, end_offset: i64, records: Bytes) -> Bytes {
        assert!(
            base_offset < end_offset,
            "an entry of the tail begins at {base_offset} and ends at {end_offset}"
        );
        let written = self.written_offset.get();
        assert!(written <= base_offset, "{base_offset} is added, and {written} is written already");
        let small = records.len() < SMALL_BYTES;
        let bytes =
            if small { self.cache.copied(records.len(), [&records].into_iter()) } else { records };
        let mut entries = self.entries.borrow_mut();
        if let Some(last) = entries.back() {
            let last = last.end_offset;
            assert!(last <= base_offset, "the tail ends at {last}, {base_offset} is added");
        }
        entries.push_back(Entry { base_offset, end_offset, bytes: bytes.clone() });
        if small {
            let run = self.small.get();
            let run = SmallRun { entries: run.entries + 1, bytes: run.bytes + bytes.len() };
            self.small.set(merge_small(&self.cache, &mut entries, run));
        } else {
            self.small.set(SmallRun::default());
        }
        drop(entries);
        self.cache.add(self, bytes.len());
        self.cache.shrink_to(self.cache.budget_bytes);
        bytes
    }

    /// Everything below `offset` is in a file now, and may be given up.
    pub fn written(&self, offset: i64) {
        let before = self.written_offset.replace(offset);
        assert!(before <= offset, "the tail was written up to {before}, now {offset}");
        let end = self.end_offset();
        assert!(end.is_none_or(|end| offset <= end), "{offset} is written, beyond the end {end:?}");
    }

    /// The first offset that can be read here; `None` when nothing is held.
    pub fn first_offset(&self) -> Option<i64> {
        self.entries.borrow().front().map(|entry| entry.base_offset)
    }

    /// The end of the log; `None` when nothing is held.
    pub fn end_offset(&self) -> Option<i64> {
        self.entries.borrow().back().map(|entry| entry.end_offset)
    }

    /// Forgets everything: the log was cut.
    pub fn clear(&self, end_offset: i64) {
        let entries = self.entries.take();
        self.cache.remove(entries.iter().map(|entry| entry.bytes.len()).sum());
        self.generation.set(self.generation.get().wrapping_add(1));
        self.debt_bytes.set(0);
        self.small.set(SmallRun::default());
        self.written_offset.set(end_offset);
    }

    /// Whole batches from the one that holds `offset` on, `max_bytes` at most (the first batch may
    /// be larger with `at_least_one`), none that reaches beyond `up_to_offset`. `None`: the tail
    /// begins later than `offset`.
    pub fn read(
        &self,
        offset: i64,
        max_bytes: usize,
        at_least_one: bool,
        up_to_offset: i64,
    ) -> Option<TailRead> {
        let entries = self.entries.borrow();
        if entries.front().is_none_or(|first| first.base_offset > offset) {
            return None;
        }
        let first = entries.partition_point(|entry| entry.end_offset <= offset);
        let mut read = TailRead { end_offset: offset, ..TailRead::default() };
        for entry in entries.range(first..) {
            let room = max_bytes.saturating_sub(read.size_bytes);
            let whole = entry.base_offset >= offset
                && entry.end_offset <= up_to_offset
                && entry.bytes.len() <= room;
            let (part, end, complete) = if whole {
                (entry.bytes.clone(), entry.end_offset, true)
            } else {
                let must = at_least_one && read.size_bytes == 0;
                slice_of(&entry.bytes, offset, room, must, up_to_offset)
            };
            if !part.is_empty() {
                assert!(read.end_offset < end, "a read to {} goes on to {end}", read.end_offset);
                read.end_offset = end;
                read.size_bytes += part.len();
                read.parts.push(ReadPart::Memory(part));
            }
            if !complete {
                break;
            }
        }
        assert!(
            read.size_bytes <= max_bytes || read.parts.len() == 1,
            "a read of {max_bytes} bytes takes {}",
            read.size_bytes
        );
        Some(read)
    }

    /// Gives up `bytes` from the front, as far as they are written. The bytes that must stay for
    /// now.
    fn give_up(&self, bytes: usize) -> usize {
        let mut debt = self.debt_bytes.get() + bytes;
        let mut entries = self.entries.borrow_mut();
        let mut freed = 0;
        let mut left = 0;
        while let Some(first) = entries.front() {
            if first.bytes.len() > debt {
                break;
            }
            if first.end_offset > self.written_offset.get() {
                left = debt;
                debt = 0;
                break;
            }
            debt -= first.bytes.len();
            freed += first.bytes.len();
            let run = self.small.get();
            if run.entries == entries.len() {
                let (entries, bytes) = (run.entries - 1, run.bytes - first.bytes.len());
                self.small.set(SmallRun { entries, bytes });
            }
            entries.pop_front();
        }
        let first = entries.front().map_or(0, |first| first.bytes.len());
        assert!(debt == 0 || debt < first, "{debt} bytes are owed of an entry of {first}");
        self.debt_bytes.set(debt);
        drop(entries);
        self.cache.remove(freed);
        left
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.cache.remove(self.entries.get_mut().iter().map(|entry| entry.bytes.len()).sum());
    }
}

/// Joins the small entries at the end, which are `run`, once they are worth one copy; those that
/// are left. The newest is kept as it is: it is about to be written and read.
fn merge_small(cache: &TailCache, entries: &mut VecDeque<Entry>, run: SmallRun) -> SmallRun {
    let SmallRun { entries: count, bytes: size } = run;
    assert!(count <= entries.len(), "{count} of {} entries are small", entries.len());
    if size < MERGED_BYTES || count < 3 {
        return run;
    }
    let from = entries.len() - count;
    let merged = Entry {
        base_offset: entries[from].base_offset,
        end_offset: entries[entries.len() - 1].end_offset,
        bytes: cache.copied(size, entries.range(from..).map(|entry| &entry.bytes)),
    };
    assert_eq!(merged.bytes.len(), size, "entries are joined without a loss");
    entries.truncate(from);
    entries.push_back(merged);
    SmallRun::default()
}

/// The batches of a run that end after `offset` and not after `up_to_offset`, `room` bytes at most;
/// the first of them whatever its size with `must`. And the offset after the last of them, and
/// whether they go on to the end of the run.
fn slice_of(
    run: &Bytes,
    offset: i64,
    room: usize,
    must: bool,
    up_to_offset: i64,
) -> (Bytes, i64, bool) {
    let (mut start, mut at, mut end_offset) = (0, 0, offset);
    while at < run.len() {
        let batch = Batch::parse(&run[at..]).expect("the tail holds whole, validated batches");
        let next = at + batch.size_bytes();
        if batch.next_offset() <= offset {
            start = next;
        } else {
            let fits = next - start <= room || (must && start == at);
            if batch.next_offset() > up_to_offset || !fits {
                break;
            }
            end_offset = batch.next_offset();
        }
        at = next;
    }
    (run.slice(start..at), end_offset, at == run.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::records::BatchBuilder;

    fn batch(offset: i64, value_bytes: usize) -> Bytes {
        let mut builder = BatchBuilder::new(offset);
        builder.append(0, None, Some(&vec![offset as u8; value_bytes]), &[]);
        builder.build()
    }

    fn push(tail: &Rc<Tail>, offset: i64, value_bytes: usize) -> usize {
        let bytes = batch(offset, value_bytes);
        tail.push(offset, offset + 1, bytes.clone());
        bytes.len()
    }

    fn offsets(read: &TailRead) -> Vec<i64> {
        let bytes = |part: &ReadPart| {
            if let ReadPart::Memory(bytes) = part { bytes.to_vec() } else { vec![] }
        };
        let all: Vec<u8> = read.parts.iter().flat_map(bytes).collect();
        protocol::records::batches(&all).map(|batch| batch.unwrap().base_offset()).collect()
    }

    #[test]
    fn the_oldest_goes_first_whatever_log_it_belongs_to() {
        let cache = TailCache::new(100_000);
        let (a, b) = (Tail::new(cache.clone(), 0), Tail::new(cache.clone(), 0));
        for at in 0..20 {
            push(&a, at, 10_000);
            push(&b, at, 10_000);
            a.written(at + 1);
            b.written(at + 1);
        }
        assert!(cache.used_bytes() <= 110_000);
        assert_eq!((a.first_offset(), b.first_offset()), (Some(16), Some(15)));
        assert!(a.read(15, 1 << 20, true, 20).is_none());
        assert_eq!(offsets(&a.read(16, 1 << 20, true, 20).unwrap()), [16, 17, 18, 19]);
        drop(a);
        b.clear(20);
        assert_eq!(cache.used_bytes(), 0);
    }

    #[test]
    fn logs_that_are_gone_leave_nothing() {
        let cache = TailCache::new(1 << 20);
        for _ in 0..10_000 {
            let tail = Tail::new(cache.clone(), 0);
            push(&tail, 0, 10);
            push(&tail, 1, 10_000);
        }
        assert_eq!(cache.used_bytes(), 0);
        assert!(cache.queue.borrow().len() < 100, "{}", cache.queue.borrow().len());
        let tail = Tail::new(cache.clone(), 0);
        let bytes = push(&tail, 0, AGE_BYTES) + push(&tail, 1, AGE_BYTES);
        tail.written(2);
        assert_eq!(cache.give_up(1), bytes / 2, "what was appended together, and no more");
        assert_eq!(tail.first_offset(), Some(1));
        assert_eq!(cache.give_up(usize::MAX), bytes / 2);
        tail.clear(2);
        cache.release_idle();
        cache.release_idle();
        assert_eq!((cache.used_bytes(), cache.block_bytes()), (0, 0));
    }

    #[test]
    fn what_is_not_written_stays() {
        let cache = TailCache::new(1000);
        let (a, b) = (Tail::new(cache.clone(), 0), Tail::new(cache.clone(), 0));
        for at in 0..50 {
            push(&a, at, 500);
        }
        for at in 0..50 {
            push(&b, at, 500);
            b.written(at + 1);
        }
        assert_eq!(a.first_offset(), Some(0));
        assert!(
            b.first_offset().is_none_or(|first| first > 40),
            "one log's arrears do not keep another's bytes"
        );
        a.written(50);
        push(&b, 50, 10);
        assert!(cache.used_bytes() < 10_000);
    }

    #[test]
    fn small_appends_are_merged_and_read_as_before() {
        let cache = TailCache::new(1 << 20);
        let tail = Tail::new(cache.clone(), 0);
        let total: usize = (0..2000).map(|at| push(&tail, at, 20)).sum();
        assert_eq!(cache.used_bytes(), total);
        assert!(tail.entries.borrow().len() < 500);
        for from in [0, 1, 777, 1999] {
            let read = tail.read(from, usize::MAX, false, 2000).unwrap();
            assert_eq!(offsets(&read), (from..2000).collect::<Vec<_>>());
            assert_eq!(offsets(&tail.read(from, 300, false, 2000).unwrap()).len().min(1), 1);
            assert_eq!(offsets(&tail.read(from, 1, true, 2000).unwrap()), [from]);
            assert!(tail.read(from, 1, false, 2000).unwrap().parts.is_empty());
            assert!(tail.read(from, 1000, true, from).unwrap().parts.is_empty());
        }
    }
}
