//! The parts of replies onto the transport of their connection, with as few calls as that takes.
//!
//! Owns: nothing. Lives on: the core of the connection. Never: decides which replies go, or changes
//! their order.

use crate::{
    limits,
    request::{Client, reply::ReplyPart},
};
use bytes::Bytes;
use ring::Ring;
use std::{future::Future, io};

/// Sends the parts in order; how many bytes they are. `gathered` lends its room. No `async fn`, as
/// the methods of [`crate::request::Transport`] are none.
pub fn send(
    ring: &Ring,
    client: &Client,
    parts: &mut Vec<ReplyPart>,
    gathered: &mut Vec<Bytes>,
) -> impl Future<Output = io::Result<u64>> {
    assert_eq!(gathered.len(), 0, "{} pieces are left of an earlier send", gathered.len());
    async move {
        let mut sent_bytes = 0;
        for part in parts.drain(..) {
            match part {
                ReplyPart::Bytes(bytes) | ReplyPart::Records(bytes) => {
                    if gathered.len() == limits::SEND_BUFFERS_MAX {
                        client.transport.send(ring, gathered).await?;
                    }
                    sent_bytes += bytes.len() as u64;
                    gathered.push(bytes);
                    let (pieces, most) = (gathered.len(), limits::SEND_BUFFERS_MAX);
                    assert!(pieces <= most, "{pieces} pieces go with one send, of at most {most}");
                }
                ReplyPart::File(range) => {
                    if !gathered.is_empty() {
                        client.transport.send(ring, gathered).await?;
                    }
                    sent_bytes += range.length;
                    client.transport.send_file(ring, client.replies.memory(), &range).await?;
                }
            }
        }
        if !gathered.is_empty() {
            client.transport.send(ring, gathered).await?;
        }
        Ok(sent_bytes)
    }
}

#[cfg(test)]
mod tests;
