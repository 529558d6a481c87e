//! Transactions as the leaders of their partitions see them: whether one may begin here
//! ([`verify`]), and its end ([`markers`]).
//!
//! Owns: nothing. Lives on: every core. Never: decides about a transaction; its coordinator does
//! (`coord/transactions`, hosted by `shard/coordinators`).

pub mod markers;
pub mod verify;

#[cfg(test)]
pub(super) mod tests;
