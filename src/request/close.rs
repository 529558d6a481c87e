//! Why a connection ends before its client wants it to. Goes to the log, at a bounded rate.
//!
//! Owns: the types.

use protocol::{DecodeError, EncodeError};

#[derive(Debug, thiserror::Error)]
pub enum CloseReason {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("API key {key} version {version}: {error}")]
    Decode { key: i16, version: i16, error: DecodeError },
    #[error("API key {key} version {version} is not served")]
    Unserved { key: i16, version: i16 },
    #[error("API key {key} version {version}: the response cannot be sent: {error}")]
    Response { key: i16, version: i16, error: ResponseError },
    #[error("{0}")]
    Protocol(String),
}

/// Why a response of ours is none that a client could be sent.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// It says what its version cannot.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// What was asked for takes more than one response may have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has {bytes} bytes, at most {max_bytes} may be: ask for less at once")]
pub struct TooLarge {
    pub bytes: usize,
    pub max_bytes: usize,
}

impl TooLarge {
    pub fn check(bytes: usize, max_bytes: usize) -> Result<(), TooLarge> {
        if bytes > max_bytes { Err(TooLarge { bytes, max_bytes }) } else { Ok(()) }
    }
}

/// Why a byte stream is not Kafka's, or more than there is room for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("a request of {length} bytes, at least 8 are needed for its header")]
    TooSmall { length: i32 },
    #[error("a request of {length} bytes, more than socket.request.max.bytes={max_bytes}")]
    TooLarge { length: i32, max_bytes: usize },
    #[error(
        "a request of {length} bytes; memory.limit.bytes leaves room for {max_bytes} bytes on one \
         core, raise it for larger ones"
    )]
    NoRoom { length: i32, max_bytes: usize },
}
