//! The generator's connections to brokers, and what to type when there is none.
//!
//! Owns: what names stand for, each asked for once, because the resolver blocks. Lives on: the
//! generator's thread. Never: connects by itself; callers decide when to try again.

use anyhow::{Context, anyhow, ensure};
use client::{ConnectError, Connection, ConnectionOptions};
use protocol::ErrorCode;
use ring::Ring;
use rustc_hash::FxHashMap;
use std::{
    cell::RefCell,
    io,
    net::{SocketAddr, ToSocketAddrs},
    time::Duration,
};

/// Longer than it takes to send a lost SYN once more.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// For requests outside the load: those of the load are waited for by the task that sends them.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Requests outside the load that may share a connection with it.
const CALLS_MAX: usize = 8;
/// As long as a fetch may ask for: room for it is made at once.
const RESPONSE_BYTES_TRUSTED: usize = 64 << 20;

pub struct Dialer {
    ring: Ring,
    options: ConnectionOptions,
    resolved: RefCell<FxHashMap<String, Vec<SocketAddr>>>,
}

impl Dialer {
    /// `in_flight`: requests of the load that may be unanswered on one connection.
    pub fn new(ring: &Ring, in_flight: usize) -> Dialer {
        let name = env!("CARGO_PKG_NAME");
        let options = ConnectionOptions {
            in_flight_requests_max: in_flight + CALLS_MAX,
            // Bounded by their number: batches have a size, and requests a number of them.
            in_flight_bytes_max: usize::MAX,
            response_bytes_trusted: RESPONSE_BYTES_TRUSTED,
            request_timeout: CALL_TIMEOUT,
            ..ConnectionOptions::new(name, name, env!("CARGO_PKG_VERSION"))
        };
        Dialer { ring: ring.clone(), options, resolved: RefCell::default() }
    }

    /// Connects to the first of a name's addresses that lets us, in bounded time.
    pub async fn connect(&self, host_port: &str) -> anyhow::Result<Connection> {
        let addresses = self.resolve(host_port)?;
        let opened = Connection::open_first(&self.ring, &addresses, &self.options, CONNECT_TIMEOUT);
        opened.await.map_err(|error| match error {
            ConnectError::Connect { error, .. } => {
                let hint = hint(&error);
                anyhow!(error).context(format!("cannot connect to {host_port}: {hint}"))
            }
            error => anyhow!(error)
                .context(format!("{host_port} does not answer as a Kafka broker does")),
        })
    }

    /// The addresses behind HOST:PORT, best first.
    fn resolve(&self, host_port: &str) -> anyhow::Result<Vec<SocketAddr>> {
        if let Some(known) = self.resolved.borrow().get(host_port) {
            return Ok(known.clone());
        }
        let hint = || {
            format!("'{host_port}' is no address that is known here: give --bootstrap HOST:PORT")
        };
        let mut addresses: Vec<_> = host_port.to_socket_addrs().with_context(hint)?.collect();
        addresses.sort_by_key(SocketAddr::is_ipv6);
        ensure!(!addresses.is_empty(), hint());
        self.resolved.borrow_mut().insert(host_port.to_owned(), addresses.clone());
        Ok(addresses)
    }
}

fn hint(error: &io::Error) -> &'static str {
    // Numbers of Linux: EMFILE, ENFILE, EADDRNOTAVAIL.
    match (error.raw_os_error(), error.kind()) {
        (Some(24 | 23), _) => {
            "out of descriptors: raise `ulimit -n`, or give fewer --connections and --consumers"
        }
        (Some(99), _) => "out of ports: give fewer --connections and --consumers",
        (_, io::ErrorKind::TimedOut) => "no answer: is the host up, and the port open?",
        _ => "is the broker running there?",
    }
}

/// The error that a code means; one that this release does not know counts as an unknown server
/// error.
pub fn error_of(code: i16) -> ErrorCode {
    ErrorCode::from_code(code).unwrap_or(ErrorCode::UnknownServerError)
}
