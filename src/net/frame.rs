//! Cutting the byte stream of a connection into request frames: four bytes of length, then that
//! many bytes.
//!
//! Owns: the decision how much to receive next. Lives on: the core of the connection. Never: copies
//! a frame, or asks for room by a length that the bytes received do not back (see
//! [`limits::FRAME_RESERVE_MAX_BYTES`]).

use crate::{limits, request::FrameError};
use bytes::{Buf, BytesMut};
use protocol::FRAME_LENGTH_BYTES as LENGTH_BYTES;

/// What the buffer holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// A whole frame, without its length prefix.
    Frame(BytesMut),
    /// More has to be received.
    Receive(Room),
}

/// How much to receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The buffer needs room for so many bytes.
    pub least: usize,
    /// How many bytes are missing of the frame that has begun.
    missing: usize,
    /// How large the frames behind it probably are.
    frame_bytes: usize,
}

impl Room {
    /// How many bytes are missing of the frame that has begun; 0: none has.
    pub fn missing(&self) -> usize {
        self.missing
    }

    /// How much of the room that there is to use: as much as whole frames will probably fill. The
    /// beginning of another one would have to move to the next buffer.
    pub fn most(&self, spare_bytes: usize) -> usize {
        assert!(spare_bytes > 0, "room for {} bytes was made", self.least);
        let behind = spare_bytes.saturating_sub(self.missing);
        (self.missing + behind / self.frame_bytes * self.frame_bytes).clamp(1, spare_bytes)
    }

    /// How much of `most` to wait for. A frame of which much is missing comes in many pieces, and
    /// none but the last is of use.
    pub fn awaited(&self, most: usize) -> usize {
        let enough = self.missing.min(limits::RECEIVE_AWAITED_MAX_BYTES).min(most);
        let awaited = if enough < limits::RECEIVE_AWAITED_MIN_BYTES { 1 } else { enough };
        assert!(awaited <= most, "{awaited} bytes are awaited, {most} are asked for");
        awaited
    }
}

/// API key, API version and correlation id: what every request header begins with.
const HEADER_MIN_BYTES: i32 = 8;

/// Cuts the next frame off the front of `buffer`, or says how much to receive. `receive_bytes` is
/// what the connection usually sends at once; `proven_bytes` is the largest frame that it has sent
/// lately, and gets its room at once. Bytes promised beyond that get room as they come, doubling.
///
/// A frame never moves to another buffer when that can be foreseen: one that may not fit behind the
/// others of its buffer is given a buffer of its own before its first byte is received.
pub fn next(
    buffer: &mut BytesMut,
    receive_bytes: usize,
    proven_bytes: usize,
    max_bytes: usize,
) -> Result<Next, FrameError> {
    assert!(receive_bytes > 0, "a connection receives {receive_bytes} bytes at once");
    let proven = proven_bytes.min(limits::FRAME_RESERVE_MAX_BYTES);
    let usual = LENGTH_BYTES + proven.max(HEADER_MIN_BYTES as usize);
    let Some(prefix) = buffer.first_chunk::<LENGTH_BYTES>() else {
        return Ok(Next::Receive(Room {
            least: usual.max(receive_bytes / 4),
            missing: 0,
            frame_bytes: usual,
        }));
    };
    let length = i32::from_be_bytes(*prefix);
    if length < HEADER_MIN_BYTES {
        return Err(FrameError::TooSmall { length });
    }
    let frame_bytes = length as usize;
    if frame_bytes > max_bytes {
        return Err(FrameError::TooLarge { length, max_bytes });
    }
    let whole = LENGTH_BYTES + frame_bytes;
    if buffer.len() >= whole {
        buffer.advance(LENGTH_BYTES);
        let frame = buffer.split_to(frame_bytes);
        assert_eq!(frame.len(), frame_bytes, "a frame is as long as its length says");
        return Ok(Next::Frame(frame));
    }
    let (missing, spare) = (whole - buffer.len(), buffer.capacity() - buffer.len());
    let backed = receive_bytes.max(buffer.len()).max(proven);
    let least = match missing {
        _ if spare >= missing => missing,
        _ if missing <= receive_bytes => receive_bytes,
        _ => missing.min(backed),
    };
    let most = backed.max(spare);
    assert!(least <= most, "room for {least} bytes of a promise, {most} are backed or there");
    assert!(least > 0 && missing > 0, "{least} bytes to receive of {missing} that are missing");
    Ok(Next::Receive(Room { least, missing, frame_bytes: usual.max(whole) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAX: usize = 100 << 20;

    #[test]
    fn lengths_that_lie_end_the_connection() {
        let cut = |bytes: &[u8]| next(&mut BytesMut::from(bytes), 4096, 0, MAX);
        assert_eq!(cut(&(-1i32).to_be_bytes()), Err(FrameError::TooSmall { length: -1 }));
        assert_eq!(cut(&0i32.to_be_bytes()), Err(FrameError::TooSmall { length: 0 }));
        assert_eq!(cut(&7i32.to_be_bytes()), Err(FrameError::TooSmall { length: 7 }));
        let large = MAX as i32 + 1;
        assert_eq!(
            cut(&large.to_be_bytes()),
            Err(FrameError::TooLarge { length: large, max_bytes: MAX })
        );
    }

    #[test]
    fn the_rest_of_a_large_frame_is_awaited_in_large_pieces() {
        let room = |missing| Room { least: missing, missing, frame_bytes: 1 << 20 };
        assert_eq!(room(0).awaited(4096), 1, "a frame that has not begun may be small");
        assert_eq!(room(limits::RECEIVE_AWAITED_MIN_BYTES - 1).awaited(1 << 20), 1);
        assert_eq!(room(100_000).awaited(1 << 20), 100_000, "all that is missing");
        assert_eq!(room(1 << 20).awaited(2 << 20), limits::RECEIVE_AWAITED_MAX_BYTES);
        assert_eq!(room(1 << 20).awaited(20_000), 20_000, "no more than there is room for");
    }

    #[test]
    fn a_promise_of_100_mb_reserves_no_more_than_was_proven() {
        let room = |proven_bytes| {
            let mut buffer = BytesMut::from(&(100i32 << 20).to_be_bytes()[..]);
            let Ok(Next::Receive(room)) = next(&mut buffer, 4096, proven_bytes, MAX) else {
                panic!("out of nothing")
            };
            room.least
        };
        assert_eq!(room(0), 4096);
        assert_eq!(room(100_000), 100_000);
        assert_eq!(room(90 << 20), limits::FRAME_RESERVE_MAX_BYTES);
    }

    #[test]
    fn frames_of_equal_size_fill_a_buffer_and_never_move() {
        const FRAME: usize = 60_000;
        let mut buffer = BytesMut::new();
        let (mut moved, mut frames, mut proven) = (0, 0, 0);
        while frames < 100 {
            match next(&mut buffer, 65_536, proven, MAX).unwrap() {
                Next::Frame(frame) => (frames, proven) = (frames + 1, proven.max(frame.len())),
                Next::Receive(room) => {
                    if buffer.capacity() - buffer.len() < room.least {
                        // The first buffer was filled before any frame had said how large it is.
                        moved += if frames > 20 { buffer.len() } else { 0 };
                        let mut larger = BytesMut::with_capacity(1 << 20);
                        larger.extend_from_slice(&buffer);
                        buffer = larger;
                    }
                    // An endless stream of frames: the prefix stands wherever the last frame ended.
                    let mut take = room.most(buffer.capacity() - buffer.len());
                    while take > 0 {
                        let into = buffer.len() % (LENGTH_BYTES + FRAME);
                        let byte = (FRAME as u32).to_be_bytes().get(into).copied().unwrap_or(0);
                        buffer.extend_from_slice(&[byte]);
                        take -= 1;
                    }
                }
            }
        }
        assert_eq!(moved, 0);
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 8..5000), 1..20),
            pieces in prop::collection::vec(1usize..3000, 1..50),
        ) {
            let stream: Vec<u8> =
                frames.iter().flat_map(|f| [&(f.len() as i32).to_be_bytes()[..], f].concat())
                    .collect();
            let (mut buffer, mut sent, mut got, mut piece) = (BytesMut::new(), 0, Vec::new(), 0);
            while got.len() < frames.len() {
                match next(&mut buffer, 512, 700, MAX).unwrap() {
                    Next::Frame(frame) => got.push(frame.to_vec()),
                    Next::Receive(room) => {
                        prop_assert!(room.least > 0);
                        buffer.reserve(room.least);
                        let spare = room.most(buffer.capacity() - buffer.len());
                        prop_assert!(spare > 0);
                        let take = pieces[piece % pieces.len()].min(spare).min(stream.len() - sent);
                        prop_assert!(take > 0);
                        buffer.extend_from_slice(&stream[sent..sent + take]);
                        (sent, piece) = (sent + take, piece + 1);
                    }
                }
            }
            prop_assert_eq!(got, frames);
        }
    }
}
