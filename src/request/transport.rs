//! How the bytes of one accepted connection travel: in the clear.
//!
//! Owns: the socket. Lives on: the core of the connection; before its first byte it may move to
//! another one, as a [`MovingTransport`]. Never: looks into the bytes, decides when to send, or
//! ends a connection by itself.
//!
//! All that the rest of the broker does with a socket is a method here, so that a case that changes
//! the bytes (TLS) is one more variant and nothing else. What such a case has to keep: what
//! [`Transport::recv`] gives and the sends take are the bytes before that change; a range of a file
//! is read through a buffer of its own, which counts while it is held ([`Use::Replies`]); what it
//! keeps for as long as the connection lasts counts with the connection
//! ([`Transport::held_bytes`]); its handshake belongs into the first receive, on the core that
//! serves. The variant `Masked` of the tests is such a case.

#[cfg(test)]
pub mod tests;

use crate::memory::Memory;
use bytes::{Bytes, BytesMut};
use ring::{File, MovingStream, Ring, Stable, Stream};
use std::{future::Future, io, net::SocketAddr, rc::Rc};
#[cfg(test)]
use tests::masked::{self, Masked};

/// The socket of an accepted connection, and what lies between it and the bytes of Kafka's
/// protocol.
pub enum Transport {
    /// As they are (`PLAINTEXT`).
    Plain(Stream),
    #[cfg(test)]
    Masked(Masked<Stream>),
}

/// A transport between two cores. Dropping it closes the connection.
pub enum MovingTransport {
    Plain(MovingStream),
    #[cfg(test)]
    Masked(Masked<MovingStream>),
}

/// Bytes of a file that are to be sent.
#[derive(Debug)]
pub struct FileRange {
    pub file: File,
    pub position: u64,
    pub length: u64,
    /// What lies behind and may be read ahead.
    pub stable: Stable,
}

impl Transport {
    fn stream(&self) -> &Stream {
        match self {
            Transport::Plain(stream) => stream,
            #[cfg(test)]
            Transport::Masked(masked) => &masked.inner,
        }
    }

    pub fn peer_addr(&self) -> SocketAddr {
        self.stream().peer_addr()
    }

    /// What it holds in memory as long as the connection lasts, besides the connection itself.
    pub fn held_bytes(&self) -> usize {
        match self {
            Transport::Plain(_) => 0,
            #[cfg(test)]
            Transport::Masked(_) => masked::HELD_BYTES,
        }
    }

    /// Appends at most `max` bytes to `buf`, and may sleep until `least` have come; how many they
    /// are (0: the client has closed). Dropped before its end, it leaves `buf` empty.
    ///
    /// This and the sends are no `async fn`, which would have room for its arguments twice: each
    /// idle connection keeps these futures.
    pub fn recv(
        &self,
        ring: &Ring,
        buf: &mut BytesMut,
        least: usize,
        max: usize,
    ) -> impl Future<Output = io::Result<usize>> {
        let before = buf.len();
        let taken = std::mem::take(buf);
        async move {
            let (received, back) = match self {
                Transport::Plain(stream) => ring.recv_at_least(stream, taken, least, max).await,
                #[cfg(test)]
                Transport::Masked(masked) => masked.recv(ring, taken, least, max).await,
            };
            *buf = back;
            if let Ok(bytes) = received {
                assert!(bytes <= max, "{bytes} bytes came, {max} were asked for");
                assert_eq!(buf.len(), before + bytes, "the buffer has grown by what came");
            }
            received
        }
    }

    /// Sends all of `bufs`, in order, and leaves it empty with the room that it had.
    pub fn send(&self, ring: &Ring, bufs: &mut Vec<Bytes>) -> impl Future<Output = io::Result<()>> {
        assert_ne!(bufs.len(), 0, "a send of nothing");
        async move {
            let sent = match self {
                Transport::Plain(stream) => ring.send_gathered(stream, bufs).await,
                #[cfg(test)]
                Transport::Masked(masked) => masked.send(ring, bufs).await,
            };
            assert_eq!(bufs.len(), 0, "{} pieces are left after a send", bufs.len());
            sent
        }
    }

    /// Sends a range of a file: straight from the page cache where nothing has to see the bytes on
    /// their way, through a buffer otherwise, for which `memory` has the account.
    pub fn send_file(
        &self,
        ring: &Ring,
        memory: &Rc<Memory>,
        range: &FileRange,
    ) -> impl Future<Output = io::Result<()>> {
        assert!(range.length > 0, "a range of a file has bytes to send");
        // In the clear no byte passes a buffer of ours: there is nothing to count.
        let _ = memory;
        async move {
            match self {
                Transport::Plain(stream) => {
                    let FileRange { file, position, length, stable } = range;
                    ring.send_file(stream, file, *position, *length, *stable).await
                }
                #[cfg(test)]
                Transport::Masked(masked) => masked.send_file(ring, memory, range).await,
            }
        }
    }

    /// A count that rises as the client takes what was sent: whether a send that is under way gets
    /// on. For looks now and then; it may be a system call.
    pub fn taken_by_peer(&self, ring: &Ring) -> u64 {
        ring.taken_by_peer(self.stream())
    }

    /// Ends both directions, and with them whatever waits.
    pub fn shutdown(&self, ring: &Ring) {
        ring.shutdown(self.stream());
    }

    /// Leaves this core, before anything was received or sent.
    pub fn release(self, ring: &Ring) -> MovingTransport {
        match self {
            Transport::Plain(stream) => MovingTransport::Plain(ring.release(stream)),
            #[cfg(test)]
            Transport::Masked(masked) => {
                let moved = masked.map(|stream| Ok(ring.release(stream)));
                MovingTransport::Masked(moved.expect("a release does not fail"))
            }
        }
    }
}

impl MovingTransport {
    pub fn peer_addr(&self) -> SocketAddr {
        match self {
            MovingTransport::Plain(stream) => stream.peer_addr(),
            #[cfg(test)]
            MovingTransport::Masked(masked) => masked.inner.peer_addr(),
        }
    }

    /// Belongs to this core from now on. An error closes it.
    pub fn adopt(self, ring: &Ring) -> io::Result<Transport> {
        match self {
            MovingTransport::Plain(stream) => Ok(Transport::Plain(ring.adopt(stream)?)),
            #[cfg(test)]
            MovingTransport::Masked(masked) => {
                Ok(Transport::Masked(masked.map(|stream| ring.adopt(stream))?))
            }
        }
    }
}
