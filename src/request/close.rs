//! Why a connection ends before its client wants it to. Goes to the log, at a bounded rate.
//!
//! Owns: the types.

use protocol::DecodeError;

#[derive(Debug, thiserror::Error)]
pub enum CloseReason {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("API key {key} version {version}: {error}")]
    Decode { key: i16, version: i16, error: DecodeError },
    #[error("API key {key} version {version} is not served")]
    Unserved { key: i16, version: i16 },
    #[error("{0}")]
    Protocol(String),
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
