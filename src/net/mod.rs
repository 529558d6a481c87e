//! Sockets: from bytes of a client to a request, and from a reply to bytes.
//!
//! Owns: listeners, the tasks of each connection, framing, and backpressure. Lives on: the core
//! that serves the connection. Never: touches a partition, or decides an answer; `shard` does.

pub mod admission;
pub mod conn;
pub mod dispatch;
pub mod frame;
pub mod listener;
mod receive;
mod send;

#[cfg(test)]
mod tests;
