//! Sockets: from bytes of a client to a request, and from a reply to bytes.
//!
//! Owns: listeners, connections, framing, the order of replies, backpressure, and the table of the APIs that are served.
//! Lives on: the core that serves the connection. Never: touches a partition; `shard` does.

pub mod admission;
pub mod api_table;
pub mod conn;
pub mod dispatch;
pub mod frame;
pub mod header;
pub mod listener;
pub mod progress;
mod receive;
pub mod reply;
