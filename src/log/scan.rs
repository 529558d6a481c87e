//! Reading a `.log` file batch by batch with their contents, as recovery does.
//!
//! Owns one chunk. Trusts nothing: no length is believed beyond the size of the file.

use super::commit_log::ReplayPart;
use bytes::BytesMut;
use protocol::records::{BATCH_HEADER_BYTES, Batch, BatchHeader, MAGIC_V2, RecordsError};
use ring::{File, Ring};
use std::io;

const CHUNK_BYTES: u64 = 1 << 20;

/// How much is looked at without a branch: a preallocated file is zeros to its end.
const PIECE_BYTES: usize = 4096;

fn is_zero(bytes: &[u8]) -> bool {
    bytes.chunks(PIECE_BYTES).all(|piece| piece.iter().fold(0, |all, byte| all | byte) == 0)
}

/// Why a scan ended before the end of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// Nothing but zeros follows: a preallocated file.
    Zeros,
    Bad(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ScanEnd {
    /// Up to here the file holds whole, good batches.
    pub valid_bytes: u64,
    /// The offset after the last of them.
    pub next_offset: i64,
    pub damage: Option<Damage>,
}

/// What to scan, and what to expect of it.
pub(super) struct Scan<'a> {
    pub ring: &'a Ring,
    pub file: &'a File,
    /// A batch begins here.
    pub from: u64,
    pub size_bytes: u64,
    /// Batches begin here or later.
    pub first_offset: i64,
    pub expected: Expected<'a>,
}

/// What the batches of a segment have to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'a> {
    /// Batches from this offset on have their CRC checked.
    pub check_from_offset: i64,
    /// Batches from this offset on follow each other without a hole: nothing has compacted them.
    pub dense_from_offset: i64,
    /// What the commit stream has was in the log, or is to be: no hole, but for what was compacted
    /// since.
    pub committed: &'a [ReplayPart],
    pub compacted_to_offset: i64,
    /// Offsets must stay below this: what the indexes can hold, or the known end of the log.
    pub max_offset: i64,
}

impl Expected<'_> {
    /// Good batches in order, with holes or without.
    pub fn of_segment(base_offset: i64) -> Expected<'static> {
        Expected {
            check_from_offset: base_offset,
            dense_from_offset: i64::MAX,
            committed: &[],
            compacted_to_offset: 0,
            max_offset: base_offset.saturating_add(i64::from(i32::MAX)),
        }
    }

    /// The log is known to end here.
    pub fn up_to(self, end_offset: i64) -> Self {
        Self { max_offset: self.max_offset.min(end_offset), ..self }
    }

    /// Whether the log may lack the batch with this offset and have later ones.
    fn may_lack(&self, offset: i64) -> bool {
        let is_committed =
            |offset| self.committed.iter().any(|part| (part.from..part.to).contains(&offset));
        offset < self.dense_from_offset
            && (offset < self.compacted_to_offset || !is_committed(offset))
    }
}

impl Scan<'_> {
    /// Calls `take` with each good batch.
    pub async fn run(&self, take: &mut dyn FnMut(&Batch<'_>)) -> io::Result<ScanEnd> {
        let mut end =
            ScanEnd { valid_bytes: self.from, next_offset: self.first_offset, damage: None };
        let mut wanted = CHUNK_BYTES;
        while end.valid_bytes < self.size_bytes {
            let left = self.size_bytes - end.valid_bytes;
            let chunk = self
                .ring
                .read_exact_at(self.file, end.valid_bytes, wanted.min(left) as usize)
                .await?;
            let whole = chunk.len() as u64 == left;
            match self.take_chunk(&chunk, &mut end, take) {
                None => wanted = CHUNK_BYTES,
                Some(RecordsError::Truncated { needed_bytes, .. })
                    if !whole && needed_bytes as u64 <= left =>
                {
                    wanted = CHUNK_BYTES.max(needed_bytes as u64);
                }
                Some(error) => {
                    end.damage = Some(self.name_damage(&end, &error).await?);
                    break;
                }
            }
        }
        assert!(
            end.valid_bytes <= self.size_bytes || end.valid_bytes == self.from,
            "{} good bytes were found in a file of {}",
            end.valid_bytes,
            self.size_bytes
        );
        assert!(
            self.first_offset <= end.next_offset,
            "batches from {} on end at {}",
            self.first_offset,
            end.next_offset
        );
        Ok(end)
    }

    /// Takes the batches of a chunk; what stopped it before the chunk's end.
    fn take_chunk(
        &self,
        chunk: &BytesMut,
        end: &mut ScanEnd,
        take: &mut dyn FnMut(&Batch<'_>),
    ) -> Option<RecordsError> {
        let mut at = 0;
        while at < chunk.len() {
            let batch = match Batch::parse(&chunk[at..]) {
                Ok(batch) => batch,
                Err(error) => return Some(error),
            };
            let bad = |reason| Some(RecordsError::BadRecord { index: 0, reason });
            if batch.base_offset() < end.next_offset || batch.last_offset_delta() < 0 {
                return bad("its offsets do not follow those before it");
            }
            if batch.last_offset() >= self.expected.max_offset {
                return bad("its offsets are beyond the segment, or beyond the end of the log");
            }
            if batch.base_offset() > end.next_offset {
                match self.is_hole(&batch, &chunk[at..], end) {
                    Ok(true) => {}
                    Ok(false) => {
                        return bad("its offsets do not follow those before it: some are missing");
                    }
                    Err(more) => return Some(more),
                }
            }
            if batch.base_offset() >= self.expected.check_from_offset && !batch.crc_is_valid() {
                return bad("its CRC does not match");
            }
            take(&batch);
            at += batch.size_bytes();
            end.valid_bytes += batch.size_bytes() as u64;
            end.next_offset = batch.next_offset();
        }
        None
    }

    /// Whether it is a hole that lies before `batch`, the first of `bytes`. The CRC does not cover
    /// the base offset: a batch that has lost a bit of it is good otherwise. The next one tells, if
    /// it begins in the hole or within the batch. `Truncated`: more of the file has to be read to
    /// tell.
    fn is_hole(
        &self,
        batch: &Batch<'_>,
        bytes: &[u8],
        end: &ScanEnd,
    ) -> Result<bool, RecordsError> {
        if !self.expected.may_lack(end.next_offset) {
            return Ok(false);
        }
        match Batch::parse(&bytes[batch.size_bytes()..]) {
            Ok(next) => {
                let is_before =
                    (end.next_offset..batch.next_offset()).contains(&next.base_offset());
                Ok(!(is_before && next.crc_is_valid()))
            }
            Err(RecordsError::Truncated { needed_bytes, .. }) => {
                let (needed_bytes, available_bytes) =
                    (batch.size_bytes() + needed_bytes, bytes.len());
                match needed_bytes as u64 <= self.size_bytes - end.valid_bytes {
                    true => {
                        Err(RecordsError::Truncated { position: 0, needed_bytes, available_bytes })
                    }
                    // The file ends with it, or with a torn one.
                    false => Ok(true),
                }
            }
            Err(_) => Ok(true),
        }
    }

    async fn name_damage(&self, end: &ScanEnd, error: &RecordsError) -> io::Result<Damage> {
        let mut at = end.valid_bytes;
        while at < self.size_bytes {
            let length = CHUNK_BYTES.min(self.size_bytes - at);
            let chunk = self.ring.read_exact_at(self.file, at, length as usize).await?;
            if !is_zero(&chunk) {
                let reason = match error {
                    RecordsError::BadRecord { reason, .. } => (*reason).to_owned(),
                    RecordsError::Truncated { .. } => "it is cut off".to_owned(),
                    other => other.to_string(),
                };
                return Ok(Damage::Bad(format!("the batch at byte {}: {reason}", end.valid_bytes)));
            }
            at += length;
        }
        Ok(Damage::Zeros)
    }

    /// Whether a good batch with a later offset lies at `end` or anywhere behind.
    pub async fn good_batch_behind(&self, end: &ScanEnd) -> io::Result<bool> {
        let mut at = end.valid_bytes;
        while at + BATCH_HEADER_BYTES as u64 <= self.size_bytes {
            let length = CHUNK_BYTES.min(self.size_bytes - at);
            let chunk = self.ring.read_exact_at(self.file, at, length as usize).await?;
            for start in 0..=chunk.len() - BATCH_HEADER_BYTES {
                if chunk[start + 16] as i8 == MAGIC_V2
                    && self.is_good(at + start as u64, &chunk[start..], end).await?
                {
                    return Ok(true);
                }
            }
            at += (chunk.len() - BATCH_HEADER_BYTES) as u64 + 1;
        }
        Ok(false)
    }

    async fn is_good(&self, position: u64, bytes: &[u8], end: &ScanEnd) -> io::Result<bool> {
        let Some(header) = BatchHeader::view(bytes) else { return Ok(false) };
        let plausible = header.base_offset() >= end.next_offset
            && header.last_offset_delta() >= 0
            && header.last_offset() < self.expected.max_offset;
        let Some(size) = header
            .claimed_size_bytes()
            .filter(|size| plausible && position + *size as u64 <= self.size_bytes)
        else {
            return Ok(false);
        };
        let batch = self.ring.read_exact_at(self.file, position, size).await?;
        Ok(Batch::parse(&batch).is_ok_and(|batch| batch.crc_is_valid()))
    }
}
