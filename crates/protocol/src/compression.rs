//! The four codecs of record batches, and of what else Kafka compresses (telemetry).
//!
//! Owns: codec ids, bounded decompression, compression. Lives on: the core that validates or builds
//! the batch. Never: grows its output beyond the caller's limit, nor reserves memory that a short
//! input merely claims to need.

mod framing;
pub mod memory;
pub mod pieces;
mod snappy;

use std::io::{Read, Write};

use flate2::bufread::GzDecoder;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

/// A codec, by its id in the attributes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Compression {
    #[default]
    None = 0,
    Gzip = 1,
    Snappy = 2,
    Lz4 = 3,
    Zstd = 4,
}

impl Compression {
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.get(usize::from(id)).copied()
    }

    pub fn id(self) -> u8 {
        self as u8
    }

    /// The name in configurations (`compression.type`).
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.name() == name)
    }
}

/// Why input does not decompress.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompressionError {
    #[error("the data unpacks to more than the limit of {limit_bytes} bytes")]
    OverLimit { limit_bytes: usize },
    #[error("the {codec} data is malformed: {detail}")]
    Malformed { codec: &'static str, detail: String },
}

fn malformed(codec: Compression, detail: impl ToString) -> CompressionError {
    CompressionError::Malformed { codec: codec.name(), detail: detail.to_string() }
}

const LZ4_DEFAULT_LEVEL: i32 = 9;
/// Below, the library takes its fast compressor; it knows no level above.
const LZ4_HIGH_LEVELS: (i32, i32) = (3, 12);
/// The block size of Kafka's lz4 and snappy writers is 64 KiB and 32 KiB.
const SNAPPY_BLOCK_BYTES: usize = 32 * 1024;
/// snappy-java's stream: this magic, version and lowest compatible version (both i32 1), then per
/// block its length (i32) and a raw snappy block.
const XERIAL_MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const XERIAL_HEADER_BYTES: usize = 16;
/// No snappy element makes more than 64 bytes out of two, so that a block that claims more lies.
const SNAPPY_MAX_RATIO: usize = 32;

/// Decompresses `input` to at most `limit_bytes`.
pub fn decompress(
    codec: Compression,
    input: &[u8],
    limit_bytes: usize,
) -> Result<Vec<u8>, CompressionError> {
    let mut output = Vec::new();
    decompress_into(codec, input, &mut output, limit_bytes)?;
    Ok(output)
}

/// As [`decompress_into`], for what a producer sends: refuses the forms that only one of librdkafka
/// and the Java client can read, or neither. Batches that are stored already are read in every form
/// that the codec knows.
pub fn decompress_readable_into(
    codec: Compression,
    input: &[u8],
    output: &mut Vec<u8>,
    limit_bytes: usize,
) -> Result<(), CompressionError> {
    if codec == Compression::Gzip {
        // Where its member ends is known when it is unpacked.
        output.clear();
        return unpack_guessing(input, output, limit_bytes, |output, room_bytes| {
            let mut member = GzDecoder::new(input);
            let is_whole = read_whole(codec, &mut member, output, room_bytes)?;
            match is_whole && !member.get_ref().is_empty() {
                true => Err(more_than_a_member()),
                false => Ok(is_whole),
            }
        });
    }
    check_readable(codec, input)?;
    decompress_into(codec, input, output, limit_bytes)
}

/// Refuses what not every client can read, as far as the outer structure shows it.
fn check_readable(codec: Compression, input: &[u8]) -> Result<(), CompressionError> {
    framing::check(codec, input).map_err(|detail| malformed(codec, detail))
}

/// gzip shows it at the end of its first member.
fn more_than_a_member() -> CompressionError {
    malformed(Compression::Gzip, "something follows its first member")
}

/// Decompresses `input` in place of what `output` held, to at most `limit_bytes`. Its capacity is
/// worth keeping: the next call then needs no allocation.
pub fn decompress_into(
    codec: Compression,
    input: &[u8],
    output: &mut Vec<u8>,
    limit_bytes: usize,
) -> Result<(), CompressionError> {
    output.clear();
    match codec {
        Compression::None if input.len() > limit_bytes => {
            return Err(CompressionError::OverLimit { limit_bytes });
        }
        Compression::None => output.extend_from_slice(input),
        Compression::Gzip => unpack_guessing(input, output, limit_bytes, |output, room_bytes| {
            read_whole(codec, MultiGzDecoder::new(input), output, room_bytes)
        })?,
        Compression::Snappy => unpack_snappy(input, output, limit_bytes)?,
        Compression::Lz4 => unpack_guessing(input, output, limit_bytes, |output, room_bytes| {
            read_whole(codec, FrameDecoder::new(input), output, room_bytes)
        })?,
        Compression::Zstd => unpack_zstd(input, output, limit_bytes)?,
    }
    debug_assert!(output.len() <= limit_bytes);
    Ok(())
}

/// Unpacks what does not say how large it becomes: the room for it is guessed from the input and
/// grows eightfold, up to the limit. `unpack` gets an empty buffer with that much room, and says
/// whether everything went in. A buffer that was too small goes before the next one comes, so that
/// there is never more memory than one of the limit's size.
fn unpack_guessing(
    input: &[u8],
    output: &mut Vec<u8>,
    limit_bytes: usize,
    mut unpack: impl FnMut(&mut Vec<u8>, usize) -> Result<bool, CompressionError>,
) -> Result<(), CompressionError> {
    const GUESSED_RATIO: usize = 8;
    const ROOM_MIN_BYTES: usize = 1024;
    let guess = input.len().saturating_mul(GUESSED_RATIO).max(ROOM_MIN_BYTES);
    let mut room_bytes = guess.max(output.capacity()).min(limit_bytes);
    loop {
        output.clear();
        if output.capacity() < room_bytes {
            *output = Vec::new();
            output.reserve_exact(room_bytes);
        }
        if unpack(output, room_bytes)? {
            return Ok(());
        }
        if room_bytes == limit_bytes {
            return Err(CompressionError::OverLimit { limit_bytes });
        }
        room_bytes = room_bytes.saturating_mul(GUESSED_RATIO).min(limit_bytes);
    }
}

/// Reads up to `room_bytes` and says whether that was all.
fn read_whole(
    codec: Compression,
    mut reader: impl Read,
    output: &mut Vec<u8>,
    room_bytes: usize,
) -> Result<bool, CompressionError> {
    let mut read = || {
        reader.by_ref().take(room_bytes as u64).read_to_end(output)?;
        Ok(reader.read(&mut [0])? == 0)
    };
    read().map_err(|error: std::io::Error| malformed(codec, error))
}

fn unpack_snappy(
    input: &[u8],
    output: &mut Vec<u8>,
    limit_bytes: usize,
) -> Result<(), CompressionError> {
    if !input.starts_with(&XERIAL_MAGIC) {
        return unpack_snappy_block(input, output, limit_bytes);
    }
    let mut rest = input
        .get(XERIAL_HEADER_BYTES..)
        .ok_or_else(|| malformed(Compression::Snappy, "its stream header is cut off"))?;
    while !rest.is_empty() {
        // Streams that were joined carry their header again.
        if rest.starts_with(&XERIAL_MAGIC) && rest.len() >= XERIAL_HEADER_BYTES {
            rest = &rest[XERIAL_HEADER_BYTES..];
            continue;
        }
        let (len, after) = rest
            .split_first_chunk::<4>()
            .ok_or_else(|| malformed(Compression::Snappy, "a block length is cut off"))?;
        let (block, after) = usize::try_from(i32::from_be_bytes(*len))
            .ok()
            .and_then(|len| after.split_at_checked(len))
            .ok_or_else(|| malformed(Compression::Snappy, "a block is longer than the data"))?;
        unpack_snappy_block(block, output, limit_bytes)?;
        rest = after;
    }
    Ok(())
}

fn unpack_snappy_block(
    block: &[u8],
    output: &mut Vec<u8>,
    limit_bytes: usize,
) -> Result<(), CompressionError> {
    let len =
        snap::raw::decompress_len(block).map_err(|error| malformed(Compression::Snappy, error))?;
    let start = output.len();
    if len > limit_bytes - start {
        return Err(CompressionError::OverLimit { limit_bytes });
    }
    if len > block.len().saturating_mul(SNAPPY_MAX_RATIO) {
        return Err(malformed(Compression::Snappy, "a block claims more than it can hold"));
    }
    output.resize(start + len, 0);
    let written = snap::raw::Decoder::new()
        .decompress(block, &mut output[start..])
        .map_err(|error| malformed(Compression::Snappy, error))?;
    output.truncate(start + written);
    Ok(())
}

/// Unpacks in one pass into the output itself: unlike a stream this needs no window in memory.
fn unpack_zstd(
    input: &[u8],
    output: &mut Vec<u8>,
    limit_bytes: usize,
) -> Result<(), CompressionError> {
    let mut decoder =
        zstd::bulk::Decompressor::new().map_err(|error| malformed(Compression::Zstd, error))?;
    unpack_guessing(input, output, limit_bytes, |output, room_bytes| {
        match decoder.decompress_to_buffer(input, output) {
            // A buffer that the caller kept may have more room than the limit allows.
            Ok(len) => Ok(len <= room_bytes),
            Err(error) if is_zstd_too_small(&error) => Ok(false),
            Err(error) => Err(malformed(Compression::Zstd, error)),
        }
    })
}

/// zstd's binding gives the error by its text alone.
fn is_zstd_too_small(error: &std::io::Error) -> bool {
    error.to_string().contains("Destination buffer is too small")
}

/// Compresses `input` in the framing that Kafka's clients expect. `level` is gzip's 1-9, lz4's 1-17
/// or zstd's −131072 to 22; snappy has none.
pub fn compress(codec: Compression, level: Option<i32>, input: &[u8]) -> Vec<u8> {
    const IN_MEMORY: &str = "writing to memory does not fail";
    match codec {
        Compression::None => input.to_vec(),
        Compression::Gzip => {
            let mut encoder =
                GzEncoder::new(Vec::with_capacity(input.len() / 2), gzip_level(level));
            encoder.write_all(input).expect(IN_MEMORY);
            encoder.finish().expect(IN_MEMORY)
        }
        Compression::Snappy => pack_snappy(input),
        Compression::Lz4 if lz4_high_level(level).is_some() => {
            let mut encoder = lz4_high_encoder(level, Vec::with_capacity(input.len() / 2));
            encoder.write_all(input).expect(IN_MEMORY);
            let (output, finished) = encoder.finish();
            finished.map(|()| output).expect(IN_MEMORY)
        }
        Compression::Lz4 => {
            let mut encoder =
                FrameEncoder::with_frame_info(lz4_frame(), Vec::with_capacity(input.len() / 2));
            encoder.write_all(input).expect(IN_MEMORY);
            encoder.finish().expect(IN_MEMORY)
        }
        Compression::Zstd => {
            zstd::bulk::compress(input, level.unwrap_or(zstd::DEFAULT_COMPRESSION_LEVEL))
                .expect(IN_MEMORY)
        }
    }
}

fn gzip_level(level: Option<i32>) -> flate2::Compression {
    let level =
        level.and_then(|level| u32::try_from(level).ok()).filter(|level| (1..=9).contains(level));
    level.map_or(flate2::Compression::default(), flate2::Compression::new)
}

/// The level of lz4's slow compressor; none for the fast one, which Kafka takes for its default
/// level, 9 (`Lz4BlockOutputStream`).
fn lz4_high_level(level: Option<i32>) -> Option<u32> {
    let level = level.filter(|level| *level != LZ4_DEFAULT_LEVEL)?;
    Some(level.clamp(LZ4_HIGH_LEVELS.0, LZ4_HIGH_LEVELS.1) as u32)
}

fn lz4_high_encoder(level: Option<i32>, output: Vec<u8>) -> lz4::Encoder<Vec<u8>> {
    lz4::EncoderBuilder::new()
        .level(lz4_high_level(level).expect("the fast one has another encoder"))
        .block_mode(lz4::BlockMode::Independent)
        .block_size(lz4::BlockSize::Max64KB)
        .checksum(lz4::ContentChecksum::NoChecksum)
        .build(output)
        .expect("writing to memory does not fail")
}

fn lz4_frame() -> FrameInfo {
    FrameInfo::new().block_mode(BlockMode::Independent).block_size(BlockSize::Max64KB)
}

fn pack_snappy(input: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(
        XERIAL_HEADER_BYTES + snap::raw::max_compress_len(input.len().min(SNAPPY_BLOCK_BYTES)),
    );
    put_xerial_header(&mut output);
    let mut encoder = snap::raw::Encoder::new();
    for block in input.chunks(SNAPPY_BLOCK_BYTES) {
        pack_snappy_block(&mut encoder, block, &mut output);
    }
    output
}

fn put_xerial_header(output: &mut Vec<u8>) {
    output.extend_from_slice(&XERIAL_MAGIC);
    output.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1]);
}

fn pack_snappy_block(encoder: &mut snap::raw::Encoder, block: &[u8], output: &mut Vec<u8>) {
    let length_at = output.len();
    let block_at = length_at + 4;
    output.resize(block_at + snap::raw::max_compress_len(block.len()), 0);
    let len = encoder.compress(block, &mut output[block_at..]).expect("the room was asked for");
    output[length_at..block_at].copy_from_slice(&(len as u32).to_be_bytes());
    output.truncate(block_at + len);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CODECS: [Compression; 4] =
        [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn round_trip(input in prop::collection::vec(0u8..4, 0..100_000)) {
            for codec in CODECS {
                let packed = compress(codec, None, &input);
                prop_assert_eq!(&decompress(codec, &packed, input.len()).unwrap(), &input);
                if !input.is_empty() {
                    let over = decompress(codec, &packed, input.len() - 1);
                    let limit_bytes = input.len() - 1;
                    prop_assert_eq!(over, Err(CompressionError::OverLimit { limit_bytes }));
                }
            }
        }

        #[test]
        fn random_bytes_and_cut_streams_never_panic(input: Vec<u8>, cut in 0.0f64..1.0) {
            for codec in CODECS {
                let _ = decompress(codec, &input, 1 << 16);
                let mut packed = compress(codec, None, &input);
                packed.truncate((packed.len() as f64 * cut) as usize);
                if let Ok(output) = decompress(codec, &packed, 1 << 16) {
                    prop_assert!(input.starts_with(&output));
                }
                if let Some(last) = packed.last_mut() {
                    *last ^= 0x55;
                    let _ = decompress(codec, &packed, 1 << 16);
                }
            }
        }
    }

    /// Each level that Kafka allows gives what clients read; the default is the fast compressor.
    #[test]
    fn lz4_has_levels() {
        let mut state = 1u32;
        let letters = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b"abcdefgh"[(state >> 24) as usize % 8]
        });
        let input: Vec<u8> = letters.take(200_000).collect();
        let fast = compress(Compression::Lz4, None, &input);
        assert_eq!(compress(Compression::Lz4, Some(9), &input), fast);
        for level in 1..=17 {
            let packed = compress(Compression::Lz4, Some(level), &input);
            let mut unpacked = Vec::new();
            let read =
                decompress_readable_into(Compression::Lz4, &packed, &mut unpacked, input.len());
            assert_eq!((read, &unpacked), (Ok(()), &input), "level {level}");
            assert!(level == 9 || packed.len() < fast.len(), "level {level}");
        }
    }

    #[test]
    fn a_bomb_is_an_error_within_the_limit() {
        let zeros = vec![0; 100 << 20];
        for codec in CODECS {
            let bomb = compress(codec, None, &zeros);
            let mut output = Vec::new();
            let result = decompress_into(codec, &bomb, &mut output, 1 << 20);
            assert_eq!(
                result,
                Err(CompressionError::OverLimit { limit_bytes: 1 << 20 }),
                "{codec:?}"
            );
            assert!(output.capacity() <= 1 << 20, "{codec:?} took {} bytes", output.capacity());
        }
    }

    #[test]
    fn raw_snappy_is_accepted_and_a_false_claim_is_not() {
        let packed = snap::raw::Encoder::new().compress_vec(b"librdkafka sends it so").unwrap();
        assert_eq!(
            decompress(Compression::Snappy, &packed, 100).unwrap(),
            b"librdkafka sends it so"
        );
        // A varint that claims 2^30 bytes, and nothing behind it.
        let claim = [0x80, 0x80, 0x80, 0x80, 0x04];
        assert!(matches!(
            decompress(Compression::Snappy, &claim, 1 << 31),
            Err(CompressionError::Malformed { .. })
        ));
        let mut stream = compress(Compression::Snappy, None, b"abc");
        stream[XERIAL_HEADER_BYTES] = 0x7f;
        assert!(matches!(
            decompress(Compression::Snappy, &stream, 100),
            Err(CompressionError::Malformed { .. })
        ));
    }

    #[test]
    fn names_and_ids() {
        for codec in Compression::ALL {
            assert_eq!(Compression::from_id(codec.id()), Some(codec));
            assert_eq!(Compression::from_name(codec.name()), Some(codec));
        }
        assert_eq!(Compression::from_id(5), None);
    }
}
