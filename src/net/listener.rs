//! Accepting connections, on every core (`SO_REUSEPORT`), and handing each to the core with the
//! fewest.
//!
//! Owns: the listening sockets of one core, and which connections it may have. Lives on: every
//! core. Never: hands a connection on that was read from, or for a second time.

use super::{
    admission::{ConnectionLimits, OpenConnections, Place},
    conn::Connection,
};
use crate::{
    config::{self, BrokerConfig, Layers, listeners::SecurityProtocol},
    limits,
    memory::Use,
    request::{Client, MovingTransport, Transport, progress::Progress, reply::Replies},
    shard::{Shard, mailbox::Errand},
};
use ring::{ListenOptions, Listener, Ring, Stream};
use std::{
    cell::{Cell, RefCell},
    io,
    net::{IpAddr, SocketAddr},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

/// How long to wait after an accept that failed for want of descriptors or memory, before the next
/// try.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Between two tries to listen on an address that is in use.
const LISTEN_PAUSE: Duration = Duration::from_millis(10);

/// One resolved address of a listener.
#[derive(Clone, Copy, Debug)]
pub struct ListenAddress {
    /// Index into the configured listeners.
    pub listener: usize,
    pub address: SocketAddr,
}

/// An address that is not free.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address}: {source}. Choose another port in `listeners`, or end the process \
     that has it"
)]
pub struct ListenError {
    pub address: SocketAddr,
    pub source: io::Error,
}

/// The addresses that every core listens on: resolved, bound once to see that they are free, with
/// their real ports.
pub struct ListenPlan {
    addresses: Vec<(usize, SocketAddr)>,
}

impl ListenPlan {
    /// Binds every address without sharing it, so that another process's listener is found out, and
    /// lets go again.
    ///
    /// The kernel takes the io_uring of a killed process apart after that process is gone,
    /// listeners last. So an address in use is tried again for [`limits::LISTEN_PATIENCE_MS`]
    /// before it is an error.
    pub async fn probe(
        ring: &Ring,
        config: &BrokerConfig,
        wanted: &[ListenAddress],
    ) -> Result<ListenPlan, ListenError> {
        let mut plan = ListenPlan { addresses: Vec::new() };
        let options = plan.options(config, false);
        let mut probes = Vec::new();
        let patience_ends = ring.now() + Duration::from_millis(limits::LISTEN_PATIENCE_MS);
        for ListenAddress { listener, address } in wanted {
            let probe = loop {
                match ring.listen(*address, options) {
                    Ok(probe) => break probe,
                    Err(error)
                        if error.kind() == io::ErrorKind::AddrInUse
                            && ring.now() < patience_ends =>
                    {
                        ring.sleep(LISTEN_PAUSE).await;
                    }
                    Err(source) => return Err(ListenError { address: *address, source }),
                }
            };
            plan.addresses.push((*listener, probe.local_addr()));
            probes.push(probe);
        }
        let (bound, asked) = (plan.addresses.len(), wanted.len());
        assert_eq!(bound, asked, "{bound} addresses are free of {asked}");
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

    /// What clients are told: the advertised listeners, with the real port where port 0 was asked
    /// for.
    pub fn advertised(&self, config: &BrokerConfig) -> Vec<config::listeners::ListenerConfig> {
        let port = |name: &str| {
            let index = config.listeners.iter().position(|listener| listener.name == name)?;
            self.addresses
                .iter()
                .find(|(listener, _)| *listener == index)
                .map(|(_, address)| address.port())
        };
        let real = |listener: &config::listeners::ListenerConfig| {
            let asked = if listener.port == 0 { port(&listener.name) } else { None };
            config::listeners::ListenerConfig {
                port: asked.unwrap_or(listener.port),
                ..listener.clone()
            }
        };
        config.advertised_listeners.iter().map(real).collect()
    }
}

/// What one core needs to accept connections.
pub struct Acceptor {
    plan: Arc<ListenPlan>,
    /// Connections of all cores, for the limits on them, and to spread them evenly.
    open_connections: Arc<OpenConnections>,
    /// Of the configs that they were read from.
    limits: RefCell<Option<(Arc<Layers>, Rc<ConnectionLimits>)>>,
}

impl Acceptor {
    pub fn new(plan: Arc<ListenPlan>, open_connections: Arc<OpenConnections>) -> Rc<Acceptor> {
        Rc::new(Acceptor { plan, open_connections, limits: RefCell::default() })
    }

    /// Opens the listeners of this core. Connections come from now on, also those that other cores
    /// accept.
    pub fn accept(self: &Rc<Self>, shard: &Shard) {
        self.open_connections.take_part(shard.index);
        for (index, address) in self.plan.addresses() {
            let listeners = shard.config.listeners.len();
            assert!(index < listeners, "{address} is of listener {index} of {listeners}");
            match shard.ring.listen(address, self.plan.options(&shard.config, true)) {
                Ok(listener) => {
                    let accept = self.clone().accept_loop(shard.clone(), listener, index);
                    drop(shard.ring.spawn_named("accept", accept));
                }
                Err(error) => {
                    tracing::error!(core = shard.index, %address, %error, "this core cannot \
                        listen; others serve")
                }
            }
        }
    }

    /// The limits on connections, read anew when a dynamic config has changed.
    fn limits(&self, shard: &Shard) -> Rc<ConnectionLimits> {
        let layers = shard.control.view().layers.clone();
        let mut known = self.limits.borrow_mut();
        match &*known {
            Some((of, limits)) if Arc::ptr_eq(of, &layers) => limits.clone(),
            _ => {
                let (listeners, inter_broker) =
                    (&shard.config.listeners, &shard.config.inter_broker_listener_name);
                let limits = Rc::new(ConnectionLimits::read(&layers, listeners, inter_broker));
                *known = Some((layers, limits.clone()));
                limits
            }
        }
    }

    /// Accepts on `listener` until the shard stops.
    ///
    /// Where there is no descriptor for a connection, a spare one is given for it, and the
    /// connection closed: its client is told that it is not served, rather than kept waiting for an
    /// answer.
    async fn accept_loop(self: Rc<Self>, shard: Shard, listener: Listener, listener_index: usize) {
        let mut spare = shard.ring.spare_descriptor().ok();
        while !shard.is_stopping() {
            match shard.ring.accept(&listener).await {
                Ok(stream) => {
                    let transport = transport_of(&shard.config, listener_index, stream);
                    // Without a spare one it has taken the last: nothing could be answered with the
                    // next ones.
                    if spare.is_none() {
                        spare = shard.ring.spare_descriptor().ok();
                    }
                    if spare.is_none() {
                        turn_away(&shard, transport, || {
                            "connections are refused: no descriptor is left".to_owned()
                        });
                        spare = shard.ring.spare_descriptor().ok();
                        continue;
                    }
                    // A connection that comes too fast waits here, and those behind it in the
                    // kernel's queue.
                    let wait = self.open_connections.wait_for(
                        listener_index,
                        &self.limits(&shard),
                        shard.ring.now(),
                    );
                    if !wait.is_zero() {
                        shard.ring.sleep(wait).await;
                    }
                    match shard.is_stopping() {
                        // It came after the others were ended.
                        true => transport.shutdown(&shard.ring),
                        false => self.admit(&shard, transport, listener_index),
                    }
                }
                Err(error) => {
                    if ring::is_out_of_files(&error) && spare.take().is_some() {
                        // For the next accept, whose connection finds out whether there are others
                        // by then.
                        continue;
                    }
                    shard.clients.connected.say_out_of_files(shard.ring.now(), || {
                        format!("cannot accept connections: {error}")
                    });
                    shard.ring.sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Serves a connection here or has another core do it, as long as there may be one more.
    fn admit(&self, shard: &Shard, transport: Transport, listener: usize) {
        let address = transport.peer_addr().ip();
        if self.open_connections.are_out_of_files() {
            let max = self.open_connections.files().connections;
            return turn_away(shard, transport, || {
                format!("connections are refused: {max} are open, the rest is for logs")
            });
        }
        match self.open_connections.enter(shard.index, listener, address, &self.limits(shard)) {
            Ok(place) => {
                let wait = self.held_off(shard, address);
                if !wait.is_zero() {
                    return hold_off(shard, transport, place, wait);
                }
                hand_over(shard, transport, listener, place)
            }
            Err(reason) => {
                shard.clients.connected.refuse();
                let refusing = || format!("refusing {}: {reason}", transport.peer_addr());
                shard.clients.bad_input.say(shard.ring.now(), refusing);
                transport.shutdown(&shard.ring);
            }
        }
    }
}

impl Acceptor {
    /// How long an address is held off that opens connections faster than its quota allows.
    fn held_off(&self, shard: &Shard, address: IpAddr) -> Duration {
        let Some(limit) = shard.quotas.address_rates().and_then(|rates| rates.of(address)) else {
            return Duration::ZERO;
        };
        let (windows, now) = (shard.quotas.windows(), shard.ring.now());
        let wait = self.open_connections.wait_of_address(address, limit, windows, now);
        let most = Duration::from_millis(windows.window_ms());
        assert!(wait <= most, "{address} waits for {wait:?}, at most {most:?}");
        wait
    }
}

/// Keeps a connection that came too fast, unread, and closes it then: a client that connects again
/// at once gains nothing (KIP-612). It keeps its place meanwhile, so that they are bounded.
fn hold_off(shard: &Shard, transport: Transport, place: Place, wait: Duration) {
    assert!(!wait.is_zero(), "a connection is held off for some time");
    let refused = &shard.quotas.refused_connections;
    refused.set(refused.get() + 1);
    let shard = shard.clone();
    drop(shard.ring.clone().spawn_named("throttled connection", async move {
        shard.ring.timeout(wait, shard.stop.wait_until(|| shard.is_stopping())).await;
        transport.shutdown(&shard.ring);
        drop(place);
    }));
}

/// A connection on its way from the core that accepted it to the one that serves it. Dropping it
/// closes it.
pub struct Arrival {
    transport: MovingTransport,
    listener: usize,
    place: Place,
}

/// Has the core serve a connection that it is for.
fn hand_over(shard: &Shard, transport: Transport, listener: usize, place: Place) {
    let (core, count) = (place.core(), shard.count);
    assert!(core < count, "a connection is for core {core} of {count}");
    if core == shard.index {
        return serve(shard, transport, listener, place);
    }
    let transport = transport.release(&shard.ring);
    shard.mailbox.send_errand(core, Box::new(Arrival { transport, listener, place }));
}

/// Closes a connection for want of descriptors.
fn turn_away(shard: &Shard, transport: Transport, why: impl FnOnce() -> String) {
    shard.clients.connected.refuse();
    shard.clients.connected.say_out_of_files(shard.ring.now(), why);
    transport.shutdown(&shard.ring);
}

impl Errand for Arrival {
    /// Serves a connection that another core has accepted.
    fn arrive(self: Box<Self>, shard: &Shard, from: usize) {
        assert_ne!(from, shard.index, "core {from} hands a connection over to itself");
        if shard.is_stopping() {
            // It came after the others were ended.
            return;
        }
        let Arrival { transport, listener, place } = *self;
        let peer = transport.peer_addr();
        match transport.adopt(&shard.ring) {
            Ok(transport) => serve(shard, transport, listener, place),
            Err(error) => {
                tracing::warn!(%error, %peer, "cannot take a connection over from the core that \
                    accepted it")
            }
        }
    }
}

/// How bytes travel on this listener. A configuration that asks for more than there is, is refused
/// at the start (`config/conflicts.rs`).
fn transport_of(config: &BrokerConfig, listener: usize, stream: Stream) -> Transport {
    let protocol = config.listeners[listener].security_protocol;
    assert_eq!(
        protocol,
        SecurityProtocol::Plaintext,
        "listener {listener} listens with a protocol that is served"
    );
    #[cfg(test)]
    if config.listeners[listener].name == "MASKED" {
        return Transport::Masked(crate::request::transport::tests::masked::Masked::new(stream));
    }
    Transport::Plain(stream)
}

fn serve(shard: &Shard, transport: Transport, listener: usize, place: Place) {
    let clients = &shard.clients.connected;
    let (here, core) = (shard.index, place.core());
    assert_eq!(here, core, "a connection is served on core {here} and was counted for {core}");
    let held_bytes = limits::CONNECTION_BYTES + transport.held_bytes();
    if !shard.clients.memory.has_room(Use::Connections, held_bytes) {
        clients.refuse();
        shard.clients.bad_input.say(shard.ring.now(), || {
            let open = clients.open();
            format!(
                "refusing {}: memory.limit.bytes allows {open} connections on this core",
                transport.peer_addr()
            )
        });
        return transport.shutdown(&shard.ring);
    }
    let client = Rc::new(Client {
        number: clients.accepted(),
        transport,
        listener,
        is_counted: Cell::new(false),
        replies: Rc::new(Replies::new(shard.clients.memory.clone())),
        moved: Rc::default(),
        progress: Progress::new(shard.ring.now()),
        transactional_id: RefCell::default(),
        software: RefCell::default(),
        telemetry: RefCell::default(),
        accounts: RefCell::default(),
        _charge: shard.clients.memory.charge(Use::Connections, held_bytes),
    });
    clients.enter(&client);
    let connection = Connection { shard: shard.clone(), client };
    shard.ring.spawn_named("connection", async move {
        connection.serve().await;
        connection.shard.clients.connected.leave(&connection.client);
        drop(place);
    });
}
