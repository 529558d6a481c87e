//! Bytes of a file on their way from the disk, in one block.

use super::READ_BYTES;
use crate::{
    aligned::ALIGNMENT,
    executor::OpFuture,
    op::{Op, Outcome},
};
use bytes::{Buf, Bytes};
use std::io;

/// One direct read: what it asks the disk for, and which of that is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// Aligned.
    pub(super) offset: u64,
    /// Aligned, at most [`READ_BYTES`].
    pub(super) length: usize,
    /// Where the wanted bytes end.
    pub(super) end: u64,
}

impl Read {
    /// The read that brings the byte at `begin`, and those after it that fit and are before
    /// `limit`.
    pub(super) fn of(begin: u64, limit: u64) -> Self {
        assert!(begin < limit, "a read brings something");
        let alignment = ALIGNMENT as u64;
        let offset = begin - begin % alignment;
        let end = limit.min(offset + READ_BYTES as u64);
        let length = (end - offset).next_multiple_of(alignment) as usize;
        assert!(length <= READ_BYTES, "a read of {length} bytes does not fit in a block");
        Self { offset, length, end }
    }
}

/// The bytes of a file from `begin` to `end`.
pub(super) struct Piece {
    pub(super) begin: u64,
    pub(super) end: u64,
    state: State,
}

enum State {
    /// The wanted bytes come behind `skip` others.
    Reading {
        read: OpFuture,
        skip: usize,
    },
    Ready(Bytes),
}

impl Piece {
    pub(super) fn reading(begin: u64, read: &Read, future: OpFuture) -> Self {
        assert!(
            read.offset <= begin && begin < read.end,
            "{begin} is wanted of a read from {} to {}",
            read.offset,
            read.end
        );
        let read_end = read.offset + read.length as u64;
        assert!(read.end <= read_end, "a read up to {read_end} brings bytes up to {}", read.end);
        let skip = (begin - read.offset) as usize;
        Self { begin, end: read.end, state: State::Reading { read: future, skip } }
    }

    #[cfg(test)]
    pub(super) fn ready(begin: u64, bytes: Bytes) -> Self {
        Self { begin, end: begin + bytes.len() as u64, state: State::Ready(bytes) }
    }

    /// Lets go of the bytes before `position`.
    pub(super) fn skip_to(&mut self, position: u64) {
        assert!(
            (self.begin..=self.end).contains(&position),
            "{position} is in {}..{}",
            self.begin,
            self.end
        );
        let bytes = (position - self.begin) as usize;
        match &mut self.state {
            State::Reading { skip, .. } => *skip += bytes,
            State::Ready(ready) => ready.advance(bytes),
        }
        self.begin = position;
    }

    /// Waits until the bytes are there. The file may end before all of them; then so does the
    /// piece, and the answer is `false`. An error takes the piece's bytes with it.
    pub(super) async fn arrive(&mut self) -> io::Result<bool> {
        let State::Reading { read, skip } = &mut self.state else { return Ok(true) };
        let (op, result) = read.await;
        let skip = *skip;
        self.state = State::Ready(Bytes::new());
        let wanted = (self.end - self.begin) as usize;
        self.end = self.begin;
        let (Op::ReadDirect { block, .. }, Outcome::Size(size)) = (op, result?) else {
            panic!("a direct read answers with its size");
        };
        let length = block.bytes().len();
        assert!(size <= length as u64, "{size} bytes are read into a block of {length}");
        let there = (size as usize).saturating_sub(skip).min(wanted);
        if there > 0 {
            self.state = State::Ready(Bytes::from_owner(block).slice(skip..skip + there));
        }
        self.end += there as u64;
        Ok(there == wanted)
    }

    /// Takes the bytes before `limit`, which have arrived.
    pub(super) fn take_before(&mut self, limit: u64) -> Bytes {
        let State::Ready(bytes) = &mut self.state else { panic!("only what has arrived is taken") };
        let (begin, end) = (self.begin, self.end);
        assert!(begin <= limit, "the bytes before {limit} are taken of a piece from {begin} on");
        assert_eq!(bytes.len() as u64, end - begin, "a piece has the bytes that it tells of");
        let taken = bytes.split_to((self.end.min(limit) - self.begin) as usize);
        self.begin += taken.len() as u64;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_aligned_and_end_at_the_limit() {
        const BLOCK: u64 = READ_BYTES as u64;
        let of = |begin, limit| {
            let Read { offset, length, end } = Read::of(begin, limit);
            (offset, length as u64, end)
        };
        assert_eq!(of(0, 1), (0, 4096, 1));
        assert_eq!(of(4095, 4097), (0, 8192, 4097));
        assert_eq!(of(4096, 8192), (4096, 4096, 8192));
        assert_eq!(of(5000, 1 << 40), (4096, BLOCK, 4096 + BLOCK));
        assert_eq!(of(BLOCK, 2 * BLOCK), (BLOCK, BLOCK, 2 * BLOCK));
        assert_eq!(of(BLOCK - 1, 2 * BLOCK), (BLOCK - 4096, BLOCK, 2 * BLOCK - 4096));
    }

    #[test]
    fn a_piece_is_taken_in_parts() {
        let mut piece = Piece::ready(100, Bytes::from_static(b"0123456789"));
        piece.skip_to(102);
        assert_eq!(piece.take_before(105), &b"234"[..]);
        assert_eq!((piece.begin, piece.end), (105, 110));
        assert_eq!(piece.take_before(1000), &b"56789"[..]);
        assert_eq!((piece.begin, piece.end), (110, 110));
    }
}
