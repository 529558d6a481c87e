//! One TCP connection to one node, from the connect to its end.
//!
//! Owns: the wire, and which versions the node speaks. Lives on: the core that opened it. Never:
//! comes back after its end: that is for [`crate::Node`].

use crate::{
    error::{ConnectError, DisconnectReason, RequestError},
    negotiation::negotiate,
    request::{ClientRequest, PendingResponse},
    transport::{SecurityProtocol, Transport},
    versions::NodeApiVersions,
    wire::Wire,
};
use protocol::Request;
use ring::{Instant, Ring};
use std::{cell::OnceCell, fmt, io, net::SocketAddr, rc::Rc, sync::Arc, time::Duration};

/// What Kafka's consumers have.
const IN_FLIGHT_REQUESTS_MAX: usize = 100;
/// As much as one request may have (`socket.request.max.bytes`).
const IN_FLIGHT_BYTES_MAX: usize = 100 << 20;
/// More than any response that a node asks for.
const RESPONSE_BYTES_MAX: usize = 256 << 20;
const RESPONSE_BYTES_TRUSTED: usize = 1 << 20;
const RECEIVE_BYTES: usize = 256 * 1024;
/// `request.timeout.ms`.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How connections are made, and how much each may hold.
#[derive(Clone, Debug)]
pub struct ConnectionOptions {
    /// Who we are, in the header of every request; at most 32767 bytes.
    pub client_id: Rc<str>,
    /// Who made us, for the broker's metrics: letters, digits, `-` and `.`, as Kafka checks them.
    pub software_name: &'static str,
    pub software_version: &'static str,
    pub security_protocol: SecurityProtocol,
    /// Requests without a response; more of them wait, or are refused.
    pub in_flight_requests_max: usize,
    /// Bytes of requests without a response. One that is larger goes out alone.
    pub in_flight_bytes_max: usize,
    /// A longer response ends the connection.
    pub response_bytes_max: usize,
    /// For a response up to this length room is made at once, for a longer one as it comes.
    pub response_bytes_trusted: usize,
    /// Bytes that one receive asks for.
    pub receive_bytes: usize,
    /// For requests that a connection makes by itself, to learn which versions there are.
    pub request_timeout: Duration,
}

impl ConnectionOptions {
    pub fn new(
        client_id: &str,
        software_name: &'static str,
        software_version: &'static str,
    ) -> ConnectionOptions {
        ConnectionOptions {
            client_id: client_id.into(),
            software_name,
            software_version,
            security_protocol: SecurityProtocol::Plaintext,
            in_flight_requests_max: IN_FLIGHT_REQUESTS_MAX,
            in_flight_bytes_max: IN_FLIGHT_BYTES_MAX,
            response_bytes_max: RESPONSE_BYTES_MAX,
            response_bytes_trusted: RESPONSE_BYTES_TRUSTED,
            receive_bytes: RECEIVE_BYTES,
            request_timeout: REQUEST_TIMEOUT,
        }
    }
}

/// A connection that is ready for requests. Clones share it; it is closed when the last one goes.
#[derive(Clone)]
pub struct Connection(Rc<Handle>);

struct Handle {
    wire: Rc<Wire>,
    address: SocketAddr,
    versions: OnceCell<NodeApiVersions>,
}

impl Connection {
    /// Connects, and asks which versions the node speaks. `setup_timeout` bounds the connect and
    /// the transport's handshake.
    pub async fn open(
        ring: &Ring,
        address: SocketAddr,
        options: &ConnectionOptions,
        setup_timeout: Duration,
    ) -> Result<Connection, ConnectError> {
        assert!(options.client_id.len() <= i16::MAX as usize, "a client id fits its length field");
        let setup = async {
            let stream = ring.connect(address).await?;
            Transport::establish(stream, options.security_protocol).await
        };
        let transport = ring.timeout(setup_timeout, setup).await;
        let transport = transport.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()));
        let failed = |error| ConnectError::Connect { address, error: Arc::new(error) };
        let wire = Wire::start(ring, transport.map_err(failed)?, options);
        let connection = Connection(Rc::new(Handle { wire, address, versions: OnceCell::new() }));
        // Who has to authenticate does so here: SaslHandshake and SaslAuthenticate are requests,
        // and come before all others.
        let versions = negotiate(&connection.0.wire, address, options).await?;
        connection.0.versions.get_or_init(|| versions);
        Ok(connection)
    }

    /// Opens a connection to the first of some addresses that can be connected to, each within
    /// `setup_timeout`.
    pub async fn open_first(
        ring: &Ring,
        addresses: &[SocketAddr],
        options: &ConnectionOptions,
        setup_timeout: Duration,
    ) -> Result<Connection, ConnectError> {
        let mut addresses = addresses.iter();
        let mut address = *addresses.next().expect("at least one address");
        loop {
            match Connection::open(ring, address, options, setup_timeout).await {
                Err(ConnectError::Connect { .. }) if addresses.len() > 0 => {
                    address = *addresses.next().expect("counted above");
                }
                opened => return opened,
            }
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    pub fn versions(&self) -> &NodeApiVersions {
        self.0.versions.get().expect("asked for before a caller has the connection")
    }

    pub fn in_flight_requests(&self) -> usize {
        self.0.wire.room.requests()
    }

    pub fn is_disconnected(&self) -> bool {
        self.0.wire.ended().is_some()
    }

    /// When the connection ended, and why.
    pub fn disconnected(&self) -> Option<(&DisconnectReason, Instant)> {
        self.0.wire.ended()
    }

    pub async fn wait_for_disconnect(&self) {
        self.0.wire.wait_for_end().await;
    }

    /// Ends the connection: requests in flight fail now.
    pub fn close(&self) {
        self.0.wire.end(DisconnectReason::Closed);
    }

    /// Puts a request on the wire now, behind those that were put there before. Refused where it
    /// would be too much, or others wait for room.
    pub fn try_send(&self, request: ClientRequest) -> Result<PendingResponse, RequestError> {
        let wire = &self.0.wire;
        self.check(&request)?;
        let permit = wire.room.try_take(request.body.len()).ok_or(RequestError::Full)?;
        Ok(wire.put(request, permit)?)
    }

    /// The same, but waits in line for room. What is sent later may leave earlier only where it is
    /// sent by another task.
    pub async fn send(&self, request: ClientRequest) -> Result<PendingResponse, RequestError> {
        let wire = &self.0.wire;
        self.check(&request)?;
        let permit = wire.room.take(request.body.len()).await;
        // The connection may have ended since the room was given.
        if let Some(disconnected) = wire.not_sent() {
            return Err(disconnected.into());
        }
        let permit = permit.expect("only an end closes the room");
        Ok(wire.put(request, permit)?)
    }

    /// Sends a request and decodes its response. `timeout` counts twice: for the wait for room, and
    /// from the send on; a response that is too late ends the connection.
    pub async fn call<R: Request>(
        &self,
        request: &R,
        version: i16,
        timeout: Duration,
    ) -> Result<R::Response, RequestError> {
        let request = ClientRequest::encode(request, version)?.within(timeout);
        let api = request.api;
        let sent = self.0.wire.ring.timeout(timeout, self.send(request)).await;
        let sent = sent.unwrap_or(Err(RequestError::NotInTime { api, timeout }));
        let response = sent?.await?;
        let decoded = protocol::decode_exact(&response.body, version);
        decoded.map_err(|error| RequestError::Decode { api, error })
    }

    #[cfg(test)]
    pub(crate) fn wire(&self) -> &Wire {
        &self.0.wire
    }

    fn check(&self, request: &ClientRequest) -> Result<(), RequestError> {
        if let Some(disconnected) = self.0.wire.not_sent() {
            return Err(disconnected.into());
        }
        Ok(self.versions().check(request.api, request.version)?)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.wire.end(DisconnectReason::Closed);
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection to {}", self.0.address)
    }
}
