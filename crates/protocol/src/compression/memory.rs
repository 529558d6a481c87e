//! How much memory a codec takes to unpack or pack in pieces, told from headers.
//!
//! Owns: nothing. Never: believes a claim beyond the caller's limit, or one that the input cannot
//! make true.

use super::{Compression, SNAPPY_MAX_RATIO, XERIAL_HEADER_BYTES, XERIAL_MAGIC};

/// Windows that zstd's levels up to 19 use: a frame behind the first may have as much without being
/// announced.
pub(super) const ZSTD_USUAL_WINDOW_LOG: u32 = 23;
/// The state of a decoder, without its window, and the buffers around it.
const STATE_BYTES: usize = 64 * 1024;
const ZSTD_STATE_BYTES: usize = 256 * 1024;
const ZSTD_WINDOW_LOG_MIN: u32 = 10;

/// What it takes at most to unpack `input` in pieces to `limit_bytes`.
pub fn unpacking_bytes(codec: Compression, input: &[u8], limit_bytes: usize) -> usize {
    match codec {
        Compression::None | Compression::Gzip => STATE_BYTES,
        Compression::Snappy => STATE_BYTES + snappy_block_bytes(input).min(limit_bytes),
        Compression::Lz4 => STATE_BYTES + 2 * lz4_block_bytes(input),
        Compression::Zstd => {
            ZSTD_STATE_BYTES
                + zstd_window_bytes(input).unwrap_or(0).min(limit_bytes as u64) as usize
        }
    }
}

/// What it takes at most to pack in pieces, without the output.
pub fn packing_bytes(codec: Compression, level: Option<i32>) -> usize {
    const MIB: usize = 1 << 20;
    match codec {
        Compression::None => 0,
        Compression::Gzip | Compression::Snappy | Compression::Lz4 => MIB / 2,
        Compression::Zstd => match level.unwrap_or(zstd::DEFAULT_COMPRESSION_LEVEL) {
            ..=3 => 4 * MIB,
            4..=12 => 32 * MIB,
            _ => 128 * MIB,
        },
    }
}

/// The largest block that it claims to hold.
fn snappy_block_bytes(input: &[u8]) -> usize {
    let claim = |block: &[u8]| {
        let claim = snap::raw::decompress_len(block).unwrap_or(0);
        claim.min(block.len().saturating_mul(SNAPPY_MAX_RATIO))
    };
    if !input.starts_with(&XERIAL_MAGIC) {
        return claim(input);
    }
    let (mut largest, mut rest) = (0, input.get(XERIAL_HEADER_BYTES..).unwrap_or_default());
    while let Some((len, after)) = rest.split_first_chunk::<4>() {
        if rest.starts_with(&XERIAL_MAGIC) && rest.len() >= XERIAL_HEADER_BYTES {
            rest = &rest[XERIAL_HEADER_BYTES..];
            continue;
        }
        let block = usize::try_from(i32::from_be_bytes(*len))
            .ok()
            .and_then(|len| after.split_at_checked(len));
        let Some((block, after)) = block else { break };
        largest = largest.max(claim(block));
        rest = after;
    }
    largest
}

/// Header: magic (4 bytes), flags, and the largest block in bits 4 to 6 of the next byte (4: 64
/// KiB, …, 7: 4 MiB).
fn lz4_block_bytes(input: &[u8]) -> usize {
    match input.get(5).map(|descriptor| descriptor >> 4 & 7) {
        Some(size @ 4..=7) => 1 << (8 + 2 * size),
        _ => 0,
    }
}

/// Header: magic (4 bytes), descriptor, then a window byte, or with bit 5 of the descriptor set the
/// size of the content, which is its window, behind a dictionary's id; RFC 8878, 3.1.1.1.
fn zstd_window_bytes(input: &[u8]) -> Option<u64> {
    let (descriptor, rest) = input.get(4..)?.split_first()?;
    if descriptor & 0x20 == 0 {
        let window = *rest.first()?;
        let base = 1u64 << (ZSTD_WINDOW_LOG_MIN + u32::from(window >> 3));
        return Some(base + base / 8 * u64::from(window & 7));
    }
    let id_bytes = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let (size_bytes, added) = [(1, 0), (2, 256), (4, 0), (8, 0)][usize::from(descriptor >> 6)];
    let size = rest.get(id_bytes..id_bytes + size_bytes)?;
    Some(size.iter().rev().fold(added, |size, byte| (size << 8).wrapping_add(u64::from(*byte))))
}

/// The window that a decoder of these frames may be made to keep: that of the first, or a usual
/// one.
pub(super) fn zstd_window_log_max(input: &[u8]) -> u32 {
    let first = zstd_window_bytes(input).unwrap_or(0).max(1);
    (u64::BITS - (first - 1).leading_zeros())
        .clamp(ZSTD_USUAL_WINDOW_LOG, super::framing::ZSTD_WINDOW_LOG_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compression::compress;

    #[test]
    fn windows_and_blocks_are_read_from_the_headers() {
        const MIB: usize = 1 << 20;
        let data = vec![7; 5 * MIB];
        let of = |codec, input: &[u8]| unpacking_bytes(codec, input, 64 * MIB);
        assert_eq!(of(Compression::Gzip, &compress(Compression::Gzip, None, &data)), STATE_BYTES);
        let stream = compress(Compression::Snappy, None, &data);
        assert_eq!(of(Compression::Snappy, &stream), STATE_BYTES + 32 * 1024);
        let raw = snap::raw::Encoder::new().compress_vec(&data).unwrap();
        assert_eq!(of(Compression::Snappy, &raw), STATE_BYTES + data.len());
        assert_eq!(
            of(Compression::Lz4, &compress(Compression::Lz4, None, &data)),
            STATE_BYTES + 128 * 1024
        );
        let known = compress(Compression::Zstd, None, &data[..3 * MIB]);
        assert_eq!(
            of(Compression::Zstd, &known),
            ZSTD_STATE_BYTES + 2 * MIB,
            "level 3 has a window of 2 MiB"
        );
        let short = compress(Compression::Zstd, None, &data[..100]);
        assert_eq!(of(Compression::Zstd, &short), ZSTD_STATE_BYTES + 100);
        assert_eq!(zstd_window_log_max(&short), ZSTD_USUAL_WINDOW_LOG);
        let huge = [0x28, 0xb5, 0x2f, 0xfd, 0, (27 - 10) << 3];
        assert_eq!(
            (of(Compression::Zstd, &huge), zstd_window_log_max(&huge)),
            (ZSTD_STATE_BYTES + 64 * MIB, 27)
        );
        for codec in Compression::ALL {
            (0..9).for_each(|len| assert!(of(codec, &[0xff; 9][..len]) <= 65 * MIB));
        }
    }
}
