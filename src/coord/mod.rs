//! Coordinators: state machines over internal partitions, hosted by the core that leads the
//! partition.
//!
//! [`runtime`] is what all of them have in common, and the contract with the host. [`groups`] and
//! [`offsets`] are the state machine of `__consumer_offsets`; [`fanout`] takes requests over
//! several groups apart and puts the answers together, on the core of the connection;
//! [`transactions`] is the state machine of `__transaction_state`; [`producer_ids`] hands out
//! producer ids. All of it is pure: events and time in, actions out. No
//! I/O, no clock, no randomness.

mod batch;
mod clock;
pub mod fanout;
pub mod groups;
mod offsets;
pub mod partition;
pub mod producer_ids;
pub mod runtime;
#[cfg(test)]
mod tests;
mod timers;
pub mod transactions;

pub use batch::{Batch, CoordinatorRecord};
