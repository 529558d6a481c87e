//! One connection: a task that reads requests and one that sends replies.
//!
//! Owns: the socket, the receive buffer and the queue of unanswered requests. Lives on: one core, from the first byte on.
//! Never: blocks the core, buffers without a bound, or lets a reply overtake another.
//!
//! Requests of one connection are worked on one after the other, as Apache Kafka does, with one exception: produce
//! requests overlap. A produce request takes its place in every log before the next request is looked at; its reply
//! follows when the data is safe. So a client with five produce requests in flight waits for one group commit, not five.

use super::{
    dispatch,
    frame::{self, Next},
    reply::{Replies, ReplyPart},
};
use crate::{limits, shard::Shard};
use bytes::{Bytes, BytesMut};
use ring::{BlockPool, Instant, Stream, signal::Signal};
use std::{cell::Cell, cell::RefCell, io, rc::Rc};

/// What handlers know about the connection that a request came from.
pub struct Connection {
    pub shard: Shard,
    pub number: u64,
    pub stream: Stream,
    /// The listener it came in by (index into the configured ones): decides which address Metadata advertises.
    pub listener: usize,
    pub replies: Rc<Replies>,
    /// A partition that its fetch watches has moved.
    pub moved: Rc<Signal>,
    /// The last time that bytes came or went, for `connections.max.idle.ms`.
    pub last_active: Cell<Instant>,
    /// Name and version of the client software (KIP-511), once it has said them.
    pub software: RefCell<(String, String)>,
}

/// Why a connection ends before its client wants it to. Goes to the log, at a bounded rate.
#[derive(Debug, thiserror::Error)]
pub enum CloseReason {
    #[error(transparent)]
    Frame(#[from] frame::FrameError),
    #[error("API key {key} version {version}: {error}")]
    Decode { key: i16, version: i16, error: protocol::DecodeError },
    #[error("API key {key} version {version} is not served")]
    Unserved { key: i16, version: i16 },
    #[error("{0}")]
    Protocol(String),
}

impl Connection {
    /// The name of the listener that the client came in by.
    pub fn listener_name(&self) -> &str {
        &self.shard.config.listeners[self.listener].name
    }

    /// Tells this connection from the others of its core.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Ends it for something that a handler has found after the request was taken.
    pub fn close(&self, reason: &CloseReason) {
        self.say_closing(reason);
        self.replies.close();
        self.shard.ring.shutdown(&self.stream);
    }

    fn say_closing(&self, reason: &CloseReason) {
        self.shard.bad_input.say(self.shard.ring.now(), || format!("closing {}: {reason}", self.stream.peer_addr()));
    }

    /// Serves the connection until either side ends it.
    pub async fn serve(self: Rc<Self>) {
        let writer = self.shard.ring.spawn_named("replies", self.clone().write_loop());
        if let Err(reason) = self.read_loop().await {
            self.say_closing(&reason);
        }
        // What was answered before the end still goes out; a half-closed client may be waiting for it.
        self.replies.changed.wait_until(|| self.replies.is_empty() || self.replies.is_closed()).await;
        self.replies.close();
        writer.await;
        self.shard.ring.shutdown(&self.stream);
    }

    async fn read_loop(self: &Rc<Self>) -> Result<(), CloseReason> {
        let max_bytes = self.shard.config.network.request_max_bytes as usize;
        let mut buffer = BytesMut::new();
        let (mut receive_bytes, mut largest_frame) = (limits::RECEIVE_MIN_BYTES, 0);
        loop {
            match frame::next(&mut buffer, receive_bytes, largest_frame, max_bytes)? {
                Next::Frame(frame) => {
                    // What was large once is forgotten after some smaller ones.
                    largest_frame = frame.len().max(largest_frame - largest_frame / 8);
                    self.wait_for_room(frame.len()).await;
                    if self.replies.is_closed() || self.shard.is_stopping() {
                        return Ok(());
                    }
                    dispatch::request(self, frame).await?;
                }
                Next::Receive(room) => {
                    buffer = with_room(&self.shard.receive_blocks, buffer, room.least);
                    let most = room.most(buffer.capacity() - buffer.len());
                    let (received, back) =
                        self.shard.ring.recv_at_least(&self.stream, buffer, room.awaited(most), most).await;
                    buffer = back;
                    match received {
                        Ok(0) | Err(_) => return Ok(()),
                        Ok(n) if n >= receive_bytes => {
                            receive_bytes = (receive_bytes * 2).min(limits::RECEIVE_MAX_BYTES)
                        }
                        Ok(n) if n < receive_bytes / 4 => {
                            receive_bytes = (receive_bytes / 2).max(limits::RECEIVE_MIN_BYTES)
                        }
                        Ok(_) => {}
                    }
                    self.last_active.set(self.shard.ring.now());
                }
            }
        }
    }

    /// Backpressure: while this connection or this core has too much unanswered, nothing more is read, and the client
    /// feels it through TCP. A connection with nothing in flight always gets through, so that nobody starves.
    async fn wait_for_room(&self, frame_bytes: usize) {
        let has_room = || {
            let (mine, all) = (self.replies.bytes(), self.shard.bytes_in_flight.get());
            self.replies.is_closed()
                || self.replies.is_empty()
                || (self.replies.len() < limits::CONNECTION_REQUESTS_IN_FLIGHT_MAX
                    && mine + frame_bytes <= limits::CONNECTION_BYTES_IN_FLIGHT_MAX
                    && all + frame_bytes <= limits::SHARD_BYTES_IN_FLIGHT_MAX)
        };
        self.replies.changed.wait_until(has_room).await;
    }

    async fn write_loop(self: Rc<Self>) {
        let (mut parts, mut gathered) = (Vec::new(), Vec::new());
        loop {
            self.replies.changed.wait_until(|| self.replies.front_is_ready() || self.replies.is_closed()).await;
            if self.replies.is_closed() && !self.replies.front_is_ready() {
                break;
            }
            // Replies that become ready in the same turn leave in one system call.
            self.shard.ring.end_of_turn().await;
            let taken_bytes = self.replies.take_ready(&mut parts, limits::SEND_BUFFERS_MAX);
            let sent = self.send(&mut parts, &mut gathered).await;
            self.replies.sent(taken_bytes);
            self.last_active.set(self.shard.ring.now());
            if sent.is_err() {
                break;
            }
        }
        self.replies.close();
        self.shard.ring.shutdown(&self.stream);
    }

    /// Sends the parts in order, with as few calls as that takes. `gathered` lends its room.
    async fn send(&self, parts: &mut Vec<ReplyPart>, gathered: &mut Vec<Bytes>) -> io::Result<()> {
        let ring = &self.shard.ring;
        for part in parts.drain(..) {
            match part {
                ReplyPart::Bytes(bytes) => {
                    if gathered.len() == limits::SEND_BUFFERS_MAX {
                        ring.send_gathered(&self.stream, gathered).await?;
                    }
                    gathered.push(bytes);
                }
                ReplyPart::File { file, position, length, stable } => {
                    if !gathered.is_empty() {
                        ring.send_gathered(&self.stream, gathered).await?;
                    }
                    ring.send_file(&self.stream, &file, position, length, stable).await?;
                }
            }
        }
        if gathered.is_empty() { Ok(()) } else { ring.send_gathered(&self.stream, gathered).await }
    }
}

/// `buffer` with room for `least` bytes more behind what it holds. A large buffer is a block of the pool where one is
/// free, and then has all the room of a block.
fn with_room(blocks: &BlockPool, mut buffer: BytesMut, least: usize) -> BytesMut {
    let whole = buffer.len() + least;
    if buffer.capacity() < whole
        && (limits::RECEIVE_POOLED_MIN_BYTES..=limits::RECEIVE_BLOCK_BYTES).contains(&whole)
        && let Some(mut block) = blocks.take()
    {
        block.extend_from_slice(&buffer);
        return block;
    }
    buffer.reserve(least);
    buffer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_buffers_are_blocks_and_keep_what_they_hold() {
        const LARGE: usize = limits::RECEIVE_POOLED_MIN_BYTES;
        let blocks = BlockPool::new(limits::RECEIVE_BLOCK_BYTES, 1);
        let small = with_room(&blocks, BytesMut::new(), LARGE - 1);
        assert!(small.capacity() < limits::RECEIVE_BLOCK_BYTES);
        let block = with_room(&blocks, BytesMut::from(&b"abc"[..]), LARGE);
        assert_eq!((&block[..], block.capacity()), (&b"abc"[..], limits::RECEIVE_BLOCK_BYTES));
        let own = with_room(&blocks, BytesMut::from(&b"abc"[..]), LARGE);
        assert!(own.capacity() >= 3 + LARGE, "a pool without a block does not keep anybody waiting");
        assert!(
            with_room(&blocks, BytesMut::new(), limits::RECEIVE_BLOCK_BYTES + 1).capacity()
                > limits::RECEIVE_BLOCK_BYTES
        );
    }
}
