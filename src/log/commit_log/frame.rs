//! The bytes of the commit stream.
//!
//! A frame is what one write carries: a header, a table of entries, the entries' batches exactly as
//! they lie in the logs, zeros up to the next multiple of 4096. All numbers are big-endian.
//!
//! | header (56 bytes) | | entry (48 bytes) | |
//! |---|---|---|---|
//! | magic | 8 bytes | topic id | 16 bytes |
//! | CRC-32C of everything behind it, padding included | u32 | partition | i32 |
//! | format version | u32 | kind: 0 records, 1 cut | u32 |
//! | incarnation: random, of one core in one run | u64 | from offset | i64 |
//! | sequence: 1, 2, 3, … | u64 | to offset | i64 |
//! | live from: the lowest sequence that is still needed | u64 | length of the batches in bytes | u32 |
//! | entries | u32 | zero | u32 |
//! | length of all batches in bytes | u32 | | |
//! | zero | u64 | | |
//!
//! *Records* hold everything of the partition from one offset to another. A *cut* says that the
//! partition was cut back to its offset: what earlier frames hold from there on is void.
//!
//! Pure: no I/O. Never believes a length before it has the bytes.

use crc_fast::CrcAlgorithm;
use protocol::Uuid;
use ring::{ALIGNMENT, AlignedBuf};
use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
    byteorder::big_endian::{I32, I64, U32, U64, U128},
};

const MAGIC: [u8; 8] = *b"MillStrm";
const VERSION: u32 = 1;
/// What the CRC does not cover: the magic and itself.
const CRC_FROM: usize = 12;
const RECORDS: u32 = 0;
const CUT: u32 = 1;

/// Names a partition: on every core, and in the stream.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct PartitionId {
    pub topic_id: Uuid,
    pub index: i32,
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct Header {
    magic: [u8; 8],
    crc: U32,
    version: U32,
    incarnation: U64,
    sequence: U64,
    live_from: U64,
    entry_count: U32,
    batches_bytes: U32,
    zero: U64,
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct RawEntry {
    topic_id: U128,
    index: I32,
    kind: U32,
    from: I64,
    to: I64,
    length: U32,
    zero: U32,
}

const HEADER_BYTES: usize = size_of::<Header>();
const ENTRY_BYTES: usize = size_of::<RawEntry>();
const _: () = assert!(HEADER_BYTES == 56 && ENTRY_BYTES == 48);

/// What a frame says about one partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Entry {
    Records { id: PartitionId, from: i64, to: i64, length: u32 },
    Truncation { id: PartitionId, offset: i64 },
}

impl Entry {
    fn length(self) -> usize {
        if let Entry::Records { length, .. } = self { length as usize } else { 0 }
    }

    fn raw(self) -> RawEntry {
        let (id, kind, from, to) = match self {
            Entry::Records { id, from, to, .. } => {
                assert!(from < to, "records from {from} to {to} of a partition are none");
                (id, RECORDS, from, to)
            }
            Entry::Truncation { id, offset } => (id, CUT, offset, offset),
        };
        RawEntry {
            topic_id: U128::new(id.topic_id.as_u128()),
            index: I32::new(id.index),
            kind: U32::new(kind),
            from: I64::new(from),
            to: I64::new(to),
            length: U32::new(self.length() as u32),
            zero: U32::ZERO,
        }
    }

    fn of(raw: &RawEntry) -> Option<Entry> {
        let id =
            PartitionId { topic_id: Uuid::from_u128(raw.topic_id.get()), index: raw.index.get() };
        let (from, to) = (raw.from.get(), raw.to.get());
        match raw.kind.get() {
            RECORDS if from < to => Some(Entry::Records { id, from, to, length: raw.length.get() }),
            CUT if from == to => Some(Entry::Truncation { id, offset: from }),
            _ => None,
        }
    }
}

/// What makes a frame this one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FrameId {
    pub incarnation: u64,
    pub sequence: u64,
    pub live_from: u64,
}

/// What a frame of so many entries and bytes of batches takes in its file.
pub(super) fn frame_bytes(entries: usize, batches_bytes: usize) -> usize {
    (HEADER_BYTES + entries * ENTRY_BYTES + batches_bytes).next_multiple_of(ALIGNMENT)
}

/// Writes a frame into `out`, which is cleared. `batches` follow one another as the entries tell.
pub(super) fn encode<'a>(
    out: &mut AlignedBuf,
    id: FrameId,
    entries: &[Entry],
    batches: impl Iterator<Item = &'a [u8]>,
) {
    let batches_bytes: usize = entries.iter().map(|entry| entry.length()).sum();
    let header = Header {
        magic: MAGIC,
        crc: U32::ZERO,
        version: U32::new(VERSION),
        incarnation: U64::new(id.incarnation),
        sequence: U64::new(id.sequence),
        live_from: U64::new(id.live_from),
        entry_count: U32::new(entries.len() as u32),
        batches_bytes: U32::new(batches_bytes as u32),
        zero: U64::ZERO,
    };
    out.clear();
    out.extend_from_slice(header.as_bytes());
    for entry in entries {
        out.extend_from_slice(entry.raw().as_bytes());
    }
    for batch in batches {
        out.extend_from_slice(batch);
    }
    assert_eq!(
        out.len(),
        HEADER_BYTES + entries.len() * ENTRY_BYTES + batches_bytes,
        "the table tells what follows"
    );
    out.pad();
    assert_eq!(
        out.len(),
        frame_bytes(entries.len(), batches_bytes),
        "a frame takes the room that was found for it"
    );
    assert_eq!(claimed_bytes(out), Some(out.len() as u64), "a frame claims just its own length");
    let crc = crc_fast::checksum(CrcAlgorithm::Crc32Iscsi, &out[CRC_FROM..]) as u32;
    out.bytes_mut()[8..CRC_FROM].copy_from_slice(&crc.to_be_bytes());
}

/// The length that a frame claims which would begin here; `None` where none does. `first` is at
/// least its first [`ALIGNMENT`] bytes; whether the rest is there, and right, is for [`decode`].
pub(super) fn claimed_bytes(first: &[u8]) -> Option<u64> {
    let (header, _) = Header::ref_from_prefix(first).ok()?;
    let right = header.magic == MAGIC && header.version.get() == VERSION && header.zero.get() == 0;
    let table = u64::from(header.entry_count.get()) * ENTRY_BYTES as u64;
    let length = HEADER_BYTES as u64 + table + u64::from(header.batches_bytes.get());
    right.then(|| length.next_multiple_of(ALIGNMENT as u64))
}

/// Whether this frame begins with `first`, by its header alone: it was read whole before.
pub(super) fn is_of(first: &[u8], incarnation: u64, sequence: u64) -> bool {
    assert!(first.len() >= HEADER_BYTES, "{} bytes are less than a header", first.len());
    Header::ref_from_prefix(first).is_ok_and(|(header, _)| {
        header.magic == MAGIC
            && header.incarnation.get() == incarnation
            && header.sequence.get() == sequence
    })
}

/// A frame as it was read: its entries, each with the position of its batches within the frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Frame {
    pub id: FrameId,
    pub entries: Vec<(Entry, u32)>,
}

/// The frame that `bytes` are; `None` when they are not exactly one, bit for bit.
pub(super) fn decode(bytes: &[u8]) -> Option<Frame> {
    if claimed_bytes(bytes)? != bytes.len() as u64 {
        return None;
    }
    let (header, rest) = Header::ref_from_prefix(bytes).ok()?;
    if crc_fast::checksum(CrcAlgorithm::Crc32Iscsi, &bytes[CRC_FROM..]) as u32 != header.crc.get() {
        return None;
    }
    let (table, _) =
        <[RawEntry]>::ref_from_prefix_with_elems(rest, header.entry_count.get() as usize).ok()?;
    let mut position = HEADER_BYTES + size_of_val(table);
    let end = position + header.batches_bytes.get() as usize;
    let mut entries = Vec::with_capacity(table.len());
    for raw in table {
        let entry = Entry::of(raw)?;
        entries.push((entry, position as u32));
        position += entry.length();
    }
    let id = FrameId {
        incarnation: header.incarnation.get(),
        sequence: header.sequence.get(),
        live_from: header.live_from.get(),
    };
    (position == end).then_some(Frame { id, entries })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn partition() -> impl Strategy<Value = PartitionId> {
        (any::<u128>(), 0..1000)
            .prop_map(|(id, index)| PartitionId { topic_id: Uuid::from_u128(id), index })
    }

    fn part() -> impl Strategy<Value = (Entry, Vec<u8>)> {
        let records = (
            partition(),
            0..i64::MAX / 2,
            1..1000_i64,
            proptest::collection::vec(any::<u8>(), 0..3000),
        )
            .prop_map(|(id, from, count, bytes)| {
                let entry =
                    Entry::Records { id, from, to: from + count, length: bytes.len() as u32 };
                (entry, bytes)
            });
        let cut = (partition(), 0..i64::MAX)
            .prop_map(|(id, offset)| (Entry::Truncation { id, offset }, vec![]));
        prop_oneof![4 => records, 1 => cut]
    }

    fn encoded(id: FrameId, parts: &[(Entry, Vec<u8>)]) -> AlignedBuf {
        let entries: Vec<Entry> = parts.iter().map(|(entry, _)| *entry).collect();
        let mut out = AlignedBuf::default();
        encode(&mut out, id, &entries, parts.iter().map(|(_, bytes)| &bytes[..]));
        out
    }

    fn id() -> impl Strategy<Value = FrameId> {
        any::<(u64, u64, u64)>().prop_map(|(incarnation, sequence, live_from)| FrameId {
            incarnation,
            sequence,
            live_from,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_goes_in_comes_out(id in id(), parts in proptest::collection::vec(part(), 0..20)) {
            let bytes = encoded(id, &parts);
            let batches_bytes = parts.iter().map(|(_, bytes)| bytes.len()).sum();
            prop_assert_eq!(bytes.len(), frame_bytes(parts.len(), batches_bytes));
            let frame = decode(&bytes).expect("it is whole");
            prop_assert_eq!(frame.id, id);
            prop_assert_eq!(frame.entries.len(), parts.len());
            for ((entry, position), (expected, batches)) in frame.entries.iter().zip(&parts) {
                prop_assert_eq!(entry, expected);
                prop_assert_eq!(&bytes[*position as usize..][..batches.len()], &batches[..]);
            }
        }

        #[test]
        fn no_bit_may_differ(id in id(), parts in proptest::collection::vec(part(), 0..3)) {
            let mut bytes = encoded(id, &parts);
            for at in 0..bytes.len() {
                let bit = 1 << (at % 8);
                bytes.bytes_mut()[at] ^= bit;
                prop_assert_eq!(decode(&bytes), None, "byte {}", at);
                bytes.bytes_mut()[at] ^= bit;
            }
            prop_assert!(decode(&bytes).is_some());
        }

        #[test]
        fn no_byte_may_be_missing_or_more(id in id(),
            parts in proptest::collection::vec(part(), 0..3)) {
            let bytes = encoded(id, &parts);
            for length in 0..bytes.len() {
                prop_assert_eq!(decode(&bytes[..length]), None, "{} bytes", length);
            }
            let more = [&bytes[..], &[0; ALIGNMENT]].concat();
            prop_assert_eq!(decode(&more), None);
        }

        #[test]
        fn other_bytes_are_no_frame(mut bytes in proptest::collection::vec(any::<u8>(), 0..9000),
            with_magic in any::<bool>()) {
            if with_magic && bytes.len() >= 16 {
                bytes[..8].copy_from_slice(&MAGIC);
                bytes[12..16].copy_from_slice(&VERSION.to_be_bytes());
            }
            prop_assert_eq!(decode(&bytes), None);
        }
    }
}
