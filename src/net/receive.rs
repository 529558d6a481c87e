//! What one connection receives into: small memory of its own, a block of the core's pool, or room
//! for one large frame.
//!
//! Owns: the receive buffer. Lives on: the core of the connection. Never: takes more memory than
//! its core's plan has; it waits for some, and its client feels that through TCP.
//!
//! Why the waits end: a frame that fits into a block needs one block, and each block comes back: a
//! request ends without another one, the tail gives its blocks up, readers that do not read and
//! frames that do not come on are ended (`shard/relief.rs`), and at most half of the blocks wait
//! for frames that have not begun. Large frames queue before they have more than the beginning of
//! theirs; the first has its turn when those before it are gone, and the plan has room for the
//! largest one alone.

use super::{
    conn::Connection,
    frame::{self, Next, Room},
};
use crate::{
    limits,
    memory::{Charge, Memory},
    request::FrameError,
};
use bytes::BytesMut;
use protocol::FRAME_LENGTH_BYTES;
use std::{io, rc::Rc};

/// How often a connection that finds no block asks the tail for one before it waits.
const TAIL_TRIES: usize = 4;

pub struct Incoming {
    buffer: BytesMut,
    /// It lies in a block of the pool.
    in_block: bool,
    /// Room for the large frame that has begun.
    large: Option<Charge>,
    /// It waits for its next frame without a block, because enough others have one for that.
    waits_small: bool,
    /// What the connection usually sends at once.
    receive_bytes: usize,
    /// The largest frame that it has sent lately.
    largest_frame: usize,
}

impl Default for Incoming {
    fn default() -> Incoming {
        Incoming {
            buffer: BytesMut::new(),
            in_block: false,
            large: None,
            waits_small: false,
            receive_bytes: limits::RECEIVE_MIN_BYTES,
            largest_frame: 0,
        }
    }
}

/// The room that a large frame gets, when `needed` bytes of it are there or may come next: the
/// frame's size divided by 4, as often as that is enough. So the last step copies a quarter of it
/// at most, and a promise costs what has come.
fn large_step(frame_bytes: usize, needed: usize) -> usize {
    let mut step = frame_bytes;
    while step.div_ceil(4) >= needed {
        step = step.div_ceil(4);
    }
    step
}

impl Incoming {
    pub fn next(&mut self, max_bytes: usize) -> Result<Next, FrameError> {
        frame::next(&mut self.buffer, self.receive_bytes, self.largest_frame, max_bytes)
    }

    /// Takes note of a frame that was cut off.
    pub fn taken(&mut self, mut frame: BytesMut, memory: &Memory) -> BytesMut {
        // What was large once is forgotten after some smaller ones.
        self.largest_frame = frame.len().max(self.largest_frame - self.largest_frame / 8);
        if let Some(charge) = self.large.take() {
            let (whole, block) = (FRAME_LENGTH_BYTES + frame.len(), limits::RECEIVE_BLOCK_BYTES);
            assert!(whole > block, "{whole} bytes have room of their own, and fit into {block}");
            memory.keep_large(&mut frame, charge);
            // There is no room behind it, and the rest of the buffer must not keep it in memory.
            self.buffer = BytesMut::from(&self.buffer[..]);
            self.in_block = false;
        }
        frame
    }

    /// Makes room for what comes next, and waits for it if need be. `None`: the connection ends.
    pub async fn make_room(&mut self, connection: &Connection, room: Room) -> Option<()> {
        let (held, missing) = (self.buffer.len(), room.missing());
        if missing > 0 && held + missing > limits::RECEIVE_BLOCK_BYTES {
            return self.make_large_room(connection, held + missing, missing).await;
        }
        assert!(
            held <= limits::RECEIVE_BLOCK_BYTES,
            "{held} bytes of a frame that fits into {}",
            limits::RECEIVE_BLOCK_BYTES
        );
        assert!(self.large.is_none(), "a frame of {missing} more bytes has room of its own");
        let mut least = room.least.min(limits::RECEIVE_BLOCK_BYTES - held);
        self.waits_small =
            self.buffer.is_empty() && !connection.shard.clients.memory.may_idle_in_block();
        if self.waits_small {
            least = limits::RECEIVE_MIN_BYTES;
            if self.in_block {
                (self.buffer, self.in_block) = (BytesMut::new(), false);
            }
        }
        let whole = held + least;
        if self.buffer.capacity() >= whole {
            return Some(());
        }
        if whole < limits::RECEIVE_POOLED_MIN_BYTES {
            self.buffer.reserve(least);
            self.in_block = false;
            return Some(());
        }
        let needs_block = held + missing >= limits::RECEIVE_POOLED_MIN_BYTES;
        let block = connection.shard.clients.receive_blocks.take();
        if block.is_none() && !needs_block {
            // Less will do, and comes at once.
            self.buffer.reserve(missing.max(limits::RECEIVE_MIN_BYTES));
            (self.in_block, self.waits_small) = (false, missing == 0);
            return Some(());
        }
        let mut block = match block {
            Some(block) => block,
            None => wait_for_block(connection).await?,
        };
        assert_eq!(block.len(), 0, "a block of the pool has {} bytes already", block.len());
        assert!(block.capacity() >= whole, "{whole} bytes for a block of {}", block.capacity());
        block.extend_from_slice(&self.buffer);
        (self.buffer, self.in_block) = (block, true);
        Some(())
    }

    async fn make_large_room(
        &mut self,
        connection: &Connection,
        whole: usize,
        missing: usize,
    ) -> Option<()> {
        // Before any memory is given to it: the length was held to the limit when it was read.
        let most = connection.shard.clients.memory.plan().frame_max() + FRAME_LENGTH_BYTES;
        assert!(whole <= most, "room for a frame of {whole} bytes, the limit is {most}");
        if self.large.is_none() {
            self.large = Some(room_for_large(connection, whole).await?);
        }
        let needed = self.buffer.len() + missing.min(limits::RECEIVE_MIN_BYTES);
        if self.buffer.capacity() < needed {
            let step = large_step(whole, needed);
            assert!((needed..=whole).contains(&step), "{step} bytes for {needed} of {whole}");
            let mut larger = BytesMut::with_capacity(step);
            larger.extend_from_slice(&self.buffer);
            (self.buffer, self.in_block) = (larger, false);
        }
        Some(())
    }

    /// Nothing is received for a while: what it holds of the pool goes back, or has the connection
    /// ended where others wait for it.
    pub fn pause(&mut self, connection: &Connection) {
        if self.buffer.is_empty() && self.large.is_none() {
            (self.buffer, self.in_block) = (BytesMut::new(), false);
        }
        let (has, room) = (self.buffer.len(), self.buffer.capacity());
        assert!(has <= room, "{has} bytes are received into {room}");
        let is_held = self.in_block || self.large.is_some();
        connection.client.progress.begin(if is_held { self.buffer.capacity() } else { 0 });
    }

    /// Receives into the room that was made.
    pub async fn receive(&mut self, connection: &Connection, room: Room) -> io::Result<usize> {
        let (shard, spare) = (&connection.shard, self.buffer.capacity() - self.buffer.len());
        let most = if self.waits_small { spare } else { room.most(spare) };
        assert!(most <= spare, "{most} bytes are asked for, there is room for {spare}");
        let is_held = (self.in_block || self.large.is_some()) && !self.buffer.is_empty();
        connection.client.progress.begin(if is_held { self.buffer.capacity() } else { 0 });
        let idle =
            (self.in_block && self.buffer.is_empty()).then(|| shard.clients.memory.idle_in_block());
        let transport = &connection.client.transport;
        let received =
            transport.recv(&shard.ring, &mut self.buffer, room.awaited(most), most).await;
        drop(idle);
        let bytes = received?;
        if bytes >= self.receive_bytes {
            self.receive_bytes = (self.receive_bytes * 2).min(limits::RECEIVE_MAX_BYTES);
        } else if bytes < self.receive_bytes / 4 {
            self.receive_bytes = (self.receive_bytes / 2).max(limits::RECEIVE_MIN_BYTES);
        }
        assert!(
            (limits::RECEIVE_MIN_BYTES..=limits::RECEIVE_MAX_BYTES).contains(&self.receive_bytes),
            "a connection receives {} bytes at once",
            self.receive_bytes
        );
        connection.client.progress.received(bytes, shard.ring.now());
        Ok(bytes)
    }
}

/// A block of the pool, which has none just now.
async fn wait_for_block(connection: &Connection) -> Option<BytesMut> {
    let shard = &connection.shard;
    let (pool, memory) = (&shard.clients.receive_blocks, &shard.clients.memory);
    // What was received longest ago is probably the tail's.
    for _ in 0..TAIL_TRIES {
        if shard.data.tail.give_up(limits::RECEIVE_BLOCK_BYTES) == 0 {
            break;
        }
        if let Some(block) = pool.take() {
            return Some(block);
        }
    }
    let _waiting = memory.wait_for_block();
    until(connection, || pool.take()).await
}

/// Room for a frame that is larger than a block, when it is its turn.
async fn room_for_large(connection: &Connection, frame_bytes: usize) -> Option<Charge> {
    let place = connection.shard.clients.memory.queue_large();
    until(connection, || place.take(frame_bytes)).await
}

/// What `take` gives, asked now and whenever memory may have become free. `None`: the connection
/// ends.
async fn until<T>(connection: &Connection, take: impl Fn() -> Option<T>) -> Option<T> {
    let (memory, ring): (&Rc<Memory>, _) =
        (&connection.shard.clients.memory, &connection.shard.ring);
    loop {
        let freed = memory.freed.notified();
        if connection.client.replies.is_closed() || connection.shard.is_stopping() {
            return None;
        }
        if let Some(taken) = take() {
            if connection.client.progress.waits_for_memory() {
                connection.client.progress.wait_for_memory(false, ring.now());
            }
            return Some(taken);
        }
        connection.client.progress.wait_for_memory(true, ring.now());
        freed.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_frame_grows_with_what_has_come_and_copies_a_quarter_at_most() {
        for frame_bytes in [(1 << 20) + 20_000, 10 << 20, 90_000_000, 104_857_600] {
            let (mut has, mut steps, mut last) = (100_000, 0, 0);
            while has < frame_bytes {
                let step = large_step(frame_bytes, has + 4096.min(frame_bytes - has));
                assert!(
                    step > has && step <= frame_bytes && step <= 4 * (has + 4096) + 4,
                    "{step} for {has}"
                );
                assert!(
                    step < frame_bytes || has <= frame_bytes.div_ceil(4),
                    "{has} are copied into {step}"
                );
                (has, last, steps) = (step, step, steps + 1);
            }
            assert_eq!(last, frame_bytes, "it ends with room for exactly the frame");
            assert!(steps <= 6);
        }
    }
}
