//! Quotas of clients: which one a client is under, how much it has used, and how long it has to
//! wait.
//!
//! Owns: nothing shared; the accounts of one core ([`accounts`]) are plain data that the core
//! keeps. Lives on: every core. Never: reads a clock, waits, or knows a connection, a request or
//! the metadata: quotas, amounts and the time come in, waits go out.
//!
//! A client's user and client id lead to a quota ([`entity`]), in Kafka's order of precedence. What
//! the client moves counts in the samples of its account ([`rate`]), and where that is more than
//! the quota, the account says how long nothing more may come. Changes of the metadata are counted
//! against a bucket ([`bucket`]), on the core that decides about them.

pub mod accounts;
pub mod bucket;
pub mod entity;
pub mod rate;

#[cfg(test)]
mod model_tests;

pub use accounts::{Accounts, Count, Known};
pub use bucket::Buckets;
pub use entity::{Found, Key, Kind, Name};
pub use rate::{Rate, Windows};

/// The user of a connection without authentication (`KafkaPrincipal.ANONYMOUS`).
pub const ANONYMOUS: &str = "ANONYMOUS";
