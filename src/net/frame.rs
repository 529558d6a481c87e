//! Cutting the byte stream of a connection into request frames: four bytes of length, then that many bytes.
//!
//! Owns: the decision how much to receive next. Lives on: the core of the connection. Never: copies a frame, or sizes a
//! buffer by a length that the bytes received do not back (see [`limits::FRAME_RESERVE_MAX_BYTES`]).

use crate::limits;
use bytes::BytesMut;

/// Bytes of the length prefix of a frame.
pub const LENGTH_BYTES: usize = 4;

/// Why a byte stream is not Kafka's: the connection is closed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("a request of {length} bytes, at least 8 are needed for its header")]
    TooSmall { length: i32 },
    #[error("a request of {length} bytes, more than socket.request.max.bytes={max_bytes}")]
    TooLarge { length: i32, max_bytes: usize },
}

/// What the buffer holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// A whole frame, without its length prefix.
    Frame(BytesMut),
    /// Receive up to this many bytes more; the buffer has room for them.
    Receive(usize),
}

/// API key, API version and correlation id: what every request header begins with.
const HEADER_MIN_BYTES: i32 = 8;

/// Cuts the next frame off the front of `buffer`, or makes room for what is missing. `receive_bytes` is how much to
/// receive while no frame is known to be on its way; `proven_bytes` is the largest frame that the connection has sent
/// so far, and gets its room at once. What is promised beyond that gets room as it comes, doubling.
pub fn next(
    buffer: &mut BytesMut,
    receive_bytes: usize,
    proven_bytes: usize,
    max_bytes: usize,
) -> Result<Next, FrameError> {
    let Some(prefix) = buffer.first_chunk::<LENGTH_BYTES>() else {
        buffer.reserve(receive_bytes);
        return Ok(Next::Receive(receive_bytes));
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
        let mut frame = buffer.split_to(whole);
        let _ = frame.split_to(LENGTH_BYTES);
        return Ok(Next::Frame(frame));
    }
    let missing = whole - buffer.len();
    let backed = receive_bytes.max(buffer.len()).max(proven_bytes.min(limits::FRAME_RESERVE_MAX_BYTES));
    let room = if missing <= receive_bytes { receive_bytes } else { missing.min(backed) };
    buffer.reserve(room);
    Ok(Next::Receive(room))
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
        assert_eq!(cut(&large.to_be_bytes()), Err(FrameError::TooLarge { length: large, max_bytes: MAX }));
    }

    #[test]
    fn a_promise_of_100_mb_reserves_no_more_than_was_proven() {
        let room = |proven_bytes| {
            let mut buffer = BytesMut::from(&(100i32 << 20).to_be_bytes()[..]);
            let Ok(Next::Receive(room)) = next(&mut buffer, 4096, proven_bytes, MAX) else { panic!("out of nothing") };
            assert!(buffer.capacity() < 2 * room);
            room
        };
        assert_eq!(room(0), 4096);
        assert_eq!(room(100_000), 100_000);
        assert_eq!(room(90 << 20), limits::FRAME_RESERVE_MAX_BYTES);
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 8..5000), 1..20),
            pieces in prop::collection::vec(1usize..3000, 1..50),
        ) {
            let stream: Vec<u8> =
                frames.iter().flat_map(|f| [&(f.len() as i32).to_be_bytes()[..], f].concat()).collect();
            let (mut buffer, mut sent, mut got, mut piece) = (BytesMut::new(), 0, Vec::new(), 0);
            while got.len() < frames.len() {
                match next(&mut buffer, 512, 700, MAX).unwrap() {
                    Next::Frame(frame) => got.push(frame.to_vec()),
                    Next::Receive(room) => {
                        prop_assert!(buffer.capacity() - buffer.len() >= room);
                        let take = pieces[piece % pieces.len()].min(room).min(stream.len() - sent);
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
