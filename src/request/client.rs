//! The client of one connection, as requests and the shard know it.
//!
//! Owns: its transport and the queue of replies. Lives on: the core of the connection. Never:
//! receives or sends; the tasks of `net/conn.rs` do.

use super::{progress::Progress, reply::Replies, transport::Transport};
use crate::memory::Charge;
use ring::{Ring, sync::Notify};
use std::{net::SocketAddr, rc::Rc};

pub struct Client {
    /// Tells this connection from the others of its core.
    pub number: u64,
    pub transport: Transport,
    /// The listener it came in by (index into the configured ones): decides which address Metadata
    /// advertises.
    pub listener: usize,
    pub replies: Rc<Replies>,
    /// A partition that its fetch watches has moved.
    pub moved: Rc<Notify>,
    pub progress: Progress,
    /// What it counts for as an open connection.
    pub _charge: Charge,
}

impl Client {
    pub fn peer_addr(&self) -> SocketAddr {
        self.transport.peer_addr()
    }

    /// A count that rises as the client takes its replies.
    pub fn taken_by_peer(&self, ring: &Ring) -> u64 {
        self.transport.taken_by_peer(ring)
    }

    /// Ends the connection: unanswered requests get no answer, and what is unsent stays unsent.
    pub fn end(&self, ring: &Ring) {
        self.replies.close();
        self.transport.shutdown(ring);
    }
}
