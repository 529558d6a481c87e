//! What precedes a record's body in the metadata log and in the coordinators' topics. The enums
//! themselves, one variant per schema, are generated and come through [`RecordSet`].

use crate::message::{DecodeError, DecodeErrorKind, EncodeError};
use crate::metadata_records::MetadataRecord;
use crate::primitives::{Reader, put_uvarint};
use bytes::{BufMut, Bytes, BytesMut};

/// The only version of the metadata frame (KIP-631).
const METADATA_FRAME_VERSION: u32 = 1;

/// The version of every coordinator key's body: a key's two-byte prefix names its type, not a
/// version.
const KEY_VERSION: i16 = 0;

/// A closed set of record bodies told apart by their type (`apiKey` in the schemas).
pub(crate) trait RecordSet: Sized {
    const NAME: &'static str;

    fn record_type(&self) -> i16;

    /// None: the set has no such type.
    fn read_body(
        record_type: i16,
        reader: &mut Reader<'_>,
        version: i16,
    ) -> Result<Option<Self>, DecodeError>;

    fn write_body(&self, writer: &mut BytesMut, version: i16) -> Result<(), EncodeError>;
}

fn read_known<S: RecordSet>(
    record_type: i64,
    reader: &mut Reader<'_>,
    version: i16,
) -> Result<S, DecodeError> {
    let body = match i16::try_from(record_type) {
        Ok(record_type) => S::read_body(record_type, reader, version)?,
        Err(_) => None,
    };
    body.ok_or_else(|| {
        reader.error(DecodeErrorKind::UnknownRecordType { set: S::NAME, record_type })
    })
}

/// Key layout: `i16` record type, body. Bytes behind the body are ignored, as
/// `CoordinatorRecordSerde` does.
pub(crate) fn decode_key<S: RecordSet>(bytes: &[u8]) -> Result<S, DecodeError> {
    let mut reader = Reader::new(bytes);
    let record_type = reader.i16()?;
    read_known(i64::from(record_type), &mut reader, KEY_VERSION)
}

pub(crate) fn encode_key<S: RecordSet>(key: &S) -> Result<Bytes, EncodeError> {
    encode_prefixed(key, key.record_type(), KEY_VERSION)
}

/// Value layout: `i16` version, body; the key says of which type.
pub(crate) fn decode_value<S: RecordSet>(record_type: i16, bytes: &[u8]) -> Result<S, DecodeError> {
    let mut reader = Reader::new(bytes);
    let version = reader.i16()?;
    read_known(i64::from(record_type), &mut reader, version)
}

pub(crate) fn encode_value<S: RecordSet>(value: &S, version: i16) -> Result<Bytes, EncodeError> {
    encode_prefixed(value, version, version)
}

fn encode_prefixed<S: RecordSet>(
    body: &S,
    prefix: i16,
    version: i16,
) -> Result<Bytes, EncodeError> {
    let mut writer = BytesMut::new();
    writer.put_i16(prefix);
    body.write_body(&mut writer, version)?;
    Ok(writer.freeze())
}

impl MetadataRecord {
    /// Decodes a record value of the metadata log: frame version, type and version as unsigned
    /// varints, then the body and nothing more.
    pub fn decode_frame(bytes: &[u8]) -> Result<MetadataRecord, DecodeError> {
        let mut reader = Reader::new(bytes);
        let frame_version = reader.uvarint()?;
        if frame_version != METADATA_FRAME_VERSION {
            return Err(reader.error(DecodeErrorKind::UnknownFrameVersion(frame_version)));
        }
        let record_type = reader.uvarint()?;
        let version = reader.uvarint()?;
        // A version beyond i16 is unsupported like every other the schema lacks.
        let version = i16::try_from(version).unwrap_or(i16::MAX);
        let record = read_known(i64::from(record_type), &mut reader, version)?;
        reader.expect_end()?;
        Ok(record)
    }

    /// The inverse of [`Self::decode_frame`], with the body in `version`.
    pub fn encode_frame(&self, version: i16) -> Result<Bytes, EncodeError> {
        let mut writer = BytesMut::new();
        put_uvarint(&mut writer, METADATA_FRAME_VERSION);
        put_uvarint(&mut writer, self.record_type() as u32);
        put_uvarint(&mut writer, version as u32);
        self.write_body(&mut writer, version)?;
        Ok(writer.freeze())
    }
}
