//! The segments that are known to be on the disk whole: sizes, ends and indexes are enough.
//!
//! Owns: the decision whether to believe one. Lives on the core that opens the log. Never: reads
//! all of a segment whose indexes make sense.

use super::{
    changes::Change,
    indexes::reset_indexes,
    load::Loader,
    scan_segment::{ScanFrom, scan},
};
use crate::log::{
    Fault, LogError, files,
    scan::{Damage, Expected, ScanEnd},
    segment::{Segment, SegmentFile},
    walk::Walk,
};
use protocol::records::Batch;
use std::rc::Rc;

impl Loader<'_> {
    /// A segment whose contents are known to be on the disk: sizes, ends and indexes are enough. It
    /// must reach `next_base`, where the next one begins. Indexes that make no sense are built anew
    /// from the batches.
    pub(in crate::log) async fn load_trusted(
        &self,
        segment: &Rc<Segment>,
        next_base: i64,
    ) -> Result<(), LogError> {
        let base = segment.base_offset;
        assert!(base < next_base, "a segment at {next_base} follows one at {base}");
        self.set_sizes(segment)?;
        self.take_aborted(segment);
        let end = match self.trusted_end(segment).await? {
            Some(end) => {
                segment.set_indexes_synced();
                end
            }
            None => {
                reset_indexes(segment);
                let end = self.scan_plainly(segment, 0, segment.base_offset).await?;
                if let Some(Damage::Bad(reason)) = &end.damage {
                    return Err(self.bad_batch(segment, &end, reason).await?);
                }
                self.changes.add(Change::RebuildIndexes(segment.clone()));
                self.plan_truncation(segment, &end, None);
                segment.size_bytes.set(end.valid_bytes as u32);
                end
            }
        };
        let (size, written) = (segment.size_bytes.get(), segment.written_bytes.get());
        assert_eq!(size, written, "{segment} is believed, and its books do not agree");
        segment.close_files();
        self.check_next(segment, &end, next_base).await
    }

    /// Where the batches of a trusted segment end, as its indexes say; `None` where they make no
    /// sense.
    async fn trusted_end(&self, segment: &Rc<Segment>) -> Result<Option<ScanEnd>, LogError> {
        if !self.load_indexes(segment).await.map_err(self.io("reading indexes in"))? {
            return Ok(None);
        }
        let last = segment.offsets.borrow().last();
        let position = last.map_or(0, |last| u64::from(last.position()));
        let mut last_bytes = 0;
        let from = ScanFrom { position, offset: segment.base_offset };
        let mut take = |batch: &Batch<'_>| last_bytes = batch.size_bytes() as u64;
        // It begins somewhere in the segment: what is not read is no hole.
        let expected = Expected { committed: &[], ..self.expected(segment, i64::MAX) };
        let scanned = scan(self.ring, self.dir, segment, &from, &expected, &mut take).await;
        let end = scanned.map_err(self.io("reading a segment in"))?;
        // The last batch would have an entry.
        if end.valid_bytes.saturating_sub(last_bytes)
            > position + u64::from(self.config.index_interval_bytes)
        {
            return Ok(None);
        }
        // The last entry names the last offset of the batch at its position.
        let is_reached = last.is_none_or(|last| {
            end.next_offset > segment.base_offset + i64::from(last.relative_offset())
        });
        Ok((end.damage.is_none() && is_reached).then_some(end))
    }

    /// A roll that was taken back leaves an empty file, if a power cut undoes the removal. It
    /// begins below the end of the segment before it; one that has lost its records begins just
    /// there.
    pub(in crate::log) async fn drop_leftovers(
        &self,
        segments: &mut Vec<Rc<Segment>>,
    ) -> Result<(), LogError> {
        let mut at = 1;
        while at < segments.len() {
            let (before, base_offset) = (segments[at - 1].clone(), segments[at].base_offset);
            if self.size_of(&segments[at], SegmentFile::Log) == 0 {
                self.set_sizes(&before)?;
                let end = self.scan_plainly(&before, 0, i64::MAX).await?;
                before.close_files();
                if end.next_offset > base_offset {
                    SegmentFile::ALL
                        .iter()
                        .for_each(|part| self.remove(&files::name(base_offset, part.extension())));
                    segments.remove(at);
                    continue;
                }
            }
            at += 1;
        }
        Ok(())
    }

    /// Whether the next segment begins where this one ends. Compaction leaves holes; nothing else
    /// does. What was closed cleanly by a broker that left no state may have holes from times when
    /// it was compacted.
    async fn check_next(
        &self,
        segment: &Rc<Segment>,
        end: &ScanEnd,
        next_base: i64,
    ) -> Result<(), LogError> {
        if end.next_offset > next_base {
            let path = files::path(self.dir, next_base, files::LOG);
            return Err(self.damaged(path, Fault::Overlaps { offset: end.next_offset }));
        }
        if end.next_offset == next_base {
            return Ok(());
        }
        let was_closed = self.start.clean;
        if !was_closed
            && !self.config.cleanup_policy.compact
            && !self.was_compacted(segment, end).await?
        {
            return Err(self.ends_early(segment, end, next_base));
        }
        self.tell_hole(segment, end, next_base);
        Ok(())
    }

    pub(super) fn tell_hole(&self, segment: &Segment, end: &ScanEnd, next_base: i64) {
        if self.start.state.is_none() && end.next_offset < next_base {
            tracing::warn!(
                path = %files::path(self.dir, segment.base_offset, files::LOG).display(),
                from_offset = end.next_offset, to_offset = next_base,
                "no batches between this segment and the next: compaction has removed them, or \
                 they are lost"
            );
        }
    }

    /// Whether offsets are missing within a segment, as only compaction leaves them.
    pub(super) async fn was_compacted(
        &self,
        segment: &Rc<Segment>,
        end: &ScanEnd,
    ) -> Result<bool, LogError> {
        if end.valid_bytes == 0 {
            return Ok(false);
        }
        let file = segment
            .file(self.ring, self.dir, SegmentFile::Log)
            .await
            .map_err(self.io("opening a segment in"))?;
        let mut walk = Walk::new(self.ring, &file, 0, end.valid_bytes);
        let mut next_offset = segment.base_offset;
        while let Some(batch) = walk.next().await.map_err(self.io("reading a segment in"))? {
            let header = &batch.header;
            if header.base_offset() != next_offset
                || header.record_count() != header.last_offset_delta() + 1
            {
                return Ok(true);
            }
            next_offset = header.next_offset();
        }
        Ok(false)
    }
}
