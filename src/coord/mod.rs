//! Coordinators: state machines over internal partitions, hosted by the core that leads the partition.
//!
//! [`runtime`] is the contract with the host; [`groups`] and [`offsets`] are the group coordinator of `__consumer_offsets`;
//! [`fanout`] takes requests over several groups apart and puts the answers together, on the core of the connection;
//! [`producer_ids`] hands out producer ids. All of it is pure: events and time in, actions out. No I/O, no clock, no randomness.

mod clock;
pub mod fanout;
mod groups;
mod offsets;
pub mod partition;
pub mod producer_ids;
pub(crate) mod records;
pub mod request;
pub mod runtime;
mod state;
#[cfg(test)]
mod tests;
mod timers;

pub use groups::GroupSettings;
pub use records::CoordinatorRecord;
