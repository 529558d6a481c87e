//! Accepting connections, on every core for itself: the kernel spreads them (`SO_REUSEPORT`).
//!
//! Owns: the listening sockets of one core and the register of its connections. Lives on: every core.
//! Never: hands a connection to another core.

use super::{conn::Connection, reply::Replies};
use crate::shard::Shard;
use ring::{Listener, Stream};
use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    sync::atomic::Ordering,
    time::Duration,
};

/// How long to wait after an accept that failed for want of descriptors or memory, before the next try.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The connections of one core.
#[derive(Default)]
pub struct Connections {
    all: RefCell<Vec<Weak<Connection>>>,
    open: Cell<usize>,
    accepted: Cell<u64>,
    refused: Cell<u64>,
}

impl Connections {
    pub fn open(&self) -> usize {
        self.open.get()
    }

    pub fn accepted(&self) -> u64 {
        self.accepted.get()
    }

    /// Connections turned away because of `max.connections`.
    pub fn refused(&self) -> u64 {
        self.refused.get()
    }

    fn for_each(&self, mut visit: impl FnMut(&Rc<Connection>)) {
        self.all.borrow_mut().retain(|weak| weak.upgrade().is_some());
        let all: Vec<_> = self.all.borrow().iter().filter_map(Weak::upgrade).collect();
        all.iter().for_each(&mut visit);
    }
}

/// Accepts on `listener` until the shard stops.
pub async fn accept_loop(shard: Shard, listener: Listener, listener_index: usize) {
    while !shard.is_stopping() {
        match shard.ring.accept(&listener).await {
            Ok(stream) => admit(&shard, stream, listener_index),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection: raise the limit of open files if this goes on");
                shard.ring.sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn admit(shard: &Shard, stream: Stream, listener: usize) {
    let connections = &shard.connections;
    let open_everywhere = shard.open_connections.fetch_add(1, Ordering::Relaxed) + 1;
    if open_everywhere > shard.config.max_connections {
        shard.open_connections.fetch_sub(1, Ordering::Relaxed);
        connections.refused.set(connections.refused.get() + 1);
        let message = || format!("refusing {}: max.connections={} reached", stream.peer_addr(), shard.config.max_connections);
        shard.bad_input.say(shard.ring.now(), message);
        shard.ring.shutdown(&stream);
        return;
    }
    let connection = Rc::new(Connection {
        shard: shard.clone(),
        stream,
        listener,
        replies: Rc::new(Replies::new(shard.bytes_in_flight.clone())),
        last_active: Cell::new(shard.ring.now()),
        software: RefCell::default(),
    });
    connections.all.borrow_mut().push(Rc::downgrade(&connection));
    connections.open.set(connections.open.get() + 1);
    connections.accepted.set(connections.accepted.get() + 1);
    let shard_of_task = shard.clone();
    shard.ring.spawn(async move {
        connection.serve().await;
        let connections = &shard_of_task.connections;
        connections.open.set(connections.open.get() - 1);
        shard_of_task.open_connections.fetch_sub(1, Ordering::Relaxed);
    });
}

/// Ends connections that were silent for `connections.max.idle.ms` and wait for nothing.
pub fn end_idle(shard: &Shard) {
    let Some(max_idle) = shard.config.connections_max_idle else { return };
    let now = shard.ring.now();
    shard.connections.for_each(|connection| {
        if connection.replies.is_empty() && now.since(connection.last_active.get()) > max_idle {
            shard.ring.shutdown(&connection.stream);
        }
    });
}

/// Ends all connections of this core.
pub fn end_all(shard: &Shard) {
    shard.connections.for_each(|connection| {
        connection.replies.close();
        shard.ring.shutdown(&connection.stream);
    });
}
