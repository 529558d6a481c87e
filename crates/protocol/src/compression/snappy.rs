//! Snappy in pieces: raw blocks, and snappy-java's stream of them.
//!
//! Owns: the block that is being unpacked or packed. Lives on: the core that works on the batch.
//! Never: unpacks a large block at once. The `snap` crate has no way to stop within a block, so
//! those are read here element by element (layout: format_description.txt of google/snappy).

use std::rc::Rc;

use bytes::BytesMut;

use super::{
    Compression, CompressionError, SNAPPY_BLOCK_BYTES, SNAPPY_MAX_RATIO, XERIAL_HEADER_BYTES,
    XERIAL_MAGIC, malformed, pack_snappy_block,
};

/// Blocks that unpack to this much are unpacked at once, by the library. Kafka's Java clients make
/// blocks of 32 KiB.
const AT_ONCE_BYTES: usize = 128 * 1024;

pub(super) struct Snappy {
    input: Rc<BytesMut>,
    at: usize,
    is_stream: bool,
    /// A raw block is all there is.
    has_block: bool,
    block: Block,
    /// What all blocks so far claim to unpack to.
    claimed_bytes: usize,
}

/// A block, as far as it is unpacked: later parts of it refer to earlier ones.
#[derive(Default)]
struct Block {
    /// Where it ends in the input.
    end: usize,
    size_bytes: usize,
    unpacked: Vec<u8>,
    given_bytes: usize,
}

fn bad(detail: &str) -> CompressionError {
    malformed(Compression::Snappy, detail)
}

impl Snappy {
    pub fn new(input: Rc<BytesMut>, from: usize) -> Result<Snappy, CompressionError> {
        let is_stream = input[from..].starts_with(&XERIAL_MAGIC);
        if is_stream && input.len() - from < XERIAL_HEADER_BYTES {
            return Err(bad("its stream header is cut off"));
        }
        Ok(Snappy {
            input,
            at: from,
            is_stream,
            has_block: false,
            block: Block::default(),
            claimed_bytes: 0,
        })
    }

    /// Fills `piece`, or what `input_bytes` of the input and the block at their end give: how much
    /// that is, and whether there may be more.
    pub fn fill(
        &mut self,
        piece: &mut [u8],
        input_bytes: usize,
        limit_bytes: usize,
    ) -> Result<(usize, bool), CompressionError> {
        let (mut len, began) = (0, self.at);
        while len < piece.len() && self.at - began < input_bytes {
            if self.block.given_bytes == self.block.size_bytes && !self.next_block(limit_bytes)? {
                return Ok((len, false));
            }
            let block = &mut self.block;
            let wanted = (block.given_bytes + piece.len() - len).min(block.size_bytes);
            block.unpack(&self.input, &mut self.at, wanted)?;
            let ready = &block.unpacked[block.given_bytes..wanted];
            piece[len..len + ready.len()].copy_from_slice(ready);
            len += ready.len();
            block.given_bytes = wanted;
        }
        Ok((len, true))
    }

    /// Begins the next block; none is left when it says `false`.
    fn next_block(&mut self, limit_bytes: usize) -> Result<bool, CompressionError> {
        // Streams that were joined carry their header again.
        let header = &self.input[self.at..];
        if self.is_stream
            && header.starts_with(&XERIAL_MAGIC)
            && header.len() >= XERIAL_HEADER_BYTES
        {
            self.at += XERIAL_HEADER_BYTES;
        }
        let rest = &self.input[self.at..];
        if rest.is_empty() && (self.is_stream || self.has_block) {
            return Ok(false);
        }
        self.has_block = true;
        let block = if self.is_stream {
            let (len, after) =
                rest.split_first_chunk::<4>().ok_or_else(|| bad("a block length is cut off"))?;
            let len = usize::try_from(i32::from_be_bytes(*len)).ok();
            self.at += 4;
            len.and_then(|len| after.get(..len))
                .ok_or_else(|| bad("a block is longer than the data"))?
        } else {
            rest
        };
        let claim = snap::raw::decompress_len(block)
            .map_err(|error| malformed(Compression::Snappy, error))?;
        self.claimed_bytes = self.claimed_bytes.saturating_add(claim);
        if self.claimed_bytes > limit_bytes {
            return Err(CompressionError::OverLimit { limit_bytes });
        }
        if claim > block.len().saturating_mul(SNAPPY_MAX_RATIO) {
            return Err(bad("a block claims more than it can hold"));
        }
        let mut unpacked = std::mem::take(&mut self.block.unpacked);
        unpacked.clear();
        let end = self.at + block.len();
        if claim <= AT_ONCE_BYTES {
            unpacked.resize(claim, 0);
            let written = snap::raw::Decoder::new().decompress(block, &mut unpacked);
            let written = written.map_err(|error| malformed(Compression::Snappy, error))?;
            unpacked.truncate(written);
            self.at = end;
        } else {
            unpacked.reserve_exact(claim);
            // The claim is a varint.
            self.at += block.iter().take_while(|byte| **byte >= 0x80).count() + 1;
        }
        self.block = Block { end, size_bytes: claim, unpacked, given_bytes: 0 };
        Ok(true)
    }
}

impl Block {
    /// Unpacks until there are at least `wanted` bytes.
    fn unpack(
        &mut self,
        input: &[u8],
        at: &mut usize,
        wanted: usize,
    ) -> Result<(), CompressionError> {
        let input = &input[..self.end];
        while self.unpacked.len() < wanted {
            self.element(input, at)
                .ok_or_else(|| bad("an element of a block is malformed or cut off"))?;
        }
        if self.unpacked.len() == self.size_bytes && *at != self.end {
            return Err(bad("a block holds more than it claims"));
        }
        Ok(())
    }

    /// Unpacks one element: a literal, or a copy of at most 64 bytes of what came before.
    fn element(&mut self, input: &[u8], at: &mut usize) -> Option<()> {
        let mut number = |bytes: usize| {
            let found = input.get(*at..*at + bytes)?;
            *at += bytes;
            Some(found.iter().rev().fold(0usize, |number, byte| number << 8 | usize::from(*byte)))
        };
        let tag = number(1)?;
        let room = self.size_bytes - self.unpacked.len();
        let (len, offset) = match tag & 3 {
            0 => {
                let len = match tag >> 2 {
                    short @ ..60 => short,
                    long => number(long - 59)?,
                };
                let len = len.checked_add(1).filter(|len| *len <= room)?;
                self.unpacked.extend_from_slice(input.get(*at..)?.get(..len)?);
                *at += len;
                return Some(());
            }
            1 => (4 + (tag >> 2 & 7), (tag >> 5) << 8 | number(1)?),
            2 => (1 + (tag >> 2), number(2)?),
            _ => (1 + (tag >> 2), number(4)?),
        };
        let from = self.unpacked.len().checked_sub(offset).filter(|_| offset > 0 && len <= room)?;
        if offset >= len {
            self.unpacked.extend_from_within(from..from + len);
        } else {
            // It repeats what it makes itself.
            for index in from..from + len {
                self.unpacked.push(self.unpacked[index]);
            }
        }
        Some(())
    }
}

/// snappy-java's stream in the making.
pub(super) struct XerialEncoder {
    output: Vec<u8>,
    block: Vec<u8>,
    encoder: snap::raw::Encoder,
}

impl XerialEncoder {
    pub fn new(mut output: Vec<u8>) -> XerialEncoder {
        super::put_xerial_header(&mut output);
        XerialEncoder {
            output,
            block: Vec::with_capacity(SNAPPY_BLOCK_BYTES),
            encoder: snap::raw::Encoder::new(),
        }
    }

    pub fn write(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let room = SNAPPY_BLOCK_BYTES - self.block.len();
            let (now, later) = piece.split_at(room.min(piece.len()));
            self.block.extend_from_slice(now);
            piece = later;
            if self.block.len() == SNAPPY_BLOCK_BYTES {
                self.end_block();
            }
        }
    }

    fn end_block(&mut self) {
        pack_snappy_block(&mut self.encoder, &self.block, &mut self.output);
        self.block.clear();
    }

    pub fn output_bytes(&self) -> usize {
        self.output.len()
    }

    pub fn finish(mut self) -> Vec<u8> {
        if !self.block.is_empty() {
            self.end_block();
        }
        self.output
    }
}
