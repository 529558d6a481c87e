//! Compaction of one log: of each key the last record stays, offsets never change.
//!
//! Apache Kafka's cleaner is the rule (`Cleaner`, `LogCleanerManager`,
//! `UnifiedLog.replaceSegments`), and so are the files on the way: either broker opens what the
//! other has left. [ADR 17](../../../docs/adr/0017-compaction.md) has the design.
//!
//! Owns: one pass over one log. Lives on the core of the log, in the background. Never: touches the
//! active segment, or what lies beyond the last stable offset or the recovery point that the disk
//! knows; holds the lock of the files while it reads; or changes the log before all that takes the
//! place of its segments is on the disk.
//!
//! The way leads through these files:
//!
//! - `plan`: whether a log is due, up to where, and which segments become one. Pure.
//! - `map`: the last offset of each key of the dirty part, in bounded memory. Pure.
//! - `transactions`: which batches belong to aborted transactions, and which markers are still
//!   needed. Pure.
//! - `filter`: what stays of a batch. Pure, but for its turns.
//! - `source`: the batches of a segment, past the page cache.
//! - `output`: the segment in the making, and its files.
//! - `pass`: fills the map, and has each group of segments filtered.
//! - `swap`: the new segment takes the place of the old ones, on the disk and in the log.

mod filter;
mod map;
mod output;
mod pass;
mod plan;
mod source;
mod swap;
mod throttle;
mod transactions;

#[cfg(test)]
mod tests;

pub use pass::{Cleaned, Cleaning};
pub use plan::Due;
pub use throttle::Throttle;

use super::Log;
use std::{io, path::PathBuf};

/// Why a pass has ended early. The log is as it was, but for the groups that were done before.
#[derive(Debug, thiserror::Error)]
pub enum CleanError {
    /// The broker stops, the log went, or it is not to be compacted any more.
    #[error("the pass is not wanted any more")]
    Cancelled,
    #[error("{}: the batch at byte {position}: {reason}", path.display())]
    Damaged { path: PathBuf, position: u64, reason: String },
    #[error("{0}")]
    Impossible(String),
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl CleanError {
    /// Whether a later pass may succeed.
    pub fn passes(&self) -> bool {
        match self {
            CleanError::Cancelled => true,
            CleanError::Io(error) => ring::passes(error),
            CleanError::Damaged { .. } | CleanError::Impossible(_) => false,
        }
    }
}

impl Log {
    /// What lies below was cleaned, as far as its broker knows: for the checkpoints.
    pub fn first_dirty_offset(&self) -> i64 {
        self.0.first_dirty.get()
    }

    /// The recovery point as it is now, which is going to be written to the checkpoint file.
    pub fn tell_recovery_point(&self) {
        self.0.told_recovery_point.set(self.recovery_point());
    }

    /// The checkpoint file has the recovery point that was told last: what lies before it may be
    /// compacted, since no recovery begins there.
    pub fn keep_recovery_point(&self) {
        let (told, now) = (self.0.told_recovery_point.get(), self.recovery_point());
        self.0.kept_recovery_point.set(told.min(now));
    }
}
