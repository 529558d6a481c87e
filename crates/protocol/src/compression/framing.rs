//! What a compressed body must look like so that every consumer reads it. Clients differ:
//! librdkafka takes one lz4 frame and one gzip member and knows no second snappy header; Java
//! refuses dependent lz4 blocks and large zstd windows. What one of them cannot read would stop its
//! consumers at that batch, so that a producer may not write it.
//!
//! Owns: the check of the outer structure; what lies inside a block is the decoder's to judge.
//! Lives on: the core that validates the batch. Never: allocates, or unpacks. Seen with Apache
//! Kafka 4.4.0 and librdkafka 2.16.0.

use super::{Compression, XERIAL_HEADER_BYTES, XERIAL_MAGIC};

/// The largest window that Java takes: zstd's own default for streams.
pub(super) const ZSTD_WINDOW_LOG_MAX: u32 = 27;
const ZSTD_WINDOW_MAX_BYTES: u64 = 1 << ZSTD_WINDOW_LOG_MAX;
const ZSTD_MAGIC: u32 = 0xfd2f_b528;
/// Sixteen magics of frames that readers skip, by their upper 28 bits.
const ZSTD_SKIPPABLE: u32 = 0x184d_2a50;
const LZ4_MAGIC: u32 = 0x184d_2204;
const LZ4_LEGACY_MAGIC: u32 = 0x184c_2102;
/// In the length of an lz4 block: its bytes are stored as they are.
const LZ4_STORED: u32 = 1 << 31;

/// What stands against `input`, if anything does. gzip is the decoder's matter.
pub(super) fn check(codec: Compression, input: &[u8]) -> Result<(), &'static str> {
    match codec {
        Compression::None | Compression::Gzip => Ok(()),
        Compression::Snappy => check_snappy(input),
        Compression::Lz4 => check_lz4(input),
        Compression::Zstd => check_zstd(input),
    }
}

fn u32_at(bytes: &[u8], position: usize) -> Option<u32> {
    let bytes = bytes.get(position..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*bytes))
}

/// Blocks of snappy-java's stream up to the end; a raw block is for the decoder. librdkafka takes a
/// second header for the length of a block.
fn check_snappy(input: &[u8]) -> Result<(), &'static str> {
    let mut position =
        if input.starts_with(&XERIAL_MAGIC) { XERIAL_HEADER_BYTES } else { return Ok(()) };
    while let Some(rest) = input.get(position..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(&XERIAL_MAGIC) {
            return Err("it has a second stream header");
        }
        let length = rest.first_chunk::<4>().ok_or("a block length is cut off")?;
        position += 4 + u32::from_be_bytes(*length) as usize;
    }
    Ok(())
}

/// Exactly one frame with independent blocks, from its magic to its end mark (lz4 frame format
/// 1.6).
fn check_lz4(input: &[u8]) -> Result<(), &'static str> {
    const INDEPENDENT: u8 = 0x20;
    const BLOCK_CHECKSUMS: u8 = 0x10;
    const CONTENT_SIZE: u8 = 0x08;
    const CONTENT_CHECKSUM: u8 = 0x04;
    const DICTIONARY: u8 = 0x01;
    match u32_at(input, 0) {
        Some(LZ4_MAGIC) => {}
        Some(LZ4_LEGACY_MAGIC) => return Err("it is a frame of the legacy format"),
        _ => return Err("it does not begin with a frame"),
    }
    let flags = *input.get(4).ok_or("its frame header is cut off")?;
    let has = |flag: u8| flags & flag != 0;
    if !has(INDEPENDENT) {
        return Err("its blocks depend on each other");
    }
    if has(DICTIONARY) {
        return Err("it needs a dictionary");
    }
    // Magic, flags, block descriptor, content size, header checksum.
    let mut position = 4 + 2 + if has(CONTENT_SIZE) { 8 } else { 0 } + 1;
    loop {
        let length = u32_at(input, position).ok_or("its end mark is missing")?;
        position += 4;
        match length {
            0 => break,
            // Java takes it for the end.
            LZ4_STORED => return Err("it has an empty stored block"),
            _ => {
                position +=
                    (length & !LZ4_STORED) as usize + if has(BLOCK_CHECKSUMS) { 4 } else { 0 }
            }
        }
    }
    position += if has(CONTENT_CHECKSUM) { 4 } else { 0 };
    match position.cmp(&input.len()) {
        std::cmp::Ordering::Less => Err("something follows its first frame"),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err("its content checksum is cut off"),
    }
}

/// Frames of today's format, each with a window that Java takes, and frames that readers skip.
fn check_zstd(mut input: &[u8]) -> Result<(), &'static str> {
    while !input.is_empty() {
        match u32_at(input, 0) {
            Some(ZSTD_MAGIC) => {
                if zstd_window_bytes(&input[4..]).ok_or("a frame header is cut off")?
                    > ZSTD_WINDOW_MAX_BYTES
                {
                    return Err("its window is larger than 128 MiB");
                }
            }
            Some(magic) if magic & !0xf == ZSTD_SKIPPABLE => {}
            _ => return Err("something in it is no frame"),
        }
        let size_bytes = zstd::zstd_safe::find_frame_compressed_size(input)
            .map_err(zstd::zstd_safe::get_error_name)?;
        input = input
            .get(size_bytes..)
            .filter(|_| size_bytes > 0)
            .ok_or("a frame is longer than the data")?;
    }
    Ok(())
}

/// From a frame's header behind its magic: descriptor, window byte or none, dictionary id, content
/// size (RFC 8878, 3.1.1.1). The window of a frame that is a single segment is its content.
fn zstd_window_bytes(header: &[u8]) -> Option<u64> {
    const SINGLE_SEGMENT: u8 = 0x20;
    let (&descriptor, rest) = header.split_first()?;
    if descriptor & SINGLE_SEGMENT == 0 {
        let window = u64::from(*rest.first()?);
        let base = 1u64 << (10 + (window >> 3));
        return Some(base + base / 8 * (window & 7));
    }
    let dictionary_bytes = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let content = rest.get(dictionary_bytes..)?;
    match descriptor >> 6 {
        0 => Some(u64::from(*content.first()?)),
        1 => content.first_chunk().map(|size| u64::from(u16::from_le_bytes(*size)) + 256),
        2 => content.first_chunk().map(|size| u64::from(u32::from_le_bytes(*size))),
        _ => content.first_chunk().map(|size| u64::from_le_bytes(*size)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{compress, decompress_readable_into};
    use super::*;
    use lz4_flex::frame::{BlockMode, FrameEncoder, FrameInfo};
    use std::io::Write;

    const BODY: &[u8] = &[b'v'; 600];

    /// Whether a producer may send `input` as [`BODY`]; panics where it unpacks to something else.
    fn is_taken(codec: Compression, input: &[u8]) -> bool {
        let mut output = Vec::new();
        match decompress_readable_into(codec, input, &mut output, 1 << 20) {
            Ok(()) => {
                assert_eq!(output, BODY, "taken, but unpacked to something else");
                true
            }
            Err(_) => false,
        }
    }

    fn expect(codec: Compression, cases: &[(&str, Vec<u8>, bool)]) {
        for (what, input, expected) in cases {
            assert_eq!(is_taken(codec, input), *expected, "{codec:?}, {what}");
        }
    }

    fn lz4(info: FrameInfo, body: &[u8]) -> Vec<u8> {
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    /// Apache Kafka refuses all that is refused here but "a wrong content size", "a wrong content
    /// checksum" and what follows the frame; of those librdkafka says that they are bad.
    #[test]
    fn lz4_is_one_whole_frame_of_independent_blocks() {
        let independent = || FrameInfo::new().block_mode(BlockMode::Independent);
        let plain = lz4(independent(), BODY);
        let (first, second) = (lz4(independent(), &BODY[..20]), lz4(independent(), &BODY[20..]));
        let changed = |input: &[u8], at: usize, to: u8| {
            let mut input = input.to_vec();
            input[at] = to;
            input
        };
        let summed = lz4(independent().content_checksum(true), BODY);
        let sized = lz4(independent().content_size(Some(600)), BODY);
        let empty_stored = [&plain[..plain.len() - 4], &[0, 0, 0, 0x80], &[0; 4]].concat();
        let skippable = b"\x50\x2a\x4d\x18\x04\0\0\0skip";
        // A block of literals alone, in the frame that came before the frame format.
        let legacy = [b"\x02\x21\x4c\x18\x5e\x02\0\0\xf0\xff\xff\x4b", BODY].concat();
        expect(
            Compression::Lz4,
            &[
                ("as our own encoder makes it", compress(Compression::Lz4, None, BODY), true),
                ("a plain frame", plain.clone(), true),
                ("block checksums", lz4(independent().block_checksums(true), BODY), true),
                ("a content checksum", summed.clone(), true),
                ("a content size", sized.clone(), true),
                (
                    "dependent blocks",
                    lz4(FrameInfo::new().block_mode(BlockMode::Linked), BODY),
                    false,
                ),
                ("the legacy format", legacy, false),
                ("no end mark", plain[..plain.len() - 4].to_vec(), false),
                ("half an end mark", plain[..plain.len() - 2].to_vec(), false),
                ("two frames", [&first[..], &second].concat(), false),
                ("an empty frame first", [&lz4(independent(), b"")[..], &plain].concat(), false),
                ("an empty frame behind", [&plain[..], &lz4(independent(), b"")].concat(), false),
                ("a zero behind", [&plain[..], b"\0"].concat(), false),
                ("a skippable frame first", [&skippable[..], &plain].concat(), false),
                ("a skippable frame behind", [&plain[..], skippable].concat(), false),
                ("an empty stored block", empty_stored, false),
                ("a wrong header checksum", changed(&plain, 6, plain[6] ^ 1), false),
                (
                    "a wrong content checksum",
                    changed(&summed, summed.len() - 1, !summed[summed.len() - 1]),
                    false,
                ),
                ("no content checksum", summed[..summed.len() - 4].to_vec(), false),
                ("nothing", vec![], false),
                ("a header alone", plain[..7].to_vec(), false),
            ],
        );
        // Flags that the header checksum would give away before: version, dictionary, a reserved
        // bit.
        assert_eq!(check_lz4(&changed(&plain, 4, plain[4] | 1)), Err("it needs a dictionary"));
        for flags in [plain[4] & 0x3f, plain[4] & 0x3f | 0x80, plain[4] | 2] {
            assert!(!is_taken(Compression::Lz4, &changed(&plain, 4, flags)), "flags {flags:#x}");
        }
    }

    /// Of two members librdkafka 2.16 shows none, and an empty first one ends its process; a
    /// reserved flag it refuses.
    #[test]
    fn gzip_is_one_whole_member() {
        let gzip = |body: &[u8]| compress(Compression::Gzip, None, body);
        let whole = gzip(BODY);
        let flagged = |flags: u8, extra: &[u8]| {
            [&whole[..3], &[flags], &whole[4..10], extra, &whole[10..]].concat()
        };
        let end = whole.len();
        let changed = |at: usize| {
            let mut input = whole.clone();
            input[at] ^= 1;
            input
        };
        expect(
            Compression::Gzip,
            &[
                ("a plain member", whole.clone(), true),
                ("a file name", flagged(8, b"name\0"), true),
                ("a comment", flagged(16, b"comment\0"), true),
                ("an extra field", flagged(4, b"\x03\0abc"), true),
                ("a wrong header checksum", flagged(2, b"\x01\x02"), false),
                ("a reserved flag", flagged(0x20, b""), false),
                ("two members", [gzip(&BODY[..20]), gzip(&BODY[20..])].concat(), false),
                ("an empty member first", [gzip(b""), whole.clone()].concat(), false),
                ("an empty member behind", [whole.clone(), gzip(b"")].concat(), false),
                ("zeros behind", [&whole[..], &[0; 16]].concat(), false),
                ("no trailer", whole[..end - 8].to_vec(), false),
                ("half a trailer", whole[..end - 4].to_vec(), false),
                ("a wrong checksum", changed(end - 8), false),
                ("a wrong length", changed(end - 4), false),
                ("deflate without a header", whole[10..end - 8].to_vec(), false),
                ("nothing", vec![], false),
            ],
        );
    }

    /// A second stream header and bytes behind the last block are read by Java alone.
    #[test]
    fn snappy_is_one_raw_block_or_one_stream() {
        let raw = |body: &[u8]| snap::raw::Encoder::new().compress_vec(body).unwrap();
        let head = |versions: [u8; 8]| [&XERIAL_MAGIC[..], &versions].concat();
        let header = head([0, 0, 0, 1, 0, 0, 0, 1]);
        let block = |body: &[u8]| {
            let packed = raw(body);
            [&(packed.len() as u32).to_be_bytes()[..], &packed].concat()
        };
        let stream = [&header[..], &block(BODY)].concat();
        expect(
            Compression::Snappy,
            &[
                ("a raw block, as librdkafka sends it", raw(BODY), true),
                ("a stream, as Java sends it", stream.clone(), true),
                (
                    "two blocks",
                    [&header[..], &block(&BODY[..20]), &block(&BODY[20..])].concat(),
                    true,
                ),
                ("an empty block", [&header[..], &block(b""), &block(BODY)].concat(), true),
                (
                    "versions of another byte order",
                    [head([1, 0, 0, 0, 1, 0, 0, 0]), block(BODY)].concat(),
                    true,
                ),
                ("two raw blocks", [raw(&BODY[..20]), raw(&BODY[20..])].concat(), false),
                ("bytes behind a raw block", [&raw(BODY)[..], b"xx"].concat(), false),
                (
                    "a second header",
                    [&header[..], &block(&BODY[..20]), &header, &block(&BODY[20..])].concat(),
                    false,
                ),
                ("a header behind", [&stream[..], &header].concat(), false),
                ("bytes behind", [&stream[..], &[0; 3]].concat(), false),
                ("a length of nothing behind", [&stream[..], &[0; 4]].concat(), false),
                ("a block that is cut off", stream[..stream.len() - 1].to_vec(), false),
                ("half a header", header[..12].to_vec(), false),
                ("nothing", vec![], false),
            ],
        );
    }

    /// Both clients read any number of frames; Java takes no window above 128 MiB in any of them.
    #[test]
    fn zstd_is_frames_with_windows_that_java_takes() {
        const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
        let block =
            |body: &[u8]| [&((body.len() as u32) << 3 | 1).to_le_bytes()[..3], body].concat();
        let frame = |head: &[u8], body: &[u8]| [&MAGIC[..], head, &block(body)].concat();
        let windowed = |window: u8, body: &[u8]| frame(&[0, window], body);
        let sized = |said: u16, body: &[u8]| {
            frame(&[&[0x60][..], &(said - 256).to_le_bytes()].concat(), body)
        };
        let skippable = b"\x5f\x2a\x4d\x18\x04\0\0\0skip";
        let plain = windowed(0x38, BODY);
        let unended = [&MAGIC[..], &[0, 0x38], &((600u32) << 3).to_le_bytes()[..3], BODY].concat();
        let content_size_of_1_gib = frame(&[0xa0, 0, 0, 0, 0x40], BODY);
        expect(
            Compression::Zstd,
            &[
                ("as our own encoder makes it", compress(Compression::Zstd, None, BODY), true),
                ("no content size", plain.clone(), true),
                ("a content size", sized(600, BODY), true),
                (
                    "two frames",
                    [windowed(0x38, &BODY[..20]), windowed(0x38, &BODY[20..])].concat(),
                    true,
                ),
                (
                    "two frames, one with a size",
                    [sized(300, &BODY[..300]), windowed(0x38, &BODY[300..])].concat(),
                    true,
                ),
                ("an empty frame first", [windowed(0x38, b""), plain.clone()].concat(), true),
                ("a skippable frame first", [&skippable[..], &plain].concat(), true),
                ("a skippable frame behind", [&plain[..], skippable].concat(), true),
                ("a dictionary id of zero", frame(&[1, 0x38, 0], BODY), true),
                ("a window of 128 MiB", windowed(17 << 3, BODY), true),
                ("a window of 144 MiB", windowed(17 << 3 | 1, BODY), false),
                ("a window of 256 MiB", windowed(18 << 3, BODY), false),
                (
                    "a large window behind",
                    [windowed(0x38, &BODY[..20]), windowed(18 << 3, &BODY[20..])].concat(),
                    false,
                ),
                (
                    "a large window behind a skippable",
                    [&skippable[..], &windowed(18 << 3, BODY)].concat(),
                    false,
                ),
                ("a segment of 1 GiB", content_size_of_1_gib, false),
                ("a content size that is wrong", sized(601, BODY), false),
                ("a dictionary", frame(&[1, 0x38, 7], BODY), false),
                ("a reserved bit", frame(&[8, 0x38], BODY), false),
                ("a checksum that is cut off", frame(&[4, 0x38], BODY), false),
                ("a wrong checksum", [&frame(&[4, 0x38], BODY)[..], b"abcd"].concat(), false),
                ("no last block", unended, false),
                ("a zero behind", [&plain[..], b"\0"].concat(), false),
                ("bytes behind", [&plain[..], b"junk!"].concat(), false),
                (
                    "the format of zstd 0.7",
                    [&[0x27, 0xb5, 0x2f, 0xfd, 0, 0x38][..], &block(BODY)].concat(),
                    false,
                ),
                ("no magic", [&[0, 0x38][..], &block(BODY)].concat(), false),
            ],
        );
        assert_eq!(zstd_window_bytes(&[0x20, 7]), Some(7));
        assert_eq!(zstd_window_bytes(&[0xe2, 1, 2, 0, 0, 0, 0, 1, 0, 0, 0]), Some(1 << 32));
    }
}
