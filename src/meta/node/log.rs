//! The metadata log of one node: `__cluster_metadata-0` on its disk, with its snapshots.
//!
//! Owns: the log, its files, and why it takes nothing. Lives on: the core of the metadata node.
//! Where it cannot be written for now (a full disk, no descriptors) the records are taken back;
//! only what makes room may use the disk's reserve. Never: knows requests or decides on an image,
//! leaves a part of what was refused, or goes on after a failed sync.

use super::{MetaNodeError, store::Store};
use crate::{
    log::{AppendError, Log, LogState, Opening, remedy},
    meta::{image::MetadataImage, snapshot_file},
};
use bytes::Bytes;
use ring::{Instant, Ring, sync::Semaphore};
use std::{
    cell::{Cell, RefCell},
    io,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

/// How long a refusal counts as the state of the log: nothing else tells whether it has passed.
const REFUSAL_SHOWN: Duration = Duration::from_secs(10);

/// Where records may lie on a full disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// Nowhere: what creates something asks for more room later.
    Spare,
    Reserve,
}

/// Why records are not in the log, and nothing of them is.
#[derive(Debug, thiserror::Error)]
pub enum AppendFailure {
    #[error("appending to the metadata log: {0}")]
    Append(#[from] AppendError),
    /// For good.
    #[error("the metadata log cannot be written: {0}")]
    Write(String),
    #[error("the metadata log cannot be written for now: {0}")]
    Waiting(io::Error),
}

/// Why batches are not on the disk.
enum Unwritten {
    Append(AppendError),
    Write(io::Error),
}

pub struct MetadataLog {
    ring: Ring,
    store: Store,
    log: Log,
    /// What the log could not do.
    failure: RefCell<Option<String>>,
    /// The last records that were refused for now, since any were taken.
    refused: RefCell<Option<(Instant, String)>>,
    /// Where the records begin that are being written and may be taken back.
    undecided_from: Cell<Option<i64>>,
    due: SnapshotsDue,
    record_bytes_since_snapshot: Cell<u64>,
    /// When the last snapshot began, or this log was opened.
    last_snapshot: Cell<Instant>,
}

/// What makes the next snapshot of the metadata due, where any records are behind the last one.
#[derive(Clone, Copy, Debug)]
pub struct SnapshotsDue {
    /// So many bytes of records.
    pub after_bytes: u64,
    /// So much time, when the next record comes. Zero: it does not count.
    pub after: Duration,
}

impl SnapshotsDue {
    fn is_due(self, record_bytes: u64, time: Duration) -> bool {
        let by_time = !self.after.is_zero() && time >= self.after && record_bytes > 0;
        record_bytes >= self.after_bytes || by_time
    }
}

impl MetadataLog {
    /// `record_bytes`: of the records behind the last snapshot. `has_others`: the core serves other
    /// log directories, too.
    pub async fn open(
        ring: &Ring,
        store: Store,
        opening: Opening,
        has_others: bool,
        record_bytes: u64,
        due: SnapshotsDue,
    ) -> Result<MetadataLog, MetaNodeError> {
        let log = opening.finish().await?;
        if has_others {
            // Its core serves the other directories, too, while this one hangs.
            log.write_behind(&Rc::new(Semaphore::new(1)));
        }
        Ok(MetadataLog {
            ring: ring.clone(),
            store,
            log,
            failure: RefCell::default(),
            refused: RefCell::default(),
            undecided_from: Cell::new(None),
            due,
            record_bytes_since_snapshot: Cell::new(record_bytes),
            last_snapshot: Cell::new(ring.now()),
        })
    }

    pub fn log(&self) -> &Log {
        &self.log
    }

    pub fn end_offset(&self) -> i64 {
        self.log.log_end_offset()
    }

    /// Begins an epoch after `last_epoch` that this node leads.
    pub async fn begin_epoch(&self, node_id: i32, last_epoch: i32) -> Result<i32, MetaNodeError> {
        let epoch = self.store.begin_epoch(node_id, last_epoch).await?;
        self.log.assign_leader_epoch(epoch);
        Ok(epoch)
    }

    /// Where a start after a crash begins to read, moved up to the end of the durable records: the
    /// log must reach it then.
    pub async fn recovery_point(&self) -> i64 {
        // A log that has failed keeps the one that it had.
        let reached = self.log.checkpoint().await.unwrap_or_else(|_| self.log.recovery_point());
        self.undecided_from.get().map_or(reached, |from| reached.min(from))
    }

    /// Why the log takes no records any more.
    pub fn failure(&self) -> Option<String> {
        self.failure.borrow().clone()
    }

    /// The same, or why it has refused some a moment ago.
    pub fn refuses(&self) -> Option<String> {
        let now = self.ring.now();
        let lately = |(at, _): &&(Instant, String)| now.since(*at) < REFUSAL_SHOWN;
        let refused = self.refused.borrow();
        self.failure().or_else(|| refused.as_ref().filter(lately).map(|(_, why)| why.clone()))
    }

    /// Makes whole batches durable: all of them, or none.
    pub async fn append(&self, batches: &[Bytes], room: Room) -> Result<(), AppendFailure> {
        let mut is_spent = false;
        while let Err(refused) = self.try_append(batches).await? {
            if room == Room::Spare || !self.store.spend_reserve_for(&refused).await {
                tracing::error!(
                    error = %refused,
                    "the metadata log cannot be written for now: the request is refused and \
                     leaves no trace; {}",
                    remedy(&refused)
                );
                *self.refused.borrow_mut() = Some((self.ring.now(), refused.to_string()));
                return Err(AppendFailure::Waiting(refused));
            }
            is_spent = true;
        }
        self.refused.take();
        if is_spent {
            self.store.refill_reserve().await;
        }
        let grown_bytes: usize = batches.iter().map(Bytes::len).sum();
        let grown_bytes = self.record_bytes_since_snapshot.get() + grown_bytes as u64;
        self.record_bytes_since_snapshot.set(grown_bytes);
        Ok(())
    }

    /// Makes batches durable. The inner error passes, and the log is as it was before; the outer
    /// one is final.
    async fn try_append(&self, batches: &[Bytes]) -> Result<io::Result<()>, AppendFailure> {
        let mark = self.log.mark();
        self.undecided_from.set(Some(self.log.log_end_offset()));
        let outcome = match self.append_each(batches).await {
            Ok(()) => Ok(Ok(())),
            Err(Unwritten::Write(error)) if !ring::passes(&error) => {
                Err(self.fail(error.to_string()))
            }
            Err(failure) => match (self.log.take_back(&mark).await, failure) {
                (Err(error), _) => Err(self.fail(error.to_string())),
                (Ok(()), Unwritten::Append(error)) => Err(error.into()),
                (Ok(()), Unwritten::Write(error)) => Ok(Err(error)),
            },
        };
        self.undecided_from.set(None);
        outcome
    }

    /// Each batch is on the disk before the next one is written: recovery takes damage in front of
    /// a good batch for a loss.
    async fn append_each(&self, batches: &[Bytes]) -> Result<(), Unwritten> {
        for batch in batches {
            self.log.append_as_follower(batch.clone()).map_err(Unwritten::Append)?;
            self.log.write_gathered().map_err(Unwritten::Write)?;
            self.log.sync().await.map_err(Unwritten::Write)?;
        }
        Ok(())
    }

    fn fail(&self, reason: String) -> AppendFailure {
        tracing::error!(
            reason,
            "the metadata log cannot be written: no topic, config or registration can change \
             until the \
            broker is restarted with a disk that works"
        );
        *self.failure.borrow_mut() = Some(reason.clone());
        AppendFailure::Write(reason)
    }

    /// Writes a snapshot beside further appends, when one is due.
    /// `image`: of all that is committed.
    pub fn snapshot_if_due(self: &Rc<Self>, image: &Arc<MetadataImage>) {
        let now = self.ring.now();
        let time = now.since(self.last_snapshot.get());
        if !self.due.is_due(self.record_bytes_since_snapshot.get(), time) {
            return;
        }
        let last = self.last_snapshot.replace(now);
        let record_bytes = self.record_bytes_since_snapshot.take();
        let (log, image) = (self.clone(), image.clone());
        drop(self.ring.spawn_named("metadata snapshot", async move {
            let id = snapshot_file::id_of(&image);
            match log.store.write_snapshot(&image).await {
                Ok(oldest) => log.drop_records_before(oldest).await,
                Err(error) => {
                    let due = log.record_bytes_since_snapshot.get() + record_bytes;
                    log.record_bytes_since_snapshot.set(due);
                    log.last_snapshot.set(last);
                    tracing::warn!(%id, %error, "the metadata snapshot could not be written: the \
                        next request tries again")
                }
            }
        }));
    }

    /// Gives up the log below the oldest snapshot.
    async fn drop_records_before(&self, offset: i64) {
        let raised =
            self.log.delete_records_before(offset).await.map_err(|error| error.to_string());
        let now_ms = self.ring.wall_clock_ms();
        let result = match raised {
            Ok(_) => {
                self.log.apply_retention(now_ms).await.map(drop).map_err(|error| error.to_string())
            }
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            tracing::warn!(offset, error, "old records of the metadata log could not be removed");
        }
    }

    /// Takes no records any more, and closes cleanly. What it gives back makes the next start
    /// quick.
    pub async fn close(&self) -> io::Result<LogState> {
        self.failure.borrow_mut().get_or_insert_with(|| "the broker stops".to_owned());
        self.log.close().await
    }
}
