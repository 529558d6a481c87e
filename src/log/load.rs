//! Reading the segments of a log when it is opened: the trusted ones by their sizes, the doubtful ones batch by batch.
//!
//! The second half of [`super::recovery`], which see.

use super::{
    LogError,
    epochs::LeaderEpochs,
    files,
    index::{self, Entry, Index, OFFSET_ENTRY_BYTES, TIME_ENTRY_BYTES},
    lookup,
    producers::ProducerStates,
    recovery::{Ends, Loader, MAX_SNAPSHOT_BYTES},
    scan::{Damage, Scan, ScanEnd},
    segment::{Part, Segment, TimestampOffset},
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
    /// A segment whose contents are known to be on the disk: sizes and index ends are enough. Indexes that make no sense
    /// are built anew from the batches.
    pub(super) async fn load_trusted(&self, segment: &Rc<Segment>) -> Result<(), LogError> {
        self.set_sizes(segment)?;
        if self.load_indexes(segment).await.map_err(self.io("reading indexes in"))? {
            segment.indexes_synced.set(true);
            return Ok(());
        }
        tracing::warn!(
            dir = %self.dir.display(), base_offset = segment.base_offset,
            "an index file is missing or damaged: it is built anew"
        );
        self.reset_indexes(segment).await.map_err(self.io("resetting indexes in"))?;
        let from = ScanFrom { position: 0, offset: segment.base_offset };
        let end = self.scan(segment, &from, segment.base_offset, &mut |_| {}).await?;
        if let Some(Damage::Bad(damage)) = &end.damage {
            return Err(self.corrupt(segment, damage));
        }
        self.cut(segment, &end).await.map_err(self.io("cutting a segment in"))?;
        segment.add_time_entry();
        segment.flush_indexes(self.ring, self.dir, true).await.map_err(self.io("writing indexes in"))?;
        segment.close_files();
        Ok(())
    }

    /// The segments from `doubtful` on: reads them from the recovery point (after a clean shutdown: from the last index
    /// entry), rebuilds what hangs on their batches, and cuts what is damaged at the end.
    pub(super) async fn load_doubtful(
        &self,
        segments: &mut Vec<Rc<Segment>>,
        doubtful: usize,
        epochs: &mut LeaderEpochs,
    ) -> Result<Ends, LogError> {
        let Some(first) = segments.get(doubtful).cloned() else { return Ok(Ends::default()) };
        let recovery_point = if self.start.clean { i64::MAX } else { self.start.recovery_point };
        let mut from = self.prepare(&first, recovery_point).await.map_err(self.io("reading indexes in"))?;
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
        let mut ends =
            Ends { log_end: from.offset, producers: loaded.producers, snapshot_offset: loaded.snapshot_offset };
        for at in doubtful..segments.len() {
            let segment = segments[at].clone();
            if at > doubtful {
                self.set_sizes(&segment)?;
                self.reset_indexes(&segment).await.map_err(self.io("resetting indexes in"))?;
                from = ScanFrom { position: 0, offset: segment.base_offset };
            }
            let end = self.scan_into(&segment, &from, recovery_point, epochs, &mut ends).await?;
            let last = at + 1 == segments.len();
            if let Some(Damage::Bad(damage)) = &end.damage {
                self.check_cut(&segments[at..], &end, recovery_point, damage).await?;
                self.cut(&segment, &end).await.map_err(self.io("cutting a segment in"))?;
                self.drop_segments(segments, at + 1).await.map_err(self.io("removing segments in"))?;
                break;
            }
            self.cut(&segment, &end).await.map_err(self.io("cutting a segment in"))?;
            if self.has_hole_before(segments.get(at + 1), ends.log_end) {
                let damage = "batches between it and the next segment are missing";
                self.check_cut(&segments[at..], &end, recovery_point, damage).await?;
                self.drop_segments(segments, at + 1).await.map_err(self.io("removing segments in"))?;
                break;
            }
            if !last {
                segment.add_time_entry();
                segment.close_files();
                // As when it was rolled: what the segment knows of its producers outlives it.
                let path = files::path(self.dir, segments[at + 1].base_offset, files::SNAPSHOT);
                let snapshot = ends.producers.encode_snapshot();
                match self.ring.write_file_atomically(path, snapshot).await {
                    Ok(()) => ends.snapshot_offset = segments[at + 1].base_offset,
                    // An older one and the batches since tell the same, and a full disk must not keep a log from readers.
                    Err(error) if ring::passes(&error) => {
                        tracing::warn!(dir = %self.dir.display(), %error, "a producer snapshot cannot be written for now");
                    }
                    Err(error) => return Err(self.io("writing a snapshot in")(error)),
                }
            }
        }
        Ok(ends)
    }

    /// A crash may take the end of one segment and leave the next: what lies behind such a hole was promised to nobody.
    /// Below the recovery point, and where compaction works, holes are as they should be.
    fn has_hole_before(&self, next: Option<&Rc<Segment>>, log_end: i64) -> bool {
        let is_doubtful = !self.start.clean && log_end >= self.start.recovery_point;
        let is_hole = |next: &Rc<Segment>| {
            let in_stream = self.start.replay.iter().any(|part| part.from < next.base_offset && part.to > log_end);
            next.base_offset > log_end && (in_stream || !self.config.cleanup_policy.compact)
        };
        is_doubtful && next.is_some_and(is_hole)
    }

    fn corrupt(&self, segment: &Segment, detail: &str) -> LogError {
        LogError::Corrupt { path: files::path(self.dir, segment.base_offset, files::LOG), detail: detail.to_owned() }
    }

    fn set_sizes(&self, segment: &Segment) -> Result<(), LogError> {
        for part in Part::ALL {
            segment.set_exists(part, self.names.contains_key(&files::name(segment.base_offset, part.extension())));
        }
        let size = self.size_of(segment, Part::Log);
        let size =
            u32::try_from(size).ok().filter(|size| *size <= i32::MAX as u32).ok_or_else(|| LogError::BadFile {
                path: files::path(self.dir, segment.base_offset, files::LOG),
                detail: format!("{size} bytes are more than a segment can have"),
            })?;
        segment.size_bytes.set(size);
        segment.written_bytes.set(size);
        segment.synced_bytes.set(size);
        Ok(())
    }

    fn size_of(&self, segment: &Segment, part: Part) -> u64 {
        self.names.get(&files::name(segment.base_offset, part.extension())).copied().unwrap_or(0)
    }

    pub(super) fn snapshots(&self) -> Vec<i64> {
        let snapshot =
            |name: &String| files::parse(name).filter(|(_, kind)| *kind == files::SNAPSHOT).map(|(at, _)| at);
        self.names.keys().filter_map(snapshot).collect()
    }

    /// Takes the indexes as they are; `false` where they make no sense (`sanityCheck` of Kafka's indexes).
    async fn load_indexes(&self, segment: &Segment) -> io::Result<bool> {
        let size = u64::from(segment.size_bytes.get());
        let count = |part, entry_bytes: usize| {
            let bytes = self.size_of(segment, part);
            bytes.is_multiple_of(entry_bytes as u64).then_some((bytes / entry_bytes as u64) as u32)
        };
        let exist = segment.exists(Part::Offsets) && segment.exists(Part::Times);
        let counts = (count(Part::Offsets, OFFSET_ENTRY_BYTES), count(Part::Times, TIME_ENTRY_BYTES));
        let (true, (Some(offsets), Some(times))) = (exist, counts) else { return Ok(false) };
        let last_offset = self.last_entry(segment, Part::Offsets, OFFSET_ENTRY_BYTES, offsets).await?;
        let last_time = self.last_entry(segment, Part::Times, TIME_ENTRY_BYTES, times).await?;
        if last_offset.is_some_and(|last| last.position() == 0 || u64::from(last.position()) >= size)
            || last_time.is_some_and(|last| last.timestamp() < 0 || last.timestamp_relative_offset() > i32::MAX as u32)
            || (size > 0 && last_time.is_none() && last_offset.is_some())
        {
            return Ok(false);
        }
        *segment.offsets.borrow_mut() = Index::stored(OFFSET_ENTRY_BYTES, offsets, last_offset);
        *segment.times.borrow_mut() = Index::stored(TIME_ENTRY_BYTES, times, last_time);
        *segment.aborted.borrow_mut() =
            TxnIndex::stored((self.size_of(segment, Part::Aborted) / TXN_ENTRY_BYTES as u64) as u32);
        self.set_max_timestamp(segment);
        segment.close_files();
        Ok(true)
    }

    async fn last_entry(
        &self,
        segment: &Segment,
        part: Part,
        entry_bytes: usize,
        count: u32,
    ) -> io::Result<Option<Entry>> {
        let Some(number) = count.checked_sub(1) else { return Ok(None) };
        let file = segment.file(self.ring, self.dir, part).await?;
        Ok(Some(index::read_entry(self.ring, &file, entry_bytes, number).await?))
    }

    fn set_max_timestamp(&self, segment: &Segment) {
        let last = segment.times.borrow().last();
        segment.max_timestamp.set(match last {
            Some(last) => TimestampOffset {
                timestamp: last.timestamp(),
                offset: segment.base_offset + i64::from(last.timestamp_relative_offset()),
            },
            None => TimestampOffset { timestamp: NO_TIMESTAMP, offset: segment.base_offset },
        });
    }

    async fn reset_indexes(&self, segment: &Segment) -> io::Result<()> {
        *segment.offsets.borrow_mut() = Index::new(OFFSET_ENTRY_BYTES);
        *segment.times.borrow_mut() = Index::new(TIME_ENTRY_BYTES);
        segment.size_bytes.set(0);
        segment.set_bytes_since_entry(0);
        self.set_max_timestamp(segment);
        *segment.aborted.borrow_mut() = TxnIndex::default();
        segment.trim_indexes(self.ring, self.dir).await
    }

    /// Keeps what the indexes of the first doubtful segment know about batches below the recovery point, as far as it
    /// makes sense; the rest is rebuilt by the scan, which begins at the last entry that is kept.
    async fn prepare(&self, segment: &Rc<Segment>, recovery_point: i64) -> Result<ScanFrom, io::Error> {
        self.set_sizes(segment).map_err(io::Error::other)?;
        let size = u64::from(segment.size_bytes.get());
        let offsets = self.read_index(segment, Part::Offsets, OFFSET_ENTRY_BYTES).await?;
        let times = self.read_index(segment, Part::Times, TIME_ENTRY_BYTES).await?;
        let (_, last) = index::sane_offsets(&offsets, size, recovery_point.saturating_sub(segment.base_offset));
        let kept_times = index::sane_times(&times, last.map_or(0, |last| last.relative_offset()));
        // Time entries may have been lost: the scan begins where the last one stands, to find what is later.
        let limit = kept_times.1.map_or(0, |last| i64::from(last.timestamp_relative_offset()) + 1);
        let kept = index::sane_offsets(&offsets, size, limit);
        let mut from = ScanFrom { position: 0, offset: segment.base_offset };
        if let Some(last) = kept.1 {
            let file = segment.file(self.ring, self.dir, Part::Log).await?;
            let position = u64::from(last.position());
            let ends_as_told = |offset: i64| offset == segment.base_offset + i64::from(last.relative_offset());
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
        let aborted = self.read_aborted(segment).await?;
        self.reset_in_memory(segment, &from, kept, &aborted);
        if from.position > 0 {
            *segment.times.borrow_mut() = Index::stored(TIME_ENTRY_BYTES, kept_times.0, kept_times.1);
            self.set_max_timestamp(segment);
            let file = segment.file(self.ring, self.dir, Part::Log).await?;
            if let Ok(Some(batch)) = Walk::new(self.ring, &file, 0, size).next().await {
                segment.first_timestamp.set(Some(batch.header.max_timestamp()));
            }
        }
        segment.trim_indexes(self.ring, self.dir).await?;
        Ok(from)
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
        self.set_max_timestamp(segment);
        segment.size_bytes.set(from.position as u32);
        segment.set_bytes_since_entry(0);
    }

    async fn read_index(&self, segment: &Segment, part: Part, entry_bytes: usize) -> io::Result<Vec<u8>> {
        let size = self.size_of(segment, part);
        if size == 0 || size > MAX_INDEX_BYTES {
            return Ok(Vec::new());
        }
        let file = segment.file(self.ring, self.dir, part).await?;
        let whole = size - size % entry_bytes as u64;
        Ok(self.ring.read_exact_at(&file, 0, whole as usize).await?.to_vec())
    }

    async fn read_aborted(&self, segment: &Segment) -> io::Result<Vec<AbortedTransaction>> {
        let bytes = self.read_index(segment, Part::Aborted, TXN_ENTRY_BYTES).await?;
        Ok(bytes.chunks_exact(TXN_ENTRY_BYTES).map_while(AbortedTransaction::decode).collect())
    }

    async fn scan(
        &self,
        segment: &Rc<Segment>,
        from: &ScanFrom,
        check_from_offset: i64,
        take: &mut dyn FnMut(&Batch<'_>),
    ) -> Result<ScanEnd, LogError> {
        let file = segment.file(self.ring, self.dir, Part::Log).await.map_err(self.io("opening a segment in"))?;
        let scan = Scan {
            ring: self.ring,
            file: &file,
            from: from.position,
            size_bytes: u64::from(segment.written_bytes.get()),
            first_offset: from.offset,
            check_from_offset,
            max_offset: segment.base_offset + i64::from(i32::MAX),
        };
        let interval = self.config.index_interval_bytes;
        let mut take_both = |batch: &Batch<'_>| {
            segment.add_batch(batch, batch.size_bytes() as u32, interval);
            take(batch);
        };
        scan.run(&mut take_both).await.map_err(self.io("reading a segment in"))
    }

    /// Scans a doubtful segment; its batches go into epochs and producer state as they did when they were appended.
    async fn scan_into(
        &self,
        segment: &Rc<Segment>,
        from: &ScanFrom,
        recovery_point: i64,
        epochs: &mut LeaderEpochs,
        ends: &mut Ends,
    ) -> Result<ScanEnd, LogError> {
        if from.offset < ends.log_end {
            return Err(
                self.corrupt(segment, &format!("it begins below offset {}, where the one before ends", ends.log_end))
            );
        }
        let end = self
            .scan(segment, from, recovery_point, &mut |batch| {
                let epoch = batch.partition_leader_epoch();
                if epoch >= 0 && epochs.latest().is_none_or(|latest| epoch > latest) {
                    epochs.assign(epoch, batch.base_offset());
                }
                super::append::take_producer(&mut ends.producers, batch, segment);
            })
            .await?;
        ends.log_end = end.next_offset;
        Ok(end)
    }

    /// Whether damage may be cut: not where the disk had promised to keep it, and kept what came after it.
    async fn check_cut(
        &self,
        segments: &[Rc<Segment>],
        end: &ScanEnd,
        recovery_point: i64,
        damage: &str,
    ) -> Result<(), LogError> {
        let segment = &segments[0];
        if end.next_offset < recovery_point {
            let file = segment.file(self.ring, self.dir, Part::Log).await.map_err(self.io("opening a segment in"))?;
            let scan = Scan {
                ring: self.ring,
                file: &file,
                from: 0,
                size_bytes: self.size_of(segment, Part::Log),
                first_offset: segment.base_offset,
                check_from_offset: segment.base_offset,
                max_offset: segment.base_offset + i64::from(i32::MAX),
            };
            let later = segments[1..].iter().any(|segment| self.size_of(segment, Part::Log) > 0);
            if later || scan.good_batch_behind(end).await.map_err(self.io("reading a segment in"))? {
                return Err(self.corrupt(segment, &format!("{damage}; good batches follow it")));
            }
        }
        tracing::warn!(
            path = %files::path(self.dir, segment.base_offset, files::LOG).display(),
            damage, log_end_offset = end.next_offset, lost_segments = segments.len() - 1,
            lost_bytes = self.size_of(segment, Part::Log) - end.valid_bytes,
            "the end of the log is damaged and was cut off: what was not synced before the crash is lost"
        );
        Ok(())
    }

    /// Cuts the file behind its last good batch. Durably: a later start may find the segment below its recovery point, and
    /// believe its size.
    async fn cut(&self, segment: &Rc<Segment>, end: &ScanEnd) -> io::Result<()> {
        let valid = end.valid_bytes as u32;
        assert_eq!(segment.size_bytes.get(), valid, "the books hold what was scanned");
        if u64::from(segment.written_bytes.get()) != end.valid_bytes {
            let file = segment.file(self.ring, self.dir, Part::Log).await?;
            self.ring.truncate(&file, end.valid_bytes).await?;
            self.ring.sync_data(&file).await?;
            segment.written_bytes.set(valid);
            segment.synced_bytes.set(valid);
        }
        Ok(())
    }

    async fn drop_segments(&self, segments: &mut Vec<Rc<Segment>>, from: usize) -> io::Result<()> {
        for segment in segments.drain(from..) {
            for extension in Part::ALL.iter().map(|part| part.extension()).chain([files::SNAPSHOT]) {
                super::sync::remove_if_there(self.ring, &files::path(self.dir, segment.base_offset, extension)).await?;
            }
        }
        Ok(())
    }
}

pub(super) struct LoadedProducers {
    pub producers: ProducerStates,
    /// -1: none was used.
    pub snapshot_offset: i64,
}

/// The producer state at offset `end`: the newest snapshot at or below it that can be read, and the batches since.
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
    // Not from the log start: producers whose records were deleted are remembered as long as there is a trace of them.
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
                tracing::warn!(path = %path.display(), %error, "a producer snapshot is damaged: an older one is used");
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
    let file = segment.file(ring, dir, Part::Log).await?;
    let mut walk = Walk::new(ring, &file, start, size);
    while let Some(batch) = walk.next().await? {
        if batch.header.base_offset() >= end {
            break;
        }
        if batch.header.next_offset() > from && batch.header.has_producer_id() {
            let bytes = ring.read_exact_at(&file, batch.position, batch.size_bytes as usize).await?;
            let parsed = Batch::parse(&bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            producers.apply(&parsed);
        }
    }
    Ok(())
}
