//! Apache Kafka’s wire protocol.

pub mod compression;
pub mod records;
pub mod produce;
pub mod fetch;
mod view;
mod writer;
pub mod error;
pub mod message;
pub mod primitives;
pub mod uuid;
