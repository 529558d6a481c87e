//! One record, and walking the records of a batch without copying them.
//!
//! Layout (all integers zigzag varints unless said otherwise): length, attributes (one byte,
//! unused), timestamp delta (varlong), offset delta, key length and key, value length and value,
//! header count, then per header: key length and key, value length and value. A negative key or
//! value length is null.

use super::varint::Unread;
use super::{BatchHeader, Outline, RecordsError, TimestampType};

/// A record header: a name and a value that may be null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// UTF-8 by convention; the broker does not check it.
    pub key: &'a [u8],
    pub value: Option<&'a [u8]>,
}

/// One record in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    pub offset: i64,
    pub timestamp: i64,
    pub offset_delta: i32,
    pub timestamp_delta: i64,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    header_count: i32,
    /// Proven to hold `header_count` headers when the record was read.
    header_bytes: &'a [u8],
}

impl<'a> Record<'a> {
    /// What a walk in pieces knows of a record: its key is empty where there is one, its value
    /// null.
    pub(super) fn outlined(header: &BatchHeader, outline: &Outline) -> Self {
        Self {
            offset: header.base_offset().wrapping_add(i64::from(outline.offset_delta)),
            timestamp: outline.timestamp(header),
            offset_delta: outline.offset_delta,
            timestamp_delta: outline.timestamp_delta,
            key: outline.has_key.then_some(&[]),
            value: None,
            header_count: 0,
            header_bytes: &[],
        }
    }

    pub fn headers(&self) -> Headers<'a> {
        Headers { unread: Unread(self.header_bytes) }
    }

    pub fn header_count(&self) -> usize {
        self.header_count as usize
    }
}

/// The headers of a record.
#[derive(Clone)]
pub struct Headers<'a> {
    unread: Unread<'a>,
}

impl<'a> Iterator for Headers<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        read_header(&mut self.unread)
    }
}

fn read_header<'a>(unread: &mut Unread<'a>) -> Option<Header<'a>> {
    let key = unread.nullable_bytes()??;
    Some(Header { key, value: unread.nullable_bytes()? })
}

/// The records of one batch, from its uncompressed body. Ends with an error when the records are
/// malformed, are fewer than the header says, or leave bytes behind.
#[derive(Clone)]
pub struct Records<'a> {
    unread: Unread<'a>,
    base_offset: i64,
    base_timestamp: i64,
    log_append_time: Option<i64>,
    count: i32,
    read: i32,
    record_bytes_max: usize,
}

impl<'a> Records<'a> {
    /// `body` is what follows the header, decompressed.
    pub fn new(header: &BatchHeader, body: &'a [u8]) -> Result<Self, RecordsError> {
        let count = header.record_count();
        if count < 0 {
            return Err(RecordsError::BadCount(count));
        }
        let log_append_time = match header.timestamp_type() {
            TimestampType::CreateTime => None,
            TimestampType::LogAppendTime => Some(header.max_timestamp()),
        };
        Ok(Self {
            unread: Unread(body),
            base_offset: header.base_offset(),
            base_timestamp: header.base_timestamp(),
            log_append_time,
            count,
            read: 0,
            record_bytes_max: usize::MAX,
        })
    }

    /// A record that says it is larger than `bytes_max` is an error. Kafka does not count the
    /// record's length itself.
    pub fn with_record_bytes_max(self, bytes_max: usize) -> Self {
        Self { record_bytes_max: bytes_max, ..self }
    }

    #[inline]
    fn read_record(&mut self, index: i32) -> Result<Record<'a>, RecordsError> {
        let bad = |reason| RecordsError::BadRecord { index, reason };
        let len = self.unread.varint().ok_or_else(|| bad("its length is cut off"))?;
        let len = usize::try_from(len).map_err(|_| bad("its length is negative"))?;
        if len > self.record_bytes_max {
            let limit_bytes = self.record_bytes_max;
            return Err(RecordsError::RecordOverLimit { size_bytes: len, limit_bytes });
        }
        let body = self.unread.take(len).ok_or_else(|| bad("it is longer than its batch"))?;
        let mut body = Unread(body);
        let record = self.read_body(&mut body).ok_or_else(|| bad("a field is cut off"))?;
        if record.header_count < 0 {
            return Err(bad("its number of headers is negative"));
        }
        if record.header_count == 0 && record.header_bytes.is_empty() {
            return Ok(record);
        }
        check_headers(body, record.header_count).map_err(bad)?;
        Ok(record)
    }

    #[inline]
    fn read_body(&self, body: &mut Unread<'a>) -> Option<Record<'a>> {
        let _attributes = body.u8()?;
        let timestamp_delta = body.varlong()?;
        let offset_delta = body.varint()?;
        let key = body.nullable_bytes()?;
        let value = body.nullable_bytes()?;
        let header_count = body.varint()?;
        Some(Record {
            offset: self.base_offset.wrapping_add(i64::from(offset_delta)),
            timestamp: self
                .log_append_time
                .unwrap_or_else(|| self.base_timestamp.wrapping_add(timestamp_delta)),
            offset_delta,
            timestamp_delta,
            key,
            value,
            header_count,
            header_bytes: body.0,
        })
    }
}

fn check_headers(mut unread: Unread<'_>, count: i32) -> Result<(), &'static str> {
    for _ in 0..count {
        read_header(&mut unread).ok_or("a header is cut off or has no name")?;
    }
    if unread.is_empty() { Ok(()) } else { Err("it is shorter than its length says") }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, RecordsError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.read == self.count {
            let left = std::mem::take(&mut self.unread.0).len();
            return (left > 0).then_some(Err(RecordsError::TrailingBytes(left)));
        }
        let index = self.read;
        self.read += 1;
        Some(self.read_record(index).inspect_err(|_| {
            self.read = self.count;
            self.unread = Unread(&[]);
        }))
    }
}
