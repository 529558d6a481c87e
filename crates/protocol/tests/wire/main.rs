//! The wire, seen from outside: every message and version written from its schema by other code
//! than the generated, and read back; the `kafka-protocol` crate and bytes that Java wrote as
//! second opinions.

#[path = "gen/mod.rs"]
mod generated;
mod golden;
mod messages;
mod oracle;
mod reader;
mod schema;
