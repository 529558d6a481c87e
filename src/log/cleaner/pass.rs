//! One pass: the keys of the dirty part into the map, then each group of segments through the
//! filter.
//!
//! Owns: the order of that. Lives on the core of the log. Never: keeps a turn of the loop longer
//! than its budget and one step.

use super::{
    CleanError,
    filter::{Filter, Kept, Kind, Order, unpacked},
    map::{Full, KeyMap, SLOT_BYTES},
    output::{Output, discard},
    plan::{Due, Facts, SegmentFacts, due, groups},
    source::Source,
    throttle::Throttle,
    transactions::{Marker, Transactions},
};
use crate::{
    log::{
        Log,
        segment::{Segment, SegmentFile},
    },
    pace::TurnBudget,
};
use bytes::Bytes;
use protocol::records::{Batch, Records, RecordsError};
use std::{io, rc::Rc, time::Duration};

/// So many bytes of a log have one key at least, as a rule: with smaller records the map is full
/// before the end of the dirty part, and another pass follows.
const BYTES_PER_KEY: u64 = 48;
/// A map of few keys costs little.
const SLOTS_MIN: usize = 64 * 1024 / SLOT_BYTES;
/// A pass that waits for its rate looks so often whether it is still wanted.
const WAIT_MOST: Duration = Duration::from_millis(200);
/// Records that go into the map between two looks at the budget.
const RECORDS_PER_STEP: usize = 128;

/// What a pass is to do, and what it may take.
pub struct Cleaning<'a> {
    pub log: &'a Log,
    pub due: Due,
    pub throttle: &'a Throttle,
    /// For the key map.
    pub memory_bytes_max: usize,
    pub load_factor: f64,
    /// What is read at a time.
    pub chunk_bytes: usize,
    /// What a batch may unpack to.
    pub unpacked_bytes_max: usize,
    /// Wall-clock time.
    pub now_ms: i64,
    pub is_cancelled: &'a dyn Fn() -> bool,
}

/// What a pass has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// What lies below is clean now.
    pub end: i64,
    pub keys: usize,
    /// Into the map, and by the filter.
    pub read_bytes: u64,
    pub written_bytes: u64,
    pub segments_before: usize,
    pub segments_after: usize,
}

/// A closed segment, and where the next one begins.
type Closed = (Rc<Segment>, i64);

impl Log {
    /// What of this log may be cleaned. `now_ms` is wall-clock time.
    pub async fn due_for_cleaning(&self, now_ms: i64) -> io::Result<Option<Due>> {
        let config = self.config();
        if self.synced_offset() < self.active().base_offset && !self.has_ended() {
            // With `durability=os` nothing else brings closed segments below the recovery point.
            self.sync_written().await?;
        }
        if config.max_compaction_lag_ms < i64::MAX {
            match self.read_first_timestamps().await {
                // Retention has taken the segment.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                read => read?,
            }
        }
        let stable_end = self.last_stable_offset().min(self.0.kept_recovery_point.get());
        let facts = Facts {
            segments: self.0.segments.borrow().iter().map(facts_of).collect(),
            log_start: self.log_start_offset(),
            log_end: self.log_end_offset(),
            first_dirty: self.first_dirty_offset(),
            stable_end,
            now_ms,
        };
        Ok(due(&facts, &config))
    }

    /// Of closed segments that a start has not read.
    async fn read_first_timestamps(&self) -> io::Result<()> {
        let (segments, dirty) = (self.segments(), self.first_dirty_offset());
        for pair in segments.windows(2).filter(|pair| pair[1].base_offset > dirty) {
            let segment = &pair[0];
            if segment.first_timestamp.get().is_none() && segment.size_bytes.get() > 0 {
                let file = segment.file(&self.0.ring, &self.dir(), SegmentFile::Log).await?;
                if let Some(first) = self.locate(segment, &file, segment.base_offset).await? {
                    segment.first_timestamp.set(Some(first.header.max_timestamp()));
                }
                drop(file);
                segment.close_idle_files(false);
            }
        }
        Ok(())
    }
}

fn facts_of(segment: &Rc<Segment>) -> SegmentFacts {
    let index = |part| segment.index_bytes(part);
    SegmentFacts {
        base_offset: segment.base_offset,
        size_bytes: u64::from(segment.size_bytes.get()),
        index_bytes: index(SegmentFile::Offsets).max(index(SegmentFile::Times)),
        largest_timestamp_ms: match segment.max_timestamp.get().timestamp {
            unknown if unknown < 0 => segment.created_ms,
            known => known,
        },
        first_timestamp_ms: segment.first_timestamp.get(),
    }
}

impl Cleaning<'_> {
    pub async fn run(&self) -> Result<Cleaned, CleanError> {
        let planned = self.segments(i64::MIN, self.due.end);
        match self.run_once().await {
            Err(CleanError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                let now = self.segments(i64::MIN, self.due.end);
                let has = |one: &Rc<Segment>| now.iter().any(|(other, _)| Rc::ptr_eq(one, other));
                match !self.log.has_ended() && planned.iter().all(|(one, _)| has(one)) {
                    true => Err(error.into()),
                    // Retention, or a deletion, was there before.
                    false => Err(CleanError::Cancelled),
                }
            }
            done => done,
        }
    }

    async fn run_once(&self) -> Result<Cleaned, CleanError> {
        let mut budget = TurnBudget::new(&self.log.0.ring);
        let truncations = self.log.0.writer.truncations();
        let slots_max = (self.memory_bytes_max / SLOT_BYTES).max(SLOTS_MIN);
        let slots = usize::try_from(self.due.dirty_bytes / BYTES_PER_KEY).unwrap_or(usize::MAX);
        let mut slots = slots.clamp(SLOTS_MIN, slots_max);
        let random = || self.log.0.ring.random_u64();
        let mut cleaned = Cleaned::default();
        loop {
            let mut map = KeyMap::new(slots, self.load_factor, (random(), random()));
            let filled = self.fill(&mut map, &mut cleaned, &mut budget).await;
            assert!(map.memory_bytes() <= slots_max * SLOT_BYTES, "the map keeps to its bound");
            let result = match filled {
                // Smaller records, or better packed ones, than was guessed.
                Ok(end) if end < self.due.end && slots < slots_max => Ok(None),
                Ok(end) if end == self.due.first_dirty => Err(self.too_many_keys(&map)),
                Ok(end) => {
                    cleaned.keys = map.len();
                    let cleaning = self.clean((&map, end, truncations), &mut cleaned, &mut budget);
                    cleaning.await.map(Some)
                }
                Err(error) => Err(error),
            };
            map.release(&mut budget).await;
            if let Some(()) = result? {
                return Ok(cleaned);
            }
            slots = slots_max;
        }
    }

    /// So many bytes were read or written: goes on when that fits the rate.
    async fn paced(&self, bytes: usize) -> Result<(), CleanError> {
        self.throttle.moved(bytes);
        self.check_wanted()?;
        while let Some(wait) = self.throttle.wait() {
            self.log.0.ring.sleep(wait.min(WAIT_MOST)).await;
            self.check_wanted()?;
        }
        Ok(())
    }

    /// The closed segments that have something in `from..to`.
    fn segments(&self, from: i64, to: i64) -> Vec<Closed> {
        let segments = self.log.segments();
        let closed = segments.windows(2).map(|pair| (pair[0].clone(), pair[1].base_offset));
        closed.filter(|(one, end)| one.base_offset < to && *end > from).collect()
    }

    fn check_wanted(&self) -> Result<(), CleanError> {
        let is_over = (self.is_cancelled)() || self.log.has_ended();
        if is_over { Err(CleanError::Cancelled) } else { Ok(()) }
    }

    /// Takes the keys of the dirty part, up to where there is room for them.
    async fn fill(
        &self,
        map: &mut KeyMap,
        cleaned: &mut Cleaned,
        budget: &mut TurnBudget<'_>,
    ) -> Result<i64, CleanError> {
        let Due { first_dirty, end, .. } = self.due;
        let mut transactions = Transactions::default();
        let mut filled_to = first_dirty;
        for (segment, segment_end) in self.segments(first_dirty, end) {
            let from = segment.base_offset.max(first_dirty);
            transactions.expect(self.log.aborted_transactions(from, segment_end).await?);
            let position = self.log.position_before(&segment, from).await?;
            let mut source =
                Source::open(self.log, &segment, position, segment_end, self.sizes()).await?;
            while let Some(bytes) = source.next(budget).await? {
                cleaned.read_bytes += bytes.len() as u64;
                self.paced(bytes.len()).await?;
                budget.step_done().await;
                let batch = Batch::parse(&bytes).expect("it was checked");
                if batch.last_offset() < first_dirty {
                    continue;
                }
                let has_room = self.take_keys(&batch, map, &mut transactions, budget).await;
                match has_room.map_err(|error| source.damaged(error.to_string()))? {
                    Ok(()) => filled_to = batch.next_offset(),
                    Err(Full) => return Ok(filled_to),
                }
            }
            drop(source);
            segment.close_idle_files(false);
            filled_to = segment_end;
        }
        assert!(filled_to <= end, "the map has keys up to {filled_to}, beyond {end}");
        Ok(filled_to)
    }

    fn too_many_keys(&self, map: &KeyMap) -> CleanError {
        CleanError::Impossible(format!(
            "the batch at offset {} has more keys than the key map has room for, {}: raise \
             log.cleaner.dedupe.buffer.size",
            self.due.first_dirty,
            map.len()
        ))
    }

    async fn take_keys(
        &self,
        batch: &Batch<'_>,
        map: &mut KeyMap,
        transactions: &mut Transactions,
        budget: &mut TurnBudget<'_>,
    ) -> Result<Result<(), Full>, RecordsError> {
        if batch.is_control() {
            transactions.marker(batch)?;
            return Ok(Ok(()));
        }
        if transactions.is_aborted(batch) {
            return Ok(Ok(()));
        }
        let body = unpacked(batch, self.unpacked_bytes_max, budget).await?;
        let mut order = Order::of(batch);
        for (at, record) in Records::new(batch, &body)?.enumerate() {
            let record = record?;
            order.check(&record)?;
            if let Some(key) = record.key.filter(|_| record.offset >= self.due.first_dirty)
                && let Err(full) = map.put(key, record.offset)
            {
                return Ok(Err(full));
            }
            if at % RECORDS_PER_STEP == RECORDS_PER_STEP - 1 {
                budget.step_done().await;
            }
        }
        Ok(Ok(()))
    }

    /// Filters all that lies below `end`.
    async fn clean(
        &self,
        (map, end, truncations): (&KeyMap, i64, u64),
        cleaned: &mut Cleaned,
        budget: &mut TurnBudget<'_>,
    ) -> Result<(), CleanError> {
        let filter = Filter {
            map,
            map_end: end,
            now_ms: self.now_ms,
            delete_retention_ms: self.log.config().delete_retention_ms,
            unpacked_bytes_max: self.unpacked_bytes_max,
        };
        let segments = self.segments(i64::MIN, end);
        let facts: Vec<SegmentFacts> = segments.iter().map(|(one, _)| facts_of(one)).collect();
        let mut transactions = Transactions::default();
        for group in groups(&facts, self.due.end, &self.log.config()) {
            let group = &segments[group];
            cleaned.segments_before += group.len();
            cleaned.segments_after += 1;
            if group.iter().all(|(one, _)| one.size_bytes.get() == 0) {
                // Another broker's cleaner has left it.
                continue;
            }
            self.clean_group(group, (&filter, truncations), &mut transactions, cleaned, budget)
                .await?;
        }
        if self.log.0.writer.truncations() != truncations {
            return Err(CleanError::Cancelled);
        }
        let before = self.log.0.first_dirty.replace(end);
        let start = self.due.first_dirty;
        assert!(
            start < end,
            "a pass from {start} on, of a log clean up to {before}, ends at {end}"
        );
        cleaned.end = end;
        Ok(())
    }

    async fn clean_group(
        &self,
        group: &[Closed],
        (filter, truncations): (&Filter<'_>, u64),
        transactions: &mut Transactions,
        cleaned: &mut Cleaned,
        budget: &mut TurnBudget<'_>,
    ) -> Result<(), CleanError> {
        let base_offset = group[0].0.base_offset;
        let created_ms = group.iter().map(|(one, _)| one.created_ms).max().unwrap_or(0);
        let mut output = Output::create(self.log, base_offset, created_ms).await?;
        let filled = async {
            for (at, closed) in group.iter().enumerate() {
                let is_last = group[at + 1..].iter().all(|(one, _)| one.size_bytes.get() == 0);
                self.filter_segment(
                    closed,
                    is_last,
                    filter,
                    transactions,
                    (&mut output, cleaned),
                    budget,
                )
                .await?;
            }
            Ok(())
        };
        let filled: Result<(), CleanError> = filled.await;
        let finished = match filled {
            Ok(()) => output.finish().await,
            Err(error) => Err(error),
        };
        let new = match finished {
            Ok(new) => new,
            Err(error) => {
                discard(self.log, base_offset).await;
                return Err(error);
            }
        };
        cleaned.written_bytes += u64::from(new.size_bytes.get());
        let old: Vec<Rc<Segment>> = group.iter().map(|(one, _)| one.clone()).collect();
        let end = group[group.len() - 1].1;
        match self.log.replace_segments(&old, &new, end, truncations).await? {
            true => Ok(()),
            false => {
                discard(self.log, base_offset).await;
                Err(CleanError::Cancelled)
            }
        }
    }

    /// `is_last`: no batch of the group follows those of this segment.
    async fn filter_segment(
        &self,
        (segment, segment_end): &Closed,
        is_last: bool,
        filter: &Filter<'_>,
        transactions: &mut Transactions,
        (output, cleaned): (&mut Output<'_>, &mut Cleaned),
        budget: &mut TurnBudget<'_>,
    ) -> Result<(), CleanError> {
        let (log, base) = (self.log, segment.base_offset);
        transactions.expect(log.aborted_transactions(base, *segment_end).await?);
        let mut source = Source::open(log, segment, 0, *segment_end, self.sizes()).await?;
        while let Some(bytes) = source.next(budget).await? {
            cleaned.read_bytes += bytes.len() as u64;
            self.paced(bytes.len()).await?;
            budget.step_done().await;
            let batch = Batch::parse(&bytes).expect("it was checked");
            let kind = match batch.is_control() {
                false if transactions.is_aborted(&batch) => Kind::Aborted,
                false => Kind::Records,
                true => {
                    let marker = transactions.marker(&batch);
                    let marker = marker.map_err(|error| source.damaged(error.to_string()))?;
                    if let Marker::Aborts(one) = &marker {
                        output.abort(*one);
                    }
                    Kind::Marker { is_needless: marker == Marker::Needless }
                }
            };
            // The last batch of a segment tells a start where the segment ends.
            let keeps_empty = (is_last && source.is_at_end()) || self.is_last_of_producer(&batch);
            let kept = filter.keep(&batch, kind, keeps_empty, budget).await;
            let kept = match kept.map_err(|error| source.damaged(error.to_string()))? {
                Kept::Nothing => continue,
                Kept::All => bytes.clone(),
                Kept::Changed(changed) => {
                    checked(&batch, changed).map_err(|reason| source.damaged(reason))?
                }
            };
            output.append(&kept).await?;
            self.paced(kept.len()).await?;
        }
        drop(source);
        segment.close_idle_files(false);
        Ok(())
    }

    /// What is read at a time, and what a batch may have.
    fn sizes(&self) -> (usize, usize) {
        let message_bytes_max = self.log.config().max_message_bytes as usize;
        (self.chunk_bytes, self.unpacked_bytes_max.max(message_bytes_max))
    }

    /// Whether the log knows this batch as its producer's last one: what that has sent last has to
    /// be found again.
    fn is_last_of_producer(&self, batch: &Batch<'_>) -> bool {
        if !batch.has_producer_id() {
            return false;
        }
        let producers = self.log.producers();
        producers.get(batch.producer_id()).is_some_and(|producer| match producer.recent().last() {
            Some(last) => last.last_offset == batch.last_offset(),
            None => batch.is_control() && batch.producer_epoch() == producer.epoch,
        })
    }
}

/// What takes the place of a batch has its offsets, its producer, and no later time.
fn checked(before: &Batch<'_>, changed: Bytes) -> Result<Bytes, String> {
    let after = Batch::parse(&changed).expect("what was built is a batch");
    let range = |batch: &Batch<'_>| (batch.base_offset(), batch.last_offset());
    assert_eq!(range(&after), range(before), "a batch keeps its offsets");
    let producer =
        |batch: &Batch<'_>| (batch.producer_id(), batch.producer_epoch(), batch.last_sequence());
    assert_eq!(producer(&after), producer(before), "a batch keeps its producer");
    let (was, is) = (before.max_timestamp(), after.max_timestamp());
    match is <= was {
        true => Ok(changed),
        false => Err(format!("it says that {was} is its largest timestamp, and has {is}")),
    }
}
