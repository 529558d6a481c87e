//! Accepting connections, on every core (`SO_REUSEPORT`), and handing each to the core with the fewest.
//!
//! Owns: the listening sockets of one core and the register of its connections. Lives on: every core.
//! Never: hands a connection on that was read from, or for a second time.

use super::{admission::Place, conn::Connection, progress::Progress, reply::Replies};
use crate::{
    boot::{BootError, ListenAddress},
    config::{self, BrokerConfig},
    limits,
    shard::{Shard, mailbox::Message, memory::Use},
};
use ring::{ListenOptions, Listener, MovingStream, Ring, Stream};
use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::{Rc, Weak},
    time::Duration,
};

/// How long to wait after an accept that failed for want of descriptors or memory, before the next try.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Between two looks at idle connections: half of what they may be idle, within these bounds.
const IDLE_CHECK_MIN: Duration = Duration::from_millis(100);
const IDLE_CHECK_MAX: Duration = Duration::from_secs(5);

/// The addresses that every core listens on: resolved, bound once to see that they are free, with their real ports.
pub struct ListenPlan {
    addresses: Vec<(usize, SocketAddr)>,
}

impl ListenPlan {
    /// Binds every address without sharing it, so that another process's listener is found out, and lets go again.
    pub fn probe(ring: &Ring, config: &BrokerConfig, wanted: &[ListenAddress]) -> Result<ListenPlan, BootError> {
        let mut plan = ListenPlan { addresses: Vec::new() };
        let options = plan.options(config, false);
        let mut probes = Vec::new();
        for ListenAddress { listener, address } in wanted {
            let failed = |source| BootError::Listen { address: *address, source };
            let probe = ring.listen(*address, options).map_err(failed)?;
            plan.addresses.push((*listener, probe.local_addr()));
            probes.push(probe);
        }
        Ok(plan)
    }

    pub fn addresses(&self) -> impl Iterator<Item = (usize, SocketAddr)> {
        self.addresses.iter().copied()
    }

    pub fn bound(&self) -> Vec<SocketAddr> {
        self.addresses.iter().map(|(_, address)| *address).collect()
    }

    pub fn options(&self, config: &BrokerConfig, reuse_port: bool) -> ListenOptions {
        ListenOptions {
            reuse_port,
            backlog: config.network.listen_backlog_size.max(1) as u32,
            send_buffer_bytes: u32::try_from(config.network.send_buffer_bytes).ok(),
            receive_buffer_bytes: u32::try_from(config.network.receive_buffer_bytes).ok(),
        }
    }

    /// What clients are told: the advertised listeners, with the real port where port 0 was asked for.
    pub fn advertised(&self, config: &BrokerConfig) -> Vec<config::listeners::Listener> {
        let port = |name: &str| {
            let index = config.listeners.iter().position(|listener| listener.name == name)?;
            self.addresses.iter().find(|(listener, _)| *listener == index).map(|(_, address)| address.port())
        };
        let real = |listener: &config::listeners::Listener| {
            let asked = if listener.port == 0 { port(&listener.name) } else { None };
            config::listeners::Listener { port: asked.unwrap_or(listener.port), ..listener.clone() }
        };
        config.advertised_listeners.iter().map(real).collect()
    }
}

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

    /// Connections turned away because there were as many as may be.
    pub fn refused(&self) -> u64 {
        self.refused.get()
    }

    pub fn for_each(&self, mut visit: impl FnMut(&Rc<Connection>)) {
        self.all.borrow_mut().retain(|weak| weak.upgrade().is_some());
        let all: Vec<_> = self.all.borrow().iter().filter_map(Weak::upgrade).collect();
        all.iter().for_each(&mut visit);
    }
}

/// Accepts on `listener` until the shard stops.
pub async fn accept_loop(shard: Shard, listener: Listener, listener_index: usize) {
    while !shard.is_stopping() {
        match shard.ring.accept(&listener).await {
            Ok(stream) => {
                // Whoever comes too fast waits here, and those behind it in the kernel's queue.
                let wait =
                    shard.open_connections.wait_for(listener_index, &shard.connection_limits(), shard.ring.now());
                if !wait.is_zero() {
                    shard.ring.sleep(wait).await;
                }
                match shard.is_stopping() {
                    // It came after the others were ended.
                    true => shard.ring.shutdown(&stream),
                    false => admit(&shard, stream, listener_index),
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection: raise the limit of open files if this goes on");
                shard.ring.sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// A connection on its way from the core that accepted it to the one that serves it. Dropping it closes it.
pub struct Arrival {
    stream: MovingStream,
    listener: usize,
    place: Place,
}

/// Serves a connection here or has another core do it, as long as there may be one more.
fn admit(shard: &Shard, stream: Stream, listener: usize) {
    let address = stream.peer_addr().ip();
    match shard.open_connections.enter(shard.index, listener, address, &shard.connection_limits()) {
        Ok(place) if place.core() == shard.index => serve(shard, stream, listener, place),
        Ok(place) => {
            let (core, stream) = (place.core(), shard.ring.release(stream));
            shard.mailbox.send(core, Message::Connection(Box::new(Arrival { stream, listener, place })));
        }
        Err(reason) => {
            shard.connections.refused.set(shard.connections.refused.get() + 1);
            shard.bad_input.say(shard.ring.now(), || format!("refusing {}: {reason}", stream.peer_addr()));
            shard.ring.shutdown(&stream);
        }
    }
}

/// Serves a connection that another core has accepted.
pub fn arrive(shard: &Shard, Arrival { stream, listener, place }: Arrival) {
    if shard.is_stopping() {
        // It came after the others were ended.
        return;
    }
    let peer = stream.peer_addr();
    match shard.ring.adopt(stream) {
        Ok(stream) => serve(shard, stream, listener, place),
        Err(error) => tracing::warn!(%error, %peer, "cannot take a connection over from the core that accepted it"),
    }
}

fn serve(shard: &Shard, stream: Stream, listener: usize, place: Place) {
    let connections = &shard.connections;
    if !shard.memory.has_room(Use::Connections, limits::CONNECTION_BYTES) {
        connections.refused.set(connections.refused.get() + 1);
        shard.bad_input.say(shard.ring.now(), || {
            let open = connections.open();
            format!("refusing {}: memory.limit.bytes allows {open} connections on this core", stream.peer_addr())
        });
        return shard.ring.shutdown(&stream);
    }
    let connection = Rc::new(Connection {
        shard: shard.clone(),
        number: connections.accepted.get(),
        stream,
        listener,
        replies: Rc::new(Replies::new(shard.memory.clone())),
        moved: Rc::default(),
        progress: Progress::new(shard.ring.now()),
        _charge: shard.memory.charge(Use::Connections, limits::CONNECTION_BYTES),
        software: RefCell::default(),
    });
    connections.all.borrow_mut().push(Rc::downgrade(&connection));
    connections.open.set(connections.open.get() + 1);
    connections.accepted.set(connections.accepted.get() + 1);
    let shard_of_task = shard.clone();
    shard.ring.spawn_named("connection", async move {
        connection.serve().await;
        let connections = &shard_of_task.connections;
        connections.open.set(connections.open.get() - 1);
        drop(place);
    });
}

/// Ends connections that were silent for `connections.max.idle.ms` and wait for nothing of ours: a client that takes none of
/// its replies is silent, one that takes them slowly is not. A task of its own: it must not
/// wait for a disk, as the rest of the background work may.
pub async fn end_idle_loop(shard: Shard) {
    let Ok(max_idle_ms) = u64::try_from(shard.config.network.connections_max_idle_ms) else { return };
    let max_idle = Duration::from_millis(max_idle_ms);
    let interval = (max_idle / 2).clamp(IDLE_CHECK_MIN, IDLE_CHECK_MAX);
    while !shard.is_stopping() {
        shard.ring.sleep(interval).await;
        end_idle(&shard, max_idle);
    }
}

fn end_idle(shard: &Shard, max_idle: Duration) {
    let now = shard.ring.now();
    shard.connections.for_each(|connection| {
        let (replies, progress) = (&connection.replies, &connection.progress);
        let has_unsent = replies.has_unsent();
        let waits_for_us = !has_unsent && !replies.is_empty() || progress.waits_for_memory();
        let taken = has_unsent.then(|| shard.ring.taken_by_peer(&connection.stream));
        if progress.idle_for(taken, now) > max_idle && !waits_for_us {
            replies.close();
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
