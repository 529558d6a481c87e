//! Request headers, viewed in place: every request begins with one, so it is not decoded into owned
//! fields.
//!
//! Source: RequestHeader.json, KIP-482 (tagged fields from header version 2 on).

use protocol::{DecodeError, Reader, Text};

/// What a request is, and how its reply is matched to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestIds {
    pub api_key: i16,
    pub api_version: i16,
    pub correlation_id: i32,
}

impl RequestIds {
    /// The ids stand at the same place in every header version. A frame has at least 8 bytes (see
    /// `frame.rs`).
    pub fn of(frame: &[u8]) -> RequestIds {
        assert!(frame.len() >= 8, "a frame of {} bytes was cut, 8 are the least", frame.len());
        RequestIds {
            api_key: i16::from_be_bytes([frame[0], frame[1]]),
            api_version: i16::from_be_bytes([frame[2], frame[3]]),
            correlation_id: i32::from_be_bytes([frame[4], frame[5], frame[6], frame[7]]),
        }
    }
}

/// Reads the header, leaves `reader` at the request's body and returns the client id. The client id
/// keeps its old two-byte length in every header version.
pub fn read<'a>(
    reader: &mut Reader<'a>,
    header_version: i16,
) -> Result<Option<Text<'a>>, DecodeError> {
    let (_api_key, _api_version, _correlation_id) = (reader.i16()?, reader.i16()?, reader.i32()?);
    let client_id = if header_version >= 1 { Text::read_nullable(reader, false)? } else { None };
    if header_version >= 2 {
        reader.skip_tags()?;
    }
    Ok(client_id)
}
