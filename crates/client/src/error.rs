//! What can go wrong with a connection and with a request. Each message is whole: none has a source
//! to be printed behind it.
//!
//! Owns: nothing. Lives on: anywhere. Never: leaves open whether a request may have reached the
//! other side.

use crate::versions::VersionError;
use protocol::{ApiKey, DecodeError, EncodeError, ErrorCode};
use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

/// What is known of a request that got no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// No byte of it was handed to the network.
    NotSent,
    /// The other side may have carried it out, may be about to, or never saw it.
    Unknown,
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Delivery::NotSent => "the request was not sent",
            Delivery::Unknown => "the request may have arrived",
        })
    }
}

/// Why a connection ended. The first reason counts: what comes after follows from it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DisconnectReason {
    #[error("the connection was closed")]
    Closed,
    #[error("the broker closed the connection")]
    ClosedByPeer,
    #[error("the broker closed the connection in the midst of a response")]
    ClosedInResponse,
    #[error("the connection broke: {0}")]
    Io(Arc<io::Error>),
    #[error(
        "a response of {length_bytes} bytes came, and at most {max_bytes} are taken: is it the \
         port of something that is no Kafka broker?"
    )]
    ResponseLength { length_bytes: i32, max_bytes: usize },
    #[error("a response came to nothing that was asked")]
    Unasked,
    #[error("response {got} came where {expected} was due")]
    CorrelationId { expected: i32, got: i32 },
    #[error("the header of a response is damaged: {0}")]
    ResponseHeader(DecodeError),
    /// The order of what is still to come would be unknown.
    #[error("no response to {api} came within {timeout:?}")]
    RequestTimeout { api: ApiKey, timeout: Duration },
}

/// A request without a response, because its connection ended.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{reason}; {delivery}")]
pub struct Disconnected {
    pub delivery: Delivery,
    pub reason: DisconnectReason,
}

/// Why there is no connection.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("cannot resolve {host_port}: {error}")]
    Resolve { host_port: Box<str>, error: Arc<io::Error> },
    #[error("cannot connect to {address}: {error}")]
    Connect { address: SocketAddr, error: Arc<io::Error> },
    #[error("{address} did not say which versions it speaks: {}", .error.reason)]
    ApiVersions { address: SocketAddr, error: Disconnected },
    #[error("{address} answered {} when it was asked which versions it speaks", .error.name())]
    Refused { address: SocketAddr, error: ErrorCode },
    #[error("{address} says in no known way which versions it speaks: {error}")]
    Undecodable { address: SocketAddr, error: DecodeError },
}

impl ConnectError {
    /// A look-up that took too long.
    pub(crate) fn timed_out(host_port: &str) -> ConnectError {
        let error = Arc::new(io::ErrorKind::TimedOut.into());
        ConnectError::Resolve { host_port: host_port.into(), error }
    }
}

/// Why a request has no response that can be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RequestError {
    /// The other side lacks the API, or the version.
    #[error(transparent)]
    Version(#[from] VersionError),
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// As many requests, or bytes of requests, are in flight as may be.
    #[error("too much is in flight on the connection")]
    Full,
    #[error("neither a connection nor room for {api} was to be had within {timeout:?}")]
    NotInTime { api: ApiKey, timeout: Duration },
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Disconnected(#[from] Disconnected),
    #[error("a {api} response that does not decode: {error}")]
    Decode { api: ApiKey, error: DecodeError },
}

impl RequestError {
    /// Whether the other side may have carried the request out.
    pub fn may_have_arrived(&self) -> bool {
        match self {
            RequestError::Version(_)
            | RequestError::Encode(_)
            | RequestError::Full
            | RequestError::NotInTime { .. }
            | RequestError::Connect(_) => false,
            RequestError::Disconnected(disconnected) => disconnected.delivery == Delivery::Unknown,
            RequestError::Decode { .. } => true,
        }
    }
}
