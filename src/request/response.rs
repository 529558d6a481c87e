//! From a response to the frame that goes onto the wire.
//!
//! Owns: nothing. Lives on: the core of the connection. Never: sends.

use super::{
    close::CloseReason,
    header::RequestIds,
    reply::{Reply, ReplyBlocks},
};
use crate::limits;
use bytes::{BufMut, BytesMut};
use protocol::{ApiKey, FRAME_LENGTH_BYTES, Message};

/// The beginning of a response frame: room for its length, and its header. The frame will rarely
/// need more than `usual_bytes`.
pub fn head(blocks: &ReplyBlocks, ids: RequestIds, usual_bytes: usize) -> BytesMut {
    let mut frame = blocks.buffer(usual_bytes);
    assert_eq!(frame.len(), 0, "a reply begins in a buffer with {} bytes", frame.len());
    frame.put_bytes(0, FRAME_LENGTH_BYTES);
    frame.put_i32(ids.correlation_id);
    let key = ApiKey::from_i16(ids.api_key).expect("a served API");
    if key.response_header_version(ids.api_version) >= 1 {
        frame.put_u8(0);
    }
    frame
}

/// A whole response frame. An error is ours: the response says what its version cannot; the client
/// gets a closed connection and the operator the reason.
pub fn encode<M: Message>(
    blocks: &ReplyBlocks,
    ids: RequestIds,
    response: &M,
) -> Result<Reply, CloseReason> {
    let mut frame = head(blocks, ids, limits::REPLY_MIN_BYTES);
    response.encode(&mut frame, ids.api_version).map_err(|error| {
        tracing::error!(api_key = ids.api_key, api_version = ids.api_version, %error, "a response \
            of ours does not encode");
        CloseReason::Protocol("an error of ours, see the line before".to_owned())
    })?;
    Ok(Reply::from_frame(frame))
}
