//! The client of one connection, as requests and the shard know it.
//!
//! Owns: the socket and the queue of replies. Lives on: the core of the connection. Never: reads or
//! writes the socket; the tasks of `net/conn.rs` do.

use super::{progress::Progress, reply::Replies};
use crate::memory::Charge;
use ring::{Ring, Stream, sync::Notify};
use std::rc::Rc;

pub struct Client {
    /// Tells this connection from the others of its core.
    pub number: u64,
    pub stream: Stream,
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
    /// Ends the connection: unanswered requests get no answer, and what is unsent stays unsent.
    pub fn end(&self, ring: &Ring) {
        self.replies.close();
        ring.shutdown(&self.stream);
    }
}
