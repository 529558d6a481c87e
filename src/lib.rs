//! Millstream: a message broker that speaks Apache Kafka's wire protocol, one thread per core.

pub mod log;
