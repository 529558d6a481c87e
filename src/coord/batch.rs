//! Records on their way into the log, and the atomic batches that they are written in.
//!
//! Pure, and of no kind of coordinator: what a record says is the state machine's business.

use bytes::Bytes;

/// What a batch's header and a record's lengths take besides keys and values, rounded up.
const BATCH_OVERHEAD_BYTES: usize = 128;
const RECORD_OVERHEAD_BYTES: usize = 32;

/// One record as the log takes it. Its timestamp is the time of the append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoordinatorRecord {
    pub key: Bytes,
    /// `None` deletes what the key stands for.
    pub value: Option<Bytes>,
}

impl CoordinatorRecord {
    /// An upper bound of what the record takes as the only one of a batch.
    pub(super) fn size_bytes(&self) -> usize {
        BATCH_OVERHEAD_BYTES + self.size_in_batch_bytes()
    }

    fn size_in_batch_bytes(&self) -> usize {
        RECORD_OVERHEAD_BYTES + self.key.len() + self.value.as_ref().map_or(0, Bytes::len)
    }
}

/// An upper bound of the batch that these records make.
pub(super) fn batch_size_bytes(records: &[CoordinatorRecord]) -> usize {
    BATCH_OVERHEAD_BYTES + records.iter().map(CoordinatorRecord::size_in_batch_bytes).sum::<usize>()
}

/// Records that are appended together or not at all, by one author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch<A> {
    pub author: A,
    pub records: Vec<CoordinatorRecord>,
}

/// What one event has written so far, in batches that the log takes.
#[derive(Debug)]
pub(super) struct Written<A> {
    batches: Vec<Batch<A>>,
    max_batch_bytes: usize,
    last_batch_bytes: usize,
    records_bytes: usize,
}

impl<A: Copy + PartialEq> Written<A> {
    pub fn new(max_batch_bytes: usize) -> Written<A> {
        Written { batches: Vec::new(), max_batch_bytes, last_batch_bytes: 0, records_bytes: 0 }
    }

    /// The record goes into the last batch if it fits and its author wrote that, else into a new
    /// one.
    pub fn push(&mut self, author: A, record: CoordinatorRecord) {
        let record_bytes = record.size_in_batch_bytes();
        let fits = self.last_batch_bytes.saturating_add(record_bytes) <= self.max_batch_bytes;
        if !self.batches.last().is_some_and(|last| fits && last.author == author) {
            self.batches.push(Batch { author, records: Vec::new() });
            self.last_batch_bytes = BATCH_OVERHEAD_BYTES;
        }
        self.last_batch_bytes += record_bytes;
        self.records_bytes += record_bytes;
        self.batches.last_mut().expect("a batch was opened").records.push(record);
    }

    /// An upper bound of the batch that all of it would make.
    pub fn size_bytes(&self) -> usize {
        BATCH_OVERHEAD_BYTES + self.records_bytes
    }

    pub fn into_batches(self) -> Vec<Batch<A>> {
        self.batches
    }
}
