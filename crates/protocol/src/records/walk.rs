//! Walking the records of a batch whose body comes in pieces.
//!
//! Owns: the place within the record where the last piece ended. Lives on: the core that works on
//! the batch. Never: keeps a key, a value or a header; so its memory does not grow with the
//! records. Says of a whole body what [`super::Records`] says of it; where several things are
//! wrong, it may name another one.

use super::varint::Unread;
use super::{BatchHeader, RecordsError, TimestampType};

/// The longest varint.
const NUMBER_BYTES_MAX: usize = 10;
const CUT_OFF: &str = "a field is cut off";
const BAD_HEADER: &str = "a header is cut off or has no name";

/// What the walk tells of a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outline {
    pub timestamp_delta: i64,
    pub offset_delta: i32,
    pub has_key: bool,
}

impl Outline {
    /// The record's timestamp in a batch with this header.
    pub fn timestamp(&self, header: &BatchHeader) -> i64 {
        match header.timestamp_type() {
            TimestampType::CreateTime => header.base_timestamp().wrapping_add(self.timestamp_delta),
            TimestampType::LogAppendTime => header.max_timestamp(),
        }
    }
}

/// The field that comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Length,
    Attributes,
    TimestampDelta,
    OffsetDelta,
    KeyLength,
    Key,
    ValueLength,
    Value,
    HeaderCount,
    HeaderKeyLength,
    HeaderKey,
    HeaderValueLength,
    HeaderValue,
}

pub struct PieceWalk {
    count: i32,
    record_bytes_max: usize,
    read: i32,
    field: Field,
    /// Bytes that are left of the record, and of the key or value in it that is being skipped.
    record_bytes: usize,
    skip_bytes: usize,
    headers_left: i32,
    outline: Outline,
    /// A number that the last piece held the beginning of.
    number: [u8; NUMBER_BYTES_MAX],
    number_bytes: usize,
    trailing_bytes: usize,
}

impl PieceWalk {
    pub fn new(header: &BatchHeader) -> Result<Self, RecordsError> {
        let count = header.record_count();
        if count < 0 {
            return Err(RecordsError::BadCount(count));
        }
        Ok(Self {
            count,
            record_bytes_max: usize::MAX,
            read: 0,
            field: Field::Length,
            record_bytes: 0,
            skip_bytes: 0,
            headers_left: 0,
            outline: Outline::default(),
            number: [0; NUMBER_BYTES_MAX],
            number_bytes: 0,
            trailing_bytes: 0,
        })
    }

    /// A record that says it is larger than `bytes_max` is an error, as soon as it says so. Kafka
    /// does not count the record's length itself.
    pub fn with_record_bytes_max(self, bytes_max: usize) -> Self {
        Self { record_bytes_max: bytes_max, ..self }
    }

    /// Walks the next piece; `visit` is told of each record that ends in it, with its place in the
    /// batch.
    pub fn feed<E: From<RecordsError>>(
        &mut self,
        piece: &[u8],
        mut visit: impl FnMut(i32, &Outline) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut unread = piece;
        while !unread.is_empty() {
            if self.read == self.count {
                self.trailing_bytes += unread.len();
                return Ok(());
            }
            if self.field == Field::Length {
                let Some(length) = self.number(&mut unread, 5, "its length is cut off")? else {
                    return Ok(());
                };
                let length =
                    usize::try_from(length).map_err(|_| self.bad("its length is negative"))?;
                if length > self.record_bytes_max {
                    let limit_bytes = self.record_bytes_max;
                    let size_bytes = length;
                    return Err(RecordsError::RecordOverLimit { size_bytes, limit_bytes }.into());
                }
                (self.record_bytes, self.field, self.outline) =
                    (length, Field::Attributes, Outline::default());
                continue;
            }
            let mut record = &unread[..unread.len().min(self.record_bytes)];
            let before = record.len();
            let is_over = self.fields(&mut record)?;
            let used = before - record.len();
            self.record_bytes -= used;
            unread = &unread[used..];
            match (is_over, self.record_bytes) {
                (true, 0) => {
                    visit(self.read, &self.outline)?;
                    self.read += 1;
                    self.field = Field::Length;
                }
                (true, _) => return Err(self.bad("it is shorter than its length says").into()),
                (false, 0) => {
                    return Err(self
                        .bad(if self.is_in_header() { BAD_HEADER } else { CUT_OFF })
                        .into());
                }
                (false, _) => debug_assert!(
                    unread.is_empty(),
                    "only the end of a piece stops within a record"
                ),
            }
        }
        Ok(())
    }

    /// The body has ended.
    pub fn end(&self) -> Result<(), RecordsError> {
        if self.read < self.count {
            let cut_in_length = self.field == Field::Length;
            return Err(self.bad(if cut_in_length {
                "its length is cut off"
            } else {
                "it is longer than its batch"
            }));
        }
        match self.trailing_bytes {
            0 => Ok(()),
            more => Err(RecordsError::TrailingBytes(more)),
        }
    }

    fn bad(&self, reason: &'static str) -> RecordsError {
        RecordsError::BadRecord { index: self.read, reason }
    }

    fn is_in_header(&self) -> bool {
        use Field::*;
        matches!(self.field, HeaderKeyLength | HeaderKey | HeaderValueLength | HeaderValue)
    }

    /// Reads fields until the record or `bytes` end; whether it was the record.
    fn fields(&mut self, bytes: &mut &[u8]) -> Result<bool, RecordsError> {
        use Field::*;
        loop {
            self.field = match self.field {
                Key | Value | HeaderKey | HeaderValue => {
                    let skipped = self.skip_bytes.min(bytes.len());
                    *bytes = &bytes[skipped..];
                    self.skip_bytes -= skipped;
                    if self.skip_bytes > 0 {
                        return Ok(false);
                    }
                    match self.field {
                        Key => ValueLength,
                        Value => HeaderCount,
                        HeaderKey => HeaderValueLength,
                        _ => {
                            self.headers_left -= 1;
                            if self.headers_left == 0 {
                                return Ok(true);
                            }
                            HeaderKeyLength
                        }
                    }
                }
                Attributes => match bytes.split_first() {
                    None => return Ok(false),
                    Some((_, rest)) => {
                        *bytes = rest;
                        TimestampDelta
                    }
                },
                TimestampDelta => {
                    let Some(delta) = self.number(bytes, NUMBER_BYTES_MAX, CUT_OFF)? else {
                        return Ok(false);
                    };
                    self.outline.timestamp_delta = delta;
                    OffsetDelta
                }
                field => {
                    let reason = if self.is_in_header() { BAD_HEADER } else { CUT_OFF };
                    let Some(number) = self.number(bytes, 5, reason)? else { return Ok(false) };
                    match self.take_number(field, number as i32)? {
                        Length => return Ok(true),
                        next => next,
                    }
                }
            };
        }
    }

    /// What a number of five bytes at most means where it stands; the field after it.
    fn take_number(&mut self, field: Field, number: i32) -> Result<Field, RecordsError> {
        use Field::*;
        let length = usize::try_from(number).ok();
        Ok(match field {
            OffsetDelta => {
                self.outline.offset_delta = number;
                KeyLength
            }
            KeyLength => {
                self.outline.has_key = length.is_some();
                self.skip_bytes = length.unwrap_or(0);
                Key
            }
            ValueLength => {
                self.skip_bytes = length.unwrap_or(0);
                Value
            }
            HeaderCount if number < 0 => return Err(self.bad("its number of headers is negative")),
            HeaderCount if number == 0 => Length,
            HeaderCount => {
                self.headers_left = number;
                HeaderKeyLength
            }
            HeaderKeyLength => {
                self.skip_bytes = length.ok_or_else(|| self.bad(BAD_HEADER))?;
                HeaderKey
            }
            HeaderValueLength => {
                self.skip_bytes = length.unwrap_or(0);
                HeaderValue
            }
            other => unreachable!("{other:?} is no number of five bytes"),
        })
    }

    /// A zigzag varint of `most` bytes at most; `None` while its end is not there yet.
    #[inline]
    fn number(
        &mut self,
        bytes: &mut &[u8],
        most: usize,
        reason: &'static str,
    ) -> Result<Option<i64>, RecordsError> {
        if self.number_bytes == 0
            && let Some((&first @ ..0x80, rest)) = bytes.split_first()
        {
            *bytes = rest;
            return Ok(Some(i64::from(first >> 1) ^ -i64::from(first & 1)));
        }
        while let Some((byte, rest)) = bytes.split_first() {
            *bytes = rest;
            self.number[self.number_bytes] = *byte;
            self.number_bytes += 1;
            if *byte < 0x80 || self.number_bytes == most {
                let mut whole = Unread(&self.number[..std::mem::take(&mut self.number_bytes)]);
                let number =
                    if most == 5 { whole.varint().map(i64::from) } else { whole.varlong() };
                return number.map(Some).ok_or_else(|| self.bad(reason));
            }
        }
        Ok(None)
    }
}
