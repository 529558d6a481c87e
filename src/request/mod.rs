//! What a request carries, below the sockets and below the shard: its ids, its client, and the
//! place of its reply.
//!
//! Owns: the unanswered requests of each connection (`reply.rs`), the way of its bytes
//! (`transport.rs`) and what is known of its client. Lives on: the core of the connection. Never:
//! decides when bytes move or what is answered: `net` moves them, `shard` has the handlers.

pub mod client;
pub mod close;
pub mod header;
pub mod progress;
pub mod reply;
pub mod response;
pub mod telemetry;
pub mod transport;

pub use client::{Client, TransactionalId};
pub use close::{CloseReason, FrameError, ResponseError, TooLarge};
pub use header::RequestIds;
pub use transport::{FileRange, MovingTransport, Transport};

use protocol::Text;
use std::rc::Rc;

/// What a handler knows besides the request itself, as Kafka's `RequestContext`. The principal of
/// a request has its place here, once there is any.
pub struct RequestContext<'a> {
    pub ids: RequestIds,
    /// As the client calls itself.
    pub client_id: Text<'a>,
    pub client: &'a Rc<Client>,
}
