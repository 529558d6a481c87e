//! Reading the segments of a log when it is opened: the trusted ones by their sizes, the doubtful
//! ones batch by batch.
//!
//! The second half of [`super::recovery`], which see.

use super::{
    Fault, LogConfig, LogError,
    changes::{Change, Truncation},
    epochs::LeaderEpochs,
    files,
    index::{self, Entry, Index, OFFSET_ENTRY_BYTES, TIME_ENTRY_BYTES},
    lookup,
    producers::ProducerStates,
    recovery::{Ends, Loader, MAX_SNAPSHOT_BYTES},
    scan::{Damage, Expected, Scan, ScanEnd},
    segment::{Segment, SegmentFile, TimestampOffset},
    txn_index::{AbortedTransaction, ENTRY_BYTES as TXN_ENTRY_BYTES, TxnIndex},
    walk::Walk,
};
use protocol::records::{Batch, NO_TIMESTAMP};
use ring::Ring;
use std::{io, path::Path, rc::Rc};

/// Index files read whole at recovery may not be larger; Kafka's default is 10 MiB.
const MAX_INDEX_BYTES: u64 = 64 << 20;

/// Where the scan of the first doubtful segment begins: a batch in the file, and its offset.
struct ScanFrom {
    position: u64,
    offset: i64,
}

impl Loader<'_> {
    /// A segment whose contents are known to be on the disk: sizes, ends and indexes are enough. It
    /// must reach `next_base`, where the next one begins. Indexes that make no sense are built anew
    /// from the batches.
    pub(super) async fn load_trusted(
        &self,
        segment: &Rc<Segment>,
        next_base: i64,
    ) -> Result<(), LogError> {
        self.set_sizes(segment)?;
        let end = match self.trusted_end(segment).await? {
            Some(end) => {
                segment.indexes_synced.set(true);
                end
            }
            None => {
                self.reset_indexes(segment);
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
    pub(super) async fn drop_leftovers(
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

    /// What the batches of a segment have to be. What the commit stream has is no hole. What lies
    /// beyond the recovery point was never compacted: a cleaner begins with what was synced.
    /// Without a checkpoint nothing says where that begins.
    fn expected(&self, segment: &Segment, check_from_offset: i64) -> Expected<'_> {
        let is_dense =
            !self.start.clean && self.start.is_known && !self.config.cleanup_policy.compact;
        let dense_from_offset = if is_dense { self.start.recovery_point } else { i64::MAX };
        let committed = if self.start.clean { &[][..] } else { &self.start.replay };
        Expected {
            check_from_offset,
            dense_from_offset,
            committed,
            ..Expected::of_segment(segment.base_offset)
        }
        .up_to(self.start.known_end())
    }

    fn tell_hole(&self, segment: &Segment, end: &ScanEnd, next_base: i64) {
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
    async fn was_compacted(&self, segment: &Rc<Segment>, end: &ScanEnd) -> Result<bool, LogError> {
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

    /// The segments from `doubtful` on: reads them from the recovery point (after a clean shutdown:
    /// from the last index entry), rebuilds what hangs on their batches, and plans the cut where
    /// they are damaged at the end.
    pub(super) async fn load_doubtful(
        &self,
        segments: &mut Vec<Rc<Segment>>,
        doubtful: usize,
        epochs: &mut LeaderEpochs,
    ) -> Result<Ends, LogError> {
        let Some(first) = segments.get(doubtful).cloned() else { return Ok(Ends::default()) };
        let recovery_point = if self.start.clean { i64::MAX } else { self.start.recovery_point };
        let mut from =
            self.prepare(&first, recovery_point).await.map_err(self.io("reading indexes in"))?;
        let loaded = load_producers(
            self.ring,
            self.dir,
            self.snapshots(),
            &segments[..=doubtful],
            from.offset,
            self.config.producer_id_expiration_ms,
        )
        .await
        .map_err(self.io("reading the producer state in"))?;
        if !self.start.clean {
            // Epochs that were written ahead of their batches: the batches will tell.
            epochs.truncate_from_end(from.offset);
        }
        let mut ends = Ends {
            log_end: from.offset,
            producers: loaded.producers,
            snapshot_offset: loaded.snapshot_offset,
        };
        for at in doubtful..segments.len() {
            let segment = segments[at].clone();
            if at > doubtful {
                self.set_sizes(&segment)?;
                self.reset_indexes(&segment);
                from = ScanFrom { position: 0, offset: segment.base_offset };
            }
            let end = self.scan_into(&segment, &from, recovery_point, epochs, &mut ends).await?;
            if let Some(Damage::Bad(reason)) = &end.damage {
                self.plan_end(segments, at, &end, Some(reason)).await?;
                break;
            }
            self.plan_truncation(&segment, &end, None);
            if self.has_hole_before(segments.get(at + 1), ends.log_end)
                && (ends.log_end >= self.floor.get() || !self.was_compacted(&segment, &end).await?)
            {
                self.plan_end(segments, at, &end, None).await?;
                break;
            }
            if let Some(next) = segments.get(at + 1) {
                self.tell_hole(&segment, &end, next.base_offset);
                segment.add_time_entry();
                segment.close_files();
                // As when it was rolled: what the segment knows of its producers outlives it.
                self.snapshots
                    .borrow_mut()
                    .push((next.base_offset, ends.producers.encode_snapshot()));
                self.names.borrow_mut().insert(files::name(next.base_offset, files::SNAPSHOT), 0);
            } else if ends.log_end < self.floor.get() {
                return Err(self.ends_early(&segment, &end, self.floor.get()));
            }
        }
        Ok(ends)
    }

    /// A crash may take the end of one segment and leave the next: the records behind such a hole
    /// were promised to no client. Where compaction works, holes are as they should be.
    fn has_hole_before(&self, next: Option<&Rc<Segment>>, log_end: i64) -> bool {
        let is_hole = |next: &Rc<Segment>| {
            let in_stream = self
                .start
                .replay
                .iter()
                .any(|part| part.from < next.base_offset && part.to > log_end);
            next.base_offset > log_end && (in_stream || !self.config.cleanup_policy.compact)
        };
        !self.start.clean && next.is_some_and(is_hole)
    }

    /// The log ends in the segment `at`: because its batches are damaged there, or because the next
    /// ones are missing. Not where the disk had promised to keep what follows; what does follow is
    /// kept beside the log.
    async fn plan_end(
        &self,
        segments: &mut Vec<Rc<Segment>>,
        at: usize,
        end: &ScanEnd,
        damage: Option<&String>,
    ) -> Result<(), LogError> {
        let segment = segments[at].clone();
        let lost_segments =
            segments[at + 1..].iter().filter(|one| self.size_of(one, SegmentFile::Log) > 0).count();
        let good_behind = damage.is_some() && self.has_good_batch_behind(&segment, end).await?;
        // What was closed cleanly ends where it did.
        let was_closed = self.start.known_end() != i64::MAX;
        let was_synced = was_closed || end.next_offset < self.floor.get();
        if was_synced || (self.config.synced_in_order && (lost_segments > 0 || good_behind)) {
            return Err(match damage {
                Some(reason) => self.bad_batch(&segment, end, reason).await?,
                None => self.ends_early(&segment, end, segments[at + 1].base_offset),
            });
        }
        tracing::warn!(
            path = %files::path(self.dir, segment.base_offset, files::LOG).display(),
            damage = damage.map_or("batches between it and the next segment are \
                missing", |reason| reason),
            log_end_offset = end.next_offset, lost_segments,
            lost_bytes = self.size_of(&segment, SegmentFile::Log) - end.valid_bytes,
            "the end of the log is damaged and is cut off: {}", match self.start.replay.is_empty() {
                true => "what was not synced before the crash is lost",
                false => "what the commit stream has of it comes back, other records that were \
                    not synced are lost",
            }
        );
        if damage.is_some() {
            let name = files::name(segment.base_offset, files::LOG);
            self.plan_truncation(&segment, end, good_behind.then(|| self.aside_name(&name)));
        }
        for gone in segments.drain(at + 1..) {
            self.set_aside(gone.base_offset);
        }
        Ok(())
    }

    async fn bad_batch(
        &self,
        segment: &Rc<Segment>,
        end: &ScanEnd,
        reason: &str,
    ) -> Result<LogError, LogError> {
        let good_behind = self.has_good_batch_behind(segment, end).await?;
        let (position, offset, reason) = (end.valid_bytes, end.next_offset, reason.to_owned());
        let path = files::path(self.dir, segment.base_offset, files::LOG);
        Ok(self.damaged(path, Fault::BadBatch { position, offset, reason, good_behind }))
    }

    fn ends_early(&self, segment: &Segment, end: &ScanEnd, expected_offset: i64) -> LogError {
        let path = files::path(self.dir, segment.base_offset, files::LOG);
        self.damaged(
            path,
            Fault::Ends { position: end.valid_bytes, end_offset: end.next_offset, expected_offset },
        )
    }

    async fn has_good_batch_behind(
        &self,
        segment: &Rc<Segment>,
        end: &ScanEnd,
    ) -> Result<bool, LogError> {
        let file = segment
            .file(self.ring, self.dir, SegmentFile::Log)
            .await
            .map_err(self.io("opening a segment in"))?;
        let scan = Scan {
            ring: self.ring,
            file: &file,
            from: 0,
            size_bytes: self.size_of(segment, SegmentFile::Log),
            first_offset: segment.base_offset,
            expected: self.expected(segment, segment.base_offset),
        };
        scan.good_batch_behind(end).await.map_err(self.io("reading a segment in"))
    }

    /// The file is cut behind its last good batch.
    fn plan_truncation(&self, segment: &Rc<Segment>, end: &ScanEnd, kept_as: Option<String>) {
        let (size_bytes, valid_bytes) = (self.size_of(segment, SegmentFile::Log), end.valid_bytes);
        if size_bytes != valid_bytes {
            if let Some(name) = &kept_as {
                self.names.borrow_mut().insert(name.clone(), size_bytes - valid_bytes);
            }
            self.names
                .borrow_mut()
                .insert(files::name(segment.base_offset, files::LOG), valid_bytes);
            self.changes.add(Change::Truncation(Truncation {
                segment: segment.clone(),
                size_bytes,
                valid_bytes,
                kept_as,
            }));
            segment.written_bytes.set(valid_bytes as u32);
            segment.synced_bytes.set(valid_bytes as u32);
        }
    }

    fn set_sizes(&self, segment: &Segment) -> Result<(), LogError> {
        for part in SegmentFile::ALL {
            segment.set_exists(
                part,
                self.names
                    .borrow()
                    .contains_key(&files::name(segment.base_offset, part.extension())),
            );
        }
        let size = self.size_of(segment, SegmentFile::Log);
        let size =
            u32::try_from(size).ok().filter(|size| *size <= i32::MAX as u32).ok_or_else(|| {
                LogError::BadFile {
                    path: files::path(self.dir, segment.base_offset, files::LOG),
                    detail: format!("{size} bytes are more than a segment can have"),
                }
            })?;
        segment.size_bytes.set(size);
        segment.written_bytes.set(size);
        segment.synced_bytes.set(size);
        Ok(())
    }

    fn size_of(&self, segment: &Segment, part: SegmentFile) -> u64 {
        self.names
            .borrow()
            .get(&files::name(segment.base_offset, part.extension()))
            .copied()
            .unwrap_or(0)
    }

    pub(super) fn snapshots(&self) -> Vec<i64> {
        let snapshot = |name: &String| {
            files::parse(name).filter(|(_, kind)| *kind == files::SNAPSHOT).map(|(at, _)| at)
        };
        self.names.borrow().keys().filter_map(snapshot).collect()
    }

    /// Takes the indexes as they are; `false` where they make no sense (`sanityCheck` of Kafka's
    /// indexes).
    async fn load_indexes(&self, segment: &Segment) -> io::Result<bool> {
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
        *segment.aborted.borrow_mut() = TxnIndex::stored(
            (self.size_of(segment, SegmentFile::Aborted) / TXN_ENTRY_BYTES as u64) as u32,
        );
        set_max_timestamp(segment);
        segment.close_files();
        Ok(true)
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

    fn reset_indexes(&self, segment: &Rc<Segment>) {
        reset_indexes(segment);
        self.plan_trim(segment);
    }

    /// Files that have the right size already are not opened for it.
    fn plan_trim(&self, segment: &Rc<Segment>) {
        let is_exact = |part: &SegmentFile| {
            !segment.exists(*part) || self.size_of(segment, *part) == segment.index_bytes(*part)
        };
        if ![SegmentFile::Offsets, SegmentFile::Times, SegmentFile::Aborted].iter().all(is_exact) {
            self.changes.add(Change::TrimIndexes(segment.clone()));
        }
    }

    /// Keeps what the indexes of the first doubtful segment know about batches below the recovery
    /// point, as far as it makes sense; the rest is rebuilt by the scan, which begins at the last
    /// entry that is kept.
    async fn prepare(
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
        let mut from = ScanFrom { position: 0, offset: segment.base_offset };
        if let Some(last) = kept.1 {
            let file = segment.file(self.ring, self.dir, SegmentFile::Log).await?;
            let position = u64::from(last.position());
            let ends_as_told =
                |offset: i64| offset == segment.base_offset + i64::from(last.relative_offset());
            match Walk::new(self.ring, &file, position, size).next().await {
                Ok(Some(batch)) if ends_as_told(batch.header.last_offset()) => {
                    from = ScanFrom { position, offset: batch.header.base_offset() };
                }
                // Not a batch: the index is not to be believed at all.
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
                Err(error) => return Err(error),
            }
        }
        let is_sane = index::sane_offsets(&offsets, size, i64::MAX).0 as usize
            == offsets.len() / OFFSET_ENTRY_BYTES
            && index::sane_times(&times, u32::MAX).0 as usize == times.len() / TIME_ENTRY_BYTES;
        self.tell_index(segment, is_sane, recovery_point, from.position);
        let aborted = self.read_aborted(segment).await?;
        self.reset_in_memory(segment, &from, kept, &aborted);
        if from.position > 0 {
            *segment.times.borrow_mut() =
                Index::stored(TIME_ENTRY_BYTES, kept_times.0, kept_times.1);
            set_max_timestamp(segment);
            let file = segment.file(self.ring, self.dir, SegmentFile::Log).await?;
            if let Ok(Some(batch)) = Walk::new(self.ring, &file, 0, size).next().await {
                segment.first_timestamp.set(Some(batch.header.max_timestamp()));
            }
        }
        self.plan_trim(segment);
        Ok(from)
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
    fn tell_lacking(&self, segment: &Segment, expected: (u32, u32), recovery_point: i64) {
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

    async fn read_aborted(&self, segment: &Segment) -> io::Result<Vec<AbortedTransaction>> {
        let bytes = self.read_index(segment, SegmentFile::Aborted, TXN_ENTRY_BYTES).await?;
        Ok(bytes.chunks_exact(TXN_ENTRY_BYTES).map_while(AbortedTransaction::decode).collect())
    }

    /// Reads a segment from a position where a batch begins, and takes nothing of it. Checksums are
    /// checked from an offset on.
    async fn scan_plainly(
        &self,
        segment: &Segment,
        from: u64,
        check_from: i64,
    ) -> Result<ScanEnd, LogError> {
        let from = ScanFrom { position: from, offset: segment.base_offset };
        let scanned = scan(
            self.ring,
            self.dir,
            segment,
            &from,
            &self.expected(segment, check_from),
            &mut |_| {},
        )
        .await;
        scanned.map_err(self.io("reading a segment in"))
    }

    /// Scans a doubtful segment; its batches go into epochs and producer state as they did when
    /// they were appended.
    async fn scan_into(
        &self,
        segment: &Rc<Segment>,
        from: &ScanFrom,
        recovery_point: i64,
        epochs: &mut LeaderEpochs,
        ends: &mut Ends,
    ) -> Result<ScanEnd, LogError> {
        if from.offset < ends.log_end {
            let path = files::path(self.dir, segment.base_offset, files::LOG);
            return Err(self.damaged(path, Fault::Overlaps { offset: ends.log_end }));
        }
        let interval = self.config.index_interval_bytes;
        let mut contradicted = None;
        let counts = || (segment.offsets.borrow().count(), segment.times.borrow().count());
        let mut expected = counts();
        let mut take = |batch: &Batch<'_>| {
            segment.add_batch(batch, batch.size_bytes() as u32, interval);
            if batch.last_offset() < recovery_point {
                expected = counts();
            }
            let epoch = batch.partition_leader_epoch();
            let known = epochs.epoch_for_offset(batch.base_offset());
            if epoch >= 0 && known.is_some_and(|known| epoch < known) {
                contradicted.get_or_insert((batch.base_offset(), epoch));
            }
            if epoch >= 0 && epochs.latest().is_none_or(|latest| epoch > latest) {
                epochs.assign(epoch, batch.base_offset());
            }
            super::append::take_producer(&mut ends.producers, batch, segment);
        };
        let scanned = scan(
            self.ring,
            self.dir,
            segment,
            from,
            &self.expected(segment, recovery_point),
            &mut take,
        )
        .await;
        let end = scanned.map_err(self.io("reading a segment in"))?;
        self.tell_lacking(segment, expected, recovery_point);
        if let Some((offset, epoch)) = contradicted {
            let path = self.dir.join(files::LEADER_EPOCHS);
            tracing::error!(
                path = %path.display(), offset, epoch,
                "this file is damaged: it has a later epoch for the offset than its batch. Stop \
                 the broker and type \
                 `millstream log check {}`", super::log_dir_of(&path).display()
            );
        }
        assert_eq!(
            u64::from(segment.size_bytes.get()),
            end.valid_bytes,
            "the books hold what was scanned"
        );
        ends.log_end = end.next_offset;
        Ok(end)
    }
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

/// Forgets what the indexes have, in memory.
fn reset_indexes(segment: &Segment) {
    *segment.offsets.borrow_mut() = Index::new(OFFSET_ENTRY_BYTES);
    *segment.times.borrow_mut() = Index::new(TIME_ENTRY_BYTES);
    segment.size_bytes.set(0);
    segment.set_bytes_since_entry(0);
    set_max_timestamp(segment);
    *segment.aborted.borrow_mut() = TxnIndex::default();
}

/// Builds the index files of a segment anew from its batches, which were found good.
pub(super) async fn rebuild_indexes(
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

/// Reads the batches of a segment's file.
async fn scan(
    ring: &Ring,
    dir: &Path,
    segment: &Segment,
    from: &ScanFrom,
    expected: &Expected<'_>,
    take: &mut dyn FnMut(&Batch<'_>),
) -> io::Result<ScanEnd> {
    let file = segment.file(ring, dir, SegmentFile::Log).await?;
    let scan = Scan {
        ring,
        file: &file,
        from: from.position,
        size_bytes: u64::from(segment.written_bytes.get()),
        first_offset: from.offset,
        expected: *expected,
    };
    scan.run(take).await
}

pub(super) struct LoadedProducers {
    pub producers: ProducerStates,
    /// -1: none was used.
    pub snapshot_offset: i64,
}

/// The producer state at offset `end`: the newest snapshot at or below it that can be read, and the
/// batches since.
pub(super) async fn load_producers(
    ring: &Ring,
    dir: &Path,
    mut snapshots: Vec<i64>,
    segments: &[Rc<Segment>],
    end: i64,
    expiration_ms: i64,
) -> io::Result<LoadedProducers> {
    snapshots.retain(|at| *at <= end);
    snapshots.sort_unstable();
    // Not from the log start: producers whose records were deleted are remembered as long as there
    // is a trace of them.
    let first = segments.first().map_or(0, |segment| segment.base_offset);
    let mut loaded = LoadedProducers { producers: ProducerStates::new(first), snapshot_offset: -1 };
    while let Some(at) = snapshots.pop() {
        let path = files::path(dir, at, files::SNAPSHOT);
        let bytes = ring.read_file(&path, MAX_SNAPSHOT_BYTES).await?;
        match ProducerStates::decode_snapshot(&bytes, at, ring.wall_clock_ms(), expiration_ms) {
            Ok(producers) => {
                loaded = LoadedProducers { producers, snapshot_offset: at };
                break;
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a producer snapshot is damaged: \
                    an older one is used");
            }
        }
    }
    let from = loaded.snapshot_offset.max(first);
    for (at, segment) in segments.iter().enumerate() {
        let next_base = segments.get(at + 1).map_or(i64::MAX, |next| next.base_offset);
        if next_base > from && segment.base_offset < end {
            replay(ring, dir, segment, from, end, &mut loaded.producers).await?;
            segment.close_idle_files(false);
        }
    }
    Ok(loaded)
}

/// Takes the batches of one segment between two offsets into the producer state.
async fn replay(
    ring: &Ring,
    dir: &Path,
    segment: &Segment,
    from: i64,
    end: i64,
    producers: &mut ProducerStates,
) -> io::Result<()> {
    let size = u64::from(segment.size_bytes.get());
    if size == 0 {
        return Ok(());
    }
    let start = lookup::position_before(ring, dir, segment, from).await?;
    let file = segment.file(ring, dir, SegmentFile::Log).await?;
    let mut walk = Walk::new(ring, &file, start, size);
    while let Some(batch) = walk.next().await? {
        if batch.header.base_offset() >= end {
            break;
        }
        if batch.header.next_offset() > from && batch.header.has_producer_id() {
            let bytes =
                ring.read_exact_at(&file, batch.position, batch.size_bytes as usize).await?;
            let parsed = Batch::parse(&bytes)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            producers.apply(&parsed);
        }
    }
    Ok(())
}
