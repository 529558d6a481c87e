use super::*;
use crate::compression::{compress, decompress};
use proptest::prelude::*;

const CODECS: [Compression; 5] = Compression::ALL;

/// Unpacks in pieces; how many calls that took, and what came.
fn unpack(
    codec: Compression,
    input: &[u8],
    piece_bytes: usize,
    limit_bytes: usize,
) -> Result<(usize, Vec<u8>), CompressionError> {
    let mut with_head = BytesMut::from(&b"head"[..]);
    with_head.extend_from_slice(input);
    let mut unpacking = Unpacking::new(codec, Rc::new(with_head), 4, limit_bytes)?;
    let (mut calls, mut all, mut piece) = (0, Vec::new(), Vec::new());
    loop {
        let more = unpacking.next(&mut piece, piece_bytes)?;
        calls += 1;
        assert!(piece.len() <= piece_bytes);
        all.extend_from_slice(&piece);
        if !more {
            return Ok((calls, all));
        }
    }
}

fn pack(codec: Compression, level: Option<i32>, input: &[u8], piece_bytes: usize) -> Vec<u8> {
    let mut packing = Packing::new(
        codec,
        level,
        b"head".to_vec(),
        piece_bytes.is_multiple_of(2).then_some(input.len()),
    );
    input.chunks(piece_bytes).for_each(|piece| packing.write(piece));
    let output = packing.finish();
    assert_eq!(&output[..4], b"head");
    output[4..].to_vec()
}

/// Bytes that pack well, without being all the same.
fn text(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at / 7 % 251) as u8 ^ (at % 13) as u8).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pieces_are_the_whole(input in prop::collection::vec(0u8..4, 0..300_000),
        piece_bytes in 1000usize..100_000) {
        for codec in CODECS {
            let packed = compress(codec, None, &input);
            prop_assert_eq!(&unpack(codec, &packed, piece_bytes, input.len()).unwrap().1, &input,
                "{:?}", codec);
            if !input.is_empty() {
                let limit_bytes = input.len() - 1;
                let over = unpack(codec, &packed, piece_bytes, limit_bytes);
                prop_assert_eq!(over, Err(CompressionError::OverLimit { limit_bytes }), "{:?}",
                    codec);
            }
            let packed = pack(codec, None, &input, piece_bytes);
            prop_assert_eq!(&decompress(codec, &packed, input.len()).unwrap(), &input, "{:?}",
                codec);
        }
        let raw = snap::raw::Encoder::new().compress_vec(&input).unwrap();
        prop_assert_eq!(&unpack(Compression::Snappy, &raw, piece_bytes, input.len()).unwrap().1,
            &input);
    }

    /// Damaged bytes are refused in pieces where they are refused at once, and mean the same where
    /// they are not.
    #[test]
    fn damage_is_found_in_pieces_too(
        len in 1usize..400_000,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        cut in prop::option::of(any::<prop::sample::Index>()),
        raw_snappy: bool,
    ) {
        for codec in CODECS {
            let mut packed = match codec {
                Compression::Snappy if raw_snappy => snap::raw::Encoder::new()
                    .compress_vec(&text(len)).unwrap(),
                _ => compress(codec, None, &text(len)),
            };
            for (at, byte) in &changes {
                let at = at.index(packed.len());
                packed[at] = *byte;
            }
            if let Some(cut) = &cut {
                packed.truncate(cut.index(packed.len()));
            }
            let whole = decompress(codec, &packed, 1 << 20);
            let pieces = unpack(codec, &packed, 10_000, 1 << 20).map(|(_, all)| all);
            prop_assert_eq!(whole.is_ok(), pieces.is_ok(), "{:?}: {:?} \
                {:?}", codec, whole.err(), pieces.err());
            if let Ok(whole) = whole {
                prop_assert_eq!(whole, pieces.unwrap());
            }
        }
    }
}

#[test]
fn every_level_packs_what_can_be_unpacked() {
    let input = text(300_000);
    for (codec, levels) in
        [(Compression::Gzip, 1..=9), (Compression::Lz4, 1..=17), (Compression::Zstd, -5..=19)]
    {
        for level in levels {
            let piece_bytes = Packing::piece_bytes(codec, Some(level));
            let packed = pack(codec, Some(level), &input, piece_bytes);
            assert_eq!(
                decompress(codec, &packed, input.len()).unwrap(),
                input,
                "{codec:?} {level}"
            );
        }
    }
}

#[test]
fn a_bomb_is_stopped_at_the_limit() {
    let zeros = vec![0; 100 << 20];
    let raw = snap::raw::Encoder::new().compress_vec(&zeros).unwrap();
    let bombs = CODECS[1..].iter().map(|codec| (*codec, compress(*codec, None, &zeros)));
    for (codec, bomb) in bombs.chain([(Compression::Snappy, raw)]) {
        let result = unpack(codec, &bomb, PIECE_BYTES, 1 << 20);
        assert_eq!(result, Err(CompressionError::OverLimit { limit_bytes: 1 << 20 }), "{codec:?}");
    }
}

/// A thousand frames with nothing in them are work, too: none of them may be hidden in one piece.
#[test]
fn empty_frames_are_read_in_pieces() {
    let members = compress(Compression::Gzip, None, b"").repeat(2);
    let refused = unpack(Compression::Gzip, &members, PIECE_BYTES, 1 << 20);
    assert!(refused.is_err(), "librdkafka reads one member alone");
    for codec in [Compression::Zstd, Compression::Snappy] {
        let empty = match codec {
            Compression::Snappy => [&[0, 0, 0, 1, 0][..]].concat(),
            _ => compress(codec, None, b""),
        };
        let mut input =
            if codec == Compression::Snappy { compress(codec, None, b"") } else { Vec::new() };
        while input.len() < 8 * INPUT_BYTES_AT_ONCE {
            input.extend_from_slice(&empty);
        }
        let (calls, all) = unpack(codec, &input, PIECE_BYTES, 1 << 20).unwrap();
        assert!(all.is_empty());
        assert!(calls >= 8, "{codec:?} read {} bytes in {calls} pieces", input.len());
    }
}
