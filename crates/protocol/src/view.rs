//! What the borrowing views of Produce and Fetch share: primitives that are not copied out of the frame.
//!
//! A view is parsed once from front to back, which proves every length; iterating over it afterwards walks the same
//! bytes again and cannot fail. It holds slices and ranges, and no array sized from the wire.

use std::ops::Range;

use crate::message::{DecodeError, DecodeErrorKind};
use crate::primitives::{MAX_STRING_BYTES, Reader};
use crate::uuid::Uuid;

/// A topic as a request names it: by name in older versions, by id in newer ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicRef<'a> {
    /// Empty where the version carries ids.
    pub name: &'a str,
    /// Zero where the version carries names.
    pub id: Uuid,
}

pub(crate) const CHECKED: &str = "the view was walked to its end when it was parsed";

/// A reader of `frame` that starts at `position`.
pub(crate) fn reader_at(frame: &[u8], position: usize) -> Result<Reader<'_>, DecodeError> {
    let mut reader = Reader::new(frame);
    reader.take(position)?;
    Ok(reader)
}

fn refuse<T>(reader: &Reader<'_>, kind: DecodeErrorKind) -> Result<T, DecodeError> {
    Err(reader.error(kind))
}

/// A length that may be null: plus one and variable where `flexible`, else `fixed`.
#[inline]
fn length(
    reader: &mut Reader<'_>,
    flexible: bool,
    fixed: impl FnOnce(&mut Reader<'_>) -> Result<i32, DecodeError>,
) -> Result<Option<usize>, DecodeError> {
    if flexible {
        return Ok((reader.uvarint()? as usize).checked_sub(1));
    }
    match fixed(reader)? {
        -1 => Ok(None),
        length if length < 0 => refuse(reader, DecodeErrorKind::InvalidLength(i64::from(length))),
        length => Ok(Some(length as usize)),
    }
}

pub(crate) fn nullable_text<'a>(reader: &mut Reader<'a>, flexible: bool) -> Result<Option<&'a str>, DecodeError> {
    let Some(length) = length(reader, flexible, |reader| reader.i16().map(i32::from))? else { return Ok(None) };
    if length > MAX_STRING_BYTES {
        return refuse(reader, DecodeErrorKind::InvalidLength(length as i64));
    }
    match std::str::from_utf8(reader.take(length)?) {
        Ok(text) => Ok(Some(text)),
        Err(_) => refuse(reader, DecodeErrorKind::NotUtf8),
    }
}

pub(crate) fn text<'a>(reader: &mut Reader<'a>, flexible: bool) -> Result<&'a str, DecodeError> {
    match nullable_text(reader, flexible)? {
        Some(text) => Ok(text),
        None => refuse(reader, DecodeErrorKind::UnexpectedNull),
    }
}

/// Where a byte field lies in the frame.
#[inline]
pub(crate) fn nullable_range(reader: &mut Reader<'_>, flexible: bool) -> Result<Option<Range<usize>>, DecodeError> {
    let Some(length) = length(reader, flexible, |reader| reader.i32())? else { return Ok(None) };
    let start = reader.position();
    reader.take(length)?;
    Ok(Some(start..start + length))
}

/// The number of elements that follow. Nothing is allocated from it, and each element takes bytes: a false number runs
/// into the end of the frame.
pub(crate) fn array_length(reader: &mut Reader<'_>, flexible: bool) -> Result<usize, DecodeError> {
    match length(reader, flexible, |reader| reader.i32())? {
        Some(count) => Ok(count),
        None => refuse(reader, DecodeErrorKind::UnexpectedNull),
    }
}

pub(crate) fn topic<'a>(reader: &mut Reader<'a>, flexible: bool, by_id: bool) -> Result<TopicRef<'a>, DecodeError> {
    if by_id {
        Ok(TopicRef { name: "", id: reader.uuid()? })
    } else {
        Ok(TopicRef { name: text(reader, flexible)?, id: Uuid::ZERO })
    }
}

#[inline]
pub(crate) fn tags(reader: &mut Reader<'_>, flexible: bool) -> Result<(), DecodeError> {
    if flexible { reader.skip_tags() } else { Ok(()) }
}

/// Walks an array of topics, each with an array of partitions, and gives the partitions one by one.
#[derive(Debug, Clone)]
pub(crate) struct TopicWalk<'a> {
    frame: &'a [u8],
    flexible: bool,
    by_id: bool,
    topic: TopicRef<'a>,
    position: usize,
    topics_left: usize,
    partitions_left: usize,
    in_topic: bool,
}

impl<'a> TopicWalk<'a> {
    /// Starts where `reader`, which reads `frame`, stands: at the length of the topics' array.
    pub fn new(frame: &'a [u8], reader: &mut Reader<'a>, flexible: bool, by_id: bool) -> Result<Self, DecodeError> {
        let topics_left = array_length(reader, flexible)?;
        let position = reader.position();
        Ok(Self { frame, flexible, by_id, position, topics_left, ..Self::empty() })
    }

    pub fn empty() -> Self {
        Self {
            frame: &[],
            flexible: false,
            by_id: false,
            topic: TopicRef { name: "", id: Uuid::ZERO },
            position: 0,
            topics_left: 0,
            partitions_left: 0,
            in_topic: false,
        }
    }

    /// The next partition, read by `read` (its own tagged fields included).
    pub fn next<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'a>, TopicRef<'a>) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        let mut reader = reader_at(self.frame, self.position)?;
        while self.partitions_left == 0 {
            if std::mem::take(&mut self.in_topic) {
                tags(&mut reader, self.flexible)?;
            }
            let Some(left) = self.topics_left.checked_sub(1) else {
                self.position = reader.position();
                return Ok(None);
            };
            self.topics_left = left;
            self.topic = topic(&mut reader, self.flexible, self.by_id)?;
            self.partitions_left = array_length(&mut reader, self.flexible)?;
            self.in_topic = true;
        }
        let partition = read(&mut reader, self.topic)?;
        self.partitions_left -= 1;
        self.position = reader.position();
        Ok(Some(partition))
    }

    /// After [`Self::next`] gave `None`: where the array ended.
    pub fn position(&self) -> usize {
        self.position
    }
}
