//! What the borrowing views of Produce and Fetch share: primitives that are not copied out of the
//! frame.
//!
//! A view is parsed once from front to back, which proves every length; iterating over it
//! afterwards walks the same bytes again and cannot fail. It holds slices and ranges, and no array
//! sized from the wire.

use std::borrow::Cow;
use std::ops::Range;

use crate::message::{DecodeError, DecodeErrorKind};
use crate::primitives::{
    MAX_ARRAY_ELEMENTS, MAX_STRING_BYTES, Reader, compact_length, decode_text,
};
use crate::uuid::Uuid;

/// Text as it lies in a frame. It need not be UTF-8: old clients send Latin-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Bytes that are no UTF-8 become replacement characters, as Java reads them.
    pub fn decode(self) -> Cow<'a, str> {
        match std::str::from_utf8(self.0) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(self.0),
        }
    }

    /// The next text of a message, or null; what it decodes to fits a string of a response.
    pub fn read_nullable(
        reader: &mut Reader<'a>,
        flexible: bool,
    ) -> Result<Option<Self>, DecodeError> {
        let Some(length) = length(reader, flexible, |reader| reader.i16().map(i32::from))? else {
            return Ok(None);
        };
        let too_long = reader.error(DecodeErrorKind::InvalidLength(length as i64));
        if length > MAX_STRING_BYTES {
            return Err(too_long);
        }
        let bytes = reader.take(length)?;
        // Replacement makes three bytes of one at most.
        if length > MAX_STRING_BYTES / 3 && decode_text(bytes).is_none() {
            return Err(too_long);
        }
        Ok(Some(Self(bytes)))
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(text.as_bytes())
    }
}

/// A topic as a request names it: by name in older versions, by id in newer ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicRef<'a> {
    /// Empty where the version carries ids.
    pub name: Text<'a>,
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

/// A length, negative for null: plus one and variable where `flexible`, else `fixed`.
#[inline]
fn length(
    reader: &mut Reader<'_>,
    flexible: bool,
    fixed: impl FnOnce(&mut Reader<'_>) -> Result<i32, DecodeError>,
) -> Result<Option<usize>, DecodeError> {
    let length = if flexible { compact_length(reader.uvarint()?) } else { fixed(reader)? };
    Ok(usize::try_from(length).ok())
}

pub(crate) fn text<'a>(reader: &mut Reader<'a>, flexible: bool) -> Result<Text<'a>, DecodeError> {
    match Text::read_nullable(reader, flexible)? {
        Some(text) => Ok(text),
        None => refuse(reader, DecodeErrorKind::UnexpectedNull),
    }
}

/// Where a byte field lies in the frame.
#[inline]
pub(crate) fn nullable_range(
    reader: &mut Reader<'_>,
    flexible: bool,
) -> Result<Option<Range<usize>>, DecodeError> {
    let Some(length) = length(reader, flexible, |reader| reader.i32())? else { return Ok(None) };
    let start = reader.position();
    reader.take(length)?;
    Ok(Some(start..start + length))
}

/// The number of elements that follow. Nothing is allocated from it, and each element takes bytes:
/// a false number runs into the end of the frame.
pub(crate) fn array_length(reader: &mut Reader<'_>, flexible: bool) -> Result<usize, DecodeError> {
    match length(reader, flexible, |reader| reader.i32())? {
        Some(count) if count > MAX_ARRAY_ELEMENTS => {
            refuse(reader, DecodeErrorKind::ArrayTooLong(count))
        }
        Some(count) => Ok(count),
        None => refuse(reader, DecodeErrorKind::UnexpectedNull),
    }
}

pub(crate) fn topic<'a>(
    reader: &mut Reader<'a>,
    flexible: bool,
    by_id: bool,
) -> Result<TopicRef<'a>, DecodeError> {
    if by_id {
        Ok(TopicRef { name: Text::default(), id: reader.uuid()? })
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
    pub fn new(
        frame: &'a [u8],
        reader: &mut Reader<'a>,
        flexible: bool,
        by_id: bool,
    ) -> Result<Self, DecodeError> {
        let topics_left = array_length(reader, flexible)?;
        let position = reader.position();
        Ok(Self { frame, flexible, by_id, position, topics_left, ..Self::empty() })
    }

    pub fn empty() -> Self {
        Self {
            frame: &[],
            flexible: false,
            by_id: false,
            topic: TopicRef { name: Text::default(), id: Uuid::ZERO },
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
