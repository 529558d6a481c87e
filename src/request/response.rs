//! From a response to the frame that goes onto the wire.
//!
//! Owns: nothing. Lives on: the core of the connection. Never: sends.

use super::{
    close::{CloseReason, ResponseError, TooLarge},
    header::RequestIds,
    reply::{Reply, ReplyBlocks},
};
use crate::limits;
use bytes::{BufMut, BytesMut};
use protocol::{ApiKey, FRAME_LENGTH_BYTES, Message};

/// The length of the frame, its correlation id, and, from version 1 of the header on, the number of
/// tagged fields, of which there are none.
const HEAD_MAX_BYTES: usize = FRAME_LENGTH_BYTES + 4 + 1;

/// The beginning of a response frame: room for its length, and its header. The frame will rarely
/// need more than `usual_bytes`.
pub fn head(blocks: &ReplyBlocks, ids: RequestIds, usual_bytes: usize) -> BytesMut {
    let mut frame = blocks.buffer(usual_bytes);
    assert_eq!(frame.len(), 0, "a reply begins in a buffer with {} bytes", frame.len());
    let key = ApiKey::from_i16(ids.api_key).expect("a served API");
    let mut head = [0; HEAD_MAX_BYTES];
    head[FRAME_LENGTH_BYTES..][..4].copy_from_slice(&ids.correlation_id.to_be_bytes());
    let has_tags = key.response_header_version(ids.api_version) >= 1;
    frame.put_slice(&head[..HEAD_MAX_BYTES - usize::from(!has_tags)]);
    frame
}

/// Why a connection ends that the response to a request of it cannot go over.
pub fn unsendable(ids: RequestIds, error: ResponseError) -> CloseReason {
    CloseReason::Response { key: ids.api_key, version: ids.api_version, error }
}

/// A whole response frame. With an error the client gets a closed connection and the operator the
/// reason: the response says what its version cannot, or has more than one response may.
pub fn encode<M: Message>(
    blocks: &ReplyBlocks,
    ids: RequestIds,
    response: &M,
) -> Result<Reply, CloseReason> {
    let mut frame = head(blocks, ids, limits::REPLY_MIN_BYTES);
    response.encode(&mut frame, ids.api_version).map_err(|error| unsendable(ids, error.into()))?;
    TooLarge::check(frame.len(), limits::RESPONSE_MAX_BYTES)
        .and_then(|()| Reply::from_frame(frame))
        .map_err(|error| unsendable(ids, error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::messages::{
        DescribeGroupsResponse,
        describe_groups_response::{DescribedGroup, DescribedGroupMember},
    };

    fn refused(group: DescribedGroup) -> String {
        let ids = RequestIds { api_key: 15, api_version: 6, correlation_id: 1 };
        let response = DescribeGroupsResponse { groups: vec![group], ..Default::default() };
        let encoded = encode(&ReplyBlocks::default(), ids, &response);
        encoded.expect_err("a response that cannot be sent").to_string()
    }

    #[test]
    fn a_response_that_cannot_be_sent_closes_its_connection_and_says_why() {
        let member_assignment = vec![0; limits::RESPONSE_MAX_BYTES].into();
        let member = DescribedGroupMember { member_assignment, ..Default::default() };
        let large = refused(DescribedGroup { members: vec![member], ..Default::default() });
        let begins = "API key 15 version 6: the response cannot be sent: ";
        assert!(large.starts_with(&format!("{begins}it has 104857")), "{large}");
        assert!(large.ends_with("at most 104857600 may be: ask for less at once"), "{large}");
        let long = refused(DescribedGroup { group_id: "x".repeat(1 << 15), ..Default::default() });
        assert!(long.starts_with(&format!("{begins}32768 bytes or elements are more")), "{long}");
    }
}
