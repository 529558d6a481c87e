//! Sockets as the ring knows them. A stream or listener belongs to the core that made it; a stream
//! may move to another before it is used.

use crate::sim::SimHandle;
use std::{net::SocketAddr, os::fd::OwnedFd, rc::Rc};

/// A listening socket. Closes when dropped, which also ends a pending accept.
#[derive(Clone, Debug)]
pub struct Listener {
    pub(crate) inner: Rc<SocketInner>,
    pub(crate) local: SocketAddr,
}

impl Listener {
    /// The address that it listens on; tells the port where 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }
}

/// A connected TCP stream with `TCP_NODELAY`. Clones share one descriptor.
#[derive(Clone, Debug)]
pub struct Stream {
    pub(crate) inner: Rc<SocketInner>,
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
}

impl Stream {
    pub fn peer_addr(&self) -> SocketAddr {
        self.peer
    }
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }
}

/// A stream between two cores: [`crate::Ring::release`] makes it of a stream,
/// [`crate::Ring::adopt`] a stream of it. Dropping it closes the connection.
#[derive(Debug)]
pub struct MovingStream {
    pub(crate) inner: SocketInner,
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
}

impl MovingStream {
    pub fn peer_addr(&self) -> SocketAddr {
        self.peer
    }
}

/// A descriptor that is kept to be given back, by dropping it, where no other is left: what waits
/// to be accepted can be closed with it.
#[derive(Debug)]
pub struct SpareDescriptor {
    pub(crate) _descriptor: Option<OwnedFd>,
}

#[derive(Debug)]
pub(crate) enum SocketInner {
    Os(OwnedFd),
    /// A socket of the simulated world.
    Sim(SimHandle),
}

#[derive(Clone, Copy, Debug)]
pub struct ListenOptions {
    /// Several cores listen on one port, the kernel spreads the connections (`SO_REUSEPORT`).
    pub reuse_port: bool,
    pub backlog: u32,
    /// `SO_SNDBUF` and `SO_RCVBUF` of accepted connections; `None` leaves the kernel's own tuning.
    pub send_buffer_bytes: Option<u32>,
    pub receive_buffer_bytes: Option<u32>,
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self {
            reuse_port: true,
            backlog: 1024,
            send_buffer_bytes: None,
            receive_buffer_bytes: None,
        }
    }
}
