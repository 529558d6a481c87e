// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! Kafka's messages and records, one module per schema.

#![allow(
    unused_variables,
    clippy::field_reassign_with_default,
    clippy::nonminimal_bool,
    clippy::let_and_return
)]

pub mod api;
pub mod file;
pub mod group;
pub mod metadata;
pub mod rpc;
pub mod share;
pub mod transaction;

/// What the modules of messages use.
mod prelude {
    pub use crate::message::{DecodeError, EncodeError, Message, Request, Response, Structure};
    pub use crate::primitives::*;
    pub use crate::uuid::Uuid;
    pub use bytes::{BufMut, Bytes, BytesMut};
}
