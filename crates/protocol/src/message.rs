//! What a message is: its name, its versions, how it is read and written, and what can go wrong
//! with either.

use crate::primitives::{MAX_ARRAY_ELEMENTS, MAX_TAGGED_FIELDS, Reader};
use bytes::BytesMut;

/// Bytes that are no valid message. `position` counts from the start of the bytes the reader was
/// given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at byte {position}: {kind}")]
pub struct DecodeError {
    pub position: usize,
    pub kind: DecodeErrorKind,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeErrorKind {
    #[error("{needed} bytes are announced, {remaining} are left")]
    Truncated { needed: usize, remaining: usize },
    #[error("a length of {0} is invalid")]
    InvalidLength(i64),
    #[error("an array of {0} elements is longer than the {max} that are \
        read", max = MAX_ARRAY_ELEMENTS)]
    ArrayTooLong(usize),
    #[error("{0} tagged fields are more than the {max} that are read", max = MAX_TAGGED_FIELDS)]
    TooManyTags(u32),
    #[error("null is not allowed here")]
    UnexpectedNull,
    #[error("a variable-length integer does not fit its type")]
    VarintTooLong,
    #[error("tagged field {tag} follows tagged field {previous}")]
    TagsOutOfOrder { previous: u32, tag: u32 },
    #[error("tagged field {tag} announced {announced} bytes and used {used}")]
    TagSize { tag: u32, announced: usize, used: usize },
    #[error("the decoded message would take more than {0} bytes of memory")]
    OverBudget(usize),
    #[error("{message} has no version {version}")]
    UnsupportedVersion { message: &'static str, version: i16 },
    #[error("{set} has no record type {record_type}")]
    UnknownRecordType { set: &'static str, record_type: i64 },
    #[error("frame version {0} is unknown")]
    UnknownFrameVersion(u32),
    #[error("{0} bytes follow the end of the message")]
    TrailingBytes(usize),
}

/// A message that its version cannot carry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    #[error("{message} has no version {version}")]
    UnsupportedVersion { message: &'static str, version: i16 },
    #[error("version {version} cannot carry the value of {field}")]
    NotInVersion { field: &'static str, version: i16 },
    #[error("{0} bytes or elements are more than the wire's length field can hold")]
    TooLong(usize),
}

/// A structure of the schemas, top-level or nested. `read` and `write` trust that `version` is
/// valid for the message they belong to; [`Message::decode`] and [`Message::encode`] check it.
pub trait Structure: Sized {
    /// The fewest bytes the structure takes on the wire in any version: bounds an array's length
    /// before it is allocated.
    const MIN_WIRE_BYTES: usize;

    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError>;

    fn write(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError>;
}

/// A top-level message. Tagged fields that the schemas do not know are skipped by `decode` and kept
/// nowhere.
pub trait Message: Structure {
    const NAME: &'static str;
    const MIN_VERSION: i16;
    const MAX_VERSION: i16;
    /// The first version with compact lengths and tagged fields (KIP-482), if there is one.
    const FLEXIBLE_FROM: Option<i16>;

    fn supports(version: i16) -> bool {
        (Self::MIN_VERSION..=Self::MAX_VERSION).contains(&version)
    }

    /// Reads one message and leaves the reader behind it.
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        if !Self::supports(version) {
            return Err(
                reader.error(DecodeErrorKind::UnsupportedVersion { message: Self::NAME, version })
            );
        }
        Self::read(reader, version)
    }

    /// Appends the message. On an error `writer` holds part of it and must be dropped or truncated.
    fn encode(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        if !Self::supports(version) {
            return Err(EncodeError::UnsupportedVersion { message: Self::NAME, version });
        }
        self.write(writer, version)
    }
}

pub trait Request: Message {
    const API_KEY: i16;
    type Response: Response;
}

pub trait Response: Message {
    const API_KEY: i16;
    type Request: Request;
}

/// Decodes bytes that hold one message and nothing else.
pub fn decode_exact<M: Message>(bytes: &[u8], version: i16) -> Result<M, DecodeError> {
    let mut reader = Reader::new(bytes);
    let message = M::decode(&mut reader, version)?;
    reader.expect_end()?;
    Ok(message)
}
