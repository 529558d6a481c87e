//! Finds the requests in a stream of bytes as it comes. Pure.

const LENGTH_BYTES: usize = 4;
/// Length, API key, API version, correlation id.
const HEAD_BYTES: usize = LENGTH_BYTES + 8;

/// A request whose last byte has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    pub api_key: i16,
    pub api_version: i16,
    pub correlation_id: i32,
}

/// One connection's place in its stream.
#[derive(Default)]
pub struct Frames {
    head: [u8; HEAD_BYTES],
    head_length: usize,
    /// Bytes behind the head that are still to come.
    rest: usize,
}

impl Frames {
    /// Takes the next bytes of the stream and names each request that ends in them.
    pub fn feed(
        &mut self,
        mut bytes: &[u8],
        mut whole: impl FnMut(Request),
    ) -> Result<(), &'static str> {
        loop {
            let taken = bytes.len().min(HEAD_BYTES - self.head_length);
            if taken > 0 {
                self.head[self.head_length..self.head_length + taken]
                    .copy_from_slice(&bytes[..taken]);
                (bytes, self.head_length) = (&bytes[taken..], self.head_length + taken);
                if self.head_length == HEAD_BYTES {
                    self.rest = self.claimed()?;
                }
            }
            if self.head_length < HEAD_BYTES {
                return Ok(());
            }
            let skipped = self.rest.min(bytes.len());
            (bytes, self.rest) = (&bytes[skipped..], self.rest - skipped);
            if self.rest > 0 {
                return Ok(());
            }
            let at = |index: usize| self.head[LENGTH_BYTES + index];
            whole(Request {
                api_key: i16::from_be_bytes([at(0), at(1)]),
                api_version: i16::from_be_bytes([at(2), at(3)]),
                correlation_id: i32::from_be_bytes([at(4), at(5), at(6), at(7)]),
            });
            self.head_length = 0;
        }
    }

    /// How many bytes follow the head.
    fn claimed(&self) -> Result<usize, &'static str> {
        let length = i32::from_be_bytes([self.head[0], self.head[1], self.head[2], self.head[3]]);
        let length = usize::try_from(length).map_err(|_| "a request of negative length")?;
        (length + LENGTH_BYTES).checked_sub(HEAD_BYTES).ok_or("a request without a head")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(api_key: i16, correlation_id: i32, body_bytes: usize) -> Vec<u8> {
        let mut bytes = ((8 + body_bytes) as i32).to_be_bytes().to_vec();
        bytes.extend(api_key.to_be_bytes());
        bytes.extend(0i16.to_be_bytes());
        bytes.extend(correlation_id.to_be_bytes());
        bytes.resize(bytes.len() + body_bytes, 7);
        bytes
    }

    #[test]
    fn finds_requests_however_the_stream_is_cut() {
        let stream = [request(0, 1, 50), request(3, 2, 0), request(1, 3, 1)].concat();
        let expected = [(0, 1), (3, 2), (1, 3)];
        for step in 1..=stream.len() {
            let (mut frames, mut found) = (Frames::default(), Vec::new());
            for piece in stream.chunks(step) {
                frames.feed(piece, |one| found.push((one.api_key, one.correlation_id))).unwrap();
            }
            assert_eq!(found, expected, "in pieces of {step}");
        }
    }

    #[test]
    fn refuses_lengths_that_lie() {
        let mut negative = request(0, 1, 0);
        negative[0] = 0xff;
        assert!(Frames::default().feed(&negative, |_| ()).is_err());
        let mut short = request(0, 1, 0);
        short[3] = 7;
        assert!(Frames::default().feed(&short, |_| ()).is_err());
    }
}
