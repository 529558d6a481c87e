//! What the hand-written responses of Produce and Fetch share beyond [`crate::primitives`].

use bytes::{BufMut, BytesMut};

use crate::primitives::{
    MAX_STRING_BYTES, Tags, put_nullable_string, put_string, put_uuid, put_uvarint,
};
use crate::uuid::Uuid;

/// Who leads a partition, for a client that asked the wrong broker (KIP-951).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaderIdAndEpoch {
    pub leader_id: i32,
    pub leader_epoch: i32,
}

impl LeaderIdAndEpoch {
    pub(crate) fn write(self, out: &mut BytesMut) {
        out.put_i32(self.leader_id);
        out.put_i32(self.leader_epoch);
        put_no_tags(out, true);
    }
}

/// Where a broker listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeEndpoint<'a> {
    pub node_id: i32,
    pub host: &'a str,
    pub port: i32,
    pub rack: Option<&'a str>,
}

#[inline]
pub(crate) fn put_array_length(out: &mut impl BufMut, count: usize, flexible: bool) {
    let count = i32::try_from(count).expect("the request that asked for this fits a frame");
    if flexible { put_uvarint(out, count as u32 + 1) } else { out.put_i32(count) }
}

pub(crate) fn put_topic(out: &mut BytesMut, name: &str, id: Uuid, flexible: bool, by_id: bool) {
    if by_id {
        put_uuid(out, id);
    } else {
        put_string(out, name, flexible).expect("topic names are short");
    }
}

/// A message for people: cut where the wire's limit is.
pub(crate) fn put_text(out: &mut impl BufMut, text: Option<&str>, flexible: bool) {
    let text = text.map(|text| &text[..text.floor_char_boundary(MAX_STRING_BYTES)]);
    put_nullable_string(out, text, flexible).expect("cut to the limit");
}

#[inline]
pub(crate) fn put_no_tags(out: &mut impl BufMut, flexible: bool) {
    if flexible {
        out.put_u8(0);
    }
}

/// Adds a tagged field whose content cannot fail.
pub(crate) fn put_tag(tags: &mut Tags, tag: u32, content: impl FnOnce(&mut BytesMut)) {
    let result = tags.put(tag, |out| {
        content(out);
        Ok(())
    });
    result.expect("a tagged field of ours is short");
}

/// The tagged fields of a response whose tag 0 is NodeEndpoints.
pub(crate) fn put_node_endpoints(out: &mut BytesMut, endpoints: &[NodeEndpoint<'_>]) {
    let mut tags = Tags::default();
    if !endpoints.is_empty() {
        put_tag(&mut tags, 0, |out| {
            put_array_length(out, endpoints.len(), true);
            for endpoint in endpoints {
                out.put_i32(endpoint.node_id);
                put_text(out, Some(endpoint.host), true);
                out.put_i32(endpoint.port);
                put_text(out, endpoint.rack, true);
                put_no_tags(out, true);
            }
        });
    }
    tags.finish(out);
}
