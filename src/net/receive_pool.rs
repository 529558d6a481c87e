//! Blocks of memory that busy connections receive into, used again once nobody holds any of their bytes.
//!
//! Owns: a handle to each block that it has lent, by which the block is found free again; the bytes belong to the frames
//! cut from it, and to the tail of the log after them. Lives on: one core. Never: waits for a block, or has more of them
//! than [`limits::RECEIVE_BLOCKS_MAX`]; beyond, a connection gets memory of its own.
//!
//! Fresh memory costs more than what is done with it: the kernel clears each page at its first touch. Blocks come back in
//! about the order in which they were lent, because the tail gives up the oldest bytes first.

use crate::limits;
use bytes::BytesMut;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

/// How many of the blocks lent longest ago are looked at for one that is free.
const TRIES: usize = 4;

#[derive(Default)]
pub struct ReceivePool {
    /// Empty views of the blocks, in the order in which they were lent.
    blocks: RefCell<VecDeque<BytesMut>>,
    /// A block was wanted since the last look at idle ones.
    wanted: Cell<bool>,
}

impl ReceivePool {
    /// `buffer` with room for `least` bytes more behind what it holds. A large buffer comes from the pool, and then has all
    /// the room of a block.
    pub fn with_room(&self, mut buffer: BytesMut, least: usize) -> BytesMut {
        let whole = buffer.len() + least;
        if buffer.capacity() >= whole {
            return buffer;
        }
        if !(limits::RECEIVE_POOLED_MIN_BYTES..=limits::RECEIVE_BLOCK_BYTES).contains(&whole) {
            buffer.reserve(least);
            return buffer;
        }
        let Some(mut block) = self.take() else {
            buffer.reserve(least);
            return buffer;
        };
        block.extend_from_slice(&buffer);
        block
    }

    fn take(&self) -> Option<BytesMut> {
        self.wanted.set(true);
        let mut blocks = self.blocks.borrow_mut();
        let tries = TRIES.min(blocks.len());
        let free = (0..tries).find(|index| blocks[*index].try_reclaim(limits::RECEIVE_BLOCK_BYTES));
        let mut block = match free {
            Some(index) => blocks.remove(index).expect("an index into the queue"),
            None if blocks.len() < limits::RECEIVE_BLOCKS_MAX => BytesMut::with_capacity(limits::RECEIVE_BLOCK_BYTES),
            None => return None,
        };
        blocks.push_back(block.split_to(0));
        Some(block)
    }

    /// Gives the blocks that are free back to the system, unless one was wanted since the last call.
    pub fn release_idle(&self) {
        if !self.wanted.replace(false) {
            self.blocks.borrow_mut().retain_mut(|block| !block.try_reclaim(limits::RECEIVE_BLOCK_BYTES));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A full block, cut into two frames.
    fn block(pool: &ReceivePool) -> (BytesMut, BytesMut, *const u8) {
        let mut block = pool.with_room(BytesMut::new(), limits::RECEIVE_POOLED_MIN_BYTES);
        let at = block.as_ptr();
        assert!(block.capacity() >= limits::RECEIVE_BLOCK_BYTES);
        block.resize(limits::RECEIVE_BLOCK_BYTES, 7);
        (block.split_to(100), block, at)
    }

    #[test]
    fn a_block_is_used_again_when_its_last_byte_is_let_go_and_not_before() {
        let pool = ReceivePool::default();
        let (first, rest, at) = block(&pool);
        drop(rest);
        let kept = first.freeze().slice(10..20);
        assert_ne!(block(&pool).2, at, "ten bytes are still held");
        drop(kept);
        let again = block(&pool);
        assert_eq!(again.2, at, "the block lent longest ago is the first to come back");
    }

    #[test]
    fn what_a_buffer_holds_moves_into_the_block() {
        let pool = ReceivePool::default();
        let buffer = pool.with_room(BytesMut::from(&b"abc"[..]), limits::RECEIVE_POOLED_MIN_BYTES);
        assert_eq!((&buffer[..], pool.blocks.borrow().len()), (&b"abc"[..], 1));
        let small = pool.with_room(BytesMut::new(), limits::RECEIVE_POOLED_MIN_BYTES - 1);
        let large = pool.with_room(small, limits::RECEIVE_BLOCK_BYTES + 1);
        assert!(large.capacity() > limits::RECEIVE_BLOCK_BYTES);
        assert_eq!(pool.blocks.borrow().len(), 1, "neither small nor very large buffers are blocks");
    }

    #[test]
    fn the_pool_is_bounded_and_empties_when_idle() {
        let pool = ReceivePool::default();
        let held: Vec<_> = (0..limits::RECEIVE_BLOCKS_MAX + 3).map(|_| block_or_own(&pool)).collect();
        assert_eq!(pool.blocks.borrow().len(), limits::RECEIVE_BLOCKS_MAX);
        pool.release_idle();
        pool.release_idle();
        assert_eq!(pool.blocks.borrow().len(), limits::RECEIVE_BLOCKS_MAX, "what is held stays");
        drop(held);
        pool.release_idle();
        assert!(pool.blocks.borrow().is_empty());
    }

    fn block_or_own(pool: &ReceivePool) -> BytesMut {
        let buffer = pool.with_room(BytesMut::new(), limits::RECEIVE_POOLED_MIN_BYTES);
        assert!(buffer.capacity() >= limits::RECEIVE_POOLED_MIN_BYTES);
        buffer
    }
}
