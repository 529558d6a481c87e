//! The wire's primitive types: a reader that believes no length, and the functions that write what
//! it reads.
//!
//! Layouts are those of Kafka's protocol guide: big-endian integers; strings, byte strings and
//! arrays behind a length that is fixed (`i16` for strings, else `i32`) or, in flexible versions,
//! an unsigned varint of length + 1. Every negative length is null, and bytes that are no UTF-8 are
//! read as replacement characters, as Java reads them.

use crate::message::{DecodeError, DecodeErrorKind, EncodeError, Structure};
use crate::uuid::Uuid;
use bytes::{BufMut, Bytes, BytesMut};
use std::borrow::Cow;

/// Memory that the arrays of one decoded message may take, in bytes: elements count with the size
/// of their Rust type, which can be a hundred times their size on the wire.
pub const DECODE_BUDGET_BYTES: usize = 128 << 20;

/// The longest string, in bytes, in every version (Kafka refuses longer ones in flexible versions
/// too).
pub const MAX_STRING_BYTES: usize = i16::MAX as usize;

/// The most elements of an array that is read, in every message and version (Kafka has the same
/// limit from 4.4.0 on).
pub const MAX_ARRAY_ELEMENTS: usize = 1_000_000;

/// The most tagged fields of a structure that is read (Kafka has the same limit from 4.4.0 on).
pub const MAX_TAGGED_FIELDS: u32 = 10_000;

/// The elements that an array has room for before the first of them is read.
const FIRST_ALLOCATION_ELEMENTS: usize = 1_000;

/// Text as Java decodes it. `None` where the replacement characters, of three bytes each, make it
/// longer than a string may be: no response could carry it.
pub(crate) fn decode_text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    };
    (text.len() <= MAX_STRING_BYTES).then_some(text)
}

/// The length that a flexible version writes as an unsigned varint of length + 1. Java computes in
/// 32 bits with sign: a varint beyond that is negative.
#[inline]
pub(crate) fn compact_length(varint: u32) -> i32 {
    (varint as i32).wrapping_sub(1)
}

/// Reads primitives from a byte slice, front to back. Every method either consumes exactly what it
/// returns or fails; after a failure the position is unspecified.
pub struct Reader<'a> {
    bytes: &'a [u8],
    /// The owner of `bytes`, when byte fields are to be slices of it instead of copies.
    owner: Option<&'a Bytes>,
    position: usize,
    /// Reads stop here; before the end of `bytes` while a tagged field is read.
    end: usize,
    budget_bytes: usize,
}

macro_rules! integers {
    ($($name:ident: $type:ty),*) => {$(
        #[inline]
        pub fn $name(&mut self) -> Result<$type, DecodeError> {
            const SIZE: usize = size_of::<$type>();
            let bytes = self.take(SIZE)?;
            Ok(<$type>::from_be_bytes(bytes.try_into().expect("take returns the length asked for")))
        }
    )*};
}

impl<'a> Reader<'a> {
    /// Byte fields are copied out of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader {
            bytes,
            owner: None,
            position: 0,
            end: bytes.len(),
            budget_bytes: DECODE_BUDGET_BYTES,
        }
    }

    /// Byte fields are slices of `bytes`, which they keep alive.
    pub fn from_bytes(bytes: &'a Bytes) -> Reader<'a> {
        Reader { owner: Some(bytes), ..Reader::new(bytes) }
    }

    pub fn position(&self) -> usize {
        self.position
    }

    /// Bytes not read yet.
    pub fn remaining(&self) -> usize {
        self.end - self.position
    }

    pub fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError { position: self.position, kind }
    }

    pub fn expect_end(&self) -> Result<(), DecodeError> {
        match self.remaining() {
            0 => Ok(()),
            left => Err(self.error(DecodeErrorKind::TrailingBytes(left))),
        }
    }

    /// The next `size` bytes.
    #[inline]
    pub fn take(&mut self, size: usize) -> Result<&'a [u8], DecodeError> {
        if size > self.remaining() {
            return Err(self
                .error(DecodeErrorKind::Truncated { needed: size, remaining: self.remaining() }));
        }
        let start = self.position;
        self.position += size;
        Ok(&self.bytes[start..self.position])
    }

    integers!(i8: i8, i16: i16, u16: u16, i32: i32, u32: u32, i64: i64, f64: f64);

    /// Any byte but zero is true, as in Kafka.
    #[inline]
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.i8()? != 0)
    }

    #[inline]
    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        let bytes = self.take(16)?;
        Ok(Uuid(bytes.try_into().expect("take returns the length asked for")))
    }

    /// Base-128 groups, lowest first, at most `limit` of them; `last` is the largest value of the
    /// last one.
    fn base128(&mut self, limit: usize, last: u8) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for group in 0..limit {
            let byte = self.take(1)?[0];
            if group == limit - 1 && byte > last {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * group);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.error(DecodeErrorKind::VarintTooLong))
    }

    #[inline]
    pub fn uvarint(&mut self) -> Result<u32, DecodeError> {
        // As a rule one byte says it.
        match self.bytes[self.position..self.end].first() {
            Some(&byte) if byte < 0x80 => {
                self.position += 1;
                Ok(u32::from(byte))
            }
            _ => Ok(self.base128(5, 0x0f)? as u32),
        }
    }

    /// Zigzag.
    pub fn varint(&mut self) -> Result<i32, DecodeError> {
        let value = self.uvarint()?;
        Ok((value >> 1) as i32 ^ -((value & 1) as i32))
    }

    /// Zigzag.
    pub fn varlong(&mut self) -> Result<i64, DecodeError> {
        let value = self.base128(10, 0x01)?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// `None`: null.
    fn length(&mut self, fixed: Option<i32>) -> Result<Option<usize>, DecodeError> {
        let length = match fixed {
            None => compact_length(self.uvarint()?),
            Some(length) => length,
        };
        Ok(usize::try_from(length).ok())
    }

    fn non_null<T>(&self, value: Option<T>) -> Result<T, DecodeError> {
        value.ok_or_else(|| self.error(DecodeErrorKind::UnexpectedNull))
    }

    fn string_or_null(&mut self, flexible: bool) -> Result<Option<String>, DecodeError> {
        let fixed = if flexible { None } else { Some(i32::from(self.i16()?)) };
        let Some(length) = self.length(fixed)? else { return Ok(None) };
        let too_long = self.error(DecodeErrorKind::InvalidLength(length as i64));
        if length > MAX_STRING_BYTES {
            return Err(too_long);
        }
        Ok(Some(decode_text(self.take(length)?).ok_or(too_long)?.into_owned()))
    }

    pub fn string(&mut self, flexible: bool) -> Result<String, DecodeError> {
        let value = self.string_or_null(flexible)?;
        self.non_null(value)
    }

    /// `nullable` says whether this version of the field allows null.
    pub fn nullable_string(
        &mut self,
        flexible: bool,
        nullable: bool,
    ) -> Result<Option<String>, DecodeError> {
        if nullable { self.string_or_null(flexible) } else { self.string(flexible).map(Some) }
    }

    fn bytes_or_null(&mut self, flexible: bool) -> Result<Option<Bytes>, DecodeError> {
        let fixed = if flexible { None } else { Some(self.i32()?) };
        let Some(length) = self.length(fixed)? else { return Ok(None) };
        let start = self.position;
        let slice = self.take(length)?;
        Ok(Some(match self.owner {
            Some(owner) => owner.slice(start..self.position),
            None => Bytes::copy_from_slice(slice),
        }))
    }

    pub fn bytes(&mut self, flexible: bool) -> Result<Bytes, DecodeError> {
        let value = self.bytes_or_null(flexible)?;
        self.non_null(value)
    }

    pub fn nullable_bytes(
        &mut self,
        flexible: bool,
        nullable: bool,
    ) -> Result<Option<Bytes>, DecodeError> {
        if nullable { self.bytes_or_null(flexible) } else { self.bytes(flexible).map(Some) }
    }

    /// A structure behind a byte that is negative for null.
    pub fn nullable_struct<T: Structure>(
        &mut self,
        version: i16,
        nullable: bool,
    ) -> Result<Option<T>, DecodeError> {
        if !nullable {
            return T::read(self, version).map(Some);
        }
        if self.i8()? < 0 { Ok(None) } else { T::read(self, version).map(Some) }
    }

    /// A structure in a tagged field, behind an unsigned varint that is zero for null.
    pub fn tagged_nullable_struct<T: Structure>(
        &mut self,
        version: i16,
    ) -> Result<Option<T>, DecodeError> {
        if self.uvarint()? == 0 { Ok(None) } else { T::read(self, version).map(Some) }
    }

    fn array_or_null<T: Element>(
        &mut self,
        flexible: bool,
        version: i16,
    ) -> Result<Option<Vec<T>>, DecodeError> {
        let fixed = if flexible { None } else { Some(self.i32()?) };
        let Some(count) = self.length(fixed)? else { return Ok(None) };
        if count > MAX_ARRAY_ELEMENTS {
            return Err(self.error(DecodeErrorKind::ArrayTooLong(count)));
        }
        // The bytes that the elements need at the very least must be here before anything is
        // allocated for them.
        let needed = count.saturating_mul(T::min_wire_bytes(flexible));
        if needed > self.remaining() {
            return Err(
                self.error(DecodeErrorKind::Truncated { needed, remaining: self.remaining() })
            );
        }
        let Some(left) = self.budget_bytes.checked_sub(count.saturating_mul(size_of::<T>())) else {
            return Err(self.error(DecodeErrorKind::OverBudget(DECODE_BUDGET_BYTES)));
        };
        self.budget_bytes = left;
        let first = count.min(FIRST_ALLOCATION_ELEMENTS);
        let mut elements = Vec::with_capacity(first);
        for _ in 0..first {
            elements.push(T::read_element(self, flexible, version)?);
        }
        if first < count {
            self.further_elements(&mut elements, count, flexible, version)?;
        }
        Ok(Some(elements))
    }

    /// Reads on up to `count` elements. There is never more room than for twice those that were
    /// read.
    #[cold]
    fn further_elements<T: Element>(
        &mut self,
        elements: &mut Vec<T>,
        count: usize,
        flexible: bool,
        version: i16,
    ) -> Result<(), DecodeError> {
        while elements.len() < count {
            let step = elements.len().min(count - elements.len());
            elements.reserve_exact(step);
            for _ in 0..step {
                elements.push(T::read_element(self, flexible, version)?);
            }
        }
        Ok(())
    }

    pub fn array<T: Element>(
        &mut self,
        flexible: bool,
        version: i16,
    ) -> Result<Vec<T>, DecodeError> {
        let value = self.array_or_null(flexible, version)?;
        self.non_null(value)
    }

    pub fn nullable_array<T: Element>(
        &mut self,
        flexible: bool,
        nullable: bool,
        version: i16,
    ) -> Result<Option<Vec<T>>, DecodeError> {
        if nullable {
            self.array_or_null(flexible, version)
        } else {
            self.array(flexible, version).map(Some)
        }
    }

    /// The tagged fields at the end of a structure: a count, then tag, size and content of each in
    /// ascending order of tags. `field` reads the content of a tag it knows and answers true;
    /// content of others is skipped.
    #[inline]
    pub fn tags(
        &mut self,
        field: impl FnMut(&mut Self, u32) -> Result<bool, DecodeError>,
    ) -> Result<(), DecodeError> {
        // As a rule there are none.
        match self.uvarint()? {
            0 => Ok(()),
            count => self.some_tags(count, field),
        }
    }

    fn some_tags(
        &mut self,
        count: u32,
        mut field: impl FnMut(&mut Self, u32) -> Result<bool, DecodeError>,
    ) -> Result<(), DecodeError> {
        if count > MAX_TAGGED_FIELDS {
            return Err(self.error(DecodeErrorKind::TooManyTags(count)));
        }
        let mut previous = None;
        for _ in 0..count {
            let tag = self.uvarint()?;
            if let Some(previous) = previous.replace(tag)
                && previous >= tag
            {
                return Err(self.error(DecodeErrorKind::TagsOutOfOrder { previous, tag }));
            }
            let announced = self.uvarint()? as usize;
            let start = self.position;
            self.take(announced)?;
            let after = self.position;
            self.position = start;
            let outer_end = std::mem::replace(&mut self.end, after);
            if !field(self, tag)? {
                self.position = after;
            } else if self.position != after {
                let used = self.position - start;
                return Err(self.error(DecodeErrorKind::TagSize { tag, announced, used }));
            }
            self.end = outer_end;
        }
        Ok(())
    }

    /// Tagged fields of a structure that knows none.
    #[inline]
    pub fn skip_tags(&mut self) -> Result<(), DecodeError> {
        self.tags(|_, _| Ok(false))
    }
}

/// What arrays are made of.
pub trait Element: Sized {
    /// The fewest bytes an element takes on the wire; never zero.
    fn min_wire_bytes(flexible: bool) -> usize;

    fn read_element(
        reader: &mut Reader<'_>,
        flexible: bool,
        version: i16,
    ) -> Result<Self, DecodeError>;

    fn write_element(
        &self,
        writer: &mut BytesMut,
        flexible: bool,
        version: i16,
    ) -> Result<(), EncodeError>;
}

impl<T: Structure> Element for T {
    fn min_wire_bytes(_flexible: bool) -> usize {
        T::MIN_WIRE_BYTES
    }

    fn read_element(
        reader: &mut Reader<'_>,
        _flexible: bool,
        version: i16,
    ) -> Result<Self, DecodeError> {
        T::read(reader, version)
    }

    fn write_element(
        &self,
        writer: &mut BytesMut,
        _flexible: bool,
        version: i16,
    ) -> Result<(), EncodeError> {
        self.write(writer, version)
    }
}

macro_rules! integer_elements {
    ($($type:ident $put:ident),*) => {$(
        impl Element for $type {
            fn min_wire_bytes(_flexible: bool) -> usize {
                size_of::<$type>()
            }

            fn read_element(reader: &mut Reader<'_>, _flexible: bool,
                _version: i16) -> Result<Self, DecodeError> {
                reader.$type()
            }

            fn write_element(&self, writer: &mut BytesMut, _flexible: bool,
                _version: i16) -> Result<(), EncodeError> {
                writer.$put(*self);
                Ok(())
            }
        }
    )*};
}

integer_elements!(i8 put_i8, i16 put_i16, u16 put_u16, i32 put_i32, i64 put_i64);

impl Element for Uuid {
    fn min_wire_bytes(_flexible: bool) -> usize {
        16
    }

    fn read_element(
        reader: &mut Reader<'_>,
        _flexible: bool,
        _version: i16,
    ) -> Result<Self, DecodeError> {
        reader.uuid()
    }

    fn write_element(
        &self,
        writer: &mut BytesMut,
        _flexible: bool,
        _version: i16,
    ) -> Result<(), EncodeError> {
        put_uuid(writer, *self);
        Ok(())
    }
}

impl Element for String {
    fn min_wire_bytes(flexible: bool) -> usize {
        if flexible { 1 } else { 2 }
    }

    fn read_element(
        reader: &mut Reader<'_>,
        flexible: bool,
        _version: i16,
    ) -> Result<Self, DecodeError> {
        reader.string(flexible)
    }

    fn write_element(
        &self,
        writer: &mut BytesMut,
        flexible: bool,
        _version: i16,
    ) -> Result<(), EncodeError> {
        put_string(writer, self, flexible)
    }
}

/// Refuses a value that a version cannot carry.
#[inline]
pub fn require(carried: bool, field: &'static str, version: i16) -> Result<(), EncodeError> {
    if carried { Ok(()) } else { Err(EncodeError::NotInVersion { field, version }) }
}

pub fn put_bool(writer: &mut BytesMut, value: bool) {
    writer.put_u8(u8::from(value));
}

pub fn put_uuid(writer: &mut BytesMut, value: Uuid) {
    writer.put_slice(&value.0);
}

#[inline]
pub fn put_uvarint(writer: &mut impl BufMut, mut value: u32) {
    while value >= 0x80 {
        writer.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    writer.put_u8(value as u8);
}

/// Zigzag.
pub fn put_varint(writer: &mut BytesMut, value: i32) {
    put_uvarint(writer, (value << 1 ^ value >> 31) as u32);
}

/// Zigzag.
pub fn put_varlong(writer: &mut BytesMut, value: i64) {
    let mut value = (value << 1 ^ value >> 63) as u64;
    while value >= 0x80 {
        writer.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    writer.put_u8(value as u8);
}

/// The `i32` or compact length of byte strings and arrays.
fn put_length(writer: &mut BytesMut, length: usize, flexible: bool) -> Result<(), EncodeError> {
    let fixed = i32::try_from(length).map_err(|_| EncodeError::TooLong(length))?;
    if flexible {
        put_uvarint(writer, fixed as u32 + 1);
    } else {
        writer.put_i32(fixed);
    }
    Ok(())
}

fn put_null(writer: &mut BytesMut, flexible: bool) {
    if flexible { writer.put_u8(0) } else { writer.put_i32(-1) }
}

pub fn put_string(
    writer: &mut impl BufMut,
    value: &str,
    flexible: bool,
) -> Result<(), EncodeError> {
    if value.len() > MAX_STRING_BYTES {
        return Err(EncodeError::TooLong(value.len()));
    }
    if flexible {
        put_uvarint(writer, value.len() as u32 + 1);
    } else {
        writer.put_i16(value.len() as i16);
    }
    writer.put_slice(value.as_bytes());
    Ok(())
}

pub fn put_nullable_string(
    writer: &mut impl BufMut,
    value: Option<&str>,
    flexible: bool,
) -> Result<(), EncodeError> {
    match value {
        Some(value) => put_string(writer, value, flexible)?,
        None if flexible => writer.put_u8(0),
        None => writer.put_i16(-1),
    }
    Ok(())
}

pub fn put_bytes(writer: &mut BytesMut, value: &[u8], flexible: bool) -> Result<(), EncodeError> {
    put_length(writer, value.len(), flexible)?;
    writer.put_slice(value);
    Ok(())
}

pub fn put_nullable_bytes(
    writer: &mut BytesMut,
    value: Option<&[u8]>,
    flexible: bool,
) -> Result<(), EncodeError> {
    match value {
        Some(value) => put_bytes(writer, value, flexible)?,
        None => put_null(writer, flexible),
    }
    Ok(())
}

pub fn put_array<T: Element>(
    writer: &mut BytesMut,
    value: &[T],
    flexible: bool,
    version: i16,
) -> Result<(), EncodeError> {
    put_length(writer, value.len(), flexible)?;
    value.iter().try_for_each(|element| element.write_element(writer, flexible, version))
}

pub fn put_nullable_array<T: Element>(
    writer: &mut BytesMut,
    value: Option<&[T]>,
    flexible: bool,
    version: i16,
) -> Result<(), EncodeError> {
    match value {
        Some(value) => put_array(writer, value, flexible, version)?,
        None => put_null(writer, flexible),
    }
    Ok(())
}

pub fn put_nullable_struct<T: Structure>(
    writer: &mut BytesMut,
    value: Option<&T>,
    version: i16,
) -> Result<(), EncodeError> {
    writer.put_i8(if value.is_some() { 1 } else { -1 });
    value.map_or(Ok(()), |value| value.write(writer, version))
}

pub fn put_tagged_nullable_struct<T: Structure>(
    writer: &mut BytesMut,
    value: Option<&T>,
    version: i16,
) -> Result<(), EncodeError> {
    put_uvarint(writer, u32::from(value.is_some()));
    value.map_or(Ok(()), |value| value.write(writer, version))
}

/// Tagged fields of a structure that has none to write.
pub fn put_no_tags(writer: &mut BytesMut) {
    writer.put_u8(0);
}

/// Collects a structure's tagged fields, whose number is written before the first of them.
#[derive(Default)]
pub struct Tags {
    count: u32,
    fields: BytesMut,
}

impl Tags {
    /// Adds a field; tags come in ascending order.
    pub fn put(
        &mut self,
        tag: u32,
        content: impl FnOnce(&mut BytesMut) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let mut bytes = BytesMut::new();
        content(&mut bytes)?;
        let size = u32::try_from(bytes.len()).map_err(|_| EncodeError::TooLong(bytes.len()))?;
        self.count += 1;
        put_uvarint(&mut self.fields, tag);
        put_uvarint(&mut self.fields, size);
        self.fields.put_slice(&bytes);
        Ok(())
    }

    pub fn finish(self, writer: &mut impl BufMut) {
        put_uvarint(writer, self.count);
        if self.count > 0 {
            writer.put_slice(&self.fields);
        }
    }
}
