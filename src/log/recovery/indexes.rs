//! The index files of a segment when its log is opened: taken as they are, in part, or built anew.
//!
//! Owns: what is believed of them. Lives on the core that opens the log. Never: takes an entry that
//! leads outside its segment.

use super::{
    changes::Change,
    load::Loader,
    scan_segment::{ScanFrom, scan},
};
use crate::log::{
    LogConfig, files,
    index::{self, Entry, Index, OFFSET_ENTRY_BYTES, TIME_ENTRY_BYTES},
    scan::Expected,
    segment::{Segment, SegmentFile, TimestampOffset},
    txn_index::{AbortedTransaction, ENTRY_BYTES as TXN_ENTRY_BYTES, TxnIndex},
    walk::Walk,
};
use bytes::Bytes;
use protocol::records::{Batch, NO_TIMESTAMP};
use ring::Ring;
use std::{io, path::Path, rc::Rc};

/// Index files read whole at recovery may not be larger; Kafka's default is 10 MiB.
const MAX_INDEX_BYTES: u64 = 64 << 20;

impl Loader<'_> {
    /// Takes the indexes as they are; `false` where they make no sense (`sanityCheck` of Kafka's
    /// indexes).
    pub(super) async fn load_indexes(&self, segment: &Segment) -> io::Result<bool> {
        let size = u64::from(segment.size_bytes.get());
        let count = |part, entry_bytes: usize| {
            let bytes = self.size_of(segment, part);
            bytes.is_multiple_of(entry_bytes as u64).then_some((bytes / entry_bytes as u64) as u32)
        };
        let exist = segment.exists(SegmentFile::Offsets) && segment.exists(SegmentFile::Times);
        let counts = (
            count(SegmentFile::Offsets, OFFSET_ENTRY_BYTES),
            count(SegmentFile::Times, TIME_ENTRY_BYTES),
        );
        let (true, (Some(offsets), Some(times))) = (exist, counts) else { return Ok(false) };
        let last_offset =
            self.last_entry(segment, SegmentFile::Offsets, OFFSET_ENTRY_BYTES, offsets).await?;
        let last_time =
            self.last_entry(segment, SegmentFile::Times, TIME_ENTRY_BYTES, times).await?;
        if last_offset
            .is_some_and(|last| last.position() == 0 || u64::from(last.position()) >= size)
            || last_time.is_some_and(|last| {
                last.timestamp() < 0 || last.timestamp_relative_offset() > i32::MAX as u32
            })
            || (size > 0 && last_time.is_none() && last_offset.is_some())
        {
            return Ok(false);
        }
        *segment.offsets.borrow_mut() = Index::stored(OFFSET_ENTRY_BYTES, offsets, last_offset);
        *segment.times.borrow_mut() = Index::stored(TIME_ENTRY_BYTES, times, last_time);
        set_max_timestamp(segment);
        segment.close_files();
        Ok(true)
    }

    /// Takes the index of aborted transactions as it is: they cannot be found again from the
    /// segment alone.
    pub(super) fn take_aborted(&self, segment: &Segment) {
        let bytes = self.size_of(segment, SegmentFile::Aborted);
        let is_there = segment.exists(SegmentFile::Aborted);
        assert!(is_there || bytes == 0, "{segment} has {bytes} bytes of a file that is not there");
        *segment.aborted.borrow_mut() = TxnIndex::stored((bytes / TXN_ENTRY_BYTES as u64) as u32);
    }

    async fn last_entry(
        &self,
        segment: &Segment,
        part: SegmentFile,
        entry_bytes: usize,
        count: u32,
    ) -> io::Result<Option<Entry>> {
        let Some(number) = count.checked_sub(1) else { return Ok(None) };
        let file = segment.file(self.ring, self.dir, part).await?;
        Ok(Some(index::read_entry(self.ring, &file, entry_bytes, number).await?))
    }

    pub(super) fn reset_indexes(&self, segment: &Rc<Segment>) {
        reset_indexes(segment);
        *segment.aborted.borrow_mut() = TxnIndex::default();
        self.plan_trim(segment);
    }

    /// Keeps what the indexes of the first doubtful segment know about batches below the recovery
    /// point, as far as it makes sense; the rest is rebuilt by the scan, which begins at the last
    /// entry that is kept.
    pub(super) async fn prepare(
        &self,
        segment: &Rc<Segment>,
        recovery_point: i64,
    ) -> Result<ScanFrom, io::Error> {
        self.set_sizes(segment).map_err(io::Error::other)?;
        let size = u64::from(segment.size_bytes.get());
        let offsets = self.read_index(segment, SegmentFile::Offsets, OFFSET_ENTRY_BYTES).await?;
        let times = self.read_index(segment, SegmentFile::Times, TIME_ENTRY_BYTES).await?;
        let (_, last) =
            index::sane_offsets(&offsets, size, recovery_point.saturating_sub(segment.base_offset));
        let kept_times = index::sane_times(&times, last.map_or(0, |last| last.relative_offset()));
        // Time entries may have been lost: the scan begins where the last one stands, to find later
        // ones.
        let limit = kept_times.1.map_or(0, |last| i64::from(last.timestamp_relative_offset()) + 1);
        let kept = index::sane_offsets(&offsets, size, limit);
        let aborted = self.read_index(segment, SegmentFile::Aborted, TXN_ENTRY_BYTES).await?;
        let has_aborted = self
            .known_aborted(segment.base_offset)
            .is_none_or(|known| aborted.len() / TXN_ENTRY_BYTES >= known as usize);
        // Aborted transactions are found again by a scan from the beginning.
        let kept = if has_aborted { kept } else { (0, None) };
        let from = self.scan_from(segment, kept.1).await?;
        let is_sane = index::sane_offsets(&offsets, size, i64::MAX).0 as usize
            == offsets.len() / OFFSET_ENTRY_BYTES
            && index::sane_times(&times, u32::MAX).0 as usize == times.len() / TIME_ENTRY_BYTES;
        self.tell_index(segment, is_sane, recovery_point, from.position);
        self.reset_in_memory(segment, &from, kept, &sane_aborted(&aborted, segment.base_offset));
        if from.position > 0 {
            *segment.times.borrow_mut() =
                Index::stored(TIME_ENTRY_BYTES, kept_times.0, kept_times.1);
            set_max_timestamp(segment);
            let kept = |part, mut bytes: Vec<u8>| {
                bytes.truncate(segment.index_bytes(part) as usize);
                (part, Bytes::from(bytes))
            };
            let entries = [
                kept(SegmentFile::Offsets, offsets),
                kept(SegmentFile::Times, times),
                kept(SegmentFile::Aborted, aborted),
            ];
            self.changes.add(Change::RewriteIndexes { segment: segment.clone(), entries });
            let file = segment.file(self.ring, self.dir, SegmentFile::Log).await?;
            if let Ok(Some(batch)) = Walk::new(self.ring, &file, 0, size).next().await {
                segment.first_timestamp.set(Some(batch.header.max_timestamp()));
            }
        }
        self.plan_trim(segment);
        assert!(
            from.position <= size,
            "{segment} is read from byte {} on, and has {size}",
            from.position
        );
        assert!(
            segment.base_offset <= from.offset,
            "{segment} is read from offset {} on",
            from.offset
        );
        Ok(from)
    }

    /// The batch that an index entry tells of; the segment's beginning where there is none.
    async fn scan_from(&self, segment: &Segment, entry: Option<Entry>) -> io::Result<ScanFrom> {
        let beginning = ScanFrom { position: 0, offset: segment.base_offset };
        let Some(entry) = entry else { return Ok(beginning) };
        let (size, position) = (u64::from(segment.size_bytes.get()), u64::from(entry.position()));
        assert!(position < size, "an entry of {segment} leads to byte {position}, of {size}");
        let file = segment.file(self.ring, self.dir, SegmentFile::Log).await?;
        let told = segment.base_offset + i64::from(entry.relative_offset());
        match Walk::new(self.ring, &file, position, size).next().await {
            Ok(Some(batch)) if batch.header.last_offset() == told => {
                Ok(ScanFrom { position, offset: batch.header.base_offset() })
            }
            // Not a batch: the index is not to be believed at all.
            Ok(_) => Ok(beginning),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(beginning),
            Err(error) => Err(error),
        }
    }

    /// After a clean shutdown the index files of the last segment are whole; after a crash they are
    /// there, once the recovery point lies in the segment, and what they have is in order.
    fn tell_index(&self, segment: &Segment, is_sane: bool, recovery_point: i64, from: u64) {
        let (offset_bytes, time_bytes) = (
            self.size_of(segment, SegmentFile::Offsets),
            self.size_of(segment, SegmentFile::Times),
        );
        let is_whole = offset_bytes.is_multiple_of(OFFSET_ENTRY_BYTES as u64)
            && time_bytes.is_multiple_of(TIME_ENTRY_BYTES as u64)
            && segment.exists(SegmentFile::Offsets)
            && segment.exists(SegmentFile::Times);
        // Without entries for a beginning that has some.
        let interval =
            u64::from(self.config.index_interval_bytes) + u64::from(self.config.max_message_bytes);
        let is_empty = offset_bytes == 0 && self.size_of(segment, SegmentFile::Log) > interval;
        let has_lost_times =
            self.start.clean && time_bytes == 0 && self.size_of(segment, SegmentFile::Log) > 0;
        if segment.base_offset < recovery_point
            && (!is_whole || !is_sane || is_empty || has_lost_times)
        {
            tracing::warn!(
                path = %files::path(self.dir, segment.base_offset, files::LOG).display(),
                "recovery: an index file of this segment is missing or damaged: it is built anew \
                 from byte {from} on"
            );
        }
    }

    /// After a crash: the index files have their entries up to the recovery point, or have lost
    /// them.
    pub(super) fn tell_lacking(
        &self,
        segment: &Segment,
        expected: (u32, u32),
        recovery_point: i64,
    ) {
        let offsets = self.size_of(segment, SegmentFile::Offsets) / OFFSET_ENTRY_BYTES as u64;
        let times = self.size_of(segment, SegmentFile::Times) / TIME_ENTRY_BYTES as u64;
        let is_lacking = offsets < u64::from(expected.0) || times < u64::from(expected.1);
        if !self.start.clean && segment.base_offset < recovery_point && is_lacking {
            tracing::warn!(
                path = %files::path(self.dir, segment.base_offset, files::LOG).display(),
                "recovery: an index file of this segment lacks entries: they are made anew"
            );
        }
    }

    fn reset_in_memory(
        &self,
        segment: &Segment,
        from: &ScanFrom,
        kept: (u32, Option<Entry>),
        aborted: &[AbortedTransaction],
    ) {
        let (count, last) = if from.position > 0 { kept } else { (0, None) };
        *segment.offsets.borrow_mut() = Index::stored(OFFSET_ENTRY_BYTES, count, last);
        *segment.times.borrow_mut() = Index::new(TIME_ENTRY_BYTES);
        let before = aborted.iter().take_while(|one| one.last_offset < from.offset).count();
        *segment.aborted.borrow_mut() = TxnIndex::stored(before as u32);
        set_max_timestamp(segment);
        segment.size_bytes.set(from.position as u32);
        segment.set_bytes_since_entry(0);
    }

    async fn read_index(
        &self,
        segment: &Segment,
        part: SegmentFile,
        entry_bytes: usize,
    ) -> io::Result<Vec<u8>> {
        let size = self.size_of(segment, part);
        if size == 0 || size > MAX_INDEX_BYTES {
            return Ok(Vec::new());
        }
        let file = segment.file(self.ring, self.dir, part).await?;
        let whole = size - size % entry_bytes as u64;
        Ok(self.ring.read_exact_at(&file, 0, whole as usize).await?.to_vec())
    }
}

/// The entries that make sense, up to the first that makes none: a power cut may leave the length
/// of a file, and zeroes in it, which would be a transaction of producer 0 at offset 0.
fn sane_aborted(entries: &[u8], base_offset: i64) -> Vec<AbortedTransaction> {
    let mut last = base_offset - 1;
    let entries = entries.chunks_exact(TXN_ENTRY_BYTES).map_while(AbortedTransaction::decode);
    let follows = |one: &AbortedTransaction| {
        let is_sane =
            one.producer_id >= 0 && one.first_offset < one.last_offset && one.last_offset > last;
        last = one.last_offset;
        is_sane
    };
    entries.take_while(follows).collect()
}

fn set_max_timestamp(segment: &Segment) {
    let last = segment.times.borrow().last();
    segment.max_timestamp.set(match last {
        Some(last) => TimestampOffset {
            timestamp: last.timestamp(),
            offset: segment.base_offset + i64::from(last.timestamp_relative_offset()),
        },
        None => TimestampOffset { timestamp: NO_TIMESTAMP, offset: segment.base_offset },
    });
}

/// Forgets what the indexes by offset and time have, in memory.
pub(super) fn reset_indexes(segment: &Segment) {
    *segment.offsets.borrow_mut() = Index::new(OFFSET_ENTRY_BYTES);
    *segment.times.borrow_mut() = Index::new(TIME_ENTRY_BYTES);
    segment.size_bytes.set(0);
    segment.set_bytes_since_entry(0);
    set_max_timestamp(segment);
}

/// Builds the indexes by offset and time of a segment anew from its batches, which were found good.
/// That of aborted transactions stays as the segment has it.
pub(in crate::log) async fn rebuild_indexes(
    ring: &Ring,
    dir: &Path,
    config: &LogConfig,
    segment: &Rc<Segment>,
) -> io::Result<()> {
    reset_indexes(segment);
    segment.trim_indexes(ring, dir).await?;
    let from = ScanFrom { position: 0, offset: segment.base_offset };
    let mut take = |batch: &Batch<'_>| {
        segment.add_batch(batch, batch.size_bytes() as u32, config.index_interval_bytes)
    };
    scan(ring, dir, segment, &from, &Expected::of_segment(segment.base_offset), &mut take).await?;
    segment.add_time_entry();
    segment.flush_indexes(ring, dir, true).await?;
    segment.close_files();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeroes_that_a_power_cut_has_left_are_no_aborted_transaction() {
        let one = |first_offset, last_offset| AbortedTransaction {
            producer_id: 0,
            first_offset,
            last_offset,
            last_stable_offset: last_offset + 1,
        };
        let entries = [one(0, 2), one(3, 7)];
        let mut bytes = entries.map(|one| one.encode()).concat();
        bytes.extend([0; 2 * TXN_ENTRY_BYTES]);
        assert_eq!(sane_aborted(&bytes, 0), entries);
        assert!(sane_aborted(&bytes[2 * TXN_ENTRY_BYTES..], 0).is_empty());
        assert!(sane_aborted(&bytes, 9).is_empty(), "they are of another segment");
    }
}
