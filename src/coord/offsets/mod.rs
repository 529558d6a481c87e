//! Committed offsets: where they are kept, and the requests that write, read and delete them.
//!
//! Pure, on the core that leads the group's partition of `__consumer_offsets`.

pub(super) mod commit;
mod delete;
mod expire;
pub(super) mod fetch;
pub(super) mod store;
pub(super) mod txn_commit;
