//! One connection: a task that reads requests and one that sends replies.
//!
//! Owns: the transport, the receive buffer and the queue of unanswered requests. Lives on: one
//! core, from the first byte on. Never: blocks the core, buffers without a bound, or lets a reply
//! overtake another.
//!
//! Requests of one connection are worked on one after the other, as Apache Kafka does, with one
//! exception: produce requests overlap. A produce request takes its place in every log before the
//! next request is looked at; its reply follows when the data is safe. So a client with five
//! produce requests in flight waits for one group commit, not five.

use super::{dispatch, frame::Next, receive::Incoming, send};
use crate::{
    limits,
    memory::Use,
    request::{Client, CloseReason, FrameError},
    shard::Shard,
};
use std::rc::Rc;

/// One connection: its core, and its client.
#[derive(Clone)]
pub struct Connection {
    pub shard: Shard,
    pub client: Rc<Client>,
}

impl Connection {
    /// Serves the connection until either side ends it.
    pub async fn serve(&self) {
        let of_writer = self.clone();
        let writer =
            self.shard.ring.spawn_named("replies", async move { of_writer.write_loop().await });
        if let Err(reason) = self.read_loop().await {
            self.shard.say_closing(&self.client, &reason);
        }
        // What was answered before the end still goes out; a half-closed client may be waiting for
        // it.
        self.client
            .replies
            .changed
            .wait_until(|| self.client.replies.is_empty() || self.client.replies.is_closed())
            .await;
        self.client.replies.close();
        writer.await;
        self.client.transport.shutdown(&self.shard.ring);
    }

    async fn read_loop(&self) -> Result<(), CloseReason> {
        let configured_max = self.shard.config.network.request_max_bytes as usize;
        let memory_max = self.shard.clients.memory.plan().frame_max();
        let mut incoming = Incoming::default();
        loop {
            let next =
                incoming.next(configured_max.min(memory_max)).map_err(|error| match error {
                    FrameError::TooLarge { length, max_bytes } if max_bytes < configured_max => {
                        FrameError::NoRoom { length, max_bytes }
                    }
                    error => error,
                })?;
            match next {
                Next::Frame(frame) => {
                    let frame = incoming.taken(frame, &self.shard.clients.memory);
                    let (bytes, max) = (frame.len(), configured_max.min(memory_max));
                    assert!(bytes <= max, "a frame of {bytes} bytes is taken, the limit is {max}");
                    self.client.progress.frame_done(self.shard.ring.now());
                    self.wait_for_room(dispatch::request_cost(&frame)).await?;
                    if self.client.replies.is_closed() || self.shard.is_stopping() {
                        return Ok(());
                    }
                    dispatch::request(self, frame).await?;
                    if self.client.replies.muted_until() > self.shard.ring.now() {
                        // Boxed: idle connections have no room for what is rare.
                        Box::pin(self.stay_muted(&mut incoming)).await;
                    }
                }
                Next::Receive(room) => {
                    if incoming.make_room(self, room).await.is_none() {
                        return Ok(());
                    }
                    match incoming.receive(self, room).await {
                        Ok(0) | Err(_) => return Ok(()),
                        Ok(_) => {}
                    }
                }
            }
        }
    }

    /// Takes nothing more while the client is to wait for what it has used (KIP-219).
    async fn stay_muted(&self, incoming: &mut Incoming) {
        let (ring, replies) = (&self.shard.ring, &self.client.replies);
        loop {
            let left = replies.muted_until().since(ring.now());
            if left.is_zero() || replies.is_closed() {
                return;
            }
            let waiting = replies.waiting();
            let most = limits::CONNECTION_REQUESTS_IN_FLIGHT_MAX;
            assert!(waiting <= most, "{waiting} requests of a client that waits, {most} at most");
            incoming.pause(self);
            ring.timeout(left, replies.changed.wait_until(|| replies.is_closed())).await;
        }
    }

    /// Backpressure: while this connection or this core has too much unanswered, nothing more is
    /// read, and the client feels it through TCP. A connection with nothing in flight always gets a
    /// light request through, so that no connection starves, and a heavy one as soon as the core
    /// has nothing else in flight; but none while another core does not take what this one has for
    /// it.
    async fn wait_for_room(&self, (of, bytes): (Use, usize)) -> Result<(), CloseReason> {
        let (replies, memory) = (&self.client.replies, &self.shard.clients.memory);
        let most = memory.plan().decoded * limits::HEAVIEST_REQUEST_FACTOR;
        if of == Use::Decoded && bytes > most {
            return Err(CloseReason::Protocol(format!(
                "a request that may take {bytes} bytes, and memory.limit.bytes allows {most} for \
                 one"
            )));
        }
        let has_room = || replies.is_closed() || memory.has_room(of, bytes);
        let may_begin = || {
            (replies.is_empty() && replies.bytes() == 0)
                || (replies.len() < limits::CONNECTION_REQUESTS_IN_FLIGHT_MAX
                    && replies.bytes() + bytes <= memory.plan().connection
                    && has_room())
        };
        replies.changed.wait_until(|| may_begin() || replies.is_closed()).await;
        if bytes > limits::LIGHT_REQUEST_BYTES {
            memory.wait_for_requests(|| has_room() || memory.used(of) == 0).await;
        }
        self.shard.mailbox.room().await;
        Ok(())
    }

    async fn write_loop(&self) {
        let (mut parts, mut gathered) = (Vec::new(), Vec::new());
        loop {
            self.client
                .replies
                .changed
                .wait_until(|| {
                    self.client.replies.front_is_ready() || self.client.replies.is_closed()
                })
                .await;
            if self.client.replies.is_closed() && !self.client.replies.front_is_ready() {
                break;
            }
            // Replies that become ready in the same turn leave in one system call.
            self.shard.ring.end_of_turn().await;
            let taken_bytes = self.client.replies.take_ready(&mut parts, limits::SEND_BUFFERS_MAX);
            let sent =
                send::send(&self.shard.ring, &self.client, &mut parts, &mut gathered).await.ok();
            assert_eq!(parts.len(), 0, "{} parts are left of what was taken", parts.len());
            self.client.replies.sent(taken_bytes, sent);
            self.client.progress.sent_all(self.shard.ring.now());
            if sent.is_none() {
                break;
            }
            if parts.capacity().max(gathered.capacity()) > limits::SEND_PARTS_KEPT {
                (parts, gathered) = (Vec::new(), Vec::new());
            }
        }
        self.client.end(&self.shard.ring);
    }
}
