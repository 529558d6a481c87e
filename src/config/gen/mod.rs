//! The configs of Apache Kafka 4.4.0, written by `cargo xtask codegen-configs`; do not edit.
//! Names, defaults and documentation are Apache Kafka's (Apache License 2.0, see NOTICE).

pub mod broker;
pub mod topic;
pub mod group;
