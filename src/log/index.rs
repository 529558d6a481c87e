//! Offset index and time index of one segment: sorted entries of fixed size, big-endian, as Java
//! maps them.
//!
//! `.index`, 8 bytes: relative offset i32, position i32 (`OffsetIndex`): the batch that starts at
//! `position` ends with that offset. `.timeindex`, 12 bytes: timestamp i64, relative offset i32
//! (`TimeIndex`): no batch up to and including that offset has a larger timestamp.
//!
//! Owns: the entries that are not on disk yet and a few that are; everything older is searched in
//! the file, a page at a time, so memory does not grow with the size of the log. Lives on the core
//! of its log. Never writes on its own.

use bytes::Bytes;
use ring::{File, Ring};
use std::io;

pub const OFFSET_ENTRY_BYTES: usize = 8;
pub(super) const TIME_ENTRY_BYTES: usize = 12;

/// Entries read at once while the file is searched.
const PAGE_ENTRIES: u32 = 512;
/// Entries on disk that stay in memory too: recent offsets are looked up most.
const KEPT_ENTRIES: u32 = 256;

/// Which number of an entry a search compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Relative offset in an offset index.
    Offset,
    /// File position in an offset index.
    Position,
    /// Timestamp in a time index.
    Timestamp,
    /// Relative offset in a time index.
    TimestampOffset,
}

impl Key {
    fn of(self, entry: &[u8]) -> i64 {
        match self {
            Key::Offset => i64::from(be_u32(&entry[..4])),
            Key::Position => i64::from(be_u32(&entry[4..8])),
            Key::TimestampOffset => i64::from(be_u32(&entry[8..12])),
            Key::Timestamp => i64::from_be_bytes(entry[..8].try_into().expect("8 bytes")),
        }
    }
}

fn be_u32(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().expect("4 bytes"))
}

/// One entry of either index, as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    bytes: [u8; TIME_ENTRY_BYTES],
}

impl Entry {
    fn new(stored: &[u8]) -> Self {
        let mut bytes = [0; TIME_ENTRY_BYTES];
        bytes[..stored.len()].copy_from_slice(stored);
        Self { bytes }
    }
    pub fn for_offset(relative_offset: u32, position: u32) -> Self {
        Self::new(&((u64::from(relative_offset) << 32) | u64::from(position)).to_be_bytes())
    }
    pub fn for_time(timestamp: i64, relative_offset: u32) -> Self {
        let mut entry = Self::new(&timestamp.to_be_bytes());
        entry.bytes[8..].copy_from_slice(&relative_offset.to_be_bytes());
        entry
    }
    /// Of an offset index entry.
    pub fn relative_offset(&self) -> u32 {
        be_u32(&self.bytes[..4])
    }
    /// Of an offset index entry.
    pub fn position(&self) -> u32 {
        be_u32(&self.bytes[4..8])
    }
    /// Of a time index entry.
    pub fn timestamp(&self) -> i64 {
        Key::Timestamp.of(&self.bytes)
    }
    /// Of a time index entry.
    pub fn timestamp_relative_offset(&self) -> u32 {
        be_u32(&self.bytes[8..])
    }
}

/// The answer of a search that did not touch the disk.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// The last entry whose key is not above the target, and its number.
    Entry(Entry, u32),
    /// Every entry's key is above the target, or there is none.
    BeforeFirst,
    /// The answer lies among the entries that only the file has.
    OnDisk,
}

#[derive(Debug)]
pub struct Index {
    entry_bytes: usize,
    /// Entries in all.
    count: u32,
    /// Entries that the file has.
    on_disk: u32,
    /// Number of the first entry in `memory`.
    memory_from: u32,
    memory: Vec<u8>,
    last: Option<Entry>,
}

impl Index {
    pub fn new(entry_bytes: usize) -> Self {
        Self::stored(entry_bytes, 0, None)
    }

    /// An index whose file holds `count` entries; the caller has read the last one.
    pub fn stored(entry_bytes: usize, count: u32, last: Option<Entry>) -> Self {
        assert_eq!(count == 0, last.is_none(), "an index with entries has a last one");
        assert!(
            [OFFSET_ENTRY_BYTES, TIME_ENTRY_BYTES].contains(&entry_bytes),
            "no index has entries of {entry_bytes} bytes"
        );
        Self { entry_bytes, count, on_disk: count, memory_from: count, memory: Vec::new(), last }
    }

    pub fn count(&self) -> u32 {
        self.count
    }
    pub fn last(&self) -> Option<Entry> {
        self.last
    }
    pub fn needs_flush(&self) -> bool {
        self.on_disk < self.count
    }

    /// What memory and the file have is all that there is.
    fn check_counts(&self) {
        assert!(
            self.memory_from <= self.on_disk && self.on_disk <= self.count,
            "entries from {} on are in memory, {} of {} are on disk",
            self.memory_from,
            self.on_disk,
            self.count
        );
        assert_eq!(
            self.memory.len(),
            (self.count - self.memory_from) as usize * self.entry_bytes,
            "memory has each entry behind those that only the file has"
        );
    }

    /// The last number that an entry is found by, which rises from entry to entry.
    fn rank(&self, entry: &Entry) -> (i64, u32) {
        match self.entry_bytes {
            OFFSET_ENTRY_BYTES => (i64::from(entry.relative_offset()), entry.position()),
            // Offsets may be those of a damaged file: a start believes its order of times alone.
            _ => (entry.timestamp(), 0),
        }
    }

    pub fn push(&mut self, entry: Entry) {
        let ((key, position), last) = (self.rank(&entry), self.last.map(|last| self.rank(&last)));
        assert!(
            last.is_none_or(|(last, _)| last < key),
            "an index entry of {key} follows that of {last:?}"
        );
        assert!(
            last.is_none_or(|(_, last)| last <= position),
            "an index entry for byte {position} follows that of {last:?}"
        );
        self.memory.extend_from_slice(&entry.bytes[..self.entry_bytes]);
        self.count += 1;
        self.last = Some(entry);
        self.check_counts();
    }

    fn in_memory(&self, number: u32) -> &[u8] {
        let at = (number - self.memory_from) as usize * self.entry_bytes;
        &self.memory[at..at + self.entry_bytes]
    }

    /// The last entry with `key <= target`, where memory can tell.
    pub fn search_memory(&self, key: Key, target: i64) -> Found {
        let is_of_offsets = matches!(key, Key::Offset | Key::Position);
        assert_eq!(is_of_offsets, self.entry_bytes == OFFSET_ENTRY_BYTES, "{key:?} is searched");
        let known = self.count - self.memory_from;
        if known == 0 || key.of(self.in_memory(self.memory_from)) > target {
            return if self.memory_from == 0 { Found::BeforeFirst } else { Found::OnDisk };
        }
        let at = self.memory_from
            + last_not_above(&self.memory, self.entry_bytes, key, target).expect("checked above");
        Found::Entry(Entry::new(self.in_memory(at)), at)
    }

    /// What the file lacks: position in the file, bytes.
    pub fn unflushed(&self) -> (u64, Bytes) {
        assert!(
            self.memory_from <= self.on_disk,
            "entries from {} on are in memory, and the file lacks those from {} on",
            self.memory_from,
            self.on_disk
        );
        let from = (self.on_disk - self.memory_from) as usize * self.entry_bytes;
        (
            u64::from(self.on_disk) * self.entry_bytes as u64,
            Bytes::copy_from_slice(&self.memory[from..]),
        )
    }

    /// The first `count` entries are in the file now.
    pub fn flushed(&mut self, count: u32) {
        self.on_disk = self.on_disk.max(count.min(self.count));
        let keep_from = self.on_disk.saturating_sub(KEPT_ENTRIES);
        // In steps, so that the move of the rest costs little.
        if keep_from >= self.memory_from + KEPT_ENTRIES {
            self.drop_before(keep_from);
        }
        self.check_counts();
    }

    /// Gives back the memory of what the file has too.
    pub fn release_memory(&mut self) {
        self.drop_before(self.on_disk);
        self.memory.shrink_to_fit();
    }

    fn drop_before(&mut self, number: u32) {
        assert!(
            number <= self.on_disk,
            "entries before {number} are given up, and the file has {}",
            self.on_disk
        );
        if number > self.memory_from {
            self.memory.drain(..(number - self.memory_from) as usize * self.entry_bytes);
            self.memory_from = number;
        }
    }

    /// Cuts the index to its first `count` entries; `last` is the new last one. The file is cut by
    /// the caller.
    pub fn truncate(&mut self, count: u32, last: Option<Entry>) {
        assert!(count <= self.count, "an index of {} entries is cut to {count}", self.count);
        assert_eq!(count == 0, last.is_none(), "an index with entries has a last one");
        self.count = count;
        self.on_disk = self.on_disk.min(count);
        if count < self.memory_from {
            self.memory.clear();
            self.memory_from = count;
        } else {
            self.memory.truncate((count - self.memory_from) as usize * self.entry_bytes);
        }
        self.last = last;
        self.check_counts();
    }

    /// How many entries the file has, for searches there.
    pub fn entries_on_disk(&self) -> u32 {
        self.on_disk
    }
}

/// Number of the last entry with `key <= target` in a run of entries.
fn last_not_above(entries: &[u8], entry_bytes: usize, key: Key, target: i64) -> Option<u32> {
    let (mut low, mut high) = (0, entries.len() / entry_bytes);
    while low < high {
        let middle = low + (high - low) / 2;
        if key.of(&entries[middle * entry_bytes..(middle + 1) * entry_bytes]) <= target {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    (low > 0).then(|| (low - 1) as u32)
}

/// The last of the first `count` entries of an index file with `key <= target`, and its number.
/// Reads a page at a time: the first two guesses are proportional, which is nearly always where the
/// entry lies; then the rest is halved.
pub(super) async fn search_file(
    ring: &Ring,
    file: &File,
    entry_bytes: usize,
    count: u32,
    key: Key,
    target: i64,
) -> io::Result<Option<(Entry, u32)>> {
    let (mut low, mut high) = (0_u32, count); // The answer's successor lies in low..=high.
    let mut low_key = (key != Key::Timestamp).then_some(0);
    let mut high_key = None;
    let mut answer = None;
    let mut guesses = 0;
    while low < high {
        let width = high - low;
        let guess = match (low_key, high_key) {
            // Nothing known yet: the end, where most readers are.
            (_, None) => high - 1,
            (Some(a), Some(b)) if guesses < 2 && b > a => {
                guesses += 1;
                // Not as integers: a damaged file may have any numbers.
                let share = (target as f64 - a as f64) / (b as f64 - a as f64);
                low + ((share * f64::from(width)) as u32).min(width - 1)
            }
            _ => low + width / 2,
        };
        let from = guess
            .saturating_sub(PAGE_ENTRIES / 2)
            .max(low)
            .min(high.saturating_sub(PAGE_ENTRIES).max(low));
        assert!(low <= from && from < high, "a page from {from} on, of {low} to {high}");
        let entries = PAGE_ENTRIES.min(high - from);
        let page = ring
            .read_exact_at(
                file,
                u64::from(from) * entry_bytes as u64,
                entries as usize * entry_bytes,
            )
            .await?;
        match last_not_above(&page, entry_bytes, key, target) {
            None => {
                high = from;
                high_key = Some(key.of(&page[..entry_bytes]));
            }
            Some(at) => {
                let entry = &page[at as usize * entry_bytes..(at as usize + 1) * entry_bytes];
                answer = Some((Entry::new(entry), from + at));
                if at + 1 < entries {
                    break;
                }
                low = from + entries;
                low_key = Some(key.of(entry));
            }
        }
    }
    assert!(
        answer.is_none_or(|(_, at)| at < count),
        "an entry was found behind the last of {count}"
    );
    Ok(answer)
}

/// Reads one entry of an index file.
pub(super) async fn read_entry(
    ring: &Ring,
    file: &File,
    entry_bytes: usize,
    number: u32,
) -> io::Result<Entry> {
    let bytes =
        ring.read_exact_at(file, u64::from(number) * entry_bytes as u64, entry_bytes).await?;
    Ok(Entry::new(&bytes))
}

/// How many entries from the front of an offset index file make sense, and the last of them:
/// offsets and positions grow, and stay below the limits.
pub(super) fn sane_offsets(
    entries: &[u8],
    size_bytes: u64,
    below_relative_offset: i64,
) -> (u32, Option<Entry>) {
    sane(entries, OFFSET_ENTRY_BYTES, |last, entry| {
        let grows = last.is_none_or(|last| {
            entry.relative_offset() > last.relative_offset() && entry.position() > last.position()
        });
        grows
            && entry.position() > 0
            && u64::from(entry.position()) < size_bytes
            && i64::from(entry.relative_offset()) < below_relative_offset
    })
}

/// The same of a time index file.
pub(super) fn sane_times(entries: &[u8], max_relative_offset: u32) -> (u32, Option<Entry>) {
    sane(entries, TIME_ENTRY_BYTES, |last, entry| {
        let grows = last.is_none_or(|last| {
            entry.timestamp() > last.timestamp()
                && entry.timestamp_relative_offset() >= last.timestamp_relative_offset()
        });
        grows && entry.timestamp() >= 0 && entry.timestamp_relative_offset() <= max_relative_offset
    })
}

fn sane(
    entries: &[u8],
    entry_bytes: usize,
    follows: impl Fn(Option<Entry>, Entry) -> bool,
) -> (u32, Option<Entry>) {
    let mut count = 0;
    let mut last = None;
    for entry in entries.chunks_exact(entry_bytes).map(Entry::new) {
        if !follows(last, entry) {
            break;
        }
        last = Some(entry);
        count += 1;
    }
    (count, last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn offsets(pairs: impl IntoIterator<Item = (u32, u32)>) -> Index {
        let mut index = Index::new(OFFSET_ENTRY_BYTES);
        pairs
            .into_iter()
            .for_each(|(offset, position)| index.push(Entry::for_offset(offset, position)));
        index
    }

    #[test]
    fn memory_answers_for_what_it_holds() {
        let mut index = offsets([(10, 100), (20, 200), (30, 300)]);
        assert_eq!(index.search_memory(Key::Offset, 9), Found::BeforeFirst);
        assert_eq!(
            index.search_memory(Key::Offset, 10),
            Found::Entry(Entry::for_offset(10, 100), 0)
        );
        assert_eq!(
            index.search_memory(Key::Position, 299),
            Found::Entry(Entry::for_offset(20, 200), 1)
        );
        index.flushed(2);
        assert_eq!(index.unflushed().0, 16);
        index.release_memory();
        assert_eq!(index.search_memory(Key::Offset, 20), Found::OnDisk);
        assert_eq!(
            index.search_memory(Key::Offset, 99),
            Found::Entry(Entry::for_offset(30, 300), 2)
        );
        index.truncate(1, Some(Entry::for_offset(10, 100)));
        assert_eq!((index.count(), index.entries_on_disk(), index.needs_flush()), (1, 1, false));
        assert_eq!(index.search_memory(Key::Offset, 99), Found::OnDisk);
        index.push(Entry::for_offset(11, 110));
        assert_eq!(index.unflushed(), (8, Bytes::copy_from_slice(&[0, 0, 0, 11, 0, 0, 0, 110])));
    }

    #[test]
    fn memory_of_a_long_index_stays_small() {
        let mut index = Index::new(TIME_ENTRY_BYTES);
        for at in 0..100_000_u32 {
            index.push(Entry::for_time(i64::from(at), at));
            index.flushed(at + 1);
        }
        assert!(index.memory.len() <= 2 * KEPT_ENTRIES as usize * TIME_ENTRY_BYTES);
        assert!(matches!(index.search_memory(Key::Timestamp, 99_999), Found::Entry(_, 99_999)));
    }

    #[test]
    #[should_panic(expected = "an index entry of 2 follows that of")]
    fn entries_rise() {
        offsets([(1, 10), (2, 20), (2, 30)]);
    }

    #[test]
    fn only_what_grows_is_sane() {
        // As a damaged file may have them: an index takes none of these.
        let bytes = |pairs: &[(u32, u32)]| {
            pairs
                .iter()
                .flat_map(|(offset, at)| [*offset, *at].map(u32::to_be_bytes).concat())
                .collect::<Vec<u8>>()
        };
        let count = |pairs: &[(u32, u32)]| sane_offsets(&bytes(pairs), 1000, 500).0;
        assert_eq!(count(&[(1, 10), (2, 20), (0, 0), (3, 30)]), 2);
        assert_eq!(count(&[(1, 10), (2, 10)]), 1);
        assert_eq!(count(&[(0, 0)]), 0);
        assert_eq!(count(&[(1, 10), (2, 1000)]), 1);
        assert_eq!(count(&[(1, 10), (500, 20)]), 1);
    }

    /// Its difference from the others is no `i64`, and the subtraction ended the broker.
    #[test]
    fn a_search_of_a_damaged_time_index_ends() {
        const COUNT: u32 = 3000;
        let mut index = Index::new(TIME_ENTRY_BYTES);
        (0..COUNT).for_each(|at| index.push(Entry::for_time((1 << 62) + i64::from(at), at)));
        let mut bytes = index.unflushed().1.to_vec();
        // The last of the page in the middle, which a search reads after that at the end.
        let harmed = (COUNT - PAGE_ENTRIES) / 2 + PAGE_ENTRIES / 2 - 1;
        bytes[harmed as usize * TIME_ENTRY_BYTES] ^= 0x80;
        let bytes = Bytes::from(bytes);
        crate::log::tests::on_epoll(move |ring, temp| {
            let bytes = bytes.clone();
            async move {
                let path = temp.path().join("index");
                ring.write_file_atomically(&path, bytes).await.unwrap();
                let file = ring.open(&path, ring::OpenOptions::read()).await.unwrap();
                for at in (0..i64::from(COUNT)).step_by(7) {
                    let target = (1 << 62) + at;
                    let (entry_bytes, key) = (TIME_ENTRY_BYTES, Key::Timestamp);
                    search_file(&ring, &file, entry_bytes, COUNT, key, target).await.unwrap();
                }
            }
        });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        /// Uneven gaps, so that a proportional guess may be far off.
        #[test]
        fn a_file_is_searched_like_memory(
            gaps in prop::collection::vec((1..50_u32, prop::bool::weighted(0.01)), 0..4000),
            targets in prop::collection::vec(any::<prop::sample::Index>(), 20),
        ) {
            let mut at = 0;
            let entries: Vec<(u32, u32)> = gaps.iter().map(|(gap, leap)| {
                at += gap * if *leap { 100_000 } else { 1 };
                (at, at / 2 + 1)
            }).collect();
            let index = offsets(entries);
            let targets: Vec<i64> = targets.iter()
                .map(|target| target.index(at as usize + 2) as i64).collect();
            crate::log::tests::on_epoll(move |ring, temp| {
                let (bytes, count) = (index.unflushed().1, index.count());
                let expected: Vec<Found> = targets.iter()
                    .map(|at| index.search_memory(Key::Offset, *at)).collect();
                let targets = targets.clone();
                async move {
                    let path = temp.path().join("index");
                    ring.write_file_atomically(&path, bytes).await.unwrap();
                    let file = ring.open(&path, ring::OpenOptions::read()).await.unwrap();
                    for (target, expected) in targets.iter().zip(expected) {
                        let found =
                            search_file(&ring, &file, OFFSET_ENTRY_BYTES, count, Key::Offset,
                                *target).await.unwrap();
                        let found = found.map_or(Found::BeforeFirst,
                            |(entry, at)| Found::Entry(entry, at));
                        assert_eq!(found, expected, "{target}");
                    }
                }
            });
        }
    }
}
