//! The parts of replies onto the transport of their connection, with as few calls as that takes.
//!
//! Owns: nothing. Lives on: the core of the connection. Never: decides which replies go, or changes
//! their order.

use crate::{
    limits,
    memory::Memory,
    request::{FileRange, Transport, reply::ReplyPart},
};
use bytes::Bytes;
use ring::Ring;
use std::{io, rc::Rc};

/// Sends the parts in order; how many bytes they are. `gathered` lends its room.
pub async fn send(
    ring: &Ring,
    transport: &Transport,
    memory: &Rc<Memory>,
    parts: &mut Vec<ReplyPart>,
    gathered: &mut Vec<Bytes>,
) -> io::Result<u64> {
    let mut sent_bytes = 0;
    assert_eq!(gathered.len(), 0, "{} pieces are left of an earlier send", gathered.len());
    for part in parts.drain(..) {
        match part {
            ReplyPart::Bytes(bytes) | ReplyPart::Records(bytes) => {
                if gathered.len() == limits::SEND_BUFFERS_MAX {
                    transport.send(ring, gathered).await?;
                }
                sent_bytes += bytes.len() as u64;
                gathered.push(bytes);
            }
            ReplyPart::File { file, position, length, stable } => {
                if !gathered.is_empty() {
                    transport.send(ring, gathered).await?;
                }
                sent_bytes += length;
                let range = FileRange { file, position, length, stable };
                transport.send_file(ring, memory, range).await?;
            }
        }
    }
    if !gathered.is_empty() {
        transport.send(ring, gathered).await?;
    }
    Ok(sent_bytes)
}

#[cfg(test)]
mod tests;
