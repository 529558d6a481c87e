//! Connections to other nodes: requests out, responses back in order, many in flight.
//!
//! Owns: what was sent and is not answered yet, the versions that the other side speaks, and when
//! it is time to connect again. Lives on: the core that made it. Never: sends a request twice,
//! resolves a name, knows which node leads what.
//!
//! [`Connection`] is one TCP connection, from the connect to its end. [`Node`] is an address that
//! has a connection when a caller asks for one. What goes wrong with a request says whether it
//! may have reached the other side: see [`RequestError::may_have_arrived`].

mod connection;
mod error;
mod negotiation;
mod node;
mod request;
mod resolver;
mod room;
mod state;
#[cfg(test)]
mod tests;
mod transport;
mod versions;
mod wire;

pub use connection::{Connection, ConnectionOptions};
pub use error::{ConnectError, Delivery, DisconnectReason, Disconnected, RequestError};
pub use node::{Node, NodeOptions};
pub use request::{ClientRequest, ClientResponse, PendingResponse};
pub use resolver::{Resolver, Resolving};
pub use state::ExponentialBackoff;
pub use transport::SecurityProtocol;
pub use versions::{NodeApiVersions, VersionError, VersionRange};
