//! A node that is connected to when a caller needs it, and again after each end.
//!
//! Owns: the connection to one HOST:PORT, or the one attempt that is under way for all tasks that
//! wait. Lives on: the core that made it. Never: connects unasked, gives up an attempt because one
//! caller waits no longer, sends a request again.

use crate::{
    connection::{Connection, ConnectionOptions},
    error::{ConnectError, RequestError},
    request::key_of,
    resolver::Resolver,
    state::{ExponentialBackoff, NodeConnectionState},
};
use protocol::Request;
use ring::{Ring, sync::Notify};
use std::{
    cell::{OnceCell, RefCell},
    rc::Rc,
    time::Duration,
};

/// How a node is connected to; the times are Kafka's defaults.
#[derive(Clone, Debug)]
pub struct NodeOptions {
    pub connection: ConnectionOptions,
    /// `reconnect.backoff.ms` and `reconnect.backoff.max.ms`.
    pub reconnect_backoff: ExponentialBackoff,
    /// `socket.connection.setup.timeout.ms` and `socket.connection.setup.timeout.max.ms`; for each
    /// of the node's addresses.
    pub setup_timeout: ExponentialBackoff,
}

impl NodeOptions {
    pub fn new(connection: ConnectionOptions) -> NodeOptions {
        let (initial, max) = (Duration::from_millis(50), Duration::from_millis(1000));
        let reconnect_backoff = ExponentialBackoff { initial, max };
        let (initial, max) = (Duration::from_secs(10), Duration::from_secs(30));
        let setup_timeout = ExponentialBackoff { initial, max };
        NodeOptions { connection, reconnect_backoff, setup_timeout }
    }
}

pub struct Node {
    inner: Rc<Inner>,
}

struct Inner {
    ring: Ring,
    host_port: Rc<str>,
    resolver: Resolver,
    options: NodeOptions,
    state: RefCell<State>,
}

struct State {
    machine: NodeConnectionState,
    connection: Option<Connection>,
    attempt: Option<Rc<Attempt>>,
}

/// One attempt to connect, and its outcome.
#[derive(Default)]
struct Attempt {
    outcome: OnceCell<Result<Connection, ConnectError>>,
    is_over: Notify,
}

impl Node {
    /// A node that is not connected to yet.
    pub fn new(ring: &Ring, host_port: &str, resolver: Resolver, options: NodeOptions) -> Node {
        let machine = NodeConnectionState::new(options.reconnect_backoff, options.setup_timeout);
        let state = RefCell::new(State { machine, connection: None, attempt: None });
        let (ring, host_port) = (ring.clone(), host_port.into());
        Node { inner: Rc::new(Inner { ring, host_port, resolver, options, state }) }
    }

    pub fn host_port(&self) -> &str {
        &self.inner.host_port
    }

    /// The connection, if there is one now.
    pub fn connected(&self) -> Option<Connection> {
        self.inner.connected()
    }

    /// The connection. Where there is none it is made, once the backoff is over; all tasks that
    /// wait share the attempt and its error.
    pub async fn connection(&self) -> Result<Connection, ConnectError> {
        if let Some(connection) = self.inner.connected() {
            return Ok(connection);
        }
        let attempt = self.attempt();
        attempt.is_over.wait_until(|| attempt.outcome.get().is_some()).await;
        attempt.outcome.get().cloned().expect("waited for")
    }

    /// Sends a request in the highest version that both sides know, up to `most_version`. `timeout`
    /// counts for each step anew: the connection, room on it, the response.
    pub async fn call<R: Request>(
        &self,
        request: &R,
        most_version: i16,
        timeout: Duration,
    ) -> Result<R::Response, RequestError> {
        let api = key_of::<R>();
        let connection = self.inner.ring.timeout(timeout, self.connection()).await;
        let connection = connection.ok_or(RequestError::NotInTime { api, timeout })??;
        let version = connection.versions().version_at_most(api, most_version)?;
        connection.call(request, version, timeout).await
    }

    /// The attempt that is under way, or a new one.
    fn attempt(&self) -> Rc<Attempt> {
        let inner = &self.inner;
        let mut state = inner.state.borrow_mut();
        if let Some(attempt) = &state.attempt {
            return attempt.clone();
        }
        let attempt = Rc::<Attempt>::default();
        state.attempt = Some(attempt.clone());
        let wait = state.machine.delay(inner.ring.now());
        // Who waits for its backoff alone does not keep a node.
        let (ring, node, outcome_to) = (inner.ring.clone(), Rc::downgrade(inner), attempt.clone());
        inner.ring.spawn_named("client connects", async move {
            ring.sleep(wait).await;
            if let Some(inner) = node.upgrade() {
                let outcome = inner.connect().await;
                inner.settle(&outcome_to, outcome);
            }
        });
        attempt
    }
}

impl Inner {
    fn connected(&self) -> Option<Connection> {
        let mut state = self.state.borrow_mut();
        let connection = state.connection.as_ref()?;
        let ended_at = connection.disconnected().map(|(_, at)| at);
        if let Some(at) = ended_at {
            state.machine.disconnected(at, self.ring.random_u64());
            state.connection = None;
        }
        state.connection.clone()
    }

    async fn connect(&self) -> Result<Connection, ConnectError> {
        let setup_timeout = self.state.borrow_mut().machine.connecting(self.ring.random_u64());
        let resolve = self.resolver.resolve(&self.host_port);
        let addresses = self.ring.timeout(setup_timeout, resolve).await;
        let addresses = addresses.unwrap_or_else(|| Err(ConnectError::timed_out(&self.host_port)));
        let options = &self.options.connection;
        Connection::open_first(&self.ring, &addresses?, options, setup_timeout).await
    }

    fn settle(&self, attempt: &Attempt, outcome: Result<Connection, ConnectError>) {
        let mut state = self.state.borrow_mut();
        state.attempt = None;
        match &outcome {
            Ok(connection) => {
                state.machine.ready();
                state.connection = Some(connection.clone());
            }
            Err(_) => state.machine.disconnected(self.ring.now(), self.ring.random_u64()),
        }
        drop(state);
        attempt.outcome.get_or_init(|| outcome);
        attempt.is_over.notify();
    }
}
