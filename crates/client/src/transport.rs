//! How bytes travel between two nodes: in the clear.
//!
//! Owns: the socket. Lives on: the core of the connection. Never: looks into the bytes.

use bytes::{Bytes, BytesMut};
use ring::{Ring, Stream};
use std::io;

/// What is asked of a connection (`security.protocol`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    #[default]
    Plain,
}

/// A socket that is ready for requests.
pub(crate) enum Channel {
    Plain(Stream),
}

impl Channel {
    /// The transport's own handshake on a socket that was just connected. In the clear there is
    /// nothing to agree on.
    pub async fn establish(stream: Stream, transport: Transport) -> io::Result<Channel> {
        match transport {
            Transport::Plain => Ok(Channel::Plain(stream)),
        }
    }

    /// Sends all of `bufs`, in order, and leaves it empty.
    pub async fn send(&self, ring: &Ring, bufs: &mut Vec<Bytes>) -> io::Result<()> {
        match self {
            Channel::Plain(stream) => ring.send_gathered(stream, bufs).await,
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
            Channel::Plain(stream) => ring.recv(stream, buf, max).await,
        }
    }

    /// Ends both directions, and with them whatever waits.
    pub fn shutdown(&self, ring: &Ring) {
        match self {
            Channel::Plain(stream) => ring.shutdown(stream),
        }
    }
}
