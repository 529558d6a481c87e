//! The transaction index of one segment: its aborted transactions, in the order of their markers.
//!
//! `.txnindex`, 34 bytes each (`AbortedTxn`): version i16 (0), producer id i64, first offset i64,
//! last offset i64 (of the abort marker), last stable offset i64 (when the marker was appended).
//! The file exists only where there are some. Owns: the entries that are not on disk yet. Lives on
//! the core of its log.

use bytes::Bytes;

pub(super) const ENTRY_BYTES: usize = 34;

/// One aborted transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbortedTransaction {
    pub producer_id: i64,
    pub first_offset: i64,
    /// Of the abort marker.
    pub last_offset: i64,
    /// When the marker was appended: nothing below it can belong to a transaction that was aborted
    /// later.
    pub last_stable_offset: i64,
}

impl AbortedTransaction {
    pub(super) fn encode(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        let fields =
            [self.producer_id, self.first_offset, self.last_offset, self.last_stable_offset];
        for (at, field) in fields.into_iter().enumerate() {
            bytes[2 + at * 8..10 + at * 8].copy_from_slice(&field.to_be_bytes());
        }
        assert_eq!(Self::decode(&bytes), Some(*self), "an entry reads back as it was made");
        bytes
    }

    /// `None` for a version that we do not know.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let field = |at: usize| {
            i64::from_be_bytes(bytes[2 + at * 8..10 + at * 8].try_into().expect("8 bytes"))
        };
        (bytes[..2] == [0, 0]).then(|| Self {
            producer_id: field(0),
            first_offset: field(1),
            last_offset: field(2),
            last_stable_offset: field(3),
        })
    }
}

#[derive(Debug, Default)]
pub(super) struct TxnIndex {
    on_disk: u32,
    /// Of those in the file, so many are known to be on the disk.
    synced: u32,
    pending: Vec<AbortedTransaction>,
}

impl TxnIndex {
    pub fn stored(count: u32) -> Self {
        Self { on_disk: count, synced: 0, pending: Vec::new() }
    }
    pub fn needs_sync(&self) -> bool {
        self.synced < self.on_disk
    }
    /// The disk has the first `count` entries, unless the file was cut meanwhile.
    pub fn synced(&mut self, count: u32) {
        self.synced = count.min(self.on_disk);
        assert!(self.synced <= self.on_disk, "{} of {} are synced", self.synced, self.on_disk);
    }
    pub fn push(&mut self, aborted: AbortedTransaction) {
        let (marker, last) = (aborted.last_offset, self.pending.last().map(|one| one.last_offset));
        assert!(last < Some(marker), "the abort marker at {marker} follows that at {last:?}");
        self.pending.push(aborted);
    }
    pub fn count(&self) -> u32 {
        self.on_disk + self.pending.len() as u32
    }
    pub fn entries_on_disk(&self) -> u32 {
        self.on_disk
    }
    pub fn pending(&self) -> &[AbortedTransaction] {
        &self.pending
    }
    pub fn needs_flush(&self) -> bool {
        !self.pending.is_empty()
    }
    /// What the file lacks: position in the file, bytes.
    pub fn unflushed(&self) -> (u64, Bytes) {
        let bytes: Vec<u8> = self.pending.iter().flat_map(AbortedTransaction::encode).collect();
        (u64::from(self.on_disk) * ENTRY_BYTES as u64, bytes.into())
    }
    /// The first `count` entries are in the file now.
    pub fn flushed(&mut self, count: u32) {
        let moved = count.saturating_sub(self.on_disk).min(self.pending.len() as u32);
        let before = self.count();
        self.pending.drain(..moved as usize);
        self.on_disk += moved;
        assert_eq!(self.count(), before, "what goes to the file stays an entry");
    }
    /// Replaces everything: `on_disk` entries remain in the file, the rest goes.
    pub fn truncate_to_disk(&mut self, on_disk: u32) {
        let before = self.on_disk;
        assert!(on_disk <= before, "a file of {before} entries is cut to {on_disk}");
        self.pending.clear();
        self.on_disk = on_disk;
        self.synced = self.synced.min(on_disk);
    }
    pub fn truncate_pending(&mut self, offset: i64) {
        self.pending.retain(|aborted| aborted.last_offset < offset);
    }
}

/// The transactions of `entries` that touch `from..to`, and whether later segments cannot hold any
/// more of them.
pub(super) fn collect(
    entries: impl Iterator<Item = AbortedTransaction>,
    from: i64,
    to: i64,
    found: &mut Vec<AbortedTransaction>,
) -> bool {
    for aborted in entries {
        if aborted.last_offset >= from && aborted.first_offset < to {
            found.push(aborted);
        }
        if aborted.last_stable_offset >= to {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_read_back_and_are_found_by_range() {
        let aborted = |first, last, stable| AbortedTransaction {
            producer_id: 9,
            first_offset: first,
            last_offset: last,
            last_stable_offset: stable,
        };
        let all = [aborted(0, 10, 0), aborted(5, 20, 5), aborted(30, 40, 30)];
        assert_eq!(AbortedTransaction::decode(&all[1].encode()), Some(all[1]));
        assert_eq!(AbortedTransaction::decode(&[1; ENTRY_BYTES]), None);
        let mut found = Vec::new();
        assert!(!collect(all.into_iter(), 11, 31, &mut found));
        assert_eq!(found, [all[1], all[2]]);
        found.clear();
        assert!(collect(all.into_iter(), 0, 5, &mut found));
        assert_eq!(found, [all[0]]);
    }
}
