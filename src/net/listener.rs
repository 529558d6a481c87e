//! Accepting connections, on every core (`SO_REUSEPORT`), and handing each to the core with the fewest.
//!
//! Owns: the listening sockets of one core and the register of its connections. Lives on: every core.
//! Never: hands a connection on that was read from, or for a second time.

use super::{admission::Place, conn::Connection, progress::Progress, reply::Replies};
use crate::{
    boot::{BootError, ListenAddress},
    config::{self, BrokerConfig},
    limits,
    pace::TurnBudget,
    shard::{Shard, mailbox::Message, memory::Use},
};
use ring::{Instant, ListenOptions, Listener, MovingStream, Ring, Stream};
use std::{
    cell::{Cell, RefCell},
    io,
    net::SocketAddr,
    rc::{Rc, Weak},
    time::Duration,
};

/// How long to wait after an accept that failed for want of descriptors or memory, before the next try.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Between two tries to listen on an address that is in use.
const LISTEN_PAUSE: Duration = Duration::from_millis(10);

/// Between two looks at idle connections: half of what they may be idle, within these bounds.
const IDLE_CHECK_MIN: Duration = Duration::from_millis(100);
const IDLE_CHECK_MAX: Duration = Duration::from_secs(5);

/// The addresses that every core listens on: resolved, bound once to see that they are free, with their real ports.
pub struct ListenPlan {
    addresses: Vec<(usize, SocketAddr)>,
}

impl ListenPlan {
    /// Binds every address without sharing it, so that another process's listener is found out, and lets go again.
    ///
    /// The kernel takes the io_uring of a killed process apart after that process is gone, listeners last. So an address
    /// in use is tried again for [`limits::LISTEN_PATIENCE_MS`] before it is an error.
    pub async fn probe(ring: &Ring, config: &BrokerConfig, wanted: &[ListenAddress]) -> Result<ListenPlan, BootError> {
        let mut plan = ListenPlan { addresses: Vec::new() };
        let options = plan.options(config, false);
        let mut probes = Vec::new();
        let patience_ends = ring.now() + Duration::from_millis(limits::LISTEN_PATIENCE_MS);
        for ListenAddress { listener, address } in wanted {
            let probe = loop {
                match ring.listen(*address, options) {
                    Ok(probe) => break probe,
                    Err(error) if error.kind() == io::ErrorKind::AddrInUse && ring.now() < patience_ends => {
                        ring.sleep(LISTEN_PAUSE).await;
                    }
                    Err(source) => return Err(BootError::Listen { address: *address, source }),
                }
            };
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
    /// Those that found no descriptor, and were not told of yet.
    without_file: Cell<u64>,
    without_file_next_line: Cell<Instant>,
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

    /// A connection found no descriptor: one line says so for all that come within a while.
    fn say_out_of_files(&self, now: Instant, why: impl FnOnce() -> String) {
        let count = self.without_file.get() + 1;
        if now < self.without_file_next_line.get() {
            return self.without_file.set(count);
        }
        self.without_file.set(0);
        self.without_file_next_line.set(now + Duration::from_millis(limits::FILES_LINES_INTERVAL_MS));
        tracing::warn!(
            connections = count,
            "{}: raise the limit of open files (LimitNOFILE= of the service, ulimit -n)",
            why()
        );
    }

    /// All that are open.
    pub fn all(&self) -> Vec<Weak<Connection>> {
        self.all.borrow_mut().retain(|weak| weak.strong_count() > 0);
        self.all.borrow().clone()
    }
}

/// Accepts on `listener` until the shard stops.
///
/// Where there is no descriptor for a connection, a spare one is given for it, and the connection closed: its client is told
/// that it is not served, rather than kept waiting for an answer.
pub async fn accept_loop(shard: Shard, listener: Listener, listener_index: usize) {
    let mut spare = shard.ring.spare_descriptor().ok();
    while !shard.is_stopping() {
        match shard.ring.accept(&listener).await {
            Ok(stream) => {
                // Without a spare one it has taken the last: nothing could be answered with the next ones.
                if spare.is_none() {
                    spare = shard.ring.spare_descriptor().ok();
                }
                if spare.is_none() {
                    turn_away(&shard, stream, || "connections are refused: no descriptor is left".to_owned());
                    spare = shard.ring.spare_descriptor().ok();
                    continue;
                }
                // A connection that comes too fast waits here, and those behind it in the kernel's
                // queue.
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
                if ring::is_out_of_files(&error) && spare.take().is_some() {
                    // For the next accept, whose connection finds out whether there are others by then.
                    continue;
                }
                shard.connections.say_out_of_files(shard.ring.now(), || format!("cannot accept connections: {error}"));
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

/// Closes a connection for want of descriptors.
fn turn_away(shard: &Shard, stream: Stream, why: impl FnOnce() -> String) {
    shard.connections.refused.set(shard.connections.refused.get() + 1);
    shard.connections.say_out_of_files(shard.ring.now(), why);
    shard.ring.shutdown(&stream);
}

/// Serves a connection here or has another core do it, as long as there may be one more.
fn admit(shard: &Shard, stream: Stream, listener: usize) {
    let address = stream.peer_addr().ip();
    if shard.open_connections.are_out_of_files() {
        let max = shard.open_connections.files().connections;
        return turn_away(shard, stream, || format!("connections are refused: {max} are open, the rest is for logs"));
    }
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
/// its replies is silent, one that takes them slowly is not. A task of its own: it must not wait for a disk, as the rest of
/// the background work may.
pub async fn end_idle_loop(shard: Shard) {
    let Ok(max_idle_ms) = u64::try_from(shard.config.network.connections_max_idle_ms) else { return };
    let max_idle = Duration::from_millis(max_idle_ms);
    let interval = (max_idle / 2).clamp(IDLE_CHECK_MIN, IDLE_CHECK_MAX);
    while !shard.is_stopping() {
        shard.ring.sleep(interval).await;
        end_idle(&shard, max_idle).await;
    }
}

fn is_idle(shard: &Shard, connection: &Connection, max_idle: Duration) -> bool {
    let (replies, progress) = (&connection.replies, &connection.progress);
    let has_unsent = replies.has_unsent();
    let waits_for_us = !has_unsent && !replies.is_empty() || progress.waits_for_memory();
    let taken = has_unsent.then(|| shard.ring.taken_by_peer(&connection.stream));
    progress.idle_for(taken, shard.ring.now()) > max_idle && !waits_for_us
}

async fn end_idle(shard: &Shard, max_idle: Duration) {
    let mut budget = TurnBudget::new(&shard.ring);
    for connection in shard.connections.all() {
        if let Some(connection) = connection.upgrade()
            && is_idle(shard, &connection, max_idle)
        {
            connection.replies.close();
            shard.ring.shutdown(&connection.stream);
            budget.step_done().await;
        } else {
            budget.item_done().await;
        }
    }
}

/// Ends all connections of this core.
pub async fn end_all(shard: &Shard) {
    let mut budget = TurnBudget::new(&shard.ring);
    for connection in shard.connections.all() {
        if let Some(connection) = connection.upgrade() {
            connection.replies.close();
            shard.ring.shutdown(&connection.stream);
        }
        budget.step_done().await;
    }
}
