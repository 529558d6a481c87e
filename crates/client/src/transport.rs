//! How bytes travel between two nodes: in the clear.
//!
//! Owns: the socket. Lives on: the core of the connection. Never: looks into the bytes.
//!
//! The broker has the same for the connections that it accepts (`request/transport.rs`), with the
//! same words.

use bytes::{Bytes, BytesMut};
use ring::{Ring, Stream};
use std::io;

/// What is asked of a connection (`security.protocol`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecurityProtocol {
    #[default]
    Plaintext,
}

/// A socket that is ready for requests, and what lies between it and the bytes of Kafka's protocol.
pub(crate) enum Transport {
    /// As they are (`PLAINTEXT`).
    Plain(Stream),
}

impl Transport {
    /// The transport's own handshake on a socket that was just connected. In the clear there is
    /// nothing to agree on.
    pub async fn establish(stream: Stream, protocol: SecurityProtocol) -> io::Result<Transport> {
        match protocol {
            SecurityProtocol::Plaintext => Ok(Transport::Plain(stream)),
        }
    }

    /// Sends all of `bufs`, in order, and leaves it empty.
    pub async fn send(&self, ring: &Ring, bufs: &mut Vec<Bytes>) -> io::Result<()> {
        match self {
            Transport::Plain(stream) => ring.send_gathered(stream, bufs).await,
        }
    }

    /// Appends at most `max` bytes to `buf`; 0: the other side has closed.
    pub async fn recv(
        &self,
        ring: &Ring,
        buf: BytesMut,
        max: usize,
    ) -> (io::Result<usize>, BytesMut) {
        match self {
            Transport::Plain(stream) => ring.recv(stream, buf, max).await,
        }
    }

    /// Ends both directions, and with them whatever waits.
    pub fn shutdown(&self, ring: &Ring) {
        match self {
            Transport::Plain(stream) => ring.shutdown(stream),
        }
    }
}
