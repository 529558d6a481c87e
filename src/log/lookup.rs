//! Finding places in the log: positions of offsets, offsets of timestamps and epochs, aborted
//! transactions.
//!
//! Lives on the core of the log. Indexes answer from memory where they can, from their files where
//! not.

use super::{
    Log, files,
    index::{self, Entry, Found, Key, OFFSET_ENTRY_BYTES, TIME_ENTRY_BYTES},
    log_dir_of,
    segment::{Segment, SegmentFile},
    txn_index::{self, AbortedTransaction},
    walk::{Located, Walk},
};
use crate::pace::TurnBudget;
use protocol::{
    compression::pieces::{PIECE_BYTES, Unpacking},
    records::{BATCH_HEADER_BYTES, Batch, NO_TIMESTAMP, PieceWalk, RecordsError},
};
use ring::{File, Ring};
use std::{io, path::Path, rc::Rc};

/// How far a batch may unpack while its records are searched for a timestamp: as far as any was
/// allowed to when it was appended. Only a piece of it is in memory.
const MAX_UNPACKED_BYTES: usize = i32::MAX as usize;
/// Entries of a transaction index read at once.
const TXN_ENTRIES_AT_ONCE: u32 = 1024;

/// A record's timestamp, its offset and the epoch of the leader that appended it (-1: unknown).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampOffsetEpoch {
    pub timestamp: i64,
    pub offset: i64,
    pub leader_epoch: i32,
}

impl Log {
    /// The last entry of the segment's offset index with `key <= target`.
    pub(super) async fn offset_entry(
        &self,
        segment: &Segment,
        key: Key,
        target: i64,
    ) -> io::Result<Option<Entry>> {
        Ok(self.search(segment, SegmentFile::Offsets, key, target).await?.map(|(entry, _)| entry))
    }

    /// The last entry of an index with `key <= target`, and its number.
    pub(super) async fn search(
        &self,
        segment: &Segment,
        part: SegmentFile,
        key: Key,
        target: i64,
    ) -> io::Result<Option<(Entry, u32)>> {
        search(&self.0.ring, &self.dir(), segment, part, key, target).await
    }

    /// The position of a batch at or before the one that holds `offset`.
    pub(super) async fn position_before(&self, segment: &Segment, offset: i64) -> io::Result<u64> {
        position_before(&self.0.ring, &self.dir(), segment, offset).await
    }

    /// The batch of the segment's file that holds `offset`, or the first one after it.
    pub(super) async fn locate(
        &self,
        segment: &Segment,
        file: &File,
        offset: i64,
    ) -> io::Result<Option<Located>> {
        self.locate_before(segment, file, offset, u64::from(segment.written_bytes.get())).await
    }

    /// The same among the batches before `end`. An index entry that leads into a batch, or past the
    /// offset, is not believed.
    pub(super) async fn locate_before(
        &self,
        segment: &Segment,
        file: &File,
        offset: i64,
        end: u64,
    ) -> io::Result<Option<Located>> {
        let from = self.position_before(segment, offset).await?;
        let mut walk = Walk::new(&self.0.ring, file, from, end);
        match walk.next().await {
            Ok(Some(first)) if from == 0 || first.header.base_offset() <= offset => {
                if first.header.next_offset() > offset {
                    Ok(Some(first))
                } else {
                    walk.seek(offset).await
                }
            }
            Ok(None) if from == 0 || from == end => Ok(None),
            Err(error) if from == 0 || error.kind() != io::ErrorKind::InvalidData => Err(error),
            _ => {
                let path = files::path(&self.dir(), segment.base_offset, files::OFFSET_INDEX);
                tracing::error!(
                    path = %path.display(), offset, position = from,
                    "this index is damaged: it leads to a place where the record's batch is not. \
                     The segment is read from \
                     its beginning instead. Stop the broker and type `millstream log check {}`",
                    log_dir_of(&path).display()
                );
                Walk::new(&self.0.ring, file, 0, end).seek(offset).await
            }
        }
    }

    /// The first record at or after the log start whose timestamp is `timestamp` or later
    /// (ListOffsets).
    pub async fn offset_for_timestamp(
        &self,
        timestamp: i64,
    ) -> io::Result<Option<TimestampOffsetEpoch>> {
        self.wait_written().await?;
        'anew: loop {
            let start = self.log_start_offset();
            for segment in self.segments() {
                // The segment's latest records may lie below the log start: then the next one is
                // searched.
                if segment.max_timestamp.get().timestamp < timestamp {
                    continue;
                }
                match self.search_timestamp(&segment, timestamp, start).await {
                    Err(error) if self.has_given_up(&segment, &error) => continue 'anew,
                    Err(error) => return Err(error),
                    Ok(Some(found)) if found.offset < self.log_start_offset() => continue 'anew,
                    Ok(Some(found)) => {
                        let at = found.timestamp;
                        assert!(timestamp <= at, "{at} is found where {timestamp} is sought");
                        return Ok(Some(found));
                    }
                    Ok(None) => {}
                }
            }
            return Ok(None);
        }
    }

    async fn search_timestamp(
        &self,
        segment: &Rc<Segment>,
        timestamp: i64,
        start: i64,
    ) -> io::Result<Option<TimestampOffsetEpoch>> {
        if segment.written_bytes.get() == 0 {
            return Ok(None);
        }
        // Nothing up to the entry's offset is later than the entry's timestamp, which is not later
        // than ours.
        let entry = self.search(segment, SegmentFile::Times, Key::Timestamp, timestamp).await?;
        let known = entry.map_or(0, |(entry, _)| i64::from(entry.timestamp_relative_offset()));
        let from = self.position_before(segment, (segment.base_offset + known).max(start)).await?;
        let file = segment.file(&self.0.ring, &self.dir(), SegmentFile::Log).await?;
        let mut walk = Walk::new(&self.0.ring, &file, from, u64::from(segment.written_bytes.get()));
        while let Some(batch) = walk.next().await? {
            if batch.header.max_timestamp() < timestamp || batch.header.next_offset() <= start {
                continue;
            }
            let matches = |at: i64, offset: i64| at >= timestamp && offset >= start;
            if let Some(found) = self.search_batch(&file, &batch, matches).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The record with the largest timestamp; the first one where several have it.
    pub async fn max_timestamp(&self) -> io::Result<Option<TimestampOffsetEpoch>> {
        self.wait_written().await?;
        loop {
            let Some(segment) = self.latest_segment() else { return Ok(None) };
            match self.latest_of(&segment).await {
                Err(error) if self.has_given_up(&segment, &error) => {}
                found => return found,
            }
        }
    }

    fn latest_segment(&self) -> Option<Rc<Segment>> {
        let mut best: Option<Rc<Segment>> = None;
        for segment in self.segments() {
            let timestamp = segment.max_timestamp.get().timestamp;
            if timestamp
                > best.as_ref().map_or(NO_TIMESTAMP, |best| best.max_timestamp.get().timestamp)
            {
                best = Some(segment);
            }
        }
        best
    }

    async fn latest_of(&self, segment: &Rc<Segment>) -> io::Result<Option<TimestampOffsetEpoch>> {
        let max = segment.max_timestamp.get();
        let file = segment.file(&self.0.ring, &self.dir(), SegmentFile::Log).await?;
        let Some(batch) = self.locate(segment, &file, max.offset).await? else { return Ok(None) };
        self.search_batch(&file, &batch, |at, _| at >= max.timestamp).await
    }

    /// The first record of a batch that matches by timestamp and offset.
    async fn search_batch(
        &self,
        file: &File,
        located: &Located,
        matches: impl Fn(i64, i64) -> bool,
    ) -> io::Result<Option<TimestampOffsetEpoch>> {
        let bytes =
            self.0.ring.read_exact_at(file, located.position, located.size_bytes as usize).await?;
        let bytes = Rc::new(bytes);
        let invalid = |error: RecordsError| io::Error::new(io::ErrorKind::InvalidData, error);
        let batch = Batch::parse(&bytes).map_err(invalid)?;
        let codec = batch.compression().map_err(invalid)?;
        let mut unpacking =
            Unpacking::new(codec, bytes.clone(), BATCH_HEADER_BYTES, MAX_UNPACKED_BYTES)
                .map_err(|error| invalid(error.into()))?;
        let mut walk = PieceWalk::new(&batch).map_err(invalid)?;
        let (mut found, mut piece) = (None, Vec::new());
        let mut budget = TurnBudget::new(&self.0.ring);
        loop {
            let more =
                unpacking.next(&mut piece, PIECE_BYTES).map_err(|error| invalid(error.into()))?;
            let visited = walk.feed(&piece, |_, outline| {
                let (timestamp, offset) = (
                    outline.timestamp(&batch),
                    batch.base_offset() + i64::from(outline.offset_delta),
                );
                if found.is_none() && matches(timestamp, offset) {
                    let leader_epoch = batch.partition_leader_epoch();
                    found = Some(TimestampOffsetEpoch { timestamp, offset, leader_epoch });
                }
                Ok::<_, RecordsError>(())
            });
            visited.map_err(invalid)?;
            if found.is_some() {
                return Ok(found);
            }
            if !more {
                walk.end().map_err(invalid)?;
                return Ok(None);
            }
            budget.step_done().await;
        }
    }

    /// The aborted transactions that records in `from..to` may belong to.
    pub async fn aborted_transactions(
        &self,
        from: i64,
        to: i64,
    ) -> io::Result<Vec<AbortedTransaction>> {
        'anew: loop {
            let mut found = Vec::new();
            let Some((first, _)) = self.segment_of(from.max(self.log_start_offset())) else {
                return Ok(found);
            };
            let mut segments = self.segments();
            segments.retain(|segment| segment.base_offset >= first.base_offset);
            for segment in segments {
                if !segment.knows_aborted.get() {
                    let _guard = self.0.files_lock.lock().await;
                    // In a box: what is rare must not make each connection larger.
                    if !Box::pin(self.know_aborted(&segment, to)).await? {
                        break;
                    }
                }
                match self.collect_aborted(&segment, from, to, &mut found).await {
                    Err(error) if self.has_given_up(&segment, &error) => continue 'anew,
                    Ok(true) => break,
                    collected => drop(collected?),
                }
            }
            return Ok(found);
        }
    }

    async fn collect_aborted(
        &self,
        segment: &Segment,
        from: i64,
        to: i64,
        found: &mut Vec<AbortedTransaction>,
    ) -> io::Result<bool> {
        let stored = segment.aborted.borrow().entries_on_disk();
        let pending = segment.aborted.borrow().pending().to_vec();
        if stored > 0 {
            let file = segment.file(&self.0.ring, &self.dir(), SegmentFile::Aborted).await?;
            for at in (0..stored).step_by(TXN_ENTRIES_AT_ONCE as usize) {
                let count = TXN_ENTRIES_AT_ONCE.min(stored - at);
                let entries = self.read_aborted(&file, at, count).await?;
                if txn_index::collect(entries.into_iter(), from, to, found) {
                    return Ok(true);
                }
            }
        }
        Ok(txn_index::collect(pending.into_iter(), from, to, found))
    }

    pub(super) async fn read_aborted(
        &self,
        file: &File,
        at: u32,
        count: u32,
    ) -> io::Result<Vec<AbortedTransaction>> {
        let position = u64::from(at) * txn_index::ENTRY_BYTES as u64;
        let bytes = self
            .0
            .ring
            .read_exact_at(file, position, count as usize * txn_index::ENTRY_BYTES)
            .await?;
        let decode = |entry: &[u8]| {
            AbortedTransaction::decode(entry).ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a transaction index entry has an unknown version",
                )
            })
        };
        bytes.chunks_exact(txn_index::ENTRY_BYTES).map(decode).collect()
    }
}

async fn search(
    ring: &Ring,
    dir: &Path,
    segment: &Segment,
    part: SegmentFile,
    key: Key,
    target: i64,
) -> io::Result<Option<(Entry, u32)>> {
    assert!(
        matches!(part, SegmentFile::Offsets | SegmentFile::Times),
        "{part:?} of {segment} is searched"
    );
    let (index, entry_bytes) = match part {
        SegmentFile::Times => (&segment.times, TIME_ENTRY_BYTES),
        _ => (&segment.offsets, OFFSET_ENTRY_BYTES),
    };
    let found = index.borrow().search_memory(key, target);
    match found {
        Found::Entry(entry, number) => Ok(Some((entry, number))),
        Found::BeforeFirst => Ok(None),
        Found::OnDisk => {
            let file = segment.file(ring, dir, part).await?;
            let count = index.borrow().entries_on_disk();
            index::search_file(ring, &file, entry_bytes, count, key, target).await
        }
    }
}

/// The position of a batch at or before the one that holds `offset`.
pub(super) async fn position_before(
    ring: &Ring,
    dir: &Path,
    segment: &Segment,
    offset: i64,
) -> io::Result<u64> {
    let relative = offset - segment.base_offset;
    let found = search(ring, dir, segment, SegmentFile::Offsets, Key::Offset, relative).await?;
    Ok(found.map_or(0, |(entry, _)| u64::from(entry.position())))
}
