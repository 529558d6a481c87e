//! Reading records: from the tail in memory, else as a range of a file that the shard sends or
//! reads.
//!
//! Lives on the core of the log. Never copies records, and cuts only between batches.

use super::{
    Log, ReadError,
    index::Key,
    segment::{Segment, SegmentFile},
    walk::{Located, Walk},
};
use bytes::{Bytes, BytesMut};
use ring::{File, Stable};
use smallvec::{SmallVec, smallvec};
use std::{io, rc::Rc};

/// Consecutive whole batches.
#[derive(Clone, Debug)]
pub enum ReadPart {
    Memory(Bytes),
    /// The bytes stay readable even when the segment is deleted meanwhile.
    File {
        file: File,
        position: u64,
        length: u64,
        /// The part of the file that stays as it is, for a reader that goes on.
        stable: Stable,
    },
}

/// One piece as a rule: a range of a file, or a large append.
pub type ReadParts = SmallVec<[ReadPart; 1]>;

/// What a read found. Empty at the end of what may be read.
#[derive(Clone, Debug, Default)]
pub struct ReadData {
    pub parts: ReadParts,
    pub size_bytes: usize,
    /// Every record in here is below this offset: the upper bound for its aborted transactions.
    pub upper_bound_offset: i64,
}

/// The bounds of a read.
#[derive(Clone, Copy, Debug)]
struct Limits {
    offset: i64,
    max_bytes: usize,
    at_least_one: bool,
    up_to_offset: i64,
}

impl Log {
    /// Whole batches from the one that holds `offset` on, `max_bytes` at most; with `at_least_one`
    /// the first batch comes whatever its size. No batch reaches beyond `up_to_offset` (the high
    /// watermark, or the last stable offset).
    pub async fn read(
        &self,
        offset: i64,
        max_bytes: usize,
        at_least_one: bool,
        up_to_offset: i64,
    ) -> Result<ReadData, ReadError> {
        self.read_within(Limits { offset, max_bytes, at_least_one, up_to_offset }, true).await
    }

    /// The same as a range of a file, as far as the records are in one: it costs its reader no
    /// memory.
    pub async fn read_files(
        &self,
        offset: i64,
        max_bytes: usize,
        at_least_one: bool,
        up_to_offset: i64,
    ) -> Result<ReadData, ReadError> {
        self.read_within(Limits { offset, max_bytes, at_least_one, up_to_offset }, false).await
    }

    async fn read_within(&self, limits: Limits, tail_first: bool) -> Result<ReadData, ReadError> {
        let Limits { offset, max_bytes, at_least_one, up_to_offset } = limits;
        self.check_range(offset)?;
        'anew: loop {
            if offset >= up_to_offset.min(self.log_end_offset()) {
                return Ok(self.nothing(limits));
            }
            if tail_first
                && let Some(data) =
                    self.try_read_tail(offset, max_bytes, at_least_one, up_to_offset)
            {
                return Ok(data);
            }
            let written = self.written_offset();
            let Some((mut segment, mut next_base)) = self.segment_of(offset) else {
                return Ok(self.nothing(limits));
            };
            loop {
                let found = match self.read_segment(&segment, next_base, limits).await {
                    Err(error) if self.has_given_up(&segment, &error) => {
                        self.check_range(offset)?;
                        continue 'anew;
                    }
                    found => found?,
                };
                match found {
                    Some(data) => return Ok(data),
                    None => match self.next_segment(segment.base_offset) {
                        Some(next) => {
                            next_base =
                                self.next_segment(next.base_offset).map(|after| after.base_offset);
                            segment = next;
                        }
                        None => break,
                    },
                }
            }
            // The files end before `offset`: the rest is in memory, unless it was written under the
            // read. A log that was cut may have a gap before it.
            self.check_range(offset)?;
            if self.written_offset() == written {
                let next = self.0.tail.first_offset().map_or(offset, |first| first.max(offset));
                let data = self.try_read_tail(next, max_bytes, at_least_one, up_to_offset);
                return Ok(data.unwrap_or_else(|| self.nothing(limits)));
            }
        }
    }

    /// Whether a segment has no file because retention took it while that was being opened.
    pub(super) fn has_given_up(&self, segment: &Rc<Segment>, error: &io::Error) -> bool {
        let has_it = || self.0.segments.borrow().iter().any(|one| Rc::ptr_eq(one, segment));
        error.kind() == io::ErrorKind::NotFound && !has_it()
    }

    /// Whole batches as [`Log::read`] finds them, in one piece of memory: for state machines that
    /// load themselves.
    pub async fn read_bytes(
        &self,
        offset: i64,
        max_bytes: usize,
        up_to_offset: i64,
    ) -> Result<Bytes, ReadError> {
        let data = self.read(offset, max_bytes, true, up_to_offset).await?;
        let mut bytes = BytesMut::with_capacity(data.size_bytes);
        for part in data.parts {
            match part {
                ReadPart::Memory(part) => bytes.extend_from_slice(&part),
                ReadPart::File { file, position, length, .. } => {
                    bytes.extend_from_slice(
                        &self.0.ring.read_exact_at(&file, position, length as usize).await?,
                    );
                }
            }
        }
        assert_eq!(bytes.len(), data.size_bytes, "the parts of a read are as long as it says");
        Ok(bytes.freeze())
    }

    /// The same from memory alone; `None` where that would need a file, or `offset` is out of
    /// range.
    pub fn try_read_tail(
        &self,
        offset: i64,
        max_bytes: usize,
        at_least_one: bool,
        up_to_offset: i64,
    ) -> Option<ReadData> {
        if self.check_range(offset).is_err() {
            return None;
        }
        if offset >= up_to_offset.min(self.log_end_offset()) {
            return Some(ReadData { upper_bound_offset: offset, ..ReadData::default() });
        }
        if offset < self.0.replaced_to.get() {
            // Records of aborted transactions, of which the indexes do not tell any more.
            return None;
        }
        let read = self.0.tail.read(offset, max_bytes, at_least_one, up_to_offset)?;
        Some(ReadData {
            parts: read.parts,
            size_bytes: read.size_bytes,
            upper_bound_offset: read.end_offset,
        })
    }

    pub(super) fn check_range(&self, offset: i64) -> Result<(), ReadError> {
        let (log_start_offset, log_end_offset) = (self.log_start_offset(), self.log_end_offset());
        if (log_start_offset..=log_end_offset).contains(&offset) {
            return Ok(());
        }
        Err(ReadError::OffsetOutOfRange { offset, log_start_offset, log_end_offset })
    }

    fn nothing(&self, limits: Limits) -> ReadData {
        ReadData { upper_bound_offset: limits.offset, ..ReadData::default() }
    }

    /// The batches of one segment's file; `None` when it ends before the offset.
    async fn read_segment(
        &self,
        segment: &Rc<Segment>,
        next_base: Option<i64>,
        limits: Limits,
    ) -> io::Result<Option<ReadData>> {
        let end = u64::from(segment.written_bytes.get());
        if end == 0 {
            return Ok(None);
        }
        let end_offset = next_base.unwrap_or_else(|| self.written_offset());
        let base = segment.base_offset;
        assert!(base < end_offset, "the segment at {base} has bytes, and ends at {end_offset}");
        let file = segment.file(&self.0.ring, &self.dir(), SegmentFile::Log).await?;
        let Some(first) = self.locate_before(segment, &file, limits.offset, end).await? else {
            return Ok(None);
        };
        // The checksum is not about the offset: a batch whose offset is beyond its segment would
        // keep the reader waiting for it.
        if first.header.next_offset() > end_offset
            || first.header.base_offset() < segment.base_offset
        {
            let path = super::files::path(&self.dir(), segment.base_offset, super::files::LOG);
            let (position, offset) = (first.position, first.header.base_offset());
            let text = format!(
                "{}: the batch at byte {position} is damaged: it says offset {offset}, but lies \
                 between {} and {end_offset}. \
                 Stop the broker and type `millstream log check {}`",
                path.display(),
                segment.base_offset,
                super::log_dir_of(&path).display()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        if first.header.next_offset() > limits.up_to_offset
            || (first.size_bytes > limits.max_bytes as u64 && !limits.at_least_one)
        {
            return Ok(Some(self.nothing(limits)));
        }
        let (stop, upper_bound_offset) =
            self.read_end(segment, &file, &first, end, end_offset, limits).await?;
        assert!(first.end() <= stop, "a read ends at {stop}, in its batch to {}", first.end());
        assert!(stop <= end, "a read ends at {stop}, in a file with {end} bytes");
        let length = stop - first.position;
        // A cut sets what is written before it touches the file.
        let stable = file.stable(u64::from(segment.written_bytes.get()));
        Ok(Some(ReadData {
            parts: smallvec![ReadPart::File { file, position: first.position, length, stable }],
            size_bytes: length as usize,
            upper_bound_offset: upper_bound_offset.min(limits.up_to_offset),
        }))
    }

    /// Where a read that begins with `first` ends in the file, and an offset that nothing in it
    /// reaches.
    async fn read_end(
        &self,
        segment: &Segment,
        file: &File,
        first: &Located,
        end: u64,
        end_offset: i64,
        limits: Limits,
    ) -> io::Result<(u64, i64)> {
        let limit = first.end().max(first.position + limits.max_bytes as u64);
        if end <= limit && end_offset <= limits.up_to_offset {
            return Ok((end, end_offset));
        }
        // Batches that end before the batch of an index entry are inside the limits when that
        // batch's end offset is.
        let mut stop = first.end();
        if let Some(entry) =
            self.offset_entry(segment, Key::Position, limit.min(end) as i64).await?
        {
            let (position, last_offset) = (
                u64::from(entry.position()),
                segment.base_offset + i64::from(entry.relative_offset()),
            );
            if position > stop && last_offset < limits.up_to_offset {
                return Ok((position, last_offset));
            }
        }
        if let Some(entry) = self
            .offset_entry(segment, Key::Offset, limits.up_to_offset - 1 - segment.base_offset)
            .await?
        {
            let position = u64::from(entry.position());
            if position <= limit.min(end) {
                stop = stop.max(position);
            }
        }
        let mut walk = Walk::new(&self.0.ring, file, stop, end);
        loop {
            let batch = match walk.next().await {
                Ok(Some(batch)) => batch,
                Ok(None) => break,
                // An index entry has led into a batch: one batch is a read, too.
                Err(error) if error.kind() == io::ErrorKind::InvalidData && stop > first.end() => {
                    return Ok((first.end(), first.header.next_offset()));
                }
                Err(error) => return Err(error),
            };
            if batch.end() > limit || batch.header.next_offset() > limits.up_to_offset {
                return Ok((stop, batch.header.base_offset()));
            }
            stop = batch.end();
        }
        Ok((stop, end_offset))
    }
}
