//! The client of one connection, as requests and the shard know it.
//!
//! Owns: its transport and the queue of replies. Lives on: the core of the connection. Never:
//! receives or sends; the tasks of `net/conn.rs` do.

use super::{progress::Progress, reply::Replies, telemetry::Instance, transport::Transport};
use crate::{limits, memory::Charge, quota::Known};
use ring::{Ring, sync::Notify};
use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    sync::Arc,
};

/// What a producer calls itself in transactions; its appends carry it to the cores that own the
/// partitions.
#[derive(Debug, PartialEq, Eq)]
pub struct TransactionalId(Box<str>);

impl TransactionalId {
    pub fn new(id: &str) -> Arc<TransactionalId> {
        Arc::new(TransactionalId(id.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a client says that it is (KIP-511).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Software {
    pub name: Box<str>,
    pub version: Box<str>,
}

impl Default for Software {
    fn default() -> Software {
        Software::new("", "")
    }
}

impl Software {
    pub fn new(name: &str, version: &str) -> Software {
        let kept = |text: &str| -> Box<str> {
            match text.floor_char_boundary(limits::SOFTWARE_NAME_BYTES_MAX) {
                0 => "unknown".into(),
                end => text[..end].into(),
            }
        };
        Software { name: kept(name), version: kept(version) }
    }
}

pub struct Client {
    /// Tells this connection from the others of its core.
    pub number: u64,
    pub transport: Transport,
    /// The listener it came in by (index into the configured ones): decides which address Metadata
    /// advertises.
    pub listener: usize,
    /// It is one of the open connections of its core.
    pub is_counted: Cell<bool>,
    pub replies: Rc<Replies>,
    /// A partition that its fetch watches has moved.
    pub moved: Rc<Notify>,
    pub progress: Progress,
    /// That of its last transactional produce request: the next one has the same.
    pub transactional_id: RefCell<Option<Arc<TransactionalId>>>,
    /// By its last ApiVersions.
    pub software: RefCell<Software>,
    /// The client instance that speaks of its metrics here.
    pub telemetry: RefCell<Option<Box<Instance>>>,
    /// The accounts that its requests count for.
    pub accounts: RefCell<Known>,
    /// What it counts for as an open connection.
    pub _charge: Charge,
}

impl Client {
    /// `id` for its appends: that of the request before, as a rule.
    pub fn transactional_id(&self, id: &str) -> Arc<TransactionalId> {
        let mut last = self.transactional_id.borrow_mut();
        match &*last {
            Some(last) if last.as_str() == id => last.clone(),
            _ => last.insert(TransactionalId::new(id)).clone(),
        }
    }

    /// It is served from now on.
    pub fn count(&self) {
        let before = self.is_counted.replace(true);
        assert!(!before, "connection {} is counted twice", self.number);
        assert!(
            self.replies.is_empty(),
            "connection {} begins with {} requests",
            self.number,
            self.replies.len()
        );
    }

    /// It is not served any more.
    pub fn uncount(&self) {
        let before = self.is_counted.replace(false);
        assert!(before, "connection {} leaves, and was not counted", self.number);
        let (number, is_closed) = (self.number, self.replies.is_closed());
        assert!(is_closed, "connection {number} leaves with replies that are not closed");
    }

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
