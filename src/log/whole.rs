//! Reading a log that no broker has open from its first byte to its last: what a start believes is
//! checked here.
//!
//! A start reads what lies beyond the recovery point; below it sizes and ends are enough. Here
//! every batch has its CRC checked, and every index entry is compared with the batch that it points
//! to.
//!
//! Owns: nothing. Lives on the thread of `millstream log`. Never: changes a file, or judges what it
//! finds: whether a torn end is damage depends on what was synced, which the caller knows.

use super::{
    Fault, LogError, checkpoint,
    epochs::LeaderEpochs,
    files,
    index::{OFFSET_ENTRY_BYTES, TIME_ENTRY_BYTES},
    producers::ProducerStates,
    scan::{Damage, Expected, Scan},
};
use protocol::records::{Batch, NO_TIMESTAMP};
use ring::{OpenOptions, Ring};
use std::{collections::BTreeMap, io, path::Path};

/// An index that is larger was not written by Kafka or by this broker: it is told as it is, and not
/// read.
const MAX_INDEX_BYTES: u64 = 256 << 20;

/// A log as its batches are.
#[derive(Clone, Debug, Default)]
pub struct LogLook {
    /// By rising base offset.
    pub segments: Vec<SegmentLook>,
    /// What the batches say: epoch and the first offset of it.
    pub epochs: Vec<(i32, i64)>,
    pub bytes: u64,
    /// Files that are there and cannot be read: their names, and why. No segment is made of such a
    /// file.
    pub unreadable: Vec<(String, String)>,
}

impl LogLook {
    /// Of a folder that cannot be listed.
    pub fn unlisted(error: &dyn std::fmt::Display) -> LogLook {
        LogLook { unreadable: vec![(String::new(), error.to_string())], ..LogLook::default() }
    }
}

#[derive(Clone, Debug)]
pub struct SegmentLook {
    pub base_offset: i64,
    pub size_bytes: u64,
    /// Up to here the file holds whole, good batches.
    pub valid_bytes: u64,
    /// The offset after the last of them.
    pub next_offset: i64,
    /// Why reading ended before the end of the file. Zeros to the end are none: the file was
    /// preallocated.
    pub damage: Option<Fault>,
    /// Offsets are missing within it, as only compaction leaves them.
    pub is_compacted: bool,
    /// Names of index files that contradict the batches, and how.
    pub indexes: Vec<(String, String)>,
}

/// What is wrong with the small files of a log beside its segments.
#[derive(Debug, Default)]
pub struct BesideLook {
    /// Names of files, and what is wrong with them.
    pub wrong: Vec<(String, String)>,
    /// Those that are there and cannot be read, and why.
    pub unreadable: Vec<(String, String)>,
}

/// `look` is what the batches of the log say; leader epochs must be true of the offsets in
/// `from..to`.
pub async fn look_beside(
    ring: &Ring,
    dir: &Path,
    look: &LogLook,
    from: i64,
    to: i64,
) -> Result<BesideLook, LogError> {
    let entries = ring.read_dir(dir).await.map_err(LogError::io("listing", dir))?;
    let mut beside = BesideLook::default();
    for name in entries.into_iter().map(|entry| entry.name) {
        let snapshot_of =
            files::parse(&name).filter(|(_, kind)| *kind == files::SNAPSHOT).map(|(at, _)| at);
        if snapshot_of.is_none() && name != files::LEADER_EPOCHS {
            continue;
        }
        let content = match ring.read_file(dir.join(&name), MAX_INDEX_BYTES as usize).await {
            Ok(content) => content,
            Err(error) => {
                beside.unreadable.push((name, error.to_string()));
                continue;
            }
        };
        if let Some(at) = snapshot_of {
            let decoded =
                ProducerStates::decode_snapshot(&content, at, ring.wall_clock_ms(), i64::MAX);
            beside.wrong.extend(decoded.err().map(|error| (name, error.to_string())));
        } else {
            let fault = match checkpoint::parse_epochs(&String::from_utf8_lossy(&content)) {
                Ok(entries) => contradiction(look, &LeaderEpochs::from_entries(entries), from, to),
                Err(error) => Some(error.to_string()),
            };
            beside.wrong.extend(fault.map(|fault| (name, fault)));
        }
    }
    Ok(beside)
}

/// Where stored leader epochs are not what the batches say.
fn contradiction(look: &LogLook, stored: &LeaderEpochs, from: i64, to: i64) -> Option<String> {
    let from = from.max(look.segments.first()?.base_offset);
    let is_compacted = look.segments.iter().any(|segment| segment.is_compacted);
    let mut before = None;
    for (epoch, start) in &look.epochs {
        let mut said = vec![(*start, *epoch)];
        // Where it ends, an epoch may have lost batches to compaction.
        said.extend(before.filter(|_| !is_compacted).map(|before| (start - 1, before)));
        for (offset, epoch) in said.into_iter().filter(|(offset, _)| (from..to).contains(offset)) {
            let found = stored.epoch_for_offset(offset);
            if found != Some(epoch) {
                let found = found.map_or_else(|| "none".to_owned(), |found| found.to_string());
                return Some(format!(
                    "it has epoch {found} for offset {offset}, whose batch has {epoch}"
                ));
            }
        }
        before = Some(*epoch);
    }
    None
}

/// Reads every segment that can be read of the log in `dir`, whose end is known where the broker
/// closed it: `i64::MAX` where it is not. `progress` hears of each batch's bytes.
pub async fn look(
    ring: &Ring,
    dir: &Path,
    end_offset: i64,
    progress: &dyn Fn(u64),
) -> Result<LogLook, LogError> {
    let entries = ring.read_dir(dir).await.map_err(LogError::io("listing", dir))?;
    let sizes: BTreeMap<String, u64> =
        entries.into_iter().map(|entry| (entry.name, entry.size_bytes)).collect();
    let bases =
        sizes.keys().filter_map(|name| files::parse(name)).filter(|(_, kind)| *kind == files::LOG);
    let mut look = LogLook::default();
    let mut epochs = LeaderEpochs::default();
    for (base, _) in bases {
        let mut indexes = [Vec::new(), Vec::new()];
        for (extension, bytes) in
            [files::OFFSET_INDEX, files::TIME_INDEX].into_iter().zip(&mut indexes)
        {
            match read_index(ring, dir, base, extension, &sizes).await {
                Ok(read) => *bytes = read,
                Err(error) => {
                    look.unreadable.push((files::name(base, extension), error.to_string()))
                }
            }
        }
        match look_segment(ring, dir, (base, end_offset), indexes, &mut epochs, progress).await {
            Ok(segment) => {
                let before = look.segments.last().map(|last| last.base_offset);
                assert!(before < Some(base), "the segment at {base} follows that at {before:?}");
                look.bytes += segment.size_bytes;
                look.segments.push(segment);
            }
            Err(error) => look.unreadable.push((files::name(base, files::LOG), error.to_string())),
        }
    }
    look.epochs = epochs.entries();
    Ok(look)
}

async fn look_segment(
    ring: &Ring,
    dir: &Path,
    (base_offset, end_offset): (i64, i64),
    [offset_index, time_index]: [Vec<u8>; 2],
    epochs: &mut LeaderEpochs,
    progress: &dyn Fn(u64),
) -> io::Result<SegmentLook> {
    let path = files::path(dir, base_offset, files::LOG);
    let file = ring.open(&path, OpenOptions::read()).await?;
    let size_bytes = ring.size(&file).await?;
    let mut offsets = OffsetEntries::new(base_offset, offset_index);
    let mut times = TimeEntries::new(base_offset, time_index);
    let (mut next_offset, mut position, mut is_compacted) = (base_offset, 0, false);
    let mut take = |batch: &Batch<'_>| {
        is_compacted |= batch.base_offset() != next_offset
            || batch.record_count() != batch.last_offset_delta() + 1;
        next_offset = batch.next_offset();
        let epoch = batch.partition_leader_epoch();
        if epoch >= 0 && epochs.latest().is_none_or(|latest| epoch > latest) {
            epochs.assign(epoch, batch.base_offset());
        }
        offsets.take(position, batch);
        times.take(batch);
        position += batch.size_bytes() as u64;
        progress(batch.size_bytes() as u64);
    };
    let scan = Scan {
        ring,
        file: &file,
        from: 0,
        size_bytes,
        first_offset: base_offset,
        expected: Expected::of_segment(base_offset).up_to(end_offset),
    };
    let end = scan.run(&mut take).await?;
    assert_eq!(position, end.valid_bytes, "the batches that were looked at end where they do");
    assert_eq!(next_offset, end.next_offset, "the last batch has the last offset");
    let damage = match &end.damage {
        Some(Damage::Bad(reason)) => {
            let (position, offset, reason) = (end.valid_bytes, end.next_offset, reason.clone());
            let good_behind = scan.good_batch_behind(&end).await?;
            Some(Fault::BadBatch { position, offset, reason, good_behind })
        }
        Some(Damage::Zeros) | None => None,
    };
    assert!(
        damage.is_none() || end.valid_bytes < size_bytes,
        "{} is damaged behind its end at {size_bytes}",
        path.display()
    );
    // Entries behind the damage have nothing to be compared with.
    let is_whole = damage.is_none();
    let name = |extension| files::name(base_offset, extension);
    let indexes =
        [(files::OFFSET_INDEX, offsets.end(is_whole)), (files::TIME_INDEX, times.end(is_whole))];
    Ok(SegmentLook {
        base_offset,
        size_bytes,
        valid_bytes: end.valid_bytes,
        next_offset: end.next_offset,
        damage,
        is_compacted,
        indexes: indexes
            .into_iter()
            .filter_map(|(kind, fault)| Some((name(kind), fault?)))
            .collect(),
    })
}

/// Empty where there is no such file: a start builds it anew, and says so.
async fn read_index(
    ring: &Ring,
    dir: &Path,
    base_offset: i64,
    extension: &str,
    sizes: &BTreeMap<String, u64>,
) -> io::Result<Vec<u8>> {
    match sizes.get(&files::name(base_offset, extension)) {
        Some(size) if *size <= MAX_INDEX_BYTES => {
            ring.read_file(files::path(dir, base_offset, extension), MAX_INDEX_BYTES as usize).await
        }
        _ => Ok(Vec::new()),
    }
}

/// The entries of an offset index, compared with the batches in their order.
struct OffsetEntries {
    base_offset: i64,
    bytes: Vec<u8>,
    /// Entries that a batch was found for.
    taken: usize,
    fault: Option<String>,
}

impl OffsetEntries {
    fn new(base_offset: i64, bytes: Vec<u8>) -> Self {
        let fault = (!bytes.len().is_multiple_of(OFFSET_ENTRY_BYTES))
            .then(|| "it ends inside an entry".to_owned());
        Self { base_offset, bytes, taken: 0, fault }
    }

    /// Relative offset and position of the next entry.
    fn next(&self) -> Option<(i64, u64)> {
        let entry = self.bytes.chunks_exact(OFFSET_ENTRY_BYTES).nth(self.taken)?;
        let number = |at: usize| u32::from_be_bytes(entry[at..at + 4].try_into().expect("4 bytes"));
        Some((i64::from(number(0)), u64::from(number(4))))
    }

    fn take(&mut self, position: u64, batch: &Batch<'_>) {
        while self.fault.is_none()
            && let Some((relative, at)) = self.next().filter(|(_, at)| *at <= position)
        {
            let offset = self.base_offset + relative;
            if at < position {
                self.fault = Some(format!(
                    "entry {} points to byte {at}, where no batch begins",
                    self.taken
                ));
            } else if offset < batch.base_offset() || offset > batch.last_offset() {
                let (first, last) = (batch.base_offset(), batch.last_offset());
                self.fault = Some(format!(
                    "entry {} has offset {offset}, but the batch at byte {at} holds {first} to \
                     {last}",
                    self.taken
                ));
            }
            self.taken += 1;
        }
    }

    fn end(self, is_whole: bool) -> Option<String> {
        let behind = self.next().filter(|_| is_whole);
        self.fault.or_else(|| {
            behind.map(|(_, at)| {
                format!("entry {} points to byte {at}, behind the last batch", self.taken)
            })
        })
    }
}

/// The entries of a time index, compared with the batches in their order: no batch up to and
/// including an entry's offset is later than its timestamp, and one of them has that timestamp.
struct TimeEntries {
    base_offset: i64,
    bytes: Vec<u8>,
    taken: usize,
    /// Of the batches so far.
    max_timestamp: i64,
    fault: Option<String>,
}

impl TimeEntries {
    fn new(base_offset: i64, bytes: Vec<u8>) -> Self {
        let fault = (!bytes.len().is_multiple_of(TIME_ENTRY_BYTES))
            .then(|| "it ends inside an entry".to_owned());
        Self { base_offset, bytes, taken: 0, max_timestamp: NO_TIMESTAMP, fault }
    }

    fn next(&self) -> Option<(i64, i64)> {
        let entry = self.bytes.chunks_exact(TIME_ENTRY_BYTES).nth(self.taken)?;
        let timestamp = i64::from_be_bytes(entry[..8].try_into().expect("8 bytes"));
        let relative = u32::from_be_bytes(entry[8..].try_into().expect("4 bytes"));
        Some((timestamp, self.base_offset + i64::from(relative)))
    }

    fn take(&mut self, batch: &Batch<'_>) {
        let before = self.max_timestamp;
        self.max_timestamp = before.max(batch.max_timestamp());
        while self.fault.is_none()
            && let Some((timestamp, offset)) =
                self.next().filter(|(_, offset)| *offset <= batch.last_offset())
        {
            let is_last = offset == batch.last_offset();
            if timestamp < before
                || timestamp > self.max_timestamp
                || (is_last && timestamp < self.max_timestamp)
            {
                let most = self.max_timestamp;
                self.fault = Some(format!(
                    "entry {} has timestamp {timestamp} at offset {offset}, where the largest is \
                     {most}",
                    self.taken
                ));
            }
            self.taken += 1;
        }
    }

    fn end(self, is_whole: bool) -> Option<String> {
        let behind = self.next().filter(|_| is_whole);
        self.fault.or_else(|| {
            behind.map(|(_, offset)| {
                format!("entry {} has offset {offset}, behind the last batch", self.taken)
            })
        })
    }
}
