//! The same codecs in pieces, so that a large batch never keeps a core to itself.
//!
//! Owns: what a codec remembers between two pieces. Lives on: the core that works on the batch.
//! Never: takes much more than the piece it was asked for, or holds all of what it unpacks (but for
//! one raw snappy block, which is its own window).

use std::io::{self, BufReader, Read, Write};
use std::rc::Rc;

use bytes::BytesMut;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use lz4_flex::frame::{FrameDecoder, FrameEncoder};

use super::snappy::{Snappy, XerialEncoder};
use super::{
    Compression, CompressionError, check_readable, gzip_level, lz4_frame, lz4_high_encoder,
    lz4_high_level, malformed, memory, more_than_a_member,
};

/// What one call of [`Unpacking::next`] reads at most: a few bytes may hold a thousand empty
/// frames.
const INPUT_BYTES_AT_ONCE: usize = 64 * 1024;
/// The codecs read through a buffer of this size.
const INPUT_BUFFER_BYTES: usize = 16 * 1024;
/// The size that is worth unpacking at once: some tens of microseconds, and more with gzip.
pub const PIECE_BYTES: usize = 64 * 1024;
const IN_MEMORY: &str = "writing to memory does not fail";

/// Bytes of a shared buffer, read up to an allowance; beyond it a read would block.
struct Input {
    bytes: Rc<BytesMut>,
    at: usize,
    allowance: usize,
}

impl Input {
    fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let rest = &self.bytes[self.at..];
        let len = rest.len().min(into.len()).min(self.allowance);
        if len == 0 && !rest.is_empty() && !into.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        into[..len].copy_from_slice(&rest[..len]);
        self.at += len;
        self.allowance -= len;
        Ok(len)
    }
}

/// Compressed bytes on their way to being unpacked.
pub struct Unpacking {
    source: Source,
    unpacked_bytes: usize,
    limit_bytes: usize,
}

enum Source {
    Plain(Input),
    Gzip(Box<GzDecoder<BufReader<Input>>>),
    Snappy(Box<Snappy>),
    Lz4(Box<FrameDecoder<Input>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, BufReader<Input>>>),
}

impl Unpacking {
    /// Begins to unpack what `bytes` hold from `from` on, to at most `limit_bytes`.
    pub fn new(
        codec: Compression,
        bytes: Rc<BytesMut>,
        from: usize,
        limit_bytes: usize,
    ) -> Result<Self, CompressionError> {
        check_readable(codec, &bytes[from..])?;
        let input = Input { bytes, at: from, allowance: INPUT_BYTES_AT_ONCE };
        let buffered = |input| BufReader::with_capacity(INPUT_BUFFER_BYTES, input);
        let source = match codec {
            Compression::None => Source::Plain(input),
            Compression::Gzip => Source::Gzip(Box::new(GzDecoder::new(buffered(input)))),
            Compression::Snappy => Source::Snappy(Box::new(Snappy::new(input.bytes, from)?)),
            Compression::Lz4 => Source::Lz4(Box::new(FrameDecoder::new(input))),
            Compression::Zstd => {
                let window_log_max = memory::zstd_window_log_max(&input.bytes[from..]);
                let decoder = zstd::stream::read::Decoder::with_buffer(buffered(input)).and_then(
                    |mut decoder| {
                        decoder.window_log_max(window_log_max)?;
                        Ok(decoder)
                    },
                );
                Source::Zstd(Box::new(decoder.map_err(|error| malformed(codec, error))?))
            }
        };
        Ok(Self { source, unpacked_bytes: 0, limit_bytes })
    }

    /// Puts the next piece, of at most `most_bytes`, in place of what `piece` held; it may be empty
    /// before the end. Says whether there may be more.
    pub fn next(
        &mut self,
        piece: &mut Vec<u8>,
        most_bytes: usize,
    ) -> Result<bool, CompressionError> {
        piece.resize(most_bytes, 0);
        let (len, more) = match &mut self.source {
            Source::Plain(input) => {
                input.allowance = usize::MAX;
                fill(piece, |into| input.read(into), Compression::None)?
            }
            Source::Gzip(decoder) => {
                decoder.get_mut().get_mut().allowance = INPUT_BYTES_AT_ONCE;
                let filled = fill(piece, |into| decoder.read(into), Compression::Gzip)?;
                let unread = decoder.get_ref();
                if !(filled.1 || unread.buffer().is_empty() && unread.get_ref().is_at_end()) {
                    return Err(more_than_a_member());
                }
                filled
            }
            Source::Zstd(decoder) => {
                decoder.get_mut().get_mut().allowance = INPUT_BYTES_AT_ONCE;
                fill(piece, |into| decoder.read(into), Compression::Zstd)?
            }
            // Its decoder does not go on after a read that would block; but its blocks are not
            // empty, and end a read.
            Source::Lz4(decoder) => {
                decoder.get_mut().allowance = usize::MAX;
                let began = decoder.get_ref().at;
                let mut room = 0;
                loop {
                    let read = decoder
                        .read(&mut piece[room..])
                        .map_err(|error| malformed(Compression::Lz4, error))?;
                    room += read;
                    if read == 0
                        || room == most_bytes
                        || decoder.get_ref().at - began >= INPUT_BYTES_AT_ONCE
                    {
                        break (room, read > 0);
                    }
                }
            }
            Source::Snappy(snappy) => snappy.fill(piece, INPUT_BYTES_AT_ONCE, self.limit_bytes)?,
        };
        piece.truncate(len);
        self.unpacked_bytes += len;
        if self.unpacked_bytes > self.limit_bytes {
            return Err(CompressionError::OverLimit { limit_bytes: self.limit_bytes });
        }
        Ok(more)
    }
}

/// Fills `piece` as far as `read` goes without blocking: how far that is, and whether there may be
/// more.
fn fill(
    piece: &mut [u8],
    mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
    codec: Compression,
) -> Result<(usize, bool), CompressionError> {
    let mut len = 0;
    while len < piece.len() {
        match read(&mut piece[len..]) {
            Ok(0) => return Ok((len, false)),
            Ok(more) => len += more,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(malformed(codec, error)),
        }
    }
    Ok((len, true))
}

/// Bytes on their way to being packed, behind what the output held before.
pub struct Packing {
    sink: Sink,
    /// Bytes after which the codec is to give out what it holds back; else it decides by itself.
    flush_bytes: Option<usize>,
    held_back_bytes: usize,
}

enum Sink {
    Plain(Vec<u8>),
    Gzip(Box<GzEncoder<Vec<u8>>>),
    Snappy(Box<XerialEncoder>),
    Lz4(Box<FrameEncoder<Vec<u8>>>),
    Lz4High(Box<lz4::Encoder<Vec<u8>>>),
    Zstd(Box<zstd::stream::write::Encoder<'static, Vec<u8>>>),
}

/// Up to this level zstd packs a whole block of 128 KiB in less than a millisecond.
const ZSTD_FAST_LEVEL_MAX: i32 = 3;
/// Above it blocks are smaller, so that none takes long; this costs a little of the ratio.
const ZSTD_SLOW_BLOCK_BYTES: usize = 16 * 1024;
/// The same of lz4's slow compressor.
const LZ4_HIGH_BLOCK_BYTES: usize = 16 * 1024;
const ZSTD_SLOWEST_LEVEL_MIN: i32 = 13;
const ZSTD_SLOWEST_BLOCK_BYTES: usize = 8 * 1024;

impl Packing {
    /// How much to unpack at once when it is packed in this codec afterwards: a fraction of a
    /// millisecond's work.
    pub fn piece_bytes(codec: Compression, level: Option<i32>) -> usize {
        match codec {
            Compression::Gzip => 8 * 1024,
            Compression::Lz4 if lz4_high_level(level).is_some() => LZ4_HIGH_BLOCK_BYTES,
            Compression::Zstd => zstd_flush_bytes(level).unwrap_or(PIECE_BYTES),
            Compression::None | Compression::Snappy | Compression::Lz4 => PIECE_BYTES,
        }
    }

    /// Appends to `output`, in the framing that Kafka's clients expect. `size_bytes` is how much
    /// will come, where that is known: zstd then needs less memory.
    pub fn new(
        codec: Compression,
        level: Option<i32>,
        output: Vec<u8>,
        size_bytes: Option<usize>,
    ) -> Self {
        let mut flush_bytes = None;
        let sink = match codec {
            Compression::None => Sink::Plain(output),
            Compression::Gzip => Sink::Gzip(Box::new(GzEncoder::new(output, gzip_level(level)))),
            Compression::Snappy => Sink::Snappy(Box::new(XerialEncoder::new(output))),
            Compression::Lz4 if lz4_high_level(level).is_some() => {
                flush_bytes = Some(LZ4_HIGH_BLOCK_BYTES);
                Sink::Lz4High(Box::new(lz4_high_encoder(level, output)))
            }
            Compression::Lz4 => {
                Sink::Lz4(Box::new(FrameEncoder::with_frame_info(lz4_frame(), output)))
            }
            Compression::Zstd => {
                flush_bytes = zstd_flush_bytes(level);
                let level = level.unwrap_or(zstd::DEFAULT_COMPRESSION_LEVEL);
                let mut encoder = zstd::stream::write::Encoder::new(output, level)
                    .expect("zstd clamps its level");
                let size_bytes = size_bytes.map(|size| size as u64);
                encoder.set_pledged_src_size(size_bytes).expect("nothing was written yet");
                Sink::Zstd(Box::new(encoder))
            }
        };
        Self { sink, flush_bytes, held_back_bytes: 0 }
    }

    pub fn write(&mut self, piece: &[u8]) {
        match &mut self.sink {
            Sink::Plain(output) => output.extend_from_slice(piece),
            Sink::Gzip(encoder) => encoder.write_all(piece).expect(IN_MEMORY),
            Sink::Snappy(encoder) => encoder.write(piece),
            Sink::Lz4(encoder) => encoder.write_all(piece).expect(IN_MEMORY),
            Sink::Lz4High(encoder) => {
                let is_enough = is_enough(&mut self.held_back_bytes, piece, self.flush_bytes);
                write_and_flush(encoder.as_mut(), piece, is_enough);
            }
            Sink::Zstd(encoder) => {
                let is_enough = is_enough(&mut self.held_back_bytes, piece, self.flush_bytes);
                write_and_flush(encoder.as_mut(), piece, is_enough);
            }
        }
    }

    /// The size of the output so far, without what the codec holds back.
    pub fn output_bytes(&self) -> usize {
        match &self.sink {
            Sink::Plain(output) => output.len(),
            Sink::Gzip(encoder) => encoder.get_ref().len(),
            Sink::Snappy(encoder) => encoder.output_bytes(),
            Sink::Lz4(encoder) => encoder.get_ref().len(),
            Sink::Lz4High(encoder) => encoder.writer().len(),
            Sink::Zstd(encoder) => encoder.get_ref().len(),
        }
    }

    pub fn finish(self) -> Vec<u8> {
        match self.sink {
            Sink::Plain(output) => output,
            Sink::Gzip(encoder) => encoder.finish().expect(IN_MEMORY),
            Sink::Snappy(encoder) => encoder.finish(),
            Sink::Lz4(encoder) => encoder.finish().expect(IN_MEMORY),
            Sink::Lz4High(encoder) => {
                let (output, finished) = encoder.finish();
                finished.map(|()| output).expect(IN_MEMORY)
            }
            Sink::Zstd(encoder) => encoder.finish().expect(IN_MEMORY),
        }
    }
}

/// Whether the codec gives out what it holds back once it has `piece`.
fn is_enough(held_back_bytes: &mut usize, piece: &[u8], flush_bytes: Option<usize>) -> bool {
    *held_back_bytes += piece.len();
    let is_enough = flush_bytes.is_some_and(|most| *held_back_bytes >= most);
    if is_enough {
        *held_back_bytes = 0;
    }
    is_enough
}

fn write_and_flush(encoder: &mut impl Write, piece: &[u8], is_enough: bool) {
    encoder.write_all(piece).expect(IN_MEMORY);
    if is_enough {
        encoder.flush().expect(IN_MEMORY);
    }
}

fn zstd_flush_bytes(level: Option<i32>) -> Option<usize> {
    match level.unwrap_or(zstd::DEFAULT_COMPRESSION_LEVEL) {
        ..=ZSTD_FAST_LEVEL_MAX => None,
        ZSTD_SLOWEST_LEVEL_MIN.. => Some(ZSTD_SLOWEST_BLOCK_BYTES),
        _ => Some(ZSTD_SLOW_BLOCK_BYTES),
    }
}

#[cfg(test)]
#[path = "pieces_tests.rs"]
mod tests;
