//! Blocks of memory of one size, used again once no slice of their bytes is left.
//!
//! Owns: a handle to each block that it has lent, by which the block is found free again; the bytes
//! belong to the holders of slices of them. Lives on: one core; slices may be dropped on any.
//! Never: waits for a block, or has more of them than it was told.
//!
//! Fresh memory costs more than the work that is done with it: the kernel clears each page at its
//! first touch. Blocks come back in about the order in which they were lent where the oldest bytes
//! are let go first, as in the tail of a log.

use bytes::BytesMut;
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
};

/// How many of the blocks lent longest ago are looked at for one that is free.
const TRIES: usize = 4;

pub struct BufferPool {
    block_bytes: usize,
    blocks_max: usize,
    /// Empty views of the blocks, in the order in which they were lent.
    lent: RefCell<VecDeque<BytesMut>>,
    /// A block was wanted since the last look at idle ones.
    wanted: Cell<bool>,
}

impl BufferPool {
    pub fn new(block_bytes: usize, blocks_max: usize) -> Self {
        assert!(block_bytes > 0, "blocks without bytes are lent without end");
        Self { block_bytes, blocks_max, lent: RefCell::default(), wanted: Cell::new(false) }
    }

    /// An empty block with room for `block_bytes`; `None` when all that there may be are in use.
    pub fn take(&self) -> Option<BytesMut> {
        self.wanted.set(true);
        let mut lent = self.lent.borrow_mut();
        // Where no further block may be made, all are worth a look.
        let tries = if lent.len() < self.blocks_max { TRIES.min(lent.len()) } else { lent.len() };
        let free = (0..tries).find(|index| lent[*index].try_reclaim(self.block_bytes));
        let mut block = match free {
            Some(index) => lent.remove(index).expect("an index into the queue"),
            None if lent.len() < self.blocks_max => BytesMut::with_capacity(self.block_bytes),
            None => return None,
        };
        lent.push_back(block.split_to(0));
        let (blocks, most) = (lent.len(), self.blocks_max);
        assert!(blocks <= most, "{blocks} blocks of at most {most}");
        assert!(block.is_empty(), "a block that is lent holds {} bytes", block.len());
        assert!(
            block.capacity() >= self.block_bytes,
            "a block of {} bytes has room for {}",
            self.block_bytes,
            block.capacity()
        );
        Some(block)
    }

    /// Gives the blocks that are free back to the system, unless one was wanted since the last
    /// call.
    pub fn release_idle(&self) {
        if !self.wanted.replace(false) {
            self.release_free();
        }
    }

    /// Gives the blocks that are free back to the system.
    pub fn release_free(&self) {
        self.lent.borrow_mut().retain_mut(|block| !block.try_reclaim(self.block_bytes));
    }

    /// Whether [`BufferPool::take`] would find one.
    pub fn has_free(&self) -> bool {
        let mut lent = self.lent.borrow_mut();
        lent.len() < self.blocks_max
            || lent.iter_mut().any(|block| block.try_reclaim(self.block_bytes))
    }

    /// Memory in blocks: lent, or free and kept.
    pub fn size_bytes(&self) -> usize {
        self.lent.borrow().len() * self.block_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: usize = 4096;

    /// A full block, cut in two, and where it lies.
    fn block(pool: &BufferPool) -> (BytesMut, BytesMut, *const u8) {
        let mut block = pool.take().unwrap();
        let at = block.as_ptr();
        assert!(block.capacity() >= BYTES);
        block.resize(BYTES, 7);
        (block.split_to(100), block, at)
    }

    #[test]
    fn a_block_is_used_again_when_its_last_byte_is_let_go_and_not_before() {
        let pool = BufferPool::new(BYTES, 10);
        let (first, rest, at) = block(&pool);
        drop(rest);
        let kept = first.freeze().slice(10..20);
        assert_ne!(block(&pool).2, at, "ten bytes are still held");
        assert_eq!(&kept[..], [7; 10]);
        drop(kept);
        assert_eq!(block(&pool).2, at, "the block lent longest ago is the first to come back");
    }

    #[test]
    fn a_full_pool_finds_the_one_block_that_is_free() {
        let pool = BufferPool::new(BYTES, 20);
        let mut held: Vec<_> = (0..20).map(|_| pool.take().unwrap()).collect();
        assert!(!pool.has_free() && pool.take().is_none());
        let at = held.remove(TRIES * 3).as_ptr();
        assert!(pool.has_free());
        assert_eq!(
            pool.take().map(|block| block.as_ptr()),
            Some(at),
            "however many were lent before it"
        );
        pool.release_free();
        assert_eq!(pool.size_bytes(), 19 * BYTES, "what was taken and dropped at once went back");
    }

    #[test]
    fn the_pool_is_bounded_and_empties_when_idle() {
        let pool = BufferPool::new(BYTES, 3);
        let held: Vec<_> = (0..3).map(|_| pool.take().unwrap()).collect();
        assert!(pool.take().is_none());
        pool.release_idle();
        pool.release_idle();
        assert_eq!(pool.lent.borrow().len(), 3, "blocks that are held stay");
        drop(held);
        assert!(pool.take().is_some());
        pool.release_idle();
        assert_eq!(pool.lent.borrow().len(), 3, "one was wanted a moment ago");
        pool.release_idle();
        assert!(pool.lent.borrow().is_empty());
    }
}
