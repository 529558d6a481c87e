//! Sending bytes of files that are not in the page cache: read past it into blocks of our own, and
//! ahead of a reader that goes on and on.
//!
//! Owns: the blocks of one core and what was read ahead into them. Lives on: each core, above its
//! back-end. Never: evicts anything from the page cache, has more than [`BLOCKS_MAX`] blocks, or
//! makes a send wait for one: a send that finds none goes through the page cache.

mod ahead;
mod blocks;
mod piece;

use crate::{
    api::Ring,
    file::{File, Stable},
    net::Stream,
    op::{Op, Outcome},
};
use ahead::{Ahead, Pieces};
pub(crate) use blocks::Block;
use blocks::ColdBlocks;
use bytes::{Bytes, BytesMut};
use piece::{Piece, Read};
use std::{cell::RefCell, io, mem, ops::Range};

/// What one read brings.
pub(crate) const READ_BYTES: usize = 512 << 10;
/// Reads under way, or done and not sent yet, for one reader; what they bring beyond the range is
/// read ahead.
const READS_IN_FLIGHT: usize = 4;
/// Blocks of one core.
const BLOCKS_MAX: usize = 24;
/// Of these, how many may hold bytes that no reader has asked for yet.
const AHEAD_BLOCKS_MAX: usize = 16;
/// Readers whose next position is remembered.
const SEQUENCES_MAX: usize = 64;

/// What one core keeps for its cold reads.
#[derive(Default)]
pub(crate) struct Cold {
    blocks: ColdBlocks,
    ahead: RefCell<Ahead>,
    #[cfg(test)]
    pub(crate) reads: std::cell::Cell<usize>,
}

impl Cold {
    /// Forgets readers that were not seen since the last call, and gives back memory that no send
    /// wanted.
    pub(crate) fn release_idle(&self) {
        self.ahead.borrow_mut().release_idle();
        self.blocks.release_idle();
    }

    pub(crate) fn forget_all(&self) {
        let ahead = self.ahead.take();
        drop(ahead);
    }

    /// A block, if need be one of those that hold bytes that no reader has asked for yet.
    fn take_block(&self, length: usize, at_any_price: bool) -> Option<Block> {
        loop {
            let block = self.blocks.take(length);
            if block.is_some() || !at_any_price || !self.ahead.borrow_mut().give_up_oldest() {
                return block;
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn block_counts(&self) -> (usize, usize) {
        self.blocks.counts()
    }

    /// Lends all blocks, so that no other caller gets one.
    #[cfg(test)]
    pub(crate) fn take_all_blocks(&self) -> Vec<Block> {
        std::iter::from_fn(|| self.blocks.take(READ_BYTES)).collect()
    }
}

/// A stream that is ended if the future that sends on it is dropped: part of a message may have
/// gone.
struct Unfinished<'a> {
    ring: &'a Ring,
    stream: &'a Stream,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.ring.shutdown(self.stream);
    }
}

/// See [`Ring::send_file`].
pub(crate) async fn send_file(
    ring: &Ring,
    stream: &Stream,
    file: &File,
    range: Range<u64>,
    stable: Stable,
) -> io::Result<()> {
    let unfinished = Unfinished { ring, stream };
    // Before the pieces are looked for: a cut that comes in between voids them.
    let cuts = file.cuts();
    let found = ring.core.cold.ahead.borrow_mut().take(file, range.start);
    let mut transfer = Transfer {
        ring,
        stream,
        file,
        range,
        stable,
        cuts,
        is_sequential: found.is_some(),
        pieces: found.unwrap_or_default(),
    };
    let sent = transfer.send().await;
    let left = transfer.range.end - transfer.range.start;
    assert!(sent.is_err() || left == 0, "a range is sent, and {left} bytes of it are not");
    // An error is told, and what has become of the stream is the caller's to end.
    mem::forget(unfinished);
    sent
}

/// See [`Ring::read_past_cache`].
pub(crate) async fn read(ring: &Ring, file: &File, range: Range<u64>) -> io::Result<Bytes> {
    let Range { mut start, end } = range;
    let mut all = BytesMut::new();
    while start < end && file.can_read_directly() {
        let read = Read::of(start, end);
        let Some(block) = ring.core.cold.take_block(read.length, false) else { break };
        let op = Op::ReadDirect { file: file.clone(), block, offset: read.offset, done: 0 };
        let mut piece = Piece::reading(start, &read, ring.core.submit(op));
        let is_whole = match piece.arrive().await {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => false,
            arrived => arrived?,
        };
        let bytes = piece.take_before(end);
        if all.is_empty() && is_whole && start + bytes.len() as u64 == end {
            return Ok(bytes);
        }
        start += bytes.len() as u64;
        all.extend_from_slice(&bytes);
        if !is_whole {
            break;
        }
    }
    if start < end {
        let rest = ring.read_exact_at(file, start, (end - start) as usize).await?;
        all.unsplit(rest);
    }
    Ok(all.freeze())
}

/// The rest of one range, which is still to be sent.
struct Transfer<'a> {
    ring: &'a Ring,
    stream: &'a Stream,
    file: &'a File,
    range: Range<u64>,
    stable: Stable,
    /// The file's count of cuts before any of the pieces was read.
    cuts: u64,
    /// The range begins where an earlier one ended, so that the next will begin where this one
    /// ends.
    is_sequential: bool,
    /// Without a gap from the beginning of the range on.
    pieces: Pieces,
}

impl Transfer<'_> {
    async fn send(&mut self) -> io::Result<()> {
        if self.pieces.is_empty() {
            self.send_from_cache(false).await?;
        }
        if self.range.is_empty() {
            return Ok(());
        }
        // In a box, because most connections never send anything that is cold.
        Box::pin(self.send_cold()).await
    }

    /// Sends what the page cache has, or what can be brought there.
    async fn send_from_cache(&mut self, through_cache: bool) -> io::Result<()> {
        let (socket, file) = (self.stream.inner.clone(), self.file.clone());
        let (offset, length) = (self.range.start, self.range.end - self.range.start);
        let send = Op::SendFile { socket, file, offset, length, through_cache };
        let Outcome::Size(sent) = self.ring.core.submit(send).await.1? else {
            panic!("a transfer answers with what it has sent");
        };
        assert!(
            sent <= length && (sent == length || !through_cache),
            "{sent} of {length} bytes were sent"
        );
        self.range.start += sent;
        Ok(())
    }

    async fn send_cold(&mut self) -> io::Result<()> {
        if self.file.can_read_directly() {
            self.send_directly().await?;
        }
        if !self.range.is_empty() {
            return self.send_from_cache(true).await;
        }
        let pieces = mem::take(&mut self.pieces);
        self.ring.core.cold.ahead.borrow_mut().put(self.file, self.cuts, self.range.end, pieces);
        Ok(())
    }

    /// Sends all of it, or as much as can be had this way.
    async fn send_directly(&mut self) -> io::Result<()> {
        self.read_on();
        while !self.range.is_empty() {
            let Some(piece) = self.pieces.front_mut() else { return Ok(()) };
            assert_eq!(piece.begin, self.range.start, "pieces follow one another");
            let is_whole = match piece.arrive().await {
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => false,
                Err(error) => {
                    self.ring.shutdown(self.stream);
                    return Err(error);
                }
                Ok(is_whole) => is_whole,
            };
            let bytes = piece.take_before(self.range.end);
            if piece.begin == piece.end {
                self.pieces.pop_front();
            }
            self.range.start += bytes.len() as u64;
            let (start, end) = (self.range.start, self.range.end);
            assert!(start <= end, "a range that ends at {end} is sent up to {start}");
            if is_whole {
                self.read_on();
            } else {
                self.pieces.clear();
            }
            if !bytes.is_empty() {
                self.ring.send(self.stream, vec![bytes]).await?;
            }
            if !is_whole {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Begins reads behind those that were begun, beyond the range only for who is likely to ask
    /// for it, and never what may change.
    fn read_on(&mut self) {
        let core = &self.ring.core;
        let may_go_beyond = self.is_sequential && self.stable.cuts == self.cuts;
        let limit =
            if may_go_beyond { self.stable.until.max(self.range.end) } else { self.range.end };
        let mut begin = self.pieces.back().map_or(self.range.start, |piece| piece.end);
        while begin < limit && self.pieces.len() < READS_IN_FLIGHT {
            if begin >= self.range.end && core.cold.ahead.borrow().room() < READS_IN_FLIGHT {
                return;
            }
            let read = Read::of(begin, limit);
            // With a single block one gets on.
            let needs_one = self.pieces.is_empty() && !self.range.is_empty();
            let Some(block) = core.cold.take_block(read.length, needs_one) else { return };
            #[cfg(test)]
            core.cold.reads.set(core.cold.reads.get() + 1);
            let op =
                Op::ReadDirect { file: self.file.clone(), block, offset: read.offset, done: 0 };
            self.pieces.push_back(Piece::reading(begin, &read, core.submit(op)));
            assert!(begin < read.end, "a read from {begin} ends at {}", read.end);
            begin = read.end;
        }
        let reads = self.pieces.len();
        assert!(reads <= READS_IN_FLIGHT, "{reads} reads are under way for one reader");
    }
}
